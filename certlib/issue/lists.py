"""The lists that the office signs rarely and keeps for ever: which keys sign codes, and which certificates are seals'.

Each is a series in the register. A list that would say what the last one said is the last one, byte for byte, whichever
process asks; one that says more gets the next number, so that readers can refuse whatever is older than what they saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.crypto.certificates import load_revocation_lists
from certlib.crypto.cose import key_id
from certlib.crypto.keys import SigningKey
from certlib.domain.kinds import CertificateType, DocumentType
from certlib.errors import ConfigurationError, NotFoundError, VerificationError
from certlib.formats import seal_list, trust
from certlib.formats.jws import Kind, stated_signers
from certlib.formats.seal_list import SealList
from certlib.formats.trust import Names, TrustList, check_succession
from certlib.issue.keyring import Keyring
from certlib.issue.publishing import issuer_names
from certlib.issue.seal_status import listed_seals
from certlib.register.published import SEALS as SEALS_PUBLISHED
from certlib.register.published import TRUST as TRUST_PUBLISHED
from certlib.register.published import record_key, record_published
from certlib.register.store import Register
from certlib.register.tables import MetaRow

_KINDS = {"trust-list": TRUST_PUBLISHED, "seal-list": SEALS_PUBLISHED}
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
_List = TypeVar("_List", TrustList, SealList)


@dataclass(frozen=True, slots=True)
class Series(Generic[_List]):
    """One series of lists: its name in the register, how a list is read and signed, what may follow what."""

    name: str
    kind: Kind
    read: Callable[[bytes, Iterable[bytes]], _List]
    sign: Callable[[_List, Iterable[SigningKey]], bytes]
    follow: Callable[[_List, _List], _List]


def publish_trust_list(register: Register, catalogue: Catalogue, keyring: Keyring, *, host: str) -> bytes:
    """The trust list of now.

    Raises `ConfigurationError` when the keyring leaves out, or trusts again, a key that was published.
    """
    kinds: list[CertificateType | DocumentType] = [
        *catalogue.certificate_types.values(),
        *catalogue.document_types.values(),
    ]
    content = TrustList(
        seq=1,
        issued=_UNDATED,
        keys=keyring.trusted,
        types={kind.code_number: Names(kind.name, kind.english) for kind in kinds},
        issuers=issuer_names(catalogue),
        host=host,
    )
    return publish(register, TRUST, content, keyring)


def publish_seal_list(register: Register, catalogue: Catalogue, keyring: Keyring, folder: Path) -> bytes:
    """The seal list of now, out of the register and the revocation lists in `folder` (laid out as `keys-dev/`)."""
    crls = load_revocation_lists(sorted((folder / "crl").glob("*.crl")))
    with register.reader() as session:
        seals = tuple(listed_seals(session, catalogue, crls))
    return publish(register, SEALS, SealList(seq=1, issued=_UNDATED, seals=seals), keyring)


def newest(register: Register, series: Series[_List]) -> bytes:
    """The list of a series that was published last. Raises `NotFoundError` before the first."""
    query = select(MetaRow.value).where(col(MetaRow.name).startswith(f"{series.name}/"))
    with register.reader() as session:
        value = session.exec(query.order_by(col(MetaRow.name).desc()).limit(1)).first()
    if value is None:
        raise NotFoundError(f"尚未公布{series.kind.chinese}。")
    return value.encode()


def published(session: Session, series: Series[_List]) -> dict[int, bytes]:
    """Every list of a series that was ever published, by its number."""
    query = select(MetaRow).where(col(MetaRow.name).startswith(f"{series.name}/")).order_by(col(MetaRow.name))
    return {int(row.name.rpartition("/")[2]): row.value.encode() for row in session.exec(query)}


def publish(register: Register, series: Series[_List], content: _List, keyring: Keyring) -> bytes:
    """The last list of the series if it says what `content` says and the same keys signed it, else its successor."""
    try:
        return _publish(register, series, content, keyring)
    except IntegrityError:  # another process published that number at the same time: take up what it says
        return _publish(register, series, content, keyring)


def _publish(register: Register, series: Series[_List], content: _List, keyring: Keyring) -> bytes:
    with register.writer() as session:
        kept = published(session, series)
        new = replace(content, issued=register.moment(session).replace(microsecond=0))
        if kept:
            last = kept[max(kept)]
            before = _read_own(last, series, keyring)
            signers = frozenset(key_id(root).hex() for root in keyring.roots)
            new = series.follow(before, new)
            if _says_the_same(before, new) and stated_signers(last, series.kind) == signers:
                return last
            _demand_succession(before, new)
        data = series.sign(new, keyring.signers)
        session.add(MetaRow(name=f"{series.name}/{new.seq:06}", value=data.decode()))
        _journal(session, register, series.name, data, before=before if kept else None, after=new)
    return data


def _journal(
    session: Session,
    register: Register,
    name: str,
    data: bytes,
    *,
    before: TrustList | SealList | None,
    after: TrustList | SealList,
) -> None:
    """The list's digest, and each of its keys that is new or in another state than before."""
    at = register.moment(session)
    record_published(session, register, _KINDS[name], data, at=at, number=after.seq)
    if isinstance(after, TrustList):
        known = {key.kid: key.state for key in before.keys} if isinstance(before, TrustList) else {}
        for key in after.keys:
            if known.get(key.kid) != key.state:
                record_key(session, register, key.state, key.public_key, at=at)


def _read_own(data: bytes, series: Series[_List], keyring: Keyring) -> _List:
    try:
        return series.read(data, keyring.roots)
    except VerificationError as error:
        message = f"上一期{series.kind.chinese}不是现有签名密钥所签；更换签名密钥时，新旧密钥须同签一期。"
        raise ConfigurationError(message) from error


def _says_the_same(before: _List, after: _List) -> bool:
    return bool(replace(after, seq=before.seq, issued=before.issued) == before)


def _demand_succession(before: _List, after: _List) -> None:
    if isinstance(before, TrustList) and isinstance(after, TrustList):
        check_succession(before, after)


def _next_trust_list(before: TrustList, content: TrustList) -> TrustList:
    """Names that were published stay, whatever the catalogue says today: papers bear their numbers."""
    types, issuers = {**before.types, **content.types}, {**before.issuers, **content.issuers}
    return replace(content, seq=before.seq + 1, types=types, issuers=issuers)


def _next_seal_list(before: SealList, content: SealList) -> SealList:
    """Certificates that were published stay: files outlive them."""
    seals = {seal.sha256: seal for seal in (*before.seals, *content.seals)}
    return replace(content, seq=before.seq + 1, seals=tuple(seals.values()))


TRUST = Series("trust-list", trust.KIND, trust.read_trust_list, trust.sign_trust_list, _next_trust_list)
SEALS = Series("seal-list", seal_list.KIND, seal_list.read_seal_list, seal_list.sign_seal_list, _next_seal_list)
