"""The signed attribute that binds a signature to its use and authorisation."""

import pytest
from asn1crypto import cms
from hypothesis import given
from hypothesis import strategies as st

from certlib.crypto import der
from certlib.crypto.attributes import SEAL_USE, SealUse, seal_use
from certlib.crypto.cms import CONTENT_TYPE, attribute

USES = st.builds(
    SealUse,
    seal=st.from_regex(r"[0-9]{14}", fullmatch=True),
    counter=st.integers(min_value=1, max_value=2**40),
    authorisation=st.binary(min_size=32, max_size=32),
    intent=st.text(max_size=40),
)


def _signer_info(*attributes: bytes) -> cms.SignerInfo:
    return cms.SignerInfo({"signed_attrs": cms.CMSAttributes.load(der.set_of(attributes))})


@given(USES)
def test_it_reads_back(use: SealUse) -> None:
    """Every field survives, with and without an intent, among other attributes."""
    other = attribute(CONTENT_TYPE, der.oid("1.2.840.113549.1.7.1"))
    assert seal_use(_signer_info(other, use.encode())) == use


def test_a_signature_without_it_has_none() -> None:
    """Absent is None, not an error."""
    assert seal_use(_signer_info(attribute(CONTENT_TYPE, der.oid("1.2.840.113549.1.7.1")))) is None


@pytest.mark.parametrize(
    "attributes",
    [
        (SealUse("1", 1, b"").encode(), SealUse("1", 2, b"").encode()),
        (attribute(SEAL_USE, der.sequence(der.integer(1)), der.sequence(der.integer(2))),),
        (attribute(SEAL_USE, der.sequence(der.integer(1))),),
        (attribute(SEAL_USE, der.octets(b"nonsense")),),
    ],
    ids=["twice", "two values", "wrong fields", "wrong type"],
)
def test_an_ambiguous_or_malformed_one_is_an_error(attributes: tuple[bytes, ...]) -> None:
    """A verifier must not choose among several."""
    with pytest.raises(ValueError):  # noqa: PT011  (the parser's words)
        seal_use(_signer_info(*attributes))
