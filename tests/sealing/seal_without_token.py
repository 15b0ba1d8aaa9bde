"""Seal once with a key in a token, then once more when the token is gone or its PIN was wrong all along.

Prints what the ledger of uses says and what the reader is told, as JSON.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from certlib.crypto.development import development_timestamps
from certlib.errors import SealFailedError
from certlib.sealing.identities import load_identities
from certlib.sealing.order import SealOrder
from certlib.sealing.sealer import Sealer
from tests.sealing.seal_in_threads import SPEC, Ledger

NOW = datetime.now(UTC)


class Lines(Ledger):
    """Keeps which uses were released, and why."""

    def __init__(self, pdf: bytes, suite: str) -> None:
        super().__init__(pdf, suite)
        self.released: dict[int, str] = {}

    def release(self, order: SealOrder, *, why: str, now: datetime) -> None:
        """Write it down."""
        self.released[order.counter] = why


def main(folder: str, page: str, suite: str, how: str) -> str:
    """The folder of seals, the page to seal, the suite; `vanishes` in mid-use, or `pin` for a wrong one."""
    ledger, tokens = Lines(Path(page).read_bytes(), suite), Path(folder) / "tokens"
    identities = load_identities([SPEC], Path(folder), suite)
    sealer = Sealer(identities, development_timestamps(), ledger)
    sealed, told = 0, []
    for intent in ("first", "second", "third"):
        if how == "vanishes" and intent == "second":
            tokens.rename(tokens.with_name("gone"))
            identities[SPEC.id].signer(at=NOW).key._token._session.close()  # type: ignore[attr-defined]  # as the driver does
        if how == "vanishes" and intent == "third":
            tokens.with_name("gone").rename(tokens)
        try:
            sealer.seal(intent, now=NOW)
            sealed += 1
        except SealFailedError as error:
            told.append([type(error).__name__, error.message])
    return json.dumps({"sealed": sealed, "released": ledger.released, "told": told})


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]))
