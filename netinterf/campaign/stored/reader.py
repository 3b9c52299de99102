"""What a store holds, table by table."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netinterf.arrays import I64
from netinterf.arrow import parquet_batches, parquet_rows
from netinterf.campaign.stored.schema import CAPTURES, MARKS, NAMES, OBSERVATIONS, SERVERS, VALUES, StoredTable
from netinterf.campaign.stored.store import Store
from netinterf.writing import readable

__all__ = ["Reader", "Snapshot", "by_key"]


class Reader:
    """Reads a store.

    Args:
        store: The folder of the store.
    """

    def __init__(self, store: str | os.PathLike[str]) -> None:
        self._store = Store(Path(store))

    def __repr__(self) -> str:
        return readable(f"<{type(self).__name__} in {self.path}>")

    @property
    def path(self) -> str:
        """Where the store lies."""
        return str(self._store.path)

    def observations(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Read the observations piece by piece, as ``pyarrow.RecordBatch`` with text as dictionaries.

        Args:
            columns: Which columns; None for all of `campaign.stored.schema.OBSERVATIONS`.

        Raises:
            UsageError: There is no store, or a later version wrote it.
        """
        return self._read(OBSERVATIONS, columns)

    def observations_at(self, rows: I64, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read some observations.

        Args:
            rows: Their places in the store, rising.
            columns: Which columns.
        """
        begin = 0
        for part in self._parts(OBSERVATIONS):
            end = begin + self._rows(part)
            if np.searchsorted(rows, begin) < np.searchsorted(rows, end):
                for batch in self._batches(part, columns, OBSERVATIONS):
                    here = rows[np.searchsorted(rows, begin) : np.searchsorted(rows, begin + len(batch))] - begin
                    yield from batch.take(here).to_pylist() if len(here) else ()
                    begin += len(batch)
            begin = end

    def captures(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Read the entries of files, as `observations`; columns are those of `campaign.stored.schema.CAPTURES`."""
        return self._read(CAPTURES, columns)

    def marks(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Read certificates, answers, handwriting and rates; columns are those of `campaign.stored.schema.MARKS`."""
        return self._read(MARKS, columns)

    def values(self) -> Iterator[Any]:
        """Read which values of marks may be told; columns are those of `campaign.stored.schema.VALUES`."""
        return self._told(VALUES)

    def names(self) -> Iterator[Any]:
        """Read which names may be told; columns are those of `campaign.stored.schema.NAMES`."""
        return self._told(NAMES)

    def servers(self) -> Iterator[Any]:
        """Read which servers may be told; columns are those of `campaign.stored.schema.SERVERS`."""
        return self._told(SERVERS)

    def _told(self, table: StoredTable) -> Iterator[Any]:
        """Read a table of what is told, which is there once a collect ended."""
        self._store.check()
        file = self._store.told(table.name)
        if file.exists():
            yield from parquet_batches(str(file))

    def _read(self, table: StoredTable, columns: Sequence[str] | None) -> Iterator[Any]:
        """Read a table."""
        self._store.check()
        for part in self._parts(table):
            for batch in self._batches(part, columns, table):
                yield table.completed(batch, columns)

    def _parts(self, table: StoredTable) -> list[Path]:
        """List the files of a table."""
        return self._store.committed(table.name)

    def _batches(self, part: Path, columns: Sequence[str] | None, table: StoredTable) -> Iterator[Any]:
        """Read one file of a table, wherever it lies by now."""
        try:
            yield from parquet_batches(str(part), columns, table.words)
        except FileNotFoundError:  # only when it is opened: nothing of it was given
            yield from parquet_batches(str(self._store.moved(part)), columns, table.words)

    def _rows(self, part: Path) -> int:
        """Count the rows of a file, wherever it lies by now."""
        try:
            return parquet_rows(str(part))
        except FileNotFoundError:
            return parquet_rows(str(self._store.moved(part)))


class Snapshot(Reader):
    """Reads a store as it is now, whatever is added or merged meanwhile: places of rows mean the same each time.

    Args:
        store: The folder of the store.

    Raises:
        UsageError: There is no store, or a later version wrote it.
    """

    def __init__(self, store: str | os.PathLike[str]) -> None:
        super().__init__(store)
        self._store.check()
        self._now = self._store.committed_of([table.name for table in (OBSERVATIONS, CAPTURES, MARKS)])

    def size(self) -> int:
        """Count the observations."""
        return sum(self._rows(part) for part in self._parts(OBSERVATIONS))

    def _parts(self, table: StoredTable) -> list[Path]:
        return self._now[table.name]


def by_key(batches: Iterator[Any], key: str, write: Callable[[dict[str, Any]], str]) -> dict[int, str]:
    """Read what may be told, by its key."""
    return {row[key]: write(row) for batch in batches for row in batch.to_pylist()}
