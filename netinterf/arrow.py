"""Tables as Arrow, for pandas, polars, duckdb and Parquet files: the only module that imports pyarrow.

A table is handed over as it is, one Arrow column per column, with its meaning and unit as metadata. Numbers without
gaps are shared and not copied. What a table has no value for becomes null, since a frame would take -1 or the least
integer for a value: times that are unknown, NaN, and -1 where it stands for none.

Sources: Arrow columnar format 1.0 (types, layout); the Arrow PyCapsule interface (``__arrow_c_stream__``), by which
other libraries take a table without knowing this one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import numpy as np

from netinterf.errors import MissingExtra, UsageError

__all__ = [
    "NOT_A_TIME",
    "TIME",
    "arrow_to_pandas",
    "arrow_type",
    "parquet_batches",
    "parquet_writer",
    "pyarrow",
    "table_to_arrow",
]

TIME = "ns since 1970 UTC"
"""Unit of columns that are points in time: they become Arrow timestamps."""

NOT_A_TIME = np.iinfo(np.int64).min
"""A point in time that is unknown (numpy's NaT)."""


def pyarrow() -> Any:
    """Import pyarrow when it is needed.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import pyarrow as library
    except ImportError:
        raise MissingExtra("a frame or a store of a campaign", "arrow") from None
    return library


def arrow_type(description: Any) -> Any:
    """Turn the description of a value into an Arrow type.

    Args:
        description: A name (``"string"``, ``"int64"``, ``"time"`` …), a list of one for lists, a pair for maps, a
            mapping for structs.
    """
    library = pyarrow()
    if isinstance(description, dict):
        return library.struct([library.field(name, arrow_type(inner)) for name, inner in description.items()])
    if isinstance(description, list):
        return library.list_(arrow_type(description[0]))
    if isinstance(description, tuple):
        return library.map_(*map(arrow_type, description))
    return library.timestamp("ns", "UTC") if description == "time" else library.type_for_alias(description)


def parquet_writer(target: BinaryIO, schema: Any, compression: str = "snappy") -> Any:
    """Open a Parquet file for tables of one schema; close it, or use it in a ``with`` statement.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    pyarrow()
    from pyarrow.parquet import ParquetWriter

    return ParquetWriter(target, schema, compression=compression)


BATCH = 1 << 16
"""Rows that are read of a Parquet file at a time."""


def parquet_batches(source: str, columns: Sequence[str] | None = None, repeated: Sequence[str] = ()) -> Iterator[Any]:
    """Read a Parquet file piece by piece, as ``pyarrow.RecordBatch``.

    Args:
        source: The file.
        columns: Which columns, None for all; those that are not there are left out.
        repeated: Columns of text that repeats, which are given as dictionaries.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    with whole(source):
        from pyarrow.parquet import ParquetFile, read_metadata

        footer = read_metadata(source)
        there = set(footer.schema.names)
        with ParquetFile(source, metadata=footer, read_dictionary=[name for name in repeated if name in there]) as file:
            yield from file.iter_batches(BATCH, columns=None if columns is None else list(columns))


def parquet_rows(source: str) -> int:
    """Tell how many rows a Parquet file has, by its footer.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    with whole(source):
        from pyarrow.parquet import read_metadata

        return int(read_metadata(source).num_rows)


@contextmanager
def whole(source: str) -> Iterator[None]:
    """Name the file that is no Parquet file, or a damaged one.

    Raises:
        MissingExtra: pyarrow is not installed.
        UsageError: It cannot be read.
    """
    library = pyarrow()
    try:
        yield
    except library.ArrowInvalid as cause:
        raise UsageError(f"{source}: this is no whole Parquet file ({cause})") from cause


class Described(Protocol):
    """What the data dictionary says of one column; see `netinterf.table.Column`."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def refers(self) -> str: ...
    @property
    def missing(self) -> bool: ...


class Columns(Protocol):
    """A table that describes its columns."""

    def schema(self) -> Sequence[Described]:
        """Describe each column, in order."""
        ...


def table_to_arrow(table: Columns) -> Any:
    """Hand a table over to Arrow.

    Args:
        table: Any table of the library.

    Returns:
        A ``pyarrow.Table`` with the same columns in the same order, empty ones included.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    library = pyarrow()
    columns = table.schema()
    arrays = [_array(library, column, getattr(table, column.name)) for column in columns]
    fields = [
        library.field(column.name, array.type, metadata=_about(column))
        for column, array in zip(columns, arrays, strict=True)
    ]
    schema = library.schema(fields, metadata={"netinterf.table": type(table).__name__})
    return library.Table.from_arrays(arrays, schema=schema)


def arrow_to_pandas(table: Any) -> Any:
    """Turn a ``pyarrow.Table`` into a ``pandas.DataFrame``.

    Raises:
        UsageError: pandas, which no extra brings, is not installed.
    """
    try:
        return table.to_pandas()
    except ImportError:
        raise UsageError("a pandas.DataFrame needs pandas: pip install pandas") from None


def _array(library: Any, column: Described, value: Any) -> Any:
    """Turn one column into an Arrow array."""
    if column.shape == "text":
        return _texts(library, value)
    if column.shape == "ragged":
        return library.LargeListArray.from_arrays(library.array(value.offsets), library.array(value.values))
    if column.unit == TIME:
        return library.array(value, type=library.timestamp("ns", "UTC"), mask=_missing(value == NOT_A_TIME))
    if column.missing and value.dtype.kind == "i":
        return library.array(value, mask=_missing(value == -1))
    return library.array(value, from_pandas=True)  # NaN becomes null


def _missing(mask: Any) -> Any:
    """Give a mask, or None where nothing is missing: without one nothing is copied."""
    return mask if mask.any() else None


def _texts(library: Any, value: Any) -> Any:
    """Share the bytes of a text column; rows that are no UTF-8 are read as everywhere else, with escapes."""
    buffers = [library.py_buffer(np.ascontiguousarray(part)) for part in (value.offsets, value.values)]
    array = library.LargeStringArray.from_buffers(len(value), *buffers)
    try:
        array.validate(full=True)
    except library.ArrowInvalid:
        return library.array(list(value), type=library.large_string())
    return array


def _about(column: Described) -> dict[str, str]:
    """Write the data dictionary's line of a column as metadata."""
    metadata = {"meaning": column.meaning, "unit": column.unit, "refers": column.refers}
    return {key: text for key, text in metadata.items() if text}
