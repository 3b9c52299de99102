"""Boxes that say nothing: after an offence they let packets vanish, at once or some packets later, for a while."""

from collections.abc import Callable

import attrs

from netinterf.simulate.boxes.classes import Flow, flow_of
from netinterf.simulate.boxes.matchers import ClientStream, Matcher
from netinterf.simulate.encode import TCP
from netinterf.simulate.network.packet import ACK, SYN, Address, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = ["BOTH", "DOWN", "UP", "Blackhole", "Silencer"]

UP, DOWN, BOTH = frozenset({True}), frozenset({False}), frozenset({True, False})
"""Directions in which packets vanish; True is towards the server."""


@define(eq=False)
class Block:
    """One punishment: of a flow, or of whoever shares its addresses."""

    trigger: Packet
    flow: Flow
    since: int
    until: int
    grace: int  # packets of the offending flow that still pass


@define(eq=False, kw_only=True)
class Silencer:
    """Watches what clients say, and silences flows after an offence."""

    world: World
    matches: Matcher
    mechanism: str = "tcp.drop"
    directions: frozenset[bool] = BOTH
    grace: tuple[int, int] = (0, 0)  # packets of the flow that still pass, the offending one counted, both ways
    wait: tuple[float, float] = (0.0, 0.0)  # ns before anything vanishes
    lasts: tuple[float, float] = (1e12, 1e12)  # ns
    renewed: bool = False  # whatever vanishes towards the server makes it last anew
    scope: str = "flow"  # flow (4-tuple), server (3-tuple without the client's port) or pair of addresses
    share: float = 1.0  # of the offences that it acts on; the first always
    leak: float = 0.0  # share of the packets that pass nevertheless
    spares: Callable[[Packet], bool] = lambda _: False  # packets that pass in any case
    streams: dict[Flow, ClientStream] = attrs.field(factory=dict)
    blocks: dict[tuple[object, ...], Block] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass, or vanish."""
        flow = flow_of(packet, outbound)
        if outbound and packet.flags & (SYN | ACK) == SYN and packet.protocol == TCP:
            self.streams[flow] = ClientStream(base=(packet.seq + 1) % 2**32)
        key = (packet.protocol, *self.key(flow))
        block, now = self.blocks.get(key), self.world.now
        if block is None or not block.since <= now < block.until:
            offends = outbound and bool(packet.payload) and self.offends(packet, flow)
            if not offends or (block is not None and now < block.since):
                return [(0, outbound, packet)]
            block = self.punish(packet, flow, key)
        return [] if self.vanishes(packet, outbound, flow, block) else [(0, outbound, packet)]

    def key(self, flow: Flow) -> tuple[object, ...]:
        """Give what is punished together with *flow*."""
        return {"flow": flow, "server": (flow[0], flow[2], flow[3]), "pair": (flow[0], flow[2])}[self.scope]

    def offends(self, packet: Packet, flow: Flow) -> bool:
        """Say whether the packet completes an offence, or repeats one that was acted on."""
        stream = self.streams.setdefault(flow, ClientStream())
        low, high = stream.hear(packet)
        if stream.match_range is not None and packet.protocol == TCP:
            return stream.acts and low < stream.match_range[1] and high > stream.match_range[0]
        if not self.matches(packet, stream):
            return False
        if stream.match_range is None:
            stream.acts = not self.blocks or self.world.chance.random() < self.share
        stream.match_range = low, high
        return stream.acts

    def punish(self, packet: Packet, flow: Flow, key: tuple[object, ...]) -> Block:
        """Begin a punishment."""
        chance = self.world.chance
        since = self.world.now + int(chance.uniform(*self.wait))
        block = Block(packet, flow, since, since + int(chance.uniform(*self.lasts)), chance.randint(*self.grace))
        self.blocks[key] = block
        return block

    def vanishes(self, packet: Packet, outbound: bool, flow: Flow, block: Block) -> bool:
        """Say whether a packet is swallowed during a punishment, and note why."""
        world = self.world
        if world.now < block.since:
            return False
        if flow == block.flow and block.grace > 0:
            block.grace -= 1
            return False
        if outbound not in self.directions or self.spares(packet):
            return False
        if self.leak and world.chance.random() < self.leak:
            return False
        if self.renewed and outbound:
            block.until = world.now + int(world.chance.uniform(*self.lasts))
        world.note(block.trigger if block.trigger.subject == packet.subject else packet, self.mechanism)
        return True


@define(eq=False, kw_only=True)
class Blackhole:
    """Swallows packets by address and port alone, whatever they say."""

    world: World
    applies: Callable[[Address, int], bool]  # address and port of the server
    mechanism: str = "tcp.connect.drop"
    protocols: frozenset[int] = frozenset({TCP})
    directions: frozenset[bool] = BOTH
    share: float = 1.0  # of the flows; the first always
    patience: int = 0  # packets of a flow that vanish before the rest passes; 0: all
    flows: dict[Flow, int] = attrs.field(factory=dict)  # packets that vanished; -1: the flow is spared

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass, or vanish."""
        flow = flow_of(packet, outbound)
        if packet.protocol not in self.protocols or outbound not in self.directions or not self.applies(*flow[2:]):
            return [(0, outbound, packet)]
        if flow not in self.flows:
            self.flows[flow] = 0 if not self.flows or self.world.chance.random() < self.share else -1
        gone = self.flows[flow]
        if gone < 0 or (self.patience and gone >= self.patience):
            return [(0, outbound, packet)]
        self.flows[flow] += 1
        self.world.note(packet, self.mechanism)
        return []
