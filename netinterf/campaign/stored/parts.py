"""Parts of a store: written aside by whoever judged a batch, put in place by whoever collects.

A batch is written into a folder of its own below ``pending``, its files named after where they belong. To commit it,
the folder is renamed (from here on the batch counts, whatever happens), its files are moved to where they belong, and
that of ``captures`` last. After a crash, `recover` moves on what was renamed and drops the rest, so that each batch is
there once or not at all. All of it is on the disk before the next step is taken.
"""

import os
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from netinterf.arrow import parquet_writer, pyarrow
from netinterf.campaign.place import as_folder
from netinterf.campaign.stored.replaced import settle
from netinterf.campaign.stored.schema import CAPTURES, MARKS, OBSERVATIONS, SEEN, StoredTable
from netinterf.campaign.stored.store import Store, dropped, is_own, synced

__all__ = ["Aside", "commit", "dropped", "recover"]

COMMITTED = "commit-"
"""How folders below ``pending`` begin that count."""

GROUP = 1 << 16
"""Rows that are held until they are written as one group: more than any reader asks of one."""

HOMES = {
    OBSERVATIONS.name: "observations",
    MARKS.name: "marks",
    SEEN.name: "private/seen",
    CAPTURES.name: "captures",
}
"""Where the parts of each table lie; ``captures`` is last, here and when a batch is put in place."""

PLACED = frozenset({OBSERVATIONS.name, MARKS.name})
"""Tables whose rows lie in folders below, one for each place, called as whoever reads partitions of Parquet expects."""

SUFFIX, SLASH = ".parquet", ","
"""How files of a batch are named while they lie aside: no name of a place, as it is written there, holds a comma."""


class Aside:
    """A batch while it is written. Its files are made in memory, some ten bytes for a row, and written at the end."""

    def __init__(self) -> None:
        self._held: dict[str, list[Any]] = {}
        self._written: dict[str, tuple[BytesIO, Any]] = {}

    def add(self, table: StoredTable, rows: Any) -> None:
        """Add rows of a table, a ``pyarrow.Table``: each lies where its place does."""
        home = HOMES[table.name]
        if table.name not in PLACED:
            self._hold(home, rows)
            return
        for place, some in by_place(rows):
            self._hold(f"{home}/place={as_folder(place)}", some)

    def _hold(self, home: str, rows: Any) -> None:
        """Hold rows, until they are a group."""
        held = self._held.setdefault(home, [])
        held.append(rows)
        if sum(map(len, held)) >= GROUP:
            self._write(home)

    def finish(self, folder: Path) -> None:
        """Write all, and wait until it is on the disk; tables without rows have no file.

        Raises:
            OSError: It cannot be written; nothing is left behind.
        """
        try:
            folder.mkdir(parents=True)
            for home in list(self._held):
                self._write(home)
            for home, (content, writer) in self._written.items():
                writer.close()
                with open(folder / (home.replace("/", SLASH) + SUFFIX), "xb") as file:
                    file.write(content.getbuffer())
                    file.flush()
                    os.fsync(file.fileno())
            synced(folder)
        except OSError:
            dropped(folder)
            raise

    def _write(self, home: str) -> None:
        """Write the rows that are held as one group."""
        held = self._held.pop(home)
        if not sum(map(len, held)):
            return
        if home not in self._written:
            content = BytesIO()
            self._written[home] = content, parquet_writer(content, held[0].schema, "zstd")
        self._written[home][1].write_table(pyarrow().concat_tables(held))


def by_place(rows: Any) -> Iterator[tuple[str, Any]]:
    """Give the rows of each place, in their order."""
    words = rows["place"].combine_chunks().dictionary_encode()
    places = words.dictionary.to_pylist()
    if len(places) == 1:
        yield places[0], rows
        return
    code = words.indices.to_numpy()
    order = np.argsort(code, kind="stable")
    edges = np.searchsorted(code[order], np.arange(len(places) + 1))
    for place, (begin, end) in zip(places, pairwise(edges.tolist()), strict=True):
        yield place, rows.take(order[begin:end])


def commit(store: Store, folder: Path, number: str) -> None:
    """Put a batch in place that was written aside.

    Args:
        store: Where it belongs.
        folder: Where it was written.
        number: Of its part; no other may have it.

    Raises:
        OSError: It cannot be moved; the next `recover` tries again.
    """
    counted = folder.rename(store.pending / f"{COMMITTED}{number}")
    synced(store.pending)
    _put_in_place(store, counted)


def recover(store: Store) -> None:
    """Put in place what was to be when a collect or a merge ended, and drop all else that it left, and nothing more.

    Raises:
        OSError: Something cannot be moved.
    """
    for entry in sorted(store.pending.iterdir()) if store.pending.is_dir() else []:
        if entry.name.startswith(COMMITTED):
            _put_in_place(store, entry)
        elif is_own(entry.name):
            dropped(entry)
    settle(store)


def _put_in_place(store: Store, folder: Path) -> None:
    """Move the files of a batch to where they belong, that of ``captures`` last."""
    number = folder.name.removeprefix(COMMITTED)
    homes = {file: file.name.removesuffix(SUFFIX).replace(SLASH, "/") for file in sorted(folder.iterdir())}
    for file, name in sorted(homes.items(), key=lambda pair: pair[1] == HOMES[CAPTURES.name]):
        home = store.path / name
        home.mkdir(parents=True, exist_ok=True)
        file.replace(home / f"part-{number}{SUFFIX}")
        synced(home)
    dropped(folder)
