"""A portal answers every name alike for a while, and a forger those on a list."""

import attrs
import numpy as np
import pytest
from scipy.special import betaln

from netinterf.pooling.alike import ENOUGH, EVERYTHING, less_alike
from netinterf.pooling.answers import CHOSEN, Answered
from netinterf.pooling.isolation import LINE
from netinterf.pooling.ways import LISTED
from netinterf.pooling.witnesses import HOUR_NS
from netinterf.verdict.keys import BIN_NS
from tests.unit.pooling.test_answers import DENIED, NAMES, answers, made, weighed


def at(answered, hour):
    """Move answers to an hour."""
    time = np.full(len(answered.place), hour * HOUR_NS)
    return attrs.evolve(answered, first=time, last=time.copy())


def together(*several):
    """Put answers one behind the other."""
    words = [field.name for field in attrs.fields(Answered)]
    return Answered(**{word: np.concatenate([getattr(one, word) for one in several]) for word in words})


@pytest.mark.parametrize("address", [7, DENIED])
def test_who_answers_everything_alike_for_an_hour_is_no_forger(address):
    """Before and after, names were answered as elsewhere."""
    portal = answers({(2, name) for name in range(NAMES)})
    portal = made(portal.place, portal.unit, np.where(portal.address == 7, address, portal.address))
    assert max(weighed(together(at(answers(), 0), at(portal, 1), at(answers(), 2))).values()) == 0.0


def test_a_list_is_one_however_often_it_strikes():
    """Half of all names, hour after hour, and beside a portal of another address."""
    forged = answers({(2, name) for name in range(6)})
    portal = answers({(2, name) for name in range(NAMES)})
    portal = attrs.evolve(portal, address=np.where(portal.address == 7, 8, portal.address))
    told = weighed(together(*(at(forged, hour) for hour in range(5)), at(portal, 5)))
    assert min(told[2, name] for name in range(6)) > CHOSEN
    assert max(told[2, name] for name in range(6, NAMES)) == 0.0


def test_a_portal_that_ends_within_the_hour_is_one():
    """Half of the names of one run, and the others as soon as somebody has logged in."""
    portal = answers({(2, name) for name in range(NAMES // 2)})
    time = np.where(portal.unit < NAMES // 2, 0, BIN_NS) + HOUR_NS
    portal = attrs.evolve(portal, first=time, last=time.copy())
    assert max(weighed(together(at(answers(), 0), portal, at(answers(), 2))).values()) == 0.0


@pytest.mark.parametrize("apart", [1, 24])
def test_names_that_are_asked_one_at_a_time_are_compared_for_longer(apart):
    """One an hour, or one a day: a list leaves some out, and a portal none."""
    forged, portal = answers({(2, name) for name in range(6)}), answers({(2, name) for name in range(NAMES)})
    time = forged.unit * apart * HOUR_NS
    assert min(weighed(attrs.evolve(forged, first=time, last=time.copy())).values()) > CHOSEN
    later = attrs.evolve(answers(), first=time + 999 * HOUR_NS, last=time + 999 * HOUR_NS)
    told = weighed(together(attrs.evolve(portal, first=time, last=time.copy()), later))
    assert max(told.values()) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_twin_counts_step_by_step(seed):
    """It walks through minutes, hours, days and all, and through the answers of each."""
    generator = np.random.default_rng(seed)
    count, groups = int(generator.integers(3, 120)), 4
    group, place = generator.integers(-1, groups, count), generator.integers(0, 3, count)
    group = np.where(group >= 0, place, -1) if seed % 2 else np.where(group % 3 == place, group, -1)
    asked, hour = (
        generator.integers(0, 8, count),
        generator.choice([0, 1, 2, 30, 31, 200], count) + generator.choice([0, 0.5], count),
    )
    weight = generator.uniform(-1, 8, groups)
    expected = []
    for one in range(groups):
        for width in (1 / 12, 1, 24, 10**6):
            alike = tried = 0
            for when in set((hour // width).tolist()):
                for where in range(3):
                    here = (hour // width == when) & (place == where)
                    hit = set(asked[here & (group == one)].tolist())
                    if hit:
                        alike += len(hit) - 1
                        tried += len(set(asked[here].tolist())) - 1
            if tried >= ENOUGH:
                break
        likely = [betaln(a + alike, b + tried - alike) - betaln(a, b) for a, b in (EVERYTHING, LISTED)]
        expected.append(-np.log(np.exp(-weight[one]) + LINE * np.exp(likely[0] - likely[1])))
    assert less_alike(weight, group, place, asked, (hour * HOUR_NS).astype(np.int64)) == pytest.approx(expected)
