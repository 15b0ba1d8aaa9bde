"""A certificate or document type from its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from certlib.catalogue.table import Table
from certlib.domain.actions import Action
from certlib.domain.kinds import (
    Allocator,
    Authority,
    CertificateType,
    CopySpec,
    DocumentType,
    FieldKind,
    FieldSpec,
    NumberFormat,
    Validity,
)
from certlib.errors import ConfigurationError


def certificate_type(
    key: str, table: Table, facts: Mapping[str, Any], authorities: Mapping[str, Authority]
) -> CertificateType:
    """The certificate type in `table`. Raises `ConfigurationError` when a key is missing, wrong or unknown."""
    code, code_assumed = _code(table, authorities)
    labels = {Action(action): str(label) for action, label in table.mapping("actions").items()}
    kind = CertificateType(
        key=key,
        name=table.text("name"),
        english=table.text("english"),
        code=code,
        code_assumed=code_assumed,
        code_number=table.number("code_number"),
        fields=tuple(_fields(table, facts)),
        number=_number(table.table("number")),
        validity=_validity(table.table("validity")),
        copies=tuple(_copy(row) for row in table.rows("copies")),
        actions=frozenset(labels) | {Action.IMPORT},
        labels=labels,
        template=table.text("template", ""),
        kind=table.text("kind"),
        category=table.text("category", "1"),
        assumed=table.texts("assumed"),
        supplied={name: str(label) for name, label in table.mapping("supplied").items()},
        basis=table.text("basis", ""),
        holders=table.number("holders", 1),
    )
    table.close()
    return kind


def document_type(key: str, table: Table, facts: Mapping[str, Any]) -> DocumentType:
    """The document type in `table`. Raises `ConfigurationError` when a key is missing, wrong or unknown."""
    kind = DocumentType(
        key=key,
        name=table.text("name"),
        english=table.text("english"),
        number=_document_number(table.table("number")),
        fields=tuple(_fields(table, facts)),
        template=table.text("template", ""),
        kind=table.text("kind"),
        code_number=table.number("code_number"),
        outward=table.flag("outward", default=True),
        seal=table.text("seal", "approval"),
        assumed=table.texts("assumed"),
        step=table.text("step", "approval"),
        public=table.flag("public", default=True),
        basis=table.text("basis", ""),
        chain=table.flag("chain"),
        action=Action(table.text("action")) if table.has("action") else None,
    )
    table.close()
    return kind


def _code(table: Table, authorities: Mapping[str, Authority]) -> tuple[str, bool]:
    """The type code: known, or the city's own (USCC of the department and three digits), which is an assumption."""
    if table.has("code"):
        return table.text("code"), False
    definer = table.text("defined_by")
    return f"{authorities[definer].uscc}{table.text('defined_as')}", True


def _fields(table: Table, facts: Mapping[str, Any]) -> Iterator[FieldSpec]:
    """Facts: a key of the dictionary, or a table that names one (`use`) and says what is different here."""
    for entry in table.entries("fields"):
        own = {"use": entry} if isinstance(entry, str) else dict(entry)
        key = own.pop("use", "") or own.get("key", "")
        yield _field(key, Table({**facts.get(key, {}), **own}, f"{table.where} {key}"))


def _field(key: str, table: Table) -> FieldSpec:
    kind = FieldKind(table.text("kind", "text"))
    spec = FieldSpec(
        key=table.text("key", key),
        label=table.text("label"),
        english=table.text("english"),
        kind=kind,
        required=table.flag("required", default=True),
        max_length=table.number("max", _LENGTHS.get(kind, 100)),
        choices=table.texts("choices"),
        changeable=table.flag("changeable", default=True),
        public=table.flag("public", default=True),
        assumed=table.flag("assumed"),
        same_as=table.text("same_as", ""),
        past=table.flag("past"),
        after=table.text("after", ""),
        example=table.text("example", ""),
    )
    table.close()
    if (kind is FieldKind.CHOICE) != bool(spec.choices):
        raise ConfigurationError(f"{table.where}：选择项与 choices 不符 (choices)")
    return spec


# Codes and dates have a form of their own to answer to; the length only keeps out what is no code at all.
_LENGTHS = {
    FieldKind.NAME: 40,
    FieldKind.USCC: 40,
    FieldKind.CITIZEN_NUMBER: 40,
    FieldKind.SUBJECT_CODE: 40,
    FieldKind.DATE: 40,
    FieldKind.NUMBER: 40,
    FieldKind.PARAGRAPH: 600,
    FieldKind.LIST: 600,
    FieldKind.HOLDERS: 20_000,
}


def _number(table: Table) -> NumberFormat:
    number = NumberFormat(
        allocator=Allocator(table.text("allocator", "local")),
        regex=table.text("regex"),
        pattern=table.text("pattern", ""),
        scope=table.text("scope", ""),
        assumed=table.flag("assumed", default=True),
        codes={key: dict(codes) for key, codes in table.mapping("codes").items()},
        example=table.text("example"),
    )
    table.close()
    return number


def _document_number(table: Table) -> NumberFormat:
    """`mark = "决"` makes 〈word〉决字〔year〕n号; kinds with the same mark share its counter and never a number."""
    if not table.has("mark"):
        return _number(table)
    mark = table.text("mark")
    table.close()
    return NumberFormat(
        allocator=Allocator.LOCAL,
        regex=rf"[^\s〔〕0-9]{{1,20}}{mark}字〔[12][0-9]{{3}}〕[1-9][0-9]{{0,6}}号",
        pattern=f"{{word}}{mark}字〔{{year}}〕{{serial}}号",
        scope=mark,
        example=f"赣市行审{mark}字〔2022〕1号",
    )


def _validity(table: Table) -> Validity:
    earliest, latest = table.numbers("window", (90, 30))
    validity = Validity(
        years=table.number("years", 0),
        months=table.number("months", 0),
        late_renewal=table.flag("late_renewal"),
        deemed_renewal=table.flag("deemed_renewal"),
        basis=table.text("basis", ""),
        assumed=table.flag("assumed", default=True),
        renewal_window=(earliest, latest),
        working_days=table.flag("working_days", default=True),
    )
    table.close()
    return validity


def _copy(table: Table) -> CopySpec:
    copy = CopySpec(
        kind=table.text("kind"),
        label=table.text("label"),
        count=table.number("count", 1),
        seal=_word(table, "seal", ("printed", "stamped")),
        form=_word(table, "form", ("full", "overprint")),
    )
    table.close()
    return copy


def _word(table: Table, key: str, words: tuple[str, ...]) -> str:
    """One of `words`, the first when nothing is said. Raises `ConfigurationError`."""
    word = table.text(key, words[0])
    if word not in words:
        raise ConfigurationError(f"{table.where}：{key} 只能是 {'、'.join(words)} (unknown word)")
    return word
