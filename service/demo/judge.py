"""The verifier as the demo uses it: the auditor's own, with the service's register asked for the state of today."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

from certlib.domain.verdict import Verdict
from certlib.verify.examine import examine
from certlib.verify.remote import RemoteRegister
from certlib.verify.roots import TrustRoots


class Judge:
    """Gives a verdict on each file, as `certctl verify --register` would."""

    def __init__(self, service: str, trust: ssl.SSLContext | bool) -> None:
        self._roots = TrustRoots.load()
        self._register = RemoteRegister(service, trust if isinstance(trust, ssl.SSLContext) else None)

    def __call__(self, pdf: bytes, name: str) -> Verdict:
        """The verdict on a file at this moment."""
        return examine(pdf, trust=self._roots, at=datetime.now(UTC), lookup=self._register, name=name).verdict
