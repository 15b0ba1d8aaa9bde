"""What is wrong with a request is told at once, in Chinese with its label; nothing is numbered, sealed or stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from certlib.errors import (
    ConfigurationError,
    ConflictError,
    KeyUnavailableError,
    NotFoundError,
    RequestError,
    TransitionError,
)
from certlib.formats.leaf import Leaf
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.journal_tables import JournalEvent
from certlib.register.tables import Counter, Intent, SealUseRow
from tests.issue.conftest import Desk

Spoil = Callable[[dict[str, Any], Desk], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """On SQLite alone: a refused request reaches no database."""
    return Settings(home=tmp_path / "home", suite="p256-sha256")


def nothing_happened(desk: Desk) -> bool:
    """No number, no use of a seal, no intent, no journal leaf but those of the opening, no file."""
    with desk.office.register.reader() as session:
        counts = [
            session.exec(select(func.count()).select_from(table)).one() for table in (Counter, Intent, SealUseRow)
        ]
        kinds = {Leaf.decode(body).kind for body in session.exec(select(JournalEvent.body)).all()}
    happened = {kind for kind in kinds if kind.startswith(("certificate:", "document:", "sheet:", "file:"))}
    happened |= kinds & {"seal:used", "seal:released", "seal:denied"}
    return not any(counts) and not happened and not list(desk.office.register.files.digests())


def set_in(path: str, value: object) -> Spoil:
    """Put `value` at a dotted path."""

    def spoil(request: dict[str, Any], _: Desk) -> None:
        *parents, last = path.split(".")
        target = request
        for parent in parents:
            target = target[parent]
        target[last] = value

    return spoil


def drop(path: str) -> Spoil:
    """Leave out what is at a dotted path."""

    def spoil(request: dict[str, Any], _: Desk) -> None:
        *parents, last = path.split(".")
        target = request
        for parent in parents:
            target = target[parent]
        del target[last]

    return spoil


def tomorrow(step: str) -> Spoil:
    """A step that has not happened yet."""

    def spoil(request: dict[str, Any], desk: Desk) -> None:
        request["decision"][step]["at"] = (desk.clock.at + timedelta(days=1)).isoformat()

    return spoil


def swap_steps(request: dict[str, Any], _: Desk) -> None:
    """Approval before acceptance."""
    steps = request["decision"]
    steps["acceptance"]["at"], steps["approval"]["at"] = steps["approval"]["at"], steps["acceptance"]["at"]


CASES: dict[str, tuple[Spoil, str]] = {
    "unknown item": (set_in("item", "3-99"), "item"),
    "item that issues nothing new": (set_in("item", "2-26"), "item"),
    "no case number": (drop("case.number"), "case.number"),
    "case number with spaces": (set_in("case.number", "a b c d"), "case.number"),
    "reviewer of the wrong authority": (set_in("decision.review.authority", "ganzhou-commerce"), "decision.review"),
    "approver of the wrong authority": (set_in("decision.approval.authority", "ganzhou-commerce"), "decision.approval"),
    "unknown authority": (set_in("decision.acceptance.authority", "nowhere"), "decision.acceptance"),
    "approval missing": (drop("decision.approval"), "decision"),
    "steps in the wrong order": (swap_steps, "decision"),
    "approval tomorrow": (tomorrow("approval"), "decision.approval"),
    "time without zone": (set_in("decision.approval.at", "2026-11-24T09:00:00"), "decision.approval.at"),
    "person missing": (drop("decision.approval.person"), "decision.approval.person"),
    "fact missing": (drop("facts.scope"), "facts.scope"),
    "fact unknown": (set_in("facts.colour", "红"), "facts.colour"),
    "fact not in the choices": (set_in("facts.mode", "出租"), "facts.mode"),
    "wrong USCC check digit": (set_in("holder.code", "91360700MA00000151"), "holder.code"),
    "holder differs from the face": (set_in("facts.enterprise_name", "另一家有限公司"), "facts.enterprise_name"),
    "character without glyph": (set_in("facts.legal_representative", "𠮷田"), "facts.legal_representative"),
    "bidi override": (set_in("facts.legal_representative", "陈\u202e志远"), "facts.legal_representative"),
    "zero width": (set_in("facts.legal_representative", "陈\u200b志远"), "facts.legal_representative"),
    "private use": (set_in("facts.legal_representative", "陈\ue000远"), "facts.legal_representative"),
    "lone surrogate": (set_in("facts.legal_representative", "陈\ud800远"), "facts.legal_representative"),
    "NUL": (set_in("facts.legal_representative", "陈\x00远"), "facts.legal_representative"),
    "not composed": (set_in("facts.legal_representative", "Re\u0301mi"), "facts.legal_representative"),
    "too long for its box": (set_in("facts.residence", "江西省赣州市" * 60), "facts.residence"),
    "a number we allot": (set_in("number", "赣虔药监械经营许20269999号"), "number"),
    "valid before the issue": (set_in("valid_from", "2026-11-01"), "valid_from"),
    "valid beyond the law": (set_in("valid_until", "2046-01-01"), "valid_until"),
    "issued on an earlier day": (set_in("issued_on", "2026-11-01"), "issued_on"),
    "ends before it begins": (set_in("valid_until", "2026-01-01"), "valid_until"),
    "no such copies": (set_in("paper", {"copies": {"triplicate": 3}}), "paper.copies"),
    "two originals": (set_in("paper", {"copies": {"original": 2}}), "paper.copies"),
    "extra key": (set_in("colour", "red"), "colour"),
    "facts not an object": (set_in("facts", ["a"]), "facts"),
    "decision not an object": (set_in("decision", 7), "decision"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_request_is_refused_with_its_place(desk: Desk, name: str) -> None:
    """The fault names the field; the message is Chinese, with an English one beside it; nothing has happened."""
    spoil, path = CASES[name]
    request = desk.request("2-25")
    spoil(request, desk)
    with pytest.raises(RequestError) as refused:
        desk.office.issue(request, client="platform", key="k")
    fitting = [fault for fault in refused.value.faults if fault.path.startswith(path)]
    assert fitting, [fault.as_json() for fault in refused.value.faults]
    assert all(fault.message and any("\u4e00" <= char <= "\u9fff" for char in fault.message) for fault in fitting)
    assert nothing_happened(desk)


def test_all_faults_come_at_once(desk: Desk) -> None:
    """Structure, mandate, holder, facts and days are reported together."""
    request = desk.request("2-25")
    for name in ("wrong USCC check digit", "fact missing", "approver of the wrong authority", "valid before the issue"):
        CASES[name][0](request, desk)
    request["paper"] = "none"
    with pytest.raises(RequestError) as refused:
        desk.office.issue(request, client="platform", key="k")
    found = {fault.path.split(".")[0] for fault in refused.value.faults}
    assert {"holder", "facts", "decision", "valid_from", "paper"} <= found


def test_a_glyph_fault_names_character_and_field(desk: Desk) -> None:
    """The clerk is told which character in which field no font has."""
    request = desk.request("2-25")
    request["facts"]["legal_representative"] = "𠮷田"
    with pytest.raises(RequestError) as refused:
        desk.office.issue(request, client="platform", key="k")
    (fault,) = refused.value.faults
    assert "U+20BB7" in fault.message
    assert fault.label == "法定代表人"


@pytest.mark.parametrize("raw", [None, [], "x", 7, {}, {"item": None}, {"item": {"a": 1}}])
def test_what_is_no_request_at_all_is_refused(desk: Desk, raw: object) -> None:
    """Any JSON value gets faults, never a crash."""
    with pytest.raises(RequestError):
        desk.office.issue(raw, client="platform", key="k")
    assert nothing_happened(desk)


def test_an_unknown_certificate_is_not_found(desk: Desk) -> None:
    """A sound identifier of nothing, and what is no identifier."""
    for identifier in ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U", "x"):
        with pytest.raises(NotFoundError):
            desk.office.act(identifier, "cancel", {}, version=1, client="platform", key="k")


ACTS: dict[str, tuple[str, Callable[[Desk], dict[str, Any]], type[Exception]]] = {
    "suspension on application": ("suspend", lambda d: {"decision": d.ex_officio()}, TransitionError),
    "suspension without document": ("suspend", lambda d: {"decision": d.order(document_number="")}, RequestError),
    "document of tomorrow": (
        "suspend",
        lambda d: {"decision": d.order(decided_at=(d.clock.at + timedelta(days=1)).isoformat())},
        RequestError,
    ),
    "document from before the certificate": (
        "suspend",
        lambda d: {"decision": d.order(decided_at=(d.clock.at - timedelta(days=1)).isoformat())},
        RequestError,
    ),
    "revocation dated before the issue": (
        "revoke",
        lambda d: {
            "decision": d.ex_officio(decided_at=(d.clock.at - timedelta(days=30)).isoformat()),
            "cause": "fraud",
        },
        RequestError,
    ),
    "digest that is none": ("suspend", lambda d: {"decision": d.order(file_sha256="zz")}, RequestError),
    "resume what is not suspended": ("resume", lambda d: {"decision": d.order()}, TransitionError),
    "correction by one person": (
        "correct",
        lambda d: {"decision": d.ex_officio(), "facts": {"residence": "新址"}, "evidence": ["更正说明"]},
        TransitionError,
    ),
    "correction without memo": (
        "correct",
        lambda d: {"decision": d.ex_officio(), "facts": {"residence": "新址"}, "second_person": "李复核"},
        TransitionError,
    ),
    "facts with a revocation": (
        "revoke",
        lambda d: {"decision": d.ex_officio(), "facts": {"residence": "新址"}},
        RequestError,
    ),
    "revocation by another authority": (
        "revoke",
        lambda d: {"decision": d.ex_officio(authority="ganzhou-commerce")},
        RequestError,
    ),
    "no such action": ("frame", lambda d: {"decision": d.ex_officio()}, RequestError),
    "unknown cause": ("revoke", lambda d: {"decision": d.ex_officio(), "cause": "mood"}, TransitionError),
}


@pytest.mark.parametrize("name", ACTS)
def test_a_wrong_action_is_refused_and_changes_nothing(desk: Desk, name: str) -> None:
    """Law, person, document and facts are asked before anything is done."""
    action, raw, error = ACTS[name]
    body = desk.issue("2-25")
    before = desk.office.certificate(body["identifier"], at=desk.clock.at)
    with pytest.raises(error):
        desk.do(body["identifier"], action, raw(desk))
    after = desk.office.certificate(body["identifier"], at=desk.clock.at)
    assert (after["version"], after["state"], after["history"]) == (
        before["version"],
        before["state"],
        before["history"],
    )


def test_a_change_may_touch_only_what_its_item_covers(desk: Desk) -> None:
    """登记事项 and 许可事项 are two items; each changes its own facts."""
    body = desk.issue("2-25")
    scope = {"scope": "Ⅲ类：6821医用电子仪器设备。"}
    with pytest.raises(RequestError) as refused:
        desk.act("2-27", body["identifier"], "change", facts=scope)
    assert [fault.path for fault in refused.value.faults] == ["facts.scope"]
    assert desk.act("2-28", body["identifier"], "change", facts=scope)["edition"] == 2


def test_blanks_that_overlap_or_run_out_are_refused(desk: Desk) -> None:
    """Stock comes in once, checked by two persons; paper is printed on blanks that exist."""
    body = desk.issue("2-25")
    with pytest.raises(ConflictError):
        desk.office.print_sheets(body["identifier"], client="platform", purpose="窗口打印")
    receive = desk.office.receive_blanks
    receive("medical-device-licence", "GZ000001", "GZ000009", person="甲", witness="乙")
    with pytest.raises(ConflictError):
        receive("medical-device-licence", "GZ000009", "GZ000012", person="甲", witness="乙")
    with pytest.raises(RequestError):
        receive("medical-device-licence", "GZ000020", "GZ000021", person="甲", witness="甲")
    assert desk.office.print_sheets(body["identifier"], client="platform", purpose="窗口打印")[0].serial == "GZ000001"


def test_development_keys_are_refused_outside_development(settings: Settings) -> None:
    """An office in production does not open on the published keys."""
    production = Settings(home=settings.home, environment="production")
    with pytest.raises(ConfigurationError, match="开发密钥"):
        open_office(production)


def test_an_unreadable_key_file_is_named(settings: Settings, tmp_path: Any) -> None:
    """The file that cannot be read is named, and what to do."""
    with pytest.raises(KeyUnavailableError, match="journal"):
        open_office(Settings(home=settings.home, keys=str(tmp_path / "nowhere")))


def test_nothing_is_done_to_a_closed_certificate_and_each_refusal_says_why(desk: Desk) -> None:
    """After 注销 no action is left; the answer gives the reason for each in Chinese, and an attempt leaves no trace."""
    identifier = str(desk.issue("2-25")["identifier"])
    desk.do(identifier, "cancel", {"decision": desk.ex_officio(), "cause": "termination"})
    before = desk.office.certificate(identifier)
    assert before["permitted"] == []
    kind = desk.office.catalogue.certificate_types[before["type"]]
    reasons = {entry["action"]: entry["reason"] for entry in before["refused"]}
    assert set(reasons) >= {action.value for action in kind.actions} - {"issue", "import"}
    assert all(any("\u4e00" <= char <= "\u9fff" for char in reason) for reason in reasons.values())
    for action in ("suspend", "revoke", "void"):
        raw = {"decision": desk.order() if action == "suspend" else desk.ex_officio()}
        with pytest.raises((TransitionError, RequestError)):
            desk.do(identifier, action, raw)
    assert desk.office.certificate(identifier)["history"] == before["history"]


def test_a_renewal_out_of_its_window_is_refused_with_the_days(desk: Desk) -> None:
    """Years before the last day: refused, no edition, no number; the reason names the window."""
    identifier = str(desk.issue("2-25")["identifier"])
    refused = {entry["action"]: entry["reason"] for entry in desk.office.certificate(identifier)["refused"]}
    assert "延续" in refused["renew"] or "期" in refused["renew"]
    with pytest.raises(TransitionError):
        desk.act("2-26", identifier, "renew")
    assert len(desk.office.certificate(identifier)["editions"]) == 1
