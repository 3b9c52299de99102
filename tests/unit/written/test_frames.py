"""Verdicts as frames hold what the JSON lines hold, with types."""

import io
import json

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import netinterf
from netinterf import export
from netinterf.written.format import VERDICT, line
from netinterf.written.frames import verdicts_to_arrow


@pytest.fixture(scope="module")
def result():
    """Scan the captures that ship with the library."""
    return netinterf.scan(str(netinterf.__path__[0]) + "/data/examples")


def line_of(row):
    """Bring a row of a frame back into the form of a JSON line."""
    row = dict(row)
    for end in ("start", "end"):
        row[end] = None if row[end] is None else f"{np.datetime64(row[end].value, 'ns')}Z"
    row["evidence"] = [{**one, "measured": dict(one["measured"])} for one in row["evidence"]]
    return row


def test_a_frame_holds_what_the_lines_hold(result):
    """Key by key, for every flow, exchange and group of the examples."""
    rows = result.to_arrow().to_pylist()
    lines = [line("verdict", verdict, VERDICT) for verdict in result.verdicts]
    assert len(rows) == len(lines) > 80
    assert any(told["group"] for told in lines)
    for row, told in zip(rows, lines, strict=True):
        del told["type"], told["schema"]
        assert line_of(row) == json.loads(json.dumps(told, default=str))


def test_columns_are_the_keys_of_the_contract(result):
    """No key is left out, and none is added."""
    assert ["type", "schema", *VERDICT] == list(line("verdict", result.verdicts[0], VERDICT))


def test_no_verdicts_are_a_frame_with_types(result):
    """An empty frame joins with a full one."""
    none = verdicts_to_arrow([])
    assert none.num_rows == 0
    assert none.schema == result.to_arrow().schema
    assert pa.concat_tables([none, result.to_arrow()]).num_rows == len(result.verdicts)
    assert none.schema.field("start").type == pa.timestamp("ns", "UTC")
    assert none.schema.field("selective").type == pa.bool_()


def test_every_library_takes_a_result(result):
    """Without knowing this library: by the Arrow stream that a result hands over."""
    count = len(result.verdicts)
    assert pa.table(result).num_rows == pl.DataFrame(result).height == len(result.to_pandas()) == count
    handed = result.to_arrow()
    (found,) = duckdb.sql("select count(*) from handed where outcome = 'interfered'").fetchall()
    assert found[0] == sum(verdict.outcome == "interfered" for verdict in result.verdicts)
    assert handed.num_rows == count


def test_parquet_keeps_all(result, tmp_path):
    """What is written reads back the same; findings only, unless everything is asked for; a file object will do."""
    path = tmp_path / "verdicts.parquet"
    export.parquet(result, path, everything=True)
    back = pq.read_table(path)
    assert back.schema.names == list(VERDICT)
    assert back.to_pylist() == result.to_arrow().to_pylist()
    held = io.BytesIO()
    export.parquet(result, held)
    held.seek(0)
    findings = pd.read_parquet(held)
    assert len(findings) == len(result.findings) < len(result.verdicts)
    (name,) = duckdb.sql(f"select distinct subject.name from '{path}' where mechanism = 'tcp.reset' limit 1").fetchall()
    assert name[0].endswith((".net", ".com", ".org", ".example"))


def test_a_result_without_captures_is_an_empty_file(tmp_path):
    """A folder without captures gives a file with columns and no rows."""
    export.parquet([], tmp_path / "none.parquet")
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0
