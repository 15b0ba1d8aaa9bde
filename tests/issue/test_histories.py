"""Histories in the words of the law, read from `histories.toml` and carried out in a real office, one each."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from certlib.catalogue.examples import existing
from certlib.domain.verdict import REVOKED_WORDS, WORDS, Verdict
from certlib.errors import CertlibError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from tests.issue.conftest import Clock, Desk
from tests.issue.invariants import breaches

HISTORIES = tomllib.loads(Path(__file__).with_name("histories.toml").read_text("utf-8"))["history"]
CAUSES = {
    "申请": "request",
    "届满": "expiry",
    "终止": "termination",
    "不可抗力": "impossibility",
    "遗失": "lost",
    "损毁": "damaged",
}
STATES = {
    "有效": "in-force",
    "已过期": "expired",
    "已暂扣": "suspended",
    "已注销": "cancelled",
    "已撤回": "withdrawn",
    "已撤销": "revoked",
    "已吊销": "rescinded",
    "已作废": "voided",
}
SHEETS = {
    "待打印": "to-print",
    "已打印": "printed",
    "已领取": "collected",
    "已收回": "surrendered",
    "已销毁": "destroyed",
    "已作废": "void",
    "未打印作罢": "void",
}
COLLECTED = {"collector": "陈志远", "relation": "legal-representative", "document": "营业执照", "receipt": "送达2026-1"}
WITNESSED = {"person": "王素珍", "witness": "李文静", "reason": "卡纸", "list": "销毁2026-1"}


@dataclass
class Story:
    """One history under way: the desk, the certificate it is about, how it began."""

    desk: Desk
    identifier: str = ""
    first: dict[str, Any] = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        return self.desk.office.certificate(self.identifier)

    def begin(self, body: dict[str, Any]) -> None:
        self.identifier = str(body["identifier"])
        self.first = self.view()
        kind = self.first["type"]
        self.desk.office.receive_blanks(kind, "KB000001", "KB000020", person="王素珍", witness="李文静")

    def issue(self, item: str, *words: str) -> None:
        paper = {"waived": True} if "不要纸" in words else {}
        self.begin(self.desk.issue(item, paper=paper))

    def import_(self, item: str) -> None:
        raw = deepcopy(dict(existing(item, now=self.desk.clock.at)))
        raw = {key: value for key, value in raw.items() if key not in {"item", "case"}}
        authority = self.desk.office.catalogue.mandate_on(item, self.desk.clock.at.date())
        assert authority is not None
        raw |= {
            "decision": self.desk.ex_officio(grounds="存量证照补录", authority=authority.decides),
            "second_person": "李复核",
            "issued_on": raw["valid_from"],
            "source": "档案",
            "scan_sha256": "ab" * 32,
        }
        self.desk.made += 1
        self.begin(dict(self.desk.office.import_certificate(raw, client="p", key=f"i{self.desk.made}").body))

    def apply(self, action: str, item: str, *words: str) -> None:
        parts: dict[str, Any] = {}
        if action == "change":
            parts["facts"] = self._changed(item, *words)
        cause = next((CAUSES[word] for word in words if word in CAUSES), "")
        self.desk.act(item, self.identifier, action, **parts, **({"cause": cause} if cause else {}))

    def _changed(self, item: str, *words: str) -> dict[str, Any]:
        if "经营范围" in words:
            return {"scope": "Ⅲ类：6821医用电子仪器设备。"}
        outcome = self.desk.office.catalogue.outcome(item, self.first["type"])
        assert outcome is not None
        barred = set(outcome.changes)
        choices = {
            "scope": f"Ⅲ类：6821医用电子仪器设备（第{self.desk.made}批）。",
            "legal_representative": f"黄建{'国民'[self.desk.made % 2]}",
        }
        return {
            key: value for key, value in choices.items() if key in self.first["facts"] and (not barred or key in barred)
        }

    def own(self, **parts: Any) -> dict[str, Any]:
        return {"decision": self.desk.ex_officio(authority=self.first["authority"]), **parts}

    def sheet(self, word: str) -> int:
        return int(self.view()["sheets"][int(word) - 1]["id"])

    def on_paper(self, act: str, record: dict[str, str], word: str = "") -> None:
        shown = self.view()["sheets"]
        sheets = (
            [self.sheet(word)] if word else [one["id"] for one in shown if one["edition"] == self.view()["edition"]]
        )
        for sheet in sheets:
            self.desk.office.act_on_sheet(int(sheet), act, record)

    def order(self, action: str, *words: str) -> None:
        decision = self.desk.ex_officio(authority=self.first["authority"]) if "依职权" in words else self.desk.order()
        self.desk.do(self.identifier, action, {"decision": decision})

    def cancel(self, *words: str) -> None:
        *item, cause = words
        if item:
            self.apply("cancel", item[0], cause)
        else:
            self.desk.do(self.identifier, "cancel", self.own(cause=CAUSES[cause]))

    def correct(self, *words: str) -> None:
        facts = self.first["facts"]
        key = next(
            key
            for key, value in facts.items()
            if isinstance(value, str) and key not in {"uscc", "mode", "category"} and "name" not in key
        )
        second = {} if "一人" in words else {"second_person": "李复核"}
        raw = self.own(facts={key: facts[key] + "甲"}, evidence=["更正说明"], **second)
        self.desk.do(self.identifier, "correct", raw)

    def void(self) -> None:
        self.desk.do(self.identifier, "void", self.own(second_person="李复核", evidence=["签发错误说明"]))

    def print(self) -> None:
        self.desk.office.print_sheets(self.identifier, client="p", purpose="出证")

    def wait(self, span: str) -> None:
        self.desk.clock.advance(days=int(span.removesuffix("天")))
        self.desk.office.tick()


VERBS: dict[str, Callable[..., None]] = {
    "签发": Story.issue,
    "补录": Story.import_,
    "打印": Story.print,
    "领取": lambda story: story.on_paper("collect", COLLECTED),
    "打坏": lambda story, which: story.on_paper("spoil", WITNESSED, which),
    "收回": lambda story, which: story.on_paper("surrender", WITNESSED, which),
    "报失": lambda story, which: story.on_paper("lose", {"declaration": "声明2026-1"}, which),
    "公告作废": lambda story, which: story.on_paper("announce", {"announcement": "公告2026-1"}, which),
    "销毁": lambda story, which: story.on_paper("destroy", WITNESSED, which),
    "变更": lambda story, *words: story.apply("change", *words),
    "延续": lambda story, *words: story.apply("renew", *words),
    "换证": lambda story, *words: story.apply("replace", *words),
    "补证": lambda story, *words: story.apply("reissue", *words),
    "更正": Story.correct,
    "暂扣": lambda story, *words: story.order("suspend", *words),
    "发还": lambda story, *words: story.order("resume", *words),
    "吊销": lambda story, *words: story.order("rescind", *words),
    "注销": Story.cancel,
    "撤回": lambda story: story.desk.do(story.identifier, "withdraw", story.own(cause="law-changed")),
    "撤销": lambda story: story.desk.do(story.identifier, "revoke", story.own(cause="fraud")),
    "作废": Story.void,
    "过": Story.wait,
}


def carry_out(story: Story, step: str) -> None:
    """One line of `steps`; after 不得 it must be refused and leave the certificate as it was."""
    words = step.split()
    if words[0] != "不得":
        VERBS[words[0]](story, *words[1:])
        return
    before = story.view()
    with pytest.raises(CertlibError):
        VERBS[words[1]](story, *words[2:])
    after = story.view()
    assert (after["version"], after["state"], after["sheets"]) == (before["version"], before["state"], before["sheets"])


def holds(story: Story, line: str) -> bool:
    """Whether one line of `expect` is so."""
    view, words = story.view(), line.split(maxsplit=1)
    head, rest = words[0], words[1] if len(words) > 1 else ""
    if head == "状态":
        return bool(view["state"] == STATES[rest])
    if head == "事件":
        return [event["action"] for event in view["history"]] == rest.split()
    if head == "编号不变":
        return bool(view["number"] == story.first["number"])
    if head == "有效期不变":
        return bool(view["editions"][-1]["valid_until"] == story.first["editions"][-1]["valid_until"])
    if head == "纸":
        return len(view["sheets"]) == int(rest)
    if head.startswith("纸"):
        return _sheet_holds(view, view["sheets"][int(head[1:]) - 1], rest)
    edition = next(one for one in view["editions"] if one["index"] == int(head[1:-1]))
    return _words(edition["verdict"], view["cause"]) == rest


def _sheet_holds(view: dict[str, Any], sheet: dict[str, Any], rest: str) -> bool:
    if rest == "应收回":
        return bool(sheet["recall"])
    if rest in SHEETS:
        return bool(sheet["state"] == SHEETS[rest])
    return _words(sheet["verdict"], view["cause"]) == rest


def _words(verdict: str, cause: str) -> str:
    words = REVOKED_WORDS.get(cause) if verdict == Verdict.REVOKED else None
    return (words or WORDS[Verdict(verdict)]).chinese


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """On SQLite: these histories are about the law, not the database."""
    return Settings(home=tmp_path / "home", suite="p256-sha256")


@pytest.fixture
def story(settings: Settings) -> Iterator[Story]:
    """A new office for each history, since its clock goes on for years."""
    clock = Clock()
    with open_office(replace(settings), clock=clock) as office:
        yield Story(Desk(office, clock))


@pytest.mark.parametrize("history", HISTORIES, ids=[history["name"] for history in HISTORIES])
def test_the_history_ends_as_the_law_says(story: Story, history: dict[str, Any]) -> None:
    """Every expectation holds, and every promise of an issuance besides."""
    for step in history["steps"]:
        carry_out(story, step)
    story.desk.office.tick()
    failed = [line for line in history["expect"] if not holds(story, line)]
    assert not failed, (failed, story.view()["editions"], story.view()["sheets"])
    assert breaches(story.desk.office, at=story.desk.clock.at) == []


def test_there_are_histories_enough() -> None:
    """At least sixty, each with a name and a law of its own words."""
    assert len(HISTORIES) >= 60
    assert len({history["name"] for history in HISTORIES}) == len(HISTORIES)
    assert all(history["law"] for history in HISTORIES)
