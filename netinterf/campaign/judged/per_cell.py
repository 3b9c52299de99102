"""What the observations of each cell, and of each unit, add up to: when, in how many networks, and by what."""

import numpy as np

from netinterf.arrays import I64
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.table import Observations
from netinterf.pooling.episodes import NEVER
from netinterf.pooling.tallies import Tallies

__all__ = ["networks_tried", "spans_of", "usual_mechanism"]


def networks_tried(table: Observations, tallies: Tallies) -> I64:
    """Count the networks in which each unit was tried; of servers that did not open, those in which names were."""
    networks = np.bincount(tallies.unit)
    _, first = numbered(combined(table.service, table.place))
    at_service = np.bincount(table.service[first])
    shut = np.flatnonzero(tallies.shut[tallies.cell])
    networks[table.unit[shut]] = at_service[table.service[shut]]
    return networks


def spans_of(cell: I64, time: I64, cells: int) -> I64:
    """Give the first and last observation of each cell, ns; *cell* and *time* have one entry per observation."""
    spans = np.stack([np.full(cells, NEVER), np.full(cells, -NEVER)], axis=1)
    np.minimum.at(spans[:, 0], cell, time)
    np.maximum.at(spans[:, 1], cell, time)
    return spans


def usual_mechanism(cell: I64, mechanism: I64, cells: int) -> I64:
    """Give the number of the mechanism that most observations of each cell name, -1 where none does.

    Args:
        cell: One entry per observation.
        mechanism: The number of the mechanism that it names, -1 for none.
        cells: How many cells there are.
    """
    rows = np.flatnonzero(mechanism >= 0)
    cell, mechanism = cell[rows], mechanism[rows]
    number, first = numbered(combined(cell, mechanism))
    count = totals(number, None, len(first))
    order = np.lexsort((-mechanism[first], count))  # the most frequent is written last
    usual = np.full(cells, -1, np.int64)
    usual[cell[first][order]] = mechanism[first][order]
    return usual
