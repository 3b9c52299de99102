"""What a recorder makes of the packets at its tap: missed, merged, doubled, swapped, and stamped by a poor clock.

Everything works on columns; :attr:`Recording.packet` says which packet each frame came from.
"""

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.simulate.conditions import Conditions
from netinterf.simulate.encode import TCP, UNSUMMED, Segments
from netinterf.table import Ragged
from netinterf.values import frozen

__all__ = ["Recorder", "Recording"]

MOST_MERGED = 65_000
"""Bytes of the largest merged segment: an IPv4 packet's 65,535 less headers (Linux GSO_LEGACY_MAX_SIZE)."""

BATCH = 100_000
"""Longest gap in ns between segments that one poll of a card merges: a few interrupts at 1 Gbit/s."""

SWAPPED_WITHIN = 1_000_000
"""Longest gap in ns between packets that a recorder swaps: those of several receive queues are written as each queue is
emptied, and get their time then (Wireshark's reordercap(1) is there for captures with the right times)."""

ACK, PSH = 0x10, 0x08


@frozen(eq=False)
class Recording:
    """Frames as recorded: their columns, and the packet each came from."""

    columns: Segments
    packet: I64  # row of the packet that passed; of merged ones the first


@frozen(eq=False)
class Recorder:
    """Records a capture piece by piece."""

    conditions: Conditions
    rng: np.random.Generator
    steps: tuple[tuple[float, int], ...]  # of the clock: where in the capture (0 to 1), and by how many ns
    lag: int  # ns between the copies of a frame, when frames are doubled
    hop: int  # by which the copy's hop limit is lower
    slips: float  # share of neighbours that are swapped, when some are

    @classmethod
    def of(cls, conditions: Conditions, rng: np.random.Generator) -> "Recorder":
        """Set up a recorder; draw when its clock is set and how."""
        own = np.random.default_rng(int(rng.integers(2**62)))
        steps = tuple(
            (float(own.uniform(0, 1)), int(own.choice([-1, 1]) * 5e6 * 400 ** own.uniform(0, 1)))
            for _ in range(int(own.integers(1, 3)))
        )
        lag, hop = int(own.integers(1_000, 60_000)), int(own.integers(2))
        return cls(conditions, own, steps, lag, hop, float(own.uniform(0.01, 0.1)))

    def record(self, columns: Segments, outbound: Mask, subject: I64, forged: Mask) -> Recording:
        """Record n packets.

        Args:
            columns: The packets in the order they passed.
            outbound: Whether each goes towards the servers.
            subject: Conversation of each.
            forged: Whether somebody on the path made it: those are never merged with others.
        """
        conditions = self.conditions
        keep = np.ones(len(columns), bool)
        if conditions.direction != "both":
            keep &= outbound == (conditions.direction == "outbound")
        if conditions.capture_loss:
            keep &= self.rng.random(len(columns)) >= conditions.capture_loss
        rows = np.flatnonzero(keep)
        out = Recording(columns if keep.all() else columns.take(rows), rows)
        if conditions.offload:
            own = outbound[rows] == (conditions.vantage == "client")
            out = offloaded(out, own, outbound[rows], subject[rows], forged[rows])
        if conditions.doubled:
            out = self.doubled(out)
        return self.swapped(out) if conditions.swapped else out

    def doubled(self, taken: Recording) -> Recording:
        """Deliver every frame twice, as a mirror of two ports does; beyond a router the copy has one hop less."""
        twice = np.repeat(np.arange(len(taken.columns)), 2)
        table = taken.columns.take(twice)
        copy = np.arange(len(twice)) % 2
        ttl = table.ttl - (copy * self.hop).astype(np.uint8)
        table = attrs.evolve(table, time=table.time + copy * self.lag, ttl=ttl)
        order = np.argsort(table.time, kind="stable")
        return Recording(table.take(order), taken.packet[twice[order]])

    def swapped(self, taken: Recording) -> Recording:
        """Let some neighbours change places; times stay in order."""
        time = taken.columns.time
        slips = (np.diff(time) <= SWAPPED_WITHIN) & (self.rng.random(max(len(time) - 1, 0)) < self.slips)
        slips[1:] &= ~slips[:-1]  # of three in a row only two change places
        first = np.flatnonzero(slips)
        order = np.arange(len(time))
        order[first], order[first + 1] = first + 1, first
        return Recording(attrs.evolve(taken.columns.take(order), time=time), taken.packet[order])

    def stamped(self, time: I64) -> I64:
        """Read the recorder's clock at all times of a capture: right, to the millisecond only, or set now and then."""
        if self.conditions.clock == "coarse":
            return time // 1_000_000 * 1_000_000
        if self.conditions.clock != "steps" or not len(time):
            return time
        out = time.copy()
        for where, step in self.steps:
            out[time > time[0] + where * (time[-1] - time[0])] += step
        return out


def offloaded(
    taken: Recording,
    own: Mask,
    outbound: Mask,
    subject: I64,
    forged: Mask,
) -> Recording:
    """Merge neighbours that a card or driver would merge, and leave the host's own checksums to the card.

    Neighbours merge when they are data of one direction of one connection, follow each other in sequence and within
    :data:`BATCH`, and carry the same acknowledgement and options (Linux ``tcp_gro_receive``); PSH ends a run.
    """
    table = taken.columns
    count = len(table)
    if count < 2:
        return taken
    size = table.payload.lengths
    plain = (table.protocol == TCP) & (size > 0) & ((table.flags & ~np.uint16(PSH)) == ACK) & ~forged
    follows = np.zeros(count, bool)
    follows[1:] = (
        plain[1:] & plain[:-1] & (subject[1:] == subject[:-1]) & (outbound[1:] == outbound[:-1])
        & (table.seq[1:] == table.seq[:-1] + size[:-1].astype(np.uint32)) & (table.ack[1:] == table.ack[:-1])
        & (table.time[1:] - table.time[:-1] <= BATCH) & (table.flags[:-1] & PSH == 0) & same_options(table.options)
    )  # fmt: skip
    ends = np.cumsum(size)
    first = np.flatnonzero(~follows)
    lead = first[np.cumsum(~follows) - 1]
    begin = ends[lead] - size[lead]
    follows &= (ends - begin) // MOST_MERGED == (ends - size - begin) // MOST_MERGED
    first = np.flatnonzero(~follows)
    last = np.append(first[1:], count) - 1
    offsets = np.append(table.payload.offsets[first], table.payload.offsets[-1])
    merged = attrs.evolve(
        table.take(first),
        payload=Ragged(offsets=offsets, values=table.payload.values),
        flags=table.flags[last] | table.flags[first],
        time=table.time[np.where(own[first], first, last)],
        ip_flags=table.ip_flags[first] | (own[first] & (table.protocol[first] == TCP)).astype(np.uint8) * UNSUMMED,
    )
    order = np.argsort(merged.time, kind="stable")
    return Recording(merged.take(order), taken.packet[first[order]])


def same_options(options: Ragged) -> Mask:
    """Say for every row but the first whether its options equal those of the row before."""
    lengths = options.lengths
    equal: Mask = lengths[1:] == lengths[:-1]
    width = int(lengths.max(initial=0))
    grid = np.zeros((len(lengths), width), np.uint8)
    grid[np.arange(width) < lengths[:, None]] = options.values
    equal[np.flatnonzero((grid[1:] != grid[:-1]).any(axis=1))] = False
    return equal
