"""The auditor's page has words, in both languages, for every code that the service can send it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import service
from certlib.domain.actions import Action, LegalState
from certlib.domain.paper import SheetState
from certlib.issue.auditing import _STATES
from certlib.issue.checking import CHECKS
from certlib.register.bearers import OUTCOMES

SCRIPT = (Path(service.__file__).parent / "static" / "audit" / "words.js").read_text(encoding="utf-8")
_KEY = re.compile(r"(?:[{,]\s*)(?:'([^']+)'|(\w+)):")


def keys(table: str, inner: str = "") -> set[str]:
    """The keys of one of the script's tables, or of a table within it."""
    text = SCRIPT[SCRIPT.index(f"const {table} = {{") :]
    text = text[: text.index("\n};")]
    if inner:
        text = text[text.index(f"{inner}: {{") + len(inner) + 1 :]
        text = text[: text.index("}")]
    return {quoted or plain for quoted, plain in _KEY.findall(text)}


@pytest.mark.parametrize("language", ["ZH", "EN"])
def test_each_check_has_its_name(language: str) -> None:
    """Also those that came after the page, and what the worker tells of between rounds."""
    assert {*CHECKS, "state", "worker", "city"} - keys(language, "checkNames") == set()


@pytest.mark.parametrize("language", ["ZH", "EN"])
def test_each_outcome_and_state_has_its_words(language: str) -> None:
    """Of accesses, of checks, of seal uses."""
    codes = {*OUTCOMES, "pass", "warn", "fail", "unknown", *_STATES, "electronic", "printed", "stamped"}
    assert codes - keys(language) == set()


def test_each_act_and_state_has_its_chinese_word() -> None:
    """In English the codes are words."""
    codes = {str(one.value) for kind in (Action, LegalState, SheetState) for one in kind}
    assert codes - keys("TERMS") == set()
