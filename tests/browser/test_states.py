"""Every state of the page, reached once: on phone and desktop, in Chinese and in English, as axe-core sees it.

The pictures in docs/screens/citizen are those of this table, made anew by `UPDATE_SCREENS=1`; each names the page it
shows.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import qrcode
from PIL import Image

from certlib.crypto.development import development_key
from certlib.domain.verdict import WORDS, StatusCode, Verdict
from certlib.formats.seal_list import sign_seal_list

from .conftest import (
    DESKTOP,
    PHONE,
    ROOTS,
    SCREENS,
    Issuer,
    Phone,
    Sealed,
    code_picture,
    page_version,
    seal_one,
    violations,
)

HERE = "citizen"  # folder of the pictures
NUMBER = "赣虔药监械经营许20260017号"
ANSWER: dict[str, Any] = {
    "verdict": "superseded",
    "cause": "",
    "fields": [
        {"label": "证照名称", "english": "Certificate", "value": "赣州市医疗器械经营许可证"},
        {"label": "当前版本", "english": "Current version", "value": "002"},
    ],
}


@dataclass
class Scene:
    """What a state is made of: the phone, the issuer behind it, a file sealed by a real office."""

    phone: Phone
    issuer: Issuer
    sealed: Sealed

    def scan(self, code: int | None = 0, **changes: Any) -> None:
        """Open the link of a code with this status."""
        self.phone.scan(self.issuer.link(41, code, **changes))

    def visit(self) -> None:
        """Open the page without a code."""
        self.phone.page.goto(f"{self.phone.site}/v")
        self.phone.verdict()

    def forge(self) -> None:
        """The signature of another code under this payload."""
        one, other = self.issuer.link(1), self.issuer.link(2)
        self.phone.scan(one[:-85] + other[-85:])

    def bend(self, bend: Callable[[str], str]) -> None:
        """Open the link of a code that was changed."""
        self.phone.scan(bend(self.issuer.link(41)))

    def give(self, field: str, name: str, media: str, data: bytes, shown: str) -> None:
        """Choose a file, and wait for what the page makes of it."""
        self.visit()
        if field == "#file":
            self.phone.page.click("#pdf summary")
        self.phone.page.set_input_files(field, {"name": name, "mimeType": media, "buffer": data})
        self.phone.page.wait_for_selector(shown, timeout=20_000)

    def show(self, data: bytes) -> None:
        """Choose a photo that is not good enough."""
        self.give("#photo", "photo.png", "image/png", data, "#looked p")

    def astray(self) -> None:
        """Choose a photo of a good code before which another address stands."""
        held = io.BytesIO()
        text = f"https://zvvfw.ganzhou.example/v#{self.issuer.link(41)}"
        qrcode.make(text, box_size=5, border=4).convert("RGB").save(held, "PNG")
        self.give("#photo", "photo.png", "image/png", held.getvalue(), "[role=alert]")

    def film(self) -> None:
        """Open the camera where there is none."""
        self.visit()
        self.phone.page.click("#camera")
        self.phone.page.wait_for_selector("#looked p")

    def open(self, pdf: bytes) -> None:
        """Choose an electronic certificate; its seal is on the list, and it is in force."""
        self.issuer.high_water = 10_000
        self.issuer.entries[self.sealed.body["n"]] = StatusCode.VALID
        self.issuer.seals = sign_seal_list(self.sealed.seals, [development_key(label) for label in ROOTS])
        self.give("#file", "证照.pdf", "application/pdf", pdf, "#filed .found strong")

    def large(self) -> None:
        """Choose a file beyond the limit."""
        self.give("#file", "大.pdf", "application/pdf", b"%PDF-" + bytes(20_000_001), "#filed p")

    def type(self, answer: dict[str, Any]) -> None:
        """Type number and check code."""
        self.issuer.answer = answer
        self.visit()
        self.phone.page.click("#manual summary")
        self.phone.page.fill("#number", NUMBER)
        self.phone.page.fill("#check", "7K3M-9Q2X")
        self.phone.page.click("#typed button")
        self.phone.page.wait_for_selector("#found .found" if "verdict" in answer else "#found p")

    def ask(self, answer: dict[str, Any] = ANSWER) -> None:
        """Scan, and ask the register at a tap."""
        self.issuer.answer = answer
        self.scan(StatusCode.SUPERSEDED)
        self.phone.page.click("#ask")
        self.phone.page.wait_for_selector("#answer .found" if "verdict" in answer else "#answer p")

    def match(self, answer: dict[str, Any] | None) -> None:
        """Ask whether the holder is who somebody says; None: with the form still empty."""
        self.ask()
        self.phone.page.click("#answer button")
        self.phone.page.wait_for_selector("#answer form")
        if answer is None:
            return
        self.issuer.answer = answer
        self.phone.page.fill("#answer form input >> nth=0", "欧阳建国")
        self.phone.page.fill("#answer form input >> nth=1", "002X")
        self.phone.page.click("#answer form button")
        self.phone.page.wait_for_selector("#answer form .found, #answer form p")

    def send(self, *answers: dict[str, Any]) -> None:
        """Have a file with something behind its seal compared with the register: its fingerprint, then all of it."""
        self.open(self.sealed.pdf + b"\n%")
        for answer, shown in zip(answers, ("button:has-text('上传全文')", "[role=status] .found"), strict=False):
            self.issuer.answer = answer
            self.phone.page.click("#filed button")
            self.phone.page.wait_for_selector(f"#filed {shown}")

    def hold(self, path: str) -> None:
        """Open a link whose list does not come."""
        self.phone.page.route(path, lambda _: None)
        self.phone.page.goto(f"{self.phone.site}/v#{self.issuer.link(41)}")
        self.phone.page.wait_for_selector("body[data-verdict=checking]")

    def wait_in_vain(self) -> None:
        """The trust list neither comes nor fails."""
        self.phone.page.clock.install()
        self.hold("**/public/trust")
        self.phone.page.clock.run_for(11_000)
        self.phone.verdict()

    def cut_off(self) -> None:
        """The first visit, without a network beyond the page."""
        self.phone.page.route("**/public/**", lambda route: route.abort())
        self.scan()

    def go_offline(self, later: timedelta) -> None:
        """A second scan without a network, some time after the first."""
        self.scan()
        self.phone.page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
        self.scan()  # through the worker, which keeps the lists
        self.phone.page.wait_for_timeout(200)
        self.phone.context.set_offline(True)
        self.phone.page.clock.set_fixed_time(datetime.now(UTC) + later)
        self.scan()

    def set_issuer(self, **values: Any) -> None:
        """The issuer changes, then a code is scanned."""
        for name, value in values.items():
            setattr(self.issuer, name, value)
        self.scan()


@dataclass(frozen=True)
class State:
    """How a state is reached, where it is said, in which words, in which colour."""

    reach: Callable[[Scene], None]
    words: str  # Chinese, somewhere in `where`
    tone: str
    where: str = "#verdict"
    failing: bool = False  # a request fails, of which the browser itself complains
    early: bool = False  # before the buttons have their work


def _said(verdict: Verdict, reach: Callable[[Scene], None], **more: Any) -> State:
    return State(reach, WORDS[verdict].chinese, WORDS[verdict].tone, **more)


def _listed(verdict: Verdict, code: StatusCode) -> State:
    return _said(verdict, lambda scene: scene.scan(code))


def _yesterday() -> Any:
    return (datetime.now(UTC) + timedelta(hours=8)).date() - timedelta(days=1)


def _white() -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (400, 400), "white").save(held, "PNG")
    return held.getvalue()


def _three(issuer: Issuer) -> bytes:
    paper = Image.new("RGB", (1500, 520), "white")
    for place, n in enumerate((5, 6, 7)):
        paper.paste(code_picture(issuer.link(n), 5), (10 + 490 * place, 10))
    held = io.BytesIO()
    paper.save(held, "PNG")
    return held.getvalue()


def _busy(status: int) -> dict[str, Any]:
    return {"status": status, "title": "", "title_en": ""}


SPENT = {**_busy(429), "code": "no-tries-left"}


def _changed(pdf: bytes) -> bytes:
    return pdf[:2000] + bytes([pdf[2000] ^ 1]) + pdf[2001:]


FILED, FOUND, LOOKED, ANSWERED = "#filed", "#found", "#looked", "#answer"
STATES: dict[str, State] = {
    # what a scan ends in
    "empty": State(Scene.visit, "请扫描证照上的二维码", "grey"),
    "checking": State(lambda scene: scene.hold("**/public/trust"), "正在核验", "grey", early=True),
    "valid": _listed(Verdict.VALID, StatusCode.VALID),
    "revoked": _listed(Verdict.REVOKED, StatusCode.REVOKED),
    "suspended": _listed(Verdict.SUSPENDED, StatusCode.SUSPENDED),
    "superseded": _listed(Verdict.SUPERSEDED, StatusCode.SUPERSEDED),
    "paper-lost": _listed(Verdict.PAPER_LOST, StatusCode.PAPER_LOST),
    "voided": _listed(Verdict.VOIDED, StatusCode.PRINT_VOIDED),
    "cancelled": _listed(Verdict.CANCELLED, StatusCode.CANCELLED),
    "not-in-force": _listed(Verdict.NOT_IN_FORCE, StatusCode.NOT_IN_FORCE),
    "expired": _said(Verdict.EXPIRED, lambda scene: scene.scan(expires=_yesterday())),
    "minor": _said(Verdict.VALID, lambda scene: scene.scan(name="")),
    # the lists
    "status-unknown": _said(
        Verdict.STATUS_UNKNOWN, lambda scene: scene.set_issuer(status_down=True), failing=True
    ),
    "status-forged": _said(
        Verdict.STATUS_UNKNOWN, lambda scene: scene.set_issuer(status=development_key("code-2026"))
    ),
    "status-malformed": _said(
        Verdict.STATUS_UNKNOWN, lambda scene: scene.set_issuer(status_list=lambda _: b"\xd2\x84\x43\xa1\x01\x26")
    ),
    "status-old": _said(
        Verdict.STATUS_UNKNOWN, lambda scene: scene.set_issuer(issued=datetime.now(UTC) - timedelta(hours=25))
    ),
    "trust-forged": State(
        lambda scene: scene.set_issuer(signers=[development_key("journal")]), "信任列表的签名不符", "red"
    ),
    "trust-malformed": State(
        lambda scene: scene.set_issuer(trust_list=lambda: b"<html>log in</html>"), "没有网络", "grey"
    ),
    "offline": State(lambda scene: scene.go_offline(timedelta(hours=23)), "离线数据", "green", failing=True),
    "offline-stale": _said(
        Verdict.STATUS_UNKNOWN, lambda scene: scene.go_offline(timedelta(hours=25)), failing=True
    ),
    "offline-slow": State(Scene.wait_in_vain, "没有网络", "grey"),
    "offline-first": State(Scene.cut_off, "没有网络", "grey", failing=True),
    "insecure": State(Scene.scan, "此网址不安全", "grey"),
    # what is no code of ours, or no longer
    "unknown-issuer": _said(
        Verdict.UNKNOWN_ISSUER, lambda scene: scene.set_issuer(code=development_key("status-2026"))
    ),
    "signature-invalid": _said(Verdict.SIGNATURE_INVALID, Scene.forge),
    "key-compromised": State(lambda scene: scene.set_issuer(key_state="compromised"), "已泄露停用", "red"),
    "unreadable": _said(Verdict.UNREADABLE, lambda scene: scene.bend(lambda good: good[: len(good) // 2])),
    "foreign": State(lambda scene: scene.bend(lambda _: "hello"), "不是本市证照的二维码", "grey"),
    "future": State(lambda scene: scene.bend(lambda good: "2" + good[1:]), "不认识这种二维码", "grey"),
    # a photo, the camera
    "photo-none": State(lambda scene: scene.show(_white()), "没有找到证照二维码", "grey", LOOKED),
    "photo-three": State(lambda scene: scene.show(_three(scene.issuer)), "请一次只拍一份", "grey", LOOKED),
    "photo-elsewhere": State(Scene.astray, "不是 zwfw.ganzhou.example：请勿打开", "green", "[role=alert]"),
    "photo-broken": State(lambda scene: scene.show(b"no picture"), "不是可以识别的照片", "grey", LOOKED),
    "camera-denied": State(
        Scene.film, "无法打开相机", "grey", LOOKED
    ),
    # the register
    "register": State(Scene.ask, "真实，已有新版本", "amber", ANSWERED),
    "register-hidden": State(lambda scene: scene.ask(_busy(404)), "未成年人", "amber", ANSWERED, failing=True),
    "match": State(lambda scene: scene.match(None), "后四位", "amber", ANSWERED),
    "match-yes": State(lambda scene: scene.match({"match": True, "left": 3}), "一致", "amber", ANSWERED),
    "match-no": State(lambda scene: scene.match({"match": False, "left": 2}), "不一致", "amber", ANSWERED),
    "match-spent": State(lambda scene: scene.match(SPENT), "已用完", "amber", ANSWERED, failing=True),
    "typed": State(lambda scene: scene.type(ANSWER), "真实，已有新版本", "grey", FOUND),
    "typed-wrong": State(lambda scene: scene.type(_busy(404)), "没有查到", "grey", FOUND, failing=True),
    "typed-often": State(lambda scene: scene.type(_busy(429)), "过于频繁", "grey", FOUND, failing=True),
    "typed-busy": State(lambda scene: scene.type(_busy(503)), "系统繁忙", "grey", FOUND, failing=True),
    # an electronic certificate
    "file-valid": State(lambda scene: scene.open(scene.sealed.pdf), "真实有效", "grey", FILED),
    "file-altered": State(lambda scene: scene.open(_changed(scene.sealed.pdf)), "内容被改动", "grey", FILED),
    "file-added": State(lambda scene: scene.open(scene.sealed.pdf + b"\n%"), "有追加内容", "grey", FILED),
    "file-unsealed": State(lambda scene: scene.open(b"%PDF-1.7\n"), "无电子印章", "grey", FILED),
    "file-unreadable": State(lambda scene: scene.open(b"PK"), "无法读取", "grey", FILED),
    "file-large": State(Scene.large, "超过 20 MB", "grey", FILED),
    "file-unknown": State(lambda scene: scene.send({"issued": False}), "不是签发原件", "grey", FILED),
    "file-sent": State(
        lambda scene: scene.send({"issued": False}, {"verdict": "altered", "fields": []}), "内容被改动", "grey", FILED
    ),
}  # fmt: skip
BEFORE = {"insecure": "Object.defineProperty(crypto, 'subtle', { value: undefined })"}  # what runs in the page first
ALSO_WIDE = {"empty", "valid", "signature-invalid", "file-valid"}  # pictured in a desktop's window as well
_CHINESE = re.compile("[\u4e00-\u9fff]")
_DATA = re.compile("赣|欧阳|12345|医疗器械|年.*月")  # what stands on the paper in Chinese alone


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    """One certificate of a real office, RSA."""
    return seal_one("rsa3072-sha256", tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def scene(phone: Phone, issuer: Issuer, sealed: Sealed) -> Scene:
    """The phone before the state."""
    return Scene(phone, issuer, sealed)


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_said_plainly_everywhere(scene: Scene, name: str) -> None:
    """Its words and colour; on phone and desktop nothing against WCAG 2.2 AA, nothing sideways; English leaves no
    Chinese behind but names, and changes no verdict; the console stays silent."""
    state, phone = STATES[name], scene.phone
    page = phone.page
    if name in BEFORE:
        page.add_init_script(BEFORE[name])
    state.reach(scene)
    assert state.words in phone.text(state.where)
    assert page.get_attribute("#verdict", "class") == state.tone
    phone.shot(f"{HERE}/{name}", scale="css")
    assert _faults(phone) == []
    page.set_viewport_size(DESKTOP)
    if name in ALSO_WIDE:
        phone.shot(f"{HERE}/{name}-desktop", scale="css")
    assert _faults(phone) == []
    page.set_viewport_size(PHONE)
    if not state.early:
        _in_english(phone, name, state)
    assert [line for line in phone.complaints if not (state.failing and "Failed to load resource" in line)] == []


def _in_english(phone: Phone, name: str, state: State) -> None:
    page, verdict = phone.page, phone.page.get_attribute("body", "data-verdict")
    page.click("#language")
    page.wait_for_selector("html[lang=en]")
    page.click("#large")
    if name == "valid":
        phone.shot(f"{HERE}/valid-english-large", scale="css")
    assert _faults(phone) == []
    assert [line for line in phone.text("main").splitlines() if _CHINESE.search(line) and not _DATA.search(line)] == []
    assert page.get_attribute("body", "data-verdict") == verdict
    assert page.get_attribute("#verdict", "class") == state.tone
    page.click("#language")
    page.wait_for_selector("html[lang=zh-CN]")
    assert state.words in phone.text(state.where)


def _faults(phone: Phone) -> list[str]:
    """What axe-core finds with everything unfolded, and whether the page is wider than its window."""
    phone.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wide = phone.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return violations(phone.page) + ([f"{wide} pixels too wide"] if wide > 0 else [])


def test_a_picture_of_every_state_is_kept_and_shows_the_page_of_today() -> None:
    """docs/screens/citizen has the states of this table and no other, each made with the page as it is now."""
    named = {*STATES, *(f"{name}-desktop" for name in ALSO_WIDE), "valid-english-large"}
    pictures = {path.stem: path for path in (SCREENS / HERE).glob("*.png")}
    told = "make them anew: UPDATE_SCREENS=1 python -m pytest tests/browser/test_states.py"
    assert set(pictures) == named, told
    assert [name for name, path in pictures.items() if _shown(path) != page_version()] == [], told
    listed = re.findall(r"\(([\w-]+)\.png\)", (SCREENS / HERE / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(named)


def _shown(path: Path) -> str:
    with Image.open(path) as picture:
        return str(picture.info.get("page", ""))
