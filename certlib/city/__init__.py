"""Delivery to the city repository (归集推送): mapping, client, worker, reconciliation.

A delivery is a row written in the transaction of its event. `worker` claims rows from a `DeliveryQueue`, `mapping`
turns their messages into the repository's records by a data file, `client` brings them there, `reconcile` proves that
both sides hold the same.
"""
