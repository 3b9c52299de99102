"""Handshakes as visits, and what they add up to."""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import attrs
import numpy as np

from netinterf.analyzers.contrast import NEAR_NS
from netinterf.analyzers.handshakes.causes import Counts
from netinterf.arrays import F64, I64, Mask
from netinterf.values import frozen

__all__ = ["Company", "Visits", "counted", "overlaps"]

MOST_ROUNDS = 4
"""Further rounds that count for one visit: timers double, so 5 s of outage are as many (RFC 6298 §5.5)."""

AT_ONCE = 1 << 18
"""Visits that are laid out at once, once for each company asked about: they take some twenty megabytes."""


@frozen(eq=False, kw_only=True)
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

    @cached_property
    def host(self) -> I64:
        """The server of each by a number from 0 on."""
        return np.unique(self.server, return_inverse=True)[1]

    def take(self, rows: I64) -> "Visits":
        """Select rows."""
        return Visits(**{field.name: getattr(self, field.name)[rows] for field in attrs.fields(Visits)})

    @classmethod
    def joined(cls, clients: Sequence["Visits"]) -> "Visits":
        """Put the visits of several clients one after the other."""
        names = [field.name for field in attrs.fields(Visits)]
        return cls(**{name: np.concatenate([getattr(own, name) for own in clients]) for name in names})

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


Company = tuple[Visits, Mask]
"""Some visits of a client: all of its, and which."""


def counted(companies: Sequence[Company]) -> Counts:
    """Add up companies, each some visits of one client; those that are one event count once.

    Many candidates have the same company, which is added up once, and many companies at once.
    """
    keys = [(id(visits), which.tobytes()) for visits, which in companies]
    different = dict(zip(keys, companies, strict=True))
    number = {key: place for place, key in enumerate(different)}
    every = list(different.values())
    load = np.cumsum([0, *(len(which) for _, which in every)])[:-1] // AT_ONCE
    edges = [*np.flatnonzero(np.diff(load, prepend=-1)).tolist(), len(every)]
    counts = Counts.joined([_added_up(every[begin:end]) for begin, end in pairwise(edges)])
    return counts.along((np.array([number[key] for key in keys]),))


def _added_up(companies: Sequence[Company]) -> Counts:
    """Add up different companies, laid out one after the other."""
    clients = {id(visits): visits for visits, _ in companies}
    visits = Visits.joined(list(clients.values()))
    begins = dict(zip(clients, np.cumsum([0, *(len(own.flow) for own in clients.values())]).tolist(), strict=False))
    lengths = np.array([len(which) for _, which in companies])
    shift = np.array([begins[id(own)] for own, _ in companies]) - (np.cumsum(lengths) - lengths)
    here = np.flatnonzero(np.concatenate([which for _, which in companies]))
    company = np.repeat(np.arange(len(companies)), lengths)[here]
    rows = here + shift[company]
    slow = visits.slow[rows]
    weight = 1.0 / overlaps(2 * company + slow, visits.begin[rows], visits.end[rows])
    hit, known = weight * slow, weight * (visits.quick[rows] | slow)
    more = np.clip(visits.rounds[rows] - 1, 0, MOST_ROUNDS)
    size = np.bincount(company, minlength=len(companies))
    return Counts(
        slow=_sums(hit, size),
        visits=_sums(known, size),
        delayed=_sums(hit * visits.delayed[rows], size),
        more=_sums(hit * more, size),
        resent=_sums(visits.rest[rows].astype(np.float64), size),
        segments=_sums(visits.segments[rows].astype(np.float64), size),
    )


def _sums(values: F64, size: I64) -> F64:
    """Add up stretches of so many numbers each; those of one length at once, each as it would be by itself."""
    first, sums = np.cumsum(size) - size, np.zeros(len(size))
    for length in np.unique(size).tolist():
        which = np.flatnonzero(size == length)
        sums[which] = values[first[which, None] + np.arange(length)].sum(axis=1)
    return sums


def overlaps(group: I64, begin: I64, end: I64) -> I64:
    """Count the spans of its group that overlap each, itself included: what one disturbance may have hit.

    Once a handshake was over, the way had worked again. One that ends before it begins, since a clock was set back
    meanwhile, spans the time between.
    """
    moment = np.unique(np.concatenate([np.minimum(begin, end), np.maximum(begin, end)]), return_inverse=True)[1]
    begins, ends = (group << 32 | part for part in (moment[: len(group)], moment[len(group) :]))
    return np.searchsorted(np.sort(begins), ends, side="right") - np.searchsorted(np.sort(ends), begins)
