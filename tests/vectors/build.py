"""Makes codes.json: signed codes, good and bad, with the verdict each must get (`python tests/vectors/build.py`).

Signatures by ECDSA are random, so a second run gives other bytes and the same verdicts; what is committed is the
vector. The keys are the published development keys and two made here and thrown away.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certlib.crypto import cbor
from certlib.crypto.cose import KID, TAG, algorithm_of, key_id, sign1, signature_input
from certlib.crypto.development import development_key
from certlib.crypto.keys import PemKey, SigningKey
from certlib.domain.verdict import StatusCode
from certlib.formats.code import CodePayload, code_text, sign_code
from certlib.formats.digits import from_digits, to_digits
from certlib.formats.facts import canonical, facts_digest
from certlib.formats.status import BITS, SHARD_SIZE, pack, sign_status_list
from certlib.formats.status_entries import deflate
from certlib.formats.trust import COMPROMISED, RETIRED, Names, TrustedKey, TrustList, sign_trust_list

HOST = "zwfw.example.gov.cn"
AT = datetime(2026, 4, 1, 4, 0, tzinfo=UTC)
SALT = bytes(range(16))
FACTS = {
    "number": "赣虔药监械经营许20260001号",
    "enterprise_name": "赣州蓉江新区晴川医疗器械有限公司",
    "scope": "三类：6821 医用电子仪器设备\n三类：6846 植入材料和人工器官",
    "valid_until": "2031年3月8日",
}
GOOD = CodePayload(
    type_number=7,
    number=FACTS["number"],
    edition=1,
    name=FACTS["enterprise_name"],
    issued=date(2026, 3, 9),
    expires=date(2031, 3, 8),
    digest=facts_digest(SALT, FACTS),
    n=1000,
    carrier=0,
    issuer_number=2,
)
STATES = {
    1000: StatusCode.VALID,
    1001: StatusCode.REVOKED,
    1002: StatusCode.SUSPENDED,
    1003: StatusCode.SUPERSEDED,
    1004: StatusCode.PAPER_LOST,
    1005: StatusCode.PRINT_VOIDED,
    1006: StatusCode.CANCELLED,
    1007: StatusCode.NOT_IN_FORCE,
    1008: StatusCode.VALID,
}
HIGH_WATER = 1009


def new_key() -> SigningKey:
    """A P-256 key for this run only."""
    private = ec.generate_private_key(ec.SECP256R1())
    return PemKey.load(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), name="vector")


CODE, SM2, STATUS = (development_key(label) for label in ("code-2026", "code-sm2-2026", "status-2026"))
ROOT, ROOT_P256 = (development_key(label) for label in ("trust-2026", "trust-p256-2026"))
OLD, LEAKED, FOREIGN = new_key(), new_key(), new_key()
TRUST = TrustList(
    seq=3,
    issued=datetime(2026, 3, 1, tzinfo=UTC),
    host=HOST,
    keys=(
        TrustedKey(
            public_key=CODE.public_key,
            uses=("code",),
            issuer=Names("赣州市人民政府", "Ganzhou"),
            since=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        TrustedKey(public_key=SM2.public_key, uses=("code",), issuer=Names("赣州市人民政府", "Ganzhou")),
        TrustedKey(public_key=STATUS.public_key, uses=("status",), issuer=Names("赣州市人民政府", "Ganzhou")),
        TrustedKey(
            public_key=OLD.public_key,
            uses=("code",),
            issuer=Names("赣州市人民政府", "Ganzhou"),
            state=RETIRED,
            until=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        TrustedKey(
            public_key=LEAKED.public_key,
            uses=("code",),
            issuer=Names("赣州市人民政府", "Ganzhou"),
            state=COMPROMISED,
            compromised_since=datetime(2026, 2, 1, tzinfo=UTC),
        ),
    ),
    types={7: Names("医疗器械经营许可证", "Licence to trade in medical devices")},
    issuers={2: Names("赣州市行政审批局", "Ganzhou Administrative Approval Bureau")},
)


def text(payload: CodePayload, key: SigningKey = CODE) -> str:
    return code_text(sign_code(payload, key), HOST)


def signed(payload: bytes, headers: dict[int, Any], key: SigningKey = CODE) -> str:
    """A code over any payload and header whatever, its signature good."""
    protected = cbor.encode(headers)
    raw = algorithm_of(key.suite).to_cose(key.sign(signature_input(protected, payload)))
    return f"https://{HOST}/v#1" + to_digits(cbor.encode([protected, {}, payload, raw]))


def borrowed(code: str, other: str) -> str:
    """The payload of one code under the signature of another."""
    one, two = (from_digits(each.partition("#1")[2]) for each in (code, other))
    return f"https://{HOST}/v#1" + to_digits(one[:-64] + two[-64:])


def case(name: str, comment: str, code: str, expect: str, reason: str = "", **more: object) -> dict[str, object]:
    return {"name": name, "comment": comment, "text": code, "expect": expect, "reason": reason, **more}


def states() -> Iterator[dict[str, object]]:
    words = ["valid", "revoked", "suspended", "superseded", "paper-lost", "voided", "cancelled", "not-in-force"]
    for (n, code), expect in zip(STATES.items(), words, strict=False):
        yield case(
            f"state {code.name.lower()}", "the state of index n in the status list", text(replace(GOOD, n=n)), expect
        )
    minor = replace(GOOD, name="", n=1008)
    yield case("a minor", "no name at all", text(minor), "valid")
    yield case("a person", "a masked name", text(replace(GOOD, name="欧*", n=1008)), "valid")
    yield case("without end", "expires is null", text(replace(GOOD, expires=None)), "valid")
    yield case("a sheet", "carrier 3: the second 副本", text(replace(GOOD, carrier=3)), "valid")
    yield case("another issuer number", "issuer 0: the key's own issuer", text(replace(GOOD, issuer_number=0)), "valid")
    yield case("expired", "the last day has passed", text(replace(GOOD, expires=date(2026, 3, 31))), "expired")
    yield case(
        "its last day",
        "valid to the end of its last day in Shanghai",
        text(replace(GOOD, expires=date(2026, 4, 1))),
        "valid",
    )
    yield case(
        "above the high water",
        "the list does not reach that index",
        text(replace(GOOD, n=HIGH_WATER + 1)),
        "status-unknown",
    )
    yield case("another shard", "no list for that shard", text(replace(GOOD, n=SHARD_SIZE + 5)), "status-unknown")
    yield case("no list", "the same without a status list", text(GOOD), "status-unknown", with_status=False)
    yield case(
        "no list and expired",
        "the day alone tells",
        text(replace(GOOD, expires=date(2026, 3, 31))),
        "expired",
        with_status=False,
    )
    late = (AT + timedelta(hours=25)).isoformat()
    yield case("stale list", "more than 24 hours old", text(GOOD), "status-unknown", at=late)
    old = replace(GOOD, issued=date(2025, 6, 1))
    yield case("a retired key", "signed while the key was in use", text(old, OLD), "valid")
    yield case("a later key", "a sheet printed anew: issued before the key's first day", text(old), "valid")
    yield case("signed with SM2", "the Chinese suite", text(GOOD, SM2), "valid")
    yield case("fragment alone", "the digits without the address", text(GOOD).partition("#")[2], "valid")
    yield case(
        "another host",
        "who reads the code decides nothing by its host",
        text(GOOD).replace(HOST, "evil.example"),
        "valid",
    )


def refusals() -> Iterator[dict[str, object]]:
    good, digits = text(GOOD), text(GOOD).partition("#1")[2]
    start = good[: -len(digits)]
    yield case("empty", "nothing", "", "unreadable", "foreign")
    yield case("another address", "some other QR code", "https://example.com/", "unreadable", "foreign")
    yield case("http", "not https", good.replace("https", "http"), "unreadable", "foreign")
    yield case("upper case", "no scanner of ours writes it so", good.upper(), "unreadable", "foreign")
    yield case("no fragment", "the fragment lost on the way", start[:-1], "unreadable", "truncated")
    yield case("format 2", "a format of the future", start[:-1] + "2" + digits, "unreadable", "future")
    for cut in (1, 17, 40, len(digits) - 3, len(digits)):
        yield case(f"cut by {cut}", "the end is missing", good[:-cut], "unreadable", "truncated")
    for at in (5, 30, 60, 120, 200, len(digits) - 5):
        digit = "1" if digits[at] != "1" else "2"
        yield case(
            f"digit {at} changed", "one digit differs", start + digits[:at] + digit + digits[at + 1 :], "*refused*"
        )
    yield case("a letter", "a character that is no digit", good[:-4] + "O" + good[-3:], "unreadable", "malformed")
    yield case("full-width digits", "digits of another script", good[:-2] + "１２", "unreadable", "malformed")
    yield case("block too large", "17 nines are more than seven bytes", start + "9" * 17, "unreadable", "malformed")
    yield case(
        "longer by a byte",
        "a byte after the message",
        start + to_digits(from_digits(digits) + b"\x00"),
        "unreadable",
        "malformed",
    )
    yield case("junk", "digits that are no CBOR", start + to_digits(b"\xff" * 100), "unreadable", "malformed")
    yield case("very long", "longer than any code", start + "0" * 1500, "unreadable", "malformed")


def forged() -> Iterator[dict[str, object]]:
    kid, payload = key_id(CODE.public_key), GOOD.encode()
    yield case("unknown key", "signed by a key nobody listed", text(GOOD, FOREIGN), "unknown-issuer", "unknown-key")
    yield case("status key", "a listed key, but not for codes", text(GOOD, STATUS), "unknown-issuer", "unknown-key")
    yield case(
        "borrowed key id",
        "our key's name, another's signature",
        signed(payload, {1: -7, KID: kid}, FOREIGN),
        "signature-invalid",
        "signature",
    )
    yield case(
        "other algorithm",
        "EdDSA stated for an ES256 key",
        signed(payload, {1: -8, KID: kid}),
        "signature-invalid",
        "signature",
    )
    yield case(
        "unknown algorithm",
        "an algorithm not known here",
        signed(payload, {1: -999, KID: kid}),
        "unreadable",
        "unknown-algorithm",
    )
    yield case("no algorithm", "none stated", signed(payload, {KID: kid}), "unreadable", "unknown-algorithm")
    yield case(
        "further header",
        "a header parameter we do not have",
        signed(payload, {1: -7, KID: kid, 3: 0}),
        "unreadable",
        "malformed",
    )
    yield case(
        "long key id", "eight bytes instead of four", signed(payload, {1: -7, KID: kid * 2}), "unreadable", "malformed"
    )
    yield case("leaked key", "compromised: proves nothing by itself", text(GOOD, LEAKED), "signature-invalid")
    yield case(
        "SM2, another's signature",
        "the SM2 key's name over a signature made for another payload",
        borrowed(text(GOOD, SM2), text(replace(GOOD, n=1001), SM2)),
        "signature-invalid",
        "signature",
    )
    yield case("too late for the key", "issued after the key was retired", text(GOOD, OLD), "signature-invalid")
    values = cbor.decode(payload)
    for name, place, value in (
        ("text for a number", 0, "7"),
        ("negative index", 7, -1),
        ("empty number", 1, ""),
        ("line break in the name", 3, "a\nb"),
        ("short digest", 6, b"1234"),
        ("true for a number", 2, True),
    ):
        changed = [*values[:place], value, *values[place + 1 :]]
        yield case(
            name,
            "signed, but out of bounds",
            signed(cbor.encode(changed), {1: -7, KID: kid}),
            "unreadable",
            "malformed",
        )
    yield case(
        "a field more", "eleven fields", signed(cbor.encode([*values, 0]), {1: -7, KID: kid}), "unreadable", "malformed"
    )
    long = payload[:1] + b"\x18\x07" + payload[2:]
    yield case(
        "not deterministic", "7 written in two bytes", signed(long, {1: -7, KID: kid}), "unreadable", "malformed"
    )


def framed() -> Iterator[dict[str, object]]:
    """A good code in another frame: what no signature covers must have one form, or one paper has many codes."""
    kid = key_id(CODE.public_key)
    message = sign_code(GOOD, CODE)
    protected, _, payload, raw = cbor.decode(message)
    for name, comment, data in (
        ("tagged", "tag 18 before the array", cbor.head(6, 18) + message),
        ("a part more", "an array of five", cbor.encode([protected, {}, payload, raw, 0])),
        ("array for a map", "an empty array as unprotected header", cbor.encode([protected, [], payload, raw])),
        ("unprotected header", "a key id beside the signature", cbor.encode([protected, {4: kid}, payload, raw])),
        ("long head", "the array's length in two bytes", b"\x98\x04" + message[1:]),
        ("open array", "an array of indefinite length", b"\x9f" + message[1:] + b"\xff"),
    ):
        yield case(name, comment, f"https://{HOST}/v#1{to_digits(data)}", "unreadable", "malformed")
    for name, comment, header in (
        ("headers out of order", "key id before algorithm", b"\xa2\x04\x44" + kid + b"\x01\x26"),
        ("a header twice", "two algorithms, the same", b"\xa3\x01\x26\x01\x26\x04\x44" + kid),
    ):
        held = algorithm_of(CODE.suite).to_cose(CODE.sign(signature_input(header, payload)))
        code = f"https://{HOST}/v#1{to_digits(cbor.encode([header, {}, payload, held]))}"
        yield case(name, comment, code, "unreadable", "malformed")
    half = payload.replace(b"\x01\x78", b"\xf9\x3c\x00\x78", 1)  # before the name stands the edition
    yield case("a float", "edition 1.0", signed(half, {1: -7, KID: kid}), "unreadable", "malformed")
    values = cbor.decode(payload)
    for name, place, value in (("bytes for a name", 3, b"abc"), ("text for a digest", 6, "0123456789abcdef")):
        changed = [*values[:place], value, *values[place + 1 :]]
        code = signed(cbor.encode(changed), {1: -7, KID: kid})
        yield case(name, "signed, of another type", code, "unreadable", "malformed")


def status_list(key: SigningKey = STATUS, **changes: Any) -> bytes:
    """The list of the vectors, or another in what `changes` says."""
    given: dict[str, Any] = {"shard": 0, "bits": 4, "high_water": HIGH_WATER, "now": AT, "entries": STATES}
    given |= changes
    shard, bits, entries = given.pop("shard"), given["bits"], given.pop("entries")
    fill = StatusCode.NOT_IN_FORCE & (1 << bits) - 1
    packed = pack([(shard * SHARD_SIZE + n, code) for n, code in entries.items()], shard=shard, bits=bits, fill=fill)
    address = f"https://{HOST}/public/status/{shard}"
    return sign_status_list(packed, shard=shard, address=address, journal_size=4711, key=key, **given)


def resigned(token: bytes, headers: dict[int, Any] | None = None, claims: dict[int, Any] | None = None) -> bytes:
    """A list with other headers or claims, its signature good."""
    protected, _, payload, _ = cbor.decode(cbor.untag(token, TAG))
    head, body = cbor.decode(protected) | (headers or {}), cbor.decode(payload) | (claims or {})
    del head[1]
    return sign1(cbor.encode(body), STATUS, head, tagged=True)


def lists() -> Iterator[dict[str, object]]:
    """The good code beside lists of all kinds: one that cannot be believed, or cannot say, counts as none."""
    good = status_list()
    protected, _, payload, raw = cbor.decode(cbor.untag(good, TAG))
    tag, unknown = cbor.head(6, TAG), "status-unknown"
    edited = payload.replace(b"/status/0", b"/status/1")
    bomb = deflate(bytes(SHARD_SIZE * BITS // 8 + 1))
    for name, comment, token, expect in (
        ("list of eight bits", "entries of another width", status_list(bits=8), "valid"),
        ("list of two bits", "entries of another width", status_list(bits=2, entries={1000: 2}), "suspended"),
        ("list edited", "a claim changed", tag + cbor.encode([protected, {}, edited, raw]), unknown),
        ("list, another's signature", "the key's name, its use, another's signature", _borrowed_list(good), unknown),
        ("list by a code key", "a listed key, but not for status lists", status_list(CODE), unknown),
        ("list of another type", "header 16 names another type", resigned(good, {16: "application/cwt"}), unknown),
        ("list without tag", "the array alone", good[1:], unknown),
        ("list cut", "the end is missing", good[:-7], unknown),
        ("list of another shard", "its address ends in 1", status_list(shard=1), unknown),
        ("list too short", "its high water lies below the index", status_list(high_water=999), unknown),
        ("list with a reserved code", "a value without meaning", status_list(entries={1000: 5}), unknown),
        (
            "list too long",
            "a byte more than its entries",
            resigned(good, claims={65533: {"bits": 4, "lst": bomb}}),
            unknown,
        ),
        ("list expired", "a day and a second old", status_list(now=AT - timedelta(days=1, seconds=1)), unknown),
        ("no list at all", "a page of HTML in its place", b"<!doctype html><title>log in</title>", unknown),
    ):
        yield case(name, comment, text(GOOD), expect, status_list=base64.b64encode(token).decode())


def _borrowed_list(good: bytes) -> bytes:
    """The list with the signature of another list by the same key."""
    return good[:-64] + status_list(high_water=HIGH_WATER + 1)[-64:]


def main() -> None:
    """Write codes.json beside this file."""
    status = status_list()
    vectors = {
        "origin": "made by tests/vectors/build.py; format of docs/payload.md",
        "at": AT.isoformat(),
        "trust_list": json.loads(sign_trust_list(TRUST, [ROOT, ROOT_P256])),
        "trust_list_key": base64.b64encode(ROOT.public_key).decode(),
        "trust_list_key_p256": base64.b64encode(ROOT_P256.public_key).decode(),
        "status_list": base64.b64encode(status).decode(),
        "facts": {
            "salt": SALT.hex(),
            "facts": FACTS,
            "canonical": canonical(FACTS).decode(),
            "digest": GOOD.digest.hex(),
        },
        "payload": {"hex": GOOD.encode().hex(), "text": text(GOOD)},
        "cases": [*states(), *refusals(), *forged(), *framed(), *lists()],
    }
    path = Path(__file__).with_name("codes.json")
    path.write_text(json.dumps(vectors, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
