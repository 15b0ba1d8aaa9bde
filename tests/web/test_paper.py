"""Paper, existing certificates, evidence and mass actions by HTTP."""

from __future__ import annotations

import io
import zipfile
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from certlib.catalogue.examples import existing
from tests.web.conftest import STRANGER, Web, faults_of

KIND = "medical-device-licence"
COLLECTED = {"collector": "陈志远", "relation": "holder", "document": "居民身份证", "receipt": "送达〔2026〕1号"}


def ordered(**parts: Any) -> dict[str, Any]:
    """A decision of the city's own motion."""
    return {
        "kind": "ex-officio",
        "authority": "ganzhou-approval",
        "basis": "《中华人民共和国行政许可法》第八条",
        "grounds": "法律修改，本类许可取消",
        "decided_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat(),
        **parts,
    }


def test_paper_goes_from_stock_to_its_holder(web: Web) -> None:
    """Received, allotted, printed at the window, collected against proof; the ledger balances."""
    blanks = {"type": KIND, "first": "WB000001", "last": "WB000009", "person": "王素珍", "witness": "李文静"}
    assert web.post(blanks, path="/v1/paper/blanks").json() == {"received": 9}
    move = {"act": "allot", "first": "WB000001", "last": "WB000004", "window": "一号窗口", "person": "王素珍"}
    assert web.post(move, path="/v1/paper/blanks/moves").status_code == 200
    identifier = web.issued()["identifier"]
    job = {"identifier": identifier, "purpose": "窗口出证", "window": "一号窗口"}
    printed = web.post(job, path="/v1/paper/prints")
    assert printed.status_code == 201, printed.text
    (sheet,) = printed.json()["sheets"]
    assert sheet["serial"] == "WB000001"
    path = f"/v1/paper/sheets/{sheet['id']}/acts"
    missing = web.post({"act": "collect", "record": {**COLLECTED, "receipt": ""}}, path=path)
    assert (missing.status_code, faults_of(missing)) == (422, {"receipt": "required"})
    assert web.post({"act": "collect", "record": COLLECTED}, path=path, client=STRANGER).status_code == 404
    assert web.post({"act": "collect", "record": COLLECTED}, path=path).json()["state"] == "collected"
    again = web.post({"act": "collect", "record": COLLECTED}, path=path)
    assert again.status_code == 409
    stock = web.http.get("/v1/paper/stock", headers=web.headers()).json()
    assert [finding["outcome"] for finding in stock["findings"]] == ["pass"]


def test_a_window_s_printer_is_aligned(web: Web) -> None:
    """Kept by name, listed; what is no distance or too far is a fault."""
    right = {"window": "三号窗口", "x": 1.5, "y": -0.8, "person": "李明"}
    assert web.post(right, path="/v1/paper/windows").json() | {"at": ""} == {**right, "at": ""}
    wrong = {"x": ["x"], "window": ["window"], "person": ["person"]}
    for name, paths in wrong.items():
        refused = web.post({**right, name: None}, path="/v1/paper/windows")
        assert (refused.status_code, list(faults_of(refused))) == (422, paths)
    assert faults_of(web.post({**right, "y": 50}, path="/v1/paper/windows")) == {"y": "too-far"}
    listed = web.http.get("/v1/paper/windows", headers=web.headers()).json()["windows"]
    assert [one["window"] for one in listed] == ["三号窗口"]


def test_an_existing_certificate_is_registered(web: Web) -> None:
    """Once, by the authority whose it is; a stranger's client is refused."""
    raw = deepcopy(dict(existing("2-26", now=datetime.now(UTC), variant=777)))
    raw = {key: value for key, value in raw.items() if key not in {"item", "case"}}
    raw |= {
        "decision": ordered(grounds="存量证照补录"),
        "second_person": "李复核",
        "issued_on": raw["valid_from"],
        "source": "档案 2021-118",
        "scan_sha256": "ab" * 32,
    }
    refused = web.post(raw, path="/v1/certificates/imports", client=STRANGER)
    assert (refused.status_code, faults_of(refused)) == (422, {"decision.authority": "not-your-authority"})
    answer = web.post(raw, path="/v1/certificates/imports")
    assert answer.status_code == 201, answer.text
    assert answer.json()["imported"]
    assert web.post(raw, path="/v1/certificates/imports").status_code == 409


def test_the_marked_copy_and_the_evidence_are_downloads(web: Web) -> None:
    """Both for those who may read the certificate, and for nobody else."""
    body = web.issued()
    base = f"/v1/certificates/{body['identifier']}/editions/1"
    copy = web.http.get(f"{base}/marked", headers=web.headers())
    assert copy.content.startswith(b"%PDF-")
    pack = web.http.get(f"{base}/evidence", headers=web.headers())
    with zipfile.ZipFile(io.BytesIO(pack.content)) as archive:
        assert {"README.md", "SHA256SUMS", "certificate.pdf", "seal.p7s"} <= set(archive.namelist())
    for part in ("marked", "evidence"):
        assert web.http.get(f"{base}/{part}", headers=web.headers(STRANGER)).status_code == 404


def test_a_mass_action_is_tried_approved_and_called_off(web: Web) -> None:
    """A dry run changes nothing; the proposer does not approve; it can be called off within its window."""
    web.issued()
    request = {"decision": ordered(), "cause": "law-changed"}
    body = {"action": "withdraw", "request": request, "where": {"type": KIND}, "person": "甲", "reason": "法律修改"}
    tried = web.post({**body, "dry_run": True}, path="/v1/mass-actions")
    assert tried.status_code == 200
    assert tried.json()["lines"]
    proposal = web.post(body, path="/v1/mass-actions").json()
    path = f"/v1/mass-actions/{proposal['id']}"
    assert web.post({"person": "甲"}, path=f"{path}/approval").status_code == 409
    assert web.post({"person": "乙"}, path=f"{path}/approval").json()["state"] == "approved"
    assert web.http.delete(path, headers=web.headers()).json()["state"] == "cancelled"
    wide = web.post({**body, "where": {}}, path="/v1/mass-actions")
    assert (wide.status_code, faults_of(wide)) == (422, {"where": "too-wide"})
