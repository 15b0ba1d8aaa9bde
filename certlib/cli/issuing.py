"""`certctl issue`, `act`, `show`, `batch`: the work of an office, in a home folder on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from certlib.catalogue import Catalogue, load_catalogue
from certlib.catalogue import example as example_request
from certlib.cli.options import AsJson, At, Home, Yes
from certlib.cli.output import (
    err,
    print_json,
    print_pairs,
    print_table,
    progress,
    read_bytes,
    read_json,
    table,
    write_file,
)
from certlib.domain.actions import LegalState
from certlib.domain.kinds import CertificateType
from certlib.domain.lifecycle import STATE_WORDS
from certlib.issue.batch_input import read_lines, report_csv
from certlib.issue.composition import open_office
from certlib.issue.cores import run_batch
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.register.idempotency import Answer

CLIENT = "certctl"


def issue(
    file: Annotated[Path | None, typer.Argument(help="申请（JSON），- 为标准输入 · the request")] = None,
    example: Annotated[str, typer.Option(help="打印该事项的一份完整申请 · print a complete request")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """签发证照或审批文书 · issue a certificate or a document."""
    if bool(file) == bool(example):
        raise typer.BadParameter("请给出申请文件，或用 --example 事项编号。")
    if example or file is None:
        request = example_request(example, now=datetime.now(UTC))
        typer.echo(json.dumps(request, ensure_ascii=False, indent=2))
        return
    raw = read_json(file)
    with progress("正在签发…"), open_office(Settings.load(home)) as office:
        answer = submit(office, raw)
    _print_answer(answer, as_json=as_json)


def act(
    identifier: Annotated[str, typer.Argument(help="证照标识 · the certificate's identifier")],
    action: Annotated[str, typer.Argument(help="change, renew, suspend …")],
    file: Annotated[Path, typer.Argument(help="办理依据与变更内容（JSON）· decision and changed facts")],
    *,
    home: Home = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """对证照办理变更、延续、更正、补证、暂扣、发还、注销、撤销等 · act on a certificate."""
    raw = read_json(file)
    with open_office(Settings.load(home)) as office:
        view = office.certificate(identifier)
        if not yes:
            _show_change(view, action, raw, office.catalogue.certificate_types[view["type"]])
            typer.confirm("办理？", abort=True, err=True)
        with progress("正在办理…"):
            answer = office.act(identifier, action, raw, version=view["version"], client=CLIENT, key=_key(action, raw))
    _print_answer(answer, as_json=as_json)


def show(
    identifier: Annotated[str, typer.Argument(help="证照标识 · the certificate's identifier")],
    *,
    at: At = None,
    marked: Annotated[
        Path | None, typer.Option(help="另存查看件：未用印，标有 已注销 等现状 · save a marked, unsealed copy")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """证照的状态、版本、实体证照与可办事项 · a certificate as it stands, or stood."""
    with open_office(Settings.load(home)) as office:
        view = office.certificate(identifier, at)
        if marked is not None:
            marked.write_bytes(office.marked_file(identifier))
    if as_json:
        print_json(view)
        return
    _print_view(view)


def batch(
    file: Annotated[Path, typer.Argument(help="每行一份申请（JSON 或 CSV）· one request a line, JSON or CSV")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不编号、不用印 · check only")] = False,
    report: Annotated[Path | None, typer.Option(help="另存逐行报告（CSV）· save a report of every line")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """批量签发：一行一份申请，逐行回答，一行有误不影响其余 · issue many, an answer for each line."""
    settings, requests = Settings.load(home), [_line(raw) for raw in read_lines(read_bytes(file))]
    with progress(f"正在{'检查' if dry_run else '签发'} {len(requests)} 件…"):
        outcomes = _tried(settings, requests) if dry_run else run_batch(settings, requests, client=CLIENT)
    if report is not None:
        write_file(report, report_csv(outcomes).encode(), otherwise="" if dry_run else "各行已办理，勿重复提交。")
    _print_outcomes(outcomes, as_json=as_json)
    raise typer.Exit(0 if all(line["state"] == "done" for line in outcomes) else 1)


def _tried(settings: Settings, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with open_office(settings) as office:
        return office.check_batch(requests)


def submit(office: Office, raw: Any) -> Answer:
    """Issue what `raw` asks for; the same content asked twice is answered once."""
    document = isinstance(raw, Mapping) and is_document(raw, office.catalogue)
    return (office.issue_document if document else office.issue)(raw, client=CLIENT, key=_key("issue", raw))


def is_document(raw: Mapping[str, Any], catalogue: Catalogue) -> bool:
    """Whether a request asks for a document or receipt: by its type, else by what its item yields first."""
    item = catalogue.items.get(str(raw.get("item")))
    kind = raw.get("type") or (item.outcome.type if item else "")
    return kind in catalogue.document_types


def _line(request: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a batch; whether it is a document is said here, unless the line says what to do itself."""
    return {"operation": "document" if is_document(request, load_catalogue()) else "issue", **request}


def _key(action: str, raw: object) -> str:
    return hashlib.sha256(f"{action}\n{json.dumps(raw, sort_keys=True)}".encode()).hexdigest()


def _print_answer(answer: Answer, *, as_json: bool) -> None:
    body = answer.body
    if as_json:
        print_json(body)
    else:
        shown = {
            "编号": body.get("number"),
            "证照标识": body.get("identifier"),
            "版本": body.get("edition"),
            "状态": STATE_WORDS[LegalState(body["state"])] if "state" in body else "",
            "文件": body.get("sha256"),
            "待打印": "、".join(_sheet_name(sheet) for sheet in body.get("sheets", ())),
            "应收回": "、".join(_sheet_name(sheet) for sheet in body.get("recall", ())),
            "可办": "、".join(permit["label"] for permit in body.get("permitted", ())),
        }
        print_pairs({name: value for name, value in shown.items() if value})
    if answer.status >= 400:
        raise typer.Exit(1)


def _sheet_name(sheet: Mapping[str, Any]) -> str:
    return f"{sheet['label']}{sheet['copy_number']}" if sheet["copy_number"] > 1 else str(sheet["label"])


def _show_change(view: Mapping[str, Any], action: str, raw: Mapping[str, Any], kind: CertificateType) -> None:
    permits = {permit["action"]: permit["label"] for permit in (*view["permitted"], *view["refused"])}
    err.print(f"[bold]{kind.name} {view['number']}[/bold]（{view['state_words']}）：{permits.get(action, action)}")
    labels = {spec.key: spec.label for spec in kind.fields}
    changed = raw.get("facts") or {}
    rows = [(labels.get(key, key), str(view["facts"].get(key, "")), str(value)) for key, value in changed.items()]
    if rows:
        err.print(table(("内容", "现为", "改为"), rows))


def _print_view(view: Mapping[str, Any]) -> None:
    pairs = {
        "证照": f"{view['name']} {view['number']}",
        "证照标识": view["identifier"],
        "持证主体": view["holder"]["name"],
        "发证机关": view["issuer"],
        "状态": view["state_words"],
        "结论": view["verdict_words"],
        "可办": "、".join(permit["label"] for permit in view["permitted"]),
    }
    print_pairs({**pairs, **{f"不可{refused['label']}": refused["reason"] for refused in view["refused"]}})
    editions = [
        (f"{edition['index']:03d}", edition["action"], edition["effective_from"], edition["valid_until"] or "长期",
         edition["verdict_words"])
        for edition in view["editions"]
    ]  # fmt: skip
    print_table(("版本", "办理", "生效", "有效期至", "结论"), editions)
    sheets = [
        (f"{sheet['edition']:03d}", _sheet_name(sheet), sheet["serial"] or "—", sheet["state"], sheet["verdict_words"])
        for sheet in view["sheets"]
    ]
    print_table(("版本", "实体证照", "流水号", "状态", "结论"), sheets)


def _print_outcomes(outcomes: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for line in outcomes:
            print_json(line)
        return
    rows = [
        (str(line["line"]), line["state"], str(line["answer"].get("number") or line["answer"].get("message", "")))
        for line in outcomes
    ]
    print_table(("行", "结果", "编号或原因"), rows)
