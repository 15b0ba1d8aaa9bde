"""Sharing (共享) after GB/T 36906: questions by identifier, holder and QR code, copies, and verification.

Rules:
* Every question names its purpose (useCause, at most 200 characters) and is logged, answered or not.
* A caller sees the certificate types it has permission for, and is told so when it has none.
* A file leaves only as a copy with a purpose and an end (加注件, see `copies`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certlib.domain.civil import civil_date
from certlib.errors import VerificationError
from certlib.formats.code import CodePayload, read_code
from city_repository.accounts import Account
from city_repository.catalogue import TypeEntry
from city_repository.codes import Codes
from city_repository.copies import Copies
from city_repository.files import Examination, attached_facts
from city_repository.store import Store

DENIED = "11"
OK, NOT_FOUND, MISSING, NO_TYPE, CLOSED, EXPIRED, RESTRICTED = "0", "10", "12", "13", "21", "22", "23"
OTHER, NO_PERMISSION, BAD_HOLDER_TYPE = "99", "100", "103"
MAX_CAUSE = 200
HELD_BY = (
    "SELECT * FROM record WHERE base IN (SELECT base FROM holder WHERE code = ? AND type = ?) AND type_code = ?"
    " ORDER BY base LIMIT 100"
)
"""The records that any holder with this code and type of code holds, of one type of certificate."""
_RESTRICTED_STATES, _CLOSED_STATES = frozenset({"02"}), frozenset({"03", "04", "06", "07", "99"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a question, and what the log keeps of it."""

    status: str
    data: Any = None
    message: str = ""
    subject: str = ""
    type_code: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks what, why and when. `data` are the operation's fields."""

    account: Account
    data: Mapping[str, Any]
    at: datetime

    def text(self, name: str) -> str:
        """A field as text, empty when missing."""
        return str(self.data.get(name) or "")


class Sharing:
    """Answers of the sharing interface."""

    def __init__(
        self, store: Store, codes: Codes, types: Mapping[str, TypeEntry], examine: Examination, copies: Copies
    ) -> None:
        self._store, self._codes, self._types, self._examine, self._copies = store, codes, types, examine, copies
        self.operations: Mapping[str, tuple[Callable[[Question], Reply], tuple[str, ...]]] = {
            "queryCertInfo": (self.by_identifier, ("certIdentifier",)),
            "queryCertInfoByHolderCode": (self.by_holder, ("holderCode", "holderTypeCode", "certTypeCode")),
            "queryCertInfoByQRcode": (self.by_code, ("qrcode",)),
            "downloadUrl": (self.copy, ("certIdentifier",)),
            "downloadUrlsByHolderCode": (self.copies, ("holderCode", "holderTypeCode", "certTypeCode")),
            "downloadFile": (self.open_copy, ("id",)),
            "verifyFile": (self.verify_file, ("file",)),
            "verifyCertInfo": (self.verify_facts, ("certIdentifier",)),
            "getCertRemarkInfo": (self.dictionary, ("certTypeCode",)),
            "queryCertTypes": (self.catalogue, ()),
        }

    def answer(self, operation: str, question: Question) -> Reply:
        """Answer a question and log it."""
        act, required = self.operations[operation]
        reply = self._fault(question, required) or act(question)
        message = reply.message or self._codes.name("status", reply.status)
        self._log(operation, question.account.id, question.text("useCause"), reply, question.at)
        return Reply(status=reply.status, data=reply.data, message=message)

    def deny(self, operation: str, claimed: str, cause: str, *, at: datetime) -> Reply:
        """Refuse a caller whose token is not good; the attempt is logged, with whom it claimed to be as its subject."""
        reply = Reply(status=DENIED, subject=f"accessId={claimed}"[:MAX_CAUSE])
        self._log(operation, "", cause, reply, at)
        return reply

    def _log(self, operation: str, account: str, cause: str, reply: Reply, at: datetime) -> None:
        with self._store.write() as connection:
            connection.execute(
                "INSERT INTO access (at, account, operation, cause, subject, type_code, status, count)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    at.isoformat(timespec="milliseconds"),
                    account,
                    operation,
                    cause[:MAX_CAUSE],
                    reply.subject,
                    reply.type_code,
                    reply.status,
                    reply.count,
                ),
            )

    def _fault(self, question: Question, required: Iterable[str]) -> Reply | None:
        for name in ("useCause", *required):
            if not question.text(name).strip():
                return Reply(status=MISSING, message=f"{name} 为空")
        if len(question.text("useCause")) > MAX_CAUSE:
            return Reply(status=OTHER, message=f"useCause 超过 {MAX_CAUSE} 字")
        return None

    def by_identifier(self, question: Question) -> Reply:
        """The certificate with that 证照标识; of an older edition its present state."""
        identifier = question.text("certIdentifier")
        row = self._store.row(
            "SELECT r.* FROM record r JOIN event e ON e.base = r.base WHERE e.identifier = ? LIMIT 1", identifier
        )
        return self._one(question, row, identifier)

    def by_code(self, question: Question) -> Reply:
        """The certificate whose signed QR code was scanned; the code must say what the edition's file says."""
        try:
            payload = read_code(question.text("qrcode")).payload
        except VerificationError as error:
            return Reply(status=OTHER, message=error.message)
        rows = self._store.rows("SELECT * FROM record WHERE number = ?", payload.number)
        fitting = [row for row in rows if self._number(row["type_code"]) in (0, payload.type_number)]
        if len(fitting) == 1 and not self._is_code_of(fitting[0]["base"], payload):
            return Reply(status=OTHER, message="二维码与归集的证照不符", subject=payload.number)
        return self._one(question, fitting[0] if len(fitting) == 1 else None, payload.number)

    def _number(self, type_code: str) -> int:
        entry = self._types.get(type_code)
        return entry.number if entry else 0

    def _is_code_of(self, base: str, payload: CodePayload) -> bool:
        """Whether the salted digest in the code is that of the facts in a file held of that edition."""
        rows = self._store.rows(
            "SELECT f.data FROM event e JOIN file f ON f.sha256 = e.file_sha256 WHERE e.base = ? ORDER BY e.sequence",
            base,
        )
        facts = [attached_facts(row["data"]) for row in rows]
        return any(fact.edition == payload.edition and fact.digest == payload.digest for fact in facts)

    def _one(self, question: Question, row: Any, subject: str) -> Reply:
        if row is None:
            return Reply(status=NOT_FOUND, subject=subject)
        if not question.account.may_query(row["type_code"]):
            return Reply(status=NO_PERMISSION, subject=subject, type_code=row["type_code"])
        shown = self._shown(row)
        status = self._standing(row, question.at)
        return Reply(status=status, data=shown, subject=row["identifier"], type_code=row["type_code"], count=1)

    def _standing(self, row: Any, at: datetime) -> str:
        if row["state"] in _CLOSED_STATES:
            return CLOSED
        if row["state"] in _RESTRICTED_STATES:
            return RESTRICTED
        expired = row["state"] == "05" or row["expiring"] < civil_date(at).isoformat()
        return EXPIRED if expired else OK

    def _shown(self, row: Any) -> dict[str, Any]:
        hidden = ("guid", "predecessorUnknown", "fileName")
        values = json.loads(row["metadata"])
        shown = {name: value for name, value in values.items() if name not in hidden}
        return shown | {"certStateName": self._codes.name("states", row["state"]), "fileDigest": row["file_sha256"]}

    def by_holder(self, question: Question) -> Reply:
        """The certificates of a holder, of one type; with certNo the one with that number."""
        fault, rows = self._of_holder(question)
        if fault is not None:
            return fault
        shown = [{**self._shown(row), "status": self._standing(row, question.at)} for row in rows]
        return Reply(
            status=OK if rows else NOT_FOUND,
            data=shown,
            subject=question.text("holderCode"),
            type_code=question.text("certTypeCode"),
            count=len(rows),
        )

    def _of_holder(self, question: Question) -> tuple[Reply | None, list[Any]]:
        type_code, holder_type = question.text("certTypeCode"), question.text("holderTypeCode")
        subject = question.text("holderCode")
        if holder_type not in self._codes.tables["holder_types"]:
            return Reply(status=BAD_HOLDER_TYPE, subject=subject), []
        if type_code not in self._types:
            return Reply(status=NO_TYPE, subject=subject, type_code=type_code), []
        if not question.account.may_query(type_code):
            return Reply(status=NO_PERMISSION, subject=subject, type_code=type_code), []
        rows = self._store.rows(HELD_BY, subject, holder_type, type_code)
        number = question.text("certNo")
        return None, [row for row in rows if not number or row["number"] == number]

    def copy(self, question: Question) -> Reply:
        """A short-lived link to a copy of the certificate's file; only of one that may be used."""
        found = self.by_identifier(question)
        if found.status != OK:
            return found
        link = self._link(question, found.data["certificateIdentifier"])
        return Reply(status=OK, data=link, subject=found.subject, type_code=found.type_code, count=1)

    def copies(self, question: Question) -> Reply:
        """Links to copies of all of a holder's certificates of a type that may be used."""
        found = self.by_holder(question)
        if found.status != OK:
            return found
        usable = [shown["certificateIdentifier"] for shown in found.data if shown["status"] == OK]
        links = [self._link(question, identifier) for identifier in usable]
        status = OK if links else NOT_FOUND
        return Reply(status=status, data=links, subject=found.subject, type_code=found.type_code, count=len(links))

    def open_copy(self, question: Question) -> Reply:
        """The terms and the file of a copy granted to this caller, for as long as it lasts."""
        found = self._copies.open(question.text("id"), question.account.id, at=question.at)
        if found is None:
            return Reply(status=NOT_FOUND, message="加注件不存在或已失效")
        identifier = found[0].identifier
        row = self._store.row("SELECT * FROM record WHERE identifier = ?", identifier)
        now = self._one(question, row, identifier)  # it may have been revoked, or the permission withdrawn, since then
        return Reply(
            status=now.status,
            data=found if now.status == OK else None,
            subject=identifier,
            type_code=now.type_code,
            count=int(now.status == OK),
        )

    def _link(self, question: Question, identifier: str) -> dict[str, str]:
        terms = self._copies.grant(
            identifier=identifier,
            account=question.account.id,
            applicant=question.text("applicant") or question.account.name,
            cause=question.text("useCause"),
            minutes=question.data.get("expiryTime"),
            at=question.at,
        )
        return {"id": terms.id, "certIdentifier": identifier, "expiryTime": terms.expires_at}

    def verify_file(self, question: Question) -> Reply:
        """Whether a file is one that was delivered, and how its certificate stands now."""
        data: bytes = question.data["file"]
        sha256 = hashlib.sha256(data).hexdigest()
        event = self._store.row(
            "SELECT e.identifier, r.* FROM event e JOIN record r ON r.base = e.base WHERE e.file_sha256 = ?"
            " ORDER BY e.sequence DESC LIMIT 1",
            sha256,
        )
        (reason,) = self._examine([data], question.at)
        result = {"fileDigest": sha256, "sealResult": reason or "印章核验通过", "registered": event is not None}
        if event is None:
            return Reply(status=NOT_FOUND, data=result, subject=sha256)
        answer = self._one(question, event, sha256)
        if answer.data is None:
            return answer
        current = event["file_sha256"] == sha256
        result |= {"certState": event["state"], "current": current, "certIdentifier": event["identifier"]}
        return Reply(status=answer.status, data=result, subject=sha256, type_code=answer.type_code, count=answer.count)

    def verify_facts(self, question: Question) -> Reply:
        """Whether face data and metadata agree with the repository's, field by field; values are not given away."""
        found = self.by_identifier(question)
        if found.data is None:
            return found
        face = found.data["faceData"]
        given = question.data.get("faceData") or {}
        results = {key: face.get(key) == text for key, text in given.items()}
        names = ("certificateNumber", "certificateHolderName", "certificateHolderCode", "certificateExpiringDate")
        results |= {name: found.data[name] == question.text(name) for name in names if question.text(name)}
        data = {"consistent": bool(results) and all(results.values()), "fields": results}
        return Reply(status=found.status, data=data, subject=found.subject, type_code=found.type_code, count=1)

    def dictionary(self, question: Question) -> Reply:
        """The face fields of a certificate type."""
        code = question.text("certTypeCode")
        entry = self._types.get(code)
        if entry is None:
            return Reply(status=NO_TYPE, type_code=code)
        if not question.account.may_query(code):
            return Reply(status=NO_PERMISSION, type_code=code)
        fields = [{"name": name, "label": label} for name, label in entry.fields.items()]
        return Reply(status=OK, data={**entry.as_json(), "fields": fields}, type_code=code, count=1)

    def catalogue(self, question: Question) -> Reply:
        """The certificate types that this caller may ask for (GB/T 36902)."""
        entries = [entry.as_json() for code, entry in self._types.items() if question.account.may_query(code)]
        return Reply(status=OK, data=entries, count=len(entries))
