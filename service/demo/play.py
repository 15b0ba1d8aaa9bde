"""One performance of the story: issue, act, print, deliver, verify, tamper; what happened comes back as values."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from certlib.catalogue import Catalogue
from certlib.domain.civil import SHANGHAI
from certlib.domain.verdict import REVOKED_WORDS, WORDS, Verdict
from certlib.identifiers import CertificateIdentifier
from certlib.verify.audit import AuditReport
from service.demo.caller import ApprovalSystem
from service.demo.folder import Folder
from service.demo.repository import await_events
from service.demo.script import Row, Script, Story
from service.demo.tamper import tampered

_STEPS = {"acceptance": "受理", "review": "审核", "approval": "批准"}
_PATIENCE = 30.0  # seconds until the departments must have everything
Examine = Callable[[bytes, str], Verdict]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what an official reads: 事项 → 谁受理、审核、批准 → 用谁的章 → 结果."""

    item: str
    title: str
    holder: str
    chain: str
    seal: str
    result: str
    handling: str = ""


@dataclass(slots=True)
class Playbill:
    """What has happened so far. `expected` is the story's verdict on each file, `verdicts` the verifier's."""

    issued: list[Line] = field(default_factory=list)
    documents: list[Line] = field(default_factory=list)
    receipts: list[Line] = field(default_factory=list)
    acts: list[Line] = field(default_factory=list)
    identifiers: dict[str, str] = field(default_factory=dict)  # the story's name to the newest 证照标识
    files: dict[str, list[str]] = field(default_factory=dict)  # the story's name to the files of its editions
    expected: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    sheets: dict[str, str] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)  # base identifier to what the register has
    held: dict[str, int] = field(default_factory=dict)  # the same at the repository

    pushed: dict[str, int] = field(default_factory=dict)  # supervising department to events sent to it
    received: dict[str, int] = field(default_factory=dict)  # the same as it has verified and kept
    audit: AuditReport | None = None

    @property
    def delivered(self) -> int:
        """How many events the repository holds."""
        return sum(self.held.values())

    @property
    def sound(self) -> bool:
        """Whether every event arrived, every verdict is the story's and the audit holds."""
        audited = self.audit is not None and self.audit.holds
        arrived = self.held == self.events and self.received == self.pushed
        return audited and arrived and self.verdicts == self.expected


@dataclass(slots=True)
class Play:
    """The story being performed towards the service that `system` talks to."""

    story: Story
    script: Script
    system: ApprovalSystem
    catalogue: Catalogue
    folder: Folder
    examine: Examine
    city: str  # address of the city repository
    supervising: Mapping[str, Collection[str]]  # department to the ids of events that its system has verified
    told: Playbill = field(default_factory=Playbill)
    _serial: int = 0
    _issued: dict[str, tuple[Row, str]] = field(default_factory=dict)  # the story's name to request and number

    def take_blanks(self) -> None:
        """Blank sheets come into stock, fifty of each type."""
        types = {self._type(row) for row in self.story.certificates}
        for number, kind in enumerate(sorted(types), start=1):
            first = f"GZ{number:02}{1:06}"
            last = f"GZ{number:02}{50:06}"
            self.system.receive_blanks(kind, first, last, person="王素珍", witness="李文静")

    def issue(self) -> None:
        """Every certificate, its file kept and its sheets printed."""
        for row in self.story.certificates:
            request = self.script.certificate(row, self._next())
            answer = self.system.issue(request, key=request["case"]["number"])
            self.told.identifiers[row["name"]] = answer["identifier"]
            self._issued[row["name"]] = request, answer["number"]
            self._keep_edition(row["name"], answer)
            self.told.issued.append(self._line(request, f"{answer['number']}，{_sheets(answer)}"))

    def seal_documents(self) -> None:
        """Every decision and receipt."""
        for kind, rows, lines in (
            ("documents", self.story.documents, self.told.documents),
            ("receipts", self.story.receipts, self.told.receipts),
        ):
            for row in rows:
                request = self._of_certificate(row, self.script.document(row, self._next()))
                answer = self.system.issue_document(request, key=f"{request['case']['number']}-{row['type']}")
                name = self.folder.keep(kind, f"{answer['number']}.pdf", self.system.document_file(answer["id"]))
                self.told.expected[name] = Verdict.VALID.value
                title = self.catalogue.document_types[row["type"]].name
                lines.append(self._line(request, f"{title} {answer['number']}"))

    def act(self) -> None:
        """What happens to certificates afterwards, on file and paper in one step."""
        for row in self.story.acts:
            name, request = row["certificate"], self.script.act(row, self._next())
            if "order" in row:
                self.folder.keep("orders", request["decision"]["document_number"], self.script.order_text(row).encode())
            key = f"{self.script.now:%Y%m%d}-{self._serial:04}-{row['action']}"
            answer = self.system.act(self.told.identifiers[name], row["action"], request, key=key)
            if "n" in answer:
                self.told.identifiers[name] = answer["identifier"]
                self._keep_edition(name, answer)
            for file, verdict in zip(self.told.files[name], row["verdicts"], strict=True):
                self.told.expected[file] = verdict
            self.told.acts.append(self._act_line(row, request, answer))

    def deliver(self) -> None:
        """Wait until the repository has every event of every certificate."""
        for identifier in self.told.identifiers.values():
            view = self.system.certificate(identifier)
            self.told.events[CertificateIdentifier.parse(identifier).key] = view["version"]
            for sheet in view["sheets"]:
                self.told.sheets[f"{sheet['serial']} {view['number']}-{sheet['edition']:03}"] = sheet["verdict"]
        self.told.held = await_events(self.city, self.told.events)

    def inform(self) -> None:
        """Wait until every supervising department has the events of its items."""
        ends = time.monotonic() + _PATIENCE
        while any(hook["waiting"] for hook in self.system.webhooks()) and time.monotonic() < ends:
            time.sleep(0.2)
        for hook in self.system.webhooks():
            if sent := hook["delivered"] + hook["waiting"] + hook["dead"]:
                name = self.catalogue.authorities[hook["name"]].name
                self.told.pushed[name], self.told.received[name] = sent, len(self.supervising[hook["name"]])

    def verify(self) -> None:
        """Every sealed file, by the verifier an auditor uses; then one with a changed byte."""
        for name in self.told.expected:
            self.told.verdicts[name] = self.examine(self.folder.read(name), name).value
        victim = self.told.files[self.story.certificates[0]["name"]][-1]
        name = self.folder.keep("", "tampered.pdf", tampered(self.folder.read(victim)))
        self.told.expected[name] = Verdict.ALTERED.value
        self.told.verdicts[name] = self.examine(self.folder.read(name), name).value

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _of_certificate(self, row: Row, request: dict[str, Any]) -> dict[str, Any]:
        """The request for a decision on which a certificate rests names it, its case and its steps."""
        if row.get("certificate") not in self._issued:
            return request
        about, number = self._issued[row["certificate"]]
        named = {
            "case": about["case"]["number"],
            "accepted_on": about["decision"]["acceptance"]["at"][:10],
            "certificate_name": self.catalogue.certificate_types[self._type(row)].name,
            "certificate_number": number,
        }
        return {**request, **{key: about[key] for key in ("case", "decision")}, "facts": {**request["facts"], **named}}

    def _type(self, row: Row) -> str:
        return self.catalogue.items[row["item"]].outcome.type

    def _keep_edition(self, name: str, answer: Mapping[str, Any]) -> None:
        pdf = self.system.edition(answer["identifier"], answer["edition"])
        kept = self.folder.keep("certificates", f"{answer['number']}-{answer['edition']:03}.pdf", pdf)
        self.told.files.setdefault(name, []).append(kept)
        self.told.expected[kept] = Verdict.VALID.value
        if answer.get("sheets"):
            for sheet, printed in self.system.print_sheets(answer["identifier"], purpose="窗口出证"):
                self.folder.keep("sheets", f"{sheet['serial']}-{answer['number']}-{sheet['label']}.pdf", printed)

    def _line(self, request: Row, result: str) -> Line:
        item = self.catalogue.items[request["item"]]
        mandate = self.catalogue.mandate_on(item.key, self.script.now.astimezone(SHANGHAI).date())
        seal = self._seal(mandate.seals) if mandate else ""
        chain = self._chain(request["decision"])
        return Line(item.key, item.title, request["holder"]["name"], chain, seal, result, item.handling.value)

    def _act_line(self, row: Row, request: Row, answer: Mapping[str, Any]) -> Line:
        view = self.system.certificate(answer["identifier"])
        seal = self._seal(view["authority"]) if "n" in answer else "不换发，状态即时登记"
        result = f"{_label(view, row['action'])}：{_editions(view)}"
        chain = self._chain(request["decision"])
        return Line(row.get("item", ""), view["number"], view["holder"]["name"], chain, seal, result)

    def _seal(self, authority: str) -> str:
        seals = (seal for seal in self.catalogue.seals.values() if seal.authority == authority)
        return min(seals, key=lambda seal: seal.id).name

    def _chain(self, decision: Row) -> str:
        if decision["kind"] == "application":
            return "\n".join(f"{label} {self._step(decision[step])}" for step, label in _STEPS.items())
        if decision["kind"] == "ex-officio":
            return f"依职权 {self.catalogue.authorities[decision['authority']].short}\n{decision['basis']}"
        return f"他机关文书 {decision['authority']}\n{decision['document_number']}"

    def _step(self, step: Row) -> str:
        return f"{self.catalogue.authorities[step['authority']].short} {step['person']}"


def _sheets(answer: Mapping[str, Any]) -> str:
    labels = [sheet["label"] for sheet in answer.get("sheets", ())]
    return f"电子证照 + {'、'.join(labels)}" if labels else "电子证照"


def _editions(view: Mapping[str, Any]) -> str:
    return "；".join(f"第 {edition['index']} 版{_words(edition, view['cause'])}" for edition in view["editions"])


def _label(view: Mapping[str, Any], action: str) -> str:
    permits = [*view["permitted"], *view["refused"]]
    return next((permit["label"] for permit in permits if permit["action"] == action), action)


def _words(edition: Mapping[str, Any], cause: str) -> str:
    verdict = Verdict(edition["verdict"])
    words = REVOKED_WORDS.get(cause, WORDS[verdict]) if verdict is Verdict.REVOKED else WORDS[verdict]
    return words.chinese
