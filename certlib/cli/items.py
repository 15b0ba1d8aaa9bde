"""`certctl items`: the items of the notice and what each yields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from certlib.catalogue import Catalogue, load_catalogue
from certlib.cli.options import AsJson
from certlib.cli.output import print_json, print_table
from certlib.domain.civil import SHANGHAI
from certlib.domain.kinds import Item, Outcome


def items(
    find: Annotated[str, typer.Argument(help="编号（2-25）或名称中的字 · a number or part of a name")] = "",
    as_json: AsJson = False,
) -> None:
    """98 个事项：谁受理、审核、批准，产出何种证照或文书 · the items of the notice."""
    catalogue = load_catalogue()
    found = [item for item in catalogue.items.values() if find in {"", item.key} or find in item.item + item.sub_item]
    if as_json:
        for item in found:
            print_json(item_json(item))
    else:
        columns = ("事项", "名称", "办理方式", "受理", "审核", "批准", "产出")
        print_table(columns, [_row(item, catalogue) for item in found], title=f"{len(found)} 个事项")
    raise typer.Exit(0 if found else 1)


def item_json(item: Item) -> Mapping[str, Any]:
    """An item as `--json` shows it, one line each."""
    return {
        "annex": item.annex,
        "number": item.number,
        "city_department": item.city_department,
        "item": item.item,
        "sub_item": item.sub_item,
        "power_type": item.power_type,
        "handling": item.handling.value,
        "outcome": {"kind": item.outcome.kind.value, "type": item.outcome.type, "action": item.outcome.action},
        "outcomes": [
            {"kind": outcome.kind.value, "type": outcome.type, "actions": list(outcome.actions)}
            for outcome in item.outcomes
        ],
    }


def _row(item: Item, catalogue: Catalogue) -> tuple[str, ...]:
    today = datetime.now(SHANGHAI).date()
    mandate = catalogue.mandate_on(item.key, today)
    steps = (mandate.accepts, mandate.reviews, mandate.decides) if mandate else ()
    names = [catalogue.authorities[key].short for key in steps] or ["—"] * 3
    return (item.key, item.title, item.handling.value, *names, _outcome(item.outcome, catalogue))


def _outcome(outcome: Outcome, catalogue: Catalogue) -> str:
    kinds = catalogue.certificate_types if outcome.type in catalogue.certificate_types else catalogue.document_types
    return kinds[outcome.type].name
