"""Harnesses for signed lists and messages: believed is only what was signed, and what is signed may still be odd."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache

from certlib.crypto import cbor, cose
from certlib.crypto.development import development_key
from certlib.errors import VerificationError
from certlib.formats import seal_list, trust
from certlib.formats.jws import seal_json, stated_signers
from certlib.formats.seal_list import ListedSeal, SealList, read_seal_list, sign_seal_list
from certlib.formats.status import read_status_list
from certlib.formats.trust import read_trust_list, sign_trust_list
from certlib.formats.webhook import ID, SIGNATURE, TIMESTAMP, WebhookSecret, verify_webhook, webhook_headers
from tests.formats import test_status
from tests.formats.test_trust import LIST, ROOT, SECOND
from tests.fuzz.harness import Harness, Seeds

STATUS = development_key("status-2026")
SECRET = WebhookSecret(bytes(range(32)))
AT = datetime(2026, 4, 1, tzinfo=UTC)
BODY = (
    b'{"type":"certificate.suspend","timestamp":"2026-04-01T03:59:58+00:00","data":{"state":"suspended","number":"x"}}'
)
SEALS = SealList(
    seq=3,
    issued=AT,
    seals=(
        ListedSeal(
            sha256=bytes(32),
            seal="36070000000002",
            name="赣州市行政审批局行政审批专用章",
            english="Ganzhou",
            since=AT,
            until=AT + timedelta(days=900),
            edition=1,
            state="enabled",
            in_use=((AT, None),),
            compromised=AT + timedelta(days=30),
        ),
    ),
)


@cache
def lists() -> Seeds:
    """A trust list by two keys, in two algorithms, and a seal list."""
    return sign_trust_list(LIST, [ROOT, SECOND]), sign_seal_list(SEALS, [ROOT])


def check_lists(data: bytes) -> None:
    """A list that is believed says what was signed, and is of its own kind."""
    with suppress(VerificationError):
        assert read_trust_list(data, [ROOT.public_key]) == LIST
    with suppress(VerificationError):
        assert read_seal_list(data, [ROOT.public_key]) == SEALS
    with suppress(VerificationError):
        stated_signers(data, trust.KIND)


def list_contents() -> Seeds:
    """What stands under the signatures."""
    return tuple(json.loads(one)["payload"].encode() for one in lists())


def check_list_contents(data: bytes) -> None:
    """Content under a good signature is read, or refused as unreadable: a key's owner errs too."""
    with suppress(ValueError, RecursionError):
        values = json.loads(data)
        if isinstance(values, dict):
            for kind, read in ((trust.KIND, read_trust_list), (seal_list.KIND, read_seal_list)):
                signed = seal_json(values, kind, [ROOT])
                with suppress(VerificationError):
                    read(signed, [ROOT.public_key])


@cache
def messages() -> Seeds:
    """A tagged message and one without its tag."""
    headers = {cose.KID: cose.key_id(STATUS.public_key)}
    return tuple(cose.sign1(b"payload", STATUS, headers, tagged=tagged) for tagged in (True, False))


def check_messages(data: bytes) -> None:
    """CBOR has one encoding; a COSE message that holds under the key is one that was signed."""
    with suppress(ValueError):
        assert cbor.encode(cbor.decode(data)) == data
    for tagged in (True, False):
        with suppress(ValueError, VerificationError):
            read = cose.read1(data, tagged=tagged)
            read.verify(STATUS.public_key)
            assert read.payload == b"payload"


@cache
def status_contents() -> Seeds:
    """The claims of a status list."""
    return (cose.read1(test_status.token({test_status.SHARD_SIZE + 7: 3}), tagged=True).payload,)


def check_status_contents(data: bytes) -> None:
    """Claims under a good signature are read, or refused as unreadable."""
    headers = {cose.KID: cose.key_id(STATUS.public_key), cose.TYPE: test_status.MEDIA_TYPE}
    with suppress(VerificationError):
        read_status_list(cose.sign1(data, STATUS, headers, tagged=True), test_status.trusted())


def webhooks() -> Seeds:
    """Headers and body, parted by a line break; the body alone."""
    headers = webhook_headers("evt-1", BODY, [SECRET], at=AT)
    return "\n".join(headers.values()).encode() + b"\n" + BODY, BODY


def check_webhooks(data: bytes) -> None:
    """A message that passes is the one that was signed; a body under a good signature is read or refused."""
    lines = data.split(b"\n", 3)
    if len(lines) == 4:
        named = zip((ID, TIMESTAMP, SIGNATURE), (line.decode("latin-1") for line in lines), strict=False)
        with suppress(VerificationError):
            verify_webhook(dict(named), lines[3], [SECRET], now=AT)
            assert lines[3] == BODY
    with suppress(VerificationError):
        verify_webhook(webhook_headers("evt-1", data, [SECRET], at=AT), data, [SECRET], now=AT)


_JSON = (b'{"', b"[" * 60, b"null", b"1e999", b'"\\ud800"', b'"kid":', b'"protected":""', b"\xc3\xa9", b"[[]]", b"true")
_CBOR = (
    b"\xd2",
    b"\x84",
    b"\xa0",
    b"\x9f",
    b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x3b\xff",
    b"\xf6",
    b"\x81" * 20,
)

SIGNED = (
    Harness("signed-lists", lists, check_lists, _JSON),
    Harness("list-contents", list_contents, check_list_contents, _JSON),
    Harness("cose", messages, check_messages, _CBOR, 2000, 1 << 10),
    Harness("status-contents", status_contents, check_status_contents, _CBOR, 400, 1 << 12),
    Harness("webhook", webhooks, check_webhooks, _JSON),
)
