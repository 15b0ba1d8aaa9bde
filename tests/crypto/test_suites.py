"""Every row of the table of suites signs what it verifies, and nothing else."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from certlib.crypto.development import development_folder
from certlib.crypto.keys import PemKey, SigningKey, open_key
from certlib.crypto.suites import SUITES, suite_named, suite_of
from certlib.errors import ConfigurationError, KeyUnavailableError, VerificationError

KEYS = {
    "rsa3072-sha256": "seals/seal-ganzhou-approval-approval-1.rsa.pem",
    "p256-sha256": "seals/seal-ganzhou-approval-approval-1.p256.pem",
    "sm2-sm3": "seals/seal-ganzhou-approval-approval-1.sm2.pem",
    "ed25519": "keys/journal.pem",
}


@pytest.fixture(scope="module", params=SUITES)
def key(request: pytest.FixtureRequest) -> SigningKey:
    """A development key of each suite."""
    if why := SUITES[request.param].missing():
        pytest.skip(why)
    return open_key(f"pem:{development_folder() / KEYS[request.param]}")


def test_a_signature_verifies_under_its_own_key_only(key: SigningKey) -> None:
    """What was signed verifies; another message, another signature or another suite's key does not."""
    suite = SUITES[key.suite]
    signature = key.sign(b"message")
    suite.verify(key.public_key, signature, b"message")
    assert len(signature) <= suite.signature_size
    changed = signature[:-1] + bytes([signature[-1] ^ 1])
    for wrong, message in ((signature, b"messagf"), (changed, b"message"), (b"", b"message")):
        with pytest.raises(VerificationError):
            suite.verify(key.public_key, wrong, message)
    other = next(row for row in SUITES.values() if row is not suite)
    with pytest.raises(VerificationError):
        other.verify(key.public_key, signature, b"message")


def test_a_public_key_tells_its_suite(key: SigningKey) -> None:
    """The row is found from the SubjectPublicKeyInfo alone."""
    assert suite_of(key.public_key).name == key.suite


@pytest.mark.parametrize(
    "weak", [ec.generate_private_key(ec.SECP192R1()), rsa.generate_private_key(65537, 1024)], ids=["p192", "rsa1024"]
)
def test_a_key_outside_the_table_is_refused(weak: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    """Short keys and other curves are in no suite, neither to sign nor to verify."""
    pem = weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyUnavailableError, match="不受支持"):
        PemKey.load(pem, name="weak.pem")
    with pytest.raises(VerificationError):
        suite_of(weak.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def test_an_unknown_suite_names_those_there_are() -> None:
    """The message lists the rows."""
    with pytest.raises(ConfigurationError, match="p256-sha256"):
        suite_named("rsa1024-md5")


def test_nonsense_is_no_public_key() -> None:
    """Bytes that are no SubjectPublicKeyInfo are an error of ours."""
    with pytest.raises(VerificationError):
        suite_of(b"nonsense")
