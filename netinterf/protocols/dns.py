"""DNS of a capture: messages over UDP and TCP, their records, and exchanges that hold every reply.

Port 53 decides what is looked at (RFC 1035 §4.2), on either side; multicast DNS (5353) and LLMNR (5355) are other
protocols with other manners, many responders to one question, and stay out. Since anything may be sent to port 53, a
UDP flow counts as DNS only when at least one of its messages has a header that makes sense.
"""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, Mask
from netinterf.numbering import one_of
from netinterf.protocols.dns_exchanges import build_exchanges
from netinterf.protocols.dns_messages import HEADER, Messages, parse_messages
from netinterf.protocols.dns_names import lowered
from netinterf.protocols.streams import Streams, words
from netinterf.schema import Answers, Dns, Exchanges, Flows, Hosts, Mark, Packets, Status
from netinterf.table import Ragged
from netinterf.values import frozen

__all__ = ["DNS_PORT", "DnsTables", "parse_dns", "plausible"]

DNS_PORT = 53
UDP = 17

CLASSES = (1, 3, 4, 254, 255)
"""Assigned classes: IN, CH, HS, NONE, ANY (IANA DNS parameters)."""

MAX_STREAM_MESSAGES = 4096
"""Messages read of one TCP side; its first 16 KiB, which is what streams hold, fit fewer real ones."""

MIN_RECORD, MIN_QUESTION = 11, 5
"""Smallest record and question in bytes: a root name and the fixed fields (RFC 1035 §4.1)."""


@frozen(eq=False)
class DnsTables:
    """The three tables of DNS."""

    dns: Dns
    answers: Answers
    exchanges: Exchanges


def parse_dns(buffer: U8, packets: Packets, flows: Flows, hosts: Hosts, streams: Streams | None = None) -> DnsTables:
    """Read all DNS messages of a capture.

    Args:
        buffer: Bytes of the capture.
        packets: Packets with flows assigned.
        flows: Their conversations.
        hosts: Addresses (kept for the signature that all protocols share).
        streams: First bytes of the TCP sides on port 53, None for none.

    Returns:
        Messages in packet order, their records, and the exchanges.
    """
    del hosts
    parts = [_over_udp(buffer, packets, flows)]
    if streams is not None and len(streams):
        parts.append(_over_tcp(streams))
    dns, answers = _merged(parts)
    dns, exchanges = build_exchanges(dns, packets)
    return DnsTables(dns, answers, exchanges)


def plausible(messages: Messages, length: I64) -> Mask:
    """Say which messages make sense: an assigned opcode (IANA DNS parameters), and counts that the bytes can hold.

    One record more than fits is let pass, because forged replies copy counts they do not honour; more of them when one
    question of an assigned class could be read, because then it is a DNS message that lies.
    """
    opcode = messages.flags >> 11 & 15
    records = messages.answers.astype(np.int64) + messages.authorities + messages.additionals
    least = HEADER + MIN_QUESTION * messages.questions.astype(np.int64) + MIN_RECORD * np.maximum(records - 1, 0)
    asked = (messages.questions == 1) & (messages.kind > 0) & one_of(messages.qclass, CLASSES)
    sane: Mask = (opcode <= 6) & (opcode != 3) & ((least <= length) | asked) & (length >= HEADER)
    return sane


def _over_udp(buffer: U8, packets: Packets, flows: Flows) -> tuple[Dns, Answers]:
    """Read the datagrams of port 53, second copies of a frame left out."""
    port = (flows.server_port == DNS_PORT) | (flows.client_port == DNS_PORT)
    chosen = (packets.protocol == UDP) & (packets.flow >= 0) & (packets.payload_length > 0)
    chosen &= packets.status & np.uint16(Status.FRAGMENT_LATER | Status.HEADER_CUT) == 0
    chosen &= packets.marks & np.uint16(Mark.DUPLICATE_FRAME) == 0
    rows = np.flatnonzero(chosen)
    rows = rows[port[packets.flow[rows]]]
    if not len(rows):
        return Dns.empty(), Answers.empty()
    captured = packets.payload_captured[rows].astype(np.int64)
    length = packets.payload_length[rows].astype(np.int64)
    # The rest of a fragmented datagram is in other packets: one byte more than captured says that it is incomplete.
    first_fragment = packets.status[rows] & np.uint16(Status.FRAGMENT_FIRST) != 0
    length = np.where(first_fragment, np.maximum(length, captured + 1), length)
    start = packets.payload_start[rows]
    messages, answers = parse_messages(buffer, start, captured, length)
    flow = packets.flow[rows]
    known = np.zeros(len(flows), np.bool_)
    known[flow[plausible(messages, length)]] = True
    return _tables(messages, answers, rows, flow, packets.outbound[rows], start, length, known[flow])


def _over_tcp(streams: Streams) -> tuple[Dns, Answers]:
    """Cut streams at their length prefixes (RFC 1035 §4.2.2, RFC 7766 §8) and read the messages."""
    data, ends = streams.data.values, streams.data.offsets[1:]
    place, stream = streams.data.offsets[:-1].copy(), np.arange(len(streams))
    stream = stream[streams.start == 0]
    place = place[stream]
    rounds: list[tuple[I64, ...]] = []
    for _ in range(MAX_STREAM_MESSAGES):
        fits = place + 2 + HEADER <= ends[stream]
        place, stream = place[fits], stream[fits]
        if not len(stream):
            break
        length = words(data, place, 2)
        real = length >= HEADER
        place, stream, length = place[real], stream[real], length[real]
        captured = np.minimum(length, ends[stream] - place - 2)
        rounds.append((stream, place + 2, captured, length))
        place = place + 2 + length
    empty = np.empty(0, np.int64)
    row, start, captured, length = (
        (np.concatenate([empty, *part]) for part in zip(*rounds, strict=True))
        if rounds
        else (empty, empty, empty, empty)
    )
    order = np.lexsort((start, row))
    row, start, captured, length = row[order], start[order], captured[order], length[order]
    messages, answers = parse_messages(data, start, captured, length)
    packet = streams.packet_at(row, start + captured - 1 - streams.data.offsets[row])
    # A stream is DNS as far as its messages are plausible; behind the first that is not, framing is lost.
    sane = plausible(messages, length)
    wrong = np.cumsum(~sane)
    before = np.append(0, wrong)[np.searchsorted(row, row)]
    return _tables(
        messages,
        answers,
        packet,
        streams.flow[row],
        streams.outbound[row],
        np.full(len(row), -1),
        length,
        (wrong == before) & (packet >= 0),
    )


def _tables(
    messages: Messages,
    answers: Answers,
    packet: NDArray[np.integer[Any]],
    flow: NDArray[np.integer[Any]],
    outbound: Mask,
    at: NDArray[np.integer[Any]],
    length: I64,
    keep: Mask,
) -> tuple[Dns, Answers]:
    """Give messages their place in the capture and drop those that are no DNS."""
    read = {c.name: getattr(messages, c.name) for c in Messages.schema()}
    dns = Dns(
        packet=packet.astype(np.int32),
        flow=flow.astype(np.int32),
        outbound=outbound,
        at=at.astype(np.int64),
        length=np.minimum(length, 0xFFFF).astype(np.uint16),
        name=lowered(messages.raw_name),
        **read,
    )
    return _selected(dns, answers, np.flatnonzero(keep))


def _selected(dns: Dns, answers: Answers, rows: I64) -> tuple[Dns, Answers]:
    """Take messages in the order given, with their records; mostly that is all, as they stand."""
    if len(rows) == len(dns) and np.array_equal(rows, np.arange(len(dns))):
        return dns, answers
    counts = np.bincount(answers.message, minlength=len(dns))
    records = Ragged.from_lengths(counts, np.arange(len(answers)))  # records are sorted by message
    taken = answers.take(records.take(rows).values)
    return dns.take(rows), attrs.evolve(taken, message=np.repeat(np.arange(len(rows), dtype=np.int32), counts[rows]))


def _merged(parts: list[tuple[Dns, Answers]]) -> tuple[Dns, Answers]:
    """Join the transports and sort by packet."""
    if len(parts) == 1:
        return parts[0]
    moved = [
        attrs.evolve(answers, message=answers.message + np.int32(base))
        for (_, answers), base in zip(parts, np.cumsum([0, *(len(dns) for dns, _ in parts)]), strict=False)
    ]
    dns, answers = Dns.concat([dns for dns, _ in parts]), Answers.concat(moved)
    return _selected(dns, answers, np.argsort(dns.packet, kind="stable"))
