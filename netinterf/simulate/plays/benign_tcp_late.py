"""What time, chance and recorders do to connections: stragglers, reused ports, damage, outages, moves, cut captures."""

from collections.abc import Callable

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.messages.http import http_request
from netinterf.simulate.network.desync import Strict
from netinterf.simulate.network.oddities import Corruptor, DeafDoor, Rewriter, Straggler
from netinterf.simulate.network.outages import Doze, Outage
from netinterf.simulate.network.packet import ACK, RST, SYN, Address, Packet, address
from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.simulate.plays.benign_tcp import House, download, look_alikes, talk_again, upload
from netinterf.simulate.talks import web_script

__all__ = ["PLAYS"]


def same_ports(house: House, straggler: Straggler, first: Ending, pause: float) -> None:
    """Schedule pairs of connections with the same ports, the second one *pause* ns after the first."""
    path = house.path(straggler, luck=0.0)
    for begin in house.times(2, 4):
        client = (house.scene.client, house.scene.next_port())
        ends = App(ending=first, abort_at=2000 if first is Ending.ABORT else 0)
        script = download(house, 9000)
        house.visit(path, begin, client=client, script=script, apps=(ends, App()))
        house.visit(path, begin + pause, client=client, apps=(App(ending=Ending.CLOSE), App()))


def old_reset_arrives(house: House) -> None:
    """Ports are used again, and a reset of the previous connection arrives late in the new one."""
    pause = house.between(5e9, 4e10)
    late = Straggler(lambda packet, _: bool(packet.flags & RST), lambda: pause + house.between(2e7, 3e8))
    same_ports(house, late, Ending.ABORT, pause)


def old_segment_arrives(house: House) -> None:
    """Ports are used again, and data of the previous connection arrives late in the new one."""
    pause = house.between(5e9, 4e10)
    late = Straggler(lambda packet, _: len(packet.payload) > 100 and house.scene.world.chance.random() < 0.3,
                     lambda: pause + house.between(2e7, 3e8), most=6)  # fmt: skip
    same_ports(house, late, Ending.CLOSE, pause)


def late_duplicate_syn(house: House) -> None:
    """A second copy of a SYN or SYN/ACK arrives while the connection is open, or after it ended."""
    late = Straggler(lambda packet, _: bool(packet.flags & SYN), lambda: house.between(2e8, 2e10))
    path = house.path(late)
    for begin in house.times(2, 6):
        house.visit(path, begin)


def port_reused(house: House) -> None:
    """A client uses the same ports again and again, with fresh sequence numbers each time."""
    path = house.path()
    client = (house.scene.client, house.scene.next_port())
    for order in range(int(house.rng.integers(3, 7))):
        ending = Ending.RESET if house.chance(0.5) else Ending.CLOSE
        house.visit(path, order * house.between(4e9, 9e9), client=client, apps=(App(ending=ending), App()))


def damaged_segments(house: House) -> None:
    """A bad memory or link damages segments: other bytes and a wrong checksum, then the same range whole."""
    bad = Corruptor(house.scene.world, float(house.rng.uniform(0.01, 0.1)))
    path = house.path(bad, near=[Strict(False)], door=[Strict(True)])
    for begin in house.times(2, 4):
        house.visit(path, begin, script=download(house, int(house.between(20_000, 90_000))))


def rewritten_retransmission(house: House) -> None:
    """A box changes words of the first copy of an answer only; its repetition passes as the server wrote it."""
    words = ((b"text/html", b"text/xml;"), (b"<p>text</p>", b"<b>Text</b>"), (b"Content-Type", b"X-ntent-Type"))
    pick = words[int(house.rng.integers(len(words)))]
    lost = DeafDoor(
        house.scene.world, lambda packet: not packet.payload and packet.flags == ACK, house.between(8e8, 2e9)
    )
    path = house.path(Rewriter((pick,)), door=[lost], rtt=house.between(1e7, 1.2e8), luck=0.0)
    for begin in house.times(2, 5):
        script = web_script(house.rng, house.name, 80)
        later = Turn(True, http_request(house.name, "/next"), house.between(2.2e9, 4e9))  # so that no FIN acknowledges
        house.visit(path, begin, port=80, script=[*script, later, script[-1]])


def client_offline(house: House) -> None:
    """The client's network fails for a while: everything is silent at once, and goes on or is given up."""
    begin = house.now + int(house.between(3e8, 3e9))
    end = begin + int(house.between(2e9, 6e10))
    house.shared.append(Outage(house.scene.world, [(begin, end)]))
    path = house.path()
    for start in house.rng.uniform(0, begin - house.now, int(house.rng.integers(3, 8))):
        pause = begin - house.now - start + house.between(1e7, 3e9)
        house.visit(path, float(start), script=talk_again(house, pause))


def path_failure(house: House) -> None:
    """The way to one server fails in mid transfer and never comes back while the capture lasts."""
    begin = house.now + int(house.between(3e8, 2e9))
    path = house.path(Outage(house.scene.world, [(begin, 1 << 62)]))
    for start in house.rng.uniform(0, begin - house.now, int(house.rng.integers(2, 5))):
        pause = begin - house.now - start + house.between(1e7, 3e9)
        house.visit(path, float(start), script=talk_again(house, pause))


def mobile_handover(house: House) -> None:
    """A phone changes networks: its old address falls silent in mid transfer, visits begin anew from another."""
    when = int(house.between(5e8, 3e9))
    house.neighbours = 1
    old = house.path(Outage(house.scene.world, [(house.now + when, 1 << 62)]))
    for start in house.rng.uniform(0, when * 0.9, int(house.rng.integers(2, 5))):
        house.visit(old, float(start), script=download(house, int(house.between(30_000, 150_000))))
    fresh, moved = house.path(), house.scene.clients(1)[0]
    for start in house.times(2, 4):
        client = (moved, house.scene.next_port())
        house.visit(fresh, when + house.between(1e8, 2e9) + start, client=client, odd=False)


def sleeping_client(house: House) -> None:
    """A sleeping client hears the network at beacons only: answers come late and in bunches."""
    house.shared.append(
        Doze(house.scene.world, beacon=int(house.between(5e7, 4e8)), awake=int(house.between(2e7, 1e8)))
    )
    path = house.path()
    for begin in house.times(3, 6):
        house.visit(path, begin)


def lossy_radio(house: House) -> None:
    """A poor radio link loses packets in bursts: repeated SYNs, requests and answers, and some give up."""
    path = house.path(luck=1.0)
    far = path.far
    far.burst, far.bad_for, far.jitter = (
        float(house.rng.uniform(0.05, 0.3)),
        int(house.between(2e7, 8e8)),
        4 * MILLISECOND,
    )
    for begin in house.times(4, 8, gap=0.7 * SECOND):
        house.visit(path, begin, script=download(house, int(house.between(3_000, 40_000))))


def other_family(house: House, host: Address) -> Address:
    """Give the address of the other family that a dual-stacked host has."""
    number = host[1] & 0xFF
    return address(f"198.18.{number}.{number + 1}") if house.scene.six else address(f"2001:db8:ffff::{number + 1:x}")


def happy_eyeballs(house: House) -> None:
    """Both address families are tried at once; the slower connection is reset, closed or left alone (RFC 8305)."""
    quick, slow = house.path(rtt=house.between(8e6, 1.5e8)), house.path(rtt=house.between(1e8, 5e8))
    for begin in house.times(3, 6):
        loser = [App(ending=Ending.RESET), App(ending=Ending.CLOSE), App(ending=Ending.SILENT)]
        client = (other_family(house, house.scene.client), house.scene.next_port())
        apps = (loser[int(house.rng.integers(3))], App())
        house.visit(slow, begin, server=other_family(house, house.server), client=client, script=[], apps=apps)
        house.visit(quick, begin + house.between(1e7, 2.5e8), odd=False)


def recorded_from(house: House, keeps: Callable[[int, Packet], bool]) -> None:
    """Let the recorder have written down only what it *keeps*, given the time in ns since the scene began."""
    begin = house.now
    house.scene.keeps = lambda time, packet: keeps(time - begin, packet)


def capture_began_late(house: House) -> None:
    """The capture begins in the middle of connections: no handshake, sometimes only their resets or silence."""
    when = int(house.between(3e8, 4e9))
    path = house.path()
    for begin in house.rng.uniform(0, when, int(house.rng.integers(3, 7))):
        app = [App(ending=Ending.RESET), App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD)]
        script = talk_again(house, when - float(begin))
        house.visit(path, float(begin), script=script, apps=(app[int(house.rng.integers(3))], App()))
    recorded_from(house, lambda time, _: time >= when)


def roles_reversed(house: House) -> None:
    """The capture begins in the middle of talks whose opener has the lower port; the other end leaves or is mute."""
    # peers of file sharing, SIP and remote shells open from ports that look like those of services
    when = int(house.between(3e8, 4e9))
    path = house.path()
    for begin in house.rng.uniform(0, when, int(house.rng.integers(3, 7))):
        client = (house.scene.client, house.one_of(22, 443, 5060, 6881, 8080) + int(house.rng.integers(0, 40)))
        script = talk_again(house, when - float(begin) + house.between(1e7, 1e9))
        leaves = house.chance(0.5)  # at the question that is captured, else after its answer
        ends = (App(ending=Ending.RESET), App(ending=Ending.CLOSE), App(ending=Ending.CLOSE_HARD))
        server = App(dies=when - float(begin)) if leaves else ends[int(house.rng.integers(3))]
        house.visit(path, float(begin), port=int(house.rng.integers(32_768, 65_000)), client=client, script=script,
                    apps=(App(ending=Ending.CLOSE, patience=house.between(3e9, 2e10)), server))  # fmt: skip
    recorded_from(house, lambda time, _: time >= when)


def capture_ended_early(house: House) -> None:
    """The capture ends in the middle of connections, some just after their requests."""
    when = int(house.between(1e9, 5e9))
    path = house.path()
    for begin in house.rng.uniform(0, when, int(house.rng.integers(3, 8))):
        house.visit(path, float(begin), script=download(house, int(house.between(8_000, 60_000))))
    recorded_from(house, lambda time, _: time < when)


def capture_holes(house: House) -> None:
    """The recorder stalls now and then and misses everything for a while; connections go on."""
    holes = [
        (start, start + house.between(2e7, 1.5e9)) for start in house.rng.uniform(0, 5e9, int(house.rng.integers(2, 5)))
    ]
    path = house.path()
    for begin in house.times(4, 8, gap=0.6 * SECOND):
        script = upload(house, 20_000) if house.chance(0.4) else download(house, int(house.between(8_000, 60_000)))
        house.visit(path, begin, script=script)
    recorded_from(house, lambda time, _: not any(low <= time < high for low, high in holes))


PLAYS = (
    *look_alikes("tcp", old_reset_arrives, old_segment_arrives, late_duplicate_syn, port_reused),
    *look_alikes("tcp", damaged_segments, damaged=True),
    *look_alikes(
        "tcp", rewritten_retransmission, client_offline, path_failure, mobile_handover, sleeping_client, lossy_radio
    ),
    *look_alikes("tcp", happy_eyeballs, capture_began_late, roles_reversed, capture_ended_early, capture_holes),
)
