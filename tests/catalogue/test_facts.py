"""Facts of a face: every fault at once, and the texts as they will be printed."""

from datetime import date, datetime
from typing import Any

import pytest

from certlib.catalogue import Catalogue, check_changes, check_facts, check_holder, example, holder_warnings
from certlib.domain.civil import civil_date
from certlib.domain.holder import Holder, HolderCode
from certlib.domain.kinds import DocumentType, FieldKind, FieldSpec
from certlib.errors import Fault

TODAY = date(2026, 3, 4)


def facts_of(item: str, now: datetime, kind: str = "") -> dict[str, Any]:
    """The invented facts of an item."""
    return dict(example(item, now=now, kind=kind)["facts"])


def found(catalogue: Catalogue, kind: str, facts: dict[str, Any], **known: Any) -> list[tuple[str, str]]:
    """Paths and codes of the faults of `facts`."""
    faults, _ = check_facts(catalogue.kind(kind), facts, today=TODAY, **known)
    assert all(fault.label and fault.message.startswith(fault.label) and fault.english for fault in faults)
    return [(fault.path, fault.code) for fault in faults]


def test_sound_facts_become_the_texts_of_the_paper(catalogue: Catalogue, now: datetime) -> None:
    """Dates are written out, lists joined by line feeds, the rest as given; absent optional facts stay absent."""
    facts = facts_of("2-25", now, "licence-decision") | {"accepted_on": "2026-02-27"}
    faults, texts = check_facts(catalogue.kind("licence-decision"), facts, today=TODAY)
    assert faults == []
    assert texts["accepted_on"] == "2026年2月27日"
    assert texts["applicant"] == facts["applicant"]
    assert "validity" not in texts
    permit = facts_of("1-17", now)
    _, texts = check_facts(catalogue.kind("construction-planning-permit"), permit, today=TODAY)
    assert texts["attachments"] == "\n".join(permit["attachments"])


def test_every_fault_is_reported_at_once(catalogue: Catalogue, now: datetime) -> None:
    """Six wrong facts of six kinds give six faults in the order of the form, and the sound ones their texts."""
    facts = facts_of("2-25", now)
    facts |= {"enterprise_name": "赣州\u200b公司", "uscc": "91360700MA35K2QX7A", "mode": "网售", "scope": "甲" * 801}
    facts |= {"colour": "red"}
    del facts["legal_representative"]
    assert found(catalogue, "medical-device-licence", facts) == [
        ("facts.enterprise_name", "invisible-character"),
        ("facts.uscc", "bad-uscc"),
        ("facts.legal_representative", "missing"),
        ("facts.mode", "not-a-choice"),
        ("facts.scope", "too-long"),
        ("facts.colour", "unexpected"),
    ]
    _, texts = check_facts(catalogue.kind("medical-device-licence"), facts, today=TODAY)
    assert set(texts) == {"person_in_charge", "residence", "premises", "warehouse"}


@pytest.mark.parametrize("empty", [None, "", [], ()])
def test_an_empty_fact_is_a_missing_one(empty: Any, catalogue: Catalogue, now: datetime) -> None:
    """Whatever way nothing is said."""
    facts = facts_of("1-17", now) | {"attachments": empty}
    assert found(catalogue, "construction-planning-permit", facts) == [("facts.attachments", "missing")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (12, "not-a-text"),
        (["赣州公司"], "not-a-text"),
        ({"name": "赣州公司"}, "not-a-text"),
        (True, "not-a-text"),
        (" 赣州公司", "outer-space"),
        ("赣州公司 ", "outer-space"),
        (" ", "outer-space"),
        ("甲" * 61, "too-long"),
        ("赣州\n公司", "control-character"),
    ],
)
def test_a_text_must_be_one_clean_line(value: Any, code: str, catalogue: Catalogue, now: datetime) -> None:
    """Another JSON type, outer spaces, too many characters and line feeds each have their code."""
    facts = facts_of("2-25", now) | {"enterprise_name": value}
    assert ("facts.enterprise_name", code) in found(catalogue, "medical-device-licence", facts)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([1], "not-a-list"),
        (7, "not-a-list"),
        (["甲", ""], "outer-space"),
        (["甲 "], "outer-space"),
        (["甲\u202e"], "bidi-character"),
        (["甲"] * 201, "too-long"),
    ],
)
def test_a_list_holds_clean_lines(value: Any, code: str, catalogue: Catalogue, now: datetime) -> None:
    """Entries are texts without empty ones among them."""
    facts = facts_of("1-17", now) | {"attachments": value}
    assert ("facts.attachments", code) in found(catalogue, "construction-planning-permit", facts)


def test_a_list_may_come_as_lines(catalogue: Catalogue, now: datetime) -> None:
    """A table of a batch has texts only."""
    facts = facts_of("1-17", now) | {"attachments": "总平面图\n施工图"}
    assert found(catalogue, "construction-planning-permit", facts) == []


@pytest.mark.parametrize(
    "value", ["2026-2-1", "20260201", "2026-02-30", "2026-W09-1", "２０２６-02-01", "昨天", "2026-02-01T00:00"]
)
def test_a_date_is_an_iso_day(value: str, catalogue: Catalogue, now: datetime) -> None:
    """Other notations and days that do not exist are refused."""
    facts = facts_of("2-25", now, "licence-decision") | {"accepted_on": value}
    assert ("facts.accepted_on", "not-a-date") in found(catalogue, "licence-decision", facts)


def test_a_day_that_has_passed_may_not_lie_ahead(catalogue: Catalogue, now: datetime) -> None:
    """The day of acceptance is at most today."""
    facts = facts_of("2-25", now, "licence-decision")
    assert found(catalogue, "licence-decision", facts | {"accepted_on": "2026-03-04"}) == []
    ahead = found(catalogue, "licence-decision", facts | {"accepted_on": "2026-03-05"})
    assert ahead == [("facts.accepted_on", "in-the-future")]


def test_dates_in_the_wrong_order_are_refused(catalogue: Catalogue, now: datetime) -> None:
    """An extension may not end before the acceptance it extends."""
    facts = facts_of("2-25", now, "extension-notice") | {"accepted_on": "2026-03-02", "due_on": "2026-03-01"}
    assert found(catalogue, "extension-notice", facts) == [("facts.due_on", "dates-in-wrong-order")]


@pytest.mark.parametrize("value", ["12", "12.50", "0", 12, 12.5, "498"])
def test_a_number_is_decimal(value: Any, catalogue: Catalogue, now: datetime) -> None:
    """JSON numbers and texts of digits both do."""
    facts = facts_of("2-15", now) | {"gross_tonnage": value}
    assert found(catalogue, "minimum-safe-manning-certificate", facts) == []


@pytest.mark.parametrize(
    "value", ["1e5", "-1", "01", "1,200", "十二", "１２", True, float("nan"), float("inf"), 1e30, "12."]
)
def test_what_is_not_a_plain_number_is_refused(value: Any, catalogue: Catalogue, now: datetime) -> None:
    """No signs, exponents, separators or full-width digits."""
    facts = facts_of("2-15", now) | {"gross_tonnage": value}
    (fault,) = found(catalogue, "minimum-safe-manning-certificate", facts)
    assert fault[0] == "facts.gross_tonnage"


def test_a_subject_is_named_by_either_code(catalogue: Catalogue, now: datetime) -> None:
    """A USCC or a citizen number; anything else says what a USCC lacks."""
    facts = facts_of("2-25", now, "licence-decision")
    assert found(catalogue, "licence-decision", facts | {"applicant_code": "11010519491231002X"}) == []
    wrong = found(catalogue, "licence-decision", facts | {"applicant_code": "110105194912310021"})
    assert wrong == [("facts.applicant_code", "bad-uscc")]


def test_facts_that_repeat_the_request_must_agree_with_it(catalogue: Catalogue, now: datetime) -> None:
    """Holder, code, case number and day of acceptance are compared when they are known."""
    request = example("2-25", now=now, kind="licence-decision")
    holder = Holder("另一家公司", "11100000000013338W")
    assert found(
        catalogue, "licence-decision", request["facts"], holder=holder, case="X-1", accepted_on=date(2026, 1, 5)
    ) == [
        ("facts.applicant", "differs-from-holder"),
        ("facts.applicant_code", "differs-from-holder"),
        ("facts.accepted_on", "differs-from-decision"),
        ("facts.case", "differs-from-case"),
    ]
    same = Holder(request["holder"]["name"], request["holder"]["code"])
    assert found(catalogue, "licence-decision", request["facts"], holder=same, case=request["case"]["number"]) == []


def test_a_citizen_number_on_a_face_is_checked(catalogue: Catalogue) -> None:
    """GB 11643, as of today."""
    kind = catalogue.document_types["service-receipt"]
    spec = FieldSpec("number_of_person", "身份号码", "Citizen number", FieldKind.CITIZEN_NUMBER)
    other = DocumentType("x", "某文书", "Some paper", kind.number, (spec,))
    faults, _ = check_facts(other, {"number_of_person": "11010519491231003X"}, today=TODAY)
    assert [fault.code for fault in faults] == ["bad-citizen-number"]


def test_an_unknown_fact_is_named_without_its_traps(catalogue: Catalogue, now: datetime) -> None:
    """The key of an unexpected fact is shown short and without what cannot be shown."""
    facts = facts_of("1-17", now) | {"\u202e\ud800" + "x" * 100: "1"}
    faults, _ = check_facts(catalogue.kind("construction-planning-permit"), facts, today=TODAY)
    assert [fault.path for fault in faults] == ["facts.??" + "x" * 58]
    assert faults[0].message.encode()


def test_a_change_may_touch_only_what_the_item_covers(catalogue: Catalogue, now: datetime) -> None:
    """登记事项的变更 may change the representative and not the premises."""
    before = facts_of("2-25", now)
    kind, outcome = catalogue.certificate_types["medical-device-licence"], catalogue.items["2-27"].outcome
    assert check_changes(outcome, kind, before, before | {"legal_representative": "钟建国"}) == []
    after = before | {"premises": "江西省赣州市蓉江新区文昌路1号", "uscc": "11100000000013338W"}
    faults = check_changes(outcome, kind, before, after)
    assert [(fault.path, fault.code) for fault in faults] == [
        ("facts.uscc", "may-not-change"),
        ("facts.premises", "may-not-change"),
    ]
    assert "登记事项的变更" in faults[0].message


def test_a_change_without_a_list_of_its_own_touches_every_changeable_fact(catalogue: Catalogue, now: datetime) -> None:
    """The filing's change covers all but the code."""
    before = facts_of("2-21", now)
    kind, outcome = catalogue.certificate_types["medical-device-filing"], catalogue.items["2-22"].outcome
    assert check_changes(outcome, kind, before, before | {"warehouse": "无", "mode": "零售"}) == []
    assert check_changes(outcome, kind, before, before | {"uscc": "11100000000013338W"})


def codes(faults: list[Fault]) -> list[tuple[str, str]]:
    """Paths and codes."""
    return [(fault.path, fault.code) for fault in faults]


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        (Holder("某公司", "11100000000013338W"), []),
        (Holder("某公司", "11100000000013338X"), [("holder.code", "bad-code")]),
        (Holder("张某", "11010519491231002X", HolderCode.CITIZEN), []),
        (Holder("张某", "11010519491231003X", HolderCode.CITIZEN), [("holder.code", "bad-code")]),
        (Holder("张某", "11010519491231002X"), [("holder.code", "bad-code")]),
        (Holder("Jane", "E12345678", HolderCode.PASSPORT), []),
        (Holder("Jane", "E1 2", HolderCode.PASSPORT), [("holder.code", "bad-code")]),
        (Holder("某\u200b公司", "11100000000013338W"), [("holder.name", "invisible-character")]),
        (Holder("某" * 101, "11100000000013338W"), [("holder.name", "too-long")]),
    ],
)
def test_a_holders_code_is_checked_by_its_type(holder: Holder, expected: list[tuple[str, str]]) -> None:
    """001 is a USCC, 111 a citizen number, the rest have a form only."""
    assert codes(check_holder(holder, today=TODAY)) == expected


def test_a_holder_is_compared_with_the_facts_that_repeat_it(catalogue: Catalogue, now: datetime) -> None:
    """Name and code, each at its own place."""
    request = example("2-25", now=now)
    kind = catalogue.certificate_types["medical-device-licence"]
    own = Holder(request["holder"]["name"], request["holder"]["code"])
    assert check_holder(own, today=civil_date(now), kind=kind, facts=request["facts"]) == []
    other = Holder("另一家公司", "11100000000013338W")
    assert codes(check_holder(other, today=civil_date(now), kind=kind, facts=request["facts"])) == [
        ("facts.enterprise_name", "differs-from-holder"),
        ("facts.uscc", "differs-from-holder"),
    ]


def test_an_odd_but_sound_code_warns_only() -> None:
    """The inner check of GB 11714 is told and never refuses."""
    assert holder_warnings(Holder("某公司", "11100000000013338W")) == ()
    assert holder_warnings(Holder("张某", "11010519491231002X", HolderCode.CITIZEN)) == ()
