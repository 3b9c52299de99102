"""Boxes that make handshakes slow or rare: delays, losses and counts of TLS connections to a name."""

import attrs

from netinterf.simulate.boxes.classes import Flow, TrafficClass, flow_of
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import SECOND, Onward, World
from netinterf.values import define

__all__ = ["ConnectionCounter", "HandshakeSlower"]


@define(eq=False, kw_only=True)
class HandshakeSlower:
    """Slows what follows a listed hello until so many bytes have come from the server; later data passes freely.

    With *memory* the client's later connections to the same address are slow too, whatever their name, as was seen in
    Türkiye in 2022 (net4people/bbs 155).
    """

    world: World
    traffic: TrafficClass
    bytes: int = 6000  # of the server's stream: about a TLS handshake
    hold: float = 0.0  # mean ns for which each packet of the slow part is held (exponential, order kept)
    loss: float = 0.0  # share of the slow part's packets that is dropped instead
    way: str = "down"  # down, up or both: the packets that suffer
    memory: float = 0.0  # ns for which an address stays slow for a client
    passed: dict[Flow, int] = attrs.field(factory=dict)
    until: dict[tuple[Address, Address], int] = attrs.field(factory=dict)
    free: dict[tuple[Flow, bool], int] = attrs.field(factory=dict)  # when the last held packet leaves

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Hold or drop packets of the slow part."""
        world, flow = self.world, flow_of(packet, outbound)
        hit = self.traffic.holds(packet, outbound)
        pair = flow[0], flow[2]
        if hit and self.memory:
            self.until[pair] = world.now + int(self.memory)
        if not hit and world.now >= self.until.get(pair, 0):
            return [(0, outbound, packet)]
        if self.passed.get(flow, 0) >= self.bytes:
            return [(0, outbound, packet)]
        if not outbound:
            self.passed[flow] = self.passed.get(flow, 0) + len(packet.payload)
        if self.way != "both" and outbound != (self.way == "up"):
            return [(0, outbound, packet)]
        if self.loss and world.chance.random() < self.loss:
            if not outbound:
                self.passed[flow] -= len(packet.payload)
            world.note(self.traffic.trigger(packet, outbound), "rate.handshake")
            return []
        if not self.hold:
            return [(0, outbound, packet)]
        world.note(self.traffic.trigger(packet, outbound), "rate.handshake")
        leaves = world.now + int(world.chance.expovariate(1.0) * self.hold)
        leaves = max(leaves, self.free.get((flow, outbound), 0) + 1)
        self.free[flow, outbound] = leaves
        return [(leaves - world.now, outbound, packet)]


@define(eq=False, kw_only=True)
class ConnectionCounter:
    """Lets a client say so many hellos of a class in a while; those beyond get no answer.

    As a box on the path it acts as the rule seen in Siberia (net4people/bbs 546); as a server's own limit it has no
    mechanism.
    """

    world: World
    traffic: TrafficClass
    most: int = 4
    window: int = 60 * SECOND
    mechanism: str = ""
    per: str = "name"  # what is counted: hellos of a client with one name, or hellos of a client to one server
    begun: dict[tuple[object, ...], list[int]] = attrs.field(factory=dict)
    known: set[Flow] = attrs.field(factory=set)
    silenced: set[Flow] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Count hellos; drop them and all that follows once there were too many."""
        flow = flow_of(packet, outbound)
        if self.traffic.holds(packet, outbound) and packet.payload and flow not in self.known:
            self.known.add(flow)
            data = self.traffic.heard.get(flow, (0, b""))[1]
            name = next((name for name in self.traffic.names if name in data), b"")
            key = (flow[0], name) if self.per == "name" else (flow[0], flow[2])
            recent = [time for time in self.begun.get(key, []) if time > self.world.now - self.window]
            if len(recent) >= self.most:
                self.silenced.add(flow)
            self.begun[key] = [*recent, self.world.now]
        if flow not in self.silenced or (not outbound and not packet.payload):
            return [(0, outbound, packet)]
        if self.mechanism:
            self.world.note(self.traffic.trigger(packet, outbound), self.mechanism)
        return []
