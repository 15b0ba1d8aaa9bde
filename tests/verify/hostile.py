"""Files that hurt parsers: bombs, cycles, absurd numbers, giant tokens. Small, built from nothing, deterministic."""

import zlib
from collections.abc import Callable, Mapping
from functools import cache

CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"


def pdf(objects: Mapping[int, bytes], trailer: bytes = b"", prefix: bytes = b"%PDF-1.7\n") -> bytes:
    """A PDF of these objects with a right cross-reference table; object 1 is the catalogue."""
    whole = {1: CATALOG, 2: PAGES, 3: PAGE, **objects}
    body, offsets = bytearray(prefix), {}
    for number, content in sorted(whole.items()):
        offsets[number] = len(body)
        body += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start, size = len(body), max(whole) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        body += b"%010d 00000 %c \n" % (offsets.get(number, 0), b"n" if number in offsets else b"f")
    body += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(body)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%s>>\nstream\n" % (len(data), entries) + data + b"\nendstream"


@cache
def deflated_zeros(size: int, times: int = 1) -> bytes:
    """`size` zeros, a multiple of 16 MB, deflated `times` over; made of equal blocks, so that it takes no time."""
    block = 16 << 20
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    check = (size % 65521) << 16 | 1  # Adler-32 of so many zeros
    data = b"\x78\xda" + piece * (size // block) + b"\x03\x00" + check.to_bytes(4, "big")
    for _ in range(times - 1):
        data = zlib.compress(data, 9)
    return data


def _fields(fields: bytes, objects: Mapping[int, bytes]) -> bytes:
    return pdf({1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[%s]>>>>" % fields, **objects})


def exponential_fields() -> bytes:
    """Each field has the next one twenty times among its kids: 20^40 paths in 2 KB."""
    kids = {10 + level: b"<</T(a)/Kids[%s]>>" % (b"%d 0 R " % (11 + level) * 20) for level in range(40)}
    return _fields(b"10 0 R", {**kids, 50: b"<</T(b)/FT/Sig>>"})


def many_fields() -> bytes:
    """200,000 fields of one signature each."""
    return _fields(b"10 0 R " * 200_000, {10: b"<</T(a)/FT/Sig>>"})


def field_cycle() -> bytes:
    """A field that is its own grandchild."""
    return _fields(b"10 0 R", {10: b"<</T(a)/Kids[11 0 R]>>", 11: b"<</T(b)/Kids[10 0 R]/Parent 10 0 R>>"})


def page_cycle() -> bytes:
    """A page tree that contains itself."""
    return pdf({2: b"<</Type/Pages/Kids[2 0 R 2 0 R 3 0 R]/Count 1000000/Parent 2 0 R>>"})


def wide_pages() -> bytes:
    """A page tree of exponential size."""
    levels = {
        20 + level: b"<</Type/Pages/Count 99999999/Kids[%s]>>" % (b"%d 0 R " % (21 + level) * 30) for level in range(30)
    }
    return pdf({2: b"<</Type/Pages/Kids[20 0 R]/Count 99999999>>", **levels, 50: PAGE})


def previous_loop() -> bytes:
    """A cross-reference table that names itself as the previous one."""
    whole = pdf({})
    start = whole.rindex(b"xref\n0 ")
    return whole.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % start)


def xref_widths() -> bytes:
    """A cross-reference stream with fields of 2^31 bytes."""
    head = b"%PDF-1.7\n1 0 obj\n" + CATALOG + b"\nendobj\n"
    entries = b"/Type/XRef/W[1 2147483647 2147483647]/Size 100000000/Index[0 100000000]/Root 1 0 R"
    table = b"9 0 obj\n" + stream(bytes(20), entries) + b"\nendobj\n"
    return head + table + b"startxref\n%d\n%%%%EOF\n" % len(head)


def xref_size() -> bytes:
    """A cross-reference table of four thousand million entries."""
    whole = pdf({})
    return whole.replace(b"xref\n0 4", b"xref\n0 4000000000")


def giant_name() -> bytes:
    """A name token of 5 MB."""
    return pdf({1: b"<</Type/Catalog/Pages 2 0 R/" + b"A" * 5_000_000 + b" 1>>"})


def giant_string() -> bytes:
    """A string of 15 MB full of parentheses."""
    return pdf({4: b"(" + b"(" * 7_000_000 + b")" * 7_000_000 + b")"}, b"/Info 4 0 R")


def deep_arrays() -> bytes:
    """Arrays nested a million deep."""
    return pdf({1: b"<</Type/Catalog/Pages 2 0 R/X " + b"[" * 1_000_000 + b"]" * 1_000_000 + b">>"})


def deep_dictionaries() -> bytes:
    """Dictionaries nested 300,000 deep in the trailer."""
    return pdf({}, b"/X" + b"<</X" * 300_000 + b" 1" + b">>" * 300_000)


def content_bomb() -> bytes:
    """A page whose content inflates to 3 GB."""
    bomb = stream(deflated_zeros(3 << 30), b"/Filter/FlateDecode")
    return pdf({3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>", 4: bomb})


def nested_bomb() -> bytes:
    """The same in two layers."""
    bomb = stream(deflated_zeros(1 << 30, 2), b"/Filter[/FlateDecode/FlateDecode]")
    return pdf({3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>", 4: bomb})


def object_stream_bomb() -> bytes:
    """The signature field in an object stream that inflates to 3 GB."""
    bomb = stream(deflated_zeros(3 << 30), b"/Type/ObjStm/N 1/First 10/Filter/FlateDecode")
    return _fields(b"40 0 R", {4: bomb})


def attachment_bomb() -> bytes:
    """A facts.json that inflates to 3 GB."""
    bomb = stream(deflated_zeros(3 << 30), b"/Type/EmbeddedFile/Filter/FlateDecode")
    spec = b"<</Type/Filespec/F(facts.json)/UF(facts.json)/EF<</F 4 0 R>>>>"
    names = b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(facts.json) 5 0 R]>>>>>>"
    return pdf({1: names, 4: bomb, 5: spec})


def reference_loop() -> bytes:
    """Objects that are references to each other, as length of a stream."""
    return pdf({4: b"5 0 R", 5: b"4 0 R", 6: b"<</Length 4 0 R>>\nstream\nx\nendstream"}, b"/Info 4 0 R")


def many_ranges() -> bytes:
    """A million byte ranges."""
    return pdf({4: b"/ByteRange [0 1 2 3] " * 500_000})


def huge_numbers() -> bytes:
    """Numbers of a million digits."""
    return pdf({1: b"<</Type/Catalog/Pages 2 0 R/X " + b"9" * 1_000_000 + b">>", 4: b"-" * 100_000})


def signature_cycle() -> bytes:
    """A signature whose value is its own field, with a byte range."""
    return _fields(b"10 0 R", {10: b"<</T(a)/FT/Sig/V 10 0 R/ByteRange [0 10 20 30]/Contents <3000>>>"})


def fifty_signatures() -> bytes:
    """Fifty signature fields, each with a signature dictionary."""
    one = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange [0 10 20 30]/Contents <3000>>>"
    fields = {100 + k: b"<</T(s%d)/FT/Sig/V %d 0 R>>" % (k, 200 + k) for k in range(50)}
    return _fields(b" ".join(b"%d 0 R" % k for k in fields), {**fields, **{200 + k: one for k in range(50)}})


def encrypted() -> bytes:
    """An encrypted file."""
    entries = b"/Filter/Standard/V 2/R 3/Length 128/P -4/O<%s>/U<%s>" % (b"00" * 32, b"00" * 32)
    return pdf({4: b"<<" + entries + b">>"}, b"/Encrypt 4 0 R/ID[<00><00>]")


HOSTILE: dict[str, Callable[[], bytes]] = {
    make.__name__: make
    for make in (
        exponential_fields,
        many_fields,
        field_cycle,
        page_cycle,
        wide_pages,
        previous_loop,
        xref_widths,
        xref_size,
        giant_name,
        giant_string,
        deep_arrays,
        deep_dictionaries,
        content_bomb,
        nested_bomb,
        object_stream_bomb,
        attachment_bomb,
        reference_loop,
        many_ranges,
        huge_numbers,
        signature_cycle,
        fifty_signatures,
        encrypted,
    )
}
