"""What the examination says of files that the issuer did make, at every level and moment, and of what is no PDF."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from certlib.domain.verdict import Verdict
from certlib.errors import StorageError, VerificationError
from certlib.verify.examine import MAX_SIZE, examine, verify
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots
from tests.verify.forgeries import archive
from tests.verify.samples import FACTS, NOW, SEAL, SEALED, MemoryRegister, attachment, base_pdf, seal, signer


@pytest.mark.parametrize("suite", ["p256", "rsa"])
@pytest.mark.parametrize("stamped", [True, False])
def test_a_sealed_file_without_register_is_genuine_and_its_state_unknown(
    suite: str, stamped: bool, trust: TrustRoots
) -> None:
    """Every check passes but those that need a register or a timestamp; the verdict is never green."""
    report = examine(seal(by=signer(suite=suite), stamped=stamped), trust=trust, at=NOW, name="licence.pdf")
    assert report.verdict is Verdict.STATUS_UNKNOWN
    outcomes = {finding.check: finding.outcome for finding in report.findings}
    assert outcomes.pop("time") == ("pass" if stamped else "warn")
    assert outcomes.pop("status") == "unknown"
    assert outcomes.pop("seal") == "unknown"
    assert set(outcomes.values()) == {"pass"}
    assert set(outcomes) >= {"span", "fields", "form", "content", "signature", "issuer", "revocation", "facts"}


def test_the_seal_is_told_with_its_use_and_its_proved_time(sealed: bytes, trust: TrustRoots) -> None:
    """Who sealed, which use under which authorisation, when by proof, at which level and in which suite."""
    (seal_report,) = examine(sealed, trust=trust, at=NOW).seals
    assert (seal_report.seal, seal_report.counter, seal_report.suite) == (SEAL, 41, "p256-sha256")
    assert seal_report.timestamped_at == SEALED
    assert seal_report.level == "B-T"
    assert len(seal_report.authorisation) == 64
    assert "赣州市行政审批局" in seal_report.subject


@pytest.mark.parametrize("verdict", [Verdict.VALID, Verdict.SUSPENDED, Verdict.REVOKED, Verdict.CANCELLED])
def test_the_register_says_what_has_become_of_an_issued_file(
    verdict: Verdict, sealed: bytes, trust: TrustRoots, register: MemoryRegister
) -> None:
    """Byte-identical with an issued file: the register's word is the verdict, and a revocation is not an error."""
    register.add(sealed, verdict, cause="withdrawn")
    report = examine(sealed, trust=trust, at=NOW, lookup=register)
    assert report.verdict is verdict
    assert report.is_genuine
    assert not any(finding.outcome == "fail" for finding in report.findings)
    if verdict is Verdict.REVOKED:
        assert report.words.chinese == "真实，已撤回"


def test_a_sealed_file_that_the_register_does_not_know_is_not_the_issued_file(
    sealed: bytes, trust: TrustRoots, register: MemoryRegister
) -> None:
    """The seal is genuine and the file is not: both are said."""
    register.add(b"another")
    report = examine(sealed, trust=trust, at=NOW, lookup=register)
    assert report.verdict is Verdict.NOT_THE_ISSUED_FILE
    assert report.finding("signature").outcome == "pass"  # type: ignore[union-attr]


def test_a_register_that_fails_leaves_the_state_unknown(sealed: bytes, trust: TrustRoots) -> None:
    """An outage is no verdict on the file."""

    class Down(MemoryRegister):
        def by_sha256(self, sha256: str, *, at: datetime) -> None:
            raise StorageError("down")

    report = examine(sealed, trust=trust, at=NOW, lookup=Down())
    assert report.verdict is Verdict.STATUS_UNKNOWN
    assert report.finding("register").outcome == "unknown"  # type: ignore[union-attr]


def test_a_document_timestamp_at_the_end_keeps_a_file_genuine(sealed: bytes, trust: TrustRoots) -> None:
    """Level B-LTA: our authority's timestamp as the last revision is no change of the content."""
    raised = archive(archive(sealed, at=SEALED + timedelta(days=1)), at=SEALED + timedelta(days=2))
    report = examine(raised, trust=trust, at=NOW)
    assert report.verdict is Verdict.STATUS_UNKNOWN
    assert report.seals[0].level == "B-LTA"
    assert report.finding("changes").detail.startswith("盖章后只补充")  # type: ignore[union-attr]


def test_a_moment_before_the_sealing_is_told(sealed: bytes, trust: TrustRoots) -> None:
    """Asked for a day on which the file did not exist, the answer is not in force."""
    assert examine(sealed, trust=trust, at=SEALED - timedelta(days=2)).verdict is Verdict.NOT_IN_FORCE


def test_a_timestamp_outlives_the_seals_certificate(trust: TrustRoots) -> None:
    """Sealed and stamped while the certificate was valid: still genuine long after it has expired."""
    then = datetime(2022, 1, 15, tzinfo=UTC)
    own = signer("seal-expired")
    facts = attachment(valid_until="")
    stamped = seal(base_pdf(facts), by=own, at=then, attributes=())
    assert examine(stamped, trust=trust, at=NOW).verdict is Verdict.STATUS_UNKNOWN
    unstamped = seal(base_pdf(facts), by=own, at=then, attributes=(), stamped=False)
    assert examine(unstamped, trust=trust, at=NOW).verdict is Verdict.SIGNATURE_INVALID
    register = MemoryRegister()
    register.add(unstamped, issued_on=date(2022, 1, 15))
    assert examine(unstamped, trust=trust, at=NOW, lookup=register).verdict is Verdict.VALID


def test_a_revocation_counts_from_its_moment_on(trust: TrustRoots) -> None:
    """Stamped before the revocation the seal stands; stamped after it, or not at all, it does not."""
    own = signer("seal-revoked")
    before, after = datetime(2022, 2, 1, tzinfo=UTC), datetime(2022, 4, 1, tzinfo=UTC)
    facts = base_pdf(attachment(valid_until=""))
    good = examine(seal(facts, by=own, at=before, attributes=()), trust=trust, at=NOW)
    assert good.verdict is Verdict.STATUS_UNKNOWN
    for late in (seal(facts, by=own, at=after, attributes=()), seal(facts, by=own, at=before, stamped=False)):
        report = examine(late, trust=trust, at=NOW)
        assert report.verdict is Verdict.SIGNATURE_INVALID
        assert report.finding("revocation").outcome == "fail"  # type: ignore[union-attr]


def test_without_revocation_lists_that_is_said_and_nothing_claimed(sealed: bytes, trust: TrustRoots) -> None:
    """Roots alone: the seal is trusted, its revocation unknown."""
    report = examine(sealed, trust=TrustRoots(trust.certificates), at=NOW)
    assert report.verdict is Verdict.STATUS_UNKNOWN
    assert report.finding("revocation").outcome == "unknown"  # type: ignore[union-attr]


def test_attached_facts_must_be_those_printed(trust: TrustRoots) -> None:
    """A face that shows another scope than the data sealed with it is altered, however good the seal."""
    forged = base_pdf(attachment(printed={**FACTS, "scope": "三类：全部"}))
    report = examine(seal(forged), trust=trust, at=NOW)
    assert report.verdict is Verdict.ALTERED
    assert "scope" in report.finding("facts").detail  # type: ignore[union-attr]


def test_the_registers_index_must_be_the_files(sealed: bytes, trust: TrustRoots, register: MemoryRegister) -> None:
    """A register row with another index n than the sealed facts is not believed."""
    register.add(sealed, n=8)
    assert examine(sealed, trust=trust, at=NOW, lookup=register).verdict is Verdict.ALTERED


def test_an_imported_certificate_has_no_seal_and_says_so(trust: TrustRoots, register: MemoryRegister) -> None:
    """补录: a registered scan without a seal is not called unsealed."""
    register.add(base_pdf(), imported=True)
    report = examine(base_pdf(), trust=trust, at=NOW, lookup=register)
    assert report.verdict is Verdict.VALID
    assert "补录" in report.finding("signature").detail  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("data", "verdict", "word"),
    [
        (b"", Verdict.UNREADABLE, "空"),
        (b"hello", Verdict.UNREADABLE, "不是 PDF"),
        (b"PK\x03\x04" + bytes(100), Verdict.UNREADABLE, "Word"),
        (b"\xff\xd8\xff" + bytes(100), Verdict.UNREADABLE, "照片"),
        (b"%PDF-1.7\n", Verdict.UNREADABLE, ""),
        (b"%PDF-" + bytes(MAX_SIZE), Verdict.UNREADABLE, "20 MB"),
    ],
)
def test_what_is_no_pdf_is_answered_in_plain_words(data: bytes, verdict: Verdict, word: str, trust: TrustRoots) -> None:
    """Empty, text, Word, photo, a header alone, too large: unreadable, with the reason."""
    report = examine(data, trust=trust, at=NOW)
    assert report.verdict is verdict
    assert word in report.findings[-1].detail


def test_an_unsigned_pdf_is_unsealed(trust: TrustRoots) -> None:
    """A PDF without any signature is neither genuine nor forged."""
    assert examine(base_pdf(), trust=trust, at=NOW).verdict is Verdict.UNSEALED


def test_the_report_is_one_line_of_json_in_the_agreed_form(sealed: bytes, trust: TrustRoots) -> None:
    """The keys of the command line's JSON, on one line, and the same again after a passage between processes."""
    report = examine(sealed, trust=trust, at=NOW, name="a.pdf")
    line = report.as_line()
    assert "\n" not in line
    values = json.loads(line)
    assert list(values) == ["file", "verdict", "findings", "seals", "certificate"]
    assert values["file"] == "a.pdf"
    assert values["certificate"]["number"] == FACTS["number"]
    assert all(set(finding) == {"check", "outcome", "detail"} for finding in values["findings"])
    assert Report.load(report.dump()) == report


def test_verify_raises_with_the_verdict_as_code(sealed: bytes, trust: TrustRoots, register: MemoryRegister) -> None:
    """The raising face: returns for a valid file, raises with the verdict's word for any other."""
    assert verify(sealed, trust=trust, at=NOW).verdict is Verdict.STATUS_UNKNOWN
    with pytest.raises(VerificationError) as caught:
        verify(sealed, trust=trust, at=NOW, lookup=register)
    assert caught.value.code == Verdict.NOT_THE_ISSUED_FILE
    register.add(sealed)
    assert verify(sealed, trust=trust, at=NOW, lookup=register).verdict is Verdict.VALID
