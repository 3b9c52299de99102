"""What other connections say about a silence: was somebody else served, is the line dead, does it come and go?

A silence alone is a path failure (OONI and ICLab keep *down* and *blocked* apart in the same way). What makes it
interference is a contrast: the same server serves another name, the same client hears others, the same name falls
silent again and again. And what makes it harmless is a contrast as well: everything is silent, the server is silent to
all, the same name goes well.
"""

import numpy as np

from netinterf.analyzers.contrast import Contrast, Grouping, around
from netinterf.analyzers.unanswered.silences import TCP, Kind, Silences
from netinterf.arrays import I64, Mask
from netinterf.numbering import combined
from netinterf.schema import TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = [
    "Controls",
    "by_reset",
    "compare",
    "dead_line",
    "recently_opened",
    "reset_at_request",
    "served_at",
    "tcp_served_at",
]

FRESH_NS = 2_000_000_000
"""How long ago a handshake may have been for it to show that path and server were alive; a router would have to fail in
between."""

RESIDUE_NS = 420_000_000_000
"""How long boxes are known to punish after a trigger: up to 420 s (Xue et al., TSPU, IMC 2022)."""


@frozen(eq=False, kw_only=True)
class Controls:
    """One entry per silence; counts are of other connections of its client, but for those of packets and networks."""

    others_served_meanwhile: I64  # to the same server under other names, answered while the silence lasted
    others_served_within_minute: I64  # the same, while it lasted or within a minute of it
    # (both 0 where the server answered under no name any more from a first silence on: it is then silent to all)
    others_silent_within_minute: I64  # to the same server under other names, fallen silent within a minute
    same_name_served_within_minute: I64  # to the same server under the same name, answered within a minute
    same_name_silent_anywhere: I64  # to any server under the same name, fallen silent whenever
    packets_from_elsewhere: I64  # TCP packets from other networks to the same client while the silence lasted
    syns_sent_elsewhere: I64  # SYNs of the same client to other networks meanwhile, repeats included
    client_packets_to_server: I64  # packets of the same client in other connections to the same server meanwhile
    earlier_end: I64  # row in Packets of what a box may be punishing: an earlier end on the same 3-tuple within
    # `RESIDUE_NS` of a SYN in vain, or of a first request under another name; -1 for none
    after_trigger: Mask  # … which ended at its first request, and the same 3-tuple was served at other times
    served_after_silence: Mask  # … and the same 3-tuple was served after this silence
    networks_silent_alike: I64  # others whose connections with the client died at that stage within a minute
    networks_serving_since: I64  # that served the client first since, within a minute, and were never silent to it


def compare(trace: Trace, silences: Silences, flow_served_at: I64, reset: Mask, unknown_protocol: Mask) -> Controls:
    """Look beside each silence.

    Args:
        trace: The capture.
        silences: What fell silent.
        flow_served_at: When the server of each flow that is to be compared first answered, -1 where it did not.
        reset: For each flow, whether its server seemed to reset it at the request (`reset_at_request`).
        unknown_protocol: For each silence, whether it opened with bytes of no protocol that filters let pass.
    """
    flow, name = silences.flow, trace.contacts.name
    served, silent = answered(trace, flow_served_at), Contrast(trace.contacts, flow, silences.since)
    named = answered(trace, np.where(name >= 0, flow_served_at, -1))  # a name that was not captured may be any
    begin, end = around(silences.since, silences.until)
    comparable = (name[flow] >= 0) | unknown_protocol
    earlier_end, after_trigger, served_after_silence = earlier_ends(trace, silences, flow_served_at, reset)
    packets_from_elsewhere, syns_sent_elsewhere = heard_elsewhere(trace, silences, after_trigger)

    def others(since: I64, until: I64) -> I64:
        return np.where(comparable, named.others(flow, "client", "server", but="name", begin=since, end=until), 0)

    others_silent = silent.others(flow, "client", "server", but="name", begin=begin, end=end)
    went_deaf = (others_silent > 0) & (others(silent.first(flow, "client", "server", since=begin), end) == 0)
    return Controls(
        others_served_meanwhile=np.where(went_deaf, 0, others(silences.since, silences.until)),
        others_served_within_minute=np.where(went_deaf, 0, others(begin, end)),
        others_silent_within_minute=others_silent,
        same_name_served_within_minute=served.count(flow, "client", "server", "name", begin=begin, end=end),
        same_name_silent_anywhere=np.where(
            name[flow] >= 0, silent.count(flow, "client", "name") - 1, 0
        ),  # without a name each may be about something else
        packets_from_elsewhere=packets_from_elsewhere,
        syns_sent_elsewhere=syns_sent_elsewhere,
        client_packets_to_server=other_packets(trace, silences),
        earlier_end=earlier_end,
        after_trigger=after_trigger,
        served_after_silence=served_after_silence,
        **company(trace, silences, flow_served_at, begin, end),
    )


def answered(trace: Trace, at: I64) -> Contrast:
    """Count connections that were answered, by when: a time for every flow, -1 where it was not."""
    rows = np.flatnonzero(at >= 0)
    return Contrast(trace.contacts, rows, at[rows])


def company(trace: Trace, silences: Silences, flow_served_at: I64, begin: I64, end: I64) -> dict[str, I64]:
    """Count the networks whose connections with the same client died at the same stage, and those that served it since.

    One server may be dead behind its greeting; that several are, each for itself, at the same time, is rarer by far.
    Who was served only before says nothing: the client's line may have died.
    """
    flow, pair = silences.flow, trace.contacts.of("client", "network")
    how_early = 2 * silences.first_data.astype(np.int64) + recently_opened(trace, silences)
    stage = combined(trace.contacts.client[flow], silences.kind, silences.side % 2, how_early)
    died = np.unique(pair[flow])
    _, first = np.unique(combined(stage, pair[flow]), return_index=True)  # the first by flow stands for its network
    dead = Contrast(Grouping(stage=stage, network=pair[flow]), first, silences.since[first])
    alike = dead.others(np.arange(len(flow)), "stage", but="network", begin=begin, end=end)
    served = np.flatnonzero((flow_served_at >= 0) & ~np.isin(pair, died))
    served = served[np.unique(pair[served], return_index=True)[1]]
    serving = Contrast(trace.contacts, served, flow_served_at[served]).count(
        flow, "client", begin=silences.since, end=end
    )
    return {"networks_silent_alike": alike, "networks_serving_since": serving}


def recently_opened(trace: Trace, silences: Silences) -> Mask:
    """Say of each silence whether the other end had greeted no longer than `FRESH_NS` before."""
    opened = trace.sides.syn[silences.side ^ 1].astype(np.int64)
    if not len(opened):
        return np.empty(0, np.bool_)
    fresh: Mask = (opened >= 0) & (silences.since - trace.packets.time[np.maximum(opened, 0)] <= FRESH_NS)
    return fresh


def served_at(trace: Trace, silences: Silences, flows: Mask) -> I64:
    """When each of some *flows* was first served, by its server's first payload; -1 for silent and for other flows."""
    first = trace.sides.first_payload[1::2].astype(np.int64)
    served = flows & (first >= 0)
    served[silences.flow] = False
    return np.where(served, trace.packets.time[np.maximum(first, 0)] if len(trace.packets) else first, -1)


def tcp_served_at(trace: Trace, silences: Silences) -> I64:
    """When each TCP flow was first served; -1 where it never was, or fell silent."""
    return served_at(trace, silences, trace.flows.protocol == TCP)


def heard_elsewhere(trace: Trace, silences: Silences, after_trigger: Mask) -> tuple[I64, I64]:
    """Count what passed between the client and other networks while each silence lasted.

    Openings that a box may punish by themselves say nothing of the line.

    Returns:
        TCP packets that the client got from them, and SYNs that it sent there.
    """
    packets, flows = trace.packets, trace.flows
    asking = np.zeros(len(trace.hosts), np.bool_)
    asking[flows.client[silences.flow]] = True
    rows = np.flatnonzero((packets.protocol == TCP) & (packets.flow >= 0))
    rows = rows[asking[flows.client[packets.flow[rows]]]]
    inbound, syn = ~packets.outbound[rows], packets.tcp_flags[rows] & (TcpFlag.SYN | TcpFlag.ACK) == TcpFlag.SYN
    syn &= ~np.isin(packets.flow[rows], silences.flow[after_trigger])
    heard, opened = (
        Contrast(trace.contacts, packets.flow[chosen], packets.time[chosen]).others(
            silences.flow, "client", but="network", begin=silences.since, end=silences.until
        )
        for chosen in (rows[inbound], rows[~inbound & syn])
    )
    return heard, opened


def other_packets(trace: Trace, silences: Silences) -> I64:
    """Count TCP packets of each silence's client in its other connections to the same server while it lasted."""
    packets, flow, pair = trace.packets, silences.flow, trace.contacts.of("client", "server")
    wanted = np.isin(pair, pair[flow])
    rows = np.flatnonzero((packets.protocol == TCP) & (packets.flow >= 0) & packets.outbound)
    rows = rows[wanted[packets.flow[rows]]]
    sent = Contrast(trace.contacts, packets.flow[rows], packets.time[rows])
    return sent.others(flow, "client", "server", but="flow", begin=silences.since, end=silences.until)


def earlier_ends(trace: Trace, silences: Silences, flow_served_at: I64, reset: Mask) -> tuple[I64, Mask, Mask]:
    """Find what a box may be punishing: an earlier connection of the same three that fell silent or was reset.

    The same three are client, server and server port (Bock et al., WOOT 2021). Who asks for the same name again is
    not punished for the last time, but triggers anew.

    Returns:
        Row in Packets of what ended the latest such connection, at most `RESIDUE_NS` before the silence (-1 for none),
        whether that was its first request while the same three are served at other times, and whether they are later.
    """
    flows, packets, flow = trace.flows, trace.packets, silences.flow
    three, name = trace.contacts.of("client", "server", "server_port"), trace.contacts.name
    cause, early = np.full(len(flows), -1), reset.copy()
    cause[reset] = trace.sides.rst[1::2][reset]
    spoke = ~silences.is_kind(Kind.UNANSWERED_SYN, Kind.UNACKED_FIN)
    cause[flow[spoke]] = silences.row[spoke]
    early[flow[spoke]] = silences.first_data[spoke]
    earlier = np.flatnonzero(cause >= 0)
    none = np.zeros(len(silences), np.bool_)
    if not len(earlier):
        return np.full(len(silences), -1), none, none
    earlier = earlier[np.lexsort((cause[earlier], three[earlier]))]
    began = flows.first_packet[flow].astype(np.int64)
    place = np.searchsorted(three[earlier] << 32 | cause[earlier], three[flow] << 32 | began) - 1
    before = earlier[np.maximum(place, 0)]
    row = cause[before]
    hit = (place >= 0) & (three[before] == three[flow]) & (packets.time[began] - packets.time[row] <= RESIDUE_NS)
    first_words = silences.is_first_request() | silences.is_kind(Kind.INITIAL)
    hit &= silences.is_kind(Kind.UNANSWERED_SYN) | first_words & (name[before] != name[flow])  # punished from the start
    served = answered(trace, flow_served_at)
    at_all, later = (
        served.count(flow, "client", "server", "server_port", begin=begin) > 0 for begin in (None, silences.until)
    )
    return np.where(hit, row, -1), hit & early[before] & at_all, hit & later


def by_reset(trace: Trace, earlier_end: I64) -> Mask:
    """Say whether what may be punished had been ended by a reset, not by silence."""
    flags = trace.packets.tcp_flags[np.maximum(earlier_end, 0)]
    reset: Mask = (earlier_end >= 0) & (flags & TcpFlag.RST != 0) if len(earlier_end) else earlier_end > 0
    return reset


def reset_at_request(trace: Trace) -> Mask:
    """Say of each flow whether its server seemed to reset it after the client's first data and before any answer."""
    sides = trace.sides
    request, answer, reset = sides.first_payload[0::2], sides.first_payload[1::2], sides.rst[1::2]
    early: Mask = (request >= 0) & (reset > request) & ((answer < 0) | (answer > reset))
    return early


def dead_line(controls: Controls) -> Mask:
    """Say whether the client's whole line was dead: it asked elsewhere, and nothing came."""
    dead: Mask = (controls.packets_from_elsewhere == 0) & (controls.syns_sent_elsewhere > 0)
    return dead
