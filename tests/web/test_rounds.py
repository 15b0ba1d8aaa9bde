"""Alarms: whatever finds something, the log, the metric and the auditor's page tell of it, until it is mended."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from certlib.domain.verdict import Finding
from service.background import WORK, Worker
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


def value(rounds: Rounds, name: str, check: str) -> float | None:
    """A figure of the metric as Prometheus would read it."""
    metrics = Metrics()
    metrics.findings(rounds.last())
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
    rounds = Rounds(log=Log())
    gone = Finding("webhooks", "fail", "market 不再接收")
    rounds.tell([gone, Finding("sheets", "warn", "x")], AT)
    rounds.add(Finding("webhooks", "fail", "education 的事件已搁置"), AT)
    assert gone in rounds.findings()
    assert value(rounds, "certlib_check_alarms", "webhooks") == 2
    assert value(rounds, "certlib_check_warnings", "sheets") == 1
    assert value(rounds, "certlib_check_seconds", "sheets") == AT.timestamp()
    rounds.tell([Finding("webhooks", "pass", "")], AT)
    assert value(rounds, "certlib_check_alarms", "webhooks") == 0
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


def test_what_a_worker_of_another_process_finds_stands_in_metric_health_and_page(web_alone: Any) -> None:
    """A round, an event laid aside and a round that fails: told by the process that serves, and cleared there too."""
    code = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from certlib.domain.verdict import Finding
from service.rounds import Rounds

rounds, at = Rounds(Path(sys.argv[1])), datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
if sys.argv[2] == "bad":
    rounds.tell([Finding("files", "fail", "文件不在"), Finding("expiry", "warn", "将到期")], at)
    rounds.add(Finding("webhooks", "fail", "market 的事件已搁置"), at)
else:
    rounds.tell([Finding(check, "pass") for check in ("files", "expiry", "webhooks")], at)
"""
    auditor, home = Auditor(web_alone), str(web_alone.office.settings.home)
    for state, alarms in (("bad", 1), ("good", 0)):
        subprocess.run([sys.executable, "-c", code, home, state], check=True, timeout=60)
        text = web_alone.http.get("/metrics").text
        for check in ("files", "webhooks"):
            assert f'certlib_check_alarms{{check="{check}"}} {alarms}.0' in text
        assert f'certlib_check_warnings{{check="expiry"}} {alarms}.0' in text
        assert web_alone.http.get("/healthz").json()["alarms"] == 2 * alarms
        page = web_alone.http.get("/v1/audit/findings", headers=auditor.headers()).json()
        told = {one["detail"] for check in page["checks"] for one in check["findings"] if one["outcome"] != "pass"}
        assert told == ({"文件不在", "将到期", "market 的事件已搁置"} if alarms else set())
        (sign,) = [
            one
            for one in web_alone.http.get("/v1/audit/anomalies", headers=auditor.headers()).json()["signs"]
            if one["kind"] == "checker"
        ]
        assert sign["count"] == 3 * alarms


def test_what_one_worker_cannot_do_stands_until_that_worker_can(tmp_path: Path) -> None:
    """Of two workers one does not reach the city: one alarm in the log, not one for each look of the other."""
    log = Log()
    stuck, sound, page = (Rounds(tmp_path, log) for _ in range(3))
    away, well = Finding("city", "fail", "现在不能推送"), Finding("city", "pass")
    stuck.keep([away], AT)  # as an older version left it, or a worker long gone
    for second in range(0, 60, 3):
        at = AT + timedelta(seconds=second)
        stuck.watch_own([away], at)
        sound.watch_own([well], at)
        assert page.findings() == (away,)
        assert value(page, "certlib_check_alarms", "city") == 1
    assert log.said == []
    stuck.watch_own([well], at)
    assert page.findings() == (well,)
    sound.watch_own([away], at)
    stuck.watch_own([away], at)
    assert page.findings() == (away,)  # one cause, seen by both
    assert log.said == [("alarm", "现在不能推送")]


@pytest.mark.parametrize("killed", [True, False])
def test_a_worker_that_is_gone_alarms_no_more(tmp_path: Path, *, killed: bool) -> None:
    """When it stops it takes back what held for it alone; killed, the others drop it when they hear nothing more."""
    gone, other = (Rounds(tmp_path, Log()) for _ in range(2))
    gone.watch_own([Finding("worker", "fail", "后台自查未成")], AT)
    if not killed:
        gone.leave()
        assert other.findings() == ()
    for minute in (0, 1, 2, 3):
        other.watch_own([Finding("city", "pass")], AT + timedelta(minutes=minute))
    assert other.findings() == (Finding("city", "pass"),)


def test_work_that_fails_once_an_hour_stands_all_the_while(web_alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker says every moment what fails, though it tries it again much later."""
    monkeypatch.setattr("service.background._WITNESS_PAUSE", 0.01)
    now, rounds, asked = [AT], Rounds(log=Log()), threading.Semaphore(0)
    monkeypatch.setattr(Worker, "_ask_witnesses", lambda _: asked.release())
    worker = Worker(web_alone.office, tick_seconds=60, clock=lambda: now[0], log=structlog.get_logger(), rounds=rounds)
    worker._failed("checking", ValueError("x"))
    thread = threading.Thread(target=worker._watch_witnesses, daemon=True)
    thread.start()
    for _ in range(10):
        now[0] += timedelta(minutes=1)
        assert asked.acquire(timeout=20)
        assert asked.acquire(timeout=20)  # a whole look at the new moment lies between the two
        rounds.watch_own([Finding("city", "pass")], now[0])
        assert any(one.check == "worker" for one in rounds.findings())
    worker._stop.set()
    thread.join(20)


def test_findings_outlive_the_process_and_a_spoilt_file_is_written_anew(tmp_path: Path) -> None:
    """After a start the last findings still stand; bytes that are none of ours are passed over, not believed."""
    lost = Finding("files", "fail", "文件不在")
    Rounds(tmp_path, Log()).tell([lost], AT)
    assert Rounds(tmp_path, Log()).findings() == (lost,)
    file = tmp_path / "check-findings.json"
    for spoilt in (b"", b"[]", b'{"files": 1}', b'{"files": {"at": "2026-11-24", "findings": []}}', b"[" * 99999):
        file.write_bytes(spoilt)
        assert Rounds(tmp_path, Log()).findings() == ()
    file.write_text('{"files": {"at": "2026-11-24T02:00:00+00:00", "findings": [["good", ""]]}}', encoding="utf-8")
    rounds = Rounds(tmp_path, Log())
    assert rounds.findings() == ()
    rounds.tell([lost], AT)
    assert Rounds(tmp_path, Log()).findings() == (lost,)


def test_an_alarm_that_the_disk_does_not_take_is_told_all_the_same(tmp_path: Path) -> None:
    """By the process that has it; what the others keep is written once the disk takes it again."""
    home = tmp_path / "home"
    rounds = Rounds(home, log := Log())
    rounds.tell([Finding("state", "fail", "存储空间已满")], AT)
    assert [one.detail for one in rounds.findings()] == ["存储空间已满"]
    assert log.said == [("alarm", "存储空间已满")]
    home.mkdir()
    rounds.tell([Finding("files", "pass")], AT)
    assert {one.check for one in Rounds(home, Log()).findings()} == {"state", "files"}


def test_processes_that_tell_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each keeps its own checks; none writes over what another wrote meanwhile."""
    told = [f"check-{number}" for number in range(12)]

    def tell(check: str) -> None:
        rounds = Rounds(tmp_path, Log())
        for _ in range(20):
            rounds.add(Finding(check, "fail", "x"), AT)

    threads = [threading.Thread(target=tell, args=[check]) for check in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(one.check for one in Rounds(tmp_path, Log()).findings()) == dict.fromkeys(told, 20)


def test_a_round_of_the_worker_that_fails_is_an_alarm_until_it_succeeds(web_alone: Any) -> None:
    """In the log each time, on the page by its kind and without its words; then it clears."""
    rounds = Rounds(log=Log())
    office, clock = web_alone.office, web_alone.service.clock
    worker = Worker(office, tick_seconds=60, clock=clock, log=structlog.get_logger(), rounds=rounds)

    def fail() -> None:
        raise ValueError("张三")

    for name in WORK:
        worker._guarded(name, fail)
    assert {one.outcome for one in rounds.findings()} == {"fail"}
    assert len(rounds.findings()) == len(WORK)
    assert not [one for one in rounds.findings() if "ValueError" not in one.detail or "张三" in one.detail]
    for name in WORK:
        worker._guarded(name, lambda: None)
    assert rounds.findings() == (Finding("worker", "pass"),)
