"""Sealed files as the issuer makes them, small and fast, for the verifier's tests: development keys, any moment."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache

import typst

from certlib.crypto.attributes import SealUse
from certlib.crypto.certificates import load_certificates
from certlib.crypto.cms import Signer
from certlib.crypto.development import development_folder, development_timestamps
from certlib.crypto.keys import open_key
from certlib.crypto.timestamps import Timestamper
from certlib.document.fonts import load_fonts
from certlib.domain.page import Box
from certlib.domain.seal import SealKind, SealSpec
from certlib.domain.verdict import Verdict
from certlib.formats.facts import facts_attachment
from certlib.sealing.pades import Imprint, seal_pdf
from certlib.sealing.picture import seal_picture
from certlib.verify.lookup import RegisterState

SEALED = datetime(2026, 3, 9, 2, 30, tzinfo=UTC)
NOW = SEALED + timedelta(days=30)
SEAL = "36070000000002"
FACTS = {
    "number": "赣虔药监械经营许20260001号",
    "enterprise_name": "赣州蓉江新区晴川医疗器械有限公司",
    "legal_representative": "欧阳晴川",
    "scope": "三类：6821 医用电子仪器设备\n三类：6846 植入材料和人工器官",
    "issued_on": "2026年3月9日",
    "valid_until": "2031年3月8日",
    "check_code": "K7QX",
}
SOURCE = """
#set document(title: "医疗器械经营许可证", date: datetime(year: 2026, month: 3, day: 9))
#set text(font: ("Source Han Serif CN", "CertlibKai"), lang: "zh")
#set page(paper: "a4")
#pdf.attach("facts.json", bytes(sys.inputs.facts), mime-type: "application/json", relationship: "data",
  description: "facts")
= 医疗器械经营许可证
#for line in sys.inputs.text.split("\\n") { par(line) }
"""


@cache
def _fonts() -> typst.Fonts:
    return load_fonts(development_folder().parent / "templates" / "fonts").typst


def attachment(n: int = 7, printed: dict[str, str] | None = None, **changes: object) -> bytes:
    """The bytes of a facts.json."""
    values: dict[str, object] = {
        "kind": "certificate",
        "type_key": "medical-device-licence",
        "title": "医疗器械经营许可证",
        "identifier": "1.2.156.3005.2.11100000MB0341032Y001.11360700MB0000027R.2026000001.001.X",
        "number": FACTS["number"],
        "edition": 1,
        "n": n,
        "salt": bytes(range(16)),
        "facts": printed or FACTS,
        "holder": {"name": FACTS["enterprise_name"], "code": "91360700MA38XUNL0T", "code_type": "001"},
        "issuer": {"name": "赣州市行政审批局", "code": "11360700MB0000027R"},
        "issued_on": "2026-03-09",
        "valid_from": "2026-03-09",
        "valid_until": "2031-03-08",
        "decision": {"kind": "application", "item": "2-25", "case": "GZ20260309001"},
        "silent": ["check_code"],
    }
    return facts_attachment(**{**values, **changes})  # type: ignore[arg-type]


@cache
def base_pdf(
    facts: bytes | None = None, text: str = "\n".join(v for k, v in FACTS.items() if k != "check_code")
) -> bytes:
    """An unsealed PDF/A-3a with the facts attached and the text on its page."""
    inputs = {"facts": (facts or attachment()).decode(), "text": text}
    return typst.compile(  # type: ignore[no-any-return,call-overload]
        SOURCE.encode(),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs=inputs,
        pdf_standards=["a-3a", "ua-1"],
    )


@cache
def signer(label: str = "seal-ganzhou-approval-approval-1", suite: str = "p256") -> Signer:
    """A seal's key and certificates from the development PKI."""
    path = development_folder() / "seals" / f"{label}.{suite}.pem"
    certificate, *chain = load_certificates(path.read_bytes(), name=str(path))
    return Signer(open_key(f"pem:{path}"), certificate, tuple(chain))


@cache
def timestamps(suite: str = "p256-sha256") -> Timestamper:
    """The development timestamp authority."""
    return development_timestamps(suite)


@cache
def imprint() -> Imprint:
    """The picture and place of the seal."""
    spec = SealSpec(
        id=SEAL,
        authority="ganzhou-approval",
        kind=SealKind.APPROVAL,
        name="赣州市行政审批局行政审批专用章",
        arc_text="赣州市行政审批局",
        lines=("行政审批专用章",),
    )
    return Imprint(
        picture=seal_picture(spec), placement=Box(1, 120, 200, 42, 42), name=spec.name, reason="核发", location="赣州"
    )


def seal(
    base: bytes | None = None,
    *,
    by: Signer | None = None,
    at: datetime = SEALED,
    stamped: bool = True,
    stamper: Timestamper | None = None,
    attributes: tuple[bytes, ...] | None = None,
) -> bytes:
    """A sealed file; B-T unless `stamped` is False."""
    if attributes is None:
        attributes = (SealUse(SEAL, 41, hashlib.sha256(b"authorisation").digest(), "intent-1").encode(),)
    return seal_pdf(
        base or base_pdf(),
        imprint(),
        by or signer(),
        at=at,
        timestamper=(stamper or timestamps()) if stamped else None,
        attributes=attributes,
    ).pdf


@dataclass
class MemoryRegister:
    """A register held in memory: implements `RegisterLookup`."""

    files: dict[str, RegisterState] = field(default_factory=dict)
    indices: dict[int, RegisterState] = field(default_factory=dict)

    def add(self, pdf: bytes, verdict: Verdict = Verdict.VALID, **changes: object) -> RegisterState:
        """Put an issued file on record."""
        values: dict[str, object] = {
            "verdict": verdict,
            "identifier": "1.2.156.3005.2.11100000MB0341032Y001.11360700MB0000027R.2026000001.001.X",
            "number": FACTS["number"],
            "title": "医疗器械经营许可证",
            "edition": 1,
            "n": 7,
            "issued_on": date(2026, 3, 9),
        }
        state = RegisterState(**{**values, **changes})  # type: ignore[arg-type]
        self.files[hashlib.sha256(pdf).hexdigest()] = state
        self.indices[state.n] = state
        return state

    def by_sha256(self, sha256: str, *, at: datetime) -> RegisterState | None:
        return self.files.get(sha256)

    def by_index(self, n: int, *, at: datetime) -> RegisterState | None:
        return self.indices.get(n)
