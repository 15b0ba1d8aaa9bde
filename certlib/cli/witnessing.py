"""`certctl witness`: a witness of somebody else's journal, on a machine of its own. Auditor's installation only."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.auditing import read_keys
from certlib.cli.output import err
from certlib.crypto.keys import open_key
from certlib.errors import ConfigurationError
from certlib.formats.tlog_note import COSIGNATURE, NoteKey, VerifierKey
from certlib.journal.witness import Witness
from certlib.journal.witness_server import witness_server
from certlib.journal.witness_store import FolderWitnessStore


def witness(
    name: Annotated[str, typer.Option(help="见证人的名称，如 archive.example/witness · the witness's name")],
    key: Annotated[str, typer.Option(help="见证人私钥（Ed25519），pem:路径 · the witness's private key")],
    *,
    journals: Annotated[Path | None, typer.Option(help="被见证日志的公钥，一行一个 · keys of the journals")] = None,
    store: Annotated[Path, typer.Option(help="存放所见检查点的文件夹 · where its heads are kept")] = Path("witness"),
    listen: Annotated[str, typer.Option(help="监听地址 · address")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口 · port")] = 8090,
    show: Annotated[bool, typer.Option("--show", help="只打印公钥 · print the public key and end")] = False,
) -> None:
    """见证：日志只要只增不改就加签，否则拒签 · cosign a journal's heads as long as it only grows.

    只需审计员安装；在档案馆、审计局自己的机器上运行，TLS 由其前置服务器负责。
    """
    own = NoteKey.of(name, open_key(key), COSIGNATURE)
    if show:
        typer.echo(str(own.verifier))
        return
    if journals is None:
        raise ConfigurationError("请用 --journals 给出被见证日志的公钥文件。")
    known: dict[str, list[VerifierKey]] = {}
    for one in read_keys(journals):
        known.setdefault(one.name, []).append(one)
    server = witness_server(Witness(own, known, FolderWitnessStore(store)), (listen, port), lambda: datetime.now(UTC))
    err.print(f"见证 {own.verifier}\n在 http://{listen}:{server.server_address[1]}/add-checkpoint")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
