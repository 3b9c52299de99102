"""From a source of packets to the tables that every analyzer reads.

`read` runs the stages below judgement in their one order: capture, decode, flows, streams, messages, recording. The
result is a `Trace`: frozen tables over one buffer of capture bytes.
"""

import ipaddress
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import I64, U8, Mask
from netinterf.capture import Capture, Gap, Interface, Source, from_memory, open_capture
from netinterf.context.outside import Answers as KnownTable
from netinterf.context.outside import Networks, Outside
from netinterf.context.special import special_bits
from netinterf.decode import decode
from netinterf.decode.checksum import transport_ok
from netinterf.decode.link_types import link_number
from netinterf.decode.transport import sack_blocks
from netinterf.errors import ParameterError
from netinterf.flows.assign import assign_flows, tie_quotes
from netinterf.flows.contacts import Contacts, find_contacts
from netinterf.flows.datagrams import repeated_datagrams
from netinterf.flows.messages import Messages, read_messages
from netinterf.flows.rtt import rtt_samples, with_rtt
from netinterf.flows.sequence import mark_segments
from netinterf.flows.sides import build_sides
from netinterf.flows.stream import head_segments, stream_bytes
from netinterf.notebook import html_lines
from netinterf.recording.gather import gather
from netinterf.schema import (
    Answers,
    Diagnostic,
    Dns,
    Exchanges,
    Files,
    Flows,
    HeadSegments,
    Hosts,
    Http,
    IcmpQuotes,
    Packets,
    Quic,
    Recording,
    RttSamples,
    Sides,
    Tls,
    Vantage,
)
from netinterf.table import Ragged
from netinterf.values import frozen
from netinterf.workers import concurrently
from netinterf.writing import count_of, printable

__all__ = ["VANTAGES", "Trace", "decode_capture", "read"]

VANTAGES = ("auto", *(place.value for place in Vantage if place is not Vantage.UNKNOWN))


@frozen(eq=False, kw_only=True)
class Trace:
    """The tables decoded from one capture, and the bytes they point into."""

    source: str
    buffer: U8 = attrs.field(repr=False)
    interfaces: tuple[Interface, ...]
    packets: Packets
    quotes: IcmpQuotes
    hosts: Hosts
    flows: Flows
    sides: Sides
    by_flow: Ragged  # rows of the packets of each flow, in time order
    rtts: RttSamples
    segments: HeadSegments
    dns: Dns
    answers: Answers
    exchanges: Exchanges
    tls: Tls
    http: Http
    quic: Quic
    recording: Recording  # one row per flow
    vantage: Vantage  # of the capture as a whole
    began: int  # time of the capture's first packet, ns, also of one that is not in the trace; 0 without any
    ended: int  # of its last, until which somebody may have waited in vain
    diagnostics: tuple[Diagnostic, ...]
    outside: Outside = attrs.field(factory=Outside, repr=False)  # what the user knows beside the capture
    files: Files = attrs.field(factory=Files, repr=False)  # that it was joined from
    gaps: tuple[Gap, ...] = ()  # times that none of them holds, between two or within one that is damaged

    @cached_property
    def contacts(self) -> Contacts:
        """Who contacted whom, one row per flow."""
        return find_contacts(self.flows, self.hosts, self.tls, self.http, self.quic)

    def heard_until(self, times: I64) -> I64:
        """Say until when what followed some times (ns) was recorded: the next gap, or the end.

        Who is silent from then on may have been answered where nobody recorded.
        """
        edges = np.array([*(gap.began for gap in self.gaps), self.ended], np.int64)
        return edges[np.searchsorted(edges[:-1], times)]

    def heard_throughout(self, since: I64, until: I64) -> Mask:
        """Say between which times (ns) everything was recorded: no gap lies there."""
        return np.asarray(self.heard_until(since) >= until)

    def address(self, host: int) -> str:
        """Write the address of one row of ``hosts`` as people do."""
        return host_text(int(self.hosts.high[host]), int(self.hosts.low[host]))

    def stream(self, flow: int, *, outbound: bool, limit: int = 1 << 20) -> bytes:
        """Put together what one side of a TCP flow sent, in order, up to the first hole or *limit* bytes."""
        if not 0 <= flow < len(self.flows):
            raise ParameterError("flow", flow, f"a row of the {len(self.flows)} flows")
        return stream_bytes(self.buffer, self.packets, self.by_flow, self.sides, flow, outbound, limit)

    def checksum_ok(self, rows: NDArray[np.integer[Any]]) -> Mask:
        """Say of each packet whether its transport checksum is right, or cannot be checked (cut, a fragment)."""
        return transport_ok(self.buffer, self.packets, np.asarray(rows, np.int64))

    def sack_blocks(self, rows: NDArray[np.integer[Any]]) -> Ragged:
        """Read the SACK blocks of packets: left edge, right edge, left edge, … as on the wire (RFC 2018 §3)."""
        return sack_blocks(self.buffer, self.packets, np.asarray(rows, np.int64))

    def select(self, flows: NDArray[np.integer[Any]] | Mask) -> "Trace":
        """Keep some flows and all that belongs to them; rows are renumbered, hosts and the buffer stay.

        ICMP errors that quote a kept flow are conversations of their own, and are kept only when chosen themselves.

        Args:
            flows: Rows of ``flows`` to keep, or a mask; they come out in ascending order.

        Raises:
            ParameterError: A row is not there.
        """
        selection = np.asarray(flows)
        chosen = np.flatnonzero(selection) if selection.dtype == np.bool_ else np.unique(selection.astype(np.int64))
        if len(chosen) and not 0 <= chosen[0] <= chosen[-1] < len(self.flows):
            raise ParameterError("flows", chosen.tolist()[:5], f"rows of the {len(self.flows)} flows")
        selected = np.zeros(len(self.flows) + 1, np.bool_)  # the last place answers for "no flow"
        selected[chosen] = True
        keep: dict[str, I64] = {"Flows": chosen, "Recording": chosen}
        keep["Sides"] = np.stack([2 * chosen, 2 * chosen + 1], axis=1).reshape(-1)
        for name in ("packets", "dns", "exchanges", "tls", "http", "quic"):
            keep[name.capitalize()] = np.flatnonzero(selected[getattr(self, name).flow])
        places = {name: new_places(rows, self._count(name)) for name, rows in keep.items()}
        messages, sides = places["Dns"], places["Sides"]
        tables = {name.lower(): getattr(self, name.lower()).take(rows).renumber(places) for name, rows in keep.items()}
        answers = self.answers.take(messages[self.answers.message] >= 0).renumber(places)
        rtts = self.rtts.take(sides[self.rtts.side] >= 0).renumber(places)
        segments = self.segments.take(sides[self.segments.side] >= 0).renumber(places)
        quotes = self.quotes.take(places["Packets"][self.quotes.packet] >= 0).renumber(places)
        by_flow = self.by_flow.take(chosen)
        by_flow = Ragged(by_flow.offsets, places["Packets"][by_flow.values].astype(np.int32))
        return attrs.evolve(
            self, answers=answers, rtts=rtts, segments=segments, quotes=quotes, by_flow=by_flow, **tables
        )

    def _count(self, table: str) -> int:
        return len(getattr(self, table.lower()))

    def __repr__(self) -> str:
        return f"<Trace of {str(self).partition(chr(10))[0]}>"

    def _repr_html_(self) -> str:
        return html_lines(str(self).splitlines())

    def __str__(self) -> str:
        span = (self.ended - self.began) / 1e9
        tables = ((self.packets, "packet"), (self.flows, "flow"), (self.exchanges, "DNS exchange"))
        counts = ", ".join(count_of(len(table), noun) for table, noun in tables)
        lines = [f"{self.source}: {counts} over {span:,.1f} s"]
        lines += [f"  {note.message}" for note in self.diagnostics]
        return "\n".join(map(printable, lines))


def new_places(rows: I64, count: int) -> I64:
    """Return the new row of each of *count* old rows when only *rows* are kept, -1 for those that go."""
    places = np.full(count, -1)
    places[rows] = np.arange(len(rows))
    return places


def host_text(high: int, low: int) -> str:
    """Write an address given as two 64-bit halves (IPv4 mapped into IPv6) as people do."""
    whole = ipaddress.IPv6Address(high << 64 | low)
    return str(whole.ipv4_mapped or whole)


def read(
    source: Source | Sequence[Source] | None = None,
    *,
    times: ArrayLike | None = None,
    frames: Sequence[bytes] | None = None,
    link_type: int | str | None = None,
    vantage: str = "auto",
    networks: Networks | None = None,
    answers: KnownTable | None = None,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Trace:
    """Read one capture into tables.

    Args:
        source: A path, ``"-"`` for standard input, bytes, or a binary file object: pcap or pcapng, plain or compressed.
            A list of these is one recording in several files, in any order: rotated, cut, or of several taps.
        times: Without a source: capture time of each frame, ns since 1970 UTC.
        frames: Without a source: the bytes of each frame.
        link_type: Without a source: link type of the frames, by number (1, 101, …) or name (``"ETHERNET"``, ``"RAW"``).
        vantage: Where the capture was taken: ``"client"``, ``"server"``, ``"middle"``, or ``"auto"`` to infer it.
        networks: Whose addresses are: a file of networks, several, or their content; see `known_networks`.
        answers: A CSV file ``name,address``, or its content: what the user knows names to answer.
        strict: Raise on damage instead of returning what was readable.
        progress: Called with bytes done and bytes in all.

    Returns:
        The trace. A capture without packets gives empty tables.

    Raises:
        CaptureError: The source cannot be opened, is no capture, or holds only unknown link types.
        ParameterError: *vantage* is unknown, a table is malformed, or neither a source nor times, frames and link_type
            are given.
    """
    if vantage not in VANTAGES:
        raise ParameterError("vantage", vantage, "one of " + ", ".join(VANTAGES))
    outside = Outside.of(networks, answers)
    if source is not None:
        capture = open_capture(source, strict=strict, progress=progress)
    elif times is None or frames is None or link_type is None:
        raise ParameterError("source", None, "a source, or times, frames and link_type together")
    else:
        capture = from_memory(times, frames, link_number(link_type))
    return attrs.evolve(decode_capture(capture, vantage=vantage, strict=strict), outside=outside)


def decode_capture(
    capture: Capture,
    *,
    vantage: str = "auto",
    strict: bool = False,
    partial: bool = False,
    span: tuple[int, int] | None = None,
) -> Trace:
    """Turn an opened capture, or with *partial* a part of one, into a trace: every stage below judgement, in order.

    Args:
        capture: The capture, or some frames of it.
        vantage: See `read`.
        strict: See `read`.
        partial: There are other frames: refuse nothing for want of one that can be decoded.
        span: Times of the first and last frame of the whole, ns; None where these are all.

    Raises:
        UnsupportedLinkType: See `netinterf.decode.decode`.
    """
    time = capture.records.time
    began, ended = span or ((int(time.min()), int(time.max())) if len(time) else (0, 0))
    link_types = [interface.link_type for interface in capture.interfaces]
    decoded = decode(
        capture.buffer,
        capture.records,
        link_types,
        source=capture.source,
        strict=strict,
        partial=partial,
        measured=capture.measured,
    )
    assigned = assign_flows(decoded.packets, decoded.endpoints)
    flows, by_flow = assigned.flows, assigned.by_flow
    hosts = attrs.evolve(assigned.hosts, special=special_bits(assigned.hosts.high, assigned.hosts.low))
    datagrams = repeated_datagrams(capture.buffer, assigned.packets, flows, by_flow)
    packets = mark_segments(assigned.packets, flows, by_flow, datagrams)
    sides = build_sides(packets, flows, by_flow)

    def heads() -> tuple[HeadSegments, Messages]:
        segments = head_segments(capture.buffer, packets, sides, by_flow)
        return segments, read_messages(capture.buffer, packets, flows, hosts, sides, segments)

    def trips() -> tuple[RttSamples, Sides, Recording, Vantage]:
        rtts = rtt_samples(packets, flows, by_flow, sides)
        timed = with_rtt(sides, rtts)
        return rtts, timed, *gather(packets, flows, timed, rtts, by_flow, vantage)

    (segments, messages), (rtts, timed, recording, tap) = concurrently(heads, trips, rows=len(packets))
    return Trace(
        source=capture.source,
        buffer=capture.buffer,
        interfaces=capture.interfaces,
        packets=packets,
        quotes=tie_quotes(decoded.quotes, packets, flows, hosts),
        hosts=hosts,
        flows=flows,
        sides=timed,
        by_flow=by_flow,
        rtts=rtts,
        segments=segments,
        dns=messages.dns,
        answers=messages.answers,
        exchanges=messages.exchanges,
        tls=messages.tls,
        http=messages.http,
        quic=messages.quic,
        recording=recording,
        vantage=tap,
        began=began,
        ended=ended,
        diagnostics=capture.diagnostics + decoded.diagnostics,
        files=capture.files,
        gaps=capture.gaps,
    )
