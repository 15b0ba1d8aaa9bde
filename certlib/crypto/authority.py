"""The authorities of the development PKI as a server shows them: timestamps, revocation lists, certificate status.

    authority = DevelopmentAuthority(development_folder())
    authority.timestamp("p256", request, now=now)       # RFC 3161 TimeStampResp
    authority.revocation_list("issuing.rsa")            # RFC 5280 CRL, DER
    authority.status("issuing.rsa", request, now=now)   # RFC 6960 OCSPResponse

In every suite. The keys are public; whoever serves this outside development serves everybody's signature.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from certlib.crypto import ocsp
from certlib.crypto.certificates import Certificate, RevocationList, load_certificates
from certlib.crypto.cms import Signer
from certlib.crypto.development import development_timestamps
from certlib.crypto.keys import open_key
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
        responder = self._folder / "ocsp" / f"ocsp.{name.rpartition('.')[2]}.pem"
        if name not in self._names or not responder.exists():
            raise NotFoundError(f"没有 {name[:40]} 这一 OCSP 服务。")
        try:
            asked = ocsp.read_request(request)
        except ValueError:
            return ocsp.refusal(ocsp.MALFORMED)
        issuer = self._certificate(f"ca/{name}.pem")
        if not all(one.is_of(issuer) for one in asked.names):
            return ocsp.refusal(ocsp.UNAUTHORIZED)
        at = now.replace(microsecond=0)
        answer = ocsp.Answer(responder=self._responder(responder), at=at, until=at + GOOD_FOR)
        return answer.write(asked, lambda one: self._state(one.serial, name, at))

    def _responder(self, path: Path) -> Signer:
        certificate, *chain = load_certificates(path.read_bytes(), name=path.name)
        return Signer(open_key(f"pem:{path}"), certificate, tuple(chain))

    def _state(self, serial: int, name: str, at: datetime) -> ocsp.Status:
        revoked = RevocationList.load(self.revocation_list(name), name=name).revoked.get(serial)
        if revoked is not None and revoked <= at:
            return ocsp.Status("revoked", revoked)
        return ocsp.Status("good" if serial in self._serials else "unknown")

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(path.stem for path in (self._folder / "crl").glob("*.crl"))

    @cached_property
    def _serials(self) -> frozenset[int]:
        """Of every certificate of the folder; the serials of the development PKI are hashes and so never the same."""
        paths = [path for place in ("ca", "seals", "tsa", "ocsp") for path in (self._folder / place).glob("*.pem")]
        return frozenset(load_certificates(path.read_bytes(), name=path.name)[0].serial for path in paths)

    def _certificate(self, place: str) -> Certificate:
        return load_certificates((self._folder / place).read_bytes(), name=place)[0]
