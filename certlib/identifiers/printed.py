"""The code printed beside a number, typed by whoever cannot scan: proof of having the paper in hand."""

from __future__ import annotations

import hashlib
import hmac

# No I, L, O, U: nothing that is taken for another character on paper (Crockford's base 32).
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_CONTEXT = b"certlib check code 1\0"


def check_code(salt: bytes, number: str) -> str:
    """Eight characters (40 bits) in two groups, `7K3M-9Q2X`, drawn from the certificate's salt and its number.

    Whoever knows the number alone learns nothing of it, since the salt is secret and at least 16 bytes long.
    Raises `ValueError` for a shorter salt.
    """
    if len(salt) < 16:
        raise ValueError("salt must have at least 16 bytes")
    value = int.from_bytes(hmac.digest(salt, _CONTEXT + number.encode(), hashlib.sha256)[:5])
    text = "".join(_ALPHABET[value >> shift & 31] for shift in range(35, -1, -5))
    return f"{text[:4]}-{text[4:]}"


def check_code_matches(given: str, expected: str) -> bool:
    """Whether what a reader typed is `expected`; case, hyphens, spaces and I/L/O for 1/1/0 do not matter.

    Takes the same time for every wrong code of the same length.
    """
    typed = given[:40].upper().translate(_READ_AS)
    return hmac.compare_digest(typed.encode(errors="replace"), expected.translate(_READ_AS).encode())
