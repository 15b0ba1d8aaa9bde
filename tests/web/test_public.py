"""The public addresses: lists with ETag, look-ups with a proof, files, the journal; nothing for the curious."""

import contextlib
import hashlib
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from certlib.formats.status import read_status_list
from certlib.formats.tlog_tiles import WIDTH
from certlib.formats.trust import read_trust_list
from certlib.register.tables import EditionRow
from service.published import MOMENT
from service.refusals import TooManyRequestsError


def _edition(web: Any, identifier: str) -> EditionRow:
    with web.office.register.reader() as session:
        return session.exec(select(EditionRow).where(EditionRow.identifier == identifier)).one()


def _look_up(web: Any, **proof: Any) -> Any:
    return web.http.post("/public/certificates", json=proof)


def test_the_lists_are_signed_and_cached_by_tag(web: Any) -> None:
    """Trust list and status list read with their own readers; a known tag answers 304 without a body."""
    web.issued()
    for address in ("/public/trust", "/public/status/0", "/log/checkpoint"):
        first = web.http.get(address)
        again = web.http.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert "no-cache" in first.headers["cache-control"]
        assert first.headers["access-control-allow-origin"] == "*"
    trust = read_trust_list(web.http.get("/public/trust").content, web.service.roots)
    listed = read_status_list(web.http.get("/public/status/0").content, trust)
    assert listed.high_water >= 1


def test_a_change_is_in_the_list_a_moment_after_the_next_tick(web: Any) -> None:
    """A suspension shows in the public list, whose tag changes with it."""
    body = web.issued()
    time.sleep(MOMENT)
    before = web.http.get("/public/status/0")
    order = {
        "kind": "other-authority",
        "authority": "赣州市市场监督管理局",
        "document_number": "赣市监罚〔2026〕19号",
        "decided_at": datetime.now(UTC).isoformat(),
        "file_sha256": "0" * 64,
        "grounds": "责令停业整顿",
    }
    headers = {"If-Match": f'"{body["version"]}"'}
    act = {"action": "suspend", "cause": "penalty", "decision": order}
    done = web.post(act, path=f"/v1/certificates/{body['identifier']}/actions", **headers)
    assert done.status_code == 200, done.text
    web.office.tick()
    time.sleep(MOMENT)
    after = web.http.get("/public/status/0")
    trust = read_trust_list(web.office.trust_list, web.service.roots)
    assert read_status_list(before.content, trust).status(body["n"]) == 0
    assert read_status_list(after.content, trust).status(body["n"]) == 2
    assert before.headers["etag"] != after.headers["etag"]


def test_the_signed_code_opens_the_look_up(web: Any) -> None:
    """The code's whole text, or its fragment: verdict, words and the masked fields, in the paper's order."""
    body = web.issued()
    text = _edition(web, body["identifier"]).code_text
    for proof in (text, text.partition("#")[2]):
        answer = _look_up(web, code=proof).json()
        assert (answer["verdict"], answer["words"]["zh"]) == ("valid", "真实有效")
        labels = [field["label"] for field in answer["fields"]]
        assert labels[:2] == ["证照名称", "编号"]
        assert body["number"] in [field["value"] for field in answer["fields"]]


@pytest.mark.parametrize("code", ["1", "hello", "https://else.example/v#123", "2" + "0" * 60, "1" + "9" * 17])
def test_a_code_that_proves_nothing(web: Any, code: str) -> None:
    """A verdict that is not green, and no field but the reason."""
    answer = _look_up(web, code=code)
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "unreadable"
    assert {field["label"] for field in answer.json()["fields"]} <= {"说明"}


def test_an_edited_code_is_a_suspected_forgery(web: Any) -> None:
    """The signature of another code: nothing of the payload comes back."""
    one, other = (_edition(web, web.issued()["identifier"]).code_text for _ in range(2))
    answer = _look_up(web, code=one[:-85] + other[-85:]).json()
    assert answer["verdict"] == "signature-invalid"
    assert {field["label"] for field in answer["fields"]} <= {"说明"}


def test_number_and_check_code_open_it_too(web: Any) -> None:
    """As printed, or as a person types it."""
    body = web.issued()
    check = _edition(web, body["identifier"]).check_code
    for typed in (check, check.lower().replace("-", " ")):
        answer = _look_up(web, number=body["number"], check=typed)
        assert answer.json()["verdict"] == "valid", answer.text


def test_unknown_and_wrong_answer_alike(web: Any) -> None:
    """An unknown number and a known number with a wrong check code: the same bytes, and nothing to learn."""
    body = web.issued()
    unknown = _look_up(web, number="赣虔药监械经营许20269999号", check="AAAA-AAAA")
    wrong = _look_up(web, number=body["number"], check="AAAA-AAAA")
    assert unknown.status_code == wrong.status_code == 404
    assert unknown.content == wrong.content
    varying = {"x-request-id"}
    assert {k: v for k, v in unknown.headers.items() if k not in varying} == {
        k: v for k, v in wrong.headers.items() if k not in varying
    }


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"number": "x"},
        {"check": "x"},
        {"code": "1", "number": "x", "check": "y"},
        {"code": 7},
        {"code": "1" * 3000},
        {"number": ["x"], "check": {}},
        {"n": 1},
    ],
    ids=str,
)
def test_what_is_no_proof(web: Any, proof: dict[str, Any]) -> None:
    """422: the number alone, the index alone, both at once, other types."""
    assert _look_up(web, **proof).status_code == 422


def test_look_ups_by_the_thousand_are_slowed(web: Any) -> None:
    """Beyond the limit for one number: 429 with Retry-After, for the right check code as well."""
    body = web.issued()
    check = _edition(web, body["identifier"]).check_code
    limit = web.service.settings.lookups_per_number
    answers = [_look_up(web, number=body["number"], check="AAAA-AAAA").status_code for _ in range(limit)]
    assert set(answers) == {404}
    last = _look_up(web, number=body["number"], check=check)
    assert (last.status_code, last.json()["code"]) == (429, "too-many-requests")
    assert int(last.headers["retry-after"]) > 0


def test_guessing_number_after_number_is_slowed(web: Any) -> None:
    """Whoever tries another number each time runs into the limit of the address, whatever is right among them."""
    body = web.issued()
    check = _edition(web, body["identifier"]).check_code
    numbers = [f"赣虔药监械经营许2026{n:04}号" for n in range(1000, 1005)]
    assert {_look_up(web, number=number, check="AAAA-AAAA").status_code for number in numbers} == {404}
    limit = web.service.settings.lookups_per_minute
    for _ in range(limit - len(numbers)):  # the thousand others of this minute
        with contextlib.suppress(TooManyRequestsError):
            web.service.counting.per_minute("lookup", "127.0.0.1", limit)
    refused = [_look_up(web, number=number, check=check) for number in (*numbers, body["number"])]
    web.service.counting._windows._calls.clear()
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(429, "too-many-requests")}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)


def test_a_digest_asks_without_sending_the_file(web: Any) -> None:
    """The issued file's SHA-256 has its certificate's verdict; any other is not issued."""
    body = web.issued()
    known = web.http.post("/public/files", json={"sha256": body["sha256"]}).json()
    other = web.http.post("/public/files", json={"sha256": hashlib.sha256(b"else").hexdigest()}).json()
    assert (known["issued"], known["verdict"], known["n"]) == (True, "valid", body["n"])
    assert other["issued"] is False
    assert web.http.post("/public/files", json={"sha256": "zz"}).status_code == 422


def _send(web: Any, pdf: bytes) -> dict[str, Any]:
    response = web.http.post("/public/files", content=pdf, headers={"Content-Type": "application/pdf"})
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_a_file_is_examined(web: Any) -> None:
    """The issued file is valid; one with bytes after its end is not, and shows none of its facts."""
    body = web.issued()
    pdf = web.http.get(body["links"]["file"], headers=web.headers()).content
    good, changed = _send(web, pdf), _send(web, pdf + b"\n% more")
    assert good["verdict"] == "valid"
    assert body["number"] in str(good["fields"])
    assert changed["verdict"] in {"altered", "not-the-issued-file"}
    assert any(finding["outcome"] == "fail" for finding in changed["findings"])


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7\n" + b"x" * 1000, b"PK\x03\x04" + bytes(100)], ids=repr)
def test_what_cannot_be_read_has_a_verdict(web: Any, data: bytes) -> None:
    """Never an error of ours: the answer is that it cannot be read, or bears no seal."""
    assert _send(web, data)["verdict"] in {"unreadable", "unsealed"}


def test_a_file_beyond_the_limit(web: Any) -> None:
    """Twenty-five megabytes: 413."""
    response = web.http.post(
        "/public/files", content=b"%PDF-" + bytes(25_000_000), headers={"Content-Type": "application/pdf"}
    )
    assert (response.status_code, response.json()["limit"]) == (413, 20_000_000)


def test_three_hundred_megabytes_of_unknown_length(web: Any) -> None:
    """A stream without declared length is cut off at the limit, and the service goes on."""
    block = bytes(1_000_000)
    sent = (block for _ in range(300))
    response = web.http.post("/public/files", content=sent, headers={"Content-Type": "application/pdf"})
    assert (response.status_code, response.json()["code"]) == (413, "body-too-large")
    assert web.http.get("/public/trust").status_code == 200


def test_another_media_type_than_pdf(web: Any) -> None:
    """415 before anything is read."""
    response = web.http.post("/public/files", content=b"x", headers={"Content-Type": "image/png"})
    assert response.status_code == 415


def test_the_journal_is_served_as_tiles(web: Any) -> None:
    """Checkpoint, hashes and entries, partial and for ever."""
    web.issued()
    size = int(web.http.get("/log/checkpoint").text.splitlines()[1])
    width = size % WIDTH
    index = f"{size // WIDTH:03d}"
    hashes = web.http.get(f"/log/tile/0/{index}.p/{width}")
    entries = web.http.get(f"/log/tile/entries/{index}.p/{width}")
    assert (hashes.status_code, len(hashes.content)) == (200, 32 * width)
    assert entries.status_code == 200
    assert "immutable" in hashes.headers["cache-control"]
