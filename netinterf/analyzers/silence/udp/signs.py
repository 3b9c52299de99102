"""What other conversations say about UDP that fell silent, QUIC and DNS apart.

Most datagrams that nobody answers went to nobody: peers that left, ports without a program, translators that forgot.
So a silence alone says next to nothing here. What says something is a pattern that no dead peer makes: one protocol is
answered by nobody while others are; conversations with several servers die after the same few datagrams; a port answers
large openings and no small ones. That it answers what begins otherwise is none: programs answer what they speak. A
server whose other services live may have lost one program: that is a suspicion.
"""

import numpy as np

from netinterf.analyzers.contrast import Contrast, Grouping, around
from netinterf.analyzers.signs import Measured, Sign, sign
from netinterf.analyzers.silence.udp import rules
from netinterf.analyzers.silence.udp.talks import SIGNED, Talks
from netinterf.analyzers.unanswered.datagrams import LEAST_TRIES
from netinterf.analyzers.unanswered.silences import Kind, Silences
from netinterf.arrays import I64, Mask
from netinterf.numbering import combined
from netinterf.protocols.datagrams import Datagram
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["EARLY", "udp_signs"]

FORGOTTEN_NS = 30_000_000_000
"""A pause after which translators forget: many keep 30 s (Richter et al., IMC 2016), RFC 4787 §4.3 asks for 120."""

EARLY, APART = 12, 3
"""A box that lets some packets of a tunnel pass acts around the sixth (openwrt/packages issue 30492), give or take
those of both ends: among the first dozen of the server, and always about then."""

OPEN_PORTS = (80, 123, 443)
"""Ports of the web and of time, which networks let out that let out little else (RFC 9312 §4.2)."""

KEYED = (Datagram.WIREGUARD, Datagram.OPENVPN)
"""Protocols whose servers answer nobody whose key they do not know."""

PADDED = 1200
"""Bytes from which on no server asks for more padding (RFC 9000 §14.1, which obfuscated QUIC inherits)."""


def udp_signs(trace: Trace, silences: Silences, talks: Talks) -> list[Sign]:
    """Tell which conversations fell silent, at least one, and what stands beside them."""
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
    size, smaller = sizes(silences, talks, answered)
    networks = kinds["networks"]
    several, private = opening & (networks > 1) & (kinds["own"] > 0), np.isin(talks.kind[flow], KEYED)
    one_place = {name: column for name, column in place.items() if name != "networks"}
    elsewhere: Measured = {"answered": kinds["own"] + kinds["web"], "selective": 1.0}
    none = opening & (networks > 0) & (kinds["own"] == 0) & (kinds["silent"] > 0)
    return [
        sign(rules.UNANSWERED, opening, tries),
        sign(rules.STOPPED, ~opening, {**tries, "heard": heard[flow]}),
        sign(rules.PLACE, (place["died"] > 0) & (place["networks"] > 1), place),
        sign(rules.ONE_PLACE, (place["died"] > 0) & (place["networks"] == 1), one_place),
        sign(rules.KINDS, several & ~private, {"networks": networks, **elsewhere}),
        sign(rules.STRANGERS, several & private, {"networks": networks, **elsewhere}),
        sign(rules.KIND, opening & (networks > 0) & (kinds["own"] + kinds["web"] > 0), elsewhere),
        size,
        sign(rules.ALIVE, (from_server > 0) & (same == 0), {"packets": from_server}),
        sign(rules.OTHERS, others > 0, {"others": others, "selective": 1.0}),
        sign(rules.AGAIN, (again > 0) & (same == 0), {"times": again}),
        sign(rules.ELSEWHERE, from_elsewhere > 0, {"packets": from_elsewhere}),
        sign(rules.LINE, (from_elsewhere == 0) & (to_elsewhere > 0), {"asked": to_elsewhere}),
        sign(rules.SERVER, alone & (to_server > 0), {"asked": to_server}),
        sign(rules.NONE, none, {"silent": kinds["silent"]}),
        sign(rules.IDLE, silences.paused >= FORGOTTEN_NS, {"seconds": silences.paused / 1e9}),
        sign(rules.INTERMITTENT, (same > 0) & ~smaller, {"served": same}),
    ]


def company(trace: Trace, silences: Silences, table: Grouping) -> tuple[I64, I64, I64, I64]:
    """Count packets while each silence lasted.

    Returns:
        Those that the same server sent the client in other conversations, those that other networks did, and those that
        the client sent to either in other protocols, which what silences this one may spare. Resets say nothing of who
        lives.
    """
    packets, flows = trace.packets, trace.flows
    asking = np.zeros(len(trace.hosts), np.bool_)
    asking[flows.client[silences.flow]] = True
    seen = (packets.flow >= 0) & (packets.tcp_flags & TcpFlag.RST == 0)
    seen &= (packets.time >= silences.since.min()) & (packets.time <= silences.until.max())
    seen[seen] = asking[flows.client[packets.flow[seen]]]
    server, client = ("client", "server"), ("client",)
    (from_server, from_elsewhere), (to_server, to_elsewhere, alike) = (
        passed(trace, silences, table, np.flatnonzero(seen & (packets.outbound == way)), wanted)
        for way, wanted in (
            (False, ((server, "flow"), (client, "network"))),
            (True, ((server, "kind"), (client, "network"), (("client", "kind"), "network"))),
        )
    )
    return from_server, from_elsewhere, to_server, to_elsewhere - alike


def passed(
    trace: Trace, silences: Silences, table: Grouping, rows: I64, wanted: tuple[tuple[tuple[str, ...], str], ...]
) -> list[I64]:
    """Count some packets while each silence lasted: those that share columns with its conversation, but for one."""
    some = Contrast(table, trace.packets.flow[rows], trace.packets.time[rows])
    begin, end = silences.since, silences.until
    return [some.others(silences.flow, *shared, but=but, begin=begin, end=end) for shared, but in wanted]


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
    networks = group_networks(talks, group, flow, size)
    here = (died >= LEAST_TRIES) & all_early & (most - least <= APART)
    hit = here[group] & (lived == 0)
    return {
        "died": np.where(hit, died[group], 0),
        "networks": networks[group],
        "least": least[group],
        "most": most[group],
    }


def group_networks(talks: Talks, group: I64, flow: I64, size: int) -> I64:
    """Count the networks of the servers of each group of conversations."""
    one_each = np.unique(combined(group, talks.table.of("network")[flow]), return_index=True)[1]
    return np.bincount(group[one_each], minlength=size)


def protocols(trace: Trace, silences: Silences, talks: Talks, answered: I64, answer: I64) -> dict[str, I64]:
    """Count the networks that left a client's protocol without an answer, where other protocols were answered.

    Returns:
        ``networks``, however often they were asked (0 where any answered, or it is no protocol), answers to others
        within a minute on `OPEN_PORTS` (``web``) and on others (``own``), and conversations in other protocols that
        fell ``silent``.
    """
    flow, table = silences.flow, talks.table
    group = table.of("client", "kind")
    unheard = np.flatnonzero(talks.judged & (trace.sides.last[1::2] < 0))
    networks = group_networks(talks, group[unheard], unheard, int(group.max(initial=-1)) + 1)[group[flow]]
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


def sizes(silences: Silences, talks: Talks, answered: I64) -> tuple[Sign, Mask]:
    """Tell where large openings were answered by a port that answered no small one; once is no pattern yet.

    Returns:
        Where two and more small ones were not, and where one was not at least.
    """
    flow, length = silences.flow, talks.length
    group = talks.table.of("client", "server", "server_port")
    count = int(group.max(initial=-1)) + 1
    least, most = np.full(count, np.iinfo(np.int64).max), np.zeros(count, np.int64)
    opened = flow[silences.is_kind(Kind.INITIAL)]
    np.minimum.at(least, group[answered], length[answered])
    np.maximum.at(most, group[opened], length[opened])
    small = np.bincount(group[opened], length[opened] >= PADDED, count).astype(np.int64)
    large = np.bincount(group[answered], minlength=count)
    mine, sized = group[flow], (large > 0) & (small > 0) & (least > most)
    measured: Measured = {
        "small": small[mine], "most": most[mine], "large": large[mine], "least": least[mine], "selective": 1.0,
    }  # fmt: skip
    smaller = sized[mine] & silences.is_kind(Kind.INITIAL)
    return sign(rules.SIZE, smaller & (small[mine] > 1), measured), smaller
