"""What the tests of sealing share: a page as the renderer makes it, seals, and a ledger held in memory."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typst
from pylopdf_fonts_zh_cn import serif_path

from certlib.crypto.development import development_folder
from certlib.domain.page import Box
from certlib.domain.seal import SealKind, SealSpec
from certlib.errors import ConflictError
from certlib.sealing.identities import SealIdentity, load_identities
from certlib.sealing.order import SealOrder

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INTERNATIONAL = ("rsa3072-sha256", "p256-sha256")

PAGE = """
#set document(title: "准予行政许可决定书", date: datetime(year: 2026, month: 1, day: 2))
#set text(lang: "zh", font: "Noto Serif SC", size: 14pt)
#set page(margin: 28mm)
= 准予行政许可决定书
赣州某某有限公司：你单位提出的申请，符合法定条件，准予许可。
#pdf.attach("data.json", bytes("{}"), relationship: "data", mime-type: "application/json", description: "facts")
#link("https://verify.example.gov.cn")[核验]
#align(right)[赣州市行政审批局 \\ 2026年1月2日]
#pagebreak()
第二页
"""


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two pages of PDF/A-3a and PDF/UA-1 with an attachment and a link, as the renderer makes them."""
    source = tmp_path_factory.mktemp("page") / "page.typ"
    source.write_text(PAGE, encoding="utf-8")
    fonts = [str(serif_path().parent)]
    return bytes(typst.compile(str(source), font_paths=fonts, pdf_standards=["a-3a", "ua-1"], ignore_system_fonts=True))


def make_spec(seal: str = "36070000000002", certificate: str = "seal-ganzhou-approval-approval-1") -> SealSpec:
    """The approval seal of the city's approval bureau, or one that must not work."""
    return SealSpec(
        id=seal,
        authority="ganzhou-approval",
        kind=SealKind.APPROVAL,
        name="赣州市行政审批局行政审批专用章",
        arc_text="赣州市行政审批局",
        lines=("行政审批专用章", "(1)"),
        certificate=certificate,
    )


@pytest.fixture(scope="session")
def spec() -> SealSpec:
    """The approval seal of the city's approval bureau."""
    return make_spec()


@pytest.fixture(scope="session", params=INTERNATIONAL)
def suite(request: pytest.FixtureRequest) -> str:
    """Each suite that readers everywhere know."""
    return str(request.param)


@pytest.fixture(scope="session")
def identity(spec: SealSpec, suite: str) -> SealIdentity:
    """The seal with its development key in the suite."""
    return load_identities([spec], development_folder(), suite)[spec.id]


@dataclass
class MemoryLedger:
    """A `UseLedger` held in memory: one order per intent, a dense counter, what came of each use."""

    orders: dict[str, Callable[[int], SealOrder]] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reserve(self, intent: str, *, now: datetime) -> SealOrder:
        """The order of the intent under the next counter."""
        with self.lock:
            if intent not in self.orders:
                raise ConflictError(f"没有办理计划 {intent}。")
            counter = len(self.states) + 1
            self.states[counter] = "reserved"
            return self.orders[intent](counter)

    def release(self, order: SealOrder, *, why: str, now: datetime) -> None:
        """Close the use without a result."""
        with self.lock:
            assert self.states[order.counter] == "reserved"
            self.states[order.counter], self.reasons[order.counter] = "released", why


@pytest.fixture
def ledger() -> MemoryLedger:
    """An empty ledger."""
    return MemoryLedger()


@pytest.fixture
def ordered(ledger: MemoryLedger, page: bytes) -> Callable[..., str]:
    """Put an order into the ledger; the keywords replace parts of a good one. Gives the intent."""

    def order(**changes: object) -> str:
        intent = f"intent-{len(ledger.orders) + 1}"
        values: dict[str, object] = {
            "use": 1,
            "intent": intent,
            "attempt": 1,
            "seal": "36070000000002",
            "seal_edition": 1,
            "authorisation": hashlib.sha256(b"authorisation").digest(),
            "pdf": page,
            "placement": Box(1, 130, 60, 42, 42),
            "reason": "核发医疗器械经营许可证",
            "level": "B-T",
            "suite": "p256-sha256",
            "reserved_at": NOW,
            **changes,
        }
        values.setdefault("sha256", hashlib.sha256(values["pdf"]).hexdigest())  # type: ignore[arg-type]
        ledger.orders[intent] = lambda counter: SealOrder(counter=counter, **values)  # type: ignore[arg-type]
        return intent

    return order


@pytest.fixture(scope="session")
def keys() -> Path:
    """The folder of development keys."""
    return development_folder()
