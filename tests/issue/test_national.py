"""Beside a file, by the same use of its seal: the document under SM2/SM3, and the signature of GB/T 38540."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from certlib.crypto.development import development_folder
from certlib.crypto.libcrypto import unavailable
from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError, KeyUnavailableError, NotFoundError
from certlib.issue.check_files import check_files
from certlib.issue.check_state import CheckState
from certlib.issue.composition import open_office
from certlib.issue.exporting import export_office
from certlib.issue.settings import Settings
from certlib.register.tables import FileRow, SealUseRow
from certlib.sealing.conformance import RULES, lint_sealed
from certlib.verify.audit import AuditTrust, audit
from certlib.verify.bundle import open_bundle
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from certlib.verify.ses_file import examine_ses_file, national_authorities
from tests.issue.conftest import Clock, Desk
from tests.issue.invariants import breaches

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")
SM2_TRUST = TrustRoots.load(development_folder() / "trust-sm2")


@pytest.fixture
def national(tmp_path: Path) -> Iterator[Desk]:
    """An office that makes both beside each file, and archives."""
    settings = Settings(home=tmp_path / "home", suite="p256-sha256", national=("copy", "ses"), raise_to="B-LTA")
    clock = Clock()
    with open_office(settings, clock=clock) as office:
        yield Desk(office, clock)


def test_one_use_makes_the_file_its_copy_and_the_signature_beside_it(national: Desk) -> None:
    """Three files of one index; one line in the ledger; each names the same use; our verifier accepts each."""
    issued = national.issue("2-25")
    office, identifier = national.office, issued["identifier"]
    files = office.certificate(identifier)["editions"][0]["files"]
    assert {(one["part"], one["suite"], one["level"]) for one in files} == {
        ("file", "p256-sha256", "B-T"),
        ("copy", "sm2-sm3", "B-T"),
        ("ses", "sm2-sm3", "v4-T"),
    }
    with office.register.reader() as session:
        assert len(session.exec(select(SealUseRow)).all()) == 1
        assert len(set(session.exec(select(FileRow.n)).all())) == 1
    pdf, copy = office.file(identifier), office.file(identifier, part="copy")
    first = examine(pdf, trust=TrustRoots.load(), at=national.clock(), lookup=office.lookup)
    second = examine(copy, trust=SM2_TRUST, at=national.clock(), lookup=office.lookup)
    beside = examine_ses_file(
        office.file(identifier, part="ses"), pdf, national_authorities(None), at=national.clock(), name="a.ses"
    )
    assert (first.verdict, second.verdict) == (Verdict.VALID, Verdict.VALID)
    assert beside.verdict is Verdict.STATUS_UNKNOWN, beside.as_line()
    assert {report.seals[0].counter for report in (first, second, beside)} == {1}
    assert {report.seals[0].authorisation for report in (first, second, beside)} == {first.seals[0].authorisation}
    assert b"pdfaid" in copy


def test_a_document_has_them_as_well(national: Desk) -> None:
    """Decisions and receipts like certificates."""
    answer = national.office.issue_document(
        national.request("2-25", kind="licence-decision"), client="platform", key="document"
    )
    view = national.office.document(answer.body["id"])
    assert [one["part"] for one in view["files"]].count("copy") == 1
    assert view["sha256"] == answer.body["sha256"]
    assert national.office.document_file(answer.body["id"], part="ses")[:1] == b"\x30"


def test_the_copy_is_raised_with_sm3_and_the_signature_beside_still_fits(national: Desk) -> None:
    """File and copy are archived each in its own suite; what the `.ses` covers is the beginning of the raised file."""
    identifier = national.issue("2-25")["identifier"]
    national.office.tick()
    copy, pdf = national.office.file(identifier, part="copy"), national.office.file(identifier)
    report = examine(copy, trust=SM2_TRUST, at=national.clock(), lookup=national.office.lookup)
    assert (report.verdict, report.seals[0].level) == (Verdict.VALID, "B-LTA")
    beside = examine_ses_file(
        national.office.file(identifier, part="ses"), pdf, national_authorities(None), at=national.clock(), name="a.ses"
    )
    assert beside.verdict is Verdict.STATUS_UNKNOWN
    assert beside.finding("range").outcome == "warn"
    assert breaches(national.office, at=national.clock()) == []


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT"])
def test_sealing_keeps_what_the_renderer_made(tmp_path: Path, level: str) -> None:
    """File and copy, licence and decision: PDF/A-3a and PDF/UA-1 by our own lint, before and after raising."""
    settings = Settings(home=tmp_path / "home", suite="p256-sha256", level=level, national=("copy",), raise_to="B-LTA")
    clock = Clock()
    with open_office(settings, clock=clock) as office:
        desk = Desk(office, clock)
        licence = desk.issue("2-25")["identifier"]
        decision = office.issue_document(desk.request("1-36"), client="platform", key="d").body["number"]
        levels = set()
        for raised in (False, True):
            if raised:
                office.tick()
                office.tick()
            for part in ("file", "copy"):
                for pdf in (office.file(licence, part=part), office.document_file(decision, part=part)):
                    assert {one.check: one.outcome for one in lint_sealed(pdf)} == dict.fromkeys(RULES, "pass")
            files = office.certificate(licence)["editions"][0]["files"]
            levels |= {(one["part"], one["level"]) for one in files}
        reached = {level} if level == "B-B" else {level, "B-LTA"}  # what was asked for without proof stays without
        assert levels == {(part, each) for part in ("file", "copy") for each in reached}


def test_the_audit_has_leaf_and_row_of_each(national: Desk, tmp_path: Path) -> None:
    """Nothing beside the file escapes the journal."""
    national.issue("2-25")
    national.office.tick()
    national.office.tick()
    export_office(national.office, tmp_path / "bundle")
    trust = AuditTrust(journal=national.office.journal.verifiers, trust_roots=list(TrustRoots.load().list_keys))
    with open_bundle(tmp_path / "bundle") as bundle:
        assert audit(bundle, trust, quorum=0).breaches == ()


@pytest.mark.parametrize("part", ["file", "copy", "ses"])
def test_the_checker_examines_each_to_the_inside(national: Desk, part: str) -> None:
    """Sound as made; altered inside and registered so by an insider, each is found by its signature alone."""
    identifier = national.issue("2-25")["identifier"]
    national.office.tick()
    state = CheckState()
    assert check_files(national.office, national.clock(), state, timedelta(days=60)) == []
    data = bytearray(national.office.file(identifier, part=part))
    data[data.find(b"/Producer") + 12 if part != "ses" else len(data) // 2] ^= 1
    store = national.office.register.files
    (old,) = [one for one in store.digests() if store.read(one) == national.office.file(identifier, part=part)]
    new = store.create(bytes(data))
    with national.office.register.engine.begin() as connection:
        for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(f"UPDATE file SET predecessor = '{new}' WHERE predecessor = '{old}'"))
        connection.execute(text(f"UPDATE file SET sha256 = '{new}' WHERE sha256 = '{old}'"))
    told = check_files(national.office, national.clock(), CheckState(), timedelta(days=60))
    assert [(one.outcome, new[:12] in one.detail) for one in told] == [("fail", True)]
    assert "核验未通过" in told[0].detail


def test_without_national_roots_the_checker_says_what_it_did_not_examine(
    national: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither an alarm nor sound."""
    national.issue("2-25")
    monkeypatch.setattr("certlib.issue.check_file.development_folder", lambda: tmp_path)
    told = check_files(national.office, national.clock(), CheckState(), timedelta(days=60))
    assert [(one.outcome, one.detail[:2]) for one in told] == [("unknown", "2 ")]


def test_when_one_cannot_be_made_none_is(national: Desk) -> None:
    """The SM2 key is gone: no file, the use released, the intent open for another attempt."""
    hand = national.office.sealer._beside

    class Gone:
        """An identity whose token has been pulled."""

        def signer(self, *, at: object) -> None:
            raise KeyUnavailableError("令牌不在，未用印。")

    national.office.sealer._beside = replace(hand, identities=dict.fromkeys(hand.identities, Gone()))
    with pytest.raises(KeyUnavailableError):
        national.issue("2-25")
    with national.office.register.reader() as session:
        assert session.exec(select(FileRow)).all() == []
        assert [use.state for use in session.exec(select(SealUseRow)).all()] == ["released"]


def test_what_was_not_made_is_not_found(tmp_path: Path) -> None:
    """An office without the national side says so; an unknown part in the settings is refused."""
    clock = Clock()
    with open_office(Settings(home=tmp_path / "home", suite="p256-sha256"), clock=clock) as office:
        issued = Desk(office, clock).issue("2-25")
        with pytest.raises(NotFoundError, match="copy"):
            office.file(issued["identifier"], part="copy")
    (tmp_path / "home" / "certlib.toml").write_text('national = ["ofd"]\n')
    with pytest.raises(ConfigurationError, match="ofd"):
        Settings.load(tmp_path / "home")
