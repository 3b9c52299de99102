"""Packets that vanish: triggers, connections, addresses, protocols, nations; and transfers that freeze."""

from benchmarks.lab.plays.resets import addresses, listed, names
from benchmarks.lab.quic import answers, initial
from benchmarks.lab.scenario import Scenario, Stage

__all__ = ["PLAYS"]


def hello(stage: Stage) -> None:
    """From the trigger on, nothing passes in either direction."""
    stage.rule("Cut", names=names(listed(stage, patience=3.5)))


def later(stage: Stage) -> None:
    """Some more packets pass, then there is silence both ways."""
    sites = listed(stage, size=stage.rng.randrange(60_000, 200_000), patience=3.5)
    stage.rule("Cut", names=names(sites), packets=stage.rng.randrange(4, 10))


def outbound(stage: Stage) -> None:
    """Only the client is silenced; the server ends the connection when it has waited long enough."""
    site = stage.site(tls=True, idle=stage.rng.uniform(1.5, 2.5))
    stage.visit(site, stage.rng.uniform(0.2, 1), patience=4.0)
    stage.crowd(3)
    stage.rule("Cut", names=[site.name], direction="up")


def inbound(stage: Stage) -> None:
    """The server hears everything and is never heard again."""
    stage.rule("Cut", names=names(listed(stage, patience=3.5)), direction="down", swallow=False)


def residual(stage: Stage) -> None:
    """After one trigger, every packet of the client to that place is swallowed for a while."""
    site = stage.site()
    for at in (0.2, 2.6, 3.4):
        stage.visit(site, at + stage.rng.uniform(0, 0.4), patience=3.3)
    stage.crowd(3)
    stage.rule(
        "Cut", names=[site.name], residual=stage.rng.uniform(60, 420), direction=stage.rng.choice(("both", "up"))
    )


def unreachable(stage: Stage) -> None:
    """SYNs to some addresses are swallowed."""
    sites = listed(stage, 3, patience=stage.rng.uniform(2.4, 4.4))
    stage.rule("Cut", stage="syn", addresses=addresses(sites))


def port(stage: Stage) -> None:
    """SYNs to one port of some addresses are swallowed; another port of the same addresses answers."""
    rng = stage.rng
    for place in range(4):
        address, name = stage.host(), stage.name()
        closed, lives = rng.sample(((True, 443), (False, 80), (True, 8443)), 2)
        for tls, number in (lives, closed):
            site = stage.site(name, tls=tls, port=number, address=address)
            stage.visit(site, 0.2 + place * 0.4 + rng.uniform(0, 0.6), patience=rng.uniform(3.2, 4.4))
        stage.rule("Cut", stage="syn", addresses=[address], ports=[closed[1]])
    stage.crowd(2)


def neighbour(stage: Stage) -> None:
    """SYNs to one address are swallowed; its neighbours of the same prefix answer."""
    rng = stage.rng
    first = stage.host()
    stem, sign = (first.rsplit(":", 1)[0], ":") if ":" in first else (first.rsplit(".", 1)[0], ".")
    around = [f"{stem}{sign}{number}" for number in rng.sample(range(2, 250), 4)]
    around = [one for one in around if one != first][:3]
    for address in around:
        stage.hosts.append(address)
        stage.spread[address] = stage.spread[first]
    for address in (first, *around):
        site = stage.site(address=address)
        for _ in range(1 + 2 * (address == first)):
            stage.visit(site, rng.uniform(0.1, 1.5), patience=rng.uniform(3.2, 4.4))
    stage.rule("Cut", stage="syn", addresses=[first])


def from_now_on(stage: Stage) -> None:
    """Some addresses were reached a moment ago; then SYNs to them are swallowed."""
    sites = [stage.site() for _ in range(3)]
    since = stage.rng.uniform(0.6, 0.9)
    for site in sites:
        stage.visit(site, stage.rng.uniform(0.0, 0.2), size=2_000)
        stage.visit(site, since + stage.rng.uniform(0.1, 0.5), patience=stage.rng.uniform(3.2, 4.4))
    stage.crowd(2)
    stage.rule("Cut", stage="syn", addresses=addresses(sites), since=since)


def strangers(stage: Stage) -> None:
    """A protocol of its own with many peers: the first exchange passes, then both directions are silent."""
    rng = stage.rng
    words = [rng.randbytes(rng.randrange(60, 300)).hex() for _ in range(3)]
    for place in range(rng.randrange(4, 7)):
        site = stage.site(tls=False, port=rng.randrange(1024, 60_000), echo=True)
        talk = [step for word in words for step in (["send", word], ["read", len(word) // 2])]
        stage.visit(site, 0.1 + place * 0.2, steps=talk, patience=4.0)
    stage.crowd(3)
    stage.rule("Cut", stage="unknown", packets=rng.randrange(2, 5))


def unknown(stage: Stage) -> None:
    """On well-known ports only HTTP and TLS pass; what speaks otherwise is silenced."""
    rng = stage.rng
    for at in (0.3, 1.0, 1.7):
        strange = stage.site(tls=False, port=rng.choice((80, 443)), echo=True)
        words = rng.choice((b"SSH-2.0-OpenSSH_9.6\r\n", rng.randbytes(rng.randrange(60, 400)))).hex()
        stage.visit(strange, at, steps=[["send", words], ["read", 20], ["send", words]], patience=3.0)
    stage.crowd(4)
    stage.rule("Cut", stage="unknown", ports=[80, 443, 53], direction=rng.choice(("both", "up")))


def by_packets(stage: Stage) -> None:
    """Transfers of listed names freeze after some packets, whichever way these go."""
    sites = listed(stage, size=stage.rng.randrange(100_000, 300_000), patience=3.5)
    stage.rule("Cut", names=names(sites), packets=stage.rng.randrange(15, 32))


def by_bytes(stage: Stage) -> None:
    """Transfers of listed names freeze after some kilobytes."""
    sites = listed(stage, size=stage.rng.randrange(100_000, 300_000), patience=3.5)
    stage.rule("Cut", names=names(sites), down_bytes=stage.rng.randrange(12_000, 34_000))


def quic_hosts(stage: Stage) -> list[str]:
    """Set up four hosts that answer QUIC."""
    hosts = [stage.host() for _ in range(4)]
    stage.servers[0].append({"addresses": hosts, "port": 443, "answers": answers(stage.rng)})
    return hosts


def quic(stage: Stage) -> None:
    """QUIC to some hosts dies at its Initial; other hosts answer theirs."""
    rng = stage.rng
    hosts = quic_hosts(stage)
    for place, host in enumerate(hosts):
        name = stage.name()
        stage.zone(name, host)
        stage.errand(
            0.2 + place * 0.5,
            [["resolve"], ["datagrams", initial(name, rng) * 4, rng.uniform(0.3, 0.5)]],
            name=name,
            port=443,
        )
    stage.crowd(2)
    stage.rule(
        "Cut", stage="initial", addresses=hosts[:2], residual=rng.uniform(60, 420), packets=rng.choice((0, 0, 1))
    )


def quic_later(stage: Stage) -> None:
    """QUIC conversations with some hosts stop after some datagrams; with others they go on."""
    rng = stage.rng
    hosts = quic_hosts(stage)
    for place, host in enumerate(hosts):
        name = stage.name()
        stage.zone(name, host)
        more = [rng.randbytes(rng.randrange(80, 1200)) for _ in range(8)]
        words = [*initial(name, rng), *((bytes([0x40 | one[0] & 0x3F]) + one[1:]).hex() for one in more)]
        stage.errand(0.2 + place * 0.3, [["resolve"], ["converse", words, rng.uniform(0.1, 0.3)]], name=name, port=443)
    stage.crowd(2)
    stage.rule("Cut", stage="initial", addresses=hosts[:2], packets=rng.randrange(4, 9))


def isolation(stage: Stage, through: int = 0) -> None:
    """Foreign hosts are unreachable while domestic ones work; a few foreign ones may pass."""
    rng = stage.rng
    home = stage.crowd(3)
    foreign = [stage.site(tls=rng.random() < 0.8) for _ in range(7 + through)]
    for place, site in enumerate(foreign):
        stage.visit(site, 0.2 + place * 0.3 + rng.uniform(0, 0.2), patience=2.4)
    stage.rule("Isolate", allowed=[stage.resolver, *addresses(home), *addresses(foreign[:through])])


def allowlist(stage: Stage) -> None:
    """Foreign hosts are unreachable but for a few."""
    isolation(stage, through=2)


PLAYS = (
    Scenario("tcp.drop.hello", "Trigger and all that follows vanish.", hello, "tcp.drop", "ru.tspu-sni-iv"),
    Scenario("tcp.drop.later", "Silence some packets after the trigger.", later, "tcp.drop", "ru.tspu-sni-ii"),
    Scenario("tcp.drop.outbound", "Only the client is silenced.", outbound, "tcp.drop", "ru.tspu-segment-2025"),
    Scenario("tcp.drop.inbound", "Only the server is silenced.", inbound, "tcp.drop", "ir.no-server-hello-2025"),
    Scenario("tcp.drop.residual", "Silence, then a residual block.", residual, "tcp.drop", "generic"),
    Scenario("tcp.connect.drop.address", "SYNs to addresses vanish.", unreachable, "tcp.connect.drop", "ru.tspu-ip"),
    Scenario("tcp.connect.drop.port", "SYNs to one port vanish.", port, "tcp.connect.drop", "generic"),
    Scenario("tcp.connect.drop.neighbour", "One address of several.", neighbour, "tcp.connect.drop", "ru.tspu-ip"),
    Scenario("tcp.connect.drop.since", "SYNs vanish from now on.", from_now_on, "tcp.connect.drop", "ru.tspu-ip"),
    Scenario("protocol.filter.strangers", "Silence after a first exchange.", strangers, "protocol.filter", "generic"),
    Scenario("protocol.filter.ports", "Only HTTP and TLS pass.", unknown, "protocol.filter", "ir.protocol-filter-2020"),
    Scenario("rate.freeze.packets", "Frozen after some packets.", by_packets, "rate.freeze", "ru.tspu-freeze-packets"),
    Scenario("rate.freeze.bytes", "Frozen after some kilobytes.", by_bytes, "rate.freeze", "ru.tspu-freeze-bytes"),
    Scenario("quic.drop.initial", "QUIC dies at its Initial.", quic, "quic.drop", "ru.tspu-quic"),
    Scenario("quic.drop.later", "QUIC stops after some datagrams.", quic_later, "quic.drop", "ru.tspu-quic"),
    Scenario(
        "reach.isolation.all", "Foreign hosts are unreachable.", isolation, "reach.isolation", "ir.isolation-2019"
    ),
    Scenario(
        "reach.isolation.allowlist.few",
        "A few foreign hosts pass.",
        allowlist,
        "reach.isolation.allowlist",
        "ir.allowlist-2026",
    ),
)
