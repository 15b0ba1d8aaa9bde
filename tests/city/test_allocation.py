"""A ministry that assigns numbers and codes is spoken to by a mapping file; what it assigned is issued with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from certlib.city.allocation import Allotment, allot
from certlib.city.client import CityClient
from certlib.city.mapping import load_dialect
from certlib.errors import CounterpartError, DeliveryDelayedError, DeliveryRefusedError, RequestError
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from tests.issue.conftest import Clock, Desk

from .conftest import now
from .receivers import Came, Receiver, receiving

MINISTRY = """
name = "ministry"
[endpoints]
token = "/token"
push = "/exchange"
[envelope]
records = "AcceptData"
delivery = { MethodName = "KYQ-FM" }
correction = { MethodName = "KYQ-FM" }
[answer]
success = "custom.ReturnData.SuccessData"
warning = "custom.ReturnData.WarnData"
error = "custom.ReturnData.ErrorData"
guid = "eCertID"
code = "code"
message = "msg"
last_sequence = "none"
number = "certNum"
content = ["encryCertid", "encryKey"]
content_between = "+"
[digest]
without = []
[codes]
[[field]]
name = "eCertID"
from = "$guid"
required = true
[[field]]
name = "caseNum"
from = "case"
required = true
[[field]]
name = "holderName"
from = "holder.name"
required = true
"""
NUMBER = "T3607002022040010000001"


class Ministry:
    """The other side: gives each case one number, and the same one again."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}
        self.refusal = ""

    def __call__(self, handler: Any, came: Came) -> None:
        if came.path == "/token":
            handler.reply(200, json.dumps({"access_token": "t", "expires_in": 600}))
            return
        (record,) = json.loads(came.body)["AcceptData"]
        lines: dict[str, list[dict[str, str]]] = {"SuccessData": [], "WarnData": [], "ErrorData": []}
        line = {"eCertID": record["eCertID"], "code": "1", "msg": self.refusal}
        if not self.refusal:
            number = self.given.setdefault(record["caseNum"], f"{NUMBER[:-1]}{len(self.given) + 1}")
            line |= {"certNum": number, "encryCertid": "c" + number, "encryKey": "k"}
        lines["ErrorData" if self.refusal else "SuccessData"].append(line)
        handler.reply(200, json.dumps({"custom": {"ReturnData": lines}}))


@pytest.fixture
def ministry() -> Ministry:
    return Ministry()


@pytest.fixture
def receiver(ministry: Ministry) -> Iterator[Receiver]:
    with receiving(ministry) as found:
        yield found


@pytest.fixture
def client(receiver: Receiver, tmp_path: Path) -> Iterator[CityClient]:
    path = tmp_path / "ministry.toml"
    path.write_text(MINISTRY, encoding="utf-8")
    url = receiver.url.removesuffix("/hook")
    with CityClient(url, account="a", secret="s", clock=now, dialect=load_dialect(path)) as found:
        yield found


def test_what_the_ministry_assigns_is_issued_with(client: CityClient, receiver: Receiver, tmp_path: Path) -> None:
    """A number that is not ours to give: without it nothing is issued, with it the certificate bears it."""
    with open_office(Settings(home=tmp_path / "office", suite="p256-sha256"), clock=Clock()) as office:
        desk = Desk(office, office.register._clock)  # type: ignore[arg-type]
        (item,) = [key for key, one in office.catalogue.items.items() if "exploration-licence" in _types(one)][:1]
        request = desk.request(item, kind="exploration-licence")
        request.pop("number")
        with pytest.raises(RequestError):
            office.issue(request, client="platform", key="without")
        assigned = allot(client, request["case"]["number"], request)
        body = office.issue({**request, "number": assigned.number}, client="platform", key="with").body
    assert body["number"] == assigned.number == NUMBER
    assert assigned.content == f"c{NUMBER}+k"
    asked = json.loads(receiver.came[-1].body)
    assert asked["MethodName"] == "KYQ-FM"
    assert asked["AcceptData"][0]["holderName"] == request["holder"]["name"]


def _types(item: Any) -> set[str]:
    return {outcome.type for outcome in item.outcomes}


def test_asked_again_it_assigns_the_same(client: CityClient, ministry: Ministry) -> None:
    """One case, one number, however often the answer was lost; another case gets another."""
    holder = {"holder": {"name": "赣州试验有限公司"}}
    first, again, other = (allot(client, case, holder) for case in ("a", "a", "b"))
    assert first == again == Allotment(NUMBER, f"c{NUMBER}+k")
    assert other.number != first.number


def test_a_refusal_is_told_in_its_words(client: CityClient, ministry: Ministry) -> None:
    """Whoever asked reads why; what the mapping cannot fill is named before anything is sent."""
    ministry.refusal = "该勘查区与他人重叠"
    with pytest.raises(DeliveryRefusedError, match="该勘查区与他人重叠") as caught:
        allot(client, "a", {"holder": {"name": "x"}})
    assert caught.value.code == "allotment-refused"
    with pytest.raises(DeliveryRefusedError, match="holderName"):
        allot(client, "a", {"holder": {}})


@pytest.mark.parametrize("line", [{}, {"certNum": None}, {"certNum": 7}])
def test_an_answer_without_assignment_is_none(client: CityClient, receiver: Receiver, line: dict[str, Any]) -> None:
    """Success that assigns nothing, or no text, is tried again and never taken for a number."""
    good: Callable[..., Any] = receiver.answer  # type: ignore[assignment]

    def answer(handler: Any, came: Came) -> None:
        if came.path == "/token":
            good(handler, came)
            return
        data = {"SuccessData": [{"eCertID": "a#1", "code": "1", "msg": "", **line}], "WarnData": [], "ErrorData": []}
        handler.reply(200, json.dumps({"custom": {"ReturnData": data}}))

    receiver.answer = answer
    with pytest.raises(DeliveryDelayedError) as caught:
        allot(client, "a", {"holder": {"name": "x"}})
    assert caught.value.code == "answer-schema"


def test_what_a_counterpart_does_not_offer_is_named(client: CityClient) -> None:
    """An allocator, or a repository without range digests, is not asked for them: the mapping says so."""
    for ask in (lambda: client.ranges(""), lambda: client.leaves(["0000"]), lambda: client.daily("a", "b")):
        with pytest.raises(CounterpartError) as caught:
            ask()
        assert caught.value.code == "interface-missing"
        assert "ministry" in caught.value.message
