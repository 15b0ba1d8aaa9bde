"""Whether this machine can issue and verify: one finding for each thing an issuance leans on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from certlib.catalogue import load_catalogue
from certlib.crypto.development import development_folder
from certlib.crypto.keys import PemKey, open_key
from certlib.crypto.suites import SUITES, private_pem, suite_named
from certlib.document.renderer import city_renderer
from certlib.domain.verdict import Finding
from certlib.errors import CertlibError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings

_LEAST_FREE = 1_000_000_000  # bytes: a day of a busy office
_JUDGES = ("pdfsig", "qpdf", "openssl")  # independent of us; an auditor's second opinion


def examine_machine(settings: Settings) -> tuple[Finding, ...]:
    """Every check with what it found; a check that fails never stops the next."""
    return tuple(_guarded(name, check, settings) for name, check in _CHECKS.items())


def _guarded(name: str, check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except CertlibError as error:
        return Finding(name, "fail", error.message)


def _python(_: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "pass" if (3, 11) <= sys.version_info < (3, 14) else "warn", version)


def _catalogue(_: Settings) -> Finding:
    catalogue = load_catalogue()
    return Finding("catalogue", "pass", f"{len(catalogue.items)} 个事项，{len(catalogue.certificate_types)} 种证照")


def _templates(settings: Settings) -> Finding:
    folder, fonts = (Path(place) if place else None for place in (settings.templates, settings.fonts))
    keys = city_renderer(fonts, folder).templates.keys()
    return Finding("templates", "pass" if keys else "fail", "、".join(keys))


def _suite(settings: Settings) -> Finding:
    """The suite of the settings signs and verifies; with the seal keys of development, or those named."""
    suite = suite_named(settings.suite)
    folder = Path(settings.keys) if settings.keys else development_folder()
    made = [path for path in sorted((folder / "seals").glob(f"*.{suite.short}.pem")) if _signs(path, suite.name)]
    return Finding("suite", "pass" if made else "fail", f"{suite.name}：{len(made)} 枚印章的密钥可用")


def examine_suites() -> Finding:
    """Which suites this machine has, each tried with a new key, and why it lacks the others."""
    outcomes = {name: _lacks(name) for name in SUITES}
    lacking = [f"{name}：{why}" for name, why in outcomes.items() if why]
    having = "、".join(name for name, why in outcomes.items() if not why)
    return Finding("suites", "warn" if lacking else "pass", "；".join([f"可用 {having}", *lacking]))


def _lacks(name: str) -> str:
    """Why a suite cannot sign and verify here (Chinese), empty when it can."""
    try:
        key = SUITES[name].generate()
        signing = PemKey.load(private_pem(key), name=name)
        SUITES[name].verify(signing.public_key, signing.sign(b"certctl doctor"), b"certctl doctor")
    except CertlibError as error:
        return error.message.rstrip("。")
    return ""


def _signs(path: Path, suite: str) -> bool:
    key = open_key(f"pem:{path}")
    SUITES[suite].verify(key.public_key, key.sign(b"certctl doctor"), b"certctl doctor")
    return True


def _disk(settings: Settings) -> Finding:
    place = next(folder for folder in (settings.home, *settings.home.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    return Finding("disk", "pass" if free >= _LEAST_FREE else "warn", f"可用 {free // 1_000_000} MB")


def _register(settings: Settings) -> Finding:
    with open_office(settings) as office:
        held = office.certificates(limit=1)["certificates"]
    return Finding("register", "pass", f"{settings.home}：{'有' if held else '尚无'}证照")


def _seals(settings: Settings) -> Finding:
    """Every seal in use can be used on this machine: its key is here and fits its certificate."""
    with open_office(settings) as office:
        views, unusable = office.seals.seals(), office.seals.probe()
    used = sum(view["state"] == "enabled" for view in views)
    reasons = "；".join(f"{seal}：{why.rstrip('。')}" for seal, why in unusable.items())
    if unusable or not used:
        return Finding("seals", "fail" if unusable else "warn", reasons or "没有在用的印章")
    return Finding("seals", "pass", f"{used} 枚在用，均可用印")


def _judges(_: Settings) -> Finding:
    missing = list(_missing())
    return Finding("judges", "warn" if missing else "pass", f"未安装 {'、'.join(missing)}" if missing else "齐全")


def _missing() -> Iterator[str]:
    return (name for name in _JUDGES if shutil.which(name) is None)


_CHECKS: dict[str, Callable[[Settings], Finding]] = {
    "python": _python,
    "catalogue": _catalogue,
    "templates": _templates,
    "suites": lambda _: examine_suites(),
    "suite": _suite,
    "disk": _disk,
    "register": _register,
    "seals": _seals,
    "judges": _judges,
}
