"""What a verifier will need in years to come: certificates, and revocation lists that were current at the time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from certlib.crypto.certificates import Certificate, RevocationList, load_certificates, load_revocation_lists


@dataclass(frozen=True, slots=True)
class ValidationMaterial:
    """Certificates and revocation lists to keep beside a signature (ETSI EN 319 142-1 §5.4, the document's DSS)."""

    certificates: tuple[Certificate, ...] = ()
    revocation: tuple[RevocationList, ...] = ()

    @classmethod
    def load(cls, folder: Path, short: str) -> ValidationMaterial:
        """The authorities and lists of one suite from a folder laid out like `keys-dev/`; `short` is the suite's."""
        paths = sorted((folder / "ca").glob(f"*.{short}.pem"))
        authorities = tuple(load_certificates(path.read_bytes(), name=str(path))[0] for path in paths)
        return cls(authorities, load_revocation_lists(sorted((folder / "crl").glob(f"*.{short}.crl"))))

    def with_certificates(self, certificates: Iterable[Certificate]) -> ValidationMaterial:
        """The same with further certificates, none twice."""
        every = {one.der: one for one in (*self.certificates, *certificates)}
        return ValidationMaterial(tuple(every.values()), self.revocation)

    def missing(self, certificates: Iterable[Certificate], *, at: datetime) -> tuple[str, ...]:
        """The names of those of `certificates` whose issuer's list is not there or was not current at `at`."""
        current = {
            crl.issuer
            for crl in self.revocation
            if crl.this_update <= at and (crl.next_update is None or at <= crl.next_update)
        }
        wanted = (one for one in certificates if one.issuer != one.subject_name)
        return tuple(dict.fromkeys(one.common_name for one in wanted if one.issuer not in current))

    def needed_for(self, certificates: Iterable[Certificate]) -> ValidationMaterial:
        """The part of it that concerns these certificates: the authorities above them and those authorities' lists."""
        names = {one.issuer for one in certificates}
        by_name = {one.subject_name: one for one in self.certificates}
        above: list[Certificate] = []
        while found := [by_name[name] for name in names if name in by_name and by_name[name] not in above]:
            above.extend(found)
            names |= {one.issuer for one in found}
        return ValidationMaterial(tuple(above), tuple(crl for crl in self.revocation if crl.issuer in names))
