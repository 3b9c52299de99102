"""Tables and verdicts as frames: pyarrow, pandas, polars and duckdb read what the library holds."""

import sys

import attrs
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import netinterf
from netinterf import schema
from netinterf.arrow import TIME
from netinterf.errors import MissingExtra
from netinterf.table import Ragged, Table, Text, column, ragged, text

TABLES = [kind for kind in vars(schema).values() if isinstance(kind, type) and issubclass(kind, Table)]


def arrow_type(one):
    """Say which Arrow type a column must have."""
    if one.shape == "text":
        return pa.large_string()
    if one.unit == TIME:
        return pa.timestamp("ns", "UTC")
    plain = pa.from_numpy_dtype(np.dtype(one.dtype))
    return pa.large_list(plain) if one.shape == "ragged" else plain


def expected(one, value):
    """Say what a row of a column must read as: null for what is missing."""
    if isinstance(value, str):
        return value
    if one.shape == "ragged":
        return value.tolist()
    value = value.item()
    if one.unit == TIME:
        return None if value == np.iinfo(np.int64).min else value
    missing = value == -1 if one.missing else np.isnan(value)
    return None if missing and one.dtype != "bool" else value


def check(table):
    """Hold what Arrow, pandas, polars and duckdb make of a table against its columns."""
    names = [one.name for one in table.schema()]
    handed = pa.table(table)
    handed.validate(full=True)
    assert handed.column_names == names
    assert list(table.to_pandas().columns) == names
    assert pl.DataFrame(table).columns == names
    assert duckdb.arrow(handed).columns == names
    assert len(handed) == len(table.to_pandas()) == pl.DataFrame(table).height == len(table)
    for one in table.schema():
        assert handed.schema.field(one.name).type == arrow_type(one), one.name
        array = handed[one.name]
        read = array.cast(pa.int64()).to_pylist() if one.unit == TIME else array.to_pylist()
        wanted = [expected(one, value) for value in getattr(table, one.name)]
        np.testing.assert_equal(read, wanted, one.name)  # NaN equals NaN


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_a_table_without_rows_keeps_its_columns_and_types(kind):
    """Nothing found is a frame of no rows, never a frame of no columns."""
    check(kind.empty())


@pytest.mark.parametrize("name", ["tcp.reset", "dns.injection", "rate.policing"])
def test_frames_hold_what_the_tables_hold(name):
    """Every table of a trace, and evidence and verdicts about it, row by row."""
    trace = netinterf.example(name)
    evidence = netinterf.analyze(trace)
    parts = [value for value in vars_of(trace) if isinstance(value, Table)]
    assert len(parts) > 8
    for table in [*parts, evidence, netinterf.classify(evidence, trace)]:
        check(table.take(slice(0, 500)))


def vars_of(trace):
    """List the attributes of a trace."""
    return [getattr(trace, name) for name in dir(trace) if not name.startswith("_")]


def odd():
    """Make a table with missing times, rows, numbers, bytes that are no text, and a column that was left out."""

    @attrs.frozen(eq=False, kw_only=True)
    class Mixed(Table):
        when: np.ndarray = column("i8", "a time", unit=TIME)
        row: np.ndarray = column("i4", "a row", refers="Flows")
        share: np.ndarray = column("f8", "a share")
        left_out: np.ndarray = column("u2", "always the same", fill=7)
        word: Text = text("a word")
        many: Ragged = ragged("f4", "numbers")

    return Mixed(
        when=np.array([0, np.iinfo(np.int64).min, 5]),
        row=np.array([-1, 0, 3], np.int32),
        share=np.array([0.5, np.nan, -1.0]),
        word=Text.of(["é", b"\xff\x00", ""]),
        many=Ragged.of([[], [1, 2], [3]], np.float32),
    )


def test_what_is_missing_is_null():
    """Neither -1 nor the least integer nor NaN is a value, and bytes that are no text read with escapes."""
    handed = pa.table(odd())
    check(odd())
    assert handed["when"].null_count == handed["row"].null_count == handed["share"].null_count == 1
    assert handed["word"].to_pylist() == ["é", "\\xff\x00", ""]
    assert handed["left_out"].to_pylist() == [7, 7, 7]
    assert pd.isna(odd().to_pandas()["when"][1])


def test_columns_in_which_minus_one_is_no_value_say_so():
    """What the data dictionary says of -1 holds in frames as well."""
    told = [(kind.__name__, one) for kind in TABLES for one in kind.schema() if one.shape == "plain"]
    assert len(told) > 150
    assert [(name, one.name) for name, one in told if "-1 " in one.meaning and not one.missing] == []


def test_columns_say_what_they_mean():
    """Meaning, unit and the table that a row number refers to are metadata of the column."""
    field = schema.Packets.empty().to_arrow().schema.field("time")
    assert field.metadata == {b"meaning": b"capture time", b"unit": TIME.encode()}
    assert schema.Packets.empty().to_arrow().schema.metadata == {b"netinterf.table": b"Packets"}


def test_numbers_are_shared_and_not_copied():
    """A million packets cost no second copy."""
    table = netinterf.example("tcp.reset").packets
    (chunk,) = pa.table(table)["length"].chunks
    assert chunk.buffers()[1].address == table.length.ctypes.data


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch):
    """An optional package that is missing is named, and not a traceback from inside."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"netinterf\[arrow\]"):
        schema.Flows.empty().to_arrow()
