"""`certctl service`, `overdue`: what was served on whom (送达), and which cases are beyond their time limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_json, print_pairs, print_table, read_json
from certlib.domain.service import PROOFS
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings

CLIENT = "certctl"
_CARRIERS = {"file": "电子证照", "paper": "实体证照", "document": "文书"}


def service(
    subject: Annotated[str, typer.Argument(help="证照标识，或文书编号 · certificate or document")],
    file: Annotated[Path | None, typer.Argument(help="送达记录（JSON），- 为标准输入 · the record")] = None,
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """查看送达情况；给出送达记录则登记送达 · how service stands, or record one."""
    raw = read_json(file) if file else None
    with open_office(Settings.load(home)) as office:
        view = office.service(subject) if file is None else _record(office.serve, subject, raw)
    if as_json:
        print_json(view)
    else:
        _print(view)


def overdue(home: Home = None, as_json: AsJson = False) -> None:
    """逾期未决定或未送达的办件，逾期最久的在前 · cases beyond their time limits."""
    with open_office(Settings.load(home)) as office:
        late = office.overdue()
        names = {key: authority.name for key, authority in office.catalogue.authorities.items()}
    if as_json:
        for entry in late:
            print_json(entry)
        return
    rows = [
        (entry["words"], entry["case"], entry["name"], names[entry["authority"]], _last_day(entry), str(entry["days"]))
        for entry in late
    ]
    print_table(
        ("期限", "办件编号", "事项或证照", "承办机关", "最后一日", "逾期工作日"), rows, title=f"逾期 {len(rows)} 件"
    )


def _record(serve: Any, subject: str, raw: Any) -> Mapping[str, Any]:
    digest = hashlib.sha256(json.dumps([subject, raw], sort_keys=True).encode()).hexdigest()
    answer: Mapping[str, Any] = serve(subject, raw, client=CLIENT, key=f"service-{digest[:24]}").body
    return answer


def _print(view: Mapping[str, Any]) -> None:
    state = "已送达" if view["complete"] else "未送达"
    print_pairs({"应送达": _CARRIERS[view["carrier"]], "最后一日": view["due"], "状态": state})
    rows = [
        (_CARRIERS[one["carrier"]], one["way_words"], one["served_at"], _proof(one["record"]))
        for one in view["services"]
    ]
    print_table(("载体", "方式", "时间", "凭据"), rows)


def _proof(record: Mapping[str, str]) -> str:
    return "；".join(f"{PROOFS.get(key, key)}：{text}" for key, text in record.items())


def _last_day(entry: Mapping[str, Any]) -> str:
    return str(entry["due"]) if entry["certain"] else f"{entry['due']}（当年节假日未公布）"
