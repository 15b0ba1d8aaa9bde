"""The journal in a database: appended with what it records, numbered once, signed, proved."""

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from certlib.errors import NotFoundError, StorageError, VerificationError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import leaf_hash, tree_root, verify_consistency
from certlib.formats.tlog_chain import read_link, text_digest
from certlib.formats.tlog_checkpoint import Checkpoint, open_checkpoint
from certlib.formats.tlog_note import Note
from certlib.formats.tlog_proof import InclusionProof
from certlib.formats.tlog_tiles import ENTRIES, split_entries, split_hashes, tiles_of
from certlib.journal.journal import CHECKPOINT_EVERY
from certlib.register.engine import database_now, make_engine, not_before, reader, writer

from .conftest import START, Book, plain


def add(book: Book, leaves: list[Leaf]) -> list[bytes]:
    with writer(book.engine) as session:
        return [book.journal.append(session, leaf) for leaf in leaves]


def sequence(book: Book, now: datetime = START + timedelta(minutes=30), limit: int = 100_000) -> Checkpoint:
    with writer(book.engine) as session:
        return book.journal.sequence(session, now, limit=limit)


def test_an_event_is_there_exactly_when_what_it_records_is(book: Book) -> None:
    """A transaction that fails takes its leaves with it; a committed one leaves them in order."""
    add(book, [plain(0)])
    with pytest.raises(ZeroDivisionError), writer(book.engine) as session:
        _append_and_fail(book, session)
    hashes = add(book, [plain(2)])
    head = sequence(book)
    assert head.size == 2
    assert head.root == tree_root([leaf_hash(plain(0).encode()), leaf_hash(plain(2).encode())])
    with reader(book.engine) as session:
        assert book.journal.index_of(session, hashes[0]) == 1
        assert book.journal.index_of(session, leaf_hash(plain(1).encode())) is None
        assert book.journal.newest_time(session) == plain(2).at


def _append_and_fail(book: Book, session: Session) -> None:
    book.journal.append(session, plain(1))
    raise ZeroDivisionError


def test_tiles_entries_and_root_agree_at_every_size(book: Book) -> None:
    """Grown in uneven steps across tile borders, every served file follows from the entries alone (C2SP tlog-tiles)."""
    leaves = [plain(number) for number in range(530)]
    start = 0
    for end in (1, 2, 255, 256, 257, 511, 530):
        add(book, leaves[start:end])
        start = end
        head = sequence(book)
        hashes = [leaf_hash(leaf.encode()) for leaf in leaves[:end]]
        assert (head.size, head.root) == (end, tree_root(hashes))
        _check_files(book, leaves[:end], hashes)


def _check_files(book: Book, leaves: list[Leaf], hashes: list[bytes]) -> None:
    with reader(book.engine) as session:
        for place in tiles_of(len(leaves)):
            first = place.index * 256
            if place.level == ENTRIES:
                bundle = book.journal.entries(session, place.index, place.width)
                assert split_entries(bundle) == [leaf.encode() for leaf in leaves[first : first + place.width]]
                continue
            tile = split_hashes(book.journal.tile(session, place.level, place.index, place.width))
            span = 256**place.level
            assert tile == [
                tree_root(hashes[at * span : (at + 1) * span]) for at in range(first, first + place.width)
            ], place.path


def test_narrower_tiles_of_older_heads_are_still_served_and_wider_ones_are_not(book: Book) -> None:
    """A tile of a past size is a cut of the present one; beyond the present there is nothing."""
    add(book, [plain(number) for number in range(20)])
    sequence(book)
    with reader(book.engine) as session:
        whole = book.journal.tile(session, 0, 0, 20)
        assert book.journal.tile(session, 0, 0, 7) == whole[: 7 * 32]
        assert len(split_entries(book.journal.entries(session, 0, 7))) == 7
        for wrong in (lambda: book.journal.tile(session, 0, 0, 21), lambda: book.journal.tile(session, 0, 1, 1)):
            with pytest.raises(NotFoundError):
                wrong()
        with pytest.raises(NotFoundError):
            book.journal.entries(session, 0)


def test_every_leaf_has_an_offline_proof(book: Book) -> None:
    """The text proves the leaf under the journal's signed head, and proves nothing else."""
    hashes = add(book, [plain(number) for number in range(300)])
    sequence(book)
    with reader(book.engine) as session:
        for index in (0, 1, 254, 255, 256, 299):
            proof = InclusionProof.parse(book.journal.proof_text(session, index))
            assert proof.verify(hashes[index], book.journal.verifiers).checkpoint.size == 300
            with pytest.raises(VerificationError):
                proof.verify(hashes[index - 1], book.journal.verifiers)
        with pytest.raises(VerificationError):
            book.journal.proof_text(session, 300)


def test_every_head_is_consistent_with_every_earlier_one(book: Book) -> None:
    """Consistency proofs between any two heads hold."""
    heads = []
    for step in (1, 5, 250, 10, 300):
        start = heads[-1].size if heads else 0
        add(book, [plain(number) for number in range(start, start + step)])
        heads.append(sequence(book))
    with reader(book.engine) as session:
        for old in heads:
            for new in heads[heads.index(old) :]:
                proof = book.journal.consistency(session, old.size, new.size)
                verify_consistency(old.size, new.size, proof, old.root, new.root)
        with pytest.raises(VerificationError):
            book.journal.consistency(session, heads[-1].size, heads[-1].size + 1)


def test_a_head_says_its_time_under_the_journals_key(book: Book) -> None:
    """Two lines of the journal's key: one for every C2SP client, one with the time."""
    add(book, [plain(0)])
    now = START + timedelta(minutes=1)
    sequence(book, now)
    with reader(book.engine) as session:
        note = book.journal.checkpoint(session)
    assert open_checkpoint(note, book.journal.verifiers).at == now
    assert len(Note.parse(note).signatures) == 2
    assert open_checkpoint(note, book.journal.verifiers[:1]).at is None


def test_an_idle_journal_signs_once_an_hour_and_no_more(book: Book) -> None:
    """Without events the head is signed again only when it is an hour old, so that time stays bounded."""
    with reader(book.engine) as session:
        assert book.journal.due(session, START)
        with pytest.raises(NotFoundError):
            book.journal.checkpoint(session)
    for minutes in (0, 20, 40):
        sequence(book, START + timedelta(minutes=minutes))
    with reader(book.engine) as session:
        assert book.journal.head(session).at == START
        assert book.journal.head(session).size == 0
        assert not book.journal.due(session, START + timedelta(minutes=59))
        assert book.journal.due(session, START + CHECKPOINT_EVERY)
    sequence(book, START + CHECKPOINT_EVERY)
    with reader(book.engine) as session:
        assert book.journal.head(session).at == START + CHECKPOINT_EVERY


def test_a_head_is_never_older_than_the_one_before_or_than_its_events(book: Book) -> None:
    """A sequencer that waited for the lock signs with the later time."""
    add(book, [plain(0)])
    sequence(book, START + timedelta(hours=1))
    add(book, [plain(1)])
    sequence(book, START)
    with reader(book.engine) as session:
        assert book.journal.head(session).at == START + timedelta(hours=1)
    add(book, [plain(0, at=START + timedelta(hours=2))])
    sequence(book, START)
    with reader(book.engine) as session:
        assert book.journal.head(session).at == START + timedelta(hours=2)


def test_each_head_names_the_one_before(book: Book) -> None:
    """So none can be taken out of the archive later."""
    heads = []
    for number in range(3):
        add(book, [plain(number)])
        heads.append(sequence(book))
    links = [read_link(head) for head in heads]
    assert [link.number for link in links if link] == [1, 2, 3]
    assert [link.previous for link in links if link] == [b"", *(text_digest(head.text) for head in heads[:2])]


def test_a_long_queue_is_numbered_in_portions(book: Book) -> None:
    """`limit` bounds a transaction; the rest stays due."""
    add(book, [plain(number) for number in range(10)])
    assert sequence(book, limit=4).size == 4
    with reader(book.engine) as session:
        assert book.journal.due(session, START)
    assert sequence(book, limit=4).size == 8
    assert sequence(book, limit=4).size == 10


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM journal_event WHERE id = 1",
        "UPDATE journal_event SET seq = 7 WHERE id = 1",
        "UPDATE journal_event SET seq = NULL WHERE id = 1",
        "UPDATE journal_event SET body = leaf_hash WHERE id = 1",
        "DELETE FROM journal_tile",
        "UPDATE journal_tile SET data = substr(data, 1, 32)",
        "DELETE FROM journal_checkpoint",
        "UPDATE journal_checkpoint SET size = 0",
    ],
)
def test_what_is_written_stays(book: Book, statement: str) -> None:
    """The database itself refuses to change or delete events, tiles and checkpoints."""
    add(book, [plain(0), plain(1)])
    sequence(book)
    with pytest.raises(IntegrityError, match="append-only"), writer(book.engine) as session:
        session.connection().execute(text(statement))


def test_sqlite_does_not_replace_rows_past_the_triggers(tmp_path: Path, book: Book) -> None:
    """INSERT OR REPLACE deletes without DELETE; the recursive triggers see it."""
    if book.engine.dialect.name != "sqlite":
        return
    add(book, [plain(0)])
    statement = "INSERT OR REPLACE INTO journal_event SELECT id, leaf_hash, leaf_hash, seq FROM journal_event"
    with pytest.raises(IntegrityError, match="append-only"), writer(book.engine) as session:
        session.connection().execute(text(statement))


def test_a_leaf_too_long_for_a_bundle_is_refused(book: Book) -> None:
    """65,535 bytes are what an entry's length can say."""
    leaf = Leaf(kind="key:added", at=START, file=b"x" * 70_000)
    with pytest.raises(ValueError, match="at most"), writer(book.engine) as session:
        book.journal.append(session, leaf)


def test_many_writers_and_sequencers_lose_and_double_nothing(book: Book) -> None:
    """Writers commit out of order while sequencers race: every committed leaf gets one number, none is skipped."""
    threads, rounds = 6, 12
    failures: list[BaseException] = []
    kept: list[bytes] = []
    guard = threading.Lock()

    def write(worker: int) -> None:
        for turn in range(rounds):
            number = worker * rounds + turn
            with writer(book.engine) as session:
                digests = [book.journal.append(session, plain(number * 3 + step)) for step in range(3)]
            with guard:
                kept.extend(digests)

    def number() -> None:
        for _ in range(rounds):
            sequence(book, limit=7)

    def run(work: object, *arguments: int) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001  a thread's failure is the test's
            failures.append(error)

    workers = [threading.Thread(target=run, args=(write, worker)) for worker in range(threads)]
    workers += [threading.Thread(target=run, args=(number,)) for _ in range(3)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert failures == []
    head = sequence(book)
    with reader(book.engine) as session:
        indices = [book.journal.index_of(session, digest) for digest in kept]
        entries = b"".join(
            book.journal.entries(session, place.index, place.width)
            for place in tiles_of(head.size)
            if place.level == ENTRIES
        )
    assert sorted(index for index in indices if index is not None) == list(range(threads * rounds * 3))
    assert head.root == tree_root([leaf_hash(entry) for entry in split_entries(entries)])


def test_a_late_commit_is_not_skipped(book: Book) -> None:
    """On PostgreSQL an event with a lower id may commit after a higher one was numbered; it is numbered next."""
    if book.engine.dialect.name != "postgresql":
        return
    with writer(book.engine) as slow:
        first = book.journal.append(slow, plain(0))
        second = add(book, [plain(1)])[0]
        assert sequence(book).size == 1
    sequence(book)
    with reader(book.engine) as session:
        assert [book.journal.index_of(session, digest) for digest in (first, second)] == [1, 0]


def test_a_reader_sees_one_moment_and_writes_nothing(book: Book) -> None:
    """What is committed while a reader is open stays unseen; its own writes are refused."""
    add(book, [plain(0)])
    with reader(book.engine) as session:
        count = text("SELECT count(*) FROM journal_event")
        assert session.connection().scalar(count) == 1
        add(book, [plain(1)])
        assert session.connection().scalar(count) == 1
        with pytest.raises(Exception, match="read"):
            session.connection().execute(text("DELETE FROM journal_tile"))


def test_the_databases_clock_is_ours_and_never_runs_back(book: Book) -> None:
    """Time comes from the database in whole milliseconds; a floor two seconds ahead is kept, further ahead refused."""
    with reader(book.engine) as session:
        now = database_now(session)
        assert now.utcoffset() == timedelta(0)
        assert now.microsecond % 1000 == 0
        ahead = now + timedelta(seconds=1)
        assert database_now(session, ahead) == ahead
        with pytest.raises(StorageError) as refusal:
            database_now(session, now + timedelta(minutes=1))
    assert refusal.value.code == "clock-behind"
    assert not_before(START, None) == START


def test_a_full_disk_is_an_error_of_storage_and_changes_nothing(tmp_path: Path) -> None:
    """SQLite out of pages: nothing acknowledged, the words say what to do, and the database goes on afterwards."""
    engine = make_engine(f"sqlite:///{tmp_path / 'small.db'}")
    with writer(engine) as session:
        session.connection().execute(text("CREATE TABLE t (a BLOB)"))
        session.connection().execute(text("PRAGMA max_page_count=4"))
    with pytest.raises(StorageError, match="存储空间已满") as refusal, writer(engine) as session:
        session.connection().execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    assert refusal.value.code == "storage-full"
    with reader(engine) as session:
        assert session.connection().scalar(text("SELECT count(*) FROM t")) == 0


def test_a_database_that_is_not_there_is_an_error_of_storage(tmp_path: Path) -> None:
    """A folder that does not exist, or a server that does not answer."""
    for address in (f"sqlite:///{tmp_path}/none/register.db", "postgresql://nobody@127.0.0.1:1/none"):
        with pytest.raises(StorageError) as refusal, writer(make_engine(address)) as session:
            session.connection()
        assert refusal.value.code == "storage-unavailable"
