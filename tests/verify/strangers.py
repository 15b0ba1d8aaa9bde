"""Files that nobody forged and that are none of ours: encrypted, saved anew, signed by others, of other kinds."""

from datetime import timedelta
from functools import cache
from io import BytesIO

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tests.verify.samples import SEALED

_KEYS = {
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
}


@cache
def signer(kind: str = "p256") -> SimpleSigner:
    """A key that its owner certified himself, as somebody else's root would."""
    key = _KEYS[kind]()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Another City")])
    uses = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(SEALED - timedelta(days=90))
        .not_valid_after(SEALED + timedelta(days=900))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(uses, critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SimpleSigner(
        signing_cert=asn1.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),
    )


def signed(pdf: bytes, times: int = 1, kind: str = "p256", digest: str = "sha256") -> bytes:
    """`pdf` with so many signatures of a stranger, each in a field of its own."""
    for number in range(times):
        meta = PdfSignatureMetadata(
            field_name=f"Signature{number}", md_algorithm=digest, subfilter=SigSeedSubFilter.PADES
        )
        writer = IncrementalPdfFileWriter(BytesIO(pdf), strict=False)
        pdf = PdfSigner(meta, signer(kind)).sign_pdf(writer).getvalue()
    return pdf


def encrypted(pdf: bytes, *, user: str, owner: str) -> bytes:
    """`pdf` under passwords; an empty `user` opens it for everybody and forbids changes."""
    writer = copy_into_new_writer(PdfFileReader(BytesIO(pdf)))
    writer.encrypt(owner_pass=owner, user_pass=user)
    return _written(writer)


def saved_anew(pdf: bytes) -> bytes:
    """`pdf` as a program writes it that does not mind signatures: the same objects in other places."""
    return _written(copy_into_new_writer(PdfFileReader(BytesIO(pdf))))


def scanned() -> bytes:
    """A page that is nothing but a picture."""
    from PIL import Image  # noqa: PLC0415

    output = BytesIO()
    Image.new("RGB", (620, 877), (248, 246, 240)).save(output, "PDF")
    return output.getvalue()


def _written(writer: object) -> bytes:
    output = BytesIO()
    writer.write(output)  # type: ignore[attr-defined]
    return output.getvalue()
