"""What is answered before routing: the same answer as the route's own, with id, headers and count."""

from typing import Any

import pytest

from service.front import Front
from service.pages.site import tight

ADDRESSES = ("/v", "/v/page.js", "/v/page.css", "/v/sw.js", "/public/trust", "/public/seals", "/public/status/0")
CALLERS: tuple[dict[str, str], ...] = ({}, {"Accept-Encoding": "identity"}, {"If-None-Match": "its own"})


@pytest.fixture
def behind(web: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask the route, with nothing in front of it."""

    def ask(address: str, headers: dict[str, str]) -> Any:
        with monkeypatch.context() as without:
            without.setattr(Front, "_kept", lambda *_: None)
            return web.http.get(address, headers=headers)

    return ask


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("caller", CALLERS)
def test_the_front_answers_as_the_route_does(web: Any, behind: Any, address: str, caller: dict[str, str]) -> None:
    """Status, headers and bytes: plain, compressed, and 304 for who has it."""
    first = web.http.get(address)  # from now on it lies on the shelf
    given = {name: first.headers["etag"] if value == "its own" else value for name, value in caller.items()}
    here, there = web.http.get(address, headers=given), behind(address, given)
    assert here.status_code == there.status_code == (304 if "If-None-Match" in given else 200)
    assert here.content == there.content
    assert {**here.headers, "x-request-id": ""} == {**there.headers, "x-request-id": ""}
    assert len(here.headers["x-request-id"]) == 24


def test_what_is_no_get_or_unknown_goes_to_the_routes(web: Any) -> None:
    """Another method is refused with a problem, an unknown part is not found, an odd number is none."""
    assert web.http.post("/v").status_code == 405
    assert web.http.delete("/public/trust").status_code == 405
    assert web.http.get("/v/nothing.js").status_code == 404
    assert web.http.get("/public/status/-1").status_code == 422


def test_the_front_is_counted_by_templates(web: Any) -> None:
    """Parts and shards make no series of their own."""
    before = set(_counts(web))  # the application is other tests' too
    for address in (*ADDRESSES, *ADDRESSES):
        web.http.get(address)
    grown = set(_counts(web)) - before
    routes = {line.split('route="')[1].split('"')[0] for line in grown if 'method="GET"' in line}
    assert routes == {"/v", "/v/{name:path}", "/public/trust", "/public/seals", "/public/status/{shard}"}


def test_scripts_lose_only_the_spaces_they_do_not_need() -> None:
    """What stands in strings, templates and regular expressions stays as it is."""
    script = b"""const a = 'x = (1, 2)', b = "c ; d", c = `e, ${f} ( g`, d = /h ([^/] ,)? = i/g;"""
    slimmer = b"""const a='x = (1, 2)',b="c ; d",c=`e, ${f} ( g`,d=/h ([^/] ,)? = i/g;"""
    assert tight(script) == slimmer
    assert tight(b"if (a + +b) return c / d;") == b"if(a + +b)return c / d;"
    lines = b"f(() => {\na(1,\n2); // isn't it;\nreturn `{\n;`;\n});\nlet x = 1\nlet y;\n"
    assert tight(lines) == b"f(()=>{a(1,2);\nreturn `{\n;`});let x=1\nlet y;"


def _counts(web: Any) -> list[str]:
    return [line for line in web.service.metrics.text().decode().splitlines() if "certlib_requests_total{" in line]
