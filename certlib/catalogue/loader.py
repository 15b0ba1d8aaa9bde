"""From data files to the catalogue: closed reading, so that a misspelt key is an error and never a silent default.

Files of a catalogue folder: `catalogue.toml` (version, sources), `items.csv` (the notice's rows, unchanged),
`authorities.toml`, `mandates.toml`, `outcomes.toml`, `seals.toml`, `seal_rules.toml` (what may bear which seal),
`holidays.toml`, `facts.toml` (the dictionary of facts), `certificates/*.toml` and `documents/*.toml` (one kind each),
`examples.toml`.
"""

from __future__ import annotations

import csv
import importlib.resources
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

from certlib.catalogue.catalogue import Catalogue
from certlib.catalogue.consistency import demand_consistency
from certlib.catalogue.kind_files import certificate_type, document_type
from certlib.catalogue.table import Table
from certlib.domain.actions import Action
from certlib.domain.calendar import Calendar
from certlib.domain.kinds import Authority, Handling, Item, Mandate, Outcome, OutcomeKind
from certlib.domain.seal import SealCentre, SealKind, SealSpec
from certlib.domain.seal_table import SealTableRow
from certlib.errors import ConfigurationError


@cache
def load_catalogue(folder: Path | None = None) -> Catalogue:
    """The shipped catalogue, or the one in `folder`; read once for each folder.

    Raises `ConfigurationError` naming file and key when the data are incomplete or contradict each other.
    """
    try:
        catalogue = _read(folder or importlib.resources.files("certlib.catalogue") / "data")
    except (KeyError, ValueError) as error:  # a name that is in no table of names
        raise ConfigurationError(f"目录数据中有不认识的名称：{error} (unknown name in the catalogue)") from error
    demand_consistency(catalogue)
    return catalogue


def _read(root: Traversable) -> Catalogue:
    head, facts = _toml(root / "catalogue.toml"), _toml(root / "facts.toml").inner
    items = _items(root / "items.csv", _toml(root / "outcomes.toml"))
    authorities = {key: _authority(key, table) for key, table in _toml(root / "authorities.toml").tables()}
    certificates = {
        key: certificate_type(key, table, facts, authorities) for key, table in _kinds(root, "certificates")
    }
    documents = {key: document_type(key, table, facts) for key, table in _kinds(root, "documents")}
    catalogue = Catalogue(
        version=head.text("version"),
        dated=head.day("dated"),
        sources=head.texts("sources"),
        publish_within=head.number("publish_within"),
        items=MappingProxyType(items),
        authorities=MappingProxyType(authorities),
        mandates=MappingProxyType(_mandates(_toml(root / "mandates.toml"), items)),
        certificate_types=MappingProxyType(certificates),
        document_types=MappingProxyType(documents),
        seals=MappingProxyType({seal.id: seal for seal in _seals(_toml(root / "seals.toml"), authorities)}),
        seal_table=tuple(_seal_table(_toml(root / "seal_rules.toml"), items)),
        calendar=_calendar(_toml(root / "holidays.toml")),
        examples=_toml(root / "examples.toml").inner,
    )
    head.close()
    return catalogue


def _toml(file: Traversable) -> Table:
    try:
        return Table(tomllib.loads(file.read_text("utf-8")), file.name)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"目录文件 {file.name} 无法读取：{error} (catalogue file cannot be read)") from error


def _kinds(root: Traversable, folder: str) -> Iterable[tuple[str, Table]]:
    files = sorted((root / folder).iterdir(), key=lambda file: file.name)
    return [(file.name.removesuffix(".toml"), _toml(file)) for file in files if file.name.endswith(".toml")]


def _authority(key: str, table: Table) -> Authority:
    authority = Authority(
        key=key,
        name=table.text("name"),
        short=table.text("short"),
        english=table.text("english"),
        uscc=table.text("uscc"),
        level=table.text("level"),
        parent=table.text("parent", ""),
        invented=table.flag("invented"),
        document_word=table.text("document_word", ""),
        code_number=table.number("code_number"),
        assumed=table.texts("assumed"),
    )
    table.close()
    return authority


def _outcomes(file: Table) -> dict[str, tuple[tuple[Outcome, ...], tuple[str, ...]]]:
    """For each item its own outcomes, and the papers of its kind of procedure."""
    papers = {name: tuple(keys) for name, keys in file.mapping("papers").items()}
    found: dict[str, tuple[tuple[Outcome, ...], tuple[str, ...]]] = {}
    for table in file.rows("outcome"):
        own, named = tuple(_outcome(row) for row in table.rows("yields")), papers[table.text("papers")]
        for key in table.texts("items"):
            if key in found:
                raise ConfigurationError(f"{file.where}：事项 {key} 出现两次 (item named twice)")
            found[key] = own, named
        table.close()
    return found


def _with_papers(own: tuple[Outcome, ...], papers: Iterable[str]) -> tuple[Outcome, ...]:
    named = {outcome.type for outcome in own}
    return own + tuple(Outcome(OutcomeKind.DOCUMENT, key) for key in papers if key not in named)


def _outcome(row: Table) -> Outcome:
    kinds = [kind for kind in OutcomeKind if row.has(kind.value)]
    if len(kinds) != 1:
        raise ConfigurationError(f"{row.where}：产出应为 certificate、document、receipt 之一 (one kind of outcome)")
    outcome = Outcome(
        kinds[0],
        row.text(kinds[0].value),
        tuple(Action(action) for action in row.texts("actions")),
        row.text("label", ""),
        row.texts("changes"),
    )
    row.close()
    return outcome


def _items(rows: Traversable, file: Table) -> dict[str, Item]:
    by_handling, outcomes = file.mapping("handling"), _outcomes(file)
    file.close()
    items: dict[str, Item] = {}
    for row in csv.DictReader(rows.read_text("utf-8").splitlines()):
        key = f"{row['annex']}-{row['number']}"
        if key not in outcomes:
            raise ConfigurationError(f"{file.where}：事项 {key} 没有产出 (item without outcome)")
        own, papers = outcomes[key]
        items[key] = Item(
            annex=int(row["annex"]),
            number=int(row["number"]),
            city_department=row["city_department"],
            item=row["item"],
            sub_item=row["sub_item"],
            power_type=row["power_type"],
            handling=Handling(row["handling"]),
            outcomes=_with_papers(own, (*papers, *by_handling[row["handling"]])),
        )
    return items


def _mandates(file: Table, items: Mapping[str, Item]) -> dict[str, tuple[Mandate, ...]]:
    """Each item's mandates in the order of their days. A row covers several items; `defaults` give what it leaves."""
    defaults = file.mapping("defaults")
    found: dict[str, list[Mandate]] = {key: [] for key in items}
    for table in file.rows("mandate"):
        keys = table.texts("items")
        merged = Table({**defaults[str(keys[0].partition("-")[0])], **table.inner}, table.where)
        merged.texts("items")
        for key in keys:
            found[key].append(_mandate(key, merged))
        merged.close()
    file.close()
    return {key: tuple(sorted(mandates, key=lambda mandate: mandate.since)) for key, mandates in found.items()}


def _mandate(item: str, table: Table) -> Mandate:
    decides, accepts = table.text("decides"), table.text("accepts")
    return Mandate(
        item=item,
        since=table.day("since"),
        until=table.optional_day("until"),
        run_off=table.optional_day("run_off"),
        accepts=accepts,
        reviews=table.text("reviews"),
        decides=decides,
        seals=table.text("seals", decides),
        supervises=table.text("supervises"),
        basis=table.text("basis"),
        agreement=table.text("agreement", ""),
        agreement_date=table.optional_day("agreement_date"),
        assumed=table.texts("assumed"),
    )


def _seals(file: Table, authorities: Mapping[str, Authority]) -> Iterable[SealSpec]:
    for table in file.rows("seal"):
        authority, kind, copy = table.text("authority"), SealKind(table.text("kind")), table.number("copy", 1)
        name = authorities[authority].name
        lines = ("行政审批专用章", f"({copy})") if kind is SealKind.APPROVAL else ()
        yield SealSpec(
            id=table.text("id"),
            authority=authority,
            kind=kind,
            name=name + (f"行政审批专用章({copy})" if kind is SealKind.APPROVAL else ""),
            arc_text=table.text("arc_text", name),
            lines=lines,
            copy=copy,
            centre=SealCentre(table.text("centre", SealCentre.STAR.value)).value,
            diameter=table.decimal("diameter", 42.0),
            keeper=table.text("keeper", ""),
            certificate=f"seal-{authority}-{kind.value}-{copy}",
        )
        table.close()
    file.close()


def _seal_table(file: Table, items: Mapping[str, Item]) -> Iterable[SealTableRow]:
    for table in file.rows("rule"):
        yield SealTableRow(
            outcome=table.text("outcome"),
            kinds=tuple(SealKind(kind) for kind in table.texts("kinds")),
            authorities=table.texts("authorities"),
            types=table.texts("types"),
            actions=tuple(Action(action).value for action in table.texts("actions")),
            items=_items_named(table, items),
            copy=table.number("copy", 0),
            since=table.optional_day("since"),
            until=table.optional_day("until"),
            basis=table.text("basis"),
        )
        table.close()
    file.close()


def _items_named(table: Table, items: Mapping[str, Item]) -> frozenset[str]:
    named = frozenset(table.texts("items"))
    if not table.has("handling"):
        return named
    handling = Handling(table.text("handling"))
    return named | {key for key, item in items.items() if item.handling is handling}


def _calendar(file: Table) -> Calendar:
    holidays: set[date] = set()
    workdays: set[date] = set()
    years: set[int] = set()
    for year, table in file.tables():
        years.add(int(year))
        table.text("source")
        workdays |= set(table.days("workdays"))
        for first, last in table.spans("holidays"):
            holidays |= {first + timedelta(days=n) for n in range((last - first).days + 1)}
        table.close()
    return Calendar(frozenset(holidays), frozenset(workdays), frozenset(years))
