"""Which captures a store holds, in 24 bytes each: a collect of a million has to remember them all.

A file is known by its path, size and time without a look at it, and a capture by its content. Both are remembered as
64 bits of a hash: that a new one of a million is taken for a known one has the probability 3e-8.
"""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import numpy as np

from netinterf.arrays import U64
from netinterf.arrow import parquet_batches
from netinterf.campaign.stored.store import Store
from netinterf.values import frozen

__all__ = [
    "Known",
    "Numbers",
    "as_text",
    "content_number",
    "file_number",
    "is_among",
    "path_number",
    "versions",
]

ADDED = 1 << 14
"""Numbers that are kept in a set, eight times their size, until they are sorted in among the others."""


class Numbers:
    """A set of 64-bit numbers that grows, eight bytes each."""

    def __init__(self, numbers: U64) -> None:
        self._sorted = np.sort(numbers)
        self._added: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number in self._added or is_among(number, self._sorted)

    def add(self, number: int) -> None:
        """Add a number."""
        self._added.add(number)
        if len(self._added) >= ADDED:
            self._sorted = self.all()
            self._added.clear()

    def all(self) -> U64:
        """List them, rising."""
        return np.sort(np.concatenate([self._sorted, np.fromiter(self._added, np.uint64, len(self._added))]))


def is_among(number: int, rising: U64) -> bool:
    """Say whether a number is one of some that rise."""
    place = int(np.searchsorted(rising, np.uint64(number)))
    return place < len(rising) and int(rising[place]) == number


def as_text(path: str) -> str:
    """Write a path as text that every reader takes: bytes that are no UTF-8 become U+FFFD."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def file_number(path: str, size: int, mtime_ns: int) -> int:
    """Number a file by what tells it from others without reading it."""
    told = f"{size} {mtime_ns} {as_text(path)}".encode()
    return int.from_bytes(blake2b(told, digest_size=8).digest(), "big")


def content_number(capture: str) -> int:
    """Number a content by the first half of its hash."""
    return int(capture[:16], 16)


def path_number(path: str) -> int:
    """Number a file by its path alone."""
    return int.from_bytes(blake2b(as_text(path).encode(), digest_size=8).digest(), "big")


@frozen(eq=False)
class Known:
    """What a store holds: files by path, size and time, contents, and paths, each as numbers."""

    files: Numbers
    contents: Numbers
    paths: Numbers

    @classmethod
    def of(cls, store: Store) -> "Known":
        """Read it off a store."""
        told = [np.empty((0, 3), np.uint64), *map(_numbers, store.committed("captures"))]
        return cls(*map(Numbers, np.concatenate(told).T))


def _numbers(part: Path) -> U64:
    """Number the files, contents and paths of one part of ``captures``, three columns."""
    rows = [
        (file_number(path, size, mtime_ns), content_number(capture), path_number(path))
        for batch in parquet_batches(str(part), ("path", "size", "mtime_ns", "capture"))
        for path, size, mtime_ns, capture in zip(*(column.to_pylist() for column in batch), strict=True)
    ]
    return np.array(rows, np.uint64).reshape(-1, 3)


def versions(store: Store, path: str) -> Iterator[tuple[int, str]]:
    """List the sizes and contents that a file had when it was judged: all entries are looked through."""
    wanted = as_text(path)
    for part in store.committed("captures"):
        for batch in parquet_batches(str(part), ("path", "size", "capture", "state")):
            for known, size, capture, state in zip(*(column.to_pylist() for column in batch), strict=True):
                if known == wanted and state == "judged":
                    yield size, capture
