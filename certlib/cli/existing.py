"""`certctl import`, `evidence`: certificates issued before us, and the proof of those issued by us."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import AsJson, Home
from certlib.cli.output import print_json, print_pairs, progress, read_json
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings

CLIENT = "certctl"


def import_(
    file: Annotated[Path, typer.Argument(help="补录申请（JSON），- 为标准输入 · the request")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """补录存量证照：两人、来源、扫描件，不用印 · register a certificate issued before us."""
    raw = read_json(file)
    key = f"import-{hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()[:24]}"
    with open_office(Settings.load(home)) as office:
        body = dict(office.import_certificate(raw, client=CLIENT, key=key).body)
    if as_json:
        print_json(body)
        return
    print_pairs({"编号": body["number"], "证照标识": body["identifier"], "说明": body["note"]})


def evidence(
    identifier: Annotated[str, typer.Argument(help="证照标识 · the certificate's identifier")],
    *,
    edition: Annotated[int | None, typer.Option(help="第几版，默认最新 · edition")] = None,
    output: Annotated[Path, typer.Option("--out", help="证据包 · the zip")] = Path("evidence.zip"),
    home: Home = None,
) -> None:
    """导出证据包：不用本软件也能核验 · an evidence pack that common tools check."""
    with open_office(Settings.load(home)) as office, progress("正在整理证据…"):
        output.write_bytes(office.evidence(identifier, edition))
    typer.echo(str(output))
