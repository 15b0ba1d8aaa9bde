"""Whatever comes in: the parsers refuse with one kind of error, and the audit reports instead of failing."""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.errors import ConfigurationError, VerificationError
from certlib.formats.tlog_checkpoint import Checkpoint, open_checkpoint
from certlib.formats.tlog_note import Note, NoteSignature, VerifierKey
from certlib.formats.tlog_proof import InclusionProof, WitnessRequest
from certlib.formats.tlog_tiles import TilePlace, join_entries, split_entries
from certlib.journal.witness import Witness, http_answer
from certlib.journal.witness_store import FolderWitnessStore
from certlib.verify.bundle import open_bundle

from .conftest import START, witness_key
from .histories import JOURNAL, TRUST, City, a_day, examine

PIECES = st.sampled_from(
    [
        "\n",
        "\n\n",
        "— ",
        "old 3",
        "index 0",
        "c2sp.org/tlog-proof@v1",
        "origin",
        "12",
        "007",
        "AAAA",
        "A" * 43 + "=",
        "tile/",
    ]
)
texts = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=12).map("\n".join), st.lists(PIECES).map("".join))

PARSERS: list[Callable[[str], object]] = [
    Note.parse,
    NoteSignature.parse,
    Checkpoint.parse,
    InclusionProof.parse,
    WitnessRequest.parse,
    TilePlace.parse,
    VerifierKey.parse,
]


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__qualname__)
@given(text=texts)
def test_any_text_is_read_or_refused_with_our_error(parse: Callable[[str], object], text: str) -> None:
    """Never an exception of another kind."""
    with suppress(VerificationError, ConfigurationError):
        assert parse(text) is not None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_bundle_of_entries_or_refused(data: bytes) -> None:
    """And what is read, writes as it was."""
    try:
        entries = split_entries(data)
    except VerificationError:
        return
    assert join_entries(entries) == data


@given(body=st.one_of(st.binary(max_size=200), texts.map(str.encode)))
def test_a_witness_answers_any_request(body: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With a refusal, never a failure of its own."""
    keys = {JOURNAL[0].verifier.name: [key.verifier for key in JOURNAL]}
    witness = Witness(witness_key(), keys, FolderWitnessStore(tmp_path_factory.getbasetemp() / "never"))
    status, _, _ = http_answer(witness, body, START)
    assert 400 <= status < 500


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, Path]:
    """An honest day and its bundle."""
    city = a_day()
    return city, city.export(tmp_path_factory.mktemp("honest"))


@pytest.mark.parametrize("seed", range(60))
def test_a_changed_byte_anywhere_in_a_bundle_is_found(seed: int, honest: tuple[City, Path], tmp_path: Path) -> None:
    """One byte changed, added or taken away in any file: the audit says so, without failing and without a pass."""
    city, bundle = honest
    copy = shutil.copytree(bundle, tmp_path / "copy")
    chance = random.Random(seed)
    path = chance.choice(sorted(path for path in copy.rglob("*") if path.is_file()))
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    {
        0: lambda: data.__setitem__(at, data[at] ^ 1 << chance.randrange(8)),
        1: lambda: data.insert(at, chance.randrange(256)),
        2: lambda: data.__delitem__(at),
    }[seed % 3]()
    path.write_bytes(data)
    before, report = bundle / path.relative_to(copy), examine(copy, since=tuple(city.notes()))
    assert report.holds == (_meaning(path) == _meaning(before)), (path.name, at, report.findings)


def _meaning(path: Path) -> object:
    """What a file says, less what nobody relies on.

    White space in JSON, keys of rows, and signature lines of a note beyond those that vouch for text and time.
    """
    if path.name == "checkpoint":
        return _note(path.read_text(errors="replace"))
    if path.suffix != ".jsonl":
        return path.read_bytes()
    with open_bundle(path.parent) as opened:
        try:
            return [_row(line) for line in opened.lines(path.name)]
        except VerificationError as error:
            return error.message


def _row(line: object) -> object:
    if not isinstance(line, dict):
        return line
    return {key: _note(value) if key == "note" else _row(value) for key, value in line.items() if key != "key"}


def _note(text: object) -> object:
    try:
        signed = open_checkpoint(str(text), TRUST.journal, TRUST.witnesses)
    except VerificationError as error:
        return error.message
    return signed.checkpoint, signed.at  # the same head stands witnessed elsewhere


def test_an_auditor_and_a_witness_need_no_database() -> None:
    """Audit and witness import with the base installation alone: no SQLAlchemy, no web."""
    code = (
        "import sys\n"
        "for name in ('sqlalchemy', 'sqlmodel', 'fastapi', 'typst', 'httpx'): sys.modules[name] = None\n"
        "import certlib.verify.audit, certlib.verify.bundle\n"
        "import certlib.journal.witness_server, certlib.journal.witness_store, certlib.journal.witnessing\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_root_beyond_ascii_is_refused_with_our_error() -> None:
    """As any other root that is not Base64."""
    with pytest.raises(VerificationError, match="Base64"):
        Checkpoint.parse(f"journal.example\n1\n{'é' * 44}\n")
