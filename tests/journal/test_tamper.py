"""Every column that the register declares committed or derived is edited, every such row deleted or doubled: all found.

The cases are made from the declaration (`certlib.register.tamper`), so a new table or column is a new case.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from certlib.errors import NotFoundError, VerificationError
from certlib.issue.checking import check_office
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.bundle_files import bundle_files
from certlib.register.engine import make_engine, reader
from certlib.register.export import export_bundle
from certlib.register.journal_store import sql_journal
from certlib.register.tamper import TAMPER, Kind
from certlib.verify.audit import AuditReport, audit
from certlib.verify.audit_register import ROW_WORDS, TABLE_WORDS
from certlib.verify.bundle import open_bundle

from .test_export import Audited, lived_office, tamper


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """An office that has lived a little."""
    folder = tmp_path_factory.mktemp("office")
    return lived_office(folder, Settings(home=folder / "home", suite="p256-sha256"))


@pytest.fixture
def office(lived: Audited, tmp_path: Path) -> Audited:
    """A copy of its database."""
    (tmp_path / "home").mkdir()
    source = sqlite3.connect(lived.home / "register.db")
    target = sqlite3.connect(tmp_path / "home" / "register.db")
    with source, target:
        source.backup(target)
    return replace(lived, home=tmp_path / "home", settings=Settings(home=tmp_path / "home", suite="p256-sha256"))


def audited(office: Audited, folder: Path) -> AuditReport | None:
    """The audit of what the database exports now; None when the export itself finds that leaves are missing."""
    engine = make_engine(f"sqlite:///{office.home / 'register.db'}")
    origin = next(iter(office.trust.journal)).name
    journal = sql_journal(origin, [])
    try:
        with reader(engine) as session, bundle_files(folder / "bundle") as files:
            export_bundle(session, journal, files)
    except (VerificationError, NotFoundError) as error:
        assert "日志" in error.message  # noqa: PT017  the export names what is missing
        return None
    finally:
        engine.dispose()
    with open_bundle(folder / "bundle") as bundle:
        return audit(bundle, replace(office.trust, trust_roots=()), quorum=2)


# The tables that no leaf `register:rows` speaks for: which check names an edit of them, and in which words.
_NAMED = {
    "access": ("register", "查阅记录"),
    "chain": ("register", "日志链"),
    "row_change": ("register", ""),
    "journal_event": ("", ""),  # leaves, tree or register: whichever a changed entry contradicts first
    "journal_tile": ("tree", "哈希不符"),
    "journal_checkpoint": ("", "检查点"),
    "journal_cosignature": ("", "签名"),
}


def assert_named(report: AuditReport | None, table: str) -> None:
    """The breach is of the table that was edited: in words, with the leaf or key where to look."""
    if report is None:  # leaves are missing: the export says which
        assert table in {"journal_event", "journal_tile", "journal_checkpoint"}
        return
    check, words = _NAMED.get(table, ("register", TABLE_WORDS.get(table) or ROW_WORDS.get(table, "")))
    texts = [(breach.check, f"{breach.place} | {breach.message}") for breach in report.breaches]
    named = [text for name, text in texts if name == (check or name) and words in text]
    assert named, texts
    assert table.startswith("journal_") or any(character.isdigit() for character in named[0]), named
    if table in BY_ROWS:
        rows = [text for text in named if "（register:rows）" in text or "日志中没有" in text]
        assert rows, texts


BY_ROWS = frozenset(name for name, one in TAMPER.items() if one.by_rows)


def declared(*kinds: Kind) -> list[tuple[str, str]]:
    """Tables and columns of these kinds."""
    tables = SQLModel.metadata.tables
    return [
        (name, column.name)
        for name, table in sorted(TAMPER.items())
        for column in tables[name].columns
        if table.of(column.name) in kinds
    ]


_EDITS = {
    "JSON": "CASE WHEN {name} IS NULL OR {name} = 'null' THEN '{{\"x\":1}}' ELSE json_set({name}, '$.x', 1) END",
    "LargeBinary": "CAST(x'01' || coalesce({name}, x'') AS BLOB)",
    "DateTime": "CASE WHEN {name} IS NULL THEN '2020-01-01 00:00:00.000000' ELSE '2019' || substr({name}, 5) END",
    "UTCDateTime": "CASE WHEN {name} IS NULL THEN '2020-01-01 00:00:00.000000' ELSE '2019' || substr({name}, 5) END",
    "Date": "CASE WHEN {name} IS NULL THEN '2020-01-01' ELSE '2019' || substr({name}, 5) END",
    "Boolean": "1 - {name}",
    "Integer": "coalesce({name}, 0) + 100000",
    "Text": "coalesce({name}, '') || 'x' || rowid",
    "BigInteger": "coalesce({name}, 0) + 100000",
}


def edit(table: str, column: str) -> str:
    """An edit of a column in every row, to another value of its type."""
    found = SQLModel.metadata.tables[table].columns[column]
    name = f'"{column}"'
    kind = found.type.__class__.__name__
    if kind not in _EDITS:
        kind = {"datetime": "DateTime", "date": "Date"}.get(found.type.python_type.__name__, "Text")
    change = _EDITS[kind].format(name=name)
    return f'UPDATE "{table}" SET {name} = {change}'


def test_every_table_and_column_is_declared() -> None:
    """A table nobody thought of would be one that nobody audits; a column named that is not there protects nothing."""
    tables = {name: table for name, table in SQLModel.metadata.tables.items() if not name.startswith("city_")}
    assert set(tables) == set(TAMPER)
    for name, declaration in TAMPER.items():
        columns = {column.name for column in tables[name].columns}
        assert declaration.operational <= columns, name
        assert declaration.derived <= columns, name
        assert declaration.kind is not Kind.OPERATIONAL or declaration.why


def test_the_untouched_database_holds(office: Audited, tmp_path: Path) -> None:
    """What is found below is found because it was done."""
    report = audited(office, tmp_path)
    assert report is not None
    assert report.breaches == ()


@pytest.mark.slow
@pytest.mark.parametrize(("table", "column"), declared(Kind.COMMITTED, Kind.DERIVED))
def test_an_edit_of_a_column_is_found(office: Audited, tmp_path: Path, table: str, column: str) -> None:
    """In every row of the table, past the triggers."""
    assert tamper(office, edit(table, column)) > 0, "the office of this test never wrote such a row"
    assert_named(audited(office, tmp_path), table)


@pytest.mark.parametrize("table", sorted({table for table, _ in declared(Kind.COMMITTED, Kind.DERIVED)}))
def test_one_row_deleted_is_found(office: Audited, tmp_path: Path, table: str) -> None:
    """The first row of each table; of cosignatures all, since the newest are named by no later head yet."""
    one = f'WHERE rowid = (SELECT min(rowid) FROM "{table}")' if table != "journal_cosignature" else ""
    assert tamper(office, f'DELETE FROM "{table}" {one}') > 0
    assert_named(audited(office, tmp_path), table)


def test_a_head_deleted_from_above_its_cosignatures_is_found(office: Audited, tmp_path: Path) -> None:
    """The lines of the witnesses that are left tell of it, wherever in the archive it stood; so when they are moved."""
    head = "(SELECT max(checkpoint) FROM journal_cosignature)"
    assert tamper(office, f"DELETE FROM journal_checkpoint WHERE id = {head}") == 1
    report = audited(office, tmp_path)
    assert report is not None
    assert_named(report, "journal_checkpoint")
    assert any(breach.place.startswith("检查点的登记") for breach in report.breaches)


def test_a_cosignature_under_no_head_is_found(office: Audited, tmp_path: Path) -> None:
    """And the bundle is made all the same."""
    assert tamper(office, "UPDATE journal_cosignature SET checkpoint = 100000") > 0
    report = audited(office, tmp_path)
    assert report is not None
    assert "检查点的登记 100000" in {breach.place for breach in report.breaches}


@pytest.mark.parametrize("table", sorted(name for name, one in TAMPER.items() if one.by_rows))
def test_a_row_put_in_is_found_and_named(office: Audited, tmp_path: Path, table: str) -> None:
    """A copy of a row under a key of its own, as an insider would add an edition, an authorisation or a seal use."""
    tables = SQLModel.metadata.tables
    names = [column.name for column in tables[table].columns]
    unique = {column.name for column in tables[table].columns if column.unique or column.primary_key}
    unique |= {c.name for index in tables[table].indexes if index.unique for c in index.columns}
    copied = ", ".join(_fresh(tables[table].columns[name]) if name in unique else f'"{name}"' for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    assert tamper(office, f'INSERT INTO "{table}" ({columns}) SELECT {copied} FROM "{table}" LIMIT 1') > 0
    report = audited(office, tmp_path)
    assert report is not None
    assert [breach for breach in report.breaches if breach.check in {"register", "standing"}]


def _fresh(column: object) -> str:
    name = column.name  # type: ignore[attr-defined]
    kind = column.type.python_type  # type: ignore[attr-defined]
    return f'"{name}" + 100000' if kind is int else f"'z' || \"{name}\""


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE edition SET facts = 'no JSON' WHERE \"index\" = 2", r"证照版本 \S+/2（facts）"),
        ("UPDATE certificate SET updated_at = 'no time' WHERE rowid = 1", r"证照 \S+（updated_at）"),
        ("UPDATE journal_checkpoint SET at = 'no time' WHERE id = 1", r"检查点的登记 1（at）"),
        ("UPDATE seal_authorisation SET record = 'no JSON' WHERE rowid = 3", r"用印授权 \S+（record）"),
    ],
    ids=["JSON", "time", "head", "authorisation"],
)
def test_a_row_that_cannot_even_be_read_is_named(office: Audited, tmp_path: Path, statement: str, named: str) -> None:
    """No bundle is made of such a register, and none is left half made; the checker tells the same."""
    assert tamper(office, statement) == 1
    engine = make_engine(f"sqlite:///{office.home / 'register.db'}")
    journal = sql_journal(next(iter(office.trust.journal)).name, [])
    with (
        pytest.raises(VerificationError, match=named),
        reader(engine) as session,
        bundle_files(tmp_path / "bundle.tar") as files,
    ):
        export_bundle(session, journal, files)
    engine.dispose()
    assert not (tmp_path / "bundle.tar").exists()
    with open_office(office.settings, clock=office.clock) as opened:
        told = [one.detail for one in check_office(opened, office.clock(), whole=True) if one.outcome == "fail"]
    assert any(re.search(named, one) for one in told), told


def test_an_audit_names_the_row(office: Audited, tmp_path: Path) -> None:
    """Table and key stand in the finding, so that somebody can go and look."""
    tamper(office, "UPDATE edition SET decision = '{}' WHERE \"index\" = 2")
    report = audited(office, tmp_path)
    assert report is not None
    (breach,) = report.breaches
    assert "证照版本" in breach.message
    assert breach.message.split(" ")[1].endswith("/2")
