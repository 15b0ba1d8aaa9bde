"""What a seal costs: signatures and sealed files a second by suite and key store, and stock pyHanko in the same run.

    python -m benchmarks.bench_seal [--seconds 2]

One thread of one process. `signature` is the bare operation of the key over a message of 300 bytes, about what CMS
signs. `B-B` and `B-T` are whole uses: reserve, embed, sign, time-stamp in this process, read the file back and check
it; through the signer process, with the keys in PEM files there, CPU is the asking process's alone. pyHanko beside it
seals the same page with a raster picture, key and time-stamp authority held open, and checks nothing. Keys in a token
need SoftHSM2; a suite or store that this machine has not is told and left out.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore
from rich.console import Console
from rich.table import Table

from benchmarks import naive
from certlib.crypto.development import development_folder, development_timestamps
from certlib.crypto.keys import SigningKey, open_key
from certlib.crypto.libcrypto import unavailable
from certlib.crypto.suites import SUITES
from certlib.document.check import sample_faces
from certlib.document.fonts import load_fonts
from certlib.document.renderer import Renderer
from certlib.document.templates import Templates, find_templates
from certlib.sealing.identities import load_identities
from certlib.sealing.sealer import Sealer
from certlib.sealing.signer import RemoteSealer, SignerServer
from tests.sealing.seal_in_threads import LABEL, SPEC, Ledger
from tests.softhsm import INSTALLED, keep_seals

SEALS = ("rsa3072-sha256", "p256-sha256", "sm2-sm3")
IN_TOKEN = SEALS[:2]  # PKCS #11 has no SM2; a vendor's module brings its own mechanism
LEVELS = ("B-B", "B-T")
PIN = "4711"
MESSAGE = bytes(300)


@dataclass(frozen=True)
class Rate:
    """How often a second something was done, and what it cost of the processor."""

    a_second: float
    cpu_ms: float


def rate(work: Callable[[], object], seconds: float) -> Rate:
    """Do `work` for so long, after three times unmeasured."""
    for _ in range(3):
        work()
    began, used, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        work()
        done += 1
    return Rate(done / (time.perf_counter() - began), (time.process_time() - used) * 1000 / done)


def page() -> bytes:
    """A page as the renderer makes it."""
    folder = find_templates()
    renderer = Renderer(Templates(folder), load_fonts(folder / "fonts"))
    _, face = next(sample_faces(renderer.templates.template("medical-device-licence")))
    return renderer.render(face).pdf


def measured(keys: Path, key: SigningKey, suite: str, pdf: bytes, seconds: float) -> dict[str, Rate]:
    """The bare signature, and whole uses without and with a time-stamp."""
    sealers = {
        level: Sealer(load_identities([SPEC], keys, suite), development_timestamps(suite), Ledger(pdf, suite, level))
        for level in LEVELS
    }
    number = count()

    def seal(level: str) -> Callable[[], object]:
        return lambda: sealers[level].seal(str(next(number)), now=datetime.now(UTC))

    return {
        "signature": rate(lambda: key.sign(MESSAGE), seconds),
        **{level: rate(seal(level), seconds) for level in sealers},
    }


def serve(path: Path, suite: str, level: str, pdf: bytes) -> None:
    """The signer process with the development keys."""
    identities = load_identities([SPEC], development_folder(), suite)
    sealer = Sealer(identities, development_timestamps(suite), Ledger(pdf, suite, level))
    SignerServer(path, sealer, lambda: datetime.now(UTC)).serve_forever()


def asked(suite: str, pdf: bytes, seconds: float) -> dict[str, Rate]:
    """Whole uses carried out by a signer process."""
    rates = {}
    for level in LEVELS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "signer.sock"
            signer = get_context("spawn").Process(target=serve, args=(path, suite, level, pdf))
            signer.start()
            while not path.is_socket() and signer.is_alive():
                time.sleep(0.05)
            remote = RemoteSealer(path)
            rates[level] = rate(lambda to=remote: to.seal("again", now=datetime.now(UTC)), seconds)
            signer.terminate()
            signer.join()
    return rates


def stock(suite: str, pdf: bytes, seconds: float) -> dict[str, Rate]:
    """PyHanko as its manual shows it, everything opened once."""
    folder = development_folder()
    signer = naive.signer_of(folder / "seals" / f"{LABEL}.{SUITES[suite].short}.pem")
    authority = naive.signer_of(folder / "tsa" / "tsa.rsa.pem")
    registry = SimpleCertificateStore()
    registry.register_multiple(signer.cert_registry)
    registry.register_multiple(authority.cert_registry)
    times = DummyTimeStamper(authority.signing_cert, authority.signing_key, certs_to_embed=registry)
    style = StaticStampStyle(background=PdfImage(naive.seal_picture()), border_width=0, background_opacity=1)

    def seal(timestamper: DummyTimeStamper | None) -> Callable[[], object]:
        def once() -> object:
            writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
            fields.append_signature_field(writer, fields.SigFieldSpec("Seal", box=naive.SEAL))
            metadata = signers.PdfSignatureMetadata(
                field_name="Seal", certify=True, subfilter=fields.SigSeedSubFilter.PADES, md_algorithm="sha256"
            )
            return signers.PdfSigner(metadata, signer, timestamper=timestamper, stamp_style=style).sign_pdf(writer)

        return once

    return {"B-B": rate(seal(None), seconds), "B-T": rate(seal(times), seconds)}


def rows(pdf: bytes, seconds: float, token: Path | None) -> Iterator[tuple[str, str, dict[str, Rate]]]:
    """Suite, store and rates of all that this machine has."""
    folder = development_folder()
    for suite in SEALS:
        name = f"{LABEL}.{SUITES[suite].short}"
        if suite == "sm2-sm3" and unavailable():
            continue
        yield suite, "pem", measured(folder, open_key(f"pem:{folder / 'seals' / f'{name}.pem'}"), suite, pdf, seconds)
        if token and suite in IN_TOKEN:
            key = open_key((token / "seals" / f"{name}.uri").read_text().strip())
            yield suite, "pkcs11 (SoftHSM2)", measured(token, key, suite, pdf, seconds)
        yield suite, "signer process (pem)", asked(suite, pdf, seconds)
        if suite in IN_TOKEN:  # what pyHanko can sign is what the token can
            yield suite, "stock pyHanko", stock(suite, pdf, seconds)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0)
    seconds = parser.parse_args().seconds
    console, kept = Console(), list[dict[str, Any]]()
    table = Table("suite", "keys", "signatures/s", "B-B files/s", "CPU ms", "B-T files/s", "CPU ms")
    if why := unavailable():
        console.print(f"sm2-sm3: {why}")
    with tempfile.TemporaryDirectory() as name:
        token = Path(name) if INSTALLED else None
        if token:
            configuration = keep_seals(token, [f"{LABEL}.{SUITES[suite].short}" for suite in IN_TOKEN], pin=PIN)
            os.environ.update(SOFTHSM2_CONF=str(configuration), SEAL_PIN=PIN)
        for suite, store, rates in rows(page(), seconds, token):
            bare = f"{rates['signature'].a_second:.0f}" if "signature" in rates else "–"
            uses = [f"{value:.1f}" for level in LEVELS for value in (rates[level].a_second, rates[level].cpu_ms)]
            table.add_row(suite, store, bare, *uses)
            figures = {name: asdict(one) for name, one in rates.items()}
            kept.append({"suite": suite, "keys": store, "rates": figures, "load": os.getloadavg()[0]})
    console.print(table)
    folder = Path(".benchmarks")
    folder.mkdir(exist_ok=True)
    (folder / "seal.json").write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
