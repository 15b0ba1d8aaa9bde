"""Chains once validated are remembered: a city's files come from a dozen seals, and building a chain costs most.

What is remembered is the outcome of a full validation of exactly these certificates, algorithms, trust and material in
the file, and the span of time for which it holds: while every certificate on the path is valid and every revocation
list current, and only if no list names any of them. For another file by the same certificates within that span, what
remains is the message itself: its digest, its signature, the certificate it names (RFC 5035 §5.4), its content type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certlib.crypto.certificates import RevocationList
from certlib.crypto.sm2 import Sm2PublicKey
from certlib.crypto.suites import load_public_key
from certlib.errors import VerificationError
from certlib.verify.form import DIGESTS, HASHES, Message, certificate_in, digest_of
from certlib.verify.roots import TrustRoots

CAPACITY = 512
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class KnownChain:
    """A validated path from root to signer, good from `since` to `until`, both included."""

    path: tuple[bytes, ...] = field(repr=False)
    revocation: str  # good | unknown
    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Whether the outcome stands at the moment `at`."""
        return self.since <= at <= self.until


class ChainMemory:
    """Validated chains by certificates, algorithms, purpose and trust; forgets everything when full."""

    def __init__(self) -> None:
        self._known: dict[Key, KnownChain] = {}

    def recall(self, key: Key, at: datetime) -> KnownChain | None:
        """The chain for these certificates if it is known for that moment."""
        known = self._known.get(key)
        return known if known is not None and known.holds(at) else None

    def remember(self, key: Key, path: tuple[bytes, ...], revocation: str, lists: Iterable[RevocationList]) -> None:
        """Keep a path that full validation has found good, unless a list names one of its certificates."""
        certificates = [certificate_in(data) for data in path]
        issuers = {certificate.issuer for certificate in certificates}
        fitting = [one for one in lists if one.issuer in issuers]
        if any(one.revoked_at(certificate) for one in fitting for certificate in certificates):
            return
        ends = [certificate.not_after for certificate in certificates]
        ends += [one.next_update for one in fitting if one.next_update is not None]
        if len(self._known) >= CAPACITY:
            self._known.clear()
        since = max(certificate.not_before for certificate in certificates)
        self._known[key] = KnownChain(path, revocation, since, min(ends))


def key_of(message: Message, purpose: str, trust: TrustRoots, material: Iterable[Iterable[bytes]] = ()) -> Key:
    """What a chain's validation depends on, but for the moment. `material` comes with the file, of whatever size."""
    return (
        purpose,
        message.certificate,
        message.certificates,
        message.digest,
        message.signature_algorithm,
        trust.certificates,
        trust.revocation,
        tuple(tuple(sha256(one).digest() for one in kind) for kind in material),
    )


def is_named(certificates: Iterable[bytes], roots: Iterable[bytes]) -> bool:
    """Whether any of the certificates is, or says it is, of these roots: by names alone, which anybody may write."""
    try:
        names = {certificate_in(root).subject_name for root in roots}
        known = [certificate_in(data) for data in certificates]
    except ValueError:
        return True  # what cannot be read is given no benefit
    return any(names & {one.issuer, one.subject_name} for one in known)


_OTHER_FORM = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""Attributes are read only when they are asked for; one of another form says nothing."""


def is_intact(message: Message, digest: bytes) -> bool:
    """Whether the message is about content with that digest, and of the type it says."""
    try:
        types = [one["values"] for one in message.info["signed_attrs"] if one["type"].native == "content_type"]
        typed = len(types) == 1 and len(types[0]) == 1 and types[0][0].dotted == message.content_type
    except _OTHER_FORM:
        return False
    return typed and message.message_digest == digest


def is_sound(message: Message) -> bool:
    """Whether the signature over the attributes holds, and the attributes name this very certificate."""
    if not _names_certificate(message):
        return False
    algorithm = HASHES[message.digest]
    try:
        key = load_public_key(certificate_in(message.certificate).spki)
        if isinstance(key, rsa.RSAPublicKey) and message.signature_algorithm in {"rsa", f"rsa-{message.digest}"}:
            key.verify(message.signature, message.attributes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and message.signature_algorithm == f"ecdsa-{message.digest}":
            key.verify(message.signature, message.attributes, ec.ECDSA(algorithm))
        elif isinstance(key, Sm2PublicKey) and (message.signature_algorithm, message.digest) == ("sm2-sm3", "sm3"):
            return key.verify(message.signature, message.attributes)
        else:
            return False
    except (InvalidSignature, VerificationError):
        return False
    return True


def _names_certificate(message: Message) -> bool:
    try:
        return _names(message)
    except _OTHER_FORM:
        return False


def _names(message: Message) -> bool:
    named = [one["values"] for one in message.info["signed_attrs"] if one["type"].native == "signing_certificate_v2"]
    if len(named) != 1 or len(named[0]) != 1:
        return False
    identifier = named[0][0]["certs"][0]
    algorithm = DIGESTS.get(identifier["hash_algorithm"].dump(), "")
    hashed = identifier["cert_hash"].native
    return algorithm in HASHES and isinstance(hashed, bytes) and hashed == digest_of(algorithm, message.certificate)
