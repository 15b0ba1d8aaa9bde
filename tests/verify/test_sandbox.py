"""Files from strangers: a clear verdict within the limits whatever they do to a parser, and the service goes on."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from certlib.domain.verdict import Verdict
from certlib.errors import StorageError
from certlib.verify import child
from certlib.verify.examine import examine
from certlib.verify.request import Limits
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox, SandboxBusyError
from tests.verify.hostile import HOSTILE
from tests.verify.samples import NOW, MemoryRegister, seal, signer

BOMBS = ("content_bomb", "nested_bomb", "attachment_bomb")
LIMITS = Limits(cpu=1, wall=4)
NEVER_GENUINE = {
    Verdict.UNREADABLE,
    Verdict.UNSEALED,
    Verdict.ALTERED,
    Verdict.UNKNOWN_ISSUER,
    Verdict.SIGNATURE_INVALID,
}


@pytest.fixture(scope="module")
def sandbox(trust: TrustRoots) -> Iterator[Sandbox]:
    """One sandbox with tight limits for the whole module, so that each file meets the same child."""
    with Sandbox(trust, limits=LIMITS) as made:
        yield made


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_a_verdict_in_time(name: str, sandbox: Sandbox) -> None:
    """Never genuine, never an exception, and no longer than the limits allow."""
    started = time.monotonic()
    report = sandbox.examine(HOSTILE[name](), at=NOW, name=name)
    assert report.verdict in NEVER_GENUINE
    assert report.findings[0].detail
    assert time.monotonic() - started < 3 * LIMITS.wall + 10  # a hang would be endless; this is no benchmark


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_under_a_strangers_seal_is_survived_too(name: str, sandbox: Sandbox) -> None:
    """Sealed, so that the examination goes on to pages and attachments, where the bomb is."""
    sealed = seal(HOSTILE[name](), by=signer("seal-foreign"), attributes=())
    assert sandbox.examine(sealed, at=NOW).verdict in NEVER_GENUINE


def test_the_sandbox_says_what_the_examination_says(
    sealed: bytes, trust: TrustRoots, sandbox: Sandbox, register: MemoryRegister
) -> None:
    """The same report, field by field, with a register and without."""
    assert sandbox.examine(sealed, at=NOW, name="a") == examine(sealed, trust=trust, at=NOW, name="a")
    register.add(sealed, Verdict.REVOKED, cause="rescinded", since=NOW - timedelta(days=1), current_edition=2)
    inside = sandbox.examine(sealed, at=NOW, lookup=register)
    assert inside == examine(sealed, trust=trust, at=NOW, lookup=register)
    assert (inside.verdict, inside.words.chinese) == (Verdict.REVOKED, "真实，已吊销")


def test_a_register_that_fails_is_told_alike(sealed: bytes, trust: TrustRoots, sandbox: Sandbox) -> None:
    """Inside and outside the sandbox an outage of the register is a finding, not an exception."""

    class Down(MemoryRegister):
        def by_sha256(self, sha256: str, *, at: object) -> None:
            raise StorageError("台账停机维护。")

    inside = sandbox.examine(sealed, at=NOW, lookup=Down())
    assert inside == examine(sealed, trust=trust, at=NOW, lookup=Down())
    assert inside.verdict is Verdict.STATUS_UNKNOWN
    assert "停机维护" in inside.finding("register").detail  # type: ignore[union-attr]


def test_good_files_are_answered_while_bad_ones_are_at_work(sealed: bytes, sandbox: Sandbox) -> None:
    """One place is taken by a file that runs into its limit; the other serves."""
    with ThreadPoolExecutor() as pool:
        bad = pool.submit(sandbox.examine, HOSTILE["exponential_fields"](), at=NOW)
        good = [pool.submit(sandbox.examine, sealed, at=NOW) for _ in range(4)]
        assert {done.result().verdict for done in good} == {Verdict.STATUS_UNKNOWN}
        assert bad.result().verdict is Verdict.UNREADABLE


def test_more_files_than_may_wait_are_refused(sealed: bytes, trust: TrustRoots) -> None:
    """The queue is bounded: who comes too many is told to come back, the others are served, and then it is free."""
    bad = HOSTILE["exponential_fields"]()
    with Sandbox(trust, limits=LIMITS, places=1, waiting=1) as sandbox, ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(sandbox.examine, bad, at=NOW) for _ in range(6)]
        errors = [done.exception() for done in asked]
        refused = [error for error in errors if isinstance(error, SandboxBusyError)]
        assert len(refused) in {1, 2, 3, 4}
        assert errors.count(None) == 6 - len(refused)
        assert sandbox.examine(sealed, at=NOW).verdict is Verdict.STATUS_UNKNOWN


def test_a_child_that_died_is_started_anew(sealed: bytes, trust: TrustRoots) -> None:
    """The child killed from outside costs one start and no answer."""
    with Sandbox(trust, limits=LIMITS) as sandbox:
        assert sandbox.examine(sealed, at=NOW).verdict is Verdict.STATUS_UNKNOWN
        child = sandbox._child
        assert child is not None
        child.kill()
        child.wait()
        assert sandbox.examine(sealed, at=NOW).verdict is Verdict.STATUS_UNKNOWN


def test_a_file_above_the_limit_is_refused_unparsed(sandbox: Sandbox) -> None:
    """More than 20 MB: answered at once, with the reason."""
    report = sandbox.examine(b"%PDF-" + bytes(21 << 20), at=NOW)
    assert report.verdict is Verdict.UNREADABLE
    assert "20 MB" in report.findings[0].detail


def test_files_of_one_sender_share_a_fork(
    sealed: bytes, sealed_rsa: bytes, trust: TrustRoots, sandbox: Sandbox
) -> None:
    """Each gets the report it would get alone, in the order given; one that is not genuine spoils no other."""
    altered = sealed.replace(b"/Type /Page", b"/Type /Pagf", 1)
    files = [sealed, altered, sealed_rsa, b"not a PDF", sealed]
    assert sandbox.examine_all(files, at=NOW) == [examine(pdf, trust=trust, at=NOW) for pdf in files]
    assert sandbox.examine_all([], at=NOW) == []


def test_a_bomb_takes_nobody_with_it(sealed: bytes, other: bytes, sandbox: Sandbox) -> None:
    """What shared the fork with a file that ended it, before and after, still gets its own verdict."""
    reports = sandbox.examine_all([sealed, HOSTILE["exponential_fields"](), other], at=NOW)
    expected = [Verdict.STATUS_UNKNOWN, Verdict.UNREADABLE, Verdict.STATUS_UNKNOWN]
    assert [report.verdict for report in reports] == expected


def test_the_child_warms_up_on_a_whole_examination() -> None:
    """The shipped file passes every check that needs neither register nor list; nothing is left for a fork to load."""
    report = child.warm_up()
    assert {finding.check: finding.outcome for finding in report.findings if finding.outcome != "pass"} == {
        "seal": "unknown",
        "status": "unknown",
    }
    assert {"signature", "time", "revocation", "facts"} <= {finding.check for finding in report.findings}
