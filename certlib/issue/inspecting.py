"""Looking into the register from outside the office: the public by proof, the holder by matching, officers in full.

The public sees masked fields of what it can name; a minor's certificate, and a type kept from the public, it cannot
look up at all. Whoever has the paper may ask whether name and number of the holder are as somebody says, and gets yes
or no, five times a day for one certificate. Officers see all, for a purpose. Every try and every view is in the log.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certlib.catalogue import Catalogue
from certlib.domain.civil import civil_date
from certlib.domain.holder import Holder
from certlib.errors import NotFoundError
from certlib.issue.office import Office
from certlib.register.bearers import accesses_on, bearer_of, note_access
from certlib.register.lookup import SqlLookup
from certlib.register.store import Register
from certlib.verify.lookup import RegisterState

TRIES_A_DAY = 5
MATCH = "核对持证人"
_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･．", "·"))


class NotPublicError(NotFoundError):
    """The certificate has no public look-up."""


@dataclass(frozen=True, slots=True)
class PublicRegister:
    """`RegisterLookup` as the public has it. What is hidden raises `NotPublicError`, and by number is not found."""

    register: Register
    catalogue: Catalogue
    lookup: SqlLookup

    @classmethod
    def of(cls, office: Office) -> PublicRegister:
        """The register of an office."""
        return cls(office.register, office.catalogue, office.lookup)

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        """The state of the issued file with this digest, or None."""
        return self.shown(self.lookup.by_sha256(sha256, at=at), at=at)

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        """The state of the file or sheet with index `n`, or None."""
        return self.shown(self.lookup.by_index(n, at=at), at=at)

    def by_number(self, number: str, check: str, *, at: datetime) -> RegisterState | None:
        """The state of what bears this face number together with this check code, or None."""
        try:
            return self.shown(self.lookup.by_number(number, check, at=at), at=at)
        except NotPublicError:
            return None

    def shown(self, state: RegisterState | None, *, at: datetime) -> RegisterState | None:
        """`state`, if the public may see it. Raises `NotPublicError`."""
        if state is None:
            return None
        with self.register.reader() as session:
            bearer = bearer_of(session, self.catalogue, state.n)
        if bearer is not None and bearer.is_shown(civil_date(at)):
            return state
        raise NotPublicError("该证照不提供公众查询。")


@dataclass(frozen=True, slots=True)
class Matched:
    """Whether name and number are the holder's, and how many tries are left today; None: there were none left."""

    matches: bool | None
    left: int


def match_holder(office: Office, n: int, name: str, last_four: str, *, client: str) -> Matched:
    """Whether a holder of what bears index `n` has this name, and a code that ends in these four characters.

    Says only yes or no, `TRIES_A_DAY` times for one certificate in a Shanghai day; each try is logged. Raises
    `NotFoundError` where there is no public look-up.
    """
    with office.register.writer() as session:
        at = office.register.moment(session)
        bearer = bearer_of(session, office.catalogue, n)
        if bearer is None or not bearer.is_shown(civil_date(at)):
            raise NotPublicError("该证照不提供公众查询。")
        used = accesses_on(session, civil_date(at), subject=bearer.subject, purpose=MATCH)
        matches = _is_one_of(bearer.holder, name, last_four)
        allowed = used < TRIES_A_DAY
        outcome = ("yes" if matches else "no") if allowed else "refused"
        note_access(session, at, client=client, subject=bearer.subject, purpose=MATCH, outcome=outcome)
    return Matched(matches if allowed else None, max(0, TRIES_A_DAY - used - 1))


def inspect(office: Office, state: RegisterState, *, client: str, purpose: str) -> dict[str, Any]:
    """Everything the register holds of what `state` is about, for an officer; the view is logged with its purpose."""
    with office.register.writer() as session:
        bearer = bearer_of(session, office.catalogue, state.n)
        if bearer is None:
            raise NotFoundError("证照台账中没有此件。")
        at = office.register.moment(session)
        note_access(session, at, client=client, subject=bearer.subject, purpose=purpose, outcome="shown")
    return office.document(bearer.subject) if bearer.kind == "document" else office.certificate(state.identifier)


def note_view(office: Office, subject: str, *, client: str, purpose: str) -> None:
    """Log that a client saw a certificate, a document, a file or a list in full."""
    with office.register.writer() as session:
        at = office.register.moment(session)
        note_access(session, at, client=client, subject=subject, purpose=purpose, outcome="shown")


def _is_one_of(holder: Holder, name: str, last_four: str) -> bool:
    """Whether one and the same of the holders has both; each is compared, so that the time tells nothing."""
    found = [_same(name, one.name) & _same(last_four, one.code[-4:]) for one in holder.all]
    return any(found)


def _same(given: str, held: str) -> bool:
    """Compare as people write, leaving width, case, spaces and the kind of middle dot aside; in one time for all."""
    one, two = (hashlib.sha256(_plain(text).encode("utf-8", "replace")).digest() for text in (given, held))
    return hmac.compare_digest(one, two)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).upper().translate(_DOTS)
    return "".join(character for character in folded if not character.isspace())
