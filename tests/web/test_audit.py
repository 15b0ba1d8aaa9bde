"""The auditor's addresses: what is looked up, counted and charted; every view for a purpose, and in the log."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlmodel import col, select

from certlib.cli.auditing import _development_keys
from certlib.domain.civil import SHANGHAI, civil_date
from certlib.domain.verdict import Finding
from certlib.issue.views import key_of
from certlib.register.access_log import digest_accesses
from certlib.register.seal_tables import SealUseRow
from certlib.register.tables import AccessRow
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.bundle import open_bundle
from service.commands import DEVELOPMENT_CLIENT
from tests.web.conftest import READER, STRANGER

PURPOSE = "年度用印审计（王审计）"
SEAL = "36070000000002"


@dataclass
class Auditor:
    """An auditor at the addresses, with a purpose."""

    web: Any
    purpose: str = PURPOSE

    def headers(self, client: str = DEVELOPMENT_CLIENT) -> dict[str, str]:
        return self.web.headers(client, **({"Access-Purpose": quote(self.purpose)} if self.purpose else {}))

    def get(self, path: str, status: int = 200, client: str = DEVELOPMENT_CLIENT, **query: Any) -> Any:
        response = self.web.http.get(f"/v1/audit/{path}", headers=self.headers(client), params=query)
        assert response.status_code == status, response.text
        return response

    def search(self, status: int = 200, client: str = DEVELOPMENT_CLIENT, **wanted: Any) -> Any:
        response = self.web.http.post("/v1/audit/searches", headers=self.headers(client), json=wanted)
        assert response.status_code == status, response.text
        return response

    def logged(self, since: int = 0) -> list[AccessRow]:
        """The access log after a line."""
        with self.web.office.register.reader() as session:
            query = select(AccessRow).where(col(AccessRow.id) > since).order_by(col(AccessRow.id))
            return list(session.exec(query).all())


@pytest.fixture
def auditor(web: Any) -> Auditor:
    return Auditor(web)


ADDRESSES = ("seals", "uses", "usage", "anomalies", "accesses", "findings", "bundle")


@pytest.mark.parametrize("path", ADDRESSES)
def test_without_purpose_token_or_role_nothing_is_shown(auditor: Auditor, path: str) -> None:
    """400 without a purpose of the request itself, 401 without a token, 403 without the role; nothing is logged."""
    before = len(auditor.logged())
    auditor.purpose = ""
    assert auditor.get(path, 400).json()["code"] == "purpose-missing"
    auditor.purpose = " \n"
    assert auditor.get(path, 400).json()["code"] == "purpose-missing"
    auditor.purpose = PURPOSE
    assert auditor.get(path, 403, READER).json()["scope"] == "audit:read"
    assert auditor.web.http.get(f"/v1/audit/{path}", headers={"Access-Purpose": "x"}).status_code == 401
    assert len(auditor.logged()) == before


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_view_is_in_the_access_log(auditor: Auditor, path: str) -> None:
    """Client, subject and purpose, before the answer is given."""
    before = len(auditor.logged())
    auditor.get(path)
    (row,) = auditor.logged()[before:]
    assert (row.client, row.purpose, row.outcome) == (DEVELOPMENT_CLIENT, PURPOSE, "shown")
    assert row.subject.startswith("audit:")


def test_the_hour_of_the_views_is_a_leaf_of_the_journal(auditor: Auditor) -> None:
    """The worker's round digests the log each hour; the page then says where the journal holds it."""
    web = auditor.web
    auditor.get("seals")
    row = auditor.logged()[-1]
    web.office.tick()
    digest_accesses(web.office.register, every=timedelta(0))
    web.office.sequence()
    listed = {line["id"]: line for line in auditor.get("accesses", limit=200).json()["accesses"]}
    leaf = listed[row.id]["leaf"]
    assert isinstance(leaf, int)
    proof = web.http.get("/log/proof", params={"leaf": leaf})
    assert proof.status_code == 200
    assert listed[row.id]["purpose"] == PURPOSE


def test_a_certificate_is_found_by_number_seal_person_and_period(auditor: Auditor) -> None:
    """Each alone and all together; by a holder and by an officer; what does not fit is not shown."""
    issued = auditor.web.issued()
    view = auditor.web.http.get(issued["links"]["self"], headers=auditor.web.headers()).json()
    today = civil_date(datetime.now(UTC)).isoformat()
    officer = view["decision"]["approval"]["person"]
    one = {"number": view["number"]}

    def numbers(**wanted: Any) -> list[str]:
        return [row["number"] for row in auditor.search(**wanted).json()["certificates"]]

    for wanted in (
        one,
        {"number": view["identifier"]},
        {"number": view["case"]},
        {**one, "person": view["holder"]["name"]},
        {**one, "person": view["holder"]["code"]},
        {**one, "seal": SEAL, "since": today, "until": today},
    ):
        assert view["number"] in numbers(**wanted), wanted
    assert numbers(**one, since="2020-01-01", until="2020-12-31") == []
    assert numbers(**one, person="没有此人") == []
    assert numbers(**one, seal="36070000000008") == []
    uses = auditor.search(person=officer).json()["uses"]
    assert view["number"] in {use["number"] for use in uses}
    assert auditor.search(number=view["number"]).json()["uses"][0]["seal"] == SEAL


def test_a_search_logs_what_it_showed_and_no_name(auditor: Auditor) -> None:
    """One line for the question, one for each record; the name that was asked for stands in none of them."""
    issued = auditor.web.issued()
    view = auditor.web.http.get(issued["links"]["self"], headers=auditor.web.headers()).json()
    before = len(auditor.logged())
    found = auditor.search(number=view["number"], person=view["holder"]["name"]).json()
    lines = auditor.logged()[before:]
    assert [line.subject for line in lines] == ["audit:search number+person", found["certificates"][0]["key"]]
    assert all(view["holder"]["name"] not in line.subject for line in lines)


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        ({}, {""}),
        ({"number": ""}, {""}),
        ({"number": 7, "since": "yesterday"}, {"number", "since"}),
        ({"person": "x" * 121}, {"person"}),
        ({"seal": "a\u0000b"}, {"seal"}),
        ({"until": "9999-12-31"}, {"until"}),
        ({"since": []}, {"since"}),
        ({"until": {}, "number": []}, {"until", "number"}),
        ({"since": 20260131}, {"since"}),
    ],
)
def test_a_search_for_nothing_or_nonsense(auditor: Auditor, wanted: dict[str, Any], paths: set[str]) -> None:
    """Every fault with its place."""
    assert {fault.get("path", "") for fault in auditor.search(422, **wanted).json()["faults"]} == paths


def test_one_certificate_with_its_uses_and_who_saw_it(auditor: Auditor) -> None:
    """The record, the seal's line with counter and file, and this very view in its log."""
    issued = auditor.web.issued()
    found = auditor.get(f"certificates/{issued['identifier']}").json()
    assert found["certificate"]["number"] == issued["number"]
    (use,) = [use for use in found["uses"] if use["state"] == "used"]
    assert use["output_sha256"] == issued["sha256"]
    assert found["accesses"][0]["purpose"] == PURPOSE
    assert found["certificate"]["editions"][0]["files"][0]["proof"].startswith("/log/files/")


def test_every_way_to_look_at_a_certificate_is_in_its_file(web_alone: Any) -> None:
    """Its report, its prints, its evidence and its erasure stand in its own log, under its key."""
    auditor, web = Auditor(web_alone), web_alone
    issued = web.issued()
    auditor.get(f"files/{issued['sha256']}/report", form="json")
    auditor.get(f"certificates/{issued['identifier']}/editions/1/evidence")
    web.office.receive_blanks("medical-device-licence", "GZ000001", "GZ000009", person="甲", witness="乙")
    web.office.print_sheets(issued["identifier"], client="window", purpose="窗口打印", person="刘建平")
    seen = auditor.get(f"certificates/{issued['identifier']}").json()["accesses"]
    assert [line["outcome"] for line in seen] == ["shown", "printed", "shown", "shown"]
    assert {line["subject"] for line in seen} == {key_of(issued["identifier"])}


def test_counters_ledger_and_charts_agree(auditor: Auditor) -> None:
    """One more certificate is one more use everywhere, and nowhere a gap."""

    def figures() -> tuple[int, int, int, int]:
        seal = next(row for row in auditor.get("seals").json()["seals"] if row["id"] == SEAL)
        usage = auditor.get("usage", seal=SEAL).json()
        days, grid = sum(day["used"] for day in usage["days"]), sum(map(sum, usage["hours"]))
        assert seal["gaps"] == []
        return seal["counter"], seal["used"], days, grid

    before = figures()
    issued = auditor.web.issued()
    assert figures() == tuple(number + 1 for number in before)
    ledger = auditor.get("uses", seal=SEAL, limit=1).json()
    assert (ledger["uses"][0]["number"], ledger["uses"][0]["counter"]) == (issued["number"], before[0] + 1)
    following = auditor.get("uses", seal=SEAL, limit=1, before=ledger["next"]).json()
    assert following["uses"][0]["id"] < ledger["uses"][0]["id"]
    usage = auditor.get("usage", seal=SEAL).json()
    now = datetime.now(SHANGHAI)
    assert (len(usage["days"]), usage["days"][-1]["day"]) == (30, now.date().isoformat())
    assert usage["hours"][now.weekday()][now.hour] + usage["hours"][now.weekday()][now.hour - 1] > 0


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-02-01", "until": "2026-01-31"},
        {"since": "2024-01-01", "until": "2026-01-01"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "x"},
    ],
)
def test_a_period_that_is_none(auditor: Auditor, query: dict[str, str]) -> None:
    """The end before the beginning, or more than a year, or no day at all."""
    assert auditor.get("usage", 422, **query).json()["code"] == "invalid-request"


def signs(auditor: Auditor, **query: Any) -> dict[str, dict[str, Any]]:
    return {sign["kind"]: sign for sign in auditor.get("anomalies", **query).json()["signs"]}


def test_what_the_register_shows_as_odd(web_alone: Any) -> None:
    """A denial, a use given back, one at night, a gap, a case that one person decided, a finding: each is a sign."""
    auditor, web = Auditor(web_alone), web_alone
    web.issued()
    before = signs(auditor, since="2026-01-05", until="2026-01-06")
    assert all(sign["count"] == 0 for kind, sign in before.items() if kind in {"denied", "released", "outside-hours"})
    night = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai, a Monday
    noon = datetime(2026, 1, 6, 4, 0, tzinfo=UTC)
    approval = {step: {"person": "李明"} for step in ("review", "approval")}
    rows = [
        _use("denied", night, why="授权已终止"),
        _use("released", noon, counter=900_001),
        _use("used", night, counter=900_002),
        _use("used", noon, counter=900_003, record={"approval": approval}),
        _use("reserved", noon, counter=900_005),
    ]
    with web.office.register.writer() as session:
        session.add_all(rows)
    web.service.rounds.keep([Finding("files", "fail", "文件不在"), Finding("sheets", "pass", "")], night)
    found = signs(auditor, since="2026-01-05", until="2026-01-06")
    counts = {kind: sign["count"] for kind, sign in found.items()}
    assert {kind: counts[kind] for kind in ("denied", "released", "outside-hours", "same-person", "open")} == {
        "denied": 1,
        "released": 1,
        "outside-hours": 1,
        "same-person": 1,
        "open": 1,
    }
    assert found["denied"]["entries"][0]["detail"] == "授权已终止"
    assert found["outside-hours"]["entries"][0]["counter"] == 900_002
    assert "李明" in found["same-person"]["entries"][0]["detail"]
    assert found["gap"]["count"] == 2  # up to the first, and 900,004
    assert found["gap"]["tone"] == "red"
    assert found["checker"]["entries"] == [{"detail": "files：文件不在", "tone": "red"}]
    assert signs(auditor, since="2026-01-05", until="2026-01-06", seal="36070000000008")["denied"]["count"] == 0


def _use(state: str, at: datetime, *, counter: int | None = None, why: str = "", **parts: Any) -> SealUseRow:
    return SealUseRow(
        seal=SEAL, counter=counter, intent="odd", state=state, number="X", why=why, reserved_at=at, **parts
    )


def test_a_stranger_sees_its_own_seals_only(auditor: Auditor) -> None:
    """Of the education bureau: its seals; not our certificate, nor the log, the checker or the bundle."""
    issued = auditor.web.issued()
    assert {row["id"] for row in auditor.get("seals", client=STRANGER).json()["seals"]} == {
        row["id"] for row in auditor.web.office.seals.seals(authority="ganzhou-education")
    }
    assert auditor.get("uses", client=STRANGER).json()["uses"] == []
    assert sum(day["used"] for day in auditor.get("usage", client=STRANGER).json()["days"]) == 0
    assert auditor.search(client=STRANGER, number=issued["number"]).json()["certificates"] == []
    for path in (
        "accesses",
        "findings",
        "bundle",
        f"certificates/{issued['identifier']}",
        f"files/{issued['sha256']}/report",
        f"certificates/{issued['identifier']}/editions/1/evidence",
    ):
        assert auditor.get(path, 404, STRANGER).json()["code"] == "not-found"


def test_reports_are_downloaded(auditor: Auditor) -> None:
    """For people, to file, for machines: the verdict on the file as it lies in the store; never shown in our origin."""
    issued = auditor.web.issued()
    place = f"files/{issued['sha256']}/report"
    page = auditor.get(place)
    assert page.headers["content-disposition"].startswith("attachment")
    assert "真实有效" in page.text
    assert issued["number"] in page.text
    machine = json.loads(auditor.get(place, form="json").content)
    assert (machine["verdict"], machine["sha256"]) == ("valid", issued["sha256"])
    assert auditor.get(place, form="pdf").content.startswith(b"%PDF")
    assert auditor.get(place, 422, form="exe")
    assert auditor.get(f"files/{'0' * 64}/report", 404)


def test_a_search_says_all_that_is_wrong_with_it(auditor: Auditor) -> None:
    """Also a condition that does not exist, which would narrow nothing, and a period that ends before it begins."""
    wrong = {"persom": "王", "number": 7, "since": "2026-06-01", "until": "2026-01-01"}
    faults = {one["path"]: one["code"] for one in auditor.search(422, **wrong).json()["faults"]}
    assert faults == {"persom": "unknown-field", "number": "no-text", "until": "no-period"}


def revoked(web: Any) -> tuple[dict[str, Any], datetime]:
    """A certificate, and a moment at which it was in force; it is revoked now."""
    issued = web.issued()
    then = datetime.now(UTC)
    decision = {
        "kind": "ex-officio",
        "authority": "ganzhou-approval",
        "basis": "《中华人民共和国行政许可法》第六十九条",
        "grounds": "经查以欺骗手段取得许可",
        "decided_at": then.isoformat(),
    }
    raw = {"decision": decision, "cause": "fraud"}
    web.office.act(issued["identifier"], "revoke", raw, version=1, client="platform", key=web.key())
    return issued, then


def test_a_report_and_a_record_are_asked_for_as_of_a_day(auditor: Auditor) -> None:
    """What held then, and what holds today beside it; before it was issued it was not in force."""
    web = auditor.web
    issued, then = revoked(web)
    place = f"files/{issued['sha256']}/report"
    # the day is not over yet, so it is asked about by its time
    asked = json.loads(auditor.get(place, form="json", at=then.isoformat()).content)
    assert (asked["verdict"], asked["today"]["verdict"]) == ("valid", "revoked")
    assert datetime.fromisoformat(asked["at"]) == then
    page = auditor.get(place, at=then.isoformat()).text
    assert "今日结论" in page
    assert "Genuine, but revoked" in page
    assert auditor.get(place, form="pdf", at=then.isoformat()).content.startswith(b"%PDF")
    now = json.loads(auditor.get(place, form="json").content)
    assert now["verdict"] == "revoked"
    assert "today" not in now
    assert json.loads(auditor.get(place, form="json", at=civil_date(then).isoformat()).content)["verdict"] == "revoked"
    before = json.loads(auditor.get(place, form="json", at="2020-01-31").content)
    assert (before["verdict"], before["today"]["verdict"]) == ("not-in-force", "revoked")
    record = f"certificates/{issued['identifier']}"
    assert auditor.get(record, at=then.isoformat()).json()["certificate"]["state"] == "in-force"
    assert auditor.get(record).json()["certificate"]["state"] == "revoked"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("gestern", "no-moment"),
        ("1999-12-31", "no-moment"),
        ("9999-12-31", "no-moment"),
        ("2199-12-31", "in-future"),
        ("0001-01-01T00:00:00+14:00", "no-moment"),
        ("2199-01-01T00:00:00Z", "in-future"),
    ],
)
def test_what_is_no_moment_of_the_past_is_refused(auditor: Auditor, at: str, code: str) -> None:
    """In words, before anything is looked at or logged; in public look-ups alike."""
    issued = auditor.web.issued()
    before = len(auditor.logged())
    for path in (f"files/{issued['sha256']}/report", f"certificates/{issued['identifier']}"):
        (fault,) = auditor.get(path, 422, at=at).json()["faults"]
        assert (fault["path"], fault["code"]) == ("query.at", code)
    assert len(auditor.logged()) == before
    for path, question in (("files", {"sha256": issued["sha256"]}), ("certificates", {"number": "x", "check": "y"})):
        answer = auditor.web.http.post(f"/public/{path}", json={**question, "at": at})
        assert answer.status_code == 422
        assert answer.json()["faults"][0]["code"] == code


def test_the_public_asks_for_a_moment_past(auditor: Auditor) -> None:
    """By the file's digest, and `certctl verify --register URL --at` as well: the verdict is of the moment asked."""
    web = auditor.web
    issued, then = revoked(web)
    for at, verdict in (("", "revoked"), (then.isoformat(), "valid"), ("2020-01-31", "not-in-force")):
        answer = web.http.post("/public/files", json={"sha256": issued["sha256"], "at": at}).json()
        assert answer["verdict"] == verdict


def test_the_evidence_pack_is_downloaded(auditor: Auditor) -> None:
    """The same pack as the office's, with the proof of the file."""
    issued = auditor.web.issued()
    pack = auditor.get(f"certificates/{issued['identifier']}/editions/1/evidence").content
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        assert hashlib.sha256(archive.read("certificate.pdf")).hexdigest() == issued["sha256"]
        assert archive.read("certificate.tlog-proof").startswith(b"c2sp.org/tlog-proof@v1\n")


def test_the_bundle_is_downloaded_and_holds(web_alone: Any, tmp_path: Path) -> None:
    """What is fetched passes the audit of a machine that has nothing else, the accesses of today included."""
    auditor = Auditor(web_alone)
    issued = web_alone.issued()
    digest_accesses(web_alone.office.register, every=timedelta(0))
    response = auditor.get("bundle")
    path = tmp_path / "bundle.tar"
    path.write_bytes(response.content)
    assert int(response.headers["content-length"]) == len(response.content)
    with open_bundle(path) as opened:
        report = audit(opened, AuditTrust(journal=_development_keys(opened)))
    assert report.breaches == ()
    with tarfile.open(path) as archive:
        members = b"".join(archive.extractfile(name).read() for name in archive.getnames())  # type: ignore[union-attr]
    view = web_alone.http.get(issued["links"]["self"], headers=web_alone.headers()).json()
    assert view["holder"]["name"].encode() not in members
    assert not web_alone.service.heavy.locked()


def test_one_export_at_a_time(auditor: Auditor) -> None:
    """The second is told to come back."""
    with auditor.web.service.heavy:
        busy = auditor.get("bundle", 503)
        assert busy.headers["retry-after"]
    auditor.get("bundle")


def test_a_round_of_the_checker_on_demand(web_alone: Any) -> None:
    """Every check says when it ran and what it found, then and later."""
    auditor = Auditor(web_alone)
    web_alone.issued()
    assert auditor.get("findings").json()["checks"] == []
    done = web_alone.http.post("/v1/audit/checks", headers=auditor.headers())
    assert done.status_code == 200, done.text
    assert {row["check"] for row in done.json()["checks"]} >= {"files", "sheets", "journal", "status"}
    assert auditor.get("findings").json() == done.json()
    (journal,) = [row for row in done.json()["checks"] if row["check"] == "journal"]
    assert [one["outcome"] for one in journal["findings"]] == ["pass"]
