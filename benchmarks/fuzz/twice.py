"""Asking twice: with what is compiled and without, and holding tables against each other."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs
import numpy as np

from netinterf import compiled
from netinterf.table import Ragged, Table

__all__ = ["Told", "differing", "pure", "same", "told_of", "twice"]

Answer = TypeVar("Answer")

Told = set[tuple[object, ...]]
"""What was said of the parts of an input: an input that makes it say something new is worth keeping."""


@contextmanager
def pure() -> Iterator[None]:
    """Do without what is compiled, as where there is no compiler."""
    library = compiled.library
    compiled.library = lambda: None  # type: ignore[assignment]
    try:
        yield
    finally:
        compiled.library = library


ONE_IN = 4
"""Inputs of which one is read again without what is compiled, which takes several times as long."""


def twice(data: bytes, function: Callable[[], Answer]) -> Answer:
    """Read an input with what is compiled; one in some also without, which must give the same.

    Raises:
        AssertionError: They do not.
    """
    first = function()
    if zlib.crc32(data) % ONE_IN:
        return first
    with pure():
        second = function()
    same(first, second)
    return first


def same(first: Any, second: Any) -> None:
    """Hold two answers against each other.

    Raises:
        AssertionError: They differ; it names where.
    """
    where = differing(first, second)
    assert not where, f"two answers differ in {where}"


def differing(first: Any, second: Any) -> str:
    """Name the first place where two values differ: tables, arrays, values made of them; empty for none."""
    if type(first) is not type(second):
        return type(first).__name__
    if isinstance(first, Table | Ragged):
        return "" if first.equals(second) else columns_of(first, second)  # type: ignore[arg-type]
    if isinstance(first, np.ndarray):
        equal = np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
        return "" if equal else "an array"
    if attrs.has(type(first)):
        return next((f"{name}: {found}" for name, found in by_field(first, second) if found), "")
    if isinstance(first, tuple | list):
        places = (differing(left, right) for left, right in zip(first, second, strict=False))
        return "how many there are" if len(first) != len(second) else next(filter(None, places), "")
    return "" if first == second else f"{first!r:.80} and {second!r:.80}"


def by_field(first: Any, second: Any) -> Iterator[tuple[str, str]]:
    """Compare field by field."""
    for field in attrs.fields(type(first)):
        yield field.name, differing(getattr(first, field.name), getattr(second, field.name))


def columns_of(first: Table, second: Table) -> str:
    """Name the columns in which two tables differ."""
    if not isinstance(first, Table):
        return "a list of rows"
    names = [known.name for known in first.schema()]
    return f"{type(first).__name__}: " + ", ".join(
        name for name in names if differing_column(getattr(first, name), getattr(second, name))
    )


def differing_column(first: Any, second: Any) -> bool:
    """Say whether two columns differ."""
    return not first.equals(second) if isinstance(first, Ragged) else not np.array_equal(first, second)


def told_of(table: Table, *names: str) -> Told:
    """List which values some columns have together."""
    columns = (getattr(table, name).tolist() for name in names)
    return {(type(table).__name__, *row) for row in zip(*columns, strict=True)}
