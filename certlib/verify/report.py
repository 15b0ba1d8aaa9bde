"""What an examination found: findings, seals, the certificate's facts, and the one verdict drawn from them.

A verdict is never set: it is the weightiest of what the findings stand for, and only when no finding weighs anything
does the state of the certificate speak.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from certlib.domain.civil import SHANGHAI
from certlib.domain.verdict import GENUINE, REVOKED_WORDS, WORDS, Finding, Verdict, Words

_WEIGHT = {verdict: place for place, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealReport:
    """One seal on a file. `seal` is the esID; `counter` and `authorisation` are from the signed attribute."""

    seal: str
    subject: str
    signed_at: datetime | None = None  # as the signer says
    timestamped_at: datetime | None = None  # proved
    level: str = ""  # B-B | B-T | B-LT | B-LTA
    suite: str = ""
    counter: int | None = None
    authorisation: str = ""  # SHA-256 of the seal authorisation, hexadecimal
    reason: str = ""
    owner: str = ""  # whose seal it is, by its certificate

    def as_json(self) -> dict[str, Any]:
        """The seal as a JSON object; times as people in the city read them."""
        return {
            "seal": self.seal,
            "subject": self.subject,
            "owner": self.owner,
            "signed_at": _time(self.signed_at),
            "timestamped_at": _time(self.timestamped_at),
            "time_proof": "proved" if self.timestamped_at else "pending",
            "level": self.level,
            "suite": self.suite,
            "counter": self.counter,
            "authorisation": self.authorisation,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReport:
    """What the file or code says it is. `holder` is masked; `n` the index of this carrier."""

    kind: str = "certificate"  # certificate | document
    identifier: str = ""
    number: str = ""
    title: str = ""
    type: str = ""
    edition: int = 0
    n: int = 0
    carrier: int = 0  # 0 file, 1 正本, 2… 副本
    holder: str = ""
    issuer: str = ""
    issued_on: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    def as_json(self) -> dict[str, Any]:
        """The facts as a JSON object, days in ISO 8601."""
        return {
            "kind": self.kind,
            "identifier": self.identifier,
            "number": self.number,
            "title": self.title,
            "type": self.type,
            "edition": self.edition,
            "n": self.n,
            "carrier": self.carrier,
            "holder": self.holder,
            "issuer": self.issuer,
            "issued_on": _day(self.issued_on),
            "valid_from": _day(self.valid_from),
            "valid_until": _day(self.valid_until),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of an examination at the moment `at`. `cause` says which kind of revocation, or why cancelled."""

    file: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    seals: tuple[SealReport, ...] = ()
    certificate: CertificateReport | None = None
    sha256: str = ""
    at: datetime
    cause: str = ""
    since: datetime | None = None
    current_edition: int = 0
    status_at: datetime | None = None  # the time of the data behind the state
    today: Verdict | None = None  # where `at` lies in the past: what is to be said today,
    today_cause: str = ""
    today_at: datetime | None = None

    @property
    def words(self) -> Words:
        """How the verdict reads; a revocation by its own word."""
        if self.verdict is Verdict.REVOKED:
            return REVOKED_WORDS.get(self.cause, WORDS[Verdict.REVOKED])
        return WORDS[self.verdict]

    @property
    def today_words(self) -> Words | None:
        """How today's verdict reads; None where `at` is today."""
        if self.today is Verdict.REVOKED:
            return REVOKED_WORDS.get(self.today_cause, WORDS[Verdict.REVOKED])
        return None if self.today is None else WORDS[self.today]

    def with_today(self, later: Report) -> Report:
        """This report, told besides what an examination of the same file said `later`."""
        return replace(self, today=later.verdict, today_cause=later.cause, today_at=later.at)

    @property
    def is_genuine(self) -> bool:
        """Whether the thing examined is what the issuer made, whatever has become of the certificate."""
        return self.verdict in GENUINE

    def finding(self, check: str) -> Finding | None:
        """The finding of that check, or None when it was not come to."""
        return next((finding for finding in self.findings if finding.check == check), None)

    def as_json(self) -> dict[str, Any]:
        """The report as the command line's `--json` shows it."""
        return {
            "file": self.file,
            "verdict": self.verdict.value,
            "findings": [finding.as_json() for finding in self.findings],
            "seals": [seal.as_json() for seal in self.seals],
            "certificate": self.certificate.as_json() if self.certificate else {},
            **({"today": {"verdict": self.today.value, "at": _time(self.today_at)}} if self.today else {}),
        }

    def as_line(self) -> str:
        """The same as one line of text."""
        return json.dumps(self.as_json(), ensure_ascii=False, separators=(", ", ": "))

    def dump(self) -> bytes:
        """The whole report as JSON, for another process; `load` reads it."""
        values = asdict(self)
        return json.dumps(values, ensure_ascii=False, default=_iso).encode()

    @classmethod
    def load(cls, data: bytes) -> Report:
        """Read what `dump` gave. Raises `ValueError` for anything else: the other process may have been subverted."""
        try:
            values = json.loads(data)
            seals, certificate = values.pop("seals"), values.pop("certificate")
            return cls(
                **_read(values, Report, verdict=Verdict, today=Verdict, findings=_findings),
                seals=tuple(SealReport(**_read(seal, SealReport)) for seal in seals),
                certificate=CertificateReport(**_read(certificate, CertificateReport)) if certificate else None,
            )
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("not a report") from error


@dataclass(slots=True)
class Notes:
    """Findings as they come, each with the verdict it stands for if it stands for one."""

    findings: list[Finding] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    about: str = ""  # what the details speak of, where there are several
    instead: Verdict | None = None  # what a failure stands for, whatever it says

    def of(self, about: str) -> Notes:
        """The same findings, to be continued about one of several things."""
        return replace(self, about=about)

    def passed(self, check: str, detail: str = "") -> None:
        """The check holds."""
        self._found(check, "pass", detail)

    def warn(self, check: str, detail: str) -> None:
        """The check holds with a reservation."""
        self._found(check, "warn", detail)

    def unknown(self, check: str, detail: str) -> None:
        """The check could not be made."""
        self._found(check, "unknown", detail)

    def failed(self, check: str, detail: str, verdict: Verdict) -> None:
        """The check does not hold, and that stands for `verdict`."""
        self._found(check, "fail", detail)
        self.verdicts.append(self.instead or verdict)

    def verdict(self, otherwise: Verdict) -> Verdict:
        """The weightiest verdict noted, or `otherwise`."""
        return min(self.verdicts, key=_WEIGHT.__getitem__, default=otherwise)

    def _found(self, check: str, outcome: str, detail: str) -> None:
        self.findings.append(Finding(check, outcome, self.about + detail))


def _iso(value: object) -> str:
    if isinstance(value, date):  # datetime is one
        return value.isoformat()
    raise TypeError(f"a report holds no {type(value).__name__}")


def _findings(values: list[dict[str, str]]) -> tuple[Finding, ...]:
    return tuple(Finding(str(one["check"]), str(one["outcome"]), str(one["detail"])) for one in values)


_READERS: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "int": int,
    "int | None": int,
    "date | None": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "datetime | None": datetime.fromisoformat,
}


def _read(values: dict[str, Any], kind: type[Any], **own: Callable[[Any], Any]) -> dict[str, Any]:
    """The values, each made what its field is declared to be; unknown fields are an error."""
    types = {one.name: str(one.type) for one in fields(kind)}
    readers = {name: own.get(name) or _READERS[types[name]] for name in values}
    return {name: None if value is None else readers[name](value) for name, value in values.items()}


def _time(at: datetime | None) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds") if at else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
