"""The signed code: what is written is read, what is not in its one form is refused with its class."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.crypto.development import development_key
from certlib.crypto.keys import PemKey
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.sm2 import Sm2PrivateKey
from certlib.domain.verdict import GENUINE, Verdict
from certlib.formats.code import EPOCH, CodeError, CodePayload, code_text, read_code, sign_code, verify_code
from certlib.formats.digits import from_digits, to_digits
from certlib.formats.trust import Names, TrustedKey, TrustList

CODE = development_key("code-2026")
TRUST = TrustList(
    seq=1,
    issued=datetime(2026, 1, 1, tzinfo=UTC),
    keys=(TrustedKey(public_key=CODE.public_key, uses=("code",), issuer=Names("赣州市", "Ganzhou")),),
)
PAYLOAD = CodePayload(
    type_number=7,
    number="赣虔药监械经营许20260001号",
    edition=1,
    name="欧*",
    issued=date(2026, 3, 9),
    expires=None,
    digest=bytes(16),
    n=5,
)
TEXT = code_text(sign_code(PAYLOAD, CODE), "zwfw.example.gov.cn")

days = st.dates(EPOCH, date(2200, 1, 1))
texts = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=64)
payloads = st.builds(
    CodePayload,
    type_number=st.integers(0, 65535),
    number=texts,
    edition=st.integers(0, 999),
    name=st.one_of(st.just(""), texts),
    issued=days,
    expires=st.none() | days,
    digest=st.binary(min_size=16, max_size=16),
    n=st.integers(0, (1 << 48) - 1),
    carrier=st.integers(0, 99),
    issuer_number=st.integers(0, 65535),
)


@given(payloads)
@settings(deadline=None)
def test_every_payload_is_read_as_it_was_written(payload: CodePayload) -> None:
    """Sign, write as digits, read, verify: the same values, under the right key."""
    code = read_code(code_text(sign_code(payload, CODE), "zwfw.example.gov.cn"))
    assert code.payload == payload
    assert verify_code(code, TRUST).public_key == CODE.public_key


@given(st.binary(max_size=200))
def test_digits_hold_any_bytes(data: bytes) -> None:
    """Bytes to digits and back, in the number of digits promised."""
    digits = to_digits(data)
    assert from_digits(digits) == data
    assert len(digits) == len(data) // 7 * 17 + [0, 3, 5, 8, 10, 13, 15][len(data) % 7]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_single_digit_changed_is_refused(data: st.DataObject) -> None:
    """No other code is one digit away from a good one."""
    at = data.draw(st.integers(TEXT.index("#") + 1, len(TEXT) - 1))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != TEXT[at]]))
    with pytest.raises(CodeError) as caught:
        verify_code(read_code(TEXT[:at] + digit + TEXT[at + 1 :]), TRUST)
    assert Verdict(caught.value.code) not in GENUINE


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: "https://a/v#1" + to_digits(data)))
def test_nothing_makes_the_reader_fail_otherwise(text: str) -> None:
    """Any text at all is either a code or a `CodeError`."""
    reason = ""
    try:
        read_code(text)
    except CodeError as error:
        reason = error.reason
    assert reason in {"", "foreign", "future", "truncated", "malformed", "unknown-algorithm"}


@pytest.mark.parametrize("cut", range(1, len(TEXT) - TEXT.index("#")))
def test_a_code_cut_short_is_unreadable(cut: int) -> None:
    """However much is missing at the end, and told as incomplete, so that the person scans again.

    What is left of a block reads as other bytes, which matters only in the message's head, where its lengths stand.
    """
    with pytest.raises(CodeError) as caught:
        read_code(TEXT[:-cut])
    assert caught.value.code == Verdict.UNREADABLE
    assert caught.value.reason == "truncated" or len(TEXT) - cut < len("https://zwfw.example.gov.cn/v#1") + 51


@pytest.mark.parametrize(
    ("number", "name", "most"),
    [
        ("202600012345", "张*三", 134),
        ("赣虔药监械经营许20260001号", "张*三", 158),
        ("赣虔药监械经营许20260001号", "赣州蓉江新区某某医疗器械有限公司", 200),
    ],
)
def test_sizes_stay_as_documented(number: str, name: str, most: int) -> None:
    """A number of digits and a person; a company with a long face number. The squares follow from these lengths."""
    payload = CodePayload(
        type_number=7,
        number=number,
        edition=1,
        name=name,
        issued=date(2026, 3, 9),
        expires=date(2031, 3, 8),
        digest=bytes(16),
        n=70_000,
    )
    assert len(sign_code(payload, CODE)) <= most


@pytest.mark.parametrize("host", ["", "ZWFW.gov.cn", "a/b", "a#b", "户.cn", "a:b"])
def test_a_host_that_scanners_mangle_is_refused(host: str) -> None:
    """Only lower-case letters, digits, dots, hyphens and a port stand before the fragment."""
    with pytest.raises(ValueError, match="host"):
        code_text(b"\x00", host)


def test_a_payload_out_of_bounds_is_not_signed() -> None:
    """The issuer's mistake is found before the key is used."""
    with pytest.raises(ValueError, match="digest"):
        CodePayload(
            type_number=1,
            number="1",
            edition=1,
            name="",
            issued=EPOCH + timedelta(days=1),
            expires=None,
            digest=b"short",
            n=1,
        ).encode()


def test_the_documented_example_is_the_vectors() -> None:
    """docs/payload.md shows the payload of the vectors, byte for byte."""
    root = Path(__file__).parents[2]
    vectors = json.loads((root / "tests/vectors/codes.json").read_text(encoding="utf-8"))
    document = (root / "docs/payload.md").read_text(encoding="utf-8")
    assert vectors["payload"]["hex"] in document.replace("\n", "")
    assert vectors["facts"]["digest"] in document


def test_a_code_signed_with_sm2_is_read_by_anyone() -> None:
    """The Chinese suite has the same form and size; verifying it needs no libcrypto."""
    if unavailable():
        pytest.skip(str(unavailable()))
    private = Sm2PrivateKey.generate()
    key = PemKey.load(private.pem, name="sm2")
    trust = TrustList(
        seq=1,
        issued=datetime(2026, 1, 1, tzinfo=UTC),
        keys=(TrustedKey(public_key=key.public_key, uses=("code",), issuer=Names("赣州市")),),
    )
    text = code_text(sign_code(PAYLOAD, key), "zwfw.example.gov.cn")
    code = read_code(text)
    assert verify_code(code, trust).public_key == key.public_key
    assert len(sign_code(PAYLOAD, key)) == len(sign_code(PAYLOAD, CODE)) + 4  # the longer number of the algorithm
    with pytest.raises(CodeError) as caught:
        verify_code(code, TRUST)
    assert caught.value.reason == "unknown-key"
