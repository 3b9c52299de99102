"""Results for other programs."""

from netinterf.export.jsonl import jsonl

__all__ = ["jsonl"]
