"""Which interfered units could be suspected by somebody with the capture alone: a rule in packets, not in analyzers."""

from benchmarks.decidable.rules import decidable

__all__ = ["decidable"]
