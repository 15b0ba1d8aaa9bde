"""A witness (见证): cosigns a journal's heads as long as the journal only grows (C2SP tlog-witness v1).

It keeps one head per journal. Whoever is shown a cosigned head knows that no other history of the same journal has
this witness's signature: removing, editing or back-dating an event after that would need a second history.

    witness = Witness(NoteKey.of("witness.example/archive", key, COSIGNATURE), {origin: journal_keys}, store)
    lines = witness.cosign(request_body, now)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Protocol

from certlib.errors import CertlibError, ConfigurationError, ConflictError, VerificationError
from certlib.formats.tlog import EMPTY_ROOT, verify_consistency
from certlib.formats.tlog_checkpoint import Checkpoint, open_checkpoint
from certlib.formats.tlog_note import COSIGNATURE, Note, NoteKey, VerifierKey
from certlib.formats.tlog_proof import WitnessRequest


class WitnessStore(Protocol):
    """The newest head a witness cosigned, per journal."""

    def advance(self, origin: str, step: Callable[[Checkpoint], Checkpoint]) -> None:
        """Replace the head by what `step` makes of it, durably; one at a time; unchanged when `step` raises.

        A journal never seen has the empty head.
        """


class Witness:
    """One witness: its cosigning key, the journals it knows by origin with their public keys, its heads."""

    def __init__(self, key: NoteKey, journals: Mapping[str, Collection[VerifierKey]], store: WitnessStore) -> None:
        if key.verifier.algorithm != COSIGNATURE:
            raise ConfigurationError(f"见证“{key.verifier.name}”的密钥须为带时间的见证签名（0x04）。")
        self._key = key
        self._journals = journals
        self._store = store

    @property
    def verifier(self) -> VerifierKey:
        """The public key that readers of its cosignatures need."""
        return self._key.verifier

    def cosign(self, request: str, now: datetime) -> str:
        """The signature line under the checkpoint in the body of an add-checkpoint request.

        Raises `VerificationError`: `unreadable`, `not-found` for a journal it does not know, `unknown-issuer` or
        `signature-invalid` for a checkpoint not signed by it, `altered` when the journal did not merely grow;
        `ConflictError` (`witness-size`, with its `size`) when the request starts from another head than the witness.
        """
        asked = WitnessRequest.parse(request)
        origin = Checkpoint.parse(Note.parse(asked.checkpoint).text).origin
        if origin not in self._journals:
            raise VerificationError(f"见证不认识日志“{origin}”。", code="not-found")
        signed = open_checkpoint(asked.checkpoint, self._journals[origin])
        if asked.old > signed.checkpoint.size:
            raise VerificationError("请求中的旧条数大于检查点条数。", code="unreadable")
        # compared and kept under one lock: two requests crossing could otherwise take the witness back
        self._store.advance(origin, lambda seen: _grown(seen, signed.checkpoint, asked))
        return str(self._key.sign(signed.note.text, now))


def empty_head(origin: str) -> Checkpoint:
    """The head of a journal that a witness never saw."""
    return Checkpoint(origin, 0, EMPTY_ROOT)


def _grown(seen: Checkpoint, head: Checkpoint, asked: WitnessRequest) -> Checkpoint:
    fork = head.size == seen.size and head.root != seen.root
    if asked.old != seen.size or fork:
        message = f"见证最近一次签的是 {seen.size} 条，请求自 {asked.old} 条起"
        if fork:
            message = f"同是 {seen.size} 条而根不同：日志“{seen.origin}”有两个版本"
        raise ConflictError(f"{message}，未签名。", code="witness-size", extra={"size": seen.size})
    verify_consistency(seen.size, head.size, asked.proof, seen.root, head.root)
    return head


_STATUS = {
    "unreadable": 400,
    "not-found": 404,
    "unknown-issuer": 403,
    "signature-invalid": 403,
    "witness-size": 409,
    "altered": 422,
}


def http_answer(
    witness: Witness, body: bytes, now: datetime, tell: Callable[[str], object] = lambda _: None
) -> tuple[int, str, str]:
    """Status, content type and text with which `POST …/add-checkpoint` answers `body` (C2SP tlog-witness).

    `tell` is told why nothing was signed: the witness's operator must hear of it, of a history that forked above all.
    """
    plain = "text/plain; charset=utf-8"
    try:
        return 200, plain, witness.cosign(body.decode(errors="replace"), now)
    except CertlibError as error:
        tell(error.message)
        if isinstance(error, ConflictError):
            return 409, "text/x.tlog.size", f"{error.extra['size']}\n"
        status = _STATUS.get(error.code, 500)
        # what is wrong with the witness itself is its operator's affair
        return status, plain, f"{error.message}\n" if status < 500 else "见证暂时不能签名。\n"
