"""Which rows an edit has left such that they cannot even be read: named after something broke off over them.

A date that is none, a text in place of JSON, a list in place of an object: no program writes them, and whoever reads
the table falls over them before anything is compared. This looks for the rows themselves: slow, and only done then.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sqlalchemy import Table, select
from sqlmodel import Session, SQLModel, col

from certlib.errors import VerificationError
from certlib.register.row_claims import row_claims
from certlib.register.row_log import key_text
from certlib.register.row_tables import RowChange
from certlib.register.tamper import TAMPER
from certlib.verify.audit_register import ROW_WORDS, TABLE_WORDS

BROKEN = (ValueError, TypeError, LookupError, AttributeError)
"""What reading such a row ends in."""

_NAMED = 20


def damage(session: Session, error: Exception) -> VerificationError:
    """The error that names the rows over which `error` came about."""
    names = "、".join(damaged_rows(session)) or f"未能确定是哪一行（{type(error).__name__}）"
    return VerificationError(f"台账中有无法读取的行，疑被改动：{names}。请与日志、备份核对。", code="altered")


def damaged_rows(session: Session) -> list[str]:
    """The first rows that cannot be read, else those that are not as they were written: table and key, in words."""
    found = list(islice(_unreadable(session), _NAMED))
    return found or list(islice(_differing(session), _NAMED))


def _unreadable(session: Session) -> Iterator[str]:
    for name in sorted(TAMPER.keys() & SQLModel.metadata.tables.keys()):
        table = SQLModel.metadata.tables[name]
        try:
            for _ in session.connection().execute(select(table)):
                pass
        except BROKEN:
            yield from _rows(session, table)


def _rows(session: Session, table: Table) -> Iterator[str]:
    """The rows of a table that cannot be read, each with the columns at fault."""
    primary = list(table.primary_key)
    for key in session.connection().execute(select(*primary)).all():
        own = [column == value for column, value in zip(primary, key, strict=True)]
        wrong = []
        for column in table.columns:
            try:
                session.connection().execute(select(column).where(*own)).all()
            except BROKEN:
                wrong.append(column.name)
        if wrong:
            yield f"{_words(table.name)} {key_text(key)}（{'、'.join(wrong)}）"


def _differing(session: Session) -> Iterator[str]:
    leaves = session.connection().scalars(select(col(RowChange.leaf)).distinct())
    for _, _, line in row_claims(session, dict.fromkeys(map(bytes, leaves), 0)):
        for one in line["differs"]:
            table, _, key = str(one).partition(" ")
            yield f"{_words(table)} {key}"


def _words(table: str) -> str:
    return TABLE_WORDS.get(table) or ROW_WORDS.get(table, table)
