"""The continuous checker finds what was done past the program, and the office goes on."""

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from certlib.city.statement import Statement, sign_statement
from certlib.crypto import tokens
from certlib.domain.verdict import Finding
from certlib.errors import VerificationError
from certlib.formats.leaf import Leaf
from certlib.issue import check_journal
from certlib.issue.check_file import last_token
from certlib.issue.check_state import CheckState
from certlib.issue.checking import CHECKS, Round, check_office
from certlib.register import access_log
from certlib.register.access_log import digest_accesses, record_access
from certlib.register.row_tables import AccessDigestRow, PublishedRow
from certlib.register.seal_tables import SealCertificateRow
from certlib.register.tables import AccessRow, FileRow
from certlib.verify.span import guard
from tests.issue.conftest import Desk


def found(desk: Desk) -> dict[str, set[str]]:
    """The outcomes of each check."""
    outcomes: dict[str, set[str]] = {}
    for one in check_office(desk.office, desk.office.register.now()):
        outcomes.setdefault(one.check, set()).add(one.outcome)
    return outcomes


def spoil(desk: Desk, statement: str) -> None:
    """Edit the database past the program's triggers."""
    with desk.office.register.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(statement))


def test_a_sound_office_has_nothing_to_tell(desk: Desk) -> None:
    """Every check passes after a certificate was issued, changed and revoked."""
    issued = desk.issue("2-25")
    desk.do(issued["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    desk.office.tick()
    outcomes = found(desk)
    assert outcomes.keys() >= CHECKS.keys()
    assert all("fail" not in outcome for outcome in outcomes.values()), check_office(desk.office, desk.clock())


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE edition SET check_code = 'x'", "journal"),
        ("UPDATE certificate SET state = 'suspended'", "status"),
        ("DELETE FROM seal_use", "journal"),
        ("DELETE FROM blank WHERE serial = 'GZ000002'", "sheets"),
    ],
)
def test_an_edit_past_the_program_is_an_alarm(desk: Desk, statement: str, check: str) -> None:
    """Named by the check that finds it."""
    desk.issue("2-25")
    desk.office.receive_blanks("medical-device-licence", "GZ000001", "GZ000003", person="甲", witness="乙")
    desk.office.tick()
    spoil(desk, statement)
    assert "fail" in found(desk)[check]


def test_every_finding_stands_under_the_name_of_its_check_so_that_the_next_round_clears_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The type of the blanks and the witness are in the words; each check and the state are told of in every round."""
    desk.office.receive_blanks("medical-device-licence", "GZ000001", "GZ000003", person="甲", witness="乙")
    desk.office.tick()
    away = [Finding("witness:archive", "unknown", "没有应答"), Finding("witness:audit", "pass", "已见证 9 条")]
    monkeypatch.setattr(type(desk.office), "ask_witnesses", lambda _: away)
    spoil(desk, "DELETE FROM blank WHERE serial = 'GZ000002'")
    first = check_office(desk.office, desk.clock())
    assert {one.check for one in first} == {*CHECKS, "state"}
    told = {one.check: one.detail for one in first if one.outcome not in {"pass", "warn"}}
    assert told.keys() >= {"sheets", "witnesses"}
    assert told["sheets"].startswith("medical-device-licence：在库账面 3 张")
    assert told["witnesses"] == "archive：没有应答"
    away.clear()
    spoil(
        desk,
        "INSERT INTO blank (serial, type, state, \"window\", updated_at) VALUES ('GZ000002', "
        "'medical-device-licence', 'stock', '', '2026-11-24 02:00:00')",
    )
    second = {one.check: one.outcome for one in check_office(desk.office, desk.clock())}
    assert (second["sheets"], second["witnesses"], second["state"]) == ("pass", "pass", "pass")


def test_a_certificate_of_an_enabled_seal_that_ends_soon_is_told_in_time(desk: Desk) -> None:
    """A warning before, an alarm after its last day."""
    with desk.office.register.reader() as session:
        last = session.exec(select(SealCertificateRow.not_after).order_by(SealCertificateRow.not_after)).first()
    assert last is not None
    assert {one.outcome for one in CHECKS["expiry"](Round(desk.office, last - timedelta(days=30)))} == {"warn"}
    assert "fail" in {one.outcome for one in CHECKS["expiry"](Round(desk.office, last))}


def test_a_file_changed_on_disk_is_an_alarm(desk: Desk) -> None:
    """The bytes in the store are not those registered."""
    desk.issue("2-25")
    with desk.office.register.reader() as session:
        sha256 = session.exec(select(FileRow.sha256)).first()
    path: Path = next(desk.office.settings.home.rglob(f"{sha256}.pdf"))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")
    assert "fail" in found(desk)["files"]


def test_all_files_come_by_a_sample_a_round(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round goes on where the last one ended, whoever runs it; after the last file the first comes again."""
    desk.issue("2-25")
    desk.issue("2-25")
    with desk.office.register.reader() as session:
        files = sorted(session.exec(select(FileRow.sha256)).all())
    seen: list[str] = []
    read = desk.office.register.files.read
    monkeypatch.setattr(desk.office.register.files, "read", lambda sha256: seen.append(sha256) or read(sha256))
    settings = replace(desk.office.settings, check_sample=1)
    monkeypatch.setattr(desk.office, "settings", settings)
    for _ in range(len(files)):
        assert {one.outcome for one in check_office(desk.office, desk.clock(), since=0) if one.check == "files"} == {
            "pass"
        }
    assert list(dict.fromkeys(seen)) == files
    seen.clear()
    check_office(desk.office, desk.clock(), since=0)
    check_office(desk.office, desk.clock(), since=0)
    assert files[0] in seen


def test_a_file_is_read_once_a_round_and_only_in_the_size_registered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the other files only the successors of these are asked for; what grew on disk is told of unread."""
    desk.issue("2-25")
    files = desk.office.register.files
    seen: list[str] = []
    read = files.read
    monkeypatch.setattr(files, "read", lambda sha256: seen.append(sha256) or read(sha256))
    assert found(desk)["files"] == {"pass"}
    assert len(seen) == len(set(seen)) == len(list(files.digests()))
    grown: Path = max(desk.office.settings.home.rglob("store/*/*.pdf"))
    grown.chmod(0o644)
    with grown.open("ab") as file:
        file.truncate(3 << 30)
    seen.clear()
    assert found(desk)["files"] == {"fail"}
    assert grown.stem not in seen


def test_a_file_that_cannot_be_looked_at_does_not_keep_the_others_from_their_turn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk refuses the first of two: it is named, and the round goes on behind it."""
    desk.issue("2-25")
    desk.issue("2-25")
    first = min(desk.office.register.files.digests())
    read = desk.office.register.files.read

    def refuse(sha256: str) -> bytes:
        if sha256 == first:
            raise OSError(5, "Input/output error")
        return read(sha256)

    monkeypatch.setattr(desk.office.register.files, "read", refuse)
    told = [one for one in check_office(desk.office, desk.clock()) if one.check == "files"]
    assert [(one.outcome, first[:12] in one.detail) for one in told] == [("fail", True)]


def test_a_file_found_bad_is_told_of_in_every_round_until_it_is_sound(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the rounds of other files; one lost, one spoiled, each cleared when it is back."""
    _three_looked_at_in_turn(desk, monkeypatch)
    paths = {path.stem: path for path in desk.office.settings.home.rglob("store/*/*.pdf")}
    lost, spoiled = sorted(paths)[:2]
    whole = {digest: paths[digest].read_bytes() for digest in (lost, spoiled)}
    paths[lost].unlink()
    paths[spoiled].chmod(0o644)
    paths[spoiled].write_bytes(whole[spoiled][:-1] + b" ")
    desk_rounds = [_fails(desk) for _ in range(len(paths) + 2)]
    assert desk_rounds == [1] + [2] * (len(paths) + 1)
    paths[lost].write_bytes(whole[lost])
    assert _fails(desk) == 1
    paths[spoiled].write_bytes(whole[spoiled])
    assert _fails(desk) == 0


def _three_looked_at_in_turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three certificates, and a checker that looks at files only, one a round."""
    for _ in range(3):
        desk.issue("2-25")
    monkeypatch.setattr(desk.office, "settings", replace(desk.office.settings, check_sample=1))
    monkeypatch.setattr("certlib.issue.checking.CHECKS", {"files": CHECKS["files"]})


def _fails(desk: Desk) -> int:
    return sum(one.outcome == "fail" for one in check_office(desk.office, desk.clock()))


def test_a_store_that_is_gone_is_told_of_in_a_few_lines_and_forgets_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some by name and the rest by number; at the limit of what is kept the turn waits until files are back."""
    _three_looked_at_in_turn(desk, monkeypatch)
    monkeypatch.setattr("certlib.issue.check_files.MOST_BAD", 2)
    monkeypatch.setattr("certlib.issue.check_files._NAMED", 1)
    store = desk.office.settings.home / "store"
    store.rename(store.with_name("away"))
    for _ in range(5):
        told = [one.detail for one in check_office(desk.office, desk.clock()) if one.outcome == "fail"]
    assert len(told) == 2
    assert told[1] == "另有 1 份文件不相符；修复之前不再检查其余文件。"
    store.with_name("away").rename(store)
    assert _fails(desk) == 0
    assert CheckState.load(desk.office.settings.home).bad == ()


def test_a_bad_file_taken_out_of_the_register_stays_an_alarm(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting its row mends nothing."""
    desk.issue("2-25")
    monkeypatch.setattr("certlib.issue.checking.CHECKS", {"files": CHECKS["files"]})
    digest = min(desk.office.register.files.digests())
    next(desk.office.settings.home.rglob(f"{digest}.pdf")).unlink()
    assert _fails(desk) == 1
    spoil(desk, f"DELETE FROM file WHERE sha256 = '{digest}'")
    told = [one.detail for one in check_office(desk.office, desk.clock()) if one.outcome == "fail"]
    assert told == [f"文件 {digest[:12]}… 曾不相符，现已不在登记中。"]


def test_a_proof_that_ends_soon_is_told_of_also_when_other_files_have_their_turn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file whose proof ends first is looked at in each round, until it has a successor."""
    desk.issue("2-25")
    desk.issue("2-25")
    with desk.office.register.reader() as session:
        row = session.exec(select(FileRow).where(FileRow.level != "print").order_by(FileRow.sha256)).first()
    assert row is not None
    end = tokens.signer(last_token(guard(desk.office.register.files.read(row.sha256)))).not_after
    state = CheckState(files="f" * 64, ending=row.sha256)
    monkeypatch.setattr(desk.office, "settings", replace(desk.office.settings, check_sample=1))
    this = Round(desk.office, end - timedelta(days=30), state)
    for _ in range(2):
        assert [one.outcome for one in CHECKS["files"](this)] == ["warn"]
        assert this.state.ending
        this.state.files = "f" * 64
    assert CHECKS["files"](Round(desk.office, end - timedelta(days=90), state)) == []
    assert state.ending == ""


def test_a_seal_broken_in_the_store_is_an_alarm_of_its_round(desk: Desk) -> None:
    """The file is of the size registered and still a PDF: only the signature tells."""
    desk.issue("2-25")
    with desk.office.register.reader() as session:
        sha256 = session.exec(select(FileRow.sha256).where(FileRow.level != "print")).first()
    path: Path = next(desk.office.settings.home.rglob(f"{sha256}.pdf"))
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(data))
    assert "fail" in found(desk)["files"]


def test_a_proof_of_time_that_ends_soon_is_told_in_time(desk: Desk) -> None:
    """The certificate of the last timestamp ends: a warning before."""
    desk.issue("2-25")
    with desk.office.register.reader() as session:
        row = session.exec(select(FileRow).where(FileRow.level != "print")).first()
    assert row is not None
    token = last_token(guard(desk.office.register.files.read(row.sha256)))
    end = tokens.signer(token).not_after
    told = [one.detail for one in CHECKS["files"](Round(desk.office, end - timedelta(days=30)))]
    assert any(f"时间证明即将到期，最早于 {end:%Y-%m-%d}" in detail for detail in told)
    assert not [one for one in CHECKS["files"](Round(desk.office, end - timedelta(days=90))) if "到期" in one.detail]


def test_rounds_go_on_from_the_last_and_look_at_the_whole_once_a_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit of an older row waits for the whole round; one of a new row is found at once, and told until mended."""
    wholes: list[datetime] = []
    whole = check_journal.check_whole
    monkeypatch.setattr(
        "certlib.issue.checking.check_whole", lambda *given: wholes.append(desk.clock()) or whole(*given)
    )
    issued = desk.issue("2-25")
    desk.office.tick()
    first = check_office(desk.office, desk.clock())
    assert [one.outcome for one in first if one.check == "journal"] == ["pass"]
    desk.do(issued["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    desk.office.tick()
    assert [one.outcome for one in check_office(desk.office, desk.clock()) if one.check == "journal"] == ["pass"]
    assert len(wholes) == 1
    desk.issue("2-25")
    desk.office.tick()
    spoil(desk, "UPDATE edition SET check_code = 'x'")
    for _ in range(2):
        told = [one.detail for one in check_office(desk.office, desk.clock()) if one.check == "journal"]
        assert len(wholes) == 1
        assert len(told) == 1
        assert "证照版本" in told[0]
    desk.clock.advance(hours=25)
    assert "fail" in found(desk)["journal"]
    assert len(wholes) == 2


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE journal_event SET seq = seq + 1000 WHERE seq > 5", "数据库中的日志不完整或被删改"),
        ("DELETE FROM journal_tile WHERE level = 0", "tile/0/000"),
        (
            "UPDATE journal_checkpoint SET note = (SELECT min(note) FROM journal_checkpoint WHERE id = 1) WHERE id > 1",
            "日志",
        ),
    ],
)
def test_a_journal_cut_or_changed_is_found_from_the_last_head(desk: Desk, statement: str, sentence: str) -> None:
    """Without reading the whole: the head must have grown from the one kept, and the leaves must be its tiles'."""
    desk.issue("2-25")
    desk.office.tick()
    check_office(desk.office, desk.clock())
    desk.issue("2-25")
    desk.office.tick()
    spoil(desk, statement)
    told = [one for one in check_office(desk.office, desk.clock(), whole=False) if one.check == "journal"]
    assert {one.outcome for one in told} == {"fail"}
    assert sentence in told[0].detail


def test_a_state_that_cannot_be_read_means_a_whole_round(desk: Desk) -> None:
    """Whatever stands in the file: the checker begins again."""
    path = desk.office.settings.home / "check-state.json"
    for text_ in ("", "[]", "{}", '{"files": 1, "head": 2, "full_at": "x"}', '{"full_at": "2026-01-01"}'):
        path.write_text(text_, encoding="utf-8")
        assert Round(desk.office, desk.clock(), CheckState.load(desk.office.settings.home)).is_whole


def keep_statement(desk: Desk, **differences: int) -> None:
    """Keep a statement as the day's comparison makes it."""
    said = Statement(
        target="city", at=desk.clock(), ours=1, theirs=1, our_root=b"a", their_root=b"a", differences=differences
    )
    signed = sign_statement(said, desk.office.board.keys.at(desk.clock()))
    desk.office.keep_statement(signed, target="city")


def test_a_statement_of_reconciliation_that_is_old_is_an_alarm(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where there is a repository to agree with."""
    assert CHECKS["statement"](Round(desk.office, desk.clock())) == []
    monkeypatch.setattr(desk.office, "settings", replace(desk.office.settings, city_url="https://city.example"))
    assert [one.outcome for one in CHECKS["statement"](Round(desk.office, desk.clock()))] == ["warn"]
    keep_statement(desk, missing=0)
    assert CHECKS["statement"](Round(desk.office, desk.clock())) == []
    later = desk.clock() + timedelta(days=3)
    assert [one.outcome for one in CHECKS["statement"](Round(desk.office, later))] == ["fail"]


def test_a_statement_that_says_both_differ_or_cannot_be_believed_is_an_alarm(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its day alone says nothing: it must be there, bear our signature, and say that both sides agree."""
    monkeypatch.setattr(desk.office, "settings", replace(desk.office.settings, city_url="https://city.example"))

    def told() -> str:
        (one,) = CHECKS["statement"](Round(desk.office, desk.clock()))
        assert one.outcome == "fail"
        return one.detail

    keep_statement(desk, missing=2, changed=1)
    assert "对账不一致：3 件" in told()
    desk.office.keep_statement(b"signed", target="city")
    assert "不能采信" in told()
    keep_statement(desk)
    assert CHECKS["statement"](Round(desk.office, desk.clock())) == []
    with desk.office.register.reader() as session:
        last = session.exec(select(PublishedRow.sha256).order_by(PublishedRow.id.desc())).first()
    assert last is not None
    desk.office.register.files.remove(last)
    assert "读不到" in told()


def test_an_act_between_the_looks_at_register_and_lists_is_no_difference(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists are of a moment before; a shard that is not published at all is one that says nothing is in force."""
    issued = desk.issue("2-25")
    desk.office.sequence()
    before = desk.office.board.statuses()
    desk.do(issued["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    statuses = type(desk.office.board).statuses
    looks = [before]
    monkeypatch.setattr(type(desk.office.board), "statuses", lambda board: looks.pop() if looks else statuses(board))
    assert CHECKS["status"](Round(desk.office, desk.clock())) == []
    assert looks == []
    monkeypatch.setattr(type(desk.office.board), "statuses", lambda _: (0, {}))
    assert {one.outcome for one in CHECKS["status"](Round(desk.office, desk.clock()))} == {"fail"}


def test_a_leaf_tampered_with_stops_the_status_list_with_a_sentence(desk: Desk) -> None:
    """The board refuses to sign, and the checker tells; neither dies of it."""
    desk.issue("2-25")
    desk.office.sequence()
    blob = "x'00'" if desk.office.register.engine.dialect.name == "sqlite" else "'\\x00'::bytea"
    spoil(desk, f"UPDATE journal_event SET body = {blob} WHERE seq = 1")
    with pytest.raises(VerificationError, match="日志第 1 条已被改动"):
        desk.office.status_list(0)
    assert "fail" in found(desk)["status"]


def test_accesses_are_digested_by_the_hour_each_digest_after_the_one_before(desk: Desk) -> None:
    """One leaf an hour at most, and none while nobody looked at anything."""
    register = desk.office.register
    for minute in (0, 10, 61):
        desk.clock.advance(minutes=minute)
        record_access(register, client="auditor", subject="甲", purpose="审计", outcome="shown")
        digest_accesses(register)
    assert digest_accesses(register) == 0
    with register.reader() as session:
        first, second = session.exec(select(AccessDigestRow).order_by(AccessDigestRow.id)).all()
    assert (first.count, second.count) == (1, 2)
    assert (first.previous, second.previous) == ("", first.sha256)


def test_an_office_that_has_issued_nothing_yet_is_sound(desk: Desk) -> None:
    """Its status list says nothing of any index: there is no status that the journal ought to tell of."""
    desk.office.receive_blanks("medical-device-licence", "GZ000001", "GZ000010", person="王五", witness="赵六")
    desk.office.tick()
    assert [one for one in check_office(desk.office, desk.clock(), whole=True) if one.outcome == "fail"] == []


def test_however_many_were_seen_in_an_hour_all_are_digested(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """In portions, one digest after the other: a busy hour does not leave more behind than the next one takes."""
    monkeypatch.setattr("certlib.register.access_log._PORTION", 2)
    register = desk.office.register
    for _ in range(5):
        record_access(register, client="auditor", subject="甲", purpose="审计", outcome="shown")
    assert digest_accesses(register) == 5
    with register.reader() as session:
        assert session.exec(select(AccessDigestRow.count).order_by(AccessDigestRow.id)).all() == [2, 2, 1]
        assert session.exec(select(AccessRow).where(AccessRow.digest == None)).all() == []  # noqa: E711
    desk.office.sequence()
    assert [one for one in check_office(desk.office, desk.clock(), whole=True) if one.outcome == "fail"] == []


def test_two_workers_digest_an_access_once(desk: Desk) -> None:
    """The second waits for the first and finds nothing to do; else each digest would lack what the other took."""
    register, given = desk.office.register, list[int]()
    record_access(register, client="auditor", subject="甲", purpose="审计", outcome="shown")
    threads = [threading.Thread(target=lambda: given.append(digest_accesses(register))) for _ in range(6)]
    with register.writer() as session:
        register.next(session, access_log.KIND)
        for thread in threads:
            thread.start()
        time.sleep(0.5)  # all have seen that something is due
    for thread in threads:
        thread.join()
    assert sorted(given) == [0, 0, 0, 0, 0, 1]
    desk.office.sequence()
    assert [one for one in check_office(desk.office, desk.clock(), whole=True) if one.outcome == "fail"] == []


def test_a_status_list_is_journalled_when_it_changes_and_at_most_once_a_minute(desk: Desk) -> None:
    """A tick without news adds no leaf; keys and trust lists were journalled when they were published."""
    issued = desk.issue("2-25")
    desk.office.tick()
    desk.office.tick()
    desk.do(issued["identifier"], "revoke", {"decision": desk.ex_officio(), "cause": "fraud"})
    desk.office.tick()
    assert kinds(desk).count("status:published") == 1
    desk.clock.advance(minutes=2)
    desk.office.tick()
    assert kinds(desk).count("status:published") == 2
    assert {"trust:published", "seals:published", "key:added"} <= set(kinds(desk))
    desk.office.keep_statement(b"signed", target="city")
    assert kinds(desk)[-1] == "reconciliation:statement"


def kinds(desk: Desk) -> list[str]:
    """The kinds of what was published, in order."""
    with desk.office.register.reader() as session:
        return list(session.exec(select(PublishedRow.kind).order_by(PublishedRow.id)).all())


def test_a_check_that_breaks_is_itself_a_finding(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch goes on with the next check."""

    def broken(*_: object) -> list[Finding]:
        raise KeyError("x")

    monkeypatch.setattr("certlib.issue.checking.CHECKS", {"first": broken, "second": lambda *_: []})
    found = check_office(desk.office, desk.clock())
    assert [(one.check, one.outcome) for one in found] == [("first", "fail"), ("second", "pass"), ("state", "pass")]


def test_witnesses_of_development_follow_the_journal(desk: Desk) -> None:
    """Both cosign once, and are asked again only when it has grown."""
    desk.issue("2-25")
    desk.office.sequence()
    assert [one.outcome for one in desk.office.ask_witnesses()] == ["pass", "pass"]
    assert desk.office.ask_witnesses() == []
    with desk.office.register.reader() as session:
        assert len(desk.office.journal.head(session).cosignatures) == 2
    with desk.office.register.writer() as session:
        desk.office.register.journal.append(session, Leaf(kind="key:added", at=desk.clock()))
    desk.office.sequence()
    assert len(desk.office.ask_witnesses()) == 2


def test_rounds_of_one_home_wait_for_each_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round by hand while the worker's is under way neither loses its state nor writes over it."""
    inside, most = [0], [0]

    def slow(_: object) -> list[Finding]:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.2)
        inside[0] -= 1
        return []

    monkeypatch.setattr("certlib.issue.checking.CHECKS", {"slow": slow})
    now, found = desk.clock(), []
    rounds = [threading.Thread(target=lambda: found.extend(check_office(desk.office, now))) for _ in range(3)]
    for one in rounds:
        one.start()
    for one in rounds:
        one.join()
    assert most == [1]
    assert {(one.check, one.outcome) for one in found} == {("slow", "pass"), ("state", "pass")}
    assert not list(desk.office.settings.home.glob(".check-state*"))


def test_a_home_that_takes_no_state_is_an_alarm_and_the_checks_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the lock nor the state can be written."""
    for name in ("check-state.lock", "check-state.json"):
        (desk.office.settings.home / name).mkdir()
    monkeypatch.setattr("certlib.issue.checking.CHECKS", {"one": lambda _: []})
    found = check_office(desk.office, desk.clock())
    assert [one.outcome for one in found if one.check == "one"] == ["pass"]
    assert "fail" in {one.outcome for one in found if one.check == "state"}


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (
            "[counterpart-status] 目标 market 未接收（422）：刘文静 3607",
            "（counterpart-status）。",
        ),
        ("重试 3 次未成功，最后原因：刘文静", "（原因见推送记录）。"),
        ("[刘文静] x", "（原因见推送记录）。"),
        ("", "起。"),
    ],
)
def test_what_a_receiver_says_stays_out_of_the_findings(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, trouble: str, told: str
) -> None:
    """A finding goes into the log: it has our code for what holds an event up, and none of the receiver's words."""
    waiting = {"name": "market", "gone": False, "dead": 0, "blocked": 0, "waiting": 1, "trouble": trouble}
    view = {**waiting, "oldest": (desk.clock() - timedelta(hours=2)).isoformat()}
    monkeypatch.setattr("certlib.issue.check_deliveries.hook_views", lambda _: [view])
    (found,) = CHECKS["webhooks"](Round(desk.office, desk.clock()))
    assert found.outcome == "warn"
    assert found.detail.endswith(told)
    assert "刘文静" not in found.detail
