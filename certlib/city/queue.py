"""What delivery asks of a register: the queue of events on their way, as a Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from certlib.domain.delivery import Delivery

Report = tuple[Delivery, Mapping[str, Any], str]
"""A delivery that arrived, the counterpart's answer, the digest of the record as it went."""


class DeliveryQueue(Protocol):
    """Events on their way, in order per certificate. `certlib.register.deliveries.SqlDeliveries` is one."""

    def claim(self, worker: str, now: datetime, limit: int, lease_seconds: float) -> list[Delivery]:
        """Lease up to `limit` deliveries that may go now; nobody else gets them before the lease ends."""

    def renew(self, deliveries: Sequence[Delivery], now: datetime, lease_seconds: float) -> list[Delivery]:
        """Hold these claims for longer, from `now` on; those that are still the caller's."""

    def done(self, delivery: Delivery, answer: Mapping[str, Any], now: datetime, *, digest: str = "") -> None:
        """Close a delivery with the counterpart's answer and the digest of the record as it went."""

    def done_all(self, reports: Sequence[Report], now: datetime) -> None:
        """Close several deliveries in one commit, as `done` does each."""

    def retry(self, delivery: Delivery, error: str, at: datetime, *, outage: bool = False) -> None:
        """Give a delivery back, to be tried again from `at` on; an outage is not held against the record."""

    def dead(self, delivery: Delivery, reason: str, now: datetime) -> None:
        """Lay a delivery aside until a person has looked; what follows it waits."""

    def reopen(self, chain: str, sequences: Sequence[int], now: datetime, *, repair: bool = False) -> int:
        """Make delivered events due again that the counterpart lost or, with `repair`, changed. How many they were."""
