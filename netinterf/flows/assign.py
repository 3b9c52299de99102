"""Sort packets into conversations, and tell the client of each from its server.

A conversation is what two endpoints (address and port) say to each other over one protocol. Both directions get one
hash, which brings them together (see `conversations`); a reused port begins a new flow, and the handshake or the ports
say who is the client (see `orient`). Flows are numbered in the order of their first packets.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, U8, Mask
from netinterf.flows.conversations import Ports, endpoint_hash, group_conversations
from netinterf.flows.grouping import Groups, group_rows, mix
from netinterf.flows.orient import orient, split_reused
from netinterf.numbering import combined, distinct, order_of_different
from netinterf.schema import Endpoints, Flows, Hosts, IcmpQuotes, Packets, Status
from netinterf.table import Ragged, spans
from netinterf.values import frozen

__all__ = ["Assigned", "assign_flows", "paths", "tie_quotes"]

QUOTED_BITS = 16
"""Bits of a hash by which most flows are told apart from those that ICMP quotes, in a table that a cache holds."""

REASSEMBLY_NS = 60 * 10**9
"""How far apart fragments of one packet may be (RFC 1122 §3.3.2: 60 to 120 seconds; RFC 8200 §4.5: 60)."""


@frozen(eq=False)
class Assigned:
    """Packets with their flows, and the dimensions that they point at."""

    packets: Packets
    hosts: Hosts
    flows: Flows
    by_flow: Ragged  # int32 rows of packets of each flow, in time order


def assign_flows(packets: Packets, endpoints: Endpoints) -> Assigned:
    """Give every IP packet a flow, and every flow a client and a server.

    Packets without ports (later fragments whose first one is missing, ICMP errors, other protocols) form flows with
    ports 0, one per pair of addresses and protocol. Later fragments belong to the flow of their first fragment.

    Args:
        packets: Decoded packets in time order.
        endpoints: Who sent each of them to whom, same length.

    Returns:
        The packets with ``flow`` and ``outbound`` filled (-1 and False without IP), and the tables; empty in, empty
        out.
    """
    ports = fragment_ports(packets, endpoints)
    groups, swapped = group_conversations(packets, endpoints, ports)
    groups = split_reused(only_ip(groups, packets), swapped, packets)
    order = order_of_different(groups.rows[groups.starts])
    lengths = groups.lengths[order]
    by_flow = Ragged.from_lengths(lengths, groups.rows.take(spans(groups.starts[order], lengths)))
    groups = Groups(by_flow.values, by_flow.offsets[:-1])
    client, oriented = orient(groups, swapped, packets, ports)
    client &= ~to_itself(groups.rows[groups.starts], endpoints, ports)
    flow = np.full(len(packets), -1, np.int32)
    flow[by_flow.values] = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    outbound = np.zeros(len(packets), np.bool_)
    outbound[by_flow.values] = swapped.take(by_flow.values) == np.repeat(client, lengths)
    hosts, flows = describe(attrs.evolve(packets, outbound=outbound), endpoints, ports, groups, oriented)
    return Assigned(attrs.evolve(packets, flow=flow, outbound=outbound), hosts, flows, by_flow)


def to_itself(rows: I32, endpoints: Endpoints, ports: Ports) -> Mask:
    """Say which packets have one endpoint as source and target; they are never swapped, and sent by the client."""
    same: Mask = ports[0][rows] == ports[1][rows]
    same &= endpoints.source_low[rows] == endpoints.target_low[rows]
    same &= endpoints.source_high[rows] == endpoints.target_high[rows]
    return same


def only_ip(groups: Groups, packets: Packets) -> Groups:
    """Drop the groups of frames without an IP packet (the version is part of the key, so groups are pure)."""
    keep = packets.version[groups.rows[groups.starts]] != 0
    if keep.all():
        return groups
    starts, lengths = groups.starts[keep], groups.lengths[keep]
    return Groups(groups.rows[spans(starts, lengths)], np.cumsum(lengths) - lengths)


def fragment_ports(packets: Packets, endpoints: Endpoints) -> Ports:
    """Lend later fragments the ports of their first fragment.

    Fragments belong together when source, target, protocol and identification agree (RFC 791 §2.3); identifications
    come round again, so the nearest first fragment before counts, or the nearest after where fragments overtook each
    other.
    """
    later = np.flatnonzero(packets.status & Status.FRAGMENT_LATER.value)
    heads = np.flatnonzero(packets.status & Status.FRAGMENT_FIRST.value)
    ports = (endpoints.source_port, endpoints.target_port)
    if len(later) == 0 or len(heads) == 0:
        return ports
    rows = np.sort(np.concatenate([later, heads]))
    low = mix(endpoints.source_low[rows]) + endpoints.target_low[rows]
    high = mix(endpoints.source_high[rows]) + endpoints.target_high[rows]
    mixed = mix(mix(low) + mix(high) + (packets.ip_id[rows].astype(np.uint64) << np.uint64(8)) + packets.protocol[rows])
    addresses = (endpoints.source_high, endpoints.source_low, endpoints.target_high, endpoints.target_low)
    keys = (*addresses, packets.ip_id, packets.protocol)
    groups = group_rows(mixed, lambda part: [key[rows[part]] for key in keys])
    ordered = rows[groups.rows]
    group = np.repeat(np.arange(len(groups.starts)), groups.lengths)
    places = np.arange(len(ordered))
    is_head = (packets.status[ordered] & Status.FRAGMENT_FIRST.value) != 0
    before = np.maximum.accumulate(np.where(is_head, places, -1))
    after = np.minimum.accumulate(np.where(is_head, places, len(ordered) - 1)[::-1])[::-1]
    source, target = ports[0].copy(), ports[1].copy()
    for head in (after, before):  # the one before wins where both fit
        fits = ~is_head & (head >= 0) & is_head[head] & (group[head] == group)
        fits &= np.abs(packets.time[ordered[head]] - packets.time[ordered]) <= REASSEMBLY_NS
        source[ordered[fits]] = endpoints.source_port[ordered[head[fits]]]
        target[ordered[fits]] = endpoints.target_port[ordered[head[fits]]]
    return source, target


def describe(packets: Packets, endpoints: Endpoints, ports: Ports, groups: Groups, oriented: U8) -> tuple[Hosts, Flows]:
    """Write the dimension tables; hosts are numbered as they appear, the client of a flow before its server."""
    first = groups.rows[groups.starts]
    last = groups.rows[groups.starts + groups.lengths - 1]
    towards = packets.outbound[first]
    high = np.empty((len(first), 2), np.uint64)
    low = np.empty((len(first), 2), np.uint64)
    for column, place in ((0, towards), (1, ~towards)):
        high[:, column] = np.where(place, endpoints.source_high[first], endpoints.target_high[first])
        low[:, column] = np.where(place, endpoints.source_low[first], endpoints.target_low[first])
    highs, lows = high.reshape(-1), low.reshape(-1)
    same = combined(highs.view(np.int64), lows.view(np.int64))
    appeared = np.empty(int(same.max(initial=-1)) + 1, np.int64)
    appeared[same[::-1]] = np.arange(len(same))[::-1]  # the last write wins
    order = order_of_different(appeared)
    members = appeared[order]
    number = np.empty(len(order), np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    host = number[same]
    flows = Flows(
        client=host[0::2].copy(),
        server=host[1::2].copy(),
        client_port=np.where(towards, ports[0][first], ports[1][first]),
        server_port=np.where(towards, ports[1][first], ports[0][first]),
        protocol=packets.protocol[first],
        oriented_by=oriented,
        first=packets.time[first],
        last=packets.time[last],
        first_packet=first,
        path=paths(host[0::2], host[1::2]),
        icmp=packets.icmp[first],
    )
    return Hosts(high=highs[members], low=lows[members]), flows


def tie_quotes(quotes: IcmpQuotes, packets: Packets, flows: Flows, hosts: Hosts) -> IcmpQuotes:
    """Find the flow that each quoted packet belongs to.

    Of several flows between the same endpoints the last one that had begun when the ICMP error was captured counts
    (or the next one, when the error was captured first). A quote from a flow that was not captured stays at -1.

    Args:
        quotes: Quoted packets.
        packets: Packets with flows; only their order matters.
        flows: All flows.
        hosts: Addresses of the flows' sides.

    Returns:
        The quotes with ``flow`` and ``outbound`` filled; empty in, empty out.
    """
    if len(quotes) == 0 or len(flows) == 0:
        return quotes
    bits = np.uint64(len(packets).bit_length())
    source = endpoint_hash(quotes.source_high, quotes.source_low, quotes.source_port)
    target = endpoint_hash(quotes.target_high, quotes.target_low, quotes.target_port)
    sought = mix(mix(source) + target + quotes.protocol)
    ends = []
    for host, port in ((flows.client, flows.client_port), (flows.server, flows.server_port)):
        ends.append((hosts.high[host], hosts.low[host], port))
    hashes = [endpoint_hash(*end) for end in ends]
    there = mix(mix(hashes[0]) + hashes[1] + flows.protocol)
    back = mix(mix(hashes[1]) + hashes[0] + flows.protocol)
    begun = np.concatenate([flows.first_packet, flows.first_packet]).astype(np.uint64)
    table = np.concatenate([there, back])
    quoted = np.zeros(1 << QUOTED_BITS, np.bool_)
    quoted[sought >> np.uint64(64 - QUOTED_BITS)] = True
    rows = np.flatnonzero(quoted[table >> np.uint64(64 - QUOTED_BITS)])  # mostly few of all
    table = table[rows] >> bits << bits | begun[rows]
    order = np.argsort(table, kind="stable")
    keys = (sought >> bits << bits) | quotes.packet.astype(np.uint64)
    place = np.searchsorted(table[order], keys, side="right").astype(np.int64)
    flow = np.full(len(quotes), -1, np.int32)
    outbound = np.zeros(len(quotes), np.bool_)
    for candidate in (place, place - 1) if len(rows) else ():
        entry = rows[order[np.clip(candidate, 0, len(order) - 1)]]
        number = (entry % len(flows)).astype(np.int32)
        towards = entry < len(flows)
        fits = quoted_between(quotes, number, towards, ends) & (quotes.protocol == flows.protocol[number])
        flow[fits], outbound[fits] = number[fits], towards[fits]
    outbound |= (flow >= 0) & (source == target)  # an endpoint that talks to itself is the client
    return attrs.evolve(quotes, flow=flow, outbound=outbound)


def quoted_between(quotes: IcmpQuotes, flow: I32, towards: Mask, ends: Sequence[tuple[NDArray[Any], ...]]) -> Mask:
    """Say which quotes lie between the endpoints of the given flows, in the given directions."""
    quoted = (
        (quotes.source_high, quotes.source_low, quotes.source_port),
        (quotes.target_high, quotes.target_low, quotes.target_port),
    )
    fits = np.ones(len(quotes), np.bool_)
    for mine, (near, far) in zip(quoted, (ends, ends[::-1]), strict=True):
        for value, there, back in zip(mine, near, far, strict=True):
            fits &= value == np.where(towards, there[flow], back[flow])
    return fits


def paths(client: I32, server: I32) -> I32:
    """Find the path of each flow: whose recording it belongs to, the end of it that met more others.

    A capture may hold what several machines recorded, or what one router passed on for many. What holds for one of them
    says nothing of the others, so it is found *path by path*: for all conversations that share the end at which the
    recording was most likely made. A client's capture has one client and many servers, a server's capture one server
    and many clients; the client is the end to go by where both met as many. Unrelated traffic in the same file has
    other ends, and so changes no path.

    Args:
        client: Row in Hosts of each flow's client.
        server: Row in Hosts of each flow's server.

    Returns:
        Twice the row in Hosts of the end that met more others, plus 1 where that is a server.
    """
    if not len(client):
        return np.empty(0, np.int32)
    hosts = int(max(client.max(), server.max())) + 1
    pairs = distinct(client.astype(np.int64) * hosts + server)
    servers = np.bincount(pairs // hosts, minlength=hosts)[client]
    clients = np.bincount(pairs % hosts, minlength=hosts)[server]
    path: I32 = np.where(clients > servers, 2 * server + 1, 2 * client).astype(np.int32)
    return path
