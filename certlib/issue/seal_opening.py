"""How an office comes to its seals: the desk over register and keys and, in development, the catalogue's seals.

In development the seals of the catalogue are taken in as being in use, each with a standing authorisation for its own
authority's decisions. Elsewhere a register begins without seals: they are applied for, made, filed and enabled, or
taken in from the system that made them (接入), and authorised by people.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from asn1crypto import pem
from sqlmodel import Session, select

from certlib.catalogue import Catalogue
from certlib.crypto.certificates import Certificate, load_certificates, load_revocation_lists
from certlib.crypto.suites import SUITES, suite_named
from certlib.domain.seal import SealAuthorisation, SealSpec
from certlib.domain.seal_life import Seal, SealAct, SealCommand, decide
from certlib.errors import ConfigurationError
from certlib.issue.seals import SealDesk
from certlib.register import seal_grants, seal_store
from certlib.register.seal_tables import SealRow
from certlib.register.store import Register
from certlib.sealing.identities import SealKeys
from certlib.verify.chain import Authorities
from certlib.verify.form import certificate_in

_FIRST_DAY, _LAST_DAY = datetime(2022, 4, 3, tzinfo=UTC), datetime(2046, 1, 1, tzinfo=UTC)
_PERSON, _SECOND, _DOCUMENT = "系统初始化", "目录", "开发环境"


def open_seals(
    register: Register, catalogue: Catalogue, folder: Path, suite: str, *, development: bool, emblem: str = ""
) -> SealDesk:
    """The seal desk of an office whose keys are in `folder` (laid out like `keys-dev/`); `emblem` is its artwork.

    Raises `ConfigurationError` when a file of a seal cannot be read.
    """
    if development:
        take_in_catalogue(register, catalogue, folder, suite)
    return SealDesk(
        register=register,
        catalogue=catalogue,
        keys=SealKeys(folder, suite),
        suite=suite,
        authorities=cache(partial(read_authorities, folder)),
        emblem=emblem,
    )


def with_emblem(catalogue: Catalogue, emblem: str) -> Catalogue:
    """The catalogue whose seals with the emblem have the city's artwork; the same when it has no such seals."""
    bearing = {key: replace(spec, emblem=emblem) for key, spec in catalogue.seals.items() if spec.centre == "emblem"}
    return replace(catalogue, seals={**catalogue.seals, **bearing}) if bearing else catalogue


def read_authorities(folder: Path) -> Authorities:
    """Whom the office trusts with seals, in every suite: roots, authorities between, revocation lists."""
    roots = [one for path in sorted(folder.glob("trust*/*.pem")) for one in _certificates(path)]
    between = [one for path in sorted(folder.glob("ca/*.pem")) for one in _certificates(path)]
    return Authorities(tuple(roots), tuple(between), load_revocation_lists(sorted(folder.glob("crl/*.crl"))))


def _certificates(path: Path) -> tuple[Certificate, ...]:
    blocks = pem.unarmor(path.read_bytes(), multiple=True)
    return tuple(Certificate.load(data) for kind, _, data in blocks if kind == "CERTIFICATE")


def take_in_catalogue(register: Register, catalogue: Catalogue, folder: Path, suite: str) -> None:
    """Take the catalogue's seals in that the register does not know yet, each with its standing authorisation."""
    with register.reader() as session:
        known = set(session.exec(select(SealRow.id)).all())
    missing = [spec for spec in catalogue.seals.values() if spec.id not in known]
    if not missing:
        return
    certificates = {spec.id: _of_catalogue(spec, folder, suite) for spec in missing}
    with register.writer() as session:
        at = register.moment(session)
        for spec in missing:
            if seal_store.find_seal(session, spec.id, lock=True) is None:
                _take_in(session, register, spec, certificates[spec.id], at)


def _take_in(
    session: Session, register: Register, spec: SealSpec, certificates: tuple[Certificate, ...], at: datetime
) -> None:
    command = SealCommand(act=SealAct.ACCEDE, person=_PERSON, second_person=_SECOND, document=_DOCUMENT)
    row = seal_store.new_seal(session, register, spec, at)
    seal_store.add_edition(session, row, spec, certificates, maker=_DOCUMENT, at=at)
    event = decide(Seal(id=spec.id, name=spec.name), command, at=at)
    seal_store.apply_event(session, register, row, event, client="")
    session.flush()
    standing = standing_authorisation(spec.id, spec.authority, spec.copy)
    seal_grants.add_authorisation(session, register, standing, record={"person": _PERSON}, at=at)


def _of_catalogue(spec: SealSpec, folder: Path, suite: str) -> tuple[Certificate, ...]:
    """The certificates of a catalogue's seal by its label, in the office's suite and what others there are."""
    paths = {name: folder / "seals" / f"{spec.certificate}.{row.short}.pem" for name, row in SUITES.items()}
    if not paths[suite_named(suite).name].is_file():
        name = paths[suite].name
        raise ConfigurationError(f"印章 {spec.id}（{spec.name}）的密钥文件 {name} 不在 {folder / 'seals'}。")
    return tuple(_first_certificate(path) for path in paths.values() if path.is_file())


def _first_certificate(path: Path) -> Certificate:
    try:
        for kind, _, data in pem.unarmor(path.read_bytes(), multiple=True):
            if kind == "CERTIFICATE":
                return certificate_in(data)
    except (OSError, ValueError):
        pass  # told with the file's name below
    return load_certificates(b"", name=str(path))[0]


def standing_authorisation(seal: str, authority: str, copy: int) -> SealAuthorisation:
    """The authorisation that comes with a seal: its own authority's decisions, by one approver."""
    return SealAuthorisation(
        id=f"{seal}-standing",
        seal=seal,
        authority=authority,
        since=_FIRST_DAY,
        until=_LAST_DAY,
        basis="赣市府办发〔2022〕7号；赣蓉办发〔2022〕4号" + (f"（{copy}号章）" if copy > 1 else ""),
    )
