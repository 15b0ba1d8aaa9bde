"""Counts for Prometheus: requests by route template, time taken, what is under way."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Collection, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from certlib.domain.verdict import Finding
from service.delivering import Standing

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
        self.warnings = Gauge(
            "certlib_check_warnings",
            "What the last check warns of or could not tell.",
            ("check",),
            registry=self.registry,
        )
        self.checked = Gauge(
            "certlib_check_seconds", "Moment of the last check, Unix time.", ("check",), registry=self.registry
        )

        self.dead_letters = Counter(
            "certlib_delivery_dead_letters", "Deliveries laid aside by this process.", registry=self.registry
        )
        self.delivery_backlog = Gauge(
            "certlib_delivery_backlog", "Undelivered events by state.", ("state",), registry=self.registry
        )
        self.delivery_age = Gauge(
            "certlib_delivery_oldest_seconds", "How long the oldest event has waited.", registry=self.registry
        )
        self.delivery_trouble = Gauge(
            "certlib_delivery_trouble", "1 while nothing can be delivered.", registry=self.registry
        )
        self.delivery_drift = Gauge(
            "certlib_delivery_drift",
            "Certificates that differed at the last comparison.",
            ("kind",),
            registry=self.registry,
        )
        self.delivery_compared = Gauge(
            "certlib_delivery_compared_seconds", "Moment of the last comparison, Unix time.", registry=self.registry
        )

    def findings(self, last: Mapping[str, tuple[datetime, Collection[Finding]]]) -> None:
        """Note when each check of the continuous checker last ran, and what it found."""
        for check, (at, found) in last.items():
            counts = Counts(one.outcome for one in found)
            self.alarms.labels(check).set(counts["fail"])
            self.warnings.labels(check).set(counts["warn"] + counts["unknown"])
            self.checked.labels(check).set(at.timestamp())

    def deliveries(self, standing: Standing) -> None:
        """Note how deliveries to the city repository stand."""
        backlog = standing.backlog
        for state in ("due", "leased", "dead", "blocked", "unread"):
            self.delivery_backlog.labels(state).set(getattr(backlog, state))
        self.delivery_age.set(standing.age)
        self.delivery_trouble.set(bool(standing.trouble))
        if standing.statement is not None:
            self.delivery_compared.set(standing.statement.at.timestamp())
            for kind, number in standing.statement.differences.items():
                self.delivery_drift.labels(kind).set(number)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
