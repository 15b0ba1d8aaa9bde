"""Mandates as they ship: who does what, from when, on which basis, and what about it is assumed."""

from datetime import date

import pytest

from certlib.catalogue import Catalogue, load_catalogue
from certlib.domain.kinds import Item
from certlib.identifiers import check_document_number, check_uscc, uscc_warnings

TODAY = date(2026, 3, 4)
ITEMS = pytest.mark.parametrize("item", load_catalogue().items.values(), ids=lambda item: item.key)


@ITEMS
def test_every_item_has_a_mandate_today_and_none_before_the_notice(item: Item, catalogue: Catalogue) -> None:
    """Open-ended from the notice on."""
    mandate = catalogue.mandate_on(item.key, TODAY)
    assert mandate is not None
    assert mandate.until is None
    assert catalogue.mandate_on(item.key, date(2022, 4, 2)) is None
    assert "赣市府办发〔2022〕7号" in mandate.basis
    assert f"赣蓉办发〔2022〕4号附件{item.annex}" in mandate.basis


@ITEMS
def test_the_district_reviews_in_annex_one_and_only_accepts_in_annex_two(item: Item, catalogue: Catalogue) -> None:
    """市县同办: one district bureau accepts and reviews; 县级受理市级审批: its window accepts, the city reviews."""
    (mandate,) = catalogue.mandates[item.key]
    level = {key: authority.level for key, authority in catalogue.authorities.items()}
    assert level[mandate.accepts] == "区县"
    assert level[mandate.decides] == level[mandate.seals] == level[mandate.supervises] == "地市"
    if item.annex == 1:
        assert mandate.reviews == mandate.accepts
    else:
        assert mandate.accepts == "rongjiang-approval"
        assert mandate.reviews == mandate.decides


@ITEMS
def test_annex_one_rests_on_an_agreement_that_is_marked_as_invented(item: Item, catalogue: Catalogue) -> None:
    """An agreement with number and date before the first day; annex 2 needs none."""
    (mandate,) = catalogue.mandates[item.key]
    if item.annex == 2:
        assert not mandate.agreement
        return
    check_document_number(mandate.agreement)
    assert mandate.agreement_date is not None
    assert mandate.agreement_date <= mandate.since
    assert any("承接协议" in words for words in mandate.assumed)
    assert any("区级部门" in words for words in mandate.assumed)


def test_authorities_have_sound_codes_marked_as_invented(catalogue: Catalogue) -> None:
    """Every USCC is sound inside and out, of an organ of the city, and says that it is invented."""
    for authority in catalogue.authorities.values():
        check_uscc(authority.uscc)
        assert uscc_warnings(authority.uscc) == ()
        assert authority.uscc.startswith("11360700")
        assert authority.invented
        assert authority.assumed


def test_only_a_branch_office_shares_its_parents_code(catalogue: Catalogue) -> None:
    """A 派出机构 acts under its parent's USCC; everybody else has one of their own."""
    own = [authority.uscc for authority in catalogue.authorities.values() if not authority.parent]
    assert len(own) == len(set(own))
    branches = [authority for authority in catalogue.authorities.values() if authority.parent]
    assert {branch.uscc for branch in branches} == {catalogue.authorities[branch.parent].uscc for branch in branches}
    assert len(branches) == 3


def test_every_authority_that_decides_has_a_document_word_and_both_seals(catalogue: Catalogue) -> None:
    """Eight departments: 行政审批专用章 1 and 机关印章, fourteen-digit identifiers in the order of the departments."""
    deciders = {mandate.decides for mandates in catalogue.mandates.values() for mandate in mandates}
    assert len(deciders) == 8
    for decider in deciders:
        authority = catalogue.authorities[decider]
        seals = {(seal.kind.value, seal.copy): seal for seal in catalogue.seals.values() if seal.authority == decider}
        approval, organ = seals["approval", 1], seals["organ", 1]
        assert authority.document_word
        assert approval.certificate == f"seal-{decider}-approval-1"
        assert organ.certificate == f"seal-{decider}-organ-1"
        assert approval.lines == ("行政审批专用章", "(1)")
        assert organ.lines == ()
        assert approval.arc_text == organ.arc_text == organ.name == authority.name
        assert int(organ.id) - int(approval.id) == 10


def test_the_second_seal_is_a_seal_of_its_own(catalogue: Catalogue) -> None:
    """2号章: the same name but for the number, another identifier and another X.509 certificate."""
    (second,) = [seal for seal in catalogue.seals.values() if seal.copy == 2]
    assert (second.authority, second.lines) == ("ganzhou-approval", ("行政审批专用章", "(2)"))
    assert second.certificate == "seal-ganzhou-approval-approval-2"
