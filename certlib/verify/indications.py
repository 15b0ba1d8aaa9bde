"""Our findings in the words of ETSI EN 319 102-1: indication and sub-indication, for those who compare validators.

The standard knows the signature only. That a file is not the issued one, or a certificate revoked by its issuer, is no
matter of the signature, and so does not show here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from certlib.domain.verdict import Finding, Verdict
from certlib.verify.meanings import in_english
from certlib.verify.report import Report

PASSED, INDETERMINATE, FAILED = "TOTAL-PASSED", "INDETERMINATE", "TOTAL-FAILED"


@dataclass(frozen=True, slots=True)
class Indication:
    """EN 319 102-1 clause 5.1.3, table 5: the status and, unless it is passed, the sub-indication."""

    status: str
    reason: str = ""


# By the failing check, the first that applies in the order of the table. `issuer` is told apart by the verdict.
_OF_CHECK = (
    ("readable", Indication(FAILED, "FORMAT_FAILURE")),
    ("content", Indication(FAILED, "HASH_FAILURE")),
    ("span", Indication(FAILED, "FORMAT_FAILURE")),
    ("form", Indication(FAILED, "FORMAT_FAILURE")),
    ("fields", Indication(INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")),
    ("changes", Indication(INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")),
    ("revocation", Indication(INDETERMINATE, "REVOKED_NO_POE")),
    ("time", Indication(INDETERMINATE, "TIMESTAMP_ORDER_FAILURE")),
    ("authorisation", Indication(INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")),
    ("seal", Indication(INDETERMINATE, "REVOKED_NO_POE")),
)


def indication(report: Report) -> Indication:
    """What the standard would say of the seal on the file."""
    failed = {finding.check: finding for finding in report.findings if finding.outcome == "fail"}
    if "signature" in failed:
        return _of_signature(failed["signature"], report.verdict)
    if "issuer" in failed:
        untrusted = report.verdict is Verdict.UNKNOWN_ISSUER
        return Indication(INDETERMINATE, "NO_CERTIFICATE_CHAIN_FOUND" if untrusted else "OUT_OF_BOUNDS_NO_POE")
    for check, found in _OF_CHECK:
        if check in failed:
            return found
    revocation = report.finding("revocation")
    if revocation is not None and revocation.outcome == "unknown":
        return Indication(INDETERMINATE, "TRY_LATER")
    return Indication(PASSED)


def _of_signature(finding: Finding, verdict: Verdict) -> Indication:
    if verdict is Verdict.UNSEALED:
        return Indication(INDETERMINATE, "SIGNED_DATA_NOT_FOUND")
    if "算法" in finding.detail:
        return Indication(INDETERMINATE, "CRYPTO_CONSTRAINTS_FAILURE")
    return Indication(FAILED, "SIG_CRYPTO_FAILURE")


def report_json(report: Report) -> bytes:
    """A report for machines: its own members, digest and time, and the standard's indication beside them.

    Each finding has its detail in English besides.
    """
    found = indication(report)
    values = {**report.as_json(), "sha256": report.sha256, "at": report.at.isoformat()}
    values["findings"] = [{**one.as_json(), "english": in_english(one)} for one in report.findings]
    values["etsi"] = {"standard": "EN 319 102-1", "indication": found.status, "sub_indication": found.reason}
    return json.dumps(values, ensure_ascii=False, indent=2).encode()
