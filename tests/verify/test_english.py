"""Findings in English: every wording of the verifier has its line, and carries what is of the file at hand."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from certlib.domain.verdict import Finding
from certlib.formats import code
from certlib.verify import english as table
from certlib.verify.english import english
from certlib.verify.meanings import in_english, told

HAN = re.compile("[\u4e00-\u9fff]")
VERIFY = Path(table.__file__).parent
SOURCES = (
    *(VERIFY / f"{name}.py" for name in ("chain", "codes", "examine", "form", "pades", "seals", "ses", "ses_file")),
    *(VERIFY / f"{name}.py" for name in ("span", "state")),
    Path(code.__file__),
)


def wordings() -> Iterator[str]:
    """Every text with Chinese in the sources that is no docstring; what is filled in stands as `7`."""
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
        documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside | documented:
                yield node.value


WORDINGS = sorted({text for text in wordings() if HAN.search(text) and len(text.strip("，（）7")) > 1})


@pytest.mark.parametrize("wording", WORDINGS)
def test_every_wording_has_its_english(wording: str) -> None:
    """A finding that somebody words anew gets its line, or this fails."""
    said = english(wording)
    assert said, wording
    assert not HAN.search(said)
    assert said.count("7") == wording.count("7")


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        (
            "规则 3：盖章之后文件末尾又追加了 6424 字节，未受签名保护。",
            "Rule 3: 6424 bytes were appended after sealing that no signature covers.",
        ),
        ("所附数据与版面不符：name、scope。", "The attached facts are not those printed: name, scope."),
        ("据证照台账：真实，已吊销。", "By the register: Genuine, but rescinded."),
        ("文档时间戳：时间戳的内容有误。", "Document timestamp: the timestamp is malformed."),
        ("签章时间戳的签名不成立。", "The seal's timestamp has a signature that does not hold."),
        ("印章证书签发给：赣州市行政审批局。", "The seal's certificate is issued to 赣州市行政审批局."),
        ("没有印章时间戳的字样", ""),
    ],
)
def test_numbers_and_names_are_carried_over(detail: str, said: str) -> None:
    """What is of the file at hand stands in the English too."""
    assert english(detail) == said


def test_a_detail_without_english_still_has_its_sense() -> None:
    """The sentence for check and outcome stands in; a pass without one stays as it is."""
    assert in_english(Finding("changes", "fail", "某种新情况")).startswith("Something was added")
    assert told(Finding("signature", "pass", "rsa-sha256")) == "rsa-sha256"


@pytest.mark.parametrize(
    "hostile", ["规则 " * 100_000, "：" * 500, "x" + "的证书" * 150, "：" * 400 + "（）。", "{}{0}" * 90]
)
def test_what_a_stranger_wrote_breaks_nothing(hostile: str) -> None:
    """Names in a certificate may look like our wordings, and be of any length; with other patterns it would not end."""
    detail = f"印章证书签发给：{hostile}。"
    said = english(detail)
    assert said.startswith("The seal's certificate is issued to ") if len(detail) <= 500 else said == ""
    assert len(english(hostile)) < 3 * len(hostile)
