"""The page of dead letters in a real browser: read on a phone and on a desk, accessible, with no script of its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from certlib.catalogue import example
from certlib.issue.composition import open_office
from certlib.issue.office import Office
from certlib.issue.repairing import city_queue
from certlib.issue.replaying import hooks_of, queue_of
from certlib.issue.settings import Settings
from service.app import create_app
from service.clients import read_key
from service.commands import DEVELOPMENT_CLIENT, development_key_file, open_service
from service.settings import load_service_settings
from service.tokens import token_request

from .conftest import DESKTOP, PHONE, violations, visit

BASE = "http://127.0.0.1"
REASON = "[E03] 持证主体代码与登记不符：字段 holderIdentityNumberOfTheCertificate 校验位错误"


WORDS = "[given-up] 重试 1000 次未成功，最后原因：目标 supervision.example:8443 未接收（500）：internal error"
HOOKS: tuple[dict[str, Any], ...] = tuple(
    {"name": name, "url": f"https://{host}/hook", "secret": "env:SECRET", kind: ["*"]}
    for name, host, kind in (
        ("market-regulation", "supervision.example:8443", "supervises"),
        ("window", "window.example", "authorities"),
    )
)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office of whose three events the repository refused two, and a supervising department one."""
    hosts = ("supervision.example:8443", "window.example")
    settings = Settings(
        home=tmp_path_factory.mktemp("office"), suite="p256-sha256", webhooks=HOOKS, webhook_hosts=hosts
    )
    with open_office(settings) as office:
        for made in range(3):
            request = dict(example("2-25", now=office.register.now(), variant=made))
            request["case"] = {"number": f"360700-2026-{made:06}"}
            office.issue(request, client="test", key=str(made))
        queue, now = city_queue(office), office.register.now()
        for delivery in queue.claim("test", now, 2, 60.0):
            queue.dead(delivery, REASON, now)
        hook = queue_of(office, hooks_of(office)["market-regulation"])
        (event,) = hook.claim("test", now, 1, 60.0)
        hook.dead(event, WORDS, now)
        yield office


@pytest.fixture
def site(troubled: Office, serving: Callable[[Any], Iterator[str]]) -> Iterator[str]:
    """The service before it."""
    settings = load_service_settings(troubled.settings.home, public_url=BASE, worker=False)
    yield from serving(create_app(open_service(troubled, settings)))


@pytest.mark.parametrize(("name", "size"), [("letters", PHONE), ("letters-desktop", DESKTOP)])
def test_the_page_is_read_at_both_widths(chromium: Any, site: str, name: str, size: dict[str, int]) -> None:
    """Nothing hangs out, nothing is inaccessible, nothing is refused by the page's own policy."""
    key = read_key(development_key_file(DEVELOPMENT_CLIENT))
    form = token_request(DEVELOPMENT_CLIENT, key, audience=f"{BASE}/oauth/token", now=datetime.now(UTC))
    token = httpx2.post(f"{site}/oauth/token", data=form).json()["access_token"]
    answer = httpx2.post(f"{site}/v1/deliveries/links", headers={"Authorization": f"Bearer {token}"}).json()
    for phone in visit(chromium, site, size):
        phone.page.goto(str(answer["link"]).replace(BASE, site))
        assert phone.page.locator(".totals b").all_inner_texts() == ["2", "0", "1", "0"]
        assert phone.page.locator("section .fault").all_inner_texts() == [REASON, REASON, WORDS]
        assert phone.page.locator("h2").count() == 3  # the repository and two targets
        assert "webhook replay market-regulation --event evt_" in phone.page.locator("code").last.inner_text()
        assert phone.page.locator("script").count() == 0
        assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert violations(phone.page) == []
        phone.shot(name)
        assert phone.complaints == []
