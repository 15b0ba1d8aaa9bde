"""The seals of an office: their life, their authorisations, their ledger. What uses a key is not here but in `Sealer`.

office.seals.act("36070000000002", {"act": "suspend", "person": …, "document_number": …, "cause": …}, client=…)
office.seals.authorise({"id": …, "seal": …, "authority": …, "since": …, "until": …, "basis": …}, client=…)
office.seals.uses("36070000000002", state="denied")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.crypto.certificates import Certificate, check_signer
from certlib.domain.seal import SealSpec
from certlib.domain.seal_life import SEAL_RULES, Seal, SealAct, SealEvent, SealState, decide
from certlib.errors import (
    CertlibError,
    ConflictError,
    Fault,
    NotFoundError,
    RequestError,
    SealFailedError,
    StaleVersionError,
)
from certlib.issue.seal_pictures import give_picture
from certlib.issue.seal_requests import (
    SealRequest,
    fault,
    read_act,
    read_authorisation,
    read_ending,
    read_spec,
    read_stamp,
)
from certlib.issue.seal_views import authorisation_view, seal_view
from certlib.issue.stamping import stamp
from certlib.register import seal_grants, seal_store, seal_uses
from certlib.register.idempotency import Answer, body_digest
from certlib.register.seal_tables import SealCertificateRow, SealRow
from certlib.register.store import Register
from certlib.sealing.identities import SealKeys
from certlib.verify.chain import Authorities, PathError

_STATING = frozenset({SealAct.APPLY, SealAct.ACCEDE, SealAct.RENEW})
_IN_USE_AT_ONCE = frozenset({SealAct.ENABLE, SealAct.ACCEDE, SealAct.RESUME})


@dataclass(frozen=True, slots=True)
class _Planned:
    """An act that was found in order: what is to be written."""

    request: SealRequest
    event: SealEvent
    spec: SealSpec | None
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealDesk:
    """What is done with seals, short of sealing. `suite` is the office's, `authorities()` whom it trusts with seals."""

    register: Register
    catalogue: Catalogue
    keys: SealKeys
    suite: str
    authorities: Callable[[], Authorities]
    emblem: str = field(default="", repr=False)  # the office's artwork for seals with the emblem, a data URL
    changed: list[Callable[[], object]] = field(default_factory=list)  # told after every change of a seal

    # --- read ----------------------------------------------------------------------------------------------------

    def seals(self, *, authority: str = "") -> list[dict[str, Any]]:
        """Every seal, or those of one authority, without their histories."""
        with self.register.reader() as session:
            query = select(SealRow)
            if authority:
                query = query.where(SealRow.authority == authority)
            return [seal_view(session, row, self.catalogue) for row in session.exec(query.order_by(SealRow.id)).all()]

    def seal(self, seal: str) -> dict[str, Any]:
        """One seal with its editions, certificates, history and authorisations. Raises `NotFoundError`."""
        with self.register.reader() as session:
            at = self.register.moment(session)
            return seal_view(session, seal_store.get_seal(session, seal), self.catalogue, at=at)

    def uses(
        self,
        seal: str,
        *,
        after: int = 0,
        limit: int = 50,
        state: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> dict[str, Any]:
        """Lines of the ledger of one seal in their order; `next` continues. Raises `NotFoundError`."""
        with self.register.reader() as session:
            seal_store.get_seal(session, seal)
            found = seal_uses.find_uses(
                session, seal, after=after, limit=limit + 1, state=state, since=since, until=until
            )
        shown = found[:limit]
        following = shown[-1].id if len(found) > limit else 0
        return {"uses": [seal_uses.use_view(line) for line in shown], "next": following}

    def authorisations(self, seal: str = "") -> list[dict[str, Any]]:
        """The authorisations of one seal, or all."""
        with self.register.reader() as session:
            at = self.register.moment(session)
            return [authorisation_view(row, at) for row in seal_grants.authorisations(session, seal)]

    def authorisation_text(self, sha256: str, *, seal: str = "") -> bytes:
        """The canonical text of the authorisation whose digest stands in a signature, of that seal when one is named.

        Raises `NotFoundError`.
        """
        with self.register.reader() as session:
            row = seal_grants.authorisation_by_digest(session, sha256.lower())
        if seal and row.seal != seal:
            raise NotFoundError(f"没有摘要为 {sha256[:12]}… 的用印授权。")
        return row.canonical

    def authority_of(self, seal: str) -> str:
        """Whose seal it is. Raises `NotFoundError`."""
        with self.register.reader() as session:
            return seal_store.get_seal(session, seal).authority

    def seal_of_authorisation(self, authorisation: str) -> str:
        """The seal of an authorisation. Raises `NotFoundError`."""
        with self.register.reader() as session:
            for row in seal_grants.authorisations(session):
                if row.id == authorisation:
                    return row.seal
        raise NotFoundError(f"没有编号为 {authorisation[:60]} 的用印授权。")

    def picture(self, seal: str, raw: object, *, client: str) -> bytes:
        """The seal's picture as PNG, to its keeper only: see `give_picture`. Raises `RequestError`, `NotFoundError`."""
        return give_picture(self.register, seal, raw, client=client)

    def probe(self) -> dict[str, str]:
        """The seals in use that cannot be used on this machine, each with the reason. Opens every key."""
        with self.register.reader() as session:
            at = self.register.moment(session)
            rows = session.exec(select(SealRow).where(SealRow.state == SealState.ENABLED.value)).all()
            found = [(row.id, seal_store.current_edition(session, row)) for row in rows]
        reasons = {seal: self._unusable(edition.certificates if edition else {}, at) for seal, edition in found}
        return {seal: reason for seal, reason in reasons.items() if reason}

    # --- act -----------------------------------------------------------------------------------------------------

    def act(self, seal: str, raw: object, *, version: int | None = None, client: str) -> dict[str, Any]:
        """Do an act to a seal and return the seal. For `apply` and `accede` the seal comes into being.

        Raises `RequestError` with every fault, `TransitionError` when the seal's state forbids it,
        `StaleVersionError` when the seal has moved on from `version`.
        """
        request = read_act(raw)
        with _one_at_a_time(), self.register.writer() as session:
            row = seal_store.find_seal(session, seal, lock=True)
            at = self.register.moment(session, row.updated_at if row else None)
            _check_version(row, seal, request.command.act, version)
            self._carry_out(session, row, seal, request, at=at, client=client)
        for told in self.changed:
            told()
        return self.seal(seal)

    def _carry_out(
        self, session: Session, row: SealRow | None, seal: str, request: SealRequest, *, at: datetime, client: str
    ) -> None:
        act, faults = request.command.act, list(request.faults)
        spec, found = self._spec(session, row, seal, request)
        faults += found
        blank = Seal(id=seal, name=spec.name if spec else seal)
        event = decide(seal_store.to_seal(row) if row else blank, request.command, at=at) if not faults else None
        certificates: tuple[Certificate, ...] = ()
        if SEAL_RULES[act].new_edition and spec is not None:
            certificates, found = self._certificates(session, row, spec, request, at)
            faults += found
        if act in _IN_USE_AT_ONCE or (act is SealAct.RENEW and row and row.state == SealState.ENABLED.value):
            faults += self._use_faults(session, row, certificates, at)
        if row is None and spec is not None:
            faults += self._second(session, spec)
        if faults or event is None:
            raise RequestError(faults, f"印章事项有 {len(faults)} 处问题，未办理。")
        kept = row or seal_store.new_seal(session, self.register, _required(spec), at)
        self._write(session, kept, _Planned(request, event, spec, certificates), client=client)

    def _write(self, session: Session, row: SealRow, planned: _Planned, *, client: str) -> None:
        request, event, spec, detail = planned.request, planned.event, planned.spec, dict[str, Any]()
        if event.act is SealAct.APPLY and spec is not None:
            detail["seal"] = seal_store.spec_json(spec)
        if planned.certificates and spec is not None:
            edition = seal_store.add_edition(session, row, spec, planned.certificates, maker=request.maker, at=event.at)
            detail["edition_sha256"] = edition.sha256
        if spec is not None:
            row.name = spec.name
        if request.filing:
            row.filing = detail["filing_number"] = request.filing
        if request.keeper:
            row.keeper = detail["keeper"] = request.keeper
        seal_store.apply_event(session, self.register, row, replace(event, detail=detail), client=client)

    def _spec(
        self, session: Session, row: SealRow | None, seal: str, request: SealRequest
    ) -> tuple[SealSpec | None, list[Fault]]:
        """The seal's data after the act: what is asked for over what is known."""
        act = request.command.act
        known = self._known(session, row, seal)
        if act not in _STATING:
            return (known if act is SealAct.MAKE else None), []
        stated = {"id": seal, **request.spec} if row is None else dict(request.spec)
        before = known if row is not None or act is SealAct.ACCEDE else None
        spec, faults = read_spec(stated, self.catalogue, before, emblem=self.emblem)
        if spec.id != seal:
            faults.append(fault("seal.id", "other-seal", f"与所办理的印章 {seal[:20]} 不符", "Another seal's."))
        if row is not None and (spec.authority, spec.kind.value, spec.copy) != (
            row.authority,
            row.kind,
            row.copy_number,
        ):
            message = "更新不得改变所属机关、种类和序号，须另行申请印章"
            faults.append(fault("seal", "another-seal", message, "That would be another seal."))
        return spec, faults

    def _known(self, session: Session, row: SealRow | None, seal: str) -> SealSpec | None:
        if row is None:
            return self.catalogue.seals.get(seal)
        edition = seal_store.current_edition(session, row)
        if edition is not None:
            return seal_store.read_spec(edition.spec)
        applied = seal_store.history(session, seal)[0].detail
        return seal_store.read_spec(applied["seal"])

    def _second(self, session: Session, spec: SealSpec) -> Iterator[Fault]:
        """A numbered duplicate is a seal of its own, with a number and a keeper of its own."""
        closed = (SealState.REVOKED.value, SealState.CANCELLED.value)
        others = session.exec(
            select(SealRow)
            .where(SealRow.authority == spec.authority, SealRow.kind == spec.kind.value)
            .where(col(SealRow.state).not_in(closed))
        ).all()
        for other in others:
            if other.copy_number == spec.copy:
                message = f"{spec.copy}号章已有（{other.id}），须另编序号"
                yield fault("seal.copy", "number-taken", message, "That number is taken.")
            if other.keeper == spec.keeper:
                message = f"与{other.copy_number}号章（{other.id}）的保管人相同，须另有专人"
                yield fault("seal.keeper", "same-keeper", message, "Each duplicate has a keeper of its own.")

    # --- certificates --------------------------------------------------------------------------------------------

    def _certificates(
        self, session: Session, row: SealRow | None, spec: SealSpec, request: SealRequest, at: datetime
    ) -> tuple[tuple[Certificate, ...], list[Fault]]:
        """The X.509 certificates of the edition to be made, one for each suite, with what is wrong with them."""
        if request.certificates is None and request.command.cause == "picture-change":
            return self._bound(session, row), []
        given = self._new(session, spec.id) if request.certificates is None else request.certificates
        if not given:
            message = "没有给出证书，密钥目录中也没有此印章的新证书"
            return (), [fault("certificates", "missing", message, "There is no certificate.")]
        owner, faults = self.catalogue.authorities.get(spec.authority), list[Fault]()
        if owner is None:  # which is a fault of its own
            return (), faults
        for index, chain in enumerate(given):
            why = next(self._objections(session, chain, spec, owner.uscc, at), "")
            if why:
                path = f"certificates.{index}"
                faults.append(replace(fault("certificates", "unfit", why, "Not fit for this seal."), path=path))
        suites = [_suite(chain[0]) for chain in given]
        if len(set(suites)) != len(suites):
            faults.append(fault("certificates", "suite-twice", "同一密码套件有两份证书", "Two of one suite."))
        return tuple(chain[0] for chain in given), faults

    def _bound(self, session: Session, row: SealRow | None) -> tuple[Certificate, ...]:
        edition = seal_store.current_edition(session, row) if row else None
        names = edition.certificates.values() if edition else ()
        return tuple(Certificate.load(session.get_one(SealCertificateRow, name).der) for name in names)

    def _new(self, session: Session, seal: str) -> tuple[tuple[Certificate, ...], ...]:
        """The certificates for the seal in the folder of keys that no edition is bound to yet."""
        chains = self.keys.certificates_of(seal)
        return tuple(one for one in chains if session.get(SealCertificateRow, one[0].sha256.hex()) is None)

    def _objections(
        self, session: Session, chain: tuple[Certificate, ...], spec: SealSpec, uscc: str, at: datetime
    ) -> Iterator[str]:
        certificate = chain[0]
        if certificate.common_name != spec.id:
            yield f"证书属于 {certificate.common_name}，不是印章 {spec.id} 的"
        if uscc not in certificate.subject:
            yield f"证书 {certificate.common_name} 的所有者不是{self.catalogue.authorities[spec.authority].name}"
        try:
            authorities = self.authorities()
            authorities.with_between(chain[1:]).path(certificate)
            check_signer(certificate, certificate.spki, at=at, revocation=authorities.revocation)
        except PathError as error:
            yield f"{error}，不是受信任机构签发的印章证书"
        except SealFailedError as error:
            yield error.message.removesuffix("，未用印。")
        key = seal_store.key_digest(certificate)
        others = select(SealCertificateRow.seal).where(SealCertificateRow.key_sha256 == key)
        taken = [other for other in session.exec(others).all() if other != spec.id]
        if taken:
            yield f"密钥与印章 {taken[0]} 相同，每枚印章须有自己的密钥"

    def _use_faults(
        self, session: Session, row: SealRow | None, certificates: tuple[Certificate, ...], at: datetime
    ) -> Iterator[Fault]:
        """A seal comes into use only where its key is at hand and fits its certificate."""
        edition = seal_store.current_edition(session, row) if row else None
        bound = {_suite(one): one.sha256.hex() for one in certificates} or (edition.certificates if edition else {})
        if reason := self._unusable(bound, at):
            yield fault("certificates", "cannot-be-used", reason, "The key cannot be used here.")

    def _unusable(self, certificates: Mapping[str, str], at: datetime) -> str:
        if self.suite not in certificates:
            return f"没有 {self.suite} 的证书"
        identity = self.keys.get(certificates[self.suite])
        if identity is None:
            return "密钥目录中没有此证书的密钥"
        try:
            identity.signer(at=at)
        except CertlibError as error:
            return error.message.removesuffix("，未用印。")
        return ""

    # --- authorisations ------------------------------------------------------------------------------------------

    def authorise(self, raw: object, *, client: str) -> dict[str, Any]:
        """Put an authorisation in force; the same one again changes nothing.

        Raises `RequestError` with every fault, `NotFoundError` for a seal that is not registered, `ConflictError`
        (code `authorisation-contradicts`) when it contradicts another.
        """
        authorisation, record = read_authorisation(raw, self.catalogue)
        with _one_at_a_time(), self.register.writer() as session:
            row = seal_store.get_seal(session, authorisation.seal, lock=True)
            at = self.register.moment(session, row.updated_at)
            if row.state in {SealState.REVOKED.value, SealState.CANCELLED.value}:
                raise ConflictError(f"印章 {row.id} 已撤销或注销，不能再授权使用。", code="seal-over")
            if authorisation.until <= at:
                message = "应晚于现在"
                raise RequestError([fault("until", "over-already", message, "Must lie in the future.")])
            seal_grants.add_authorisation(
                session, self.register, authorisation, record={**record, "client": client}, at=at
            )
        with self.register.reader() as session:
            digest = authorisation.digest().hex()
            return authorisation_view(seal_grants.authorisation_by_digest(session, digest), at)

    def end(self, authorisation: str, raw: object, *, client: str) -> dict[str, Any]:
        """End an authorisation now. Raises `RequestError`, `NotFoundError`, `ConflictError` when it is over."""
        record = read_ending(raw)
        with self.register.writer() as session:
            at = self.register.moment(session)
            row = seal_grants.end_authorisation(
                session, self.register, authorisation, record={**record, "client": client}, at=at
            )
            return authorisation_view(row, at)

    # --- paper ---------------------------------------------------------------------------------------------------

    def stamp(self, raw: object, *, client: str, key: str, may: Callable[[str], bool] = lambda _: True) -> Answer:
        """Record that paper was stamped by hand; see `certlib.issue.stamping.stamp`. Answers with the ledger's line."""
        origin = (client, key, body_digest("stamp", raw))
        with _one_at_a_time():
            return stamp(self.register, self.catalogue, read_stamp(raw), origin=origin, may=may)


def _check_version(row: SealRow | None, seal: str, act: SealAct, version: int | None) -> None:
    if row is None and act not in {SealAct.APPLY, SealAct.ACCEDE}:
        raise NotFoundError(f"没有登记编号为 {seal[:20]} 的印章。")
    if version is not None and row is not None and version != row.version:
        raise StaleVersionError(f"印章 {row.id} 已有变动（现为第 {row.version} 次登记），请重新读取后再办理。")


def _required(spec: SealSpec | None) -> SealSpec:
    assert spec is not None  # noqa: S101  an act that begins a seal states it
    return spec


def _suite(certificate: Certificate) -> str:
    return seal_store.suite_name(certificate)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two who register the same seal or authorisation at once: the database lets one in."""
    try:
        yield
    except IntegrityError as error:
        raise ConflictError("同一印章或授权正在登记，请稍候重试。", code="in-progress") from error
