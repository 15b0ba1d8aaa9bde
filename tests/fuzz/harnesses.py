"""What is fed with bad bytes: the readers of what strangers send, each with what must hold whatever it gets.

The errors that a reader documents are its refusal; any other exception is a finding. Where a signature tells what is
genuine, a reading that passes must say what the untouched seed says: then a change of bytes that means nothing may
pass, one that means something may not. The seeds are made by the tests' own builders, so nothing binary is kept.
"""

import io
import tarfile
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from certlib.domain.verdict import GENUINE
from certlib.errors import CertlibError, VerificationError
from certlib.formats.code import read_code
from certlib.formats.digits import from_digits, to_digits
from certlib.formats.leaf import Leaf, statuses_of
from certlib.formats.ses_reader import read_seal, read_signature
from certlib.formats.status import StatusList, read_status_list
from certlib.formats.tlog import leaf_hash, tree_root
from certlib.formats.tlog_chain import read_link
from certlib.formats.tlog_checkpoint import Checkpoint, open_checkpoint
from certlib.formats.tlog_note import Note, NoteSignature, VerifierKey
from certlib.formats.tlog_proof import InclusionProof, WitnessRequest
from certlib.formats.tlog_tiles import TilePlace, join_entries, split_entries, split_hashes
from certlib.verify.audit import audit
from certlib.verify.bundle import TarBundle
from certlib.verify.chain import Authorities
from certlib.verify.codes import examine_code
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from certlib.verify.ses_file import examine_ses_file, national_authorities
from certlib.verify.span import guard
from tests.formats import test_ses, test_status
from tests.fuzz.harness import Harness, Seeds
from tests.fuzz.parts import PARTS
from tests.fuzz.signed import SIGNED
from tests.journal.histories import START, TRUST, City
from tests.verify import test_codes
from tests.verify.samples import NOW, seal, signer


@cache
def sealed() -> Seeds:
    """A sealed file with a timestamp and one without, in two suites."""
    return seal(), seal(by=signer(suite="rsa"), stamped=False)


@cache
def roots() -> TrustRoots:
    return TrustRoots.load()


def check_guard(pdf: bytes) -> None:
    """Without a fault, what is signed reaches to the end, and the gap holds one value and nothing else."""
    guarded = guard(pdf)
    for span in guarded.spans:
        assert 0 < span.before < span.after <= span.end <= len(pdf)
        gap = bytes.fromhex(pdf[span.before + 1 : span.after - 1].decode())
        assert gap[: len(span.contents)] == span.contents
        assert not any(gap[len(span.contents) :])
    if guarded.spans and not guarded.faults:
        assert guarded.spans[-1].end == len(pdf)


def check_pdf(pdf: bytes) -> None:
    """Only the files as they were sealed are genuine."""
    report = examine(pdf, trust=roots(), at=NOW)
    assert report.verdict not in GENUINE or pdf in sealed(), report.as_line()


def seals_and_signatures() -> Seeds:
    """Versions 4, 1 and 5; a real one by our own maker's key."""
    v5 = test_ses.SEAL.replace(b"\x02\x01\x04\x16\x07CERTLIB", b"\x02\x01\x05\x16\x07CERTLIB")
    parts = (
        test_ses.der.bits(test_ses._utc(test_ses.NOW)),
        test_ses.der.bits(bytes(32)),
        test_ses.der.ia5("/doc"),
        test_ses.der.octets(b"certificate"),
        test_ses.ALGORITHM,
    )
    tbs = test_ses.der.sequence(test_ses.der.integer(1), test_ses._seal_v1(), *parts)
    v1 = test_ses.der.sequence(tbs, test_ses.der.bits(b"signature"))
    return test_ses.SIGNATURE, v1, test_ses.SEAL, v5, test_ses._seal_v1()


def check_ses(data: bytes) -> None:
    """Read, or refused with a `ValueError`; what is read keeps the bytes that came."""
    for read in (read_seal, read_signature):
        with suppress(ValueError):
            assert read(data).raw == data


def check_ses_report(data: bytes) -> None:
    """A report for anything, and none genuine: nobody whom we trust made these seals."""
    for name in ("a.ses", "a.esl"):
        report = examine_ses_file(data, b"original", authorities(), at=NOW, name=name)
        assert report.verdict not in GENUINE
        assert any(finding.outcome == "fail" for finding in report.findings)


@cache
def authorities() -> Authorities:
    """The development roots of SM2."""
    return national_authorities(None)


@cache
def code_message() -> bytes:
    """The signed CBOR of a code."""
    return from_digits(test_codes.TEXT.partition("#")[2][1:])


def check_code_text(data: bytes) -> None:
    """A code is genuine when it says what the signed one says."""
    text = data.decode("latin-1")
    report = examine_code(text, test_codes.TRUST, at=test_codes.NOW)
    assert report.verdict not in GENUINE or read_code(text).payload == test_codes.PAYLOAD


def check_code_message(data: bytes) -> None:
    """The same, with the digits always in order: what is changed is the CBOR."""
    check_code_text(b"1" + to_digits(data).encode())


@cache
def status_token() -> bytes:
    pairs = {test_status.SHARD_SIZE + n: n % 11 for n in range(0, 3000, 7)}
    return test_status.token(pairs)


@cache
def status_list() -> StatusList:
    return read_status_list(status_token(), test_status.trusted())


def check_status(data: bytes) -> None:
    """A list that is believed is the one that was signed."""
    with suppress(VerificationError):
        assert read_status_list(data, test_status.trusted()) == status_list()


def leaves() -> Seeds:
    return tuple({leaf.kind: leaf.encode() for leaf in a_morning().leaves}.values())


def check_leaf(data: bytes) -> None:
    """A leaf, or a `ValueError`; one encoding, whichever way it was read."""
    with suppress(ValueError):
        statuses_of(data)
    try:
        leaf = Leaf.decode(data)
    except ValueError:
        return
    assert leaf.encode() == data
    assert leaf == Leaf._by_map(data)
    assert statuses_of(data) == leaf.statuses


@cache
def a_morning() -> City:
    """Four certificates, one revoked, and three heads."""
    city = City()
    city.head(START)
    for number in range(4):
        city.issue(number, START + timedelta(minutes=number + 1))
    city.head(START + timedelta(minutes=6), witnessed=True)
    city.revoke(2, START + timedelta(minutes=7))
    city.head(START + timedelta(minutes=9), witnessed=True)
    return city


@cache
def bundle() -> tuple[bytes, dict[str, bytes]]:
    """The morning's bundle as a tar file, and its files."""
    with TemporaryDirectory() as folder:
        path = a_morning().export(Path(folder))
        files = {str(one.relative_to(path)): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}
    return _tar(files), files


def _tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def bundle_members() -> Seeds:
    """Each kind of file of the bundle once, after one byte that says which."""
    _, files = bundle()
    return tuple(bytes([number]) + data for number, data in enumerate(files.values()))


def check_bundle_member(data: bytes) -> None:
    """A bundle that is whole but for one file, which is these bytes: the same must hold."""
    _, files = bundle()
    name = sorted(files)[data[0] % len(files)] if data else "checkpoint"
    check_bundle(_tar({**files, name: data[1:]}))


@cache
def bundle_root() -> bytes:
    return tree_root([leaf_hash(leaf.encode()) for leaf in a_morning().leaves])


def check_bundle(data: bytes) -> None:
    """An audit of anything ends in a report; one without a breach is of the journal that was signed."""
    try:
        opened = TarBundle(io.BytesIO(data))
    except VerificationError:
        return
    report = audit(opened, TRUST, quorum=2)
    assert not report.holds or (report.root, report.size) == (bundle_root(), len(a_morning().leaves))


@cache
def notes() -> tuple[str, ...]:
    return tuple(a_morning().notes())


def texts() -> Seeds:
    """Heads, proofs, requests to a witness, paths of tiles, keys."""
    hashes = tuple(bytes([number]) * 32 for number in range(3))
    proof = InclusionProof(index=1, hashes=hashes, checkpoint=notes()[-1], extra=b"leaf").encode()
    request = WitnessRequest(old=1, proof=hashes, checkpoint=notes()[-1]).encode()
    key = str(next(iter(TRUST.journal)))
    return tuple(text.encode() for text in (*notes(), proof, request, "tile/0/x001/234.p/17", key))


def check_texts(data: bytes) -> None:
    """Every reader of a text of the journal: read, or refused with an error of our tree; a head that opens is ours."""
    text = data.decode(errors="replace")
    signed = {note.partition("\n\n")[0] + "\n" for note in notes()}
    for read in (Note.parse, NoteSignature.parse, InclusionProof.parse, WitnessRequest.parse, VerifierKey.parse):
        with suppress(CertlibError):
            read(text)
    with suppress(VerificationError):
        read_link(Checkpoint.parse(text))
    with suppress(VerificationError):
        assert open_checkpoint(text, TRUST.journal, TRUST.witnesses).note.text in signed
    with suppress(VerificationError):
        assert TilePlace.parse(text).path == text


def tiles() -> Seeds:
    return join_entries(leaf.encode() for leaf in a_morning().leaves), bytes(range(64))


def check_tiles(data: bytes) -> None:
    """Entries and hashes write as they were read."""
    with suppress(VerificationError):
        assert join_entries(split_entries(data)) == data
    with suppress(VerificationError):
        assert b"".join(split_hashes(data)) == data


_PDF_WORDS = (
    b"/ByteRange [0 ",
    b"/Contents <",
    b"%%EOF\n",
    b"/Type/Sig",
    b"xref\n",
    b"startxref\n0\n",
    b"obj<</",
    b"> ",
)
_DER_WORDS = (b"\x30\x84", b"\x30\x80", b"\x02\x01\x04", b"\x02\x01\x05", b"\x16\x02ES", b"\xa0\x03", b"\x00\x00")
_CBOR_WORDS = (
    b"\xd2",
    b"\x84",
    b"\xa0",
    b"\x9f",
    b"\xff",
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x1b",
    b"\xf9~\0",
)
_TEXT_WORDS = (
    b"\n\n",
    "— ".encode(),
    b"c2sp.org/tlog-proof@v1\n",
    b"index 0\n",
    b"old 3\n",
    b"AAAA",
    b"=",
    b"\r\n",
    b"007",
)
_JSON_WORDS = (b'{"seq": 1', b"[" * 50, b"1e999", b"NaN", b'"\\ud800"', b"null", b"\n", b"-1", b"9" * 30, b"\x00" * 64)

HARNESSES = {
    one.name: one
    for one in (
        Harness("span", sealed, check_guard, _PDF_WORDS, 400, 1 << 17),
        Harness("pdf", sealed, check_pdf, _PDF_WORDS, 60, 1 << 17),
        Harness("ses", seals_and_signatures, check_ses, _DER_WORDS),
        Harness("ses-report", seals_and_signatures, check_ses_report, _DER_WORDS),
        Harness(
            "code-text", lambda: (test_codes.TEXT.encode(),), check_code_text, (b"0" * 17, b"9" * 17, b"#1", b"/v#")
        ),
        Harness("code-message", lambda: (code_message(),), check_code_message, _CBOR_WORDS),
        Harness("status", lambda: (status_token(),), check_status, _CBOR_WORDS),
        Harness("leaf", leaves, check_leaf, _CBOR_WORDS, 2000, 1 << 12),
        Harness("texts", texts, check_texts, _TEXT_WORDS),
        Harness("tiles", tiles, check_tiles, (b"\x00\x00", b"\xff\xff"), 400, 1 << 12),
        Harness("bundle", lambda: (bundle()[0],), check_bundle, _JSON_WORDS, 150, 1 << 17),
        Harness("bundle-member", bundle_members, check_bundle_member, _JSON_WORDS, 300),
        *SIGNED,
        *PARTS,
    )
}
