"""What time, chance and recorders do to connections: stragglers, reused ports, damage, outages, moves, cut captures."""

from collections.abc import Callable

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.messages.http import http_request
from netinterf.simulate.network.desync import Strict
from netinterf.simulate.network.oddities import BusyHost, Corruptor, LateCopy, Rewriter
from netinterf.simulate.network.outages import Outage, PowerSave
from netinterf.simulate.network.packet import ACK, RST, SYN, Address, Packet, address
from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes, talk_again, upload
from netinterf.simulate.talks import web_script

__all__ = ["PLAYS"]


def same_ports(setup: Setup, straggler: LateCopy, first: Ending, pause: float) -> None:
    """Schedule pairs of connections with the same ports, the second one *pause* ns after the first."""
    path = setup.path(straggler, luck=0.0)
    for begin in setup.times(2, 4):
        client = (setup.scene.client, setup.scene.next_port())
        ends = App(ending=first, abort_at=2000 if first is Ending.ABORT else 0)
        script = download(setup, 9000)
        setup.visit(path, begin, client=client, script=script, apps=(ends, App()))
        setup.visit(path, begin + pause, client=client, apps=(App(ending=Ending.CLOSE), App()))


def old_reset_arrives(setup: Setup) -> None:
    """Ports are used again, and a reset of the previous connection arrives late in the new one."""
    pause = setup.log_uniform(5e9, 4e10)
    late = LateCopy(lambda packet, _: bool(packet.flags & RST), lambda: pause + setup.log_uniform(2e7, 3e8))
    same_ports(setup, late, Ending.ABORT, pause)


def old_segment_arrives(setup: Setup) -> None:
    """Ports are used again, and data of the previous connection arrives late in the new one."""
    pause = setup.log_uniform(5e9, 4e10)
    late = LateCopy(lambda packet, _: len(packet.payload) > 100 and setup.scene.world.chance.random() < 0.3,
                     lambda: pause + setup.log_uniform(2e7, 3e8), most=6)  # fmt: skip
    same_ports(setup, late, Ending.CLOSE, pause)


def late_duplicate_syn(setup: Setup) -> None:
    """A second copy of a SYN or SYN/ACK arrives while the connection is open, or after it ended."""
    late = LateCopy(lambda packet, _: bool(packet.flags & SYN), lambda: setup.log_uniform(2e8, 2e10))
    path = setup.path(late)
    for begin in setup.times(2, 6):
        setup.visit(path, begin)


def port_reused(setup: Setup) -> None:
    """A client uses the same ports again and again, with fresh sequence numbers each time."""
    path = setup.path()
    client = (setup.scene.client, setup.scene.next_port())
    for order in range(int(setup.rng.integers(3, 7))):
        ending = Ending.RESET if setup.chance(0.5) else Ending.CLOSE
        setup.visit(path, order * setup.log_uniform(4e9, 9e9), client=client, apps=(App(ending=ending), App()))


def damaged_segments(setup: Setup) -> None:
    """A bad memory or link damages segments: other bytes and a wrong checksum, then the same range whole."""
    bad = Corruptor(setup.scene.world, float(setup.rng.uniform(0.01, 0.1)))
    path = setup.path(bad, near=[Strict(False)], door=[Strict(True)])
    for begin in setup.times(2, 4):
        setup.visit(path, begin, script=download(setup, int(setup.log_uniform(20_000, 90_000))))


def rewritten_retransmission(setup: Setup) -> None:
    """A box changes words of the first copy of an answer only; its repetition passes as the server wrote it."""
    words = ((b"text/html", b"text/xml;"), (b"<p>text</p>", b"<b>Text</b>"), (b"Content-Type", b"X-ntent-Type"))
    pick = words[int(setup.rng.integers(len(words)))]
    lost = BusyHost(
        setup.scene.world, lambda packet: not packet.payload and packet.flags == ACK, setup.log_uniform(8e8, 2e9)
    )
    path = setup.path(Rewriter((pick,)), door=[lost], rtt=setup.log_uniform(1e7, 1.2e8), luck=0.0)
    for begin in setup.times(2, 5):
        script = web_script(setup.rng, setup.name, 80)
        pause = setup.log_uniform(2.2e9, 4e9)  # so that no FIN acknowledges
        later = Turn(True, http_request(setup.name, "/next"), pause)
        setup.visit(path, begin, port=80, script=[*script, later, script[-1]])


def client_offline(setup: Setup) -> None:
    """The client's network fails for a while: everything is silent at once, and goes on or is given up."""
    begin = setup.now + int(setup.log_uniform(3e8, 3e9))
    end = begin + int(setup.log_uniform(2e9, 6e10))
    setup.shared.append(Outage(setup.scene.world, [(begin, end)]))
    path = setup.path()
    for start in setup.rng.uniform(0, begin - setup.now, int(setup.rng.integers(3, 8))):
        pause = begin - setup.now - start + setup.log_uniform(1e7, 3e9)
        setup.visit(path, float(start), script=talk_again(setup, pause))


def path_failure(setup: Setup) -> None:
    """The way to one server fails in mid transfer and never comes back while the capture lasts."""
    begin = setup.now + int(setup.log_uniform(3e8, 2e9))
    path = setup.path(Outage(setup.scene.world, [(begin, 1 << 62)]))
    for start in setup.rng.uniform(0, begin - setup.now, int(setup.rng.integers(2, 5))):
        pause = begin - setup.now - start + setup.log_uniform(1e7, 3e9)
        setup.visit(path, float(start), script=talk_again(setup, pause))


def mobile_handover(setup: Setup) -> None:
    """A phone changes networks: its old address falls silent in mid transfer, visits begin anew from another."""
    when = int(setup.log_uniform(5e8, 3e9))
    setup.neighbours = 1
    old = setup.path(Outage(setup.scene.world, [(setup.now + when, 1 << 62)]))
    for start in setup.rng.uniform(0, when * 0.9, int(setup.rng.integers(2, 5))):
        setup.visit(old, float(start), script=download(setup, int(setup.log_uniform(30_000, 150_000))))
    fresh, moved = setup.path(), setup.scene.clients(1)[0]
    for start in setup.times(2, 4):
        client = (moved, setup.scene.next_port())
        setup.visit(fresh, when + setup.log_uniform(1e8, 2e9) + start, client=client, look_alike=False)


def sleeping_client(setup: Setup) -> None:
    """A sleeping client hears the network at beacons only: answers come late and in bunches."""
    setup.shared.append(
        PowerSave(setup.scene.world, beacon=int(setup.log_uniform(5e7, 4e8)), awake=int(setup.log_uniform(2e7, 1e8)))
    )
    path = setup.path()
    for begin in setup.times(3, 6):
        setup.visit(path, begin)


def lossy_radio(setup: Setup) -> None:
    """A poor radio link loses packets in bursts: repeated SYNs, requests and answers, and some give up."""
    path = setup.path(luck=1.0)
    far = path.far
    far.burst, far.bad_for, far.jitter = (
        float(setup.rng.uniform(0.05, 0.3)),
        int(setup.log_uniform(2e7, 8e8)),
        4 * MILLISECOND,
    )
    for begin in setup.times(4, 8, gap=0.7 * SECOND):
        setup.visit(path, begin, script=download(setup, int(setup.log_uniform(3_000, 40_000))))


def other_family(setup: Setup, host: Address) -> Address:
    """Give the address of the other family that a dual-stacked host has."""
    number = host[1] & 0xFF
    return address(f"198.18.{number}.{number + 1}") if setup.scene.six else address(f"2001:db8:ffff::{number + 1:x}")


def happy_eyeballs(setup: Setup) -> None:
    """Both address families are tried at once; the slower connection is reset, closed or left alone (RFC 8305)."""
    quick, slow = setup.path(rtt=setup.log_uniform(8e6, 1.5e8)), setup.path(rtt=setup.log_uniform(1e8, 5e8))
    for begin in setup.times(3, 6):
        loser = [App(ending=Ending.RESET), App(ending=Ending.CLOSE), App(ending=Ending.SILENT)]
        client = (other_family(setup, setup.scene.client), setup.scene.next_port())
        apps = (loser[int(setup.rng.integers(3))], App())
        setup.visit(slow, begin, server=other_family(setup, setup.server), client=client, script=[], apps=apps)
        setup.visit(quick, begin + setup.log_uniform(1e7, 2.5e8), look_alike=False)


def recorded_from(setup: Setup, keeps: Callable[[int, Packet], bool]) -> None:
    """Let the recorder have written down only what it *keeps*, given the time in ns since the scene began."""
    begin = setup.now
    setup.scene.keeps = lambda time, packet: keeps(time - begin, packet)


def capture_began_late(setup: Setup) -> None:
    """The capture begins in the middle of connections: no handshake, sometimes only their resets or silence."""
    when = int(setup.log_uniform(3e8, 4e9))
    path = setup.path()
    for begin in setup.rng.uniform(0, when, int(setup.rng.integers(3, 7))):
        app = [App(ending=Ending.RESET), App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD)]
        script = talk_again(setup, when - float(begin))
        setup.visit(path, float(begin), script=script, apps=(app[int(setup.rng.integers(3))], App()))
    recorded_from(setup, lambda time, _: time >= when)


def roles_reversed(setup: Setup) -> None:
    """The capture begins in the middle of talks whose opener has the lower port; the other end leaves or is mute."""
    # peers of file sharing, SIP and remote shells open from ports that look like those of services
    when = int(setup.log_uniform(3e8, 4e9))
    path = setup.path()
    for begin in setup.rng.uniform(0, when, int(setup.rng.integers(3, 7))):
        client = (setup.scene.client, setup.choice(22, 443, 5060, 6881, 8080) + int(setup.rng.integers(0, 40)))
        script = talk_again(setup, when - float(begin) + setup.log_uniform(1e7, 1e9))
        leaves = setup.chance(0.5)  # at the question that is captured, else after its answer
        ends = (App(ending=Ending.RESET), App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD))
        server = App(dies=when - float(begin)) if leaves else ends[int(setup.rng.integers(3))]
        setup.visit(path, float(begin), port=int(setup.rng.integers(32_768, 65_000)), client=client, script=script,
                    apps=(App(ending=Ending.CLOSE, patience=setup.log_uniform(3e9, 2e10)), server))  # fmt: skip
    recorded_from(setup, lambda time, _: time >= when)


def capture_ended_early(setup: Setup) -> None:
    """The capture ends in the middle of connections, some just after their requests."""
    when = int(setup.log_uniform(1e9, 5e9))
    path = setup.path()
    for begin in setup.rng.uniform(0, when, int(setup.rng.integers(3, 8))):
        setup.visit(path, float(begin), script=download(setup, int(setup.log_uniform(8_000, 60_000))))
    recorded_from(setup, lambda time, _: time < when)


def capture_holes(setup: Setup) -> None:
    """The recorder stalls now and then and misses everything for a while; connections go on."""
    holes = [
        (start, start + setup.log_uniform(2e7, 1.5e9))
        for start in setup.rng.uniform(0, 5e9, int(setup.rng.integers(2, 5)))
    ]
    path = setup.path()
    for begin in setup.times(4, 8, gap=0.6 * SECOND):
        script = upload(setup, 20_000) if setup.chance(0.4) else download(setup, int(setup.log_uniform(8_000, 60_000)))
        setup.visit(path, begin, script=script)
    recorded_from(setup, lambda time, _: not any(low <= time < high for low, high in holes))


PLAYS = (
    *look_alikes("tcp", old_reset_arrives, old_segment_arrives, late_duplicate_syn, port_reused),
    *look_alikes("tcp", damaged_segments, damaged=True),
    *look_alikes(
        "tcp", rewritten_retransmission, client_offline, path_failure, mobile_handover, sleeping_client, lossy_radio
    ),
    *look_alikes("tcp", happy_eyeballs, capture_began_late, roles_reversed, capture_ended_early, capture_holes),
)
