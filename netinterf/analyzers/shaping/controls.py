"""Did others pass the queue by? What the same client moved meanwhile, and right after, with others.

A queue has one rate, and as long as packets wait in it nobody who shares it gets a byte beyond that rate. So while the
limited transfers waited, either they alone kept their rate whatever others moved, or the sum of all kept a rate. Two
explanations of the windows are held against each other, each with its own best rate: the log-likelihood ratio is the
contrast. And a bucket that lets bursts through is empty while packets wait: what passes from then on, beyond the rate,
did not pass there (the arrival curve of Le Boudec and Thiran, "Network Calculus", 2001, §1.2, begun at an empty
bucket). What passed before says nothing, since it may have used the bucket up.
"""

from collections.abc import Sequence

import attrs
import numpy as np

from netinterf.analyzers.shaping.deliveries import ACKS, Deliveries, deliveries
from netinterf.analyzers.shaping.queued import Queued
from netinterf.arrays import F64, I64, Mask
from netinterf.stats.robust import quantile_of, quantiles_of
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["LOOSE", "Excess", "Exchanged", "Others", "apart", "beyond", "meanwhile"]

SPREAD = 0.1
"""Standard deviation of the rate of a window around the queue's, as a share of it: a packet in a window of eight."""

MOST = 4.0
"""Nats that one window can add: a window goes wrong for many reasons one time in fifty."""

BLUR = 0.2
"""Seconds of windows that are compared as one: receivers may hold acknowledgements back for so long, and what arrives
by different ways may have left the queue at other times."""

RATES = 100
"""Rates of the sum that are tried."""

NEAR = 60.0
"""Seconds after the waiting within which others are compared (Kakhki et al., IMC 2015, compare within a minute)."""

AT_ONCE = 65_535.0
"""Bytes that one acknowledgement may tell of at once when it fills a hole: a window without scaling (RFC 7323 §2)."""

LOOSE = 1.25
"""What passes later must exceed the rate by that factor, since the rates of links change a little with time."""


@frozen(eq=False, kw_only=True)
class Others:
    """What other transfers of a client delivered, in one direction and view, in time order."""

    delivered: Deliveries

    def take(self, sides: I64) -> "Others":
        """Keep some sides."""
        return Others(delivered=self.delivered.take(np.isin(self.delivered.lane >> 1, sides)))

    def without(self, waits: Mask, service: I64, asked: I64) -> "Others":
        """Leave out what waited itself, and what asked for services that were limited: nothing selects between these.

        Behind a shared address they may be those of another subscriber, on a line of its own.

        Args:
            waits: Of each row in Sides, whether its packets waited.
            service: A number for each server and name, of each row in Flows.
            asked: Those that were limited.
        """
        side = self.delivered.lane >> 1
        return Others(delivered=self.delivered.take(~(waits[side] | np.isin(service[side >> 1], asked))))

    @property
    def sides(self) -> I64:
        """Rows in Sides that delivered anything."""
        return np.unique(self.delivered.lane >> 1)

    def between(self, begin: F64, end: F64) -> F64:
        """Count the bytes delivered after each beginning and until each end."""
        total = np.concatenate([[0.0], np.cumsum(self.delivered.size)])
        low, high = (total[np.searchsorted(self.delivered.time, edge, side="right")] for edge in (begin, end))
        passed: F64 = high - low
        return passed


@frozen(eq=False)
class Exchanged:
    """What the clients of queues exchanged in all, the same way as these."""

    delivered: Deliveries
    kind: I64  # client, way and view of each delivery, in one number

    @classmethod
    def of(cls, trace: Trace, queues: Sequence[Queued]) -> "Exchanged":
        """Lay out what the clients of some queues exchanged."""
        client = trace.flows.client
        wanted = np.zeros((len(trace.hosts), 2), np.bool_)
        for queue in queues:
            wanted[client[queue.flows[0]], queue.sides[0] & 1] = True
        delivered = deliveries(trace, np.flatnonzero(wanted[client].reshape(-1)))
        kind = client[delivered.lane >> 2].astype(np.int64) << 2 | delivered.lane & 3
        order = np.lexsort((delivered.time, kind))
        return cls(delivered.take(order), kind[order])

    def beside(self, trace: Trace, queued: Queued) -> Others:
        """Give everything that the client of a queue exchanged the same way, the limited transfers included."""
        kind = int(trace.flows.client[queued.flows[0]]) << 2 | int(queued.lanes[0] & 3)
        begin, end = np.searchsorted(self.kind, [kind, kind + 1])
        return Others(delivered=self.delivered.take(slice(begin, end)))


def meanwhile(queued: Queued, others: Others) -> I64:
    """List the deliveries of others while the limited transfers waited, as rows in Packets."""
    windows, time = queued.windows, others.delivered.time
    place = np.searchsorted(windows.end, time)
    inside = place < len(windows.end)
    inside &= windows.begin[np.minimum(place, len(windows.end) - 1)] < time
    return others.delivered.row[inside]


def apart(queued: Queued, others: Others) -> float:
    """Weigh a queue for the limited transfers alone against one for them and others together.

    Returns:
        The log-likelihood ratio in nats: positive when others pass by, negative when the sum keeps a rate, near 0 when
        others moved nothing meanwhile, or always the same.
    """
    windows, lasting = queued.windows, queued.windows.lasting
    stretch = np.floor(np.cumsum(lasting) / BLUR)
    bins = np.cumsum(np.diff(stretch, prepend=stretch[:1]) > 0)  # those in which a window ends: clocks step by decades
    time = np.bincount(bins, lasting)
    full = time > BLUR / 2
    if not full.any():
        return 0.0
    moved = np.bincount(bins, others.between(windows.begin, windows.end))
    rate = (np.bincount(bins, windows.rate * lasting) / np.maximum(time, BLUR / 2))[full]
    sums = rate + (moved / np.maximum(time, BLUR / 2))[full]
    alone = cost(rate, queued.rate)
    tried = np.unique(quantiles_of(sums, np.linspace(0, 1, RATES)))
    together = cost(sums, tried[:, None]).min()
    return float(together - alone)


def cost(rates: F64, rate: float | F64) -> F64:
    """Sum the squared errors of rates in nats, each at most :data:`MOST`; one row for each rate that is tried."""
    errors: F64 = np.minimum(((rates - rate) / (SPREAD * rate)) ** 2 / 2, MOST).sum(axis=-1)
    return errors


@frozen(eq=False)
class Excess:
    """What others moved beyond a queue's rate, from a moment of waiting on."""

    size: float = 0.0  # bytes
    row: I64 = attrs.field(factory=lambda: np.empty(0, np.int64))  # rows in Packets of what they moved meanwhile


def beyond(queued: Queued, own: Deliveries, others: Others) -> Excess:
    """Measure what passed beyond the queue's rate from a moment of waiting on, within :data:`NEAR` seconds.

    Args:
        queued: The limited transfers.
        own: Their deliveries.
        others: What else the client moved.

    Returns:
        What the queue's own rate, loosely taken, does not explain.
    """
    delivered = others.delivered
    if len(delivered) == 0:
        return Excess()
    ends = queued.windows.end
    sums = queued.rate + others.between(queued.windows.begin, ends) / np.maximum(queued.windows.lasting, 1e-6)
    rate = LOOSE * quantile_of(sums, 0.9)
    time = np.concatenate([ends, delivered.time, own.time])
    size = np.concatenate([np.zeros(len(ends)), delivered.size, own.size])
    order = np.argsort(time, kind="stable")
    since, other = time[order], order - len(ends)
    above = np.cumsum(size[order]) - rate * (since - since[0])
    starts, theirs = other < 0, (other >= 0) & (other < len(delivered))
    last = np.maximum.accumulate(np.where(starts, since, -np.inf))
    lowest = np.minimum.accumulate(np.where(starts, above, np.inf))
    gained = np.where((since - last <= NEAR) & theirs, above - lowest, 0.0)
    until = int(np.argmax(gained))
    begun = np.flatnonzero(starts[: until + 1] & (above[: until + 1] == lowest[until]))
    stretch = slice(int(begun[-1]) if len(begun) else until, until + 1)
    size_beyond = max(0.0, float(gained[until]) - (AT_ONCE if queued.view == ACKS else 0.0))
    return Excess(size_beyond, delivered.row[other[stretch][theirs[stretch]]])
