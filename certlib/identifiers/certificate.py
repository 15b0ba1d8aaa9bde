"""证照标识, GB/T 36904-2018: root, type code, issuer, serial, edition, check character, joined by points."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROOT = "1.2.156.3005.2"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TYPE_CODE = re.compile(r"[0-9A-Z]{18}[0-9]{3}", re.ASCII)
_ISSUER = re.compile(r"[0-9A-Z]{18}|[0-9]{6}", re.ASCII)  # files in circulation also carry a bare area code
_SERIAL = re.compile(r"[0-9A-Z]{1,32}", re.ASCII)
_EDITION = re.compile(r"[0-9]{3}", re.ASCII)
_CHECK = re.compile(r"[0-9A-Z]", re.ASCII)


def mod37_36(text: str) -> str:
    """The check character of ISO/IEC 7064 MOD 37,36 (GB/T 17710-2008) over digits and capitals.

    It detects every substitution of one character. Of the exchanges of two different neighbours it detects all but
    one in 630: with the running value p before them, a and b pass unnoticed when p+a and p+b are 18 and 19 modulo 36,
    so only neighbours in the alphabet (1 and 2, or 0 and Z) can.

    Raises `ValueError` for a character outside 0-9A-Z.
    """
    running = 36
    for char in text:
        running = ((running + _ALPHABET.index(char)) % 36 or 36) * 2 % 37
    return _ALPHABET[(37 - running) % 36]


@dataclass(frozen=True, slots=True)
class CertificateIdentifier:
    """One edition of one certificate. `edition` counts from 1 and is written with three digits.

    The three first parts stay for the life of a certificate; a new file of the same number gets the next edition.
    Raises `ValueError` for a part that is not in its form.
    """

    type_code: str  # 21 characters: USCC of the authority that defined the type, and three digits
    issuer: str  # USCC of the issuing authority (older files: six digits of area)
    serial: str  # 1 to 32 digits and capitals, unique under type and issuer
    edition: int

    def __post_init__(self) -> None:
        parts = (
            ("证照类型代码", _TYPE_CODE, self.type_code),
            ("证照颁发机构代码", _ISSUER, self.issuer),
            ("流水号", _SERIAL, self.serial),
        )
        for name, shape, value in parts:
            if not shape.fullmatch(value):
                raise ValueError(f"证照标识中的{name} {value[:40]!r} 不合格式")
        if not 1 <= self.edition <= 999:
            raise ValueError(f"证照标识中的版本号应为 001 至 999，现为 {self.edition}")

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """The four parts that the check character covers."""
        return self.type_code, self.issuer, self.serial, f"{self.edition:03}"

    @property
    def text(self) -> str:
        """The identifier as it is written."""
        return ".".join((ROOT, *self.parts, mod37_36("".join(self.parts))))

    @property
    def key(self) -> str:
        """Type code, issuer and serial, joined by points: what all editions of a certificate share."""
        return ".".join(self.parts[:3])

    def successor(self) -> CertificateIdentifier:
        """The identifier of the next edition."""
        return CertificateIdentifier(self.type_code, self.issuer, self.serial, self.edition + 1)

    @classmethod
    def parse(cls, text: str) -> CertificateIdentifier:
        """Read an identifier, the check character included. Raises `ValueError` with the reason in Chinese."""
        identifier, check = _split(text)
        if not _CHECK.fullmatch(check):
            raise ValueError("证照标识末尾应为一位校验位（数字或大写字母）")
        if identifier.text[-1] != check:
            raise ValueError("证照标识校验位不符，请核对有无错字")
        return identifier


def with_check_character(text: str) -> str:
    """The same identifier with the right check character, whatever stood there: repairs what other systems wrote.

    Raises `ValueError` when another part is wrong.
    """
    return _split(text)[0].text


def _split(text: str) -> tuple[CertificateIdentifier, str]:
    rest = text.removeprefix(ROOT + ".")
    parts = rest.split(".")
    if rest == text or len(parts) != 5:
        raise ValueError(f"证照标识应以 {ROOT} 开头，其后有五段")
    type_code, issuer, serial, edition, check = parts
    if not _EDITION.fullmatch(edition):
        raise ValueError("证照标识中的版本号应为三位数字")
    return CertificateIdentifier(type_code, issuer, serial, int(edition)), check
