"""Much ordinary traffic at once: downloads over lossy paths, visits, lookups; nobody interferes."""

from functools import partial

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.messages.tls import application_data, client_hello, server_flight
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path
from netinterf.simulate.plays.dns_setup import browse, make_setup
from netinterf.simulate.scenario import ENDS, Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import visit

__all__ = ["PLAYS", "traffic"]

PER_SEGMENT = 1.8
"""Packets on the wire for each segment of a download: itself, and acknowledgements for about every second one."""

VISIT = 22
"""Packets of an ordinary visit, about."""


def download(scene: Scene, path: Path, server: Address, name: str, records: bytes, begin: float) -> None:
    """Schedule a TLS connection that fetches *records*."""
    rng = scene.rng
    script = [
        Turn(True, client_hello(name, rng, size=517)),
        Turn(False, server_flight(rng, 3000), 2 * MILLISECOND),
        Turn(True, application_data(rng, 300)),
        Turn(False, records, float(rng.exponential(10 * MILLISECOND))),
    ]
    apps = (App(ending=Ending.CLOSE), App())
    visit(scene, path, server, name, begin, script=script, apps=apps)


def traffic(scene: Scene, packets: int = 2_000) -> None:
    """Download, visit and look names up until about *packets* were sent: 85, 12 and 3 in a hundred.

    Downloads go over paths that lose one packet in a hundred.
    """
    rng = scene.rng
    span = packets / 3_000 * SECOND
    size = min(4_000_000, int(0.15 * packets / PER_SEGMENT) * 1_448)
    count = max(1, round(0.85 * packets / (size / 1_448 * PER_SEGMENT)))
    many = min(60, 4 + packets // 1_000)
    places = list(zip(scene.servers(many), scene.names(many), strict=True))
    paths = {server: scene.lay_path() for server, _ in places}
    for server, _ in places[: many // 2]:
        paths[server].far.loss = 0.01
    records = application_data(rng, 16_401) * max(1, size // 16_406)
    for _ in range(count):
        server, name = places[int(rng.integers(many // 2))]
        download(scene, paths[server], server, name, records, float(rng.uniform(0, span)))
    stacks = {server: (draw_client(rng), draw_server(rng)) for server, _ in places}
    for _ in range(round(0.12 * packets / VISIT)):
        server, name = places[int(rng.integers(many // 2, many))]
        port = 80 if rng.random() < 0.15 else 443
        visit(scene, paths[server], server, name, float(rng.uniform(0, span)), port=port, stacks=stacks[server])
    setup = make_setup(scene)
    lookups = max(4, round(0.03 * packets / 3))
    plan = [setup.known[int(rng.integers(len(setup.known)))] for _ in range(lookups)]
    browse(setup.stub, plan, gap=span / lookups)


PLAYS = (
    Scenario(
        "benign.tcp.traffic", "Downloads over lossy paths, visits and lookups, side by side.", None,
        partial(traffic, packets=2_000), ENDS, family="benign.tcp",
    ),
)  # fmt: skip
