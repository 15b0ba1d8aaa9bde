"""The one form of a signature message: read back byte for byte, or refused."""

import random
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.crypto.cms import DATA, TST_INFO
from certlib.crypto.suites import suite_of
from certlib.verify.chains import is_intact, is_sound
from certlib.verify.form import AlgorithmError, FormError, certificate_in, digest_of, read_message, read_token
from certlib.verify.span import guard


@pytest.fixture(scope="module")
def message(sealed: bytes) -> bytes:
    """The signature message of a sealed file."""
    return guard(sealed).spans[0].contents


def test_a_message_gives_its_parts(sealed: bytes, message: bytes) -> None:
    """Signer, digest, algorithms, attributes as signed, timestamp."""
    read = read_message(message)
    (span,) = guard(sealed).spans
    assert read.message_digest == digest_of(read.digest, *span.covered(sealed))
    assert (read.digest, read.signature_algorithm, read.content_type) == ("sha256", "ecdsa-sha256", DATA)
    assert len(read.certificates) == 2
    spki = certificate_in(read.certificate).spki
    suite_of(spki).verify(spki, read.signature, read.attributes)
    stamp = read_token(read.token)
    assert stamp.imprint == digest_of("sha256", read.signature)
    assert stamp.message.content_type == TST_INFO


def test_every_other_byte_string_is_refused_or_means_something_else(message: bytes) -> None:
    """One byte changed: not in the form, or digest, signature, certificates or timestamp are other ones."""
    good = read_message(message)
    chance = random.Random(3)
    for _ in range(400):
        at, change = chance.randrange(len(message)), chance.randrange(1, 256)
        spoiled = message[:at] + bytes([message[at] ^ change]) + message[at + 1 :]
        try:
            read = read_message(spoiled)
        except FormError:
            continue
        same = (read.attributes, read.signature, read.certificates, read.token)
        assert same != (good.attributes, good.signature, good.certificates, good.token), at
        if (read.certificate, read.token) == (good.certificate, good.token) and read.certificates == good.certificates:
            assert not (is_sound(read) and is_intact(read, good.message_digest)), at


@pytest.mark.parametrize("attribute", ["060b2a864886f70d010910022f", "06092a864886f70d010903"])
def test_an_attribute_of_another_form_is_no_error_but_no_signature(message: bytes, attribute: str) -> None:
    """The set of its values under another tag, which is read late: the message is then neither sound nor intact."""
    at = message.index(bytes.fromhex(attribute)) + len(bytes.fromhex(attribute))
    assert message[at] == 0x31
    try:
        read = read_message(message[:at] + b"\x32" + message[at + 1 :])
    except FormError:
        return
    assert not (is_sound(read) and is_intact(read, read.message_digest))


def test_a_certificate_whose_name_cannot_be_read_is_refused_with_the_message(message: bytes) -> None:
    """Well-formed as far as it is read at once, and named by whoever signs: the fault must not come up later."""
    signer = read_message(message).certificate
    begin = signer.index(certificate_in(signer).subject_name)
    for at in range(begin, begin + len(certificate_in(signer).subject_name)):
        spoiled = signer[:at] + b"\x2f" + signer[at + 1 :]
        named = message.replace(signer, spoiled).replace(sha256(signer).digest(), sha256(spoiled).digest())
        try:
            read = read_message(named)
        except FormError:
            continue
        assert not is_sound(read), at


@given(st.binary(max_size=200))
def test_junk_is_refused_with_one_kind_of_error(junk: bytes) -> None:
    """Never another exception."""
    for reader in (read_message, read_token):
        with pytest.raises(FormError):
            reader(junk)


@given(data=st.data())
def test_a_cut_or_grown_message_is_refused(data: st.DataObject, message: bytes) -> None:
    """Neither shorter nor longer."""
    cut = data.draw(st.integers(0, len(message) - 1))
    for spoiled in (message[:cut], message + b"\x00", b"\x00" + message):
        with pytest.raises(FormError):
            read_message(spoiled)


def test_an_algorithm_outside_the_list_is_told_apart(message: bytes) -> None:
    """SHA-1 in place of SHA-256 outside the signed attributes: an algorithm, not a structure, is wrong."""
    sha256, other = bytes.fromhex("608648016503040201"), bytes.fromhex("60864801650304020f")
    at = message.index(sha256)
    with pytest.raises(AlgorithmError):
        read_message(message[:at] + message[at:].replace(sha256, other))


def test_a_token_is_no_seal_and_a_seal_no_token(message: bytes) -> None:
    """Content types are not mixed up."""
    with pytest.raises(FormError):
        read_token(message)
    with pytest.raises(FormError):
        read_message(read_message(message).token)
