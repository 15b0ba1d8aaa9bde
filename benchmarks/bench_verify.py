"""What a verification costs: our own files with a full report; files of other makers against pyHanko's own judgement.

    python -m benchmarks.bench_verify [--seconds 2]

One process, one core, processor time. `ours` is `certlib.verify.examine`, in whose report stand raw spans, message
form, chain, time, changes, facts and state. `pyHanko` is a fresh reader and `validate_pdf_signature` of every signature
with its analysis of changes, the same roots and moment and the same revocation lists or, for B-LT, those in the file.
`first` is ours with nothing remembered of chains. The files of other makers are
made here by stock pyHanko over a reportlab page, under the development roots, so that both sides judge the whole chain.
"""

from __future__ import annotations

import argparse
import io
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from statistics import median

from asn1crypto import crl, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext
from reportlab.pdfgen.canvas import Canvas

from benchmarks.naive import page, signer_of
from certlib.crypto.development import development_folder
from certlib.verify import pades
from certlib.verify.chains import ChainMemory
from certlib.verify.examine import examine
from certlib.verify.page import report_page
from certlib.verify.roots import TrustRoots
from tests.verify import test_levels

NOW = datetime.now(UTC)
KEYS = development_folder()
TRUST = TrustRoots.load()
SEAL = "seal-ganzhou-approval-approval-1"


def context(**more: object) -> ValidationContext:
    """pyHanko's, with our roots and lists."""
    lists = [crl.CertificateList.load(data) for data in TRUST.revocation]
    return ValidationContext(
        trust_roots=[x509.Certificate.load(data) for data in TRUST.certificates],
        allow_fetching=False,
        crls=lists,
        **more,
    )


def sign(pdf: bytes, name: str, *, suite: str = "p256", stamped: bool = False, lasting: bool = False) -> bytes:
    """One more signature by stock pyHanko; `lasting` puts the proof material behind it (B-LT)."""
    authority = signer_of(KEYS / "tsa" / "tsa.rsa.pem")
    times = DummyTimeStamper(authority.signing_cert, authority.signing_key, certs_to_embed=authority.cert_registry)
    metadata = signers.PdfSignatureMetadata(
        field_name=name,
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
        embed_validation_info=lasting,
        validation_context=context() if lasting else None,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    fields.append_signature_field(writer, fields.SigFieldSpec(name, box=(60, 60, 179, 179)))
    signer = signer_of(KEYS / "seals" / f"{SEAL}.{suite}.pem")
    out = signers.PdfSigner(metadata, signer, timestamper=times if stamped else None).sign_pdf(writer)
    return out.getbuffer().tobytes()


def updated(pdf: bytes) -> bytes:
    """An annotation added in one more revision."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    note = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Text"),
            generic.pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 20, 20))),
            generic.pdf_name("/Contents"): generic.pdf_string("a note"),
        }
    )
    writer.register_annotation(writer.find_page_for_modification(0)[0], writer.add_object(note))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def large() -> bytes:
    """Forty pages of text and two megabytes of attachments that do not compress."""
    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=0)
    for number in range(40):
        for line in range(60):
            canvas.drawString(40, 800 - 12 * line, f"{number}.{line} {os.urandom(24).hex()}" * 2)
        canvas.drawImage(_noise(), 300, 100, 100, 100)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _noise() -> object:
    from PIL import Image  # noqa: PLC0415
    from reportlab.lib.utils import ImageReader  # noqa: PLC0415

    return ImageReader(Image.frombytes("RGB", (120, 120), os.urandom(120 * 120 * 3)))


def streamed(pdf: bytes) -> bytes:
    """The same with a cross-reference stream instead of a table."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(pdf)), writer_kwargs={"stream_xrefs": True})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def files() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each shape."""
    plain = page("https://zwfw.example.gov.cn/v#1" + "0123456789" * 30)
    yield "B-B", sign(plain, "A")
    yield "B-B, RSA-3072", sign(plain, "A", suite="rsa")
    yield "B-T", sign(plain, "A", stamped=True)
    yield "B-LT", sign(plain, "A", stamped=True, lasting=True)
    yield "two signatures, B-T", sign(sign(plain, "A", stamped=True), "B", suite="rsa", stamped=True)
    yield "B-T, then a note added", updated(sign(plain, "A", stamped=True))
    yield "cross-reference stream, B-T", sign(streamed(plain), "A", stamped=True)
    yield "large, B-T", sign(large(), "A", stamped=True)


def by_pyhanko(pdf: bytes, *, lasting: bool) -> None:
    """Every signature with its changes, by pyHanko as it is, without our reading of long hexadecimal strings."""
    generic.read_hex_string_from_stream = pades.STOCK_HEX_STRING
    try:
        _by_pyhanko(pdf, lasting=lasting)
    finally:
        generic.read_hex_string_from_stream = pades.hex_string


def _by_pyhanko(pdf: bytes, *, lasting: bool) -> None:
    reader = PdfFileReader(io.BytesIO(pdf))
    for one in reader.embedded_signatures:
        judge = context(moment=NOW)
        if lasting:
            roots = [x509.Certificate.load(data) for data in TRUST.certificates]
            judge = DocumentSecurityStore.read_dss(reader).as_validation_context({"trust_roots": roots, "moment": NOW})
        status = validate_pdf_signature(one, judge)
        assert status.intact
        assert status.valid


def by_us(pdf: bytes, *, remember: bool = True) -> None:
    """The whole report."""
    if not remember:
        pades._MEMORY = ChainMemory()
    assert any(finding.check == "changes" for finding in examine(pdf, trust=TRUST, at=NOW).findings)


def own(pdf: bytes) -> None:
    """Our own file: examined, and the report written for people."""
    report = examine(pdf, trust=TRUST, at=test_levels.NOW)
    assert report.verdict == "status-unknown", report.as_line()
    report_page(report)


def cost(works: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """Milliseconds of processor for each, the median, in turn so that all see the same machine."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    ends = time.monotonic() + seconds * len(works)
    while time.monotonic() < ends or len(taken[next(iter(works))]) < 5:
        for name, work in works.items():
            begun = time.process_time()
            work()
            taken[name].append(time.process_time() - begun)
    return {name: 1000 * median(each) for name, each in taken.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    seconds = parser.parse_args().seconds
    logging.disable(logging.CRITICAL)
    print(f"load {os.getloadavg()[0]:.1f}")
    for suite, level in itertools.product(("p256", "rsa"), test_levels.LEVELS):
        name, pdf = f"own, {level}, {suite}", test_levels.made(suite, level)
        spent = cost({"own": partial(own, pdf)}, seconds)["own"]
        print(f"{name:30} {len(pdf) >> 10:6} KB  {spent:7.1f} ms  {1000 / spent:6.0f} a second with its report")
    for name, pdf in files():
        lasting = name == "B-LT"
        works = {
            "ours": partial(by_us, pdf),
            "first": partial(by_us, pdf, remember=False),
            "pyHanko": partial(by_pyhanko, pdf, lasting=lasting),
        }
        spent = cost(works, seconds)
        figures = "  ".join(f"{each} {spent[each]:7.1f} ms" for each in works)
        print(f"{name:30} {len(pdf) >> 10:6} KB  {figures}  {spent['pyHanko'] / spent['ours']:.1f} times its speed")


if __name__ == "__main__":
    main()
