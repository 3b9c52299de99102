"""Boxes beside the tap: translators, proxies, tunnels and emulators that write headers, or answer for everybody.

Such a box leaves its hand in all that far ends seem to send. What it writes tells nothing of them: neither how many
routers a packet crossed, nor which of two packets its sender wrote.
"""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.recording.grouped import Paths
from netinterf.recording.vantage import SERVER
from netinterf.schema import Flows, Mark, Packets, RttKind, RttSamples, Sides, TcpFlag

__all__ = ["behind_router", "far_sides", "renumbers_ip_id", "rewrites_ttl", "splits_tcp"]


SAME_TTL_SHARE, SAME_TTL_HOSTS = 0.95, 5
"""Hop limits were rewritten when this share of conversations with at least this many far hosts begins with one value
there: hosts on one network agree by chance, five networks do not."""

SHARED_COUNTER_SHARE, SHARED_COUNTER_STEP = 0.8, 16
"""One counter numbers all senders when consecutive packets of different hosts differ by so little so often."""

SPLIT_RATIO = 0.3
"""A far end that acknowledges data in less than this share of the handshake's round trip is a proxy near the tap."""


def far_sides(tap: I64) -> I64:
    """Give the row in Sides of each flow's end away from the tap: the server, unless the tap is next to it."""
    side: I64 = 2 * np.arange(len(tap)) + (tap != SERVER)
    return side


def far_hosts(flows: Flows, tap: I64) -> I64:
    """Give the row in Hosts of each flow's end away from the tap."""
    return np.where(tap == SERVER, flows.client, flows.server).astype(np.int64)


def rewrites_ttl(packets: Packets, flows: Flows, sides: Sides, paths: Paths, tap: I64) -> Mask:
    """Say of each flow whether nearly all far ends of its path begin with one hop limit, so that somebody wrote it."""
    first = sides.first[far_sides(tap)].astype(np.int64)
    flow = np.flatnonzero(first >= 0)
    shown = np.bincount(paths.of[flow] << 8 | packets.ttl[first[flow]], minlength=paths.count << 8)
    shown = shown.reshape(-1, 256)
    same = shown.max(axis=1, initial=0) >= SAME_TTL_SHARE * np.maximum(shown.sum(axis=1), 1)
    rewritten: Mask = (same & (paths.kinds(flow, far_hosts(flows, tap)[flow]) >= SAME_TTL_HOSTS))[paths.of]
    return rewritten


def renumbers_ip_id(packets: Packets, flows: Flows, paths: Paths, tap: I64) -> Mask:
    """Say of each flow whether the IP IDs of different far ends of its path form one counter: one box numbers all."""
    host = far_hosts(flows, tap)
    several = paths.kinds(np.arange(len(flows)), host) >= 2
    if not several.any():
        return np.zeros(len(flows), np.bool_)
    row = np.flatnonzero(
        (packets.version == 4) & (packets.outbound == (tap == SERVER)[packets.flow]) & (packets.flow >= 0)
    )
    flow = packets.flow[row]
    path = paths.of.astype(np.uint16 if paths.count <= 1 << 16 else np.int64)[flow]
    if paths.count > 1:
        order = np.argsort(path, kind="stable")  # 16 bits are sorted without comparing
        row, flow, path = row[order], flow[order], path[order]
    sender = host.astype(np.int32)[flow]
    change = np.flatnonzero((sender[1:] != sender[:-1]) & (path[1:] == path[:-1]))
    step = packets.ip_id[row[change + 1]] - packets.ip_id[row[change]]  # wraps modulo 2**16 as the field does
    near = (step >= 1) & (step <= SHARED_COUNTER_STEP)
    changes = np.bincount(path[change], minlength=paths.count)
    shared = np.bincount(path[change], near, paths.count) >= SHARED_COUNTER_SHARE * changes
    renumbered: Mask = (shared & several & (changes >= 2 * SAME_TTL_HOSTS))[paths.of]
    return renumbered


def behind_router(packets: Packets, flows: Flows, paths: Paths) -> Mask:
    """Say of each flow whether copies of packets of its path carry hop limits that their senders' others do not."""
    odd = np.zeros(len(flows), np.bool_)
    copy = packets.marks & Mark.DUPLICATE_FRAME.value != 0
    if copy.any():
        doubled = odd.copy()
        doubled[packets.flow[copy]] = True
        rows = np.flatnonzero(doubled[packets.flow] & (packets.flow >= 0))
        shown = (packets.flow[rows].astype(np.int64) << 1 | packets.outbound[rows]) << 8 | packets.ttl[rows]
        copied = copy[rows]
        odd[packets.flow[rows[copied][~np.isin(shown[copied], shown[~copied])]]] = True
    return paths.any(odd)


def splits_tcp(packets: Packets, flows: Flows, sides: Sides, rtts: RttSamples, paths: Paths, tap: I64) -> Mask:
    """Say of each flow whether servers of its path acknowledge data much faster than they shake hands, mostly.

    Only pure acknowledgements count, with the hop limit of the SYN/ACK: a forged page would look fast as well. Needs
    two flows to two addresses. Next to a server both are what it takes to answer, and a first answer takes it longer.
    """
    far = rtts.side & 1 == 1
    handshake = _least(rtts, np.flatnonzero(far & (rtts.kind == RttKind.HANDSHAKE.value)), len(sides))
    far &= (rtts.kind == RttKind.DATA.value) & (handshake[rtts.side] >= 0)
    row = np.flatnonzero(far)
    answer, syn = rtts.packet[row], sides.syn[rtts.side[row]]
    pure = (packets.payload_length[answer] == 0) & (packets.tcp_flags[answer] == TcpFlag.ACK.value) & (syn >= 0)
    row, answer, syn = row[pure], answer[pure], syn[pure]
    data = _least(rtts, row[packets.ttl[answer] == packets.ttl[syn]], len(sides))
    timed = (handshake >= 0) & (data >= 0)
    fast = timed & (data < SPLIT_RATIO * handshake)
    timed, fast = timed[1::2] & (tap != SERVER), fast[1::2] & (tap != SERVER)
    flow = np.flatnonzero(fast)
    many = (paths.kinds(flow, flows.server[flow].astype(np.int64)) >= 2) & (2 * paths.total(fast) > paths.total(timed))
    split: Mask = many[paths.of]
    return split


def _least(rtts: RttSamples, chosen: I64, count: int) -> I64:
    """Return the least sample of each side, -1 for none."""
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, rtts.side[chosen], rtts.value[chosen])
    least[least == np.iinfo(np.int64).max] = -1
    return least
