"""`certctl import`, `show --at` and `batch`, as they are typed."""

import csv
import io
import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from certlib.catalogue import example
from certlib.catalogue.examples import existing
from certlib.cli.main import application


def certctl(*words: str) -> Result:
    """The command in this process."""
    return CliRunner().invoke(application(words), words)


def test_an_existing_certificate_is_registered_by_two_persons(tmp_path: Path) -> None:
    """By two persons: imported and in force; by one it is refused."""
    home, now = str(tmp_path / "home"), datetime.now(UTC)
    request = deepcopy(dict(existing("2-26", now=now)))
    day = request["valid_from"]
    decided = {"authority": "ganzhou-approval", "basis": "《中华人民共和国行政许可法》", "grounds": "存量证照补录"}
    request["decision"] = {"kind": "ex-officio", **decided, "decided_at": (now - timedelta(hours=1)).isoformat()}
    request |= {"issued_on": day, "source": "档案 2021-118", "scan_sha256": "ab" * 32, "second_person": "李复核"}
    request = {name: value for name, value in request.items() if name not in {"item", "case"}}
    (tmp_path / "old.json").write_text(json.dumps(request), encoding="utf-8")
    done = certctl("import", str(tmp_path / "old.json"), "--home", home, "--json")
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    shown = json.loads(certctl("show", body["identifier"], "--home", home, "--json").stdout)
    assert (shown["imported"], shown["state"], shown["edition"]) == (True, "in-force", 0)
    request["second_person"] = ""
    (tmp_path / "one.json").write_text(
        json.dumps({**request, "number": "赣虔药监械经营许20219999号"}), encoding="utf-8"
    )
    assert certctl("import", str(tmp_path / "one.json"), "--home", home).exit_code != 0


def test_a_certificate_is_shown_as_it_stood_at_a_moment(tmp_path: Path) -> None:
    """Expired in the far future, valid now: the same command with another moment."""
    home = str(tmp_path / "home")
    request = tmp_path / "request.json"
    request.write_text(certctl("issue", "--example", "2-25").stdout, encoding="utf-8")
    body = json.loads(certctl("issue", str(request), "--home", home, "--json").stdout)
    late = (datetime.now(UTC) + timedelta(days=365 * 6)).strftime("%Y-%m-%dT%H:%M:%S")
    views = [
        json.loads(certctl("show", body["identifier"], "--home", home, "--json", *at).stdout)
        for at in ((), ("--at", late))
    ]
    assert [view["editions"][0]["verdict"] for view in views] == ["valid", "expired"]


def test_a_batch_is_tried_then_done_and_reported(tmp_path: Path) -> None:
    """As CSV: the dry run names the bad row's field and issues nothing; the run issues the good one; both report."""
    home, report = str(tmp_path / "home"), tmp_path / "report.csv"
    rows = [dict(_cells(dict(example("2-25", now=datetime.now(UTC), variant=variant)))) for variant in (1, 2)]
    rows[1]["holder.code"] = "91360700MA0000000X"
    out = io.StringIO()
    writer = csv.DictWriter(out, sorted(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "batch.csv").write_bytes(out.getvalue().encode("gb18030"))
    words = (str(tmp_path / "batch.csv"), "--home", home, "--report", str(report), "--json")
    numbers = []
    for dry in (("--dry-run",), ()):
        done = certctl("batch", *words, *dry)
        assert done.exit_code == 1, done.output
        told = list(csv.DictReader(io.StringIO(report.read_bytes().decode("utf-8-sig"))))
        assert [(row["行号"], row["状态"]) for row in told][:2] == [("1", "done"), ("2", "failed")]
        assert "holder.code" in {row["位置"] for row in told[1:]}
        numbers.append(told[0]["编号"])
    assert numbers[0] == ""
    assert numbers[1].endswith("0001号")


def _cells(value: dict[str, object], path: str = "") -> list[tuple[str, str]]:
    cells = []
    for name, inner in value.items():
        place = f"{path}.{name}" if path else name
        if isinstance(inner, dict):
            cells += _cells(inner, place)
        else:
            text = "\n".join(map(str, inner)) if isinstance(inner, list) else inner
            cells.append(
                (place, {True: "是", False: "否"}.get(text, str(text)) if isinstance(text, bool) else str(text))
            )
    return cells
