"""B-LT and B-LTA: files that can be checked by themselves, years later, and whose proof can be renewed."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from certlib.crypto import libcrypto
from certlib.crypto.certificates import load_certificates
from certlib.crypto.development import development_material, development_timestamps
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.suites import SUITES
from certlib.crypto.timestamps import HttpTimestamps, Timestamp
from certlib.domain.seal import SealSpec
from certlib.domain.verdict import Verdict
from certlib.errors import SealFailedError, TimestampUnavailableError
from certlib.sealing.archive import archive_pdf
from certlib.sealing.identities import SealIdentity, load_identities
from certlib.sealing.sealer import Sealer
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots

NOW = datetime.fromisoformat("2026-01-02T03:04:05Z")
Make = Callable[..., bytes]


@pytest.fixture
def seal(identity: SealIdentity, suite: str, ledger, ordered: Callable[..., str]) -> Make:
    """Seal the page at a level, with the material of the development PKI."""
    material = development_material(suite)
    sealer = Sealer({identity.spec.id: identity}, development_timestamps(suite), ledger, material=material)
    return lambda level="B-T": sealer.seal(ordered(level=level, suite=suite), now=NOW)[1].pdf


@pytest.fixture
def archive(suite: str) -> Make:
    """Add a document timestamp at a moment."""
    return lambda pdf, at: archive_pdf(pdf, development_material(suite), development_timestamps(suite), at=at).pdf


def test_a_b_lt_file_ends_with_its_signature_and_carries_its_proof(seal: Make, keys: Path, suite: str) -> None:
    """The store is in the signed revision; by it alone, without network, signature and timestamp hold."""
    sealed = seal("B-LT")
    assert sealed.count(b"%%EOF") == 2
    before, after, rest = _ranges(sealed)[-1]
    assert after + rest == len(sealed)
    assert before < after
    assert _by_its_own_store(sealed, _root(keys, suite)).bottom_line
    assert _judge(sealed, NOW) == (Verdict.STATUS_UNKNOWN, "B-LT")


def test_a_b_lta_file_ends_in_its_document_timestamp(seal: Make, archive: Make, keys: Path, suite: str) -> None:
    """The predecessor's bytes first, one revision more, the timestamp over all of it, DocMDP kept."""
    sealed = seal()
    archived = archive(sealed, NOW + timedelta(minutes=1))
    assert archived.startswith(sealed)
    assert archived.count(b"%%EOF") == sealed.count(b"%%EOF") + 1
    _, after, rest = _ranges(archived)[-1]
    assert after + rest == len(archived)
    status = _by_its_own_store(archived, _root(keys, suite))
    assert status.bottom_line
    assert status.modification_level is ModificationLevel.LTA_UPDATES
    assert status.docmdp_ok
    assert _archival(archived, _root(keys, suite)) is AdESPassed.OK
    assert _judge(archived, NOW + timedelta(days=1)) == (Verdict.STATUS_UNKNOWN, "B-LTA")


def test_the_proof_is_renewed_by_another_timestamp(seal: Make, archive: Make, keys: Path, suite: str) -> None:
    """Twice more, years apart: each file is the next one's beginning, nothing in the store is doubled."""
    files = [seal("B-LT")]
    for years in (1, 5, 9):
        files.append(archive(files[-1], NOW + timedelta(days=365 * years)))
    for earlier, later in pairwise(files):
        assert later.startswith(earlier)
    reader = PdfFileReader(BytesIO(files[-1]))
    assert [one.field_name for one in reader.embedded_timestamp_signatures] == ["Archive1", "Archive2", "Archive3"]
    store = DocumentSecurityStore.read_dss(reader)
    stored = [one.dump() for one in store.load_certs()]
    assert len(stored) == len(set(stored)) == 4  # seal, timestamp authority, issuing, root
    assert len(store.crls) == 2
    assert _by_its_own_store(files[-1], _root(keys, suite)).bottom_line
    assert _judge(files[-1], NOW + timedelta(days=3300)) == (Verdict.STATUS_UNKNOWN, "B-LTA")


def test_a_changed_byte_is_found_under_any_number_of_timestamps(seal: Make, archive: Make) -> None:
    """In the page, in the first update, in the last."""
    archived = archive(archive(seal(), NOW + timedelta(minutes=1)), NOW + timedelta(days=365))
    for at in (2000, archived.index(b"/AcroForm"), archived.rindex(b"/DSS")):
        changed = archived[:at] + bytes([archived[at] ^ 1]) + archived[at + 1 :]
        assert _judge(changed, NOW + timedelta(days=400))[0] in {Verdict.ALTERED, Verdict.UNREADABLE}


@pytest.mark.skipif(not shutil.which("pdfsig") or not shutil.which("certutil"), reason="pdfsig or certutil is missing")
def test_pdfsig_and_qpdf_accept_every_level(seal: Make, archive: Make, tmp_path: Path, keys: Path) -> None:
    """poppler does not judge document timestamps; the seal's signature is valid and trusted at each level."""
    database = tmp_path / "nss"
    database.mkdir()
    subprocess.run(["certutil", "-N", "-d", f"sql:{database}", "--empty-password"], check=True, capture_output=True)
    for root in (keys / "trust").glob("*.pem"):
        add = ["certutil", "-A", "-d", f"sql:{database}", "-n", root.stem, "-t", "CT,C,C", "-i", root]
        subprocess.run(add, check=True, capture_output=True)
    for name, pdf in {"lt": seal("B-LT"), "lta": archive(seal(), NOW)}.items():
        path = tmp_path / f"{name}.pdf"
        path.write_bytes(pdf)
        said = subprocess.run(["pdfsig", "-nssdir", database, path], capture_output=True, text=True, check=False).stdout
        first = said.partition("Signature #2")[0]
        assert "Signature is Valid." in first
        assert "Certificate is Trusted." in first
        if shutil.which("qpdf"):
            assert subprocess.run(["qpdf", "--check", path], capture_output=True, check=False).returncode == 0


def test_without_current_lists_there_is_neither_level(seal: Make, suite: str, identity, ledger, ordered) -> None:
    """No lists, lists of yesteryear: refused before the key is used, the missing names said; the use released."""
    sealed, stamps = seal(), development_timestamps(suite)
    full = development_material(suite)
    stale = tuple(replace(crl, next_update=NOW - timedelta(days=1)) for crl in full.revocation)
    for material in (ValidationMaterial(full.certificates), ValidationMaterial(full.certificates, stale)):
        with pytest.raises(SealFailedError, match=r"36070000000002.*吊销列表"):
            archive_pdf(sealed, material, stamps, at=NOW)
        sealer = Sealer({identity.spec.id: identity}, stamps, ledger, material=material)
        with pytest.raises(SealFailedError, match="吊销列表"):
            sealer.seal(ordered(level="B-LT", suite=suite), now=NOW)
    unknown = HttpTimestamps(["http://127.0.0.1:9/"])
    with pytest.raises(SealFailedError, match="时间戳服务的证书"):
        Sealer({identity.spec.id: identity}, unknown, ledger, material=full).seal(
            ordered(level="B-LT", suite=suite), now=NOW
        )
    assert [state for state in ledger.states.values() if state == "released"] == ["released"] * 3


def test_without_a_timestamp_nothing_is_archived(seal: Make, suite: str) -> None:
    """The authority is down: the error is its own, and there is no file."""
    with pytest.raises(TimestampUnavailableError):
        archive_pdf(seal(), development_material(suite), HttpTimestamps(["http://127.0.0.1:9/"]), at=NOW)


class _OfAnother:
    """An authority that stamps another digest than asked."""

    digest = "sha256"

    def __init__(self, suite: str) -> None:
        self._stamps = development_timestamps(suite)
        self.reserve, self.certificates = self._stamps.reserve, self._stamps.certificates

    def stamp(self, imprint: bytes, *, now: datetime) -> Timestamp:
        return self._stamps.stamp(bytes(32), now=now)


def test_a_wrong_timestamp_is_not_taken(seal: Make, suite: str) -> None:
    """The result is checked before it leaves."""
    with pytest.raises(SealFailedError, match="自检"):
        archive_pdf(seal(), development_material(suite), _OfAnother(suite), at=NOW)


@pytest.mark.parametrize("pdf", [b"", b"nonsense"])
def test_what_bears_no_seal_is_not_archived(pdf: bytes, page: bytes, suite: str) -> None:
    """Nonsense, and a page without a seal."""
    for wrong in (pdf, page):
        with pytest.raises(SealFailedError, match="未加文档时间戳"):
            archive_pdf(wrong, development_material(suite), development_timestamps(suite), at=NOW)


@pytest.mark.skipif(libcrypto.unavailable() is not None, reason=libcrypto.unavailable() or "")
def test_sm2_reaches_the_same_levels(spec: SealSpec, keys: Path, ledger, ordered: Callable[..., str]) -> None:
    """Seal, material and document timestamp of one suite."""
    suite = "sm2-sm3"
    material, stamps = development_material(suite), development_timestamps(suite)
    sealer = Sealer(load_identities([spec], keys, suite), stamps, ledger, material=material)
    sealed = sealer.seal(ordered(level="B-LT", suite=suite), now=NOW)[1].pdf
    archived = archive_pdf(sealed, material, stamps, at=NOW + timedelta(days=1))
    assert archived.pdf.startswith(sealed)
    assert archived.timestamp is not None
    assert archived.timestamp.at == NOW + timedelta(days=1)


def _ranges(pdf: bytes) -> list[tuple[int, int, int]]:
    found = re.findall(rb"/ByteRange ?\[0 (\d+) (\d+) (\d+)\]", pdf)
    return [(int(before), int(after), int(rest)) for before, after, rest in found]


def _root(keys: Path, suite: str) -> x509.Certificate:
    path = keys / "trust" / f"{SUITES[suite].short}.pem"
    return x509.Certificate.load(load_certificates(path.read_bytes(), name="root")[0].der)


def _by_its_own_store(pdf: bytes, root: x509.Certificate) -> PdfSignatureStatus:
    """pyHanko's judgement with the root and what the file itself carries, revocation required."""
    reader = PdfFileReader(BytesIO(pdf))
    settings = {"trust_roots": [root], "allow_fetching": False, "revocation_mode": "require", "moment": NOW}
    context = DocumentSecurityStore.read_dss(reader).as_validation_context(settings)
    return validate_pdf_signature(reader.embedded_regular_signatures[0], context, ts_validation_context=context)


def _archival(pdf: bytes, root: x509.Certificate) -> object:
    """ETSI EN 319 102-1 §5.6.3 by pyHanko, as of today, offline."""
    policy = CertValidationPolicySpec(SimpleTrustManager.build([root]), CertRevTrustPolicy(REQUIRE_REVINFO))
    offline = RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY)
    spec = PdfSignatureValidationSpec(SignatureValidationSpec(policy, offline))
    signature = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures[0]
    return asyncio.run(ades_lta_validation(signature, spec)).ades_subindic


def _judge(pdf: bytes, at: datetime) -> tuple[Verdict, str]:
    report = examine(pdf, trust=TrustRoots.load(), at=at)
    return report.verdict, report.seals[0].level if report.seals else ""
