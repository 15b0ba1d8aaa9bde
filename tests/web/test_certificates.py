"""A certificate over HTTP: issued, read, acted on with the version that was read, downloaded."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


def _order(**more: Any) -> dict[str, Any]:
    """Another authority's penalty decision, as it comes to the window."""
    decision = {
        "kind": "other-authority",
        "authority": "赣州市市场监督管理局",
        "document_number": "赣市监罚〔2026〕18号",
        "decided_at": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
        "file_sha256": hashlib.sha256(b"order").hexdigest(),
        "grounds": "责令停业整顿",
    }
    return {"decision": decision, **more}


def _act(web: Any, identifier: str, body: dict[str, Any], tag: str | None, key: str | None = None) -> Any:
    headers = web.headers(**{"Idempotency-Key": key or web.key()})
    if tag is not None:
        headers["If-Match"] = tag
    return web.http.post(f"/v1/certificates/{identifier}/actions", json=body, headers=headers)


def test_issuing_says_where_the_certificate_is(web: Any) -> None:
    """201 with Location, ETag, number, identifier, digest and what may be done next."""
    response = web.post(web.request())
    assert response.status_code == 201
    body = response.json()
    assert response.headers["location"].endswith(f"/v1/certificates/{body['identifier']}")
    read = web.http.get(response.headers["location"], headers=web.headers())
    assert read.status_code == 200
    assert read.headers["etag"] == response.headers["etag"] == f'"{body["version"]}"'
    assert read.json()["number"] == body["number"]
    assert {"change", "suspend"} <= {one["action"] for one in body["permitted"]}
    assert all(one["reason"] for one in body["refused"])


def test_the_file_is_the_one_that_was_issued(web: Any) -> None:
    """A PDF as attachment, its digest in the header, byte for byte what the answer named."""
    body = web.issued()
    response = web.http.get(body["links"]["file"], headers=web.headers())
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"].startswith("attachment; ")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert hashlib.sha256(response.content).hexdigest() == body["sha256"]
    assert response.content.startswith(b"%PDF-")


def test_an_edition_that_is_not(web: Any) -> None:
    """The second edition of a certificate that has one: 404."""
    body = web.issued()
    path = f"/v1/certificates/{body['identifier']}/editions/2/file"
    assert web.http.get(path, headers=web.headers()).status_code == 404


def test_an_action_needs_the_version_that_was_read(web: Any) -> None:
    """Without If-Match 428, with `*` 428, with a stale or foreign tag 412; only the right one acts."""
    body = web.issued()
    act = _order(action="suspend", cause="penalty")
    refused = [_act(web, body["identifier"], act, tag) for tag in (None, "*", '"99"', 'W/"1"', "1", '"1", "2"')]
    assert [one.status_code for one in refused] == [428, 428, 412, 412, 412, 412]
    assert {one.json()["code"] for one in refused} == {"precondition-required", "stale-version"}
    done = _act(web, body["identifier"], act, f'"{body["version"]}"')
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "suspended"
    assert done.headers["etag"] == f'"{done.json()["version"]}"'


def test_of_two_who_read_the_same_version_one_acts(web: Any) -> None:
    """The second is told that the version is stale, and its retry under the same key still is."""
    body = web.issued()
    tag = f'"{body["version"]}"'
    act = _order(action="suspend", cause="penalty")
    first = _act(web, body["identifier"], act, tag)
    second = _act(web, body["identifier"], act, tag)
    assert (first.status_code, second.status_code) == (200, 412)


def test_a_repeated_action_is_replayed(web: Any) -> None:
    """The same key and body: the same answer, although the version has moved on by it."""
    body = web.issued()
    key, tag = web.key(), f'"{body["version"]}"'
    act = _order(action="suspend", cause="penalty")
    first, again = (_act(web, body["identifier"], act, tag, key) for _ in range(2))
    assert first.json() == again.json()
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")


def test_what_the_law_refuses_is_a_conflict(web: Any) -> None:
    """Resuming what was never suspended: 409 with the reason."""
    body = web.issued()
    response = _act(web, body["identifier"], _order(action="resume", cause="lifted"), f'"{body["version"]}"')
    assert (response.status_code, response.json()["code"]) == (409, "transition-refused")
    assert response.json()["detail"]


@pytest.mark.parametrize("action", [None, "", "issue", "destroy", 7, ["suspend"]], ids=str)
def test_an_action_that_is_none(web: Any, action: Any) -> None:
    """Missing, unknown, of another type: a fault at `action`."""
    body = web.issued()
    request = _order() if action is None else _order(action=action)
    response = _act(web, body["identifier"], request, f'"{body["version"]}"')
    assert response.status_code == 422
    assert "action" in {fault["path"] for fault in response.json()["faults"]}


def test_a_certificate_as_it_stood(web: Any) -> None:
    """`at` shows the past; a moment without time zone is a fault."""
    body = web.issued()
    before = datetime.now(UTC).isoformat()
    _act(web, body["identifier"], _order(action="suspend", cause="penalty"), f'"{body["version"]}"')
    path = f"/v1/certificates/{body['identifier']}"
    then = web.http.get(path, params={"at": before}, headers=web.headers())
    now = web.http.get(path, headers=web.headers())
    assert (then.json()["state"], now.json()["state"]) == ("in-force", "suspended")
    naive = web.http.get(path, params={"at": "2026-01-01T00:00:00"}, headers=web.headers())
    assert naive.status_code == 422


def test_pages_of_certificates_join(web: Any) -> None:
    """Cursors walk through every certificate once, in the same order as one large page."""
    for _ in range(3):
        web.issued()
    every = web.http.get("/v1/certificates?limit=200", headers=web.headers()).json()["certificates"]
    walked, after = [], ""
    while True:
        page = web.http.get("/v1/certificates", params={"limit": 2, "after": after}, headers=web.headers()).json()
        walked += page["certificates"]
        after = page["next"]
        if not after:
            break
    assert walked == every
    assert len(walked) >= 3


def test_sheets_and_their_printing(web: Any) -> None:
    """Blanks come into stock by two persons; the sheets that wait are printed once, each on its own blank."""
    body = web.issued()
    blanks = {"type": "medical-device-licence", "first": "A000001", "last": "A000020", "person": "李明"}
    alone = web.post({**blanks, "witness": "李明"}, path="/v1/paper/blanks")
    assert alone.status_code == 422
    stocked = web.post({**blanks, "witness": "王芳"}, path="/v1/paper/blanks")
    assert (stocked.status_code, stocked.json()) == (201, {"received": 20})
    again = web.post({**blanks, "witness": "王芳"}, path="/v1/paper/blanks")
    assert again.status_code == 409
    job = {"identifier": body["identifier"], "purpose": "窗口打印"}
    printed = web.post(job, path="/v1/paper/prints")
    assert printed.status_code == 201, printed.text
    assert all(sheet["serial"].startswith("A0000") for sheet in printed.json()["sheets"])
    assert web.post(job, path="/v1/paper/prints").status_code == 409
    sheets = web.http.get(f"/v1/certificates/{body['identifier']}/sheets", headers=web.headers()).json()["sheets"]
    assert {sheet["state"] for sheet in sheets} == {"printed"}


def test_missing_texts_of_a_print_job_all_at_once(web: Any) -> None:
    """Each missing member is named, and each that nobody asked for."""
    faults = web.post({"colour": "red"}, path="/v1/paper/prints").json()["faults"]
    assert {fault["path"] for fault in faults} == {"identifier", "purpose", "colour"}


def test_a_document_is_sealed_and_served(web: Any) -> None:
    """An item whose outcome is a document: 201, its file, and 404 for a stranger."""
    request = web.request("1-36")
    response = web.post(request, path="/v1/documents")
    assert response.status_code == 201, response.text
    links = response.json()["links"]
    view = web.http.get(links["self"], headers=web.headers())
    assert view.json()["number"] == response.json()["number"]
    file = web.http.get(links["file"], headers=web.headers())
    assert hashlib.sha256(file.content).hexdigest() == response.json()["sha256"]
    for address in links.values():
        assert web.http.get(address, headers=web.headers("client-education")).status_code == 404
