"""The paper side: sheets printed, handed over, spoiled, lost, handed in, destroyed; each step beside its blank.

A print file bears the printed seal, so it is made for one print job, registered and journalled, and given out once.
What may follow what is a table (`certlib.domain.paper`); the blanks are a double-entry ledger (`register.stock`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from certlib.catalogue import Catalogue
from certlib.document.face import Carrier, Face
from certlib.document.overprint import Offset, print_file
from certlib.document.renderer import Renderer
from certlib.domain.certificate import SheetFate
from certlib.domain.civil import chinese_date
from certlib.domain.holder import Holder
from certlib.domain.paper import BlankAct, SheetAct, SheetState, collector_faults, decide_sheet, proof_faults
from certlib.domain.stock import SerialRange
from certlib.errors import Fault, NotFoundError, RequestError, SealDeniedError, TransitionError
from certlib.formats.leaf import Leaf
from certlib.issue import stamping
from certlib.issue.draft import moment_text
from certlib.issue.windows import offset_of
from certlib.register import stock
from certlib.register.bearers import note_access
from certlib.register.certificates import load_certificate, statuses
from certlib.register.commit import journal_event
from certlib.register.seal_uses import STAMPED
from certlib.register.store import Register
from certlib.register.tables import CertificateRow, EditionRow, FileRow, SheetRow
from certlib.sealing.picture import seal_picture

MAX_RANGE = 10_000  # blanks taken in at a time
WINDOW = "综合受理窗口"  # prints straight from stock when no window is named
UNCOLLECTED = timedelta(days=180)  # after that a printed sheet that nobody collected is void

_PAST: Mapping[SheetAct, str] = {
    SheetAct.PRINT: "printed",
    SheetAct.COLLECT: "collected",
    SheetAct.SPOIL: "spoiled",
    SheetAct.LOSE: "lost",
    SheetAct.SURRENDER: "surrendered",
    SheetAct.ANNOUNCE: "announced-void",
    SheetAct.DESTROY: "destroyed",
}


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
    """What printing needs; `code` gives the text of the code for a carrier of an edition: (edition, n, carrier)."""

    register: Register
    catalogue: Catalogue
    renderer: Renderer
    caption: str
    code: Callable[[EditionRow, int, int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintJob:
    """Who prints, where and what for."""

    client: str
    purpose: str
    window: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class _Page:
    sheet: SheetRow
    serial: str
    pdf: bytes = field(repr=False)
    sha256: str


def serial_range(first: str, last: str) -> SerialRange:
    """The serials from `first` to `last`. Raises `RequestError` when they are not one range of at most 10,000."""
    try:
        span = SerialRange.of(first, last)
    except ValueError as error:
        message = f"空白证照号段：{error}"
        raise RequestError([Fault("first", "bad-range", message, "空白证照号段", "Not one range.")]) from error
    if span.count > MAX_RANGE:
        message = f"空白证照号段：一次最多 {MAX_RANGE} 张。"
        raise RequestError([Fault("last", "range-too-large", message, "空白证照号段", "The range is too large.")])
    return span


def receive(
    register: Register, catalogue: Catalogue, type_key: str, serials: SerialRange, *, person: str, witness: str
) -> int:
    """Take blanks of a type into stock, received and checked by two persons; returns how many."""
    if type_key not in catalogue.certificate_types:
        raise NotFoundError(f"没有证照种类 {type_key[:60]}。")
    if not person or not witness or person == witness:
        message = "空白证照入库须两人验收。"
        raise RequestError([Fault("witness", "two-persons", message, "验收人", "Two persons receive.")])
    with register.writer() as session:
        at = register.moment(session)
        count = stock.receive(session, type_key, serials, at=at, person=person, witness=witness)
        register.journal.append(session, Leaf(kind="stock:received", at=at))
    return count


def move_blanks(
    register: Register, act: BlankAct, serials: SerialRange, *, window: str, person: str, witness: str, reason: str
) -> None:
    """Allot blanks to a window, take them back, or write them off. Raises `TransitionError`, `RequestError`."""
    if act in {BlankAct.SPOIL, BlankAct.LOSE, BlankAct.DESTROY} and (not reason or not witness or witness == person):
        message = "核销空白证照须写明理由并有见证人。"
        raise RequestError([Fault("witness", "two-persons", message, "见证人", "A reason and a witness are needed.")])
    with register.writer() as session:
        at = register.moment(session)
        stock.move(session, act, serials, at=at, window=window, person=person, witness=witness, reason=reason)
        register.journal.append(session, Leaf(kind=f"stock:{act.value}", at=at))


def print_sheets(press: Press, key: str, job: PrintJob) -> list[PrintedSheet]:
    """Release the print files of a certificate's sheets that wait to be printed, each on its own blank.

    Raises `TransitionError` when none waits, `ConflictError` (code `no-blanks`) when there are too few blanks,
    `SealDeniedError` when the seal may not be printed (the denial is recorded).
    """
    register = press.register
    with register.reader() as session:
        row, _ = load_certificate(session, key)
        sheets = _waiting(session, row)
        serials = stock.available(session, row.type, job.window, len(sheets))
        edition = session.get_one(EditionRow, (key, row.edition))
        offset = offset_of(session, job.window or WINDOW)
    pages = [
        _page(press, row, edition, sheet, serial=serial, offset=offset)
        for sheet, serial in zip(sheets, serials, strict=True)
    ]
    with register.writer() as session:
        row, _ = load_certificate(session, key, lock=True)
        at = register.moment(session, row.updated_at)
        denied = _print_seals(session, press, row, edition, pages, job=job, at=at)
        for page in pages if not denied else ():
            _record_print(session, register, row, page, job=job, at=at)
        outcome = "denied" if denied else "printed"
        note_access(session, at, client=job.client, subject=row.key, purpose=job.purpose, outcome=outcome)
    if denied:
        raise SealDeniedError(f"{denied}，不得套印；未打印。")
    return [
        PrintedSheet(page.sheet.id or 0, page.sheet.label, page.sheet.copy_number, page.serial, page.sha256, page.pdf)
        for page in pages
    ]


def _print_seals(
    session: Session,
    press: Press,
    row: CertificateRow,
    edition: EditionRow,
    pages: Sequence[_Page],
    *,
    job: PrintJob,
    at: datetime,
) -> str:
    """Record each printed seal as a use; why it is denied (Chinese), empty when it is not."""
    operator = {"client": job.client, "person": job.person, "window": job.window or WINDOW, "purpose": job.purpose}
    wanted = [
        (
            stamping.printed(session, press.catalogue, row, edition, page.sheet, serial=page.serial, operator=operator),
            page.sha256,
        )
        for page in pages
        if page.sheet.seal != stamping.BY_HAND
    ]
    used = stamping.use_on_paper(session, press.register, press.catalogue, wanted, at=at)
    return used if isinstance(used, str) else ""


def _waiting(session: Session, row: CertificateRow) -> Sequence[SheetRow]:
    sheets = session.exec(
        select(SheetRow)
        .where(SheetRow.certificate == row.key, SheetRow.edition == row.edition)
        .where(SheetRow.state == SheetState.TO_PRINT.value)
        .order_by(col(SheetRow.id))
    ).all()
    if row.state != "in-force":
        raise TransitionError(f"{row.number} 现非有效状态，不打印实体证照。")
    if not sheets:
        raise TransitionError(f"{row.number} 没有待打印的实体证照。")
    return sheets


def _page(
    press: Press, row: CertificateRow, edition: EditionRow, sheet: SheetRow, *, serial: str, offset: Offset
) -> _Page:
    face = sheet_face(press, row, edition, sheet, serial=serial)
    copies = press.catalogue.certificate_types[row.type].copies
    overprint = any(copy.kind == sheet.kind and copy.form == "overprint" for copy in copies)
    rendered = print_file(face, press.renderer, overprint=overprint, offset=offset)
    return _Page(sheet, serial, rendered.pdf, press.register.files.create(rendered.pdf))


def sheet_face(press: Press, row: CertificateRow, edition: EditionRow, sheet: SheetRow, *, serial: str) -> Face:
    """The face of a sheet, on its blank."""
    kind, authority = press.catalogue.certificate_types[row.type], press.catalogue.authorities[row.authority]
    with press.register.reader() as session:
        seal = stamping.seal_on(session, press.catalogue, row, edition)
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
    session: Session, register: Register, row: CertificateRow, page: _Page, *, job: PrintJob, at: datetime
) -> None:
    sheet = _locked(session, page.sheet.id or 0)
    decide_sheet(SheetState(sheet.state), SheetAct.PRINT, current=sheet.edition == row.edition)
    window = job.window or WINDOW
    if not job.window:
        stock.move(session, BlankAct.ALLOT, [page.serial], at=at, type_key=row.type, window=window, person=job.person)
    stock.move(
        session, BlankAct.USE, [page.serial], at=at, type_key=row.type, window=window, person=job.person, sheet=sheet.id
    )
    sheet.state, sheet.serial, sheet.printed_at = SheetState.PRINTED.value, page.serial, at
    sheet.detail = {**sheet.detail, "print": {"window": window, "person": job.person, "client": job.client}}
    session.add(sheet)
    session.add(
        FileRow(
            sha256=page.sha256,
            certificate=row.key,
            edition=sheet.edition,
            sheet=sheet.id,
            level="print",
            size=len(page.pdf),
            n=sheet.n,
            created_at=at,
        )
    )
    journal_event(session, register, row, "sheet:printed", at, file=bytes.fromhex(page.sha256))


def act_on_sheet(press: Press, sheet_id: int, act: SheetAct, record: Mapping[str, str]) -> SheetRow:
    """Record an act on a sheet with its proof (who, against which document, which list …).

    A spoiled sheet is followed by a new one with an index of its own. Raises `RequestError` for a record that lacks
    something, `TransitionError` when the sheet's state forbids the act.
    """
    faults = proof_faults(act, record)
    if faults or act is SheetAct.PRINT:
        raise RequestError(faults or [Fault("act", "print-job", "打印须经打印任务。", "操作", "Print by a print job.")])
    register = press.register
    with register.writer() as session:
        sheet = _locked(session, sheet_id)
        row, _ = load_certificate(session, sheet.certificate, lock=True)
        at = register.moment(session, row.updated_at)
        if act is SheetAct.COLLECT:
            _refuse_strangers(session, sheet, record)
        if act is SheetAct.COLLECT and sheet.seal == stamping.BY_HAND and STAMPED not in sheet.detail:
            raise TransitionError(f"{row.number}的{sheet.label}尚未加盖实物印章，不能领取。")
        _apply(session, sheet, act, record, at)
        if act is SheetAct.SPOIL and sheet.edition == row.edition:
            _replace(session, press, sheet, at)
        _journal_sheet(session, register, row, sheet, act, at=at)
    return sheet


def _refuse_strangers(session: Session, sheet: SheetRow, record: Mapping[str, str]) -> None:
    bearing = session.get_one(EditionRow, (sheet.certificate, sheet.edition))
    if strange := collector_faults(record, Holder.of(bearing.holder)):
        raise RequestError(strange)


def _apply(session: Session, sheet: SheetRow, act: SheetAct, record: Mapping[str, str], at: datetime) -> None:
    move = decide_sheet(SheetState(sheet.state), act, fate=SheetFate(sheet.fate))
    sheet.state, sheet.fate = move.target.value, move.fate.value
    sheet.recall = sheet.recall and move.fate is SheetFate.SOUND
    sheet.collected_at = at if act is SheetAct.COLLECT else sheet.collected_at
    sheet.detail = {**sheet.detail, act.value: dict(record)}
    session.add(sheet)
    if move.blank is not None and sheet.serial:
        person, witness = record.get("person", ""), record.get("witness", "")
        reason = record.get("reason") or record.get("list", "")
        stock.move(session, move.blank, [sheet.serial], at=at, person=person, witness=witness, reason=reason)


def _replace(session: Session, press: Press, spoiled: SheetRow, at: datetime) -> None:
    """A reprint is a new sheet: same edition and copy, its own index, code and blank."""
    n = press.register.next(session, "n")
    edition = session.get_one(EditionRow, (spoiled.certificate, spoiled.edition))
    carrier = 1 if spoiled.kind == "original" else 1 + spoiled.copy_number
    session.add(
        SheetRow(
            certificate=spoiled.certificate,
            edition=spoiled.edition,
            kind=spoiled.kind,
            copy_number=spoiled.copy_number,
            label=spoiled.label,
            n=n,
            code_text=press.code(edition, n, carrier),
            seal=spoiled.seal,
            created_at=at,
        )
    )


def _journal_sheet(
    session: Session, register: Register, row: CertificateRow, sheet: SheetRow, act: SheetAct, *, at: datetime
) -> None:
    session.flush()
    _, certificate = load_certificate(session, row.key)
    now = statuses(session, certificate, at)
    newest = max(n for n, _ in now) if act is SheetAct.SPOIL else sheet.n  # the sheet that takes its place
    own = tuple(pair for pair in now if pair[0] in {sheet.n, newest})
    journal_event(session, register, row, f"sheet:{_PAST[act]}", at, statuses=own)


def hand_over(
    session: Session,
    register: Register,
    row: CertificateRow,
    sheet: SheetRow,
    record: Mapping[str, str],
    *,
    at: datetime,
) -> None:
    """Record inside the caller's transaction that a printed sheet was served on its holder."""
    _apply(session, sheet, SheetAct.COLLECT, record, at)
    _journal_sheet(session, register, row, sheet, SheetAct.COLLECT, at=at)


def void_uncollected(press: Press) -> int:
    """Void printed sheets that nobody collected within the term; returns how many. The certificate stays in force."""
    register = press.register
    with register.reader() as session:
        limit = register.moment(session) - UNCOLLECTED
        left = session.exec(
            select(SheetRow.id).where(SheetRow.state == SheetState.PRINTED.value, col(SheetRow.printed_at) < limit)
        ).all()
    record = {"person": "系统", "reason": f"逾 {UNCOLLECTED.days} 日未领取"}
    for sheet in left:
        act_on_sheet(press, int(sheet or 0), SheetAct.SURRENDER, record)
    return len(left)


def _locked(session: Session, sheet_id: int) -> SheetRow:
    sheet = session.exec(select(SheetRow).where(SheetRow.id == sheet_id).with_for_update()).one_or_none()
    if sheet is None:
        raise NotFoundError(f"没有实体证照 {sheet_id}。")
    return sheet
