"""What is checked of a certificate's file as an outsider would: its seals, and that it says what the record says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Any

import pypdfium2 as pdfium

from certlib.formats.facts import FILE_NAME, Facts, read_facts
from certlib.formats.pdfium import PDFIUM
from city_repository.record import BETWEEN, Problem

Examination = Callable[[Sequence[bytes], datetime], list[str]]
"""Gives for each file an empty text when its seals verify, else the reason in Chinese."""

NO_END = date(2099, 12, 31)
"""How 长期 is written in the metadata."""


def file_problems(data: bytes, values: Mapping[str, Any], reason: str) -> list[Problem]:
    """The problems of a pushed file: unreadable (E16), seal not valid (E18), other contents than the record (E19).

    `reason` is what the examination of its seals gave.
    """
    if reason:
        return [Problem("E18", f"证照文件签章核验不通过：{reason}")]
    try:
        facts = attached_facts(data)
    except (pdfium.PdfiumError, ValueError):
        return [Problem("E16", "证照文件无法读取，或未附照面数据 facts.json")]
    differing = [*_face(facts, values["faceData"]), *_metadata(facts, values)]
    if differing:
        return [Problem("E19", f"文件所附数据与推送的记录不一致：{'、'.join(differing)}")]
    return []


def attached_facts(data: bytes) -> Facts:
    """The facts attached to a certificate's file.

    Raises `ValueError` or `PdfiumError` when it has none or cannot be read.
    """
    with PDFIUM, closing(pdfium.PdfDocument(data)) as document:
        attachments = (document.get_attachment(index) for index in range(document.count_attachments()))
        found = [bytes(item.get_data()) for item in attachments if item.get_name() == FILE_NAME]
    if len(found) != 1:
        raise ValueError(FILE_NAME)
    return read_facts(found[0])


def _face(facts: Facts, face: Mapping[str, str]) -> Iterator[str]:
    """The face fields in which file and record differ, missing ones of either side included."""
    yield from sorted(key for key in {*facts.printed, *face} if facts.printed.get(key) != face.get(key))


def _codes(facts: Facts) -> str:
    """The codes of the holders as a record has them."""
    return BETWEEN.join(str(one.get("code", "")) for one in (facts.holder, *facts.holder.get("others", ())))


def _metadata(facts: Facts, values: Mapping[str, Any]) -> Iterator[str]:
    pairs = (
        ("证照标识", facts.identifier, values["certificateIdentifier"]),
        ("证照编号", facts.number, values["certificateNumber"]),
        ("证照颁发机构代码", facts.issuer.get("code"), values["certificateIssuingAuthorityCode"]),
        ("持证主体代码", _codes(facts), values["certificateHolderCode"]),
        ("证照颁发日期", facts.issued_on.isoformat(), values["certificateIssuedDate"]),
        ("有效期截止日期", (facts.valid_until or NO_END).isoformat(), values["certificateExpiringDate"]),
    )
    yield from (label for label, of_file, of_record in pairs if of_file != of_record)
