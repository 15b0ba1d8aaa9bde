"""Certificate status answers in every suite: whose they are, whom about, and what the verifier makes of them."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import ocsp as asn1
from asn1crypto import x509

from certlib.crypto import der
from certlib.crypto.attributes import SealUse
from certlib.crypto.authority import DevelopmentAuthority
from certlib.crypto.certificates import Certificate, RevocationList, load_certificates
from certlib.crypto.development import development_folder
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.ocsp import Answer, Status, StatusAnswer, read_answer, read_request
from certlib.crypto.sm2 import sm3
from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError
from certlib.sealing.ses import make_seal, seal_beside
from certlib.verify.chain import Authorities, PathError
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from certlib.verify.ses import examine_ses
from tests.sealing.conftest import make_spec
from tests.verify.samples import NOW, SEALED, seal, signer, timestamps

KEYS = development_folder()
GOOD, REVOKED = "seal-ganzhou-approval-approval-1", "seal-revoked"
NAMES = {"rsa": "rsa3072-sha256", "p256": "p256-sha256", "sm2": "sm2-sm3"}
DIGESTS = {
    "sha1": ("1.3.14.3.2.26", lambda data: hashlib.sha1(data).digest()),
    "sha256": ("2.16.840.1.101.3.4.2.1", lambda data: hashlib.sha256(data).digest()),
    "sm3": ("1.2.156.10197.1.401", sm3),
}


@pytest.fixture(params=NAMES)
def short(request: pytest.FixtureRequest) -> str:
    """Each suite."""
    if request.param == "sm2" and unavailable():
        pytest.skip(str(unavailable()))
    return str(request.param)


def certificate(place: str) -> Certificate:
    return load_certificates((KEYS / f"{place}.pem").read_bytes(), name=place)[0]


def request(short: str, *labels: str, digest: str = "sha1") -> bytes:
    """An OCSPRequest about seals' certificates, as a stranger's program writes it."""
    oid, hashed = DIGESTS[digest]
    issuer = x509.Certificate.load(certificate(f"ca/issuing.{short}").der)
    names = (
        der.sequence(
            der.algorithm(oid, null=True),
            der.octets(hashed(issuer.subject.dump())),
            der.octets(hashed(issuer.public_key["public_key"].contents[1:])),
            der.integer(certificate(f"{label}.{short}").serial),
        )
        for label in labels
    )
    return der.sequence(der.sequence(der.sequence(*(der.sequence(name) for name in names))))


def answer(short: str, *labels: str, digest: str = "sha1") -> StatusAnswer:
    """What the development responder says now."""
    whole = DevelopmentAuthority(KEYS).status(f"issuing.{short}", request(short, *labels, digest=digest), now=NOW)
    return read_answer(whole)


def authorities(short: str, *answers: StatusAnswer) -> Authorities:
    """The suite's root and issuing authority, with answers and no list."""
    return Authorities((certificate(f"ca/root.{short}"),), (certificate(f"ca/issuing.{short}"),), (), answers)


@pytest.mark.parametrize("digest", DIGESTS)
def test_an_answer_says_what_the_list_says(short: str, digest: str) -> None:
    """Good, and revoked since when; several at once; the certificate named as it was asked for, in whole seconds."""
    told = answer(short, f"seals/{GOOD}", f"seals/{REVOKED}", digest=digest)
    issued = RevocationList.load((KEYS / "crl" / f"issuing.{short}.crl").read_bytes(), name="crl")
    moment = issued.revoked[certificate(f"seals/{REVOKED}.{short}").serial]
    assert [(one.status.word, one.status.revoked_at) for one in told.singles] == [("good", None), ("revoked", moment)]
    assert told.at == NOW.replace(microsecond=0)
    assert told.singles[0].until == NOW + timedelta(days=7)
    known = authorities(short, told)
    assert known.revoked_at(certificate(f"seals/{GOOD}.{short}")) is None
    assert known.revoked_at(certificate(f"seals/{REVOKED}.{short}")) == moment


def test_it_reads_the_same_to_another_reader(short: str) -> None:
    """asn1crypto finds the fields of RFC 6960 where they belong."""
    read = asn1.OCSPResponse.load(answer(short, f"seals/{REVOKED}").der, strict=True)
    assert read.response_data["responder_id"].name == "by_key"
    (one,) = read.response_data["responses"]
    assert one["cert_status"].chosen["revocation_reason"].native == "key_compromise"
    assert read.basic_ocsp_response["certs"][0].subject.native["common_name"] == "certlib Development OCSP"


def test_an_unknown_certificate_tells_nothing(short: str) -> None:
    """Of a certificate the authority never made it says `unknown`, and the verifier knows nothing."""
    foreign = request(short, f"seals/{GOOD}")
    serial = certificate(f"seals/{GOOD}.{short}").serial
    other = foreign.replace(der.integer(serial), der.integer(serial ^ 1))
    told = read_answer(DevelopmentAuthority(KEYS).status(f"issuing.{short}", other, now=NOW))
    assert told.singles[0].status == Status("unknown")
    known = certificate(f"seals/{GOOD}.{short}")
    with pytest.raises(PathError):
        authorities(short, told).revoked_at(replace(known, serial=serial ^ 1))


def test_answers_of_others_are_not_believed(short: str) -> None:
    """Altered, signed by a seal instead of a responder, by a stranger, about another issuer's certificate."""
    told, about = answer(short, f"seals/{GOOD}"), certificate(f"seals/{GOOD}.{short}")
    asked = read_request(request(short, f"seals/{GOOD}"))

    def by(label: str) -> StatusAnswer:
        return read_answer(
            Answer(responder=signer(label, short), at=NOW, until=NOW).write(asked, lambda _: Status("good"))
        )

    altered = replace(told, signed=told.signed.replace(b"\x80\x00", b"\x82\x00", 1))
    elsewhere = DevelopmentAuthority(KEYS).status(f"root.{short}", request(short, f"seals/{GOOD}"), now=NOW)
    assert elsewhere == bytes.fromhex("30030a0106")
    for one in (altered, by("seal-ganzhou-approval-approval-2"), by("seal-foreign")):
        with pytest.raises(PathError):
            authorities(short, one).revoked_at(about)
    with pytest.raises(PathError):
        authorities(short, told).revoked_at(certificate(f"ca/issuing.{short}"))


def test_nonsense_is_no_answer_and_no_request() -> None:
    """Each says so; a folder of trust that holds it is misuse."""
    for data in (b"", b"nonsense", bytes.fromhex("30030a0101")):
        with pytest.raises(ValueError, match="OCSP"):
            read_answer(data)
        with pytest.raises(ValueError, match=r"OCSP|certificates"):
            read_request(data)


def test_a_signature_after_the_standard_is_judged_by_answers() -> None:
    """GB/T 38540 with OCSP for what the issuing authority certified, and the root's list for the authority itself."""
    if unavailable():
        pytest.skip(str(unavailable()))
    maker, holder = signer("seal-maker", "sm2"), signer(GOOD, "sm2")
    dates = {"valid_from": SEALED - timedelta(days=1), "valid_until": SEALED + timedelta(days=99), "created": SEALED}
    made = make_seal(make_spec(), maker, holder.certificate, **dates)
    stamps = timestamps("sm2-sm3")
    use = SealUse("36070000000002", 17, bytes(32), "intent-1")
    signature = seal_beside(b"%PDF", made, holder, use, at=SEALED, timestamper=stamps)
    told = answer("sm2", f"seals/{GOOD}", "seals/seal-maker", "tsa/tsa")
    lists = (RevocationList.load((KEYS / "crl" / "root.sm2.crl").read_bytes(), name="root"),)
    trusted = replace(authorities("sm2", told), revocation=lists)
    assert examine_ses(signature, b"%PDF", trusted, at=NOW).holds
    fewer = replace(authorities("sm2", answer("sm2", "seals/seal-maker", "tsa/tsa")), revocation=lists)
    outcomes = {one.check: one.outcome for one in examine_ses(signature, b"%PDF", fewer, at=NOW).findings}
    assert (outcomes["signer"], outcomes["maker"]) == ("unknown", "pass")


@pytest.mark.parametrize(("label", "outcome"), [(GOOD, "pass"), (REVOKED, "fail")])
def test_a_sealed_file_is_judged_by_answers(short: str, label: str, outcome: str, tmp_path: Path) -> None:
    """A folder of trust with roots, the root's list and an answer: the seal's certificate is not revoked, or is."""
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "root.pem").write_bytes((KEYS / "ca" / f"root.{short}.pem").read_bytes())
    (trust / "root.crl").write_bytes((KEYS / "crl" / f"root.{short}.crl").read_bytes())
    sealed = seal(by=signer(label, short), stamper=timestamps(NAMES[short]))
    roots = TrustRoots.load(trust)
    assert examine(sealed, trust=roots, at=NOW).finding("revocation").outcome == "unknown"  # type: ignore[union-attr]
    (trust / "seal.ocsp").write_bytes(answer(short, f"seals/{label}", "tsa/tsa").der)
    report = examine(sealed, trust=TrustRoots.load(trust), at=NOW)
    assert report.finding("revocation").outcome == outcome  # type: ignore[union-attr]
    assert report.verdict is (Verdict.STATUS_UNKNOWN if outcome == "pass" else Verdict.SIGNATURE_INVALID)
    (trust / "seal.ocsp").write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match="ocsp"):
        TrustRoots.load(trust)
