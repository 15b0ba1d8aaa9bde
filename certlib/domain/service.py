"""Service (送达) of papers and certificates on their addressee: the ways, what proves each, and when it is complete.

    record = Service(way=Way.POST, served_at=at, proof={"recipient": "钟文", "tracking": "…", "receipt": "…"})
    service_faults(record, ready_at=issued_at, now=now)      # everything missing or wrong

A licence is handed over within ten working days of the decision (行政许可法44). By electronic means only with the
addressee's consent; what is left or announced needs a witness or the announcement (民事诉讼法 87–95, which the
administrative rules follow).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from certlib.domain.civil import chinese_date, civil_date
from certlib.errors import Fault

ANNOUNCED_FOR = timedelta(days=30)
"""So long after it was announced a paper counts as served (民事诉讼法95)."""


class Way(StrEnum):
    """How a paper reaches its addressee."""

    DIRECT = "direct"
    ELECTRONIC = "electronic"
    POST = "post"
    LEFT = "left"
    ANNOUNCED = "announced"


class ServedCarrier(StrEnum):
    """What was served: the electronic file of a certificate, its sheets, or a document in either form."""

    FILE = "file"
    PAPER = "paper"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class WayRule:
    """One way: its name, the members its record must have, and whether the sheets leave our hands by it."""

    label: str
    needs: tuple[str, ...]
    hands_over: bool = True


WAYS: Mapping[Way, WayRule] = {
    Way.DIRECT: WayRule("直接送达", ("recipient", "relation", "identity", "receipt", "person")),
    Way.ELECTRONIC: WayRule("电子送达", ("consent", "address", "receipt"), hands_over=False),
    Way.POST: WayRule("邮寄送达", ("recipient", "tracking", "receipt")),
    Way.LEFT: WayRule("留置送达", ("reason", "place", "witness", "person")),
    Way.ANNOUNCED: WayRule("公告送达", ("reason", "announcement", "announced_on"), hands_over=False),
}
PROOFS: Mapping[str, str] = {
    "recipient": "收件人",
    "relation": "收件人与受送达人的关系",
    "identity": "收件人证件",
    "receipt": "送达回证（回执）编号",
    "person": "送达人",
    "consent": "受送达人同意电子送达的凭据",
    "address": "电子送达地址",
    "tracking": "邮件号",
    "reason": "事由",
    "place": "送达地点",
    "witness": "见证人",
    "announcement": "公告文号",
    "announced_on": "公告日期",
    "authorisation": "授权委托书",
    "note": "备注",
}
"""Every member of a service's record with its Chinese label; each way needs some of them."""
RELATIONS: Mapping[str, str] = {"holder": "本人", "legal-representative": "法定代表人", "agent": "代理人"}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Service:
    """One service: the way, the moment it took effect, and what proves it, key to text."""

    way: Way
    served_at: datetime
    proof: Mapping[str, str] = field(default_factory=dict)

    @property
    def carrier(self) -> ServedCarrier:
        """Which carrier of a certificate this way serves."""
        return ServedCarrier.FILE if self.way is Way.ELECTRONIC else ServedCarrier.PAPER


def service_faults(service: Service, *, ready_at: datetime, now: datetime) -> list[Fault]:
    """Everything missing or wrong: what its way needs, and a moment between `ready_at` and `now`."""
    proof, rule = service.proof, WAYS[service.way]
    faults = [_fault(key, "missing", "缺少该项", "is missing") for key in rule.needs if not proof.get(key, "").strip()]
    faults += [
        _fault(key, "too-long", f"最多 {_LONGEST} 字", "is too long")
        for key, text in proof.items()
        if len(text) > _LONGEST
    ]
    relation = proof.get("relation", "")
    if relation and relation not in RELATIONS:
        faults.append(
            _fault("relation", "not-a-choice", f"应为 {'、'.join(RELATIONS)} 之一", "is not a known relation")
        )
    if relation == "agent" and not proof.get("authorisation", "").strip():
        faults.append(_fault("authorisation", "missing", "代理人签收须有授权委托书", "is missing"))
    if proof.get("witness") and proof.get("witness") == proof.get("person"):
        faults.append(_fault("witness", "same-person", "见证人不得为送达人", "is the person who serves"))
    return faults + _moment_faults(service, ready_at, now)


def _moment_faults(service: Service, ready_at: datetime, now: datetime) -> list[Fault]:
    label, at = "送达时间", service.served_at
    if at > now:
        return [Fault("served_at", "in-the-future", f"{label}：在当前时间之后。", label, "Lies in the future.")]
    if at < ready_at:
        return [Fault("served_at", "before-issue", f"{label}：早于制发时间。", label, "Lies before the issue.")]
    return _announcement_faults(service, ready_at) if service.way is Way.ANNOUNCED else []


def _announcement_faults(service: Service, ready_at: datetime) -> list[Fault]:
    text = service.proof.get("announced_on", "")
    try:
        announced = date.fromisoformat(text)
    except ValueError:
        return [_fault("announced_on", "not-a-date", "不是日期（应如 2026-03-02）", "is no date")] if text else []
    if announced < civil_date(ready_at):
        return [_fault("announced_on", "before-issue", "早于制发日期", "lies before the issue")]
    counts = announced + ANNOUNCED_FOR
    if civil_date(service.served_at) < counts:
        message = f"送达时间：公告满三十日（{chinese_date(counts)}）才视为送达。"
        return [Fault("served_at", "too-early", message, "送达时间", "An announcement takes thirty days.")]
    return []


def _fault(key: str, code: str, reason: str, english: str) -> Fault:
    return Fault(key, code, f"{PROOFS[key]}：{reason}。", PROOFS[key], f"{key} {english}.")
