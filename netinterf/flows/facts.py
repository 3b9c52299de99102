"""Facts about a capture as a whole: where it was taken, and which signals it cannot carry.

An analyzer must know when it is blind. Address translation and virtual-machine networking rewrite header fields,
proxies answer in place of the far end, mirror ports double packets, and busy capture hosts lose them. What can be
found out about that once per capture is gathered here and handed to every analyzer.
"""

from enum import StrEnum

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.schema import Flows, Mark, Packets, RttKind, RttSamples, Sides, Status, TcpFlag

__all__ = ["INITIAL_TTLS", "Facts", "Vantage", "gather_facts"]

TCP = 6

INITIAL_TTLS = np.array([64, 128, 255], np.uint8)
"""Initial values of the hop limit in common stacks; a packet that still carries one was captured at its sender."""

NEAR_SHARE = 0.1
"""A side is next to the tap when its half of the round trip is below this share of the whole."""

SAME_TTL_SHARE, SAME_TTL_HOSTS = 0.95, 5
"""Hop limits were rewritten when this share of the packets from at least this many far hosts carries one value."""

SHARED_COUNTER_SHARE, SHARED_COUNTER_STEP = 0.8, 16
"""One counter numbers all senders when consecutive packets of different hosts differ by so little so often."""

SAMPLE = 1 << 16
"""Packets that shares are taken from: their standard error is below 0.2 %, and what rewrites headers does it always."""

SPLIT_RATIO = 0.3
"""A far end that acknowledges data in less than this share of the handshake's round trip is a proxy near the tap."""


class Vantage(StrEnum):
    """Where the capture was taken, in the words of the verdict contract."""

    CLIENT = "client"
    SERVER = "server"
    MIDDLE = "middle"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class Facts:
    """What holds for the whole capture."""

    vantage: Vantage = Vantage.UNKNOWN
    vantage_given: bool = False  # the user said so
    ttl_informative: bool = True  # False: something rewrites hop limits, equal ones prove nothing
    hops_apart: bool = False  # copies of packets were captured on both sides of a router: one hop tells nobody apart
    ip_id_informative: bool = True  # False: something renumbers the packets of all senders
    split_tcp: bool = False  # a proxy near the tap acknowledges for the far end: timing tests are blind
    offloaded: bool = False  # the capture holds segments larger than the wire allows
    duplicate_share: float = 0.0  # share of TCP packets that were captured twice
    capture_loss_share: float = 0.0  # share of TCP packets that acknowledge bytes the capture does not hold
    one_way_share: float = 0.0  # share of TCP flows of which only one direction was captured
    equal_time_share: float = 0.0  # share of packets with the same time as the one before


def gather_facts(packets: Packets, flows: Flows, sides: Sides, rtts: RttSamples, vantage: str = "auto") -> Facts:
    """Find out once what every analyzer must know.

    Args:
        packets: All packets, flows assigned and marked.
        flows: Their conversations.
        sides: The two directions of each.
        rtts: Round-trip samples.
        vantage: ``"client"``, ``"server"`` or ``"middle"`` when the user knows it, else ``"auto"``.

    Returns:
        The facts; an empty capture gives the defaults.
    """
    tcp = packets.protocol == TCP
    count = max(int(tcp.sum()), 1)
    tcp_flows = np.flatnonzero(flows.protocol == TCP)
    both = (sides.packets[2 * tcp_flows] > 0) & (sides.packets[2 * tcp_flows + 1] > 0)
    given = vantage != "auto"
    place = Vantage(vantage) if given else infer_vantage(packets, sides)
    return Facts(
        vantage=place,
        vantage_given=given,
        ttl_informative=not rewrites_ttl(packets, flows, place),
        hops_apart=copied_behind_router(packets),
        ip_id_informative=not renumbers_ip_id(packets, flows, place),
        split_tcp=splits_tcp(packets, flows, sides, rtts),
        offloaded=bool(np.any(packets.status & Status.OFFLOADED)),
        duplicate_share=float(np.count_nonzero(packets.marks & Mark.DUPLICATE_FRAME)) / count,
        capture_loss_share=float(np.count_nonzero(packets.marks & Mark.ACKED_UNSEEN)) / count,
        one_way_share=1.0 - float(both.mean()) if len(both) else 0.0,
        equal_time_share=float(np.mean(np.diff(packets.time) == 0)) if len(packets) > 1 else 0.0,
    )


def infer_vantage(packets: Packets, sides: Sides) -> Vantage:
    """Infer where the tap sits: by hop limits that no router lowered, else by the halves of the round trip.

    Each flow votes; a place wins with two thirds of the votes. Both ends next to the tap (a lab on one host) is
    ``UNKNOWN``. Hop limits go first: a slow program at the tap looks far away by time.
    """
    first = sides.first.reshape(-1, 2)
    both = (first >= 0).all(axis=1)
    ttl = packets.ttl[np.maximum(first, 0)] if len(packets) else np.zeros(first.shape, np.uint8)
    fresh = np.isin(ttl, INITIAL_TTLS)
    client, server = sides.rtt[0::2], sides.rtt[1::2]
    timed = (client >= 0) & (server >= 0) & both
    whole = np.maximum(client + server, 1)
    near = np.stack([client < NEAR_SHARE * whole, server < NEAR_SHARE * whole], axis=1)
    told = both & (fresh[:, 0] != fresh[:, 1])
    place = np.where(told[:, None], fresh, near & timed[:, None])
    cast = told | timed
    votes = {
        Vantage.CLIENT: int(np.sum(place[:, 0] & ~place[:, 1])),
        Vantage.SERVER: int(np.sum(place[:, 1] & ~place[:, 0])),
        Vantage.MIDDLE: int(np.sum(cast & ~place.any(axis=1))),
    }
    best = max(votes, key=lambda place: votes[place])
    return best if votes[best] and votes[best] >= 2 * int(cast.sum()) / 3 else Vantage.UNKNOWN


def far_packets(packets: Packets, flows: Flows, vantage: Vantage) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Select packets of the far ends, and who sent each: of clients where servers sit at the tap, else of servers.

    Hosts at the tap share what says nothing of the path: one initial hop limit, or one counter of IP IDs for several
    addresses of one machine.
    """
    clients = vantage is Vantage.SERVER
    rows = np.flatnonzero((packets.flow >= 0) & (packets.outbound == clients))[:SAMPLE]
    return rows, (flows.client if clients else flows.server)[packets.flow[rows]]


def rewrites_ttl(packets: Packets, flows: Flows, vantage: Vantage) -> bool:
    """Say whether nearly all packets of many far hosts carry one hop limit, so that somebody rewrote it."""
    rows, host = far_packets(packets, flows, vantage)
    if len(np.unique(host)) < SAME_TTL_HOSTS:
        return False
    return float(np.bincount(packets.ttl[rows]).max()) >= SAME_TTL_SHARE * len(rows)


def copied_behind_router(packets: Packets) -> bool:
    """Say whether copies of packets carry hop limits that their senders' other packets in the flow do not."""
    copy = packets.marks & Mark.DUPLICATE_FRAME != 0
    if not copy.any():
        return False
    shown = (packets.flow.astype(np.int64) << 1 | packets.outbound) << 8 | packets.ttl
    original = shown[~copy & np.isin(packets.flow, np.unique(packets.flow[copy]))]
    return bool(np.any(~np.isin(shown[copy], original)))


def renumbers_ip_id(packets: Packets, flows: Flows, vantage: Vantage) -> bool:
    """Say whether the IP IDs of different far hosts form one counter, so that one box numbers them all."""
    rows, host = far_packets(packets, flows, vantage)
    rows, host = rows[packets.version[rows] == 4], host[packets.version[rows] == 4]
    changes = np.flatnonzero(np.diff(host) != 0)
    if len(changes) < 2 * SAME_TTL_HOSTS or len(np.unique(host)) < 2:
        return False
    step = packets.ip_id[rows[changes + 1]] - packets.ip_id[rows[changes]]  # wraps modulo 2**16 as the field does
    return float(np.mean((step >= 1) & (step <= SHARED_COUNTER_STEP))) >= SHARED_COUNTER_SHARE


def splits_tcp(packets: Packets, flows: Flows, sides: Sides, rtts: RttSamples) -> bool:
    """Say whether servers acknowledge data much faster than they finished the handshake, in most flows.

    Only pure acknowledgements count, with the hop limit of the SYN/ACK: a forged page would look fast as well. Needs
    two flows to two addresses.
    """
    far = rtts.side & 1 == 1
    handshake = _least(rtts, np.flatnonzero(far & (rtts.kind == RttKind.HANDSHAKE.value)), len(sides))
    far &= (rtts.kind == RttKind.DATA.value) & (handshake[rtts.side] >= 0)
    row = np.flatnonzero(far)
    answer, syn = rtts.packet[row], sides.syn[rtts.side[row]]
    pure = (packets.payload_length[answer] == 0) & (packets.tcp_flags[answer] == TcpFlag.ACK.value) & (syn >= 0)
    row, answer, syn = row[pure], answer[pure], syn[pure]
    data = _least(rtts, row[packets.ttl[answer] == packets.ttl[syn]], len(sides))
    side = np.flatnonzero((handshake >= 0) & (data >= 0))
    fast = side[data[side] < SPLIT_RATIO * handshake[side]]
    servers = np.unique(flows.server[fast // 2])
    return len(fast) >= 2 and len(servers) >= 2 and 2 * len(fast) > len(side)


def _least(rtts: RttSamples, chosen: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the least sample of each side, -1 for none."""
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, rtts.side[chosen], rtts.value[chosen])
    least[least == np.iinfo(np.int64).max] = -1
    return least
