"""Taking in (归集) what is pushed: read, check the file, decide, store; one transaction and one answer per record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from certlib.domain.civil import civil_date
from city_repository.accounts import Account
from city_repository.catalogue import TypeEntry
from city_repository.codes import Codes
from city_repository.files import Examination, file_problems
from city_repository.record import Record, Refused, guid_of, read_record, refused
from city_repository.rules import PREDECESSOR_MISSING, Decision, Held, decide
from city_repository.store import Store, derive, held_events, put_event, put_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one pushed record. `kind` is success, warning or error; `code` S…, W… or E…."""

    guid: str
    kind: str
    code: str
    message: str
    base: str = ""
    sequence: int = 0
    last_sequence: int = 0
    digest: str = ""
    received_at: str = ""


class Intake:
    """Takes in records for the repository."""

    def __init__(self, store: Store, codes: Codes, types: Mapping[str, TypeEntry], examine: Examination) -> None:
        self._store, self._codes, self._types, self._examine = store, codes, types, examine

    def receive(
        self, raws: Sequence[Mapping[str, Any]], account: Account, *, now: datetime, correction: bool = False
    ) -> list[Outcome]:
        """Take in records in their order, or say of each why not; refusals are kept for the clerks."""
        read = [self._read(raw) for raw in raws]
        checked = self._check_files(read, account, now)
        return [
            self._take(raw, found, account, now=now, correction=correction)
            for raw, found in zip(raws, checked, strict=True)
        ]

    def _read(self, raw: Mapping[str, Any]) -> Record | Refused:
        try:
            return read_record(raw, self._codes, self._types)
        except Refused as refusal:
            return refusal

    def _take(
        self, raw: Mapping[str, Any], found: Record | Refused, account: Account, *, now: datetime, correction: bool
    ) -> Outcome:
        guid = guid_of(raw)
        try:
            if isinstance(found, Refused):
                raise found
            return self._store_record(guid, found, account, now=now, correction=correction)
        except Refused as refusal:
            return self._refuse(guid, refusal, account, raw, now)

    def _check_files(self, read: Sequence[Record | Refused], account: Account, now: datetime) -> list[Record | Refused]:
        """Examine the files before the write lock is taken; a repeated delivery is not examined again."""
        new = {
            place: one.file
            for place, one in enumerate(read)
            if isinstance(one, Record) and one.file is not None and not self._is_known(one, account)
        }
        try:
            reasons = dict(zip(new, self._examine(list(new.values()), now), strict=True))
        except Refused as refusal:  # the examination itself is not to be had now
            return [refusal if place in new else one for place, one in enumerate(read)]
        return [_checked(one, reasons.get(place)) for place, one in enumerate(read)]

    def _is_known(self, record: Record, account: Account) -> bool:
        known = self._store.row(
            "SELECT 1 FROM event WHERE base = ? AND sequence = ? AND digest = ? AND account = ?",
            record.base,
            record.sequence,
            record.digest,
            account.id,
        )
        return known is not None

    def _store_record(self, guid: str, record: Record, account: Account, *, now: datetime, correction: bool) -> Outcome:
        moment = now.isoformat(timespec="milliseconds")
        with self._store.write() as connection:
            held = held_events(connection, record.base)
            if not held:
                self._check_number(record)
            decision = decide(record, held, self._codes, account=account.id, correction=correction)
            if decision.store:
                event = _event(record, account, decision, held)
                if record.file is not None:
                    put_file(connection, record.file_sha256, record.file)
                day = civil_date(record.at).isoformat()
                put_event(connection, record.base, event, day=day, received_at=moment)
                held = sorted([*(e for e in held if e.sequence != event.sequence), event], key=lambda e: e.sequence)
                derive(connection, record.base, held, now=moment)
        return Outcome(
            guid=guid,
            kind="warning" if decision.code.startswith("W") else "success",
            code=decision.code,
            message=decision.message,
            base=record.base,
            sequence=record.sequence,
            last_sequence=held[-1].sequence,
            digest=record.digest,
            received_at=moment,
        )

    def _check_number(self, record: Record) -> None:
        """A face number belongs to one certificate of its type and issuer."""
        other = self._store.row(
            "SELECT base FROM record WHERE type_code = ? AND number = ? AND authority_code = ?",
            record.identifier.type_code,
            record.values["certificateNumber"],
            record.identifier.issuer,
        )
        if other is not None and other["base"] != record.base:
            raise refused("E20", "证照编号已被另一证照使用")

    def _refuse(self, guid: str, refusal: Refused, account: Account, raw: Mapping[str, Any], now: datetime) -> Outcome:
        moment = now.isoformat(timespec="milliseconds")
        with self._store.write() as connection:
            connection.execute(
                "INSERT INTO refusal (at, account, guid, code, message) VALUES (?, ?, ?, ?, ?)",
                (moment, account.id, guid, refusal.code, str(refusal)),
            )
        base, last = self._position(raw) if refusal.code == PREDECESSOR_MISSING else ("", 0)
        return Outcome(
            guid=guid,
            kind="error",
            code=refusal.code,
            message=str(refusal),
            base=base,
            last_sequence=last,
            received_at=moment,
        )

    def _position(self, raw: Mapping[str, Any]) -> tuple[str, int]:
        record = read_record(raw, self._codes, self._types)
        row = self._store.row("SELECT last_sequence FROM record WHERE base = ?", record.base)
        return record.base, row["last_sequence"] if row else 0


def _checked(found: Record | Refused, reason: str | None) -> Record | Refused:
    """The record, or its refusal for what its file has; `reason` is None where no file was examined."""
    if reason is None or not isinstance(found, Record) or found.file is None:
        return found
    problems = file_problems(found.file, found.values, reason)
    return Refused(*problems) if problems else found


def _event(record: Record, account: Account, decision: Decision, held: list[Held]) -> Held:
    event = Held(
        sequence=record.sequence,
        account=account.id,
        identifier=record.values["certificateIdentifier"],
        edition=record.edition,
        operation=record.operation,
        state=record.state,
        digest=record.digest,
        file_sha256=record.file_sha256,
        values=record.values,
        warning=decision.code if decision.code.startswith("W") else "",
    )
    same = next((old for old in held if old.sequence == record.sequence), None)
    return replace(event, file_sha256=event.file_sha256 or (same.file_sha256 if same else ""))
