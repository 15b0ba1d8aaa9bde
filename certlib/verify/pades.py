"""pyHanko's part of the verification of a PDF, and the only module of the verifier that knows it.

pyHanko reads the file, compares its revisions, and validates chains, revocation and timestamps. It is always given our
own roots, our own list of algorithms and the moment to judge at; it never fetches anything, and the system's trust is
never consulted. Which bytes a signature covers it is not asked: `certlib.verify.span` says that.
"""

# pyHanko and asn1crypto carry no annotations on much of what is used here.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, TypeVar

from asn1crypto import algos, crl, keys, x509
from cryptography.exceptions import InvalidSignature
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate, AdESSubIndic
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import EmbeddedPdfSignature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pyhanko.sign.validation.generic_cms import async_validate_cms_signature, validate_tst_signed_data
from pyhanko.sign.validation.status import SignatureCoverageLevel, SignatureStatus, TimestampSignatureStatus
from pyhanko.sign.validation.utils import CMSAlgorithmUsagePolicy
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
    SignatureValidator,
)

from certlib.crypto.certificates import DOCUMENT_SIGNING, RevocationList
from certlib.crypto.ocsp import read_answer
from certlib.crypto.sm2 import CURVE as SM2_CURVE_OID
from certlib.crypto.sm2 import SM2_SM3, SM3
from certlib.crypto.suites import suite_named
from certlib.errors import ConfigurationError, VerificationError
from certlib.verify.chain import Authorities, PathError
from certlib.verify.chains import ChainMemory, is_intact, is_sound, key_of
from certlib.verify.form import Message, Stamp, certificate_in, digest_of
from certlib.verify.roots import TrustRoots
from certlib.verify.span import MAX_SIGNATURES
from certlib.verify.update import plain_updates

for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).addHandler(logging.NullHandler())  # findings are reported, not logged

SEAL, DOCUMENT_TIMESTAMP = "ETSI.CAdES.detached", "ETSI.RFC3161"
MAX_PATH = 4  # certificates from the signer up to and including the root
MIN_RSA = 3072  # bits
CURVES = frozenset({"secp256r1", "secp384r1"})
DIGESTS = frozenset({"sha256", "sha384", "sha512"})
SM2_CURVE = "sm2p256v1"
_GROWING = frozenset({"/AcroForm", "/DSS"})  # entries of the catalogue that proof material changes
_MATERIAL = frozenset({"/Certs", "/CRLs"})  # entries of the store as we write it
_FIELD = frozenset({"/FT", "/T", "/TU", "/Type", "/Subtype", "/F", "/Rect", "/P", "/V"})  # of a timestamp's field,
_VALUE = frozenset({"/Type", "/Filter", "/SubFilter", "/Contents", "/ByteRange"})  # and of the timestamp itself
_PARSING = (
    PdfError,
    SignatureValidationError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    NotImplementedError,  # pyHanko raises it on files that ask for what it does not do
)

T = TypeVar("T")


class UnreadableError(ValueError):
    """The bytes cannot be read as a PDF; the text says why, in Chinese."""


class EncryptedError(UnreadableError):
    """The PDF is under a password, be it only one against changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A filled signature field. `permission` is DocMDP's P, 0 when the signature certifies nothing."""

    field_name: str
    kind: str  # /Sig | /DocTimeStamp
    subfilter: str
    byte_range: tuple[int, ...]
    contents: bytes = field(repr=False)  # with padding
    permission: int
    is_author: bool  # /Perms /DocMDP of the catalogue points to it
    revision: int
    reason: str
    claimed_at: datetime | None  # what the signer's dictionary says, proved by nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to be thought of one message: content intact, signature sound, signer trusted at the moment judged.

    `problem` is "" or what keeps the signer from being trusted: `untrusted`, `revoked`, `expired`, `algorithm`,
    `usage`, `chain`. `path` runs from the root to the signer; `revocation` is good, unknown or revoked.
    """

    intact: bool
    sound: bool
    problem: str
    path: tuple[bytes, ...] = field(repr=False)
    revocation: str
    revoked_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether there is nothing against the message."""
        return self.intact and self.sound and not self.problem


@dataclass(frozen=True, slots=True)
class Material:
    """Certificates and revocation lists that came with the file, DER: material for chains, not trust."""

    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    revocation: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def kinds(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Both together, the certificates first."""
        return self.certificates, self.revocation


class Opened:
    """A PDF as pyHanko reads it: `found` are its signatures, `empty_fields` fields without one.

    `lenient` says that it could be read only by overlooking errors of structure; `broken` counts fields whose value is
    no signature; `crowded` says that there are more signatures than anybody needs, not all of which were read.
    """

    def __init__(self, pdf: bytes) -> None:
        """Open the file. Raises `UnreadableError`."""
        self.lenient, self._pdf = False, pdf
        try:
            self._reader = PdfFileReader(BytesIO(pdf), strict=True)
            self._prepare()
        except UnreadableError:
            raise
        except _PARSING:
            self.lenient = True
            self._open_leniently(pdf)

    def _open_leniently(self, pdf: bytes) -> None:
        try:
            self._reader = PdfFileReader(BytesIO(pdf), strict=False)
            self._prepare()
        except UnreadableError:
            raise
        except _PARSING as error:
            raise UnreadableError("文件不是可读的 PDF：可能没有下载完整，或已损坏。请重新取得原件。") from error

    def _prepare(self) -> None:
        if self._reader.encrypted:
            raise EncryptedError("文件设有密码（已加密），无法核验；签发的文件从不加密，请取得原件。")
        self.empty_fields = self.broken = 0
        self.crowded = False
        filled: list[tuple[EmbeddedPdfSignature, Found]] = []
        for name, value, reference in enumerate_sig_fields(self._reader):
            self.crowded = len(filled) + self.broken >= MAX_SIGNATURES
            if self.crowded:
                break
            if value is None:
                self.empty_fields += 1
                continue
            try:
                embedded = EmbeddedPdfSignature(self._reader, reference, name)
                filled.append((embedded, self._found(embedded)))
            except _PARSING:
                self.broken += 1
        filled.sort(key=lambda one: one[1].revision)
        self._embedded = [embedded for embedded, _ in filled]
        self.found = tuple(found for _, found in filled)
        self.revisions = int(self._reader.xrefs.total_revisions)

    def _found(self, embedded: EmbeddedPdfSignature) -> Found:
        dictionary, root = embedded.sig_object, self._reader.root
        author = root["/Perms"].raw_get("/DocMDP") if "/Perms" in root and "/DocMDP" in root["/Perms"] else None
        permission = embedded.docmdp_level
        return Found(
            field_name=embedded.fq_name,
            kind=str(embedded.sig_object_type),
            subfilter=str(dictionary.get("/SubFilter", "")).lstrip("/"),
            byte_range=tuple(int(number) for number in embedded.byte_range),
            contents=embedded.pkcs7_content,
            permission=0 if permission is None else int(permission.value),
            is_author=author is not None and author == embedded.sig_field.raw_get("/V"),
            revision=embedded.signed_revision,
            reason=str(dictionary.get("/Reason", "")),
            claimed_at=_claimed(embedded),
        )

    def changes(self, index: int) -> str:
        """What was done to the file after signature `index`: "none", "lta" (proof material only), or "other"."""
        embedded = self._embedded[index]
        try:
            embedded.compute_integrity_info()
        except _PARSING:
            return "other"
        result = embedded.diff_result
        if embedded.coverage < SignatureCoverageLevel.ENTIRE_REVISION or not isinstance(result, DiffResult):
            return "other"
        level = result.modification_level
        if level not in {ModificationLevel.NONE, ModificationLevel.LTA_UPDATES} or not self._accounted():
            return "other"
        return "none" if level is ModificationLevel.NONE else "lta"

    def _accounted(self) -> bool:
        """Whether every byte behind the first signature belongs to a timestamp or to material for it.

        pyHanko looks at what is referred to and has changed. It lets pass what nothing refers to, document information
        and extensions, which a stranger might put in before he asks the authority for a timestamp over it all.
        """
        updates = plain_updates(self._pdf, (found.byte_range[2] + found.byte_range[3] for found in self.found))
        try:
            return (
                updates is not None
                and all(map(_is_bare, self._embedded[1:]))
                and self._same_catalogue()
                and (not updates or self._holds_material_alone())
                and set().union(*updates) <= self._of_proof()
            )
        except _PARSING:
            return False

    def _same_catalogue(self) -> bool:
        first, last = self._reader.get_historical_root(self._embedded[0].signed_revision), self._reader.root
        return _written(first, without=_GROWING) == _written(last, without=_GROWING)

    def _holds_material_alone(self) -> bool:
        """Whether the store has no entries but those that we write."""
        root = self._reader.root
        return "/DSS" not in root or root["/DSS"].keys() <= _MATERIAL

    def _of_proof(self) -> set[int]:
        """The numbers of the objects that an update with a document timestamp has to write."""
        root = self._reader.root
        places = [self._reader.root_ref, root.raw_get("/AcroForm"), root["/AcroForm"].raw_get("/Fields")]
        for one in self._embedded[1:]:
            field, page = one.sig_field, one.sig_field["/P"]
            places += [field.container_ref, field.raw_get("/V"), field.raw_get("/P"), page.raw_get("/Annots")]
        if "/DSS" in root:
            places.append(root.raw_get("/DSS"))
            for key in _MATERIAL & root["/DSS"].keys():
                places += [root["/DSS"].raw_get(key), *root["/DSS"][key]]
        return {one.idnum for one in places if isinstance(one, generic.IndirectObject | generic.Reference)}

    def proof_material(self) -> Material:
        """The certificates and revocation lists of the document security store (ETSI EN 319 142-1 5.4.2).

        Raises `UnreadableError` when they are none.
        """
        try:
            store = DocumentSecurityStore.read_dss(self._reader)
            certificates = tuple(certificate.dump() for certificate in store.load_certs())
            lists = tuple(reference.get_object().data for reference in store.crls)
            for data in lists:
                crl.CertificateList.load(data, strict=True)
            _dated(lists)
        except NoDSSFoundError:
            return Material()
        except (*_PARSING, ConfigurationError) as error:
            raise UnreadableError("文件所附的验证材料有误。") from error
        return Material(certificates, lists)

    def added_material(self, material: Material) -> Material:
        """What of the `material` came to the file after its first signature."""
        try:
            root = self._reader.get_historical_root(self._embedded[0].signed_revision)
            store = root["/DSS"] if "/DSS" in root else {}  # noqa: SIM401  (`get` gives the reference only)
            sealed = {bytes(one.get_object().data) for key in _MATERIAL & store.keys() for one in store[key]}
        except _PARSING:
            sealed = set()
        return Material(
            tuple(one for one in material.certificates if one not in sealed),
            tuple(one for one in material.revocation if one not in sealed),
        )


def _is_bare(embedded: EmbeddedPdfSignature) -> bool:
    """Whether a timestamp is nothing but that: it shows nothing on the page and carries no entry beyond its own."""
    field, value = embedded.sig_field, embedded.sig_object
    invisible = all(float(side) == 0 for side in field["/Rect"])
    return invisible and field.keys() <= _FIELD and value.keys() <= _VALUE


def _written(dictionary: generic.DictionaryObject, *, without: frozenset[str]) -> bytes:
    """The dictionary's entries as they would be written, but for some."""
    output = BytesIO()
    generic.DictionaryObject(
        {key: dictionary.raw_get(key) for key in sorted(dictionary) if key not in without}
    ).write_to_stream(output)
    return output.getvalue()


def _claimed(embedded: EmbeddedPdfSignature) -> datetime | None:
    try:
        at = embedded.self_reported_timestamp
    except _PARSING:
        return None
    return at if at is not None and at.utcoffset() is not None else None


def judge_seal(message: Message, digest: bytes, trust: TrustRoots, at: datetime, material: Material) -> Judgement:
    """Judge a seal's message at the moment `at`; `digest` is that of the bytes it covers."""
    if recalled := _recalled(message, digest, _SEAL, trust=trust, at=at, material=material):
        return recalled

    def check(context: ValidationContext) -> SignatureStatus:
        return _run(async_validate_cms_signature(message.signed_data, raw_digest=digest, validation_context=context))

    judged = _judge(check, message.certificates, trust, at, material)
    certificate = certificate_in(message.certificate)
    usable = {"digital_signature", "non_repudiation"} <= certificate.key_usage
    if not judged.problem and not (usable and DOCUMENT_SIGNING in certificate.extended_usage):
        return replace(judged, problem="usage")
    return _remembered(judged, message, _SEAL, trust, material)


def judge_stamp(stamp: Stamp, imprint: bytes, trust: TrustRoots, at: datetime, material: Material) -> Judgement:
    """Judge a timestamp at the moment `at`; `imprint` is the digest it should cover, in its own algorithm."""
    message = stamp.message
    content = digest_of(message.digest, message.content or b"")
    recalled = _recalled(message, content, _STAMP, trust=trust, at=at, material=material)
    if recalled is not None and stamp.imprint == imprint:
        return recalled

    def check(context: ValidationContext) -> SignatureStatus:
        values = _run(validate_tst_signed_data(message.signed_data, context, lambda _: imprint, _POLICY))
        return TimestampSignatureStatus(**values)

    judged = _judge(check, message.certificates, trust, at, material)
    return _remembered(judged, message, _STAMP, trust, material)


_SEAL, _STAMP = "seal", "stamp"
_MEMORY = ChainMemory()


def _recalled(
    message: Message, digest: bytes, purpose: str, *, trust: TrustRoots, at: datetime, material: Material
) -> Judgement | None:
    """The judgement on a message whose chain is known; None when it must be validated."""
    if trust.answers:
        return None  # they may bring news of a revocation
    known = _MEMORY.recall(key_of(message, purpose, trust, material.kinds), at)
    if known is None or not (is_intact(message, digest) and is_sound(message)):
        return None  # what does not hold by the short way is judged the long way, or two files alike might differ
    return Judgement(intact=True, sound=True, problem="", path=known.path, revocation=known.revocation)


def _remembered(judged: Judgement, message: Message, purpose: str, trust: TrustRoots, material: Material) -> Judgement:
    if judged.holds and not trust.answers:
        key = key_of(message, purpose, trust, material.kinds)
        lists = (*_dated(trust.revocation), *_dated(material.revocation))
        _MEMORY.remember(key, judged.path, judged.revocation, lists)
    return judged


def _judge(
    check: Callable[[ValidationContext], SignatureStatus],
    certificates: tuple[bytes, ...],
    trust: TrustRoots,
    at: datetime,
    material: Material,
) -> Judgement:
    """Judge with revocation required; where nothing is known of it, again without, and say so."""
    lists = _fitting((*trust.revocation, *material.revocation), (*trust.certificates, *certificates))
    try:
        status = check(_context(trust, at, material, lists, required=True)) if lists else None
        if status is None or _PROBLEMS.get(status.trust_problem_indic, "chain") == "chain":
            judged = _judgement(check(_context(trust, at, material, lists, required=False)), "unknown")
        else:
            judged = _judgement(status, "good")
    except _PARSING:
        return Judgement(intact=True, sound=False, problem="chain", path=(), revocation="unknown")
    return _answered(_revoked(judged, trust, at), trust, at)


def _judgement(status: SignatureStatus, revocation: str) -> Judgement:
    path = () if status.validation_path is None else tuple(one.dump() for one in status.validation_path)
    problem = "" if status.trust_problem_indic is None else _PROBLEMS.get(status.trust_problem_indic, "chain")
    if not problem and (not path or len(path) > MAX_PATH):
        problem = "chain"
    details = status.revocation_details
    return Judgement(
        intact=bool(status.intact),
        sound=bool(status.valid),
        problem=problem,
        path=path,
        revocation="revoked" if details else revocation,
        revoked_at=details.revocation_date if details else None,
    )


def _revoked(judged: Judgement, trust: TrustRoots, at: datetime) -> Judgement:
    """Look each certificate of the path up in our own lists as well.

    pyHanko passes over a list when the certificate names no place to get one, unless revocation is required.
    """
    for data in judged.path[1:]:
        certificate = certificate_in(data)
        for one in _dated(trust.revocation):
            moment = one.revoked_at(certificate)
            if moment is not None and moment <= at:
                return replace(judged, problem="revoked", revocation="revoked", revoked_at=moment)
    return judged


def _answered(judged: Judgement, trust: TrustRoots, at: datetime) -> Judgement:
    """Ask the status answers (OCSP) of the trust folder about each certificate of the path, beside our lists.

    An answer made since the moment judged tells of that moment too, one that ended before it does not.
    """
    answers = tuple(one for one in map(read_answer, trust.answers) if one.holds(at))
    if not answers or not judged.path:
        return judged
    root, *others = map(certificate_in, judged.path)
    known = Authorities((root,), tuple(others), _dated(trust.revocation), answers)
    try:
        moments = [known.revoked_at(one) for one in others]
    except PathError:
        return judged
    told = min((moment for moment in moments if moment is not None and moment <= at), default=None)
    if told is not None:
        return replace(judged, problem="revoked", revocation="revoked", revoked_at=told)
    return replace(judged, revocation="good") if judged.revocation == "unknown" else judged


def _context(
    trust: TrustRoots, at: datetime, material: Material, lists: tuple[crl.CertificateList, ...], *, required: bool
) -> ValidationContext:
    return ValidationContext(
        trust_roots=_certificates(trust.certificates),
        other_certs=_certificates(material.certificates),
        moment=at,
        best_signature_time=at,
        allow_fetching=False,
        crls=list(lists),
        ocsps=[],  # it reads them only where a certificate names a responder: see `_answered`
        revocation_mode="require" if required else "soft-fail",
        retroactive_revinfo=True,  # a list made after the moment judged tells of that moment too
        algorithm_usage_policy=_POLICY,
        signature_validator=_VALIDATOR,
    )


_PROBLEMS: dict[AdESSubIndic | None, str] = {
    AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND: "untrusted",
    AdESIndeterminate.NO_SIGNING_CERTIFICATE_FOUND: "untrusted",
    AdESIndeterminate.REVOKED_NO_POE: "revoked",
    AdESIndeterminate.REVOKED_CA_NO_POE: "revoked",
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: "expired",
    AdESIndeterminate.EXPIRED: "expired",
    AdESIndeterminate.NOT_YET_VALID: "expired",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: "algorithm",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: "algorithm",
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: "usage",
    None: "",
}


class _AllowList(CMSAlgorithmUsagePolicy):
    """SHA-256 and longer; RSA of at least 3072 bits with PKCS #1 v1.5, ECDSA on P-256 and P-384; SM2 with SM3."""

    def digest_algorithm_allowed(
        self, algo: algos.DigestAlgorithm, moment: datetime | None
    ) -> AlgorithmUsageConstraint:
        del moment
        return AlgorithmUsageConstraint(algo["algorithm"].native in DIGESTS | {"sm3"})

    def signature_algorithm_allowed(
        self, algo: algos.SignedDigestAlgorithm, moment: datetime | None, public_key: keys.PublicKeyInfo | None
    ) -> AlgorithmUsageConstraint:
        del moment
        kind = _KINDS.get(str(algo["algorithm"].native), "")
        return AlgorithmUsageConstraint(kind != "" and (public_key is None or _fits(kind, public_key)))

    def digest_combination_allowed(
        self,
        signature_algo: algos.SignedDigestAlgorithm,
        message_digest_algo: algos.DigestAlgorithm,
        moment: datetime | None,
    ) -> AlgorithmUsageConstraint:
        is_sm2, is_sm3 = (
            signature_algo["algorithm"].native == "sm3_sm2",
            message_digest_algo["algorithm"].native == "sm3",
        )
        if is_sm2 or is_sm3:
            return AlgorithmUsageConstraint(is_sm2 and is_sm3)
        return super().digest_combination_allowed(signature_algo, message_digest_algo, moment)


_KINDS = {f"{digest}_{kind}": kind for digest in DIGESTS for kind in ("rsa", "ecdsa")}
_KINDS |= {"rsassa_pkcs1v15": "rsa", "sm3_sm2": "sm2"}
_POLICY = _AllowList()


def _fits(kind: str, public_key: keys.PublicKeyInfo) -> bool:
    if kind == "rsa":
        return bool(public_key.algorithm == "rsa" and public_key.bit_size >= MIN_RSA)
    curves = {SM2_CURVE} if kind == "sm2" else CURVES
    return bool(public_key.algorithm == "ec" and public_key.curve[0] == "named" and public_key.curve[1] in curves)


class _Signatures(SignatureValidator):
    """Signatures by SM2 are checked by our own, all others by pyHanko."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: keys.PublicKeyInfo,
        signature_algorithm: algos.SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Raise `InvalidSignature` unless the signature holds."""
        if signature_algorithm["algorithm"].native != "sm3_sm2":
            _PYHANKO.validate_signature(signature, signed_data, public_key_info, signature_algorithm, context)
            return
        try:
            suite_named("sm2-sm3").verify(public_key_info.dump(), signature, signed_data)
        except VerificationError as error:
            raise InvalidSignature from error
        if context.prehashed:
            raise InvalidSignature  # Z of the signer cannot be hashed in any more


_PYHANKO, _VALIDATOR = DefaultSignatureValidator(), _Signatures()


def _teach_names() -> None:
    """asn1crypto has no names for the Chinese algorithms; pyHanko looks for a digest by its name in `cryptography`."""
    for kind, dotted, name in (
        (algos.DigestAlgorithmId, SM3, "sm3"),
        (algos.SignedDigestAlgorithmId, SM2_SM3, "sm3_sm2"),
    ):
        kind._map[dotted] = name
        if kind._reverse_map is not None:
            kind._reverse_map[name] = dotted
    keys.NamedCurve.register(SM2_CURVE, SM2_CURVE_OID, 32)


_teach_names()

_DIGITS = re.compile(rb"<([0-9A-Fa-f]*)>")
_PLAIN_NAME = re.compile(rb"""(/[!"$&'*-.0-;=?-Z\\^-z|~]*)(?=[ \n\r\t\f\x00()<>\[\]{}/%])""")
STOCK_HEX_STRING, STOCK_NAME = generic.read_hex_string_from_stream, generic.NameObject.read_from_stream


def hex_string(stream: BytesIO) -> Any:
    """As pyHanko reads it, plain digits at once instead of one by one: half of an examination went into that.

    Whatever holds anything but digits it reads itself.
    """
    digits = _taken(stream, _DIGITS)
    if digits is None:
        return STOCK_HEX_STRING(stream)
    return generic.pdf_string(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()))


def name_object(stream: BytesIO) -> Any:
    """As pyHanko reads it, a name of plain characters at once: a fifth of a B-LTA file's examination went into that.

    Whatever has an escape, any other character, or no end it reads itself.
    """
    plain = _taken(stream, _PLAIN_NAME)
    return STOCK_NAME(stream) if plain is None else generic.NameObject(plain.decode())


def _taken(stream: BytesIO, pattern: re.Pattern[bytes]) -> bytes | None:
    """The pattern's group at the stream's place, which moves behind it; None, and no move, where it does not fit."""
    if not isinstance(stream, BytesIO):
        return None
    with stream.getbuffer() as data:
        found = pattern.match(data, stream.tell())
        taken = bytes(found[1]) if found else None
    if found:
        stream.seek(found.end())
    return taken


generic.read_hex_string_from_stream = hex_string
generic.NameObject.read_from_stream = staticmethod(name_object)  # type: ignore[method-assign]


@lru_cache(maxsize=64)
def _certificates(certificates: tuple[bytes, ...]) -> list[x509.Certificate]:
    return [x509.Certificate.load(data) for data in certificates]


def _fitting(lists: tuple[bytes, ...], certificates: tuple[bytes, ...]) -> tuple[crl.CertificateList, ...]:
    """The lists by issuers of these certificates: comparing names is what costs pyHanko most."""
    issuers = {certificate_in(data).issuer for data in certificates}
    return tuple(_list(one.der) for one in _dated(lists) if one.issuer in issuers)


@lru_cache(maxsize=64)
def _list(data: bytes) -> crl.CertificateList:
    return crl.CertificateList.load(data)


@lru_cache(maxsize=64)
def _dated(lists: tuple[bytes, ...]) -> tuple[RevocationList, ...]:
    return tuple(RevocationList.load(data, name="crl") for data in lists)


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of pyHanko's to its end: without fetching it never waits, so no event loop is needed."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError("pyHanko waits for something although it may fetch nothing")
