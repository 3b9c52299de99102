"""DNS over networks that repeat, translate, balance and reroute, and stubs with habits; nobody interferes."""

from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.stack import Identifiers, Stack, draw_client, draw_server
from netinterf.simulate.messages.dns import AAAA, A, dns_message
from netinterf.simulate.network.nat import Normalizer, Translator
from netinterf.simulate.network.packet import Packet, address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Onward, World
from netinterf.simulate.plays.dns_lookups import Stub, Way, draw_habits
from netinterf.simulate.plays.dns_setup import add_resolver, browse, draw_zone, host_names, make_setup
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Conversation, Scene
from netinterf.values import define

__all__ = ["PLAYS", "benign", "some"]


def some(rng: np.random.Generator, names: list[str]) -> list[str]:
    """Pick a few of the names to play the look-alike."""
    return names[: int(rng.integers(2, max(3, len(names) // 2)))]


def benign(name: str, says: str, action: Any, confounder: str, vantages: tuple[str, ...] = ANYWHERE) -> Scenario:
    """Write one row of a list of benign scenarios."""
    return Scenario(f"benign.dns.{name}", says, None, action, vantages, confounder=confounder, family="benign.dns")


@define
class Mirror:
    """Half of a mirror port: the half that a packet meets first copies it, the other one takes the copy away."""

    world: World
    outer: bool  # on the servers' side of the tap
    share: float
    lag: float  # ns
    hop: int  # that the copy has less
    copies: set[int]

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Copy, or take away."""
        if outbound == self.outer:
            return [] if id(packet) in self.copies else [(0, outbound, packet)]
        if self.world.chance.random() >= self.share:
            return [(0, outbound, packet)]
        again = packet.copy(ttl=packet.ttl - self.hop)
        self.copies.add(id(again))
        return [(0, outbound, packet), (int(self.lag), outbound, again)]


def mirrored(scene: Scene) -> None:
    """Record at a mirror of two ports, which delivers most packets twice."""
    rng = scene.rng
    setup = make_setup(scene)
    share, lag, hop = float(rng.choice([1.0, 0.5, 0.1])), float(rng.uniform(1e3, 9e5)), int(rng.integers(2))
    copies, parts = set[int](), setup.path.parts
    at = parts.index(scene.tap)
    parts.insert(at + 1, Mirror(scene.world, True, share, lag, hop, copies))
    parts.insert(at, Mirror(scene.world, False, share, lag, hop, copies))
    browse(setup.stub, setup.known * 2, look_alike=setup.known)


def impatient(scene: Scene, *, again: str, sites: bool = False) -> None:
    """Ask again before a slow resolver answers; it answers both queries, often with other addresses."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 12)))
    chosen = some(rng, known)
    slow, shown = float(rng.uniform(1e8, 4e8)), int(rng.choice([1, 2, 4]))
    places = {name: tuple(scene.global_addresses(int(rng.integers(6, 16)))) for name in chosen}
    zone = draw_zone(scene, known)
    for name in chosen:
        zone[name] = attrs.evolve(
            zone[name], addresses=places[name], lifetime=1, per_answer=True, slow=slow, shown=shown
        )  # fmt: skip
    stacks = tuple(draw_server(rng) for _ in range(3)) if sites else ()
    setup = make_setup(
        scene, known=known, zone=zone, behaviour={"cached": 0.1, "caches": 6 if sites else 1, "think": (3e5, 2e8)},
        habits={"patience": float(rng.uniform(1e8, 4e8)), "tries": 4, "again": again}, stacks=stacks, by_packet=sites,
    )  # fmt: skip
    browse(setup.stub, chosen * 3 + known * 2, look_alike=chosen)


def doubling(scene: Scene) -> None:
    """Send most queries twice."""
    setup = make_setup(scene, habits={"doubles": float(scene.rng.uniform(0.3, 1))}, behaviour={"caches": 2})
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


def late(scene: Scene) -> None:
    """Get answers after the repeats began, some when the port is closed already."""
    rng = scene.rng
    patience = float(rng.uniform(5e8, 2e9))
    setup = make_setup(
        scene, behaviour={"cached": 0.3, "think": (3e5, patience * float(rng.uniform(0.8, 1.5)))},
        habits={"patience": patience, "tries": 3, "closes": True, "again": "same"},
    )  # fmt: skip
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


def forwarder(scene: Scene) -> None:
    """Ask a forwarder that passes on the answers of two resolvers."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 13)))
    zone, chosen = draw_zone(scene, known), some(rng, known)
    for name in chosen:  # the two resolvers are led to other networks
        places = tuple(scene.global_addresses(int(rng.integers(4, 12))))
        zone[name] = attrs.evolve(zone[name], addresses=places, per_answer=True, shown=int(rng.integers(1, 3)))
    setup = make_setup(scene, known=known, zone=zone, behaviour={"twice": float(rng.uniform(0.3, 1)), "caches": 4})
    browse(setup.stub, known * 3, look_alike=known)


def both_at_once(scene: Scene) -> None:
    """Ask two resolvers at once and take the first answer."""
    setup = make_setup(scene, habits={"at_once": True, "closes": bool(scene.rng.random() < 0.5)})
    setup.stub.ways.append(Way(scene.lay_path([]), add_resolver(scene, setup.zone, place=scene.servers(1)[0])))
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


def habit(scene: Scene, **habits: Any) -> None:
    """Ask with a peculiar habit."""
    setup = make_setup(scene, habits=habits)
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


def fixed_port(scene: Scene) -> None:
    """Ask everything from one port, as old forwarders do."""
    rng = scene.rng
    port = int(rng.choice([53, int(rng.integers(1024, 65_535))]))
    setup = make_setup(scene, habits={"port": port, "same_port": True, "six": 0.5, "again": "identifier"})
    browse(setup.stub, setup.known * 4, look_alike=setup.known, gap=0.3 * SECOND)


def translated(scene: Scene) -> None:
    """Ask from several hosts behind a translator that gives other ports."""
    rng = scene.rng
    public = scene.servers(1)[0]
    box = Translator(scene.world, public, keeps_port=bool(rng.random() < 0.3))
    setup = make_setup(scene, [box], where=0.03)
    browse(setup.stub, setup.known, look_alike=setup.known)
    for client in scene.clients(int(rng.integers(2, 5))):
        stub = Stub(scene=scene, habits=draw_habits(rng), stack=draw_client(rng), client=client, ways=setup.stub.ways)
        browse(stub, setup.known, look_alike=setup.known)


def evened(scene: Scene) -> None:
    """Ask from a virtual machine whose translator gives every inbound packet one TTL and its own counter."""
    rng = scene.rng
    box = Normalizer(
        scene.world, ttl=int(rng.choice([128, 64, 255])), tos=0, dont_fragment=False, directions=(False,),
        identifiers=Identifiers("socket", int(rng.integers(2**16)), rng),
    )  # fmt: skip
    setup = make_setup(scene, [box], where=0.02, behaviour={"think": (3e5, 1e8)})
    path = scene.lay_path([box], where=0.02)
    setup.stub.ways.append(Way(path, add_resolver(scene, setup.zone, place=scene.servers(1)[0])))
    for way in (0, 1):
        browse(setup.stub, setup.known * 2, look_alike=setup.known, way=way)


def site_stacks(rng: np.random.Generator, count: int) -> tuple[Stack, ...]:
    """Draw sites at different distances."""
    return tuple(attrs.evolve(stack := draw_server(rng), ttl=stack.ttl - int(rng.integers(0, 9))) for _ in range(count))


def sites(scene: Scene) -> None:
    """Ask a resolver whose address several sites share, by port: TTL, IP ID and caches differ."""
    rng = scene.rng
    stacks = site_stacks(rng, int(rng.integers(2, 6)))
    setup = make_setup(scene, stacks=stacks, behaviour={"caches": 2})
    browse(setup.stub, setup.known * 4, look_alike=setup.known, gap=0.5 * SECOND)


def switched(scene: Scene) -> None:
    """Ask a resolver while routing moves everybody to another site, with another delay."""
    rng = scene.rng
    begin = float(rng.uniform(4, 15)) * SECOND
    setup = make_setup(scene, stacks=site_stacks(rng, 2), switch=scene.world.now + int(begin))
    far, after = setup.path.far, int(rng.lognormal(np.log(3e7), 0.7))
    scene.world.after(begin, partial(setattr, far, "delay", after))
    browse(setup.stub, setup.known * 2, gap=begin / len(setup.known) / 2)
    browse(setup.stub, setup.known * 2, begin=begin, look_alike=setup.known)


def joined_late(scene: Scene) -> None:
    """Begin to record while answers are under way: answers without query, replies of servers never asked."""
    rng = scene.rng
    setup = make_setup(scene, behaviour={"think": (2e8, 2e9), "cached": 0.2}, habits={"patience": 5e9})
    known = setup.known
    for name in known:
        setup.stub.look_up(name, float(rng.uniform(0, 0.6 * SECOND)), look_alike=True)
    browse(setup.stub, known * 2, begin=float(SECOND))
    start = scene.world.now + int(rng.uniform(0.5, 0.8) * SECOND)
    scene.keeps = lambda time, _: time >= start


def by_stream(scene: Scene) -> None:
    """Ask over TCP, with a few questions over UDP."""
    setup = make_setup(scene, habits={"stream": True})
    browse(setup.stub, setup.known * 2, look_alike=setup.known)
    plain = attrs.evolve(setup.stub, habits=attrs.evolve(setup.stub.habits, stream=False))
    browse(plain, setup.known)


GROUPS = {"mdns": (5353, "224.0.0.251", "ff02::fb"), "llmnr": (5355, "224.0.0.252", "ff02::1:3"), "nbns": (137, "", "")}
"""Port and groups of name services of the link (RFC 6762 §3, RFC 4795 §2); the last one broadcasts (RFC 1002 §4.2)."""


def netbios(name: str) -> str:
    """Write a NetBIOS name as a label: each half byte a letter (RFC 1001 §14.1)."""
    padded = name.upper().ljust(15)[:15].encode() + b"\x00"
    return "".join(chr(65 + half) for byte in padded for half in (byte >> 4, byte & 15))


def link_names(scene: Scene) -> None:
    """Look names up on the link too, where hardly anybody answers."""
    rng = scene.rng
    setup = make_setup(scene)
    stub, path = setup.stub, scene.lay_path([], rtt=float(MILLISECOND))

    def call(packet: Packet) -> None:
        path.send(packet, True)

    for _ in range(int(rng.integers(8, 25))):
        service = str(rng.choice(["mdns", "llmnr"] if scene.six else list(GROUPS)))
        port, four, six = GROUPS[service]
        name = f"host{rng.integers(9)}" + ".local" * (service == "mdns")
        asked, kind, flags = (netbios(name), 32, 0x0110) if service == "nbns" else (name, AAAA if scene.six else A, 0)
        broadcast = (scene.client[0], scene.client[1] | 0xFF)
        subject = scene.converse(Conversation("flow", "udp", name, look_alike=True))
        packet = Packet(
            source=scene.client, sport=scene.next_port() if service == "llmnr" else port, protocol=UDP, dport=port,
            destination=address(six if scene.six else four) if four else broadcast,
            ttl=255 if service == "mdns" else 64,
            payload=dns_message(0 if service == "mdns" else int(rng.integers(2**16)), flags, asked, kind),
            subject=subject, ip_flags=0,
        )  # fmt: skip
        begin = float(rng.uniform(0, 10 * SECOND))
        for again in range(int(rng.integers(1, 4))):
            scene.world.after(begin + again * float(rng.choice([1e8, 2.5e8, 1e9])), call, packet.copy())
    browse(stub, setup.known * 2)


PLAYS = (
    benign("mirror", "A mirror port delivers packets twice.", mirrored, "mirrored-twice"),
    benign("retransmitted", "Queries are repeated and answered twice, with rotating addresses.",
           partial(impatient, again="same"), "retransmitted-query"),
    benign("fresh-identifier", "Queries are repeated under another identifier.", partial(impatient, again="port"),
           "fresh-identifier"),
    benign("anycast-repeat", "A repeated query reaches another site.", partial(impatient, again="same", sites=True),
           "anycast-repeat"),
    benign("stub-asks-twice", "A stub sends its queries twice.", doubling, "stub-asks-twice"),
    benign("late-answer", "Answers come after repeats, to closed ports.", late, "late-answer"),
    benign("forwarder-twice", "A forwarder passes two answers on.", forwarder, "forwarder-answers-twice"),
    benign("two-resolvers", "A stub asks two resolvers at once.", both_at_once, "two-resolvers-at-once"),
    benign("same-id-pair", "A and AAAA share port and identifier.",
           partial(habit, same_id=True, same_port=True, six=1.0), "same-id-pair"),
    benign("fixed-port", "A stub asks from one port.", fixed_port, "fixed-port"),
    benign("port-translation", "Hosts behind a translator ask.", translated, "port-translation"),
    benign("header-evening", "A translator evens headers out.", evened, "header-evening", ("client", "middle")),
    benign("anycast-sites", "Several sites answer for one address.", sites, "anycast-sites"),
    benign("anycast-switch", "Routing moves to another site.", switched, "anycast-switch"),
    benign("joined-late", "Recording begins amid answers.", joined_late, "joined-late"),
    benign("tcp-only", "A stub asks over TCP.", by_stream, "tcp-only"),
    benign("link-local-names", "Multicast name services beside DNS.", link_names, "link-local-names", ("client",)),
)  # fmt: skip
