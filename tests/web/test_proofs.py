"""Proofs of the journal by HTTP, checked with nothing but what was fetched and the keys an auditor holds."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from certlib.catalogue import example
from certlib.crypto.development import development_key
from certlib.errors import VerificationError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from certlib.formats.tlog_checkpoint import open_checkpoint
from certlib.formats.tlog_note import ED25519, VerifierKey
from certlib.formats.tlog_proof import InclusionProof
from certlib.formats.tlog_tiles import WIDTH, split_entries
from service.published import MOMENT
from tests.journal.test_merkle import CONSISTENCY, INCLUSION, LEAVES, ROOTS

from .conftest import BASE


def log(web: Any, path: str, status: int = 200, **query: Any) -> Any:
    """What anyone gets, without a token."""
    response = web.http.get(f"/log/{path}", params=query)
    assert response.status_code == status, response.text
    return response


def key_of(web: Any) -> VerifierKey:
    """The journal's public key, as an auditor was given it."""
    return VerifierKey(web.office.journal.origin, ED25519, development_key("journal").public_key[-32:])


def head(web: Any) -> Any:
    """The newest signed head, its signature checked; the service keeps what it serves for a moment."""
    time.sleep(2 * MOMENT)
    return open_checkpoint(log(web, "checkpoint").text, [key_of(web)]).checkpoint


def entries(web: Any, size: int) -> list[bytes]:
    """Every leaf, from the tiles."""
    full, rest = divmod(size, WIDTH)
    paths = [f"tile/entries/{index:03d}" for index in range(full)]
    paths += [f"tile/entries/{full:03d}.p/{rest}"] if rest else []
    return [leaf for path in paths for leaf in split_entries(log(web, path).content)]


def hashes(answer: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(text) for text in answer["hashes"]]


def test_every_leaf_is_proved_under_the_signed_head(web: Any) -> None:
    """By number and by hash, under the newest head and under one of the past."""
    web.issued()
    old = head(web)
    web.issued()
    new = head(web)
    leaves = entries(web, new.size)
    for tree in (old, new):
        for index in {0, 1, old.size // 2, old.size - 1}:
            digest = leaf_hash(leaves[index])
            by_number = log(web, "proof", leaf=index, size=tree.size).json()
            assert log(web, "proof", leaf=digest.hex(), size=tree.size).json() == by_number
            assert (by_number["leaf_hash"], by_number["root"]) == (digest.hex(), tree.root.hex())
            verify_inclusion(index, tree.size, digest, hashes(by_number), tree.root)
            with pytest.raises(VerificationError):
                verify_inclusion(index, tree.size, leaf_hash(b"another"), hashes(by_number), tree.root)
    assert log(web, "proof", leaf=0).json()["size"] == new.size


def test_the_log_only_grew(web: Any) -> None:
    """Between any two sizes, signed or not, and from the empty tree."""
    web.issued()
    old = head(web)
    web.issued()
    new = head(web)
    answer = log(web, "consistency", **{"from": old.size, "to": new.size}).json()
    verify_consistency(old.size, new.size, hashes(answer), old.root, new.root)
    assert log(web, "consistency", **{"from": old.size}).json() == answer
    for size in (1, 2, 3, old.size - 1):
        between = log(web, "consistency", **{"from": size, "to": new.size}).json()
        root = bytes.fromhex(log(web, "proof", leaf=0, size=size).json()["root"])
        verify_consistency(size, new.size, hashes(between), root, new.root)
    empty = log(web, "consistency", **{"from": 0, "to": new.size}).json()
    assert (empty["hashes"], empty["from_root"]) == ([], EMPTY_ROOT.hex())
    same = log(web, "consistency", **{"from": new.size, "to": new.size}).json()
    assert (same["hashes"], same["to_root"]) == ([], new.root.hex())


def test_the_verifier_is_held_to_the_vectors_of_the_rfc() -> None:
    """What checks the answers above accepts the published proofs and refuses them shortened."""
    for index, size, proof in INCLUSION:
        path = [bytes.fromhex(text) for text in proof]
        verify_inclusion(index, size, leaf_hash(LEAVES[index]), path, ROOTS[size - 1])
        with pytest.raises(VerificationError):
            verify_inclusion(index, size, leaf_hash(LEAVES[index]), [*path, bytes(32)], ROOTS[size - 1])
    for old, new, proof in CONSISTENCY:
        path = [bytes.fromhex(text) for text in proof]
        verify_consistency(old, new, path, ROOTS[old - 1], ROOTS[new - 1])


@pytest.mark.parametrize(
    "beyond",
    [
        "proof?leaf=0&size={more}",
        "proof?leaf={size}&size={size}",
        "proof?leaf={size}",
        f"proof?leaf={'ab' * 32}",
        "consistency?from=0&to={more}",
        "consistency?from={more}",
        f"files/{'ab' * 32}/proof",
    ],
)
def test_what_is_not_there(web: Any, beyond: str) -> None:
    """A size, a leaf, a hash or a file beyond the log: a problem document that says so."""
    web.issued()
    size = head(web).size
    response = web.http.get(f"/log/{beyond.format(size=size, more=size + 1000)}")
    assert response.status_code == 404, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"{BASE}/problems#not-found"
    assert response.json()["detail"]


@pytest.mark.parametrize(
    "bad",
    [
        "proof",
        "proof?leaf=-1",
        "proof?leaf=x",
        "proof?leaf=0&size=0",
        "proof?leaf=0&size=y",
        "proof?leaf=0&size=99999999999999999999",
        "consistency",
        "consistency?from=-1",
        "consistency?from=2&to=1",
        "files/xyz/proof",
    ],
)
def test_what_is_no_question(web: Any, bad: str) -> None:
    """Fault by fault, with the place of each."""
    response = web.http.get(f"/log/{bad}")
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert all(fault["message"] and fault["path"] for fault in response.json()["faults"])


def test_a_proof_of_given_sizes_may_be_kept_for_ever(web: Any) -> None:
    """Anyone may fetch it from anywhere; one up to the newest head is asked for again."""
    web.issued()
    size = head(web).size
    fixed, newest = log(web, "proof", leaf=0, size=size), log(web, "proof", leaf=0)
    assert "immutable" in fixed.headers["cache-control"]
    assert newest.headers["cache-control"] == "public, no-cache"
    assert fixed.headers["access-control-allow-origin"] == "*"
    again = web.http.get("/log/proof?leaf=0", headers={"if-none-match": newest.headers["etag"]})
    assert again.status_code == 304


def test_beside_each_file_stands_its_proof(web: Any) -> None:
    """The file's bytes, the proof and the journal's key are enough; another file's proof does not do."""
    issued = web.issued()
    web.office.ask_witnesses()
    view = web.http.get(issued["links"]["self"], headers=web.headers()).json()
    address = view["editions"][0]["files"][0]["proof"]
    pdf = web.http.get(issued["links"]["file"], headers=web.headers()).content
    digest = hashlib.sha256(pdf).digest()
    assert address == f"/log/files/{digest.hex()}/proof"
    response = web.http.get(address)
    proof = InclusionProof.parse(response.text)
    signed = proof.verify(leaf_hash(proof.extra), [key_of(web)])
    leaf = Leaf.decode(proof.extra)
    assert (leaf.file, leaf.kind) == (digest, "certificate:in-force")
    assert signed.checkpoint.size > proof.index
    assert entries(web, signed.checkpoint.size)[proof.index] == proof.extra
    other = InclusionProof.parse(web.http.get(f"/log/files/{web.issued()['sha256']}/proof").text)
    with pytest.raises(VerificationError):
        proof.verify(leaf_hash(other.extra), [key_of(web)])


def test_documents_have_their_proof_too(web: Any) -> None:
    """A decision's file is proved by the leaf of its sealing."""
    case = web.request()["case"]
    body = {**example("2-25", now=datetime.now(UTC), kind="licence-decision"), "case": case}
    body["facts"] = {**body["facts"], "case": case["number"]}
    done = web.post(body, path="/v1/documents")
    assert done.status_code == 201, done.text
    web.office.tick()
    sha256 = done.json()["sha256"]
    proof = InclusionProof.parse(log(web, f"files/{sha256}/proof").text)
    proof.verify(leaf_hash(proof.extra), [key_of(web)])
    assert (Leaf.decode(proof.extra).kind, Leaf.decode(proof.extra).file.hex()) == ("document:sealed", sha256)


def test_a_proof_beside_a_file_takes_no_citizens_place(web: Any) -> None:
    """While every place for looking codes up is taken, the proof is given."""
    address, taken = f"/log/files/{web.issued()['sha256']}/proof", 0
    while web.service.looking.acquire(blocking=False):
        taken += 1
    try:
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(web.http.get, address)
            done, _ = wait([answer], timeout=20)
            web.service.looking.release()  # so that an answer that waits for a place comes to an end
            answer.result()
            web.service.looking.acquire()
    finally:
        web.service.looking.release(taken)
    assert done


def test_no_proof_reads_all_heads(web: Any) -> None:
    """The heads around a file's moment, and the newest with enough cosignatures, are found by their keys."""
    digest, said = web.issued()["sha256"], []
    web.office.ask_witnesses()
    engine = web.office.register.engine
    note = lambda _c, _u, statement, parameters, _x, _m: said.append((statement, parameters))  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    try:
        web.office.file_proof(digest)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    looked = [(text, values) for text, values in said if "journal_checkpoint" in text or "journal_cosignature" in text]
    assert len(looked) > 4
    with engine.connect() as connection:
        for text, values in looked:
            plan = " / ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values))
            assert "TEMP B-TREE" not in plan, (plan, text)
            assert "LIMIT" in text or "SCAN" not in plan, (plan, text)


def test_a_proof_names_nobody(web: Any) -> None:
    """Neither holder nor number nor officer stands in what is given without a token."""
    issued = web.issued()
    view = web.http.get(issued["links"]["self"], headers=web.headers()).json()
    index = InclusionProof.parse(log(web, f"files/{issued['sha256']}/proof").text).index
    told = log(web, f"files/{issued['sha256']}/proof").content + log(web, "proof", leaf=index).content
    persons = [view["decision"][step]["person"] for step in ("acceptance", "review", "approval")]
    for word in (view["holder"]["name"], view["holder"]["code"], view["number"], *persons):
        assert word.encode() not in told
