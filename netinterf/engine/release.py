"""Which conversations leave the window of a session, and which packets are the remains of some that left.

A conversation is over when its ends have closed it, or when it was silent for longer than anybody repeats anything;
questions of DNS are closed a while after they were answered. Those that are over leave first. When that does not make
enough room, open ones are cut, the largest first, so that few are. Whatever belongs to a conversation that left and
comes later is its remains: company for others, but no subject of its own, since the conversation has its verdict
already.
"""

from typing import Self

import attrs
import numpy as np

from netinterf.arrays import U32, U64, Mask
from netinterf.flows.conversations import endpoint_hash
from netinterf.flows.grouping import mix
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["IDLE_NS", "Leaving", "Remembered", "closed_flows", "conversation_keys", "leaving"]

TCP = 6
REMAINS, OVER, CLOSED, OPEN = range(4)  # the order in which flows leave

CLOSED_NS = 60 * 10**9
"""How long a closed TCP connection is kept for what still follows: a resend, a late reset. TIME-WAIT lasts as long in
Linux (TCP_TIMEWAIT_LEN)."""

IDLE_NS = 120 * 10**9
"""Silence after which any conversation is over: Linux waits no longer than that between two resends (TCP_RTO_MAX), and
translators keep UDP mappings for two minutes (RFC 4787 REQ-5)."""

ANSWERED_NS = 5 * 10**9
"""How long a question of DNS that was answered is kept for another answer, the true one behind a forged one: as long as
resolvers wait for one at all (resolv.conf(5), RES_TIMEOUT)."""

REMEMBERED = 1 << 18
"""Conversations that are remembered after they left: 12 bytes each, and more than pass within the two minutes that
count at 2,000 new ones a second."""


@frozen(eq=False)
class Leaving:
    """Which flows leave a window.

    Args:
        flows: One entry per flow, whether it leaves.
        over: How many of them are over.
        cut: How many of them are not; remains are neither.
    """

    flows: Mask
    over: int
    cut: int


def leaving(trace: Trace, remains: Mask, packets: int, size: int) -> Leaving:
    """Choose the flows that leave, so that no more than a number of packets and bytes stay.

    Those that are over or closed leave until half as much stays: every packet that stays is judged once more.

    Args:
        trace: The window; its last packet tells the time.
        remains: Which flows are remains of conversations that left.
        packets: Packets that may stay.
        size: Captured bytes that may stay.
    """
    table, flows = trace.packets, trace.flows
    in_flow = table.flow >= 0
    counts = trace.by_flow.lengths
    sizes = np.bincount(table.flow[in_flow], table.captured[in_flow], minlength=len(flows)).astype(np.int64)
    idle = (int(table.time.max()) if len(table) else 0) - flows.last
    closed = closed_flows(trace) | (answered_questions(trace) & (idle >= ANSWERED_NS))
    over = (idle >= IDLE_NS) | (closed & (idle >= CLOSED_NS))
    rank = np.select([remains, over, closed], [REMAINS, OVER, CLOSED], OPEN)
    share = np.maximum(counts / max(packets, 1), sizes / max(size, 1))
    order = np.lexsort((-idle, np.where(rank == OPEN, -share, 0.0), rank))
    stay_packets = counts.sum() - np.cumsum(counts[order])
    stay_bytes = sizes.sum() - np.cumsum(sizes[order])
    needed, wanted = (
        np.count_nonzero((stay_packets > packets // part) | (stay_bytes > size // part)) + 1 for part in (1, 2)
    )
    chosen = np.zeros(len(flows), np.bool_)
    chosen[order[: max(needed, min(wanted, np.count_nonzero(rank != OPEN)))]] = True
    cut, total = np.count_nonzero(chosen & (rank == OPEN)), np.count_nonzero(chosen & ~remains)
    return Leaving(chosen, int(total - cut), int(cut))


def closed_flows(trace: Trace) -> Mask:
    """Say which flows are TCP connections that were reset, or closed from both sides."""
    fin, rst = trace.sides.fin.reshape(-1, 2) >= 0, trace.sides.rst.reshape(-1, 2) >= 0
    result: Mask = (trace.flows.protocol == TCP) & (fin.all(axis=1) | rst.any(axis=1))
    return result


def answered_questions(trace: Trace) -> Mask:
    """Say which flows carry questions of DNS over UDP, all of them answered."""
    exchanges, count = trace.exchanges, len(trace.flows)
    asked = np.bincount(exchanges.flow, minlength=count)
    answered = np.bincount(exchanges.flow, exchanges.replies.lengths > 0, count)
    result: Mask = (trace.flows.protocol != TCP) & (asked > 0) & (answered == asked)
    return result


@frozen(eq=False)
class Remembered:
    """Conversations that left, the longest ago first.

    Args:
        keys: A hash of both endpoints and the protocol.
        isns: Initial sequence number of the client; 0 without.
    """

    keys: U64 = attrs.field(factory=lambda: np.empty(0, np.uint64))
    isns: U32 = attrs.field(factory=lambda: np.empty(0, np.uint32))

    def with_flows(self, trace: Trace, left: Mask) -> Self:
        """Remember the flows of *trace* that left."""
        rows = np.flatnonzero(left)
        keys = np.concatenate([self.keys, conversation_keys(trace)[rows]])
        isns = np.concatenate([self.isns, trace.sides.isn[2 * rows]])
        _, last = np.unique(keys[::-1], return_index=True)
        latest = np.sort(len(keys) - 1 - last)[-REMEMBERED:]
        return attrs.evolve(self, keys=keys[latest], isns=isns[latest])

    def remains(self, trace: Trace) -> Mask:
        """Say which flows are remains of conversations that left: all but connections that a new SYN opens."""
        if len(self.keys) == 0 or len(trace.flows) == 0:
            return np.zeros(len(trace.flows), np.bool_)
        order = np.argsort(self.keys)
        keys = conversation_keys(trace)
        place = order[np.minimum(np.searchsorted(self.keys, keys, sorter=order), len(order) - 1)]
        opened = trace.sides.syn[0::2] >= 0
        result: Mask = (self.keys[place] == keys) & ~(opened & (trace.sides.isn[0::2] != self.isns[place]))
        return result


def conversation_keys(trace: Trace) -> U64:
    """Hash the endpoints and protocol of each flow, whichever of them is the client."""
    flows, hosts = trace.flows, trace.hosts
    client = endpoint_hash(hosts.high[flows.client], hosts.low[flows.client], flows.client_port)
    server = endpoint_hash(hosts.high[flows.server], hosts.low[flows.server], flows.server_port)
    protocol = flows.protocol.astype(np.uint64) << np.uint64(56)
    return mix((client + server) ^ protocol)
