"""What people send instead of an issued file: each gets its verdict, and the reason in plain words."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from certlib.domain.verdict import Verdict
from certlib.verify import examine as examination
from certlib.verify.english import english
from certlib.verify.examine import MAX_SIZE, examine
from certlib.verify.page import CHECKS
from certlib.verify.roots import TrustRoots
from tests.verify.attacks import store_with_odd_list
from tests.verify.forgeries import approve, ranges, update
from tests.verify.hostile import pdf as small_pdf
from tests.verify.samples import NOW, MemoryRegister, base_pdf, seal
from tests.verify.strangers import encrypted, saved_anew, scanned, signed

ROOT = Path(__file__).parents[2]
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def hybrid() -> bytes:
    """A PDF whose table names a cross-reference stream beside it, for readers before PDF 1.5."""
    whole = base_pdf()
    before = int(re.findall(rb"startxref\s+(\d+)", whole)[-1])
    size, root = (int(re.findall(key + rb" (\d+)", whole)[-1]) for key in (b"/Size", b"/Root"))
    stream = b"<</Type/XRef/W[1 4 2]/Index[%d 1]/Size %d/Root %d 0 R/Prev %d/Length 7>>stream\n" % (
        size,
        size + 1,
        root,
        before,
    )
    at = len(whole) + 1
    row = bytes([1, *at.to_bytes(4, "big"), 0, 0])
    body = b"\n%d 0 obj\n" % size + stream + row + b"\nendstream\nendobj\n"
    trailer = b"<</Size %d/Root %d 0 R/Prev %d/XRefStm %d>>" % (size + 1, root, before, at)
    table = len(whole) + len(body)
    return whole + body + b"xref\n0 0\ntrailer\n" + trailer + b"\nstartxref\n%d\n%%%%EOF\n" % table


FILES: dict[str, tuple[Callable[[], bytes], Verdict, str]] = {
    "unsigned": (base_pdf, Verdict.UNSEALED, "没有电子印章"),
    "scan": (scanned, Verdict.UNSEALED, "没有电子印章"),
    "hybrid table": (hybrid, Verdict.UNSEALED, "没有电子印章"),
    "password to open": (lambda: encrypted(base_pdf(), user="a", owner="b"), Verdict.UNREADABLE, "密码"),
    "password to change": (lambda: encrypted(base_pdf(), user="", owner="b"), Verdict.UNREADABLE, "密码"),
    "sealed, then a password": (lambda: encrypted(seal(), user="", owner="b"), Verdict.UNREADABLE, "密码"),
    "sealed, then saved anew": (lambda: saved_anew(seal()), Verdict.ALTERED, "改动"),
    "cut in half": (lambda: seal()[: len(seal()) // 2], Verdict.UNREADABLE, "没有下载完整"),
    "empty": (lambda: b"", Verdict.UNREADABLE, "空"),
    "Word": (lambda: b"PK\x03\x04..word/document.xml", Verdict.UNREADABLE, "Word"),
    "OFD": (lambda: b"PK\x03\x04..OFD.xml", Verdict.UNREADABLE, "OFD"),
    "old Word": (lambda: _OLE + bytes(512) + "WordDocument".encode("utf-16-le"), Verdict.UNREADABLE, "这是 Word 文件"),
    "old Excel": (lambda: _OLE + bytes(512), Verdict.UNREADABLE, "Excel"),
    "scan as TIFF": (lambda: b"II*\x00" + bytes(512), Verdict.UNREADABLE, "扫描件"),
    "web page": (lambda: b"<!doctype html>", Verdict.UNREADABLE, "网页"),
    "byte order mark": (lambda: b"\xef\xbb\xbf" + seal(), Verdict.UNREADABLE, "多出 3 字节"),
    "fifty signatures": (lambda: signed(base_pdf(), 50), Verdict.ALTERED, "32 个以上的签名"),
    "two strangers": (lambda: signed(base_pdf(), 2), Verdict.UNKNOWN_ISSUER, "2 个印章签名"),
    "a stranger": (lambda: signed(base_pdf()), Verdict.UNKNOWN_ISSUER, "不能确认签发机关"),
    "a stranger's RSA of 2048": (
        lambda: signed(base_pdf(), kind="rsa2048"),
        Verdict.UNKNOWN_ISSUER,
        "不是由登记的机构签发的",
    ),
    "a stranger's SHA-1": (
        lambda: signed(base_pdf(), kind="rsa2048", digest="sha1"),
        Verdict.UNKNOWN_ISSUER,
        "不是由登记的机构签发的",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_each_is_answered_in_plain_words(name: str, trust: TrustRoots) -> None:
    """The verdict, the reason in Chinese, its sense in English; nothing unexpected, with a register or without."""
    make, verdict, words = FILES[name]
    data = make()
    for lookup in (None, MemoryRegister()):
        report = examine(data, trust=trust, at=NOW, lookup=lookup)
        failed = [finding for finding in report.findings if finding.outcome == "fail"]
        assert report.verdict is verdict, report.as_line()
        assert any(words in finding.detail for finding in failed), report.as_line()
        assert all(english(finding.detail) for finding in failed)
        assert not any("意外" in finding.detail for finding in report.findings)


def test_the_register_is_asked_first_of_all(trust: TrustRoots) -> None:
    """Before a byte is parsed; a file that cannot be read is told from one on record all the same."""
    report = examine(b"nonsense", trust=trust, at=NOW, lookup=MemoryRegister())
    assert [finding.check for finding in report.findings] == ["register", "readable"]
    assert report.verdict is Verdict.UNREADABLE


def test_a_signature_upon_ours_alters_the_file(sealed: bytes, trust: TrustRoots) -> None:
    """Whoever made it: the seal below is judged by itself and told apart, by its number."""
    for label in ("seal-foreign", "seal-revoked", "seal-ganzhou-approval-approval-1"):
        report = examine(approve(sealed, label), trust=trust, at=NOW)
        assert report.verdict is Verdict.ALTERED, report.as_line()
        details = [finding.detail for finding in report.findings if finding.check == "issuer"]
        assert details[0].startswith("第 1 个签名：印章证书签发给")


def test_a_weak_algorithm_in_our_name_is_no_strangers_way(sealed: bytes, trust: TrustRoots) -> None:
    """Who names our authority and signs by what we never use is taken for a forger."""
    a, b, _ = ranges(sealed)
    sha256, sha1 = b"608648016503040201", b"608648016503040205"
    weak = sealed[:a] + re.sub(sha256, sha1, sealed[a:b], flags=re.IGNORECASE) + sealed[b:]
    assert weak != sealed
    report = examine(weak, trust=trust, at=NOW)
    assert report.verdict is Verdict.SIGNATURE_INVALID
    assert "算法不在允许之列" in report.finding("signature").detail  # type: ignore[union-attr]


def test_a_broken_signature_is_a_forgery_and_no_broken_file(sealed: bytes, trust: TrustRoots) -> None:
    """A field whose signature lacks its range is not "perhaps not downloaded completely"."""
    spoiled = sealed.replace(b"/ByteRange", b"/BiteRange")
    report = examine(spoiled, trust=trust, at=NOW)
    assert report.verdict is Verdict.ALTERED
    assert "不成其为签名" in report.finding("fields").detail  # type: ignore[union-attr]


def test_a_signed_file_whose_structure_is_destroyed_was_altered(sealed: bytes, trust: TrustRoots) -> None:
    """Whole to its end and no PDF any more: somebody did that after the sealing."""
    grown = update(sealed, lambda writer: writer.update_root())
    torn = sealed + re.sub(rb"xref.*?startxref", b"startxref", grown[len(sealed) :], flags=re.DOTALL)
    report = examine(torn, trust=trust, at=NOW)
    assert report.verdict is Verdict.ALTERED
    assert any("追加" in finding.detail for finding in report.findings if finding.check == "span")


def test_a_revocation_list_that_cannot_be_read_alters_the_file(sealed: bytes, trust: TrustRoots) -> None:
    """Somebody put it behind the seal: neither a fault of ours nor a forged signature."""
    report = examine(store_with_odd_list(sealed), trust=trust, at=NOW)
    assert report.verdict is Verdict.ALTERED
    assert ("form", "fail", "文件所附的验证材料有误。") in {
        (one.check, one.outcome, one.detail) for one in report.findings
    }


def test_megabytes_behind_the_end_cost_nothing(sealed: bytes, trust: TrustRoots) -> None:
    """Looking for a cross-reference table through them took the whole time that a file may take."""
    started = time.process_time()
    report = examine(sealed + bytes(MAX_SIZE - len(sealed)), trust=trust, at=NOW)
    assert report.verdict is Verdict.ALTERED
    assert examine(small_pdf({}) + bytes(5 << 20), trust=trust, at=NOW).verdict is Verdict.UNREADABLE
    assert time.process_time() - started < 1.5


def test_steps_have_one_numbering() -> None:
    """In the code, in the document, and in every report."""
    steps = re.findall(r"^ *(\d+)\. `(\w+)`", examination.__doc__ or "", re.MULTILINE)
    assert steps == [(str(number), check) for number, check in enumerate(CHECKS, start=1)]
    document = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d+) \| `(\w+)` \|", document, re.MULTILINE) == steps
