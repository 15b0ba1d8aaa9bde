"""Signed codes on the command line: the text of a QR code, given as it is or as a photo with the code in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from certlib.domain.verdict import Finding, Verdict
from certlib.errors import ConfigurationError
from certlib.verify.codes import examine_code
from certlib.verify.remote import RegisterByCode, RemoteRegister
from certlib.verify.report import Report
from certlib.verify.roots import TrustRoots

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
_MOST_PIXELS = 60_000_000
_SHORTEST = 20  # digits
_OURS = re.compile(rf"/v#[0-9]{{{_SHORTEST},}}$")  # of any format, so that one of the future is said to be such


def is_code(word: str) -> bool:
    """Whether a word of the command line is a code's text rather than a path."""
    digits = word.isascii() and word.isdecimal() and len(word) >= _SHORTEST
    return digits or word.startswith(("https://", "http://"))


def names_code(word: str) -> bool:
    """Whether a word of the command line is a code's text, or a photo that may hold one."""
    return is_code(word) or Path(word).suffix.lower() in PICTURES


def examine_text(text: str, trust: TrustRoots, register: RemoteRegister | None, *, at: datetime, name: str) -> Report:
    """Examine a code with what `trust` holds, and the register when one is given.

    Raises `ConfigurationError` when there is no trust list to check it against.
    """
    listed = trust.trust_list
    if listed is None:
        raise ConfigurationError(
            "核验二维码需要信任清单：请在 --trust 目录中放入 trust.json，或用 --register 指明台账。"
        )
    lookup = RegisterByCode(register, text) if register else None
    try:
        shard = trust.shard(_index(text))
    except ValueError:
        shard = None
    return examine_code(text, listed, at=at, shard=shard, lookup=lookup, name=name)


def examine_picture(path: Path, trust: TrustRoots, register: RemoteRegister | None, *, at: datetime) -> Report:
    """Examine the one code of ours in a photo; what holds none, or several, cannot be read."""
    try:
        codes = sorted(set(_codes_in(path)))
    except (OSError, ValueError, SyntaxError) as error:
        return unreadable(str(path), f"不是可以识别的图片（{type(error).__name__}）。", at)
    if len(codes) == 1:
        return examine_text(codes[0], trust, register, at=at, name=str(path))
    told = "图片中有不止一份证照的二维码，请一次只核验一份。" if codes else "图片中没有找到证照二维码。"
    return unreadable(str(path), told, at)


def _index(text: str) -> int:
    from certlib.formats.code import CodeError, read_code  # noqa: PLC0415

    try:
        return read_code(text).payload.n
    except CodeError as error:
        raise ValueError(error.message) from error


def _codes_in(path: Path) -> Iterator[str]:
    """The texts of our codes in a picture: its red channel first, where a red seal is white, then all of it."""
    try:
        import zxingcpp  # noqa: PLC0415  (not part of an auditor's installation)
        from PIL import Image  # noqa: PLC0415
    except ImportError as error:
        message = "读取照片需要 pip install certlib[photo]；也可以直接给出二维码的文字 (give the code's text instead)"
        raise typer.BadParameter(message) from error
    with Image.open(path) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError("too many pixels")
        colours = picture.convert("RGB")
    for look in (colours.getchannel("R"), colours.convert("L")):
        texts = [one.text for one in _read(zxingcpp, look)]
        ours = [text for text in texts if _OURS.search(text)]
        if ours:
            yield from ours
            return


def _read(zxingcpp: Any, picture: Any) -> list[Any]:
    return list(zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode))


def unreadable(name: str, detail: str, at: datetime) -> Report:
    """The report on what cannot even be looked at, and why (Chinese)."""
    finding = Finding("readable", "fail", detail)
    return Report(file=name, verdict=Verdict.UNREADABLE, findings=(finding,), at=at)
