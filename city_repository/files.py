"""What is checked of a certificate's file as an outsider would: its seals, and that it says what the record says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pypdfium2 as pdfium

from city_repository.record import Problem

Examination = Callable[[bytes, datetime], str]
"""Gives an empty text for a file whose seals verify, else the reason in Chinese."""

FACTS = "facts.json"


def file_problems(data: bytes, face: Mapping[str, str], examine: Examination, *, at: datetime) -> list[Problem]:
    """The problems of a pushed file: unreadable (E16), seal not valid (E18), other contents than the record (E19)."""
    reason = examine(data, at)
    if reason:
        return [Problem("E18", f"证照文件签章核验不通过：{reason}")]
    try:
        facts = attached_facts(data)
    except (pdfium.PdfiumError, ValueError):
        return [Problem("E16", "证照文件无法读取，或未附照面数据 facts.json")]
    differing = [key for key, text in face.items() if facts.get(key) != text]
    if differing:
        return [Problem("E19", f"文件所附照面数据与照面信息不一致：{'、'.join(differing)}")]
    return []


def attached_facts(data: bytes) -> Mapping[str, Any]:
    """The face facts attached to a certificate's file.

    Raises `ValueError` or `PdfiumError` when it has none or cannot be read.
    """
    document = pdfium.PdfDocument(data)
    try:
        for index in range(document.count_attachments()):
            attachment = document.get_attachment(index)
            if attachment.get_name() == FACTS:
                return _facts(json.loads(bytes(attachment.get_data())))
    finally:
        document.close()
    raise ValueError(FACTS)


def _facts(value: Any) -> Mapping[str, Any]:
    facts = value.get("facts", value) if isinstance(value, dict) else None
    if not isinstance(facts, dict):
        raise ValueError(FACTS)  # noqa: TRY004  a wrong file, not a wrong call
    return facts
