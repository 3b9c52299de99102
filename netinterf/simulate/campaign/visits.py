"""One run in one network: every name is looked up and visited once, at a time of its own, by one of the hosts there."""

from functools import partial
from math import cos, pi
from typing import Any

import attrs

from netinterf.simulate.boxes.interceptor import Rewriter
from netinterf.simulate.campaign.boxes import FORGED, INTERCEPTION, box, forgery_of
from netinterf.simulate.campaign.chains import genuine, stage
from netinterf.simulate.campaign.parameters import Seeds
from netinterf.simulate.campaign.state import Plan, State
from netinterf.simulate.campaign.topology import HTTP, QUIC, TLS, Network, Site
from netinterf.simulate.conditions import Conditions
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.dns_zone import Entry, Zone
from netinterf.simulate.hosts.quic_link import draw_habits as draw_quic_habits
from netinterf.simulate.hosts.resolver import Resolver, Rule
from netinterf.simulate.hosts.stack import Stack, draw_server
from netinterf.simulate.messages.dns import AAAA, A, address_bytes
from netinterf.simulate.messages.http import drawn_request, http_answer
from netinterf.simulate.messages.tls import certificate_flight, client_hello
from netinterf.simulate.network.outages import Outage
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Leg, Path, Station
from netinterf.simulate.plays.dns_lookups import Stub, Way, draw_habits
from netinterf.simulate.plays.dns_setup import WELL_KNOWN, draw_behaviour
from netinterf.simulate.plays.interception import Stage, certified, proxied
from netinterf.simulate.plays.quic_visits import quic_visit
from netinterf.simulate.plays.transfers import fetch_script
from netinterf.simulate.scene import Scene, Simulated
from netinterf.simulate.talks import ordinary_apps, visit, web_script
from netinterf.values import define

__all__ = ["PACE", "play"]

PACE = 3 * SECOND  # mean time between two names of a run
PUNCTUAL = 600 * SECOND  # within which runs of the same number begin everywhere
HOUR = 3_600 * SECOND
BUSY = 21  # o'clock, when lines are fullest

REFUSED = ("Unavailable For Legal Reasons", "This site is not available in your country.")


def play(plan: Plan, number: int, run: int) -> Simulated:
    """Play one run in one network.

    Args:
        plan: The campaign.
        number: Of the network, from 0.
        run: From 1.
    """
    who = plan.topology
    campaign, network = who.campaign, who.networks[number]
    state, rng = plan.state(network, run), campaign.chance(Seeds.RUN, number, run)
    conditions = Conditions.clean(vantage="client", capture_loss=state.amounts.get("recorder", 0.0))
    begin = who.start + (run - 1) * campaign.interval + int(rng.integers(PUNCTUAL))
    scene = Scene("campaign", campaign.seed, conditions, rng, begin=begin)
    tour = Tour(scene=scene, plan=plan, state=state, network=network)
    for site, time in zip(who.sites, rng.uniform(0, PACE * len(who.sites), len(who.sites)), strict=True):
        scene.world.after(float(time), tour.look_up, site)
    made = scene.finish()
    late = int(state.amounts.get("clock", 0.0) * SECOND)
    return attrs.evolve(made, times=[time + late for time in made.times]) if late else made


@define(eq=False, kw_only=True)
class Tour:
    """What the hosts of a network do in one run, and what stands on their ways."""

    scene: Scene
    plan: Plan
    state: State
    network: Network
    stations: list[Station] = attrs.field(factory=list)
    forged: tuple[Address, ...] = ()  # where forged answers lead
    interceptors: dict[str, Stage] = attrs.field(factory=dict)  # by name
    proxy: Stack = attrs.field(init=False)
    stubs: list[Stub] = attrs.field(init=False)
    paths: dict[tuple[Address, bool], Path] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        campaign, world, network = self.plan.topology.campaign, self.scene.world, self.network
        if out := self.state.amounts.get("line_out"):
            span = int(PACE * len(self.plan.topology.sites))
            begin = world.now + int(self.scene.rng.uniform(0, 1 - out) * span)
            self.stations.append(Outage(world, [(begin, begin + int(out * span) if out < 1 else 1 << 62)]))
        rules: dict[str, Rule] = {}
        for block in self.state.blocks:
            self.stations += box(campaign, world, block, frozenset({network.resolver}), public=network.public)
            if block.mechanism == INTERCEPTION:
                self.interceptors |= dict.fromkeys(block.names, stage(campaign, self.scene, block))
            elif block.mechanism in FORGED:
                forgery = forgery_of(campaign, block, public=network.public)
                self.forged += forgery.places
                if forgery.by_resolver and block.mechanism == "dns.forged":
                    rules |= dict.fromkeys(block.names, forgery.rule)
        own = campaign.chance(Seeds.NETWORKS, network.number, 0)
        self.proxy = draw_server(own)
        resolver = Resolver(
            world=world, place=(network.resolver, 53), stacks=(draw_server(own),), zone=self.zone(), rules=rules,
            behaviour=draw_behaviour(own), public=WELL_KNOWN,
        )  # fmt: skip
        delay, hops = own.uniform((8, 6), (40, 13)) if network.public else own.uniform((1.5, 1), (6, 4))
        way = Way(self.lay(int(delay * MILLISECOND), int(hops)), resolver)
        self.stubs = [
            Stub(scene=self.scene, habits=draw_habits(own), stack=stack, client=client, ways=[way])
            for client, stack in zip(network.clients, network.stacks, strict=True)
        ]

    def zone(self) -> Zone:
        """Say what the names hold in this run."""
        zone = {site.name: Entry(addresses=site.addresses) for site in self.plan.topology.sites}
        for name, form in self.state.gone.items():
            if form == "nxdomain":
                del zone[name]
            else:
                zone[name] = Entry(lame=True, mute=1.0)
        return zone

    # --- where ---

    def lay(self, delay: int, hops: int, *boxes: Station, lost: bool = False) -> Path:
        """Lay a way: the line of the network, what stands at its edge, and so many ns (one way) and hops more."""
        world, network = self.scene.world, self.network
        hour = world.now / HOUR % 24 + network.zone
        load = 1 + 0.6 * cos(2 * pi * (hour - BUSY) / 24)
        loss = min(0.5, network.loss * load + self.state.amounts.get("bad_line", 0.0))
        line = Leg(network.delay, network.hops, jitter=int(network.jitter * load), loss=loss, rate=1e8)
        far = Leg(delay, hops, jitter=delay // 500, loss=1.0 if lost else 0.0)
        return Path(world, [Leg(10_000, hops=0), self.scene.tap, line, *self.stations, *boxes, far])

    def path(self, place: Address, host: int, lost: bool) -> Path:
        """Give the way to an address; nothing that is *lost* arrives."""
        if (place, lost) not in self.paths:
            self.paths[place, lost] = self.lay(*self.plan.topology.way(self.network.number, host), lost=lost)
        return self.paths[place, lost]

    # --- what happens ---

    def look_up(self, site: Site) -> None:
        """Look a name up now, and go on with what the answer says."""
        rng = self.scene.rng
        who = int(rng.integers(len(self.stubs)))
        six = bool(self.network.clients_six) and any(place[0] for place in site.addresses) and bool(rng.random() < 0.4)
        kinds = (AAAA, A) if six else (A, AAAA)
        then = partial(self.follow, site, who, six)
        self.stubs[who].look_up(site.name, 0.0, kinds=kinds[: 1 + (rng.random() < 0.5)], then=then)

    def follow(self, site: Site, who: int, six: bool, answer: bytes) -> None:
        """Visit a name, over each of its transports, at the first address of an answer."""
        known = [place for place in (*site.addresses, *self.forged) if bool(place[0]) == six]
        places = {answer.find(address_bytes(*place)): place for place in known}
        found = sorted(at for at in places if at > 0)
        for order, transport in enumerate(site.over if found else ()):
            self.go(site, transport, who, places[found[0]], order * float(self.scene.rng.uniform(0.05, 1)) * SECOND)

    def go(self, site: Site, transport: str, who: int, place: Address, wait: float) -> None:
        """Visit a name over one transport at an address."""
        scene, network, rng = self.scene, self.network, self.scene.rng
        door = self.state.doors.get(place, "") if place in site.addresses else "silence"
        path = self.path(place, site.host, door == "silence")
        stacks = network.stacks[who], self.plan.topology.hosts[site.host].stack
        client = (network.clients_six if place[0] else network.clients)[who], scene.next_port()
        if transport == QUIC:
            deaf: dict[str, Any] = {"server_mode": "deaf"} if door in {"refused", "reset"} else {}
            quic_visit(
                scene, path, place, site.name, wait, stacks=stacks, client=client,
                habits=draw_quic_habits(rng, **deaf), fallback=0.0 if TLS in site.over else 0.7,
            )  # fmt: skip
        elif transport == TLS and site.name in self.interceptors and not door:
            way = self.plan.topology.way(network.number, site.host)
            path = self.lay(*way, Rewriter(scene.world))
            proxied(
                self.interceptors[site.name], path, place, site.name, wait, stacks, client=client, box=self.proxy
            )  # fmt: skip
        else:
            visit(
                scene, path, place, site.name, wait, port=80 if transport == HTTP else 443, stacks=stacks,
                client=client, apps=self.apps(transport, door), script=self.script(site, transport, door),
            )  # fmt: skip

    def apps(self, transport: str, door: str) -> tuple[App, App]:
        """Give programs that lose patience, and a server that does what its door says."""
        rng = self.scene.rng
        client, server = ordinary_apps(rng, 80 if transport == HTTP else 443)
        client = attrs.evolve(client, patience=float(rng.uniform(6, 20)) * SECOND, resets=bool(rng.random() < 0.3))
        ending = {"refused": Ending.REFUSE, "reset": Ending.RESET}.get(door, server.ending)
        return client, attrs.evolve(server, ending=ending, patience=60.0 * SECOND)

    def script(self, site: Site, transport: str, door: str) -> list[Turn]:
        """Write what is said: a page or a file, a refusal, or only the client's first words."""
        rng = self.scene.rng
        if transport == HTTP:
            script = web_script(rng, site.name, 80)
            return self.refusal(site.name) if door == "page" else script[:1] if door == "reset" else script
        hello = client_hello(site.name, rng)
        if door == "reset":
            return [Turn(True, hello)]
        if site.visible:
            chain = genuine(self.plan.topology.campaign, site.number).chain
            return certified(rng, hello, certificate_flight(rng, chain))
        return fetch_script(rng, site.name, site.size) if site.size else web_script(rng, site.name, 443)

    def refusal(self, name: str) -> list[Turn]:
        """Write a request and the page with which a site turns a country away."""
        rng = self.scene.rng
        status = int(rng.choice([403, 451]))
        title, says = REFUSED
        body = f"<html><head><title>{title}</title></head><body><p>{says}</p></body></html>\n".encode()
        fields = (("Server", "nginx"), ("Content-Type", "text/html"))
        return [Turn(True, drawn_request(rng, name)), Turn(False, http_answer(status, body, fields), 2e6)]
