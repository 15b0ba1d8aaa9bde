"""A cancelled certificate can be looked at with its mark; the issued bytes stay as they were."""

from __future__ import annotations

import pypdfium2 as pdfium

from certlib.domain.verdict import Verdict
from certlib.verify.examine import examine
from certlib.verify.roots import TrustRoots
from tests.issue.conftest import Desk


def test_the_marked_copy_is_unsealed_and_the_original_untouched(desk: Desk) -> None:
    """The copy says 已注销 and has no seal; the file's digest is the registered one."""
    body = desk.issue("2-25")
    before = desk.office.file(body["identifier"])
    desk.act("2-30", body["identifier"], "cancel", cause="request")
    copy = desk.office.marked_file(body["identifier"])
    document = pdfium.PdfDocument(copy)
    text = document[0].get_textpage().get_text_range()
    assert body["number"] in text
    assert "已注销" in "".join(text.split())
    assert examine(copy, trust=TrustRoots.load(), at=desk.clock.at).verdict is Verdict.UNSEALED
    assert desk.office.file(body["identifier"]) == before
