"""Codes with lists and register: what the vectors do not hold because it needs a register."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from certlib.crypto.development import development_key
from certlib.domain.verdict import Verdict
from certlib.errors import StorageError
from certlib.formats.code import CodePayload, code_text, sign_code
from certlib.formats.status import pack, read_status_list, sign_status_list
from certlib.formats.trust import COMPROMISED, Names, TrustedKey, TrustList
from certlib.verify.codes import examine_code
from tests.verify.samples import MemoryRegister

CODE, STATUS = development_key("code-2026"), development_key("status-2026")
NOW = datetime(2026, 4, 1, tzinfo=UTC)
KEY = TrustedKey(public_key=CODE.public_key, uses=("code",), issuer=Names("赣州市"))
TRUST = TrustList(
    seq=1,
    issued=NOW,
    host="zwfw.example.gov.cn",
    keys=(KEY, TrustedKey(public_key=STATUS.public_key, uses=("status",), issuer=Names("赣州市"))),
    types={7: Names("医疗器械经营许可证")},
)
PAYLOAD = CodePayload(
    type_number=7,
    number="赣虔药监械经营许20260001号",
    edition=1,
    name="",
    issued=date(2026, 3, 9),
    expires=date(2031, 3, 8),
    digest=bytes(16),
    n=7,
)
TEXT = code_text(sign_code(PAYLOAD, CODE), "zwfw.example.gov.cn")


@pytest.mark.parametrize("verdict", [Verdict.VALID, Verdict.PAPER_LOST, Verdict.SUPERSEDED, Verdict.REVOKED])
def test_the_register_says_the_state_of_this_carrier(verdict: Verdict, register: MemoryRegister) -> None:
    """By the index in the code."""
    register.add(b"", verdict, cause="revoked", current_edition=3)
    report = examine_code(TEXT, TRUST, at=NOW, lookup=register)
    assert report.verdict is verdict
    assert report.current_edition == 3
    assert report.certificate is not None
    assert report.certificate.title == "医疗器械经营许可证"


@pytest.mark.parametrize("change", [{"number": "another"}, {"edition": 2}, {"issued_on": date(2026, 3, 10)}, {"n": 8}])
def test_a_code_that_the_register_contradicts_is_not_the_issuers(
    change: dict[str, object], register: MemoryRegister
) -> None:
    """Another number, edition or day, or no such index: a good signature does not help, and nothing is shown."""
    register.add(b"", **change)
    report = examine_code(TEXT, TRUST, at=NOW, lookup=register)
    assert report.verdict is Verdict.NOT_THE_ISSUED_FILE
    assert report.certificate is None


def test_a_register_that_fails_leaves_the_state_to_the_list() -> None:
    """An outage falls back on the status list, and without one the state is unknown."""

    class Down(MemoryRegister):
        def by_index(self, n: int, *, at: datetime) -> None:
            raise StorageError("down")

    assert examine_code(TEXT, TRUST, at=NOW, lookup=Down()).verdict is Verdict.STATUS_UNKNOWN
    token = sign_status_list(
        pack([(7, 0)], shard=0),
        shard=0,
        address="https://zwfw.example.gov.cn/public/status/0",
        journal_size=1,
        high_water=9,
        key=STATUS,
        now=NOW,
    )
    shard = read_status_list(token, TRUST)
    report = examine_code(TEXT, TRUST, at=NOW + timedelta(hours=1), lookup=Down(), shard=shard)
    assert report.verdict is Verdict.VALID
    assert report.status_at == NOW


def test_a_leaked_keys_code_is_believed_only_with_the_register(register: MemoryRegister) -> None:
    """Compromise drill: by itself nothing, confirmed by the register its state, contradicted nothing."""
    leaked = replace(TRUST, keys=(replace(KEY, state=COMPROMISED, compromised_since=NOW), *TRUST.keys[1:]))
    assert examine_code(TEXT, leaked, at=NOW).verdict is Verdict.SIGNATURE_INVALID
    assert examine_code(TEXT, leaked, at=NOW, lookup=register).verdict is Verdict.SIGNATURE_INVALID
    register.add(b"")
    report = examine_code(TEXT, leaked, at=NOW, lookup=register)
    assert report.verdict is Verdict.VALID
    assert report.finding("issuer").outcome == "warn"  # type: ignore[union-attr]


def test_another_host_is_pointed_out_and_changes_nothing(register: MemoryRegister) -> None:
    """The address in the code leads a camera, and proves nothing."""
    register.add(b"")
    report = examine_code(TEXT.replace("zwfw.example", "zvvfw.example"), TRUST, at=NOW, lookup=register)
    assert report.verdict is Verdict.VALID
    assert report.finding("host").outcome == "warn"  # type: ignore[union-attr]
