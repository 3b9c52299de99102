"""Tables: frozen bundles of equally long columns, and the two column shapes numpy lacks.

A table is an attrs class whose fields are declared with :func:`column`, :func:`ragged` or :func:`text`. The base
class gives it length, selection, joining, row access and a schema, so that a new table is only its columns. Columns
are read-only: a table is a value, and the same rows may be shared by many tables without copying.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrow import arrow_to_pandas, table_to_arrow
from netinterf.columns import Ragged, Rows, Text, equal_values, long_runs, spans
from netinterf.errors import SchemaError
from netinterf.notebook import MOST_ROWS, html_table
from netinterf.values import frozen
from netinterf.writing import count_of

__all__ = ["Column", "Ragged", "Rows", "Table", "Text", "column", "ragged", "spans", "text"]


LONG_RUN = 256
"""Rows in a row from which copying them as a whole is faster than one by one, on the average."""


@frozen
class Column:
    """What the data dictionary says of one column."""

    name: str
    dtype: str
    shape: str  # "plain", "ragged" or "text"
    meaning: str
    unit: str
    refers: str  # name of the table whose rows the values number, empty for plain values
    missing: bool  # whether -1 stands for none or unknown


def column(
    dtype: str, meaning: str, *, unit: str = "", fill: int | None = None, refers: str = "", missing: bool = False
) -> Any:
    """Declare a plain column of a table.

    Args:
        dtype: Exact numpy dtype, e.g. ``"u2"``.
        meaning: One line for the data dictionary.
        unit: Unit of the values, empty when they have none.
        fill: Value of every row when the constructor is not given the column; None makes it mandatory.
        refers: Name of the table whose rows the values number (-1 for none).
        missing: Whether -1 stands for none or unknown; so it does anyway where it is the fill, or a row is referred to.
    """
    return _declare(dtype, "plain", meaning, unit, fill, refers, missing or fill == -1 or bool(refers))


def ragged(dtype: str, meaning: str, *, unit: str = "", refers: str = "") -> Any:
    """Declare a column whose rows are arrays of unequal length (:class:`Ragged`); left out, every row is empty."""
    return _declare(dtype, "ragged", meaning, unit, 0, refers)


def text(meaning: str) -> Any:
    """Declare a column of strings (:class:`Text`); left out, every row is empty."""
    return _declare("u1", "text", meaning, "", 0, "")


def _declare(
    dtype: str, shape: str, meaning: str, unit: str, fill: int | None, refers: str, missing: bool = False
) -> Any:
    metadata = {"dtype": np.dtype(dtype), "shape": shape, "meaning": meaning, "unit": unit, "fill": fill}
    metadata |= {"refers": refers, "missing": missing}
    return attrs.field(metadata=metadata) if fill is None else attrs.field(default=None, metadata=metadata)


DESCRIBED = ("shape", "meaning", "unit", "refers", "missing")
"""What a field's metadata hold for `Column`, in its order."""

_SHAPES: dict[str, type[Ragged]] = {"ragged": Ragged, "text": Text}


class Shape(NamedTuple):
    """What a column must be, read off its declaration once for all tables of a class."""

    name: str
    word: str  # "plain", "ragged" or "text"
    kind: type[Ragged] | None  # None for plain columns
    dtype: np.dtype[Any]
    fill: NDArray[Any]  # one value, read-only, for each row of a plain column that was left out

    @classmethod
    def of(cls, field: Any) -> Self:
        """Read the declaration of a column."""
        word, dtype = field.metadata["shape"], field.metadata["dtype"]
        fill = np.array(field.metadata["fill"] or 0, dtype)
        fill.flags.writeable = False
        return cls(field.name, word, _SHAPES.get(word), dtype, fill)

    def filled(self, count: int) -> Any:
        """Give the column where it was left out; *count* equal values take no memory."""
        if self.kind is not None:
            return self.kind.empty(count, self.dtype)
        return np.ndarray((count,), self.dtype, self.fill, strides=(0,))

    def joined(self, parts: Sequence[Any]) -> Any:
        """Put columns one behind the other; what was left out in all of them still takes no memory."""
        if self.kind is not None:
            return self.kind.concat(parts)
        full = [part for part in parts if len(part)]
        if full and all(part.strides == (0,) and part[0] == self.fill for part in full):
            return self.filled(sum(map(len, full)))
        return np.concatenate(parts)


@frozen(eq=False, kw_only=True)
class Table:
    """Base of every table; subclasses only declare columns."""

    __empty__: ClassVar[Any] = None

    def __attrs_post_init__(self) -> None:
        shapes = self._shapes()
        given = next((len(value) for shape in shapes if (value := getattr(self, shape.name)) is not None), 0)
        for shape in shapes:
            value = getattr(self, shape.name)
            if (column := self._checked(shape, value, given)) is not value:
                object.__setattr__(self, shape.name, column)

    def _checked(self, shape: Shape, value: Any, count: int) -> Any:
        """Refuse a wrong length or dtype, fill what was left out, and make the column read-only."""
        if value is None:
            return shape.filled(count)
        array = value if shape.kind is None else getattr(value, "values", None)
        if not isinstance(array, np.ndarray) or not (shape.kind is None or isinstance(value, shape.kind)):
            raise self._misfit(shape, f"a {shape.word} column of {shape.dtype}", type(value).__name__)
        if array.dtype != shape.dtype or array.ndim != 1:
            raise self._misfit(shape, f"1-D {shape.dtype}", f"{array.ndim}-D {array.dtype}")
        if len(value) != count:
            raise self._misfit(shape, f"{count} rows", str(len(value)))
        if shape.kind is None and array.flags.writeable:
            value = array.view()
            value.flags.writeable = False
        return value

    def _misfit(self, shape: Shape, expected: str, found: str) -> SchemaError:
        return SchemaError(f"{type(self).__name__}.{shape.name}: expected {expected}, found {found}")

    @classmethod
    @cache
    def _fields(cls) -> tuple[Any, ...]:
        return tuple(field for field in attrs.fields(cls) if "dtype" in field.metadata)

    @classmethod
    @cache
    def _shapes(cls) -> tuple[Shape, ...]:
        return tuple(map(Shape.of, cls._fields()))

    @classmethod
    def of(cls, **columns: Any) -> Self:
        """Build from anything array-like, refusing casts that lose values.

        Raises:
            SchemaError: A column is unknown, missing, of unequal length, or does not fit its dtype.
        """
        fields = {field.name: field for field in cls._fields()}
        unknown = sorted(set(columns) - {field.name for field in attrs.fields(cls)})
        if unknown:
            raise SchemaError(f"{cls.__name__} has no column {unknown[0]!r}")
        missing = sorted(n for n, f in fields.items() if f.metadata["fill"] is None and n not in columns)
        if missing:
            raise SchemaError(f"{cls.__name__} needs column {missing[0]!r}")
        return cls(**{n: _cast(cls, fields[n], v) if n in fields else v for n, v in columns.items()})

    @classmethod
    def empty(cls, **extra: Any) -> Self:
        """Build a table without rows; *extra* gives fields that are no columns."""
        if "__empty__" not in cls.__dict__:
            cls.__empty__ = cls(**{shape.name: shape.filled(0) for shape in cls._shapes()})
        nothing: Self = copy(cls.__empty__) if extra else cls.__empty__
        for name, value in extra.items():
            object.__setattr__(nothing, name, value)
        return nothing

    def __len__(self) -> int:
        return len(getattr(self, self._shapes()[0].name))

    def __repr__(self) -> str:
        columns = count_of(len(self._shapes()), "column")
        return f"<{type(self).__name__}: {count_of(len(self), 'row')} of {columns}; to_pandas() gives a data frame>"

    def _repr_html_(self) -> str:
        head = [shape.name for shape in self._shapes()]
        rows = ([getattr(row, name) for name in head] for row in self.take(slice(MOST_ROWS)).rows())
        return html_table(head, rows, len(self) - MOST_ROWS)

    def columns(self) -> dict[str, Any]:
        """Give the columns by name."""
        return {shape.name: getattr(self, shape.name) for shape in self._shapes()}

    def take(self, rows: Rows) -> Self:
        """Select rows by number, mask or slice, in the order given."""
        if isinstance(rows, np.ndarray) and rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        columns = self.columns()
        ragged = {id(value): value.take(rows) for value in columns.values() if isinstance(value, Ragged)}
        plain = _picker(rows, len(self))
        changes = {name: ragged[id(value)] if id(value) in ragged else plain(value) for name, value in columns.items()}
        return attrs.evolve(self, **changes)  # columns that were one stay one

    def renumber(self, places: Mapping[str, NDArray[np.integer[Any]]]) -> Self:
        """Follow rows that moved: rewrite every column that refers to another table.

        Args:
            places: For each table by name, the new row of each old row (-1: gone).
        """
        changes: dict[str, Any] = {}
        for field in self._fields():
            place = places.get(field.metadata["refers"])
            if place is None:
                continue
            value = getattr(self, field.name)
            numbers = value.values if isinstance(value, Ragged) else value
            known = numbers >= 0
            moved = np.where(known, place[np.where(known, numbers, 0)] if len(place) else -1, -1).astype(numbers.dtype)
            changes[field.name] = type(value)(value.offsets, moved) if isinstance(value, Ragged) else moved
        return attrs.evolve(self, **changes)

    @classmethod
    def concat(cls, tables: Sequence[Self]) -> Self:
        """Join tables one after the other; fields that are no columns are taken from the first."""
        if not tables:
            return cls.empty()
        if len(tables) == 1:
            return tables[0]
        changes, ragged = dict[str, Any](), dict[tuple[int, ...], Any]()
        for shape in cls._shapes():
            parts = [getattr(table, shape.name) for table in tables]
            same = tuple(map(id, parts))
            if shape.kind is not None:  # columns that were one stay one
                changes[shape.name] = ragged[same] = ragged[same] if same in ragged else shape.joined(parts)
            else:
                changes[shape.name] = shape.joined(parts)
        return attrs.evolve(tables[0], **changes)

    @classmethod
    def lengthened(cls, columns: dict[str, Any], more: Self) -> Self:
        """Put rows behind the columns of a table that nobody needs any longer.

        Args:
            columns: All of them by name; they are taken out one by one, so that memory holds only one of them twice.
            more: The rows behind; of a class with columns alone.
        """
        return cls(**{one.name: one.joined([columns.pop(one.name), getattr(more, one.name)]) for one in cls._shapes()})

    def rows(self) -> Iterator[Any]:
        """Walk the rows as light objects with one attribute per column (for people, not for hot loops)."""
        names = [field.name for field in self._fields()]
        record = attrs.make_class(f"{type(self).__name__}Row", names, frozen=True)
        for row in range(len(self)):
            yield record(*(_scalar(getattr(self, name)[row]) for name in names))

    @classmethod
    @cache
    def schema(cls) -> tuple[Column, ...]:
        """Describe every column: the data dictionary of this table."""
        return tuple(
            Column(f.name, str(f.metadata["dtype"]), *(f.metadata[k] for k in DESCRIBED)) for f in cls._fields()
        )

    def to_arrow(self) -> Any:
        """Give a ``pyarrow.Table``: times as timestamps in UTC, null for what is missing (needs netinterf[arrow])."""
        return table_to_arrow(self)

    def to_pandas(self) -> Any:
        """Give a ``pandas.DataFrame`` of the same columns (needs pandas besides netinterf[arrow])."""
        return arrow_to_pandas(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Hand the table to whatever speaks the Arrow PyCapsule interface: polars, duckdb, pyarrow, pandas."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def equals(self, other: Self) -> bool:
        """Say whether both tables hold the same rows (NaN equals NaN)."""
        return type(self) is type(other) and all(
            _same(getattr(self, field.name), getattr(other, field.name)) for field in self._fields()
        )


def _picker(rows: Rows, count: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Give what selects rows of a plain column: one by one, or by long runs that are copied as a whole."""
    if isinstance(rows, np.ndarray) and len(rows) and rows.min() >= 0 and rows.max() < count:
        runs = long_runs(rows.astype(np.int64, copy=False), LONG_RUN)
        if runs is not None:
            pairs = list(zip(*(border.tolist() for border in runs), strict=True))
            return lambda column: np.concatenate([column[begin:end] for begin, end in pairs])
    return lambda column: column[rows]


def _cast(cls: type[Table], field: Any, value: Any) -> Any:
    dtype, shape = field.metadata["dtype"], field.metadata["shape"]
    if isinstance(value, Ragged):
        return value
    if shape != "plain":
        return Text.of(value) if shape == "text" else Ragged.of(value, dtype)
    array = np.asarray(value)
    cast_values = array.astype(dtype)
    if not np.array_equal(cast_values, array, equal_nan=dtype.kind == "f" and array.dtype.kind == "f"):
        raise SchemaError(f"{cls.__name__}.{field.name}: values do not fit {dtype} without loss")
    return cast_values.reshape(-1)


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, Ragged):
        return left.equals(right)
    return equal_values(left, right)
