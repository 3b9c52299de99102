"""Tables: frozen bundles of equally long columns."""

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import SchemaError
from netinterf.schema import Evidence, Hosts
from netinterf.table import Ragged, Table, Text, column, ragged, spans, text


@attrs.frozen(eq=False, kw_only=True)
class Sample(Table):
    """A table with one column of each shape."""

    number: np.ndarray = column("i4", "a number", unit="s", refers="Sample")
    flag: np.ndarray = column("?", "a flag", fill=0)
    lists: Ragged = ragged("u2", "lists")
    words: Text = text("words")


def sample() -> Sample:
    """Make a table with one row of every kind."""
    return Sample.of(number=[1, 2, 3], lists=[[1], [], [2, 3]], words=["a", "", "ü"])


def test_columns_left_out_are_filled() -> None:
    """A column with a fill value may be left out, and an empty ragged column too."""
    table = Sample.of(number=[7, 8])
    assert table.flag.tolist() == [False, False]
    assert [list(row) for row in table.lists] == [[], []]
    assert list(table.words) == ["", ""]


def test_take_selects_rows_of_every_shape() -> None:
    """Rows are selected in the order given, by number or by mask."""
    taken = sample().take(np.array([2, 0]))
    assert taken.number.tolist() == [3, 1]
    assert [row.tolist() for row in taken.lists] == [[2, 3], [1]]
    assert list(taken.words) == ["ü", "a"]
    assert sample().take(np.array([False, True, False])).number.tolist() == [2]
    assert len(sample().take(slice(0, 0))) == 0


def test_concat_joins_and_empty_is_neutral() -> None:
    """Joining with an empty table changes nothing."""
    assert Sample.concat([sample(), Sample.empty()]).equals(sample())
    assert len(Sample.concat([])) == 0
    assert Sample.concat([sample(), sample()]).number.tolist() == [1, 2, 3, 1, 2, 3]


def test_columns_that_nobody_needs_are_lengthened_like_tables() -> None:
    """They are taken out of their dictionary; the rows are those of both tables."""
    columns = sample().columns()
    assert Sample.lengthened(columns, sample().take([2])).equals(Sample.concat([sample(), sample().take([2])]))
    assert not columns


def test_what_was_left_out_takes_no_memory_in_what_is_joined() -> None:
    """One equal value stands for all rows, as long as none was given."""
    joined = Sample.concat([Sample.of(number=[1, 2]), Sample.of(number=[3])])
    assert joined.flag.tolist() == [False, False, False]
    assert joined.flag.strides == (0,)
    mixed = Sample.concat([Sample.of(number=[1, 2]), Sample.of(number=[3], flag=[True])])
    assert mixed.flag.tolist() == [False, False, True]


def test_columns_are_read_only() -> None:
    """A table is a value: its columns cannot be written to."""
    with pytest.raises(ValueError, match="read-only"):
        sample().number[0] = 5


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"number": [1.5]}, "without loss"),
        ({"number": [1], "nonsense": [1]}, "no column 'nonsense'"),
        ({"flag": [True]}, "needs column 'number'"),
        ({"number": [1, 2], "flag": [True]}, "expected 2 rows, found 1"),
        ({"number": [2**31]}, "without loss"),
    ],
)
def test_wrong_columns_are_refused(columns: dict[str, object], message: str) -> None:
    """The error names the table, the column and what was expected."""
    with pytest.raises(SchemaError, match=message):
        Sample.of(**columns)


def test_the_constructor_takes_exact_dtypes() -> None:
    """Only `of` casts; the constructor refuses another dtype."""
    with pytest.raises(SchemaError, match="int32"):
        Sample(number=np.array([1], np.int64))


def test_renumber_follows_rows_that_moved() -> None:
    """References to another table are rewritten; -1 stays, and what is gone becomes -1."""
    table = Sample.of(number=[0, 2, -1])
    assert table.renumber({"Sample": np.array([5, 6, -1])}).number.tolist() == [5, -1, -1]
    assert table.renumber({}).number.tolist() == [0, 2, -1]


def test_rows_are_light_objects() -> None:
    """People can walk a table row by row."""
    assert [(row.number, row.words) for row in sample().rows()] == [(1, "a"), (2, ""), (3, "ü")]


def test_schema_is_the_data_dictionary() -> None:
    """Every column says what it is."""
    first = Sample.schema()[0]
    assert (first.name, first.dtype, first.shape, first.unit) == ("number", "int32", "plain", "s")
    assert all(column.meaning for column in Evidence.schema() + Hosts.schema())


def test_text_survives_bytes_that_are_no_text() -> None:
    """Undecodable bytes are shown as escapes, and the raw bytes stay available."""
    words = Text.of([b"\xff\x00a"])
    assert words[0] == "\\xff\x00a"
    assert words.bytes(0) == b"\xff\x00a"


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 7)), max_size=20))
def test_spans_equal_the_obvious_loop(pairs: list[tuple[int, int]]) -> None:
    """Positions of many spans are those of a loop over them."""
    starts = np.array([start for start, _ in pairs], np.int64)
    lengths = np.array([length for _, length in pairs], np.int64)
    assert spans(starts, lengths).tolist() == [p for s, n in pairs for p in range(s, s + n)]


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=8), st.data())
def test_ragged_take_equals_list_selection(rows: list[list[int]], data: st.DataObject) -> None:
    """Selecting rows of a ragged column is selecting from the list of lists."""
    column_of = Ragged.of(rows, np.int64)
    index = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6)) if rows else []
    taken = column_of.take(np.array(index, np.int64))
    assert [row.tolist() for row in taken] == [rows[place] for place in index]
    assert Ragged.concat([column_of, taken]).lengths.tolist() == [len(r) for r in rows] + [len(rows[p]) for p in index]
