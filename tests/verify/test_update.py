"""What an update behind a seal may consist of, on the raw bytes."""

import pytest

from certlib.verify.update import plain_update, plain_updates

BEFORE = b"%PDF-1.7\n%%EOF\n"


def grown(
    body: bytes = b"7 0 obj\n<</A/B>>\nendobj\n", table: bytes = b"", between: bytes = b"", trailer: bytes = b""
) -> bytes:
    """A file with one update of one object, number 7."""
    start = len(BEFORE) + len(between)
    rows = table or b"0 1\n0000000000 65535 f \n7 1\n%010d 00000 n \n" % start
    at = start + len(body)
    tail = b"trailer\n<</Size 8%s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer, at)
    return BEFORE + between + body + b"xref\n" + rows + tail


def objects(pdf: bytes) -> dict[int, bytes] | None:
    return plain_update(pdf, len(BEFORE), len(pdf))


def test_a_plain_update_gives_its_objects() -> None:
    """By number, without the words around them; a stream with all its bytes, whatever they are."""
    assert objects(grown()) == {7: b"\n<</A/B>>"}
    stream = b"7 0 obj\n<<\n/Length 9\n>>\nstream\n%endobj%\n\nendstream\nendobj\n"
    assert list(objects(grown(stream)) or ()) == [7]
    pdf = grown()
    assert plain_updates(pdf, (len(BEFORE), len(pdf))) == [{7: b"\n<</A/B>>"}]
    assert plain_updates(pdf, (len(pdf),)) == []


@pytest.mark.parametrize(
    "pdf",
    [
        grown(between=b"% hello\n"),
        grown(between=b"\n\n\n"),
        grown(between=b"9 0 obj\n<<>>\nendobj\n"),
        grown(b"7 0 obj\n<</A/B>>\nendobj\n9 0 obj\n<<>>\nendobj\n"),
        grown(b"7 0 obj\n<</A/B>>\nendobj\n% endobj\n"),
        grown(b"7 0 obj\n<</A/B % hello\n>>\nendobj\n"),
        grown(b"8 0 obj\n<</A/B>>\nendobj\n"),
        grown(b"7 1 obj\n<</A/B>>\nendobj\n"),
        grown(b"7 0 obj\n<</Length 1>>\nstream\nmore\nendstream\nendobj\n"),
        grown(b"7 0 obj\n<</Length 99999>>\nstream\nx\nendstream\nendobj\n"),
        grown(table=b"7 1\n0000000000 00001 f \n"),
        grown(table=b"0 1\n0000000000 65535 f \n"),
        grown(table=b"7 1\n0000009999 00000 n \n"),
        grown(table=b"7 1\n0000000015 00000 n \nmore\n"),
        grown(trailer=b"% hello\n"),
        grown(trailer=b"/A" * 2000),
        grown() + grown()[len(BEFORE) :],
        grown()[:-6],
        BEFORE + b"\n%%EOF\n",
        BEFORE,
    ],
)
def test_anything_else_is_no_update_of_ours(pdf: bytes) -> None:
    """Bytes between, objects that no table lists, comments, freed objects, lengths that lie, two updates at once."""
    assert objects(pdf) is None
