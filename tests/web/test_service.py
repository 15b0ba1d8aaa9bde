"""Service (送达) and time limits by HTTP: recorded once with proof, seen by those whose case it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from certlib.domain.civil import civil_date
from tests.web.conftest import READER, STRANGER, Web, faults_of

SENT = {"way": "electronic", "consent": "送达地址确认书", "address": "赣服通", "receipt": "S-1"}
DIRECT = {
    "way": "direct",
    "recipient": "陈志远",
    "relation": "legal-representative",
    "identity": "居民身份证",
    "receipt": "达字〔2026〕1号",
    "person": "刘建平",
}


def record(parts: dict[str, str], **more: Any) -> dict[str, Any]:
    """A record of a service just now."""
    return {**parts, "served_at": datetime.now(UTC).isoformat(), **more}


def test_a_certificate_is_served_with_its_sheets(web: Web) -> None:
    """The paper leaves by the service; the file's own service is another record; each is recorded once."""
    identifier = web.issued()["identifier"]
    path = f"/v1/certificates/{identifier}/service"
    early = web.post(record(DIRECT), path=path)
    assert (early.status_code, early.json()["code"]) == (409, "transition-refused")
    blanks = {
        "type": "medical-device-licence",
        "first": "SV000001",
        "last": "SV000002",
        "person": "甲",
        "witness": "乙",
    }
    assert web.post(blanks, path="/v1/paper/blanks").status_code == 201
    assert web.post({"identifier": identifier, "purpose": "窗口"}, path="/v1/paper/prints").status_code == 201
    before = web.http.get(path, headers=web.headers()).json()
    assert (before["carrier"], before["complete"], before["services"]) == ("paper", False, [])
    body, key = record(DIRECT), web.key()
    served = web.post(body, path=path, **{"Idempotency-Key": key})
    assert served.status_code == 201, served.text
    assert served.json()["complete"]
    again = web.post(body, path=path, **{"Idempotency-Key": key})
    assert again.headers["idempotent-replayed"] == "true"
    second = web.post(body, path=path)
    assert (second.status_code, second.json()["code"]) == (409, "already-served")
    assert web.post(record(SENT), path=path).status_code == 201
    after = web.http.get(path, headers=web.headers()).json()
    assert [one["way_words"] for one in after["services"]] == ["直接送达", "电子送达"]
    assert after["services"][0]["record"]["recipient"] == "陈志远"
    sheets = web.http.get(f"/v1/certificates/{identifier}/sheets", headers=web.headers()).json()["sheets"]
    assert [sheet["state"] for sheet in sheets] == ["collected"]


def test_what_proves_nothing_is_refused_with_every_fault(web: Web) -> None:
    """What the way needs, a moment that has not come, a way that is none; nothing is recorded."""
    path = f"/v1/certificates/{web.issued()['identifier']}/service"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    faults = faults_of(web.post({"way": "electronic", "served_at": tomorrow}, path=path))
    assert faults.keys() == {"consent", "address", "receipt", "served_at"}
    assert set(faults_of(web.post({"way": "pigeon", "colour": "red"}, path=path))) >= {"way", "served_at", "colour"}
    assert web.http.get(path, headers=web.headers()).json()["services"] == []


def test_a_document_is_served_once(web: Web) -> None:
    """By any one way, by those whose document it is; it has until the tenth working day."""
    body = web.post(web.request("1-36"), path="/v1/documents").json()
    path = f"{body['links']['self']}/service"
    assert web.post(record(SENT), path=path, client=STRANGER).status_code == 404
    assert web.http.get(path, headers=web.headers(STRANGER)).status_code == 404
    assert web.post(record(SENT), path=path, client=READER).status_code == 403
    served = web.post(record(SENT), path=path)
    assert (served.status_code, served.json()["complete"]) == (201, True)
    assert served.json()["due"] > civil_date(datetime.now(UTC)).isoformat()
    assert web.post(record(SENT), path=path).status_code == 409


def test_the_overdue_are_listed_for_those_who_are_to_act(web: Web, monkeypatch: Any) -> None:
    """Each with its duty, limit and working days; a stranger sees none of it; the total counts beyond the page."""
    web.issued()
    web.issued()
    late = web.office.overdue(datetime.now(UTC) + timedelta(days=40))
    assert len(late) >= 2
    monkeypatch.setattr(type(web.office), "overdue", lambda _: late)
    page = web.http.get("/v1/overdue", params={"limit": 1}, headers=web.headers()).json()
    assert (len(page["overdue"]), page["total"]) == (1, len(late))
    assert page["overdue"][0]["words"] in {"逾期未送达", "逾期未作出决定"}
    assert page["overdue"][0]["days"] > 0
    assert web.http.get("/v1/overdue", headers=web.headers(STRANGER)).json() == {"overdue": [], "total": 0}
