"""Where webhooks may go: judged by the text of the address, and by what a name resolves to."""

import pytest

from certlib.domain.targets import Address, is_public, refusal
from certlib.errors import ConfigurationError

ALLOWED = {
    "hooks.example",
    "hooks.example:8443",
    "localhost",
    "printer",
    "db.internal",
    "127.0.0.1",
    "[::1]",
    "10.1.2.3",
    "8.8.8.8",
}

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_and_reserved_addresses_are_not_public(address: str) -> None:
    """IPv4, IPv6, IPv4 inside IPv6 in each of its forms, link-local with a scope, multicast, documentation."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "2400:3200::1", "::ffff:223.5.5.5"])
def test_public_addresses_are_public(address: str) -> None:
    """What lies on the internet may be dialled, also written as an IPv4 address inside IPv6."""
    assert is_public(address)


def test_a_name_is_no_address() -> None:
    """Only what the name resolves to can be judged."""
    assert not is_public("hooks.example")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("https://evil.example/", "允许名单"),
        ("https://hooks.example:9999/", "允许名单"),
        ("http://hooks.example/", "https"),
        ("https://127.0.0.1/", "内网"),
        ("https://[::1]/", "内网"),
        ("https://10.1.2.3/", "内网"),
        ("https://localhost/", "内网"),
        ("https://printer/", "内网"),
        ("https://db.internal/", "内网"),
    ],
)
def test_a_target_is_refused_with_its_reason(url: str, word: str) -> None:
    """Not on the list, not encrypted, private by number or by name: a sentence for each."""
    assert word in refusal(Address.parse(url), ALLOWED)


@pytest.mark.parametrize("url", ["https://hooks.example/x?y=1", "https://HOOKS.example:8443/", "https://8.8.8.8/"])
def test_an_allowed_target_is_taken(url: str) -> None:
    """Host and port are those of the list; letters' case does not matter."""
    assert refusal(Address.parse(url), ALLOWED) == ""


def test_development_may_go_where_it_likes_on_the_list() -> None:
    """With the setting of development, http and private addresses are taken, others' hosts still not."""
    assert refusal(Address.parse("http://127.0.0.1/"), ALLOWED, private=True) == ""
    assert "允许名单" in refusal(Address.parse("http://127.0.0.2/"), ALLOWED, private=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "ftp://hooks.example/",
        "https://",
        "https:///path",
        "https://user:secret@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example:99999/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://hooks.example./",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/ x",
        "https://hooks.example/\r\nHost: evil",
        "https://事项.example/",
        "https://[::1/",
        "https://a..b/",
    ],
)
def test_odd_addresses_are_refused(url: str) -> None:
    """Other ways of writing an IP address, accounts, fragments, control characters: never taken apart by guessing."""
    with pytest.raises(ConfigurationError):
        Address.parse(url)


def test_an_address_tells_its_parts() -> None:
    """The query stays in the path and out of what is shown."""
    address = Address.parse("https://[2400:3200::1]:8443/a/b?token=1")
    assert (address.host, address.port, address.path) == ("2400:3200::1", 8443, "/a/b?token=1")
    assert (address.place, address.text) == ("[2400:3200::1]:8443", "https://[2400:3200::1]:8443/a/b")
