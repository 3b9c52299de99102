"""QUIC that fails or pauses whatever the name: servers without it, networks without UDP, moods of servers."""

from typing import Any

from netinterf.simulate.hosts.quic_link import draw_habits
from netinterf.simulate.messages import quic
from netinterf.simulate.network.nat import Rebinding
from netinterf.simulate.network.outages import MtuHole, Outage
from netinterf.simulate.network.path import SECOND, Path
from netinterf.simulate.network.routers import NoUdp, Refuses
from netinterf.simulate.plays.benign_tcp import Setup, look_alikes
from netinterf.simulate.plays.quic_promises import BROKEN, KEPT, ask_ahead
from netinterf.simulate.plays.quic_visits import quic_visit

__all__ = ["PLAYS"]


def call(
    setup: Setup, path: Path, begin: float, *, look_alike: bool = True, server_mode: str = "plain", **how: Any
) -> None:
    """Schedule a QUIC visit to the server of the setup."""
    fixed = {"server_mode": server_mode, **how.pop("fixed", {})}
    habits = draw_habits(setup.rng, **fixed)
    stacks = (setup.stack, setup.host)
    name = how.pop("name", setup.name)
    quic_visit(setup.scene, path, setup.server, name, begin, habits=habits, stacks=stacks, look_alike=look_alike, **how)


def call_elsewhere(setup: Setup) -> None:
    """Schedule QUIC visits to a server where all is well, in half of the captures."""
    scene, rng = setup.scene, setup.rng
    if setup.chance(0.5):
        path, server, name = scene.lay_path(setup.shared), scene.servers(1)[0], scene.names(1)[0]
        for begin in setup.times(1, 3):
            quic_visit(scene, path, server, name, begin, habits=draw_habits(rng), stacks=(setup.stack, setup.host))


def server_without_quic(setup: Setup) -> None:
    """A server's firewall drops QUIC silently; clients repeat their Initials and go on over TCP."""
    ask_ahead(setup.scene, {setup.name: setup.server}, BROKEN)
    call_elsewhere(setup)
    path = setup.path()
    for begin in setup.times(2, 5):
        call(setup, path, begin, server_mode="deaf", fallback=0.9)


def quic_port_closed(setup: Setup) -> None:
    """Nobody listens for QUIC: the host answers Initials with ICMP port unreachable, clients go on over TCP."""
    ask_ahead(setup.scene, {setup.name: setup.server}, BROKEN)
    call_elsewhere(setup)
    refuses = NoUdp(Refuses(setup.server, "port", ttl=setup.choice(64, 128, 255)))
    path = setup.path(door=[refuses])
    for begin in setup.times(2, 5):
        call(setup, path, begin, fallback=1.0)


def network_without_udp(setup: Setup) -> None:
    """An office's network lets no QUIC out at all, silently or with ICMP; every name works over TCP."""
    says = Refuses(setup.scene.servers(1)[0], "prohibited") if setup.chance(0.3) else None
    path = setup.path(NoUdp(says), where=0.1)
    names = setup.scene.names(3)
    ask_ahead(setup.scene, dict.fromkeys(names, setup.server), KEPT)
    for begin in setup.times(3, 7):
        call(setup, path, begin, name=names[int(setup.rng.integers(3))], fallback=1.0)


def version_negotiation(setup: Setup) -> None:
    """A server does not speak the client's version and says which it does; the client begins anew or over TCP."""
    ask_ahead(setup.scene, {setup.name: setup.server}, KEPT)
    path = setup.path()
    for begin in setup.times(2, 5):
        call(setup, path, begin, server_mode="negotiate", fixed={"version": quic.V2})
    call(setup, setup.path(), setup.log_uniform(1e8, 3e9), look_alike=False)


def address_validation(setup: Setup) -> None:
    """A server under load first sends Retry: the client's second Initial has other keys and a token."""
    path = setup.path()
    for begin in setup.times(2, 5):
        call(setup, path, begin, server_mode="retry")


def large_datagrams_lost(setup: Setup) -> None:
    """A tunnel drops datagrams of Initial size and says nothing: QUIC never works there, small TCP segments do."""
    ask_ahead(setup.scene, {setup.name: setup.server}, KEPT)
    call_elsewhere(setup)
    setup.neighbours = 1
    path = setup.path(MtuHole(int(setup.rng.integers(1100, 1220)), "both"))
    for begin in setup.times(2, 5):
        call(setup, path, begin, fallback=0.7)


def translator_rebinds(setup: Setup) -> None:
    """A translator gives a quiet connection another port; to the server the client seems to move."""
    box = Rebinding(setup.scene.world, setup.log_uniform(2e8, 2e9), setup.scene.servers(1)[0])
    path = setup.path(box, luck=0.0)
    for begin in setup.times(3, 6):
        call(setup, path, begin)


def server_gone_mid_transfer(setup: Setup) -> None:
    """A server or its network fails in mid transfer: QUIC and TCP to it fall silent together and come back later."""
    ask_ahead(setup.scene, {setup.name: setup.server}, KEPT)
    begin = setup.log_uniform(5e8, 3e9)
    end = begin + setup.log_uniform(5e9, 4e10)
    path = setup.path(door=[Outage(setup.scene.world, [(setup.now + int(begin), setup.now + int(end))])])
    for start in setup.rng.uniform(0, begin, int(setup.rng.integers(2, 6))):
        call(setup, path, float(start), fallback=0.5)
    setup.visit(path, begin + setup.log_uniform(1e8, 2e9))
    call(setup, path, end + SECOND, look_alike=False)


def lossy_initials(setup: Setup) -> None:
    """A poor link loses Initials and first flights: clients repeat them, some give QUIC up."""
    ask_ahead(setup.scene, {setup.name: setup.server}, KEPT)
    call_elsewhere(setup)
    path = setup.path(luck=1.0)
    path.far.burst, path.far.bad_for = float(setup.rng.uniform(0.1, 0.4)), int(setup.log_uniform(5e7, 2e9))
    for begin in setup.times(4, 8, gap=0.8 * SECOND):
        call(setup, path, begin)


PLAYS = (
    *look_alikes("quic", server_without_quic, quic_port_closed, version_negotiation, address_validation),
    *look_alikes("quic", translator_rebinds, server_gone_mid_transfer, lossy_initials),
    *look_alikes("quic", network_without_udp, large_datagrams_lost, vantages=("client",)),
)
