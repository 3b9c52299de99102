"""Unwrapping sequence numbers: long flows, wild numbers, interleaved sides."""

import numpy as np
import pytest

from netinterf.flows.unwrap import BOUNDS, REACH, sound_rows, unwrap
from tests.oracles.naive_flows import walk


def naive(raw, side, moves):
    """Unwrap row by row, side by side."""
    numbers, sound = np.zeros(len(raw), np.int64), np.zeros(len(raw), np.bool_)
    last = dict.fromkeys(side.tolist(), 0)
    for row, value in enumerate(raw.tolist()):
        whose = int(side[row])
        (step, near), *_ = walk([value - last[whose]])
        numbers[row] = last[whose] + step
        sound[row] = bool(moves[row]) and near
        last[whose] = int(numbers[row]) if sound[row] else last[whose]
    return numbers, sound


@pytest.mark.parametrize("seed", range(12))
def test_unwrapping_equals_the_rule_row_by_row(seed):
    """Long, wild and quiet sides together unwrap as the rule says."""
    rng = np.random.default_rng(seed)
    count = 400
    side = rng.integers(0, 6, count)
    size = np.array([100, 1 << 27, 1 << 29, REACH, REACH, 1 << 20])[side]
    step = np.where(rng.random(count) < 0.3 * (side > 3), rng.integers(0, 1 << 32, count), rng.random(count) * size)
    position = np.zeros(count, np.int64)
    for whose in range(6):
        position[side == whose] = np.cumsum(step[side == whose].astype(np.int64))
    raw = (position % 2**32).astype(np.uint32)
    moves = rng.random(count) < 0.8
    numbers, sound = unwrap(raw, side, moves)
    expected, expected_sound = naive(raw, side, moves)
    assert expected.tolist() == numbers.tolist()
    assert expected_sound.tolist() == sound.tolist()
    assert sound.tolist() == sound_rows(numbers, side, moves).tolist()


def test_flows_beyond_4_gigabytes_keep_counting():
    """A side that sends ten gigabytes is numbered to its end."""
    truth = np.arange(0, 10 * 2**30, 2**20, dtype=np.int64)
    numbers, sound = unwrap(
        (truth % 2**32).astype(np.uint32), np.zeros(len(truth), np.int64), np.ones(len(truth), bool)
    )
    assert np.array_equal(truth, numbers)
    assert sound.all()


def test_a_wild_number_moves_nothing():
    """After a number far away the next ordinary one is where it was."""
    raw = np.array([1, 100, 3_000_000_000, 200], np.uint32)
    numbers, sound = unwrap(raw, np.zeros(4, np.int64), np.ones(4, np.bool_))
    assert numbers.tolist() == [1, 100, 3_000_000_000 - 2**32, 200]
    assert sound.tolist() == [True, True, False, True]


@pytest.mark.parametrize(("step", "bound"), [(REACH, BOUNDS[1]), (-REACH, BOUNDS[0])])
def test_numbers_that_are_led_away_stay_within_bounds(step, bound):
    """Steps that are sound one by one end where numbers have no room; what goes on from there moves nothing."""
    truth = np.arange(bound // step + 100) * step
    zero, moves = np.zeros(len(truth), np.int64), np.ones(len(truth), np.bool_)
    numbers, sound = unwrap(truth.astype(np.uint32), zero, moves)
    inside = np.abs(truth) <= abs(bound)
    assert np.array_equal(truth[inside], numbers[inside])
    assert sound[inside].all()
    assert not sound.all()
    assert np.abs(numbers[sound]).max() <= abs(bound)
    assert np.abs(numbers).max() < abs(bound) + 2**32
    assert sound.tolist() == sound_rows(numbers, zero, moves).tolist()


def test_nothing_unwraps_to_nothing():
    """Empty in, empty out."""
    numbers, sound = unwrap(np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0, np.bool_))
    assert (len(numbers), len(sound)) == (0, 0)
