"""Transport headers: TCP, UDP, ICMP and ICMPv6, and the blocks of SACK options on demand.

The payload is what the IP length leaves behind the header. UDP's own length is only compared with it: a datagram whose
two lengths disagree is marked and keeps the IP length, so that nothing it carries is hidden. A datagram of a port that
tunnels use is handed on, and stays one where its content is no tunnel's (`decode.datagram_tunnel`).
"""

import numpy as np

from netinterf.decode.block import Block, Columns, Decoder, Front, Next, split
from netinterf.decode.gather import Buffer, as_bytes
from netinterf.decode.headers import UDP_TUNNELS, Kind
from netinterf.decode.options import tcp_options, walk
from netinterf.schema import Packets, Status
from netinterf.table import Ragged, Rows, spans

__all__ = ["DECODERS", "TCP", "icmp", "icmpv6", "sack_blocks", "tcp", "udp"]

TCP = np.dtype(
    [
        ("source", ">u2"),
        ("target", ">u2"),
        ("seq", ">u4"),
        ("ack", ">u4"),
        ("flags", ">u2"),
        ("window", ">u2"),
        ("checksum", ">u2"),
        ("urgent", ">u2"),
    ]
)
"""The fixed TCP header (RFC 9293 §3.1)."""

_UDP = np.dtype([("source", ">u2"), ("target", ">u2"), ("length", ">u2"), ("checksum", ">u2")])
_ICMP = np.dtype([("icmp", ">u2"), ("checksum", ">u2"), ("id", ">u2"), ("sequence", ">u2")])


def tcp(block: Block, front: Front) -> Next:
    """Decode TCP with its options."""
    out, place = block.out, front.place
    head, room = block.read(front, TCP)
    out.source_port[place] = head["source"]
    out.target_port[place] = head["target"]
    out.seq[place] = head["seq"]
    out.ack[place] = head["ack"]
    out.window[place] = head["window"]
    word = head["flags"].astype(np.uint16)
    out.tcp_flags[place] = word & 0x0FFF
    size = (word >> 12).astype(np.int64) * 4
    length = block.end[place] - front.at
    if int(room.min()) < 20:
        block.mark_short(front, 20, Status.BAD_TRANSPORT)
    wrong = (size < 20) | (size > length)
    if wrong.any():
        block.mark(front, wrong & (room >= 14), Status.BAD_TRANSPORT)
        # Nobody accepts such a segment; it has no payload.
        size = np.where(wrong, np.clip(length, 0, 20), size)
    short = room < size
    if short.any():
        block.mark(front, short & ~wrong, Status.HEADER_CUT)
    out.payload_at[place] = np.where(wrong, np.clip(block.end[place], 0, 65535), front.at + size)
    more = (size > 20) & (room > 20)
    if more.any():
        behind = front.part(more, front.at + 20)
        tcp_options(block, behind, size - 20 if len(behind.at) == len(size) else (size - 20)[more])
    return []


def udp(block: Block, front: Front) -> Next:
    """Decode UDP (RFC 768)."""
    out, place = block.out, front.place
    head, _ = block.read(front, _UDP)
    out.source_port[place] = head["source"]
    out.target_port[place] = head["target"]
    short = block.mark_short(front, 8, Status.BAD_TRANSPORT)
    length = block.end[place] - front.at
    out.payload_at[place] = front.at + np.clip(length, 0, 8)
    claimed = head["length"].astype(np.int64)
    # A first fragment holds only part of the datagram; offload and jumbograms (RFC 2675 §4) leave the length zero.
    partial = (out.status[place] & np.uint16(Status.FRAGMENT_FIRST)) != 0
    offloaded = (out.status[place] & np.uint16(Status.OFFLOADED)) != 0
    wrong = np.where(partial, claimed < 8, claimed != length) & ~offloaded
    block.mark(front, wrong & ~short, Status.BAD_TRANSPORT)
    kinds = UDP_TUNNELS[head["target"]]
    kinds = np.where(kinds, kinds, UDP_TUNNELS[head["source"]])
    return split(front, np.where(short | wrong, np.uint8(0), kinds), front.at + 8) if kinds.any() else []


def icmp(block: Block, front: Front) -> Next:
    """Decode ICMP (RFC 792); an echo's identifier stands in both port columns."""
    return _icmp(block, front, (0, 8))


def icmpv6(block: Block, front: Front) -> Next:
    """Decode ICMPv6 (RFC 4443); an echo's identifier stands in both port columns."""
    return _icmp(block, front, (128, 129))


def _icmp(block: Block, front: Front, echoes: tuple[int, int]) -> Next:
    out, place = block.out, front.place
    head, _ = block.read(front, _ICMP)
    block.mark_short(front, 4, Status.BAD_TRANSPORT)
    kind = head["icmp"] >> 8
    out.icmp[place] = head["icmp"]
    # The second word of the header belongs to it in every message of RFC 792 and RFC 4443.
    out.payload_at[place] = front.at + np.clip(block.end[place] - front.at, 0, 8)
    identifier = np.where((kind == echoes[0]) | (kind == echoes[1]), head["id"], 0)
    out.source_port[place] = identifier
    out.target_port[place] = identifier
    return []


DECODERS: dict[Kind, Decoder] = {Kind.TCP: tcp, Kind.UDP: udp, Kind.ICMP: icmp, Kind.ICMPV6: icmpv6}


def sack_blocks(buffer: Buffer, packets: Packets, rows: Rows) -> Ragged:
    """Read the blocks of SACK options (RFC 2018 §3).

    Args:
        buffer: The trace's buffer.
        packets: Decoded packets.
        rows: Which of them; those without the option give an empty row.

    Returns:
        Per packet the sequence numbers left, right, left, right, … as on the wire (u4).
    """
    data = as_bytes(buffer)
    index = np.arange(len(packets))[rows] if isinstance(rows, slice) or rows.dtype == np.bool_ else rows
    if not np.any(packets.tcp_options[index] & 8):
        return Ragged.empty(len(index), np.uint32)
    at = packets.at[index]
    captured = np.clip(len(data) - at, 0, packets.captured[index].astype(np.int64))
    start = packets.transport_at[index].astype(np.int64) + 20
    length = np.where(packets.protocol[index] == 6, packets.payload_at[index].astype(np.int64) - start, 0)
    length = np.where(packets.tcp_options[index] & 8, np.clip(length, 0, 40), 0)
    block = Block(data, at, captured, np.minimum(captured, start + length), start + length, Columns.allocate(len(at)))
    options = walk(block, Front(np.arange(len(at)), start), length)
    if not options:
        return Ragged.empty(len(at), np.uint32)
    owner, place, size = (np.concatenate([part[column] for part in options]) for column in range(3))
    order = np.argsort(owner, kind="stable")
    owner, place, size = owner[order], place[order], size[order]
    octets = data[spans(at[owner] + start[owner] + place, size)]
    values = octets.view(">u4").astype(np.uint32)
    lengths = np.bincount(owner, size // 4, len(at)).astype(np.int64)
    return Ragged.from_lengths(lengths, values)
