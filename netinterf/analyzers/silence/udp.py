"""What other conversations say about UDP that fell silent, QUIC and DNS apart.

Most datagrams that nobody answers went to nobody: peers that left, ports without a program, translators that forgot.
So a silence alone says next to nothing here. What says something is a pattern that no dead peer makes: the same port
answers what begins otherwise; one protocol is answered by nobody while others are; conversations with several servers
die after the same few datagrams. A server whose other services live may have lost one program: that is a suspicion.
"""

import attrs
import numpy as np

from netinterf.analyzers.contrast import Contrast, Grouping, around
from netinterf.analyzers.signs import Measured, Sign, sign
from netinterf.analyzers.silence import udp_rules as rules
from netinterf.analyzers.unanswered.datagrams import LEAST_TRIES, find_datagrams
from netinterf.analyzers.unanswered.silences import UDP, WAIT_NS, Kind, Silences, unexplained_by_icmp
from netinterf.arrays import I64, Mask
from netinterf.context.special import Special
from netinterf.numbering import combined
from netinterf.protocols.datagrams import Datagram, datagrams
from netinterf.schema import TcpFlag
from netinterf.table import Ragged, spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["conversations", "find_udp", "look", "udp_signs"]

TRY_NS = 500_000_000
"""What is sent within half a second is one try: the first timeout of STUN (RFC 8489 §6.2.1)."""

FORGOTTEN_NS = 30_000_000_000
"""A pause after which translators forget: many keep 30 s (Richter et al., IMC 2016), RFC 4787 §4.3 asks for 120."""

EARLY, APART = 12, 3
"""A box that lets some packets of a tunnel pass acts around the sixth (openwrt/packages issue 30492), give or take those
of both ends: among the first dozen of the server, and always about then."""

HEAD = 128
"""Bytes of a first datagram that are looked at."""

NOT_JUDGED = Special.MULTICAST | Special.BROADCAST | Special.UNSPECIFIED | Special.LINK_LOCAL
DNS_PORTS = (53, 853, 5353, 5355)
OPEN_PORTS = (80, 123, 443)
"""Ports of the web and of time, which networks let out that let out little else (RFC 9312 §4.2)."""
PADDED = 1200
"""Bytes from which on no server asks for more padding (RFC 9000 §14.1, which obfuscated QUIC inherits)."""
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


def udp_signs(trace: Trace, silences: Silences, talks: Talks) -> list[Sign]:
    """Tell which conversations fell silent, and what stands beside them."""
    flow, table, opening = silences.flow, talks.table, silences.is_kind(Kind.INITIAL)
    begin, end = around(silences.since, silences.until)
    heard = trace.sides.packets[1::2].astype(np.int64)
    first = trace.sides.first_payload[1::2]
    answered = np.flatnonzero((talks.kind >= 0) & (first >= 0))
    answered = answered[~np.isin(answered, flow)]
    answer = trace.packets.time[first[answered]]
    lived, died = Contrast(table, answered, answer), Contrast(table, flow, silences.since)
    far = heard[answered] > EARLY  # where answers stopped, who was answered as seldom shows nothing
    went_on = Contrast(table, answered[far], answer[far])
    port = "client", "server", "server_port"
    same = np.where(opening, *(some.count(flow, *port, "kind", begin=begin, end=end) for some in (lived, went_on)))
    others = np.where(
        opening, *(some.others(flow, "client", "kind", but="server", begin=begin, end=end) for some in (lived, went_on))
    )
    otherwise = lived.others(flow, *port, but="kind", begin=begin, end=end)
    again = died.count(flow, *port, "kind") - 1
    from_server, from_elsewhere, to_server, to_elsewhere = company(trace, silences, table)
    tries: Measured = {"tries": silences.tries, "seconds": silences.seconds}
    alone = (from_server == 0) & (otherwise == 0)
    place, kinds = places(talks, silences, heard, others + same), protocols(trace, silences, talks, answered, answer)
    networks, elsewhere = kinds["networks"], {"answered": kinds["own"] + kinds["web"], "selective": 1.0}
    none = opening & (networks > 0) & (kinds["own"] == 0) & (kinds["silent"] > 0)
    return [
        sign(rules.UNANSWERED, opening, tries),
        sign(rules.STOPPED, ~opening, {**tries, "heard": heard[flow]}),
        sign(rules.PLACE, place["died"] > 0, place),
        sign(rules.KINDS, opening & (networks > 1) & (kinds["own"] > 0), {"networks": networks, **elsewhere}),
        sign(rules.KIND, opening & (networks > 0) & (kinds["own"] + kinds["web"] > 0), elsewhere),
        sign(rules.SERVICE, (otherwise > 0) & (same == 0), {"served": otherwise, "selective": 1.0}),
        size_sign(silences, talks, answered),
        sign(rules.ALIVE, (from_server > 0) & (same == 0), {"packets": from_server}),
        sign(rules.OTHERS, others > 0, {"others": others, "selective": 1.0}),
        sign(rules.AGAIN, (again > 0) & (same == 0), {"times": again}),
        sign(rules.ELSEWHERE, from_elsewhere > 0, {"packets": from_elsewhere}),
        sign(rules.LINE, (from_elsewhere == 0) & (to_elsewhere > 0), {"asked": to_elsewhere}),
        sign(rules.SERVER, alone & (to_server > 0), {"asked": to_server}),
        sign(rules.NONE, none, {"silent": kinds["silent"]}),
        sign(rules.IDLE, silences.paused >= FORGOTTEN_NS, {"seconds": silences.paused / 1e9}),
        sign(rules.INTERMITTENT, same > 0, {"served": same}),
    ]


def company(trace: Trace, silences: Silences, table: Grouping) -> tuple[I64, I64, I64, I64]:
    """Count packets while each silence lasted.

    Returns:
        Those that the same server sent the client in other conversations, those that other networks did, and those that
        the client sent to either. Resets say nothing of who lives.
    """
    packets, flows = trace.packets, trace.flows
    asking = np.zeros(len(trace.hosts), np.bool_)
    asking[flows.client[silences.flow]] = True
    rows = np.flatnonzero((packets.flow >= 0) & (packets.tcp_flags & TcpFlag.RST == 0))
    rows = rows[asking[flows.client[packets.flow[rows]]]]
    outbound = packets.outbound[rows]
    came, went = (Contrast(table, packets.flow[part], packets.time[part]) for part in (rows[~outbound], rows[outbound]))
    begin, end = silences.since, silences.until
    return (
        came.others(silences.flow, "client", "server", but="flow", begin=begin, end=end),
        came.others(silences.flow, "client", but="network", begin=begin, end=end),
        went.others(silences.flow, "client", "server", but="flow", begin=begin, end=end),
        went.others(silences.flow, "client", but="network", begin=begin, end=end),
    )


def places(talks: Talks, silences: Silences, heard: I64, lived: I64) -> dict[str, I64]:
    """Find protocols whose conversations all die after about as many datagrams of the other end."""
    flow, kind = silences.flow, talks.kind
    group = talks.table.of("client", "kind")[flow]
    early = (heard[flow] > 0) & (heard[flow] <= EARLY) & np.isin(kind[flow], SIGNED)
    size = int(group.max(initial=-1)) + 1
    died, all_early = np.bincount(group[early], minlength=size), np.bincount(group, ~early, size) == 0
    least, most = np.full(size, EARLY), np.zeros(size, np.int64)
    np.minimum.at(least, group[early], heard[flow][early])
    np.maximum.at(most, group[early], heard[flow][early])
    here = (died >= LEAST_TRIES) & all_early & (most - least <= APART)
    hit = here[group] & (lived == 0)
    return {"died": np.where(hit, died[group], 0), "least": least[group], "most": most[group]}


def protocols(trace: Trace, silences: Silences, talks: Talks, answered: I64, answer: I64) -> dict[str, I64]:
    """Count the networks that left a client's protocol without an answer, where other protocols were answered.

    Returns:
        ``networks`` (0 where the protocol was answered at all, or is none), answers to others within a minute on
        `OPEN_PORTS` (``web``) and on others (``own``), and conversations in other protocols that fell ``silent``.
    """
    flow, table = silences.flow, talks.table
    group = table.of("client", "kind")
    first = np.unique(combined(group[flow], table.of("network")[flow]), return_index=True)[1]
    networks = np.bincount(group[flow[first]], minlength=int(group.max(initial=-1)) + 1)[group[flow]]
    begin, end = around(silences.since, silences.until)
    on_web = np.isin(trace.flows.server_port[answered], OPEN_PORTS)
    own, web = (
        Contrast(table, answered[part], answer[part]).others(flow, "client", but="kind", begin=begin, end=end)
        for part in (~on_web, on_web)
    )
    ever = Contrast(table, answered, answer).count(flow, "client", "kind")
    silent = Contrast(table, flow, silences.since).others(flow, "client", but="kind")
    told = (ever == 0) & (talks.kind[flow] != Datagram.NOISE)  # noise is of many programs
    return {"networks": np.where(told, networks, 0), "own": own, "web": web, "silent": silent}


def size_sign(silences: Silences, talks: Talks, answered: I64) -> Sign:
    """Tell where large openings were answered by a port that answered no small one."""
    flow, length = silences.flow, talks.length
    group = talks.table.of("client", "server", "server_port")
    count = int(group.max(initial=-1)) + 1
    least, most = np.full(count, np.iinfo(np.int64).max), np.zeros(count, np.int64)
    opened = flow[silences.is_kind(Kind.INITIAL)]
    np.minimum.at(least, group[answered], length[answered])
    np.maximum.at(most, group[opened], length[opened])
    small = np.bincount(group[opened], length[opened] >= PADDED, count).astype(np.int64)
    large = np.bincount(group[answered], minlength=count)
    hit = (large > 0) & (small > 1) & (least > most)
    mine = group[flow]
    measured: Measured = {
        "small": small[mine], "most": most[mine], "large": large[mine], "least": least[mine], "selective": 1.0,
    }  # fmt: skip
    return sign(rules.SIZE, hit[mine] & silences.is_kind(Kind.INITIAL), measured)
