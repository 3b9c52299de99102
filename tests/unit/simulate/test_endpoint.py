import itertools

import numpy as np
import pytest

from netinterf.simulate.endpoint import Ending, Endpoint, Turn
from netinterf.simulate.messages import syn_options, timestamp_option
from netinterf.simulate.middlebox import Policer, Shaper
from netinterf.simulate.packet import ACK, FIN, RST, SYN, Packet, address
from netinterf.simulate.path import MILLISECOND, SECOND, Leg, Path, Tap, World
from netinterf.simulate.stack import Stack
from netinterf.simulate.tcp_options import read_options

CLIENT, SERVER = (address("10.0.0.2"), 40_000), (address("192.0.2.1"), 443)


def play(
    legs: list[Leg],
    boxes: list,
    script: list[Turn],
    *,
    endings: tuple[Ending, Ending] = (Ending.CLOSE, Ending.WAIT),
    abort_at: int = 0,
    seed: int = 1,
    **options: object,
) -> tuple[Endpoint, Endpoint, list[tuple[int, bool, Packet]]]:
    """Run one connection over a path whose first station is a tap."""
    world = World(np.random.default_rng(seed))
    tap = Tap(world)
    made = [box(world) for box in boxes]
    path = Path(world, legs, [tap, *made])
    client = Endpoint(path, Stack(), True, CLIENT, SERVER, 0, script, endings[0], abort_at)
    server = Endpoint(path, Stack(), False, SERVER, CLIENT, 0, script, endings[1], abort_at, **options)
    client.open()
    world.run()
    return client, server, tap.seen


def plain(loss: float = 0.0, **more: float) -> list[Leg]:
    """Give the legs of a path of 40 ms without boxes."""
    return [Leg(delay=1000, hops=0), Leg(delay=20 * MILLISECOND, hops=9, loss=loss, **more)]


SCRIPT = [Turn(True, b"q" * 600), Turn(False, b"a" * 60_000), Turn(True, b"r" * 100), Turn(False, b"b" * 5_000)]


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everything_arrives_however_lossy_the_path(loss: float, seed: int) -> None:
    """Both ends hear all bytes and the FIN, with and without loss, reordering and duplicates."""
    client, server, seen = play(plain(loss, reorder=loss, duplicate=loss), [], SCRIPT, seed=seed)
    assert (client.heard, server.heard) == (1 + 65_000 + 1, 1 + 700 + 1)
    repeats = len(seen) - len({(p.seq, p.ack, p.flags, len(p.payload), p.options) for _, _, p in seen})
    assert loss > 0 or repeats == 0


def test_handshake_agrees_on_options() -> None:
    """SYN and SYN/ACK carry MSS, SACK, window scale and timestamps, and later segments timestamps alone."""
    _, _, seen = play(plain(), [], SCRIPT)
    syn, answer, third = (packet for _, _, packet in seen[:3])
    assert [syn.flags, answer.flags, third.flags] == [SYN, SYN | ACK, ACK]
    for packet in (syn, answer):
        offered = read_options(packet.options)
        assert (offered.mss, offered.scale, offered.sack) == (1460, 7, True)
    assert all(len(packet.options) == 12 for _, _, packet in seen[2:])
    assert answer.ttl == 64 - 9


def test_data_is_clocked_by_acknowledgements() -> None:
    """No more than ten segments leave before the first acknowledgement (RFC 6928)."""
    _, _, seen = play(plain(), [], SCRIPT)
    inbound = [(time, packet) for time, outbound, packet in seen if not outbound and len(packet.payload) > 1000]
    first = inbound[0][0]
    assert sum(time < first + 39 * MILLISECOND for time, _ in inbound) == 10


def test_an_abort_looks_like_an_ordinary_segment_and_later_data_meets_bare_resets() -> None:
    """Close with unread data sends one RST/ACK with timestamps; what still arrives is answered without options."""
    _, _, seen = play(plain(), [], SCRIPT, endings=(Ending.ABORT, Ending.WAIT), abort_at=10_000)
    resets = [packet for _, outbound, packet in seen if outbound and packet.flags & RST]
    assert resets[0].flags == RST | ACK
    assert len(resets[0].options) == 12
    assert resets[1:]
    assert all((packet.flags, packet.options, packet.window) == (RST, b"", 0) for packet in resets[1:])


def test_a_closed_port_answers_the_syn_with_a_reset() -> None:
    """The answer to a SYN of no listener has sequence number 0 and acknowledges the SYN (RFC 9293 §3.10.7.1)."""
    _, _, seen = play(plain(), [], SCRIPT, endings=(Ending.CLOSE, Ending.REFUSE))
    assert [(packet.flags, packet.seq) for _, _, packet in seen[1:]] == [(RST | ACK, 0)]
    assert seen[1][2].ack == (seen[0][2].seq + 1) % 2**32


def test_an_idle_connection_is_reset_after_its_time() -> None:
    """The reset comes when the connection was idle for as long as the balancer allows."""
    _, _, seen = play(plain(), [], SCRIPT, endings=(Ending.SILENT, Ending.IDLE_RESET), idle=60e9)
    assert seen[-1][2].flags == RST | ACK
    assert seen[-1][0] - seen[-2][0] > 59 * SECOND


def test_nobody_answers_a_lost_syn_and_it_is_repeated() -> None:
    """SYNs into the void are repeated with doubled gaps and then given up."""
    client, _, seen = play([Leg(delay=1000, hops=0), Leg(delay=1000, loss=1.0)], [], SCRIPT)
    times = [time for time, _, _ in seen]
    gaps = [(b - a) / SECOND for a, b in itertools.pairwise(times)]
    assert [round(gap) for gap in gaps] == [1, 2, 4, 8, 16, 32]
    assert client.state == "dead"


def test_a_policer_never_passes_more_than_bucket_and_rate() -> None:
    """In every interval, passed bytes stay below bucket plus rate times time, and the download still ends."""
    rate, bucket = 2e6, 20_000.0
    script = [Turn(True, b"q"), Turn(False, bytes(500_000))]
    legs = [Leg(delay=1000, hops=0), Leg(delay=1000), Leg(delay=20 * MILLISECOND)]
    client, _, seen = play(legs, [lambda world: Policer(world, rate, bucket, lambda _: True)], script)
    arrived = [(time, packet.size + 14) for time, outbound, packet in seen if not outbound]
    time = np.array([when for when, _ in arrived])
    total = np.cumsum([size for _, size in arrived])
    excess = total - rate / 8e9 * (time - time[0])
    highest = np.maximum.accumulate(excess[::-1])[::-1]
    before = np.concatenate([[0], excess[:-1]])
    assert (highest - before).max() <= bucket + 1600  # one frame: events are rounded to nanoseconds
    assert client.heard == 1 + 500_000 + 1


def test_a_shaper_delays_instead_of_dropping() -> None:
    """With room enough a queue loses nothing and round trips grow."""
    script = [Turn(True, b"q"), Turn(False, bytes(200_000))]
    legs = [Leg(delay=1000, hops=0), Leg(delay=1000), Leg(delay=5 * MILLISECOND)]
    client, server, seen = play(legs, [lambda world: Shaper(world, 4e6, 1e9)], script)
    data = [packet.seq for _, outbound, packet in seen if not outbound and packet.payload]
    assert len(data) == len(set(data))
    assert client.heard == 1 + 200_000 + 1
    assert server.board.smooth > 20 * MILLISECOND


def test_options_are_read_back() -> None:
    """What is written as options is read as the same values."""
    assert read_options(syn_options(1400, 8, 5, 6)).mss == 1400
    assert read_options(timestamp_option(77, 1)).echo == 77
    assert read_options(b"\x01\x01").echo is None


def test_fin_of_both_sides_is_acknowledged() -> None:
    """An ordinary end has one FIN each way and no reset."""
    _, _, seen = play(plain(), [], SCRIPT)
    fins = [outbound for _, outbound, packet in seen if packet.flags & FIN]
    assert sorted(fins) == [False, True]
    assert not any(packet.flags & RST for _, _, packet in seen)
