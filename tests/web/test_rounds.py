"""Alarms: whatever finds something, the log, the metric and the auditor's page tell of it, until it is mended."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from certlib.domain.verdict import Finding
from service.background import Worker
from service.metrics import Metrics
from service.rounds import Rounds
from tests.web.test_audit import Auditor

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


class Log:
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def error(self, event: str, **values: Any) -> None:
        self.said.append((event, values["detail"]))

    warning = error


def value(metrics: Metrics, name: str, check: str) -> float | None:
    """A figure of the metric as Prometheus would read it."""
    return metrics.registry.get_sample_value(name, {"check": check})


def test_a_round_by_hand_is_told_as_one_of_the_schedule(web_alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log, metric, page and health; and all of them are clear again after a sound round."""
    lost = [Finding("files", "fail", "文件不在")]
    log = Log()
    monkeypatch.setattr(web_alone.service.rounds, "_log", log)
    monkeypatch.setattr("certlib.issue.checking.CHECKS", {"files": lambda _: list(lost)})
    auditor = Auditor(web_alone)
    for alarms in (1, 0):
        done = web_alone.http.post("/v1/audit/checks", headers=auditor.headers())
        assert done.status_code == 200, done.text
        assert f'certlib_check_alarms{{check="files"}} {alarms}.0' in web_alone.http.get("/metrics").text
        assert web_alone.http.get("/healthz").json()["alarms"] == alarms
        lost.clear()
    assert log.said == [("alarm", "文件不在")]


def test_one_round_at_a_time(web_alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the worker's round is under way an auditor is told to come back; then the round is made."""
    inside, leave = threading.Event(), threading.Event()

    def slow(_: object) -> list[Finding]:
        inside.set()
        leave.wait(20)
        return []

    monkeypatch.setattr("certlib.issue.checking.CHECKS", {"slow": slow})
    service, auditor = web_alone.service, Auditor(web_alone)
    worker = threading.Thread(target=service.rounds.check, args=[service.office, service.clock])
    worker.start()
    assert inside.wait(20)
    refused = web_alone.http.post("/v1/audit/checks", headers=auditor.headers())
    leave.set()
    worker.join()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert web_alone.http.post("/v1/audit/checks", headers=auditor.headers()).status_code == 200


def test_what_comes_up_between_rounds_stands_beside_what_the_round_found() -> None:
    """An event laid aside does not clear the target that is gone; the next round says what is left."""
    metrics = Metrics()
    rounds = Rounds(metrics.findings, Log())
    gone = Finding("webhooks", "fail", "market 不再接收")
    rounds.tell([gone, Finding("sheets", "warn", "x")], AT)
    rounds.add(Finding("webhooks", "fail", "education 的事件已搁置"), AT)
    assert gone in rounds.findings()
    assert value(metrics, "certlib_check_alarms", "webhooks") == 2
    assert value(metrics, "certlib_check_warnings", "sheets") == 1
    assert value(metrics, "certlib_check_seconds", "sheets") == AT.timestamp()
    rounds.tell([Finding("webhooks", "pass", "")], AT)
    assert value(metrics, "certlib_check_alarms", "webhooks") == 0
    rounds.add(gone, AT)
    assert [one.outcome for one in rounds.findings() if one.check == "webhooks"] == ["fail"]


def test_a_witness_that_is_away_is_logged_once_and_clears_when_it_answers(
    web_alone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked every second, which the log need not tell; the alarm stands until it has followed."""
    away = [Finding("witness:archive", "unknown", "没有应答")]
    monkeypatch.setattr(type(web_alone.office), "ask_witnesses", lambda _: away)
    monkeypatch.setattr("service.background._WITNESS_PAUSE", 0.01)
    log = Log()
    rounds = Rounds(log=log)
    worker = Worker(web_alone.office, tick_seconds=60, clock=web_alone.service.clock, log=log, rounds=rounds)
    for found in (["archive：没有应答"], [""]):
        for _ in range(3):
            worker._ask_witnesses()
        assert [one.detail for one in rounds.findings()] == found
        away.clear()
    assert log.said == [("alarm", "archive：没有应答")]


def test_the_worker_makes_its_first_round_soon_after_the_start(web_alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is started anew before its interval is over is checked all the same."""
    made = threading.Event()
    monkeypatch.setattr("certlib.issue.checking.CHECKS", {"files": lambda _: made.set() or []})
    monkeypatch.setattr("service.background._FIRST_CHECK", 0.05)
    worker = Worker(web_alone.office, tick_seconds=60, clock=web_alone.service.clock, log=structlog.get_logger())
    worker.start()
    try:
        assert web_alone.office.settings.check_seconds > 60
        assert made.wait(20)
    finally:
        worker.stop()
    state = json.loads((web_alone.office.settings.home / "check-state.json").read_text(encoding="utf-8"))
    assert state.keys() >= {"files", "head", "full_at"}
