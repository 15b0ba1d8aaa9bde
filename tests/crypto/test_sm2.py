"""SM2 and SM3 against the standard's example, OpenSSL's command line and our own second implementation."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.crypto import der, libcrypto, sm2
from certlib.crypto.development import development_folder
from certlib.crypto.keys import Secrets, open_key
from certlib.crypto.sm2 import N, P, Sm2PrivateKey, Sm2PublicKey, public_half, sm3, verify_plainly
from certlib.crypto.suites import SUITES
from certlib.errors import KeyUnavailableError, VerificationError

# GB/T 32918.5-2017, annex A
D = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
POINT = (
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
MESSAGE = b"message digest"
E = "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA

FOLDER = development_folder()
SEAL = FOLDER / "seals" / "seal-ganzhou-approval-approval-1.sm2.pem"

signing_needed = pytest.mark.skipif(libcrypto.unavailable() is not None, reason=libcrypto.unavailable() or "")
Verify = Callable[[Sm2PublicKey, bytes, bytes], bool]


def _with_libcrypto(key: Sm2PublicKey, signature: bytes, message: bytes) -> bool:
    return libcrypto.Sm2Pkey.from_spki(key.spki).verify(signature, message, sm2.DEFAULT_IDENTITY)


def _plainly(key: Sm2PublicKey, signature: bytes, message: bytes) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(libcrypto, "unavailable", lambda: "not here")
        return key.verify(signature, message)


IMPLEMENTATIONS = [pytest.param(_with_libcrypto, marks=signing_needed), _plainly]


def _signature(r: int, s: int) -> bytes:
    return der.sequence(der.integer(r), der.integer(s))


def test_sm3_gives_the_standards_digest() -> None:
    """GB/T 32905-2016, A.1."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@pytest.mark.parametrize("verify", IMPLEMENTATIONS)
def test_the_standards_example_verifies(verify: Verify) -> None:
    """Key, message and signature of GB/T 32918.5 annex A; e on the way."""
    key = Sm2PublicKey(POINT)
    assert key.digest(MESSAGE).hex().upper() == E
    assert verify(key, _signature(R, S), MESSAGE)


NOT_SIGNATURES = [
    ("changed r", _signature(R ^ 1, S)),
    ("changed s", _signature(R, S ^ 1)),
    ("r zero", _signature(0, S)),
    ("s zero", _signature(R, 0)),
    ("r of the order", _signature(N, S)),
    ("s beyond the order", _signature(R, N + S)),
    ("r plus the order", _signature(R + N, S)),
    ("sum zero", _signature(R, N - R)),
    ("swapped", _signature(S, R)),
    ("raw", R.to_bytes(32, "big") + S.to_bytes(32, "big")),
    ("trailing", _signature(R, S) + b"\x00"),
    ("empty", b""),
]


@pytest.mark.parametrize("verify", IMPLEMENTATIONS)
@pytest.mark.parametrize("signature", [row[1] for row in NOT_SIGNATURES], ids=[row[0] for row in NOT_SIGNATURES])
def test_what_is_not_the_signature_does_not_verify(verify: Verify, signature: bytes) -> None:
    """Values out of range, malformed encodings, other values."""
    assert not verify(Sm2PublicKey(POINT), signature, MESSAGE)


@pytest.mark.parametrize("verify", IMPLEMENTATIONS)
def test_another_message_does_not_verify(verify: Verify) -> None:
    """One changed letter."""
    assert not verify(Sm2PublicKey(POINT), _signature(R, S), b"Message digest")


@signing_needed
@given(st.binary(max_size=300))
@settings(max_examples=15, deadline=None)
def test_both_implementations_agree(message: bytes) -> None:
    """What libcrypto signs, plain integers verify; with a bit changed neither does."""
    key = Sm2PrivateKey.generate()
    signature = key.sign(message)
    for verify in (_with_libcrypto, _plainly):
        assert verify(key.public, signature, message)
        assert not verify(key.public, signature[:-1] + bytes([signature[-1] ^ 1]), message)


@signing_needed
def test_the_identity_is_part_of_what_is_signed() -> None:
    """A signature as one identity is none as another."""
    key = Sm2PrivateKey.generate()
    signature = key.sign(b"x", b"ALICE123@YAHOO.COM")
    assert key.public.verify(signature, b"x", b"ALICE123@YAHOO.COM")
    assert not key.public.verify(signature, b"x")


@pytest.mark.parametrize(
    "point",
    [(POINT[0], POINT[1] ^ 1), (0, 0), (P, POINT[1]), (POINT[0], P + 1)],
    ids=["off the curve", "origin", "x too large", "y too large"],
)
def test_a_point_off_the_curve_is_no_key(point: tuple[int, int]) -> None:
    """Checked when a key is read, since formulas work on other curves too."""
    with pytest.raises(ValueError, match="SM2"):
        Sm2PublicKey.from_spki(Sm2PublicKey(point).spki)


@pytest.mark.parametrize("cut", [0, 10, 90])
def test_a_mutilated_key_is_no_key(cut: int) -> None:
    """Too short; and a P-256 key is not SM2's."""
    with pytest.raises(ValueError, match="SM2"):
        Sm2PublicKey.from_spki(Sm2PublicKey(POINT).spki[:cut])
    with pytest.raises(ValueError, match="SM2"):
        Sm2PublicKey.from_spki(open_key(f"pem:{FOLDER}/keys/token.pem").public_key)


def test_the_public_half_is_read_without_libcrypto() -> None:
    """From the private key's file; None for a key of another algorithm or no key."""
    half = public_half(SEAL.read_bytes())
    assert half is not None
    if libcrypto.unavailable() is None:
        assert half.spki == open_key(f"pem:{SEAL}").public_key
    assert public_half((FOLDER / "keys" / "token.pem").read_bytes()) is None
    assert public_half(b"nonsense") is None


@signing_needed
def test_a_key_file_under_a_passphrase_opens(tmp_path: Path) -> None:
    """PKCS #8 as OpenSSL encrypts it; the wrong passphrase is an error of ours."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path / "locked.pem"
    command = ["openssl", "pkcs8", "-topk8", "-in", SEAL, "-out", path, "-passout", "pass:right"]
    subprocess.run(command, check=True, capture_output=True)
    secrets = Secrets({"RIGHT": "right", "WRONG": "wrong"})
    assert open_key(f"pem:{path}?passphrase=env:RIGHT", secrets).suite == "sm2-sm3"
    with pytest.raises(KeyUnavailableError, match=r"locked\.pem"):
        open_key(f"pem:{path}?passphrase=env:WRONG", secrets)


@signing_needed
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_our_signature_and_we_its(tmp_path: Path) -> None:
    """`openssl pkeyutl -rawin -digest sm3` with the usual identity, both ways."""
    key = open_key(f"pem:{SEAL}")
    (tmp_path / "message").write_bytes(b"both ways")
    (tmp_path / "ours").write_bytes(key.sign(b"both ways"))
    options = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678", "-in", tmp_path / "message"]
    command = ["openssl", "pkeyutl", "-verify", "-inkey", SEAL, "-sigfile", tmp_path / "ours", *options]
    assert "Successfully" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    command = ["openssl", "pkeyutl", "-sign", "-inkey", SEAL, "-out", tmp_path / "theirs", *options]
    subprocess.run(command, capture_output=True, check=True)
    SUITES["sm2-sm3"].verify(key.public_key, (tmp_path / "theirs").read_bytes(), b"both ways")


@signing_needed
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_verifies_the_chain_link_by_link() -> None:
    """`openssl verify` sets the identity on the leaf alone, so each link is verified for itself."""
    identity = ["-vfyopt", "distid:1234567812345678"]
    root, issuing = FOLDER / "trust-sm2" / "sm2.pem", FOLDER / "ca" / "issuing.sm2.pem"
    for command in (
        ["-CAfile", root, issuing],
        ["-partial_chain", "-CAfile", issuing, SEAL],
        ["-partial_chain", "-CAfile", issuing, FOLDER / "tsa" / "tsa.sm2.pem"],
    ):
        done = subprocess.run(["openssl", "verify", *identity, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_a_machine_without_sm2_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row names the reason, opening a key fails with it, verifying still works."""
    signed = open_key(f"pem:{SEAL}").sign(b"x") if libcrypto.unavailable() is None else None
    monkeypatch.setattr(libcrypto, "_loaded", lambda: None)
    suite = SUITES["sm2-sm3"]
    assert "SM2" in str(libcrypto.unavailable())
    assert suite.missing() == libcrypto.unavailable()
    with pytest.raises(KeyUnavailableError, match="不支持 SM2"):
        open_key(f"pem:{SEAL}")
    half = public_half(SEAL.read_bytes())
    assert half is not None
    if signed:
        suite.verify(half.spki, signed, b"x")
        with pytest.raises(VerificationError):
            suite.verify(half.spki, signed, b"y")


def test_a_library_without_sm2_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library named by the environment that is none is not used, nor is another in its place."""
    monkeypatch.setenv("CERTLIB_LIBCRYPTO", "libnothing.so.0")
    assert libcrypto._loaded.__wrapped__() is None


def test_plain_verification_handles_infinity() -> None:
    """sG + tP at infinity is no signature."""
    key = Sm2PublicKey(POINT)
    t = 12345
    s = (-t * D) % N
    assert not verify_plainly(key, (t - s) % N, s, 1)
