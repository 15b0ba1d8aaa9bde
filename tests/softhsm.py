"""SoftHSM2, the token that tests and benchmarks keep keys in: where it is, and a fresh one in a folder."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from certlib.crypto.development import development_folder

_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)
MODULE = next((place for place in _PLACES if Path(place).exists()), "")
"""The PKCS #11 module, empty where it is not installed."""
INSTALLED = bool(MODULE and shutil.which("softhsm2-util"))
token_needed = pytest.mark.skipif(not INSTALLED, reason="SoftHSM2 is not installed")


def make_token(folder: Path, *labels: str, pin: str) -> Path:
    """Empty tokens in `folder`; the configuration to which `SOFTHSM2_CONF` is to point, which a process reads once."""
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    for label in labels:
        _util(configuration, "--init-token", "--free", "--label", label, "--so-pin", "1234567", "--pin", pin)
    return configuration


def import_key(configuration: Path, pem: str, *, token: str, label: str, number: str, pin: str) -> None:
    """Put the private key of a PEM text into a token, under `label` and the id `number` (hexadecimal)."""
    file = configuration.with_name("key.pem")
    end = "-----END PRIVATE KEY-----\n"
    file.write_text(pem[: pem.index(end) + len(end)])
    _util(configuration, "--import", str(file), "--token", token, "--label", label, "--id", number, "--pin", pin)
    file.unlink()


def keep_seals(folder: Path, names: Iterable[str], *, pin: str) -> Path:
    """A folder of seals whose keys are in a token `seals`: PEM files of `names` with certificates alone, and `.uri`s.

    The configuration for `SOFTHSM2_CONF`; the PIN is looked for in the environment, as `SEAL_PIN`.
    """
    configuration = make_token(folder, "seals", pin=pin)
    (folder / "seals").mkdir()
    for number, name in enumerate(names, start=1):
        pem = (development_folder() / "seals" / f"{name}.pem").read_text(encoding="utf-8")
        import_key(configuration, pem, token="seals", label=name, number=f"{number:02x}", pin=pin)
        (folder / "seals" / f"{name}.pem").write_text(pem[pem.index("-----BEGIN CERTIFICATE-----") :])
        uri = f"pkcs11:token=seals;object={name}?module-path={MODULE}&pin-source=env:SEAL_PIN\n"
        (folder / "seals" / f"{name}.uri").write_text(uri)
    return configuration


def _util(configuration: Path, *words: str) -> None:
    environment = {"SOFTHSM2_CONF": str(configuration), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    subprocess.run(["softhsm2-util", *words], env=environment, check=True, capture_output=True)
