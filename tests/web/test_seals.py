"""Seals by HTTP: their life, authorisations and ledger; each caller its own authority, each scope its own."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from certlib.cli.seals import seal as seal_commands
from certlib.formats.leaf import Leaf
from certlib.formats.seal_list import read_seal_list
from certlib.register.journal_tables import JournalEvent
from certlib.register.tables import AccessRow
from certlib.sealing.raster import check_png
from service.commands import DEVELOPMENT_CLIENT
from tests.web.conftest import READER, STRANGER, faults_of

APPROVAL, COMMERCE, EDUCATION = "36070000000002", "36070000000008", "36070000000005"
PERSON = {"person": "王素珍", "second_person": "李文静", "document_number": "赣市行审印〔2026〕1号"}


@dataclass
class Seals:
    """The seal addresses of the service, as one client sees them."""

    web: Any

    def get(self, path: str, client: str = "", **query: Any) -> Any:
        headers = self.web.headers(client) if client else self.web.headers()
        return self.web.http.get(f"/v1/seals{path}", headers=headers, params=query)

    def post(self, path: str, body: dict[str, Any], client: str = "", **headers: str) -> Any:
        sent = self.web.headers(client, **headers) if client else self.web.headers(**headers)
        return self.web.http.post(f"/v1/seals{path}", json=body, headers=sent)

    def act(self, seal: str, act: str, **parts: Any) -> Any:
        tag = self.get(f"/{seal}").headers["etag"]
        return self.post(f"/{seal}/actions", {"act": act, **PERSON, **parts}, **{"If-Match": tag})


@pytest.fixture
def seals(web: Any) -> Seals:
    return Seals(web)


def authorisation(name: str, **parts: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    until = (now + timedelta(days=30)).isoformat()
    scope = {"id": name, "authority": "ganzhou-education", "items": ["2-25"]}
    return {**scope, "since": now.isoformat(), "until": until, "basis": "赣市教〔2026〕8号", **PERSON, **parts}


def test_a_seals_life_by_http(seals: Seals) -> None:
    """Suspended and resumed under the version that was read; the public list follows at once."""
    view = seals.get(f"/{COMMERCE}")
    assert view.headers["etag"] == f'"{view.json()["version"]}"'
    suspended = seals.act(COMMERCE, "suspend", cause="inspection")
    assert (suspended.status_code, suspended.json()["state"]) == (200, "suspended")
    listed = read_seal_list(seals.web.office.seal_list, seals.web.office.list_keys)
    assert {seal.state for seal in listed.seals if seal.seal == COMMERCE} == {"suspended"}
    stale = seals.post(f"/{COMMERCE}/actions", {"act": "resume", **PERSON}, **{"If-Match": view.headers["etag"]})
    assert stale.status_code == 412
    assert seals.post(f"/{COMMERCE}/actions", {"act": "resume", **PERSON}).status_code == 428
    refused = seals.act(COMMERCE, "suspend", cause="inspection")
    assert (refused.status_code, refused.json()["code"]) == (409, "transition-refused")
    assert seals.act(COMMERCE, "resume").json()["state"] == "enabled"


def test_a_seal_begins_with_an_application(seals: Seals) -> None:
    """201 with its address; what is wrong comes with its place; a second time it is there already."""
    spec = {"id": "36070000000055", "authority": "ganzhou-commerce", "copy": 2, "keeper": "二号窗口"}
    body = {"act": "apply", **PERSON, "seal": spec}
    wrong = seals.post("", {**body, "seal": {**spec, "copy": 1, "keeper": ""}})
    assert (wrong.status_code, faults_of(wrong)) == (422, {"seal.copy": "number-taken", "seal.keeper": "missing"})
    made = seals.post("", body)
    assert made.status_code == 201
    assert made.headers["location"].endswith("/v1/seals/36070000000055")
    assert seals.post("", body).status_code == 409
    assert seals.post("", {"act": "suspend", **PERSON}).status_code == 422
    assert seals.act("36070000000055", "cancel", cause="application-withdrawn").json()["state"] == "cancelled"


def test_authorisations_by_http(seals: Seals) -> None:
    """Made, contradicted, ended; the text by its digest is the very text that was digested."""
    made = seals.post(f"/{EDUCATION}/authorisations", authorisation("ZS-WEB-1", limit=5))
    assert (made.status_code, made.json()["state"]) == (201, "in-force")
    again = seals.post(f"/{EDUCATION}/authorisations", authorisation("ZS-WEB-2", limit=6))
    assert (again.status_code, again.json()["code"]) == (409, "authorisation-contradicts")
    other = seals.post(f"/{EDUCATION}/authorisations", authorisation("ZS-WEB-3", seal=APPROVAL))
    assert faults_of(other) == {"seal": "other-seal"}
    digest = made.json()["sha256"]
    text = seals.get(f"/{EDUCATION}/authorisations/{digest}")
    assert hashlib.sha256(text.content).hexdigest() == digest
    assert json.loads(text.content)["limit"] == 5
    assert seals.get(f"/{APPROVAL}/authorisations/{digest}").status_code == 404
    record = {"person": "王素珍", "document_number": "赣市教〔2026〕9号", "reason": "不再需要"}
    assert seals.post(f"/{APPROVAL}/authorisations/ZS-WEB-1/end", record).status_code == 404
    ended = seals.post(f"/{EDUCATION}/authorisations/ZS-WEB-1/end", record)
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    assert seals.post(f"/{EDUCATION}/authorisations/ZS-WEB-1/end", record).json()["code"] == "authorisation-over"
    listed = {
        entry["id"]: entry["state"] for entry in seals.get(f"/{EDUCATION}/authorisations").json()["authorisations"]
    }
    assert listed == {f"{EDUCATION}-standing": "in-force", "ZS-WEB-1": "ended"}


def test_the_ledger_by_http(seals: Seals) -> None:
    """Every line, a page at a time, by state; the newest is what was just issued."""
    issued = seals.web.issued()
    page, lines = seals.get(f"/{APPROVAL}/uses", limit=2).json(), []
    while True:
        lines += page["uses"]
        if not page["next"]:
            break
        page = seals.get(f"/{APPROVAL}/uses", limit=2, after=page["next"]).json()
    assert lines[-1]["number"] == issued["number"]
    counters = [line["counter"] for line in lines if line["counter"] is not None]
    assert counters == list(range(1, len(counters) + 1))
    denied = seals.get(f"/{APPROVAL}/uses", state="denied").json()["uses"]
    assert all(line["state"] == "denied" for line in denied)
    assert seals.get(f"/{APPROVAL}/uses", state="lost").status_code == 422


def test_a_stamp_by_http(seals: Seals) -> None:
    """The paper copy of a document: recorded once for each key, denied for a seal that is not its issuer's."""
    document = seals.web.post(seals.web.request("1-36"), path="/v1/documents").json()
    body = {"document": document["number"], "copies": 2, "person": "王素珍"}
    issuer = seals.web.http.get(f"/v1/documents/{document['number']}", headers=seals.web.headers()).json()["authority"]
    owned = [seal["id"] for seal in seals.get("").json()["seals"] if seal["authority"] == issuer]
    own = next(seal for seal in owned if seals.get(f"/{seal}/uses").json()["uses"])
    first = seals.post(f"/{own}/stamps", body, **{"Idempotency-Key": "stamp-1"})
    assert (first.status_code, first.json()["kind"]) == (201, "stamped")
    again = seals.post(f"/{own}/stamps", body, **{"Idempotency-Key": "stamp-1"})
    assert (again.headers["idempotent-replayed"], again.json()["counter"]) == ("true", first.json()["counter"])
    denied = seals.post(f"/{COMMERCE}/stamps", body, **{"Idempotency-Key": "stamp-2"})
    assert (denied.status_code, denied.json()["code"]) == (403, "seal-use-denied")
    assert seals.get(f"/{COMMERCE}/uses", state="denied").json()["uses"][-1]["number"] == document["number"]


def test_a_stranger_sees_and_touches_its_own_seals_only(seals: Seals) -> None:
    """Others' answer as if they were not there: seal, ledger, authorisation, application, stamp."""
    own = {seal["id"] for seal in seals.get("", STRANGER).json()["seals"]}
    assert EDUCATION in own
    assert APPROVAL not in own
    for path in ("", "/uses", "/authorisations"):
        assert seals.get(f"/{APPROVAL}{path}", STRANGER).status_code == 404
    act = {"act": "suspend", **PERSON, "cause": "inspection"}
    assert seals.post(f"/{APPROVAL}/actions", act, STRANGER, **{"If-Match": '"1"'}).status_code == 404
    assert seals.post(f"/{APPROVAL}/authorisations", authorisation("ZS-X"), STRANGER).status_code == 404
    spec = {"id": "36070000000056", "authority": "ganzhou-commerce", "copy": 5, "keeper": "窗口"}
    assert seals.post("", {"act": "apply", **PERSON, "seal": spec}, STRANGER).status_code == 404
    document = seals.web.post(seals.web.request("1-36"), path="/v1/documents").json()
    body = {"document": document["number"], "person": "王素珍"}
    theirs = seals.post(f"/{EDUCATION}/stamps", body, STRANGER, **{"Idempotency-Key": "x"})
    assert theirs.status_code == 404


@pytest.mark.parametrize(
    ("path", "method"),
    [("", "get"), ("", "post"), (f"/{APPROVAL}/actions", "post"), (f"/{APPROVAL}/authorisations", "post")],
)
def test_each_needs_its_scope(seals: Seals, path: str, method: str) -> None:
    """A client that may only read certificates does nothing here."""
    answer = seals.get(path, READER) if method == "get" else seals.post(path, {}, READER, **{"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient-scope")


@pytest.fixture
def wish(seals: Seals) -> dict[str, str]:
    """The keeper's request for the picture, in order."""
    keeper = seals.get(f"/{APPROVAL}").json()["keeper"]
    return {**PERSON, "person": keeper, "reason": "印模备案"}


def test_the_keeper_gets_the_picture(seals: Seals, wish: dict[str, str]) -> None:
    """A sound PNG that nobody keeps on the way; who, why and which bytes are on record under the caller's name."""
    given = seals.post(f"/{APPROVAL}/pictures", wish)
    assert (given.status_code, given.headers["content-type"]) == (200, "image/png")
    assert given.headers["cache-control"] == "no-store"
    check_png(given.content, seals.web.office.catalogue.seals[APPROVAL])
    with seals.web.office.register.reader() as session:
        lines = session.exec(select(AccessRow).where(AccessRow.subject == f"seal/{APPROVAL}/picture")).all()
        bodies = session.exec(select(JournalEvent.body)).all()
    assert lines[-1].client == DEVELOPMENT_CLIENT
    assert hashlib.sha256(given.content).hexdigest() in lines[-1].purpose
    leaves = [leaf for leaf in map(Leaf.decode, bodies) if leaf.kind == "seal:picture-given"]
    assert leaves[-1].commitment == hashlib.sha256(lines[-1].purpose.encode()).digest()


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"person": "赵无关"}, {"person": "not-the-keeper"}),
        ({"second_person": "王素珍", "person": "王素珍"}, {"person": "not-the-keeper", "second_person": "same-person"}),
        ({"reason": "", "document_number": ""}, {"reason": "missing", "document_number": "missing"}),
    ],
)
def test_nobody_else_gets_it_and_for_no_unstated_purpose(
    seals: Seals, wish: dict[str, str], changes: dict[str, str], faults: dict[str, str]
) -> None:
    """What is wrong comes with its place; no picture, and no line that says one was given."""
    refused = seals.post(f"/{APPROVAL}/pictures", {**wish, **changes})
    assert (refused.status_code, faults_of(refused)) == (422, faults)
    assert seals.post(f"/{APPROVAL}/pictures", wish, STRANGER).status_code == 404
    assert seals.post(f"/{APPROVAL}/pictures", wish, READER).json()["code"] == "insufficient-scope"
    assert seals.post("/36070000009999/pictures", wish).status_code == 404


def test_no_other_address_gives_a_picture(seals: Seals) -> None:
    """A seal's data are words; its image is in sealed files, and with its keeper."""
    view = seals.get(f"/{APPROVAL}").text
    assert "svg" not in view
    assert "png" not in view


ROUTES = {
    "list": "listSeals",
    "show": "readSeal",
    "uses": "listSealUses",
    "authorise": "authoriseSeal",
    "end": "endSealAuthorisation",
    "authorisation": "readSealAuthorisation",
    "stamp": "stampPaper",
    "picture": "takeSealPicture",
    **dict.fromkeys(("apply", "accede"), "beginSeal"),
    **dict.fromkeys(("make", "file", "enable", "suspend", "resume", "renew", "revoke", "cancel"), "actOnSeal"),
}


def test_every_command_has_its_address(seals: Seals) -> None:
    """What `certctl seal` does is done by HTTP too; each act is one that its address takes."""
    commands = {one.name or one.callback.__name__ for one in seal_commands.registered_commands}  # type: ignore[union-attr]
    assert commands == set(ROUTES)
    document = seals.web.http.get("/openapi.json").json()
    operations = {one["operationId"]: one for path in document["paths"].values() for one in path.values()}
    shapes = document["components"]["schemas"]
    for command, operation in ROUTES.items():
        assert operation in operations
        body = operations[operation].get("requestBody", {}).get("content", {}).get("application/json", {})
        acts = shapes[body["schema"]["$ref"].rsplit("/", 1)[-1]]["properties"].get("act") if body else None
        assert acts is None or command in acts["enum"]
