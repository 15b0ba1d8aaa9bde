"""The journal's side of witnessing: show each witness the newest head, keep its cosignature."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from certlib.domain.verdict import Finding
from certlib.errors import CertlibError, ConflictError, VerificationError
from certlib.formats.tlog_note import VerifierKey
from certlib.formats.tlog_proof import WitnessRequest
from certlib.journal.journal import Journal
from certlib.journal.witness import Witness

T = TypeVar("T")
Transactions = Callable[[], AbstractContextManager[T]]


class WitnessClient(Protocol):
    """A witness as the journal sees it, here or elsewhere."""

    @property
    def verifier(self) -> VerifierKey:
        """The public key its cosignatures are checked with."""

    def ask(self, request: WitnessRequest) -> str:
        """The witness's signature lines.

        Raises `ConflictError` with `size` in `extra` when the witness is at another head, `CertlibError` otherwise.
        """


class LocalWitness:
    """A witness in the same process, for development and tests; a real one belongs to another department."""

    def __init__(self, witness: Witness, clock: Callable[[], datetime]) -> None:
        self._witness = witness
        self._clock = clock

    @property
    def verifier(self) -> VerifierKey:
        """The witness's public key."""
        return self._witness.verifier

    def ask(self, request: WitnessRequest) -> str:
        """The witness's signature line."""
        return self._witness.cosign(request.encode(), self._clock())


def ask_witness(journal: Journal[T], witness: WitnessClient, read: Transactions[T], write: Transactions[T]) -> Finding:
    """Have one witness cosign the newest head; no transaction is open while it is asked.

    Never raises for what the witness answers: the finding says what is wrong, `fail` when the witness has seen a
    history that this journal no longer has.
    """
    check = f"witness:{witness.verifier.name}"
    try:
        with read() as transaction:
            old = journal.witnessed_size(transaction, witness.verifier)
        size = _cosigned(journal, witness, old, read, write, again=True)
    except CertlibError as error:
        return Finding(check, "fail" if error.code == "altered" else "unknown", error.message)
    return Finding(check, "pass", f"已见证 {size} 条")


def _cosigned(
    journal: Journal[T], witness: WitnessClient, old: int, read: Transactions[T], write: Transactions[T], *, again: bool
) -> int:
    """Ask as if the witness stood at `old` leaves, then once more where it says it stands; the size cosigned."""
    with read() as transaction:
        head, request = journal.witness_request(transaction, old)
    try:
        answer = witness.ask(request)
    except ConflictError as error:
        size = error.extra.get("size")
        if size == old:
            raise VerificationError(f"见证在同样的 {old} 条处有另一份历史。", code="altered") from error
        if not again or not isinstance(size, int):
            raise
        # it cosigned a head whose answer was lost, or of a journal that was longer than this one
        return _cosigned(journal, witness, size, read, write, again=False)
    with write() as transaction:
        journal.keep_cosignature(transaction, head, witness.verifier, answer)
    return head.size
