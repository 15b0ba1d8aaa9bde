"""The checker's look at the reconciliation with the city: the newest statement is there, ours, new, both agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from certlib.crypto.cose import read1
from certlib.domain.delivery import CITY
from certlib.domain.verdict import Finding
from certlib.errors import CertlibError
from certlib.issue.office import Office
from certlib.register.published import STATEMENT, last_published
from certlib.register.row_tables import PublishedRow

_WITH = "与市电子证照库"


def check_statement(office: Office, now: datetime) -> Iterator[Finding]:
    """Only of an office that delivers: without the city repository there is nobody to agree with."""
    if not office.settings.city_url:
        return
    with office.register.reader() as session:
        newest = last_published(session, STATEMENT, CITY)
    if newest is None:
        yield Finding("statement", "warn", f"尚无{_WITH}的对账声明。")
        return
    if now - newest.at > timedelta(days=office.settings.check_statement_days):
        yield Finding("statement", "fail", f"{_WITH}的最近一次对账声明是 {newest.at:%Y-%m-%d}，已过期限。")
    if said := _against(office, newest):
        yield Finding("statement", "fail", said)


def _against(office: Office, row: PublishedRow) -> str:
    """What speaks against a statement: it cannot be read or believed, or says that both sides differ."""
    try:
        message = read1(office.register.files.read(row.sha256))
        message.verify(office.board.keys.at(row.at).public_key)
        counts = dict(json.loads(message.payload)["differences"])
        differing = sum(int(count) for count in counts.values())
    except (CertlibError, OSError, ValueError, KeyError, TypeError):
        return f"{row.at:%Y-%m-%d} {_WITH}的对账声明读不到，或不能采信。"
    return f"{row.at:%Y-%m-%d} {_WITH}对账不一致：{differing} 件。" if differing else ""
