"""Reconciliation finds what differs between the two sides, repairs what is ours, and states what it found."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.city import tree
from certlib.city.reconcile import Kind, reconcile
from certlib.city.statement import Statement, read_statement, sign_statement
from certlib.crypto.keys import open_key
from certlib.domain.delivery import Delivery
from certlib.errors import VerificationError
from city_repository import ranges
from city_repository.store import derive, held_events, lose_event

from .conftest import NOW, now


def delivered(city, office, certificate, count=6):
    """Certificates with three events each, delivered."""
    certificates = [certificate() for _ in range(count)]
    for one in certificates:
        office.event(one, "issue")
        office.event(one, "change")
        office.event(one, "suspend", state="suspended", cause="penalty")
    with city.client() as client:
        office.worker(client).deliver_due()
    return certificates


def found(result):
    return {(difference.kind, difference.chain, difference.sequences) for difference in result.differences}


def compare(city, office, **options):
    with city.client() as client:
        return reconcile(office.queue, client, now=now(), **options)


def test_equal_sides_are_equal(city, office, certificate):
    """After delivery both sides have the same count and root, and nothing to repair."""
    delivered(city, office, certificate)
    result = compare(city, office)
    assert (result.equal, result.ours, result.theirs, result.differences) == (True, 6, 6, ())


def test_lost_events_are_found_and_repaired(city, office, certificate):
    """A whole certificate and a middle event that the repository lost are named, go out again, and the sides agree."""
    one, two, *_ = delivered(city, office, certificate)
    for sequence in (1, 2, 3):
        assert lose_event(city.app.state.repository.store, one.key, sequence, now="2026")
    assert lose_event(city.app.state.repository.store, two.key, 2, now="2026")
    result = compare(city, office)
    assert found(result) == {(Kind.MISSING, one.key, (1, 2, 3)), (Kind.STALE, two.key, (2,))}
    assert (result.repaired, result.equal) == (4, False)
    with city.client() as client:
        office.worker(client).deliver_due()
    assert compare(city, office).equal
    assert city.record(two.key)["missing"] == "[]"


def test_a_changed_record_is_put_right(city, office, certificate):
    """A record altered in the repository is named, goes out as a correction, and stands again as it was delivered."""
    one, *_ = delivered(city, office, certificate)
    store = city.app.state.repository.store
    with store.write() as connection:
        row = connection.execute("SELECT record FROM event WHERE base = ? AND sequence = 2", (one.key,)).fetchone()
        values = json.loads(row["record"]) | {"certificateHolderName": "冒名公司"}
        connection.execute(
            "UPDATE event SET record = ?, digest = ? WHERE base = ? AND sequence = 2",
            (json.dumps(values, ensure_ascii=False), "00" * 32, one.key),
        )
        derive(connection, one.key, held_events(connection, one.key), now="2026")
    result = compare(city, office)
    assert found(result) == {(Kind.CHANGED, one.key, (2,))}
    with city.client() as client:
        office.worker(client).deliver_due()
    assert compare(city, office).equal
    assert "冒名公司" not in str(store.rows("SELECT record FROM event WHERE base = ?", one.key)[1]["record"])


def test_what_only_they_have_is_reported_and_left(city, office, certificate):
    """A certificate we never sent is reported as foreign; nothing is sent for it."""
    delivered(city, office, certificate)
    stranger = certificate()
    message, data = stranger.message("issue")
    odd = Delivery(
        id=0, chain=stranger.key, identifier=message["identifier"], sequence=1, operation="issue",
        message={**message, "sequence": 1}, file=lambda: data,
    )  # fmt: skip
    with city.client() as client:
        assert client.push(odd).line.kind == "success"
    result = compare(city, office)
    assert found(result) == {(Kind.FOREIGN, stranger.key, (1,))}
    assert (result.repaired, office.queue.backlog().due) == (0, 0)


def test_what_is_under_way_is_no_difference(city, office, certificate):
    """An event that arrived but whose acknowledgement we do not have yet is counted as waiting."""
    (one,) = delivered(city, office, certificate, count=1)
    office.event(one, "resume")
    (delivery,) = office.queue.claim("slow", now(), 1, 60)
    with city.client() as client:
        client.push(delivery)
    result = compare(city, office)
    assert (result.differences, result.waiting, result.equal) == ((), 1, False)


def test_repairing_can_be_left_out(city, office, certificate):
    """Without repair the differences are reported and nothing becomes due."""
    one, *_ = delivered(city, office, certificate)
    lose_event(city.app.state.repository.store, one.key, 3, now="2026")
    result = compare(city, office, repair=False)
    assert (found(result), office.queue.backlog().due) == ({(Kind.STALE, one.key, (3,))}, 0)


def test_the_daily_counts_agree(city, office, certificate):
    """Both sides count the events of a day alike."""
    delivered(city, office, certificate)
    with city.client() as client:
        assert client.daily("2026-01-01", "2026-01-31") == office.queue.daily("2026-01-01", "2026-01-31")
    assert office.queue.daily("2026-01-01", "2026-01-31") == {"2026-01-05": 18}


chains = st.dictionaries(
    st.text("0123456789ABC.", min_size=1, max_size=12),
    st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=3),
    max_size=30,
)


@settings(max_examples=20, deadline=None)
@given(chains)
def test_both_sides_compute_the_same_tree(held):
    """The tree of the library and the definition the repository follows give the same root for any content."""
    events = [(chain, n, digest) for chain in sorted(held) for n, digest in enumerate(held[chain], start=1)]
    ours = tree.Tree.of(events)
    buckets = {}
    for chain, digests in held.items():
        buckets.setdefault(ranges.bucket_of(chain), []).append(ranges.leaf(chain, enumerate(digests, start=1)))
    nodes = [ranges.node(sorted(buckets.get(n, []))) for n in range(65536)]
    parts = [ranges.node(nodes[first << 8 : (first + 1) << 8]) for first in range(256)]
    assert ours.root == ranges.node(parts)
    assert ours.count == len(held)


def statement(**changes):
    values = {
        "target": "city", "at": NOW, "ours": 3, "theirs": 3, "our_root": bytes(32), "their_root": bytes(32),
        "differences": {"missing": 0}, "waiting": 0,
    }  # fmt: skip
    return Statement(**{**values, **changes})


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "statement.pem"
    private = generate_private_key(SECP256R1())
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return open_key(f"pem:{path}")


def test_a_statement_says_equal_or_how_far(key):
    """The sentence names the moment in Shanghai, the count and the digest, or what differs."""
    assert statement().sentence.startswith("2026-01-05 10:00:00，双方一致：3 件证照，摘要 0000")
    apart = statement(theirs=2, their_root=b"\1" * 32, differences={"missing": 1, "foreign": 0})
    assert apart.sentence == "2026-01-05 10:00:00，双方不一致：本方 3 件，对方 2 件；缺失 1。"


def test_a_signed_statement_reads_back(key):
    """A statement survives signing and reading; a changed byte or another key does not pass."""
    signed = sign_statement(statement(), key)
    assert read_statement(signed, key.public_key) == statement()
    changed = signed.replace(b'"ours":3', b'"ours":4')
    with pytest.raises(VerificationError):
        read_statement(changed, key.public_key)
    with pytest.raises(VerificationError):
        read_statement(b"not a message", key.public_key)
