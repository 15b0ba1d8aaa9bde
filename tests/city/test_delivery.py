"""Deliveries reach the repository once and in order, whatever happens on the way."""

from __future__ import annotations


def test_a_life_arrives_in_order(city, office, certificate):
    """Issue, change, suspension, resumption and revocation of one certificate arrive as five events in that order."""
    one = certificate()
    office.event(one, "issue")
    office.event(one, "change")
    office.event(one, "suspend", state="suspended", cause="penalty")
    office.event(one, "resume")
    office.event(one, "revoke", state="revoked", cause="revoked")
    with city.client() as client:
        office.worker(client).deliver_due()
    assert city.events(one.key) == [(1, "01", "01"), (2, "09", "01"), (3, "03", "02"), (4, "06", "01"), (5, "05", "03")]
    record = city.record(one.key)
    assert record["state"] == "03"
    assert record["edition"] == 2
    assert record["missing"] == "[]"
    assert office.queue.backlog().done == 5
