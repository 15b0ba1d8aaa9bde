"""The auditor's turn: the office's bundle, left in the folder, and everything in it computed anew."""

from __future__ import annotations

from certlib.crypto.development import development_key
from certlib.issue.exporting import export_office
from certlib.issue.office import Office
from certlib.verify.audit import AuditReport, AuditTrust, audit
from certlib.verify.bundle import open_bundle
from service.demo.folder import Folder

NAME = "bundle.tar"


def audited(office: Office, folder: Folder) -> AuditReport:
    """Export the bundle and audit it with the public keys of the development journal."""
    path = folder.root / NAME
    export_office(office, path)
    trust = AuditTrust(
        journal=office.journal.verifiers,
        witnesses=[one.verifier for one in office.witnesses],
        trust_roots=[development_key("trust-2026").public_key],
    )
    with open_bundle(path) as bundle:
        return audit(bundle, trust, quorum=2)
