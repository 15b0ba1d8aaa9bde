"""A copy to look at: the face of an edition with a mark across it and no seal; the original's bytes are not touched."""

from __future__ import annotations

from certlib.document.face import Carrier, Face
from certlib.document.renderer import Renderer
from certlib.domain.certificate import Certificate
from certlib.domain.kinds import CertificateType
from certlib.domain.verdict import WORDS, Verdict
from certlib.issue.draft import moment_text
from certlib.register.tables import EditionRow

_MARKS = {
    Verdict.CANCELLED: "已注销",
    Verdict.SUSPENDED: "已暂扣",
    Verdict.SUPERSEDED: "已有新版本",
    Verdict.EXPIRED: "已过期",
    Verdict.VOIDED: "已作废",
    Verdict.NOT_IN_FORCE: "未生效",
    Verdict.VALID: "副本件 不作凭证",
}
_REVOCATIONS = {"revoked": "已撤销", "withdrawn": "已撤回", "rescinded": "已吊销"}


def mark_of(verdict: Verdict, certificate: Certificate) -> str:
    """What stands across the copy."""
    if verdict is Verdict.REVOKED:
        return _REVOCATIONS.get(certificate.cause, "已撤销")
    return _MARKS.get(verdict, WORDS[verdict].chinese)


def marked_copy(
    renderer: Renderer, kind: CertificateType, edition: EditionRow, *, issuer: str, caption: str, mark: str
) -> bytes:
    """The unsealed, marked copy of an edition as PDF. Raises `RenderError`."""
    face = Face(
        template=kind.template,
        title=kind.name,
        carrier=Carrier.FILE,
        facts=edition.printed,
        labels={spec.key: spec.label for spec in kind.fields},
        issuer=issuer,
        issued_on=str(edition.printed["issued_on"]),
        code_text=edition.code_text,
        code_caption=caption,
        mark=mark,
        made_at=moment_text(edition.created_at),
    )
    return renderer.render(face).pdf
