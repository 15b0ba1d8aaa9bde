"""Making seals and sealing after GB/T 38540, and the verification of what came of it, step by step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from PIL import Image

from certlib.crypto import der
from certlib.crypto.attributes import SEAL_USE, SealUse
from certlib.crypto.certificates import load_certificates, load_revocation_lists
from certlib.crypto.cms import Signer
from certlib.crypto.development import development_timestamps
from certlib.crypto.keys import open_key
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.sm2 import SM2_SM3, sm3
from certlib.domain.seal import SealSpec
from certlib.domain.verdict import Verdict
from certlib.errors import RenderError, SealFailedError
from certlib.formats.ses import encode_seal, encode_signature, encode_tbs
from certlib.formats.ses_reader import read_seal, read_signature
from certlib.sealing.raster import check_png, seal_png
from certlib.sealing.ses import make_seal, seal_beside
from certlib.verify import ses_file
from certlib.verify.chain import Authorities
from certlib.verify.request import Limits
from certlib.verify.roots import TrustRoots
from certlib.verify.sandbox import Sandbox
from certlib.verify.ses import SesReport, examine_ses
from certlib.verify.ses_file import examine_ses_file
from tests.conftest import Run

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")

NOW = datetime.fromisoformat("2026-01-02T03:04:05Z")
FROM, UNTIL = datetime.fromisoformat("2026-01-01T00:00:00Z"), datetime.fromisoformat("2031-01-01T00:00:00Z")
USE = SealUse("36070000000002", 17, bytes(32), "intent-1")
PDF = b"%PDF-1.7 the sealed file"
LABEL = "seal-ganzhou-approval-approval-1"


@pytest.fixture(scope="module")
def signer(keys: Path) -> Callable[[str], Signer]:
    """The signer of a label of the development PKI."""

    def load(label: str, short: str = "sm2") -> Signer:
        path = keys / "seals" / f"{label}.{short}.pem"
        certificate, *chain = load_certificates(path.read_bytes(), name=str(path))
        return Signer(open_key(f"pem:{path}"), certificate, tuple(chain))

    return load


@pytest.fixture(scope="module")
def authorities(keys: Path) -> Authorities:
    """Roots, issuing authority and lists of the development PKI in SM2."""
    root = load_certificates((keys / "trust-sm2" / "sm2.pem").read_bytes(), name="root")
    issuing = load_certificates((keys / "ca" / "issuing.sm2.pem").read_bytes(), name="issuing")
    return Authorities(root, issuing, load_revocation_lists(sorted((keys / "crl").glob("*.sm2.crl"))))


@pytest.fixture(scope="module")
def seal(spec: SealSpec, signer: Callable[[str], Signer]) -> bytes:
    """The seal of the approval bureau."""
    return _make(spec, signer, LABEL)


def _make(
    spec: SealSpec, signer: Callable[[str], Signer], label: str, maker: str = "seal-maker", **dates: datetime
) -> bytes:
    holder = signer(label).certificate
    given = {"valid_from": FROM, "valid_until": UNTIL, "created": NOW, **dates}
    return make_seal(replace(spec, id=holder.common_name), signer(maker), holder, **given)


@pytest.fixture(scope="module")
def signature(seal: bytes, signer: Callable[[str], Signer]) -> bytes:
    """The file sealed with a timestamp."""
    return seal_beside(PDF, seal, signer(LABEL), USE, at=NOW, timestamper=development_timestamps("sm2-sm3"))


def test_a_seal_says_what_it_is_made_from(seal: bytes, spec: SealSpec, signer: Callable[[str], Signer]) -> None:
    """Identity, name, one certificate, size in millimetres, picture; version 4."""
    read = read_seal(seal)
    assert (read.info.version, read.info.es_id, read.info.name) == (4, spec.id, spec.name)
    assert read.info.holders == (signer(LABEL).certificate.der,)
    assert (read.info.picture.width, read.info.picture.height, read.info.picture.kind) == (42, 42, "PNG")
    assert check_png(read.info.picture.data, spec)
    assert encode_seal(read.info.encode(), read.certificate, read.signature) == seal


def test_the_picture_is_transparent_and_pure_red(spec: SealSpec) -> None:
    """Whatever has ink is #FF0000, the rest lets the page through; as many dots as 600 to the inch make."""
    image = Image.open(BytesIO(seal_png(spec)))
    assert image.mode == "RGBA"
    assert image.size == (992, 992)
    assert {pixel[:3] for pixel in image.get_flattened_data()} == {(255, 0, 0)}
    assert image.getchannel("A").getextrema() == (0, 255)


def test_a_signature_covers_the_file_and_names_its_use(signature: bytes, seal: bytes) -> None:
    """SM3 of the whole file, its range in words, the seal inside, the use as an extension."""
    read = read_signature(signature)
    assert (read.data_hash, read.property, read.time) == (sm3(PDF), f"application/pdf;bytes=0-{len(PDF)}", NOW)
    assert read.seal.raw == seal
    assert [(one.oid, one.critical) for one in read.extensions] == [(SEAL_USE, False)]
    assert SealUse.read(read.extensions[0].value) == USE
    assert encode_signature(read.signed, read.certificate, read.signature, read.timestamp) == signature


def test_a_good_signature_passes_every_step(signature: bytes, authorities: Authorities) -> None:
    """One finding a step, all passed."""
    report = examine_ses(signature, PDF, authorities, at=NOW)
    steps = ["format", "signature", "holder", "signer", "hash", "seal", "maker", "period", "timestamp"]
    assert [(finding.check, finding.outcome) for finding in report.findings] == [(step, "pass") for step in steps]
    assert report.holds


def test_raw_signatures_are_read_too(signature: bytes, authorities: Authorities) -> None:
    """r ‖ s in 64 bytes, for the seal and for the signature, as seals in use have it."""
    read = read_signature(signature)
    seal = encode_seal(read.seal.signed, read.seal.certificate, _raw(read.seal.signature))
    assert _outcomes(examine_ses(_resigned(read, seal), PDF, authorities, at=NOW))["seal"] == "pass"
    raw = encode_signature(read.signed, read.certificate, _raw(read.signature))
    assert _outcomes(examine_ses(raw, PDF, authorities, at=NOW))["signature"] == "pass"


def _raw(signature: bytes) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in decode_dss_signature(signature))


def _resigned(read, seal: bytes) -> bytes:
    """The signature's frame around another seal; its own signature then no longer holds."""
    return encode_signature(encode_tbs(seal, NOW, read.data_hash, read.property), read.certificate, read.signature)


def test_each_forgery_fails_its_step(signature: bytes, seal: bytes, spec: SealSpec, signer, authorities) -> None:
    """Another file, another's signature, another seal, a foreign maker, a changed picture, a wrong algorithm."""
    read, other = read_signature(signature), signer("seal-ganzhou-approval-approval-2")
    tbs = read.signed
    foreign = _make(spec, signer, LABEL, maker="seal-foreign")
    painted = seal.replace(b"PNG", b"GIF", 1)
    at_noon = encode_tbs(seal, NOW + timedelta(hours=1), read.data_hash, read.property)
    cases = {
        "hash": (signature, b"another file"),
        "holder": (encode_signature(tbs, other.certificate.der, other.key.sign(tbs)), PDF),
        "signature": (encode_signature(at_noon, read.certificate, read.signature), PDF),
        "seal": (_sealed_with(painted, signer), PDF),
        "maker": (_sealed_with(foreign, signer), PDF),
        "timestamp": (encode_signature(tbs, read.certificate, signer(LABEL).key.sign(tbs), read.timestamp), PDF),
    }
    for step, (data, original) in cases.items():
        report = examine_ses(data, original, authorities, at=NOW)
        assert _outcomes(report)[step] == "fail", step
        assert not report.holds
    strange = signature.replace(der.oid(SM2_SM3), der.oid("1.2.156.10197.1.504"))
    assert _outcomes(examine_ses(strange, PDF, authorities, at=NOW))["signature"] == "fail"


def _sealed_with(seal: bytes, signer: Callable[[str], Signer], at: datetime = NOW, label: str = LABEL) -> bytes:
    """A signature by the holder's own key, around any seal at any time, as a stranger's program would make it."""
    holder = signer(label)
    tbs = encode_tbs(seal, at, sm3(PDF), "application/pdf")
    return encode_signature(tbs, holder.certificate.der, holder.key.sign(tbs))


HISTORIES = [
    # what happened, who sealed, when, now, step, outcome
    ("no timestamp", LABEL, NOW, NOW, "timestamp", "warn"),
    ("before the seal's validity", LABEL, FROM - timedelta(days=1), NOW, "period", "fail"),
    ("after the seal's validity", LABEL, UNTIL + timedelta(days=1), UNTIL + timedelta(days=2), "period", "fail"),
    ("seal ended since", LABEL, NOW, UNTIL + timedelta(days=1), "period", "warn"),
    ("certificate ended since", LABEL, NOW, datetime.fromisoformat("2046-02-01T00:00:00Z"), "signer", "warn"),
    ("maker's certificate ended since", LABEL, NOW, datetime.fromisoformat("2046-02-01T00:00:00Z"), "maker", "warn"),
    ("sealed after the certificate's end", "seal-expired", NOW, NOW, "signer", "fail"),
    ("sealed after the revocation", "seal-revoked", NOW, NOW, "signer", "fail"),
    (
        "sealed before the revocation",
        "seal-revoked",
        datetime.fromisoformat("2022-02-01T00:00:00Z"),
        NOW,
        "signer",
        "warn",
    ),
    ("certificate of another use", "seal-wrong-usage", NOW, NOW, "signer", "fail"),
    ("certificate of a stranger", "seal-foreign", NOW, NOW, "signer", "fail"),
]


@pytest.mark.parametrize("history", HISTORIES, ids=[row[0] for row in HISTORIES])
def test_what_counts_is_the_moment_of_sealing(history, seal: bytes, signer, authorities: Authorities) -> None:
    """Ends and revocations before it fail, after it warn."""
    _, label, sealed_at, now, step, outcome = history
    report = examine_ses(_sealed_with(seal, signer, sealed_at, label), PDF, authorities, at=now)
    assert _outcomes(report)[step] == outcome


def test_what_cannot_be_told_is_unknown_and_does_not_hold(signature: bytes, authorities: Authorities) -> None:
    """No original at hand, no revocation lists, lists signed by nobody we know, no roots."""
    report = examine_ses(signature, None, authorities, at=NOW)
    assert _outcomes(report)["hash"] == "unknown"
    assert not report.holds
    for lists in ((), tuple(replace(crl, der=crl.der[:-1] + b"\x00") for crl in authorities.revocation)):
        report = examine_ses(signature, PDF, replace(authorities, revocation=lists), at=NOW)
        assert {_outcomes(report)[step] for step in ("signer", "maker", "timestamp")} == {"unknown"}
        assert not report.holds
    report = examine_ses(signature, PDF, Authorities(()), at=NOW)
    assert {_outcomes(report)[step] for step in ("signer", "maker", "timestamp")} == {"fail"}


def test_a_file_from_a_stranger_is_examined_in_the_child(
    signature: bytes, seal: bytes, authorities: Authorities, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same report as in this process, field by field, which itself parses none of it."""
    here = [examine_ses_file(signature, PDF, authorities, at=NOW), examine_ses_file(seal, None, authorities, at=NOW)]
    here += [examine_ses_file(seal, None, authorities, at=NOW, name="a.esl")]
    assert [report.verdict for report in here] == ["status-unknown", "unreadable", "status-unknown"]

    def unwanted(*_: object, **__: object) -> None:
        raise AssertionError("parsed in the parent")

    for parser in ("examine_ses", "examine_seal"):
        monkeypatch.setattr(ses_file, parser, unwanted)
    with Sandbox(TrustRoots.load()) as sandbox:
        there = [
            sandbox.examine_ses(data, original, authorities, at=NOW)
            for data, original in ((signature, PDF), (seal, None))
        ]
        there += [sandbox.examine_ses(seal, None, authorities, at=NOW, name="a.esl")]
        assert there == here


HOSTILE = {
    "nothing": b"",
    "lengths without end": b"\x30\x80" * (1 << 20),
    "a million elements": der.sequence(b"\x05\x00" * (1 << 20)),
    "a length beyond the file": b"\x30\x84\xff\xff\xff\xff",
    "more than a signature": bytes(5 << 20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_signature_gets_a_verdict_in_time(name: str, authorities: Authorities) -> None:
    """Unreadable, with the reason, within the limits; as a signature and as a seal."""
    with Sandbox(TrustRoots.load(), limits=Limits(cpu=1, wall=4)) as sandbox:
        for file in ("a.ses", "a.esl"):
            report = sandbox.examine_ses(HOSTILE[name], PDF, authorities, at=NOW, name=file)
            assert (report.verdict, report.file) == (Verdict.UNREADABLE, file)
            assert report.findings[0].detail


def test_a_signature_that_breaks_its_limits_ends_nothing_else(signature: bytes, authorities: Authorities) -> None:
    """Out of memory: the fork is gone, the answer is that the file cannot be read; the next is another fork."""
    with Sandbox(TrustRoots.load(), limits=Limits(memory=1 << 20)) as sandbox:
        report = sandbox.examine_ses(signature, PDF, authorities, at=NOW, name="a.ses")
        assert report.verdict is Verdict.UNREADABLE
        assert report.sha256


def test_the_command_line_names_the_steps_of_a_signature(certctl: Run, signature: bytes, tmp_path: Path) -> None:
    """Good, over another file, damaged, and alone: what covers nothing at hand does not pass either."""
    file, beside = tmp_path / "licence.pdf", tmp_path / "licence.ses"

    def verified(original: bytes | None, data: bytes) -> tuple[int, str]:
        beside.write_bytes(data)
        file.unlink(missing_ok=True)
        if original is not None:
            file.write_bytes(original)
        done = certctl("verify", "--at", "2026-01-03T00:00:00", str(beside))
        return done.returncode, "".join(done.stdout.split())

    assert verified(PDF, signature)[0] == 0
    code, said = verified(PDF + b"more", signature)
    assert (code, "内容被改动" in said, "6覆盖范围·whatiscovered不符" in said) == (1, True, True)
    code, said = verified(PDF.upper(), signature)
    assert (code, "5原文·theoriginal" in said, "Theoriginalisnotwhatwassealed." in said) == (1, True, True)
    code, said = verified(None, signature)
    assert (code, "5原文·theoriginal未知" in said) == (1, True)
    at = signature.index(read_signature(signature).signature) + 40
    code, said = verified(PDF, signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :])
    assert (code, "签名无效" in said, "2签章者的签名" in said) == (1, True, True)
    code, said = verified(PDF, signature[:-1])
    assert (code, "无法读取" in said, "1格式·format" in said) == (3, True, True)


def test_what_cannot_be_read_is_one_finding(authorities: Authorities, signature: bytes) -> None:
    """Nonsense, a cut signature, a certificate that is none."""
    read = read_signature(signature)
    for data in (b"", b"nonsense", signature[:-1], encode_signature(read.signed, b"no certificate", read.signature)):
        report = examine_ses(data, PDF, authorities, at=NOW)
        assert [(finding.check, finding.outcome) for finding in report.findings] == [("format", "fail")]
        assert not report.holds


def test_a_seal_is_not_made_from_what_does_not_fit(spec: SealSpec, signer: Callable[..., Signer]) -> None:
    """Another seal's certificate, a validity beyond the certificate's, an international key, a maker that has ended."""
    maker, holder = signer("seal-maker"), signer(LABEL).certificate
    dates = {"valid_from": FROM, "valid_until": UNTIL, "created": NOW}
    cases = [
        (replace(spec, id="36070000000009"), maker, holder, dates, "不能用证书"),
        (spec, maker, holder, {**dates, "valid_until": datetime.fromisoformat("2050-01-01T00:00:00Z")}, "有效期"),
        (spec, maker, holder, {**dates, "valid_until": FROM}, "有效期"),
        (spec, signer(LABEL, "p256"), holder, dates, "sm2-sm3"),
        (spec, signer("seal-expired"), holder, dates, "到期"),
    ]
    for made, by, for_, when, why in cases:
        with pytest.raises(SealFailedError, match=why):
            make_seal(made, by, for_, **when)


def test_a_picture_that_does_not_fit_is_refused(spec: SealSpec, signer: Callable[[str], Signer]) -> None:
    """Not a PNG, not square, opaque, too coarse, with a margin, too large: each named, no seal made."""
    good = Image.open(BytesIO(seal_png(spec)))
    margin = Image.new("RGBA", good.size, (255, 0, 0, 0))
    margin.paste(good.resize((900, 900)), (46, 46))
    noise = Image.effect_noise((992, 992), 200).convert("L")
    loud = good.copy()
    loud.putalpha(noise)
    loud.putpixel((0, 0), (255, 0, 0, 0))
    cases = [
        (b"GIF89a", "不是 PNG"),
        (_png(good.resize((992, 900))), "正方形"),
        (_png(good.convert("RGB")), "不透明"),
        (_png(good.resize((200, 200))), "300"),
        (_png(margin), "外圆"),
        (_png(loud), "超过"),
    ]
    for png, why in cases:
        with pytest.raises(RenderError, match=why):
            make_seal(
                spec,
                signer("seal-maker"),
                signer(LABEL).certificate,
                valid_from=FROM,
                valid_until=UNTIL,
                created=NOW,
                png=png,
            )


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_nothing_is_sealed_outside_the_seal(seal: bytes, signer: Callable[..., Signer]) -> None:
    """A renewed certificate needs a new seal; a seal seals only while it is valid; time comes from SM3 alone."""
    with pytest.raises(SealFailedError, match="重新制章"):
        seal_beside(PDF, seal, signer("seal-ganzhou-approval-approval-2"), USE, at=NOW)
    for at in (FROM - timedelta(seconds=1), UNTIL + timedelta(seconds=1)):
        with pytest.raises(SealFailedError, match="有效期"):
            seal_beside(PDF, seal, signer(LABEL), USE, at=at)
    with pytest.raises(SealFailedError, match="SM3"):
        seal_beside(PDF, seal, signer(LABEL), USE, at=NOW, timestamper=development_timestamps("p256-sha256"))
    with pytest.raises(SealFailedError, match="sm2-sm3"):
        seal_beside(PDF, seal, signer(LABEL, "rsa"), USE, at=NOW)


def _outcomes(report: SesReport) -> dict[str, str]:
    return {finding.check: finding.outcome for finding in report.findings}
