"""Disk and database refuse: nothing is acknowledged, the same key goes on when they are back."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from certlib.catalogue import example
from certlib.errors import StorageError, TimestampUnavailableError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from tests.issue.invariants import breaches


def test_a_full_disk_issues_nothing_and_the_retry_goes_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sealed file cannot be kept: a clear error; with space again the same key gets the same number."""
    request = dict(example("2-25", now=datetime.now(UTC)))
    with open_office(replace(settings, lease_seconds=0)) as office:
        real = os.link

        def full(*_: Any, **__: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "link", full)
        with pytest.raises(StorageError, match="磁盘已满"):
            office.issue(request, client="platform", key="k")
        assert office.certificates()["certificates"] == []
        monkeypatch.setattr(os, "link", real)
        answer = office.issue(request, client="platform", key="k")
        assert answer.body["number"].endswith("0001号")
        assert breaches(office, at=datetime.now(UTC)) == []


def test_without_timestamp_nothing_claims_to_have_one(settings: Settings) -> None:
    """No timestamp authority answers: refused, the use released, and the same key issues when one answers again."""
    away = replace(settings, timestamps=("http://127.0.0.1:9/tsa",), lease_seconds=0)
    request = dict(example("2-25", now=datetime.now(UTC)))
    with open_office(away) as office:
        with pytest.raises(TimestampUnavailableError):
            office.issue(request, client="platform", key="k")
        assert office.certificates()["certificates"] == []
        assert breaches(office, at=datetime.now(UTC)) == []
    with open_office(settings) as office:
        answer = office.issue(request, client="platform", key="k")
        assert answer.body["number"].endswith("0001号")
        assert breaches(office, at=datetime.now(UTC)) == []
