"""Keys by URI, and every way in which a key file can be wrong."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from certlib.crypto.development import development_folder
from certlib.crypto.keys import Secrets, open_key
from certlib.crypto.suites import SUITES
from certlib.errors import ConfigurationError, KeyUnavailableError

JOURNAL = "keys/journal.pem"
_NOBODY = 65534


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A key file under the passphrase `correct horse`."""
    key = load_pem_private_key((development_folder() / "keys/code-2026.pem").read_bytes(), None)
    path = tmp_path / "locked key.pem"
    encryption = BestAvailableEncryption(b"correct horse")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return path


def test_a_key_is_read_once_and_then_held(tmp_path: Path) -> None:
    """After opening, the file is not needed again."""
    path = tmp_path / "key.pem"
    path.write_bytes((development_folder() / JOURNAL).read_bytes())
    key = open_key(f"pem:{path}")
    path.unlink()
    SUITES["ed25519"].verify(key.public_key, key.sign(b"held"), b"held")


def test_a_passphrase_comes_by_reference(locked: Path, tmp_path: Path) -> None:
    """From the environment or a file, whose last line break is not part of it; blanks in the path may be escaped."""
    (tmp_path / "secret").write_text("correct horse\n")
    secrets = Secrets({"PASSPHRASE": "correct horse"})
    path = str(locked).replace(" ", "%20")
    for reference in ("env:PASSPHRASE", f"file:{tmp_path / 'secret'}"):
        assert open_key(f"pem:{path}?passphrase={reference}", secrets).suite == "p256-sha256"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("env:MISSING", "MISSING"),
        ("file:/nowhere/secret", "/nowhere/secret"),
        ("correct horse", "引用"),
    ],
)
def test_a_secret_that_cannot_be_had_names_its_reference(locked: Path, reference: str, reason: str) -> None:
    """The reference is named; a passphrase written into the URI is refused and not repeated."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        open_key(f"pem:{locked}?passphrase={reference}", Secrets({}))
    assert "correct horse" not in caught.value.message


def test_a_wrong_or_missing_passphrase_is_named(locked: Path) -> None:
    """Locked without passphrase, locked with the wrong one."""
    with pytest.raises(KeyUnavailableError, match="需要口令"):
        open_key(f"pem:{locked}")
    with pytest.raises(KeyUnavailableError, match="口令不对"):
        open_key(f"pem:{locked}?passphrase=env:P", Secrets({"P": "wrong"}))
    with pytest.raises(KeyUnavailableError, match="不需要口令"):
        open_key(f"pem:{development_folder() / JOURNAL}?passphrase=env:P", Secrets({"P": "any"}))


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    """The message names the file and says what to do."""
    path = tmp_path / "broken.pem"
    path.write_bytes(content)
    with pytest.raises(KeyUnavailableError, match=r"broken\.pem.*更换"):
        open_key(f"pem:{path}")


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    """Not there, a folder, not permitted: each names the path."""
    with pytest.raises(KeyUnavailableError, match=r"gone\.pem 不存在"):
        open_key(f"pem:{tmp_path / 'gone.pem'}")
    with pytest.raises(KeyUnavailableError, match="无法读取"):
        open_key(f"pem:{tmp_path}")


@contextmanager
def nobody() -> Iterator[None]:
    """Root reads everything, so it steps down for a moment."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_without_permission_is_named() -> None:
    """The message speaks of permissions."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "closed.pem"
        path.write_bytes((development_folder() / JOURNAL).read_bytes())
        Path(folder).chmod(0o755)  # for others to enter; the file itself is closed
        path.chmod(0)
        with nobody(), pytest.raises(KeyUnavailableError, match="权限"):
            open_key(f"pem:{path}")


@pytest.mark.parametrize("uri", ["", "key.pem", "vault:key", "pem:key.pem?password=x"])
def test_a_uri_of_no_known_form_is_refused(uri: str) -> None:
    """No scheme, an unknown scheme, an unknown option."""
    with pytest.raises(ConfigurationError):
        open_key(uri)


def test_a_key_does_not_show_itself() -> None:
    """Neither the key nor its public half stands in the representation that logs would show."""
    shown = repr(open_key(f"pem:{development_folder() / JOURNAL}"))
    assert "ed25519" in shown
    assert "PrivateKey" not in shown
