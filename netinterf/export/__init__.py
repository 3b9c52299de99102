"""Results for other programs."""

from netinterf.export.comparison import comparison_lines
from netinterf.export.jsonl import jsonl
from netinterf.export.monitors import ecs, eve, zeek
from netinterf.export.ooni import ooni
from netinterf.export.parquet import parquet
from netinterf.export.shapes import json_schema

__all__ = ["comparison_lines", "ecs", "eve", "json_schema", "jsonl", "ooni", "parquet", "zeek"]
