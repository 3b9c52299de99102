"""Captures changed: which verdicts move when the same traffic is recorded otherwise."""
