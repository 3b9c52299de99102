"""What a capture and a probe of one place both show: it was tried once, and counts once.

A store keeps five minutes, not times, so that which attempts are the same cannot be told. Where both show one thing in
one network in the same five minutes or those next to them, what packets show is kept, as it says more; if the probe
tried more often than the capture shows, that is lost.
"""

import numpy as np

from netinterf.arrays import Mask
from netinterf.campaign.stored.reader import Snapshot
from netinterf.campaign.stored.schema import MEASUREMENTS
from netinterf.numbering import among, combined, distinct
from netinterf.observations.table import Observations
from netinterf.verdict.keys import BIN_NS

__all__ = ["shown_by_packets", "which_are_measurements"]


def which_are_measurements(store: Snapshot, captures: dict[str, int]) -> Mask:
    """Say which captures are files of measurements, by their numbers.

    Args:
        store: The store.
        captures: Number of each content.
    """
    result = np.zeros(len(captures), np.bool_)
    for batch in store.captures(("capture", "kind")):
        kinds = batch.column("kind").dictionary.to_pylist()
        if MEASUREMENTS in kinds:
            rows = np.flatnonzero(batch.column("kind").indices.fill_null(-1).to_numpy() == kinds.index(MEASUREMENTS))
            contents = batch.column("capture").take(rows).to_pylist()
            result[[captures[content] for content in contents if content in captures]] = True
    return result


def shown_by_packets(table: Observations, measured: Mask) -> Mask:
    """Say which observations of probes tell of something of which packets of the same network and time tell what came.

    Args:
        table: Observations; their places are networks of clients.
        measured: Of each capture: it is a file of measurements.
    """
    probe = measured[table.capture]
    bins = table.time // BIN_NS
    moment = combined(table.place, table.unit) * (int(bins.max(initial=0)) + 2) + bins
    known = ~probe & (table.answered + table.heard + table.failed > 0)
    shown, rows = distinct(moment[known]), np.flatnonzero(probe)
    result: Mask = np.zeros(len(table), np.bool_)
    for step in (-1, 0, 1):  # the clocks of both may be on either side of where five minutes begin
        result[rows] |= among(moment[rows] + step, shown)
    return result
