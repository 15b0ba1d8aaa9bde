"""Statistics and 双公示 by HTTP: each scope its own, each tenant itself, files that spreadsheets open."""

import csv
import hashlib
import io
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from certlib.errors import ConfigurationError
from service.commands import open_service
from tests.web.conftest import READER, STRANGER, Web, faults_of

STATISTICS, PERMITS = "/v1/statistics", "/v1/permits"


def _get(web: Web, path: str, client: str = "", **query: str) -> Any:
    return web.http.get(path, params=query, headers=web.headers(client) if client else web.headers())


def _rows(response: Any) -> list[list[str]]:
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_the_figures_as_json_and_csv_agree(web: Web) -> None:
    """One more certificate is one more in every table, in both forms."""
    before = _get(web, STATISTICS).json()
    web.issued()
    report = _get(web, STATISTICS).json()
    assert report["totals"]["certificates"] == before["totals"]["certificates"] + 1
    assert sum(row["certificates"] for row in report["items"]) == report["totals"]["certificates"]
    assert _get(web, STATISTICS, table="items").json() == {"items": report["items"]}
    rows = _rows(_get(web, STATISTICS, table="items", format="csv"))
    assert [int(row[-1]) for row in rows[1:]] == [row["total"] for row in report["items"]]
    whole = _get(web, STATISTICS, format="csv")
    assert "按机关 · By authority" in {row[0] for row in _rows(whole) if row}
    assert "filename*=UTF-8''%E7%BB%9F%E8%AE%A1" in whole.headers["content-disposition"]


def test_a_tenant_sees_its_own_figures_only(web: Web) -> None:
    """Another authority's work is not in them, and may not be asked for."""
    web.issued()
    report = _get(web, STATISTICS, STRANGER).json()
    assert (report["authority"], report["totals"]["certificates"]) == ("ganzhou-education", 0)
    refused = _get(web, STATISTICS, STRANGER, authority="ganzhou-approval")
    assert (refused.status_code, faults_of(refused)) == (422, {"authority": "unknown"})


def test_without_the_scope_nothing_is_shown(web: Web) -> None:
    """A client that reads certificates does not read statistics, nor publish permits."""
    assert _get(web, STATISTICS, READER).status_code == 403
    assert _get(web, PERMITS, READER).status_code == 403
    assert web.http.get(STATISTICS).status_code == 401
    assert web.http.post(f"{STATISTICS}/links", headers=web.headers(READER)).status_code == 403


def test_a_wrong_question_names_its_fault(web: Web) -> None:
    """The place and the kind of each."""
    for query, path in (({"from": "2026-13-01"}, "from"), ({"item": "9-99"}, "item"), ({"table": "secrets"}, "table")):
        answer = _get(web, STATISTICS, **query)
        assert (answer.status_code, list(faults_of(answer))) == (422, [path])


def test_a_link_opens_the_page_and_nothing_else(web: Web) -> None:
    """It is no access token, an access token is no link, and the page allows no script."""
    link = web.http.post(f"{STATISTICS}/links", headers=web.headers()).json()["link"]
    page = web.http.get(link)
    assert page.status_code == 200
    assert "script" not in page.headers["content-security-policy"].replace("'none'", "")
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert page.headers["cache-control"] == "no-store"
    value = link.rpartition("/")[2]
    assert web.http.get(STATISTICS, headers={"Authorization": f"Bearer {value}"}).status_code == 401
    token = web.headers()["Authorization"].removeprefix("Bearer ")
    assert web.http.get(f"/statistics/{token}").status_code == 401
    assert web.http.get(f"{link}/items.csv").status_code == 200
    assert web.http.get(f"{link}/secrets.csv").status_code == 404


def test_a_tenants_page_shows_no_other_authority(web: Web) -> None:
    """Whatever the address asks for."""
    link = web.http.post(f"{STATISTICS}/links", headers=web.headers(STRANGER)).json()["link"]
    page = web.http.get(f"{link}?authority=ganzhou-approval").text
    assert 'role="alert"' in page
    assert "赣州市教育局" in page
    assert 'name="authority"' not in page


def test_permits_are_listed_exported_once_and_given_out_again(web_alone: Web) -> None:
    """Due, handed over with its digest, due no more; the file again is the same file, as JSON and CSV."""
    body = web_alone.issued()
    (due,) = _get(web_alone, PERMITS).json()["permits"]
    assert (due["number"], due["row"], due["days_left"]) == (body["number"], "new", 7)
    assert _get(web_alone, PERMITS, within="0").json() == {"permits": []}
    heading, line = _rows(_get(web_alone, PERMITS, format="csv"))
    assert line[heading.index("编号")] == body["number"]
    made = web_alone.http.post(f"{PERMITS}/exports", headers=web_alone.headers())
    assert (made.status_code, made.json()["rows"]["new"]) == (201, 1)
    for form in ("json", "csv"):
        data = web_alone.http.get(made.json()["links"][form], headers=web_alone.headers()).content
        assert hashlib.sha256(data).hexdigest() == made.json()["sha256"][form]
    (row,) = _get(web_alone, f"{PERMITS}/exports/1").json()
    assert row["XK_XKBH"] == body["number"]
    assert _get(web_alone, PERMITS).json() == {"permits": []}
    again = web_alone.http.post(f"{PERMITS}/exports", headers=web_alone.headers()).json()
    assert (again["number"], again["count"]) == (0, 0)
    assert [one["number"] for one in _get(web_alone, f"{PERMITS}/exports").json()["exports"]] == [1]
    assert _get(web_alone, f"{PERMITS}/exports/1", STRANGER).status_code == 404
    assert _get(web_alone, f"{PERMITS}/exports/9").status_code == 404
    assert json.loads(_get(web_alone, f"{PERMITS}/exports", STRANGER).content) == {"exports": []}


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_at_the_end_of_time_is_refused(web: Web, day: str) -> None:
    """It has no moments in every time zone: an answer with its fault, and not an error of the service."""
    answer = _get(web, "/v1/statistics", **{"from": day, "to": day})
    assert (answer.status_code, faults_of(answer).keys()) == (422, {"from", "to"})


def test_a_faulty_template_is_told_when_the_service_starts(web: Web, tmp_path: Path) -> None:
    """By the name of its file, and not at the first export; afterwards the file is read no more."""
    shipped = (files("certlib.city") / "data" / "publicity.toml").read_text(encoding="utf-8")
    template = tmp_path / "credit.toml"
    template.write_text(shipped.replace('heading = "', 'heading = "no'), encoding="utf-8")
    settings = web.service.settings.model_copy(update={"permits_template": template})
    with pytest.raises(ConfigurationError, match=r"credit\.toml"):
        open_service(web.office, settings)
    template.write_text(shipped, encoding="utf-8")
    service = open_service(web.office, settings)
    template.unlink()
    assert service.permits.template.fields
