"""Requests with growing hop limits: tools that search for the router beyond which something dies (CenTrace).

They open a connection as usual, send one request that may expire on the way, wait, and close; nothing is sent again.
"""

import numpy as np

from netinterf.simulate.boxes.forger import Forger
from netinterf.simulate.boxes.matchers import hosts
from netinterf.simulate.boxes.silencer import BOTH, UP, Silencer
from netinterf.simulate.hosts.actor import Actor, ended
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.endpoint import Endpoint
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.messages.http import http_request, notice_page
from netinterf.simulate.network.oddities import BusyHost
from netinterf.simulate.network.outages import Outage
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, SYN, Address, Packet
from netinterf.simulate.network.path import SECOND, Leg, Path, Station
from netinterf.simulate.network.proxy import SynProxy
from netinterf.simulate.network.routers import Routers
from netinterf.simulate.plays.benign_tcp import Setup, look_alikes
from netinterf.simulate.plays.http_pages import any_page, raced
from netinterf.simulate.plays.tcp_stage import Targets
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Conversation, Scene
from netinterf.values import define

__all__ = ["PLAYS"]

MSS = b"\x02\x04\x05\xb4"
PORT = 80


@define(eq=False)
class Prober:
    """One probe: what it does with what it hears."""

    request: bytes
    spent: int  # hop limit of the request
    slow: tuple[float, float]  # ns before it acknowledges the greeting, and before it asks
    patience: float  # ns
    behind: bool  # its end follows the request; else it counts as if none had been sent
    heard: int = 0  # next byte of the server, 0 before its greeting
    answered: bool = False
    over: bool = False

    def react(self, actor: Actor, packet: Packet) -> None:
        """Greet and ask once; acknowledge what comes."""
        if packet.flags & RST:
            self.over = True
        elif packet.flags & SYN:
            if not self.heard:
                self.heard = ended(packet)
                actor.path.world.after(self.slow[0], self.ask, actor)
        elif packet.payload or packet.flags & FIN:
            self.answered |= bool(packet.payload)
            self.heard = ended(packet)
            actor.send(ACK, actor.isn + 1 + len(self.request) * self.delivered + self.over, self.heard)

    @property
    def delivered(self) -> bool:
        """Whether its own numbers go on behind the request."""
        return self.behind or self.answered

    def ask(self, actor: Actor) -> None:
        """Finish the handshake and send the request, then lose patience."""
        actor.send(ACK, actor.isn + 1, self.heard)
        actor.later(self.slow[1], PSH | ACK, actor.isn + 1, self.heard, self.request, ttl=self.spent)
        actor.path.world.after(self.slow[1] + self.patience, self.leave, actor)

    def leave(self, actor: Actor) -> None:
        """Close, once."""
        if not self.over:
            self.over = True
            actor.send(FIN | ACK, actor.isn + 1 + len(self.request) * self.delivered, self.heard)


def way(scene: Scene, *boxes: Station) -> tuple[Path, int]:
    """Lay a path whose routers speak, with boxes between two rows of them; give it and the hops to its end."""
    rng = scene.rng
    rows = [int(rng.integers(3, 13)), int(rng.integers(2, 9))]
    routers = [
        Routers(scene.servers(count), int(rng.uniform(1e5, 4e6)), frozenset(rng.integers(1, count + 1, 1).tolist()))
        for count in rows
    ]
    path = scene.lay_path([routers[0], *boxes, routers[1]], luck=float(rng.random() < 0.3) * 0.5)
    for part in path.parts:
        if isinstance(part, Leg) and part.hops:
            part.hops = 1
    return path, sum(rows) + 3


def search(scene: Scene, path: Path, name: str, server: Address, limits: list[int], begin: float = 0.0) -> float:
    """Schedule one request for *name* with each of some hop limits; gives the time when all is over."""
    rng = scene.rng
    stack, host = draw_client(rng), draw_server(rng)
    slow = (float(rng.uniform(1e5, 9e8)), float(rng.uniform(1e5, 9e8)))
    patience, pause = float(rng.uniform(2.2, 4.5)) * SECOND, float(rng.uniform(0.5, 5)) * SECOND
    behind, request = bool(rng.random() < 0.5), http_request(name)
    page = notice_page(rng, ("It works!",), least=400)
    far = (server, PORT)
    for spent in limits:
        subject = scene.converse(Conversation("flow", "tcp", name, look_alike=True))
        near = (scene.client, scene.next_port())
        prober = Prober(request, spent, slow, patience, behind)

        def start(subject: int = subject, near: tuple[Address, int] = near, prober: Prober = prober) -> None:
            Endpoint(
                path=path, stack=host, outbound=False, local=far, remote=near, subject=subject,
                script=[Turn(True, request), Turn(False, page, 1e6)], app=App(ending=Ending.CLOSE),
            )  # fmt: skip
            actor = Actor(
                path=path, stack=stack, outbound=True, local=near, remote=far, subject=subject, react=prober.react
            )
            actor.send(SYN, actor.isn, options=MSS)

        scene.world.after(begin, start)
        begin += sum(slow) + patience + pause
    return begin


def limits_of(rng: np.random.Generator, hops: int) -> list[int]:
    """Draw the hop limits of a sweep: upwards, to some hops beyond the end or far beyond it, at times twice."""
    top = hops + int(rng.integers(3, 9)) if rng.random() < 0.75 else 2 * hops
    once = list(range(int(rng.integers(0, 3)), top))
    times = 1 if rng.random() < 0.7 else 2
    return once * times


def sweep(scene: Scene) -> None:
    """Search for the hop beyond which requests for a listed name vanish, and all that follows them."""
    rng = scene.rng
    listed, other = scene.names(2)
    box = Silencer(
        world=scene.world, matches=hosts(frozenset({listed})), lasts=(1.8e12, 1.8e12),
        directions=BOTH if rng.random() < 0.7 else UP,
    )  # fmt: skip
    path, hops = way(scene, box)
    server = scene.servers(1)[0]
    begin = search(scene, path, listed, server, limits_of(rng, hops))
    if rng.random() < 0.4:
        search(scene, path, other, server, limits_of(rng, hops), begin)


def page_sweep(scene: Scene) -> None:
    """Search for the box that answers requests for a listed name in the server's name, while the request goes on."""
    rng = scene.rng
    listed, other = scene.names(2)
    server = scene.servers(1)[0]
    rules = raced(Targets(rng, (listed,), frozenset({server})), any_page, resets=0.0)
    path, hops = way(scene, Forger(scene.world, rules))
    begin = search(scene, path, listed, server, limits_of(rng, hops))
    if rng.random() < 0.4:
        search(scene, path, other, server, limits_of(rng, hops), begin)


def request_sweep(setup: Setup) -> None:
    """A tool searches for a box with requests of growing hop limits and finds none: from some hop on answers come."""
    path, hops = way(setup.scene)
    search(setup.scene, path, setup.name, setup.server, limits_of(setup.rng, hops))


def sweep_meets_outage(setup: Setup) -> None:
    """A server stops listening in the middle of a tool's sweep; a firewall, or its own kernel, still greets."""
    scene, rng = setup.scene, setup.rng
    proxied = setup.chance(0.7)
    proxy = [SynProxy(scene.world, ttl=setup.choice(255, 64, 128), mss=1460)] if proxied else []
    path, hops = way(scene, *proxy)
    limits = limits_of(rng, hops)
    period = 7e9  # about the time of one probe
    fails = setup.now + int(rng.uniform(0, len(limits)) * period)
    lasts = int(1e13 if setup.chance(0.6) else rng.uniform(5, 30) * period)
    outage = Outage(scene.world, ((fails, fails + lasts),))
    deaf = BusyHost(scene.world, lambda packet: scene.world.now >= fails and not packet.flags & SYN, 1e13)
    path.parts.append(outage if proxied else deaf)
    search(scene, path, setup.name, setup.server, limits)


PLAYS = (
    Scenario("tcp.drop.sweep", str(sweep.__doc__), "tcp.drop", sweep, ("client",), system="generic", family="tcp"),
    Scenario(
        "http.blockpage.sweep",
        str(page_sweep.__doc__),
        "http.blockpage",
        page_sweep,
        ("client",),
        system="generic",
        family="http",
    ),
    *look_alikes("tcp", request_sweep, sweep_meets_outage, vantages=("client",)),
)
