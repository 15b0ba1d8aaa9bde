"""The development PKI behind real HTTP: timestamps, lists and status as judges from elsewhere see them."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from certlib.crypto.certificates import RevocationList
from certlib.crypto.development import development_folder, development_timestamps
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.ocsp import read_answer
from certlib.crypto.timestamps import HttpTimestamps
from certlib.domain.civil import SHANGHAI
from certlib.errors import TimestampUnavailableError
from service.routes import development
from tests.verify.test_ocsp import authorities, certificate
from tests.verify.test_ocsp import request as status_request

KEYS = development_folder()
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is missing")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of the PKI while it is served."""
    app = FastAPI()
    app.include_router(development.router)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}/dev/pki"
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize("short", ["rsa", "p256", "sm2"])
def test_a_timestamp_comes_over_http(url: str, short: str) -> None:
    """Asked by our own client, which checks nonce, imprint, purpose and signature."""
    if short == "sm2" and unavailable():
        pytest.skip(str(unavailable()))
    digest = "sm3" if short == "sm2" else "sha256"
    stamped = HttpTimestamps([f"{url}/tsa/{short}"], digest=digest).stamp(bytes(32), now=datetime.now(UTC))
    assert stamped.at.microsecond == 0
    assert len(stamped.token) <= development_timestamps("sm2-sm3" if short == "sm2" else "p256-sha256").reserve + 3000


@needs_openssl
@pytest.mark.parametrize("short", ["rsa", "p256"])
def test_openssl_verifies_the_timestamp(url: str, short: str, tmp_path: Path) -> None:
    """`openssl ts` asks, we answer, `openssl ts` verifies by root and issuing authority; other data it refuses."""
    (tmp_path / "data").write_bytes(b"signed")
    query = ["openssl", "ts", "-query", "-data", tmp_path / "data", "-sha256", "-cert", "-out", tmp_path / "q.tsq"]
    subprocess.run(query, check=True, capture_output=True)
    answer = _post(f"{url}/tsa/{short}", (tmp_path / "q.tsq").read_bytes(), "application/timestamp-query")
    (tmp_path / "a.tsr").write_bytes(answer)
    trust = ["-CAfile", KEYS / "trust" / f"{short}.pem", "-untrusted", KEYS / "ca" / f"issuing.{short}.pem"]
    verify = ["openssl", "ts", "-verify", "-in", tmp_path / "a.tsr", *trust]
    assert subprocess.run([*verify, "-queryfile", tmp_path / "q.tsq"], capture_output=True, check=False).returncode == 0
    (tmp_path / "data").write_bytes(b"another")
    assert subprocess.run([*verify, "-data", tmp_path / "data"], capture_output=True, check=False).returncode != 0


@needs_openssl
@pytest.mark.parametrize("short", ["rsa", "p256"])
@pytest.mark.parametrize(
    ("certificate", "said"), [("seal-ganzhou-approval-approval-1", ": good"), ("seal-revoked", ": revoked")]
)
def test_openssl_believes_the_status(url: str, short: str, certificate: str, said: str, tmp_path: Path) -> None:
    """`openssl ocsp` over HTTP, with its nonce: the response verifies, the state is right, times are whole seconds."""
    issuing = KEYS / "ca" / f"issuing.{short}.pem"
    ask = ["openssl", "ocsp", "-issuer", issuing, "-cert", KEYS / "seals" / f"{certificate}.{short}.pem"]
    ask += ["-url", f"{url}/ocsp/issuing.{short}", "-CAfile", KEYS / "trust" / f"{short}.pem"]
    ask += ["-verify_other", issuing, "-respout", tmp_path / "answer"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    assert "Response verify OK" in done.stderr
    assert said in done.stdout
    assert b"." not in [part[:20] for part in (tmp_path / "answer").read_bytes().split(b"\x18\x0f")[1:]]


@pytest.mark.parametrize(
    ("label", "said"), [("seals/seal-ganzhou-approval-approval-1", "good"), ("seals/seal-revoked", "revoked")]
)
def test_our_verifier_believes_the_status_in_sm2(url: str, label: str, said: str) -> None:
    """No other program at hand checks an answer in SM2 (`openssl ocsp` cannot be told the signer's identity): ours."""
    if unavailable():
        pytest.skip(str(unavailable()))
    answer = read_answer(_post(f"{url}/ocsp/issuing.sm2", status_request("sm2", label), "application/ocsp-request"))
    assert answer.singles[0].status.word == said
    known = authorities("sm2", answer)
    revoked = known.revoked_at(certificate(f"{label}.sm2"))
    assert (revoked is not None) == (said == "revoked")


def test_a_revocation_list_comes_over_http(url: str) -> None:
    """The same bytes as in the folder, in DER."""
    with urllib.request.urlopen(f"{url}/crl/issuing.rsa.crl") as response:
        assert response.headers["content-type"] == "application/pkix-crl"
        served = response.read()
    kept = RevocationList.load((KEYS / "crl" / "issuing.rsa.crl").read_bytes(), name="issuing").der
    assert hashlib.sha256(served).digest() == hashlib.sha256(kept).digest()


def test_nonsense_is_answered_in_the_protocol(url: str) -> None:
    """A bad request gets the protocol's refusal; the client counts it as a failure."""
    answer = _post(f"{url}/tsa/rsa", b"nonsense", "application/timestamp-query")
    assert answer.startswith(b"\x30")
    assert _post(f"{url}/ocsp/issuing.rsa", b"nonsense", "application/ocsp-request") == bytes.fromhex("30030a0101")
    with pytest.raises(TimestampUnavailableError):
        HttpTimestamps([f"{url}/crl/issuing.rsa.crl"]).stamp(bytes(32), now=datetime.now(SHANGHAI))


def _post(url: str, body: bytes, media: str) -> bytes:
    request = urllib.request.Request(url, body, {"Content-Type": media})
    with urllib.request.urlopen(request) as response:
        return bytes(response.read())
