"""The development PKI: what is committed is what the description makes, with the profile the judges accept."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certlib.crypto.certificates import DOCUMENT_SIGNING, EMAIL_PROTECTION, TIME_STAMPING, load_certificates
from certlib.crypto.development import development_folder, development_roots, refuse_development_keys
from certlib.crypto.keys import open_key
from certlib.crypto.pki import make_development_pki
from certlib.crypto.suites import SUITES
from certlib.errors import ConfigurationError

SEALS = sorted((development_folder() / "seals").glob("seal-ganzhou-*.pem"))


def _copy(folder: Path) -> Path:
    return Path(shutil.copytree(development_folder(), folder / "keys-dev"))


def test_making_it_again_changes_nothing(tmp_path: Path) -> None:
    """Keys are kept; certificates, lists and fingerprints come out byte for byte as committed."""
    folder = _copy(tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    written = make_development_pki(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert set(before) - set(written) == {folder / name for name in ("pki.toml", "keyring.toml", "README.md")}


def test_a_missing_key_is_made_and_certified(tmp_path: Path) -> None:
    """A seal whose file is gone gets a new key under the same name and serial."""
    folder = _copy(tmp_path)
    path = folder / "seals" / "seal-ganzhou-commerce-approval-1.p256.pem"
    old = load_certificates(path.read_bytes(), name="old")[0]
    path.unlink()
    make_development_pki(folder)
    new = load_certificates(path.read_bytes(), name="new")[0]
    assert (new.subject, new.serial) == (old.subject, old.serial)
    assert new.spki != old.spki
    assert open_key(f"pem:{path}").public_key == new.spki


@pytest.mark.parametrize(
    "change",
    [
        ('issuer = "root"', 'issuer = "nobody"'),
        ('profile = "issuing"', 'profile = "unheard-of"'),
        ('"sm2-sm3"]', '"p999-sha1"]'),
        ("[subject]", "[subject"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    """Unknown issuer, profile, suite; broken TOML: nothing is written."""
    folder = _copy(tmp_path)
    toml = folder / "pki.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    before = (folder / "fingerprints.txt").stat().st_mtime_ns
    with pytest.raises(ConfigurationError):
        make_development_pki(folder)
    assert (folder / "fingerprints.txt").stat().st_mtime_ns == before


def test_seventeen_seals_stand_in_each_suite() -> None:
    """Eight approval seals, eight organ seals and one 2号章, each with its own key in each suite."""
    for short in ("rsa", "p256", "sm2"):
        assert sum(path.name.endswith(f".{short}.pem") for path in SEALS) == 17
    assert len({load_certificates(path.read_bytes(), name=str(path))[0].spki for path in SEALS}) == 51


@pytest.mark.parametrize("path", SEALS, ids=lambda path: path.name)
def test_a_seal_certificate_has_the_profile(path: Path) -> None:
    """Key usage and extended usage for documents and mail, CN the esID, O USCC and name, issuer beside it."""
    leaf, issuing = load_certificates(path.read_bytes(), name=str(path))
    assert leaf.key_usage == {"digital_signature", "non_repudiation"}
    assert leaf.extended_usage == {EMAIL_PROTECTION, DOCUMENT_SIGNING}
    assert leaf.common_name.startswith("360700")
    assert len(leaf.common_name) == 14
    assert "Organization: 11360700" in leaf.subject
    assert leaf.place == "江西省赣州市"
    assert "Issuing" in issuing.common_name


def test_the_timestamp_authority_stamps_and_nothing_else() -> None:
    """EKU timeStamping alone (RFC 3161 §2.3)."""
    for path in (development_folder() / "tsa").glob("*.pem"):
        assert load_certificates(path.read_bytes(), name=str(path))[0].extended_usage == {TIME_STAMPING}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("short", ["rsa", "p256"])
def test_openssl_builds_the_chain_and_knows_the_revoked_one(short: str, tmp_path: Path) -> None:
    """`openssl verify -crl_check` accepts a seal and refuses the revoked one."""
    folder = development_folder()
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(
        (folder / "trust" / f"{short}.pem").read_bytes() + (folder / "crl" / f"issuing.{short}.crl").read_bytes()
    )
    command = ["openssl", "verify", "-crl_check", "-CAfile", bundle, "-untrusted", folder / f"ca/issuing.{short}.pem"]

    def verify(label: str) -> subprocess.CompletedProcess[str]:
        seal = folder / "seals" / f"{label}.{short}.pem"
        return subprocess.run([*command, seal], capture_output=True, text=True, check=False)

    assert verify("seal-ganzhou-approval-approval-1").returncode == 0
    assert "revoked" in verify("seal-revoked").stderr
    assert verify("seal-foreign").returncode != 0


def test_development_keys_are_refused_elsewhere() -> None:
    """Elsewhere than in development a known key is named, an unknown one passes, unspecified use is refused."""
    seal = open_key(f"pem:{SEALS[0]}")
    refuse_development_keys("development", [seal.public_key])
    with pytest.raises(ConfigurationError, match=SEALS[0].name):
        refuse_development_keys("production", [seal.public_key])
    with pytest.raises(ConfigurationError):
        refuse_development_keys("production")
    with pytest.raises(ConfigurationError, match="ca/root"):
        refuse_development_keys("production", [root.spki for root in development_roots()])

    own = ec.generate_private_key(ec.SECP256R1()).public_key()
    refuse_development_keys("production", [own.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)])


def test_every_suite_that_seals_has_a_root() -> None:
    """One trust root per sealing suite; SM2's apart from those that readers everywhere know."""
    for suite in SUITES.values():
        folder = "trust" if suite.international else f"trust-{suite.short}"
        assert (development_folder() / folder / f"{suite.short}.pem").exists() == suite.seals
    assert len(development_roots()) == sum(suite.seals for suite in SUITES.values())
