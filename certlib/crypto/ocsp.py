"""Certificate status answers (OCSP, RFC 6960) for any suite: the asking read, the answer written, and an answer read.

    asked = read_request(data)
    answer = Answer(responder=signer, at=now, until=now + GOOD_FOR)
    answer.write(asked, lambda one: Status("good"))          # OCSPResponse, DER
    read_answer(data).singles                                # what an answer says

`cryptography` does the same for keys that it knows, and SM2's are not among them. Times are in whole seconds: NSS, and
so poppler, calls an answer with fractions malformed. A certificate is named by its issuer's name and key, hashed as the
asking has it, and its serial; the answer repeats that name byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import keys, ocsp

from certlib.crypto import der
from certlib.crypto.certificates import Certificate, signed_parts
from certlib.crypto.cms import Signer
from certlib.crypto.issuing import key_identifier
from certlib.crypto.sm2 import sm3

OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"  # RFC 6960 §4.2.2.2
MALFORMED, UNAUTHORIZED = 1, 6
_BASIC, _NONCE = "1.3.6.1.5.5.7.48.1.1", "1.3.6.1.5.5.7.48.1.2"
_MOST = 20  # certificates asked about at once
_KEY_COMPROMISE = 1
_DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "1.3.14.3.2.26": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),  # a name, not a protection
    "2.16.840.1.101.3.4.2.1": lambda data: hashlib.sha256(data).digest(),
    "1.2.156.10197.1.401": sm3,
}
_PARSING = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class CertificateName:
    """CertID: which certificate is meant. `der` is what was read."""

    der: bytes = field(repr=False)
    algorithm: str
    name_hash: bytes = field(repr=False)
    key_hash: bytes = field(repr=False)
    serial: int

    def is_of(self, issuer: Certificate) -> bool:
        """Whether a certificate of this issuer is meant."""
        digest = _DIGESTS.get(self.algorithm)
        if digest is None:
            return False
        key = keys.PublicKeyInfo.load(issuer.spki)["public_key"].contents[1:]
        return (self.name_hash, self.key_hash) == (digest(issuer.subject_name), digest(key))


@dataclass(frozen=True, slots=True)
class Asking:
    """An OCSPRequest: which certificates, and the nonce's extension as it came."""

    names: tuple[CertificateName, ...]
    nonce: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Status:
    """`good`, `revoked` with its moment, or `unknown`."""

    word: str
    revoked_at: datetime | None = None

    def encode(self) -> bytes:
        """CertStatus (RFC 6960 §4.2.1); every revocation of the development PKI is for key compromise."""
        if self.revoked_at is None:
            return der.tlv(0x80 if self.word == "good" else 0x82)
        reason = der.explicit(0, der.tlv(0x0A, bytes((_KEY_COMPROMISE,))))
        return der.tlv(0xA1, der.generalized_time(self.revoked_at), reason)


@dataclass(frozen=True, slots=True)
class Single:
    """What an answer says of one certificate."""

    name: CertificateName
    status: Status
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """A successful OCSPResponse; `signed`, `algorithm` and `signature` are as received."""

    der: bytes = field(repr=False)
    at: datetime
    singles: tuple[Single, ...]
    certificates: tuple[Certificate, ...]
    signed: bytes = field(repr=False)
    algorithm: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def holds(self, at: datetime) -> bool:
        """Whether all that it says may still be relied on at `at`."""
        return all(one.until is not None and at <= one.until for one in self.singles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a responder answers: signed by `responder`, as of `at`, to be kept until `until`."""

    responder: Signer
    at: datetime
    until: datetime

    def write(self, asked: Asking, status: Callable[[CertificateName], Status]) -> bytes:
        """The OCSPResponse with the state of each certificate asked about."""
        key, suite = self.responder.key, self.responder.suite
        data = der.sequence(
            der.explicit(2, der.octets(key_identifier(self.responder.certificate.spki))),
            der.generalized_time(self.at),
            der.sequence(*(self._single(name, status(name)) for name in asked.names)),
            der.explicit(1, der.sequence(asked.nonce)) if asked.nonce else b"",
        )
        certificates = der.explicit(0, der.sequence(self.responder.certificate.der))
        basic = der.sequence(data, suite.signature_algorithm, der.bits(key.sign(data)), certificates)
        body = der.sequence(der.oid(_BASIC), der.octets(basic))
        return der.sequence(der.tlv(0x0A, b"\x00"), der.explicit(0, body))

    def _single(self, name: CertificateName, status: Status) -> bytes:
        until = der.explicit(0, der.generalized_time(self.until))
        return der.sequence(name.der, status.encode(), der.generalized_time(self.at), until)


def refusal(status: int) -> bytes:
    """An OCSPResponse that says why there is no answer: `MALFORMED` or `UNAUTHORIZED`."""
    return der.sequence(der.tlv(0x0A, bytes((status,))))


def read_request(data: bytes) -> Asking:
    """The OCSPRequest in these bytes. Raises `ValueError`."""
    try:
        request = ocsp.OCSPRequest.load(data, strict=True)["tbs_request"]
        names = tuple(_name(one["req_cert"]) for one in request["request_list"])
        extensions = request["request_extensions"] or ()
        nonces = [one.dump() for one in extensions if one["extn_id"].dotted == _NONCE]
    except _PARSING as error:
        raise ValueError("not an OCSPRequest") from error
    if not 0 < len(names) <= _MOST:
        raise ValueError("too many certificates, or none")
    return Asking(names, nonces[0] if nonces else b"")


def read_answer(data: bytes) -> StatusAnswer:
    """The successful OCSPResponse in these bytes; signature and responder are the reader's to judge.

    Raises `ValueError` for anything else.
    """
    try:
        response = ocsp.OCSPResponse.load(data, strict=True)
        if response["response_status"].native != "successful":
            raise ValueError("not a successful answer")
        whole = response["response_bytes"]["response"].parsed
        tbs = whole["tbs_response_data"]
        signed, algorithm, signature = signed_parts(
            der.sequence(tbs.dump(), whole["signature_algorithm"].dump(), whole["signature"].dump())
        )
        return StatusAnswer(
            der=data,
            at=tbs["produced_at"].native,
            singles=tuple(_read_single(one) for one in tbs["responses"]),
            certificates=tuple(Certificate.load(one.dump()) for one in whole["certs"] or ()),
            signed=signed,
            algorithm=algorithm,
            signature=signature,
        )
    except _PARSING as error:
        raise ValueError("not an OCSPResponse that says anything") from error


def _read_single(one: Any) -> Single:
    word = one["cert_status"].name
    moment = one["cert_status"].chosen["revocation_time"].native if word == "revoked" else None
    return Single(_name(one["cert_id"]), Status(word, moment), one["this_update"].native, one["next_update"].native)


def _name(value: Any) -> CertificateName:
    return CertificateName(
        der=value.dump(),
        algorithm=value["hash_algorithm"]["algorithm"].dotted,
        name_hash=value["issuer_name_hash"].native,
        key_hash=value["issuer_key_hash"].native,
        serial=value["serial_number"].native,
    )
