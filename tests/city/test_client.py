"""Whatever the repository answers, the client takes nothing for delivered that is not, and says what is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime

import httpx2
import pytest

from certlib.city.client import LARGEST_ANSWER, CityClient
from certlib.city.mapping import load_dialect
from certlib.domain.delivery import Delivery
from certlib.errors import ConfigurationError, CounterpartError, DeliveryDelayedError, DeliveryRefusedError

from .conftest import DEVELOPMENT_SECRET, now

TOKEN = {"access_token": "t", "token_type": "Bearer", "expires_in": 600}


@pytest.fixture
def delivery(certificate):
    one = certificate()
    message, data = one.message("issue")
    return Delivery(
        id=1,
        chain=one.key,
        identifier=message["identifier"],
        sequence=1,
        operation="issue",
        message=message,
        file=lambda: data,
    )


def client_of(answer, *, token=TOKEN, **options) -> CityClient:
    """A client whose repository gives a token and then `answer` to every other call."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/token":
            return token if isinstance(token, httpx2.Response) else httpx2.Response(200, json=token)
        return answer(request) if callable(answer) else answer

    settings = {"account": "a", "secret": "s", "clock": now, "transport": httpx2.MockTransport(handle)}
    return CityClient("https://city.example", **{**settings, **options})


def lines(kind="SuccessData", **line):
    data = {"SuccessData": [], "WarnData": [], "ErrorData": []}
    data[kind] = [{"guid": "other", "code": "S01", "message": "", "lastSequence": 1, **line}]
    return {"ReturnCode": "1", "ReturnMsg": "", "ReturnData": data}


def hour_off():
    return {"Date": format_datetime(now() + timedelta(hours=1), usegmt=True)}


BAD = {
    "not JSON": (httpx2.Response(200, text="<html>登录</html>"), DeliveryDelayedError, "answer-not-json"),
    "JSON that is no object": (httpx2.Response(200, json=[1]), DeliveryDelayedError, "answer-schema"),
    "another schema": (httpx2.Response(200, json={"ok": True}), DeliveryDelayedError, "answer-schema"),
    "lines that are none": (
        httpx2.Response(200, json={"ReturnData": {"SuccessData": ["x"], "WarnData": [], "ErrorData": []}}),
        DeliveryDelayedError, "answer-schema"),
    "a line without code": (
        httpx2.Response(200, json=lines(code=None)), DeliveryDelayedError, "answer-schema"),
    "only another record's line": (httpx2.Response(200, json=lines()), DeliveryDelayedError, "answer-schema"),
    "too much": (httpx2.Response(200, content=b" " * (LARGEST_ANSWER + 1)), DeliveryDelayedError, "answer-too-large"),
    "a redirect": (
        httpx2.Response(307, headers={"Location": "https://elsewhere.example/"}),
        CounterpartError, "counterpart-redirect"),
    "an unknown interface": (httpx2.Response(404), CounterpartError, "counterpart-status"),
    "no permission": (httpx2.Response(403), CounterpartError, "counterpart-status"),
    "a token it no longer takes": (httpx2.Response(401), CounterpartError, "counterpart-token"),
    "an internal error": (httpx2.Response(500), DeliveryDelayedError, "counterpart-error"),
    "maintenance": (httpx2.Response(503, headers={"Retry-After": "7"}), DeliveryDelayedError, "delivery-delayed"),
    "too large a record": (httpx2.Response(413), DeliveryRefusedError, "delivery-too-large"),
    "a malformed request": (httpx2.Response(422), DeliveryRefusedError, "delivery-malformed"),
    "a clock an hour off": (
        httpx2.Response(200, json={}, headers=hour_off()), DeliveryDelayedError, "clock-skew"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_answer_is_a_clear_error(delivery, case):
    """Each bad answer is an error of its own code, in Chinese, and never a delivery."""
    answer, error, code = BAD[case]
    with client_of(answer) as client, pytest.raises(error) as caught:
        client.push(delivery)
    assert caught.value.code == code
    assert "证照库" in caught.value.message


def test_the_answer_is_ours_by_its_mark(delivery):
    """The line that bears the record's mark is the answer, whatever others the answer has."""
    mark = f"{delivery.chain}#1"
    with client_of(httpx2.Response(200, json=lines(guid=mark, code="S01"))) as client:
        assert client.push(delivery).line.code == "S01"


def test_when_to_come_back_is_heeded(delivery):
    """A 503 with Retry-After says when to try again, and counts as an outage."""
    answer = httpx2.Response(503, headers={"Retry-After": "7"})
    with client_of(answer) as client, pytest.raises(DeliveryDelayedError) as caught:
        client.push(delivery)
    assert (caught.value.after, caught.value.outage) == (7.0, True)


def test_an_expired_token_is_renewed_once(city, delivery):
    """When the repository has forgotten its tokens, the next push gets a new one and succeeds."""
    with city.client() as client:
        client.push(delivery)
        city.app.state.repository.desk._tokens.clear()
        assert client.push(delivery).line.code == "S02"


@pytest.mark.parametrize(
    ("token", "error", "code"),
    [
        (httpx2.Response(401), CounterpartError, "counterpart-account"),
        (httpx2.Response(200, text="no"), DeliveryDelayedError, "answer-not-json"),
        ({"token": "x"}, DeliveryDelayedError, "answer-schema"),
        ({"access_token": "x", "expires_in": "soon"}, DeliveryDelayedError, "answer-schema"),
    ],
)
def test_a_token_that_is_none_is_a_clear_error(delivery, token, error, code):
    """A wrong account stops delivery; a strange token answer is tried again."""
    with client_of(httpx2.Response(200), token=token) as client, pytest.raises(error) as caught:
        client.push(delivery)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("raised", "code", "outage"),
    [
        (httpx2.ConnectError("x"), "counterpart-away", True),
        (httpx2.ConnectTimeout("x"), "counterpart-away", True),
        (httpx2.ReadTimeout("x"), "answer-late", False),
        (httpx2.RemoteProtocolError("x"), "connection-lost", False),
        (httpx2.ReadError("x"), "connection-lost", False),
    ],
)
def test_a_broken_connection_is_tried_again(delivery, raised, code, outage):
    """Every way a connection can fail delays the delivery; only being away counts as an outage."""

    def fail(_: httpx2.Request) -> httpx2.Response:
        raise raised

    with client_of(fail) as client, pytest.raises(DeliveryDelayedError) as caught:
        client.push(delivery)
    assert (caught.value.code, caught.value.outage) == (code, outage)


@pytest.mark.parametrize("url", ["http://city.example", "ftp://city.example", "city", "http://10.0.0.1:8090"])
def test_an_unencrypted_address_is_refused(url):
    """Only https, or http to this very machine, is a way to the repository."""
    with pytest.raises(ConfigurationError):
        CityClient(url, account="a", secret="s", clock=now)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8090", "http://[::1]:8090", "http://localhost:8090"])
def test_a_loopback_address_may_be_plain(url):
    """On this machine http will do."""
    CityClient(url, account="a", secret=DEVELOPMENT_SECRET, clock=now).close()


def test_a_message_with_holes_is_named(delivery):
    """A message that does not fill the dialect's required fields is refused before anything is sent, all at once."""
    message = {**delivery.message, "number": "", "operation": "juggle"}
    broken = Delivery(id=1, chain="c", identifier="i", sequence=1, operation="juggle", message=message)
    with client_of(httpx2.Response(200)) as client, pytest.raises(DeliveryRefusedError) as caught:
        client.push(broken)
    assert caught.value.code == "delivery-unmappable"
    assert "operateType" in caught.value.message
    assert "certificateNumber" in caught.value.message


def test_another_dialect_is_another_file(tmp_path, delivery):
    """A city with other names, codes and envelope is served by a mapping file alone."""
    path = tmp_path / "other.toml"
    path.write_text(OTHER, encoding="utf-8")
    seen = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.url.path, json.loads(request.content)))
        return httpx2.Response(200, json={"ok": [{"no": "1", "c": "0", "m": "好"}], "warn": [], "bad": []})

    with client_of(handle, dialect=load_dialect(path)) as client:
        mark = f"{delivery.chain}#1"
        handle_mark = {"no": mark, "c": "0", "m": "好"}
        with pytest.raises(DeliveryDelayedError):
            client.push(delivery)
    face = {"KZ_scope": "第1版经营范围", "KZ_enterprise_name": "赣州试验有限公司"}
    row = {"no": mark, "ZZBS": delivery.identifier, "CZLX": "XB", "KZ": face}
    assert seen == [("/gather", {"kind": "new", "rows": [row]})]
    assert load_dialect(path).lines({"ok": [handle_mark], "warn": [], "bad": []})[0].guid == mark


OTHER = """
name = "other"
[endpoints]
token = "/token"
push = "/gather"
ranges = "/r"
records = "/l"
events = "/e"
daily = "/d"
[envelope]
records = "rows"
delivery = { kind = "new" }
correction = { kind = "again" }
[answer]
success = "ok"
warning = "warn"
error = "bad"
guid = "no"
code = "c"
message = "m"
last_sequence = "last"
[digest]
without = ["no"]
[codes.operation]
issue = "XB"
[[field]]
name = "no"
from = "$guid"
required = true
[[field]]
name = "ZZBS"
from = "identifier"
required = true
[[field]]
name = "CZLX"
from = "operation"
as = "code:operation"
required = true
[[field]]
name = "KZ"
from = "facts"
as = "object"
prefix = "KZ_"
"""


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('as = "code:operation"', 'as = "code:nothing"', "code:nothing"),
        ('as = "object"', 'as = "poem"', "poem"),
        ('from = "$guid"', 'from = "number"', "$guid"),
        ('guid = "no"\n', "", "guid"),
        ('push = "/gather"\n', "", "push"),
        ("[digest]", "[[digest", "other.toml"),
    ],
)
def test_a_wrong_dialect_is_refused_when_it_is_read(tmp_path, old, new, word):
    """What would fail at the first delivery is found when the file is read, and named."""
    path = tmp_path / "other.toml"
    path.write_text(OTHER.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_dialect(path)
    assert word in caught.value.message
