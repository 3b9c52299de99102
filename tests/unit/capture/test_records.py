"""Record boundaries: the parallel walk must equal the slow one, whatever the bytes."""

import numpy as np
import pytest

from netinterf.capture import packet_blocks, pcap, records
from netinterf.capture.records import headers, walk, walk_each
from netinterf.pieces import overlapping
from tests.oracles import containers as c

pytestmark = pytest.mark.usefixtures("each_way")

SIZES = np.array([66, 74, 1514, 590])


def chain_of(data, kind):
    """Describe the records of a pcap or pcapng file to the walker."""
    if kind == "pcap":
        return pcap._chain(pcap.read_header(data, "test"), begin=1_700_000_000), 24
    return packet_blocks.chain_of("<"), 0


def capture(kind, count, seed, payload="random", order="<", sizes=SIZES):
    """Make a capture whose payload is random, zero, or full of fake headers."""
    draw = np.random.default_rng(seed)
    out = [c.pcap_header(order) if kind == "pcap" else c.section(order) + c.interface(order)]
    fake_record = c.pcap_record(order, 1_700_000_000, 1, b"x" * 40)
    fake_block = c.enhanced(order, 1_700_000_000_000_000, b"y" * 20)
    for number in range(count):
        size = int(draw.choice(sizes))
        if payload == "random":
            data = draw.bytes(size)
        elif payload == "zero":
            data = bytes(size)
        else:
            data = ((fake_record if kind == "pcap" else fake_block) * (size // 40 + 1))[:size]
        second = 1_700_000_000 + number // 100
        if kind == "pcap":
            out.append(c.pcap_record(order, second, number % 100, data))
        else:
            out.append(c.enhanced(order, second * 10**6 + number, data))
    return np.frombuffer(b"".join(out), np.uint8)


@pytest.fixture
def eager(monkeypatch):
    """Walk in parallel even where it would not pay."""
    monkeypatch.setattr(records, "SMALL", 512)
    monkeypatch.setattr(records, "FEWEST_CHAINS", 4)
    monkeypatch.setattr(records, "BLOCK", 8)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("payload", ["random", "zero", "headers"])
@pytest.mark.parametrize("seed", range(3))
def test_parallel_walk_equals_slow_walk(kind, payload, seed, eager):
    """Walking many chains at once finds the same records, also when payload looks like headers."""
    data = capture(kind, 3000, seed, payload)
    chain, start = chain_of(data, kind)
    slow, fast = walk_each(data, start, len(data), chain), walk(data, start, len(data), chain)
    assert slow.why == fast.why == "end"
    assert slow.stop == fast.stop == len(data)
    assert np.array_equal(slow.starts, fast.starts)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_parallel_walk_is_taken(kind, eager):
    """The walk of an ordinary capture really starts from several proved guesses."""
    data = capture(kind, 3000, 7)
    chain, start = chain_of(data, kind)
    guesses = records.guess(data, start, len(data), chain, largest=1550, mean=600)
    truth = walk_each(data, start, len(data), chain).starts
    assert len(guesses) > 20
    assert np.isin(guesses, truth).all()


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
@pytest.mark.parametrize("seed", range(12))
def test_damage_stops_both_walks_at_the_same_place(kind, seed, eager):
    """Overwritten bytes and cut ends lead the parallel walk to the very same result."""
    draw = np.random.default_rng(seed)
    data = capture(kind, 2500, seed).copy()
    chain, start = chain_of(data, kind)
    starts = walk_each(data, start, len(data), chain).starts
    if seed % 3:
        at = int(draw.choice(starts[400:]))
        data[at : at + 16] = draw.integers(0, 256 if seed % 2 else 2, 16)
    if seed % 2:
        data = data[: len(data) - int(draw.integers(1, 1000))]
    slow, fast = walk_each(data, start, len(data), chain), walk(data, start, len(data), chain)
    assert (slow.stop, slow.why) == (fast.stop, fast.why)
    assert np.array_equal(slow.starts, fast.starts)


def test_wrong_guesses_cost_time_not_correctness(eager, monkeypatch):
    """A walk from guesses of which every other is wrong still finds the true records."""
    data = capture("pcap", 3000, 5)
    chain, start = chain_of(data, "pcap")
    truth = walk_each(data, start, len(data), chain).starts
    guesses = np.unique(np.concatenate([truth[::100], truth[50::100] + 3]))
    found = records.settle(data, records.stitch(data, guesses, len(data), chain), len(data), chain)
    assert np.array_equal(truth, found.starts)


def test_regions_join_without_seam(eager):
    """Walking in regions gives what one walk gives."""
    data = capture("pcap", 3000, 6)
    chain, at = chain_of(data, "pcap")
    whole, parts = walk_each(data, at, len(data), chain).starts, []
    while at < len(data):
        part = walk(data, at, min(at + 300_000, len(data)), chain)
        parts.append(part.starts)
        at = part.stop
    assert np.array_equal(whole, np.concatenate(parts))


def test_headers_of_nothing():
    """No starts give no rows, and a short buffer an empty view."""
    assert headers(np.zeros(3, np.uint8), np.empty(0, np.int64), 16, "<u4").shape == (0, 4)
    assert len(overlapping(np.zeros(3, np.uint8), 16)) == 0
