"""Make the file on which the sandbox's child warms up: sealed under P-256, stamped under RSA, so that both are met.

python -m tests.verify.build_warm_up        # writes certlib/verify/data/warm-up/
"""

from __future__ import annotations

import shutil
from pathlib import Path

from certlib.crypto.development import development_folder
from tests.verify.samples import FACTS, attachment, base_pdf, seal, timestamps

FOLDER = Path(__file__).parents[2] / "certlib" / "verify" / "data" / "warm-up"
FACE = {"number": FACTS["number"], "check_code": FACTS["check_code"]}


def sealed() -> bytes:
    """The file: one page with the number, the facts attached."""
    base = base_pdf(attachment(printed=FACE, silent=["check_code", *set(FACTS) - set(FACE)]), FACE["number"])
    return seal(base, stamper=timestamps("rsa3072-sha256"))


def main() -> None:
    """Write the file and the trust it verifies under; both stay good when the development keys are made anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "sealed.pdf").write_bytes(sealed())
    for kind, names in (("trust", "*.pem"), ("crl", "root.[pr]*.crl"), ("crl", "issuing.[pr]*.crl")):
        for path in sorted((development_folder() / kind).glob(names)):
            shutil.copy(path, FOLDER / path.name)


if __name__ == "__main__":
    main()
