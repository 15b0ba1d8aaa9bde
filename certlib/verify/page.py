"""The report for people: one self-contained HTML page, Chinese first, English beside it, no script.

Order: the verdict; what it is; who sealed what when, under which authorisation, with the proof of time; the state on
the day asked and today; what was changed after sealing, with pictures of the pages then and now; every check by number.
"""

from __future__ import annotations

import base64
from datetime import datetime
from html import escape

from certlib.domain.civil import SHANGHAI, chinese_date
from certlib.domain.verdict import GENUINE, Verdict
from certlib.verify.indications import indication
from certlib.verify.meanings import told
from certlib.verify.pictures import Page, Pictures
from certlib.verify.report import CertificateReport, Report, SealReport

CHECKS = {
    "register": "签发原件 · the issued file",
    "readable": "可读取 · readable",
    "span": "签名范围 · span of the signatures",
    "fields": "签章域 · signature fields",
    "form": "签名结构 · form of the signatures",
    "time": "时间证明 · proof of time",
    "content": "内容未改 · content",
    "signature": "签名 · signature",
    "issuer": "签发机关 · issuer",
    "revocation": "证书吊销 · revocation",
    "changes": "签章后改动 · changes after sealing",
    "authorisation": "用印授权 · seal authorisation",
    "seal": "印章状态 · state of the seal",
    "facts": "内附数据 · attached facts",
    "status": "当前状态 · status",
}
SES_CHECKS = {
    "format": "格式 · format",
    "signature": "签章者的签名 · the signer's signature",
    "holder": "签章者 · the seal's holder",
    "signer": "签章者证书 · the signer's certificate",
    "hash": "原文 · the original",
    "range": "覆盖范围 · what is covered",
    "seal": "制章者的签名 · the maker's signature on the seal",
    "maker": "制章者证书 · the maker's certificate",
    "period": "印章有效期 · the seal's validity",
    "timestamp": "时间戳 · timestamp",
}
"""The steps of a signature or seal after GB/T 38540 (`certlib.verify.ses`)."""
OUTCOMES = {"pass": "通过 · pass", "fail": "不符 · fail", "warn": "注意 · warning", "unknown": "未核 · unknown"}
COLOURS = {"green": "#0a6b2d", "amber": "#8a5200", "red": "#b00020", "grey": "#4a4a4a"}
_STYLE = """
body{font:16px/1.6 "Noto Sans SC",sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#111}
h1{font-size:1.6rem;border-left:.5rem solid currentColor;padding-left:.7rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid #bbb;padding:.35rem .6rem;text-align:left;vertical-align:top}
th{background:#f3f3f3;font-weight:600;width:12rem}td:last-child,p,code{overflow-wrap:anywhere}
.pages{display:flex;gap:1rem;margin:0 0 1rem}figure{margin:0;flex:1 1 0;max-width:32rem}
img{max-width:100%;border:1px solid #bbb}code{font-size:.85em}
.fail td:first-child,.odd{color:#b00020;font-weight:600}.small{color:#444;font-size:.85rem}
@media(max-width:40rem){th{width:7rem}.steps td{display:block;border-width:0 1px}
.steps td:first-child{border-top-width:1px}.steps td:last-child{border-bottom-width:1px}}
"""


def report_page(report: Report, pictures: Pictures | None = None) -> str:
    """The report as an HTML document."""
    words = report.words
    colour = COLOURS[words.tone]
    shown = "".join(_section(*section) for section in sections(report, pictures))
    parts = [
        f'<h1 style="color:{colour}">{escape(words.chinese)}<br><small>{escape(words.english)}</small></h1>',
        f"<p>{escape(report.file)}<br><code>SHA-256 {report.sha256}</code></p>",
        shown,
        _pictures(pictures, report) if pictures is not None else "",
        _checks(report),
        f"<p class=small>{'<br>'.join(map(escape, footer_lines(report)))}</p>",
    ]
    title = f"{words.chinese} · 核验报告"
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>"
    )


Rows = tuple[tuple[str, str], ...]


def sections(report: Report, pictures: Pictures | None = None) -> list[tuple[str, str, Rows]]:
    """The report's sections: title, a sentence (may be empty), rows of name and text (texts may be empty)."""
    certificate = report.certificate
    said = (
        [("文件所载 · what it says", _UNPROVED if report.verdict not in GENUINE else "", _said(certificate))]
        if certificate
        else []
    )
    if report.seals:
        seals = [(f"印章 · seal {seal.seal}", "", _sealed(seal, report)) for seal in report.seals]
    else:
        seals = [("印章 · seals", "没有电子印章。No electronic seal.", ())]
    changes = [("签章后的改动 · changes after sealing", changes_note(report, pictures), ())] if report.seals else []
    return [*said, *seals, ("状态 · state", "", _state(report)), *changes]


_UNPROVED = "以下是文件自己的说法，未经证实。The file says so itself; nothing vouches for it."


def changes_note(report: Report, pictures: Pictures | None = None) -> str:
    """What happened to the file after its seal was put on, and which of its pages show it."""
    finding, content = report.finding("changes"), report.finding("content")
    if content is not None and content.outcome == "fail":
        return f"{_CHANGED}{_differing(pictures) or _NO_BEFORE}"
    if finding is None or finding.outcome == "unknown":
        return "未能核对签章后有无改动。Whether anything was changed after sealing could not be checked."
    if finding.outcome != "pass":
        return f"{finding.detail}The file was added to or changed after sealing.{_differing(pictures)}"
    if report.verdict is Verdict.ALTERED:
        return "文件不合签发文件的形式，见逐项检查。The file is not formed as an issued one; see the checks."
    return "签章后没有改动。Nothing was changed after sealing."


_CHANGED = "签章覆盖的内容被改动。What the seal covers was changed."
_NO_BEFORE = " 原貌无法由此文件得知，请取得原件对照。How it looked when sealed cannot be told from this file."


def _differing(pictures: Pictures | None) -> str:
    """Which pages look another way than when the file was sealed; empty where nothing could be compared."""
    if pictures is None or not pictures.compared:
        return ""
    numbers = [str(number) for number in pictures.differing]
    some = f"与签章时相比，第 {'、'.join(numbers)} 页看上去不同。Page {', '.join(numbers)} looks different."
    seen = some if numbers else "页面看上去没有变化。The pages look as they did."
    if pictures.compared < pictures.total:
        seen += f"（只比对了 {pictures.total} 页中的前 {pictures.compared} 页。"
        seen += f"Only the first {pictures.compared} of {pictures.total} pages were compared.）"
    return f" {seen}"


def numbered(report: Report) -> dict[str, str]:
    """The names of the checks that the report goes through, each with its number."""
    checks = SES_CHECKS if report.finding("format") is not None else CHECKS
    return {check: f"{number} {words}" for number, (check, words) in enumerate(checks.items(), start=1)}


def steps(report: Report) -> list[tuple[str, str, str, str]]:
    """Every finding in the order of the checks: number and name of the check, outcome in words, detail, outcome."""
    names = numbered(report)
    places = {check: place for place, check in enumerate(names)}
    ordered = sorted(report.findings, key=lambda one: places.get(one.check, len(places)))
    return [
        (
            names.get(one.check, one.check),
            OUTCOMES.get(one.outcome, one.outcome),
            told(one),
            one.outcome,
        )
        for one in ordered
    ]


def captions(page: Page, pictures: Pictures) -> list[tuple[str, bytes]]:
    """What stands under each picture of a page, and the picture, empty where there is none to show."""
    sides = [("现在 · now", page.after)]
    if pictures.compared:
        sides.insert(0, ("签章时 · when sealed", page.before))
    name = f"第 {page.number} 页 · page {page.number}"
    odd = "（不同 · differs）" if page.number in pictures.differing else ""
    return [(f"{name}，{side}{odd}" if data else f"{name}，{side}：{_NONE}", data) for side, data in sides]


_NONE = "没有这一页，或无法绘制 · no such page, or it cannot be drawn"
UNDRAWN = "页面未能绘制：文件无法读取，或超出时限。The pages could not be drawn: unreadable, or it took too long."
FRAMES = "红框之内与签章时不同。What is framed in red looks different from when it was sealed."


def pages_note(pictures: Pictures) -> str:
    """What stands before the pictures: that there are none, or how many of how many, and what the frames mean."""
    if not pictures.pages:
        return UNDRAWN
    shown = f"共 {pictures.total} 页，此处 {len(pictures.pages)} 页。{len(pictures.pages)} of {pictures.total} pages."
    return f"{shown if pictures.total > len(pictures.pages) else ''}{FRAMES if pictures.differing else ''}"


def footer_lines(report: Report) -> tuple[str, str]:
    """The indication after ETSI EN 319 102-1, and when the report was made."""
    found = indication(report)
    reason = f" / {found.reason}" if found.reason else ""
    return f"ETSI EN 319 102-1: {found.status}{reason}", f"certlib · {_moment(report.at)}"


def _section(title: str, note: str, rows: Rows) -> str:
    cells = "".join(f"<tr><th scope=row>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows if text)
    sentence = f"<p>{escape(note)}</p>" if note else ""
    return f"<h2>{escape(title)}</h2>{sentence}{f'<table>{cells}</table>' if cells else ''}"


def _said(certificate: CertificateReport) -> Rows:
    until = chinese_date(certificate.valid_until) if certificate.valid_until else "长期 · no end"
    return (
        ("名称 · title", certificate.title),
        ("编号 · number", certificate.number),
        ("证照标识 · identifier", certificate.identifier),
        ("版本 · edition", f"{certificate.edition:03}" if certificate.edition else ""),
        ("持证主体 · holder", certificate.holder),
        ("签发机关 · issuer", certificate.issuer),
        ("签发日期 · issued", chinese_date(certificate.issued_on) if certificate.issued_on else ""),
        ("有效期至 · valid until", until if certificate.kind == "certificate" else ""),
    )


# Anybody may write any name into a certificate: while nobody vouches for it, it is what the file claims.
CLAIMED = frozenset({Verdict.UNKNOWN_ISSUER, Verdict.SIGNATURE_INVALID})


def _sealed(seal: SealReport, report: Report) -> Rows:
    claimed = report.verdict in CLAIMED
    proved = _moment(seal.timestamped_at) or "待补时间证明 · pending"
    return (
        ("自称的单位（未经证实）· claims to be" if claimed else "盖章单位 · sealed by", seal.owner),
        ("证书主体 · subject", seal.subject),
        ("用途 · reason", seal.reason),
        ("签章时间（自称）· claimed time", _moment(seal.signed_at)),
        ("时间证明 · proved time", proved),
        ("级别、套件 · level, suite", f"{seal.level} {seal.suite}".strip()),
        ("用印序号 · use no.", "" if seal.counter is None else str(seal.counter)),
        ("用印授权摘要 · authorisation", seal.authorisation),
    )


def _state(report: Report) -> Rows:
    return (
        ("所问时刻 · as of", _moment(report.at)),
        ("结论 · verdict", f"{report.words.chinese} · {report.words.english}"),
        ("今日结论 · verdict today", _today(report)),
        ("自 · since", _moment(report.since)),
        ("现行版本 · current edition", f"{report.current_edition:03}" if report.current_edition else ""),
        ("状态数据时间 · data as of", _moment(report.status_at)),
    )


def _today(report: Report) -> str:
    words = report.today_words
    return "" if words is None else f"{words.chinese} · {words.english}（{_moment(report.today_at)}）"


def _pictures(pictures: Pictures, report: Report) -> str:
    if report.verdict is Verdict.UNREADABLE and not pictures.pages:
        return ""  # the verdict says it
    note = pages_note(pictures)
    rows = "".join(f"<div class=pages>{_figures(page, pictures)}</div>" for page in pictures.pages)
    return f"<h2>页面 · pages</h2>{f'<p>{escape(note)}</p>' if note else ''}{rows}"


def _figures(page: Page, pictures: Pictures) -> str:
    odd = " odd" if page.number in pictures.differing else ""
    return "".join(
        f"<figure>{_image(caption, data)}<figcaption class='small{odd}'>{escape(caption)}</figcaption></figure>"
        for caption, data in captions(page, pictures)
    )


def _image(caption: str, data: bytes) -> str:
    source = base64.b64encode(data).decode()
    return f'<img alt="{escape(caption)}" src="data:image/png;base64,{source}">' if data else ""


def _checks(report: Report) -> str:
    rows = "".join(
        f"<tr class={escape(outcome)}><td>{escape(name)}</td><td>{escape(words)}</td><td>{escape(said)}</td></tr>"
        for name, words, said, outcome in steps(report)
    )
    return f"<h2>逐项检查 · checks</h2><table class=steps>{rows}</table>"


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S} 北京时间" if at else ""
