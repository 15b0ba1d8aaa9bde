"""`certctl signer`: the process that holds the seals' keys."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from certlib.cli.options import Home
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.sealing.signer import SignerServer

SocketPath = Annotated[Path, typer.Option("--socket", help="Unix 套接字 · where it listens")]
User = Annotated[list[int] | None, typer.Option("--user", help="另准许的用户 uid · further users that may ask")]


def signer(socket: SocketPath, user: User = None, home: Home = None) -> None:
    """签名进程：独占密码设备，按登记的办理用印 · the process that holds the keys and seals what is on record."""
    settings = Settings.load(home, signer="")
    with (
        open_office(settings) as office,
        SignerServer(socket, office.sealer, office.register.now, users=user or ()) as server,
    ):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        typer.echo(f"签名进程在 {socket} 应答 · the signer answers")
        server.serve_forever(poll_interval=0.2)
