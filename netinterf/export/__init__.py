"""Results for other programs."""

from netinterf.export.comparison import comparison_lines
from netinterf.export.contract import json_schema
from netinterf.export.jsonl import jsonl
from netinterf.export.ooni import ooni
from netinterf.export.parquet import parquet

__all__ = ["comparison_lines", "json_schema", "jsonl", "ooni", "parquet"]
