"""Congestion control as its specification says, seen in whole transfers and in single steps."""

import numpy as np
import pytest

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.congestion import Arrival, Bbr, Cubic, Reno, make_control
from netinterf.simulate.hosts.endpoint import Endpoint
from netinterf.simulate.hosts.stack import Stack
from netinterf.simulate.network.packet import address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Leg, Path, Tap, World

CLIENT, SERVER = (address("10.0.0.2"), 40_000), (address("192.0.2.1"), 443)


def transfer(congestion: str, size: int, *, loss: float = 0.0, rate: float = 1e9, seed: int = 1) -> tuple[float, int]:
    """Download *size* bytes over 40 ms; give seconds and repeated segments."""
    world = World(np.random.default_rng(seed))
    tap = Tap(world)
    path = Path(world, [Leg(delay=1000, hops=0), tap, Leg(delay=20 * MILLISECOND, loss=loss, rate=rate)])
    script = [Turn(True, b"q"), Turn(False, bytes(size))]
    ends = [
        Endpoint(path=path, stack=Stack(congestion=congestion), outbound=out, local=local, remote=remote, subject=0,
                 script=script, app=app)
        for out, local, remote, app in (
            (True, CLIENT, SERVER, App(ending=Ending.CLOSE)), (False, SERVER, CLIENT, App()),
        )
    ]  # fmt: skip
    ends[0].open()
    world.run()
    assert ends[0].receiver.nxt == 1 + size + 1
    data = [packet.seq for _, outbound, _, packet in tap.seen if not outbound and packet.payload]
    times = [time for time, _, _, _ in tap.seen]
    return (max(times) - min(times)) / SECOND, len(data) - len(set(data))


def test_reno_grows_by_one_segment_a_round_trip_and_halves() -> None:
    """RFC 5681: slow start doubles, avoidance adds one, a loss halves, a timeout leaves one segment."""
    reno = Reno()
    reno.acknowledged(Arrival(10, 0, 4e7, 0.0, 0))
    assert reno.window == 20
    reno.lost()
    assert (reno.window, reno.threshold) == (10, 10)
    for _ in range(10):
        reno.acknowledged(Arrival(1, 0, 4e7, 0.0, 9))
    assert 10.9 < reno.window < 11.1
    reno.timed_out()
    assert reno.window == 1


def test_cubic_returns_to_the_old_window_after_its_time() -> None:
    """RFC 9438 section 4.2: the window is back where it was K = cbrt(W (1 - beta) / C) seconds after the loss."""
    cubic = Cubic(window=100.0, threshold=1.0)
    cubic.lost()
    assert cubic.window == pytest.approx(70)
    depth = (100 * 0.3 / 0.4) ** (1 / 3)
    now, step = SECOND, 100 * MILLISECOND
    cubic.acknowledged(Arrival(1, now, step, 0.0, 70))
    while now < SECOND + depth * SECOND:
        now += step
        for _ in range(int(cubic.window)):
            cubic.acknowledged(Arrival(1, now, step, 0.0, int(cubic.window)))
    assert cubic.window == pytest.approx(100, rel=0.05)


def test_a_window_that_is_not_used_does_not_grow() -> None:
    """RFC 7661: a sender without data keeps its window."""
    for control in (Reno(), Cubic()):
        control.acknowledged(Arrival(1, 0, 4e7, 0.0, 0))
        assert control.window == 10


def test_loss_limits_reno_as_the_square_root_says() -> None:
    """Mathis et al. 1997: about 1.22 segments a round trip over the root of the loss, once slow start is forgotten."""
    loss, size = 0.01, 8_000_000
    seconds = np.mean([transfer("reno", size, loss=loss, seed=seed)[0] for seed in range(2)])
    expected = size / (1448 * 1.22 / np.sqrt(loss) / 0.04)
    assert 0.5 * expected < seconds < 2 * expected


def test_pacing_by_rate_shrugs_random_loss_off() -> None:
    """With two percent of loss the paced kind needs less than half the time of Reno."""
    seconds = {name: transfer(name, 1_500_000, loss=0.02, seed=3)[0] for name in ("reno", "bbr")}
    assert seconds["bbr"] < seconds["reno"] / 2


@pytest.mark.parametrize("congestion", ["reno", "cubic", "bbr"])
def test_a_slow_link_is_filled(congestion: str) -> None:
    """At 10 Mbit/s two megabytes take about 1.7 s, whoever controls."""
    seconds, _ = transfer(congestion, 2_000_000, rate=1e7)
    assert 1.6 < seconds < 3.0


def test_the_paced_kind_measures_the_bottleneck() -> None:
    """After a transfer over 10 Mbit/s the model holds that rate and leaves startup."""
    control = make_control("bbr")
    assert isinstance(control, Bbr)
    now = 0
    for count in range(400):
        now += 1_200_000  # a segment every 1.2 ms: 833 a second
        control.acknowledged(Arrival(1, now, 4e7, 833.0, 40))
        if count > 300:
            assert control.state in {"cruise", "drain"}
    assert control.pacing == pytest.approx(833, rel=0.66)
