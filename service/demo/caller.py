"""An approval system (办件系统): what an integrator would write against the service, in sixty lines.

with ApprovalSystem("http://127.0.0.1:8000", "client-approval-system", key) as system:
    answer = system.issue(request, case="2026-000123")
    system.act(answer["identifier"], "suspend", order)
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from joserfc.jwk import ECKey

from certlib.errors import CertlibError
from service.tokens import AccessToken, fetch_token

_RENEW_BEFORE = timedelta(seconds=30)


class RefusedError(CertlibError):
    """The service refused a request; `extra` is its problem document (RFC 9457)."""

    code = "request-refused"


class ApprovalSystem:
    """Asks the service at `url` as the client called `client`, whose private key is `key`."""

    def __init__(self, url: str, client: str, key: ECKey, *, trust: ssl.SSLContext | bool = True) -> None:
        self.url, self._client, self._key = url, client, key
        self._http = httpx2.Client(base_url=url, timeout=60.0, verify=trust)
        self._token: AccessToken | None = None

    def __enter__(self) -> ApprovalSystem:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def issue(self, request: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Have a certificate issued; a repetition under the same key gives the same answer."""
        return self._post("/v1/certificates", request, {"Idempotency-Key": key})

    def issue_document(self, request: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Have a document or a receipt sealed."""
        return self._post("/v1/documents", request, {"Idempotency-Key": key})

    def act(self, identifier: str, action: str, request: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Do `action` to a certificate as it was read just before: its ETag goes back as If-Match."""
        read = self._send("GET", f"/v1/certificates/{identifier}")
        headers = {"Idempotency-Key": key, "If-Match": read.headers["etag"]}
        return self._post(f"/v1/certificates/{identifier}/actions", {"action": action, **request}, headers)

    def certificate(self, identifier: str) -> dict[str, Any]:
        """A certificate as it stands."""
        return dict(self._send("GET", f"/v1/certificates/{identifier}").json())

    def edition(self, identifier: str, edition: int) -> bytes:
        """The sealed file of an edition."""
        return self._send("GET", f"/v1/certificates/{identifier}/editions/{edition}/file").content

    def document_file(self, document: str) -> bytes:
        """The sealed file of a document."""
        return self._send("GET", f"/v1/documents/{document}/file").content

    def statistics_link(self) -> str:
        """An address that opens the page of statistics in a browser for a while."""
        return str(self._post("/v1/statistics/links", {})["link"])

    def webhooks(self) -> list[dict[str, Any]]:
        """Where events are told, and how much of it has arrived."""
        return list(self._send("GET", "/v1/webhooks").json()["webhooks"])

    def receive_blanks(self, kind: str, first: str, last: str, *, person: str, witness: str) -> None:
        """Take blank sheets into stock."""
        blanks = {"type": kind, "first": first, "last": last, "person": person, "witness": witness}
        self._post("/v1/paper/blanks", blanks)

    def print_sheets(self, identifier: str, *, purpose: str) -> list[tuple[dict[str, Any], bytes]]:
        """The print files of the sheets that wait, each with what is known of the sheet."""
        answer = self._post("/v1/paper/prints", {"identifier": identifier, "purpose": purpose})
        return [(sheet, base64.b64decode(sheet["pdf"])) for sheet in answer["sheets"]]

    def _post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        return dict(self._send("POST", path, json=dict(body), headers=dict(headers or {})).json())

    def _send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **content: Any
    ) -> httpx2.Response:
        authorised = {**(headers or {}), "Authorization": f"Bearer {self._bearer()}"}
        try:
            response = self._http.request(method, path, headers=authorised, **content)
        except httpx2.HTTPError as error:
            raise RefusedError(f"{self.url} 没有应答：{error}。") from error
        if response.is_error:
            raise refusal(response)
        return response

    def _bearer(self) -> str:
        now = datetime.now(UTC)
        if self._token is None or self._token.expires_at - now < _RENEW_BEFORE:
            self._token = fetch_token(self.url, self._client, self._key, now=now, http=self._http)
        return self._token.value


def refusal(response: httpx2.Response) -> RefusedError:
    """The service's problem document as one error, its faults named."""
    try:
        problem = response.json()
    except ValueError:
        return RefusedError(f"服务返回 {response.status_code}。")
    faults = "；".join(f"{fault.get('path')}：{fault.get('message')}" for fault in problem.get("faults", ()))
    sentence = problem.get("detail") or problem.get("title") or response.status_code
    return RefusedError(f"{sentence}{'（' + faults + '）' if faults else ''}", extra=problem)
