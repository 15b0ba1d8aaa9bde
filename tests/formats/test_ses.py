"""Reading electronic seals and seal signatures of every version, as they come."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.crypto import der
from certlib.crypto.sm2 import SM2_SM3
from certlib.formats.ses import (
    BY_DIGEST,
    Extension,
    Picture,
    SealInfo,
    encode_seal,
    encode_signature,
    encode_tbs,
)
from certlib.formats.ses_reader import read_seal, read_signature

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INFO = SealInfo(
    version=4,
    vendor="CERTLIB",
    es_id="36070000000002",
    type=99,
    name="赣州市行政审批局行政审批专用章",
    holders=(b"certificate",),
    created=NOW,
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2031, 1, 1, tzinfo=UTC),
    picture=Picture("PNG", b"picture", 42, 42),
)
ALGORITHM = der.oid(SM2_SM3)
DATES = (INFO.created, INFO.valid_from, INFO.valid_until)


def _utc(at: datetime) -> bytes:
    return der.tlv(0x17, at.strftime("%y%m%d%H%M%SZ").encode())


def _info_v1() -> bytes:
    """GM/T 0031-2014: UTCTime, no list type."""
    properties = der.sequence(
        der.integer(1),
        der.utf8("旧版印章"),
        der.sequence(der.octets(b"certificate")),
        *map(_utc, (NOW, INFO.valid_from, INFO.valid_until)),
    )
    picture = der.sequence(der.ia5("GIF"), der.octets(b"picture"), der.integer(40), der.integer(40))
    header = der.sequence(der.ia5("ES"), der.integer(1), der.ia5("OLD"))
    return der.sequence(header, der.ia5("4401"), properties, picture)


def _seal_v1() -> bytes:
    return der.sequence(_info_v1(), der.sequence(der.octets(b"maker"), ALGORITHM, der.bits(b"seal signature")))


SEAL = encode_seal(INFO.encode(), b"maker", b"seal signature")
TBS = encode_tbs(SEAL, NOW, bytes(32), "application/pdf;bytes=0-9", [Extension("1.2.3", critical=True, value=b"x")])
SIGNATURE = encode_signature(TBS, b"certificate", b"signature", b"token")


def test_version_4_reads_back() -> None:
    """Every field, and the slices that were signed."""
    read = read_signature(SIGNATURE)
    assert read.seal.info == INFO
    assert (read.seal.signed, read.seal.raw) == (INFO.encode(), SEAL)
    assert (read.seal.certificate, read.seal.signature, read.seal.algorithm) == (b"maker", b"seal signature", SM2_SM3)
    assert (read.signed, read.raw) == (TBS, SIGNATURE)
    assert (read.version, read.time, read.data_hash, read.property) == (4, NOW, bytes(32), "application/pdf;bytes=0-9")
    assert read.extensions == (Extension("1.2.3", critical=True, value=b"x"),)
    assert (read.certificate, read.signature, read.timestamp) == (b"certificate", b"signature", b"token")
    assert read_seal(SEAL) == read.seal


def test_version_4_re_encodes_byte_for_byte() -> None:
    """What was read, written again, is the same."""
    read = read_signature(SIGNATURE)
    seal = encode_seal(read.seal.info.encode(), read.seal.certificate, read.seal.signature)
    tbs = encode_tbs(seal, NOW, read.data_hash, read.property, read.extensions)
    assert encode_signature(tbs, read.certificate, read.signature, read.timestamp) == SIGNATURE


def test_version_5_has_a_timestamp_on_the_seal() -> None:
    """GM/T 0031-2025: a fifth element of the seal."""
    info = INFO.encode().replace(der.integer(4) + der.ia5("CERTLIB"), der.integer(5) + der.ia5("CERTLIB"))
    seal = der.sequence(info, der.octets(b"maker"), ALGORITHM, der.bits(b"s"), der.explicit(0, der.bits(b"stamp")))
    assert read_seal(seal).timestamp == b"stamp"
    assert read_seal(seal).info.version == 5


def test_version_1_is_told_by_its_two_elements() -> None:
    """GM/T 0031-2014: the maker signed info, certificate and algorithm; the signer's parts stand inside TBS_Sign."""
    parts = (der.bits(_utc(NOW)), der.bits(bytes(32)), der.ia5("/doc"), der.octets(b"certificate"), ALGORITHM)
    tbs = der.sequence(der.integer(1), _seal_v1(), *parts)
    read = read_signature(der.sequence(tbs, der.bits(b"signature")))
    assert read.seal.info.name == "旧版印章"
    assert read.seal.info.created == NOW
    assert read.seal.signed == der.sequence(_info_v1(), der.octets(b"maker"), ALGORITHM)
    assert (read.signed, read.time, read.certificate, read.signature) == (tbs, NOW, b"certificate", b"signature")


def test_version_1_may_have_a_timestamp_for_its_time() -> None:
    """What is no time in the place of the time is a token."""
    parts = (der.bits(der.sequence(der.integer(1))), der.bits(bytes(32)), der.ia5("/doc"))
    tbs = der.sequence(der.integer(1), _seal_v1(), *parts, der.octets(b"certificate"), ALGORITHM)
    read = read_signature(der.sequence(tbs, der.bits(b"signature")))
    assert (read.time, read.timestamp) == (None, der.sequence(der.integer(1)))


def test_what_is_not_der_is_read_and_kept() -> None:
    """An explicit FALSE, a long form of length, a local time zone: the slices are the bytes that came."""
    extension = der.sequence(der.oid("1.2.3"), b"\x01\x01\x00", der.octets(b"v"))
    info = INFO.encode()
    inner = _content(info) + der.sequence(extension)
    odd = b"\x30\x84" + len(inner).to_bytes(4, "big") + inner
    read = read_seal(encode_seal(odd, b"maker", b"s"))
    assert read.signed == odd
    assert read.info.extensions == (Extension("1.2.3", critical=False, value=b"v"),)


def test_an_extension_without_its_default_is_read() -> None:
    """`critical` left out, as DER has it."""
    entry = der.sequence(der.sequence(der.oid("1.2.3"), der.octets(b"v")))
    info = _content(INFO.encode()) + entry
    assert not read_seal(encode_seal(der.sequence(info), b"maker", b"s")).info.extensions[0].critical


def test_digests_may_stand_for_certificates() -> None:
    """certListType 2: algorithm and digest of each."""
    listed = der.sequence(der.sequence(der.tlv(0x13, b"SM3"), der.octets(bytes(32))))
    kept = _content(INFO.encode())
    old = der.integer(1) + der.sequence(der.octets(b"certificate"))
    start = kept.index(der.integer(99))
    properties = der.sequence(
        kept[start : kept.index(old)] + der.integer(2) + listed + b"".join(map(der.generalized_time, DATES))
    )
    es_id = der.ia5(INFO.es_id)
    picture = kept[kept.index(der.ia5("PNG")) - 2 :]
    whole = der.sequence(kept[: kept.index(es_id)], es_id, properties, picture)
    seal = read_seal(encode_seal(whole, b"maker", b"s"))
    assert (seal.info.list_type, seal.info.holders) == (BY_DIGEST, (bytes(32),))


def _content(element: bytes) -> bytes:
    """What stands behind an element's tag and length."""
    return element[2:] if element[1] < 0x80 else element[2 + (element[1] & 0x7F) :]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "空的"),
        (b"nonsense", "."),
        (SIGNATURE + b"\x00\x00", "多余"),
        (SIGNATURE[:-1], "编码"),
        (der.sequence(TBS), "字段数"),
        (der.sequence(TBS, der.integer(1), ALGORITHM, der.bits(b"")), "签章者证书的类型"),
        (der.sequence(TBS, der.octets(b""), ALGORITHM, b"\x03\x02\x03\x00"), "签名值不是整数个字节"),
        (encode_signature(TBS.replace(b"ES", b"XX"), b"", b""), "不是 ES"),
        (encode_signature(TBS.replace(b"20260102030405Z", b"20261302030405Z"), b"", b""), "无法读取"),
    ],
    ids=["empty", "nonsense", "trailing", "cut", "short", "wrong type", "bits", "not ES", "no such month"],
)
def test_what_cannot_be_read_names_its_part(data: bytes, why: str) -> None:
    """Each an error of one kind."""
    with pytest.raises(ValueError, match=why):
        read_signature(data)


@given(st.data())
def test_no_change_of_a_byte_crashes_the_reader(data: st.DataObject) -> None:
    """Anything but a ValueError would be a defect."""
    at = data.draw(st.integers(min_value=0, max_value=len(SIGNATURE) - 1))
    changed = SIGNATURE[:at] + bytes([data.draw(st.integers(0, 255))]) + SIGNATURE[at + 1 :]
    try:
        read_signature(changed)
    except ValueError:
        return
