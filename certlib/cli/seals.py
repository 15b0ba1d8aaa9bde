"""`certctl seal`: the life of the seals, who may use them, and every use of them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_json, print_pairs, print_table, read_json
from certlib.domain.civil import SHANGHAI
from certlib.domain.seal_life import CAUSE_WORDS
from certlib.errors import ConfigurationError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings

CLIENT = "certctl"

seal = typer.Typer(no_args_is_help=True)

SealId = Annotated[str, typer.Argument(help="印章编号 · the seal's id")]
Person = Annotated[str, typer.Option(help="经办人 · who does it")]
Second = Annotated[str, typer.Option("--second", help="复核人（双人复核）· who confirms it")]
Document = Annotated[str, typer.Option("--document", help="依据文号 · the document it rests on")]
Certificates = Annotated[
    list[Path] | None,
    typer.Option(
        "--certificate", help="X.509 证书（PEM），默认取密钥目录中的 · by default those in the folder of keys"
    ),
]
Maker = Annotated[str, typer.Option(help="制作单位 · who made it")]
At = Annotated[datetime | None, typer.Option(help="某一时刻 · a moment")]


@seal.callback()
def _seal() -> None:
    """印章：申请、制作、备案、启用、停用、更新、撤销、注销，授权与用印日志 · seals."""


@seal.command("list")
def list_(
    authority: Annotated[str, typer.Option(help="机关代号")] = "", home: Home = None, as_json: AsJson = False
) -> None:
    """全部印章及其状态 · every seal and its state."""
    with open_office(Settings.load(home)) as office:
        views = office.seals.seals(authority=authority)
    if as_json:
        for view in views:
            print_json(view)
        return
    rows = [
        (view["id"], view["name"], view["kind_words"], view["state_words"], str(view["edition"]), view["keeper"])
        for view in views
    ]
    print_table(("编号", "名称", "种类", "状态", "版次", "保管人"), rows)


@seal.command()
def show(seal_id: SealId, home: Home = None, as_json: AsJson = False) -> None:
    """一枚印章的版次、证书、历史与授权 · one seal with its history."""
    with open_office(Settings.load(home)) as office:
        view = office.seals.seal(seal_id)
    _print_seal(view, as_json=as_json)


@seal.command()
def uses(
    seal_id: SealId,
    *,
    state: Annotated[str, typer.Option(help="used、released、denied 或 reserved")] = "",
    since: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """用印日志：每一次用印、释放与拒绝 · the ledger of uses, every line."""
    with open_office(Settings.load(home)) as office:
        lines, after = [], 0
        while True:
            page = office.seals.uses(seal_id, state=state, since=_civil(since), after=after, limit=200)
            lines += page["uses"]
            after = page["next"]
            if not after:
                break
    if as_json:
        for line in lines:
            print_json(line)
        return
    print_table(("次", "时间", "方式", "结果", "文书", "编号", "批准人", "说明"), [_row(line) for line in lines])


@seal.command()
def apply(
    file: Annotated[Path, typer.Argument(help='印章数据（JSON）：{"id", "authority", "kind", "copy", "keeper"}')],
    *,
    person: Person,
    document: Document,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """申请制作印章 · apply for a seal."""
    spec = read_json(file)
    raw = {"act": "apply", "person": person, "document_number": document, "seal": spec}
    _act(str(spec.get("id", "")) if isinstance(spec, Mapping) else "", raw, home, as_json=as_json)


@seal.command()
def accede(
    seal_id: SealId,
    *,
    person: Person,
    second: Second,
    document: Document,
    certificate: Certificates = None,
    file: Annotated[Path | None, typer.Option("--seal", help="印章数据（JSON），目录中没有时")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """接入统一电子印章系统已制作、备案的印章 · take in a seal that was made and filed elsewhere."""
    raw = {"act": "accede", **_who(person, second, document), **_certificates(certificate)}
    _act(seal_id, raw | ({"seal": read_json(file)} if file else {}), home, as_json=as_json)


@seal.command()
def make(
    seal_id: SealId,
    *,
    person: Person,
    second: Second,
    document: Document,
    maker: Maker,
    certificate: Certificates = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """登记制作：印章与其数字证书 · record that it was made, with its certificates."""
    raw = {"act": "make", "maker": maker, **_who(person, second, document), **_certificates(certificate)}
    _act(seal_id, raw, home, as_json=as_json)


@seal.command("file")
def file_(
    seal_id: SealId,
    number: Annotated[str, typer.Argument(help="备案号 · filing number")],
    *,
    person: Person,
    document: Document,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """登记备案 · record that it was filed."""
    raw = {"act": "file", "filing_number": number, **_who(person, "", document)}
    _act(seal_id, raw, home, as_json=as_json)


@seal.command()
def enable(
    seal_id: SealId, *, person: Person, second: Second, document: Document, home: Home = None, as_json: AsJson = False
) -> None:
    """启用：须已备案、密钥在本机可用、双人复核 · put into use."""
    _act(seal_id, {"act": "enable", **_who(person, second, document)}, home, as_json=as_json)


@seal.command()
def suspend(
    seal_id: SealId,
    *,
    person: Person,
    document: Document,
    cause: Annotated[str, typer.Option(help="inspection、suspected-compromise、keeper-change …")] = "inspection",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """停用：立即生效，一人即可 · stop its use at once; one person suffices."""
    _act(seal_id, {"act": "suspend", "cause": cause, **_who(person, "", document)}, home, as_json=as_json)


@seal.command()
def resume(
    seal_id: SealId,
    *,
    person: Person,
    second: Second,
    document: Document,
    keeper: Annotated[str, typer.Option(help="新的保管人 · a new keeper")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """恢复使用 · resume its use."""
    raw = {"act": "resume", **_who(person, second, document), **({"keeper": keeper} if keeper else {})}
    _act(seal_id, raw, home, as_json=as_json)


@seal.command()
def renew(
    seal_id: SealId,
    *,
    person: Person,
    second: Second,
    document: Document,
    cause: Annotated[str, typer.Option(help="certificate-expiry、key-change、picture-change")] = "certificate-expiry",
    certificate: Certificates = None,
    maker: Maker = "",
    file: Annotated[Path | None, typer.Option("--seal", help="印模变动（JSON）· changes of the picture")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """更新证书或印模：新版印章，旧文件照旧通过核验 · a new edition; what was sealed before stays good."""
    raw = {"act": "renew", "cause": cause, **_who(person, second, document), **_certificates(certificate)}
    raw |= {"maker": maker} if maker else {}
    raw |= {"seal": read_json(file)} if file else {}
    _act(seal_id, raw, home, as_json=as_json)


@seal.command()
def revoke(
    seal_id: SealId,
    *,
    person: Person,
    document: Document,
    cause: Annotated[str, typer.Option(help="key-compromise、medium-lost …")] = "key-compromise",
    compromised_since: Annotated[
        datetime | None, typer.Option(help="密钥泄露自何时起：此后所盖不予采信 · from when on its key is not believed")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """撤销：立即生效；列出泄露之后的用印 · revoke at once; names the uses since the compromise."""
    raw = {"act": "revoke", "cause": cause, **_who(person, "", document)}
    if compromised_since:
        raw["compromised_since"] = compromised_since.replace(tzinfo=SHANGHAI).isoformat()
    _act(seal_id, raw, home, as_json=as_json)
    if compromised_since and not as_json:
        uses(seal_id, state="used", since=compromised_since, home=home)


@seal.command()
def cancel(
    seal_id: SealId,
    *,
    person: Person,
    second: Second,
    document: Document,
    cause: Annotated[str, typer.Option(help="abolition、name-change、replaced、application-withdrawn")] = "abolition",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """注销 · cancel it for good."""
    _act(seal_id, {"act": "cancel", "cause": cause, **_who(person, second, document)}, home, as_json=as_json)


@seal.command()
def authorise(
    file: Annotated[Path | None, typer.Argument(help="授权（JSON），- 为标准输入 · the authorisation")] = None,
    example: Annotated[bool, typer.Option("--example", help="打印一份完整的授权 · print a complete one")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """授权用印：哪枚印章、什么事项和文书、谁批准、几次、自何时至何时 · authorise the use of a seal."""
    if example or file is None:
        typer.echo(json.dumps(_example(datetime.now(SHANGHAI)), ensure_ascii=False, indent=2))
        return
    with open_office(Settings.load(home)) as office:
        view = office.seals.authorise(read_json(file), client=CLIENT)
    _print_authorisation(view, as_json=as_json)


@seal.command()
def end(
    authorisation: Annotated[str, typer.Argument(help="授权编号 · id of the authorisation")],
    *,
    person: Person,
    document: Document,
    reason: Annotated[str, typer.Option(help="理由 · why")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """终止授权，立即生效 · end an authorisation at once."""
    record = {"person": person, "document_number": document, "reason": reason}
    with open_office(Settings.load(home)) as office:
        view = office.seals.end(authorisation, record, client=CLIENT)
    _print_authorisation(view, as_json=as_json)


@seal.command()
def authorisation(
    sha256: Annotated[str, typer.Argument(help="签名属性中的授权摘要 · the digest in a signature")], home: Home = None
) -> None:
    """按签名中的摘要取授权原文 · the text of an authorisation, by its digest."""
    with open_office(Settings.load(home)) as office:
        typer.echo(office.seals.authorisation_text(sha256).decode(), nl=False)


@seal.command()
def stamp(
    *,
    person: Person,
    sheet: Annotated[int, typer.Option(help="实体证照的编号 · id of the sheet")] = 0,
    paper: Annotated[str, typer.Option("--paper", help="文书编号 · number of the document")] = "",
    copies: Annotated[int, typer.Option(help="份数 · copies")] = 1,
    seal_id: Annotated[str, typer.Option("--seal", help="印章，默认为电子文件所用 · the seal")] = "",
    second: Second = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """登记加盖实物印章：一张实体证照，或文书纸质件 · record a stamp by hand."""
    given = {"sheet": sheet, "document": paper, "seal": seal_id, "second_person": second}
    raw = {"person": person, "copies": copies, **{name: value for name, value in given.items() if value}}
    with open_office(Settings.load(home)) as office:
        line = office.seals.stamp(raw, client=CLIENT, key=secrets.token_hex(16)).body
    if as_json:
        print_json(line)
        return
    typer.echo(f"已登记：{line['seal']} 第 {line['counter']} 次用印，{line['kind_words']}，{line['number']}。")


@seal.command()
def picture(
    seal_id: SealId,
    out: Annotated[Path, typer.Option("--out", help="PNG 文件，不覆盖已有文件 · where it goes")],
    *,
    person: Person,
    second: Second,
    document: Document,
    reason: Annotated[str, typer.Option(help="用途 · what for")],
    home: Home = None,
) -> None:
    """调取印模：只给保管人，经批准，记入日志 · the picture, to its keeper only, approved and journalled."""
    if out.exists():
        raise ConfigurationError(f"{out} 已存在，印模未调取。")
    raw = {"person": person, "second_person": second, "document_number": document, "reason": reason}
    with open_office(Settings.load(home)) as office:
        png = office.seals.picture(seal_id, raw, client=CLIENT)
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(png)
    typer.echo(f"{out}：{len(png)} 字节，已记入日志。")


def _civil(at: datetime | None) -> datetime | None:
    """What a person types is civil time in Shanghai."""
    return at.replace(tzinfo=SHANGHAI).astimezone(UTC) if at else None


def _who(person: str, second: str, document: str) -> dict[str, Any]:
    who = {"person": person, "document_number": document}
    return who | {"second_person": second} if second else who


def _certificates(paths: Iterable[Path] | None) -> dict[str, Any]:
    """Only the certificates of the files: a key has no business in a request."""
    if not paths:
        return {}
    texts = [path.read_text(encoding="ascii", errors="replace") for path in paths]
    return {"certificates": [text[max(0, text.find("-----BEGIN CERTIFICATE-----")) :] for text in texts]}


def _act(seal_id: str, raw: Mapping[str, Any], home: Path | None, *, as_json: bool) -> None:
    with open_office(Settings.load(home)) as office:
        view = office.seals.act(seal_id, raw, client=CLIENT)
    _print_seal(view, as_json=as_json)


def _print_seal(view: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    pairs = {
        "印章": f"{view['name']}（{view['id']}）",
        "所有者": view["owner"],
        "种类": f"{view['kind_words']}，第 {view['copy']} 枚",
        "保管人": view["keeper"],
        "状态": view["state_words"] + (f"（{CAUSE_WORDS.get(view['cause'], view['cause'])}）" if view["cause"] else ""),
        "备案号": view["filing_number"],
        "密钥泄露自": _moment(view["compromised_since"]) if view["compromised_since"] else "",
        "可办": "、".join(permit["label"] for permit in view["permitted"]),
    }
    print_pairs({name: value for name, value in pairs.items() if value})
    history = [
        (str(event["version"]), _moment(event["at"]), event["label"], str(event["edition"]),
         event.get("cause_words", ""), "、".join(filter(None, (event["person"], event.get("second_person", "")))),
         event["document_number"])
        for event in view["history"]
    ]  # fmt: skip
    print_table(("次", "时间", "事项", "版次", "事由", "经办", "依据"), history)
    certificates = [
        (str(edition["index"]), entry["suite"], entry["serial"][:16], entry["not_after"][:10], entry["sha256"][:16])
        for edition in view["editions"]
        for entry in edition["certificates"]
    ]
    print_table(("版次", "密码套件", "证书序列号", "有效期至", "证书指纹"), certificates)
    _print_authorisations(view["authorisations"])


def _print_authorisation(view: Mapping[str, Any], *, as_json: bool) -> None:
    print_json(view) if as_json else _print_authorisations([view])


def _print_authorisations(views: Iterable[Mapping[str, Any]]) -> None:
    words = {"pending": "未生效", "in-force": "生效", "ended": "已终止", "over": "已届满"}
    rows = [
        (view["id"], "、".join((*view["items"], *view["types"], *view["actions"])) or "全部",
         "、".join(view["persons"]) or "不限", f"{view['since'][:10]} 至 {view['until'][:10]}",
         f"{view['uses']}/{view['limit'] or '不限'}", str(view["approvers"]), words[view["state"]])
        for view in views
    ]  # fmt: skip
    print_table(("授权", "范围", "批准人", "期间", "次数", "人数", "状态"), rows)


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    counter = "—" if line["counter"] is None else str(line["counter"])
    name = line["document"].get("name", line["type"])
    return (counter, _moment(line["reserved_at"]), line["kind_words"], line["state_words"], name, line["number"],
            "、".join(line["persons"]), line["why"])  # fmt: skip


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _example(now: datetime) -> dict[str, Any]:
    return {
        "id": "ZS-2026-1",
        "seal": "36070000000002",
        "authority": "ganzhou-approval",
        "items": ["2-25"],
        "types": [],
        "actions": ["issue", "change"],
        "persons": [],
        "since": now.isoformat(timespec="seconds"),
        "until": now.replace(year=now.year + 1, day=1).isoformat(timespec="seconds"),
        "limit": 100,
        "approvers": 1,
        "basis": "赣市行审〔2026〕8号",
        "person": "王素珍",
        "second_person": "李文静",
        "document_number": "赣市行审印〔2026〕1号",
    }
