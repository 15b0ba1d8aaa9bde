"""What a finding that is not a pass means, in English: the details of findings are Chinese.

One sentence for each check and outcome, so that a reader of a report who reads no Chinese misses no finding's sense,
also where `certlib.verify.english` has no wording for a detail.
"""

from __future__ import annotations

from collections.abc import Mapping

from certlib.domain.verdict import Finding
from certlib.verify.english import english

MEANINGS: Mapping[tuple[str, str], str] = {
    (
        "readable",
        "fail",
    ): "The file cannot be read: it is no PDF, damaged, incomplete, encrypted, or beyond the limits.",
    ("register", "fail"): "The register does not hold this file or number, or holds other facts for it.",
    ("register", "unknown"): "The register gave no answer, so nothing was compared with it.",
    ("span", "fail"): "The signature does not cover exactly the bytes that a seal must cover.",
    ("fields", "fail"): "The signatures are not what an issued file has: one seal, which certifies, and timestamps.",
    ("form", "fail"): "The signature holds something that it does not protect, or is not formed as a seal's.",
    ("time", "fail"): "The timestamp does not prove this content at the moment asked about.",
    ("time", "warn"): "The time of sealing is not proved now: no timestamp yet, or one that no longer holds.",
    ("content", "fail"): "The content was changed after sealing.",
    ("signature", "fail"): "There is no seal, or its signature does not hold.",
    ("signature", "unknown"): "An earlier certificate entered in the register; this system sealed no file for it.",
    ("issuer", "fail"): "The certificate behind the signature is not trusted, or was not valid then.",
    ("issuer", "warn"): "The signing key has been compromised; the register confirms this certificate.",
    ("host", "warn"): "The code's address is not that of the issuer's page: do not open it.",
    ("revocation", "fail"): "The seal's certificate had been revoked before the file was sealed.",
    ("revocation", "unknown"): "No revocation data was at hand, so revocation was not checked.",
    ("changes", "fail"): "Something was added to or changed in the file after sealing.",
    ("authorisation", "fail"): "What the signature says of the use of the seal is wrong.",
    ("authorisation", "warn"): "The signature does not say under which authorisation the seal was used.",
    ("seal", "fail"): "The seal was not listed, or not in use, when the file was sealed.",
    ("seal", "unknown"): "Without a list of seals it was not checked whether the seal was in use.",
    ("facts", "fail"): "The attached facts cannot be read, or differ from the printed text or the register.",
    ("facts", "warn"): "Facts are not attached, or some of them are not in the printed text.",
    ("status", "warn"): "It is not plainly in force; the verdict says what it is.",
    ("status", "unknown"): "Whether it is in force was not established.",
}


def meaning(finding: Finding) -> str:
    """The English sentence to a finding; empty for a pass."""
    return MEANINGS.get((finding.check, finding.outcome), "")


def in_english(finding: Finding) -> str:
    """The finding's detail in English; what it means where the detail has no English; empty for a pass without one."""
    return english(finding.detail) or meaning(finding)


def told(finding: Finding) -> str:
    """A finding's detail, and the same in English."""
    return " ".join(filter(None, (finding.detail, in_english(finding))))
