"""A folder of trust, and the state of a file from lists alone."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import pem

from certlib.crypto.certificates import RevocationList
from certlib.crypto.development import development_folder, development_key
from certlib.domain.verdict import StatusCode, Verdict
from certlib.errors import ConfigurationError
from certlib.formats.status import pack, sign_status_list
from certlib.formats.trust import Names, TrustedKey, TrustList, sign_trust_list
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.verify.samples import SEALED

ROOT, STATUS = development_key("trust-2026"), development_key("status-2026")
NOW = SEALED + timedelta(days=1)
LIST = TrustList(
    seq=1,
    issued=SEALED,
    keys=(TrustedKey(public_key=STATUS.public_key, uses=("status",), issuer=Names("赣州市")),),
)


def folder(tmp_path: Path, codes: dict[int, int] | None = None, now: datetime = NOW) -> Path:
    """A folder with the development root, the key of the trust list, the list and one shard."""
    for path in (development_folder() / "trust").glob("*.pem"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "list.pem").write_bytes(pem.armor("PUBLIC KEY", ROOT.public_key))
    (tmp_path / "trust.json").write_bytes(sign_trust_list(LIST, [ROOT]))
    token = sign_status_list(
        pack((codes or {}).items(), shard=0),
        shard=0,
        address="https://zwfw.example.gov.cn/public/status/0",
        journal_size=1,
        high_water=100,
        key=STATUS,
        now=now,
    )
    (tmp_path / "0.cwt").write_bytes(token)
    return tmp_path


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (StatusCode.VALID, Verdict.VALID),
        (StatusCode.REVOKED, Verdict.REVOKED),
        (StatusCode.SUSPENDED, Verdict.SUSPENDED),
        (StatusCode.SUPERSEDED, Verdict.SUPERSEDED),
        (StatusCode.CANCELLED, Verdict.CANCELLED),
        (StatusCode.NOT_IN_FORCE, Verdict.NOT_IN_FORCE),
    ],
)
def test_a_file_gets_its_state_from_lists_alone(
    code: StatusCode, verdict: Verdict, sealed: bytes, tmp_path: Path
) -> None:
    """Offline: trust list, one shard, the index in the sealed facts."""
    trust = TrustRoots.load(folder(tmp_path, {7: int(code)}))
    report = examine(sealed, trust=trust, at=NOW + timedelta(hours=2))
    assert report.verdict is verdict
    assert report.status_at == NOW
    assert examine(sealed, trust=trust, at=NOW + timedelta(hours=25)).verdict is Verdict.STATUS_UNKNOWN


def test_the_files_own_days_count_beside_the_list(sealed: bytes, tmp_path: Path) -> None:
    """Valid by the list, and past its last day."""
    late = datetime(2031, 3, 9, tzinfo=UTC)
    trust = TrustRoots.load(folder(tmp_path, {7: 0}, now=late))
    assert examine(sealed, trust=trust, at=late + timedelta(hours=1)).verdict is Verdict.EXPIRED
    assert date(2031, 3, 8) < late.date()


def test_the_development_trust_is_the_default() -> None:
    """Roots of both suites, their revocation lists, the key of the trust list."""
    trust = TrustRoots.load()
    assert len(trust.certificates) == 2
    assert len(trust.revocation) >= 4
    assert ROOT.public_key in trust.list_keys


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("trust.json", b"{}"),
        ("0.cwt", b"junk"),
        ("bad.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("bad.crl", b"junk"),
    ],
)
def test_a_folder_with_a_bad_file_is_refused_by_name(name: str, data: bytes, tmp_path: Path) -> None:
    """Nothing is trusted from a folder that cannot be read as a whole."""
    path = folder(tmp_path)
    (path / name).write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        TrustRoots.load(path)
    assert str(path) in str(caught.value)


def test_a_folder_without_roots_is_refused(tmp_path: Path) -> None:
    """Missing, or without any certificate."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(ConfigurationError):
            TrustRoots.load(path)


def test_a_revocation_list_spoilt_in_its_issuers_name_is_refused_by_name() -> None:
    """Wherever a byte of the name is another: the file is named, whichever part is read late."""
    data = (development_folder() / "crl" / "issuing.p256.crl").read_bytes()
    good = RevocationList.load(data, name="good.crl")
    begin = good.der.index(good.issuer)
    for at in range(begin, begin + 9):
        spoilt = good.der[:at] + bytes([good.der[at] ^ 1]) + good.der[at + 1 :]
        with pytest.raises(ConfigurationError, match=r"bad\.crl"):
            RevocationList.load(spoilt, name="bad.crl")


def test_a_revocation_list_of_an_unknown_version_is_refused_by_name() -> None:
    """Version 66 is not read as version 2."""
    data = (development_folder() / "crl" / "issuing.p256.crl").read_bytes()
    good = RevocationList.load(data, name="good.crl").der
    at = good.index(b"\x02\x01\x01")
    with pytest.raises(ConfigurationError, match=r"bad\.crl"):
        RevocationList.load(good[: at + 2] + b"\x41" + good[at + 3 :], name="bad.crl")
