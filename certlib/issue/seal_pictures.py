"""A seal's picture leaves the system only to its keeper, for an approved purpose, and the journal says so.

No preview carries it. The keeper asks, at the command line or by HTTP with a scope for nothing else; another person
approves, a document says for what; then the picture is drawn from the data of the seal's current edition. The access
log keeps who, why and which bytes; the leaf `seal:picture-given` commits to that line in the same transaction, before
anybody has them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from certlib.domain.seal_life import SEAL_STATE_WORDS, SealState
from certlib.errors import Fault, RequestError
from certlib.formats.leaf import Leaf
from certlib.issue.requests import Reading
from certlib.issue.seal_requests import fault, labelled
from certlib.register import seal_store
from certlib.register.bearers import note_access
from certlib.register.seal_tables import SealRow
from certlib.register.store import Register
from certlib.sealing.raster import seal_png

KIND = "seal:picture-given"
_OVER = frozenset({SealState.REVOKED, SealState.CANCELLED})


@dataclass(frozen=True, slots=True)
class _Wish:
    person: str
    second_person: str
    document_number: str
    reason: str


def give_picture(register: Register, seal: str, raw: object, *, client: str) -> bytes:
    """The picture of the seal's current edition as PNG, given to its keeper.

    `raw` says `person` (the keeper), `second_person` (who approved), `document_number` and `reason`.
    Raises `RequestError` with every fault, `NotFoundError` for a seal not on record.
    """
    wish = _read(raw)
    with register.writer() as session:
        row = seal_store.get_seal(session, seal)
        edition = seal_store.current_edition(session, row)
        if faults := list(_faults(row, wish)):
            raise RequestError(faults, f"{seal}号印章的印模未调取。")
        if edition is None:
            message = "尚未制作，没有印模可调取。"
            raise RequestError([fault("seal", "not-made", message, "The seal has not been made.")])
        png = seal_png(seal_store.read_spec(edition.spec))
        digest = hashlib.sha256(png).hexdigest()
        at = register.moment(session, row.updated_at)
        said = (
            f"{wish.reason}；保管人{wish.person}，批准人{wish.second_person}，依据{wish.document_number}，"
            f"第{edition.index}版，PNG {digest}"
        )
        subject = f"seal/{seal}/picture"
        note_access(session, at, client=client, subject=subject, purpose=said, outcome="given")
        leaf = Leaf(kind=KIND, at=at, seal=seal, commitment=hashlib.sha256(said.encode()).digest())
        register.journal.append(session, leaf)
    return png


def _read(raw: object) -> _Wish:
    reading = Reading(raw)
    names = ("person", "second_person", "document_number", "reason")
    values = {name: reading.text(name) for name in names}
    reading.close()
    if reading.faults:
        raise RequestError(labelled(reading.faults), "印模未调取。")
    return _Wish(**values)


def _faults(row: SealRow, wish: _Wish) -> Iterator[Fault]:
    state = SealState(row.state)
    if state in _OVER:
        yield fault("seal", "over", f"已{SEAL_STATE_WORDS[state]}，印模不再提供。", "The seal's life is over.")
    if wish.person != row.keeper or not row.keeper:
        yield fault("person", "not-the-keeper", "印模只提供给印章保管人本人。", "Only the seal's keeper gets it.")
    if wish.second_person == wish.person:
        message = "批准人须是另一人。"
        yield fault("second_person", "same-person", message, "Whoever approves is another person.")
