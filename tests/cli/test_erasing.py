"""`certctl erase`: asks, needs two persons, and erases only what is over."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from certlib.cli.main import application
from certlib.errors import RequestError, TransitionError

BY = ("--grounds", "个人信息保护法第四十七条，本人申请", "--person", "王五", "--second-person", "赵六")


def certctl(*words: str, typed: str = "") -> Result:
    """The command in this process."""
    return CliRunner().invoke(application(words), words, input=typed)


@pytest.fixture
def issued(tmp_path: Path) -> tuple[str, str]:
    """A home with one certificate, and its identifier."""
    home = str(tmp_path / "home")
    request = json.loads(certctl("issue", "--example", "2-25").stdout)
    (tmp_path / "request.json").write_text(json.dumps(request), encoding="utf-8")
    done = certctl("issue", str(tmp_path / "request.json"), "--home", home, "--json")
    return home, str(json.loads(done.stdout)["identifier"])


def test_what_is_in_force_is_refused(issued: tuple[str, str]) -> None:
    """With the reason; nothing is erased."""
    home, identifier = issued
    done = certctl("erase", identifier, *BY, "--yes", "--home", home)
    assert isinstance(done.exception, TransitionError)
    assert "未删除任何内容" in done.exception.message


def test_two_persons_and_a_yes_are_needed(issued: tuple[str, str]) -> None:
    """One person twice is one person; without a yes nothing happens."""
    home, identifier = issued
    alone = (*BY[:-1], "王五")
    assert isinstance(certctl("erase", identifier, *alone, "--yes", "--home", home).exception, RequestError)
    assert certctl("erase", identifier, *BY, "--home", home, typed="n\n").exit_code == 1


def test_a_certificate_that_is_over_is_erased(issued: tuple[str, str], tmp_path: Path) -> None:
    """Its number is told, its holder no longer."""
    home, identifier = issued
    decision = {
        "kind": "ex-officio",
        "authority": "ganzhou-approval",
        "basis": "《中华人民共和国行政许可法》第六十九条",
        "grounds": "经查以欺骗手段取得许可",
        "decided_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
    }
    request = tmp_path / "revoke.json"
    request.write_text(json.dumps({"decision": decision, "cause": "fraud"}), encoding="utf-8")
    assert certctl("act", identifier, "revoke", str(request), "--yes", "--home", home).exit_code == 0
    done = certctl("erase", identifier, *BY, "--home", home, "--json", typed="y\n")
    assert done.exit_code == 0
    assert len(json.loads(done.stdout[done.stdout.index("{") :])["erased"]) == 1
    assert "已依法删除" in certctl("show", identifier, "--home", home).stdout
