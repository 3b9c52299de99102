"""Rate limits by dropping: which transfers met a token bucket, and which a queue, chance or their own ends."""

from netinterf.analyzers.throttling.analyzer import Throttling

__all__ = ["Throttling"]
