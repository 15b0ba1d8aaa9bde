"""More than the public view: holders are matched, not revealed; officers see all for a purpose; all of it is logged."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from sqlmodel import col, select

from certlib.catalogue import example
from certlib.identifiers import check_citizen_number
from certlib.issue.inspecting import TRIES_A_DAY
from certlib.register.tables import AccessRow, DocumentRow, EditionRow

from .conftest import READER, STATISTICS

MINOR = {"name": "欧阳小明", "code": "360702201203078514", "code_type": "111"}
ADULT = {"name": "欧阳建国", "code": "360702198001018517", "code_type": "111"}


def _code_of(number: str) -> str:
    """A citizen's number with its check character mended."""
    for check in "0123456789X":
        try:
            check_citizen_number(number[:17] + check, on=datetime.now(UTC).date())
        except ValueError:
            continue
        return number[:17] + check
    raise AssertionError(number)


@pytest.fixture(autouse=True)
def fresh(web: Any) -> None:
    """Counts of earlier tests play no part."""
    web.service.counting._windows._calls.clear()


def _decision(web: Any, holder: dict[str, str]) -> DocumentRow:
    """A decision document for a person."""
    holder = {**holder, "code": _code_of(holder["code"])}
    request = example("2-25", now=datetime.now(UTC), kind="licence-decision")
    facts = {**request["facts"], "applicant": holder["name"], "applicant_code": holder["code"]}
    body = {**request, "case": web.request()["case"], "holder": holder, "facts": facts}
    if "case" in facts:
        facts["case"] = body["case"]["number"]
    done = web.post(body, path="/v1/documents")
    assert done.status_code == 201, done.text
    web.office.tick()
    with web.office.register.reader() as session:
        return session.exec(select(DocumentRow).where(DocumentRow.id == done.json()["id"])).one()


def _edition(web: Any, identifier: str) -> EditionRow:
    with web.office.register.reader() as session:
        return session.exec(select(EditionRow).where(EditionRow.identifier == identifier)).one()


def _log(web: Any, subject: str) -> list[tuple[str, str, str]]:
    with web.office.register.reader() as session:
        rows = session.exec(select(AccessRow).where(AccessRow.subject == subject).order_by(col(AccessRow.id))).all()
        return [(row.client, row.purpose, row.outcome) for row in rows]


def _match(web: Any, proof: dict[str, str], name: str, last_four: str) -> Any:
    return web.http.post("/public/matches", json={**proof, "name": name, "last_four": last_four})


def test_the_holder_is_matched_by_name_and_last_four(web: Any) -> None:
    """Yes or no with how many tries are left, by code or by number and check code; nothing else comes back."""
    row = _decision(web, ADULT)
    name, four = row.holder["name"], row.holder["code"][-4:]
    printed = {"number": row.number, "check": row.check_code}
    assert _match(web, {"code": row.code_text}, name, four).json()["match"] is True
    right = _match(web, printed, f" {name} ", four.lower())
    assert right.json()["match"] is True
    assert _match(web, printed, name, "0000").json()["match"] is False
    wrong = _match(web, printed, "欧阳建军", four)
    assert wrong.json() == {"match": False, "left": TRIES_A_DAY - 4, "at": wrong.json()["at"]}
    assert set(right.json()) == {"match", "left", "at"}
    assert [outcome for _, _, outcome in _log(web, row.id)] == ["yes", "yes", "no", "no"]


def test_five_tries_a_day_for_one_certificate(web: Any) -> None:
    """The sixth is refused until midnight in Shanghai, right or wrong, through whichever carrier; each is logged."""
    body = web.issued()
    row = _edition(web, body["identifier"])
    proof = {"code": row.code_text}
    for _ in range(TRIES_A_DAY):
        assert _match(web, proof, "某公司", "0000").status_code == 200
    last = _match(web, {"number": body["number"], "check": row.check_code}, row.holder["name"], row.holder["code"][-4:])
    assert (last.status_code, last.json()["code"]) == (429, "no-tries-left")
    assert 0 < int(last.headers["retry-after"]) <= 86_401
    assert "match" not in last.json()
    outcomes = [outcome for _, purpose, outcome in _log(web, row.certificate) if purpose == "核对持证人"]
    assert outcomes == ["no"] * TRIES_A_DAY + ["refused"]
    other = _edition(web, web.issued()["identifier"])
    assert _match(web, {"code": other.code_text}, other.holder["name"], other.holder["code"][-4:]).json()["match"]


def test_names_are_compared_as_people_write_them(web: Any) -> None:
    """Full width, spaces and the kind of middle dot make no difference; another character does."""
    row = _decision(web, {**ADULT, "name": "阿迪力·买买提"})
    four = row.holder["code"][-4:]
    for name in ("阿迪力・买买提", "阿迪力 · 买买提", "阿迪力•买买提"):
        assert _match(web, {"code": row.code_text}, name, four).json()["match"] is True
    assert _match(web, {"code": row.code_text}, "阿迪力·买买堤", four).json()["match"] is False


def test_a_wrong_proof_answers_like_a_failed_look_up(web: Any) -> None:
    """A match opens nothing that a look-up would not: the same bytes, whatever is wrong."""
    body = web.issued()
    failed = web.http.post("/public/certificates", json={"number": body["number"], "check": "AAAA-AAAA"})
    for proof in (
        {"number": body["number"], "check": "AAAA-AAAA"},
        {"number": "赣虔药监械经营许20269999号", "check": "AAAA-AAAA"},
        {"code": "1" + "9" * 17},
    ):
        answer = _match(web, proof, "某公司", "0000")
        assert (answer.status_code, answer.content) == (404, failed.content)


@pytest.mark.parametrize(
    "given",
    [{}, {"name": "x"}, {"last_four": "1234"}, {"name": 1, "last_four": "1234"}, {"name": "x", "last_four": "12"}],
    ids=str,
)
def test_what_is_no_match_asked(web: Any, given: dict[str, Any]) -> None:
    """422, before anything is counted or logged."""
    row = _edition(web, web.issued()["identifier"])
    answer = web.http.post("/public/matches", json={"code": row.code_text, **given})
    assert answer.status_code == 422
    assert not _log(web, row.certificate)


def test_a_minor_s_certificate_has_no_public_look_up(web: Any) -> None:
    """By code, by number, by match and by file: not found, in the bytes of any other failure. The code has no name."""
    row = _decision(web, MINOR)
    nothing = web.http.post("/public/certificates", json={"number": "无此编号", "check": "AAAA-AAAA"})
    printed = {"number": row.number, "check": row.check_code}
    for proof in ({"code": row.code_text}, printed):
        answer = web.http.post("/public/certificates", json=proof)
        assert (answer.status_code, answer.content) == (404, nothing.content)
        assert _match(web, proof, row.holder["name"], row.holder["code"][-4:]).content == nothing.content
    pdf = web.office.document_file(row.id)
    sent = web.http.post("/public/files", content=pdf, headers={"Content-Type": "application/pdf"}).json()
    assert sent["verdict"] == "status-unknown"
    assert MINOR["name"] not in web.http.post("/public/files", json={"sha256": sent["sha256"]}).text
    assert not _log(web, row.id)


def test_a_type_kept_from_the_public_has_no_look_up(web: Any) -> None:
    """The report of a review names who reviewed; it is for the authorities."""
    request = example("1-45", now=datetime.now(UTC), kind="review-report")
    request["facts"]["case"] = "TEST-REVIEW"
    done = web.post({**request, "case": {"number": "TEST-REVIEW"}}, path="/v1/documents")
    assert done.status_code == 201, done.text
    with web.office.register.reader() as session:
        row = session.exec(select(DocumentRow).where(DocumentRow.id == done.json()["id"])).one()
    assert web.http.post("/public/certificates", json={"code": row.code_text}).status_code == 404


def _inspect(web: Any, proof: dict[str, str], **more: Any) -> Any:
    body = {**proof, "officer": "李明（赣B0001）", "purpose": "日常监督检查", **more}
    return web.http.post("/v1/inspections", json=body, headers=web.headers())


def test_an_officer_sees_all_for_a_purpose(web: Any) -> None:
    """The whole record with the verdict on the carrier at hand, of a minor too; officer and purpose are in the log."""
    row = _decision(web, MINOR)
    answer = _inspect(web, {"code": row.code_text})
    assert answer.status_code == 200, answer.text
    assert answer.json()["record"]["holder"]["code"] == row.holder["code"]
    assert answer.json()["carrier"]["verdict"] == "valid"
    edition = _edition(web, web.issued()["identifier"])
    again = _inspect(web, {"number": web.office.certificate(edition.identifier)["number"], "check": edition.check_code})
    assert again.json()["record"]["facts"] == edition.facts
    assert _log(web, row.id) == [("client-approval-system", "日常监督检查（李明（赣B0001））", "shown")]
    assert _log(web, edition.certificate)[-1][2] == "shown"


def test_an_inspection_needs_scope_officer_purpose_and_proof(web: Any) -> None:
    """Without token 401, without scope 403, without purpose or officer 422, without proof 422 or 404."""
    row = _edition(web, web.issued()["identifier"])
    body = {"code": row.code_text, "officer": "李明", "purpose": "检查"}
    assert web.http.post("/v1/inspections", json=body).status_code == 401
    assert web.http.post("/v1/inspections", json=body, headers=web.headers(READER)).status_code == 403
    for missing in ("officer", "purpose"):
        assert _inspect(web, {"code": row.code_text}, **{missing: " "}).status_code == 422
    assert _inspect(web, {}).status_code == 422
    assert _inspect(web, {"number": "无此编号", "check": "AAAA-AAAA"}).status_code == 404
    assert _log(web, row.certificate) == []


def test_every_view_of_a_client_is_logged_with_its_purpose(web: Any) -> None:
    """Record, file, sheets, list and document: who and what for, the request's own purpose before the client's."""
    body = web.issued()
    base, key = f"/v1/certificates/{body['identifier']}", _edition(web, body["identifier"]).certificate
    own = web.headers(**{"Access-Purpose": quote("核对变更事项")})
    for path in (base, f"{base}/sheets", f"{base}/editions/1/file"):
        assert web.http.get(path, headers=own).status_code == 200
    assert web.http.get(base, headers=web.headers()).status_code == 200
    client = "client-approval-system"
    assert _log(web, key) == [(client, "核对变更事项", "shown")] * 3 + [(client, "测试", "shown")]
    listed = len(_log(web, "list"))
    web.http.get("/v1/certificates", headers=web.headers())
    assert len(_log(web, "list")) == listed + 1
    row = _decision(web, ADULT)
    web.http.get(f"/v1/documents/{row.id}", headers=web.headers())
    assert _log(web, row.id) == [(client, "测试", "shown")]


def test_without_a_purpose_nothing_is_shown(web: Any) -> None:
    """A client whose entry names none must say it in each request; a stranger's view stays 404 and unlogged."""
    body = web.issued()
    key = _edition(web, body["identifier"]).certificate
    path = f"/v1/certificates/{body['identifier']}"
    refused = web.http.get(path, headers=web.headers(STATISTICS))
    assert (refused.status_code, refused.json()["code"]) == (400, "purpose-missing")
    named = web.http.get(path, headers=web.headers(STATISTICS, **{"Access-Purpose": quote("统计")}))
    assert named.status_code == 200
    assert _log(web, key) == [(STATISTICS, "统计", "shown")]
