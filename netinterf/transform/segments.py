"""Segments that a network card or its driver puts together before anybody records them (TSO, GSO, GRO)."""

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.decode.gather import gather_bytes
from netinterf.pieces import gather
from netinterf.schema import Packets, TcpFlag
from netinterf.transform.frames import Frames
from netinterf.transform.headers import TCP, header_sum, outer, put, replace_word, word

__all__ = ["BATCH", "coalesce"]

BATCH = 100_000
"""Longest gap in ns between segments that one poll of a card puts together: a few interrupts at 1 Gbit/s."""

MOST = 65_000
"""Bytes of the largest such segment: an IPv4 packet's 65,535 less headers (Linux GSO_LEGACY_MAX_SIZE)."""

SAME = ("flow", "outbound", "ack", "version", "ip_at", "transport_at", "payload_at", "interface", "ttl", "tos")
"""Columns in which neighbours that are one agree."""

PLAIN = np.uint16(TcpFlag.ACK)
MOST_OPTIONS = 40  # bytes (RFC 9293 §3.1)


def coalesce(frames: Frames, within: int = BATCH) -> Frames:
    """Put segments together that follow each other, as Linux does (``tcp_gro_receive``).

    Neighbours are one when they are data of one direction of one connection, follow each other in sequence and time,
    acknowledge the same and carry the same options; PSH ends a run. The whole has the time of the last one and the
    checksum of its pseudo-header alone, as drivers leave it (RFC 9293 §3.1). What was cut off stays apart.

    Args:
        frames: The frames, by time.
        within: Longest gap between two of them, ns.
    """
    packets = frames.packets
    first = np.flatnonzero(~joined(frames, within))
    last = np.append(first[1:], len(packets)) - 1
    if len(first) == len(packets):
        return frames
    payload = packets.payload_length.astype(np.int64)
    alone = first == last
    header = np.zeros(len(packets), np.bool_)
    header[first] = True
    whole = np.zeros(len(packets), np.bool_)
    whole[first[alone]] = True
    start = packets.at + np.where(header, 0, packets.payload_at)
    size = np.where(whole, frames.captured, payload + np.where(header, packets.payload_at, 0))
    captured = np.add.reduceat(size, first)
    head = packets.take(first)
    made = attrs.evolve(
        head,
        at=np.cumsum(captured) - captured,
        captured=captured.astype(np.uint32),
        length=np.where(alone, head.length, captured).astype(np.uint32),
        payload_length=np.add.reduceat(payload, first).astype(np.uint32),
        tcp_flags=head.tcp_flags | np.where(alone, np.uint16(0), packets.tcp_flags[last]).astype(np.uint16),
        time=packets.time[last],
    )
    changed = attrs.evolve(frames, buffer=gather(frames.buffer, start, size), packets=made)
    rewrite(changed.take(~alone))
    return changed.by_time()


def joined(frames: Frames, within: int) -> Mask:
    """Say which frames go on with the one before."""
    packets = frames.packets
    payload = packets.payload_length.astype(np.int64)
    data = (packets.protocol == TCP) & (payload > 0) & (packets.flow >= 0)
    data &= (packets.tcp_flags & ~np.uint16(TcpFlag.PSH)) == PLAIN
    data &= packets.payload_at + payload <= frames.captured
    after, before = slice(1, None), slice(None, -1)
    follows = np.zeros(len(packets), np.bool_)
    follows[1:] = data[after] & data[before] & ((packets.tcp_flags[before] & np.uint16(TcpFlag.PSH)) == 0)
    for name in (
        "flow",
        "outbound",
        "ack",
        "version",
        "ip_at",
        "transport_at",
        "payload_at",
        "interface",
        "ttl",
        "tos",
    ):
        column = getattr(packets, name)
        follows[1:] &= column[after] == column[before]
    gap = packets.time[after] - packets.time[before]
    follows[1:] &= (packets.seq[after] == packets.seq[before] + packets.payload_length[before]) & (gap <= within)
    follows[1:] &= (gap >= 0) & same_options(frames)
    ends = np.cumsum(payload)
    lead = np.maximum.accumulate(np.where(follows, 0, np.arange(len(packets))))
    begin = ends[lead] - payload[lead]
    fits: Mask = (ends - begin) // MOST == (ends - payload - begin) // MOST
    return follows & fits


def same_options(frames: Frames) -> Mask:
    """Say for every frame but the first whether its TCP options equal those of the frame before."""
    packets = frames.packets
    at = packets.transport_at.astype(np.int64) + 20
    size = np.minimum(packets.payload_at, frames.captured) - at
    options = gather_bytes(frames.buffer, packets.at + at, np.clip(size, 0, MOST_OPTIONS), MOST_OPTIONS)
    same: Mask = (options[1:] == options[:-1]).all(axis=1)
    return same


def rewrite(frames: Frames) -> None:
    """Set length, flags and checksum in the headers of packets that were put together."""
    buffer, packets = frames.buffer, frames.packets
    headers = outer(frames)
    four = packets.version == 4
    length = packets.payload_at.astype(np.int64) + packets.payload_length - packets.ip_at
    replace_word(
        buffer, headers.at + np.where(four, 2, 4), length - np.where(four, 0, 40), headers.end,
        (header_sum(packets.version, headers.at),),
    )  # fmt: skip
    transport = packets.at + packets.transport_at
    put(buffer, transport + 12, (word(buffer, transport + 12) & 0xF000) | (packets.tcp_flags & 0x0FFF))
    put(buffer, transport + 16, pseudo_sum(frames, packets))


def pseudo_sum(frames: Frames, packets: Packets) -> I64:
    """Sum the pseudo-headers of TCP packets (RFC 9293 §3.1, RFC 8200 §8.1), not inverted."""
    headers = outer(frames)
    total = packets.payload_at.astype(np.int64) + packets.payload_length - packets.transport_at + TCP
    for side in (0, 1):
        words = headers.addresses(frames.buffer, side)
        words[packets.version == 4, :12] = 0
        total = total + np.ascontiguousarray(words).view(">u2").astype(np.int64).sum(axis=1)
    for _ in range(2):
        total = (total & 0xFFFF) + (total >> 16)
    return total
