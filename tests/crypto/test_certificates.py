"""Which certificates may seal, and when."""

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from certlib.crypto.certificates import Certificate, check_signer, load_certificates, load_revocation_lists
from certlib.crypto.development import development_folder
from certlib.errors import ConfigurationError, SealFailedError

SHORT = ("rsa", "p256")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
CASES = [
    # label, moment, what the refusal says
    ("seal-expired", NOW, "2022-02-01 到期"),
    ("seal-early", NOW, "自 2045-01-01 起"),
    ("seal-revoked", NOW, "2022-03-01 被吊销"),
    ("seal-wrong-usage", NOW, "密钥用途"),
    ("seal-ganzhou-approval-approval-1", datetime(2021, 12, 31, tzinfo=UTC), "自 2022-01-01 起"),
    ("seal-ganzhou-approval-approval-1", datetime(2046, 1, 2, tzinfo=UTC), "2046-01-01 到期"),
]


@pytest.mark.parametrize("short", SHORT)
@pytest.mark.parametrize(("label", "at", "why"), CASES)
def test_a_certificate_that_verifiers_would_refuse_does_not_seal(
    short: str, label: str, at: datetime, why: str
) -> None:
    """The refusal names the certificate and the reason."""
    certificate = _load(label, short)
    with pytest.raises(SealFailedError, match=why) as caught:
        check_signer(certificate, certificate.spki, at=at, revocation=_lists(short))
    assert certificate.common_name in caught.value.message


@pytest.mark.parametrize("short", SHORT)
def test_a_good_certificate_seals_and_a_revoked_one_did_until_then(short: str) -> None:
    """Both ends of the period count; revocation counts from its own moment."""
    good, revoked = _load("seal-ganzhou-approval-approval-1", short), _load("seal-revoked", short)
    for at in (good.not_before, NOW, good.not_after):
        check_signer(good, good.spki, at=at, revocation=_lists(short))
    check_signer(revoked, revoked.spki, at=datetime(2022, 2, 28, tzinfo=UTC), revocation=_lists(short))


def test_a_key_of_another_certificate_does_not_seal() -> None:
    """Key and certificate must be a pair."""
    one, other = _load("seal-ganzhou-approval-approval-1", "p256"), _load("seal-ganzhou-approval-approval-2", "p256")
    with pytest.raises(SealFailedError, match="不是一对"):
        check_signer(one, other.spki, at=NOW)


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_without_certificate_is_named(text: bytes) -> None:
    """Empty, nonsense, broken: each names the file."""
    with pytest.raises(ConfigurationError, match=r"seal\.pem"):
        load_certificates(text, name="seal.pem")


def test_a_broken_revocation_list_is_named(tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "broken.crl"
    path.write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match=r"broken\.crl"):
        load_revocation_lists([path])


def _load(label: str, short: str):
    path = development_folder() / "seals" / f"{label}.{short}.pem"
    return load_certificates(path.read_bytes(), name=str(path))[0]


def _lists(short: str):
    return load_revocation_lists([development_folder() / "crl" / f"issuing.{short}.crl"])


@pytest.mark.parametrize("value", [b"", b"\x03\x00", b"\x03\x01\x09", b"\x05\x00", b"\x30\x80"])
@pytest.mark.parametrize("oid", ["2.5.29.15", "2.5.29.19", "2.5.29.37", "2.5.29.17"])
def test_a_certificate_with_an_extension_of_another_form_is_read_or_refused(oid: str, value: bytes) -> None:
    """Whoever makes a certificate may write anything in it; its reader knows one error."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW.replace(year=NOW.year + 1))
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
    data = builder.add_extension(odd, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    try:
        assert Certificate.load(data).common_name == "x"
    except ValueError:
        pem = b"-----BEGIN CERTIFICATE-----\n" + b64encode(data) + b"\n-----END CERTIFICATE-----\n"
        with pytest.raises(ConfigurationError, match="odd"):
            load_certificates(pem, name="odd")
