"""Which packets of a direction the network lost, wherever the tap sits.

Before the limit, at the sender, every packet is seen leaving and a lost one is sent again (`resent`). Behind it, at
the receiver, a lost packet is never seen and only leaves a hole (`unseen`). Both are the losses of the same bucket: its
level depends on what passed, not on who watches. Acknowledgements without data are a direction of their own (`acks`).
"""

from collections.abc import Sequence

import attrs
import numpy as np

from netinterf.analyzers.throttling.acks import acknowledgement_series
from netinterf.analyzers.throttling.resent import with_lost_transmissions
from netinterf.analyzers.throttling.series import Series, wire_packets
from netinterf.analyzers.throttling.unseen import Numbering, with_unseen_losses
from netinterf.analyzers.throttling.ways import Direction, Ways, side_by_side
from netinterf.analyzers.unanswered.sizes import LARGE
from netinterf.arrays import I64
from netinterf.schema import Mark
from netinterf.trace import Trace

__all__ = ["direction_series", "lay_out", "suspicions"]

MOST_OVERTAKEN = 0.08
"""Share of packets that later ones overtook before the limit, up to which a flow is taken to be in order. In 355 lossy
directions of the simulator (development seeds), recorders that swap neighbours reach 0.065, clocks that are set back
begin at 0.10."""


def direction_series(trace: Trace, directions: Sequence[Direction], numbering: Numbering) -> list[Series]:
    """Lay out directions, each with its losses.

    Args:
        trace: The capture.
        directions: Which ones.
        numbering: What the IP identifications of the capture tell.

    Returns:
        One series for each.
    """
    series = {
        place: acknowledgement_series(trace, direction.flows, direction.outbound)
        for place, direction in enumerate(directions)
        if direction.acks
    }
    for places in side_by_side(trace, directions):
        ways = Ways.of([directions[place] for place in places])
        before, behind = (laid.of_each(ways) for laid in lay_out(trace, ways, numbering))
        for place, seen, unseen in zip(places, before, behind, strict=True):
            series[place] = unseen if len(unseen) else seen
    return [series[place] for place in range(len(directions))]


def lay_out(trace: Trace, ways: Ways, numbering: Numbering) -> tuple[Series, Series]:
    """Lay out the data packets of directions, with their losses.

    Returns:
        Those of which the tap sits before the limit, and those of which it sits behind it.
    """
    pieces, is_behind = wire_packets(trace, ways)
    unseen = is_behind[ways.way[pieces.lane]]
    before, behind = pieces.take(~unseen), attrs.evolve(pieces.take(unseen), upstream=True)
    return (
        on_wide_paths(trace, with_lost_transmissions(trace, in_order(trace, before), ways)),
        on_wide_paths(trace, with_unseen_losses(trace, behind, ways, numbering)),
    )


def on_wide_paths(trace: Trace, series: Series) -> Series:
    """Leave out flows that lost large packets and got none through at its first transmission.

    A path that is too narrow for them drops all, until the sender cuts them anew (RFC 1191 §6.4); a limit lets the
    first ones pass.
    """
    large = series.payload >= LARGE
    new = trace.packets.marks[series.row] & (Mark.REPEAT | Mark.PARTIAL_REPEAT | Mark.FILL) == 0
    narrow = np.setdiff1d(series.lane[large & series.lost], series.lane[large & ~series.lost & new])
    return series.take(~np.isin(series.lane, narrow)) if len(narrow) else series


def in_order(trace: Trace, pieces: Series) -> Series:
    """Leave out flows that a capture holds in an order in which they were not sent, as when its clock is set back.

    Told before the limit only, where the path has reordered nothing yet.
    """
    if len(pieces) == 0:
        return pieces
    overtaken = trace.packets.marks[pieces.row] & Mark.REORDERED != 0
    share = np.bincount(pieces.lane, overtaken) / np.maximum(np.bincount(pieces.lane), 1)
    return pieces.take(share[pieces.lane] <= MOST_OVERTAKEN)


def suspicions(trace: Trace, numbering: Numbering) -> I64:
    """Count, for each row of Sides, the packets that came again or late, or the numbers that never came."""
    marked = trace.sides.repeats.astype(np.int64) + trace.sides.fills
    worst: I64 = np.maximum(marked, numbering.missing)
    return worst
