"""`certctl doctor` says which cipher suites this machine has, and why it has not the others."""

import pytest

from certlib.crypto import libcrypto
from certlib.crypto.suites import SUITES
from certlib.issue import health


def test_every_suite_is_tried() -> None:
    """Each signs and verifies, or is named with the reason."""
    finding = health.examine_suites()
    assert all(name in finding.detail for name in SUITES)
    assert finding.outcome == ("warn" if libcrypto.unavailable() else "pass")


def test_a_machine_without_sm2_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A libcrypto that is not there: a warning with the reason; the other suites stay."""
    monkeypatch.setenv("CERTLIB_LIBCRYPTO", "/nowhere/libcrypto.so")
    for cached in vars(libcrypto).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
    try:
        finding = health.examine_suites()
        assert finding.outcome == "warn"
        assert "可用 rsa3072-sha256、p256-sha256" in finding.detail
        assert "sm2-sm3：" in finding.detail
    finally:
        monkeypatch.undo()
        for cached in vars(libcrypto).values():
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()
