"""The repository takes in what is sound and refuses the rest with the reason."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certlib.domain.delivery import Delivery
from certlib.identifiers import CertificateIdentifier, with_check_character
from city_repository.codes import load_codes
from city_repository.files import attached_facts

from . import build_types
from .conftest import DEVELOPMENT_SECRET, ISSUER, TYPE_CODE, paper


@pytest.fixture
def push(city):
    """Push raw records as a system with an account does; gives (kind, code, message) of each."""
    form = {"grant_type": "client_credentials", "client_id": "rongjiang-certlib", "client_secret": DEVELOPMENT_SECRET}
    with httpx2.Client(base_url=city.url, timeout=10) as http:
        token = http.post("/token", data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

        def send(*records, method="GJ"):
            body = json.dumps({"MethodName": method, "AcceptData": list(records)})
            answer = http.post("/push", content=body, headers=headers)
            answer.raise_for_status()
            kinds = {"SuccessData": "success", "WarnData": "warning", "ErrorData": "error"}
            return [
                (kinds[name], line["code"], line["message"])
                for name, lines in answer.json()["ReturnData"].items()
                for line in lines
            ]

        yield send


@pytest.fixture
def record(city, certificate):
    """The record of a certificate's next event, as our client would send it."""
    dialect = city.client().dialect

    def make(one, operation, sequence, *, unknown=False, **options):
        message, data = one.message(operation, **options)
        delivery = Delivery(
            id=0,
            chain=one.key,
            identifier=message["identifier"],
            sequence=sequence,
            operation=operation,
            message=message,
            file=(lambda: data) if data else None,
            predecessor_unknown=unknown,
        )
        return dialect.record(delivery)

    return make


def with_file(record, message_changes):
    """The record with a file that says something else than it does."""
    message = {
        "type": "trial-licence",
        "name": record["certificateName"],
        "identifier": record["certificateIdentifier"],
        "number": record["certificateNumber"],
        "edition": 1,
        "facts": record["faceData"],
        "holder": {"name": "x", "code": record["certificateHolderCode"], "code_type": "001"},
        "issuer": {"name": "x", "code": record["certificateIssuingAuthorityCode"]},
        "issued_on": record["certificateIssuedDate"],
        "valid_from": record["certificateEffectiveDate"],
        "valid_until": record["certificateExpiringDate"],
    } | message_changes
    data = paper(message)
    digest = hashlib.sha256(data).hexdigest()
    return record | {"fileData": base64.b64encode(data).decode(), "fileDigest": digest, "fileSize": len(data)}


def second_edition(record):
    text = record["certificateIdentifier"].replace(".001.", ".002.")
    return record | {"certificateIdentifier": with_check_character(text)}


def wrong_check(record):
    text = record["certificateIdentifier"]
    return record | {"certificateIdentifier": text[:-1] + ("0" if text[-1] != "0" else "1")}


def other_issuer(record):
    identifier = CertificateIdentifier(TYPE_CODE, "11100000MB0341032Y", "1", 1).text
    return record | {"certificateIdentifier": identifier}


WRONG = {
    "a field is missing": (lambda r: {k: v for k, v in r.items() if k != "certificateNumber"}, "E01", "证照编号"),
    "a field is unknown": (lambda r: r | {"certificateColour": "红"}, "E01", "certificateColour"),
    "a field is no text": (lambda r: r | {"certificateName": ["x"]}, "E01", "应为文本"),
    "a character cannot be encoded": (lambda r: r | {"certificateHolderName": "\ud800"}, "E01", "无法编码"),
    "a control character": (lambda r: r | {"certificateHolderName": "赣\u0000州"}, "E01", "控制字符"),
    "an operation that does not exist": (lambda r: r | {"operateType": "11"}, "E01", "操作类型"),
    "a state that does not exist": (lambda r: r | {"certState": "08"}, "E01", "证照状态"),
    "a sequence that is none": (lambda r: r | {"operationSequence": 0}, "E01", "操作序号"),
    "a time without zone": (lambda r: r | {"operateTime": "2026-01-05T10:00:00"}, "E01", "操作时间"),
    "a day that does not exist": (lambda r: r | {"certificateIssuedDate": "2026-02-30"}, "E01", "证照颁发日期"),
    "a wrong check character": (wrong_check, "E02", "校验位"),
    "an identifier of another form": (lambda r: r | {"certificateIdentifier": "1.2.3"}, "E02", "证照标识"),
    "an unknown type": (lambda r: r | {"certificateTypeCode": "11360700MB1A2B3CX8999"}, "E03", "不存在或未发布"),
    "another name than the type's": (lambda r: r | {"certificateName": "别的证"}, "E03", "目录为"),
    "another issuer than the identifier's": (other_issuer, "E05", "颁发机构"),
    "a wrong holder code": (lambda r: r | {"certificateHolderCode": "91350100M000100Y44"}, "E06", "持证主体代码"),
    "a validity that ends before it begins": (
        lambda r: r | {"certificateEffectiveDate": "2032-01-01"}, "E07", "早于起始日期"),
    "an operation that cannot lead there": (lambda r: r | {"certState": "03"}, "E10", "不能导致"),
    "a first event that is none": (lambda r: r | {"operateType": "03", "certState": "02"}, "E11", "未归集"),
    "a first edition that is not 001": (second_edition, "E19", "证照标识"),
    "a digest of another file": (lambda r: r | {"fileDigest": "00" * 32}, "E16", "摘要"),
    "a size of another file": (lambda r: r | {"fileSize": 7}, "E16", "大小"),
    "a file that is no PDF": (
        lambda r: r | {"fileData": base64.b64encode(b"x").decode(), "fileSize": 1,
                       "fileDigest": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},
        "E16", "无法读取"),
    "no file": (lambda r: {k: v for k, v in r.items() if not k.startswith("file")}, "E17", "须附证照文件"),
    "a file with other facts": (lambda r: with_file(r, {"facts": {"scope": "别的"}}), "E19", "scope"),
    "a file of another number": (lambda r: with_file(r, {"number": "别的号"}), "E19", "证照编号"),
    "a file of another holder": (
        lambda r: with_file(r, {"holder": {"name": "x", "code": "别", "code_type": "001"}}), "E19", "持证主体代码"),
    "a file valid longer": (lambda r: with_file(r, {"valid_until": "2039-01-01"}), "E19", "截止日期"),
    "Base64 that is none": (lambda r: r | {"fileData": "***"}, "E01", "Base64"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_record_is_refused_with_its_reason(city, push, record, certificate, case):
    """Every kind of wrong record is an error that names what is wrong, and leaves nothing behind but the refusal."""
    change, code, word = WRONG[case]
    ((kind, given, message),) = push(change(copy.deepcopy(record(certificate(), "issue", 1))))
    assert (kind, given) == ("error", code), message
    assert word in message
    store = city.app.state.repository.store
    for table in ("event", "record", "holder", "file"):  # under whatever key a wrong identifier would have led to
        assert store.rows(f"SELECT * FROM {table}") == []
    assert [tuple(row) for row in store.rows("SELECT code, message FROM refusal")] == [(code, message)]


def test_all_faults_of_a_record_are_named_at_once(push, record, certificate):
    """Two wrong fields are two reasons in one answer."""
    wrong = record(certificate(), "issue", 1) | {"certificateHolderCode": "1", "certificateName": "别的证"}
    ((_, _, message),) = push(wrong)
    assert "类型目录" in message
    assert "持证主体代码" in message


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_value_of_any_field_breaks_the_intake(push, record, certificate, data):
    """A sound record with a few members of any kind: an answer for it, never a failure of the repository."""
    whole = record(certificate(), "issue", 1)
    names = st.sampled_from(sorted(whole)) | st.text(max_size=12)
    changes = data.draw(st.dictionaries(names, ANYTHING, min_size=1, max_size=3))
    ((kind, code, message),) = push({**whole, **changes})
    assert kind in {"success", "error"}
    assert code[0] == {"success": "S", "error": "E"}[kind]
    assert message
    optional = {field.name for field in load_codes().fields if not field.required}
    not_given = {name for name, value in changes.items() if value is None and name in optional}
    if kind == "success":  # then every change was of a member that may be so; null in an optional one is none at all
        assert all(isinstance(changes[name], str | int | dict) for name in changes.keys() - not_given)


def test_null_does_for_no_required_member(push, record, certificate):
    """It is asked for as if it were not there; a member that is not known is refused with null, too."""
    required = [field.name for field in load_codes().fields if field.required]
    assert required
    for name in (*required, "other"):
        ((kind, code, _),) = push({**record(certificate(), "issue", 1), name: None})
        assert (kind, code) == ("error", "E01"), name


def test_records_are_answered_one_by_one(city, push, record, certificate):
    """In one push the sound record is taken in and the wrong one refused."""
    good, bad = certificate(), certificate()
    answers = push(record(good, "issue", 1), wrong_check(record(bad, "issue", 1)))
    assert [(kind, code) for kind, code, _ in answers] == [("success", "S01"), ("error", "E02")]
    assert len(city.events(good.key)) == 1


IN_FORCE = (("issue", {}),)
SUSPENDED = (*IN_FORCE, ("suspend", {"state": "suspended", "cause": "penalty"}))
REVOKED = (*IN_FORCE, ("revoke", {"state": "revoked", "cause": "revoked"}))
CANCELLED = (*IN_FORCE, ("cancel", {"state": "cancelled", "cause": "request"}))
ILLEGAL = {
    "a change while suspended": (SUSPENDED, "change", {}, "证照现为“暂扣”，不能变更"),
    "a renewal while suspended": (SUSPENDED, "renew", {}, "证照现为“暂扣”"),
    "a second suspension": (SUSPENDED, "suspend", {"state": "suspended"}, "证照现为“暂扣”"),
    "giving back what nobody took": (IN_FORCE, "resume", {}, "证照现为“有效”"),
    "a change after revocation": (REVOKED, "change", {}, "证照现为“撤销”"),
    "giving back what was revoked": (REVOKED, "resume", {}, "证照现为“撤销”"),
    "a suspension after cancellation": (CANCELLED, "suspend", {"state": "suspended"}, "证照现为“注销”"),
    "a revocation after cancellation": (
        CANCELLED,
        "revoke",
        {"state": "revoked", "cause": "revoked"},
        "证照现为“注销”",
    ),
}


@pytest.mark.parametrize("case", ILLEGAL)
def test_an_illegal_step_is_refused(city, push, record, certificate, case):
    """What the state does not allow is refused, naming state and operation, and the certificate stays as it was."""
    life, operation, options, said = ILLEGAL[case]
    one = certificate()
    push(*(record(one, step, place, **words) for place, (step, words) in enumerate(life, start=1)))
    before = (city.events(one.key), city.record(one.key))
    assert len(before[0]) == len(life)
    ((kind, code, message),) = push(record(one, operation, len(life) + 1, **options))
    assert (kind, code) == ("error", "E11")
    assert said in message
    assert (city.events(one.key), city.record(one.key)) == before


def test_a_stale_write_is_refused(city, push, record, certificate):
    """Another content under a sequence already taken is refused, and what was there stays."""
    one = certificate()
    first = record(one, "issue", 1)
    push(first)
    ((kind, code, _),) = push(first | {"certificateHolderName": "改名公司"})
    assert (kind, code) == ("error", "E13")
    assert "改名公司" not in city.record(one.key)["metadata"]


def test_a_correction_replaces_what_was_sent(city, push, record, certificate):
    """The same record as a correction (更正) takes the place of the one before."""
    one = certificate()
    first = record(one, "issue", 1)
    push(first)
    assert push(first | {"certificateHolderName": "改名公司"}, method="GZ")[0][:2] == ("success", "S03")
    assert "改名公司" in city.record(one.key)["metadata"]


def test_a_gap_is_refused_except_for_a_revocation(city, push, record, certificate):
    """An event whose predecessor is missing is refused; a revocation that says so is taken in with a warning."""
    one, two = certificate(), certificate()
    change = [record(one, "issue", 1), record(one, "change", 2)][1]
    assert push(change)[0][:2] == ("error", "E14")
    record(two, "issue", 1)
    revocation = record(two, "revoke", 3, state="revoked", cause="revoked", unknown=True)
    assert push(revocation)[0][:2] == ("warning", "W01")
    assert city.record(two.key)["missing"] == "[1, 2]"
    silent = {name: value for name, value in revocation.items() if name != "predecessorUnknown"}
    assert push(silent | {"operationSequence": 9})[0][:2] == ("error", "E14")


def test_what_comes_late_fills_the_history_only(city, push, record, certificate):
    """A predecessor that arrives after the revocation is kept with a warning; the certificate stays revoked."""
    one = certificate()
    issue = record(one, "issue", 1)
    push(record(one, "revoke", 2, state="revoked", cause="revoked", unknown=True))
    assert push(issue)[0][:2] == ("warning", "W02")
    record_now = city.record(one.key)
    assert (record_now["state"], record_now["missing"]) == ("03", "[]")
    assert record_now["file_sha256"] == issue["fileDigest"]


def test_a_new_edition_names_its_predecessor(push, record, certificate):
    """An edition whose predecessor is not the one held is refused."""
    one = certificate()
    push(record(one, "issue", 1))
    change = record(one, "change", 2)
    assert push(change | {"associatedZzeCertID": change["certificateIdentifier"]})[0][1] == "E15"
    assert push(change)[0][1] == "S01"


def test_an_imported_certificate_has_its_first_edition_to_come(city, push, record, certificate):
    """A certificate registered after the fact comes without a file; its first edition takes the same identifier."""
    one = certificate()
    imported = record(one, "import", 1)
    without = {name: value for name, value in imported.items() if not name.startswith("file")}
    assert push(without)[0][:2] == ("success", "S01")
    one.edition, one.identifiers = 0, []
    assert push(record(one, "change", 2))[0][:2] == ("success", "S01")
    assert push(record(one, "change", 3))[0][:2] == ("success", "S01")
    assert city.record(one.key)["edition"] == 2


def test_files_are_read_side_by_side(certificate):
    """Many threads reading files at once each get the facts of their own file."""
    files = []
    for _ in range(4):
        message, data = certificate().message("issue")
        files.append((message["identifier"], data))

    def read(place):
        identifier, data = files[place % len(files)]
        return attached_facts(data).identifier == identifier

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(800)))


def test_a_number_belongs_to_one_certificate(push, record, certificate):
    """Another certificate of the type cannot take a number that is in use."""
    one, two = certificate(), certificate()
    first, second = record(one, "issue", 1), record(two, "issue", 1)
    push(first)
    same = with_file(second | {"certificateNumber": first["certificateNumber"]}, {})
    assert push(same)[0][1] == "E20"


def test_a_revocation_stays_after_the_number_is_closed(city, push, record, certificate):
    """After revocation and cancellation the repository still says revoked."""
    one = certificate()
    push(
        record(one, "issue", 1),
        record(one, "revoke", 2, state="revoked", cause="revoked"),
        record(one, "cancel", 3, state="cancelled", cause="revoked"),
    )
    assert [state for _, _, state in city.events(one.key)] == ["01", "03", "03"]
    assert "撤销并已注销" in city.record(one.key)["metadata"]


@pytest.mark.parametrize(
    ("account", "status"), [("window", 403), ("nobody", 401)], ids=["without the right", "without an account"]
)
def test_only_those_with_the_right_may_push(city, account, status):
    """An account without the right to push, and a caller without account, get nowhere."""
    form = {"grant_type": "client_credentials", "client_id": account, "client_secret": f"development-only-{account}"}
    token = httpx2.post(f"{city.url}/token", data=form).json().get("access_token", "none")
    body = {"MethodName": "GJ", "AcceptData": [{}]}
    answer = httpx2.post(f"{city.url}/push", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


def test_the_matrix_uses_codes_that_exist():
    """Every operation and state of the matrix stands in the code tables, and every operation has a row."""
    codes = load_codes()
    operations = {row.operation for row in codes.matrix}
    states = {state for row in codes.matrix for state in row.origins | row.targets} - {"-", "="}
    assert operations == set(codes.tables["operations"])
    assert states == set(codes.tables["states"])


def test_the_shipped_types_are_the_catalogues():
    """The repository's type catalogue lists what the library can issue; if not, run tests/city/build_types.py."""
    assert build_types.TYPES.read_text(encoding="utf-8") == build_types.types_json(build_types.load_catalogue())


def test_an_issuer_in_the_catalogue_has_a_sound_code():
    """The codes used in these tests are well formed, so that refusals are for the reason named."""
    assert CertificateIdentifier(TYPE_CODE, ISSUER, "1", 1).text.count(".") == 9
