"""How often the resets of ordinary captures look like those of a documented system.

Every connection of a labelled benign capture in which resets arrived is held against the catalogue, without asking
first whether anything speaks against them. The share that fits bounds what ``rst.known_writer`` may weigh.
"""

import collections
import csv
from pathlib import Path
from typing import Any

import numpy as np

from netinterf.analyzers.forgery.suspects import find_suspects
from netinterf.analyzers.rst_injection.handwriting import FITS, documented
from netinterf.errors import NetinterfError
from netinterf.table import Ragged
from netinterf.trace import Trace, read

__all__ = ["count_fits", "measure"]


def count_fits(trace: Trace) -> tuple[int, int]:
    """Count connections of a capture in which resets arrived, and those whose resets fit the catalogue."""
    suspects = find_suspects(trace)
    order = np.lexsort((suspects.row, suspects.side))
    side, first = np.unique(suspects.side[order], return_index=True)
    if not len(side):
        return 0, 0
    resets = Ragged.from_lengths(np.diff(np.append(first, len(order))), suspects.row[order].astype(np.int32))
    return len(side), int(np.count_nonzero(documented(trace, suspects, order[first], resets) >= FITS))


def measure(captures: Path) -> dict[str, Any]:
    """Count over the benign captures of a labelled folder.

    Returns:
        ``files`` that were read, sides of ``connections`` with resets, those that ``fit``, by ``repositories`` too.
    """
    from benchmarks.reality.reserve import reserved

    files = connections = 0
    fits: collections.Counter[str] = collections.Counter()
    with (captures / "CATALOG.csv").open(newline="", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            if row["kind"] != "benign" or reserved(row["repo"]):
                continue
            try:
                some, fit = count_fits(read(captures / row["file"]))
            except NetinterfError:
                continue
            files, connections = files + 1, connections + some
            fits[row["repo"]] += fit
    return {
        "files": files,
        "connections": connections,
        "fit": fits.total(),
        "repositories": {name: count for name, count in sorted(fits.items()) if count},
    }
