"""The rim: headers, ids, logs, metrics, places, readiness, and what happens to what nobody foresaw."""

import json
import threading
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient

from certlib.crypto.libcrypto import unavailable
from certlib.crypto.suites import SUITES
from certlib.domain.verdict import Finding
from certlib.errors import (
    CertlibError,
    ConfigurationError,
    IntentOpenError,
    KeyUnavailableError,
    SealDeniedError,
    StorageError,
    TimestampUnavailableError,
)
from service.app import create_app
from service.commands import open_service
from service.gate import Gate
from service.headers import NOTHING
from service.problems import PROBLEMS, bare_500, kind_of, problem
from service.refusals import BusyError
from service.settings import load_service_settings

BASE = "http://testserver"


def test_every_answer_carries_the_headers(web: Any) -> None:
    """Good and bad answers alike: id, nosniff, no framing, no referrer, a policy, no cookie."""
    for address in ("/healthz", "/v1/items", "/nothing", "/v", "/docs", "/problems", "/openapi.json"):
        headers = web.http.get(address).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-request-id"]
        assert "set-cookie" not in headers
        assert "server" not in headers
    assert web.http.get("/v1/items").headers["content-security-policy"] == NOTHING


def test_a_request_s_id_is_kept_when_it_is_one(web: Any) -> None:
    """An id of the caller comes back; anything else is replaced, not repeated."""
    good, bad = "0123-abcd-4567", "x\ty<script>"
    assert web.http.get("/healthz", headers={"X-Request-ID": good}).headers["x-request-id"] == good
    assert web.http.get("/healthz", headers={"X-Request-ID": bad}).headers["x-request-id"] != bad


def test_the_log_names_nobody_and_repeats_nothing(web: Any) -> None:
    """One JSON line a request with route template and client; no identifier, no name, no query, no token."""
    body, headers = web.issued(), web.headers()
    web.http.get(f"/v1/certificates/{body['identifier']}?at=2027-01-01T00:00:00Z", headers=headers)
    web.http.post("/public/certificates", json={"number": body["number"], "check": "AAAA\r\nforged line"})
    lines = web.log.getvalue().splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    whole = "\n".join(lines)
    for secret in (
        body["identifier"],
        body["number"],
        "forged line",
        "2027-01-01",
        headers["Authorization"].removeprefix("Bearer "),
    ):
        assert secret not in whole
    assert "/v1/certificates/{identifier}" in whole
    assert "client-approval-system" in whole


def test_metrics_count_by_template(web: Any) -> None:
    """Counts per route template and status; unknown addresses make no series of their own."""
    for number in range(3):
        web.http.get(f"/nothing/{number}")
    text = web.http.get("/metrics").text
    assert 'certlib_requests_total{method="GET",route="unmatched",status="404"}' in text
    assert "/nothing/" not in text


def test_metrics_are_for_the_networks_of_the_settings(web: Any) -> None:
    """From elsewhere they do not exist. The test client's address is no network's."""
    settings = load_service_settings(web.office.settings.home, public_url=BASE, worker=False)
    with TestClient(create_app(open_service(web.office, settings))) as http:
        assert http.get("/metrics").status_code == 404


def test_ready_until_told_to_stop(web: Any) -> None:
    """Ready while the register can be read; not any more once draining."""
    assert web.http.get("/readyz").json() == {"status": "ready"}
    web.service.draining.set()
    try:
        assert web.http.get("/readyz").status_code == 503
        assert web.http.get("/healthz").status_code == 200
    finally:
        web.service.draining.clear()


def test_health_tells_how_many_alarms_the_checker_raised(web: Any) -> None:
    """The number alone: what they are, the auditor's page and the log say."""
    assert web.http.get("/healthz").json() == {"status": "ok", "alarms": 0}
    at = web.service.clock()
    web.service.rounds.keep([Finding("files", "fail", "x"), Finding("expiry", "warn", "y")], at)
    try:
        assert web.http.get("/healthz").json() == {"status": "ok", "alarms": 1}
    finally:
        web.service.rounds.keep([Finding("files", "pass", ""), Finding("expiry", "pass", "")], at)


class _Broken:
    """An office that fails in one way; the only thing of an office that these routes touch."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        raise self.error


FAILURES: dict[str, tuple[CertlibError, int]] = {
    "disk full": (StorageError("存储空间已满。", code="storage-full"), 507),
    "disk broken": (StorageError("写入失败。"), 503),
    "key file unreadable": (KeyUnavailableError("印章密钥无法读取。"), 503),
    "no timestamp": (TimestampUnavailableError("时间戳服务没有应答。"), 503),
    "seal denied": (SealDeniedError("用印未获授权。"), 403),
    "another intent": (IntentOpenError("正在办理。"), 409),
    "a code without row": (StorageError("时钟落后。", code="never-heard-of"), 503),
}


@pytest.mark.parametrize(("error", "status"), FAILURES.values(), ids=list(FAILURES))
def test_each_error_has_its_status_and_sentence(error: CertlibError, status: int) -> None:
    """The table gives status and title; the sentence for the reader is the error's own."""
    response = problem(error, base=BASE)
    body = json.loads(response.body)
    assert (response.status_code, body["status"], body["detail"]) == (status, status, error.message)
    assert body["type"] == f"{BASE}/problems#{error.code}"
    assert body["title"]
    assert ("retry-after" in response.headers) == (status in {503, 507})


def test_the_text_of_a_wrong_configuration_stays_inside() -> None:
    """It may name paths and hosts."""
    body = json.loads(problem(ConfigurationError("/etc/certlib/secret.pem 无法读取"), base=BASE).body)
    assert body["status"] == 500
    assert "secret" not in str(body)


def test_every_class_of_the_tree_has_a_row() -> None:
    """No error of ours falls through the table."""
    classes, every = [CertlibError], []
    while classes:
        one = classes.pop()
        every.append(one)
        classes += one.__subclasses__()
    assert len(every) > 15
    assert all(one.code in PROBLEMS or kind_of_class(one) for one in every)


def kind_of_class(one: type[CertlibError]) -> bool:
    """Whether an instance without arguments of its own finds a row."""
    error = CertlibError.__new__(one)
    return kind_of(error) in PROBLEMS.values()


def test_an_unforeseen_error_is_a_bare_500(web: Any) -> None:
    """Its text, which may hold anything, goes neither to the caller nor into the log."""

    def fail() -> None:
        raise RuntimeError("赣州惠民医药 36070019900101")

    app = create_app(web.service)
    app.add_api_route("/fail", fail)
    with TestClient(app, raise_server_exceptions=False) as http:
        response = http.get("/fail")
    web.service.draining.clear()
    assert (response.status_code, response.content) == (500, bare_500().body)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]
    assert "36070019900101" not in web.log.getvalue()
    assert "RuntimeError" in web.log.getvalue()


def test_places_are_bounded() -> None:
    """One inside, one waiting, the third is told to come back; whoever waits too long as well."""

    async def story() -> list[str]:
        gate, told = Gate(1, queue=1, patience=0.2), []
        inside = anyio.Event()

        async def hold() -> None:
            async with gate.place():
                inside.set()
                await anyio.sleep(0.6)

        async def ask(name: str) -> None:
            try:
                async with gate.place():
                    told.append(f"{name} in")
            except BusyError as error:
                told.append(f"{name} {error.code}")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hold)
            await inside.wait()
            tasks.start_soon(ask, "patient")
            await anyio.sleep(0.05)
            await ask("third")
        async with gate.place():
            told.append("after")
        return told

    assert anyio.run(story) == ["third busy", "patient busy", "after"]


def test_a_full_house_answers_503(web: Any) -> None:
    """With one place and no queue, of many at once some are served and the others told when to come back."""
    settings = load_service_settings(
        web.office.settings.home,
        public_url=BASE,
        worker=False,
        issuing_places=1,
        issuing_queue=1,
        patience_seconds=0.01,
    )
    service = open_service(web.office, settings)
    codes: list[tuple[int, str]] = []
    with TestClient(create_app(service), raise_server_exceptions=False) as http:
        web.tokens.pop("client-approval-system", None)
        ours, web.http = web.http, http
        try:
            headers = web.headers()
        finally:
            web.http = ours
            web.tokens.pop("client-approval-system", None)
        requests = [web.request() for _ in range(8)]

        def ask(number: int) -> None:
            key = {"Idempotency-Key": f"full-{number}"}
            response = http.post("/v1/certificates", json=requests[number], headers={**headers, **key})
            codes.append((response.status_code, response.headers.get("retry-after", "")))

        threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {status for status, _ in codes} <= {201, 503}
    assert any(status == 201 for status, _ in codes)
    assert all(retry for status, retry in codes if status == 503)


def test_what_examines_uploads_is_ready_before_the_first_file(web_alone: Any) -> None:
    """The child is started with the application, and no request waits for its imports."""
    assert web_alone.service.sandbox._child is not None
    assert web_alone.service.sandbox._child.poll() is None


def test_a_machine_that_starts_no_process_serves_all_but_uploads(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application comes up; a file is answered with “come back later”, not with a fault."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("certlib.verify.sandbox.subprocess.Popen", refuse)
    settings = load_service_settings(web.office.settings.home, public_url=BASE, worker=False)
    with TestClient(create_app(open_service(web.office, settings)), raise_server_exceptions=False) as http:
        assert http.get("/readyz").status_code == 200
        answer = http.post("/public/files", content=b"%PDF-1.7", headers={"content-type": "application/pdf"})
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


def test_the_start_says_which_suites_this_machine_has(web: Any) -> None:
    """One line before the first request: each suite by name, those that cannot be used with the reason."""
    lines = [json.loads(line) for line in web.log.getvalue().splitlines()]
    told = [line for line in lines if line["event"] == "suites"]
    assert told
    assert all(name in told[0]["detail"] for name in SUITES)
    assert told[0]["outcome"] == ("warn" if unavailable() else "pass")
