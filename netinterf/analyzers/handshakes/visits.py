"""Handshakes of one client as visits, and what they add up to."""

import attrs
import numpy as np

from netinterf.analyzers.contrast import NEAR_NS
from netinterf.analyzers.handshakes.causes import Counts
from netinterf.arrays import I64, Mask

__all__ = ["Visits", "overlaps"]

MOST_ROUNDS = 4
"""Further rounds that count for one visit: timers double, so 5 s of outage are as many (RFC 6298 §5.5)."""


@attrs.frozen(eq=False, kw_only=True)
class Visits:
    """Handshakes of one client, in time order; all columns are aligned."""

    flow: I64
    server: I64
    network: I64  # of the server, /24 or /48: the way leads there
    name: I64
    hello: I64  # rows in Packets
    begin: I64  # ns
    end: I64
    trip: I64  # ns, the least round trip
    finished: Mask
    slow: Mask
    quick: Mask  # the others took long, and nothing shows whose time it was
    delayed: Mask  # a segment was late for a second and yet not lost
    rounds: I64  # times at which segments of the handshake were sent again
    rest: I64  # … in the rest of the connection
    segments: I64  # of the rest

    counts: dict[bytes, Counts] = attrs.field(init=False, factory=dict)  # of companies that were asked for

    def take(self, rows: I64) -> "Visits":
        """Select rows."""
        return Visits(**{field.name: getattr(self, field.name)[rows] for field in attrs.fields(Visits) if field.init})

    def counted(self, which: Mask) -> Counts:
        """Add up visits; those that are one event count once. Many candidates have the same company."""
        key = which.tobytes()
        if key not in self.counts:
            self.counts[key] = self._counted(np.flatnonzero(which))
        return self.counts[key]

    def _counted(self, rows: I64) -> Counts:
        begin, end, slow = self.begin[rows], self.end[rows], self.slow[rows]
        weight = np.empty(len(rows))
        for part in (slow, ~slow):
            weight[part] = 1.0 / overlaps(begin[part], end[part])
        hit = weight * slow
        known = weight * (self.quick[rows] | self.slow[rows])
        more = np.clip(self.rounds[rows] - 1, 0, MOST_ROUNDS)
        return Counts(
            slow=float(hit.sum()),
            visits=float(known.sum()),
            delayed=float((hit * self.delayed[rows]).sum()),
            more=float((hit * more).sum()),
            resent=float(self.rest[rows].sum()),
            segments=float(self.segments[rows].sum()),
        )

    def single(self, rows: I64) -> Counts:
        """Give the company that each of some slow visits is to itself."""
        one = np.ones(len(rows))
        return Counts(
            slow=one,
            visits=one,
            delayed=self.delayed[rows].astype(np.float64),
            more=np.minimum(self.rounds[rows] - 1, MOST_ROUNDS).astype(np.float64),
            resent=self.rest[rows].astype(np.float64),
            segments=self.segments[rows].astype(np.float64),
        )

    def near(self, which: Mask) -> Mask:
        """Say which visits began within a minute of the time that some took."""
        begin, end = self.begin[which].min() - NEAR_NS, self.end[which].max() + NEAR_NS
        nearby: Mask = (self.begin >= begin) & (self.begin <= end)
        return nearby


def overlaps(begin: I64, end: I64) -> I64:
    """Count the spans that overlap each, itself included: what one disturbance may have hit.

    Once a handshake was over, the way had worked again.
    """
    if len(begin) < 2:
        return np.ones(len(begin), np.int64)
    started = np.searchsorted(np.sort(begin), end, side="right")
    overlapping: I64 = started - np.searchsorted(np.sort(end), begin)
    return overlapping
