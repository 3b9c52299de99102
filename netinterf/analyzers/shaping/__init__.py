"""Rate limits by queueing: which transfers waited in a queue of their own while others passed it by."""

from netinterf.analyzers.shaping.analyzer import Shaping

__all__ = ["Shaping"]
