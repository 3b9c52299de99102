"""Merge small parts of a store: one that is added to every hour has as many files as hours, and each costs to open.

Parts of one place are packed until a merged one has some megabytes; those that are large already stay. Rows stay as
they are and below the folder of their place, also those of measurements, whose parts have several; what numbers stand
for is kept once for each place that met it. Each merge is a batch that is written aside and put in place as those
of a collect are, and what it stands for stops counting in the same moment (`netinterf.campaign.stored.replaced`):
whenever it ends, nothing counts twice, and nothing is lost.
"""

import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from netinterf.arrow import parquet_batches, pyarrow
from netinterf.campaign.stored.parts import Aside, commit, recover
from netinterf.campaign.stored.replaced import TABLES, note, retire
from netinterf.campaign.stored.schema import CAPTURES, MARKS, OBSERVATIONS, SEEN, StoredTable
from netinterf.campaign.stored.store import NOTE, Store, new_name
from netinterf.errors import UsageError
from netinterf.numbering import combined, numbered
from netinterf.values import frozen
from netinterf.version import __version__

__all__ = ["Compacted", "compact"]

LARGE = 1 << 24
"""Bytes of a merged part, as much as a hundred thousand observations take: read at once, and seldom opened."""

Part = dict[str, list[Path]]
"""Files of one part by table."""


@frozen
class Compacted:
    """How many parts there were, and are."""

    before: int
    after: int


def compact(store: Store) -> Compacted:
    """Merge the small parts of a store.

    Args:
        store: The store.

    Raises:
        UsageError: There is no store, another process adds to it, or a later version wrote parts of it.
        OSError: It cannot be written; what was merged is.
    """
    store.check()
    with store.locked():
        recover(store)
        listed = {table: by_number(store.committed(table)) for table in TABLES}
        before = len(listed["captures"])
        parts = {number: {table: listed[table].get(number, []) for table in TABLES} for number in listed["captures"]}
        merged = [merge(store, group) for group in groups(store, parts)]
    return Compacted(before, before - sum(merged) + len(merged))


def by_number(files: list[Path]) -> Part:
    """Sort files by the number of their part."""
    found: Part = {}
    for file in files:
        found.setdefault(Store.number_of(file), []).append(file)
    return found


def groups(store: Store, parts: dict[str, Part]) -> Iterator[dict[str, Part]]:
    """Pack small parts of each place."""
    unfinished = {entry.parent.name for entry in store.replaced.glob(f"*/{NOTE}")}  # what they stand for lies there yet
    waiting: dict[str | None, dict[str, Part]] = {}
    filled: dict[str | None, int] = {}
    for number, part in parts.items():
        size = sum(file.stat().st_size for files in part.values() for file in files)
        if size >= LARGE // 2 or number in unfinished:
            continue
        place = place_of(part["captures"][0])
        waiting.setdefault(place, {})[number] = part
        filled[place] = filled.get(place, 0) + size
        if filled[place] >= LARGE:
            yield waiting.pop(place)
            filled[place] = 0
    yield from (group for group in waiting.values() if len(group) > 1)


def place_of(captures: Path) -> str | None:
    """Read whose captures a part has; None for measurements of several places."""
    (first, *_) = parquet_batches(str(captures), ("place",))
    place: str | None = first.column("place")[0].as_py()
    return place


def merge(store: Store, group: dict[str, Part]) -> int:
    """Merge parts; give how many.

    Raises:
        UsageError: A later version wrote one of them.
        OSError: It cannot be written.
    """
    aside = Aside()
    for table in (OBSERVATIONS, MARKS, CAPTURES):
        aside.add(table, rows_of(table, [file for part in group.values() for file in part[table.name]]))
    aside.add(SEEN, once(rows_of(SEEN, [file for part in group.values() for file in part[TABLES[-1]]])))
    number = blake2b(json.dumps(sorted(group)).encode(), digest_size=8).hexdigest()
    folder = store.pending / new_name()
    aside.finish(folder)
    note(store, number, group)
    commit(store, folder, number)
    retire(store, number, [file for table in TABLES for part in group.values() for file in part[table]])
    return len(group)


def rows_of(table: StoredTable, files: list[Path]) -> Any:
    """Read files of a table as one ``pyarrow.Table``."""
    return pyarrow().concat_tables([table.of_rows([]), *(as_now(table, file) for file in files)])


def as_now(table: StoredTable, file: Path) -> Any:
    """Read a file of a table; columns that came into the schema since are null.

    Raises:
        UsageError: It has columns that this version does not know.
    """
    library = pyarrow()
    rows = library.Table.from_batches(list(parquet_batches(str(file))))
    strange = sorted(set(rows.column_names) - set(table.schema.names))
    if strange:
        raise UsageError(
            f"{file}: this part has a column {strange[0]}, which version {__version__} does not know: compact the "
            "store with the version that wrote it"
        )
    columns = [
        rows[field.name] if field.name in rows.column_names else library.nulls(len(rows), field.type)
        for field in table.schema
    ]
    return library.Table.from_arrays(columns, schema=table.schema)


def once(seen: Any) -> Any:
    """Keep each number of `SEEN` once for each place that met it, with the most clients of any capture."""
    place = seen["place"].combine_chunks().dictionary_encode().indices.to_numpy()
    number, first = numbered(combined(seen["key"].to_numpy(), place))
    most = np.zeros(len(first), np.int32)
    np.maximum.at(most, number, seen["clients"].to_numpy())
    column = seen.schema.get_field_index("clients")
    return seen.take(first).set_column(column, seen.schema.field(column), pyarrow().array(most))
