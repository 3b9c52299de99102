"""Tell where one conversation ends and the next one on the same ports begins, and who opened it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, U16, Mask
from netinterf.flows.grouping import Groups, first_index
from netinterf.numbering import among, one_of
from netinterf.schema import OrientedBy, Packets, TcpFlag

__all__ = ["SERVICE_PORTS", "orient", "split_reused"]

TCP = 6
HANDSHAKE = TcpFlag.SYN.value | TcpFlag.ACK.value | TcpFlag.RST.value | TcpFlag.FIN.value
ECHO_REQUESTS = (8 << 8, 128 << 8)  # RFC 792, RFC 4443 §4.1
ECHO_REPLIES = (0 << 8, 129 << 8)  # RFC 792, RFC 4443 §4.2
ICMP = (1, 58)

SERVICE_PORTS = (
    *(1080, 1194, 1433, 1521, 1701, 1723, 1812, 1883, 1900, 1935, 2049, 2083, 2087, 3128, 3306, 3389, 3478, 3544),
    *(4433, 4500, 5060, 5061, 5222, 5223, 5228, 5269, 5349, 5353, 5355, 5432, 5671, 5672, 5900, 6379, 6443, 6667, 6697),
    *(8000, 8008, 8080, 8081, 8443, 8883, 8888, 9001, 9030, 9200, 9418, 11211, 19302, 27017, 51820),
)
"""Ports from 1024 up that servers listen on (IANA service names registry, and customary alternatives for the web)."""

LISTED_PORTS = np.array(SERVICE_PORTS)  # (they rise)


def split_reused(groups: Groups, swapped: Mask, packets: Packets) -> Groups:
    """Begin a new flow where a port is used again.

    A SYN without ACK whose sequence number differs from the side's last such SYN opens a flow, as Wireshark does; a
    repeated SYN does not. It also does while the first handshake is still unanswered: each attempt is a flow of its
    own. A side's first SYN opens a flow if other packets went before, unless these are only the other side's SYNs
    (simultaneous open, RFC 9293 §3.5) or the packet before it is the SYN/ACK that answers it (captured out of order).
    Where only the replies were captured, a SYN/ACK that acknowledges another number than the last one opens a flow:
    it answers another SYN.

    Args:
        groups: Rows by addresses, ports and protocol.
        swapped: Which of its two directions each packet has.
        packets: The packets.
    """
    kind = packets.tcp_flags & HANDSHAKE
    syn = (packets.protocol == TCP) & ((kind & ~np.uint16(TcpFlag.ACK)) == TcpFlag.SYN.value)
    places = np.flatnonzero(syn.take(groups.rows))
    if len(places) == 0:
        return groups
    rows = groups.rows[places]
    group = np.searchsorted(groups.starts, places, side="right") - 1
    replies = kind[rows] != TcpFlag.SYN.value
    opened = np.zeros(len(groups.starts), np.bool_)
    opened[group[~replies]] = True
    side = (group << 1) | swapped[rows]

    asked = np.flatnonzero(~replies)
    new = later_opening(places[asked], side[asked], groups, packets)
    answers = np.flatnonzero(replies & ~opened[group])
    previous = previous_equal(side[answers])
    known = previous >= 0
    differs = np.zeros(len(answers), np.bool_)
    differs[known] = packets.ack[rows[answers[known]]] != packets.ack[rows[answers[previous[known]]]]
    cuts = np.concatenate([places[asked[new]], places[answers[differs]]])
    # a cut never lies at a start: it has packets of its group before it
    return Groups(groups.rows, np.sort(np.concatenate([groups.starts, cuts]))) if len(cuts) else groups


def later_opening(places: I64, side: I64, groups: Groups, packets: Packets) -> Mask:
    """Say which SYNs open another flow than the one their group is in."""
    rows, group = groups.rows[places], side >> 1
    new = np.zeros(len(places), np.bool_)
    previous = previous_equal(side)
    known = previous >= 0
    new[known] = packets.seq[rows[known]] != packets.seq[rows[previous[known]]]
    first = np.flatnonzero(~known)
    before = places[first] - groups.starts[group[first]]
    number = np.arange(len(places)) - np.searchsorted(group, group)  # SYNs of the group before this one
    late = before > number[first]
    if late.any():
        neighbour = groups.rows[np.maximum(places[first] - 1, 0)]
        kind = packets.tcp_flags[neighbour] & HANDSHAKE
        answer = (kind == TcpFlag.SYN.value | TcpFlag.ACK.value) & (
            packets.ack[neighbour] - packets.seq[rows[first]] == 1
        )
        late &= ~answer
    new[first] = late
    return new


def previous_equal(values: NDArray[np.integer[Any]]) -> I64:
    """Give the index of the nearest earlier entry with the same value, -1 where there is none."""
    order = np.argsort(values, kind="stable")
    previous = np.full(len(values), -1, np.int64)
    same = values[order[1:]] == values[order[:-1]]
    previous[order[1:][same]] = order[:-1][same]
    return previous


def orient(groups: Groups, swapped: Mask, packets: Packets, ports: tuple[U16, U16]) -> tuple[Mask, U8]:
    """Decide who is the client of each flow.

    In this order: the sender of the first SYN; the receiver of the first SYN/ACK; the side opposite the service port
    (ports below 1024, RFC 6335 §6, rank before :data:`SERVICE_PORTS`, and these before all others; the better rank is
    the server); for ICMP echo, which has no ports, the sender of a request or receiver of a reply; whoever
    was captured first. Echo counts as PORTS in OrientedBy.

    Returns:
        Two arrays, one entry per flow: the direction (value of *swapped*) in which the client sends, and how that was
        decided (OrientedBy).
    """
    count = len(groups.starts)
    first = groups.rows[groups.starts]
    client = swapped[first].copy()
    oriented = np.full(count, OrientedBy.FIRST_TALKER, np.uint8)

    source, target = rank(ports[0][first]), rank(ports[1][first])
    decided = source != target
    client[decided] ^= (source < target)[decided]
    echo = one_of(packets.protocol[first], ICMP)
    decided |= echo & one_of(packets.icmp[first], (*ECHO_REQUESTS, *ECHO_REPLIES))
    client[echo] ^= one_of(packets.icmp[first[echo]], ECHO_REPLIES)
    oriented[decided] = OrientedBy.PORTS

    kind = packets.tcp_flags & HANDSHAKE
    kind[packets.protocol != TCP] = 0
    for flags, how in (
        (TcpFlag.SYN.value | TcpFlag.ACK.value, OrientedBy.SYN_ACK),
        (TcpFlag.SYN.value, OrientedBy.SYN),
    ):
        places = np.flatnonzero((kind == flags).take(groups.rows))
        flow = np.searchsorted(groups.starts, places, side="right") - 1
        opening = first_index(flow, groups.rows[places], count)
        opened = opening >= 0
        client[opened] = swapped[opening[opened]] ^ (how == OrientedBy.SYN_ACK)
        oriented[opened] = how
    return client, oriented


def rank(ports: U16) -> U8:
    """Rank ports by how surely a server listens there: 0 below 1024, 1 listed, 2 all others and port 0."""
    ranks = np.where(among(ports, LISTED_PORTS), 1, 2).astype(np.uint8)
    ranks[(ports > 0) & (ports < 1024)] = 0
    return ranks
