"""The 98 items: the same as in the notice, and every one of them resolved."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from certlib.catalogue import Catalogue, load_catalogue
from certlib.domain.actions import Action
from certlib.domain.kinds import Handling, Item, OutcomeKind

NOTICE = (Path(__file__).parent / "notice-annexes.txt").read_text("utf-8")
DEPARTMENTS = {
    "市自然资源局": "ganzhou-natural-resources",
    "市行政审批局": "ganzhou-approval",
    "市农业农村局": "ganzhou-agriculture",
    "市市场监管局": "ganzhou-market-regulation",
    "市教育局": "ganzhou-education",
    "市生态环境局": "ganzhou-ecology",
    "市交通运输局": "ganzhou-transport",
    "市商务局": "ganzhou-commerce",
}


def plain(text: str) -> str:
    """A cell without the marks and spaces that came with the page's layout."""
    return re.sub(r"\s|</?p>", "", text)


def rows_of_the_notice() -> Iterator[tuple[str, ...]]:
    """The annex tables of the notice as rows of seven, in the columns of items.csv.

    The main item stands on the first of its rows only. A row split by a page break comes twice with the same number;
    in 1-42 the main item stands one column to the right and the 备注 is lost.
    """
    annex, item, found = 0, "", {}
    for line in NOTICE.splitlines():
        if line in {"附件1", "附件2"}:
            annex = int(line[-1])
        cells = [plain(cell) for cell in line.strip().strip("|").split("|")]
        if not cells[0].isdigit():
            continue
        number, department, main, sub, *rest = cells
        if len(cells) == 6 and rest[0] != "行政许可" and rest[1] == "行政许可":
            main, sub, rest = sub, rest[0], [rest[1], "市县同办"]
        item = main or item
        power, handling = rest
        key = (annex, int(number))
        before = found[key][4] if key in found else ""
        found[key] = (str(annex), number, department, item, before + sub, power, handling)
    yield from found.values()


def test_the_items_are_those_of_the_notice() -> None:
    """Every cell of items.csv agrees with the annexes of the notice, 45 and 53 rows."""
    path = Path(__file__).parents[2] / "certlib" / "catalogue" / "data" / "items.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [tuple(map(plain, row)) for row in list(csv.reader(file))[1:]]
    assert rows == list(rows_of_the_notice())
    assert Counter(row[0] for row in rows) == {"1": 45, "2": 53}


def test_the_catalogue_keeps_every_row_in_the_notices_order(catalogue: Catalogue) -> None:
    """98 items, keyed by annex and number."""
    keys = [f"1-{n}" for n in range(1, 46)] + [f"2-{n}" for n in range(1, 54)]
    assert list(catalogue.items) == keys
    assert all(item.key == key for key, item in catalogue.items.items())


def test_the_handling_follows_the_annex(catalogue: Catalogue) -> None:
    """Annex 1 is 市县同办, annex 2 县级受理市级审批."""
    assert all(item.handling is (Handling.JOINT, Handling.WINDOW)[item.annex - 1] for item in catalogue.items.values())


@pytest.mark.parametrize("item", load_catalogue().items.values(), ids=lambda item: item.key)
def test_every_item_resolves(item: Item, catalogue: Catalogue) -> None:
    """Its outcomes are known kinds, the actions are the kind's own, and its department decides and seals."""
    assert item.outcome is item.outcomes[0]
    for outcome in item.outcomes:
        if outcome.kind is OutcomeKind.CERTIFICATE:
            kind = catalogue.certificate_types[outcome.type]
            assert outcome.actions
            assert set(outcome.actions) <= kind.actions
        else:
            assert outcome.type in catalogue.document_types
            assert not outcome.actions
    types = [outcome.type for outcome in item.outcomes]
    assert len(types) == len(set(types))
    (mandate,) = catalogue.mandates[item.key]
    assert mandate.decides == mandate.seals == DEPARTMENTS[item.city_department]


def test_a_filing_in_name_may_be_an_approval(catalogue: Catalogue) -> None:
    """2-14 is typed 备案 and yields an approval; outcomes are never derived from the power type."""
    item = catalogue.items["2-14"]
    assert "备案" in item.power_type
    assert item.outcome.kind is OutcomeKind.DOCUMENT
    assert catalogue.document_types[item.outcome.type].kind == "decision"


def actions(catalogue: Catalogue, keys: range) -> list[tuple[str, Action | None]]:
    """The principal outcomes of items of annex 2."""
    outcomes = [catalogue.items[f"2-{number}"].outcome for number in keys]
    return [(outcome.type, outcome.action) for outcome in outcomes]


def test_ten_medical_device_items_are_actions_on_two_types(catalogue: Catalogue) -> None:
    """2-21 to 2-24 act on the filing, 2-25 to 2-30 on the licence."""
    filing, licence = "medical-device-filing", "medical-device-licence"
    assert actions(catalogue, range(21, 31)) == [
        (filing, Action.ISSUE),
        (filing, Action.CHANGE),
        (filing, Action.REISSUE),
        (filing, Action.CANCEL),
        (licence, Action.ISSUE),
        (licence, Action.RENEW),
        (licence, Action.CHANGE),
        (licence, Action.CHANGE),
        (licence, Action.REISSUE),
        (licence, Action.CANCEL),
    ]


def test_six_drug_retail_items_are_actions_on_one_type(catalogue: Catalogue) -> None:
    """2-31 to 2-36 act on the one licence."""
    wanted = (Action.ISSUE, Action.REPLACE, Action.REISSUE, Action.CANCEL, Action.CHANGE, Action.CHANGE)
    assert actions(catalogue, range(31, 37)) == [("drug-retail-licence", action) for action in wanted]


def test_the_gas_licence_is_issued_by_one_item_and_changed_by_another(catalogue: Catalogue) -> None:
    """2-38 issues what 1-28 changes."""
    assert (catalogue.items["2-38"].outcome.type, catalogue.items["2-38"].outcome.action) == ("gas-licence", "issue")
    assert (catalogue.items["1-28"].outcome.type, catalogue.items["1-28"].outcome.action) == ("gas-licence", "change")


def test_two_change_items_divide_the_facts_between_them(catalogue: Catalogue) -> None:
    """登记事项 and 许可事项 have only the record of changes in common and together are every fact that may change."""
    for registered, licensed in (("2-27", "2-28"), ("2-35", "2-36")):
        one, two = (catalogue.items[key].outcome for key in (registered, licensed))
        changeable = {spec.key for spec in catalogue.certificate_types[one.type].fields if spec.changeable}
        assert set(one.changes) & set(two.changes) <= {"change_record"}
        assert set(one.changes) | set(two.changes) == changeable


@pytest.mark.parametrize("key", [*(f"1-{n}" for n in range(1, 12)), "1-14", "1-30", "2-37"])
def test_items_that_stand_for_a_whole_life_cover_several_actions(key: str, catalogue: Catalogue) -> None:
    """They issue, change, reissue and cancel under the one item."""
    outcome = catalogue.items[key].outcome
    assert outcome.action is Action.ISSUE
    assert {Action.CHANGE, Action.REISSUE, Action.CANCEL} <= set(outcome.actions)


def test_a_licence_brings_its_decision_and_a_refusal_brings_only_one(catalogue: Catalogue) -> None:
    """Every item that grants a licensed certificate can also yield the decision, the refusal and the papers between."""
    for item in catalogue.items.values():
        documents = {outcome.type for outcome in item.outcomes if outcome.kind is OutcomeKind.DOCUMENT}
        assert {"acceptance-notice", "non-acceptance-notice", "correction-notice", "service-receipt"} <= documents
        if item.power_type == "行政许可" and item.outcome.action is Action.ISSUE:
            assert {"licence-decision", "refusal-decision"} <= documents


def test_only_annex_one_has_a_review_report_of_the_district(catalogue: Catalogue) -> None:
    """审核转报件 is what the district hands to the city where it reviews."""
    with_report = {
        item.key for item in catalogue.items.values() if any(out.type == "review-report" for out in item.outcomes)
    }
    assert with_report == {item.key for item in catalogue.items.values() if item.annex == 1}
