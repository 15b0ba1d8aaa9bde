"""A clerk that issues and acts without end, and writes down what was acknowledged; made to be killed.

python crash_worker.py HOME JOURNAL SEED
"""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from certlib.catalogue import example
from certlib.errors import CertlibError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings

ITEMS = ("2-25", "2-38", "1-17", "2-21")


def work(home: Path, journal: Path, seed: int, ready: Connection) -> None:
    """Issue, change and revoke at random; each acknowledged answer is one synced line."""
    draw = random.Random(seed)
    settings = Settings(home=home, suite="p256-sha256", lease_seconds=1)
    with open_office(settings) as office, journal.open("a", encoding="utf-8") as kept:
        office.sweep()
        mine: list[str] = []
        for count in range(10_000):
            name = f"{seed}-{count}"
            try:
                if mine and draw.random() < 0.5:
                    identifier = draw.choice(mine)
                    answer = office.act(identifier, *_act(draw), version=None, client="platform", key=name)
                else:
                    request = dict(example(draw.choice(ITEMS), now=datetime.now(UTC), variant=draw.randrange(10_000)))
                    request["case"] = {"number": f"CRASH-{name}"}
                    answer = office.issue(request, client="platform", key=name)
                    mine.append(str(answer.body["identifier"]))
            except CertlibError:
                continue
            kept.write(json.dumps({"key": name, "body": dict(answer.body)}, ensure_ascii=False) + "\n")
            kept.flush()
            os.fsync(kept.fileno())
            if count == 0:
                ready.send(True)


def _act(draw: random.Random) -> tuple[str, dict[str, object]]:
    past = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    decision = {
        "kind": "ex-officio",
        "authority": "ganzhou-approval",
        "basis": "《中华人民共和国行政许可法》第六十九条",
        "grounds": "经查以欺骗手段取得许可",
        "decided_at": past,
    }
    order = {
        "kind": "other-authority",
        "authority": "赣州市市场监督管理局",
        "document_number": "赣市监罚〔2026〕12号",
        "decided_at": past,
        "grounds": "抽检不合格",
        "file_sha256": "ab" * 32,
    }
    correction = {
        "decision": decision,
        "facts": {"legal_representative": draw.choice(["陈志远", "黄建国", "刘晓梅"])},
        "second_person": "李复核",
        "evidence": ["更正说明"],
    }
    choices: list[tuple[str, dict[str, object]]] = [
        ("correct", correction),
        ("suspend", {"decision": order}),
        ("resume", {"decision": order}),
        ("revoke", {"decision": decision, "cause": "fraud"}),
    ]
    return draw.choice(choices)
