"""Conversations over UDP that fell silent, QUIC and DNS apart: which there are, and in which somebody waited."""

import attrs
import numpy as np

from netinterf.analyzers.contrast import Grouping
from netinterf.analyzers.unanswered.datagrams import LEAST_TRIES, find_datagrams
from netinterf.analyzers.unanswered.silences import UDP, WAIT_NS, Kind, Silences, unexplained_by_icmp
from netinterf.arrays import I64, Mask
from netinterf.context.special import Special
from netinterf.numbering import combined
from netinterf.protocols.datagrams import Datagram, datagrams
from netinterf.table import Ragged, spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SIGNED", "TRY_NS", "Talks", "conversations", "find_udp", "look"]

TRY_NS = 500_000_000
"""What is sent within half a second is one try: the first timeout of STUN (RFC 8489 §6.2.1)."""


HEAD = 128
"""Bytes of a first datagram that are looked at."""

NOT_JUDGED = Special.MULTICAST | Special.BROADCAST | Special.UNSPECIFIED | Special.LINK_LOCAL
DNS_PORTS = (53, 853, 5353, 5355)
SIGNED = (Datagram.STUN, Datagram.DTLS, Datagram.WIREGUARD, Datagram.OPENVPN, Datagram.NOISE)
"""Openings that ask for an answer; of unknown ones many are reports, which nobody answers."""


@frozen(eq=False, kw_only=True)
class Talks:
    """One row per flow: who talks to whom over UDP, and how it began."""

    table: Grouping
    kind: I64  # Datagram code; -1 for what is no UDP, or DNS
    length: I64  # bytes of the client's first datagram
    judged: Mask  # conversations that are neither DNS nor QUIC, between two hosts


def conversations(trace: Trace) -> Mask:
    """Say which flows are conversations of two hosts over UDP that look like neither DNS nor QUIC."""
    flows, special = trace.flows, trace.hosts.special
    mine = (flows.protocol == UDP) & ~np.isin(flows.server_port, DNS_PORTS)
    mine &= (special[flows.server] | special[flows.client]) & np.uint16(NOT_JUDGED) == 0
    for known in (trace.quic.flow, trace.exchanges.flow):
        mine[known[known >= 0]] = False
    result: Mask = mine
    return result


def find_udp(trace: Trace) -> tuple[Silences, Talks | None]:
    """Find conversations over UDP that fell silent, QUIC and DNS apart; without any, nothing else is looked at."""
    mine = conversations(trace)
    silences = unexplained_by_icmp(trace, find_datagrams(trace, np.flatnonzero(mine), turn=0))
    if not len(silences):
        return silences, None
    talks = look(trace, mine)
    return persistent(trace, silences.take(talks.judged[silences.flow]), talks), talks


def look(trace: Trace, mine: Mask) -> Talks:
    """Class what conversations begin with."""
    flows, packets, contacts = trace.flows, trace.packets, trace.contacts
    first = trace.sides.first_payload[0::2].astype(np.int64)
    over_udp = np.flatnonzero((flows.protocol == UDP) & (first >= 0) & ~np.isin(flows.server_port, DNS_PORTS))
    row = first[over_udp]
    captured = np.minimum(packets.payload_captured[row], HEAD).astype(np.int64)
    heads = Ragged.from_lengths(captured, trace.buffer[spans(packets.payload_start[row], captured)])
    kind, length = np.full(len(flows), -1, np.int64), np.zeros(len(flows), np.int64)
    length[over_udp] = packets.payload_length[row]
    kind[over_udp] = datagrams(heads, length[over_udp], flows.server_port[over_udp].astype(np.int64))
    kind[trace.quic.flow] = Datagram.QUIC
    judged = mine & ~np.isin(kind, (-1, Datagram.NOTHING, Datagram.QUIC))
    columns = ("flow", "client", "server", "server_port", "network")
    table = Grouping(**{name: getattr(contacts, name) for name in columns}, kind=kind)
    return Talks(table=table, kind=kind, length=length, judged=judged)


def persistent(trace: Trace, silences: Silences, talks: Talks) -> Silences:
    """Keep silences in which somebody waited: an opening that was repeated, or answers that were due and stayed out.

    Answers were due where the silence lasted three times as long as any before it in the conversation, and 3 s.
    """
    packets = trace.packets
    rows = trace.by_flow.take(silences.flow)
    owner, row = rows.parents(), rows.values.astype(np.int64)
    time, outbound = packets.time[row], packets.outbound[row]
    opening = silences.is_kind(Kind.INITIAL)
    last_length = packets.payload_length[silences.last].astype(np.int64)
    tried = outbound & (row >= silences.row[owner]) & (packets.payload_length[row] > 0)
    tried &= ~opening[owner] | (packets.payload_length[row] == last_length[owner])
    slot = np.unique(combined(owner[tried], (time[tried] - silences.since[owner[tried]]) // TRY_NS), return_index=True)
    tries = np.bincount(owner[tried][slot[1]], minlength=len(silences))
    heard = np.flatnonzero(~outbound)
    before = np.diff(time[heard], prepend=0)
    new = np.diff(owner[heard], prepend=-1) != 0
    before[new] = (time[heard] - packets.time[trace.flows.first_packet[silences.flow[owner[heard]]]])[new]
    longest = np.zeros(len(silences), np.int64)
    np.maximum.at(longest, owner[heard], before)
    waited = packets.time[silences.last] - silences.since
    due = ~opening & (waited >= np.maximum(WAIT_NS, 3 * longest))
    asked = opening & np.isin(talks.kind[silences.flow], SIGNED)
    return attrs.evolve(silences, tries=tries).take((tries >= LEAST_TRIES) & (asked | due))
