import itertools
from collections.abc import Callable

import attrs
import numpy as np
import pytest

from netinterf.simulate import run
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.endpoint import Endpoint
from netinterf.simulate.hosts.stack import Stack
from netinterf.simulate.messages.icmp import error
from netinterf.simulate.messages.tcp_options import read_blocks, read_options, syn_options, timestamp_option
from netinterf.simulate.network.packet import ACK, FIN, RST, SYN, Packet, address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Leg, Onward, Path, Station, Tap, World

CLIENT, SERVER = (address("10.0.0.2"), 40_000), (address("192.0.2.1"), 443)
OTHER = (address("198.51.100.7"), 443)


@attrs.define
class Gate:
    """A station of the tests: passes what `passes` allows, and sends what `answers` gives."""

    world: World
    passes: Callable[[Packet, bool], bool] | None = None
    answers: Callable[[Packet, bool], list[Onward]] | None = None

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass or not."""
        kept = [(0, outbound, packet)] if self.passes is None or self.passes(packet, outbound) else []
        return [*kept, *(self.answers(packet, outbound) if self.answers else [])]


def play(
    legs: list[Leg],
    boxes: list[Station],
    script: list[Turn],
    *,
    apps: tuple[App, App] = (App(ending=Ending.CLOSE), App()),
    stacks: tuple[Stack, Stack] = (Stack(), Stack()),
    world: World | None = None,
) -> tuple[Endpoint, Endpoint, list[tuple[int, bool, int, Packet]]]:
    """Run one connection over a path whose first station is a tap."""
    world = world or World(np.random.default_rng(1))
    tap = Tap(world)
    path = Path(world, [legs[0], tap, legs[1], *boxes, *legs[2:]])
    client, server = (
        Endpoint(path=path, stack=stack, outbound=out, local=local, remote=remote, subject=0, script=script, app=app)
        for stack, out, local, remote, app in zip(
            stacks, (True, False), (CLIENT, SERVER), (SERVER, CLIENT), apps, strict=True
        )
    )
    client.open()
    world.run()
    return client, server, sorted(tap.seen, key=lambda one: one[0])


def plain(loss: float = 0.0, **more: float) -> list[Leg]:
    """Give the legs of a path of 40 ms without boxes."""
    return [Leg(delay=1000, hops=0), Leg(delay=20 * MILLISECOND, hops=9, loss=loss, **more)]


SCRIPT = [Turn(True, b"q" * 600), Turn(False, b"a" * 60_000), Turn(True, b"r" * 100), Turn(False, b"b" * 5_000)]


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_arrives_however_lossy_the_path(loss: float, seed: int) -> None:
    """Both ends hear all bytes and the FIN, with and without loss, reordering and duplicates."""
    world = World(np.random.default_rng(seed))
    client, server, seen = play(plain(loss, reorder=loss, duplicate=loss), [], SCRIPT, world=world)
    assert (client.receiver.nxt, server.receiver.nxt) == (1 + 65_000 + 1, 1 + 700 + 1)
    repeats = len(seen) - len({(p.seq, p.ack, p.flags, len(p.payload), p.options) for _, _, _, p in seen})
    assert loss > 0 or repeats == 0


def test_handshake_agrees_on_options() -> None:
    """SYN and SYN/ACK carry MSS, SACK, window scale and timestamps, and later segments timestamps alone."""
    _, _, seen = play(plain(), [], SCRIPT)
    syn, answer, third = (packet for _, _, _, packet in seen[:3])
    assert [syn.flags, answer.flags, third.flags] == [SYN, SYN | ACK, ACK]
    for packet in (syn, answer):
        offered = read_options(packet.options)
        assert (offered.mss, offered.scale, offered.sack) == (1460, 7, True)
    assert all(len(packet.options) == 12 for _, _, _, packet in seen[2:])
    assert seen[1][2] == 64 - 9


def test_data_is_clocked_by_acknowledgements() -> None:
    """No more than ten segments leave before the first acknowledgement (RFC 6928)."""
    slow = [Leg(delay=1000, hops=0), Leg(delay=20 * MILLISECOND, hops=9)]
    _, _, seen = play(slow, [], SCRIPT)
    inbound = [(time, packet) for time, outbound, _, packet in seen if not outbound and len(packet.payload) > 1000]
    first = inbound[0][0]
    assert sum(time < first + 39 * MILLISECOND for time, _ in inbound) == 10


def test_an_abort_looks_like_an_ordinary_segment_and_later_data_meets_bare_resets() -> None:
    """Close with unread data sends one RST/ACK with timestamps; what still arrives is answered without options."""
    _, _, seen = play(plain(), [], SCRIPT, apps=(App(ending=Ending.ABORT, abort_at=10_000), App()))
    resets = [packet for _, outbound, _, packet in seen if outbound and packet.flags & RST]
    assert resets[0].flags == RST | ACK
    assert len(resets[0].options) == 12
    assert resets[1:]
    assert all((packet.flags, packet.options, packet.window) == (RST, b"", 0) for packet in resets[1:])


def test_a_closed_port_answers_the_syn_with_a_reset() -> None:
    """The answer to a SYN of no listener has sequence number 0 and acknowledges the SYN (RFC 9293 §3.10.7.1)."""
    _, _, seen = play(plain(), [], SCRIPT, apps=(App(ending=Ending.CLOSE), App(ending=Ending.REFUSE)))
    assert [(packet.flags, packet.seq) for _, _, _, packet in seen[1:]] == [(RST | ACK, 0)]
    assert seen[1][3].ack == (seen[0][3].seq + 1) % 2**32


def test_an_idle_connection_is_reset_after_its_time() -> None:
    """The reset comes when the connection was idle for as long as the balancer allows."""
    _, _, seen = play(plain(), [], SCRIPT, apps=(App(ending=Ending.SILENT), App(ending=Ending.IDLE_RESET, idle=60e9)))
    assert seen[-1][3].flags == RST | ACK
    assert seen[-1][0] - seen[-2][0] > 59 * SECOND


def test_nobody_answers_a_lost_syn_and_it_is_repeated() -> None:
    """SYNs into the void are repeated with doubled gaps and then given up."""
    client, _, seen = play([Leg(delay=1000, hops=0), Leg(delay=1000, loss=1.0)], [], SCRIPT)
    times = [time for time, _, _, _ in seen]
    gaps = [(b - a) / SECOND for a, b in itertools.pairwise(times)]
    assert [round(gap) for gap in gaps] == [1, 2, 4, 8, 16]
    assert client.state == "dead"


def test_options_are_read_back() -> None:
    """What is written as options is read as the same values."""
    assert read_options(syn_options(1400, 8, 5, 6)).mss == 1400
    assert read_options(timestamp_option(77, 1)).echo == 77
    assert read_options(b"\x01\x01").echo is None


def test_fin_of_both_sides_is_acknowledged() -> None:
    """An ordinary end has one FIN each way and no reset."""
    _, _, seen = play(plain(), [], SCRIPT)
    fins = [outbound for _, outbound, _, packet in seen if packet.flags & FIN]
    assert sorted(fins) == [False, True]
    assert not any(packet.flags & RST for _, _, _, packet in seen)


def test_a_fast_retransmission_repairs_a_loss_within_a_round_trip() -> None:
    """One lost segment amid others is repeated after about a round trip, not after the timer, and only once."""
    lost: list[int] = []

    def once(packet: Packet, outbound: bool) -> bool:
        if not outbound and packet.payload and packet.seq % 7 == 3 and not lost:
            lost.append(packet.seq)
            return False
        return True

    world = World(np.random.default_rng(5))
    legs = [Leg(delay=1000, hops=0), Leg(delay=5 * MILLISECOND), Leg(delay=15 * MILLISECOND)]
    gate = Gate(world, once)
    client, server, seen = play(legs, [gate], [Turn(True, b"q"), Turn(False, bytes(100_000))], world=world)
    assert lost
    assert client.receiver.nxt == 1 + 100_000 + 1
    arrivals = [time for time, outbound, _, packet in seen if not outbound and packet.seq == lost[0] and packet.payload]
    after = min(time for time, outbound, _, packet in seen if not outbound and packet.payload and packet.seq > lost[0])
    assert len(arrivals) == 1
    assert arrivals[0] - after < 80 * MILLISECOND
    assert server.sender.control.threshold < 1e9


def test_a_lost_tail_is_probed_before_the_timer() -> None:
    """When the last two segments are lost the last is repeated after two round trips (RFC 8985 section 7)."""
    dropped: list[int] = []
    first: list[int] = []

    def last(packet: Packet, outbound: bool) -> bool:
        if not outbound and packet.payload and len(dropped) < 2 and (packet.seq - first[0]) % 2**32 > 5_000:
            dropped.append(world.now)
            return False
        first.extend([packet.seq] * (not outbound))
        return True

    world = World(np.random.default_rng(5))
    legs = [Leg(delay=1000, hops=0), Leg(delay=5 * MILLISECOND), Leg(delay=15 * MILLISECOND)]
    client, _, seen = play(legs, [Gate(world, last)], [Turn(True, b"q"), Turn(False, bytes(8_000))], world=world)
    again = next(time for time, outbound, _, packet in seen if not outbound and packet.flags & 8)
    assert 60 * MILLISECOND < again - dropped[0] < 200 * MILLISECOND
    assert client.receiver.nxt == 1 + 8_000 + 1


def test_without_sack_three_duplicates_find_the_loss() -> None:
    """A stack without SACK repeats after three duplicate acknowledgements (RFC 6582)."""
    lost: list[int] = []

    def once(packet: Packet, outbound: bool) -> bool:
        if not outbound and packet.payload and packet.seq % 7 == 3 and not lost:
            lost.append(packet.seq)
            return False
        return True

    world = World(np.random.default_rng(8))
    legs = [Leg(delay=1000, hops=0), Leg(delay=5 * MILLISECOND), Leg(delay=15 * MILLISECOND)]
    old = Stack(sack=False, timestamps=False)
    client, _, seen = play(
        legs, [Gate(world, once)], [Turn(True, b"q"), Turn(False, bytes(100_000))], stacks=(old, old), world=world
    )
    assert lost
    assert client.receiver.nxt == 1 + 100_000 + 1
    numbers = [packet.ack for _, outbound, _, packet in seen if outbound and not packet.payload]
    assert max(numbers.count(number) for number in set(numbers)) >= 4


def test_a_small_buffer_limits_the_rate_to_a_window_per_round_trip() -> None:
    """With 16 kB of buffer and 40 ms of round trip, 400 kB take about a second."""
    small = Stack(buffer=16_384)
    _, _, seen = play(plain(), [], [Turn(True, b"q"), Turn(False, bytes(400_000))], stacks=(small, Stack()))
    assert 0.8 < (seen[-1][0] - seen[0][0]) / SECOND < 1.6
    assert max(packet.window << 7 for _, outbound, _, packet in seen[2:] if outbound) <= 16_384


def test_a_slow_reader_closes_the_window_and_opens_it_again() -> None:
    """A program that reads 50 kB/s lets the window go to nothing; the transfer takes as long as the reading."""
    apps = (App(ending=Ending.CLOSE, read_rate=50_000), App())
    script = [Turn(True, b"q"), Turn(False, bytes(200_000))]
    client, _, seen = play(plain(), [], script, apps=apps, stacks=(Stack(buffer=32_768), Stack()))
    assert client.receiver.nxt == 1 + 200_000 + 1
    assert 3 < (seen[-1][0] - seen[0][0]) / SECOND < 6
    assert min(packet.window << 7 for _, outbound, _, packet in seen[2:] if outbound) < 2 * 1460


def test_a_dead_host_is_silent_and_a_revived_one_resets() -> None:
    """After its death nothing comes from the server but, once it is back, bare resets."""
    script = [Turn(True, b"q" * 100), Turn(False, bytes(3_000)), Turn(True, b"r" * 100, 0.5e9), Turn(False, b"a")]
    apps = (App(ending=Ending.CLOSE), App(dies=0.2e9, revives=3e9))
    client, _, seen = play(plain(), [], script, apps=apps)
    begin = seen[0][0]
    late = [
        (time - begin, packet.flags) for time, outbound, _, packet in seen if not outbound and time > begin + 0.25e9
    ]
    assert [flags for _, flags in late] == [RST]
    assert late[0][0] > 3.2e9
    assert client.state == "dead"


@pytest.mark.parametrize(("rude", "flag"), [(False, FIN), (True, RST)])
def test_an_impatient_client_gives_up(rude: bool, flag: int) -> None:
    """When the answer does not come the client closes, politely or not, after its patience."""
    script = [Turn(True, b"q" * 100), Turn(False, b"a", 60e9)]
    _, _, seen = play(plain(), [], script, apps=(App(patience=5e9, resets=rude), App()))
    first = next(time for time, outbound, _, packet in seen if outbound and packet.flags & flag)
    assert 4.9 < (first - seen[0][0]) / SECOND < 5.2


def test_keep_alive_probes_carry_an_old_number_and_end_in_a_reset() -> None:
    """Probes are one below the next number; answered ones go on, unanswered ones end the connection."""
    script = [Turn(True, b"q" * 100), Turn(False, b"a" * 50)]
    apps = (App(ending=Ending.SILENT, keepalive=10e9), App(ending=Ending.SILENT, dies=35e9))
    _, _, seen = play(plain(), [], script, apps=apps)
    probes = [
        packet for time, outbound, _, packet in seen if outbound and time > seen[0][0] + 9e9 and packet.flags == ACK
    ]
    assert len(probes) >= 7
    assert len({packet.seq for packet in probes}) == 1
    assert seen[-1][3].flags == RST | ACK


@pytest.mark.parametrize(("ahead", "careful", "dies"), [(0, True, True), (500, True, False), (500, False, True)])
def test_resets_beside_the_next_number_are_challenged(ahead: int, careful: bool, dies: bool) -> None:
    """RFC 5961 section 3.2: an exact number ends the connection, one in the window only if the stack is careless."""
    script = [Turn(True, b"q" * 100), Turn(False, b"a" * 100, 1e9)]
    world = World(np.random.default_rng(2))
    done: list[int] = []

    def forge(packet: Packet, outbound: bool) -> list[Onward]:
        if not outbound or not packet.payload or done:
            return []
        done.append(1)
        return [(1000, False, packet.reply(seq=(packet.ack + ahead) % 2**32, flags=RST, ack=0))]

    legs = [Leg(delay=1000, hops=0), Leg(delay=5 * MILLISECOND), Leg(delay=15 * MILLISECOND)]
    stacks = (Stack(challenge_acks=careful), Stack())
    client, _, _ = play(legs, [Gate(world, answers=forge)], script, stacks=stacks, world=world)
    assert (client.receiver.nxt < 101) == dies


def test_an_icmp_error_makes_segments_smaller() -> None:
    """After "fragmentation needed" with an MTU of 1400 no segment is larger, and all arrives (RFC 1191)."""
    world = World(np.random.default_rng(2))

    def small(packet: Packet, outbound: bool) -> bool:
        return outbound or packet.size <= 1400

    def complain(packet: Packet, outbound: bool) -> list[Onward]:
        return [] if small(packet, outbound) else [(1000, True, error(packet, OTHER[0], "size", mtu=1400))]

    legs = [Leg(delay=1000, hops=0), Leg(delay=5 * MILLISECOND), Leg(delay=15 * MILLISECOND)]
    script = [Turn(True, b"q"), Turn(False, bytes(50_000))]
    client, _, seen = play(legs, [Gate(world, small, complain)], script, world=world)
    assert client.receiver.nxt == 1 + 50_000 + 1
    assert max(packet.size for _, outbound, _, packet in seen if not outbound) <= 1400


def test_a_segment_from_elsewhere_meets_a_reset() -> None:
    """A server that hears from another address does not know the connection."""
    world = World(np.random.default_rng(2))
    script = [Turn(True, b"q" * 100), Turn(False, b"a"), Turn(True, b"r" * 50), Turn(False, b"b")]

    class Mover:
        """Rewrites the client's address after its first request, as a new lease does."""

        heard = 0

        def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
            """Pass the packet, from another address later."""
            self.heard += outbound and bool(packet.payload)
            return [(0, outbound, packet.copy(sport=50_000) if outbound and self.heard > 1 else packet)]

    legs = [Leg(delay=1000, hops=0), Leg(delay=5 * MILLISECOND), Leg(delay=15 * MILLISECOND)]
    _, _, seen = play(legs, [Mover()], script, world=world)
    assert any(packet.flags & RST and not outbound for _, outbound, _, packet in seen)


def test_blocks_are_read_back() -> None:
    """SACK blocks behind timestamps and alone give the same offsets."""
    blocks = bytes([1, 1, 5, 10]) + (1005).to_bytes(4, "big") + (1009).to_bytes(4, "big")
    assert read_blocks(timestamp_option(1, 2) + blocks, 1000) == ((5, 9),)
    assert read_blocks(blocks, 1000) == ((5, 9),)
    assert read_blocks(timestamp_option(1, 2), 1000) == ()


def test_a_sender_whose_last_pieces_all_arrived_out_of_order_waits_for_its_timer() -> None:
    """Everything is acknowledged selectively and nothing in a row: no piece is overtaken, and the play goes on."""
    played = run("tcp.fin.uz-sandvine", 1024)
    assert played.frames
