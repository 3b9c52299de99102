"""What lies abroad is cut off."""

from netinterf.analyzers.isolation.analyzer import Isolation

__all__ = ["Isolation"]
