"""TLS answered with somebody else's certificate: by state roots, gateways, rewriting boxes, and a careful one."""

from functools import partial

import attrs
import numpy as np

from netinterf.simulate.boxes.interceptor import HandshakeMarker, Rewriter, halves
from netinterf.simulate.documented import LOOK_ALIKES, SYSTEMS
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.endpoint import connect
from netinterf.simulate.hosts.stack import Stack, draw_client, draw_server
from netinterf.simulate.messages import certificates as x509
from netinterf.simulate.messages.certificates import Authority, Recipe
from netinterf.simulate.messages.hellos import SHAPES
from netinterf.simulate.messages.tls import (
    application_data,
    certificate_flight,
    client_flight,
    client_hello,
    draw_shape,
    server_flight,
    tls_alert,
    tls_record,
)
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Leg, Path
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Conversation, Scene
from netinterf.simulate.talks import visit
from netinterf.values import define

__all__ = ["GATEWAY", "PLAYS", "STATE", "Plan", "Stage", "certified", "proxied"]

OWNERS = ("granite", "willow", "harbour", "meadow", "lantern", "saffron", "juniper", "cobalt", "marble", "thistle")
"""Second levels of names whose owners are unrelated, below the reserved top-level domain (RFC 2606)."""

UNKNOWN_CA = 48  # RFC 8446 §6.2
ROOM = 80
"""Bytes that a flight may vary by chance, and a CertificateStatus needs at least, when two are to be equally long."""


def certified(
    rng: np.random.Generator, hello: bytes, flight: bytes, *, wait: float = 0.0, refused: bool = False
) -> list[Turn]:
    """Write a TLS visit around a server's flight: key exchange, request, answer.

    Args:
        rng: Source of chance.
        hello: The ClientHello record.
        flight: What the server answers it.
        wait: ns before server turns that stand for somebody else being asked.
        refused: The client does not trust the certificate and closes with an alert.
    """
    think = wait + float(rng.exponential(5 * MILLISECOND))
    if refused:
        return [Turn(True, hello), Turn(False, flight, 2 * wait + think), Turn(True, tls_alert(UNKNOWN_CA))]
    finished = tls_record(20, b"\x01") + tls_record(22, rng.bytes(40))
    return [
        Turn(True, hello, float(rng.exponential(MILLISECOND))),
        Turn(False, flight, 2 * wait + think),
        Turn(True, client_flight(rng), float(rng.exponential(2 * MILLISECOND))),
        Turn(False, finished),
        Turn(True, application_data(rng, int(rng.integers(80, 700)))),
        Turn(False, application_data(rng, min(16_000, int(rng.lognormal(np.log(6_000), 0.8)))), think),
    ]


@define(eq=False, kw_only=True)
class Plan:
    """How one box intercepts."""

    issuers: tuple[str, ...]  # names that its authority may have
    recipe: Recipe
    by: str = "proxy"  # proxy (ends connections) or rewriting
    modern: bool = False  # TLS 1.3 on both sides: no certificate in the clear
    one_key: bool = False  # all its certificates have one key
    refused: float = 0.0  # share of the clients that do not trust it
    copies: bool = False  # imitates the genuine chain: names of the issuer, validity, serial number


@define(eq=False)
class Stage:
    """Servers with genuine chains, and the box."""

    scene: Scene
    plan: Plan
    authorities: list[Authority]
    authority: Authority
    key: object
    chains: dict[str, tuple[bytes, ...]] = attrs.field(factory=dict)
    recipes: dict[str, Recipe] = attrs.field(factory=dict)
    issuers: dict[str, Authority] = attrs.field(factory=dict)

    def chain(self, name: str) -> tuple[bytes, ...]:
        """Give the genuine chain of a name."""
        rng, now = self.scene.rng, self.scene.world.now
        if name not in self.chains:
            recipe = Recipe(
                days=int(rng.choice([90, 90, 365, 398])), age=float(rng.uniform(1, 80)),
                serial=int.from_bytes(rng.bytes(15), "big") | 1,
            )  # fmt: skip
            issuer = self.authorities[int(rng.integers(len(self.authorities)))]
            others = [f"www.{name}", f"api.{name}", f"cdn.{name}"][: int(rng.integers(0, 4))]
            self.recipes[name], self.issuers[name] = recipe, issuer
            self.chains[name] = x509.issue(issuer, rng, [name, *others], now, recipe)
        return self.chains[name]

    def false_chain(self, name: str) -> tuple[bytes, ...]:
        """Give the box's chain for a name."""
        self.chain(name)
        rng, now, plan, true = self.scene.rng, self.scene.world.now, self.plan, self.recipes[name]
        recipe, authority = plan.recipe, self.authority
        if recipe.bare:  # Kazakhstan: validity moved by hours, the last 33 bits of the serial number anew
            serial = true.serial >> 33 << 33 | int(rng.integers(1, 2**33))
            recipe = attrs.evolve(recipe, days=true.days, age=true.age - 0.25 * int(rng.choice([1, 4])), serial=serial)
        if plan.copies:
            recipe, authority = true, x509.double(self.issuers[name], rng, now)
        return x509.issue(authority, rng, [name], now, recipe, public_key=self.key if plan.one_key else None)

    def flight(self, chain: tuple[bytes, ...], size: int = 0) -> bytes:
        """Write a server's flight with a chain, or one of TLS 1.3."""
        rng = self.scene.rng
        if self.plan.modern:
            return server_flight(rng, sum(map(len, chain)) + 400)
        return certificate_flight(rng, chain, size=size)


def unrelated(scene: Scene, count: int) -> list[str]:
    """Draw names that have nothing to do with each other: each has a domain of its own."""
    names = scene.names(count)
    zones = scene.rng.permutation(len(OWNERS))[:count]
    return [f"{name.split('.')[0]}.{OWNERS[zone]}.example" for name, zone in zip(names, zones, strict=True)]


def set_stage(scene: Scene, plan: Plan) -> Stage:
    """Make the authorities of one run."""
    rng, now = scene.rng, scene.world.now
    public = [x509.draw_authority(rng, now, x509.PUBLIC) for _ in range(int(rng.integers(1, 4)))]
    own = x509.draw_authority(rng, now, plan.issuers, intermediate=bool(plan.copies or rng.random() < 0.7))
    return Stage(scene, plan, public, own, x509.draw_key(rng).public_key())


def untouched(stage: Stage, path: Path, place: Address, name: str, begin: float, stacks: tuple[Stack, Stack]) -> None:
    """Schedule a visit that nobody intercepts."""
    rng = stage.scene.rng
    hello = client_hello(name, rng, shape=draw_shape(rng))
    script = certified(rng, hello, stage.flight(stage.chain(name)))
    visit(stage.scene, path, place, name, begin, stacks=stacks, script=script)


def proxied(
    stage: Stage, path: Path, place: Address, name: str, begin: float, stacks: tuple[Stack, Stack], *,
    client: tuple[Address, int] | None = None, box: Stack | None = None,
) -> None:  # fmt: skip
    """Schedule a visit that a proxy ends: it talks to the server with a hello of its own.

    Args:
        stage: Servers, and who intercepts.
        path: The way to the server, with a rewriter where the proxy stands.
        place: Address of the server.
        name: Who is wanted there.
        begin: When, ns from now.
        stacks: Habits of client and server host.
        client: Address and port of the client; the scene's own and the next port when left out.
        box: Habits of the proxy's host; drawn when left out.
    """
    scene, rng, plan = stage.scene, stage.scene.rng, stage.plan
    subject = scene.converse(Conversation("flow", "tcp", name))
    first, second = halves(path, rewriter(path))
    box = box or draw_server(rng)
    there = 2.0 * sum(part.delay for part in second.parts if isinstance(part, Leg))
    false = stage.flight(stage.false_chain(name))
    hello = client_hello(name, rng, shape=draw_shape(rng))
    own = client_hello(
        name, rng, shape=SHAPES["openssl" if plan.modern else str(rng.choice(["box", "tls12", "openssl"]))]
    )
    refused = rng.random() < plan.refused
    near = certified(rng, hello, false, wait=there, refused=refused)
    far = certified(rng, own, stage.flight(stage.chain(name)))
    source = client or (scene.client, scene.next_port())
    second.parts.insert(0, HandshakeMarker(world=scene.world, outbound=True, subject=subject, marked=len(own)))
    ask = partial(
        connect, second, client=source, server=(place, 443), stacks=(box, stacks[1]), subject=subject, script=far,
        apps=(App(ending=Ending.CLOSE), App()),
    )  # fmt: skip
    first.parts.append(
        HandshakeMarker(world=scene.world, outbound=False, subject=subject, marked=len(false), heard=ask)
    )
    apps = (App(ending=Ending.CLOSE), App()) if refused or rng.random() < 0.6 else (App(), App(ending=Ending.CLOSE))
    scene.world.after(
        begin,
        partial(connect, first, client=source, server=(place, 443), stacks=(stacks[0], box), subject=subject,
                script=near, apps=apps),
    )  # fmt: skip


def rewriter(path: Path) -> Rewriter:
    """Find the box on a path."""
    return next(part for part in path.parts if isinstance(part, Rewriter))


def rewritten(stage: Stage, path: Path, place: Address, name: str, begin: float, stacks: tuple[Stack, Stack]) -> None:
    """Schedule a visit whose handshake is rewritten in passing, in both directions."""
    rng = stage.scene.rng
    true, false = stage.chain(name), stage.false_chain(name)
    size = (
        max(len(certificate_flight(rng, true)), len(certificate_flight(rng, false))) + ROOM + int(rng.integers(0, 300))
    )
    hello = client_hello(name, rng, shape=draw_shape(rng, hybrid=False))
    own = client_hello(name, rng, shape=SHAPES["box"], size=len(hello))
    script = certified(rng, hello, certificate_flight(rng, true, size=size))
    subject = visit(stage.scene, path, place, name, begin, stacks=stacks, script=script)
    box = rewriter(path)
    if len(own) == len(hello):
        box.swaps[subject, True] = own
    box.swaps[subject, False] = certificate_flight(rng, false, size=size)


def intercepted(scene: Scene, *, plan: Plan, listed: bool) -> None:
    """Visit names of which some, or all but some, are intercepted.

    Args:
        scene: Where it happens.
        plan: How.
        listed: Only a few names are; otherwise all but a few.
    """
    rng = scene.rng
    stage = set_stage(scene, plan)
    known = unrelated(scene, int(rng.integers(5, 9)))
    few = set(known[: int(rng.integers(1, 3))])
    struck = few if listed else set(known) - few
    places = dict(zip(known, scene.servers(len(known)), strict=True))
    stack, where, middle = draw_client(rng), float(rng.uniform(0.03, 0.6)), bool(rng.random() < 0.6)
    plan_of_day = [*known, *sorted(struck), *known[: int(rng.integers(0, 4))]]
    hosts = {name: draw_server(rng) for name in known}
    begin = 0.0
    for order in rng.permutation(len(plan_of_day)):
        name = plan_of_day[order]
        path = scene.lay_path([Rewriter(scene.world)], where=where, middle=middle)
        begin += float(rng.exponential(1.2 * SECOND))
        if name not in struck:
            untouched(stage, path, places[name], name, begin, (stack, hosts[name]))
        elif plan.by == "rewriting":
            rewritten(stage, path, places[name], name, begin, (stack, hosts[name]))
        else:
            proxied(stage, path, places[name], name, begin, (stack, hosts[name]))


def generic(scene: Scene) -> None:
    """Draw who intercepts, and how."""
    rng = scene.rng
    plan = Plan(
        issuers=x509.NATIONAL if rng.random() < 0.5 else x509.GATEWAYS, by=str(rng.choice(["proxy", "rewriting"])),
        recipe=Recipe(
            days=int(rng.choice([30, 90, 365, 825, 3650])), age=float(rng.choice([0.5, 1, 30, 300])), scts=False,
            informed=bool(rng.random() < 0.5), exponent=int(rng.choice([0, 3, 65_537])),
        ),
        one_key=bool(rng.random() < 0.4), refused=float(rng.choice([0, 0, 0.3, 0.8])),
    )  # fmt: skip
    intercepted(scene, plan=plan, listed=bool(rng.random() < 0.5))


def on_the_host(scene: Scene) -> None:
    """Visit names while a filter on the host answers TLS, seen where programs talk to it; HTTP is let through."""
    rng = scene.rng
    recipe = Recipe(days=int(rng.choice([365, 398])), scts=False, informed=False)
    stage = set_stage(scene, Plan(issuers=x509.ANTIVIRUS, recipe=recipe, one_key=bool(rng.random() < 0.5)))
    stack, begin = draw_client(rng), 0.0
    known = unrelated(scene, int(rng.integers(4, 8)))
    for name, place in zip(known, scene.servers(len(known)), strict=True):
        begin += float(rng.exponential(1.5 * SECOND))
        web = scene.lay_path()
        if rng.random() < 0.3 or name == known[0]:
            visit(scene, web, place, name, begin, port=80, stacks=(stack, draw_server(rng)))
            continue
        delay = int(rng.integers(8_000, 60_000))
        inside = Path(scene.world, [Leg(delay, hops=0), scene.tap, Leg(delay, hops=0)])
        wait = 2.0 * sum(part.delay for part in web.parts if isinstance(part, Leg))
        script = certified(rng, client_hello(name, rng), stage.flight(stage.false_chain(name)), wait=wait)
        visit(scene, inside, place, name, begin, stacks=(stack, stack), script=script, look_alike=True)


def two_authorities(scene: Scene) -> None:
    """Visit names whose front ends have certificates of different issuers."""
    rng, now = scene.rng, scene.world.now
    stage = set_stage(scene, Plan(issuers=x509.PUBLIC, recipe=Recipe()))
    stack, begin = draw_client(rng), 0.0
    for order, name in enumerate(scene.names(int(rng.integers(3, 6)))):
        for place in scene.servers(2):
            begin += float(rng.exponential(1.5 * SECOND))
            chain = stage.chain(name)
            if order < 2:
                chain = x509.issue(x509.draw_authority(rng, now, x509.PUBLIC), rng, [name], now)
            script = certified(rng, client_hello(name, rng), stage.flight(chain))
            visit(
                scene, scene.lay_path(), place, name, begin, stacks=(stack, draw_server(rng)), script=script,
                look_alike=order < 2,
            )  # fmt: skip


def scenario(system: str, form: str, plan: Plan, *, listed: bool, says: str = "") -> Scenario:
    """Write one entry of the list."""
    play = partial(intercepted, plan=plan, listed=listed)
    return Scenario(
        f"tls.interception.{form}",
        says or SYSTEMS[system].says,
        "tls.interception",
        play,
        ANYWHERE,
        system=system,
        family="tls",
    )


STATE = Plan(issuers=x509.NATIONAL, recipe=Recipe(bare=True, exponent=3), by="rewriting", refused=0.0)
GATEWAY = Plan(issuers=x509.GATEWAYS, recipe=Recipe(days=365, scts=False, informed=False), one_key=True, refused=0.1)
PLAYS = (
    scenario("kz.qaznet-2019", "kazakhstan", STATE, listed=True),
    scenario("kz.qaznet-2019", "kazakhstan-proxy", attrs.evolve(STATE, by="proxy", refused=0.4), listed=True),
    scenario("generic", "gateway", GATEWAY, listed=False, says="A gateway opens all TLS but that of spared names."),
    scenario("generic", "modern", attrs.evolve(GATEWAY, modern=True, refused=0.0), listed=False,
             says="A gateway opens TLS 1.3: no certificate can be seen."),
    Scenario("tls.interception.generic", "Somebody opens some or most TLS in some way.", "tls.interception", generic,
             ANYWHERE, system="generic", family="tls"),
    scenario("adaptive", "adaptive", attrs.evolve(STATE, copies=True, recipe=Recipe()), listed=True,
             says="A rewriting box imitates the genuine chain but for its keys."),
    Scenario("benign.tls.local-antivirus", LOOK_ALIKES["local-antivirus"].says, None, on_the_host, ("client",),
             confounder="local-antivirus", family="benign.tls"),
    Scenario("benign.tls.two-authorities", LOOK_ALIKES["two-authorities"].says, None, two_authorities, ANYWHERE,
             confounder="two-authorities", family="benign.tls"),
)  # fmt: skip
