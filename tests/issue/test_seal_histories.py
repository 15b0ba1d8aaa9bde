"""Histories of seals, read from `seal_histories.toml` and carried out in a real office, one each."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certlib.domain.seal_life import SEAL_STATE_WORDS, SealState
from certlib.domain.verdict import REVOKED_WORDS, WORDS, Verdict
from certlib.errors import CertlibError, TimestampUnavailableError
from certlib.formats.leaf import Leaf
from certlib.formats.seal_list import read_seal_list
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.issue.conftest import Clock, Desk, certificate_of
from tests.issue.invariants import breaches

HISTORIES = tomllib.loads(Path(__file__).with_name("seal_histories.toml").read_text("utf-8"))["history"]
FIRST, SECOND, THIRD, NEW = "36070000000002", "36070000000022", "36070000000023", "36070000000042"
NAMES = {"印章": FIRST, "2号章": SECOND, "3号章": THIRD, "新章": NEW}
COMMON = {"person": "王素珍", "second_person": "李文静", "document_number": "赣市行审印〔2026〕1号"}
DEAD = "http://127.0.0.1:9/"  # nobody listens there


@dataclass
class Story:
    """One history under way: the office, the same office while no timestamp is to be had, the files sealed so far."""

    desk: Desk
    waiting: Office
    renewed: str
    files: list[tuple[str, bytes]] = field(default_factory=list)  # kind of carrier and identifier, bytes
    planned: list[dict[str, Any]] = field(default_factory=list)
    authorisation: str = ""
    made: int = 0

    @property
    def office(self) -> Office:
        return self.desk.office

    # --- sealing -----------------------------------------------------------------------------------------------------

    def issue(self, item: str, *words: str) -> None:
        second = {"second_person": "李复核"} if "双人" in words else {}
        body = self.desk.issue(item, **second)
        self.files.append((str(body["identifier"]), self.office.file(body["identifier"])))

    def document(self, kind: str) -> None:
        request = self.desk.request("2-25", kind=kind)
        body = self.office.issue_document(request, client="platform", key=f"d{self.desk.made}").body
        self.files.append((str(body["number"]), self.office.document_file(str(body["number"]))))

    def plan(self, item: str) -> None:
        request = self.desk.request(item)
        with pytest.raises(TimestampUnavailableError):
            self.waiting.issue(request, client="platform", key=f"p{self.desk.made}")
        self.planned.append({"request": request, "key": f"p{self.desk.made}"})

    def seal(self) -> None:
        for planned in self.planned:
            body = self.office.issue(planned["request"], client="platform", key=planned["key"]).body
            self.files.append((str(body["identifier"]), self.office.file(str(body["identifier"]))))
        self.planned.clear()

    def print(self) -> None:
        identifier = self.files[-1][0]
        kind = self.office.certificate(identifier)["type"]
        if not self.office.stock()["types"]:
            self.office.receive_blanks(kind, "KB000001", "KB000020", person="王素珍", witness="李文静")
        self.office.print_sheets(identifier, client="platform", purpose="窗口打印")

    # --- seals -------------------------------------------------------------------------------------------------------

    def act(self, act: str, which: str = "印章", **parts: Any) -> None:
        self.office.seals.act(NAMES[which], {"act": act, **COMMON, **parts}, client="platform")

    def apply(self, seal: str) -> None:
        copy, keeper = (3, "三号窗口") if seal == "3号章" else (1, "新任管理员")
        spec = {"id": NAMES[seal], "authority": "ganzhou-approval", "kind": "approval", "copy": copy, "keeper": keeper}
        self.act("apply", seal, seal=spec)

    def revoke(self, cause: str, hours: str = "") -> None:
        if cause == "遗失":
            self.act("revoke", cause="medium-lost")
            return
        since = self.desk.clock.at - timedelta(hours=int(hours.removesuffix("小时前")))
        self.act("revoke", cause="key-compromise", compromised_since=since.isoformat())

    def renew_picture(self) -> None:
        seal = {"arc_text": "赣州市行政审批局（新）"}
        self.act("renew", cause="picture-change", maker="赣州市印章制作中心", seal=seal)

    # --- authorisations ----------------------------------------------------------------------------------------------

    def authorise(self, what: str, *words: str) -> None:
        self.made += 1
        days = next((int(word.removesuffix("天")) for word in words if word.endswith("天")), 365)
        limits = [int(word[1:-1]) for word in words if word.startswith("限")]
        persons = [word[1:] for word in words if word.startswith("仅")]
        scope: dict[str, Any] = {"items": [what]} if what[:1].isdigit() else {"types": [what]}
        raw = {
            "id": f"ZS-{self.made}",
            "seal": NAMES.get(what, FIRST),
            "authority": "ganzhou-approval",
            "since": (self.desk.clock.at - timedelta(minutes=1)).isoformat(),
            "until": (self.desk.clock.at + timedelta(days=days)).isoformat(),
            "basis": "赣市行审〔2026〕8号",
            **({} if what in NAMES else scope),
            **({"limit": limits[0]} if limits else {}),
            **({"approvers": 2} if "双人" in words else {}),
            **({"persons": persons} if persons else {}),
            **COMMON,
        }
        self.office.seals.authorise(raw, client="platform")
        self.authorisation = f"ZS-{self.made}"

    def end(self, authorisation: str = "") -> None:
        record = {"person": "王素珍", "document_number": "赣市行审〔2026〕9号", "reason": "不再需要"}
        self.office.seals.end(authorisation or self.authorisation, record, client="platform")

    def wait(self, span: str) -> None:
        for word, unit in (("天", "days"), ("小时", "hours"), ("分钟", "minutes")):
            if span.endswith(word):
                self.desk.clock.advance(**{unit: int(span.removesuffix(word))})

    # --- what came of it ---------------------------------------------------------------------------------------------

    def lines(self, seal: str = "印章", state: str = "") -> list[dict[str, Any]]:
        return list(self.office.seals.uses(NAMES[seal], limit=100, state=state)["uses"])

    def verdict(self, number: int, *, offline: bool) -> str:
        seals = read_seal_list(self.office.seal_list, self.office.list_keys)
        trust = replace(TrustRoots.load(), seals=seals)
        lookup = None if offline else self.office.lookup
        report = examine(self.files[number - 1][1], trust=trust, at=self.desk.clock(), lookup=lookup)
        words = REVOKED_WORDS.get(report.cause) if report.verdict is Verdict.REVOKED else None
        return (words or WORDS[report.verdict]).chinese

    def used_for(self, number: int) -> dict[str, Any]:
        seals = [view["id"] for view in self.office.seals.seals()]
        sealed = self.files[number - 1][1]
        digest = hashlib.sha256(sealed).hexdigest()
        found = [line for seal in seals for line in self.office.seals.uses(seal, limit=100)["uses"]]
        return next(line for line in found if line["output_sha256"] == digest)

    def journal(self, seal: str) -> list[str]:
        self.office.tick()
        with self.office.register.reader() as session:
            size = self.office.journal.head(session).size
            leaves = [Leaf.decode(body) for body in self.office.journal.leaves(session, 0, size)]
        life = {"applied", "made", "filed", "enabled", "suspended", "resumed", "renewed", "revoked", "cancelled"}
        events = [leaf.kind.removeprefix("seal:") for leaf in leaves if leaf.seal == NAMES[seal]]
        return [event for event in events if event in life]


VERBS: dict[str, Callable[..., None]] = {
    "签发": Story.issue,
    "制发": Story.document,
    "计划": Story.plan,
    "用印": Story.seal,
    "套印": Story.print,
    "停用": lambda story, *seal: story.act("suspend", *seal, cause="inspection"),
    "恢复": lambda story: story.act("resume"),
    "更新证书": lambda story: story.act(
        "renew", cause="certificate-expiry", maker="赣州市印章制作中心", certificates=[story.renewed]
    ),
    "更新印模": Story.renew_picture,
    "撤销": Story.revoke,
    "补登泄露": lambda story, hours: story.revoke("泄露", hours),
    "注销": lambda story, seal="印章": story.act(
        "cancel", seal, cause="abolition" if seal == "印章" else "application-withdrawn"
    ),
    "申请": Story.apply,
    "申请新章": lambda story: story.apply("新章"),
    "制作": lambda story, seal: story.act("make", seal, maker="赣州市印章制作中心"),
    "备案": lambda story, seal: story.act("file", seal, filing_number="赣公特备〔2026〕3号"),
    "启用": lambda story, seal: story.act("enable", seal),
    "授权": Story.authorise,
    "终止授权": Story.end,
    "终止长期授权": lambda story: story.end(f"{FIRST}-standing"),
    "过": Story.wait,
}


def carry_out(story: Story, step: str) -> None:
    """One line of `steps`; after 不得 it must be refused, and seal, authorisations and files stay as they were."""
    words = step.split()
    if words[0] != "不得":
        VERBS[words[0]](story, *words[1:])
        return
    before = (story.office.seals.seals(), [one["sha256"] for one in story.office.seals.authorisations()])
    with pytest.raises(CertlibError):
        VERBS[words[1]](story, *words[2:])
    assert before == (story.office.seals.seals(), [one["sha256"] for one in story.office.seals.authorisations()])


def holds(story: Story, line: str) -> bool:
    """Whether one line of `expect` is so."""
    head, _, rest = line.partition(" ")
    if head in NAMES:
        state = story.office.seals.seal(NAMES[head])["state"]
        return SEAL_STATE_WORDS[SealState(state)] == rest
    for name in ("3号章", "2号章", ""):
        seal = name or "印章"
        counts = {"已用": "used", "释放": "released", "拒绝": "denied"}
        if head.removeprefix(name) in counts and head.startswith(name):
            return len(story.lines(seal, counts[head.removeprefix(name)])) == int(rest)
        if head == f"{name}日志":
            return story.journal(seal) == rest.split()
    if head == "拒绝理由":
        return rest in story.lines(state="denied")[-1]["why"]
    if head == "版次":
        return bool(story.office.seals.seal(FIRST)["edition"] == int(rest))
    number = int(head.removeprefix("离线").removeprefix("第").removesuffix("件"))
    if rest in {"新章", "3号章"}:
        return bool(story.used_for(number)["seal"] == NAMES[rest])
    if rest.endswith("版印章"):
        return bool(story.used_for(number)["seal_edition"] == int(rest[1:-3]))
    return story.verdict(number, offline=head.startswith("离线")) == rest


@pytest.fixture
def story(tmp_path: Path, more_keys: Path) -> Iterator[Story]:
    """A new office for each history, and the same one without timestamps."""
    renewed = certificate_of(more_keys, "seal-ganzhou-approval-approval-1-renewed")
    settings = Settings(home=tmp_path / "home", suite="p256-sha256", keys=str(more_keys))
    clock = Clock()
    without = replace(settings, timestamps=(DEAD,))
    with open_office(settings, clock=clock) as office, open_office(without, clock=clock) as waiting:
        yield Story(Desk(office, clock), waiting, renewed)


@pytest.mark.parametrize("history", HISTORIES, ids=[history["name"] for history in HISTORIES])
def test_the_history_ends_as_expected(story: Story, history: dict[str, Any]) -> None:
    """Every expectation holds, and every promise of the ledger besides."""
    for step in history["steps"]:
        carry_out(story, step)
    failed = [line for line in history["expect"] if not holds(story, line)]
    assert not failed, (failed, story.lines())
    assert breaches(story.office, at=story.desk.clock.at) == []


def test_there_are_histories_enough() -> None:
    """At least thirty, each with a name and a rule of its own words."""
    assert len(HISTORIES) >= 30
    assert len({history["name"] for history in HISTORIES}) == len(HISTORIES)
    assert all(history["law"] for history in HISTORIES)
