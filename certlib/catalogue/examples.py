"""A complete, valid request for every item, with invented content: for `certctl issue --example`, tests, batches.

    >>> from datetime import UTC, datetime
    >>> request = example("2-25", now=datetime(2026, 3, 2, 2, tzinfo=UTC))
    >>> request["item"], request["decision"]["acceptance"]["authority"]
    ('2-25', 'rongjiang-approval')

An item that acts on a certificate (2-27) gives the request for the action; `predecessor` names the item whose
example, with the same `variant`, makes the certificate it acts on, and `existing` the certificate as it stood when
that must lie years back, as for a renewal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from certlib.catalogue.catalogue import Catalogue
from certlib.catalogue.invented import Invention, Pools, invented_citizen_number, invented_uscc
from certlib.catalogue.loader import load_catalogue
from certlib.domain.actions import Action
from certlib.domain.civil import SHANGHAI, chinese_date, civil_date
from certlib.domain.decision import StepKind
from certlib.domain.holder import HolderCode
from certlib.domain.kinds import (
    Allocator,
    CertificateType,
    DocumentType,
    FieldKind,
    Item,
    Mandate,
    Outcome,
    OutcomeKind,
    Validity,
)
from certlib.domain.renewal import last_day, renewal_days
from certlib.errors import ConfigurationError, NotFoundError
from certlib.identifiers import format_number

Request = dict[str, Any]
_SPREAD = 250_000  # variants of one item before names and codes of the next begin
_OPINIONS = {
    StepKind.ACCEPTANCE: "申请材料齐全，符合法定形式，予以受理。",
    StepKind.REVIEW: "经审核，符合法定条件和标准，建议准予。",
    StepKind.APPROVAL: "同意。",
}


def example(
    item_key: str, *, now: datetime, variant: int = 0, kind: str = "", catalogue: Catalogue | None = None
) -> Request:
    """The request for the item's principal outcome, or for its outcome of the type `kind`, as of `now`.

    `variant` gives other invented holders and contents. Raises `NotFoundError` for an unknown item or outcome.
    """
    setting = _Setting(catalogue or load_catalogue(), item_key, now, variant)
    outcome = setting.outcome(kind)
    if outcome.kind is not OutcomeKind.CERTIFICATE:
        return setting.document(setting.catalogue.document_types[outcome.type])
    certificate = setting.catalogue.certificate_types[outcome.type]
    return setting.issue(certificate) if Action.ISSUE in outcome.actions else setting.act(certificate)


def predecessor(item_key: str, *, catalogue: Catalogue | None = None) -> str:
    """The item whose example makes the certificate on which this item acts; empty when it issues or needs none."""
    catalogue = catalogue or load_catalogue()
    outcome = catalogue.item(item_key).outcome
    if outcome.kind is not OutcomeKind.CERTIFICATE or Action.ISSUE in outcome.actions:
        return ""
    return next(item.key for item in catalogue.items_of(outcome.type) if Action.ISSUE in item.outcome.actions)


def existing(item_key: str, *, now: datetime, variant: int = 0, catalogue: Catalogue | None = None) -> Request:
    """The certificate on which this item acts, as it was issued before us (存量证照): with number and days.

    The days are such that the item's action is open now. Raises `NotFoundError` when the item acts on none.
    """
    catalogue = catalogue or load_catalogue()
    source = predecessor(item_key, catalogue=catalogue)
    if not source:
        raise NotFoundError(f"事项 {item_key} 不在已有证照上办理。")
    setting = _Setting(catalogue, source, now, variant)
    kind = catalogue.certificate_types[catalogue.item(item_key).outcome.type]
    return setting.standing(kind)


class _Setting:
    """One item, one variant, one moment."""

    def __init__(self, catalogue: Catalogue, item_key: str, now: datetime, variant: int) -> None:
        self.catalogue, self.now, self.variant = catalogue, now.astimezone(SHANGHAI), variant
        self.item: Item = catalogue.item(item_key)
        self.today = civil_date(now)
        mandate = catalogue.mandate_on(item_key, self.today)
        if mandate is None:
            raise ConfigurationError(f"事项 {item_key} 在 {self.today} 没有有效的权限配置，无法举例。")
        self.mandate: Mandate = mandate
        self.own = next(row for row in catalogue.examples["example"] if item_key in row["items"])
        # The items of one certificate share the holder of the row's first item.
        place = list(catalogue.items).index(self.own["items"][0])
        self.serial = place * _SPREAD + variant
        self.words = Invention(_pools(catalogue), self.serial, {})
        self.holder = self._holder()
        self._know()

    def outcome(self, kind: str) -> Outcome:
        if not kind:
            return self.item.outcome
        found = self.catalogue.outcome(self.item.key, kind)
        if found is None:
            raise NotFoundError(f"事项 {self.item.key} 不产出 {kind[:40]}。")
        return found

    def issue(self, kind: CertificateType) -> Request:
        request = self._request() | {"holder": self.holder, "facts": self._facts(kind), "paper": {"waived": False}}
        if kind.number.allocator is not Allocator.LOCAL:
            request["number"] = self._number(kind, self.today.year, {})
        if "valid_years" in self.own:
            until = last_day(Validity(years=self.own["valid_years"]), self.today)
            request["valid_until"] = until.isoformat() if until else ""
        return request

    def document(self, kind: DocumentType) -> Request:
        request = self._request(StepKind(kind.step)) | {
            "type": kind.key,
            "holder": self.holder,
            "facts": self._facts(kind),
        }
        if kind.number.allocator is not Allocator.LOCAL:
            request["number"] = self._number(kind, self.today.year, {})
        return request

    def act(self, kind: CertificateType) -> Request:
        wanted: Mapping[str, Any] = self.catalogue.examples["acts"].get(self.item.key, {})
        request = self._request()
        if wanted.get("new_holder"):
            name = self.words.fill(self.own["holder"].replace("{brand}", "{brand6}"))
            self.words.know(new_holder=name)
            request["holder"] = {"name": name, "code": self.words["code6"], "code_type": HolderCode.USCC.value}
        specs = {spec.key: spec for spec in kind.fields}
        facts = {key: self.words.fill(text) for key, text in wanted.get("facts", {}).items()}
        if facts:
            request["facts"] = {key: _value(specs[key].kind, text) for key, text in facts.items()}
        return request | {key: wanted[key] for key in ("cause", "evidence") if key in wanted}

    def standing(self, kind: CertificateType) -> Request:
        """The certificate as issued years ago: it ends in the middle of its renewal window, if it ends at all."""
        since, until = _standing_days(kind, self.today)
        facts = self._facts(kind)
        request = self._request() | {"type": kind.key, "holder": self.holder, "facts": facts}
        request |= {"number": self._number(kind, since.year, facts), "valid_from": since.isoformat()}
        return request | ({"valid_until": until.isoformat()} if until else {})

    def _request(self, until: StepKind = StepKind.APPROVAL) -> Request:
        kinds = list(StepKind)[: list(StepKind).index(until) + 1]
        steps = {kind.value: self._step(kind) for kind in kinds}
        return {
            "item": self.item.key,
            "case": {"number": self.words["case"]},
            "decision": {"kind": "application", **steps},
        }

    def _step(self, kind: StepKind) -> dict[str, str]:
        authority = {
            StepKind.ACCEPTANCE: self.mandate.accepts,
            StepKind.REVIEW: self.mandate.reviews,
            StepKind.APPROVAL: self.mandate.decides,
        }[kind]
        return {
            "authority": authority,
            "person": self.words[_PERSONS[kind]],
            "at": self._moment(kind).isoformat(),
            "opinion": _OPINIONS[kind],
        }

    def _moment(self, kind: StepKind) -> datetime:
        """Accepted three working days ago, reviewed on the last one, approved ten minutes ago."""
        days_before = self.catalogue.calendar.before
        if kind is StepKind.APPROVAL:
            return (self.now - timedelta(minutes=10)).replace(second=0, microsecond=0)
        accepted = kind is StepKind.ACCEPTANCE
        return datetime.combine(days_before(self.today, 3 if accepted else 1), time(10 if accepted else 15), SHANGHAI)

    def _holder(self) -> dict[str, str]:
        person = self.own.get("person")
        if person:
            born = self.words.born(self.today, minor=person == "minor")
            code = invented_citizen_number(self.serial, born)
            return {"name": self.words["person"], "code": code, "code_type": HolderCode.CITIZEN.value}
        code = invented_uscc(self.serial * 8, self.own.get("prefix", "91360700"))
        return {"name": self.words.fill(self.own["holder"]), "code": code, "code_type": HolderCode.USCC.value}

    def _know(self) -> None:
        """What the placeholders mean in this example beyond what is drawn."""
        item, today = self.item, self.today
        accepted = self._moment(StepKind.ACCEPTANCE)
        certificate = self._certificate()
        self.words.know(
            holder=self.holder["name"],
            code=self.holder["code"],
            case=f"3607{item.annex:02}{item.number:02}{today:%Y%m%d}{self.variant:05}",
            matter=item.title if len(item.title) <= 60 else item.item,
            today=today.isoformat(),
            today_words=chinese_date(today),
            year=str(today.year),
            accepted_on=civil_date(accepted).isoformat(),
            due_on=self.catalogue.calendar.after(civil_date(accepted), 30).isoformat(),
            month_ago=(today - timedelta(days=30)).isoformat(),
            year_ahead=(today + timedelta(days=365)).isoformat(),
            project_code=f"{today:%y%m}-360799-04-01-{self.words['digits6']}",
            certificate_name=certificate.name if certificate else "准予行政许可决定书",
            certificate_number=certificate.number.example if certificate else f"赣市行审决字〔{today.year}〕1号",
        )

    def _certificate(self) -> CertificateType | None:
        keys = (outcome.type for outcome in self.item.outcomes if outcome.kind is OutcomeKind.CERTIFICATE)
        return next((self.catalogue.certificate_types[key] for key in keys), None)

    def _facts(self, kind: CertificateType | DocumentType) -> dict[str, Any]:
        """Each fact's example, or what the item says instead; optional facts without an example stay away."""
        own: Mapping[str, str] = self.own.get("facts", {}) if self._is_principal(kind) else {}
        texts = {spec.key: own.get(spec.key, spec.example) for spec in kind.fields}
        return {
            spec.key: _value(spec.kind, self.words.fill(texts[spec.key])) for spec in kind.fields if texts[spec.key]
        }

    def _is_principal(self, kind: CertificateType | DocumentType) -> bool:
        return kind.key == self.item.outcome.type

    def _number(self, kind: CertificateType | DocumentType, year: int, facts: Mapping[str, Any]) -> str:
        """A well-formed face number: the format's own, or one that an outside system could have allotted."""
        if kind.number.allocator is Allocator.LOCAL:
            return format_number(kind.number, year=year, serial=9000 + self.variant % 1000, facts=facts)
        sample, tail = kind.number.example, f"{self.serial % 1_000_000:06}"
        return sample[: -len(tail)] + tail


_PERSONS = {StepKind.ACCEPTANCE: "person7", StepKind.REVIEW: "person8", StepKind.APPROVAL: "person9"}


def _value(kind: FieldKind, text: str) -> str | list[str] | list[dict[str, str]]:
    if kind is FieldKind.HOLDERS:
        return [dict(zip(("name", "code"), line.rsplit(" ", 1), strict=True)) for line in text.split("\n")]
    return text.split("\n") if kind is FieldKind.LIST else text


def _standing_days(kind: CertificateType, today: date) -> tuple[date, date | None]:
    months = kind.validity.years * 12 + kind.validity.months
    if not months:
        return today - timedelta(days=365), None
    opens, closes = renewal_days(kind.validity, today)
    until = today + ((today - opens) + (today - closes)) / 2
    since = until + timedelta(days=1)
    return since.replace(year=since.year - months // 12, day=min(since.day, 28)), until


def _pools(catalogue: Catalogue) -> Pools:
    pools: Mapping[str, Any] = catalogue.examples["pools"]
    return Pools(
        first=pools["first"],
        second=pools["second"],
        surnames=pools["surnames"],
        given=pools["given"],
        towns=tuple(pools["towns"]),
        streets=tuple(pools["streets"]),
        villages=tuple(pools["villages"]),
    )
