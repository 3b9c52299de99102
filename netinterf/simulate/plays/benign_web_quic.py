"""QUIC that fails or pauses whatever the name: servers without it, networks without UDP, moods of servers."""

from typing import Any

import attrs

from netinterf.simulate.hosts.quic_link import draw_habits
from netinterf.simulate.messages import quic
from netinterf.simulate.network.outages import MtuHole, Outage
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import SECOND, Onward, Path, World
from netinterf.simulate.network.routers import Refuses
from netinterf.simulate.plays.benign_tcp import House, look_alikes
from netinterf.simulate.plays.quic_promises import BROKEN, KEPT, ask_ahead
from netinterf.simulate.plays.quic_visits import quic_visit

__all__ = ["PLAYS"]

UDP = 17


def call(house: House, path: Path, begin: float, *, odd: bool = True, server_mode: str = "plain", **how: Any) -> None:
    """Schedule a QUIC visit to the house."""
    fixed = {"mood": server_mode, **how.pop("fixed", {})}
    habits = draw_habits(house.rng, **fixed)
    stacks = (house.stack, house.host)
    name = how.pop("name", house.name)
    quic_visit(house.scene, path, house.server, name, begin, habits=habits, stacks=stacks, odd=odd, **how)


def call_elsewhere(house: House) -> None:
    """Schedule QUIC visits to a server where all is well, in half of the captures."""
    scene, rng = house.scene, house.rng
    if house.chance(0.5):
        path, server, name = scene.lay_path(house.shared), scene.servers(1)[0], scene.names(1)[0]
        for begin in house.times(1, 3):
            quic_visit(scene, path, server, name, begin, habits=draw_habits(rng), stacks=(house.stack, house.host))


@attrs.define(eq=False)
class NoUdp:
    """A network that lets no UDP out to port 443, for whatever name, server or version."""

    says: Refuses | None = None  # it tells hosts so

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop or refuse QUIC, pass the rest."""
        if packet.protocol != UDP:
            return [(0, outbound, packet)]
        return self.says.cross(packet, outbound) if self.says and outbound else []


@attrs.define(eq=False)
class Rebinding:
    """A translator that gives a quiet UDP flow another port (RFC 4787 §4.3: after two minutes or less)."""

    world: World
    idle: float  # ns
    public: Address
    last: dict[int, tuple[int, int]] = attrs.field(factory=dict)  # time and public port of each conversation

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Translate."""
        now, chance = self.world.now, self.world.chance
        seen, port = self.last.get(packet.subject, (now, chance.randrange(1024, 65_536)))
        if outbound:
            port = port if now - seen < self.idle else chance.randrange(1024, 65_536)
            self.last[packet.subject] = now, port
            return [(0, True, packet.copy(source=self.public, sport=port))]
        return [(0, False, packet)]


def server_without_quic(house: House) -> None:
    """A server's firewall drops QUIC silently; clients repeat their Initials and go on over TCP."""
    ask_ahead(house.scene, {house.name: house.server}, BROKEN)
    call_elsewhere(house)
    path = house.path()
    for begin in house.times(2, 5):
        call(house, path, begin, server_mode="deaf", fallback=0.9)


def quic_port_closed(house: House) -> None:
    """Nobody listens for QUIC: the host answers Initials with ICMP port unreachable, clients go on over TCP."""
    ask_ahead(house.scene, {house.name: house.server}, BROKEN)
    call_elsewhere(house)
    refuses = NoUdp(Refuses(house.server, "port", ttl=house.one_of(64, 128, 255)))
    path = house.path(door=[refuses])
    for begin in house.times(2, 5):
        call(house, path, begin, fallback=1.0)


def network_without_udp(house: House) -> None:
    """An office's network lets no QUIC out at all, silently or with ICMP; every name works over TCP."""
    says = Refuses(house.scene.servers(1)[0], "prohibited") if house.chance(0.3) else None
    path = house.path(NoUdp(says), where=0.1)
    names = house.scene.names(3)
    ask_ahead(house.scene, dict.fromkeys(names, house.server), KEPT)
    for begin in house.times(3, 7):
        call(house, path, begin, name=names[int(house.rng.integers(3))], fallback=1.0)


def version_negotiation(house: House) -> None:
    """A server does not speak the client's version and says which it does; the client begins anew or over TCP."""
    ask_ahead(house.scene, {house.name: house.server}, KEPT)
    path = house.path()
    for begin in house.times(2, 5):
        call(house, path, begin, server_mode="negotiate", fixed={"version": quic.V2})
    call(house, house.path(), house.between(1e8, 3e9), odd=False)


def address_validation(house: House) -> None:
    """A server under load first sends Retry: the client's second Initial has other keys and a token."""
    path = house.path()
    for begin in house.times(2, 5):
        call(house, path, begin, server_mode="retry")


def large_datagrams_lost(house: House) -> None:
    """A tunnel drops datagrams of Initial size and says nothing: QUIC never works there, small TCP segments do."""
    ask_ahead(house.scene, {house.name: house.server}, KEPT)
    call_elsewhere(house)
    house.neighbours = 1
    path = house.path(MtuHole(int(house.rng.integers(1100, 1220)), "both"))
    for begin in house.times(2, 5):
        call(house, path, begin, fallback=0.7)


def translator_rebinds(house: House) -> None:
    """A translator gives a quiet connection another port; to the server the client seems to move."""
    box = Rebinding(house.scene.world, house.between(2e8, 2e9), house.scene.servers(1)[0])
    path = house.path(box, luck=0.0)
    for begin in house.times(3, 6):
        call(house, path, begin)


def server_gone_mid_transfer(house: House) -> None:
    """A server or its network fails in mid transfer: QUIC and TCP to it fall silent together and come back later."""
    ask_ahead(house.scene, {house.name: house.server}, KEPT)
    begin = house.between(5e8, 3e9)
    end = begin + house.between(5e9, 4e10)
    path = house.path(door=[Outage(house.scene.world, [(house.now + int(begin), house.now + int(end))])])
    for start in house.rng.uniform(0, begin, int(house.rng.integers(2, 6))):
        call(house, path, float(start), fallback=0.5)
    house.visit(path, begin + house.between(1e8, 2e9))
    call(house, path, end + SECOND, odd=False)


def lossy_initials(house: House) -> None:
    """A poor link loses Initials and first flights: clients repeat them, some give QUIC up."""
    ask_ahead(house.scene, {house.name: house.server}, KEPT)
    call_elsewhere(house)
    path = house.path(luck=1.0)
    path.far.burst, path.far.bad_for = float(house.rng.uniform(0.1, 0.4)), int(house.between(5e7, 2e9))
    for begin in house.times(4, 8, gap=0.8 * SECOND):
        call(house, path, begin)


PLAYS = (
    *look_alikes("quic", server_without_quic, quic_port_closed, version_negotiation, address_validation),
    *look_alikes("quic", translator_rebinds, server_gone_mid_transfer, lossy_initials),
    *look_alikes("quic", network_without_udp, large_datagrams_lost, vantages=("client",)),
)
