"""Results for other programs."""

from netinterf.export.jsonl import jsonl
from netinterf.export.parquet import parquet

__all__ = ["jsonl", "parquet"]
