"""All 98 items, one accepted case each, from the application's facts to a sealed outcome: does the city's data hold?

Items that act on a certificate first get one to act upon: issued before us (存量证照), so that renewals are in season.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from certlib.catalogue import example
from certlib.catalogue.examples import existing
from certlib.domain.actions import Action
from certlib.domain.kinds import Item, OutcomeKind
from certlib.errors import CertlibError, RequestError
from certlib.issue.office import Office

CLIENT = "rehearsal"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of one item: the outcome's name and number, its sealed file, or the error."""

    item: Item
    outcome: str
    number: str = ""
    pdf: bytes = field(default=b"", repr=False)
    error: str = ""


def rehearse(office: Office, *, now: datetime) -> Iterator[Rehearsed]:
    """Carry one case of every item through `office`, in the notice's order."""
    for place, item in enumerate(office.catalogue.items.values()):
        kind = office.catalogue.kind(item.outcome.type)
        try:
            number, pdf = _carry_out(office, item, now, place)
        except CertlibError as error:
            detail = "；".join(fault.message for fault in error.faults) if isinstance(error, RequestError) else ""
            yield Rehearsed(item, kind.name, error=detail or error.message)
        else:
            yield Rehearsed(item, kind.name, number, pdf)


def _carry_out(office: Office, item: Item, now: datetime, place: int) -> tuple[str, bytes]:
    request = {**deepcopy(dict(example(item.key, now=now, variant=place)))}
    request["case"] = {"number": f"YL-{item.key}"}
    if "case" in request.get("facts", {}):
        request["facts"]["case"] = f"YL-{item.key}"
    if item.outcome.kind is not OutcomeKind.CERTIFICATE:
        answer = office.issue_document(request, client=CLIENT, key=item.key)
        return str(answer.body["number"]), office.document_file(str(answer.body["id"]))
    if Action.ISSUE in item.outcome.actions:
        answer = office.issue(request, client=CLIENT, key=item.key)
        return str(answer.body["number"]), office.file(str(answer.body["identifier"]))
    return _act(office, item, request, now, place)


def _act(office: Office, item: Item, request: dict[str, Any], now: datetime, place: int) -> tuple[str, bytes]:
    held = office.import_certificate(_existing(office, item, now, place), client=CLIENT, key=f"{item.key}-existing")
    identifier, action = str(held.body["identifier"]), item.outcome.actions[0]
    answer = office.act(identifier, action.value, request, version=None, client=CLIENT, key=item.key)
    number = str(answer.body["number"])
    if "document" in answer.body:
        return number, office.document_file(str(answer.body["document"]["id"]))
    return number, office.file(identifier) if answer.body["edition"] else b""


def _existing(office: Office, item: Item, now: datetime, place: int) -> dict[str, Any]:
    raw = dict(existing(item.key, now=now, variant=place))
    mandate = office.catalogue.mandate_on(item.key, now.date())
    decision = {
        "kind": "ex-officio",
        "authority": mandate.decides if mandate else "",
        "basis": "存量证照补录",
        "grounds": "演练所需的存量证照",
        "decided_at": (now - timedelta(minutes=30)).isoformat(),
    }
    own = {"decision": decision, "second_person": "李复核", "source": "演练", "scan_sha256": "0" * 64}
    kept = {key: value for key, value in raw.items() if key not in {"item", "case"}}
    return {**kept, **own, "issued_on": raw["valid_from"]}
