"""From directions to units worth testing: enough losses, long enough, and no capture that lost packets itself."""

from collections.abc import Sequence

import numpy as np

from netinterf.analyzers.throttling.acks import acknowledgement_series
from netinterf.analyzers.throttling.losses import lay_out
from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.units import bounded, split_units
from netinterf.analyzers.throttling.unseen import Numbering
from netinterf.analyzers.throttling.waiting import least_delay, with_delays
from netinterf.analyzers.throttling.ways import Direction, Ways, least_of, path_rtt, side_by_side
from netinterf.arrays import I64, Mask
from netinterf.numbering import distinct
from netinterf.schema import Mark
from netinterf.stats.robust import group_median
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Candidate", "Found", "find_candidates"]

LEAST_SLICES = 3
"""Round trips with losses that a limit must last for (Flach et al., §3.2)."""

LEAST_BYTES, LEAST_SECONDS = 30_000, 5.0
"""What must have been transferred before a rate means anything."""

CAPTURE_LOSS = 0.05, 0.25
"""What the capture may have missed at most: so much of the acknowledged bytes, and so many packets for each that the
network lost. A recorder that cannot keep up loses what comes in bursts, as a policer does; it cannot explain losses of
which it made but a few. On development seeds of the simulator, whose recorders miss up to 2 %, recall is lost below."""


@frozen(eq=False, kw_only=True)
class Candidate:
    """One direction and its units, before they are tested."""

    direction: Direction
    series: Series
    units: list[Series]  # worth testing
    short: list[Series]  # not worth a search of their own
    least_delay: float  # seconds
    opened: bool  # whether its flows were captured from their beginning


@frozen(eq=False, kw_only=True)
class Found:
    """What is worth testing, and what cannot be tested."""

    candidates: list[Candidate]
    missed: I64  # flows of directions that lost enough, but of which the capture missed too much


def find_candidates(trace: Trace, directions: Sequence[Direction], numbering: Numbering, least: int) -> Found:
    """Cut directions into units worth testing, and leave out those that say nothing.

    Args:
        trace: The capture.
        directions: Which directions.
        numbering: What the IP identifications tell.
        least: Losses below which nothing is said.
    """
    found: dict[int, Candidate | None] = {}
    unrecorded = [np.empty(0, np.int64)]
    slopes: dict[int, float] = {}  # a flow is in several directions, and its clock is one
    for places in side_by_side(trace, directions):
        ways = Ways.of([directions[place] for place in places])
        rtt = path_rtt(trace, ways).tolist()
        for laid in lay_out(trace, ways, numbering):
            lossy, missed = saying(trace, laid, ways, least)
            unrecorded.append(missed)
            series = with_delays(trace, lossy, ways, slopes)
            units = split_units(trace, ways, series, least)
            edges = np.searchsorted(ways.way[series.lane], np.arange(len(ways) + 1)).tolist()
            for way, place in enumerate(places):
                if units[way]:
                    own = series.take(slice(edges[way], edges[way + 1]))
                    found[place] = _candidate(trace, directions[place], own, units[way], rtt[way])
    for place, direction in enumerate(directions):
        if direction.acks:
            acks = acknowledgement_series(trace, direction.flows, direction.outbound)
            if np.count_nonzero(acks.lost) >= least:
                (trip,) = path_rtt(trace, Ways.of([direction])).tolist()
                found[place] = _candidate(trace, direction, acks, [bounded(acks)], trip)
    candidates = [candidate for _, candidate in sorted(found.items()) if candidate]
    return Found(candidates=candidates, missed=distinct(np.concatenate(unrecorded)))


def saying(trace: Trace, series: Series, ways: Ways, least: int) -> tuple[Series, I64]:
    """Keep the directions that lost at least so many packets, and of which the capture missed next to nothing.

    Returns:
        Those, and the flows of the others that lost as many.
    """
    losses = np.bincount(ways.way[series.lane[series.lost]], minlength=len(ways))
    lossy = series.take((losses >= least)[ways.way[series.lane]])
    missed = misses_packets(trace, lossy, ways)[ways.way[lossy.lane]]
    return lossy.take(~missed), distinct(ways.flow[lossy.lane[missed]])


def _candidate(
    trace: Trace, direction: Direction, series: Series, parts: Sequence[Series], rtt: float
) -> Candidate | None:
    """Choose the units of a direction that are worth testing; None when it says nothing."""
    worth = [worth_testing(unit, rtt) for unit in parts]
    units, short = ([unit for unit, own in zip(parts, worth, strict=True) if own is which] for which in (True, False))
    if not units:
        whole = bounded(series)  # bursts that are too short alone may be of one bucket
        units, short = [whole] if worth_testing(whole, rtt) else [], []
    if not units:
        return None
    known, opened = least_delay(trace, series)
    return Candidate(direction=direction, series=series, units=units, short=short, least_delay=known, opened=opened)


def worth_testing(unit: Series, rtt: float) -> bool:
    """Say whether a unit transferred enough, and lost packets in enough different round trips."""
    passed = int(unit.payload[~unit.lost].sum())
    if passed < LEAST_BYTES and unit.time[-1] - unit.time[0] < LEAST_SECONDS:
        return False
    losses = unit.time[unit.lost]
    slices, end = 0, -np.inf
    while slices < LEAST_SLICES:
        later = np.searchsorted(losses, end, side="right")
        if later == len(losses):
            return False
        slices, end = slices + 1, losses[later] + rtt
    return True


def misses_packets(trace: Trace, series: Series, ways: Ways) -> Mask:
    """Say of which directions the receiver acknowledged bytes that the capture missed, so that losses mean nothing.

    Of connections that began before the capture, bytes count from the first that was captured.
    """
    packets, lanes, way = trace.packets, distinct(series.lane), ways.way[series.lane]
    rows, lane, along = ways.packets(trace, lanes)
    new = along & (packets.payload_length[rows] > 0)
    new &= packets.marks[rows] & (Mark.REPEAT | Mark.DUPLICATE_FRAME | Mark.KEEP_ALIVE) == 0
    rows, lane = rows[new], lane[new]
    captured = np.bincount(lane, packets.payload_length[rows], len(ways.flow))[lanes]
    begin = least_of(packets.relative_seq[rows], lane, len(ways.flow))[lanes]
    side = ways.sender[lanes]
    begin[trace.sides.syn[side] >= 0] = 1
    acked = np.maximum(trace.sides.acked[side] - begin - 1, 0)  # less a FIN
    missing, told = (np.bincount(ways.way[lanes], part, len(ways)) for part in (np.maximum(acked - captured, 0), acked))
    usual = group_median(series.payload, np.where(series.payload > 0, way, -1), len(ways))
    losses = np.bincount(way[series.lost], minlength=len(ways))
    most, per_loss = CAPTURE_LOSS
    missed: Mask = missing > most * np.maximum(told, 1.0)
    missed |= missing > per_loss * losses * np.where(np.isnan(usual), 1.0, usual)
    return missed
