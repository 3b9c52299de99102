"""Directions side by side, so that what is asked of each is asked of all at once.

A flow may be in several directions: alone, with all of its two hosts, with all of its client. Each time it is a lane of
its own, since what it lost is told by the company that it is in.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.table import spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SEQ_BITS", "UNKNOWN_RTT", "Direction", "Ways", "answers", "least_of", "path_rtt", "side_by_side"]

SEQ_BITS = 42
"""Room for a relative sequence number (4 TB), or a row, beside the number of a lane in one sortable key."""

UNKNOWN_RTT = 0.1
"""Seconds taken for a round trip that was not measured."""

TOGETHER = 100_000
"""Packets that are laid out side by side: enough that no call is for a handful, and few enough for a cache."""


@frozen(eq=False, kw_only=True)
class Direction:
    """One direction of flows that may share a bucket: one flow, all of two hosts, or all lossy ones of a client."""

    flows: I64  # rows in Flows, rising, all of one client
    outbound: bool  # what the client sent
    acks: bool = False  # bare acknowledgements instead of data

    def client(self, trace: Trace) -> int:
        """Give the client, as a row in Hosts."""
        return int(trace.flows.client[self.flows[0]])


@frozen(eq=False)
class Ways:
    """Directions, each of some flows of one client; one lane for each flow of each direction."""

    flow: I64  # row in Flows of each lane, rising within a direction
    way: I64  # the direction of each lane, never falling
    outbound: Mask  # of each direction: what clients sent

    @classmethod
    def of(cls, directions: Sequence[Direction]) -> "Ways":
        """Put directions side by side."""
        flows = [direction.flows for direction in directions]
        way = np.repeat(np.arange(len(flows)), [len(own) for own in flows])
        outbound = np.array([direction.outbound for direction in directions], np.bool_)
        return cls(np.concatenate([np.empty(0, np.int64), *flows]), way, outbound)

    def __len__(self) -> int:
        """Count the directions."""
        return len(self.outbound)

    @property
    def sender(self) -> I64:
        """Row in Sides of whoever sends, by lane."""
        return 2 * self.flow + ~self.outbound[self.way]

    @property
    def receiver(self) -> I64:
        """Row in Sides of whoever receives, by lane."""
        return 2 * self.flow + self.outbound[self.way]

    def packets(self, trace: Trace, lanes: I64 | None = None) -> tuple[I64, I64, Mask]:
        """List the packets of lanes, lane by lane and in time order.

        Args:
            trace: The capture.
            lanes: Which ones; all when left out.

        Returns:
            Rows in Packets, both ways; the lane of each; and whether it goes the way of its lane.
        """
        lanes = np.arange(len(self.flow)) if lanes is None else lanes
        begin, end = trace.by_flow.offsets[self.flow[lanes]], trace.by_flow.offsets[self.flow[lanes] + 1]
        rows = trace.by_flow.values[spans(begin, end - begin)].astype(np.int64)
        lane = np.repeat(lanes, end - begin)
        return rows, lane, trace.packets.outbound[rows] == self.outbound[self.way[lane]]


def side_by_side(trace: Trace, directions: Sequence[Direction]) -> Iterator[list[int]]:
    """Say which directions of data to lay out together, by their places: not too many packets."""
    together, load = [], 0
    for place, direction in enumerate(directions):
        if not direction.acks:
            begin, end = trace.by_flow.offsets[direction.flows], trace.by_flow.offsets[direction.flows + 1]
            together.append(place)
            load += int((end - begin).sum())
        if load >= TOGETHER:
            yield together
            together, load = [], 0
    if together:
        yield together


def answers(trace: Trace, ways: Ways, lanes: I64) -> tuple[I64, I64]:
    """List the packets that acknowledge some lanes, lane by lane and in time order: rows, and their lanes."""
    rows, lane, along = ways.packets(trace, lanes)
    answer = ~along & (trace.packets.relative_ack[rows] >= 0)
    return rows[answer], lane[answer]


def least_of(values: NDArray[np.number], group: I64, count: int) -> F64:
    """Give the least value of each group; infinite for those without any."""
    least = np.full(count, np.inf)
    np.minimum.at(least, group, values)
    return least


def path_rtt(trace: Trace, ways: Ways) -> F64:
    """Give the round trip between the ends of each direction in seconds: both halves at the tap; 0.1 when unknown."""
    halves = trace.sides.rtt.reshape(-1, 2)[ways.flow]
    known = (halves >= 0).any(axis=1)
    whole = np.maximum(halves, 0).sum(axis=1)
    least = least_of(whole[known], ways.way[known], len(ways))
    return np.where(np.isfinite(least) & (least > 0), least / 1e9, UNKNOWN_RTT)
