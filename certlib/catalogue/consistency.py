"""What must hold between the files of a catalogue, checked when it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from certlib.catalogue.catalogue import Catalogue
from certlib.domain.kinds import Allocator, CertificateType, DocumentType, Item, Mandate, OutcomeKind
from certlib.domain.seal_table import CERTIFICATE, DOCUMENT
from certlib.errors import ConfigurationError
from certlib.identifiers import check_uscc

_TYPE_CODE = re.compile(r"[0-9A-Z]{18}[0-9]{3}")
_CODE_NUMBERS = 1 << 16  # what the signed code has room for
_SEAL_ID = re.compile(r"[0-9]{14}")


def demand_consistency(catalogue: Catalogue) -> None:
    """Raises `ConfigurationError` with everything that does not fit together, one sentence each."""
    problems = [
        *_authorities(catalogue),
        *_kinds(catalogue),
        *(problem for item in catalogue.items.values() for problem in _item(catalogue, item)),
        *_seals(catalogue),
        *_seal_table(catalogue),
    ]
    if problems:
        raise ConfigurationError(
            f"目录有 {len(problems)} 处矛盾（catalogue contradicts itself）：" + "；".join(problems)
        )


def _authorities(catalogue: Catalogue) -> Iterator[str]:
    numbers = [authority.code_number for authority in catalogue.authorities.values()]
    for authority in catalogue.authorities.values():
        if numbers.count(authority.code_number) > 1 or not 0 < authority.code_number < _CODE_NUMBERS:
            yield f"{authority.key}：code_number {authority.code_number} 不唯一或越界"
        try:
            check_uscc(authority.uscc)
        except ValueError as error:
            yield f"{authority.key}：{error}"
        if authority.parent and authority.parent not in catalogue.authorities:
            yield f"{authority.key}：没有上级机关 {authority.parent}"


def _kinds(catalogue: Catalogue) -> Iterator[str]:
    kinds: list[CertificateType | DocumentType] = [
        *catalogue.certificate_types.values(),
        *catalogue.document_types.values(),
    ]
    numbers = [kind.code_number for kind in kinds]
    for kind in kinds:
        keys = [spec.key for spec in kind.fields]
        if numbers.count(kind.code_number) > 1 or not 0 < kind.code_number < _CODE_NUMBERS:
            yield f"{kind.key}：code_number {kind.code_number} 不唯一或越界"
        if len(set(keys)) != len(keys):
            yield f"{kind.key}：有重复的项"
        yield from (
            f"{kind.key}：没有日期 {spec.after}" for spec in kind.fields if spec.after and spec.after not in keys
        )
        if kind.number.allocator is Allocator.LOCAL and not kind.number.pattern:
            yield f"{kind.key}：本地编号缺少 pattern"
        if not re.fullmatch(kind.number.regex, kind.number.example):
            yield f"{kind.key}：编号示例 {kind.number.example} 不合规则"
    for certificate in catalogue.certificate_types.values():
        if not _TYPE_CODE.fullmatch(certificate.code):
            yield f"{certificate.key}：证照类型代码 {certificate.code} 不合格式"


def _item(catalogue: Catalogue, item: Item) -> Iterator[str]:
    mandates = catalogue.mandates.get(item.key, ())
    if not mandates:
        yield f"{item.key}：没有权限配置"
    yield from (problem for mandate in mandates for problem in _mandate(catalogue, mandate))
    for earlier, later in pairwise(mandates):
        if earlier.until is None or later.since < earlier.until:
            yield f"{item.key}：权限配置的日期重叠"
    for outcome in item.outcomes:
        if outcome.kind is not OutcomeKind.CERTIFICATE:
            if outcome.type not in catalogue.document_types:
                yield f"{item.key}：没有文书种类 {outcome.type}"
            continue
        kind = catalogue.certificate_types.get(outcome.type)
        if kind is None:
            yield f"{item.key}：没有证照种类 {outcome.type}"
            continue
        yield from (f"{item.key}：{kind.key} 没有 {act}" for act in outcome.actions if act not in kind.actions)
        open_facts = {spec.key for spec in kind.fields if spec.changeable}
        yield from (f"{item.key}：{key} 不能变更" for key in outcome.changes if key not in open_facts)


def _mandate(catalogue: Catalogue, mandate: Mandate) -> Iterator[str]:
    parts = (mandate.accepts, mandate.reviews, mandate.decides, mandate.seals, mandate.supervises)
    yield from (f"{mandate.item}：没有机关 {key}" for key in parts if key not in catalogue.authorities)
    if mandate.until is not None and mandate.until <= mandate.since:
        yield f"{mandate.item}：权限配置的止期不晚于起期"
    if mandate.run_off is not None and (mandate.until is None or mandate.run_off < mandate.until):
        yield f"{mandate.item}：过渡期须在止期之后"


def _seals(catalogue: Catalogue) -> Iterator[str]:
    for seal in catalogue.seals.values():
        if not _SEAL_ID.fullmatch(seal.id):
            yield f"印章标识 {seal.id} 应为 14 位数字"


def _seal_table(catalogue: Catalogue) -> Iterator[str]:
    kinds = {CERTIFICATE: catalogue.certificate_types, DOCUMENT: catalogue.document_types}
    general = set()
    for number, row in enumerate(catalogue.seal_table, start=1):
        where = f"用印规则第 {number} 条"
        if row.outcome not in kinds or not row.kinds:
            yield f"{where}：outcome 应为 certificate 或 document，kinds 不得为空"
            continue
        yield from (f"{where}：没有机关 {key}" for key in row.authorities if key not in catalogue.authorities)
        yield from (f"{where}：没有种类 {key}" for key in row.types if key not in kinds[row.outcome])
        yield from (f"{where}：没有事项 {key}" for key in sorted(row.items - catalogue.items.keys()))
        if not (row.authorities or row.types or row.actions or row.items or row.since or row.until):
            general.add(row.outcome)
    yield from (f"用印规则：缺少适用于一切 {outcome} 的一条" for outcome in sorted(kinds.keys() - general))
