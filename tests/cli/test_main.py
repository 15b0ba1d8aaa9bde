"""The command table: one list, nothing imported that is not called, errors as one sentence."""

import subprocess
import sys

import pytest

from certlib.cli.main import COMMANDS, GROUP, commands
from certlib.errors import CertlibError, Fault, RequestError
from tests.conftest import Run


def test_help_names_every_command(certctl: Run) -> None:
    """`certctl --help` names every command, those of the entry points included."""
    done = certctl("--help", check=True)
    assert not [command.name for command in commands() if command.name not in done.stdout]


def test_every_command_has_a_summary() -> None:
    """No command stands in the list without saying what it does."""
    assert not [command.name for command in commands() if not command.summary]


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.name)
def test_every_command_loads(command: object) -> None:
    """Each row of the table leads to a function or a group of commands."""
    assert callable(command.load())  # type: ignore[attr-defined]


def test_help_imports_no_heavy_package() -> None:
    """The list comes without database, web framework, renderer or cryptography."""
    program = (
        "import sys\nfrom certlib.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'sqlmodel','fastapi','typst','pyhanko','cryptography'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_entry_points_are_ours() -> None:
    """The service's commands are found by their entry points."""
    own = {command.name for command in COMMANDS}
    assert {"demo", "serve", "worker", "city", "token"} <= {command.name for command in commands()} - own, GROUP


def test_unknown_command_is_misuse(certctl: Run) -> None:
    """A word that is no command ends with 2."""
    assert certctl("sael").returncode == 2


def test_error_is_a_sentence_with_its_code(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours shows its sentence, its code and every fault; the exit code is 1."""
    fault = Fault("holder.code", "check-digit", "校验位不符", "持证主体代码")

    def fail(_words: object) -> None:
        raise RequestError([fault])

    code = _run_failing(fail, [], monkeypatch)
    shown = capsys.readouterr()
    assert (code, shown.out) == (1, "")
    assert "申请有 1 处问题" in shown.err
    assert all(word in shown.err for word in ("invalid-request", "holder.code", "持证主体代码", "校验位不符"))


def test_error_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--json` the error is one JSON object on standard error."""

    def fail(_words: object) -> None:
        raise CertlibError("没有这份证照。", code="not-found")

    code = _run_failing(fail, ["--json"], monkeypatch)
    assert code == 1
    assert '"code": "not-found"' in capsys.readouterr().err


def _run_failing(fail: object, words: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("certlib.cli.main.application", fail)
    with pytest.raises(SystemExit) as ended:
        sys.modules["certlib.cli.main"].main(words)
    return ended.value.code
