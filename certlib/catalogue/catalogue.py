"""The catalogue as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from certlib.domain import mandate as mandates_of_item
from certlib.domain.calendar import Calendar
from certlib.domain.decision import Decision
from certlib.domain.kinds import Authority, CertificateType, DocumentType, Item, Mandate, Outcome
from certlib.domain.seal import SealKind, SealSpec
from certlib.domain.seal_table import SealedThing, SealTableRow, row_for
from certlib.errors import ConfigurationError, NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Items, authorities, mandates, kinds and seals of one version of the catalogue; every mapping is by key."""

    version: str  # "2022-04"
    dated: date
    sources: tuple[str, ...]
    publish_within: int  # working days to the end of the term of 双公示; assumed
    items: Mapping[str, Item]
    authorities: Mapping[str, Authority]
    mandates: Mapping[str, tuple[Mandate, ...]]
    certificate_types: Mapping[str, CertificateType]
    document_types: Mapping[str, DocumentType]
    seals: Mapping[str, SealSpec]
    seal_table: tuple[SealTableRow, ...]
    calendar: Calendar
    examples: Mapping[str, Any]  # invented content, for `certlib.catalogue.examples`

    def item(self, key: str) -> Item:
        """The item `2-25`. Raises `NotFoundError`."""
        if key not in self.items:
            raise NotFoundError(f"清单中没有事项“{key[:20]}”（应如 2-25）。")
        return self.items[key]

    def kind(self, key: str) -> CertificateType | DocumentType:
        """The certificate or document type of that key. Raises `NotFoundError`."""
        found = self.certificate_types.get(key) or self.document_types.get(key)
        if found is None:
            raise NotFoundError(f"没有证照或文书种类“{key[:40]}”。")
        return found

    def mandate_on(self, item: str, day: date) -> Mandate | None:
        """The mandate of the item in force on the civil day `day`, or None: none covers it, or no agreement."""
        return mandates_of_item.mandate_on(self.mandates.get(item, ()), day)

    def mandate_for(self, item: str, decision: Decision, day: date) -> Mandate | None:
        """The mandate under which the case of `decision` is completed on `day`: the old one until its run-off."""
        return mandates_of_item.mandate_for(self.mandates.get(item, ()), decision, day)

    def seal(self, authority: str, kind: SealKind, copy: int = 1) -> SealSpec:
        """The seal of that authority, kind and copy number. Raises `ConfigurationError` when it has none."""
        for seal in self.seals.values():
            if (seal.authority, seal.kind, seal.copy) == (authority, kind, copy):
                return seal
        name = self.authorities[authority].name if authority in self.authorities else authority
        kind_name = {SealKind.APPROVAL: "行政审批专用章", SealKind.ORGAN: "机关印章"}[kind]
        raise ConfigurationError(f"目录中{name}没有{kind_name}（第 {copy} 枚），不能用印。")

    def seal_for(self, thing: SealedThing, kind: SealKind) -> SealSpec:
        """The seal of the authority to go on `thing`: of the usual `kind` where the table allows it, else of its first.

        Raises `ConfigurationError` when the table allows no seal or the authority has none of that kind.
        """
        row = row_for(self.seal_table, thing)
        if row is None:
            raise ConfigurationError(f"用印规则没有规定{self.kind(thing.type).name}用什么印章，不能用印。")
        return self.seal(thing.authority, kind if kind in row.kinds else row.kinds[0], row.copy or 1)

    def outcome(self, item: str, kind: str) -> Outcome | None:
        """The item's outcome of that certificate or document type, or None."""
        return next((outcome for outcome in self.item(item).outcomes if outcome.type == kind), None)

    def items_of(self, kind: str) -> tuple[Item, ...]:
        """The items whose principal outcome is of that type, in the notice's order."""
        return tuple(item for item in self.items.values() if item.outcome.type == kind)
