"""The document security store (DSS, ETSI EN 319 142-1 §5.4): validation material inside the file."""

# pyHanko's objects carry no annotations on their constructors.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from asn1crypto import crl, x509
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.validation.dss import DocumentSecurityStore

from certlib.crypto.material import ValidationMaterial


def add_material(writer: BasePdfFileWriter, material: ValidationMaterial) -> None:
    """Put `material` into the store of the file that `writer` updates; what is there already stays and is not doubled.

    No VRI entries: their keys are digests of signatures that do not exist yet, and no reader needs them.
    """
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,
        certs=[x509.Certificate.load(one.der) for one in material.certificates],
        crls=[crl.CertificateList.load(one.der) for one in material.revocation],
    )
