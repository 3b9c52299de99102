"""Which transfers to test: pairs of hosts with enough losses, cut into answers to requests.

What shares a bucket is not known beforehand: a policer may keep one for a flow, for a client and a server, or for all
that it limits. Each is a candidate, merged in time order; shown one of two flows that share a bucket, the published
detector finds 12 % instead of 93 % of the policed transfers (Flach et al., §3.3), and two buckets taken for one explain
next to nothing. A bucket refills while nothing is sent, so each answer to a new request is a trial of its own (ibid.,
§3.1).
"""

from itertools import pairwise

import numpy as np

from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.ways import SEQ_BITS, Direction, Ways
from netinterf.arrays import F64, I64
from netinterf.numbering import distinct
from netinterf.schema import Mark
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = [
    "LEAST_LOSSES",
    "MOST_PAIRS",
    "Skipped",
    "ack_loss_directions",
    "bounded",
    "lossy_directions",
    "split_units",
]

TCP = 6

LEAST_LOSSES = 15
"""Losses below which nothing is said (Flach et al., §3.2: chosen for few false alarms in a sweep)."""

LARGEST = 4_000
"""Wire packets of one unit that are tested: far more than a fit needs, and the cost is linear in it."""

MOST_FLOWS = 20
"""Flows of one pair that are tested alone, those with the most losses: enough to see that each has its own bucket."""

LEAST_NEEDLESS = 3
"""Needless repeats from which on somebody may have dropped acknowledgements; fewer come with any reordering."""

MOST_PAIRS = 64
"""Servers of one client that are looked at, way by way, those with the most losses: three times as many as any of 4,238
public and simulated captures has, and about five seconds of work."""

MOST_UNITS = 6
"""Units of one direction that are tested, those with the most losses: further ones repeat the answer."""


@frozen(eq=False, kw_only=True)
class Skipped:
    """Flows that lost packets and are not looked at, since their client's budget is spent; aligned."""

    flow: I64  # rows in Flows
    found: I64  # servers of the client that lost packets the same way

    @classmethod
    def none(cls) -> "Skipped":
        """Skip nobody."""
        return cls(flow=np.empty(0, np.int64), found=np.empty(0, np.int64))


def lossy_directions(trace: Trace, suspicions: I64, least: int = LEAST_LOSSES) -> tuple[list[Direction], Skipped]:
    """Find the directions in which at least that many packets came again or late: pairs of hosts, flows, clients.

    Flows are candidates of their own where a pair has several, and so are all lossy pairs of a client together. Of a
    client with more than :data:`MOST_PAIRS` lossy pairs, others are left out.

    Args:
        trace: The capture.
        suspicions: Packets that came again, late or never, by side.
        least: Losses that a candidate needs.

    Returns:
        The directions, and which flows were left out.
    """
    flows = trace.flows
    flow = np.flatnonzero(flows.protocol == TCP)
    suspect = suspicions.reshape(-1, 2)[flow]
    if int(suspect.sum()) < least:
        return [], Skipped.none()
    pair = flows.client[flow].astype(np.int64) << 32 | flows.server[flow]
    known, place = np.unique(pair, return_inverse=True)
    sums = np.stack([np.bincount(place, weights=suspect[:, side], minlength=len(known)) for side in range(2)], axis=1)
    of_pair = Ragged.from_lengths(np.bincount(place, minlength=len(known)), flow[np.argsort(place, kind="stable")])
    which, side = np.nonzero(sums >= least)
    rank, found = ranked(2 * (known[which] >> 32) + side, sums[which, side])
    left = np.flatnonzero(rank >= MOST_PAIRS)
    out = of_pair.take(which[left])
    lost = suspicions[2 * out.values + side[left][out.parents()]] > 0
    skipped = Skipped(flow=out.values[lost], found=found[left][out.parents()[lost]])
    kept = rank < MOST_PAIRS
    pairs = [
        Direction(flows=of_pair[pair], outbound=way == 0)
        for pair, way in zip(which[kept].tolist(), side[kept].tolist(), strict=True)
    ]
    return [*pairs, *_single_flows(trace, pairs, suspicions, least), *_whole_clients(trace, pairs)], skipped


def ranked(group: I64, value: F64 | I64) -> tuple[I64, I64]:
    """Rank entries within their group, the largest first, and count each group's."""
    order = np.lexsort((-value, group))
    opens = np.append(True, np.diff(group[order]) != 0)[: len(order)]
    first = np.flatnonzero(opens)
    sizes = np.diff(np.append(first, len(order)))
    rank, size = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(first, sizes)
    size[order] = np.repeat(sizes, sizes)
    return rank, size


def ack_loss_directions(needless: I64) -> list[Direction]:
    """List the flows of which the other end repeated data that had been acknowledged, at most `MOST_FLOWS`.

    Args:
        needless: Such repeats, by the side that sent them.
    """
    worst = np.argsort(-needless, kind="stable")[:MOST_FLOWS]
    worst = worst[needless[worst] >= LEAST_NEEDLESS]
    return [Direction(flows=side // 2, outbound=bool(side % 2), acks=True) for side in worst.reshape(-1, 1)]


def _single_flows(trace: Trace, pairs: list[Direction], suspicions: I64, least: int) -> list[Direction]:
    """List the lossy flows of pairs that have several: :data:`MOST_FLOWS` of a pair, `MOST_PAIRS` of a client's way."""
    sides = []
    for pair in pairs:
        side = 2 * pair.flows + (not pair.outbound)
        suspect = suspicions[side]
        if np.count_nonzero(suspect) > 1:
            worst = np.argsort(-suspect, kind="stable")[:MOST_FLOWS]
            sides.append(side[worst[suspect[worst] >= least]])
    side = np.concatenate([np.empty(0, np.int64), *sides])
    rank, _ = ranked(2 * trace.flows.client[side // 2].astype(np.int64) + side % 2, suspicions[side])
    chosen = side[rank < MOST_PAIRS]
    return [Direction(flows=one // 2, outbound=bool(one % 2 == 0)) for one in chosen.reshape(-1, 1)]


def _whole_clients(trace: Trace, pairs: list[Direction]) -> list[Direction]:
    """Merge the lossy pairs of each client that has several, way by way."""
    ways: dict[tuple[int, bool], list[I64]] = {}
    for pair in pairs:
        ways.setdefault((pair.client(trace), pair.outbound), []).append(pair.flows)
    several = ((outbound, own) for (_, outbound), own in ways.items() if len(own) > 1)
    return [Direction(flows=np.sort(np.concatenate(own)), outbound=outbound) for outbound, own in several]


def split_units(trace: Trace, ways: Ways, series: Series, least: int = LEAST_LOSSES) -> list[list[Series]]:
    """Cut directions into answers to requests and keep those with enough losses.

    Answers of different flows that overlap in time are one unit. When no answer has enough losses alone, the whole
    direction is the unit.

    Args:
        trace: The capture.
        ways: Which directions.
        series: Their wire packets.
        least: Losses that a unit needs.

    Returns:
        The units of each direction to test, most losses first; none where a direction has too few losses.
    """
    opens = _unit_starts(series, _answer_numbers(trace, ways, series))
    losses = np.add.reduceat(series.lost, opens, dtype=np.int64) if len(opens) else opens
    edges = np.append(opens, len(series))
    of_way = np.searchsorted(ways.way[series.lane[opens]], np.arange(len(ways) + 1)).tolist()
    parted = []
    for first, last in pairwise(of_way):
        chosen = first + np.flatnonzero(losses[first:last] >= least)
        chosen = chosen[np.argsort(-losses[chosen], kind="stable")][:MOST_UNITS]
        cuts = [(edges[unit], edges[unit + 1]) for unit in chosen.tolist()]
        if not cuts and losses[first:last].sum() >= least:
            cuts = [(edges[first], edges[last])]
        parted.append([bounded(series.take(slice(begin, end))) for begin, end in cuts])
    return parted


def _answer_numbers(trace: Trace, ways: Ways, series: Series) -> I64:
    """Count, for each wire packet, the requests of its flow that were sent before it.

    New data from the other side opens an answer only when the last answer was complete: everything captured so far is
    acknowledged, and the next data comes no sooner than half the sender's round trip. Else it is a message within a
    transfer, such as the window updates of HTTP/2.
    """
    (rows, lane, along), packets = ways.packets(trace, distinct(series.lane)), trace.packets
    request = ~along & (packets.payload_length[rows] > 0)
    request &= packets.marks[rows] & (Mark.REPEAT | Mark.KEEP_ALIVE | Mark.DUPLICATE_FRAME) == 0
    rows, lane = rows[request], lane[request]
    order = np.lexsort((series.row, series.lane))
    key = (series.lane << SEQ_BITS | series.row)[order]
    request_keys = lane << SEQ_BITS | rows
    after = np.searchsorted(key, request_keys)
    top = np.maximum.accumulate((series.lane << SEQ_BITS | (series.start + series.payload))[order])
    previous, following = order[np.maximum(after - 1, 0)], order[np.minimum(after, len(order) - 1)]
    has_previous = (after > 0) & (series.lane[previous] == lane)
    has_following = (after < len(order)) & (series.lane[following] == lane)
    sent = np.where(has_previous, top[np.maximum(after - 1, 0)] & ((1 << SEQ_BITS) - 1), 0)
    rtt = np.maximum(trace.sides.rtt[ways.sender[lane]], 0)
    gap = packets.time[series.row[following]] - packets.time[rows]
    opens = has_following & (packets.relative_ack[rows] >= sent) & (2 * gap >= rtt)
    number = np.empty(len(series), np.int64)
    number[order] = np.searchsorted(request_keys[opens], key)
    return number


def _unit_starts(series: Series, answer: I64) -> I64:
    """Join answers that overlap in time, and give the place at which each that remains begins."""
    _, answer = np.unique(answer << 32 | series.lane, return_inverse=True)
    place, count = np.arange(len(series)), int(answer.max(initial=-1)) + 1
    first, last = np.empty(count, np.int64), np.empty(count, np.int64)
    first[answer[::-1]], last[answer] = place[::-1], place  # of several writes the last one stays
    order = np.argsort(first)
    reach = np.maximum.accumulate(last[order])
    opens: I64 = first[order][np.append(True, first[order][1:] > reach[:-1])[:count]]
    return opens


def bounded(unit: Series) -> Series:
    """Keep the first `LARGEST` packets of a unit, beginning shortly before its first loss when it is longer."""
    if len(unit) <= LARGEST:
        return unit
    begin = max(0, min(int(np.argmax(unit.lost)) - LARGEST // 10, len(unit) - LARGEST))
    return unit.take(slice(begin, begin + LARGEST))
