"""Conversations are grouped exactly, also where somebody chose addresses whose hashes collide."""

import attrs
import numpy as np
import pytest

from netinterf import compiled
from netinterf.flows import conversations
from netinterf.flows.conversations import endpoint_hash, group_conversations
from netinterf.flows.grouping import FIRST_MULTIPLIER, SECOND_MULTIPLIER, mix
from tests.oracles.segments import Segment, decoded


def shifted_back(value, shift):
    """Undo ``value ^= value >> shift``."""
    found = value
    for _ in range(64 // shift):
        found = value ^ found >> shift
    return found


def unmixed(value):
    """Undo `mix`."""
    value = shifted_back(value, 31) * pow(int(SECOND_MULTIPLIER), -1, 2**64) % 2**64
    value = shifted_back(value, 27) * pow(int(FIRST_MULTIPLIER), -1, 2**64) % 2**64
    return shifted_back(value, 30)


def colliding(count):
    """Make packets of so many conversations, there and back, whose hashes differ only in their lowest bits."""
    packets, ends = decoded([Segment(protocol=0)] * (2 * count))
    source = np.arange(count, dtype=np.uint64)
    hashes = endpoint_hash(np.zeros_like(source), source, np.zeros(count, np.uint16))
    both = np.array([unmixed(number) for number in range(count)], np.uint64)
    target = np.array([unmixed(int(number)) for number in both - hashes], np.uint64)
    assert (mix(mix(target) + hashes) == np.arange(count, dtype=np.uint64)).all()
    none, no_port = np.zeros(2 * count, np.uint64), np.zeros(2 * count, np.uint16)
    lows = {"source_low": np.concatenate([source, target]), "target_low": np.concatenate([target, source])}
    ports = {"source_port": no_port, "target_port": no_port}
    return packets, attrs.evolve(ends, source_high=none, target_high=none, **lows, **ports)


@pytest.mark.parametrize("count", [3, 300])
def test_chosen_addresses_are_told_apart(count):
    """Each conversation is a group of its two packets, whoever finds it."""
    packets, ends = colliding(count)
    groups, _ = group_conversations(packets, ends, (ends.source_port, ends.target_port))
    found = np.split(groups.rows, groups.starts[1:])
    assert sorted(map(list, found)) == [[row, row + count] for row in range(count)]


@pytest.mark.skipif(not compiled.is_there(), reason="nothing is compiled here (hatch_build.py)")
def test_many_collisions_are_left_to_numpy():
    """Three collide by chance as well; with hundreds C gives up, before it takes long."""
    for count, left in ((3, False), (300, True)):
        packets, ends = colliding(count)
        assert (conversations._numbered(packets, ends, (ends.source_port, ends.target_port)) is None) == left
