"""`certctl check`: the office's own look at itself, at the command line."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from certlib.cli.main import application
from certlib.issue.checking import CHECKS


def certctl(*words: str) -> Result:
    """The command in this process."""
    return CliRunner().invoke(application(words), words)


@pytest.fixture
def issued(tmp_path: Path) -> Path:
    """An office that has issued one certificate."""
    example = tmp_path / "request.json"
    example.write_text(certctl("issue", "--example", "2-25").stdout, encoding="utf-8")
    assert certctl("issue", str(example), "--home", str(tmp_path / "home")).exit_code == 0
    return tmp_path / "home"


def checked(home: Path, *options: str) -> tuple[int, dict[str, str]]:
    """The exit code, and the worst outcome of each check."""
    done = certctl("check", "--home", str(home), "--json", *options)
    worst = {"pass": 0, "unknown": 1, "warn": 2, "fail": 3}
    outcomes: dict[str, str] = {}
    for one in json.loads(done.stdout)["findings"]:
        outcomes[one["check"]] = max(outcomes.get(one["check"], "pass"), one["outcome"], key=worst.__getitem__)
    return done.exit_code, outcomes


def test_a_sound_office_passes_whole_and_from_a_leaf_on(issued: Path) -> None:
    """Exit code 0; every check is told of."""
    for options in ((), ("--since", "3")):
        code, outcomes = checked(issued, *options)
        assert code == 0
        assert outcomes.keys() >= CHECKS.keys()
        assert "fail" not in outcomes.values()


def edit(home: Path) -> None:
    with sqlite3.connect(home / "register.db") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE edition SET check_code = 'x'")


def lose(home: Path) -> None:
    for path in home.rglob("*.pdf"):
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "check", "sentence"), [(edit, "journal", "证照版本"), (lose, "files", "文件")], ids=["edit", "lose"]
)
def test_what_was_done_past_the_program_ends_with_one_and_a_sentence(
    issued: Path, damage: Callable[[Path], None], check: str, sentence: str
) -> None:
    """A row edited, files gone: named, in a table as in JSON, and no traceback."""
    damage(issued)
    code, outcomes = checked(issued)
    assert (code, outcomes[check]) == (1, "fail")
    done = certctl("check", "--home", str(issued))
    assert done.exit_code == 1
    assert sentence in done.stdout
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_a_register_put_back_to_an_earlier_day_is_found_by_the_whole_round_until_it_is_mended(issued: Path) -> None:
    """Its journal holds together and is signed; only the head that the checker kept knows of more."""
    register, newer, example = issued / "register.db", issued / "newer.db", issued / "request.json"
    before = register.read_bytes()
    request = json.loads(certctl("issue", "--example", "2-25").stdout)
    request["case"]["number"] = "360700-2026-000077"
    example.write_text(json.dumps(request), encoding="utf-8")
    assert certctl("issue", str(example), "--home", str(issued)).exit_code == 0
    assert checked(issued)[0] == 0
    newer.write_bytes(register.read_bytes())
    register.write_bytes(before)
    for _ in range(2):
        code, outcomes = checked(issued)
        assert (code, outcomes["journal"]) == (1, "fail")
    assert "日志被截短或回退" in certctl("check", "--home", str(issued), "--json").stdout
    register.write_bytes(newer.read_bytes())
    assert checked(issued)[0] == 0


def test_a_look_from_a_later_leaf_on_passes_nothing_over(issued: Path) -> None:
    """What lies between the kept head and that leaf is looked at by the next round; a leaf not there yet is misuse."""
    assert checked(issued)[0] == 0
    head = json.loads((issued / "check-state.json").read_text(encoding="utf-8"))["head"]
    request = json.loads(certctl("issue", "--example", "2-25").stdout)
    request["case"]["number"] = "360700-2026-000078"
    (issued / "request.json").write_text(json.dumps(request), encoding="utf-8")
    assert certctl("issue", str(issued / "request.json"), "--home", str(issued)).exit_code == 0
    size = int(head.splitlines()[1])
    assert checked(issued, "--since", str(size + 1))[0] == 0
    assert json.loads((issued / "check-state.json").read_text(encoding="utf-8"))["head"] == head
    assert checked(issued, "--since", str(size))[0] == 0
    assert json.loads((issued / "check-state.json").read_text(encoding="utf-8"))["head"] != head
    beyond = certctl("check", "--home", str(issued), "--since", "9999")
    assert beyond.exit_code == 2
    assert "没有检查" in beyond.output
