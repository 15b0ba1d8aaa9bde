"""Counts for Prometheus: requests by route template, time taken, what is under way."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from certlib.domain.verdict import Finding

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Metrics:
    """The counts of one running service; a registry of its own, so that two applications do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("certlib_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "certlib_request_seconds", "Time to answer.", ("route",), buckets=_BUCKETS, registry=self.registry
        )
        self.in_flight = Gauge("certlib_requests_in_flight", "Requests being answered.", registry=self.registry)
        self.waiting = Gauge("certlib_issuing_waiting", "Issuances waiting for a place.", registry=self.registry)
        self.worker_faults = Counter(
            "certlib_worker_faults", "Rounds of the worker that failed.", registry=self.registry
        )

        self.alarms = Gauge(
            "certlib_check_alarms", "Findings of the last check that are not sound.", ("check",), registry=self.registry
        )

    def findings(self, found: Collection[Finding]) -> None:
        """Note what the continuous checker found, by check."""
        counts = Counts(one.check for one in found if one.outcome == "fail")
        for check in {one.check for one in found} | counts.keys():
            self.alarms.labels(check).set(counts[check])

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
