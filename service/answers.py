"""What routes send: the office's answers, sealed files, bytes with an ETag."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response

from certlib.formats.spreadsheet import MEDIA_TYPE as CSV_MEDIA
from certlib.register.idempotency import Answer
from service.published import Published

PDF = "application/pdf"
JSON = "application/json"
PNG = "image/png"
CREATED = 201


def send_json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON as UTF-8, Chinese unescaped."""
    text = json.dumps(body, ensure_ascii=False, default=str)
    return Response(text.encode(), status_code=status, media_type=JSON, headers=dict(headers or {}))


def send_answer(base: str, answer: Answer) -> Response:
    """The office's answer with its version as ETag; a replayed one says so, a new thing says where it is."""
    headers = {"etag": f'"{answer.version}"'} if answer.version else {}
    if answer.replayed:
        headers["idempotent-replayed"] = "true"
    links = answer.body.get("links", {})
    if answer.status == CREATED and "self" in links:
        headers["location"] = f"{base}{links['self']}"
    return send_json(answer.body, status=answer.status, headers=headers)


def send_view(view: Mapping[str, Any]) -> Response:
    """A certificate or document as read, its version as ETag."""
    return send_json(view, headers={"etag": f'"{view["version"]}"'})


def send_pdf(pdf: bytes, name: str) -> Response:
    """A PDF as a download (RFC 6266); its SHA-256 as representation digest (RFC 9530)."""
    ascii_name = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
    disposition = f"attachment; filename=\"{ascii_name}.pdf\"; filename*=UTF-8''{quote(name)}.pdf"
    return Response(pdf, media_type=PDF, headers={"content-disposition": disposition, "repr-digest": _digest(pdf)})


def send_png(png: bytes, name: str) -> Response:
    """A picture as a download (RFC 6266) that nobody on the way keeps; its SHA-256 as representation digest."""
    headers = {
        "content-disposition": f'attachment; filename="{name}.png"',
        "cache-control": "no-store",
        "repr-digest": _digest(png),
    }
    return Response(png, media_type=PNG, headers=headers)


def send_csv(data: bytes, name: str) -> Response:
    """A table as a download (RFC 6266) that spreadsheets open; its SHA-256 as representation digest (RFC 9530)."""
    ascii_name = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
    disposition = f"attachment; filename=\"{ascii_name}.csv\"; filename*=UTF-8''{quote(name)}.csv"
    headers = {"content-disposition": disposition, "repr-digest": _digest(data)}
    return Response(data, media_type=CSV_MEDIA, headers=headers)


def send_part(data: bytes, name: str, part: str) -> Response:
    """A file of a document: the `file`, its `copy` under SM2/SM3, or the signature `ses` beside it."""
    if part != "ses":
        return send_pdf(data, name if part == "file" else f"{name}-国密")
    ascii_name = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
    disposition = f"attachment; filename=\"{ascii_name}.ses\"; filename*=UTF-8''{quote(name)}.ses"
    headers = {"content-disposition": disposition, "repr-digest": _digest(data)}
    return Response(data, media_type="application/octet-stream", headers=headers)


def send_published(request: Request, kept: Published, *, cache: str = "public, no-cache") -> Response:
    """Public bytes that anyone may keep and must revalidate; 304 when the caller has them."""
    headers = {
        "etag": kept.etag,
        "vary": "accept-encoding",
        "cache-control": cache,
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
    }
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if kept.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if kept.gzipped and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(kept.gzipped, media_type=kept.media, headers=headers | {"content-encoding": "gzip"})
    return Response(kept.data, media_type=kept.media, headers=headers)


def _digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"
