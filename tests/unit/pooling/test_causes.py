"""What a comparison is worth: it rises with what speaks for a block, and never beyond what servers do by themselves."""

import attrs
import numpy as np
import pytest
from netinterf.comparison.causes import CAUSES, Failures, Kind, ordinary_failure, weigh_causes

HOUR = 3.6e12


def failures(**told):
    """Describe one unit: three failures in silence, of which nothing else is known."""
    plain = {"kind": Kind.SILENT, "failed": 3, "answered": 0, "chance": 3 * np.log(0.05)}
    both = ("neighbour", "same", "elsewhere", "others")
    empty = {f"{word}_{end}": 0 for word in both for end in ("alive", "dead")}
    gaps = {"unit_gap": np.inf, "server_gap": np.inf}
    values = {**plain, **empty, **gaps, **told}
    return Failures(
        **{name: np.array([value], float if name != "kind" else np.int64) for name, value in values.items()}
    )


def worth(**told):
    """Give what the comparison of one unit is worth."""
    return float(weigh_causes(failures(**told))[0][0])


def likeliest(**told):
    """Name the likeliest harmless cause of one unit."""
    return CAUSES[int(weigh_causes(failures(**told))[1][0].argmax())]


def test_an_answer_from_the_other_side_at_the_same_time_speaks_for_a_block():
    """The nearer in time, the more; and a failure there speaks against."""
    now, tomorrow = (worth(same_alive=2, unit_gap=gap, server_gap=gap) for gap in (0.0, 24 * HOUR))
    assert now > tomorrow > worth() > worth(same_dead=2, unit_gap=0.0, server_gap=0.0)


def test_what_fails_on_both_sides_is_gone_or_the_server_is_down():
    """A name that fails everywhere is gone; where others at its server fail as well, the server is down."""
    assert likeliest(elsewhere_dead=3, unit_gap=0.0, neighbour_alive=3) == "gone"
    both = {"same_dead": 3, "others_dead": 3, "unit_gap": 0.0, "server_gap": 0.0}
    assert likeliest(neighbour_dead=3, **both) == "server"


def test_answers_of_other_servers_tell_less():
    """Places are sent to different servers, and one that does not know the name is no block."""
    same, other = (
        worth(neighbour_alive=3, unit_gap=0.0, server_gap=0.0, **told)
        for told in ({"same_alive": 3}, {"elsewhere_alive": 3})
    )
    assert same > other > worth(neighbour_alive=3)


def test_spared_neighbours_speak_for_a_block_of_the_name():
    """Others at the same server that live rule the server out; those that fail speak for it."""
    assert worth(neighbour_alive=3) > worth() > worth(neighbour_dead=3)


def test_failures_of_others_in_the_same_minute_speak_for_the_line():
    """Where all others of the minute fail, so would this one."""
    sure = np.zeros(1)  # the recorder missed nothing
    bad, fine = (ordinary_failure(np.array([lost]), np.array([5]), sure) for lost in (5, 0))
    assert bad > np.log(0.8) > np.log(0.1) > fine
    assert worth(chance=3 * float(bad[0]), neighbour_alive=3) < worth(chance=3 * float(fine[0]), neighbour_alive=3)
    assert (
        likeliest(chance=3 * float(bad[0]), neighbour_alive=3, same_alive=3, unit_gap=0.0, server_gap=0.0) == "access"
    )


def test_single_failures_among_successes_are_chance():
    """One of five is worth less than five of five."""
    once = worth(failed=1, answered=4, chance=np.log(0.05), same_alive=3, unit_gap=0.0)
    assert once < 0 < worth(failed=5, chance=5 * np.log(0.05), same_alive=3, unit_gap=0.0)


@pytest.mark.parametrize("kind", list(Kind))
def test_no_comparison_is_worth_more_than_what_servers_do_by_themselves(kind):
    """However much is seen, a server that turns a place away by itself explains it as well; a reset never accuses."""
    told = {"failed": 99, "chance": 99 * np.log(0.05), "neighbour_alive": 0 if kind is Kind.UNOPENED else 99}
    most = worth(kind=kind, same_alive=99, others_alive=99, unit_gap=0.0, server_gap=0.0, **told)
    bound = {Kind.SILENT: np.log(100), Kind.RESET: 0.0, Kind.UNOPENED: np.log(1 / 0.15), Kind.LOOKUP: np.log(100)}
    assert bound[kind] - 0.2 < most <= bound[kind] + 1e-9


def test_without_the_other_side_only_the_own_capture_counts():
    """What the comparison adds is the difference, and it is nothing where the other side shows nothing."""
    nothing = failures(neighbour_alive=2)
    assert weigh_causes(nothing)[0] == pytest.approx(weigh_causes(nothing, compared=False)[0])
    more = attrs.evolve(nothing, same_alive=np.array([2.0]), unit_gap=np.zeros(1), server_gap=np.zeros(1))
    assert weigh_causes(more)[0] > weigh_causes(more, compared=False)[0]


def test_shares_of_causes_add_up():
    """One of the harmless causes is at work, were it none of a block."""
    assert weigh_causes(failures(same_alive=1, unit_gap=0.0))[1].sum() == pytest.approx(1.0)


def test_what_the_recorder_missed_explains_silence():
    """The more a capture lacks, the likelier a failure is only one of recording; lacking nearly all, it is certain."""
    missed = np.array([0.0, 0.1, 0.5, 1.0])
    chance = ordinary_failure(np.zeros(4, int), np.full(4, 5), missed)
    assert np.all(np.diff(chance) > 0)
    assert -0.1 < chance[-1] < 0
