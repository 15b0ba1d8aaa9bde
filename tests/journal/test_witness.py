"""Witnesses: they cosign a journal that grows, and nothing else."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel

from certlib.domain.verdict import Finding
from certlib.errors import ConfigurationError, ConflictError, StorageError, VerificationError
from certlib.formats.tlog import leaf_hash, tree_root
from certlib.formats.tlog_checkpoint import Checkpoint, open_checkpoint
from certlib.formats.tlog_note import Note, NoteKey, open_note
from certlib.formats.tlog_proof import InclusionProof, WitnessRequest
from certlib.journal.journal import Journal, journal_keys
from certlib.journal.witness import Witness, http_answer
from certlib.journal.witness_server import witness_server
from certlib.journal.witness_store import FolderWitnessStore
from certlib.journal.witnessing import LocalWitness, ask_witness
from certlib.register.engine import make_engine, reader, writer
from certlib.register.journal_store import sql_journal

from .conftest import ORIGIN, START, TABLES, ed25519, plain, witness_key

KEYS = journal_keys(ORIGIN, ed25519(b"j"))
NOW = START + timedelta(hours=2)


class History:
    """A journal held in memory: what a log, honest or not, can show a witness."""

    def __init__(self, *names: bytes) -> None:
        self.hashes = [leaf_hash(name) for name in names]

    def head(self, size: int) -> Checkpoint:
        return Checkpoint(ORIGIN, size, tree_root(self.hashes[:size]))

    def request(self, old: int, new: int, *, keys: tuple[NoteKey, ...] = KEYS) -> str:
        from certlib.formats.tlog import consistency_ranges  # noqa: PLC0415

        spans = consistency_ranges(old, new) if old <= new else []
        proof = tuple(tree_root(self.hashes[start:end]) for start, end in spans)
        note = Note(self.head(new).text).signed(*keys, at=START)
        return WitnessRequest(old, proof, note.encode()).encode()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness of our journal that keeps its heads in a folder."""
    return Witness(
        witness_key(), {ORIGIN: [key.verifier for key in KEYS]}, FolderWitnessStore(tmp_path / "witness-archive")
    )


TRUE = History(b"a", b"b", b"c", b"d", b"e")
FORGED = History(b"a", b"x", b"c", b"d", b"e")


def test_growth_is_cosigned_with_the_witness_time(witness: Witness) -> None:
    """From nothing to three leaves to five, and the same head again: each gets a line that verifies."""
    for old, new in ((0, 3), (3, 5), (5, 5)):
        line = witness.cosign(TRUE.request(old, new), NOW)
        note = Note(TRUE.head(new).text).signed(*KEYS, at=START).encode() + line
        assert open_checkpoint(note, [KEYS[0].verifier], [witness.verifier], quorum=1).witnessed == {
            "witness-archive": NOW
        }


@pytest.mark.parametrize(
    ("request_body", "code"),
    [
        (FORGED.request(3, 5), "altered"),  # another history of the same length
        (TRUE.request(3, 5).replace("\n\n", "\nAAAA\n\n", 1), "unreadable"),
        (TRUE.request(3, 4, keys=(NoteKey.of(ORIGIN, ed25519(b"x")),)), "unknown-issuer"),
        (TRUE.request(3, 4).replace(ORIGIN, "other.example", 1), "not-found"),
        (TRUE.request(4, 3), "unreadable"),
        ("", "unreadable"),
        ("old 3\n\n", "unreadable"),
    ],
)
def test_anything_but_growth_is_refused(witness: Witness, request_body: str, code: str) -> None:
    """Forks, foreign signatures, unknown journals and malformed requests leave the witness where it was."""
    witness.cosign(TRUE.request(0, 3), NOW)
    with pytest.raises(VerificationError) as refusal:
        witness.cosign(request_body, NOW)
    assert refusal.value.code == code
    witness.cosign(TRUE.request(3, 5), NOW)


@pytest.mark.parametrize("request_body", [TRUE.request(0, 2), TRUE.request(2, 5), FORGED.request(3, 3)])
def test_a_rollback_or_a_wrong_start_is_answered_with_the_size_it_knows(witness: Witness, request_body: str) -> None:
    """A smaller head, another start, or another root at the same size."""
    witness.cosign(TRUE.request(0, 3), NOW)
    with pytest.raises(ConflictError) as refusal:
        witness.cosign(request_body, NOW)
    assert (refusal.value.code, refusal.value.extra) == ("witness-size", {"size": 3})


def test_a_witness_started_again_remembers(tmp_path: Path) -> None:
    """Its head is on disk before it answers; a damaged head stops it rather than letting a journal begin anew."""
    keys = {ORIGIN: [key.verifier for key in KEYS]}
    Witness(witness_key(), keys, FolderWitnessStore(tmp_path)).cosign(TRUE.request(0, 3), NOW)
    again = Witness(witness_key(), keys, FolderWitnessStore(tmp_path))
    with pytest.raises(ConflictError):
        again.cosign(FORGED.request(0, 5), NOW)
    next(tmp_path.glob("*.head")).write_text("nonsense")
    with pytest.raises(StorageError, match="见证记录"):
        again.cosign(TRUE.request(0, 3), NOW)


def test_two_heads_at_once_never_take_a_witness_back(tmp_path: Path) -> None:
    """Comparing and keeping is one step: of many racing requests from one start, one wins (C2SP tlog-witness)."""
    keys = {ORIGIN: [key.verifier for key in KEYS]}
    outcomes: list[int] = []

    def race(new: int) -> None:
        own = Witness(witness_key(), keys, FolderWitnessStore(tmp_path))
        try:
            own.cosign(TRUE.request(0, new), NOW)
        except ConflictError:
            return
        outcomes.append(new)

    threads = [threading.Thread(target=race, args=(1 + number % 5,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    assert FolderWitnessStore(tmp_path).head(ORIGIN) == TRUE.head(outcomes[0])


def test_a_witness_needs_a_key_that_says_the_time(tmp_path: Path) -> None:
    """A plain note key would make cosignatures without time."""
    with pytest.raises(ConfigurationError):
        Witness(NoteKey.of("witness-archive", ed25519(b"w")), {}, FolderWitnessStore(tmp_path))


def test_the_http_answers_are_those_of_the_specification(witness: Witness) -> None:
    """200, 400, 403, 404, 409 with the size, 422 (C2SP tlog-witness, add-checkpoint)."""
    answers = [
        TRUE.request(0, 3),
        "rubbish",
        TRUE.request(3, 4, keys=(NoteKey.of(ORIGIN, ed25519(b"x")),)),
        TRUE.request(3, 4).replace(ORIGIN, "other.example", 1),
        TRUE.request(2, 4),
        FORGED.request(3, 5),
    ]
    given = [http_answer(witness, body.encode(), NOW) for body in answers]
    assert [status for status, _, _ in given] == [200, 400, 403, 404, 409, 422]
    assert given[4][1:] == ("text/x.tlog.size", "3\n")


@pytest.fixture
def server(witness: Witness) -> Iterator[ThreadingHTTPServer]:
    """The witness program on a port of its own."""
    running = witness_server(witness, ("127.0.0.1", 0), lambda: NOW)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_the_witness_program_answers_over_http(server: ThreadingHTTPServer, witness: Witness) -> None:
    """It cosigns at /add-checkpoint, refuses other addresses and bodies without end."""
    address = f"http://127.0.0.1:{server.server_address[1]}"
    with urllib.request.urlopen(f"{address}/add-checkpoint", TRUE.request(0, 3).encode()) as answer:
        line = answer.read().decode()
    open_note(Note(TRUE.head(3).text).encode() + line, [witness.verifier])
    for path, body, status in (("/other", b"x", 404), ("/add-checkpoint", b"x" * 200_000, 413)):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"{address}{path}", body)
        assert refusal.value.code == status


def test_the_operator_hears_of_a_fork_and_the_asker_nothing_of_the_disk(tmp_path: Path) -> None:
    """The specification's answer to a second history is a size; what it means stands in the witness's own log."""
    keys = {ORIGIN: [key.verifier for key in KEYS]}
    witness, told = Witness(witness_key(), keys, FolderWitnessStore(tmp_path)), list[str]()
    http_answer(witness, TRUE.request(0, 3).encode(), NOW, told.append)
    http_answer(witness, TRUE.request(2, 5).encode(), NOW, told.append)
    status, _, answer = http_answer(witness, FORGED.request(3, 3).encode(), NOW, told.append)
    assert (status, answer) == (409, "3\n")
    assert ["有两个版本" in one for one in told] == [False, True]
    next(tmp_path.glob("*.head")).write_text("nonsense")
    status, _, answer = http_answer(witness, TRUE.request(3, 5).encode(), NOW, told.append)
    assert (status, str(tmp_path) in answer) == (500, False)
    assert str(tmp_path) in told[-1]


def test_an_address_that_is_taken_is_an_error_of_settings(server: ThreadingHTTPServer, witness: Witness) -> None:
    """So is one that this machine does not have, and a port that is none."""
    for address in (("127.0.0.1", server.server_address[1]), ("203.0.113.9", 0), ("127.0.0.1", 99_999)):
        with pytest.raises(ConfigurationError, match="不能在"):
            witness_server(witness, (address[0], int(address[1])), lambda: NOW)


class Office:
    """A journal in a database and its witnesses."""

    def __init__(self, folder: Path) -> None:
        self.engine: Engine = make_engine(f"sqlite:///{folder / 'register.db'}")
        SQLModel.metadata.create_all(self.engine, tables=TABLES)
        self.journal: Journal[Session] = sql_journal(ORIGIN, KEYS)

    def grow(self, start: int, end: int) -> None:
        with writer(self.engine) as session:
            for number in range(start, end):
                self.journal.append(session, plain(number))
        with writer(self.engine) as session:
            self.journal.sequence(session, NOW)

    def ask(self, witness: Witness) -> Finding:
        local = LocalWitness(witness, lambda: NOW)
        return ask_witness(self.journal, local, partial(reader, self.engine), partial(writer, self.engine))


def test_cosignatures_stand_under_the_served_checkpoint_and_in_proofs(tmp_path: Path, witness: Witness) -> None:
    """After a round the head carries the witness's line, and so do offline proofs taken under it, also later ones."""
    (tmp_path / "office").mkdir()
    office = Office(tmp_path / "office")
    office.grow(0, 3)
    assert office.ask(witness) == Finding("witness:witness-archive", "pass", "已见证 3 条")
    assert office.ask(witness).outcome == "pass"  # the same head again adds no second line
    with reader(office.engine) as session:
        note = office.journal.checkpoint(session)
    assert len(Note.parse(note).signatures) == 3
    assert open_checkpoint(note, office.journal.verifiers, [witness.verifier], quorum=1).checkpoint.size == 3
    office.grow(3, 9)
    with reader(office.engine) as session:
        under_witness = InclusionProof.parse(office.journal.proof_text(session, 1, cosignatures=1))
        newest = InclusionProof.parse(office.journal.proof_text(session, 1))
        uncovered = InclusionProof.parse(office.journal.proof_text(session, 7, cosignatures=1))
    leaf = leaf_hash(plain(1).encode())
    assert under_witness.verify(leaf, office.journal.verifiers, [witness.verifier], quorum=1).checkpoint.size == 3
    assert newest.verify(leaf, office.journal.verifiers).checkpoint.size == 9
    assert uncovered.index == 7
    assert office.ask(witness).detail == "已见证 9 条"


def test_a_journal_whose_answer_was_lost_goes_on(tmp_path: Path, witness: Witness) -> None:
    """The witness is further than the journal remembers: asked again from where it stands, it cosigns."""
    (tmp_path / "office").mkdir()
    office = Office(tmp_path / "office")
    office.grow(0, 3)
    with reader(office.engine) as session:
        witness.cosign(office.journal.witness_request(session, 0)[1].encode(), NOW)
    office.grow(3, 5)
    assert office.ask(witness).outcome == "pass"


def test_a_journal_that_was_rolled_back_is_found_by_its_witness(tmp_path: Path, witness: Witness) -> None:
    """An older copy of the database, grown anew: shorter, as long, or longer than what the witness saw, all `fail`."""
    for folder in ("true", "old"):
        (tmp_path / folder).mkdir()
    office = Office(tmp_path / "true")
    office.grow(0, 6)
    office.ask(witness)
    restored = Office(tmp_path / "old")
    restored.grow(0, 4)
    assert restored.ask(witness) == Finding("witness:witness-archive", "fail", "日志不能从 6 条缩短为 4 条。")
    restored.grow(100, 102)
    assert restored.ask(witness).outcome == "fail"
    restored.grow(200, 203)
    assert restored.ask(witness).outcome == "fail"


def test_a_forged_answer_is_not_kept(tmp_path: Path) -> None:
    """A line of another key, or no line, is not a cosignature."""
    office = Office(tmp_path)
    office.grow(0, 3)
    stranger = witness_key("witness-archive", b"z").sign("x\n", NOW)
    with writer(office.engine) as session:
        head = office.journal.head(session)
        for answer in (str(stranger), "", "nonsense\n"):
            with pytest.raises(VerificationError):
                office.journal.keep_cosignature(session, head, witness_key().verifier, answer)
        assert office.journal.witnessed_size(session, witness_key().verifier) == 0
