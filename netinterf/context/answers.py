"""What names are known to answer: the user's table of control answers, measured where nobody interferes."""

import os
from collections.abc import Iterable
from functools import cache
from ipaddress import ip_address
from typing import Self

import attrs
import numpy as np

from netinterf.arrays import I64, U64
from netinterf.context.lines import read_lines
from netinterf.context.special import prefix_halves
from netinterf.numbering import hash_rows
from netinterf.table import Ragged, Text
from netinterf.values import frozen

__all__ = ["HEADER", "KnownAnswers", "nothing_known", "read_answers"]

HEADER = ("name", "address")


@frozen(eq=False)
class KnownAnswers:
    """Names and the addresses that they are known to have; row numbers are what `find` returns."""

    names: Text  # lower case, without the final dot, sorted by their hash
    addresses: Ragged  # rows in `high` and `low` of each name
    high: U64
    low: U64
    hashes: U64 = attrs.field(repr=False)  # of the names, rising

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Make a table of pairs of a name and one of its addresses."""
        addresses: dict[str, dict[str, None]] = {}
        for name, address in pairs:
            addresses.setdefault(name.lower().rstrip("."), {})[address] = None
        hashes = hash_rows(Text.of(list(addresses)))
        order = np.argsort(hashes)
        names = [list(addresses)[place] for place in order.tolist()]
        halves = [prefix_halves(address)[:2] for name in names for address in addresses[name]]
        high, low = np.array(halves, np.uint64).reshape(-1, 2).T
        counts = np.array([len(addresses[name]) for name in names], np.int64)
        return cls(
            Text.of(names), Ragged.from_lengths(counts, np.arange(len(high))), high.copy(), low.copy(), hashes[order]
        )

    def __len__(self) -> int:
        return len(self.names)

    def find(self, names: Text) -> I64:
        """Name the row of each of *names* (lower case, no final dot), -1 where the table has nothing."""
        rows = np.full(len(names), -1, np.int64)
        if not len(self) or not len(names):
            return rows
        hashes = hash_rows(names)
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self) - 1)
        hit = np.flatnonzero(self.hashes[place] == hashes)
        rows[hit] = place[hit]
        return rows


@cache
def nothing_known() -> KnownAnswers:
    """Give a table without names."""
    return KnownAnswers.of(())


def read_answers(path: str | os.PathLike[str]) -> KnownAnswers:
    """Read a CSV file with the header ``name,address``: one line per address, any number of them per name.

    Raises:
        ParameterError: The file cannot be read, the header is another, or a line is malformed (its number is given).
    """
    return KnownAnswers.of(read_lines(path, "answers", HEADER, _pair))


def _pair(cells: list[str]) -> tuple[str, str]:
    """Read one line."""
    name, address = cells
    if not name.rstrip("."):
        raise ValueError("a name is missing")
    return name, str(ip_address(address))
