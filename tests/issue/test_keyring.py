"""Keys follow one another: papers signed by the old one stay good, new ones bear the new, and lists only go forward."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from asn1crypto import pem
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import select

from certlib.catalogue import example
from certlib.crypto.development import development_folder
from certlib.crypto.keys import PemKey
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.sm2 import Sm2PrivateKey
from certlib.crypto.suites import private_pem
from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError
from certlib.formats.code import read_code, verify_code
from certlib.formats.seal_list import read_seal_list
from certlib.formats.status import read_status_list
from certlib.formats.trust import COMPROMISED, RETIRED, Names, TrustedKey, TrustList, read_trust_list
from certlib.issue.composition import open_office
from certlib.issue.keyring import load_keyring
from certlib.issue.lists import TRUST, published
from certlib.issue.office import Office
from certlib.issue.settings import Settings
from certlib.register.tables import EditionRow
from certlib.verify.codes import examine_code

CITY = Names("赣州市", "Ganzhou")
START = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
SIGNERS = 'signers = ["trust-2026", "trust-p256-2026"]\n'
STATUS = '[[key]]\nlabel = "status-2026"\nuse = "status"\n'
FIRST = '[[key]]\nlabel = "code-2026"\nuse = "code"\n'
RETIREMENT = f'{FIRST}state = "retired"\nuntil = 2026-06-01T00:00:00+08:00\n'
LEAK = f'{FIRST}state = "compromised"\ncompromised_since = 2026-05-01T00:00:00Z\n'
SECOND = '[[key]]\nlabel = "code-2027"\nuse = "code"\nsince = 2026-06-01T00:00:00+08:00\n'


class City:
    """An office whose keyring is edited between openings; its register stays."""

    def __init__(self, folder: Path) -> None:
        self.home, self.keys, self.now = folder / "home", folder / "keys", START
        copytree(development_folder(), self.keys)
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.keys / "keys" / "code-2027.pem").write_bytes(private_pem(key))
        (self.keys / "keys" / "code-2027.pub.pem").write_bytes(public)

    def open(self, *entries: str, signers: str = SIGNERS) -> Office:
        """Open the office with this keyring."""
        (self.keys / "keyring.toml").write_text(signers + "".join(entries) + STATUS, encoding="utf-8")
        return open_office(Settings(home=self.home, keys=str(self.keys)), clock=lambda: self.now)

    def trust(self, office: Office) -> TrustList:
        """The office's trust list as a reader has it."""
        return read_trust_list(office.trust_list, office.list_keys)


@pytest.fixture
def city(tmp_path: Path) -> City:
    """A city with a second code key in its folder."""
    return City(tmp_path)


def _issue(office: Office, case: str, now: datetime) -> dict[str, Any]:
    request = {**example("2-25", now=now), "case": {"number": case}}
    body = dict(office.issue(request, client="test", key=case).body)
    office.tick()
    return body


def _code(office: Office, body: dict[str, Any]) -> str:
    with office.register.reader() as session:
        query = select(EditionRow.code_text).where(EditionRow.identifier == body["identifier"])
        return session.exec(query).one()


def _listed(trust: TrustList, number: int) -> TrustedKey:
    """The code keys in the order in which they begin; the list itself is ordered by key identifier."""
    codes = [key for key in trust.keys if "code" in key.uses]
    return sorted(codes, key=lambda key: key.since or datetime(1, 1, 1, tzinfo=UTC))[number]


def _key_of(code: str, trust: TrustList) -> TrustedKey:
    return verify_code(read_code(code), trust)


def test_codes_of_the_old_key_and_of_the_new_verify(city: City) -> None:
    """The old key is retired and its private half taken away, the new one signs; both codes are valid."""
    with city.open(FIRST) as office:
        old = _code(office, _issue(office, "CASE-1", city.now))
    (city.keys / "keys" / "code-2026.pem").unlink()
    city.now = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)
    with city.open(RETIREMENT, SECOND) as office:
        new = _code(office, _issue(office, "CASE-2", city.now))
        trust = city.trust(office)
        shard = read_status_list(office.status_list(0)[0], trust)
        assert [_key_of(code, trust).state for code in (old, new)] == [RETIRED, "active"]
        reports = [examine_code(code, trust, at=city.now, shard=shard) for code in (old, new)]
        assert [report.verdict for report in reports] == [Verdict.VALID, Verdict.VALID]


def test_a_key_takes_over_on_its_day_without_a_restart(city: City) -> None:
    """Listed ahead, it signs from its first day on, in an office that stays open."""
    with city.open(FIRST, SECOND) as office:
        before = _code(office, _issue(office, "CASE-1", city.now))
        city.now = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
        after = _code(office, _issue(office, "CASE-2", city.now))
        trust = city.trust(office)
        assert _key_of(before, trust) == _listed(trust, 0)
        assert _key_of(after, trust) == _listed(trust, 1)


def test_the_city_may_go_over_to_sm2(city: City) -> None:
    """A key of the Chinese suite takes over on its day; its codes are drawn, listed and valid like those before."""
    if unavailable():
        pytest.skip(str(unavailable()))
    private = Sm2PrivateKey.generate().pem
    public = pem.armor("PUBLIC KEY", PemKey.load(private, name="code-2027").public_key)
    (city.keys / "keys" / "code-2027.pem").write_bytes(private)
    (city.keys / "keys" / "code-2027.pub.pem").write_bytes(public)
    with city.open(FIRST, SECOND) as office:
        before = _code(office, _issue(office, "CASE-1", city.now))
        city.now = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
        after = _code(office, _issue(office, "CASE-2", city.now))
        trust = city.trust(office)
        assert [read_code(code).message.algorithm for code in (before, after)] == [-7, -65537]
        shard = read_status_list(office.status_list(0)[0], trust)
        verdicts = [examine_code(code, trust, at=city.now, shard=shard).verdict for code in (before, after)]
        assert verdicts == [Verdict.VALID, Verdict.VALID]


def test_a_sheet_printed_years_later_bears_the_later_key(city: City) -> None:
    """It keeps its day of issue, which lies before the key's first day, and is valid."""
    with city.open(FIRST) as office:
        body = _issue(office, "CASE-1", city.now)
    city.now = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)
    with city.open(RETIREMENT, SECOND) as office:
        payload = read_code(_code(office, body)).payload
        again = office.coder.text(payload)
        trust = city.trust(office)
        assert _key_of(again, trust) == _listed(trust, 1)
        shard = read_status_list(office.status_list(0)[0], trust)
        assert examine_code(again, trust, at=city.now, shard=shard).verdict is Verdict.VALID


def test_what_a_leaked_key_signed_is_believed_only_where_the_register_knows_it(city: City) -> None:
    """The genuine code is confirmed by the register alone; a forged one by nobody, whatever day it names."""
    with city.open(FIRST) as office:
        genuine = _code(office, _issue(office, "CASE-1", city.now))
        payload = read_code(genuine).payload
        forged = office.coder.text(type(payload)(**{name: getattr(payload, name) for name in _NAMES} | {"n": 5}))
    city.now = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)
    with city.open(LEAK, SECOND) as office:
        trust = city.trust(office)
        assert _listed(trust, 0).state == COMPROMISED
        shard = read_status_list(office.status_list(0)[0], trust)
        for code in (genuine, forged):
            assert examine_code(code, trust, at=city.now, shard=shard).verdict is Verdict.SIGNATURE_INVALID
        asked = [examine_code(code, trust, at=city.now, lookup=office.lookup) for code in (genuine, forged)]
        assert asked[0].verdict is Verdict.VALID
        assert any(finding.outcome == "warn" for finding in asked[0].findings)
        assert asked[1].verdict not in {Verdict.VALID, Verdict.STATUS_UNKNOWN}
        assert asked[1].certificate is None


_NAMES = ["type_number", "number", "edition", "name", "issued", "expires", "digest", "n", "carrier", "issuer_number"]


def test_an_office_without_a_key_of_today_signs_nothing(city: City) -> None:
    """After the last key's end an issue is refused; before it is numbered, so that nothing is lost."""
    ended = f"{FIRST}until = 2026-06-01T00:00:00+08:00\n"
    with city.open(ended) as office:
        _issue(office, "CASE-1", city.now)
        city.now += timedelta(days=120)
        with pytest.raises(ConfigurationError, match="签名密钥"):
            _issue(office, "CASE-2", city.now)


def test_a_list_that_says_the_same_is_the_same(city: City) -> None:
    """Opened again, or by another process: the same bytes, and no new number."""
    with city.open(FIRST) as office, open_office(office.settings, clock=lambda: city.now) as other:
        assert office.trust_list == other.trust_list
        assert office.seal_list == other.seal_list
        assert city.trust(office).seq == 1


def test_every_list_that_was_published_is_kept(city: City) -> None:
    """A change of keys gets the next number; the earlier list stays, for auditors."""
    with city.open(FIRST) as office:
        first = office.trust_list
    with city.open(FIRST, SECOND) as office:
        assert city.trust(office).seq == 2
        with office.register.reader() as session:
            assert published(session, TRUST) == {1: first, 2: office.trust_list}


@pytest.mark.parametrize(
    ("entries", "told"),
    [((SECOND,), "撤下"), ((FIRST, SECOND), "改回")],
    ids=["a key left out", "a leaked key trusted again"],
)
def test_an_office_does_not_open_with_a_keyring_that_takes_papers_back(
    city: City, entries: tuple[str, ...], told: str
) -> None:
    """Papers already out rest on the keys that were published."""
    city.now = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)
    with city.open(LEAK, SECOND):
        pass
    with pytest.raises(ConfigurationError, match=told):
        city.open(*entries)


def test_the_list_s_own_keys_change_by_signing_together(city: City) -> None:
    """Old and new sign one list; then the old may go. Both at once is refused."""
    with city.open(FIRST, signers='signers = ["trust-2026"]\n') as office:
        assert city.trust(office).seq == 1
    with pytest.raises(ConfigurationError, match="同签"):
        city.open(FIRST, signers='signers = ["trust-p256-2026"]\n')
    with city.open(FIRST) as office:
        assert city.trust(office).seq == 2
    with city.open(FIRST, signers='signers = ["trust-p256-2026"]\n') as office:
        assert city.trust(office).seq == 3


@pytest.mark.parametrize(
    "keyring",
    [
        "signers = 3",
        "signers = []",
        'signers = ["trust-2026"]\n[[key]]\nlabel = "code-2026"\nuse = "seal"',
        'signers = ["trust-2026"]\n[[key]]\nlabel = "code-2026"\nuse = "code"\nstate = "lost"',
        'signers = ["trust-2026"]\n[[key]]\nlabel = "code-2026"\nuse = "code"\nuntill = 2026-06-01T00:00:00Z',
        'signers = ["trust-2026"]\n[[key]]\nlabel = "code-2026"\nuse = "code"\nsince = 2026-06-01',
        'signers = ["trust-2026"]\n[[key]]\nlabel = "code-2026"\nuse = "code"\nstate = "compromised"',
        'signers = ["trust-2026"]\n[[key]]\nlabel = "none"\nuse = "code"\nstate = "retired"',
        "not toml",
    ],
)
def test_a_keyring_that_is_wrong_names_its_file(tmp_path: Path, keyring: str) -> None:
    """Another use, state or entry, a day instead of a moment, a file that is not there."""
    folder = copytree(development_folder(), tmp_path / "keys")
    (folder / "keyring.toml").write_text(keyring, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"keyring\.toml"):
        load_keyring(folder, CITY)


def test_without_a_keyring_the_usual_keys_sign(tmp_path: Path) -> None:
    """A folder made before there were keyrings goes on working."""
    folder = copytree(development_folder(), tmp_path / "keys")
    (folder / "keyring.toml").unlink()
    keyring = load_keyring(folder, CITY)
    assert [listed.label for listed in keyring.keys] == ["code-2026", "status-2026"]
    assert len(keyring.signers) == 1


def test_the_seal_list_names_every_certificate_of_the_seals(city: City) -> None:
    """In each suite that is there; none of the certificates that must not work."""
    with city.open(FIRST) as office:
        listed = read_seal_list(office.seal_list, office.list_keys)
        assert {seal.seal for seal in listed.seals} == set(office.catalogue.seals)
        assert all(seal.revoked is None and seal.since < START < seal.until for seal in listed.seals)
