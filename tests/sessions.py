"""Sessions at a command line as one readable page, run as they stand.

    $ certctl items 2-25 --json > item.json     a command; `>` keeps its output in a file
    ...                                         expected output, where a line `...` stands for any lines
    [1]                                         the exit code when it is not 0
    # words                                     a remark

`{item.json:annex}` in a command is the member of a JSON file kept before. Commands run in one folder, in order.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.conftest import Done

Certctl = Callable[..., Done]


def steps(text: str) -> Iterator[tuple[str, str, int]]:
    """Command, expected output and exit code of each `$` line."""
    page = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for part in re.split(r"^\$ ", page, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        code = re.search(r"^\[(\d)\]\s*\Z", output, re.MULTILINE)
        yield command, output[: code.start()] if code else output, int(code[1]) if code else 0


def matches(expected: str, shown: str) -> bool:
    """Whether `shown` reads as expected."""
    parts = [re.escape(part.strip("\n")) for part in re.split(r"^\.\.\.$", expected, flags=re.MULTILINE)]
    return re.fullmatch(r"\s*" + r".*".join(parts) + r"\s*", shown, re.DOTALL) is not None


def play(text: str, folder: Path, certctl: Certctl) -> int:
    """Run the session in `folder` and hold each step to what stands below it; gives how many steps there were."""
    count = 0
    for command, expected, code in steps(text):
        words, _, target = _filled(command, folder).partition(" > ")
        program, *arguments = shlex.split(words)
        assert program == "certctl", command
        done = certctl(*arguments, cwd=folder)
        shown = done.stdout
        if target:
            (folder / target.strip()).write_text(shown, encoding="utf-8")
            shown = ""
        assert done.returncode == code, (command, done.stdout[-2000:], done.stderr[-2000:])
        assert matches(expected, shown + (done.stderr if code else "")), (command, expected, done.stdout, done.stderr)
        count += 1
    return count


def _filled(command: str, folder: Path) -> str:
    def member(found: re.Match[str]) -> str:
        return str(json.loads((folder / found[1]).read_text(encoding="utf-8"))[found[2]])

    return re.sub(r"\{([\w.-]+\.json):(\w+)\}", member, command)
