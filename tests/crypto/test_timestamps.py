"""Timestamps from our own authority and over HTTP, with authorities that fail in every way."""

import hashlib
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from asn1crypto import cms, tsp

from certlib.crypto import der, tokens
from certlib.crypto.certificates import load_certificates
from certlib.crypto.cms import TST_INFO, Signer, sign
from certlib.crypto.development import development_folder, development_timestamps
from certlib.crypto.keys import open_key
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.timestamps import DevelopmentTimestamps, HttpTimestamps
from certlib.errors import ConfigurationError, TimestampUnavailableError

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
IMPRINT = hashlib.sha256(b"signature").digest()
SM2 = pytest.param("sm2-sm3", marks=pytest.mark.skipif(unavailable() is not None, reason=unavailable() or ""))
Reply = tuple[int, dict[str, str], bytes | Iterator[bytes]]
Answer = Callable[[bytes], Reply]


@pytest.fixture(scope="module", params=["rsa3072-sha256", "p256-sha256", SM2])
def authority(request: pytest.FixtureRequest) -> DevelopmentTimestamps:
    """The development authority in each suite."""
    return development_timestamps(request.param)


def test_a_token_states_the_time_in_whole_seconds(authority: DevelopmentTimestamps) -> None:
    """The token's time is the caller's without its fraction; our own check and the reserve agree with it."""
    stamp = authority.stamp(IMPRINT, now=NOW)
    assert stamp.at == NOW.replace(microsecond=0)
    assert tokens.check(stamp.token, IMPRINT, digest=authority.digest) == stamp.at
    assert len(stamp.token) <= authority.reserve


def test_no_two_tokens_have_one_serial(authority: DevelopmentTimestamps) -> None:
    """RFC 3161 §2.4.2: a serial is given once."""
    serials = {_info(authority.stamp(IMPRINT, now=NOW).token)["serial_number"].native for _ in range(50)}
    assert len(serials) == 50


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("short", ["rsa", "p256"])
def test_openssl_verifies_a_token_and_refuses_it_for_other_data(short: str, tmp_path: Path) -> None:
    """`openssl ts -verify` with the development root."""
    suite = {"rsa": "rsa3072-sha256", "p256": "p256-sha256"}[short]
    (tmp_path / "token").write_bytes(development_timestamps(suite).stamp(IMPRINT, now=datetime.now(UTC)).token)
    for data, code in ((b"signature", 0), (b"signaturf", 1)):
        (tmp_path / "data").write_bytes(data)
        command = ["openssl", "ts", "-verify", "-token_in", "-in", tmp_path / "token", "-data", tmp_path / "data"]
        root = development_folder() / "trust" / f"{short}.pem"
        done = subprocess.run([*command, "-CAfile", root], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr


def test_a_token_for_something_else_is_refused(authority: DevelopmentTimestamps) -> None:
    """Another digest, a changed byte anywhere in what is signed, a cut token."""
    token = authority.stamp(IMPRINT, now=NOW).token
    with pytest.raises(ValueError, match="摘要"):
        tokens.check(token, hashlib.sha256(b"other").digest(), digest=authority.digest)
    with pytest.raises(ValueError, match="随机数"):
        tokens.check(token, IMPRINT, digest=authority.digest, nonce=1)
    time_at = token.index(b"20260102030405Z")
    changed = token[:time_at] + b"2027" + token[time_at + 4 :]
    with pytest.raises(ValueError, match="被改动"):
        tokens.check(changed, IMPRINT, digest=authority.digest)
    with pytest.raises(ValueError):  # noqa: PT011  (whatever the parser says)
        tokens.check(token[:-1], IMPRINT, digest=authority.digest)


def test_a_token_by_a_certificate_not_meant_for_it_is_refused() -> None:
    """A seal's key cannot stamp time: the extended usage is checked (RFC 3161 §2.3)."""
    path = development_folder() / "seals" / "seal-ganzhou-approval-approval-1.p256.pem"
    certificate, *chain = load_certificates(path.read_bytes(), name=str(path))
    stamper = DevelopmentTimestamps(Signer(open_key(f"pem:{path}"), certificate, tuple(chain)))
    with pytest.raises(ValueError, match="用途"):
        tokens.check(stamper.stamp(IMPRINT, now=NOW).token, IMPRINT)


def test_content_that_is_no_token_is_refused() -> None:
    """Any other CMS message is not a timestamp."""
    path = development_folder() / "tsa" / "tsa.p256.pem"
    certificate, *chain = load_certificates(path.read_bytes(), name=str(path))
    signer = Signer(open_key(f"pem:{path}"), certificate, tuple(chain))
    content = der.sequence(der.integer(1))
    for kind in (TST_INFO, "1.2.840.113549.1.7.1"):
        message = sign(signer, hashlib.sha256(content).digest(), content=content, content_type=kind)
        with pytest.raises(ValueError):  # noqa: PT011  (whatever the parser says)
            tokens.check(message.der, IMPRINT)


# --- over HTTP ---


def test_the_first_good_authority_is_taken(authority: DevelopmentTimestamps) -> None:
    """A dead one, a sick one and a good one: the good one's token, and the others are left alone for a while."""
    asked: list[str] = []
    with _server(_status(503, asked)) as sick, _server(_good(authority, asked)) as good:
        stamper = HttpTimestamps(["http://127.0.0.1:9/tsa", sick, good], digest=authority.digest)
        for _ in range(3):
            stamp = stamper.stamp(IMPRINT, now=NOW)
            assert tokens.check(stamp.token, IMPRINT, digest=authority.digest) == NOW.replace(microsecond=0)
    assert asked == ["503", "good", "good", "good"]


def test_a_failed_authority_is_asked_again_when_it_has_rested(authority: DevelopmentTimestamps) -> None:
    """Its rest over, it is back at its place."""
    with _server(_good(authority, [])) as good:
        stamper = HttpTimestamps(["http://127.0.0.1:9/tsa", good], rest=0.0, digest=authority.digest)
        assert stamper.stamp(IMPRINT, now=NOW).at == NOW.replace(microsecond=0)
        assert stamper.stamp(IMPRINT, now=NOW).at == NOW.replace(microsecond=0)


def _late(authority: DevelopmentTimestamps) -> Answer:
    def answer(request: bytes) -> Reply:
        time.sleep(0.6)
        return 200, {}, authority.respond(request, now=NOW)

    return answer


def _dripping(_: DevelopmentTimestamps) -> Answer:
    def drip() -> Iterator[bytes]:
        for _ in range(20):
            time.sleep(0.05)
            yield b"0"

    return lambda _: (200, {}, drip())


def _other_digest(authority: DevelopmentTimestamps) -> Answer:
    def answer(request: bytes) -> Reply:
        asked = tsp.TimeStampReq.load(request)
        asked["message_imprint"]["hashed_message"] = bytes(32)
        return 200, {}, authority.respond(asked.dump(force=True), now=NOW)

    return answer


def _other_nonce(authority: DevelopmentTimestamps) -> Answer:
    def answer(request: bytes) -> Reply:
        asked = tsp.TimeStampReq.load(request)
        asked["nonce"] = asked["nonce"].native ^ 1
        return 200, {}, authority.respond(asked.dump(force=True), now=NOW)

    return answer


def _other_time(authority: DevelopmentTimestamps) -> Answer:
    return lambda request: (200, {}, authority.respond(request, now=NOW - timedelta(minutes=5)))


def _fixed(status: int, body: bytes, **headers: str) -> Callable[[DevelopmentTimestamps], Answer]:
    return lambda _: lambda _: (status, headers, body)


REFUSAL = der.sequence(der.sequence(der.integer(2)))
BAD: list[tuple[str, Callable[[DevelopmentTimestamps], Answer], str]] = [
    ("late", _late, "timed out|超时"),
    ("another digest", _other_digest, "摘要"),
    ("another nonce", _other_nonce, "随机数"),
    ("another time", _other_time, "相差过大"),
    ("dripping", _dripping, "超时"),
    ("nonsense", _fixed(200, b"<html>no</html>"), "不是 RFC 3161"),
    ("empty", _fixed(200, b""), "不是 RFC 3161"),
    ("refusal", _fixed(200, REFUSAL), "拒绝"),
    ("endless", _fixed(200, bytes(100_000)), "过长"),
    ("error", _fixed(500, b""), "500"),
    ("redirect", _fixed(302, b"", Location="http://127.0.0.1:9/"), "302"),
]


@pytest.mark.parametrize(("answer", "why"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_answer_is_a_failure_like_none(answer: Callable[[DevelopmentTimestamps], Answer], why: str) -> None:
    """Nothing but a good token is taken; the error names the authority and the reason."""
    with (
        _server(answer(development_timestamps())) as url,
        pytest.raises(TimestampUnavailableError, match=why) as caught,
    ):
        HttpTimestamps([url], timeout=0.3).stamp(IMPRINT, now=NOW)
    assert url in caught.value.message


def test_the_budget_ends_the_asking() -> None:
    """With the time used up, the rest are not asked."""
    with _server(_late(development_timestamps())) as url, pytest.raises(TimestampUnavailableError, match="时限"):
        HttpTimestamps([url, url + "2", url + "3"], timeout=0.1, budget=0.15).stamp(IMPRINT, now=NOW)


def test_an_address_must_be_http() -> None:
    """No files, no other schemes, at least one address."""
    for urls in ([], ["file:" + "///etc/passwd"], ["ftp://tsa.example"]):
        with pytest.raises(ConfigurationError):
            HttpTimestamps(urls)


def test_a_request_that_makes_no_sense_is_rejected(authority: DevelopmentTimestamps) -> None:
    """The authority answers with status rejection and the reason's bit (RFC 3161 §2.4.2)."""
    sha1 = der.sequence(der.algorithm("1.3.14.3.2.26"), der.octets(bytes(20)))
    for request, failure in (
        (b"nonsense", b"\x03\x02\x05\x20"),
        (der.sequence(der.integer(1), sha1), b"\x03\x02\x07\x80"),
    ):
        answer = authority.respond(request, now=NOW)
        assert answer == der.sequence(der.sequence(der.integer(2), failure))
        with pytest.raises(ValueError, match="拒绝"):
            tokens.granted(answer)


def _info(token: bytes) -> tsp.TSTInfo:
    return cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed


def _good(authority: DevelopmentTimestamps, asked: list[str]) -> Answer:
    def answer(request: bytes) -> Reply:
        asked.append("good")
        return 200, {"Content-Type": "application/timestamp-reply"}, authority.respond(request, now=NOW)

    return answer


def _status(code: int, asked: list[str]) -> Answer:
    def answer(_: bytes) -> Reply:
        asked.append(str(code))
        return code, {}, b""

    return answer


@contextmanager
def _server(answer: Answer) -> Iterator[str]:
    """A timestamp authority on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, headers, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            for pair in headers.items():
                self.send_header(*pair)
            self.end_headers()
            try:
                for part in [body] if isinstance(body, bytes) else body:
                    self.wfile.write(part)
            except OSError:  # whoever asked has gone
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        server.shutdown()
        server.server_close()
