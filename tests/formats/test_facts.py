"""facts.json: one text for one meaning, and digests over it."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.formats.facts import Facts, canonical, commitment, facts_attachment, facts_digest, read_facts

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
facts = st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), words, max_size=8)
VALUES: dict[str, object] = {
    "kind": "certificate",
    "type_key": "gas-licence",
    "title": "燃气经营许可证",
    "identifier": "",
    "number": "赣202607001号",
    "edition": 2,
    "n": 9,
    "salt": bytes(16),
    "facts": {"number": "赣202607001号"},
    "holder": {"name": "晴川燃气", "code": "", "code_type": "001"},
    "issuer": {"name": "赣州市行政审批局"},
    "issued_on": "2026-03-09",
    "valid_until": "2031-03-08",
}


def made(**changes: object) -> bytes:
    return facts_attachment(**{**VALUES, **changes})  # type: ignore[arg-type]


@given(facts, words, words)
def test_facts_are_read_as_they_were_written(printed: dict[str, str], title: str, number: str) -> None:
    """Any texts that UTF-8 can hold."""
    read = read_facts(made(facts=printed, title=title, number=number, silent=["number"]))
    assert isinstance(read, Facts)
    assert (read.printed, read.title, read.number) == (printed, title, number)
    assert read.silent == {"number"}
    assert read.digest == facts_digest(bytes(16), printed)


@given(facts)
def test_the_text_does_not_depend_on_the_order_of_keys(printed: dict[str, str]) -> None:
    """The same facts in any order give the same bytes and digests."""
    turned = dict(reversed(printed.items()))
    assert canonical(printed) == canonical(turned)
    assert commitment(bytes(32), printed) == commitment(bytes(32), turned)


def test_digests_are_as_documented() -> None:
    """SHA-256 over salt and text, cut to 16 bytes for the code, whole for the journal."""
    text = '{"a":"甲","b":"乙"}'.encode()
    printed = {"b": "乙", "a": "甲"}
    assert facts_digest(b"s" * 16, printed) == hashlib.sha256(b"s" * 16 + text).digest()[:16]
    assert commitment(b"s" * 32, printed) == hashlib.sha256(b"s" * 32 + text).digest()
    for digest, salt in ((facts_digest, b"s" * 32), (commitment, b"s" * 16)):
        with pytest.raises(ValueError, match="salt"):
            digest(salt, printed)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"edition": True},
        {"n": -1},
        {"salt": b"short"},
        {"issued_on": "2026-02-30"},
        {"facts": {"a": 1}},
        {"holder": {"name": None}},
        {"number": "\ud800"},
    ],
)
def test_what_could_not_be_read_back_is_not_written(change: dict[str, object]) -> None:
    """The attachment is sealed and cannot be mended afterwards."""
    with pytest.raises(ValueError, match=r"."):
        made(**change)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b" " + data,
        lambda data: data.replace(b'"n":9', b'"n":9,"n":9'),
        lambda data: data.replace(b'"n":9', b'"n": 9'),
        lambda data: data.replace(b'"version":1', b'"version":2'),
        lambda data: data.replace(b'"n":9', b'"n":9.0'),
        lambda data: data.replace("燃".encode(), b"\\u71c3"),
        lambda data: b"[" * 50_000,
        lambda data: b"null",
        lambda data: b"\xff",
        lambda data: json.dumps(json.loads(data)).encode(),
        lambda data: data + b" " * (1 << 20),
    ],
)
def test_another_text_of_the_same_facts_is_refused(spoil: object) -> None:
    """Spaces, doubled keys, escapes, a version of the future, nonsense: two readers might differ."""
    with pytest.raises(ValueError, match=r"."):
        read_facts(spoil(made()))  # type: ignore[operator]
