"""Signed notes, checkpoints, tiles and proof texts, byte for byte after C2SP."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certlib.crypto.keys import PemKey
from certlib.errors import ConfigurationError, VerificationError
from certlib.formats.tlog_chain import Link, line_digest, next_link, read_link, text_digest
from certlib.formats.tlog_checkpoint import Checkpoint, open_checkpoint
from certlib.formats.tlog_note import COSIGNATURE, Note, NoteKey, VerifierKey, open_note
from certlib.formats.tlog_proof import InclusionProof, WitnessRequest
from certlib.formats.tlog_tiles import (
    ENTRIES,
    TilePlace,
    join_entries,
    node_of_tiles,
    split_entries,
    tile_width,
    tiles_of,
)

# origin: golang.org/x/mod, sumdb/note, the package's worked example
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
NOTE = f"{TEXT}\n{LINE}"
AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)


def ed25519(seed: bytes) -> PemKey:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return PemKey.load(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), name="test")


NEUMANN_KEY = NoteKey.of("PeterNeumann", ed25519(NEUMANN_SEED))
WITNESS_KEY = NoteKey.of("witness.example/w1", ed25519(b"w" * 32), COSIGNATURE)
HEAD = Checkpoint("city.example/journal", 20852163, bytes(range(32)))
JOURNAL_KEY = NoteKey.of(HEAD.origin, ed25519(b"j" * 32))


def test_the_published_note_is_read_and_written_byte_for_byte() -> None:
    """The worked example of signed notes verifies, and signing its text again gives the same bytes."""
    opened = open_note(NOTE, [VerifierKey.parse(NEUMANN)])
    assert opened.note.text == TEXT
    assert [key.name for key in opened.signed] == ["PeterNeumann"]
    assert Note(TEXT).signed(NEUMANN_KEY, at=AT).encode() == NOTE
    assert str(NEUMANN_KEY.verifier) == NEUMANN


@pytest.mark.parametrize(
    ("note", "code"),
    [
        (NOTE.replace("answer", "Answer"), "signature-invalid"),
        (NOTE.replace("x08go/ZJ", "x08go/ZK"), "signature-invalid"),
        (NOTE.replace("PeterNeumann x", "PeterNewmann x"), "unknown-issuer"),
        (NOTE.replace("x08go/", "y08go/"), "unknown-issuer"),
        (NOTE[:-1], "unreadable"),
        (NOTE.replace("\n\n", "\n"), "unreadable"),
        (NOTE.replace("— P", "- P"), "unreadable"),
        (NOTE.replace("AM=", "AM"), "unreadable"),
        (NOTE.replace("you", "y\x00u", 1), "unreadable"),
        (NOTE + "\n", "unreadable"),
        ("a" * 70_000, "unreadable"),
        ("", "unreadable"),
    ],
)
def test_a_note_that_is_not_what_was_signed_is_refused(note: str, code: str) -> None:
    """Text or signature changed, an unknown key, a form that is no note: each with its own word."""
    with pytest.raises(VerificationError) as refusal:
        open_note(note, [VerifierKey.parse(NEUMANN)])
    assert refusal.value.code == code


def test_lines_of_unknown_keys_are_ignored_and_a_bad_line_of_a_known_key_is_not() -> None:
    """A stranger's line under a good note changes nothing; a forged second line of a known key spoils it."""
    stranger = (
        "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QM=\n"
    )
    assert len(open_note(NOTE + stranger, [VerifierKey.parse(NEUMANN)]).note.signatures) == 2
    with pytest.raises(VerificationError, match="签名无效"):
        open_note(NOTE + LINE.replace("x08go/ZJ", "x08go/ZK"), [VerifierKey.parse(NEUMANN)])


@pytest.mark.parametrize(
    "text",
    [
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("PeterNeumann", "Peter"),
        NEUMANN.replace("+ARpc", "+BRpc"),
        NEUMANN[:-4],
        "PeterNeumann",
        "",
    ],
)
def test_a_verifier_key_that_does_not_fit_itself_is_refused(text: str) -> None:
    """Its id commits to name, type and key; a slip in any of them shows."""
    with pytest.raises(ConfigurationError):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_no_note_can_carry_is_refused(name: str) -> None:
    """Names have no spaces and no plus."""
    with pytest.raises(ConfigurationError):
        NoteKey.of(name, ed25519(b"x" * 32))


def test_a_cosignature_signs_the_time_with_the_text() -> None:
    """The signed message is two lines and the note's text (tlog-cosignature, Ed25519 signed message)."""
    note = Note(HEAD.text).signed(WITNESS_KEY, at=AT)
    raw = base64.b64decode(note.encode().rsplit(" ", 1)[1])
    assert int.from_bytes(raw[4:12], "big") == int(AT.timestamp())
    message = f"cosignature/v1\ntime {int(AT.timestamp())}\n{HEAD.text}".encode()
    Ed25519PrivateKey.from_private_bytes(b"w" * 32).public_key().verify(raw[12:], message)
    assert open_note(note.encode(), [WITNESS_KEY.verifier]).signed[WITNESS_KEY.verifier] == AT
    later = base64.b64encode(raw[:11] + bytes([raw[11] ^ 1]) + raw[12:]).decode()
    with pytest.raises(VerificationError):
        open_note(f"{HEAD.text}\n— {WITNESS_KEY.verifier.name} {later}\n", [WITNESS_KEY.verifier])


def test_a_checkpoint_needs_its_own_journals_signature() -> None:
    """A witness alone, or another journal's key, does not make a checkpoint."""
    note = Note(HEAD.text).signed(WITNESS_KEY, at=AT)
    for journal in (JOURNAL_KEY, NEUMANN_KEY):
        with pytest.raises(VerificationError) as refusal:
            open_checkpoint(note.signed(NEUMANN_KEY, at=AT).encode(), [journal.verifier], [WITNESS_KEY.verifier])
        assert refusal.value.code == "unknown-issuer"
    signed = open_checkpoint(note.signed(JOURNAL_KEY, at=AT).encode(), [JOURNAL_KEY.verifier], [WITNESS_KEY.verifier])
    assert (signed.checkpoint, signed.witnessed) == (HEAD, {"witness.example/w1": AT})


def test_a_checkpoint_without_enough_witnesses_is_not_confirmed() -> None:
    """The quorum asked for is the quorum found, counted by known witnesses."""
    note = Note(HEAD.text).signed(JOURNAL_KEY, at=AT).encode()
    with pytest.raises(VerificationError, match="0 个见证签名，应有 1 个") as refusal:
        open_checkpoint(note, [JOURNAL_KEY.verifier], [WITNESS_KEY.verifier], quorum=1)
    assert refusal.value.code == "status-unknown"


@pytest.mark.parametrize(
    "text",
    [
        "origin\n01\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "origin\n-1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "origin\n１\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "origin\n1\nAAEC\n",
        "origin\n1\nnot base64!\n",
        "origin\n1\n",
        "\n1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "origin\n1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        f"origin\n{10**30}\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    """Origin, size without leading zero, root of 32 bytes, each on a line of its own."""
    with pytest.raises(VerificationError):
        Checkpoint.parse(text)


def test_a_checkpoint_reads_as_it_writes() -> None:
    """The form of C2SP, extension lines allowed and kept."""
    assert HEAD.text == "city.example/journal\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert Checkpoint.parse(HEAD.text) == HEAD
    assert Checkpoint.parse(HEAD.text + "an extension\n") == replace(HEAD, extension=("an extension",))
    assert Checkpoint.parse(HEAD.text + "an extension\n").text == HEAD.text + "an extension\n"


def test_heads_name_the_one_before_and_cosignatures_they_have_seen() -> None:
    """Numbers from one; what is written is read again."""
    first = replace(HEAD, extension=next_link(None).lines)
    second = replace(HEAD, size=HEAD.size + 1, extension=next_link(first, [(HEAD.size, LINE)]).lines)
    assert read_link(HEAD) is None
    assert read_link(first) == Link(1)
    assert read_link(Checkpoint.parse(second.text)) == Link(
        2, text_digest(first.text), ((HEAD.size, line_digest(LINE)),)
    )
    assert read_link(replace(HEAD, extension=next_link(HEAD).lines)) == Link(1, text_digest(HEAD.text))


@pytest.mark.parametrize("line", ["an extension", "head", "head 01", "head 2 AAAA", "head 1 \u00e9", "head 1  x"])
def test_other_extension_lines_are_no_link(line: str) -> None:
    """Refused with our error, as any other head that cannot be read."""
    for lines in ((line,), ("head 1", line), ("head 1", "cosigned 3 " + line)):
        with pytest.raises(VerificationError):
            read_link(replace(HEAD, extension=lines))


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (TilePlace(0, 0), "tile/0/000"),
        (TilePlace(0, 999), "tile/0/999"),
        (TilePlace(0, 1000), "tile/0/x001/000"),
        (TilePlace(1, 1234067), "tile/1/x001/x234/067"),
        (TilePlace(2, 0, 1), "tile/2/000.p/1"),
        (TilePlace(ENTRIES, 273, 112), "tile/entries/273.p/112"),
    ],
)
def test_tile_paths_are_those_of_the_specification(place: TilePlace, path: str) -> None:
    """1234067 is x001/x234/067."""
    assert place.path == path
    assert TilePlace.parse(path) == place


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/../000",
        "tile/0/x001/x234",
        "tile/entries/000/",
        "/tile/0/000",
        "tile/0/" + "x001/" * 20 + "000",
    ],
)
def test_a_path_with_another_spelling_is_not_a_tile(path: str) -> None:
    """One tile, one path."""
    with pytest.raises(VerificationError):
        TilePlace.parse(path)


def test_a_tree_of_70000_has_the_tiles_the_specification_names() -> None:
    """273 full and one partial tile of 112, one full and one of 17, one of 1."""
    places = [place for place in tiles_of(70_000) if place.level != ENTRIES]
    assert [place.width for place in places if place.level == 0] == [256] * 273 + [112]
    assert [place.width for place in places if place.level == 1] == [256, 17]
    assert [place.width for place in places if place.level == 2] == [1]
    assert (tile_width(1, 1, 70_000), tile_width(1, 2, 70_000)) == (17, 0)


def test_a_tree_of_256_has_a_full_tile_and_one_above() -> None:
    """A full tile is hashed into the level above at once."""
    assert [place.path for place in tiles_of(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert list(tiles_of(0)) == []


def test_entries_come_back_and_a_cut_bundle_is_refused() -> None:
    """Each entry behind its length in two bytes, big-endian; empty ones too."""
    entries = [b"", b"a", b"b" * 65_535]
    bundle = join_entries(entries)
    assert bundle[:5] == b"\x00\x00\x00\x01a"
    assert split_entries(bundle) == entries
    for cut in (bundle[:-1], bundle[:1], bundle + b"\x00"):
        with pytest.raises(VerificationError):
            split_entries(cut)
    with pytest.raises(VerificationError):
        join_entries([b"c" * 65_536])


def test_a_tile_too_narrow_is_said_so() -> None:
    """A proof from a journal whose tiles were cut names the tile."""
    with pytest.raises(VerificationError, match="tile/0/000"):
        node_of_tiles(lambda _level, _index: b"x" * 32, 1, 0)


def test_proof_texts_read_as_they_write() -> None:
    """With and without extra data, with no hash and with many; the checkpoint stays verbatim."""
    note = Note(HEAD.text).signed(JOURNAL_KEY, at=AT).encode()
    for proof in (InclusionProof(0, (), note), InclusionProof(7, (b"h" * 32, b"i" * 32), note, b"extra \x00")):
        text = proof.encode()
        assert text.startswith("c2sp.org/tlog-proof@v1\n")
        assert InclusionProof.parse(text) == proof
    request = WitnessRequest(3, (b"h" * 32,), note)
    assert request.encode().startswith("old 3\naGho")
    assert WitnessRequest.parse(request.encode()) == request


@pytest.mark.parametrize(
    "text",
    [
        "c2sp.org/tlog-proof@v2\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 007\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 0\n!\n\nx",
        "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + "A" * 43 + "=\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + ("A" * 43 + "=\n") * 70 + "\nx",
        "",
    ],
)
def test_a_text_that_is_no_proof_is_refused(text: str) -> None:
    """Title, index without leading zeros, at most 63 hashes of 32 bytes, a checkpoint."""
    with pytest.raises(VerificationError):
        InclusionProof.parse(text)
