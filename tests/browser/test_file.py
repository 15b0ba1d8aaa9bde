"""An electronic certificate dropped on the page: seal and bytes are checked there, the register is asked by consent."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms

from certlib.crypto.development import development_key
from certlib.crypto.libcrypto import unavailable
from certlib.domain.verdict import REVOKED_WORDS, WORDS, StatusCode, Verdict
from certlib.formats.seal_list import SealList, sign_seal_list

from .conftest import ROOTS, Sealed, seal_one

SUITES = ("rsa3072-sha256", "p256-sha256", "sm2-sm3")
FOUND = {"verdict": "superseded", "cause": "", "issued": True, "fields": []}


@pytest.fixture(scope="session", params=SUITES)
def sealed(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """One for each cipher suite."""
    if request.param == "sm2-sm3" and unavailable():
        pytest.skip(str(unavailable()))
    return seal_one(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def open_file(phone: Any, issuer: Any, sealed: Sealed) -> Callable[[bytes], str]:
    """Give the page a file; the words it answers with."""
    issuer.high_water = 10_000
    _sign(issuer, sealed.seals)

    def give(pdf: bytes) -> str:
        phone.page.goto(f"{phone.site}/v")
        phone.verdict()
        phone.page.click("#pdf summary")
        file = {"name": "证照.pdf", "mimeType": "application/pdf", "buffer": pdf}
        phone.page.set_input_files("#file", file)
        phone.page.wait_for_selector("#filed .found strong")
        return str(phone.text("#filed .found strong"))

    return give


def _sign(issuer: Any, seals: SealList) -> None:
    issuer.seals = sign_seal_list(seals, [development_key(label) for label in ROOTS])


def _tone(phone: Any) -> str:
    return str(phone.page.get_attribute("#filed .found", "class")).split()[-1]


def _posts(issuer: Any) -> list[str]:
    return [line for line in issuer.asked if line.startswith("files")]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (StatusCode.VALID, Verdict.VALID),
        (StatusCode.SUSPENDED, Verdict.SUSPENDED),
        (StatusCode.REVOKED, Verdict.REVOKED),
        (StatusCode.CANCELLED, Verdict.CANCELLED),
    ],
    ids=str,
)
def test_a_file_as_issued_is_known_without_sending_it(
    phone: Any, issuer: Any, sealed: Sealed, open_file: Any, code: StatusCode, verdict: Verdict
) -> None:
    """Seal, bytes and state come from the signed lists; the facts of the file are shown; nothing is posted."""
    issuer.entries[sealed.body["n"]] = code
    assert open_file(sealed.pdf) == WORDS[verdict].chinese
    assert _tone(phone) == WORDS[verdict].tone
    shown = phone.text("#filed")
    assert "赣州市行政审批局行政审批专用章" in shown
    assert sealed.body["number"] in shown
    assert hashlib.sha256(sealed.pdf).hexdigest() in shown
    assert _posts(issuer) == []
    assert phone.complaints == []


def test_without_a_status_list_it_is_not_green(phone: Any, issuer: Any, sealed: Sealed, open_file: Any) -> None:
    """The seal is genuine, the state unknown."""
    issuer.status_down = True
    assert open_file(sealed.pdf) == WORDS[Verdict.STATUS_UNKNOWN].chinese
    assert _tone(phone) == "amber"


def _hole(pdf: bytes) -> tuple[int, int]:
    """Where the signature message begins and ends, brackets included."""
    numbers = pdf[pdf.index(b"/ByteRange") :].split(b"[")[1].split(b"]")[0].split()
    return int(numbers[1]), int(numbers[2])


def _in_signature(pdf: bytes) -> bytes:
    """One digit of the signature value itself."""
    first, second = _hole(pdf)
    message = bytes.fromhex(pdf[first + 1 : second - 1].decode())
    value = cms.ContentInfo.load(message)["content"]["signer_infos"][0]["signature"].native
    at = pdf.index(value.hex().upper().encode(), first) + len(value)
    return pdf[:at] + (b"0" if pdf[at : at + 1] != b"0" else b"1") + pdf[at + 1 :]


def _in_padding(pdf: bytes) -> bytes:
    _, second = _hole(pdf)
    return pdf[: second - 3] + b"41" + pdf[second - 1 :]


def _ranged(pdf: bytes, more: int) -> bytes:
    first, second = _hole(pdf)
    return pdf.replace(f"[0 {first} {second}".encode(), f"[0 {first} {second + more}".encode())


CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a byte of the content": (lambda pdf: pdf[:2000] + bytes([pdf[2000] ^ 1]) + pdf[2001:], "altered"),
    "the last byte": (lambda pdf: pdf[:-2] + b"X" + pdf[-1:], "altered"),
    "a byte of the signature": (_in_signature, "signature-invalid"),
    "something in the padding": (_in_padding, "altered"),
    "a range that leaves out more": (lambda pdf: _ranged(pdf, 1), "altered"),
    "no signature at all": (lambda pdf: pdf.replace(b"/ByteRange", b"/ByteRanje"), "unsealed"),
    "no PDF": (lambda pdf: b"PK" + pdf, "unreadable"),
    "nothing": (lambda pdf: b"", "unreadable"),
}


@pytest.mark.parametrize(("change", "verdict"), CHANGES.values(), ids=list(CHANGES))
def test_a_changed_file_is_seen_through_on_the_phone(
    phone: Any, issuer: Any, sealed: Sealed, open_file: Any, change: Callable[[bytes], bytes], verdict: str
) -> None:
    """In the library's words, never green, and none of its facts shown."""
    words = open_file(change(sealed.pdf))
    assert words == WORDS[Verdict(verdict)].chinese
    assert _tone(phone) != "green"
    assert sealed.body["number"] not in phone.text("#filed")
    assert phone.complaints == []


def test_what_was_added_behind_the_seal_is_not_judged_here(
    phone: Any, issuer: Any, sealed: Sealed, open_file: Any
) -> None:
    """The seal is genuine for what it covers; the register must say whether the whole was issued."""
    words = open_file(sealed.pdf + b"\n90 0 obj\n<< /Type /Page >>\nendobj\n%%EOF\n")
    assert "印章真实" in words
    assert _tone(phone) == "amber"
    assert sealed.body["number"] not in phone.text("#filed")


def test_the_seal_of_a_stranger_is_unknown(phone: Any, issuer: Any, sealed: Sealed, open_file: Any) -> None:
    """However sound the signature: a certificate that is not in the list is nobody's."""
    _sign(issuer, replace(sealed.seals, seq=2, seals=()))
    assert open_file(sealed.pdf) == WORDS[Verdict.UNKNOWN_ISSUER].chinese
    assert _tone(phone) == "red"


def test_a_revoked_seal_is_for_the_register(phone: Any, issuer: Any, sealed: Sealed, open_file: Any) -> None:
    """Whether it was sealed before needs the timestamp, which is not examined on a phone."""
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    revoked = tuple(replace(seal, revoked=yesterday) for seal in sealed.seals.seals)
    _sign(issuer, replace(sealed.seals, seq=2, seals=revoked))
    assert "吊销" in open_file(sealed.pdf)
    assert _tone(phone) == "amber"


def test_a_wrongly_signed_seal_list_confirms_nothing(phone: Any, issuer: Any, sealed: Sealed, open_file: Any) -> None:
    """The list is believed under the pinned keys only."""
    _sign(issuer, sealed.seals)
    issuer.seals = issuer.seals.replace("行政审批专用章".encode(), "假的专用章啊啊".encode())
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    phone.page.click("#pdf summary")
    phone.page.set_input_files("#file", {"name": "x.pdf", "mimeType": "application/pdf", "buffer": sealed.pdf})
    phone.page.wait_for_selector("#filed p")
    phone.page.wait_for_function("!document.querySelector('#filed').textContent.includes('正在')")
    assert phone.page.locator("#filed .found").count() == 0


def test_the_register_is_asked_by_consent(phone: Any, issuer: Any, sealed: Sealed, open_file: Any) -> None:
    """First the fingerprint, then, if it is unknown, the whole file: each only after a tap."""
    issuer.answer = {"issued": False}
    changed = sealed.pdf + b"\n%"
    open_file(changed)
    assert _posts(issuer) == []
    phone.page.click("#filed button")
    phone.page.wait_for_selector("#filed button:has-text('上传全文')")
    assert "不是签发原件" in phone.text("#filed")
    assert [hashlib.sha256(changed).hexdigest() in line for line in _posts(issuer)] == [True]
    assert "%PDF" not in _posts(issuer)[0]
    issuer.answer = {"verdict": "altered", "fields": []}
    phone.page.click("#filed button")
    phone.page.wait_for_selector(f"#filed .found:has-text('{WORDS[Verdict.ALTERED].chinese}')")
    assert "%PDF" in _posts(issuer)[1]


def test_an_issued_file_has_the_register_s_verdict(phone: Any, issuer: Any, sealed: Sealed, open_file: Any) -> None:
    """What the register says stands beneath what was found here."""
    issuer.answer = {**FOUND, "verdict": "revoked", "cause": "withdrawn"}
    open_file(sealed.pdf)
    phone.page.click("#filed button")
    phone.page.wait_for_selector(f"#filed .found:has-text('{REVOKED_WORDS['withdrawn'].chinese}')")


@pytest.mark.parametrize("same", [True, False], ids=["the same", "another"])
def test_the_file_is_compared_with_the_code_scanned_before(
    phone: Any, issuer: Any, sealed: Sealed, open_file: Any, same: bool
) -> None:
    """The salted digest in the code against that of the attached facts: the paper and the file say the same, or not."""
    open_file(sealed.pdf)  # the lists are known now
    digest = _digest_in(sealed) if same else bytes(16)
    phone.scan(issuer.link(sealed.body["n"], 0, digest=digest))
    phone.page.click("#pdf summary")
    phone.page.set_input_files("#file", {"name": "x.pdf", "mimeType": "application/pdf", "buffer": sealed.pdf})
    phone.page.wait_for_selector("#filed .found")
    assert ("一致" in phone.text("#filed")) is same
    assert ("不是同一份内容" in phone.text("#filed")) is not same


def _digest_in(sealed: Sealed) -> bytes:
    from certlib.formats.facts import read_facts  # noqa: PLC0415
    from certlib.verify.printed import read_printed  # noqa: PLC0415

    attached = read_printed(sealed.pdf).attachment("facts.json")
    assert attached is not None
    return read_facts(attached).digest


def test_a_file_that_is_too_large_is_not_even_read(phone: Any, issuer: Any, tmp_path: Path) -> None:
    """Three hundred megabytes are refused on the phone."""
    large = tmp_path / "large.pdf"
    with large.open("wb") as held:
        held.truncate(300_000_000)
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    phone.page.click("#pdf summary")
    phone.page.set_input_files("#file", str(large))
    phone.page.wait_for_selector("#filed p")
    assert "20 MB" in phone.text("#filed")
    assert _posts(issuer) == []
