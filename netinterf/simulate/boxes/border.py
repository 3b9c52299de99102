"""A country's border: foreign destinations are cut off, wholly, but for lists, by protocol or in certain hours."""

from collections.abc import Sequence

import attrs

from netinterf.simulate.boxes.classes import Flow, flow_of
from netinterf.simulate.encode import TCP, UDP
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = ["Border"]

HTTP_WORDS = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"DELETE ", b"CONNECT ")


@define(eq=False, kw_only=True)
class Border:
    """Stands on foreign paths only; what it lets pass is said by four lists.

    *stage* says where it acts: on every packet, from the client's first data on (the handshake completes), or on what
    the server says (the hello arrives, no answer does).
    """

    world: World
    listed: frozenset[Address] = frozenset()  # servers that stay reachable
    ports: frozenset[tuple[int, int]] = frozenset()  # protocol number and server port that pass
    parsed: bool = False  # of those ports, TCP passes only while its first data is TLS or HTTP
    stage: str = "all"  # all, data or answer
    windows: Sequence[tuple[int, int]] = ()  # ns since 1970 when it is closed; empty: always
    share: float = 1.0  # of the packets it should drop
    mechanism: str = "reach.isolation"
    foreign_flows: set[Flow] = attrs.field(factory=set)
    opened_flows: set[Flow] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop the packet if it may not pass."""
        if self.passes(packet, outbound) or (self.share < 1 and self.world.chance.random() >= self.share):
            return [(0, outbound, packet)]
        self.world.note(packet, self.mechanism)
        return []

    def passes(self, packet: Packet, outbound: bool) -> bool:
        """Say whether the packet may cross."""
        now = self.world.now
        if self.windows and not any(begin <= now < end for begin, end in self.windows):
            return True
        flow = flow_of(packet, outbound)
        if flow[2] in self.listed:
            return True
        if (packet.protocol, flow[3]) in self.ports and not (self.parsed and self.foreign_protocol(flow, packet)):
            return True
        if packet.protocol != TCP or self.stage == "all":
            return False
        if outbound and packet.payload:
            self.opened_flows.add(flow)
        if self.stage == "data":
            return flow not in self.opened_flows
        return outbound or not packet.payload

    def foreign_protocol(self, flow: Flow, packet: Packet) -> bool:
        """Say whether a TCP flow began with something that is neither TLS nor HTTP."""
        data = packet.payload
        if packet.protocol == UDP or flow in self.foreign_flows:
            return flow in self.foreign_flows
        if data and flow not in self.opened_flows and packet.dport == flow[3]:
            self.opened_flows.add(flow)
            if not (data.startswith(HTTP_WORDS) or (data[:1] == b"\x16" and data[1:2] == b"\x03")):
                self.foreign_flows.add(flow)
        return flow in self.foreign_flows
