"""Certificates, sheets and stock driven together at random against a small model, on both databases.

The model knows the states, which actions they allow, and what each does to editions and sheets; the office must grant
and refuse what the model says. What a certificate's rows promise is held to after each step, and what the whole
register promises after each block of sequences.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from certlib.errors import CertlibError
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.issue.views import key_of
from tests.databases import new_database
from tests.issue.conftest import Clock, Desk
from tests.issue.invariants import breaches, breaches_of

KIND = "medical-device-licence"
SEQUENCES = int(os.environ.get("SEQUENCES", "12"))
STEPS = 12
ALLOWED = {
    "change": {"in-force"},
    "correct": {"in-force"},
    "reissue": {"in-force"},
    "suspend": {"in-force"},
    "resume": {"suspended"},
    "cancel": {"in-force", "suspended", "revoked", "withdrawn", "rescinded"},
    "revoke": {"in-force", "suspended"},
    "withdraw": {"in-force", "suspended"},
    "rescind": {"in-force", "suspended"},
    "void": {"in-force", "suspended"},
}
LEADS_TO = {
    "suspend": "suspended",
    "cancel": "cancelled",
    "revoke": "revoked",
    "withdraw": "withdrawn",
    "rescind": "rescinded",
    "void": "voided",
}
NEW_EDITION = {"change", "correct", "reissue"}
ITEMS = {"change": "2-27", "reissue": "2-29"}
COLLECTED = {"collector": "陈志远", "relation": "holder", "document": "营业执照", "receipt": "送达2026-1"}
SPOILED = {"reason": "卡纸", "person": "王素珍", "witness": "李文静"}


@dataclass
class ModelSheet:
    """A sheet as the model has it."""

    edition: int
    state: str = "to-print"


@dataclass
class Model:
    """A certificate as the model has it."""

    identifier: str
    state: str = "in-force"
    version: int = 1
    editions: int = 1
    sheets: list[ModelSheet] = field(default_factory=lambda: [ModelSheet(1)])

    def grants(self, action: str) -> bool:
        return self.state in ALLOWED[action]

    def apply(self, action: str, *, lost: bool) -> None:
        self.version += 1
        self.state = LEADS_TO.get(action, "in-force")
        if action in NEW_EDITION:
            self.editions += 1
            for sheet in self.sheets:
                if sheet.state == "to-print":
                    sheet.state = "void"
                elif lost and sheet.state in {"printed", "collected"}:
                    sheet.state = "lost"
            self.sheets.append(ModelSheet(self.editions))
        elif action in {"cancel", "revoke", "withdraw", "rescind", "void"}:
            for sheet in self.sheets:
                if sheet.state == "to-print":
                    sheet.state = "void"


class Machine(RuleBasedStateMachine):
    """One office for all sequences; each sequence has certificates of its own."""

    office: Office
    clock: Clock
    counter = 0

    @initialize()
    def begin(self) -> None:
        """A fresh pair of certificates."""
        self.desk = Desk(self.office, self.clock)
        Machine.counter += 1
        self.desk.made = Machine.counter * 1000
        self.models = [Model(str(self.desk.issue("2-25")["identifier"])) for _ in range(2)]

    @rule(which=st.integers(0, 1), action=st.sampled_from(sorted(ALLOWED)), lost=st.booleans())
    def act(self, which: int, action: str, lost: bool) -> None:
        """Any action at any time: granted exactly when the model grants it."""
        model = self.models[which]
        expected = model.grants(action)
        try:
            self._do(model, action, lost)
        except CertlibError:
            assert not expected, f"{action} was refused in state {model.state}"
            return
        assert expected, f"{action} was granted in state {model.state}"
        model.apply(action, lost=lost and action == "reissue")

    def _do(self, model: Model, action: str, lost: bool) -> None:
        own: dict[str, Any] = {"decision": self.desk.ex_officio()}
        paired = {**own, "second_person": "李复核", "evidence": ["说明"]}
        facts = {
            "facts": {"legal_representative": f"黄建{'国民军华'[self.desk.made % 4]}{'一二三四五'[self.desk.made % 5]}"}
        }
        if action in ITEMS:
            parts = facts if action == "change" else {"cause": "lost" if lost else "damaged"}
            self.desk.act(ITEMS[action], model.identifier, action, **parts)
            return
        raw = {
            "correct": {**paired, **facts},
            "void": paired,
            "suspend": {"decision": self.desk.order()},
            "resume": {"decision": self.desk.order()},
            "rescind": {"decision": self.desk.order()},
        }.get(action, own)
        self.desk.do(model.identifier, action, raw)

    @rule(which=st.integers(0, 1))
    def print_sheets(self, which: int) -> None:
        """Only sheets of the newest edition that wait, and only while the certificate is in force."""
        model = self.models[which]
        waiting = [sheet for sheet in model.sheets if sheet.state == "to-print"]
        try:
            self.office.print_sheets(model.identifier, client="p", purpose="出证")
        except CertlibError:
            assert not waiting or model.state != "in-force"
            return
        assert waiting
        assert model.state == "in-force"
        for sheet in waiting:
            sheet.state = "printed"

    @rule(which=st.integers(0, 1), place=st.integers(0, 9), act=st.sampled_from(["collect", "spoil", "surrender"]))
    def handle(self, which: int, place: int, act: str) -> None:
        """A sheet is collected, spoiled or handed in when its state allows."""
        model = self.models[which]
        place %= len(model.sheets)
        sheet = model.sheets[place]
        sources = {"collect": {"printed"}, "spoil": {"printed"}, "surrender": {"printed", "collected", "lost", "void"}}
        record = {"collect": COLLECTED, "spoil": SPOILED, "surrender": SPOILED}[act]
        identity = int(self.office.certificate(model.identifier)["sheets"][place]["id"])
        try:
            self.office.act_on_sheet(identity, act, record)
        except CertlibError:
            assert sheet.state not in sources[act]
            return
        assert sheet.state in sources[act]
        sheet.state = {"collect": "collected", "spoil": "spoiled", "surrender": "surrendered"}[act]
        if act == "spoil" and sheet.edition == model.editions:
            model.sheets.append(ModelSheet(sheet.edition))

    @precondition(lambda self: self.models)
    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        """Time passes; what must happen by itself happens."""
        self.clock.at += timedelta(hours=hours)
        self.office.tick()

    @invariant()
    def office_and_model_agree(self) -> None:
        """State, version, editions and every sheet."""
        for model in getattr(self, "models", []):
            view = self.office.certificate(model.identifier)
            assert (view["state"], view["version"], len(view["editions"])) == (
                model.state,
                model.version,
                model.editions,
            )
            assert [sheet["state"] for sheet in view["sheets"]] == [sheet.state for sheet in model.sheets]
            assert breaches_of(self.office, key_of(model.identifier), at=self.clock.at) == []

    def teardown(self) -> None:
        """The stock balances to zero."""
        assert [finding["outcome"] for finding in self.office.stock()["findings"]] == ["pass"]


def drive(settings_: Settings, clock: Clock, sequences: int, *, seed: int | None = None) -> int:
    """Hold an office to the model for that many sequences; returns how many were begun, shrinking none."""
    before = Machine.counter
    with open_office(settings_, clock=clock) as office:
        office.renderer.encoder = "zxing"  # as a batch has it
        blanks = sequences * (STEPS + 2)  # a step prints one at most
        office.receive_blanks(KIND, "KB000001", f"KB{blanks:06}", person="王素珍", witness="李文静")
        machine = type("Bound", (Machine,), {"office": office, "clock": clock})
        run_state_machine_as_test(
            machine if seed is None else seeded(seed)(machine),
            settings=settings(
                max_examples=sequences,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            ),
        )
        assert breaches(office, at=clock.at) == []
    return Machine.counter - before


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_office_and_model_never_part(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> None:
    """The long run is `python -m benchmarks.endurance sequences`; its record is in docs/endurance.md."""
    url = "sqlite:///register.db"
    if database == "postgresql":
        url = new_database(request.getfixturevalue("postgresql"))
    drive(Settings(home=tmp_path / "home", suite="p256-sha256", database=url), Clock(), SEQUENCES)
