"""Scanners, probes, floods and circumvention tools: segments that no ordinary connection holds, from its own host."""

from collections.abc import Callable
from functools import partial
from typing import Any

from netinterf.simulate.hosts.actor import Actor, ended
from netinterf.simulate.hosts.app import App, Ending
from netinterf.simulate.messages.tls import client_hello
from netinterf.simulate.network.desync import FORMS, Desync, Strict
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, SYN, Address, Packet
from netinterf.simulate.network.path import MILLISECOND, Path
from netinterf.simulate.network.routers import Refuses, Routers
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes
from netinterf.simulate.scene import Conversation

__all__ = ["PLAYS"]

URG = 0x20
GREETING = b"\x13BitTorrent protocol" + bytes(48)
MSS = b"\x02\x04\x05\xb4"
"""The option that announces segments of 1460 bytes (RFC 9293 §3.7.1)."""


def answers(actor: Actor, packet: Packet, *, listens: bool) -> None:
    """Answer a probe as a host does that listens on the port, or one that does not (RFC 9293 §3.10.7)."""
    if packet.flags & RST:
        return
    if packet.flags & (SYN | ACK) == SYN and listens:
        actor.send(SYN | ACK, actor.isn, packet.seq + 1, options=MSS, ip_id=0)
    elif packet.flags & ACK:
        actor.send(RST, packet.ack, window=0, ip_id=0)
    elif not listens:
        actor.send(RST | ACK, 0, ended(packet), window=0, ip_id=0)


def resets_greetings(actor: Actor, packet: Packet, *, acknowledges: bool) -> None:
    """Answer a SYN/ACK that no program waits for with a reset, as the kernel below a scanner does."""
    if packet.flags & (SYN | ACK) == SYN | ACK:
        flags = RST | ACK if acknowledges else RST
        actor.send(flags, packet.ack, packet.seq + 1 if acknowledges else 0, window=0, ip_id=0)


def probe(
    setup: Setup, path: Path, begin: float, server: Address, port: int, flags: int, *, listens: bool | None,
    client: tuple[Address, int] | None = None, react: Callable[[Actor, Packet], None] | None = None, repeats: int = 0,
    **fields: Any,
) -> None:  # fmt: skip
    """Schedule one probe.

    Args:
        setup: Where it happens.
        path: The way.
        begin: When, ns from now.
        server: Whom it asks.
        port: Which port.
        flags: Flags of the probe.
        listens: Whether somebody listens there; None: no host answers.
        client: Who asks; the scene's client when left out.
        react: What the prober's kernel does with answers.
        repeats: How often it asks again without an answer.
        fields: Further fields of the probe.
    """
    scene = setup.scene
    near = client or (scene.client, scene.next_port())
    subject = scene.converse(Conversation("flow", "tcp", "", look_alike=True))
    heard: list[Packet] = []

    def take(actor: Actor, packet: Packet) -> None:
        heard.append(packet)
        if react is not None:
            react(actor, packet)

    def start() -> None:
        prober = Actor(
            path=path, stack=setup.stack, outbound=True, local=near, remote=(server, port), subject=subject, react=take
        )
        if listens is not None:
            Actor(path=path, stack=setup.host, outbound=False, local=(server, port), remote=near, subject=subject,
                  react=partial(answers, listens=listens))  # fmt: skip

        def ask(left: int) -> None:
            if not heard:
                prober.send(flags, prober.isn, **fields)
                if left:
                    scene.world.after(1e9 * 2 ** (repeats - left), ask, left - 1)

        ask(repeats)

    scene.world.after(begin, start)


def refused_and_retried(setup: Setup) -> None:
    """A Windows-like client asks a closed port three times, half a second apart, though each SYN was refused."""
    path = setup.path(luck=0.0)
    gap = setup.log_uniform(4.5e8, 5.5e8)
    for begin in setup.times(2, 4):
        asked: list[Packet] = []

        def insist(actor: Actor, packet: Packet, asked: list[Packet] = asked) -> None:
            asked.append(packet)
            if len(asked) < 3:
                actor.later(gap, SYN, actor.isn, options=MSS)

        probe(setup, path, begin, setup.server, 443, SYN, listens=False, react=insist, options=MSS)


def sticky_server(setup: Setup) -> None:
    """A sticky_server greets everybody with a tiny window and never takes anything: clients probe it and leave."""
    window = setup.choice(0, 1, 3, 10)

    def hold(actor: Actor, packet: Packet) -> None:
        if packet.flags & (SYN | ACK) == SYN:
            actor.send(SYN | ACK, actor.isn, packet.seq + 1, options=MSS, window=window)
        elif packet.flags & RST == 0 and setup.scene.world.chance.random() < 0.7:
            actor.send(ACK, actor.isn + 1, packet.seq, window=0)

    path = setup.path()
    for begin in setup.times(2, 4):
        client = App(patience=setup.log_uniform(5e9, 6e10), resets=True)
        setup.play_server(path, begin, hold, script=[*download(setup, 500)], app=client)


def some_state(setup: Setup) -> bool | None:
    """Draw whether a port is open, closed or filtered."""
    return (True, False, None)[int(setup.rng.integers(3))]


def syn_scan(setup: Setup) -> None:
    """A scanner asks many hosts with bare SYNs from one port and one identification; its kernel resets the answers."""
    rng = setup.rng
    port = setup.choice(443, 80, 22, 23, 8080)
    fixed: dict[str, Any] = {
        "ip_id": setup.choice(54_321, rng.integers(2**16)), "options": b"" if setup.chance(0.6) else MSS, "ip_flags": 0,
        "window": setup.choice(65_535, 1024, rng.integers(1, 65_536)), "ttl": setup.choice(255, 64),
    }  # fmt: skip
    kernel = partial(resets_greetings, acknowledges=setup.chance(0.2))
    for begin, server in zip(setup.times(12, 40, gap=2e7), setup.scene.servers(40), strict=False):
        probe(setup, setup.path(luck=0.0), begin, server, port, SYN, listens=some_state(setup), react=kernel, **fixed)


def half_open_scan(setup: Setup) -> None:
    """A port scan of one host: SYN, SYN/ACK, RST; closed ports answer with RST/ACK, filtered ones not at all."""
    path = setup.path(luck=0.0)
    kernel = partial(resets_greetings, acknowledges=False)
    for begin in setup.times(20, 50, gap=2e7):
        port = int(setup.rng.integers(1, 10_000))
        probe(setup, path, begin, setup.server, port, SYN, listens=some_state(setup), react=kernel, repeats=1,
              options=MSS, window=setup.choice(1024, 2048, 3072, 4096))  # fmt: skip


def odd_flag_scan(setup: Setup) -> None:
    """Scans with FIN, with no flag, or with FIN, PSH and URG: closed ports answer with RST/ACK, open ones not."""
    path = setup.path(luck=0.0)
    flags = setup.choice(FIN, 0, FIN | PSH | URG, FIN | ACK, ACK)
    for begin in setup.times(10, 30, gap=3e7):
        port = int(setup.rng.integers(1, 10_000))
        probe(setup, path, begin, setup.server, port, flags, listens=some_state(setup), window=setup.choice(1024, 2048))


def syn_flood(setup: Setup) -> None:
    """SYNs from invented addresses: the server's answers go to nobody, or meet the resets of surprised hosts."""
    path = setup.path(luck=0.0)
    clients = setup.scene.servers(40)
    for begin, client in zip(setup.times(20, 40, gap=1e7), clients, strict=False):
        kernel = partial(resets_greetings, acknowledges=False) if setup.chance(0.3) else None
        probe(setup, path, begin, setup.server, 443, SYN, listens=True, react=kernel,
              ttl=int(setup.rng.integers(40, 255)), client=(client, int(setup.rng.integers(1024, 65_536))))  # fmt: skip


def health_check(setup: Setup) -> None:
    """A monitor opens connections only to reset them at once: handshake, then RST or RST/ACK, again and again."""
    path = setup.path(luck=0.0, rtt=setup.log_uniform(3e5, 5e7))
    ending, period = App(ending=Ending.RESET), setup.log_uniform(1e9, 5e9)
    for order in range(int(setup.rng.integers(5, 12))):
        setup.meet(path, 1e6 + order * period, says=[], knows=[], apps=(ending, App(ending=Ending.WAIT)))


def dead_host(setup: Setup) -> None:
    """SYNs to an address where no host is: the client repeats itself and gives up."""
    path = setup.path()
    for begin in setup.times(2, 5):
        probe(setup, path, begin, setup.server, 443, SYN, listens=None, repeats=int(setup.rng.integers(2, 6)))


def refused_by_icmp(setup: Setup) -> None:
    """Openings are answered by ICMP: no such host, nobody at the port, or forbidden by the server's own site."""
    kind = ("host", "port", "prohibited")[int(setup.rng.integers(3))]
    delay = setup.log_uniform(1e9, 3.1e9) if kind == "host" else 0.0
    path = setup.path(door=[Refuses(setup.scene.servers(1)[0], kind, delay, setup.choice(64, 128, 255))])
    for begin in setup.times(2, 5):
        setup.visit(path, begin, port=setup.choice(443, 80, 8443))


def tcp_traceroute(setup: Setup) -> None:
    """SYNs with growing hop limits: routers answer that they expired, the last one meets SYN/ACK or RST."""
    count = int(setup.rng.integers(4, 10))
    deaf = frozenset(setup.rng.integers(1, count + 1, int(setup.rng.integers(0, 3))).tolist())
    routers = Routers(setup.scene.servers(count), int(setup.log_uniform(2e5, 8e6)), deaf)
    path = setup.path(near=[routers], luck=0.0)
    legs = [part for part in path.parts if part is not routers]
    if setup.scene.vantage == "client":
        path.parts[:] = [*legs[:2], routers, *legs[2:]]  # the routers lie behind the tap
    kernel = partial(resets_greetings, acknowledges=False)
    listens, begin = setup.chance(0.7), 0.0
    for spent in range(1, count + 22):
        begin += setup.log_uniform(5e6, 5e7)
        probe(setup, path, begin, setup.server, setup.choice(443, 80), SYN, listens=listens, react=kernel, ttl=spent)


def circumvention(setup: Setup) -> None:
    """A circumvention tool adds decoys to a client's first data, or cuts and swaps its pieces."""
    rng = setup.rng
    form = FORMS[int(rng.integers(len(FORMS)))]
    decoy = client_hello(setup.scene.names(1)[0], rng) if setup.chance(0.6) else rng.bytes(int(rng.integers(10, 600)))
    tool = Desync(
        setup.scene.world,
        form,
        decoy,
        ttl=int(rng.integers(2, 5)),
        copies=int(rng.integers(1, 4)),
        cut=int(rng.integers(1, 60)),
    )
    path = setup.path(near=[tool], door=[Strict(True)])
    for begin in setup.times(3, 6):
        setup.visit(path, begin)


def meets(actor: Actor, packet: Packet) -> None:
    """Follow a simultaneous opening to its end: SYN/ACKs cross, the client greets, the other greets and closes."""
    if packet.flags & (SYN | ACK) == SYN:
        actor.send(SYN | ACK, actor.isn, packet.seq + 1, options=MSS)
    elif packet.flags & SYN:
        if actor.outbound:
            actor.later(5 * MILLISECOND, PSH | ACK, actor.isn + 1, packet.seq + 1, GREETING)
    elif packet.flags & FIN:
        actor.send(FIN | ACK if actor.outbound else ACK, packet.ack, ended(packet))
    elif packet.payload:
        actor.send(FIN | PSH | ACK, packet.ack, ended(packet), GREETING)


def open_both(pair: list[Actor]) -> None:
    """Let two hosts open towards each other."""
    for actor in pair:
        actor.send(SYN, actor.isn, options=MSS)


def simultaneous_open(setup: Setup) -> None:
    """Two peers open towards each other at the same moment: SYNs cross and both answer with SYN/ACK (RFC 9293 §3.5)."""
    path = setup.path(luck=0.0)
    for begin in setup.times(2, 4):
        subject, near, far = setup.ends(int(setup.rng.integers(1024, 65_536)))
        pair = [
            Actor(path=path, stack=stack, outbound=outbound, local=local, remote=remote, subject=subject, react=meets)
            for stack, outbound, local, remote in ((setup.stack, True, near, far), (setup.host, False, far, near))
        ]
        setup.scene.world.after(begin, open_both, pair)


PLAYS = (
    *look_alikes("tcp", syn_scan, half_open_scan, odd_flag_scan, syn_flood, health_check, dead_host, refused_by_icmp),
    *look_alikes("tcp", tcp_traceroute, simultaneous_open, refused_and_retried, sticky_server),
    *look_alikes("tcp", circumvention, damaged=True),
)
