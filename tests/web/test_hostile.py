"""Hostile files by HTTP: a verdict for the sender, and the service goes on for everyone else."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from certlib.domain.verdict import Verdict
from tests.verify.hostile import HOSTILE

PDF = {"Content-Type": "application/pdf"}
BUSY = ("exponential_fields", "huge_numbers", "xref_widths")
"""Those that run into the limit of time, so that the others ask while they are at work."""


def test_others_are_served_while_hostile_files_are_at_work(web: Any) -> None:
    """Lists, a digest and a genuine file are answered as ever; each hostile file is answered too, and never genuine."""
    body = web.issued()
    genuine = web.office.register.files.read(body["sha256"])
    with ThreadPoolExecutor() as pool:
        bad = [pool.submit(web.http.post, "/public/files", content=HOSTILE[name](), headers=PDF) for name in BUSY]
        answers = [
            answer
            for _ in range(5)
            for answer in (
                web.http.get("/healthz"),
                web.http.get("/public/status/0"),
                web.http.post("/public/files", json={"sha256": body["sha256"]}),
            )
        ]
        while not all(one.done() for one in bad):
            checked = web.http.post("/public/files", content=genuine, headers=PDF)
            assert checked.status_code in {200, 503}  # all places may be taken for some seconds: come again
        hostile = [one.result() for one in bad]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert {answer.json()["verdict"] for answer in hostile} == {Verdict.UNREADABLE}
    checked = web.http.post("/public/files", content=genuine, headers=PDF)
    assert checked.json()["verdict"] == Verdict.VALID
