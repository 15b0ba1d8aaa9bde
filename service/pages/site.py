"""The citizen's page and its parts, read and compressed once when the service starts.

The page is static: host, trust anchor and the words of the verdicts are put in here, so that they are the
library's own; everything about a certificate happens in the browser.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined

from certlib.crypto.cose import key_id
from certlib.domain.verdict import REVOKED_WORDS, WORDS, Verdict, Words

_MEDIA: Mapping[str, str] = MappingProxyType(
    {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
        "webmanifest": "application/manifest+json",
        "html": "text/html; charset=utf-8",
    }
)
_PARTS = (
    "page.css",
    "page.js",
    "check.js",
    "ask.js",
    "match.js",
    "file.js",
    "pdf.js",
    "scan.js",
    "ways.js",
    "why.js",
    "inflate.js",
    "sm2.js",
    "en.js",
    "icon.svg",
    "app.webmanifest",
)
_SCANNER = "vendor/qr-0.7.0/qr.js"
PAGE = "/v"
_P256 = bytes.fromhex("06082a8648ce3d030107")  # the curve's OID in a SubjectPublicKeyInfo
_INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)
_COMMENT_LINE = re.compile(rb"^(//.*|/\*\*.*\*/)?\n", re.MULTILINE)
_COMMENT_BEHIND = re.compile(rb"(?<=[;{},]) // [^'\"`\n]*$", re.MULTILINE)
# strings, templates (none within another) and regular expressions stay; comments and what a script does not need go:
# spaces around punctuation, the end of a line behind what cannot end a statement or has ended it, a semicolon before }
_SCRIPT_SPACE = re.compile(
    rb"""('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`"""
    rb"""|(?:(?<=[(=,:?!&|])|(?<=[(=,:?!&|] ))/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*)"""
    rb"""|//[^\n]*| *([=(){},;:?<>&|]+) *(\n\}?)?"""
)
_OPEN = (b"{", b"(", b",", b";")
_STYLE_SPACE = re.compile(rb"\s*([{};,>])\s*|(?<=:)\s+")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the page: its bytes, the same compressed, its media type and ETag."""

    data: bytes
    gzipped: bytes
    media: str
    etag: str


def templates() -> Environment:
    """The Jinja environment of the service's pages; every value is escaped."""
    return Environment(
        loader=PackageLoader("service", "pages"), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )


def citizen_site(*, host: str, roots: Iterable[bytes]) -> dict[str, Part]:
    """Every file of the page by its path. `roots` are the public keys of the trust list (SubjectPublicKeyInfo)."""
    pinned = {key_id(root).hex(): base64.b64encode(root).decode() for root in _for_browsers(roots)}
    spoken = _words()
    chinese = {name: [words.chinese, words.tone] for name, words in spoken.items()}
    config = json.dumps({"roots": pinned, "words": chinese}, ensure_ascii=False, separators=(",", ":"))
    page = templates().get_template("citizen.html").render(host=host, config=config).replace(">\n<", "><").encode()
    parts = {PAGE: make_part(page, "html")}
    for name in _PARTS:
        suffix = name.rpartition(".")[2]
        data = slim(static_bytes(f"v/{name}"), suffix)
        parts[f"{PAGE}/{name}"] = make_part(tight(data) if suffix == "js" else data, suffix)
    parts[f"{PAGE}/en.js"] = make_part(_english(spoken), "js")
    parts[f"{PAGE}/vendor/qr.js"] = make_part(static_bytes(_SCANNER), "js")
    parts[f"{PAGE}/sw.js"] = make_part(_worker(parts), "js")
    return parts


def _for_browsers(roots: Iterable[bytes]) -> list[bytes]:
    """The keys worth pinning: P-256, which every browser has; others only where there is none."""
    given = list(roots)
    return [root for root in given if _P256 in root[:26]] or given


def plain_style() -> Part:
    """The style sheet of the pages for developers."""
    return style_sheet("plain.css")


def style_sheet(name: str) -> Part:
    """A style sheet among the static files."""
    return make_part(static_bytes(name), "css")


def _worker(parts: Mapping[str, Part]) -> bytes:
    """The service worker with the list of what it keeps and a version that changes with any of it."""
    version = hashlib.sha256("".join(sorted(part.etag for part in parts.values())).encode()).hexdigest()[:16]
    text = static_bytes("v/sw.js").decode()
    return text.replace("__VERSION__", version).replace("__SHELL__", json.dumps(sorted(parts))).encode()


def _words() -> dict[str, Words]:
    causes = {f"{Verdict.REVOKED}/{cause}": words for cause, words in REVOKED_WORDS.items()}
    return {str(verdict): words for verdict, words in WORDS.items()} | causes


def _english(spoken: Mapping[str, Words]) -> bytes:
    """The page's English with the library's words for the verdicts."""
    words = json.dumps({name: words.english for name, words in spoken.items()}, separators=(",", ":"))
    return slim(static_bytes("v/en.js")).replace(b"__WORDS__", words.encode())


def static_bytes(name: str) -> bytes:
    """A file below `service/static`."""
    return files("service").joinpath("static").joinpath(name).read_bytes()


def slim(data: bytes, suffix: str = "js") -> bytes:
    """A script without indentation and comments, a style sheet without spaces; phones pay for bytes."""
    if suffix == "css":
        return _STYLE_SPACE.sub(lambda found: found[1] or b"", data)
    return _COMMENT_BEHIND.sub(b"", _COMMENT_LINE.sub(b"", _INDENT.sub(b"", data)))


def tight(script: bytes) -> bytes:
    """A slim script without the spaces, line ends and semicolons that it does not need."""
    return _SCRIPT_SPACE.sub(_needed, script)


def _needed(found: re.Match[bytes]) -> bytes:
    kept, marks, end = found[1], found[2] or b"", found[3] or b""
    if kept or marks[-1:] not in _OPEN:
        return kept or marks + end
    return (marks + end.lstrip(b"\n")).replace(b";}", b"}")


def make_part(data: bytes, suffix: str) -> Part:
    """A part ready to be sent, from its bytes and the suffix that tells its media type."""
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    # a fixed time: the same file compresses to the same bytes
    return Part(data, gzip.compress(data, 9, mtime=0), _MEDIA[suffix], etag)
