"""Transfers that stop for good, or again and again, after so many packets or bytes."""

from netinterf.analyzers.freezes.analyzer import Freezes

__all__ = ["Freezes"]
