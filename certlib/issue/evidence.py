"""The evidence pack of one edition: everything a court's expert needs, checkable without our software.

A zip with the sealed file, the signature taken out of it, the X.509 chain, revocation lists, the timestamp, the seal
authorisation, the decision's chain, the history, the journal's proofs, and a README with the commands of openssl,
pdfsig and sha256sum.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import Session, col, select

from certlib.crypto.attributes import SEAL_USE
from certlib.errors import NotFoundError
from certlib.formats.tlog_proof import InclusionProof
from certlib.issue.draft import moment_text
from certlib.issue.evidence_readme import JOURNAL, README
from certlib.journal.journal import Journal
from certlib.register.certificates import load_certificate
from certlib.register.file_leaves import file_proof
from certlib.register.seal_tables import SealAuthorisationRow, SealUseRow
from certlib.register.tables import EditionRow, EventRow
from certlib.verify.form import Message, read_message, read_token
from certlib.verify.span import guard


def evidence_pack(
    session: Session,
    journal: Journal[Session],
    place: tuple[str, int],
    *,
    pdf: bytes,
    keys: Path,
    now: datetime,
    title: str,
    cosignatures: int = 0,
) -> bytes:
    """The pack of an edition (certificate's key and index) as a zip; `pdf` is the file as it was sealed.

    Proofs are under the newest head with so many `cosignatures` that covers them, else under the newest.
    Raises `NotFoundError` for an edition that this office did not seal.
    """
    key, index = place
    row, _ = load_certificate(session, key)
    edition = session.get(EditionRow, (key, index))
    sha256 = hashlib.sha256(pdf).hexdigest()
    use = _use(session, sha256, edition)
    span = guard(pdf).spans[0]
    message = read_message(span.contents)
    authorisation = session.get(SealAuthorisationRow, use.authorisation)
    assert edition is not None  # noqa: S101  `_use` has refused one that is not there
    files: dict[str, bytes] = {
        "certificate.pdf": pdf,
        "seal.p7s": span.contents,
        "content.bin": b"".join(span.covered(pdf)),
        "signature.bin": message.signature,
        "timestamp.tst": message.token,
        "authorisation.json": authorisation.canonical if authorisation else b"",
        "decision.json": _json(edition.decision),
        "edition.json": _json(_edition(edition)),
        "history.json": _json([_event(event) for event in _events(session, key)]),
        **dict(_chain(message, keys)),
        **dict(_file(file_proof(session, journal, sha256, cosignatures=cosignatures))),
        **dict(_journal(session, journal, key, cosignatures)),
    }
    origin, verifier = journal.origin, str(journal.verifiers[0])
    files["README.md"] = README.format(
        title=title,
        number=row.number,
        edition=index,
        made=moment_text(now),
        made_at=int(now.timestamp()),
        sealed_at=int((read_token(message.token).at if message.token else now).timestamp()),
        before=span.before,
        after_1=span.after + 1,
        length=span.end - span.after,
        counter=use.counter,
        authorisation=use.authorisation_sha256,
        attribute=SEAL_USE,
        origin=origin,
        verifier=verifier,
        journal=JOURNAL.format(origin=origin),
    ).encode()
    return _zip(files, now)


def _use(session: Session, sha256: str, edition: EditionRow | None) -> SealUseRow:
    query = select(SealUseRow).where(SealUseRow.output_sha256 == sha256, SealUseRow.state == "used")
    use = session.exec(query).first()
    if edition is None or use is None:
        raise NotFoundError("这一版没有由本系统用印的文件，没有证据包。")
    return use


def _chain(message: Message, keys: Path) -> Iterator[tuple[str, bytes]]:
    yield "chain/signer.pem", _pem(message.certificate)
    above = [der for der in message.certificates if der != message.certificate]
    yield "chain/issuing.pem", b"".join(_pem(der) for der in above)
    yield "chain/root.pem", b"".join(path.read_bytes() for path in sorted((keys / "trust").glob("*.pem")))
    stamp = read_token(message.token).message.certificates if message.token else ()
    yield "chain/tsa.pem", b"".join(_pem(der) for der in stamp)
    for path in sorted((keys / "crl").glob("*.crl")):
        yield f"crl/{path.stem}.pem", _list_pem(path.read_bytes())


def _pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def _list_pem(data: bytes) -> bytes:
    """A revocation list as text, whichever way it is kept: what follows the README joins them."""
    return data if data.startswith(b"-----BEGIN") else x509.load_der_x509_crl(data).public_bytes(Encoding.PEM)


def _events(session: Session, key: str) -> list[EventRow]:
    return list(session.exec(select(EventRow).where(EventRow.certificate == key).order_by(col(EventRow.version))))


def _event(event: EventRow) -> dict[str, Any]:
    return {
        "version": event.version,
        "action": event.action,
        "from": event.origin,
        "to": event.target,
        "cause": event.cause,
        "edition": event.edition,
        "at": event.at.isoformat(),
        "detail": event.detail,
        "leaf": event.leaf.hex(),
    }


def _edition(edition: EditionRow) -> dict[str, Any]:
    return {
        "identifier": edition.identifier,
        "n": edition.n,
        "printed": edition.printed,
        "salt": edition.salt.hex(),
        "code_salt": edition.code_salt.hex(),
        "code_text": edition.code_text,
    }


def _file(proof: str) -> Iterator[tuple[str, bytes]]:
    """The leaf that names the file, and its proof."""
    yield "certificate.cbor", InclusionProof.parse(proof).extra
    yield "certificate.tlog-proof", proof.encode()


def _journal(session: Session, journal: Journal[Session], key: str, cosignatures: int) -> Iterator[tuple[str, bytes]]:
    key_of_notes = Ed25519PublicKey.from_public_bytes(journal.verifiers[0].public)
    yield "journal/key.pem", key_of_notes.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield "journal/checkpoint", journal.checkpoint(session).encode()
    for event in _events(session, key):
        place = journal.index_of(session, event.leaf)
        if place is None:
            continue
        yield f"journal/{event.version:03}-{event.action}.cbor", journal.leaves(session, place, place + 1)[0]
        proof = journal.proof_text(session, place, cosignatures=cosignatures)
        yield f"journal/{event.version:03}-{event.action}.tlog-proof", proof.encode()


def _json(value: Mapping[str, Any] | list[dict[str, Any]]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode()


def _zip(files: Mapping[str, bytes], now: datetime) -> bytes:
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()) if data)
    out = io.BytesIO()
    stamp = now.timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in sorted({**files, "SHA256SUMS": sums.encode()}.items()):
            if data:
                pack.writestr(zipfile.ZipInfo(name, stamp), data)
    return out.getvalue()
