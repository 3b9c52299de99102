"""Played captures, played over and over by other addresses: as many packets as are asked for, of any scenario.

An address takes what its partner gives (a number is added to one and subtracted from the other, in the arithmetic of
RFC 1071), so that all checksums stay right.
"""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8
from netinterf.capture import write_pcap, write_records
from netinterf.simulate import Simulated
from netinterf.trace import read

__all__ = ["START", "Plays", "by_rule", "replay"]

START = 1_700_000_000 * 10**9
LOT = 20_000  # packets written at a time
HEADER = 24  # bytes at the beginning of a pcap file


@attrs.frozen(eq=False)
class Plays:
    """Plays one after the other in one buffer; one entry per packet, but for the last."""

    buffer: U8
    at: I64
    captured: I64
    length: I64  # bytes on the wire
    time: I64  # ns since its play began
    plus: I64  # offset of the last two bytes of the client's address, -1 where there is none
    minus: I64  # of the server's
    first: I64  # first packet of each play, and the number of packets

    @property
    def sizes(self) -> I64:
        """Packets of each play."""
        return np.diff(self.first)

    @property
    def duration(self) -> int:
        """Nanoseconds of the longest play."""
        return int(self.time.max(initial=0))


def by_rule(plays: Iterable[Simulated]) -> Plays:
    """Lay plays side by side, all of Ethernet frames; what is not IP stays as it is."""
    parts: list[tuple[NDArray[Any], ...]] = []
    buffers, size, first = [], 0, [0]
    for played in plays:
        file = io.BytesIO()
        write_pcap(file, played.times, played.frames, played.link_type, lengths=played.lengths)
        trace = read(file.getvalue())
        packets = trace.packets
        ip = packets.at + packets.ip_at
        four = packets.version == 4
        known = four | (packets.version == 6)
        there = ip + np.where(four, 14, 22)  # the last two bytes of the source: RFC 791 §3.1, RFC 8200 §3
        back = ip + np.where(four, 18, 38)
        plus, minus = np.where(packets.outbound, there, back), np.where(packets.outbound, back, there)
        parts.append((packets.at + size, packets.captured, packets.length, packets.time - packets.time.min(),
                      np.where(known, plus + size, -1), np.where(known, minus + size, -1)))  # fmt: skip
        buffers.append(trace.buffer)
        size += len(trace.buffer)
        first.append(first[-1] + len(packets))
    at, captured, length, times, plus_at, minus_at = (
        np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)
    )
    return Plays(np.concatenate(buffers), at, captured, length, times, plus_at, minus_at, np.array(first))


def replay(plays: Plays, which: I64, begin: I64, *, snaplen: int = 0) -> Iterator[bytes]:
    """Write a capture of plays, some packets at a time, in the order of their times.

    Args:
        plays: What there is to play.
        which: The play of each run.
        begin: When it begins, ns after `START`; as many entries.
        snaplen: Bytes kept of each packet; 0 keeps all.
    """
    sizes = plays.sizes
    rows = np.concatenate([np.arange(plays.first[one], plays.first[one + 1]) for one in which])
    owner = np.repeat(np.arange(len(which)), sizes[which])
    times = START + begin[owner] + plays.time[rows]
    order = np.argsort(times, kind="stable")
    for lot in range(0, len(order), LOT):
        chosen = order[lot : lot + LOT]
        piece = records(plays, rows[chosen], owner[chosen] + 1, times[chosen], snaplen)
        yield piece if lot == 0 else piece[HEADER:]


def records(plays: Plays, rows: I64, shift: I64, times: I64, snaplen: int) -> bytes:
    """Write packets by other addresses, as a pcap file."""
    captured = plays.captured[rows]
    at = np.cumsum(captured) - captured
    place = np.repeat(plays.at[rows] - at, captured) + np.arange(int(captured.sum()))
    buffer = plays.buffer[place]
    for offset, amount in ((plays.plus, shift), (plays.minus, -shift)):
        known = np.flatnonzero(offset[rows] >= 0)
        here = (offset[rows] - plays.at[rows] + at)[known]
        word = (buffer[here].astype(np.int64) << 8 | buffer[here + 1]) + amount[known]
        word %= 0xFFFF  # one's complement (RFC 1071 §1)
        buffer[here], buffer[here + 1] = word >> 8, word & 0xFF
    file = io.BytesIO()
    kept = np.minimum(captured, snaplen) if snaplen else captured
    write_records(file, buffer, at, kept, plays.length[rows], times, 1)
    return file.getvalue()
