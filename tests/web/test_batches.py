"""Batches over HTTP: taken at once, done line by line, each line with its own outcome."""

import csv
import io
import json
import threading
from typing import Any

PATH = "/v1/batches"


def _hand_in(web: Any, lines: list[Any]) -> Any:
    return web.post({"lines": lines}, path=PATH)


def _work(web: Any) -> None:
    while web.office.work_batch():
        pass


def test_each_line_has_its_own_outcome(web: Any) -> None:
    """A good line is issued, a bad one has all its faults; the batch counts both."""
    bad = web.request()
    bad["facts"].pop("scope")
    bad["holder"]["code"] = "91360700MA0000000X"
    response = _hand_in(web, [web.request(), bad])
    assert response.status_code == 202
    assert response.headers["location"].endswith(response.json()["links"]["self"])
    _work(web)
    view = web.http.get(response.json()["links"]["self"], headers=web.headers()).json()
    assert (view["state"], view["total"], view["done"], view["failed"], view["open"]) == ("done", 2, 1, 1, 0)
    good, failed = view["lines"]
    assert good["answer"]["number"]
    assert {"facts.scope", "holder.code"} <= {fault["path"] for fault in failed["answer"]["faults"]}


def test_the_report_is_a_table_for_a_spreadsheet(web: Any) -> None:
    """One row a line, or a fault, with its place; safe and readable in an office program."""
    bad = web.request()
    bad["facts"].pop("scope")
    bad["holder"]["code"] = "91360700MA0000000X"
    links = _hand_in(web, [web.request(), bad]).json()["links"]
    _work(web)
    response = web.http.get(links["report"], headers=web.headers())
    assert response.headers["content-type"].startswith("text/csv")
    assert response.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows[0]["状态"] == "done"
    assert rows[0]["编号"]
    assert {row["位置"] for row in rows if row["行号"] == "2"} >= {"facts.scope", "holder.code"}


def test_progress_comes_as_events(web: Any) -> None:
    """The counts are pushed until the batch is done."""
    links = _hand_in(web, [web.request() for _ in range(3)]).json()["links"]
    worker = threading.Timer(0.3, _work, [web])
    worker.start()
    with web.http.stream("GET", links["progress"], headers=web.headers()) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line.startswith(("event:", "data:"))]
    worker.join()
    last = json.loads(lines[-1].removeprefix("data:"))
    assert (last["state"], last["done"]) == ("done", 3)
    assert "event: done" in lines


def test_a_batch_that_is_none(web: Any) -> None:
    """No list, an empty one, lines that are no objects: faults with the place, nothing kept."""
    assert web.post({}, path=PATH).json()["faults"][0]["path"] == "lines"
    assert _hand_in(web, []).status_code == 422
    faults = _hand_in(web, [web.request(), "7", 8]).json()["faults"]
    assert [fault["path"] for fault in faults] == ["lines.1", "lines.2"]


def test_an_act_on_what_is_not_the_caller_s(web: Any) -> None:
    """A line that acts on another tenant's certificate is refused like one that does not exist."""
    own = web.issued()
    line = {"operation": "act", "identifier": own["identifier"], "action": "cancel", "version": 1}
    response = web.post({"lines": [line]}, path=PATH, client="client-education")
    assert response.json()["faults"][0]["path"] == "lines.0.identifier"


def test_a_batch_is_its_client_s(web: Any) -> None:
    """Another client sees neither batch nor progress."""
    links = _hand_in(web, [web.request()]).json()["links"]
    for address in links.values():
        assert web.http.get(address, headers=web.headers("client-education")).status_code == 404
    _work(web)
