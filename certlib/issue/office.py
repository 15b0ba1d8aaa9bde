"""The issuing office: one object with the use cases that service, command line and workers call.

    with open_office(Settings()) as office:
        answer = office.issue(request, client="approval-system", key="case-1")
        office.act(answer.body["identifier"], "change", request, version=1, client="approval-system", key="case-2")

Every use case either answers or raises one error of `certlib.errors`; after an error nothing is half done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, and_, col, select

from certlib.catalogue import Catalogue
from certlib.crypto.development import development_folder
from certlib.document.face import Carrier, Face
from certlib.document.preflight import preflight
from certlib.document.renderer import Renderer
from certlib.domain.actions import Action
from certlib.domain.certificate import edition_verdict
from certlib.domain.civil import chinese_date, civil_date
from certlib.domain.holder import Holder, HolderCode
from certlib.domain.paper import BlankAct, SheetAct
from certlib.domain.verdict import Finding
from certlib.errors import (
    CertlibError,
    ConflictError,
    Fault,
    NotFoundError,
    RequestError,
    StaleVersionError,
    StorageError,
    TransitionError,
)
from certlib.formats.code import read_code
from certlib.issue import batch, mass, paper
from certlib.issue.acting import Present, check_allowed
from certlib.issue.announcing import announce_status_lists, keep_statement
from certlib.issue.deadlines import overdue
from certlib.issue.documents import plan_act, plan_document
from certlib.issue.draft import Draft
from certlib.issue.erasing import Erased, Erasure, Subject, erase, held_by
from certlib.issue.evidence import evidence_pack
from certlib.issue.finishing import Finishing, Seals, finish, void
from certlib.issue.importing import plan_import, register_import
from certlib.issue.levels import Levels
from certlib.issue.lists import SEALS, newest
from certlib.issue.marking import mark_of, marked_copy
from certlib.issue.opening import Coder, Opening, open_intent
from certlib.issue.owncheck import OwnCheck
from certlib.issue.planning import plan_certificate
from certlib.issue.publishing import StatusBoard
from certlib.issue.requests import read_act, read_issue
from certlib.issue.seals import SealDesk
from certlib.issue.serving import (
    document_service,
    edition_service,
    read_service,
    serve_certificate,
    serve_document,
    service_view,
)
from certlib.issue.settings import Settings
from certlib.issue.standing import change_standing
from certlib.issue.tending import activate_editions
from certlib.issue.views import (
    certificate_view,
    document_answer,
    document_state,
    document_view,
    edition_answer,
    files_of,
    find_document,
    key_of,
    part_of,
    planned_document_view,
    sheet_view,
    standing_answer,
)
from certlib.issue.windows import align_window, windows
from certlib.issue.witnesses import ask_all
from certlib.journal.journal import Journal
from certlib.journal.witnessing import WitnessClient
from certlib.register.access_log import digest_accesses
from certlib.register.certificates import load_certificate
from certlib.register.file_leaves import file_proof
from certlib.register.idempotency import Answer, begin, body_digest, find, replay
from certlib.register.intents import UNFINISHED, abandoned, refuse_second_case, take_over
from certlib.register.lookup import SqlLookup
from certlib.register.stock import balances, check_stock
from certlib.register.store import Register
from certlib.register.tables import CertificateRow, DocumentRow, EditionRow, FileRow, Intent, SheetRow


@dataclass(slots=True)
class Office:
    """An open office. Made by `certlib.issue.composition.open_office`; every part can be replaced in tests."""

    settings: Settings
    catalogue: Catalogue
    register: Register
    renderer: Renderer
    sealer: Seals
    coder: Coder
    check: OwnCheck
    seals: SealDesk
    owner: str
    journal: Journal[Session]
    board: StatusBoard
    trust_list: bytes
    list_keys: tuple[bytes, ...]  # public keys that sign both lists
    lookup: SqlLookup = field(init=False)
    levels: Levels | None = None
    witnesses: tuple[WitnessClient, ...] = ()
    closing: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lookup = SqlLookup(self.register, self.catalogue)

    def __enter__(self) -> Office:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what the office holds open."""
        for give_back in reversed(self.closing):
            give_back()
        self.closing.clear()

    @property
    def lease(self) -> timedelta:
        """How long a worker may hold an intent without finishing it."""
        return timedelta(seconds=self.settings.lease_seconds)

    # --- issue and act -------------------------------------------------------------------------------------------

    def issue(self, raw: object, *, client: str, key: str) -> Answer:
        """Issue a certificate. The same key and body give the same answer; see `Answer.replayed`."""
        return self._once(
            "issue", raw, client, key, lambda now: plan_certificate(read_issue(raw), self.catalogue, now=now)
        )

    def issue_document(self, raw: object, *, client: str, key: str) -> Answer:
        """Issue a sealed document or receipt of the procedure."""
        return self._once(
            "document", raw, client, key, lambda now: plan_document(read_issue(raw), self.catalogue, now=now)
        )

    def import_certificate(self, raw: object, *, client: str, key: str) -> Answer:
        """Register a certificate that was issued before us; nothing is sealed."""
        digest = body_digest("import", raw)
        prior = self._prior(client, key, digest)
        if prior is not None:
            return prior
        plan = plan_import(raw, self.catalogue, now=self.register.now())
        with _one_at_a_time():
            return register_import(self.register, self.catalogue, plan, origin=(client, key, digest))

    def act(self, identifier: str, action: str, raw: object, *, version: int | None, client: str, key: str) -> Answer:
        """Do `action` to the certificate `identifier` names, if its version still is `version`."""
        certificate, act = key_of(identifier), action_of(action)
        digest = body_digest(f"act:{certificate}:{act}", raw)
        prior = self._prior(client, key, digest)
        if prior is not None:
            return self._with_document(prior)
        with self.register.reader() as session:
            present = self._present(session, certificate)
        held = present.certificate
        if version is not None and version != held.version:
            raise StaleVersionError(f"{held.number} 已有变动（现为第 {held.version} 次登记），请重新读取后再办理。")
        now = self.register.now()
        command, draft, order = plan_act(read_act(raw), act, present, self.catalogue, now=now)
        check_allowed(present, command, draft, self.catalogue, now=now)
        if draft is not None:
            return self._begin(draft, client, key, digest)
        if order is not None:
            preflight(draft_face(order, self.settings.caption), self.renderer)
        with _one_at_a_time():
            answer = change_standing(
                self.register,
                self.catalogue,
                certificate,
                command,
                version=held.version,
                origin=(client, key, digest),
                answer=lambda session, row, at: standing_answer(session, self.catalogue, row, at),
                open_document=partial(self._open_order, order) if order is not None else None,
            )
        return self._seal_document(answer)

    def _open_order(self, order: Draft, session: Session) -> Intent:
        opening = Opening(self.register, self.coder, self.lease, self.owner)
        return open_intent(session, opening, order, client="", key="")

    def _seal_document(self, answer: Answer) -> Answer:
        """Seal the decision document of a state that is committed; what fails is left to the sweep."""
        if "document" in answer.body:
            with suppress(CertlibError):
                self.resume(answer.body["document"]["id"])
        return self._with_document(answer)

    def _with_document(self, answer: Answer) -> Answer:
        """The answer to an act with its decision document as it stands now."""
        if "document" not in answer.body:
            return answer
        with self.register.reader() as session:
            state = document_state(session, answer.body["document"]["id"])
        return replace(answer, body={**answer.body, "document": {**answer.body["document"], **state}})

    def _once(self, operation: str, raw: object, client: str, key: str, plan: Callable[[datetime], Draft]) -> Answer:
        digest = body_digest(operation, raw)
        prior = self._prior(client, key, digest)
        return prior if prior is not None else self._begin(plan(self.register.now()), client, key, digest)

    def _prior(self, client: str, key: str, digest: str) -> Answer | None:
        """The kept answer under this key; an unfinished intent is gone on with. None for a new key."""
        with self.register.reader() as session:
            row = find(session, client, key, digest)
        if row is None:
            return None
        answer = replay(row)
        if answer is None:
            return self.resume(row.intent)
        problem = answer.body.get("problem")
        if isinstance(problem, Mapping):
            raise ConflictError(str(problem["message"]), code=str(problem["code"]))
        return answer

    def _begin(self, draft: Draft, client: str, key: str, digest: str) -> Answer:
        preflight(draft_face(draft, self.settings.caption), self.renderer)
        opening = Opening(self.register, self.coder, self.lease, self.owner)
        with _one_at_a_time(), self.register.writer() as session:
            if find(session, client, key, digest) is not None:
                raise ConflictError(_RUNNING, code="in-progress")
            intent = open_intent(session, opening, draft, client=client, key=key)
            begin(session, client, key, digest, intent=intent.id, at=intent.created_at)
        return finish(self._finishing(), intent)

    def _finishing(self) -> Finishing:
        return Finishing(
            register=self.register,
            catalogue=self.catalogue,
            renderer=self.renderer,
            sealer=self.sealer,
            check=self.check,
            caption=self.settings.caption,
            answer=self._answer,
        )

    def _answer(self, session: Session, intent: Intent) -> Mapping[str, Any]:
        if intent.kind == "document":
            return document_answer(session, intent)
        return edition_answer(session, self.catalogue, intent, intent.finished_at or intent.created_at)

    def resume(self, intent_id: str) -> Answer:
        """Go on with an unfinished intent: finish it, or void it when its Shanghai day is over.

        The document of an act that is committed keeps its day: it is dated by the decision, and sealed when it can be.
        """
        with self.register.writer() as session:
            now = self.register.moment(session)
            intent = take_over(session, intent_id, self.owner, now, self.lease)
        if intent.state not in UNFINISHED:
            raise ConflictError(f"{intent.number} 的办理已结束，请重新读取。")
        if civil_date(now) != intent.day and not intent.plan.get("owed"):
            error = CertlibError(f"{intent.number} 未在 {intent.day} 当日办结，编号作废；请重新申请。", code="day-over")
            void(self.register, intent.id, error)
            raise ConflictError(error.message, code=error.code)
        return finish(self._finishing(), intent)

    def sweep(self) -> int:
        """Finish or void what crashed workers left behind; returns how many intents were dealt with."""
        with self.register.reader() as session:
            left = [intent.id for intent in abandoned(session, self.register.moment(session))]
        for intent_id in left:
            try:
                self.resume(intent_id)
            except CertlibError:
                continue  # kept with the intent, or still passing; the next sweep sees it again
        return len(left)

    # --- read ----------------------------------------------------------------------------------------------------

    def certificate(self, identifier: str, at: datetime | None = None) -> dict[str, Any]:
        """A certificate as it stands, or stood at `at`."""
        with self.register.reader() as session:
            moment = at or self.register.moment(session)
            return certificate_view(session, self.catalogue, key_of(identifier), moment)

    def certificates(self, *, after: str = "", limit: int = 50, authority: str = "") -> dict[str, Any]:
        """Certificates in the order of their keys, `limit` at most; `next` continues."""
        with self.register.reader() as session:
            query = select(CertificateRow).where(CertificateRow.key > after)
            if authority:
                query = query.where(CertificateRow.authority == authority)
            rows = session.exec(query.order_by(col(CertificateRow.key)).limit(limit + 1)).all()
        shown = [
            {
                "identifier": row.identifier,
                "number": row.number,
                "type": row.type,
                "state": row.state,
                "version": row.version,
                "holder": row.holder_name,
            }
            for row in rows[:limit]
        ]
        return {"certificates": shown, "next": rows[limit - 1].key if len(rows) > limit else ""}

    def file(self, identifier: str, edition: int | None = None, *, part: str = "file") -> bytes:
        """The electronic file of an edition, the newest level of it; `part` is `file`, `copy` (SM2/SM3) or `ses`."""
        with self.register.reader() as session:
            row, _ = load_certificate(session, key_of(identifier))
            wanted = edition or row.edition
            files = files_of(session, and_(FileRow.certificate == row.key, FileRow.edition == wanted))
        if not files:
            raise NotFoundError(f"没有第 {wanted} 版。")
        return self.register.files.read(part_of(files, part).sha256)

    def marked_file(self, identifier: str, edition: int | None = None) -> bytes:
        """A copy of an edition with its state across the page (已注销 …), unsealed; the issued file stays as it is."""
        with self.register.reader() as session:
            row, certificate = load_certificate(session, key_of(identifier))
            bearing = session.get(EditionRow, (row.key, row.edition if edition is None else edition))
            if bearing is None or not bearing.index:
                raise NotFoundError(f"没有第 {edition} 版。")
            verdict = edition_verdict(certificate, bearing.index, self.register.moment(session))
        kind, issuer = self.catalogue.certificate_types[row.type], self.catalogue.authorities[row.authority].name
        mark, caption = mark_of(verdict, certificate), self.settings.caption
        return marked_copy(self.renderer, kind, bearing, issuer=issuer, caption=caption, mark=mark)

    def evidence(self, identifier: str, edition: int | None = None) -> bytes:
        """The evidence pack of an edition as a zip, checkable without our software; see `certlib.issue.evidence`."""
        self.sequence()
        with self.register.reader() as session:
            row, _ = load_certificate(session, key_of(identifier))
            index = row.edition if edition is None else edition
            condition = and_(
                FileRow.certificate == row.key, FileRow.edition == index, col(FileRow.predecessor).is_(None)
            )
            sealed = [file for file in files_of(session, condition) if file.level != "print"]
            if not sealed:
                raise NotFoundError("这一版没有由本系统用印的文件，没有证据包。")
            return evidence_pack(
                session,
                self.journal,
                (row.key, index),
                pdf=self.register.files.read(sealed[0].sha256),
                keys=Path(self.settings.keys) if self.settings.keys else development_folder(),
                now=self.register.moment(session),
                title=self.catalogue.certificate_types[row.type].name,
                cosignatures=len(self.witnesses),
            )

    def file_proof(self, sha256: str) -> str:
        """The proof of a registered file in the journal (C2SP tlog-proof); see `certlib.register.file_leaves`."""
        with self.register.reader() as session:
            return file_proof(session, self.journal, sha256, cosignatures=len(self.witnesses))

    def document(self, document: str) -> dict[str, Any]:
        """A document by its id or number; one that is planned and not sealed yet says so."""
        with self.register.reader() as session:
            row = find_document(session, document)
            if isinstance(row, Intent):
                return planned_document_view(row, self.catalogue)
            return document_view(row, self.catalogue, files_of(session, FileRow.document == row.id))

    def document_file(self, document: str, *, part: str = "file") -> bytes:
        """The sealed file of a document; see `file`. Raises `NotFoundError` when it is not sealed yet."""
        with self.register.reader() as session:
            row = find_document(session, document)
            files = [] if isinstance(row, Intent) else files_of(session, FileRow.document == row.id)
        if not files:
            raise NotFoundError(f"{row.number} 尚未用印，没有文件。")
        return self.register.files.read(part_of(files, part).sha256)

    @property
    def seal_list(self) -> bytes:
        """The signed list of the seals' certificates and when each was in use, as last published."""
        return newest(self.register, SEALS)

    def status_list(self, shard: int) -> tuple[bytes, str]:
        """The signed status list of a shard and its entity tag.

        What has not been numbered yet is numbered now, so that a change shows whatever the worker is at.
        """
        with suppress(StorageError):  # then the list tells what was numbered before
            self.sequence()
        return self.board.status_list(shard, now=self.register.now())

    def tick(self) -> None:
        """What must happen by itself: days that have come, crashed work, the journal's numbering. Call it often."""
        activate_editions(self.register)
        paper.void_uncollected(self._press())
        mass.begin_due(self.register)
        self.sweep()
        if self.levels is not None:
            self.levels.raise_due()
        digest_accesses(self.register)
        self.sequence()
        if announce_status_lists(self.register, self.board):
            self.sequence()

    def ask_witnesses(self) -> list[Finding]:
        """Have the witnesses cosign the newest head; what each said. No transaction is open while they are asked."""
        return ask_all(self.register, self.journal, self.witnesses)

    def erase(
        self, subject: str, *, grounds: str, person: str, second_person: str, client: str = "office", purpose: str = ""
    ) -> Erased:
        """Erase the personal data of a certificate (证照标识), a document (id or number), or all of a holder (by code).

        Gives the numbers of what was erased, and what was kept; see `certlib.issue.erasing`.
        """
        erasure = Erasure(grounds=grounds, person=person, second_person=second_person, client=client, purpose=purpose)
        erasure.demand()
        with self.register.reader() as session:
            found = self._erasable(session, subject)
        return erase(self.register, found, erasure)

    def _erasable(self, session: Session, subject: str) -> Subject:
        if _is_identifier(subject):
            return Subject(certificates=[key_of(subject)])
        try:
            document = find_document(session, subject)
        except NotFoundError:
            return held_by(session, subject)
        if isinstance(document, DocumentRow):
            return Subject(documents=[document.id])
        if document.state != "voided":
            raise TransitionError(f"{document.number} 尚未用印，不能删除。")
        return Subject(plans=[document.id])

    def keep_statement(self, statement: bytes, *, target: str) -> None:
        """Archive and journal the day's signed statement of reconciliation with `target`."""
        keep_statement(self.register, statement, target=target)

    def sequence(self) -> None:
        """Number the journal's new events and sign its head, if there is anything to number."""
        with self.register.reader() as session:
            due = self.journal.due(session, self.register.moment(session))
        if due:
            with self.register.writer() as session:
                self.journal.sequence(session, self.register.moment(session))

    # --- service and time limits -----------------------------------------------------------------------------------

    def serve(self, subject: str, raw: object, *, client: str, key: str) -> Answer:
        """Record that a certificate (by its identifier) or a document (by id or number) was served on its holder."""
        digest = body_digest(f"serve:{subject}", raw)
        prior = self._prior(client, key, digest)
        if prior is not None:
            return prior
        service, origin = read_service(raw), (client, key, digest)
        with _one_at_a_time():
            if _is_identifier(subject):
                return serve_certificate(self.register, self.catalogue, key_of(subject), service, origin)
            return serve_document(self.register, self.catalogue, self._sealed_document(subject).id, service, origin)

    def service(self, subject: str) -> dict[str, Any]:
        """How the service of a certificate's newest edition, or of a document, stands: limit, ways, proofs."""
        with self.register.reader() as session:
            if not _is_identifier(subject):
                document = self._sealed_document(subject)
                return service_view(document_service(session, document), self.catalogue, document.issued_on)
            row, _ = load_certificate(session, key_of(subject))
            edition = session.get_one(EditionRow, (row.key, row.edition))
            return service_view(edition_service(session, edition), self.catalogue, edition.issued_on)

    def overdue(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """Cases not decided and outcomes not served within their time limits, the longest overdue first."""
        with self.register.reader() as session:
            at = now or self.register.moment(session)
            return [entry.as_json() for entry in overdue(session, self.catalogue, at)]

    def _sealed_document(self, subject: str) -> DocumentRow:
        with self.register.reader() as session:
            row = find_document(session, subject)
        if isinstance(row, Intent):
            raise TransitionError(f"{row.number} 尚未用印，不能送达。")
        return row

    # --- paper and batches -----------------------------------------------------------------------------------------

    def receive_blanks(self, type_key: str, first: str, last: str, *, person: str, witness: str) -> int:
        """Take blanks into stock."""
        span = paper.serial_range(first, last)
        return paper.receive(self.register, self.catalogue, type_key, span, person=person, witness=witness)

    def move_blanks(
        self, act: str, first: str, last: str, *, window: str = "", person: str, witness: str = "", reason: str = ""
    ) -> None:
        """`allot` blanks to a window, `return` them to stock, write them off (`spoil`, `lose`, `destroy`)."""
        span = paper.serial_range(first, last)
        paper.move_blanks(
            self.register, blank_act(act), span, window=window, person=person, witness=witness, reason=reason
        )

    def print_sheets(
        self, identifier: str, *, client: str, purpose: str, window: str = "", person: str = ""
    ) -> list[paper.PrintedSheet]:
        """Release the print files of the sheets that wait."""
        job = paper.PrintJob(client=client, purpose=purpose, window=window, person=person)
        return paper.print_sheets(self._press(), key_of(identifier), job)

    def align_window(self, window: str, x: float, y: float, *, person: str) -> dict[str, Any]:
        """Keep by how many millimetres all that a window prints is moved, to the right and down."""
        return align_window(self.register, window, (x, y), person=person)

    def windows(self) -> list[dict[str, Any]]:
        """The windows whose printers were aligned."""
        with self.register.reader() as session:
            return windows(session)

    def act_on_sheet(self, sheet: int, act: str, record: Mapping[str, str]) -> dict[str, Any]:
        """Record what was done with a sheet: collect, spoil, lose, surrender, announce, destroy."""
        row = paper.act_on_sheet(self._press(), sheet, sheet_act(act), record)
        with self.register.reader() as session:
            _, certificate = load_certificate(session, row.certificate)
            return sheet_view(row, certificate, self.register.moment(session))

    def certificate_of_sheet(self, sheet: int) -> str:
        """The 证照标识 of the certificate a sheet belongs to. Raises `NotFoundError`."""
        with self.register.reader() as session:
            row = session.get(SheetRow, sheet)
            if row is None:
                raise NotFoundError(f"没有实体证照 {sheet}。")
            return session.get_one(CertificateRow, row.certificate).identifier

    def stock(self) -> dict[str, Any]:
        """The balance of blanks by type and account, and the nightly check."""
        with self.register.reader() as session:
            books = balances(session)
            findings = check_stock(session)
        return {
            "types": {kind: {"received": book.received, **book.accounts} for kind, book in books.items()},
            "findings": [finding.as_json() for finding in findings],
        }

    def _press(self) -> paper.Press:
        return paper.Press(self.register, self.catalogue, self.renderer, self.settings.caption, self._sheet_code)

    def _sheet_code(self, edition: EditionRow, n: int, carrier: int) -> str:
        return self.coder.text(replace(read_code(edition.code_text).payload, n=n, carrier=carrier))

    def add_batch(self, lines: Sequence[Mapping[str, Any]], *, client: str, key: str = "") -> str:
        """Keep a batch for the workers; returns its id. The same key and lines are the same batch."""
        with _one_at_a_time():
            return batch.add_batch(self.register, lines, client=client, key=key)

    def check_batch(self, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """A dry run: every line with its faults, as the certificates stand now; nothing is numbered or kept."""
        cases: set[tuple[str, str]] = set()
        outcomes = []
        for number, raw in enumerate(lines, start=1):
            body = dict(raw)
            line = batch.Line("", number, str(body.pop("operation", "issue")), body)
            state, answer = batch.outcome_of(line, "", lambda line, _: self._try(line, cases))
            outcomes.append({"line": number, "operation": line.operation, "state": state, "answer": answer})
        return outcomes

    def _try(self, line: batch.Line, cases: set[tuple[str, str]]) -> Answer:
        """What `_perform` would check before it numbers anything."""
        now, body = self.register.now(), dict(line.body)
        if line.operation == "act":
            act = action_of(str(body.pop("action", "")))
            with self.register.reader() as session:
                present = self._present(session, key_of(str(body.pop("identifier", ""))))
            body.pop("version", None)
            command, draft, order = plan_act(read_act(body), act, present, self.catalogue, now=now)
            check_allowed(present, command, draft, self.catalogue, now=now)
            draft = draft or order
        else:
            draft = self._planner(line.operation)(read_issue(body), self.catalogue, now=now)
        if draft is not None:
            preflight(draft_face(draft, self.settings.caption), self.renderer)
            self._refuse_case(draft, cases)
        return Answer(200, {})

    def _refuse_case(self, draft: Draft, cases: set[tuple[str, str]]) -> None:
        place = (draft.case, f"{draft.type}:{draft.action}")
        if draft.case and place in cases:
            message = f"办件编号：本批中 {draft.case} 出现不止一次。"
            raise RequestError([Fault("case.number", "case-twice", message, "办件编号", "The case comes twice.")])
        cases.add(place)
        with self.register.reader() as session:
            refuse_second_case(session, draft.case, draft.type, draft.action)

    def _planner(self, operation: str) -> Callable[..., Draft]:
        planner = {"issue": plan_certificate, "document": plan_document}.get(operation)
        if planner is None:
            message = f"操作：“{operation[:30]}”不是 issue、document 或 act。"
            raise RequestError([Fault("operation", "unknown-operation", message, "操作", "No such operation.")])
        return planner

    def propose_mass(
        self, action: str, body: Mapping[str, Any], where: Mapping[str, str], *, person: str, reason: str, client: str
    ) -> dict[str, Any]:
        """Propose an action on many certificates; see `certlib.issue.mass`."""
        return mass.propose(self.register, action_of(action), body, where, person=person, reason=reason, client=client)

    def try_mass(self, action: str, body: Mapping[str, Any], where: Mapping[str, str]) -> list[dict[str, Any]]:
        """The dry run of a mass action: each certificate with what would stop it."""
        with self.register.reader() as session:
            found = mass.affected(session, where)
        return self.check_batch([{**body, "operation": "act", "action": action, "identifier": one} for one in found])

    def approve_mass(self, proposal: str, *, person: str, window: timedelta = mass.WINDOW) -> dict[str, Any]:
        """A second person approves a mass action; it begins after the window."""
        return mass.approve(self.register, proposal, person=person, window=window)

    def cancel_mass(self, proposal: str) -> dict[str, Any]:
        """Call a mass action off before it begins."""
        return mass.cancel(self.register, proposal)

    def work_batch(self, *, limit: int = 8, only: str = "") -> int:
        """Perform some lines of waiting batches; returns how many."""
        return batch.work_batch(self.register, self._perform, owner=self.owner, limit=limit, batch=only)

    def _perform(self, line: batch.Line, client: str) -> Answer:
        if line.operation == "act":
            body = dict(line.body)
            identifier, action = str(body.pop("identifier", "")), str(body.pop("action", ""))
            return self.act(identifier, action, body, version=body.pop("version", None), client=client, key=line.key)
        self._planner(line.operation)
        issue = self.issue if line.operation == "issue" else self.issue_document
        return issue(line.body, client=client, key=line.key)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _present(self, session: Session, key: str) -> Present:
        row, certificate = load_certificate(session, key)
        edition = session.get_one(EditionRow, (key, row.edition))
        others = Holder.of(edition.holder).others
        holder = Holder(row.holder_name, row.holder_code, HolderCode(row.holder_code_type), others)
        return Present(
            certificate=certificate,
            kind=self.catalogue.certificate_types[row.type],
            authority=row.authority,
            holder=holder,
            facts=edition.facts,
            paper_waived=edition.paper_waived,
        )


_RUNNING = "同一请求或同一办件正在办理，请稍候以同一 Idempotency-Key 重试。"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two requests that race for the same key, case or certificate: the database lets one in, the other may retry."""
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(_RUNNING, code="in-progress") from error


def _is_identifier(subject: str) -> bool:
    """Whether a subject is a 证照标识; a document has an id or a number."""
    return subject.startswith("1.2.156.")


def action_of(word: str) -> Action:
    """The action that a word names. Raises `RequestError`."""
    try:
        action = Action(word)
    except ValueError:
        action = Action.ISSUE
    if action in {Action.ISSUE, Action.IMPORT}:
        known = "、".join(action.value for action in Action if action not in {Action.ISSUE, Action.IMPORT})
        message = f"办理情形：没有“{word[:30]}”，应为 {known} 之一。"
        raise RequestError([Fault("action", "unknown-action", message, "办理情形", "There is no such action.")])
    return action


def blank_act(word: str) -> BlankAct:
    """The act on blanks that a word names. Raises `RequestError`."""
    return _named(BlankAct, word, {BlankAct.RECEIVE, BlankAct.USE})


def sheet_act(word: str) -> SheetAct:
    """The act on a sheet that a word names. Raises `RequestError`."""
    return _named(SheetAct, word, {SheetAct.PRINT})


_Act = TypeVar("_Act", BlankAct, SheetAct)


def _named(acts: type[_Act], word: str, barred: set[_Act]) -> _Act:
    known = {act.value: act for act in acts if act not in barred}
    if word not in known:
        message = f"操作：没有“{word[:30]}”，应为 {'、'.join(known)} 之一。"
        raise RequestError([Fault("act", "unknown-act", message, "操作", "There is no such act.")])
    return known[word]


def draft_face(draft: Draft, caption: str) -> Face:
    """The face of a draft before it is numbered, with stand-ins as long as the numbers will be."""
    printed = {
        **draft.texts,
        "number": draft.number or draft.numbering.example or draft.numbering.pattern,
        "identifier": "1.2.156.3005.2." + "0" * 60,
        "edition": "001",
        "issuer": draft.issuer,
        "issued_on": chinese_date(draft.issued_on),
        "valid_from": chinese_date(draft.valid_from),
        "valid_until": chinese_date(draft.valid_until) if draft.valid_until else "长期",
        "check_code": "0000-0000",
    }
    return Face(
        template=draft.template,
        title=draft.name,
        carrier=Carrier.FILE,
        facts=printed,
        labels=draft.labels,
        issuer=draft.issuer,
        issued_on=printed["issued_on"],
        code_caption=caption,
        made_at="2026-01-01T00:00:00Z",
    )
