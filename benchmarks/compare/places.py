"""The same names asked for from two places: one with a censor, or with bad luck of some kind, and one without."""

from collections.abc import Callable, Iterator
from functools import partial

import attrs
import numpy as np

from netinterf.simulate import Conditions, Scenario, Simulated
from netinterf.simulate.boxes.answers import QueryDropper
from netinterf.simulate.boxes.forger import Forger, Rule, burst
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.matchers import hello_names, hosts, quic_names
from netinterf.simulate.boxes.silencer import DOWN, UP, Blackhole, Silencer
from netinterf.simulate.boxes.triggers import says
from netinterf.simulate.catalogue import perform
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.messages.quic import V1, V2
from netinterf.simulate.messages.tls import tls_alert
from netinterf.simulate.network.packet import ACK, RST, Address, Packet, address
from netinterf.simulate.network.path import EPOCH, SECOND, Onward, Station, World
from netinterf.simulate.plays.dns_setup import draw_zone, make_setup
from netinterf.simulate.plays.quic_visits import quic_visit
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import ordinary_apps, visit, web_script

__all__ = ["HOUR", "KINDS", "UNTOLD", "Kind", "Pair", "draw_pair", "play_pair"]

HOUR = 3600 * SECOND


@attrs.frozen(eq=False)
class Pair:
    """What both places share: names, where they live, which of them is in trouble, when they are asked for."""

    seed: int
    places: dict[str, Address]
    troubled: frozenset[str]
    apart: int  # ns between the two captures
    tries: int  # least attempts at each name

    @property
    def servers(self) -> frozenset[Address]:
        """Addresses of the troubled names."""
        return frozenset(self.places[name] for name in self.troubled)


@attrs.frozen(eq=False)
class Kind:
    """One kind of pair."""

    name: str
    blocked: bool  # whether the troubled names are blocked here
    play: Callable[[Scene, Pair, bool], None]  # the last tells the place in question from the control
    alone: bool = False  # troubled names share no server with others
    says: str = ""


def draw_pair(seed: int, *, alone: bool) -> Pair:
    """Draw what both places share."""
    rng = np.random.default_rng([seed, 8])
    count = int(rng.integers(6, 11))
    names = [f"site{number}.example.{zone}" for number, zone in enumerate(rng.choice(["com", "net", "org"], count))]
    hosts_of = rng.permutation(np.arange(1, 255))[:count]
    places = {name: address(f"198.51.100.{host}") for name, host in zip(names, hosts_of, strict=True)}
    troubled = names[: int(rng.integers(1, 3))]
    if not alone and rng.random() < 0.7:  # a delivery network: a harmless name at the same address
        places[names[-1]] = places[troubled[0]]
    apart = int(rng.choice([0, 2, 24 * 7])) * HOUR
    return Pair(seed, places, frozenset(troubled), apart, int(rng.integers(1, 4)))


def play_pair(kind: Kind, seed: int) -> tuple[Pair, Simulated, Simulated]:
    """Play both places: the one in question, and the control."""
    pair = draw_pair(seed, alone=kind.alone)
    both = []
    for here in (True, False):
        play = Scenario(f"{kind.name}.{here}", kind.says, None, partial(_staged, kind=kind, pair=pair, here=here))
        both.append(perform(play, seed, Conditions.clean(vantage="client", luck=0.3)))
    return pair, both[0], both[1]


def _staged(scene: Scene, *, kind: Kind, pair: Pair, here: bool) -> None:
    """Set the clock, and play one place."""
    scene.world.now = scene.world.begin = EPOCH + pair.seed * 24 * HOUR + (0 if here else pair.apart)
    kind.play(scene, pair, here)


def plan(scene: Scene, pair: Pair) -> Iterator[tuple[str, float]]:
    """Plan attempts: some of each name, spread over ten minutes."""
    rng = scene.rng
    for name in pair.places:
        for _ in range(int(rng.integers(pair.tries, pair.tries + 3))):
            yield name, float(rng.uniform(0, 600)) * SECOND


@attrs.define(eq=False)
class Fading:
    """Loses packets whatever they are: at random, and all of them now and then."""

    world: World
    share: float
    outages: tuple[tuple[float, float], ...] = ()  # seconds from the begin

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass, or lose it."""
        since = (self.world.now - self.world.begin) / SECOND
        out = any(begin <= since < end for begin, end in self.outages)
        return [] if out or self.world.chance.random() < self.share else [(0, outbound, packet)]


# --- visits ---


def web(
    scene: Scene, pair: Pair, here: bool, *, boxes: Callable[[Scene, Pair], list[Station]] | None = None,
    both: bool = False, port: int = 443, refuses: str = "",
) -> None:  # fmt: skip
    """Visit all names over TCP.

    Args:
        scene: Where it happens.
        pair: What both places share.
        here: Whether it is the place in question.
        boxes: What stands in the way here.
        both: It stands there as well.
        port: 443 for TLS, 80 for HTTP.
        refuses: How the servers of troubled names turn this place away.
    """
    rng, acts = scene.rng, here or both
    stations = boxes(scene, pair) if boxes is not None and acts else []
    paths = {place: scene.lay_path(stations, where=0.3) for place in dict.fromkeys(pair.places.values())}
    stack, far = draw_client(rng), {place: draw_server(rng) for place in paths}
    for name, begin in plan(scene, pair):
        place, script, apps = pair.places[name], web_script(rng, name, port), ordinary_apps(rng, port)
        apps = attrs.evolve(apps[0], patience=float(rng.uniform(8, 25)) * SECOND), apps[1]
        if refuses and acts and name in pair.troubled:
            script, apps = refused(refuses, script, apps)
        visit(scene, paths[place], place, name, begin, port=port, stacks=(stack, far[place]), script=script, apps=apps)


def refused(how: str, script: list[Turn], apps: tuple[App, App]) -> tuple[list[Turn], tuple[App, App]]:
    """Let a server turn a request away."""
    hello = script[0]
    page = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\nConnection: close\r\n\r\nForbidden"
    if how == "page":
        return [hello, Turn(False, page)], (apps[0], App(ending=Ending.CLOSE))
    if how == "alert":
        return [hello, Turn(False, tls_alert(112))], (App(), App(ending=Ending.CLOSE))
    if how == "reset":
        return [hello, Turn(False, b"never")], (apps[0], App(ending=Ending.ABORT, abort_at=60))
    return [hello, Turn(False, b"never", 1000 * SECOND)], apps


def datagrams(
    scene: Scene, pair: Pair, here: bool, *, boxes: Callable[[Scene, Pair], list[Station]] | None = None
) -> None:
    """Visit all names over QUIC."""
    stations = boxes(scene, pair) if boxes is not None and here else []
    paths = {place: scene.lay_path(stations, where=0.3) for place in dict.fromkeys(pair.places.values())}
    for name, begin in plan(scene, pair):
        quic_visit(scene, paths[pair.places[name]], pair.places[name], name, begin, fallback=0.0)


def lookups(
    scene: Scene, pair: Pair, here: bool, *, boxes: Callable[[Scene, Pair], list[Station]] | None = None,
    behaviour: Callable[[Pair], dict[str, object]] | None = None,
) -> None:  # fmt: skip
    """Look all names up at one resolver."""
    stations = boxes(scene, pair) if boxes is not None and here else []
    names = list(pair.places)
    setup = make_setup(
        scene, stations, known=names, zone=draw_zone(scene, names), place=address("9.9.9.9"),
        behaviour=behaviour(pair) if behaviour is not None and here else None, habits={"six": 0.0, "https": 0.0},
    )  # fmt: skip
    for name, begin in plan(scene, pair):
        setup.stub.look_up(name, begin)


# --- boxes ---


def silencer(scene: Scene, pair: Pair, *, way: frozenset[bool] = UP, share: float = 1.0) -> list[Station]:
    """Silence listed names over TLS and HTTP."""
    tls, http = hello_names(pair.troubled), hosts(pair.troubled)
    matches = lambda packet, stream: tls(packet, stream) or http(packet, stream)  # noqa: E731
    spares = (lambda packet: not packet.payload) if way is DOWN else (lambda _: False)
    return [Silencer(world=scene.world, matches=matches, directions=way, share=share, spares=spares)]


def quic_silencer(scene: Scene, pair: Pair) -> list[Station]:
    """Silence listed names over QUIC."""
    matches = quic_names(pair.troubled, frozenset({V1, V2}), joined=True, upward=False)
    return [Silencer(world=scene.world, matches=matches, mechanism="quic.drop", lasts=(1.8e12, 1.8e12))]


def resetter(scene: Scene, pair: Pair) -> list[Station]:
    """Reset listed names with packets whose headers give nothing away but their time."""
    words = frozenset(name.encode() for name in pair.troubled)
    form = Handwriting(ttl_rule="mirror", id_rule="zero", delay=float(scene.rng.lognormal(np.log(3e6), 0.5)))
    return [Forger(scene.world, (Rule(when=says(words), mechanism="tcp.reset", bursts=(burst(form, (RST | ACK,)),)),))]


def swallower(scene: Scene, pair: Pair) -> list[Station]:
    """Swallow lookups of listed names."""
    return [QueryDropper(world=scene.world, names=pair.troubled)]


def hole(scene: Scene, pair: Pair) -> list[Station]:
    """Swallow all packets to the addresses of listed names: a firewall's or a server's own way, too."""
    return [Blackhole(world=scene.world, applies=lambda place, _: place in pair.servers)]


def outage(scene: Scene, pair: Pair) -> list[Station]:
    """Let the servers of troubled names be down from some moment on."""
    since = scene.world.begin + int(float(scene.rng.uniform(0, 400)) * SECOND)
    down = lambda place, _: place in pair.servers and scene.world.now >= since  # noqa: E731
    return [Blackhole(world=scene.world, applies=down)]


def lossy(scene: Scene, _: Pair) -> list[Station]:
    """Lose a tenth to a third of all packets on the client's own line."""
    return [Fading(scene.world, float(scene.rng.uniform(0.1, 0.35)))]


def roaming(scene: Scene, _: Pair) -> list[Station]:
    """Lose everything for half a minute, several times."""
    begins = scene.rng.uniform(0, 560, 5)
    return [Fading(scene.world, 0.005, tuple((float(at), float(at) + 35.0) for at in begins))]


KINDS = (
    Kind("hello swallowed", True, partial(web, boxes=silencer)),
    Kind("answer swallowed", True, partial(web, boxes=partial(silencer, way=DOWN))),
    Kind("swallowed mostly", True, partial(web, boxes=partial(silencer, share=0.6))),
    Kind("HTTP swallowed", True, partial(web, boxes=silencer, port=80)),
    Kind("reset", True, partial(web, boxes=resetter)),
    Kind("QUIC swallowed", True, partial(datagrams, boxes=quic_silencer)),
    Kind("lookup swallowed", True, partial(lookups, boxes=swallower)),
    Kind("address swallowed", True, partial(web, boxes=hole), alone=True),
    Kind("nothing", False, web),
    Kind("nothing, QUIC", False, datagrams),
    Kind("nothing, DNS", False, lookups),
    Kind("down on both sides", False, partial(web, boxes=hole, both=True), alone=True),
    Kind("names silent on both sides", False, partial(web, refuses="silence", both=True)),
    Kind("outage here", False, partial(web, boxes=outage), alone=True),
    Kind("lossy line", False, partial(web, boxes=lossy)),
    Kind("lossy line, QUIC", False, partial(datagrams, boxes=lossy)),
    Kind("lossy line, DNS", False, partial(lookups, boxes=lossy)),
    Kind("line out at times", False, partial(web, boxes=roaming)),
    Kind("refused by page", False, partial(web, refuses="page", port=80)),
    Kind("refused by alert", False, partial(web, refuses="alert")),
    Kind("refused by reset", False, partial(web, refuses="reset")),
    Kind("resolver deaf at times", False, partial(lookups, behaviour=lambda _: {"deaf": 0.3})),
    Kind("resolver out", False, partial(lookups, behaviour=lambda _: {"dead": (1e11, 4e11)})),
)
"""Pairs by what is the matter here."""

UNTOLD = Kind("refused by silence", False, partial(web, refuses="silence"))
"""A server that meets a name with silence where it does not like the place: nobody at a client can tell it from a
block, so it is counted apart."""
