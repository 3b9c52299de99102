"""Traffic classes: which flows a box acts on, told by what the client says first, by address or by port."""

import attrs

from netinterf.simulate.network.packet import Address, Packet
from netinterf.values import define

__all__ = ["Flow", "TrafficClass", "flow_of"]

Flow = tuple[Address, int, Address, int]
"""Address and port of the client, address and port of the server."""

MOST_BYTES = 4096
"""Bytes of what a client says that a box keeps while it looks for a name: more than any ordinary ClientHello."""


def flow_of(packet: Packet, outbound: bool) -> Flow:
    """Give the same key for both directions of a flow."""
    if outbound:
        return packet.source, packet.sport, packet.destination, packet.dport
    return packet.destination, packet.dport, packet.source, packet.sport


@define(eq=False)
class TrafficClass:
    """Says of packets whether they belong to the flows a box acts on; it must see every packet of the path once."""

    names: frozenset[bytes] = frozenset()  # one of them among the first bytes of the client; empty: any flow
    servers: frozenset[Address] = frozenset()  # empty: any
    ports: frozenset[int] = frozenset()  # of the server; empty: any
    looks: int = 15  # payload packets of the client in which a name is looked for (Xue et al. 2021: 3 to 15)
    grace: int = 0  # packets of a flow that still pass untouched once it is recognised
    heard: dict[Flow, tuple[int, bytes]] = attrs.field(factory=dict)
    chosen: dict[Flow, int] = attrs.field(factory=dict)  # flow -> packets since it was recognised
    triggers: dict[Flow, Packet] = attrs.field(factory=dict)  # flow -> the packet that completed the name

    def holds(self, packet: Packet, outbound: bool) -> bool:
        """Say whether *packet* is one to act on."""
        flow = flow_of(packet, outbound)
        if flow not in self.chosen:
            if not self.recognised(flow, packet, outbound):
                return False
            self.chosen[flow] = 0
        self.chosen[flow] += 1
        return self.chosen[flow] > self.grace

    def recognised(self, flow: Flow, packet: Packet, outbound: bool) -> bool:
        """Look for what gives the flow away; the packet that completes it counts already."""
        if (self.servers and flow[2] not in self.servers) or (self.ports and flow[3] not in self.ports):
            return False
        if not self.names:
            return True
        if not outbound or not packet.payload:
            return False
        count, data = self.heard.get(flow, (0, b""))
        if count >= self.looks:
            return False
        data = (data + packet.payload)[:MOST_BYTES]
        self.heard[flow] = count + 1, data
        matched = any(name in data for name in self.names)
        if matched:
            self.triggers[flow] = packet
        return matched

    def trigger(self, packet: Packet, outbound: bool) -> Packet:
        """Give what provoked an act on *packet*: the one that told the name, or *packet* where no name counts."""
        return self.triggers.get(flow_of(packet, outbound), packet)
