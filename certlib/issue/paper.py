"""The paper side: blanks received, sheets printed, spoiled, handed over, lost, handed in; every step in the journal.

A print file bears the printed seal, so it is made for one print job, registered and journalled, and given out once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.document.face import Carrier, Face
from certlib.document.renderer import Renderer
from certlib.domain.certificate import SheetFate
from certlib.domain.civil import chinese_date
from certlib.errors import ConflictError, Fault, NotFoundError, RequestError, TransitionError
from certlib.formats.leaf import Leaf
from certlib.issue.draft import moment_text
from certlib.register.certificates import load_certificate, statuses
from certlib.register.commit import journal_event
from certlib.register.store import Register
from certlib.register.tables import (
    AccessRow,
    BlankRow,
    CertificateRow,
    EditionRow,
    FileRow,
    SheetRow,
    StockMovementRow,
)
from certlib.sealing.picture import seal_picture

_SERIAL = re.compile(r"([A-Z0-9]{0,12}?)([0-9]{4,10})")
MAX_RANGE = 10_000


@dataclass(frozen=True, slots=True)
class PrintedSheet:
    """One released print file."""

    sheet: int
    label: str
    copy_number: int
    serial: str
    sha256: str
    pdf: bytes


@dataclass(frozen=True, slots=True)
class Press:
    """What printing needs."""

    register: Register
    catalogue: Catalogue
    renderer: Renderer
    caption: str


def serial_range(first: str, last: str) -> list[str]:
    """All serials from `first` to `last`. Raises `RequestError` when they are not one range."""
    one, other = _SERIAL.fullmatch(first), _SERIAL.fullmatch(last)
    if not one or not other or one[1] != other[1] or len(one[2]) != len(other[2]) or one[2] > other[2]:
        message = "空白证照号段：起止号须同前缀、同位数，且起号不大于止号。"
        raise RequestError([Fault("first", "bad-range", message, "空白证照号段", "Not one range of serials.")])
    start, end = int(one[2]), int(other[2])
    if end - start >= MAX_RANGE:
        message = f"空白证照号段：一次最多 {MAX_RANGE} 张。"
        raise RequestError([Fault("last", "range-too-large", message, "空白证照号段", "The range is too large.")])
    return [f"{one[1]}{serial:0{len(one[2])}}" for serial in range(start, end + 1)]


def receive(
    register: Register, catalogue: Catalogue, type_key: str, first: str, last: str, *, person: str, witness: str
) -> int:
    """Take blanks of a type into stock, received and checked by two persons; returns how many."""
    if type_key not in catalogue.certificate_types:
        raise NotFoundError(f"没有证照种类 {type_key}。")
    if not person or not witness or person == witness:
        raise RequestError(
            [Fault("witness", "two-persons", "空白证照入库须两人验收。", "验收人", "Two persons receive.")]
        )
    serials = serial_range(first, last)
    with register.writer() as session:
        at = register.moment(session)
        taken = session.exec(select(BlankRow.serial).where(col(BlankRow.serial).in_(serials)).limit(1)).first()
        if taken is not None:
            raise ConflictError(f"空白证照 {taken} 已入库，号段重叠，未入库任何一张。", code="stock-overlap")
        session.add_all(BlankRow(serial=serial, type=type_key, updated_at=at) for serial in serials)
        _move(session, type_key, serials, debit="stock", credit="printer", at=at, person=person, witness=witness)
        register.journal.append(session, Leaf(kind="stock:received", at=at))
    return len(serials)


def print_sheets(press: Press, key: str, *, client: str, purpose: str) -> list[PrintedSheet]:
    """Release the print files of a certificate's sheets that wait to be printed, each on its own blank.

    Raises `TransitionError` when none waits, `ConflictError` (code `no-blanks`) when the stock is too small.
    """
    register = press.register
    with register.reader() as session:
        row, _ = load_certificate(session, key)
        sheets = _waiting(session, row)
        blanks = _blanks(session, row.type, len(sheets))
        edition = session.get_one(EditionRow, (key, row.edition))
    faces = [_sheet_face(press, row, edition, sheet, serial) for sheet, serial in zip(sheets, blanks, strict=True)]
    printed = [press.renderer.render(face).pdf for face in faces]
    digests = [register.files.create(pdf) for pdf in printed]
    with register.writer() as session:
        at = register.moment(session, row.updated_at)
        for sheet, serial, pdf, sha256 in zip(sheets, blanks, printed, digests, strict=True):
            _record_print(session, register, sheet, serial, file=(sha256, len(pdf)), at=at)
        session.add(AccessRow(at=at, client=client, subject=row.number, purpose=purpose, outcome="printed"))
    return [
        PrintedSheet(sheet.id or 0, sheet.label, sheet.copy_number, serial, sha256, pdf)
        for sheet, serial, sha256, pdf in zip(sheets, blanks, digests, printed, strict=True)
    ]


def _waiting(session: Session, row: CertificateRow) -> Sequence[SheetRow]:
    sheets = session.exec(
        select(SheetRow)
        .where(SheetRow.certificate == row.key, SheetRow.edition == row.edition, SheetRow.state == "to-print")
        .order_by(col(SheetRow.id))
    ).all()
    if row.state != "in-force":
        raise TransitionError(f"{row.number} 现非有效状态，不打印实体证照。")
    if not sheets:
        raise TransitionError(f"{row.number} 没有待打印的实体证照。")
    return sheets


def _blanks(session: Session, type_key: str, count: int) -> list[str]:
    serials = session.exec(
        select(BlankRow.serial)
        .where(BlankRow.type == type_key, BlankRow.state == "stock")
        .order_by(col(BlankRow.serial))
        .limit(count)
    ).all()
    if len(serials) < count:
        raise ConflictError(f"空白证照库存不足：需 {count} 张，仅 {len(serials)} 张，未打印。", code="no-blanks")
    return list(serials)


def _sheet_face(press: Press, row: CertificateRow, edition: EditionRow, sheet: SheetRow, serial: str) -> Face:
    kind, authority = press.catalogue.certificate_types[row.type], press.catalogue.authorities[row.authority]
    seal = next(seal for seal in press.catalogue.seals.values() if seal.authority == row.authority)
    return Face(
        template=kind.template,
        title=kind.name,
        carrier=Carrier.SHEET,
        facts=edition.printed,
        labels={spec.key: spec.label for spec in kind.fields},
        issuer=authority.name,
        issued_on=chinese_date(edition.issued_on),
        copy_label=sheet.label,
        code_text=sheet.code_text,
        code_caption=press.caption,
        seal_svg=seal_picture(seal).svg if sheet.seal == "printed" else None,
        seal_diameter=seal.diameter,
        serial=serial,
        made_at=moment_text(edition.created_at),
    )


def _record_print(
    session: Session, register: Register, sheet: SheetRow, serial: str, *, file: tuple[str, int], at: datetime
) -> None:
    current = session.exec(select(SheetRow).where(SheetRow.id == sheet.id).with_for_update()).one()
    blank = session.exec(select(BlankRow).where(BlankRow.serial == serial).with_for_update()).one()
    if current.state != "to-print" or blank.state != "stock":
        raise ConflictError(f"空白证照 {serial} 或该实体证照已被另一打印任务占用，请重试。", code="print-overtaken")
    sha256, size = file
    current.state, current.serial, current.printed_at = "printed", serial, at
    blank.state, blank.sheet, blank.updated_at = "used", current.id, at
    session.add_all([current, blank])
    session.add(
        FileRow(
            sha256=sha256,
            certificate=current.certificate,
            edition=current.edition,
            sheet=current.id,
            level="print",
            size=size,
            n=current.n,
            created_at=at,
        )
    )
    _move(session, blank.type, [serial], debit="used", credit="stock", at=at)
    row = session.get_one(CertificateRow, current.certificate)
    journal_event(session, register, row, "sheet:printed", at, file=bytes.fromhex(sha256))


def hand_over(register: Register, sheet: int, *, collector: str, receipt: str) -> SheetRow:
    """Record that a printed sheet was collected, by whom and on which receipt (送达)."""
    detail = {"collector": collector, "receipt": receipt}
    return _sheet_act(
        register, sheet, from_states=("printed",), state="collected", kind="sheet:collected", detail=detail
    )


def spoil(register: Register, sheet: int, *, reason: str, witness: str) -> SheetRow:
    """Record that a sheet was spoiled in printing; a new sheet with an index of its own waits to be printed."""
    detail = {"reason": reason, "witness": witness}
    return _sheet_act(
        register, sheet, from_states=("printed",), state="spoiled", kind="sheet:spoiled", detail=detail, void=True
    )


def hand_in(register: Register, sheet: int, *, person: str) -> SheetRow:
    """Record that a recalled sheet was handed in."""
    return _sheet_act(
        register,
        sheet,
        from_states=("collected", "printed"),
        state="surrendered",
        kind="sheet:surrendered",
        detail={"received_by": person},
        void=True,
    )


def _sheet_act(
    register: Register,
    sheet_id: int,
    *,
    from_states: tuple[str, ...],
    state: str,
    kind: str,
    detail: Mapping[str, Any],
    void: bool = False,
) -> SheetRow:
    with register.writer() as session:
        sheet = session.exec(select(SheetRow).where(SheetRow.id == sheet_id).with_for_update()).one_or_none()
        if sheet is None:
            raise NotFoundError(f"没有实体证照 {sheet_id}。")
        if sheet.state not in from_states:
            raise TransitionError(f"实体证照 {sheet.serial or sheet_id} 现为 {sheet.state}，不能登记为 {state}。")
        row, _ = load_certificate(session, sheet.certificate, lock=True)
        at = register.moment(session, row.updated_at)
        sheet.state, sheet.detail = state, {**sheet.detail, **detail}
        sheet.collected_at = at if state == "collected" else sheet.collected_at
        if void:
            sheet.fate, sheet.recall = SheetFate.VOID.value, False
        session.add(sheet)
        session.flush()
        _, certificate = load_certificate(session, row.key)
        own = tuple(pair for pair in statuses(session, certificate, at) if pair[0] == sheet.n)
        journal_event(session, register, row, kind, at, statuses=own)
    return sheet


def _move(
    session: Session,
    type_key: str,
    serials: Sequence[str],
    *,
    debit: str,
    credit: str,
    at: datetime,
    person: str = "",
    witness: str = "",
) -> None:
    session.add(
        StockMovementRow(
            type=type_key,
            first=serials[0],
            last=serials[-1],
            count=len(serials),
            debit=debit,
            credit=credit,
            at=at,
            person=person,
            witness=witness,
        )
    )
