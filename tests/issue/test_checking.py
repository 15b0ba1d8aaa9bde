"""The continuous checker finds what was done past the program, and the office goes on."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from certlib.domain.verdict import Finding
from certlib.errors import VerificationError
from certlib.formats.leaf import Leaf
from certlib.issue.checking import CHECKS, SOON, check_office
from certlib.register.access_log import digest_accesses, record_access
from certlib.register.row_tables import AccessDigestRow, PublishedRow
from certlib.register.seal_tables import SealCertificateRow
from certlib.register.tables import FileRow
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
    ],
)
def test_an_edit_past_the_program_is_an_alarm(desk: Desk, statement: str, check: str) -> None:
    """Named by the check that finds it."""
    desk.issue("2-25")
    desk.office.tick()
    spoil(desk, statement)
    assert "fail" in found(desk)[check]


def test_a_certificate_of_an_enabled_seal_that_ends_soon_is_told_in_time(desk: Desk) -> None:
    """A warning before, an alarm after its last day."""
    with desk.office.register.reader() as session:
        last = session.exec(select(SealCertificateRow.not_after).order_by(SealCertificateRow.not_after)).first()
    assert last is not None
    assert {one.outcome for one in CHECKS["expiry"](desk.office, last - SOON / 2)} == {"warn"}
    assert "fail" in {one.outcome for one in CHECKS["expiry"](desk.office, last)}


def test_a_file_changed_on_disk_is_an_alarm(desk: Desk) -> None:
    """The bytes in the store are not those registered."""
    desk.issue("2-25")
    with desk.office.register.reader() as session:
        sha256 = session.exec(select(FileRow.sha256)).first()
    path: Path = next(desk.office.settings.home.rglob(f"{sha256}.pdf"))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")
    assert "fail" in found(desk)["files"]


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
    assert [one.outcome for one in check_office(desk.office, desk.clock())] == ["fail", "pass"]


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
