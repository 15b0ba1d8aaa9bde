"""A browser, and an issuer small enough to be wrong on purpose: real keys and formats, lists made by the test."""

from __future__ import annotations

import io
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import qrcode
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from PIL import Image, ImageDraw, PngImagePlugin
from playwright.sync_api import sync_playwright

from certlib.catalogue import example
from certlib.crypto.development import development_key
from certlib.crypto.keys import SigningKey
from certlib.domain.verdict import StatusCode
from certlib.formats.code import CodePayload, code_text, sign_code
from certlib.formats.seal_list import SealList, read_seal_list
from certlib.formats.status import SHARD_SIZE, pack, sign_status_list
from certlib.formats.trust import Names, TrustedKey, TrustList, sign_trust_list
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from service.edge import Record
from service.metrics import Metrics
from service.pages.site import citizen_site
from service.routes.pages import pages_router

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENS = Path(__file__).parents[2] / "docs" / "screens"
AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
HOST = "zwfw.ganzhou.example"
ROOTS = ("trust-2026", "trust-p256-2026")  # Ed25519 and P-256


@dataclass
class Issuer:
    """Signs codes, trust lists and status lists; every part can be bent by a test before it is asked for."""

    code: SigningKey = field(default_factory=lambda: development_key("code-2026"))
    status: SigningKey = field(default_factory=lambda: development_key("status-2026"))
    signers: list[SigningKey] = field(default_factory=lambda: [development_key(label) for label in ROOTS])
    entries: dict[int, int] = field(default_factory=dict)
    high_water: int = 1000
    bits: int = 4  # of an entry of the status list
    journal_size: int = 5000
    issued: datetime = field(default_factory=lambda: datetime.now(UTC))
    seq: int = 1
    key_state: str = "active"
    key_since: datetime | None = None
    key_until: datetime | None = None
    down: bool = False
    status_down: bool = False
    seals: bytes = b""  # the signed seal list
    asked: list[str] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)

    def link(self, n: int, code: int | None = 0, **changes: Any) -> str:
        """The fragment of a code for index `n`, whose entry in the list becomes `code`."""
        if code is not None:
            self.entries[n] = code
        payload = CodePayload(
            type_number=3,
            number="赣虔药监械经营许20260017号",
            edition=1,
            name="赣州惠民医药有限公司",
            issued=date(2026, 3, 15),
            expires=date(2031, 3, 14),
            digest=bytes(16),
            n=n,
            carrier=1,
            issuer_number=2,
        )
        text = code_text(sign_code(replace(payload, **changes), self.code), HOST)
        return text.partition("#")[2]

    def trust_list(self) -> bytes:
        """The signed trust list."""
        issuer = Names("赣州市", "Ganzhou")
        return sign_trust_list(
            TrustList(
                seq=self.seq,
                issued=datetime(2026, 1, 1, tzinfo=UTC),
                keys=(
                    TrustedKey(
                        public_key=development_key("code-2026").public_key,
                        uses=("code",),
                        issuer=issuer,
                        state=self.key_state,
                        since=self.key_since,
                        until=self.key_until,
                    ),
                    TrustedKey(public_key=development_key("status-2026").public_key, uses=("status",), issuer=issuer),
                ),
                types={3: Names("医疗器械经营许可证", "Medical device trading licence")},
                issuers={2: Names("赣州市行政审批局", "Administrative Approval Bureau of Ganzhou")},
                host=HOST,
            ),
            self.signers,
        )

    def status_list(self, shard: int) -> bytes:
        """The signed status list of a shard."""
        pairs = [(n, code) for n, code in self.entries.items() if n // SHARD_SIZE == shard]
        return sign_status_list(
            pack(pairs, shard=shard, bits=self.bits, fill=StatusCode.NOT_IN_FORCE & (1 << self.bits) - 1),
            shard=shard,
            address=f"https://{HOST}/public/status/{shard}",
            journal_size=self.journal_size,
            high_water=self.high_water,
            key=self.status,
            now=self.issued,
            bits=self.bits,
        )


def small_site(issuer: Issuer) -> FastAPI:
    """The real page over the test's lists, behind the real rim with its headers."""
    app = FastAPI(openapi_url=None)
    roots = [development_key(label).public_key for label in ROOTS]
    app.include_router(pages_router(citizen_site(host=HOST, roots=roots), host=HOST))

    @app.middleware("http")
    async def note(request: Request, call_next: Any) -> Response:
        issuer.asked.append(f"{request.method} {request.url} {request.headers.get('referer', '')}")
        return Response(status_code=503) if issuer.down else await call_next(request)

    @app.get("/public/trust")
    def trust() -> Response:
        return Response(issuer.trust_list(), media_type="application/json")

    @app.get("/public/seals")
    def seals() -> Response:
        return Response(issuer.seals, media_type="application/json")

    @app.get("/public/status/{shard}")
    def status(shard: int) -> Response:
        if issuer.status_down:
            return Response(status_code=503)
        return Response(issuer.status_list(shard), media_type="application/statuslist+cwt")

    @app.post("/public/{what}")
    async def public(what: str, request: Request) -> Response:
        issuer.asked.append(f"{what} {(await request.body())[:4000]!r}")
        status = issuer.answer.get("status", 200)
        return JSONResponse(issuer.answer, status_code=status)

    class Quiet:
        def info(self, *_: object, **__: object) -> None: ...
        def error(self, *_: object, **__: object) -> None: ...

    app.add_middleware(Record, metrics=Metrics(), log=Quiet())
    return app


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium under Playwright, one for a module: its event loop must not run on under other tests."""
    if not CHROMIUM.exists():
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def filming(chromium: Any) -> Iterator[Callable[[Path], Any]]:
    """A phone whose camera sees a film (MJPEG); a browser of its own, since the film is given at its start."""
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    browsers: list[Any] = []

    def film(path: Path) -> Any:
        flags = [*FLAGS, *camera, f"--use-file-for-fake-video-capture={path}"]
        browsers.append(chromium.browser_type.launch(executable_path=str(CHROMIUM), args=flags))
        return browsers[-1].new_context(viewport=PHONE).new_page()

    yield film
    for browser in browsers:
        browser.close()


@pytest.fixture
def issuer() -> Issuer:
    """An issuer whose lists are as they should be."""
    return Issuer()


@pytest.fixture
def site(issuer: Issuer) -> Iterator[str]:
    """The address of a server with the page and the issuer's lists."""
    yield from serve(small_site(issuer))


def serve(app: Any, *, port: int = 0) -> Iterator[str]:
    """Serve `app` on a loopback port, any one for 0, while the generator is held."""
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def free_port() -> int:
    """A loopback port that is free now, for a service whose tokens must name its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def serving() -> Callable[[Any], Iterator[str]]:
    """`serve`, for tests that make an application of their own."""
    return serve


@dataclass
class Phone:
    """A page in a browser window of a phone's size, and what its console complained of."""

    page: Any
    context: Any
    site: str
    complaints: list[str] = field(default_factory=list)

    def scan(self, fragment: str) -> str:
        """Open the link as a scan would, in a page of its own; the verdict that the page arrives at."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.site}/v#{fragment}")
        return self.verdict()

    def verdict(self) -> str:
        """The verdict once the page has one."""
        self.page.wait_for_selector("body:not([data-verdict=checking])[data-ways=ready]", timeout=15_000)
        return str(self.page.get_attribute("body", "data-verdict"))

    def text(self, selector: str) -> str:
        """What a reader sees there."""
        return str(self.page.inner_text(selector))

    def shot(self, name: str, *, colours: int = 48, scale: str = "device") -> None:
        """Keep a picture of the whole page in docs/screens, when `UPDATE_SCREENS` asks for it.

        It carries the version of the citizen's page, so that an old one can be told. `scale` is `device` or `css`.
        """
        if os.environ.get("UPDATE_SCREENS"):
            path = SCREENS / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = Image.open(io.BytesIO(self.page.screenshot(full_page=True, scale=scale)))
            shown = PngImagePlugin.PngInfo()
            shown.add_text("page", page_version())
            picture.convert("RGB").quantize(colours).save(path, optimize=True, pnginfo=shown)


@pytest.fixture
def phone(chromium: Any, site: str) -> Iterator[Phone]:
    """A fresh phone that has never been on the page; its console must stay silent."""
    yield from visit(chromium, site, PHONE)


@pytest.fixture
def desktop(chromium: Any, site: str) -> Iterator[Phone]:
    """The same in a window of a desktop's size."""
    yield from visit(chromium, site, DESKTOP)


def visit(chromium: Any, site: str, size: dict[str, int]) -> Iterator[Phone]:
    """A context of its own in a window of that size."""
    context = chromium.new_context(viewport=size, device_scale_factor=2, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    held = Phone(page, context, site)
    page.on("console", lambda m: held.complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda e: held.complaints.append(str(e)))
    yield held
    context.close()


def violations(page: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA in a page as it stands."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("tags => axe.run({runOnly: tags})", WCAG)
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]


@cache
def page_version() -> str:
    """The version of the page as it is now, which changes with any of its parts."""
    roots = [development_key(label).public_key for label in ROOTS]
    worker = citizen_site(host=HOST, roots=roots)["/v/sw.js"].data.decode()
    found = re.search("'certlib-([0-9a-f]+)'", worker)
    assert found is not None
    return found[1]


def code_picture(fragment: str, dots: int) -> Image.Image:
    """A QR code with modules of so many pixels."""
    return qrcode.make(f"https://{HOST}/v#{fragment}", box_size=dots, border=4).convert("RGB")


def photo(fragment: str, *, seal: bool) -> bytes:
    """A photo of a paper with its code, a red official seal stamped over it when asked for."""
    code = code_picture(fragment, 8)
    paper = Image.new("RGB", (code.width + 300, code.height + 260), (246, 244, 238))
    paper.paste(code, (150, 120))
    if seal:
        ink = Image.new("RGB", paper.size, "white")
        middle, radius = (paper.width // 2, paper.height // 2), code.width // 2
        ring = (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius)
        ImageDraw.Draw(ink).ellipse(ring, outline=(210, 30, 35), width=16)
        ImageDraw.Draw(ink).regular_polygon((*middle, radius // 2), 5, fill=(210, 30, 35))
        paper = Image.composite(paper, ink, ink.convert("L").point(lambda level: 255 if level > 250 else 90))
    held = io.BytesIO()
    paper.rotate(3, expand=True, fillcolor=(246, 244, 238)).save(held, "JPEG", quality=80)
    return held.getvalue()


@dataclass(frozen=True)
class Sealed:
    """A certificate as it was really issued, with the seal list of its office."""

    pdf: bytes
    body: dict[str, Any]
    seals: SealList


def seal_one(suite: str, home: Path) -> Sealed:
    """Issue one certificate under a suite; under SM2 the national copy that is made beside the file."""
    national = suite == "sm2-sm3"
    settings = Settings(home=home, national=("copy",)) if national else Settings(home=home, suite=suite)
    with open_office(settings) as office:
        body = office.issue(example("2-25", now=datetime.now(UTC)), client="test", key="one").body
        pdf = office.file(body["identifier"], part="copy" if national else "file")
        return Sealed(pdf, dict(body), read_seal_list(office.seal_list, office.list_keys))
