"""Seal with an identity from sixteen threads for some seconds; print how many files came out, all checked."""

import hashlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from certlib.crypto.development import development_timestamps
from certlib.domain.page import Box
from certlib.domain.seal import SealKind, SealSpec
from certlib.sealing.identities import load_identities
from certlib.sealing.order import SealOrder
from certlib.sealing.sealer import Sealer

NOW = datetime.now(UTC)
LABEL = "seal-ganzhou-approval-approval-1"
SPEC = SealSpec(
    id="36070000000002",
    authority="ganzhou-approval",
    kind=SealKind.APPROVAL,
    name="赣州市行政审批局行政审批专用章",
    arc_text="赣州市行政审批局",
    lines=("行政审批专用章", "(1)"),
    certificate=LABEL,
)


class Ledger:
    """Reserves without limit and tolerates no release."""

    def __init__(self, pdf: bytes, suite: str, level: str = "B-T") -> None:
        self.counter, self.pdf, self.suite, self.level = count(1), pdf, suite, level
        self.sha256 = hashlib.sha256(pdf).hexdigest()

    def reserve(self, intent: str, *, now: datetime) -> SealOrder:
        """The same page again."""
        counter = next(self.counter)
        return SealOrder(
            use=counter,
            counter=counter,
            intent=intent,
            attempt=1,
            seal=SPEC.id,
            seal_edition=1,
            authorisation=bytes(32),
            pdf=self.pdf,
            sha256=self.sha256,
            placement=Box(1, 130, 60, 42, 42),
            reason="核发",
            level=self.level,
            suite=self.suite,
            reserved_at=now,
        )

    def release(self, order: SealOrder, *, why: str, now: datetime) -> None:
        """A failure ends the run."""
        raise AssertionError(why)


def main(folder: str, page: str, suite: str, seconds: str) -> int:
    """The folder of seals, the page to seal, the suite, how long."""
    ledger = Ledger(Path(page).read_bytes(), suite)
    sealer = Sealer(load_identities([SPEC], Path(folder), suite), development_timestamps(), ledger)
    until = time.monotonic() + float(seconds)

    def work(number: int) -> int:
        done = 0
        while time.monotonic() < until:
            sealer.seal(f"{number}/{done}", now=NOW)
            done += 1
        return done

    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(work, range(16)))


if __name__ == "__main__":
    sys.stdout.write(str(main(*sys.argv[1:])))
