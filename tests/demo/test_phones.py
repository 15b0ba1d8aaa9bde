"""The demo for phones: TLS of its own for one address, a secure context, the page kept for use without a network."""

import base64
import hashlib
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.demo.phones import make_tls

CHROMIUM = Path("/usr/bin/chromium")
HOST = "localhost"
LINK = re.compile(rf"https://{HOST}:\d+/v#\d+")


def test_the_certificate_is_for_one_address_and_its_authority_for_no_other(tmp_path: Path) -> None:
    """Names, and constraints of the root, are the address alone; no key of the root is left behind."""
    for host, name in (("192.0.2.7", "192.0.2.7/32"), ("demo.example", "demo.example")):
        tls = make_tls(tmp_path / host, host, now=datetime.now(UTC))
        root, leaf = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (tls.root, tls.certificate))
        bound = root.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
        assert bound is not None
        assert [str(one.value) for one in bound] == [name]
        leaf.verify_directly_issued_by(root)
        alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert [str(one.value) for one in alternative] == [host]
        assert sorted(path.name for path in (tmp_path / host).iterdir()) == ["tls-root.pem", "tls.key.pem", "tls.pem"]
        assert tls.key.stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    """`certctl demo --serve --host localhost`, as a person runs it, up to its links; where it left its files."""
    out = tmp_path_factory.mktemp("phones") / "out"
    command = [Path(sys.executable).with_name("certctl"), "demo", "--serve", "--host", HOST, "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        yield out, lines
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.slow
def test_a_phone_verifies_what_the_demo_prints(served: tuple[Path, list[str]]) -> None:
    """A clickable link per certificate, the page in a secure context, and again with the network gone."""
    out, lines = served
    links = [found.group() for line in lines for found in LINK.finditer(line)]
    assert len(links) >= 3
    assert any("用手机试" in line for line in lines)
    root = next(out.rglob("tls-root.pem"))
    context = ssl.create_default_context(cafile=str(root))
    with urllib.request.urlopen(links[0].partition("/v#")[0] + "/demo-root.crt", context=context) as response:
        assert response.read() == ssl.PEM_cert_to_DER_cert(root.read_text())
    if not CHROMIUM.exists():
        pytest.skip("no chromium on this machine")
    verdicts = _on_a_phone(links, next(out.rglob("tls.pem")))
    assert set(verdicts["online"]) & {"valid"}
    assert verdicts["secure"] is True
    assert verdicts["offline"] == verdicts["online"][-1]


def _on_a_phone(links: list[str], certificate: Path) -> dict[str, Any]:
    """Open the links in a browser that trusts the demo's root, then one more without a network."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    trusted = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    ready = "body[data-ways=ready]:not([data-verdict=checking])"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", f"--ignore-certificate-errors-spki-list={trusted}"],
        )
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()

        def scan(link: str) -> str:
            page.goto("about:blank")
            page.goto(link)
            page.wait_for_selector(ready)
            return str(page.get_attribute("body", "data-verdict"))

        online = [scan(link) for link in links]
        page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
        scan(links[-1])
        secure = page.evaluate("isSecureContext")
        page.context.set_offline(True)
        offline = scan(links[-1])
        browser.close()
    return {"online": online, "secure": secure, "offline": offline}
