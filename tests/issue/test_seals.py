"""The seals of an office: what their acts ask for, what the ledger says of each use, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from certlib.catalogue import load_catalogue
from certlib.crypto.attributes import SealUse
from certlib.crypto.development import development_folder
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.pki import make_development_pki
from certlib.domain.civil import civil_date
from certlib.domain.seal import SealAuthorisation
from certlib.domain.verdict import Verdict
from certlib.errors import (
    ConfigurationError,
    ConflictError,
    NotFoundError,
    RequestError,
    SealDeniedError,
    SealFailedError,
    StaleVersionError,
    TransitionError,
)
from certlib.issue import composition
from certlib.issue.composition import open_office
from certlib.issue.settings import Settings
from certlib.register.tables import SheetRow
from certlib.sealing.order import Sealed, SealOrder
from certlib.verify.examine import examine
from certlib.verify.quick import quick_check
from certlib.verify.roots import TrustRoots
from tests.issue.conftest import Clock, Desk, certificate_of
from tests.issue.invariants import breaches
from tests.sealing.test_emblem import DEVICE, png

FIRST, SECOND, THIRD = "36070000000002", "36070000000022", "36070000000023"
COMMON = {"person": "王素珍", "second_person": "李文静", "document_number": "赣市行审印〔2026〕1号"}
MAKER = "赣州市印章制作中心"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """On SQLite; both databases are held by the races."""
    return Settings(home=tmp_path / "home", suite="p256-sha256")


def faults_of(act: Callable[[], object]) -> dict[str, str]:
    """The faults of a refused request: path to code."""
    with pytest.raises(RequestError) as caught:
        act()
    for fault in caught.value.faults:
        assert fault.english
        assert fault.message.startswith(fault.label)
        assert fault.label or fault.code == "unexpected"
    return {fault.path: fault.code for fault in caught.value.faults}


def act(desk: Desk, which: str, name: str, **parts: Any) -> dict[str, Any]:
    return desk.office.seals.act(which, {"act": name, **COMMON, **parts}, client="platform")


def authorisation(desk: Desk, name: str = "ZS-1", **parts: Any) -> dict[str, Any]:
    raw = {
        "id": name,
        "seal": FIRST,
        "authority": "ganzhou-approval",
        "since": desk.clock.at.isoformat(),
        "until": (desk.clock.at + timedelta(days=30)).isoformat(),
        "basis": "赣市行审〔2026〕8号",
        **COMMON,
        **parts,
    }
    return {key: value for key, value in raw.items() if value is not None}


# --- what an office begins with ------------------------------------------------------------------------------------


def test_the_catalogues_seals_come_in_as_enabled_in_development(desk: Desk) -> None:
    """Every seal with edition, certificates in every suite, standing authorisation; a duplicate has its own keys."""
    views = {view["id"]: view for view in desk.office.seals.seals()}
    assert views.keys() == desk.office.catalogue.seals.keys()
    assert {view["state"] for view in views.values()} == {"enabled"}
    one, two = (desk.office.seals.seal(seal) for seal in (FIRST, SECOND))
    assert [(view["copy"], view["kind_words"]) for view in (one, two)] == [(1, "行政审批专用章"), (2, "行政审批专用章")]
    keys = [{entry["sha256"] for entry in view["editions"][0]["certificates"]} for view in (one, two)]
    assert [len(entry) for entry in keys] == [3, 3]
    assert not keys[0] & keys[1]
    assert one["keeper"] != two["keeper"]
    assert [entry["state"] for entry in one["authorisations"]] == ["in-force"]
    organs = {view["authority"] for view in views.values() if view["kind"] == "organ"}
    assert organs >= {view["authority"] for view in views.values() if view["kind"] == "approval"}
    assert desk.office.seals.probe() == {}


def test_opening_again_changes_nothing(settings: Settings) -> None:
    """What was taken in is taken in once, and what has happened since stays."""
    clock = Clock()
    with open_office(settings, clock=clock) as office:
        act(Desk(office, clock), FIRST, "suspend", cause="inspection")
    with open_office(settings, clock=clock) as office:
        view = office.seals.seal(FIRST)
        assert (view["state"], view["version"]) == ("suspended", 2)
        assert breaches(office, at=clock.at) == []


# --- acts: what they ask for ---------------------------------------------------------------------------------------


@pytest.fixture
def applied(desk: Desk, more_keys: Path) -> Desk:
    """A 3号章 has been applied for; its keys are in the folder."""
    spec = {"id": THIRD, "authority": "ganzhou-approval", "kind": "approval", "copy": 3, "keeper": "三号窗口"}
    act(desk, THIRD, "apply", seal=spec)
    return desk


@pytest.fixture
def desk(settings: Settings, more_keys: Path) -> Any:
    """A desk in an office with more keys than it has seals."""
    clock = Clock()
    desk = replace(settings, keys=str(more_keys), home=settings.home.parent / "desk")
    with open_office(desk, clock=clock) as office:
        yield Desk(office, clock)


APPLICATIONS: list[tuple[str, dict[str, Any], str, str]] = [
    ("id", {"id": "3607"}, "seal.id", "bad-seal-id"),
    ("another id", {"id": "36070000000099"}, "seal.id", "other-seal"),
    ("nobody's", {"authority": "nowhere"}, "seal.authority", "unknown-authority"),
    ("kind", {"kind": "wax"}, "seal.kind", "not-a-choice"),
    ("number taken", {"copy": 2}, "seal.copy", "number-taken"),
    ("number", {"copy": 0}, "seal.copy", "not-a-number"),
    ("keeper of the first", {"keeper": "审批专用章管理员"}, "seal.keeper", "same-keeper"),
    ("no keeper", {"keeper": ""}, "seal.keeper", "missing"),
    ("too small", {"diameter": 20}, "seal.diameter", "not-a-number"),
    ("too large", {"diameter": 58}, "seal.diameter", "not-a-number"),
    ("a glyph the font lacks", {"arc_text": "赣州市\U0001f984局"}, "seal.name", "cannot-be-drawn"),
    ("two lines in the arc", {"arc_text": "赣州市\n行政审批局"}, "seal.name", "cannot-be-drawn"),
    ("a line that does not fit", {"lines": ["行政审批专用章" * 9]}, "seal.name", "cannot-be-drawn"),
    ("an invisible character", {"name": "赣州市\u200b行政审批局"}, "seal.name", "invisible-character"),
    ("the emblem without artwork", {"centre": "emblem"}, "seal.centre", "no-emblem"),
    ("another centre", {"centre": "dragon"}, "seal.centre", "not-a-choice"),
    ("something else", {"colour": "blue"}, "seal.colour", "unexpected"),
]


@pytest.mark.parametrize(
    ("spec", "path", "code"), [row[1:] for row in APPLICATIONS], ids=[row[0] for row in APPLICATIONS]
)
def test_an_application_is_checked(desk: Desk, spec: dict[str, Any], path: str, code: str) -> None:
    """Each fault with its place; nothing is registered."""
    good = {"id": THIRD, "authority": "ganzhou-approval", "kind": "approval", "copy": 3, "keeper": "三号窗口"}
    with pytest.raises(RequestError) as caught:
        act(desk, THIRD, "apply", seal={**good, **spec})
    assert (path, code) in {(fault.path, fault.code) for fault in caught.value.faults}
    with pytest.raises(NotFoundError):
        desk.office.seals.seal(THIRD)


def test_every_fault_is_told_at_once(desk: Desk) -> None:
    """Shape, seal and persons together."""
    raw = {"act": "apply", "seal": {"id": "x", "copy": "one"}, "hurry": True}
    found = faults_of(lambda: desk.office.seals.act(THIRD, raw, client="platform"))
    assert found.keys() >= {"person", "document_number", "seal.id", "seal.copy", "seal.authority", "seal.keeper"}
    with pytest.raises(RequestError) as caught:
        desk.office.seals.act(THIRD, {"act": "melt"}, client="platform")
    assert caught.value.faults[0].code == "not-a-choice"


def test_a_seal_is_not_taken_in_for_an_owner_nobody_knows(desk: Desk) -> None:
    """With a certificate at hand, whose owner cannot be compared then."""
    raw = {"act": "accede", "person": "李明", "document_number": "赣市行审印〔2026〕1号"}
    seal = {"id": THIRD, "authority": "nowhere", "copy": 3, "keeper": "三号窗口"}
    found = faults_of(lambda: desk.office.seals.act(THIRD, {**raw, "seal": seal}, client="platform"))
    assert found["seal.authority"] == "unknown-authority"


CERTIFICATES: list[tuple[str, str, str]] = [
    ("another seal's", "seal-ganzhou-approval-approval-2", "不是印章"),
    ("another owner's", "seal-stranger", "所有者"),
    ("expired", "seal-expired", "到期"),
    ("not yet valid", "seal-early", "才有效"),
    ("revoked", "seal-revoked", "吊销"),
    ("of a wrong usage", "seal-wrong-usage", "用途"),
    ("a stranger's authority's", "seal-foreign", "受信任"),
]


def _in_one_suite(folder: Path) -> str:
    """The plan of the development PKI, for P-256 alone: RSA keys take their time."""
    plan = (folder / "pki.toml").read_text("utf-8")
    plan = plan.replace('suites = ["rsa3072-sha256", "p256-sha256", "sm2-sm3"]  #', 'suites = ["p256-sha256"]  #')
    return plan.replace('suites = ["sm2-sm3"]', 'suites = ["p256-sha256"]')


@pytest.fixture(scope="module")
def bad_certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development keys with every certificate that must not work bearing the 3号章's id."""
    folder = shutil.copytree(development_folder(), tmp_path_factory.mktemp("bad") / "keys")
    plan = _in_one_suite(folder)
    for wrong in ("36070000000091", "36070000000092", "36070000000093", "36070000000094"):
        plan = plan.replace(f'CN = "{wrong}"', f'CN = "{THIRD}"')
    head, _, tail = plan.partition("[certificate.seal-foreign]")
    plan = f"{head}[certificate.seal-foreign]{tail.replace(FIRST, THIRD, 1)}"
    stranger = f'[certificate.seal-stranger]\nprofile = "seal"\nissuer = "issuing"\nO = "别家"\nCN = "{THIRD}"\n\n'
    plan = plan.replace("# Keys without a certificate.", f"{stranger}# Keys.")
    (folder / "pki.toml").write_text(plan, "utf-8")
    make_development_pki(folder)
    return folder


@pytest.mark.parametrize(("label", "why"), [row[1:] for row in CERTIFICATES], ids=[row[0] for row in CERTIFICATES])
def test_a_certificate_that_is_not_fit_makes_no_seal(
    settings: Settings, bad_certificates: Path, label: str, why: str
) -> None:
    """Expired, not yet valid, revoked, of a wrong usage, foreign, somebody else's: told, and the seal stays applied."""
    clock = Clock()
    with open_office(replace(settings, keys=str(bad_certificates)), clock=clock) as office:
        spec = {"id": THIRD, "authority": "ganzhou-approval", "kind": "approval", "copy": 3, "keeper": "三号窗口"}
        desk = Desk(office, clock)
        act(desk, THIRD, "apply", seal=spec)
        text = certificate_of(bad_certificates, label)
        with pytest.raises(RequestError) as caught:
            act(desk, THIRD, "make", maker=MAKER, certificates=[text])
        assert [fault.path for fault in caught.value.faults] == ["certificates.0"]
        assert why in caught.value.faults[0].message
        assert office.seals.seal(THIRD)["state"] == "applied"


def test_a_seal_has_a_key_of_its_own(applied: Desk, more_keys: Path, tmp_path: Path) -> None:
    """A key that another seal is bound to makes no second seal, whatever its certificate says."""
    folder = shutil.copytree(more_keys, tmp_path / "keys")
    third, first = (folder / "seals" / f"seal-ganzhou-approval-approval-{name}.p256.pem" for name in ("3", "1"))
    key = first.read_text("ascii")
    third.write_text(key[: key.index("-----BEGIN CERTIFICATE-----")], "ascii")
    make_development_pki(folder)
    text = certificate_of(folder, "seal-ganzhou-approval-approval-3")
    with pytest.raises(RequestError) as caught:
        act(applied, THIRD, "make", maker=MAKER, certificates=[text])
    assert "密钥与印章" in caught.value.faults[0].message


def test_what_is_no_certificate_is_told(applied: Desk) -> None:
    """Each with its place in the list; none at all is told as well."""
    found = faults_of(lambda: act(applied, THIRD, "make", maker=MAKER, certificates=["nonsense"]))
    assert found == {"certificates.0": "not-a-certificate"} | {k: v for k, v in found.items() if k == "certificates"}
    assert faults_of(lambda: act(applied, THIRD, "make", maker=MAKER, certificates=[])) == {"certificates": "missing"}


def test_a_seal_comes_into_use_only_where_its_key_fits(applied: Desk, more_keys: Path, tmp_path: Path) -> None:
    """Made and filed elsewhere it may be; enabled it is where the key is, and is the certificate's."""
    act(applied, THIRD, "make", maker=MAKER)
    act(applied, THIRD, "file", filing_number="赣公特备〔2026〕3号")
    folder = shutil.copytree(more_keys, tmp_path / "keys")
    third = folder / "seals" / "seal-ganzhou-approval-approval-3.p256.pem"
    other = (folder / "seals" / "seal-ganzhou-approval-approval-2.p256.pem").read_text("ascii")
    certificate = certificate_of(folder, "seal-ganzhou-approval-approval-3")
    third.write_text(other[: other.index("-----BEGIN CERTIFICATE-----")] + certificate, "ascii")
    settings = applied.office.settings
    with open_office(replace(settings, keys=str(folder)), clock=applied.clock) as office:
        with pytest.raises(RequestError, match="1 处") as caught:
            act(Desk(office, applied.clock), THIRD, "enable")
        assert "不是一对" in caught.value.faults[0].message
        third.unlink()
        assert office.seals.seal(THIRD)["state"] == "filed"
    act(applied, THIRD, "enable")
    assert applied.office.seals.probe() == {}


def test_a_renewal_stays_the_same_seal(desk: Desk) -> None:
    """Owner, kind and number may not change; the certificate in the folder is found by itself."""
    seal = {"authority": "ganzhou-agriculture", "copy": 4}
    found = faults_of(lambda: act(desk, FIRST, "renew", cause="picture-change", seal=seal))
    assert found["seal"] == "another-seal"


@pytest.mark.parametrize("file", ["device.svg", "device.png"])
def test_a_seal_bears_the_artwork_that_the_city_supplies(settings: Settings, file: str) -> None:
    """Named in the settings, kept with the edition, on the file and on the print sheet; told by its digest only."""
    settings.home.mkdir(parents=True)
    artwork = DEVICE.encode() if file.endswith("svg") else png()
    (settings.home / file).write_bytes(artwork)
    clock = Clock()
    with open_office(replace(settings, emblem=file), clock=clock) as office:
        desk = Desk(office, clock)
        view = act(desk, FIRST, "renew", cause="picture-change", seal={"centre": "emblem"})
    (settings.home / file).unlink()
    with open_office(settings, clock=clock) as office:  # the edition needs the file no more
        issued = Desk(office, clock).issue("2-25")
        sealed = office.file(issued["identifier"])
    edition = view["editions"][-1]["seal"]
    assert (edition["centre"], edition["emblem_sha256"]) == ("emblem", hashlib.sha256(artwork).hexdigest())
    assert "base64" not in json.dumps(view)
    assert (b"/ImageMask" in sealed) == file.endswith("png")
    assert examine(sealed, trust=TrustRoots.load(), at=clock.at).verdict is Verdict.STATUS_UNKNOWN


def test_artwork_that_is_not_fit_stops_the_start(settings: Settings) -> None:
    """A wrong file is found when the office opens, by its name."""
    settings.home.mkdir(parents=True)
    (settings.home / "device.svg").write_text("<svg/>", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"device\.svg"):
        open_office(replace(settings, emblem="device.svg"))


def test_acts_need_the_version_that_was_read(desk: Desk) -> None:
    """Who read an older seal reads again."""
    raw = {"act": "suspend", **COMMON, "cause": "inspection"}
    with pytest.raises(StaleVersionError):
        desk.office.seals.act(FIRST, raw, version=7, client="platform")
    assert desk.office.seals.act(FIRST, raw, version=1, client="platform")["version"] == 2
    with pytest.raises(NotFoundError):
        act(desk, "36070000000077", "suspend", cause="inspection")


def test_the_history_says_who_did_what_on_which_document(desk: Desk) -> None:
    """Person, second person, document, cause, client, time; what is permitted next and why the rest is not."""
    act(desk, FIRST, "suspend", cause="keeper-change")
    view = act(desk, FIRST, "resume", keeper="新任管理员")
    assert [event["act"] for event in view["history"]] == ["accede", "suspend", "resume"]
    assert (
        view["history"][1]
        | {
            "person": "王素珍",
            "document_number": "赣市行审印〔2026〕1号",
            "cause_words": "保管人变更",
            "client": "platform",
        }
        == view["history"][1]
    )
    assert view["keeper"] == "新任管理员"
    assert {entry["act"] for entry in view["permitted"]} == {"suspend", "renew", "revoke", "cancel"}
    assert all(entry["reason"] for entry in view["refused"])


# --- authorisations ------------------------------------------------------------------------------------------------

AUTHORISATIONS: list[tuple[str, dict[str, Any], str, str]] = [
    ("id", {"id": "x y"}, "id", "bad-id"),
    ("item", {"items": ["9-9"]}, "items", "unknown-name"),
    ("type", {"types": ["diploma"]}, "types", "unknown-name"),
    ("action", {"actions": ["burn"]}, "actions", "unknown-name"),
    ("authority", {"authority": "nowhere"}, "authority", "unknown-name"),
    ("no basis", {"basis": None}, "basis", "missing"),
    ("no time zone", {"since": "2026-11-24T10:00:00"}, "since", "no-time-zone"),
    ("ends first", {"until": "2020-01-01T00:00:00+08:00"}, "until", "dates-in-wrong-order"),
    ("over already", {"since": "2020-01-01T00:00:00Z", "until": "2021-01-01T00:00:00Z"}, "until", "over-already"),
    ("three approvers", {"approvers": 3}, "approvers", "not-a-number"),
    ("a limit below zero", {"limit": -1}, "limit", "not-a-number"),
    ("half a use", {"limit": 1.5}, "limit", "not-a-number"),
    ("two of one person", {"approvers": 2, "persons": ["王素珍"]}, "persons", "too-few-persons"),
    ("one person twice", {"second_person": "王素珍"}, "second_person", "two-persons"),
    ("nobody", {"person": None}, "person", "missing"),
    ("something else", {"colour": "red"}, "colour", "unexpected"),
]


@pytest.mark.parametrize(
    ("parts", "path", "code"), [row[1:] for row in AUTHORISATIONS], ids=[row[0] for row in AUTHORISATIONS]
)
def test_an_authorisation_is_checked(desk: Desk, parts: dict[str, Any], path: str, code: str) -> None:
    """Each fault with its place; it does not come into force."""
    with pytest.raises(RequestError) as caught:
        desk.office.seals.authorise(authorisation(desk, **parts), client="platform")
    assert {fault.path: fault.code for fault in caught.value.faults}[path] == code
    assert [entry["id"] for entry in desk.office.seals.authorisations(FIRST)] == [f"{FIRST}-standing"]


def test_an_authorisation_is_its_text(desk: Desk) -> None:
    """The same again is the same; another under its id contradicts it; ended it is over and stays readable."""
    raw = authorisation(desk, items=["2-25"], limit=5)
    made = desk.office.seals.authorise(raw, client="platform")
    assert desk.office.seals.authorise(raw, client="platform") == made
    with pytest.raises(ConflictError) as caught:
        desk.office.seals.authorise({**raw, "limit": 6}, client="platform")
    assert caught.value.code == "authorisation-contradicts"
    record = {"person": "王素珍", "document_number": "赣市行审〔2026〕9号", "reason": "不再需要"}
    ended = desk.office.seals.end("ZS-1", record, client="platform")
    assert (ended["state"], ended["record"]["ended"]["reason"]) == ("ended", "不再需要")
    with pytest.raises(ConflictError):
        desk.office.seals.end("ZS-1", record, client="platform")
    with pytest.raises(NotFoundError):
        desk.office.seals.end("ZS-9", record, client="platform")
    assert faults_of(lambda: desk.office.seals.end("ZS-1", {}, client="platform")).keys() == record.keys()
    assert json.loads(desk.office.seals.authorisation_text(made["sha256"]))["limit"] == 5


def test_a_closed_seal_is_not_authorised(desk: Desk) -> None:
    """Nor one that is not there."""
    act(desk, SECOND, "cancel", cause="replaced")
    with pytest.raises(ConflictError):
        desk.office.seals.authorise(authorisation(desk, seal=SECOND), client="platform")
    with pytest.raises(NotFoundError):
        desk.office.seals.authorise(authorisation(desk, seal="36070000000077"), client="platform")


def test_the_signature_names_the_authorisation_and_the_auditor_fetches_its_text(desk: Desk) -> None:
    """Attribute, ledger and canonical text agree, and the journal knew the digest before the use."""
    desk.office.seals.authorise(authorisation(desk, items=["2-25"], limit=5), client="platform")
    body = desk.issue("2-25")
    use = quick_check(
        desk.office.file(body["identifier"]), certificates=desk.office.seals.keys.certificates, stamped=True
    ).use
    assert isinstance(use, SealUse)
    line = desk.office.seals.uses(FIRST)["uses"][-1]
    assert (line["counter"], line["authorisation_sha256"]) == (use.counter, use.authorisation.hex())
    text = desk.office.seals.authorisation_text(use.authorisation.hex())
    assert hashlib.sha256(text).digest() == use.authorisation
    assert SealAuthorisation.read(text).id == "ZS-1"
    with pytest.raises(NotFoundError):
        desk.office.seals.authorisation_text("0" * 64)


# --- the ledger of uses --------------------------------------------------------------------------------------------


def test_a_line_of_the_ledger_says_all_that_the_register_of_seals_asks_for(desk: Desk) -> None:
    """Seal and edition, keeper, matter and mandate, document, approvers, place, operator, hashes, proof of time."""
    request = desk.request("1-17", second_person="李复核")
    body = desk.office.issue(request, client="platform", key="k").body
    seal = next(view["id"] for view in desk.office.seals.seals() if desk.office.seals.uses(view["id"])["uses"])
    (line,) = desk.office.seals.uses(seal)["uses"]
    view = desk.office.certificate(str(body["identifier"]))
    assert (line["kind_words"], line["state_words"], line["counter"]) == ("电子签章", "已用印", 1)
    assert line["number"] == body["number"]
    assert line["document"] | {"identifier": body["identifier"], "edition": 1} == line["document"]
    assert (line["item"], line["case"], line["type"], line["action"]) == (
        "1-17",
        request["case"]["number"],
        view["type"],
        "issue",
    )
    assert line["mandate"].keys() >= {"title", "handling", "basis", "agreement", "since", "decides"}
    assert line["mandate"]["handling"] == "市县同办"
    assert line["approval"]["approval"]["person"] == request["decision"]["approval"]["person"]
    assert line["persons"] == [request["decision"]["approval"]["person"], "李复核"]
    assert line["operator"]["client"] == "platform"
    detail = line["seal_detail"]
    assert detail.keys() >= {"name", "number", "keeper", "edition_sha256", "certificate", "certificate_serial"}
    assert line["place"].keys() == {"page", "x", "y", "width", "height"}
    result = line["result"]
    assert (result["level"], result["suite"]) == ("B-T", "p256-sha256")
    assert result["timestamped_at"]
    assert len(result["signature_sha256"]) == 64
    pdf = desk.office.file(str(body["identifier"]))
    assert line["output_sha256"] == hashlib.sha256(pdf).hexdigest()
    assert line["input_sha256"] != line["output_sha256"]


def test_the_ledger_is_read_in_parts_and_by_time(desk: Desk) -> None:
    """A page at a time; from a moment on: what a compromise since then concerns."""
    for _ in range(3):
        desk.issue("2-25")
        desk.clock.advance(hours=1)
    first = desk.office.seals.uses(FIRST, limit=2)
    rest = desk.office.seals.uses(FIRST, limit=2, after=first["next"])
    assert [line["counter"] for line in (*first["uses"], *rest["uses"])] == [1, 2, 3]
    assert rest["next"] == 0
    concerned = desk.office.seals.uses(FIRST, since=desk.clock.at - timedelta(minutes=90), state="used")
    assert [line["counter"] for line in concerned["uses"]] == [3]
    with pytest.raises(NotFoundError):
        desk.office.seals.uses("36070000000077")


def test_a_seal_stopped_while_the_key_was_at_work_brings_nothing_into_force(desk: Desk) -> None:
    """Suspended between reservation and commit: the use is released with that reason, the number void."""
    real = desk.office.check

    def stop(order: SealOrder, sealed: Sealed, template: str, *, now: Any) -> None:
        real(order, sealed, template, now=now)
        act(desk, FIRST, "suspend", cause="suspected-compromise")

    desk.office.check = stop  # type: ignore[assignment]
    with pytest.raises(SealDeniedError, match="停用"):
        desk.issue("2-25")
    (line,) = desk.office.seals.uses(FIRST)["uses"]
    assert (line["state"], "停用" in line["why"]) == ("released", True)
    assert desk.office.certificates()["certificates"] == []
    assert breaches(desk.office, at=desk.clock.at) == []


def test_a_seal_without_a_certificate_in_the_offices_suite_is_denied(
    settings: Settings, desk: Desk, more_keys: Path
) -> None:
    """Its key could not be used; the ledger says why."""
    text = certificate_of(more_keys, "seal-ganzhou-approval-approval-1", "rsa")
    with pytest.raises(RequestError) as caught:
        act(desk, FIRST, "renew", cause="key-change", maker=MAKER, certificates=[text])
    assert "p256-sha256" in caught.value.faults[0].message
    act(desk, FIRST, "suspend", cause="inspection")
    act(desk, FIRST, "renew", cause="key-change", maker=MAKER, certificates=[text])
    with pytest.raises(RequestError):
        act(desk, FIRST, "resume")
    with pytest.raises(SealDeniedError):
        desk.issue("2-25")
    assert "停用" in desk.office.seals.uses(FIRST)["uses"][-1]["why"]


def test_a_key_that_is_gone_fails_the_use_and_records_it(settings: Settings, more_keys: Path, tmp_path: Path) -> None:
    """Nothing half sealed: the use is released with the reason, the plan waits for the key."""
    folder, clock = shutil.copytree(more_keys, tmp_path / "keys"), Clock()
    with open_office(replace(settings, keys=str(folder)), clock=clock) as office:
        desk = Desk(office, clock)
        path = folder / "seals" / "seal-ganzhou-approval-approval-1.p256.pem"
        whole = path.read_bytes()
        path.unlink()
        request = desk.request("2-25")
        with pytest.raises(SealFailedError, match=path.name):
            office.issue(request, client="platform", key="k")
        (line,) = office.seals.uses(FIRST)["uses"]
        assert (line["state"], path.name in line["why"]) == ("released", True)
        path.write_bytes(whole)
        assert office.issue(request, client="platform", key="k").status == 201
        assert [line["state"] for line in office.seals.uses(FIRST)["uses"]] == ["released", "used"]


@pytest.mark.parametrize("label", ["seal-foreign", "seal-ganzhou-agriculture-approval-1"])
def test_a_foreign_certificate_in_the_folder_seals_nothing(
    settings: Settings, more_keys: Path, tmp_path: Path, label: str
) -> None:
    """A stranger's key and certificate laid in the place of the seal's own: the use is released and says why."""
    folder, clock = shutil.copytree(more_keys, tmp_path / "keys"), Clock()
    with open_office(replace(settings, keys=str(folder)), clock=clock) as office:
        path = folder / "seals" / "seal-ganzhou-approval-approval-1.p256.pem"
        path.write_bytes((folder / "seals" / f"{label}.p256.pem").read_bytes())
        with pytest.raises(SealFailedError) as caught:
            office.issue(Desk(office, clock).request("2-25"), client="platform", key="k")
        (line,) = office.seals.uses(FIRST)["uses"]
        assert (line["state"], line["why"]) == ("released", caught.value.message)
        assert office.certificates()["certificates"] == []


def test_the_wrong_kind_of_seal_is_denied_by_the_table(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned with the approval seal, and before the sealing the table asks for the organ's."""
    clock = Clock()
    with open_office(replace(settings, timestamps=("http://127.0.0.1:9/",)), clock=clock) as office:
        request = Desk(office, clock).request("2-25")
        with pytest.raises(SealFailedError):
            office.issue(request, client="platform", key="k")
    row = 'outcome = "certificate"\nkinds = ["organ"]\nbasis = "行政许可法39"'
    changed = _catalogue_with(tmp_path, row)
    monkeypatch.setattr(composition, "load_catalogue", lambda: load_catalogue(changed))
    with open_office(settings, clock=clock) as office:
        with pytest.raises(SealDeniedError, match="机关印章"):
            office.issue(request, client="platform", key="k")
        assert [line["state"] for line in office.seals.uses(FIRST)["uses"]] == ["released", "denied"]
        body = Desk(office, clock, made=7).issue("2-25")
        organ = "36070000000012"
        assert [line["number"] for line in office.seals.uses(organ)["uses"]] == [body["number"]]


def test_the_second_duplicate_seals_what_the_table_gives_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2号章 from its day on, for items handed down; its own key, counter, keeper; the first's fate is not its."""
    row = (
        'outcome = "certificate"\nitems = ["2-25"]\nauthorities = ["ganzhou-approval"]\nkinds = ["approval"]\n'
        'copy = 2\nsince = 2023-11-03\nbasis = "市县同权"'
    )
    folder = _catalogue_with(tmp_path, row)
    monkeypatch.setattr(composition, "load_catalogue", lambda: load_catalogue(folder))
    clock = Clock()
    with open_office(settings, clock=clock) as office:
        desk = Desk(office, clock)
        act(desk, FIRST, "suspend", cause="inspection")
        body = desk.issue("2-25")
        read = quick_check(office.file(body["identifier"]), certificates=office.seals.keys.certificates, stamped=True)
        assert read.certificate.common_name == SECOND
        (line,) = office.seals.uses(SECOND)["uses"]
        assert (line["counter"], line["seal_detail"]["keeper"]) == (1, "市县同权综合受理窗口")
        assert office.seals.uses(FIRST)["uses"] == []


def _catalogue_with(tmp_path: Path, row: str) -> Path:
    with as_file(files("certlib.catalogue") / "data") as shipped:
        folder = shutil.copytree(shipped, tmp_path / "catalogue")
    rules = folder / "seal_rules.toml"
    rules.write_text(f"[[rule]]\n{row}\n\n{rules.read_text('utf-8')}", "utf-8")
    return folder


# --- paper ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def stamping(settings: Settings) -> Any:
    """An office whose medical device licences are stamped by hand; one is issued and printed."""
    clock = Clock()
    with open_office(settings, clock=clock) as office:
        kind = office.catalogue.certificate_types["medical-device-licence"]
        by_hand = replace(kind, copies=tuple(replace(copy, seal="stamped") for copy in kind.copies))
        office.catalogue = replace(
            office.catalogue, certificate_types={**office.catalogue.certificate_types, kind.key: by_hand}
        )
        desk = Desk(office, clock)
        body = desk.issue("2-25")
        office.receive_blanks(kind.key, "KB000001", "KB000020", person="王素珍", witness="李文静")
        office.print_sheets(body["identifier"], client="platform", purpose="窗口打印")
        yield desk


def stamp(desk: Desk, raw: dict[str, Any]) -> dict[str, Any]:
    desk.made += 1
    return dict(desk.office.seals.stamp(raw, client="platform", key=f"stamp-{desk.made}").body)


def sheet_of(desk: Desk) -> int:
    with desk.office.register.reader() as session:
        return int(session.exec(select(SheetRow.id)).one() or 0)


def test_a_stamp_by_hand_is_a_use_of_the_seal(stamping: Desk) -> None:
    """Same ledger, same counter, once for each sheet, before it is handed over."""
    sheet, collected = sheet_of(stamping), {"collector": "陈志远", "relation": "holder", "document": "身份证"}
    with pytest.raises(TransitionError, match="尚未加盖"):
        stamping.office.act_on_sheet(sheet, "collect", {**collected, "receipt": "送达1"})
    line = stamp(stamping, {"sheet": sheet, "person": "王素珍"})
    assert (line["kind_words"], line["counter"], line["sheet"]) == ("加盖实物印章", 2, sheet)
    assert line["document"]["serial"] == "KB000001"
    assert line["operator"] == {"client": "platform", "person": "王素珍"}
    with pytest.raises(ConflictError) as caught:
        stamp(stamping, {"sheet": sheet, "person": "王素珍"})
    assert caught.value.code == "already-stamped"
    assert stamping.office.act_on_sheet(sheet, "collect", {**collected, "receipt": "送达1"})["state"] == "collected"
    assert breaches(stamping.office, at=stamping.clock.at) == []


def test_a_stamp_needs_what_a_signature_needs(stamping: Desk) -> None:
    """A suspended seal, a seal of another body, an authorisation that asks for two: denied and recorded."""
    office, sheet = stamping.office, sheet_of(stamping)
    raw = {"sheet": sheet, "person": "王素珍"}
    with pytest.raises(SealDeniedError, match="没有授权"):
        stamp(stamping, {**raw, "seal": "36070000000003"})
    act(stamping, FIRST, "suspend", cause="inspection")
    with pytest.raises(SealDeniedError, match="停用"):
        stamp(stamping, raw)
    act(stamping, FIRST, "resume")
    office.seals.authorise(authorisation(stamping, items=["2-25"], approvers=2), client="platform")
    with pytest.raises(SealDeniedError, match="双人复核"):
        stamp(stamping, raw)
    stamp(stamping, {**raw, "second_person": "李复核"})
    states = [line["state"] for line in office.seals.uses(FIRST)["uses"]]
    assert states == ["used", "denied", "denied", "used"]


def test_a_paper_copy_of_a_document_may_be_stamped(stamping: Desk) -> None:
    """As often as copies are needed, each time a line with how many."""
    office = stamping.office
    document = office.issue_document(stamping.request("2-25", kind="licence-decision"), client="p", key="d").body
    for copies in (1, 3):
        raw = {"document": document["number"], "copies": copies, "person": "王素珍", "reason": "归档"}
        line = stamp(stamping, raw)
        assert (line["number"], line["document"]["copies"]) == (document["number"], copies)
        again = office.seals.stamp(raw, client="platform", key=f"stamp-{stamping.made}")
        assert (again.replayed, again.body["counter"]) == (True, line["counter"])


def test_a_wrong_stamp_is_refused(stamping: Desk, desk: Desk) -> None:
    """Nothing named, both named, no person; a sheet that is not there; one whose seal is printed."""
    assert "sheet" in faults_of(lambda: stamp(stamping, {"person": "王素珍"}))
    assert "sheet" in faults_of(lambda: stamp(stamping, {"sheet": 1, "document": "x", "person": "王素珍"}))
    assert faults_of(lambda: stamp(stamping, {"sheet": 1})) == {"person": "missing"}
    for missing in ({"sheet": 999}, {"document": "赣市行审决字〔2026〕999号"}):
        with pytest.raises(NotFoundError):
            stamp(stamping, {**missing, "person": "王素珍"})
    body = desk.issue("2-25")
    desk.office.receive_blanks("medical-device-licence", "KB000001", "KB000020", person="王素珍", witness="李文静")
    desk.office.print_sheets(body["identifier"], client="platform", purpose="窗口打印")
    with pytest.raises(TransitionError, match="套印"):
        stamp(desk, {"sheet": sheet_of(desk), "person": "王素珍"})


# --- keys and levels -----------------------------------------------------------------------------------------------


def test_copied_development_keys_are_refused_outside_development(settings: Settings, tmp_path: Path) -> None:
    """Wherever they lie, and one of them suffices: they are known by their fingerprint."""
    folder = shutil.copytree(development_folder(), tmp_path / "keys")
    production = replace(settings, keys=str(folder), environment="production", timestamps=("http://127.0.0.1:9/",))
    with pytest.raises(ConfigurationError, match="开发密钥"):
        open_office(production)


def test_one_seal_with_a_development_key_among_own_keys_is_refused(settings: Settings, tmp_path: Path) -> None:
    """A production folder of new keys opens, without seals; with one published seal key it does not."""
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "pki.toml").write_text(_in_one_suite(development_folder()), "utf-8")
    make_development_pki(folder)
    production = replace(settings, keys=str(folder), environment="production", timestamps=("http://127.0.0.1:9/",))
    with open_office(production) as office:
        assert office.seals.seals() == []
        own = certificate_of(folder, "seal-ganzhou-approval-approval-1")
        seal = office.seals.act(FIRST, {"act": "accede", **COMMON, "certificates": [own]}, client="platform")
        assert (seal["state"], seal["authorisations"]) == ("enabled", [])
    name = "seal-ganzhou-approval-approval-2.p256.pem"
    shutil.copy(development_folder() / "seals" / name, folder / "seals" / "copied.p256.pem")
    with pytest.raises(ConfigurationError, match=name.split(".", maxsplit=1)[0]):
        open_office(production)


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT"])
def test_the_level_of_the_settings_is_what_is_sealed(settings: Settings, level: str) -> None:
    """A contract: what was asked for is in the file, and the ledger says so."""
    clock = Clock()
    with open_office(replace(settings, level=level), clock=clock) as office:
        body = Desk(office, clock).issue("2-25")
        line = office.seals.uses(FIRST)["uses"][-1]
        assert line["result"]["level"] == level
        assert (b"/DSS" in office.file(body["identifier"])) == (level == "B-LT")
        assert civil_date(clock.at).year == 2026


def test_a_level_nobody_knows_is_refused(tmp_path: Path) -> None:
    """When the settings are read, before anything is sealed."""
    (tmp_path / "certlib.toml").write_text('level = "B-LTB"\n', "utf-8")
    with pytest.raises(ConfigurationError, match="level"):
        Settings.load(tmp_path)


@pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")
def test_the_national_parts_are_of_the_same_edition(settings: Settings, more_keys: Path) -> None:
    """With SM2 asked for, an edition without an SM2 certificate seals nothing: the use is released, and says why."""
    clock = Clock()
    national = replace(settings, keys=str(more_keys), national=("copy", "ses"))
    with open_office(national, clock=clock) as office:
        desk = Desk(office, clock)
        body = desk.issue("2-25")
        copy = office.file(body["identifier"], part="copy")
        assert copy != office.file(body["identifier"])
        text = certificate_of(more_keys, "seal-ganzhou-approval-approval-1-renewed")
        act(desk, FIRST, "renew", cause="key-change", maker=MAKER, certificates=[text])
        with pytest.raises(SealFailedError, match="第 2 版的国密"):
            desk.issue("2-25")
        assert [line["state"] for line in office.seals.uses(FIRST)["uses"]] == ["used", "released"]
