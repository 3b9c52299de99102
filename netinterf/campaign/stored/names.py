"""Which names and servers a store tells: those that were listed, or that several people met.

Network, five minutes and name together are a browsing history. So a store has numbers in their place, and what these
stand for lies apart, in ``private``. From there a name or an address is told when it was listed, was met at two places,
or by five clients of one place at once. What is told follows from what is in the store alone, whatever the order in
which it came.
"""

import json
import os
from collections.abc import Iterator
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.arrow import parquet_batches, parquet_writer
from netinterf.campaign.stored.keys import keyed
from netinterf.campaign.stored.schema import NAMES, SEEN, SERVERS, VALUES, StoredTable
from netinterf.campaign.stored.store import Store, written_whole
from netinterf.columns import Text
from netinterf.context.domains import within
from netinterf.context.suffixes import a_label
from netinterf.errors import ParameterError, UsageError
from netinterf.numbering import among, numbered
from netinterf.table import Table, column
from netinterf.values import frozen

__all__ = ["CLIENTS", "is_published", "list_names", "publish"]

CLIENTS = 5
"""Clients of one capture by which something must be met to be told, unless two places met it."""

ROWS = 1 << 20
"""Rows that are added up at a time."""


def list_names(store: Store, path: str | os.PathLike[str]) -> None:
    """Add the names of a file to those that are told.

    Args:
        store: The store.
        path: A text file, a name a line; ``*.example.com`` stands for all names below one; ``#`` begins a remark.

    Raises:
        ParameterError: It cannot be read.
        OSError: The store cannot be written.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.partition("#")[0].strip().lower().rstrip(".") for line in file]
    except (OSError, UnicodeDecodeError) as cause:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise ParameterError("names", os.fspath(path), f"a readable text file ({reason})") from cause
    names = {".".join(map(a_label, line.split("."))) for line in lines if line}
    if store.private.resolve() in Path(path).resolve().parents:
        raise ParameterError("names", os.fspath(path), "a file of your own: those of the store are written anew")
    before = listed(store)
    if not names <= before:
        written_whole(store.private / "listed.json", json.dumps(sorted(names | before)).encode())


def listed(store: Store) -> set[str]:
    """Read which names are listed.

    Raises:
        UsageError: It was changed to something else.
    """
    place = store.private / "listed.json"
    try:
        return set(json.loads(place.read_bytes()))
    except FileNotFoundError:
        return set()
    except (ValueError, TypeError) as cause:
        raise UsageError(f"{place}: this is no list of names ({cause})") from cause


def publish(store: Store) -> str:
    """Write down which names and servers are told.

    Returns:
        Why it cannot be written, empty where it was.
    """
    try:
        _publish(store)
    except OSError as cause:
        return f"{store.path}: {cause.strerror or cause}"
    return ""


def is_published(store: Store) -> bool:
    """Say whether what is told is that of the store as it is."""
    mark = store.private / "published"
    return mark.exists() and mark.read_bytes() == _state(store)


def _state(store: Store) -> bytes:
    """Hash all that decides what is told: which parts there are, and which names are listed."""
    held = json.dumps([sorted(listed(store)), sorted(store.parts("captures"))]).encode()
    return blake2b(held, digest_size=16).hexdigest().encode()


def _publish(store: Store) -> None:
    """Write down which names and servers are told."""
    names = sorted(listed(store))
    met = all_met(store, names)
    rows = [row for _, row in sorted(meant_by(store, met.key[met.told]).items())]
    store.path.joinpath("names").mkdir(exist_ok=True)
    for table, kind, called in (
        (NAMES, "name", {"name_key": "key", "name": "text"}),
        (SERVERS, "server", {"service": "key", "address": "text", "port": "port", "transport": "transport"}),
        (VALUES, "value", {"key": "key", "value": "text"}),
    ):
        told = [{name: row[was] for name, was in called.items()} for row in rows if row["kind"] == kind]
        write(store, table, told)
    written_whole(store.private / "published", _state(store))


def write(store: Store, table: StoredTable, rows: list[dict[str, Any]]) -> None:
    """Write one of the tables of what is told."""
    content = BytesIO()
    with parquet_writer(content, table.schema, "zstd") as writer:
        writer.write_table(table.of_rows(rows))
    written_whole(store.told(table.name), content.getvalue())


@frozen(eq=False, kw_only=True)
class Met(Table):
    """Who met what, one row per name or server."""

    key: I64 = column("i8", "number of the name or server")
    place: I64 = column("i8", "number of the first place that met it")
    places: Mask = column("?", "others met it as well")
    clients: I64 = column("i8", "clients of one capture that asked for it, the most of any")
    listed: Mask = column("?", "it is listed")

    @property
    def told(self) -> Mask:
        """Which of them are told."""
        return self.places | (self.clients >= CLIENTS) | self.listed

    def added_up(self) -> "Met":
        """Add up rows that are about the same."""
        number, first = numbered(self.key)
        rows = self.take(first)
        clients = np.zeros(len(first), np.int64)
        np.maximum.at(clients, number, self.clients)
        elsewhere = self.places | (self.place != rows.place[number])
        places, known = (np.bincount(number, mask, len(first)) > 0 for mask in (elsewhere, self.listed))
        return attrs.evolve(rows, places=places, clients=clients, listed=known)


def all_met(store: Store, names: list[str]) -> Met:
    """Add up who met what, over all captures of a store."""
    exact = np.sort(keyed(store.secret(), "netinterf.name", (name.encode() for name in names)))
    domains = [name.removeprefix("*.") for name in names if name.startswith("*.")]
    places: dict[str, int] = {}
    parts, count = [Met.empty()], 0
    for batch in batches(store):
        key = batch["key"].to_numpy()
        listed = among(key, exact)
        if domains:
            text = Text.of(batch["text"].to_pylist())
            kinds = np.array([kind == "name" for kind in batch["kind"].dictionary.to_pylist()], np.bool_)
            named = kinds[batch["kind"].indices.to_numpy()]
            listed |= named & np.logical_or.reduce([within(text, domain) for domain in domains])
        numbers = [places.setdefault(place, len(places)) for place in batch["place"].dictionary.to_pylist()]
        parts.append(
            Met(
                key=key,
                place=np.array(numbers, np.int64)[batch["place"].indices.to_numpy()],
                places=np.zeros(len(key), np.bool_),
                clients=batch["clients"].to_numpy().astype(np.int64),
                listed=listed,
            )
        )
        count += len(key)
        if count >= ROWS:
            parts, count = [Met.concat(parts).added_up()], 0
    return Met.concat(parts).added_up()


def meant_by(store: Store, keys: I64) -> dict[int, dict[str, Any]]:
    """Look up what numbers stand for."""
    found: dict[int, dict[str, Any]] = {}
    rising = np.sort(keys)
    left = np.ones(len(rising), np.bool_)
    for batch in batches(store):
        key = batch["key"].to_numpy()
        place = np.minimum(np.searchsorted(rising, key), max(len(rising) - 1, 0))
        hit = np.flatnonzero((rising[place] == key) & left[place]) if len(rising) else place[:0]
        left[place[hit]] = False
        for row in batch.take(hit).to_pylist() if len(hit) else ():
            found.setdefault(row["key"], row)
    return found


def batches(store: Store) -> Iterator[Any]:
    """Read what numbers stand for, piece by piece."""
    for part in store.committed(f"private/{SEEN.name}"):
        yield from parquet_batches(str(part), repeated=SEEN.words)
