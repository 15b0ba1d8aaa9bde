"""The verifier as the demo uses it: the auditor's own, with the service's register asked for the state of today."""
