"""Harnesses for what stands inside a file or comes from others: signature messages, status answers, facts, tables."""

import json
from contextlib import suppress
from functools import cache

from certlib.crypto.certificates import RevocationList, load_certificates
from certlib.crypto.development import development_folder
from certlib.crypto.ocsp import read_answer, read_request
from certlib.errors import ConfigurationError, DeliveryError, RequestError
from certlib.formats.facts import canonical, read_facts
from certlib.issue.batch_input import read_lines
from certlib.verify.chains import is_sound
from certlib.verify.form import FormError, read_message, read_token
from certlib.verify.remote import read_state
from certlib.verify.span import guard
from tests.fuzz.harness import Harness, Seeds
from tests.verify import test_ocsp
from tests.verify.samples import attachment, seal

ANSWER = {
    "verdict": "valid",
    "issued": True,
    "n": 7,
    "edition": 1,
    "current_edition": 1,
    "imported": False,
    "registered_at": "2026-03-09T02:30:00+00:00",
    "fields": [
        {"english": "Number", "value": "x"},
        {"english": "Certificate", "value": "y"},
        {"english": "Issued on", "value": "2026-03-09"},
    ],
}
CSV = "operation,item,case.number,holder.name,holder.others,paper.copies.main\nissue,2-25,1,甲,乙 913,2\n"


@cache
def signature_messages() -> Seeds:
    """The message of a seal and the token within it."""
    message = guard(seal()).spans[0].contents
    return message, read_message(message).token


def check_signature_messages(data: bytes) -> None:
    """In its one form, or refused; what is sound is what was signed."""
    message, token = signature_messages()
    for read in (read_message, lambda one: read_token(one).message):
        with suppress(FormError):
            found = read(data)
            if is_sound(found):
                assert found.attributes in {read_message(message).attributes, read_token(token).message.attributes}


def revocation_data() -> Seeds:
    """Lists, certificates and status answers as they lie in a folder of trust."""
    names = ("crl/issuing.p256.crl", "trust/p256.pem")
    return (*((development_folder() / name).read_bytes() for name in names), *_status_answer())


def _status_answer() -> Seeds:
    """A request about two certificates, and what the development responder says."""
    labels = (f"seals/{test_ocsp.GOOD}", f"seals/{test_ocsp.REVOKED}")
    return test_ocsp.request("p256", *labels), test_ocsp.answer("p256", *labels).der


def check_revocation_data(data: bytes) -> None:
    """Each reader refuses with its own error."""
    for read in (read_answer, read_request):
        with suppress(ValueError):
            read(data)
    with suppress(ConfigurationError):
        RevocationList.load(data, name="x")
    with suppress(ConfigurationError):
        load_certificates(data, name="x")


def check_facts(data: bytes) -> None:
    """Facts have one text."""
    with suppress(ValueError):
        read_facts(data)
        assert canonical(json.loads(data)) == data


def batches() -> Seeds:
    """CSV in two encodings, JSON lines, a JSON array."""
    line = json.dumps({"operation": "issue", "item": "2-25", "holder": {"name": "甲"}}, ensure_ascii=False)
    return CSV.encode("utf-8-sig"), CSV.encode("gb18030"), f"{line}\n{line}\n".encode(), f"[{line}]".encode()


def check_batches(data: bytes) -> None:
    """Lines that are objects, or a refusal that names lines."""
    with suppress(RequestError):
        assert all(isinstance(line, dict) for line in read_lines(data))


def check_register_answer(data: bytes) -> None:
    """A state, or told that the register gave no usable answer."""
    with suppress(DeliveryError):
        state = read_state(data)
        assert type(state.n) is int
        assert state.registered_at is None or state.registered_at.tzinfo is not None


_DER = (b"\x30\x84", b"\x30\x80", b"\xa0\x80", b"\x02\x01\x01", b"\x06\x09", b"\x18\x0f", b"\x05\x00", b"\x31\x00")
_TABLE = (
    b",",
    b'"',
    b"\r\n",
    b"facts.x,facts",
    b"holder,holder.name",
    b".",
    b"..",
    b"\x00",
    b"9" * 5000,
    b"a" * 140_000,
)
_JSON = (b"null", b"[]", b"{}", b'"2026-03-09"', b'"2026-03-09T02:30:00"', b"1e999", b"[" * 60, b"9" * 5000, b"true")

PARTS = (
    Harness("message", signature_messages, check_signature_messages, _DER),
    Harness("revocation", revocation_data, check_revocation_data, _DER),
    Harness("facts", lambda: (attachment(),), check_facts, _JSON),
    Harness("batch", batches, check_batches, _TABLE, 400, 1 << 18),
    Harness("register-answer", lambda: (json.dumps(ANSWER).encode(),), check_register_answer, _JSON),
)
