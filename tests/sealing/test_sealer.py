"""The Sealer: one reserved use, one signature, and every failure recorded."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from certlib.crypto.development import development_timestamps
from certlib.crypto.timestamps import HttpTimestamps, Timestamp
from certlib.domain.page import Box
from certlib.domain.seal import SealKind, SealSpec
from certlib.errors import (
    CertlibError,
    ConfigurationError,
    ConflictError,
    KeyUnavailableError,
    SealFailedError,
    TimestampUnavailableError,
)
from certlib.sealing.identities import SealIdentity, load_identities
from certlib.sealing.sealer import Sealer
from certlib.sealing.selfcheck import check_sealed
from tests.crypto.test_timestamps import BAD
from tests.crypto.test_timestamps import _server as timestamp_server

P256 = "p256-sha256"
NOW = datetime.fromisoformat("2026-01-02T03:04:05Z")
WRONG = {
    "36070000000091": ("seal-expired", "到期"),
    "36070000000092": ("seal-early", "才有效"),
    "36070000000093": ("seal-revoked", "吊销"),
    "36070000000094": ("seal-wrong-usage", "用途"),
}


@pytest.fixture(scope="module")
def identities(keys: Path) -> dict[str, SealIdentity]:
    """A good seal and those that must not work, in P-256."""
    good = _spec("36070000000002", "seal-ganzhou-approval-approval-1")
    return load_identities([good, *(_spec(seal, label) for seal, (label, _) in WRONG.items())], keys, P256)


@pytest.fixture
def sealer(identities: dict[str, SealIdentity], ledger) -> Sealer:
    """A Sealer with the development authority for time."""
    return Sealer(identities, development_timestamps(), ledger)


@pytest.mark.parametrize("level", ["B-B", "B-T"])
def test_an_intent_becomes_a_sealed_file(sealer: Sealer, ledger, ordered: Callable[..., str], level: str) -> None:
    """Order and result agree; the use stays reserved for the transaction that registers the file."""
    order, sealed = sealer.seal(ordered(level=level), now=NOW)
    assert sealed.sha256 == hashlib.sha256(sealed.pdf).hexdigest()
    assert sealed.pdf.startswith(order.pdf)
    assert (sealed.level, sealed.signed_at) == (level, NOW)
    assert sealed.timestamped_at == (NOW if level == "B-T" else None)
    assert ledger.states == {order.counter: "reserved"}


def test_what_the_ledger_refuses_is_not_sealed(sealer: Sealer, ledger) -> None:
    """Its refusal comes through; there is nothing to release."""
    with pytest.raises(ConflictError):
        sealer.seal("unknown", now=NOW)
    assert ledger.states == {}


FAILURES: list[tuple[str, dict[str, object], type[CertlibError], str]] = [
    ("unknown seal", {"seal": "36070000000099"}, SealFailedError, "没有配置"),
    ("other suite", {"suite": "rsa3072-sha256"}, SealFailedError, "套件"),
    ("changed bytes", {"sha256": "0" * 64}, SealFailedError, "摘要"),
    ("no PDF", {"pdf": b"nonsense"}, SealFailedError, "结构"),
    ("unknown level", {"level": "B-LTA"}, SealFailedError, "B-LTA"),
    ("box too small", {"placement": Box(1, 130, 60, 40, 40)}, SealFailedError, "直径"),
    ("no such page", {"placement": Box(9, 130, 60, 42, 42)}, SealFailedError, "未用印"),
    *((label, {"seal": seal}, SealFailedError, why) for seal, (label, why) in WRONG.items()),
]


@pytest.mark.parametrize(("changes", "kind", "why"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_a_failure_releases_the_use_with_its_reason(
    sealer: Sealer, ledger, ordered: Callable[..., str], changes: dict[str, object], kind: type[CertlibError], why: str
) -> None:
    """Whatever fails after the reservation: an error of ours, and the ledger knows why."""
    with pytest.raises(kind, match=why) as caught:
        sealer.seal(ordered(**changes), now=NOW)
    assert ledger.states == {1: "released"}
    assert ledger.reasons == {1: caught.value.message}


@pytest.mark.parametrize(("answer", "why"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_answer_of_the_authority_releases_the_use(
    identities: dict[str, SealIdentity], ledger, ordered: Callable[..., str], answer: Any, why: str
) -> None:
    """Nonsense, late, for another digest and the rest, over HTTP: nothing is sealed, and the ledger knows why."""
    with timestamp_server(answer(development_timestamps())) as url:
        sealer = Sealer(identities, HttpTimestamps([url], timeout=0.3), ledger)
        with pytest.raises(TimestampUnavailableError, match=why) as caught:
            sealer.seal(ordered(level="B-T"), now=NOW)
    assert ledger.states == {1: "released"}
    assert ledger.reasons == {1: caught.value.message}


@pytest.mark.parametrize("timestamper", [None, HttpTimestamps(["http://127.0.0.1:9/"])], ids=["none", "down"])
def test_a_level_that_cannot_be_reached_is_never_lowered(
    identities: dict[str, SealIdentity], ledger, ordered: Callable[..., str], timestamper: HttpTimestamps | None
) -> None:
    """B-T without timestamp is refused and released; B-B asks no authority."""
    sealer = Sealer(identities, timestamper, ledger)
    with pytest.raises(TimestampUnavailableError):
        sealer.seal(ordered(level="B-T"), now=NOW)
    assert ledger.states == {1: "released"}
    assert sealer.seal(ordered(level="B-B"), now=NOW)[1].level == "B-B"


class _Liar:
    """An authority whose token is another signature's."""

    reserve, digest = 4000, "sha256"

    def stamp(self, imprint: bytes, *, now: datetime) -> Timestamp:
        return development_timestamps().stamp(bytes(32), now=now)


class _Bloated:
    """An authority whose tokens are longer than it promised."""

    reserve, digest = 100, "sha256"

    def stamp(self, imprint: bytes, *, now: datetime) -> Timestamp:
        return development_timestamps().stamp(imprint, now=now)


class _Broken:
    """An authority that fails in a way nobody thought of."""

    reserve, digest = 4000, "sha256"

    def stamp(self, imprint: bytes, *, now: datetime) -> Timestamp:
        raise ZeroDivisionError("secret detail")


@pytest.mark.parametrize(("authority", "why"), [(_Liar(), "自检"), (_Bloated(), "未用印"), (_Broken(), "内部错误")])
def test_a_bad_result_never_leaves(
    identities: dict[str, SealIdentity], ledger, ordered: Callable[..., str], authority: object, why: str
) -> None:
    """The Sealer's own check finds what a faulty part did; an unforeseen error tells no detail and releases too."""
    with pytest.raises(SealFailedError, match=why) as caught:
        Sealer(identities, authority, ledger).seal(ordered(), now=NOW)  # type: ignore[arg-type]
    assert ledger.states == {1: "released"}
    assert "secret" not in caught.value.message


def test_a_key_file_that_vanished_releases_the_use(
    keys: Path, tmp_path: Path, ledger, ordered: Callable[..., str]
) -> None:
    """The certificate was read at start, the key is gone at first use: the file is named."""
    spec = _spec("36070000000002", "seal-ganzhou-approval-approval-1")
    path = tmp_path / "seals" / f"{spec.certificate}.p256.pem"
    path.parent.mkdir()
    path.write_bytes((keys / "seals" / path.name).read_bytes())
    sealer = Sealer(load_identities([spec], tmp_path, P256), development_timestamps(), ledger)
    path.unlink()
    with pytest.raises(KeyUnavailableError, match=path.name):
        sealer.seal(ordered(), now=NOW)
    assert ledger.states == {1: "released"}
    assert sealer.probe(now=NOW).keys() == {spec.id}


def test_a_key_of_another_seal_releases_the_use(keys: Path, ledger, ordered: Callable[..., str]) -> None:
    """Certificate of one seal, key of another."""
    spec = _spec("36070000000002", "seal-ganzhou-approval-approval-1")
    good = load_identities([spec], keys, P256)[spec.id]
    foreign = f"pem:{keys}/seals/seal-ganzhou-approval-approval-2.p256.pem"
    identity = SealIdentity(spec, foreign, (good.certificate, *good.chain))
    with pytest.raises(SealFailedError, match="不是一对"):
        Sealer({spec.id: identity}, development_timestamps(), ledger).seal(ordered(), now=NOW)
    assert ledger.states == {1: "released"}


def test_wrong_files_are_found_at_start(keys: Path, tmp_path: Path) -> None:
    """Another seal's certificate, a missing file, a file without certificate."""
    with pytest.raises(ConfigurationError, match="属于 36070000000022"):
        load_identities([_spec("36070000000002", "seal-ganzhou-approval-approval-2")], keys, P256)
    with pytest.raises(ConfigurationError, match=r"seal-nobody\.p256\.pem"):
        load_identities([_spec("36070000000002", "seal-nobody")], keys, P256)
    (tmp_path / "seals").mkdir()
    (tmp_path / "seals" / "seal-empty.p256.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"seal-empty\.p256\.pem"):
        load_identities([_spec("36070000000002", "seal-empty")], tmp_path, P256)


def test_the_probe_names_the_seals_that_cannot_be_used(sealer: Sealer) -> None:
    """All the wrong ones and only those, each with its reason."""
    faults = sealer.probe(now=NOW)
    assert faults.keys() == WRONG.keys()
    assert all(WRONG[seal][1] in why for seal, why in faults.items())


def test_sixteen_threads_seal_at_once(sealer: Sealer, ledger, ordered: Callable[..., str]) -> None:
    """Each intent gets its own file under its own counter; nothing is released."""
    intents = [ordered() for _ in range(64)]
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda intent: sealer.seal(intent, now=NOW), intents))
    assert {order.counter for order, _ in results} == set(range(1, 65))
    assert {order.intent for order, _ in results} == set(intents)
    assert len({sealed.sha256 for _, sealed in results}) == 64
    assert set(ledger.states.values()) == {"reserved"}


def test_the_check_finds_any_change(
    identities: dict[str, SealIdentity], sealer: Sealer, ordered: Callable[..., str]
) -> None:
    """A byte flipped in the base, in the update, in the signature; bytes appended; another signer; the other level."""
    order, sealed = sealer.seal(ordered(), now=NOW)
    signer = identities["36070000000002"].signer(at=NOW)
    check_sealed(sealed.pdf, order.pdf, signer, stamped="sha256")
    hole = int(sealed.pdf.split(b"/ByteRange [0 ")[1].split()[0])
    for at in (
        100,
        len(order.pdf) + 50,
        hole + 900,  # in the certificate
        sealed.pdf.rindex(b"36070000000002".hex().encode()),  # in the signed attribute
        sealed.pdf.index(b"0>", hole),
        len(sealed.pdf) - 10,
    ):
        with pytest.raises(SealFailedError):
            check_sealed(_flip(sealed.pdf, at), order.pdf, signer, stamped="sha256")
    for wrong in (sealed.pdf + b"\n", sealed.pdf[:-1], order.pdf, b"x" + sealed.pdf):
        with pytest.raises(SealFailedError):
            check_sealed(wrong, order.pdf, signer, stamped="sha256")
    with pytest.raises(SealFailedError):
        check_sealed(sealed.pdf, order.pdf, signer, stamped=None)


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _spec(seal: str, certificate: str) -> SealSpec:
    return SealSpec(
        id=seal,
        authority="ganzhou-approval",
        kind=SealKind.APPROVAL,
        name="赣州市行政审批局行政审批专用章",
        arc_text="赣州市行政审批局",
        lines=("行政审批专用章", "(1)"),
        certificate=certificate,
    )
