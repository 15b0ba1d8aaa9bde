"""X.509 paths for suites that pyHanko's validator does not know: few rules, all of them checked (RFC 5280 §6.1).

Names are compared byte for byte, signatures verified by the suite of the issuer's key, every issuer must be an
authority allowed to sign certificates, and a path has at most four certificates. Only the roots given are trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from certlib.crypto.certificates import Certificate, RevocationList, signed_parts
from certlib.crypto.ocsp import OCSP_SIGNING, Single, StatusAnswer
from certlib.crypto.sm2 import as_der
from certlib.crypto.suites import suite_of
from certlib.errors import VerificationError

MAX_PATH = 4


class PathError(ValueError):
    """There is no path that holds; the text says why, in Chinese."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """Whom to trust, who may stand between, and what they have revoked."""

    roots: tuple[Certificate, ...]
    between: tuple[Certificate, ...] = ()
    revocation: tuple[RevocationList, ...] = ()
    answers: tuple[StatusAnswer, ...] = ()  # OCSP, beside the lists or in their place

    def with_between(self, certificates: Iterable[Certificate]) -> Authorities:
        """The same with further certificates that may stand between."""
        return replace(self, between=(*self.between, *certificates))

    def path(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """The path from `certificate` to a root, signatures and authorities checked, periods and revocation not.

        Raises `PathError`.
        """
        path = [certificate]
        while len(path) < MAX_PATH:
            last = path[-1]
            for issuer in (*self.roots, *self.between):
                if issuer.subject_name == last.issuer and issuer.der not in {one.der for one in path}:
                    _check_link(last, issuer, below=len(path) - 1)
                    path.append(issuer)
                    break
            else:
                raise PathError(f"证书 {last.common_name} 的签发者未登记")
            if any(path[-1].der == root.der for root in self.roots):
                return tuple(path)
        raise PathError("证书链过长")

    def revoked_at(self, certificate: Certificate) -> datetime | None:
        """When the certificate's issuer revoked it, or None.

        Raises `PathError` when there is neither a list nor an answer to tell.
        """
        known = [crl for crl in self.revocation if crl.issuer == certificate.issuer and self._signed(crl)]
        moments = [crl.revoked_at(certificate) for crl in known]
        moments += [one.status.revoked_at for one in self._answered(certificate)]
        if not moments:
            raise PathError(f"没有证书 {certificate.common_name} 的吊销列表")
        return min((moment for moment in moments if moment is not None), default=None)

    def _answered(self, certificate: Certificate) -> Iterator[Single]:
        """What answers of its issuer, or of a responder that the issuer certified, say of the certificate."""
        issuers = [one for one in (*self.roots, *self.between) if one.subject_name == certificate.issuer]
        for answer in self.answers:
            for issuer in issuers:
                if any(_answers_for(issuer, one, answer) for one in (issuer, *answer.certificates)):
                    yield from (
                        one
                        for one in answer.singles
                        if one.name.serial == certificate.serial
                        and one.name.is_of(issuer)
                        and one.status.word != "unknown"
                    )

    def _signed(self, crl: RevocationList) -> bool:
        issuers = (one for one in (*self.roots, *self.between) if one.subject_name == crl.issuer)
        return any("crl_sign" in one.key_usage and _holds(crl.der, one) for one in issuers)


def outside(path: Iterable[Certificate], at: datetime) -> Certificate | None:
    """The first certificate of a path that was not valid at `at`, or None."""
    return next((one for one in path if not one.valid_at(at)), None)


def _answers_for(issuer: Certificate, responder: Certificate, answer: StatusAnswer) -> bool:
    """Whether the answer is this responder's, and it may answer for the issuer (RFC 6960 §4.2.2.2)."""
    if responder.der != issuer.der:
        delegated = responder.issuer == issuer.subject_name and OCSP_SIGNING in responder.extended_usage
        if not (delegated and responder.valid_at(answer.at) and issuer.is_authority and _holds(responder.der, issuer)):
            return False
    return _verifies(answer.signed, answer.algorithm, answer.signature, responder)


def _check_link(certificate: Certificate, issuer: Certificate, *, below: int) -> None:
    if not issuer.is_authority or "key_cert_sign" not in issuer.key_usage:
        raise PathError(f"证书 {issuer.common_name} 无权签发证书")
    if issuer.path_length is not None and below > issuer.path_length:
        raise PathError(f"证书 {issuer.common_name} 之下的证书链过长")
    if not _holds(certificate.der, issuer):
        raise PathError(f"证书 {certificate.common_name} 的签名不成立")


def _holds(whole: bytes, issuer: Certificate) -> bool:
    try:
        tbs, algorithm, signature = signed_parts(whole)
    except ValueError:
        return False
    return _verifies(tbs, algorithm, signature, issuer)


def _verifies(signed: bytes, algorithm: bytes, signature: bytes, signer: Certificate) -> bool:
    try:
        suite = suite_of(signer.spki)
        if algorithm != suite.signature_algorithm:
            return False
        suite.verify(signer.spki, as_der(signature) if suite.name == "sm2-sm3" else signature, signed)
    except (VerificationError, ValueError):
        return False
    return True
