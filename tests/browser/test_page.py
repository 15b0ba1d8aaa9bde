"""The page around the verdict: language, size of print, privacy, weight, the ways to check another certificate."""

import base64
import io
import random
from pathlib import Path
from typing import Any

import pytest
import qrcode
from PIL import Image

from certlib.crypto.development import development_key
from certlib.domain.verdict import WORDS, Verdict
from certlib.formats.status import SHARD_SIZE
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from service.headers import CITIZEN_PAGE
from service.pages.site import citizen_site
from service.published import Published

from .conftest import HOST, ROOTS, photo, violations

FOUND = {
    "verdict": "superseded",
    "cause": "",
    "issued": True,
    "fields": [
        {"label": "证照名称", "english": "Certificate", "value": "医疗器械经营许可证"},
        {"label": "当前版本", "english": "Current version", "value": "002"},
    ],
}


@pytest.fixture(scope="module")
def real_lists(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[bytes]]:
    """The trust list that a real office publishes, and the keys to pin."""
    with open_office(Settings(home=tmp_path_factory.mktemp("office"))) as office:
        return office.trust_list, list(office.list_keys)


def _upload(phone: Any, selector: str, name: str, media: str, data: bytes) -> None:
    phone.page.set_input_files(selector, {"name": name, "mimeType": media, "buffer": data})


def _until(phone: Any, expression: str) -> None:
    """Wait; the page's policy lets nobody evaluate text in it, Playwright's own waiting included."""
    for _ in range(200):
        if phone.page.evaluate(expression):
            return
        phone.page.wait_for_timeout(50)
    raise AssertionError(expression)


def test_the_page_says_it_in_english_at_a_tap(phone: Any, issuer: Any) -> None:
    """Chinese first; one tap turns everything, words of the verdict included, and a second one back."""
    phone.scan(issuer.link(1))
    phone.page.click("#language")
    phone.page.wait_for_selector("html[lang=en]")
    english = phone.text("body")
    assert WORDS[Verdict.VALID].english in english
    assert "Medical device trading licence" in english
    leftover = [line for line in english.splitlines() if any("一" <= one <= "鿿" for one in line)]
    # the language button, and names that have no English on the paper either
    assert [line for line in leftover if "赣" not in line and line != "中文"] == []
    phone.page.click("#language")
    assert WORDS[Verdict.VALID].chinese in phone.text("body")


def test_large_print_is_kept_for_the_next_visit(phone: Any, issuer: Any) -> None:
    """Large print makes the text half as large again and is remembered on the device."""
    phone.scan(issuer.link(1))
    small = phone.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    phone.page.click("#large")
    phone.scan(issuer.link(1))
    assert phone.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") > small * 1.4
    assert phone.page.get_attribute("#large", "aria-pressed") == "true"
    wide = phone.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_without_code_the_page_offers_the_ways(phone: Any, issuer: Any) -> None:
    """Opened without a fragment it asks for a scan and shows every other way."""
    phone.page.goto(f"{phone.site}/v")
    assert phone.verdict() == "empty"
    assert "请扫描" in phone.text("#words")
    assert phone.page.is_visible("#camera")


def test_the_fragment_leaves_the_device_nowhere(phone: Any, issuer: Any) -> None:
    """It is in no request, no referrer, no address bar, no history entry, no storage; and there are no cookies."""
    fragment = issuer.link(1)
    phone.scan(fragment)
    phone.page.wait_for_timeout(300)
    assert issuer.asked
    assert not any(fragment[:40] in line for line in issuer.asked)
    assert phone.page.url == f"{phone.site}/v"
    kept = phone.page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie")
    assert fragment[:40] not in kept
    assert phone.context.cookies() == []


def test_no_address_is_a_verdict(phone: Any, issuer: Any) -> None:
    """Nothing in an address but a signed code makes the page say anything about a certificate."""
    words = ("verdict=valid", "code=" + issuer.link(1), "n=1")
    for address in (*(f"/v?{word}" for word in words), "/v#valid", "/v#verdict=valid"):
        phone.page.goto("about:blank")
        phone.page.goto(phone.site + address)
        assert phone.verdict() in {"empty", "unreadable"}
        assert phone.page.get_attribute("#verdict", "class") == "grey"
        assert phone.page.is_hidden("#paper")


def test_the_reader_is_told_which_address_to_trust_and_how_to_report(phone: Any, issuer: Any) -> None:
    """Above every verdict stands the one domain; beneath a suspected forgery, what to do; in both languages."""
    one, other = issuer.link(1), issuer.link(2)
    assert phone.scan(one[:-85] + other[-85:]) == Verdict.SIGNATURE_INVALID
    assert phone.text("#domain") == f"请核对网址：{HOST}"
    assert phone.page.evaluate("document.querySelector('#domain').getBoundingClientRect().top") == 0
    assert "举报" in phone.text("#advice")
    phone.page.click("#report summary")
    told = phone.text("#report")
    assert [word for word in ("可疑", "照片", "12345", "发证机关", "不会要求付款") if word not in told] == []
    phone.page.click("#language")
    phone.page.wait_for_selector("html[lang=en]")
    assert phone.text("#domain") == f"Check the address: {HOST}"
    assert "report" in phone.text("#advice")
    assert [
        word for word in ("suspicious", "photo", "12345", "never asks for money") if word not in phone.text("#report")
    ] == []


def test_what_is_not_wanted_yet_is_not_loaded(phone: Any, issuer: Any) -> None:
    """Scanner, file reader, SM2 and English come when they are asked for; a photo brings the scanner alone."""
    phone.page.add_init_script("delete Navigator.prototype.serviceWorker")  # which keeps everything for later

    def loaded() -> set[str]:
        return {found for line in issuer.asked if (found := line.split()[1].partition("/v/")[2]).endswith(".js")}

    phone.scan(issuer.link(1))
    assert loaded() == {"page.js", "check.js", "ways.js"}
    _upload(phone, "#photo", "photo.jpg", "image/jpeg", photo(issuer.link(2), seal=True))
    _until(phone, "document.querySelector('#looked').textContent === '' && document.body.dataset.verdict === 'valid'")
    assert loaded() == {"page.js", "check.js", "ways.js", "scan.js", "vendor/qr.js"}


def test_only_the_shard_is_asked_for(phone: Any, issuer: Any) -> None:
    """The server learns which 131,072 certificates are meant, not which one."""
    issuer.high_water = 400_000
    assert phone.scan(issuer.link(300_001)) == Verdict.VALID
    public = [line.split(" ")[1].partition("/public/")[2] for line in issuer.asked if "/public/" in line]
    assert set(public) == {"status/2", "trust"}


def test_a_second_scan_in_the_same_page(phone: Any, issuer: Any) -> None:
    """A new fragment in an open page is checked like the first, and nothing of the first stays."""
    phone.scan(issuer.link(1))
    phone.page.check("#fields input >> nth=0")
    phone.page.evaluate("link => { location.hash = link; }", issuer.link(2, 1))
    phone.page.wait_for_selector("body[data-verdict=revoked]")
    assert phone.page.locator("#fields input:checked").count() == 0


def test_a_desktop_shows_the_same(desktop: Any, issuer: Any) -> None:
    """In a wide window nothing stretches or scrolls sideways."""
    assert desktop.scan(issuer.link(1)) == Verdict.VALID
    assert desktop.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert desktop.complaints == []


def test_a_code_is_read_by_the_camera(filming: Any, site: str, issuer: Any, tmp_path: Path) -> None:
    """The camera's picture is read until it shows one of our codes, and the camera is let go."""
    film = tmp_path / "code.mjpeg"
    frame = Image.open(io.BytesIO(photo(issuer.link(5), seal=False))).convert("RGB").resize((960, 960))
    with film.open("wb") as held:
        for _ in range(30):
            frame.save(held, "JPEG", quality=85)
    page = filming(film)
    page.goto(f"{site}/v")
    page.wait_for_selector("body[data-ways=ready]")
    page.click("#camera")
    page.wait_for_selector("body[data-verdict=valid]", timeout=30_000)
    assert page.is_hidden("#scanner")
    assert page.evaluate("document.querySelector('#video').srcObject.getTracks()[0].readyState") == "ended"


def test_ticks_are_counted(phone: Any, issuer: Any) -> None:
    """Each line that was compared is counted."""
    phone.scan(issuer.link(1))
    phone.page.check("#fields input >> nth=2")
    assert "1 / 8" in phone.text("#ticked")


def test_the_register_is_asked_at_a_tap(phone: Any, issuer: Any) -> None:
    """The code goes out in the body of a POST, only when asked for; the answer stands in a box of its own."""
    issuer.answer = FOUND
    fragment = issuer.link(1, 3)
    phone.scan(fragment)
    assert not any(line.startswith("certificates") for line in issuer.asked)
    phone.page.click("#ask")
    phone.page.wait_for_selector("#answer .found")
    assert any(line.startswith("certificates") and fragment in line for line in issuer.asked)
    assert "002" in phone.text("#answer")


@pytest.mark.parametrize(("match", "said"), [(True, "一致"), (False, "不一致")])
def test_the_holder_is_matched_not_shown(phone: Any, issuer: Any, match: bool, said: str) -> None:
    """Name and last four characters go out with the code; yes or no comes back, and how many tries are left."""
    issuer.answer = FOUND
    fragment = issuer.link(1)
    phone.scan(fragment)
    phone.page.click("#ask")
    phone.page.click("#answer button:has-text('核对持证人')")
    phone.page.wait_for_selector("#answer form")
    issuer.answer = {"match": match, "left": 3}
    phone.page.fill("#answer form input >> nth=0", "欧阳建国")
    phone.page.fill("#answer form input >> nth=1", "002X")
    assert violations(phone.page) == []
    phone.page.click("#answer form button")
    phone.page.wait_for_selector("#answer form .found")
    assert phone.text("#answer form .found").startswith(said)
    assert "3" in phone.text("#answer form .found")
    sent = [line for line in issuer.asked if line.startswith("matches")]
    assert len(sent) == 1
    assert fragment in sent[0]
    assert phone.page.url == f"{phone.site}/v"


@pytest.mark.parametrize(("code", "said"), [("no-tries-left", "已用完"), ("too-many-requests", "过于频繁")])
def test_a_match_that_is_refused_says_why(phone: Any, issuer: Any, code: str, said: str) -> None:
    """Five tries a day are spent, or too much was asked at once; the typed number offers the match as well."""
    issuer.answer = FOUND
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    phone.page.click("#manual summary")
    phone.page.fill("#number", "赣虔药监械经营许20260017号")
    phone.page.fill("#check", "7K3M-9Q2X")
    phone.page.click("#typed button")
    phone.page.click("#found button:has-text('核对持证人')")
    phone.page.wait_for_selector("#found form")
    issuer.answer = {"status": 429, "code": code, "title": "", "title_en": ""}
    phone.page.fill("#found form input >> nth=0", "某公司")
    phone.page.fill("#found form input >> nth=1", "0000")
    phone.page.click("#found form button")
    phone.page.wait_for_selector("#found form p")
    assert said in phone.text("#found form p")


@pytest.mark.parametrize(("status", "sentence"), [(404, "没有查到"), (429, "过于频繁"), (503, "系统繁忙")])
def test_a_refused_look_up_says_why(phone: Any, issuer: Any, status: int, sentence: str) -> None:
    """Unknown, too often, busy: each in words, where the reader typed."""
    issuer.answer = {"status": status, "title": "", "title_en": ""}
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    phone.page.click("#manual summary")
    phone.page.fill("#number", "赣虔药监械经营许20260017号")
    phone.page.fill("#check", "7k3m-9q2x")
    phone.page.click("#typed button")
    phone.page.wait_for_selector("#found p")
    assert sentence in phone.text("#found")
    assert any("7K3M-9Q2X" in line for line in issuer.asked)


def test_number_and_check_code_by_hand(phone: Any, issuer: Any) -> None:
    """A damaged code is replaced by typing; the address stays the page's."""
    issuer.answer = FOUND
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    phone.page.click("#manual summary")
    phone.page.fill("#number", "赣虔药监械经营许20260017号")
    phone.page.fill("#check", "7K3M-9Q2X")
    phone.page.click("#typed button")
    phone.page.wait_for_selector("#found .found")
    assert "真实，已有新版本" in phone.text("#found")
    assert phone.page.url == f"{phone.site}/v"


@pytest.mark.parametrize("seal", [False, True], ids=["clean", "under a red seal"])
def test_a_code_is_read_from_a_photo(phone: Any, issuer: Any, seal: bool) -> None:
    """A photo is read on the phone, through a red seal too; the host in the code plays no part."""
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    _upload(phone, "#photo", "paper.jpg", "image/jpeg", photo(issuer.link(5), seal=seal))
    phone.page.wait_for_selector("body[data-verdict=valid]", timeout=20_000)
    assert phone.complaints == []
    assert phone.page.query_selector("[role=alert]") is None


def test_a_code_with_another_address_is_warned_of(phone: Any, issuer: Any) -> None:
    """The digits are ours and so is the verdict; who prints another address before them leads people astray.

    The warning names both addresses, in either language, and goes with the next code.
    """
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    _upload(phone, "#photo", "paper.png", "image/png", _row(_code(f"https://zvvfw.example/v#{issuer.link(5)}")))
    phone.page.wait_for_selector("[role=alert]", timeout=20_000)
    assert phone.page.get_attribute("body", "data-verdict") == Verdict.VALID
    assert phone.text("[role=alert]") == f"这个二维码里的网址是 zvvfw.example，不是 {HOST}：请勿打开。结论只依据签名。"
    phone.page.click("#language")
    phone.page.wait_for_selector("html[lang=en]")
    assert "zvvfw.example, not " + HOST in phone.text("[role=alert]")
    phone.page.evaluate("code => { location.hash = code; }", issuer.link(6, 1))
    phone.page.wait_for_selector("body[data-verdict=revoked]")
    assert phone.page.query_selector("[role=alert]") is None


def _row(*codes: Image.Image) -> bytes:
    """Several codes on one picture."""
    width, height = sum(code.width + 30 for code in codes), max(code.height for code in codes)
    paper = Image.new("RGB", (width, height + 20), "white")
    at = 10
    for code in codes:
        paper.paste(code, (at, 10))
        at += code.width + 30
    held = io.BytesIO()
    paper.save(held, "PNG")
    return held.getvalue()


def _code(text: str) -> Image.Image:
    return qrcode.make(text, box_size=5, border=4).convert("RGB")


def test_a_photo_with_three_certificates_says_so(phone: Any, issuer: Any) -> None:
    """Which one is meant is not guessed."""
    codes = [_code(f"https://zwfw.ganzhou.example/v#{issuer.link(n)}") for n in (5, 6, 7)]
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    _upload(phone, "#photo", "three.png", "image/png", _row(*codes))
    phone.page.wait_for_selector("#looked p", timeout=20_000)
    assert "一次只拍一份" in phone.text("#looked")
    assert phone.page.get_attribute("body", "data-verdict") == "empty"


def test_codes_of_others_beside_ours_do_no_harm(phone: Any, issuer: Any) -> None:
    """A payment code on the wall behind the certificate is passed over."""
    codes = [_code("https://pay.example/x?y=1"), _code(f"https://else.example/v#{issuer.link(5)}"), _code("WIFI:S:x;;")]
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    _upload(phone, "#photo", "wall.png", "image/png", _row(*codes))
    phone.page.wait_for_selector("body[data-verdict=valid]", timeout=20_000)


def test_a_photo_of_the_same_name_is_read_anew(phone: Any, issuer: Any, tmp_path: Path) -> None:
    """Cameras give every picture one name; the second certificate must not be taken for the first."""
    held = tmp_path / "image.jpg"
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    for n, code, verdict in ((5, 0, Verdict.VALID), (6, 1, Verdict.REVOKED)):
        held.write_bytes(photo(issuer.link(n, code), seal=False))
        issuer.journal_size += 1
        phone.page.set_input_files("#photo", str(held))
        phone.page.wait_for_selector(f"body[data-verdict={verdict}]", timeout=20_000)


DROP = """async ([name, type, text]) => {
    const moved = new DataTransfer(), bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    moved.items.add(new File([bytes], name, { type }));
    document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: moved }));
}"""


@pytest.mark.parametrize("kind", ["photo", "file"])
def test_a_photo_or_a_file_may_be_dropped(desktop: Any, issuer: Any, kind: str) -> None:
    """A picture is searched for a code, anything else is examined as an electronic certificate."""
    desktop.page.goto(f"{desktop.site}/v")
    desktop.verdict()
    if kind == "photo":
        data = base64.b64encode(photo(issuer.link(5), seal=True)).decode()
        desktop.page.evaluate(DROP, ["x.jpg", "image/jpeg", data])
        desktop.page.wait_for_selector("body[data-verdict=valid]", timeout=20_000)
    else:
        desktop.page.evaluate(DROP, ["x.pdf", "application/pdf", base64.b64encode(b"%PDF-1.7").decode()])
        desktop.page.wait_for_selector("#filed .found")
        assert WORDS[Verdict.UNSEALED].chinese in desktop.text("#filed")
    assert desktop.complaints == []


def test_another_scan_takes_away_what_was_said_of_the_first(phone: Any, issuer: Any) -> None:
    """The register's answer on one certificate never stands under another, nor comes back with the language."""
    issuer.answer = FOUND
    phone.scan(issuer.link(1, 3))
    phone.page.click("#ask")
    phone.page.wait_for_selector("#answer .found")
    phone.page.evaluate("link => { location.hash = link; }", issuer.link(2, 1))
    phone.page.wait_for_selector("body[data-verdict=revoked]")
    phone.page.click("#language")
    phone.page.wait_for_selector("html[lang=en]")
    assert phone.text("#answer") == ""


def _held_by(routes: list[Any]) -> Any:
    """A handler that answers nothing yet; playwright takes no method of a list for one."""

    def hold(route: Any) -> None:
        routes.append(route)

    return hold


def test_an_answer_that_comes_late_is_not_shown_under_another_certificate(phone: Any, issuer: Any) -> None:
    """It was asked for the certificate before."""
    issuer.answer, held = FOUND, []
    phone.page.route("**/public/certificates", _held_by(held))
    phone.scan(issuer.link(1, 3))
    phone.page.click("#ask")
    phone.page.evaluate("link => { location.hash = link; }", issuer.link(2, 1))
    phone.page.wait_for_selector("body[data-verdict=revoked]")
    held[0].continue_()
    phone.page.wait_for_timeout(300)
    assert phone.text("#answer") == ""


def test_a_slow_scan_does_not_overtake_a_later_one(phone: Any, issuer: Any) -> None:
    """The verdict shown is that of the code scanned last, whichever was ready last."""
    held: list[Any] = []
    phone.page.route("**/public/status/0", _held_by(held), times=1)
    issuer.high_water = 400_000
    phone.page.goto(f"{phone.site}/v#{issuer.link(1)}")
    phone.page.wait_for_selector("body[data-verdict=checking]")
    phone.page.evaluate("link => { location.hash = link; }", issuer.link(300_001, 1))
    phone.page.wait_for_selector("body[data-verdict=revoked]")
    held[0].continue_()
    phone.page.wait_for_timeout(300)
    assert phone.page.get_attribute("body", "data-verdict") == "revoked"


def test_a_photo_without_code_says_so(phone: Any, issuer: Any) -> None:
    """A picture without a code, and a file that is no picture."""
    blank = io.BytesIO()
    Image.new("RGB", (400, 400), "white").save(blank, "PNG")
    phone.page.goto(f"{phone.site}/v")
    phone.verdict()
    _upload(phone, "#photo", "white.png", "image/png", blank.getvalue())
    phone.page.wait_for_selector("#looked p")
    assert "没有找到" in phone.text("#looked")
    _upload(phone, "#photo", "no.png", "image/png", b"no picture")
    phone.page.wait_for_selector("#looked p:has-text('不是可以识别')")


KEPT = "caches.open('certlib-lists').then((lists) => lists.match('/public/status/0')).then(Boolean)"


def test_after_one_visit_it_verifies_without_a_network(phone: Any, issuer: Any) -> None:
    """A code never seen before is verified from the kept page and lists, and the age of the data is known."""
    phone.scan(issuer.link(1))
    phone.page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    _until(phone, KEPT)  # and no second visit
    other, revoked = issuer.link(2), issuer.link(3, 1)
    phone.context.set_offline(True)
    assert phone.scan(other) == Verdict.NOT_IN_FORCE  # not yet in the kept list: it was allotted after it
    issuer.down = True
    assert phone.scan(revoked) == Verdict.NOT_IN_FORCE
    assert phone.scan(issuer.link(1)) == Verdict.VALID


def test_without_a_network_at_the_first_visit_nothing_is_claimed(phone: Any, issuer: Any) -> None:
    """The page is there, the lists are not: it says that it cannot check, not that something is wrong."""
    phone.page.route("**/public/**", lambda route: route.abort())
    assert phone.scan(issuer.link(1)) == "offline"
    assert phone.page.get_attribute("#verdict", "class") == "grey"


KB = 1000


def _weights(site: dict[str, Any]) -> dict[str, int]:
    """Bytes on the wire of each part, with room for an answer's own headers left out as servers differ in them."""
    return {path: len(part.gzipped) for path, part in site.items()}


def test_the_page_is_light() -> None:
    """First paint (page, style, its own script) within 8 KB, the scanner within 16 KB, each other module within 4."""
    roots = [development_key(label).public_key for label in ROOTS]
    parts = _weights(citizen_site(host="zwfw.ganzhou.example", roots=roots))
    assert parts["/v"] + parts["/v/page.css"] + parts["/v/page.js"] <= 8 * KB
    assert parts["/v/vendor/qr.js"] + parts["/v/scan.js"] <= 16 * KB
    rest = {path: size for path, size in parts.items() if path.endswith(".js") and path != "/v/vendor/qr.js"}
    assert max(rest.values()) <= 4 * KB + 400, rest


def test_everything_for_a_verdict_is_within_20_kilobytes(real_lists: tuple[bytes, list[bytes]], issuer: Any) -> None:
    """With the real trust list of the whole catalogue, and a full shard of which one in thirty is no longer valid."""
    trust, roots = real_lists
    chance = random.Random(7)
    states = [1, 2, 3, 3, 3, 3, 12, 13, 14, 14]
    issuer.entries = {n: chance.choice(states) if chance.random() < 0.033 else 0 for n in range(SHARD_SIZE)}
    issuer.high_water = SHARD_SIZE - 1
    token = len(issuer.status_list(0))
    assert 6.5 * KB < token < 7.5 * KB  # as heavy as the mix that was measured for the design
    parts = _weights(citizen_site(host="zwfw.ganzhou.example", roots=roots))
    page = sum(parts[path] for path in ("/v", "/v/page.css", "/v/page.js", "/v/check.js"))
    kept = Published.of(trust, compress=True)
    assert page + len(kept.gzipped) + token <= 20 * KB


def test_the_page_allows_nothing_but_itself(phone: Any) -> None:
    """Strict CSP with Trusted Types, no framing, no referrer, no third party anywhere in the page."""
    response = phone.page.request.get(f"{phone.site}/v")
    headers = response.headers
    assert headers["content-security-policy"] == CITIZEN_PAGE
    assert "'unsafe" not in CITIZEN_PAGE
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers
    assert "//" not in response.text().replace("<!doctype", "").replace("://", "§")
    assert "§" not in response.text()
