"""What an official reads: 事项 → 谁受理、审核、批准 → 用谁的章 → 结果; then what arrived, and whether it is genuine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from certlib.domain.verdict import WORDS, Verdict
from service.demo.folder import Folder
from service.demo.play import Line, Playbill

_TONES = {"green": "green", "amber": "yellow", "red": "red", "grey": "dim"}


def tell(told: Playbill, folder: Folder, console: Console) -> None:
    """Print the whole performance."""
    console.print(_lines("一、核发证照 · certificates issued", told.issued))
    console.print(_lines("二、审批文书 · documents", told.documents))
    console.print(_lines("三、备案回执 · receipts", told.receipts))
    console.print(_lines("四、后续办理（电子与纸质同步）· afterwards, on both carriers", told.acts))
    console.print(_verdicts(told))
    for sentence in _closing(told, folder):
        console.print(sentence)


def summary(told: Playbill) -> Mapping[str, Any]:
    """`summary.json`."""
    return {
        "issued": len(told.issued),
        "documents": len(told.documents),
        "receipts": len(told.receipts),
        "actions": len(told.acts),
        "delivered": told.delivered,
        "verdicts": told.verdicts,
        "expected": told.expected,
        "sheets": told.sheets,
        "departments": sorted({line.seal for line in _all(told)}),
        "handling": dict(Counter(line.handling for line in _all(told))),
        "acts": [{"item": line.item, "certificate": line.title, "result": line.result} for line in told.acts],
        "certificates": dict(told.identifiers.items()),
        "events": {"register": told.events, "repository": told.held},
        "supervision": {"sent": told.pushed, "received": told.received},
        "audit": {"entries": told.audit.size, "holds": told.audit.holds} if told.audit else {},
        "sound": told.sound,
    }


def _all(told: Playbill) -> Sequence[Line]:
    return [*told.issued, *told.documents, *told.receipts]


def _lines(title: str, lines: Iterable[Line]) -> Table:
    columns = ("事项 → 当事人", "受理、审核、批准", "用章", "结果")
    made = _table(title, *columns)
    for line in lines:
        made.add_row(f"[bold]{line.item} {line.title}[/bold]\n{line.holder}", line.chain, line.seal, line.result)
    return made


def _table(title: str, *columns: str) -> Table:
    made = Table(title=title, title_justify="left", title_style="bold", box=box.HORIZONTALS, show_lines=True)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def _verdicts(told: Playbill) -> Table:
    made = _table("五、逐件核验 · every file verified", "结论", "件数", "文件")
    by_verdict: dict[str, list[str]] = {}
    for file, verdict in told.verdicts.items():
        by_verdict.setdefault(verdict, []).append(file)
    for verdict, files in by_verdict.items():
        words = WORDS[Verdict(verdict)]
        shown = "\n".join(files[:3]) + (f"\n… 共 {len(files)} 件" if len(files) > 3 else "")
        made.add_row(f"[{_TONES[words.tone]}]{words.chinese}[/]", str(len(files)), shown)
    return made


def _closing(told: Playbill, folder: Folder) -> Iterable[str]:
    events = sum(told.events.values())
    yield f"归集：{events} 个事件，市电子证照库收到 {told.delivered} 个。"
    informed = "，".join(f"{name} {count} 个" for name, count in told.received.items())
    yield f"审管信息推送：{sum(told.pushed.values())} 个事件，签名核验无误并收到的：{informed}。"
    wrong = [file for file, verdict in told.verdicts.items() if verdict != told.expected[file]]
    yield (
        f"[red]与应有结论不符：{'、'.join(wrong)}[/red]"
        if wrong
        else "每件文件的结论都与应有的一致；被改动的副本已识破。"
    )
    if told.audit:
        found = "全部相符" if told.audit.holds else f"[red]{told.audit.breach_count} 处不符[/red]"
        yield f"审计：{told.audit.size} 条日志逐条重算，{len(told.audit.findings)} 项检查，{found}。"
    yield f"文件在 {folder.root}/，概要在 {folder.root / 'summary.json'}。以上均用开发密钥签章，不具法律效力。"
