"""`certctl city`: the mock city repository as a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def city(  # noqa: PLR0917  typer gives options by name
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口 · port")] = 8090,
    home: Annotated[Path, typer.Option(help="数据目录 · folder of the database")] = Path("city-home"),
    trust: Annotated[Path | None, typer.Option(help="印章信任根目录 · trust roots of seals, PEM")] = None,
    types: Annotated[Path | None, typer.Option(help="另加的证照类型目录 · more certificate types, JSON")] = None,
    accounts: Annotated[Path | None, typer.Option(help="账户文件 · accounts, TOML")] = None,
    environment: Annotated[str, typer.Option(help="development 或 production")] = "development",
) -> None:
    """启动模拟的市电子证照库 · Start the mock city certificate repository."""
    import uvicorn  # noqa: PLC0415  the list of commands must not load a web server

    from city_repository.app import create_app  # noqa: PLC0415
    from city_repository.settings import RepositorySettings  # noqa: PLC0415

    settings = RepositorySettings(home=home, environment=environment, trust=trust, types=types, accounts=accounts)
    app = create_app(settings)
    typer.echo(f"市电子证照库（模拟） · mock city repository: http://{host}:{port}/")
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)
