"""UDP that falls silent though nobody interferes: peers that left, translators that forgot, ports without a program."""

from collections.abc import Callable

from netinterf.simulate.hosts.manners import Manner, drawn_manner
from netinterf.simulate.hosts.stack import draw_server
from netinterf.simulate.network.nat import Rebinding
from netinterf.simulate.network.outages import MtuHole, Outage, UdpFilter
from netinterf.simulate.network.path import SECOND, Path
from netinterf.simulate.plays.benign_tcp import Setup, look_alikes
from netinterf.simulate.plays.quic_visits import quic_visit
from netinterf.simulate.plays.udp_talks import port_of, talk

__all__ = ["PLAYS"]


def speaks(
    setup: Setup, path: Path, begin: float, manner: Manner, port: int, *, packets: int = 0, look_alike: bool = True,
    leaves: int = -1, deaf: bool = False, pauses: Callable[[], float] | None = None, renews: bool = True,
) -> None:  # fmt: skip
    """Schedule a conversation with the server of the setup."""
    talk(
        setup.scene, path, (setup.server, port), manner, begin, stacks=(setup.stack, setup.host),
        packets=packets or int(setup.rng.integers(15, 70)), look_alike=look_alike, leaves=leaves, deaf=deaf,
        pauses=pauses, renews=renews,
    )  # fmt: skip


def elsewhere(setup: Setup, manner: Manner, least: int = 0, most: int = 3) -> None:
    """Speak the same protocol, or QUIC, with other servers, where all is well."""
    scene, rng = setup.scene, setup.rng
    for _ in range(int(rng.integers(least, most + 1))):
        path, server = scene.lay_path(setup.shared), scene.servers(1)[0]
        begin, stacks = float(rng.uniform(0, 20)) * SECOND, (setup.stack, draw_server(rng))
        if rng.random() < 0.3:
            quic_visit(scene, path, server, scene.names(1)[0], begin, stacks=stacks)
        else:
            talk(scene, path, (server, port_of(rng, manner)), manner, begin, stacks=stacks,
                 packets=int(rng.integers(15, 70)))  # fmt: skip


def over_tcp(setup: Setup, path: Path, share: float = 0.6) -> None:
    """Visit the same server over TCP, in some captures."""
    if setup.chance(share):
        for begin in setup.times(1, 4, gap=5 * SECOND):
            setup.visit(path, begin, look_alike=False)


def translator_forgets(setup: Setup) -> None:
    """A translator forgets a quiet UDP flow and gives it another port, which the server does not know."""
    rng = setup.rng
    idle = setup.log_uniform(1.5e10, 6e10)
    path = setup.path(Rebinding(setup.scene.world, idle, setup.scene.servers(1)[0]))
    over_tcp(setup, path)
    for begin in setup.times(1, 4, gap=20 * SECOND):
        manner = drawn_manner(rng, "openvpn", "dtls", "stun", "noise", "mtproto")
        speaks(
            setup, path, begin, manner, port_of(rng, manner),
            pauses=lambda: idle * 1.3 if rng.random() < 0.1 else 0.0, renews=setup.chance(0.5),
        )  # fmt: skip
        elsewhere(setup, manner, 0, 1)


def peer_leaves(setup: Setup) -> None:
    """Peers of calls and games leave without a word; who was talking to them goes on for a while."""
    manner = drawn_manner(setup.rng)
    elsewhere(setup, manner)
    for begin in setup.times(2, 6, gap=6 * SECOND):
        server, path = setup.scene.servers(1)[0], setup.path()
        talk(
            setup.scene, path, (server, port_of(setup.rng, manner)), manner, begin,
            stacks=(setup.stack, draw_server(setup.rng)), packets=int(setup.rng.integers(20, 90)),
            look_alike=True, leaves=int(setup.rng.integers(2, 50)), renews=setup.chance(0.5),
        )  # fmt: skip


def service_ends(setup: Setup) -> None:
    """A program on a server ends and its firewall says nothing; the web server beside it goes on."""
    manner, path = drawn_manner(setup.rng), setup.path()
    port = port_of(setup.rng, manner)
    over_tcp(setup, path, 0.8)
    elsewhere(setup, manner)
    for begin in setup.times(1, 3, gap=3 * SECOND):
        speaks(setup, path, begin, manner, port, leaves=int(setup.rng.integers(2, 40)))
    for begin in setup.times(0, 3, gap=30 * SECOND):
        speaks(setup, path, begin + 20 * SECOND, manner, port, deaf=True)


def nobody_listens(setup: Setup) -> None:
    """Nobody listens at the port, and a firewall drops what comes; the same address serves the web."""
    manner, path = drawn_manner(setup.rng), setup.path()
    port = port_of(setup.rng, manner)
    over_tcp(setup, path)
    elsewhere(setup, manner)
    for begin in setup.times(1, 4, gap=8 * SECOND):
        speaks(setup, path, begin, manner, port, deaf=True)


def network_of_few_ports(setup: Setup) -> None:
    """A network lets UDP out to some ports only; QUIC may be among them."""
    ports = frozenset({53, 123} | ({443} if setup.chance(0.5) else set()))
    setup.shared.append(UdpFilter(ports))
    path = setup.path()
    over_tcp(setup, path)
    for begin in setup.times(2, 6, gap=5 * SECOND):
        manner = drawn_manner(setup.rng)
        speaks(setup, path, begin, manner, port_of(setup.rng, manner))
        elsewhere(setup, manner, 0, 1)


def lossy_datagrams(setup: Setup) -> None:
    """A poor line loses datagrams in bursts."""
    manner, path = drawn_manner(setup.rng), setup.path(luck=1.0)
    path.far.burst, path.far.bad_for = float(setup.rng.uniform(0.1, 0.5)), int(setup.log_uniform(1e8, 6e9))
    port = port_of(setup.rng, manner)
    over_tcp(setup, path)
    elsewhere(setup, manner)
    for begin in setup.times(2, 5, gap=4 * SECOND):
        speaks(setup, path, begin, manner, port)


def one_way_sender(setup: Setup) -> None:
    """A program reports to a collector that never answers anybody."""
    manner, path = drawn_manner(setup.rng, "noise", "dtls"), setup.path()
    over_tcp(setup, path)
    elsewhere(setup, manner)
    for begin in setup.times(1, 3):
        speaks(setup, path, begin, manner, int(setup.rng.choice([514, 2055, 6343, 8125])), deaf=True)


def server_restarts(setup: Setup) -> None:
    """A server is gone for a while, all its services together, and comes back."""
    manner, rng = drawn_manner(setup.rng), setup.rng
    begin = setup.log_uniform(2e9, 1e10)
    end = begin + setup.log_uniform(5e9, 6e10)
    path = setup.path(door=[Outage(setup.scene.world, [(setup.now + int(begin), setup.now + int(end))])])
    over_tcp(setup, path)
    elsewhere(setup, manner)
    port = port_of(rng, manner)
    for start in (*rng.uniform(0.6, 1, 2) * begin, end + SECOND):
        speaks(setup, path, float(start), manner, port, packets=150)


def line_fails(setup: Setup) -> None:
    """The client's line is out for some seconds, or a network on the way is."""
    manner = drawn_manner(setup.rng)
    begin = setup.log_uniform(2e9, 1e10)
    gap = Outage(setup.scene.world, [(setup.now + int(begin), setup.now + int(begin + setup.log_uniform(3e9, 4e10)))])
    own = setup.chance(0.6)
    if own:
        setup.shared.append(gap)
    path = setup.path(*([] if own else [gap]))
    over_tcp(setup, path)
    elsewhere(setup, manner, 1, 3)
    for start in setup.rng.uniform(0.6, 1, int(setup.rng.integers(1, 4))) * begin:
        speaks(setup, path, float(start), manner, port_of(setup.rng, manner), packets=120)


def narrow_tunnel(setup: Setup) -> None:
    """Large datagrams vanish on a narrow path that tells nobody; small ones pass."""
    manner, path = (
        drawn_manner(setup.rng, "noise", "openvpn", "dtls"),
        setup.path(MtuHole(int(setup.rng.integers(600, 1220)), "both")),
    )
    over_tcp(setup, path)
    elsewhere(setup, manner)
    for begin in setup.times(2, 5, gap=4 * SECOND):
        speaks(setup, path, begin, manner, port_of(setup.rng, manner))


PLAYS = (
    *look_alikes(
        "udp", translator_forgets, peer_leaves, service_ends, nobody_listens, lossy_datagrams, server_restarts
    ),
    *look_alikes("udp", network_of_few_ports, one_way_sender, line_fails, narrow_tunnel, vantages=("client",)),
)
