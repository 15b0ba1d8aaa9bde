"""One command carries a case of each of the 98 items to its sealed outcome."""

import json
from pathlib import Path

from tests.conftest import Run


def test_every_item_comes_to_its_outcome(certctl: Run, tmp_path: Path) -> None:
    """98 lines, none with an error; what is sealed lies in the folder."""
    done = certctl("rehearse", "--out", str(tmp_path / "out"), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line for line in lines if line["error"]] == []
    assert len({line["item"] for line in lines}) == len(lines) == 98
    assert all(line["number"] for line in lines)
    assert len(list((tmp_path / "out").glob("*.pdf"))) > 90
    assert done.returncode == 0
