"""What recorders do to a capture: each effect is there, and only when asked for."""

import numpy as np
import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from netinterf.errors import ParameterError
from netinterf.simulate import run
from netinterf.simulate.conditions import Conditions
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import Stack
from netinterf.simulate.scene import Scene, Simulated
from netinterf.simulate.talks import visit

SCRIPT = [Turn(True, b"q" * 300), Turn(False, bytes(range(256)) * 400)]


def taken(**fixed: object) -> Simulated:
    """Record one download under clean conditions but for *fixed* ones."""
    conditions = Conditions.clean(**{"vantage": "client", **fixed})
    scene = Scene("test", 1, conditions, np.random.default_rng(4))
    path = scene.lay_path(rtt=4e7, where=0.5)
    path.far.rate = 1e9
    apps = (App(ending=Ending.CLOSE), App())
    visit(
        scene, path, scene.servers(1)[0], "a.example", 0.0, port=80, stacks=(Stack(), Stack()), apps=apps, script=SCRIPT
    )
    return scene.finish()


def stream(simulated: Simulated, port: int) -> bytes:
    """Put the payload of one direction together."""
    held: dict[int, bytes] = {}
    for raw in simulated.frames:
        frame = Ether(raw)
        if frame[TCP].sport == port and IP in frame:
            size = frame[IP].len - 4 * frame[IP].ihl - 4 * frame[TCP].dataofs
            if size:
                held[frame[TCP].seq] = bytes(frame[TCP].payload)[:size]
    return b"".join(held[number] for number in sorted(held))


def test_a_faithful_recorder_changes_nothing() -> None:
    """All bytes are there in order, at strictly rising or equal times."""
    whole = taken()
    assert stream(whole, 80) == SCRIPT[1].payload
    assert whole.times == sorted(whole.times)
    assert [len(frame) for frame in whole.frames] == whole.lengths


def test_one_direction_holds_only_that() -> None:
    """A tap of one direction sees no packet of the other."""
    for direction, port in (("inbound", 80), ("outbound", None)):
        ports = {Ether(raw)[TCP].sport for raw in taken(direction=direction).frames}
        assert (ports == {80}) == (port == 80)
        assert len(ports) == 1


def test_offload_merges_segments_without_changing_the_stream() -> None:
    """Merged frames are larger than a segment, fewer, and hold the same bytes; own segments lack their checksum."""
    plain, merged = taken(), taken(offload=True)
    assert len(merged.frames) < len(plain.frames)
    assert max(merged.lengths) > 2 * 1514
    assert stream(merged, 80) == SCRIPT[1].payload
    own = next(Ether(raw) for raw in merged.frames if Ether(raw)[TCP].dport == 80 and Ether(raw)[TCP].payload)
    written = own[TCP].chksum
    del own[TCP].chksum
    assert Ether(bytes(own))[TCP].chksum != written


def test_a_mirror_port_doubles_every_frame() -> None:
    """Each frame is there twice; the copy differs in nothing but its hop limit."""
    plain, twice = taken(), taken(doubled=True)
    assert len(twice.frames) == 2 * len(plain.frames)
    seen = [(Ether(raw)[TCP].seq, Ether(raw)[TCP].ack, int(Ether(raw)[TCP].flags)) for raw in twice.frames]
    assert all(seen.count(one) % 2 == 0 for one in seen)


def test_a_recorder_of_several_queues_swaps_neighbours() -> None:
    """All frames are there, some in the wrong order, none far from its place; times stay as they were."""
    plain, mixed = taken(), taken(swapped=True)
    assert mixed.times == plain.times
    assert sorted(mixed.frames) == sorted(plain.frames)
    moved = [row for row, pair in enumerate(zip(plain.frames, mixed.frames, strict=True)) if pair[0] != pair[1]]
    assert moved
    for row in moved:
        other = row + 1 if mixed.frames[row] == plain.frames[row + 1] else row - 1
        assert (mixed.frames[row], mixed.frames[other]) == (plain.frames[other], plain.frames[row])
        assert abs(plain.times[other] - plain.times[row]) <= 1_000_000


def test_labels_follow_swapped_frames() -> None:
    """What was forged is named where it stands now."""
    changed = 0
    for seed in range(12):
        plain, mixed = (
            run("tcp.synack.generic", seed, Conditions.clean(vantage="client", swapped=one)) for one in (False, True)
        )
        forged = [[made.frames[frame - 1] for truth in made.labels.truths for frame in truth.forged]
                  for made in (plain, mixed)]  # fmt: skip
        assert sorted(forged[0]) == sorted(forged[1])
        changed += plain.labels.of_frames().keys() != mixed.labels.of_frames().keys()
    assert changed


def test_missed_packets_are_missing_from_the_capture_only() -> None:
    """A tenth of the packets is not recorded, yet nothing is repeated because of it."""
    plain, holed = taken(), taken(capture_loss=0.1)
    assert 0.8 * len(plain.frames) < len(holed.frames) < 0.97 * len(plain.frames)
    numbers = [Ether(raw)[TCP].seq for raw in holed.frames if Ether(raw)[TCP].sport == 80 and Ether(raw)[TCP].payload]
    assert len(numbers) - len(set(numbers)) <= 1  # the small filler after a short frame is no payload


def test_a_snaplen_cuts_bytes_and_keeps_lengths() -> None:
    """Frames are cut, their lengths on the wire are told."""
    cut = taken(snaplen=96)
    assert max(map(len, cut.frames)) == 96
    assert cut.lengths == taken().lengths


@pytest.mark.parametrize("clock", ["coarse", "steps"])
def test_poor_clocks_change_times_and_nothing_else(clock: str) -> None:
    """Coarse times are whole milliseconds; steps shift the rest of the capture by more than a few milliseconds."""
    plain, poor = taken(), taken(clock=clock)
    assert poor.frames == plain.frames
    moved = np.array(poor.times) - np.array(plain.times)
    if clock == "coarse":
        assert all(time % 1_000_000 == 0 for time in poor.times)
        assert moved.max() <= 0
        assert moved.min() > -1_000_000
    else:
        assert 1 <= len(np.unique(moved)) - 1 <= 3
        assert np.abs(np.diff(np.unique(moved))).max() >= 5_000_000


def test_what_is_fixed_does_not_change_what_is_drawn() -> None:
    """Fixing the address family leaves the other draws of a seed alone."""
    free = Conditions().drawn(np.random.default_rng(3), ("client", "server"))
    fixed = Conditions(ip=6).drawn(np.random.default_rng(3), ("client", "server"))
    assert (free.vantage, free.luck, free.snaplen, free.clock) == (
        fixed.vantage,
        fixed.luck,
        fixed.snaplen,
        fixed.clock,
    )
    assert fixed.ip == 6


@pytest.mark.parametrize(("name", "value"), [("ip", 5), ("vantage", "space"), ("direction", "up"), ("clock", "none")])
def test_impossible_conditions_are_named(name: str, value: object) -> None:
    """A wrong value is refused with what is allowed."""
    with pytest.raises(ParameterError, match=name):
        Conditions(**{name: value})
