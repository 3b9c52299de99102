"""From stream heads to message tables: which sides speak what, and how many bytes of each are worth gathering.

All sides are classified by their first few bytes; then only TLS and HTTP sides are put together, in batches that bound
memory. Hellos and certificates are short while bulk transfers fill every head, so a TLS side is first gathered to a
small limit and again to a larger one only when the clear part of its handshake goes on.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8
from netinterf.flows.stream import HEAD_LIMIT, head_streams, packet_streams
from netinterf.protocols.dns import parse_dns
from netinterf.protocols.http import HEAD_BYTES, PEEK_BYTES, begins_head, begins_http, parse_http
from netinterf.protocols.quic import parse_quic
from netinterf.protocols.streams import Streams
from netinterf.protocols.tls import begins_hello, begins_tls, parse_tls, unfinished
from netinterf.schema import (
    Answers,
    Dns,
    Exchanges,
    Flows,
    HeadSegments,
    Hosts,
    Http,
    Packets,
    Quic,
    SegmentKind,
    Sides,
    Tls,
)
from netinterf.values import frozen
from netinterf.workers import each

__all__ = ["Messages", "read_messages"]

SIDES_AT_ONCE = 4096
BYTES_AT_ONCE = SIDES_AT_ONCE * 2048
"""Most sides, and most bytes of TLS sides, that are put together at a time. Streams of the smallest records cost about
eight times their bytes while they are read."""

TLS_LIMITS = (2048, 8192, HEAD_LIMIT)
"""Bytes gathered of a TLS side in each attempt: a hello with post-quantum key shares takes about 1.8 kB, a certificate
chain of TLS 1.2 three to six."""

TLS_SIDE = 1  # what a side was found to speak


@frozen(eq=False, kw_only=True)
class Messages:
    """The messages of all protocols that are read."""

    dns: Dns
    answers: Answers
    exchanges: Exchanges
    tls: Tls
    http: Http
    quic: Quic


def read_messages(
    buffer: U8, packets: Packets, flows: Flows, hosts: Hosts, sides: Sides, segments: HeadSegments
) -> Messages:
    """Read DNS, TLS, HTTP/1 and QUIC messages.

    Args:
        buffer: Bytes of the capture.
        packets: All packets.
        flows: All flows.
        hosts: All hosts.
        sides: Two rows per flow; only their number is used.
        segments: The head of every TCP side.

    Returns:
        The message tables. TLS rows are sorted by side, then place in the stream; HTTP rows by packet.
    """
    reader = Reader(buffer, packets, segments)
    over_dns = np.flatnonzero((flows.protocol == 6) & ((flows.server_port == 53) | (flows.client_port == 53)))
    dns_streams = reader.streams(_sides_of(over_dns), HEAD_LIMIT) if len(over_dns) else None
    dns = parse_dns(buffer, packets, flows, hosts, dns_streams)
    opening = segments.side[(segments.offset == 0) & (segments.kind == SegmentKind.FRESH)]
    kind = np.zeros(len(sides), np.uint8)

    def read_openings(low: int) -> tuple[list[Tls], list[Http]]:
        side = opening[low : low + SIDES_AT_ONCE]
        peek = reader.streams(side, PEEK_BYTES)
        secure = begins_tls(peek)
        kind[side[secure]] = TLS_SIDE  # no side is in two batches
        web = side[~secure & begins_http(peek)]
        return reader.tls(side[secure]), [parse_http(reader.streams(web, HEAD_BYTES))] if len(web) else []

    read = each(read_openings, range(0, len(opening), SIDES_AT_ONCE))
    tls = [table for tables, _ in read for table in tables]
    http = [table for _, tables in read for table in tables]
    http += reader.later_heads(kind)
    tls += reader.later_hellos(kind)
    return Messages(
        dns=dns.dns,
        answers=dns.answers,
        exchanges=dns.exchanges,
        tls=_by_side(Tls.concat(tls)),
        http=_by_packet(Http.concat(http)),
        quic=parse_quic(buffer, packets),
    )


def _sides_of(flows: I64) -> I64:
    """Name both sides of each flow."""
    return np.stack([2 * flows, 2 * flows + 1], axis=1).reshape(-1)


def _by_packet(heads: Http) -> Http:
    risen = (heads.packet[1:] >= heads.packet[:-1]).all()
    return heads if risen else heads.take(np.argsort(heads.packet, kind="stable"))


def _by_side(messages: Tls) -> Tls:
    side = 2 * messages.flow + ~messages.outbound
    return messages if (np.diff(side) >= 0).all() else messages.take(np.argsort(side, kind="stable"))


@frozen(eq=False)
class Reader:
    """The bytes of one capture's streams, gathered on demand."""

    buffer: U8
    packets: Packets
    segments: HeadSegments

    def streams(self, side: NDArray[np.integer], limit: int, start: I64 | None = None) -> Streams:
        """Gather the head of each side."""
        return head_streams(self.buffer, self.packets, self.segments, side, limit, start=start)

    def tls(self, side: NDArray[np.integer], start: I64 | None = None) -> list[Tls]:
        """Read the handshakes of some sides, with as many bytes of each as its clear part needs."""
        start = np.zeros(len(side), np.int64) if start is None else start
        handshakes = []
        for limit in TLS_LIMITS:
            again = np.zeros(len(side), np.bool_)
            for low in range(0, len(side), BYTES_AT_ONCE // limit):
                block = slice(low, low + BYTES_AT_ONCE // limit)
                streams = self.streams(side[block], limit, start[block])
                if limit < TLS_LIMITS[-1]:
                    again[block] = unfinished(streams)
                handshakes.append(parse_tls(streams.take(~again[block]) if again[block].any() else streams))
            side, start = side[again], start[again]
        return [_by_side(Tls.concat(handshakes))] if handshakes else []

    def later_heads(self, kind: U8) -> list[Http]:
        """Read HTTP heads that begin a packet further on in a stream, or that contradict what was captured before."""
        pieces, packets = self.segments, self.packets
        fresh = (pieces.kind == SegmentKind.FRESH) & (pieces.offset > 0) & (kind[pieces.side] != TLS_SIDE)
        rows = np.flatnonzero(
            (fresh | (pieces.kind == SegmentKind.CONFLICT)) & (pieces.skip == 0) & (pieces.length > 4)
        )
        if not len(rows):
            return []
        rows = rows[begins_head(self.buffer, packets.payload_start[pieces.packet[rows]])]
        batches = []
        for low in range(0, len(rows), SIDES_AT_ONCE):
            block = rows[low : low + SIDES_AT_ONCE]
            again = pieces.kind[block] == SegmentKind.CONFLICT
            later = block[~again]
            streams = self.streams(pieces.side[later], HEAD_BYTES, pieces.offset[later].astype(np.int64))
            batches.append(parse_http(streams))
            batches.append(parse_http(packet_streams(self.buffer, packets, pieces, block[again])))
        # "HTTP/1.1" at the start of a packet may also be the end of a request line that was split just there
        return [heads.take((heads.status > 0) | (heads.method.lengths > 0)) for heads in batches]

    def later_hellos(self, kind: U8) -> list[Tls]:
        """Read the handshake of sides that spoke something else first: the first hello that begins a packet."""
        pieces = self.segments
        fresh = (pieces.kind == SegmentKind.FRESH) & (pieces.offset > 0) & (kind[pieces.side] != TLS_SIDE)
        rows = np.flatnonzero(fresh & (pieces.skip == 0) & (pieces.length >= 10))
        if not len(rows):
            return []
        rows = rows[begins_hello(self.buffer, self.packets.payload_start[pieces.packet[rows]])]
        side, first = np.unique(pieces.side[rows], return_index=True)
        start = pieces.offset[rows[first]].astype(np.int64)
        handshakes = []
        for low in range(0, len(side), SIDES_AT_ONCE):
            handshakes += self.tls(side[low : low + SIDES_AT_ONCE], start[low : low + SIDES_AT_ONCE])
        return handshakes
