"""How the packets look that hosts write themselves: counted in captures without interference, shipped as a table."""

import csv
import gzip
import io
from functools import cache
from importlib.resources import files

import numpy as np

from netinterf.arrays import I64
from netinterf.filters.fields import FIELDS, Kind
from netinterf.values import frozen

__all__ = ["COLUMNS", "Collateral", "shipped"]

COLUMNS = ("kind", "version", *FIELDS, "count")
TABLE = "collateral.csv.gz"


@frozen(eq=False, kw_only=True)
class Collateral:
    """Packets of hosts as a filter sees them, each look once; aligned."""

    kind: I64  # place in `Kind`
    version: I64
    value: I64  # shape (looks, FIELDS)
    count: I64  # packets that look so

    @property
    def total(self) -> int:
        """How many packets there are."""
        return int(self.count.sum())

    def of(self, kind: Kind, version: int) -> "Collateral":
        """Keep packets of one kind and version of IP."""
        rows = (self.kind == [*Kind].index(kind)) & (self.version == version)
        return Collateral(
            kind=self.kind[rows], version=self.version[rows], value=self.value[rows], count=self.count[rows]
        )


@cache
def shipped() -> Collateral:
    """Read the table that ships with the library (``python -m benchmarks collateral`` makes it)."""
    packed = (files("netinterf") / "data" / TABLE).read_bytes()
    rows = list(csv.reader(io.StringIO(gzip.decompress(packed).decode())))
    assert tuple(rows[0]) == COLUMNS
    kinds = [kind.value for kind in Kind]
    table = np.array([[kinds.index(row[0]), *map(int, row[1:])] for row in rows[1:]], np.int64)
    table = table.reshape(-1, len(COLUMNS))
    return Collateral(kind=table[:, 0], version=table[:, 1], value=table[:, 2:-1], count=table[:, -1])
