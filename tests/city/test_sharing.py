"""Sharing after GB/T 36906: a purpose for every question, permission by type, copies that say what they are for."""

from __future__ import annotations

import base64
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files

import httpx2
import pypdfium2 as pdfium
import pytest

from certlib.domain.civil import SHANGHAI
from city_repository.routes.sharing import OPERATIONS
from city_repository.serving import served
from city_repository.sharing import HELD_BY
from city_repository.store import Store

from .conftest import HOLDER, TYPE_CODE, TYPE_NAME, City, now


class Clock:
    """The repository's clock, which a test may put on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self):
        return now() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def city(make_city, clock):
    app = make_city(clock=clock)
    with served(app) as url:
        yield City(app, url)


@pytest.fixture
def ask(city):
    """Ask as an account: operation and fields to (status, data, message)."""

    def send(operation, account="window", token=None, **data):
        form = {"grant_type": "client_credentials", "client_id": account}
        with httpx2.Client(base_url=city.url, timeout=30) as http:
            given = http.post("/token", data={**form, "client_secret": f"development-only-{account}"}).json()
            body = {"accessId": account, "accessToken": token or given["access_token"], "data": data}
            answer = http.post(f"/{operation}", json=body)
        answer.raise_for_status()
        value = answer.json()
        return value["head"]["status"], value["data"], value["head"]["message"]

    return send


@pytest.fixture
def one(city, office, certificate):
    """A certificate in the repository, issued and changed."""
    found = certificate()
    office.event(found, "issue")
    office.event(found, "change")
    with city.client() as client:
        office.worker(client).deliver_due()
    return found


def happen(city, office, certificate, operation, **options):
    office.event(certificate, operation, **options)
    with city.client() as client:
        office.worker(client).deliver_due()


def test_a_certificate_is_found_by_its_identifier(ask, one):
    """The answer has the metadata, the state in words, and no field of the transport."""
    status, data, _ = ask("queryCertInfo", certIdentifier=one.identifiers[-1], useCause="核验主体资格")
    assert status == "0"
    assert data["certificateHolderCode"] == HOLDER
    assert data["certStateName"] == "有效"
    assert data["faceData"] == one.facts
    assert "guid" not in data


def test_an_older_edition_leads_to_the_present_one(ask, one):
    """Asked by the identifier of a superseded edition, the repository answers with the present one."""
    _, data, _ = ask("queryCertInfo", certIdentifier=one.identifiers[0], useCause="核验")
    assert data["certificateIdentifier"] == one.identifiers[1]


def whole(one, office):
    """For each operation the fields of a question that is answered."""
    of = {"certIdentifier": one.identifiers[-1]}
    held = {"holderCode": HOLDER, "holderTypeCode": "001", "certTypeCode": TYPE_CODE}
    file = base64.b64encode(list(office.files.values())[-1]).decode()
    return {
        "queryCertInfo": of,
        "queryCertInfoByHolderCode": held,
        "queryCertInfoByQRcode": {"qrcode": "https://zwfw.ganzhou.example/v#x"},
        "downloadUrl": of,
        "downloadUrlsByHolderCode": held,
        "downloadFile": {"id": "x"},
        "verifyFile": {"file": file},
        "verifyCertInfo": {**of, "certificateHolderCode": HOLDER},
        "getCertRemarkInfo": {"certTypeCode": TYPE_CODE},
        "queryCertTypes": {},
    }


@pytest.mark.parametrize("cause", [None, "", "   "])
@pytest.mark.parametrize("operation", [name for name, _, _ in OPERATIONS])
def test_a_question_without_purpose_is_not_answered(city, office, ask, one, operation, cause):
    """No purpose, no answer, whatever is asked; the refusal says so and is logged."""
    data = {**whole(one, office)[operation], **({} if cause is None else {"useCause": cause})}
    status, found, message = ask(operation, **data)
    assert (status, found) == ("12", None)
    assert "useCause" in message
    rows = city.app.state.repository.store.rows("SELECT operation, status, count FROM access")
    assert [tuple(row) for row in rows] == [(operation, "12", 0)]


def test_a_purpose_has_a_length(ask, one):
    """A purpose of more than 200 characters is refused."""
    assert ask("queryCertInfo", certIdentifier=one.identifiers[-1], useCause="核" * 201)[0] == "99"
    assert ask("queryCertInfo", certIdentifier=one.identifiers[-1], useCause="核" * 200)[0] == "0"


def test_permission_is_per_type(office, ask, one):
    """An account without permission for the type learns nothing but that, by whichever way it asks."""
    questions = whole(one, office)
    for operation in sorted(questions.keys() - {"queryCertTypes", "queryCertInfoByQRcode", "downloadFile"}):
        assert ask(operation, account="stranger", useCause="核验", **questions[operation])[:2] == ("100", None)


def test_a_copy_needs_permission_when_it_is_opened(city, office, ask, one):
    """A link granted before gives nothing once the certificate is revoked, nor after the permission was withdrawn."""
    _, link, _ = ask("downloadUrl", certIdentifier=one.identifiers[-1], useCause="核验")
    accounts = city.app.state.repository.accounts
    allowed = accounts["window"]
    accounts["window"] = replace(allowed, query=frozenset({"another"}))
    assert ask("downloadFile", id=link["id"], useCause="核验")[:2] == ("100", None)
    accounts["window"] = allowed
    assert ask("downloadFile", id=link["id"], useCause="核验")[0] == "0"
    happen(city, office, one, "revoke", state="revoked")
    assert ask("downloadFile", id=link["id"], useCause="核验")[:2] == ("21", None)


def test_a_strangers_token_does_not_pass(city, ask, one):
    """A token that is none, has run out, or is another account's, is refused; the attempt stands in the log."""
    question = {"certIdentifier": one.identifiers[-1], "useCause": "核验"}
    desk = city.app.state.repository.desk
    others = desk.issue("stranger", "development-only-stranger", now=now())
    old = desk.issue("window", "development-only-window", now=now() - timedelta(hours=2))
    for token in ("none", others, old):
        assert ask("queryCertInfo", token=token, **question)[:2] == ("11", None)
    rows = city.app.state.repository.store.rows("SELECT account, subject, cause, status FROM access")
    assert [tuple(row) for row in rows] == [("", "accessId=window", "核验", "11")] * 3


def test_every_question_is_logged(city, ask, one):
    """Answered, refused and unfound questions all stand in the log, with account, purpose and outcome."""
    ask("queryCertInfo", certIdentifier=one.identifiers[-1], useCause="核验主体资格")
    ask("queryCertInfo", certIdentifier=one.identifiers[-1], useCause="")
    ask("queryCertInfo", account="stranger", certIdentifier=one.identifiers[-1], useCause="看看")
    ask("queryCertInfo", certIdentifier="none", useCause="核验")
    rows = city.app.state.repository.store.rows("SELECT account, cause, status, count FROM access ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("window", "核验主体资格", "0", 1),
        ("window", "", "12", 0),
        ("stranger", "看看", "100", 0),
        ("window", "核验", "10", 0),
    ]


def test_a_holders_certificates_are_found(ask, one):
    """By holder and type, and by number among them; wrong codes are told apart."""
    who = {"holderCode": HOLDER, "holderTypeCode": "001", "certTypeCode": TYPE_CODE, "useCause": "核验"}
    status, data, _ = ask("queryCertInfoByHolderCode", **who)
    assert (status, [shown["certificateNumber"] for shown in data]) == ("0", [f"试许{one.serial}号"])
    assert ask("queryCertInfoByHolderCode", **who, certNo="别的号")[0] == "10"
    assert ask("queryCertInfoByHolderCode", **{**who, "holderTypeCode": "000"})[0] == "103"
    assert ask("queryCertInfoByHolderCode", **{**who, "certTypeCode": "000"})[0] == "13"


def test_a_search_by_holder_goes_by_the_index(city, one):
    """However many records there are, each of several holders is looked up and none is read through."""
    store = city.app.state.repository.store
    plan = [row["detail"] for row in store.rows(f"EXPLAIN QUERY PLAN {HELD_BY}", HOLDER, "001", TYPE_CODE)]
    assert any("holder_code (code=? AND type=?)" in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN")]


def test_a_database_of_the_version_before_gets_its_holders(city, one, tmp_path):
    """Records of one and of several holders taken in before the table of holders came are found by each after."""
    before = files("city_repository") / "migrations" / "0001_records.sql"
    held = dict(city.app.state.repository.store.row("SELECT * FROM record"))
    passport = '"护"照\\1'
    joint = {**held, "base": "joint", "identifier": "joint"}
    joint |= {"holder_code": f"{HOLDER}^{passport}", "holder_type": "001^999"}
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.executescript(before.read_text("utf-8"))
        for row in (held, joint):
            old.execute(f"INSERT INTO record VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
        old.execute("PRAGMA user_version = 1")
    old.close()
    store = Store(tmp_path / "old.db")
    found = [
        sorted(row["base"] for row in store.rows(HELD_BY, *who, TYPE_CODE))
        for who in ((HOLDER, "001"), (passport, "999"), (HOLDER, "999"))
    ]
    assert found == [sorted([held["base"], "joint"]), ["joint"], []]


@pytest.mark.parametrize(
    ("operation", "state", "status"),
    [("suspend", "suspended", "23"), ("cancel", "cancelled", "21"), ("revoke", "revoked", "21")],
)
def test_the_state_is_told_and_no_copy_given(city, office, ask, one, operation, state, status):
    """A suspended or ended certificate is shown with its state, and gives no copy."""
    happen(city, office, one, operation, state=state)
    given, data, _ = ask("queryCertInfo", certIdentifier=one.identifiers[-1], useCause="核验")
    assert (given, data["certificateHolderCode"]) == (status, HOLDER)
    answer, copy, _ = ask("downloadUrl", certIdentifier=one.identifiers[-1], useCause="核验")
    assert answer == status
    assert "id" not in (copy or {})


def test_expiry_is_seen_without_an_event(clock, ask, one):
    """After its last day a certificate is answered as expired, though nobody pushed that."""
    clock.ahead = timedelta(days=365 * 6)
    assert ask("queryCertInfo", certIdentifier=one.identifiers[-1], useCause="核验")[0] == "22"


def test_a_copy_says_what_it_is_for(ask, one):
    """The copy is a PDF whose pages name purpose, applicant and end, and in which no seal is left to pass on."""
    status, link, _ = ask("downloadUrl", certIdentifier=one.identifiers[-1], useCause="办理开户", applicant="某银行")
    assert status == "0"
    status, data, _ = ask("downloadFile", id=link["id"], useCause="办理开户")
    assert status == "0"
    ends = datetime.fromisoformat(data["expiryTime"])
    assert timedelta() < ends - now() <= timedelta(hours=1)
    end = ends.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    document = pdfium.PdfDocument(base64.b64decode(data["fileData"]))
    for page in document:
        text = page.get_textpage().get_text_bounded().replace("\r\n", "")
        for said in ("办理开户", "某银行", f"有效期至：{end}", one.identifiers[-1]):
            assert said in text
    terms = document.get_metadata_value("Keywords")
    for said in ("JZJZZSY=办理开户", "JZJZZZ=某银行", f"JZJYXQJZSJ={end}"):
        assert said in terms
    assert document.get_formtype() == 0
    document.close()


def test_a_copy_ends(clock, ask, one):
    """After its end, and for anybody else, a copy is not there."""
    _, link, _ = ask("downloadUrl", certIdentifier=one.identifiers[-1], useCause="办理开户", expiryTime=10)
    assert ask("downloadFile", account="stranger", id=link["id"], useCause="办理开户")[0] == "10"
    clock.ahead = timedelta(minutes=11)
    assert ask("downloadFile", id=link["id"], useCause="办理开户")[0] == "10"


def test_a_holders_copies_come_together(ask, one):
    """All usable certificates of a holder give a link each."""
    who = {"holderCode": HOLDER, "holderTypeCode": "001", "certTypeCode": TYPE_CODE, "useCause": "核验"}
    status, links, _ = ask("downloadUrlsByHolderCode", **who)
    assert (status, [link["certIdentifier"] for link in links]) == ("0", [one.identifiers[-1]])


def test_a_file_is_verified_by_its_bytes(office, ask, one):
    """The present edition's file is current, an older one is not, another file is not registered."""
    old, new = (base64.b64encode(data).decode() for data in office.files.values())
    status, data, _ = ask("verifyFile", file=new, useCause="核验")
    assert (status, data["registered"], data["current"]) == ("0", True, True)
    assert ask("verifyFile", file=old, useCause="核验")[1]["current"] is False
    status, data, _ = ask("verifyFile", file=base64.b64encode(b"other").decode(), useCause="核验")
    assert (status, data["registered"]) == ("10", False)


def test_facts_are_compared_and_not_given_away(ask, one):
    """Face data and metadata are answered field by field as agreeing or not, without the right value."""
    status, data, _ = ask(
        "verifyCertInfo",
        certIdentifier=one.identifiers[-1],
        certificateHolderCode=HOLDER,
        faceData={"scope": "第2版经营范围", "enterprise_name": "别的公司"},
        useCause="核验",
    )
    assert status == "0"
    assert data == {
        "consistent": False,
        "fields": {"scope": True, "enterprise_name": False, "certificateHolderCode": True},
    }


def test_the_dictionary_names_the_face_fields(ask):
    """A type's face fields come with their labels; an unknown type is said to be unknown."""
    status, data, _ = ask("getCertRemarkInfo", certTypeCode=TYPE_CODE, useCause="对接")
    assert status == "0"
    assert data["CertificateTypeName"] == TYPE_NAME
    assert {"name": "scope", "label": "经营范围"} in data["fields"]
    assert ask("getCertRemarkInfo", certTypeCode="000", useCause="对接")[0] == "13"
    assert ask("getCertRemarkInfo", account="stranger", certTypeCode=TYPE_CODE, useCause="对接")[:2] == ("100", None)


def test_the_catalogue_shows_what_a_caller_may_ask_for(ask):
    """The type catalogue lists the types of one's permission."""
    assert TYPE_CODE in {entry["CertificateTypeCode"] for entry in ask("queryCertTypes", useCause="对接")[1]}
    assert ask("queryCertTypes", account="stranger", useCause="对接")[1] == []


def test_the_page_shows_what_was_taken_in(city, one):
    """The page lists the certificate and leads to its events; it loads nothing from elsewhere."""
    page = httpx2.get(city.url)
    assert f"试许{one.serial}号" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    detail = httpx2.get(f"{city.url}/records/{one.key}").text
    assert "变更" in detail
    assert "经营范围" in detail
    assert httpx2.get(f"{city.url}/records/none").status_code == 404
