"""Keys in a PKCS #11 token, with SoftHSM2 for one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from certlib.crypto.development import development_folder
from certlib.crypto.hardware import Token, TokenUri
from certlib.crypto.keys import Secrets, open_key
from certlib.crypto.suites import SUITES
from certlib.errors import ConfigurationError, KeyUnavailableError
from tests.softhsm import MODULE, import_key, make_token, token_needed

PIN = "4711"
SECRETS = Secrets({"PIN": PIN, "WRONG": "0000", "OTHER": "1111"})
LABELS = {"rsa3072-sha256": "seal-rsa", "p256-sha256": "seal-p256"}


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A token `seals` with one key of each suite, and the key of another."""
    folder = tmp_path_factory.mktemp("softhsm")
    configuration = make_token(folder, "seals", "vault", pin=PIN)
    before, os.environ["SOFTHSM2_CONF"] = os.environ.get("SOFTHSM2_CONF"), str(configuration)
    keys = {"seal-rsa": "rsa", "seal-p256": "p256"}
    for number, (label, short) in enumerate(keys.items(), 1):
        _import(folder, label, f"seals/seal-ganzhou-approval-approval-1.{short}.pem", f"0{number}")
    _import(folder, "twin", "keys/token.pem", "0a")
    _import(folder, "twin", "keys/code-2026.pem", "0b")
    _import(folder, "seal-p256", "keys/token.pem", "01", token="vault")
    yield folder
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def _import(folder: Path, label: str, file: str, number: str, token: str = "seals") -> None:
    pem = (development_folder() / file).read_text(encoding="utf-8")
    import_key(folder / "softhsm2.conf", pem, token=token, label=label, number=number, pin=PIN)


def _uri(label: str = "seal-p256", token: str = "seals", pin: str = "env:PIN", module: str = MODULE) -> str:
    return f"pkcs11:token={token};object={label}?module-path={module}&pin-source={pin}"


@token_needed
@pytest.mark.parametrize("suite", LABELS)
def test_a_key_in_a_token_signs_like_one_in_a_file(token: Path, suite: str) -> None:
    """Same suite, same public key, a signature that verifies."""
    key = open_key(_uri(LABELS[suite]), SECRETS)
    file = development_folder() / f"seals/seal-ganzhou-approval-approval-1.{SUITES[suite].short}.pem"
    assert (key.suite, key.public_key) == (suite, open_key(f"pem:{file}").public_key)
    for message in (b"", b"message", bytes(100_000)):
        SUITES[suite].verify(key.public_key, key.sign(message), message)


@token_needed
def test_a_key_is_found_by_its_id_too(token: Path) -> None:
    """Two keys of one label are told apart by id; by label alone it is refused."""
    by_id = open_key(f"pkcs11:token=seals;object=twin;id=%0b?module-path={MODULE}&pin-source=env:PIN", SECRETS)
    assert by_id.public_key == open_key(f"pem:{development_folder()}/keys/code-2026.pem").public_key
    with pytest.raises(KeyUnavailableError, match="多个"):
        open_key(_uri("twin"), SECRETS)


@token_needed
def test_sixteen_threads_sign_without_error(token: Path) -> None:
    """In a process of its own, since a module that is not safe would take the tests with it."""
    program = Path(__file__).with_name("sign_in_threads.py")
    command = [sys.executable, program, _uri("seal-rsa"), _uri("seal-p256"), "3"]
    done = subprocess.run(command, env={**os.environ, "PIN": PIN}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


@token_needed
@pytest.mark.parametrize(
    ("uri", "why"),
    [
        (_uri("nobody"), "没有私钥 seals/nobody"),
        (_uri(token="elsewhere"), "找不到密码设备 elsewhere"),
        (_uri(module="/nowhere/module.so"), "/nowhere/module.so 无法装入"),
    ],
    ids=["key", "token", "module"],
)
def test_what_cannot_be_found_is_named(token: Path, uri: str, why: str) -> None:
    """No such key, token, module."""
    with pytest.raises(KeyUnavailableError, match=why):
        open_key(uri, SECRETS)


@token_needed
def test_a_wrong_pin_is_tried_once(token: Path) -> None:
    """Tokens lock themselves: the second attempt does not reach it. The right PIN works, and then no other does."""
    with pytest.raises(KeyUnavailableError, match="PIN 不对或已锁死"):
        open_key(_uri(token="vault", pin="env:WRONG"), SECRETS)
    with pytest.raises(KeyUnavailableError, match="不再尝试"):
        open_key(_uri(token="vault", pin="env:WRONG"), SECRETS)
    assert open_key(_uri(token="vault"), SECRETS).sign(b"x")
    with pytest.raises(KeyUnavailableError, match="另一 PIN"):
        open_key(_uri(token="vault", pin="env:OTHER"), SECRETS)


@token_needed
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver's, as the session goes
def test_a_token_that_vanishes_is_an_error_and_its_return_is_noticed(token: Path) -> None:
    """The use fails with the token's name; when it is back, the same key object works again."""
    key = open_key(_uri(), SECRETS)
    key.sign(b"before")
    token.joinpath("tokens").rename(token / "gone")
    try:
        _close_session(key)
        with pytest.raises(KeyUnavailableError, match="seals"):
            key.sign(b"during")
    finally:
        token.joinpath("gone").rename(token / "tokens")
    SUITES["p256-sha256"].verify(key.public_key, key.sign(b"after"), b"after")


def _close_session(key: object) -> None:
    """What the driver does when the token is pulled out: the session ends."""
    key._token._session.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("pkcs11:object=x?module-path=m", "token"),
        ("pkcs11:token=x?module-path=m", "object"),
        ("pkcs11:token=x;object=y", "module-path"),
        ("pkcs11:token=x;object=y?module-path=m&pin-value=4711", "pin-source"),
        ("pkcs11:token=x;object=y;slot=1?module-path=m", "slot"),
    ],
)
def test_a_uri_that_lacks_or_betrays_something_is_refused(uri: str, why: str) -> None:
    """What is missing or unknown is named; a PIN in the URI is refused and not repeated."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        open_key(uri, SECRETS)
    assert "4711" not in caught.value.message


def test_a_uri_is_read_as_rfc_7512_writes_it() -> None:
    """Percent-encoding in any part, bytes in the id."""
    uri = TokenUri.parse("token=%E5%8D%B0%E7%AB%A0;id=%00%ff?module-path=/a%20b.so")
    assert (uri.token, uri.id, uri.module, uri.label) == ("印章", b"\x00\xff", "/a b.so", None)


def test_a_token_opened_before_a_fork_is_refused_after_it() -> None:
    """Sessions do not survive a fork, and modules may crash on them."""
    token = Token(MODULE, "seals", PIN)
    token._pid = os.getpid() + 1
    with pytest.raises(KeyUnavailableError, match="分叉"):
        token.use(lambda _: b"")


def test_a_pin_does_not_show_itself() -> None:
    """Logs would show the representation."""
    assert PIN not in repr(Token("module", "seals", PIN))
