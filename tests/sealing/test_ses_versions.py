"""Signatures of every version of the standard, truly signed: each step has a finding of its own."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from certlib.crypto import der
from certlib.crypto.certificates import Certificate
from certlib.crypto.cms import Signer
from certlib.crypto.development import development_timestamps
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.sm2 import SM2_SM3, sm3
from certlib.formats.ses import Picture, SealInfo, encode_seal, encode_signature, encode_tbs
from certlib.formats.ses_reader import read_seal, read_signature
from certlib.verify.chain import Authorities
from certlib.verify.ses import STEPS, SesReport, examine_ses
from tests.sealing.test_ses import FROM, LABEL, NOW, UNTIL, _raw, authorities, signer

__all__ = ["authorities", "signer"]  # fixtures

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")

PDF = b"%PDF-1.7 the sealed file"
ALGORITHM = der.oid(SM2_SM3)
Signers = Callable[[str], Signer]


def info(holder: Certificate, version: int, created: datetime = NOW) -> SealInfo:
    return SealInfo(
        version=version,
        vendor="CERTLIB",
        es_id=holder.common_name,
        type=1,
        name="赣州市行政审批局",
        holders=(holder.der,),
        created=created,
        valid_from=FROM,
        valid_until=UNTIL,
        picture=Picture("PNG", b"picture", 42, 42),
    )


def seal_of_2014(holder: Certificate, maker: Signer) -> bytes:
    """GM/T 0031-2014: dates in UTCTime, no list type; the maker signs information, certificate and algorithm."""
    mine = info(holder, 1)
    dates = (mine.created, mine.valid_from, mine.valid_until)
    properties = (der.integer(1), der.utf8(mine.name), der.sequence(der.octets(holder.der)))
    stated = der.sequence(
        der.sequence(der.ia5("ES"), der.integer(1), der.ia5("OLD")),
        der.ia5(mine.es_id),
        der.sequence(*properties, *(der.tlv(0x17, at.strftime("%y%m%d%H%M%SZ").encode()) for at in dates)),
        der.sequence(der.ia5("GIF"), der.octets(b"picture"), der.integer(40), der.integer(40)),
    )
    by = (der.octets(maker.certificate.der), ALGORITHM)
    return der.sequence(stated, der.sequence(*by, der.bits(maker.key.sign(der.sequence(stated, *by)))))


def of_2014(signer: Signers, original: bytes = PDF, at: datetime = NOW) -> bytes:
    """A seal signature of version 1: certificate and algorithm stand inside what is signed."""
    holder = signer(LABEL)
    stated = der.bits(der.tlv(0x17, at.strftime("%y%m%d%H%M%SZ").encode()))
    parts = (stated, der.bits(sm3(original)), der.ia5("/Doc_0"), der.octets(holder.certificate.der), ALGORITHM)
    tbs = der.sequence(der.integer(1), seal_of_2014(holder.certificate, signer("seal-maker")), *parts)
    return der.sequence(tbs, der.bits(holder.key.sign(tbs)))


def of_2025(
    signer: Signers, *, maker: str = "seal-maker", created: datetime = NOW, stamped: datetime = NOW, at: datetime = NOW
) -> bytes:
    """A seal signature of version 5 (GM/T 0031-2025): seal and signature each have a timestamp over their value."""
    holder, by, stamps = signer(LABEL), signer(maker), development_timestamps("sm2-sm3")
    stated = info(holder.certificate, 5, created).encode()
    value = by.key.sign(stated)
    token = der.explicit(0, der.bits(stamps.stamp(sm3(value), now=stamped).token))
    seal = der.sequence(stated, der.octets(by.certificate.der), ALGORITHM, der.bits(value), token)
    tbs = encode_tbs(seal, at, sm3(PDF), "application/pdf").replace(der.integer(4), der.integer(5), 1)
    signature = holder.key.sign(tbs)
    return encode_signature(tbs, holder.certificate.der, signature, stamps.stamp(sm3(signature), now=at).token)


def outcomes(report: SesReport) -> dict[str, str]:
    assert len({one.check for one in report.findings}) == len(report.findings)
    return {one.check: one.outcome for one in report.findings}


PASSED = dict.fromkeys(["format", *STEPS], "pass")


def test_version_1_step_by_step(signer: Signers, authorities: Authorities) -> None:
    """Every step passes but the timestamp, which the version knows only in the place of the time: a warning."""
    report = examine_ses(of_2014(signer), PDF, authorities, at=NOW)
    assert report.signature is not None
    assert report.signature.seal.info.version == 1
    assert outcomes(report) == {**PASSED, "timestamp": "warn"}
    assert report.holds


def test_version_1_forged(signer: Signers, authorities: Authorities) -> None:
    """Another file, a seal with another name, a signature over something else: each fails its own step."""
    good = of_2014(signer)
    assert outcomes(examine_ses(good, b"other", authorities, at=NOW))["hash"] == "fail"
    read = read_signature(good)
    renamed = good.replace("赣州市行政审批局".encode(), "赣州市行政审批所".encode(), 1)
    assert outcomes(examine_ses(renamed, PDF, authorities, at=NOW))["seal"] == "fail"
    swapped = der.sequence(read.signed, der.bits(signer(LABEL).key.sign(b"another")))
    assert outcomes(examine_ses(swapped, PDF, authorities, at=NOW)) == {
        **PASSED,
        "signature": "fail",
        "timestamp": "warn",
    }


def test_version_1_may_be_raw(signer: Signers, authorities: Authorities) -> None:
    """r ‖ s in 64 bytes, which older devices write."""
    good = of_2014(signer)
    value = read_signature(good).signature
    tbs = read_signature(good).signed
    raw = der.sequence(tbs, der.bits(_raw(value)))
    assert outcomes(examine_ses(raw, PDF, authorities, at=NOW))["signature"] == "pass"


def test_version_5_step_by_step(signer: Signers, authorities: Authorities) -> None:
    """Every step passes, the seal's own timestamp within its step."""
    report = examine_ses(of_2025(signer), PDF, authorities, at=NOW)
    assert outcomes(report) == PASSED
    assert next(one.detail for one in report.findings if one.check == "seal").startswith("印章时间戳")


def test_version_5_judges_the_maker_at_the_making(signer: Signers, authorities: Authorities) -> None:
    """A maker that ended before it fails, one that ended since warns; a seal stamped before it was made fails."""
    ended = outcomes(examine_ses(of_2025(signer, maker="seal-expired"), PDF, authorities, at=NOW))
    assert ended["maker"] == "fail"
    early = of_2025(signer, stamped=NOW - timedelta(days=2))
    assert outcomes(examine_ses(early, PDF, authorities, at=NOW))["seal"] == "fail"
    later = datetime.fromisoformat("2046-02-01T00:00:00Z")
    assert outcomes(examine_ses(of_2025(signer), PDF, authorities, at=later))["maker"] == "warn"


def test_a_seal_that_is_not_der_is_verified_over_its_own_bytes(signer: Signers, authorities: Authorities) -> None:
    """Long lengths throughout, as a program in use writes them: what was signed is what came, and it holds."""
    holder, maker = signer(LABEL), signer("seal-maker")
    stated = _long(info(holder.certificate, 4).encode())
    seal = encode_seal(stated, maker.certificate.der, maker.key.sign(stated))
    tbs = _long(encode_tbs(seal, NOW, sm3(PDF), "application/pdf"))
    signature = _long(encode_signature(tbs, holder.certificate.der, holder.key.sign(tbs)))
    read = read_signature(signature)
    assert (read.signed, read.seal.signed) == (tbs, stated)
    assert outcomes(examine_ses(signature, PDF, authorities, at=NOW)) == {**PASSED, "timestamp": "warn"}
    tidy = read_seal(encode_seal(read.seal.info.encode(), maker.certificate.der, read.seal.signature))
    assert tidy.signed != read.seal.signed  # written again it would be other bytes, which nobody signed


def _long(element: bytes) -> bytes:
    """The same SEQUENCE with its length in four octets."""
    first = element[1]
    content = element[2:] if first < 0x80 else element[2 + (first & 0x7F) :]
    return b"\x30\x84" + len(content).to_bytes(4, "big") + content
