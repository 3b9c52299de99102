"""Whether somebody had announced more than arrived: a TLS record or an HTTP body that breaks off in the middle.

PSH is set wherever a program's write ends (RFC 9293 §3.9.1.2), which says little of whether it has more to write. What
was announced does: records begin with their length (RFC 8446 §5.1), answers with their Content-Length (RFC 9112 §6.2).
"""

import numpy as np

from netinterf.analyzers.unanswered.silences import TCP
from netinterf.arrays import I64, Mask
from netinterf.numbering import hash_rows, one_of
from netinterf.table import Text
from netinterf.trace import Trace

__all__ = ["unfinished"]

HEADER = 5
"""Bytes of a record's header: type, version, length."""

TYPES = (20, 23)
"""Lowest and highest content type of records up to TLS 1.3 (RFC 8446 §5.1)."""

BODILESS = ("HEAD", "CONNECT")

RECORDS = 512
"""Records that are followed at most: 8 MB of full ones. A longer stream says nothing here."""


def unfinished(trace: Trace, waiting: I64) -> Mask:
    """Say of each waiting side, a row in Sides, whether the other end had announced more than it acknowledged."""
    announced = np.zeros(len(waiting), np.bool_)
    tcp = np.flatnonzero(trace.flows.protocol[waiting // 2] == TCP)
    if len(tcp):
        side = waiting[tcp] ^ 1
        reached = trace.sides.acked[side].astype(np.int64) - 1  # bytes of the stream: the SYN counts one
        announced[tcp] = mid_body(trace, side, reached) | mid_record(trace, side, reached)
    return announced


def mid_body(trace: Trace, side: I64, reached: I64) -> Mask:
    """Say which sides stopped before the end of the last HTTP body that they announced.

    Some answers announce a body that does not follow (RFC 9112 §6.3): to HEAD and CONNECT, and 1xx, 204 and 304.
    """
    http, packets = trace.http, trace.packets
    bodiless = np.isin(hash_rows(http.method), hash_rows(Text.of([word.encode() for word in BODILESS])))
    bodies_absent = np.isin(http.flow, http.flow[bodiless])
    bodies_absent |= ~http.outbound & ((http.status < 200) | one_of(http.status, (204, 304)))
    head = np.flatnonzero((http.content_length >= 0) & (http.head_length > 0) & ~bodies_absent)
    row = http.packet[head].astype(np.int64)
    end = packets.relative_seq[row] - 1 + http.head_length[head] + http.content_length[head]
    last = np.full(len(trace.sides), -1)
    np.maximum.at(last, 2 * http.flow[head].astype(np.int64) + ~http.outbound[head], end)
    incomplete: Mask = reached < last[side]
    return incomplete


def mid_record(trace: Trace, side: I64, reached: I64) -> Mask:
    """Say which sides stopped inside a TLS record."""
    stream = Streams(trace, side)
    place, incomplete = np.zeros(len(side), np.int64), np.zeros(len(side), np.bool_)
    active = np.flatnonzero((reached > HEADER) & np.isin(side // 2, trace.tls.flow))
    for _ in range(RECORDS):
        if not len(active):
            break
        kind, major, _, high, low = stream.header(active, place[active]).T
        known = (kind >= TYPES[0]) & (kind <= TYPES[1]) & (major == 3) & (high >= 0) & (low >= 0)
        active, size = active[known], ((high << 8) + low)[known]
        place[active] += HEADER + size
        incomplete[active] = place[active] > reached[active]
        active = active[place[active] + HEADER <= reached[active]]
    return incomplete


class Streams:
    """The bytes of some sides' streams, as far as they were captured."""

    def __init__(self, trace: Trace, side: I64) -> None:
        packets = trace.packets
        near = trace.by_flow.take(side // 2)
        owner, row = near.parents(), near.values.astype(np.int64)
        mine = (packets.outbound[row] == (side[owner] % 2 == 0)) & (packets.payload_captured[row] > 0)
        owner, row = owner[mine], row[mine]
        begin = np.maximum(packets.relative_seq[row] - 1, 0)
        order = np.argsort(owner << 40 | begin, kind="stable")
        self.buffer = trace.buffer
        self.keys, self.begin = (owner << 40 | begin)[order], begin[order]
        self.at = packets.payload_start[row][order].astype(np.int64)
        self.length = packets.payload_captured[row][order].astype(np.int64)

    def header(self, owner: I64, offset: I64) -> I64:
        """Read a record's header of each of some streams at an offset, -1 for bytes that were not captured: (n, 5)."""
        headers = np.full((len(owner), HEADER), -1)
        if not len(self.keys):
            return headers
        place = np.maximum(np.searchsorted(self.keys, owner << 40 | offset, side="right") - 1, 0)
        inside = offset - self.begin[place]
        whole = (self.keys[place] >> 40 == owner) & (inside >= 0) & (inside + HEADER <= self.length[place])
        headers[whole] = self.buffer[(self.at[place] + inside)[whole, None] + np.arange(HEADER)]
        split = np.flatnonzero(~whole)  # those that lie in two packets
        for step in range(HEADER if len(split) else 0):
            headers[split, step] = self.byte(owner[split], offset[split] + step)
        return headers

    def byte(self, owner: I64, offset: I64) -> I64:
        """Read the byte of each of some streams at an offset, -1 where it was not captured."""
        place = np.maximum(np.searchsorted(self.keys, owner << 40 | offset, side="right") - 1, 0)
        inside = offset - self.begin[place]
        captured = (self.keys[place] >> 40 == owner) & (inside >= 0) & (inside < self.length[place])
        return np.where(captured, self.buffer[self.at[place] + np.where(captured, inside, 0)].astype(np.int64), -1)
