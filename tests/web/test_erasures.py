"""Erasure over HTTP: for one role, for a purpose, by two persons, and only of what is over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from sqlmodel import select

from certlib.issue.views import key_of
from certlib.register.tables import AccessRow
from tests.web.conftest import READER, STRANGER

BY = {"grounds": "个人信息保护法第四十七条，本人申请", "person": "王五", "second_person": "赵六"}
PURPOSE = {"Access-Purpose": quote("本人申请删除")}


def erase(web: Any, subject: object, *, client: str = "", status: int, **changes: object) -> dict[str, Any]:
    """Ask for an erasure; the answer must have this status."""
    headers = web.headers(*filter(None, [client]), **PURPOSE)
    answer = web.http.post("/v1/erasures", json={"subject": subject, **BY, **changes}, headers=headers)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def revoked(web: Any) -> dict[str, Any]:
    """A certificate that is over."""
    issued: dict[str, Any] = web.issued()
    decision = {
        "kind": "ex-officio",
        "authority": "ganzhou-approval",
        "basis": "《中华人民共和国行政许可法》第六十九条",
        "grounds": "经查以欺骗手段取得许可",
        "decided_at": datetime.now(UTC).isoformat(),
    }
    raw = {"decision": decision, "cause": "fraud"}
    web.office.act(issued["identifier"], "revoke", raw, version=1, client="platform", key=web.key())
    return issued


def test_without_role_purpose_or_the_whole_office_nothing_is_erased(web: Any) -> None:
    """403 for another role, 401 without a token, 400 without a purpose, 404 for a client of one authority."""
    identifier = revoked(web)["identifier"]
    assert erase(web, identifier, client=READER, status=403)["scope"] == "certificate:erase"
    assert web.http.post("/v1/erasures", json={"subject": identifier, **BY}, headers=PURPOSE).status_code == 401
    without = web.http.post("/v1/erasures", json={"subject": identifier, **BY}, headers=web.headers())
    assert without.json()["code"] == "purpose-missing"
    erase(web, identifier, client=STRANGER, status=404)
    assert web.office.certificate(identifier)["holder"]["name"] != "已依法删除"


def test_what_is_in_force_or_unknown_is_refused(web: Any) -> None:
    """A conflict with the reason; 404 for what there is not."""
    assert erase(web, web.issued()["identifier"], status=409)["code"] == "in-force"
    erase(web, "91360703MA35ZZZZ00", status=404)


@pytest.mark.parametrize(
    ("field", "value"),
    [("grounds", ""), ("person", None), ("second_person", "王五"), ("grounds", "x" * 501), ("person", ["王五"])],
)
def test_a_request_that_lacks_something_names_it(web: Any, field: str, value: object) -> None:
    """422, and the field."""
    problem = erase(web, "anything", status=422, **{field: value})
    assert [fault["path"] for fault in problem["faults"]] == [field]


def test_what_is_over_is_erased_and_said_so(web: Any) -> None:
    """The numbers; the holder's name is gone from the certificate's page."""
    issued = revoked(web)
    assert erase(web, issued["identifier"], status=201) == {"erased": [issued["number"]], "kept": []}
    with web.office.register.reader() as session:
        logged = session.exec(
            select(AccessRow).where(AccessRow.outcome == "erased").order_by(AccessRow.id.desc())
        ).first()
    assert logged.subject == key_of(issued["identifier"])
    assert "本人申请删除" in logged.purpose  # why the caller asked
    assert BY["grounds"] in logged.purpose
    seen = web.http.get(issued["links"]["self"], headers=web.headers()).json()
    assert seen["holder"]["name"] == "已依法删除"
