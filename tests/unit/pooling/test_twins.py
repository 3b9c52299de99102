"""Names over two transports: where lists are shared, one tells of the other; where they are not, it tells nothing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.observations.attempts import State
from netinterf.pooling.twins import surest_other
from tests.unit.pooling.places import Campaign

ALONE = 5


def two_transports(*, over_quic, listed=range(ALONE + 1), names=40, known=8.0):
    """Let one place block six names over TLS, some of them over QUIC; one is silent over QUIC, and tried there alone.

    Args:
        over_quic: Names that are blocked over QUIC.
        listed: Those over TLS.
        names: How many there are.
        known: What the packets say for each block, nats.
    """
    transport = ["tcp/tls"] * names + ["quic"] * names
    campaign = Campaign(6, 2 * names, 2, transport=transport, called=[*range(names)] * 2)
    campaign.fail((0, list(listed)), llr=known, state=State.STRUCK)
    campaign.fail((0, [names + name for name in over_quic]), llr=known, state=State.STRUCK)
    campaign.fail((slice(1, 6), names + ALONE), state=State.UNKNOWN)
    return Told(campaign.fail((0, names + ALONE)).judged(), names + ALONE)


class Told:
    """What is told of that name over both transports."""

    def __init__(self, judged, row):
        self.quic, self.tls = judged.finding(0, row), judged.finding(0, ALONE)
        self.chance, self.twin = (float(judged.graded.probability[judged.row(0, name)]) for name in (row, ALONE))


def test_where_lists_are_shared_one_transport_tells_of_another():
    """A name that nobody else tried over QUIC is blocked, as all others of the list are; else it is a hint at most."""
    shared = two_transports(over_quic=range(ALONE))
    unlisted = two_transports(over_quic=range(ALONE), listed=range(ALONE))
    assert (shared.quic, shared.tls) == ("blocked", "blocked")
    assert (unlisted.quic, unlisted.tls) == ("suspected", "clear")


def test_where_they_are_not_it_accuses_nobody():
    """Names that are blocked over TLS are answered over QUIC there: one that is silent may be out of service."""
    told = two_transports(over_quic=())
    assert (told.quic, told.tls) == ("fails", "blocked")


def test_nothing_gets_surer_than_its_twin():
    """What is a guess over one transport makes no certainty of another: a dead name is dead over both."""
    sure, guess = (two_transports(over_quic=range(2), names=80, known=known) for known in (8.0, 4.0))
    assert (sure.chance > 0.9, sure.twin > 0.9) == (True, True)
    assert 0.2 < guess.twin < 0.5
    assert guess.chance < guess.twin + 0.1


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.2, 0.2, 0.9, 1.0])), max_size=30))
def test_the_surest_of_the_others_is_found(rows):
    """As looking through all others does."""
    key, values = np.array([key for key, _ in rows], np.int64), np.array([value for _, value in rows], np.float64)
    slow = [
        max((value for at, (other, value) in enumerate(rows) if other == key and at != row), default=0.0)
        for row, (key, _) in enumerate(rows)
    ]
    assert surest_other(key, values).tolist() == slow
