"""The authorities of the development PKI as a server shows them: timestamps, revocation lists, certificate status.

    authority = DevelopmentAuthority(development_folder())
    authority.timestamp("p256", request, now=now)       # RFC 3161 TimeStampResp
    authority.revocation_list("issuing.rsa")            # RFC 5280 CRL, DER
    authority.status("issuing.rsa", request, now=now)   # RFC 6960 OCSPResponse; RSA and P-256

Times are in whole seconds: NSS, and so poppler, calls an OCSP response with fractions malformed. The keys are public;
whoever serves this outside development serves everybody's signature.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp

from certlib.crypto.certificates import RevocationList, load_certificates
from certlib.crypto.development import development_timestamps
from certlib.crypto.suites import SUITES
from certlib.crypto.timestamps import DevelopmentTimestamps
from certlib.errors import NotFoundError

GOOD_FOR = timedelta(days=7)  # how long an OCSP answer may be kept
SHORT = {suite.short: suite for suite in SUITES.values()}


class DevelopmentAuthority:
    """What a folder laid out like `keys-dev/` can answer for. Raises `NotFoundError` for what it has not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps: dict[str, DevelopmentTimestamps] = {}

    def timestamp(self, short: str, request: bytes, *, now: datetime) -> bytes:
        """The answer to a TimeStampReq by the authority of one suite, "rsa", "p256" or "sm2"."""
        if short not in SHORT or not (self._folder / "tsa" / f"tsa.{short}.pem").exists():
            raise NotFoundError(f"没有 {short[:20]} 这一时间戳服务。")
        if short not in self._stamps:
            self._stamps[short] = development_timestamps(SHORT[short].name)
        return self._stamps[short].respond(request, now=now)

    def revocation_list(self, name: str) -> bytes:
        """The list of the authority `name`, such as `issuing.rsa`."""
        if name not in self._names:
            raise NotFoundError(f"没有 {name[:40]} 这一吊销列表。")
        return RevocationList.load((self._folder / "crl" / f"{name}.crl").read_bytes(), name=name).der

    def status(self, name: str, request: bytes, *, now: datetime) -> bytes:
        """The answer to an OCSPRequest about a certificate of the authority `name`; signed by the OCSP responder."""
        short = name.rpartition(".")[2]
        responder = self._folder / "ocsp" / f"ocsp.{short}.pem"
        if name not in self._names or not responder.exists() or not SHORT[short].international:
            raise NotFoundError(f"没有 {name[:40]} 这一 OCSP 服务。")
        try:
            asked = ocsp.load_der_ocsp_request(request)
        except ValueError:
            return _failure(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        issuer = x509.load_der_x509_certificate(self._certificate(f"ca/{name}.pem"))
        if asked.issuer_name_hash != _digest(asked.hash_algorithm, issuer.subject.public_bytes()):
            return _failure(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        return self._signed(asked, name, responder, now.replace(microsecond=0))

    def _signed(self, asked: ocsp.OCSPRequest, name: str, responder: Path, at: datetime) -> bytes:
        text = responder.read_bytes()
        key = load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)  # noqa: S101  the suites that come here
        certificate = x509.load_pem_x509_certificate(text[text.index(b"-----BEGIN CERTIFICATE-----") :])
        state, revoked = self._state(asked.serial_number, name, at)
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            state,
            at,
            at + GOOD_FOR,
            revoked,
            x509.ReasonFlags.key_compromise if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, certificate).certificates([certificate])
        for extension in asked.extensions:
            if isinstance(extension.value, x509.OCSPNonce):
                builder = builder.add_extension(extension.value, critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _state(self, serial: int, name: str, at: datetime) -> tuple[ocsp.OCSPCertStatus, datetime | None]:
        revoked = RevocationList.load(self.revocation_list(name), name=name).revoked.get(serial)
        if revoked is not None and revoked <= at:
            return ocsp.OCSPCertStatus.REVOKED, revoked
        known = serial in self._serials
        return (ocsp.OCSPCertStatus.GOOD if known else ocsp.OCSPCertStatus.UNKNOWN), None

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(path.stem for path in (self._folder / "crl").glob("*.crl"))

    @cached_property
    def _serials(self) -> frozenset[int]:
        """Of every certificate of the folder; the serials of the development PKI are hashes and so never the same."""
        paths = [path for place in ("ca", "seals", "tsa", "ocsp") for path in (self._folder / place).glob("*.pem")]
        return frozenset(load_certificates(path.read_bytes(), name=path.name)[0].serial for path in paths)

    def _certificate(self, place: str) -> bytes:
        return load_certificates((self._folder / place).read_bytes(), name=place)[0].der


def _failure(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()
