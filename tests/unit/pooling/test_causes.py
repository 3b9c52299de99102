"""What a contrast is worth: it rises with what speaks for a block, and never beyond what servers do by themselves."""

import numpy as np
import pytest

from netinterf.observations.line import ordinary_failure
from netinterf.pooling.causes import BY_COUNTRY, CAUSES, Cause, Kind, Worth, weigh_causes
from netinterf.pooling.episodes import Episodes
from netinterf.pooling.standing import Standing
from netinterf.pooling.witnesses import outage

DEAD, ALIVE = float(outage(np.array([0.0]), np.array([3.0]))[0]), float(outage(np.array([3.0]), np.array([0.0]))[0])
"""What three attempts in another place say, when all fail and when none does."""


HOURLY = (
    "failed", "answered", "visits", "chance", "line", "unshared", "neighbours", "company", "gone", "gone_here", "down",
)  # fmt: skip
"""What is told of each hour."""


def episodes(**told):
    """Describe one cell: three failures in silence in one hour, of which nothing else is known."""
    plain = {
        "failed": 3,
        "answered": 0,
        "visits": np.minimum(told.get("failed", 3), 3),
        "chance": 3 * np.log(0.05),
        "line": told.get("chance", 3 * np.log(0.05)),
        "unshared": told.get("chance", 3 * np.log(0.05)),
        "neighbours": 0,
        "company": 0,
        "gone": 0,
        "gone_here": 0,
        "down": 0,
    }
    hours = max(np.size(value) for value in told.values()) if told else 1
    values = {
        name: np.resize(np.array(value, float), hours) for name, value in {**plain, **told}.items() if name in plain
    }
    return Episodes(
        cell=np.zeros(hours, np.int64), begin=np.array([0, hours]), hour=np.arange(hours) * 24.0,
        time=np.arange(hours), last=np.arange(hours), same_name=np.array([float(told.get("same_name", 0))]), **values,
    )  # fmt: skip


def standing(**told):
    """Describe other places: none that tells anything, unless told."""
    plain = dict.fromkeys(("elsewhere", "siblings", "siblings_alone", "country"), 0.0)
    return Standing(**{name: np.array([value]) for name, value in {**plain, **told}.items()})


def weighed(kind=Kind.SILENT, beside=None, **told):
    """Weigh one cell."""
    return weigh_causes(episodes(**told), beside or standing(), np.array([kind]))


def worth(**told):
    """Give what the contrast of one cell is worth."""
    return float(weighed(**told).llr()[0])


def likeliest(**told):
    """Name the likeliest harmless cause of one cell."""
    return CAUSES[int(weighed(**told).likeliest()[0])]


def test_an_answer_in_another_place_speaks_for_a_block_and_a_failure_against():
    """It is worth the more the more places answer."""
    one, two = ({"gone": count * ALIVE, "gone_here": count * ALIVE, "down": count * ALIVE} for count in (1, 2))
    assert worth(**two) > worth(**one) > worth() > worth(gone=DEAD)


def test_what_fails_everywhere_is_gone_or_the_server_is_down():
    """A name that fails everywhere is gone; where others at its server fail as well, the server is down."""
    assert likeliest(gone=DEAD, gone_here=DEAD, neighbours=ALIVE) == "gone"
    assert likeliest(gone=DEAD, gone_here=DEAD, down=2 * DEAD, neighbours=DEAD) == "server"


def test_spared_neighbours_speak_for_a_block_of_the_name():
    """Others at the same address that live rule the server out; those that fail speak for it."""
    assert worth(neighbours=ALIVE) > worth() > worth(neighbours=DEAD)


def test_a_neighbour_that_always_fails_may_be_blocked_as_well():
    """However many hours it fails, it costs a block no more than that."""
    hours = [DEAD] * 20
    once, often = (weighed(neighbours=hours[:count], failed=[1] * count) for count in (1, 20))
    assert once.blocked[0] > 0
    _, many = (weighed(neighbours=[0.0] * count, failed=[1] * count) for count in (1, 20))
    assert often.blocked[0] - many.blocked[0] == pytest.approx(np.log(0.05**2) + 20 * DEAD, rel=0.03)  # it may be out
    assert often.harmless[0, Cause.SERVER] - many.harmless[0, Cause.SERVER] == pytest.approx(20 * DEAD, rel=0.03)


def test_the_same_name_over_other_transports_rules_out_that_the_server_refuses_it():
    """Whoever refuses a name refuses it over any transport."""
    fine, refused = (weighed(same_name=value).shares()[0, Cause.REFUSED_NAME] for value in (ALIVE, DEAD))
    assert fine < weighed().shares()[0, Cause.REFUSED_NAME] < refused


def test_siblings_tell_a_ban_a_country_and_a_list_apart():
    """All networks of the country: it may be refused. Some of them: it is a list. None: a ban, or a list as well."""
    everywhere = standing(siblings=5.0, siblings_alone=2.0, country=6.0)
    nowhere = standing(siblings=-1.0, siblings_alone=0.0, country=-9.0)
    some = standing(siblings=4.0, siblings_alone=1.0, country=-4.0)
    assert likeliest(beside=everywhere).startswith("refused-country")
    assert not likeliest(beside=nowhere).startswith("refused-country")
    assert worth(beside=some) > max(worth(beside=nowhere), worth(beside=everywhere))


def test_failures_of_others_in_the_same_minute_speak_for_the_line():
    """Where all others of the minute fail, so would this one."""
    sure = np.zeros(1)  # the recorder missed nothing
    bad, fine = (float(ordinary_failure(np.array([lost]), np.array([5]), sure)[0]) for lost in (5, 0))
    assert bad > np.log(0.8) > np.log(0.1) > fine
    assert worth(chance=3 * bad, neighbours=ALIVE) < worth(chance=3 * fine, neighbours=ALIVE)
    others = {"gone": ALIVE, "gone_here": ALIVE, "down": ALIVE}
    assert likeliest(chance=3 * bad, neighbours=ALIVE, **others) == "access"


def test_single_failures_among_successes_are_chance():
    """One of five is worth less than five of five."""
    others = {"gone": ALIVE, "gone_here": ALIVE, "down": ALIVE}
    once = worth(failed=1, answered=4, chance=np.log(0.05), **others)
    assert once < 0 < worth(failed=5, chance=3 * np.log(0.05), **others)


@pytest.mark.parametrize("kind", list(Kind))
def test_no_contrast_is_worth_more_than_what_servers_do_by_themselves(kind):
    """However much is seen, a server that turns a place away by itself explains it as well; a reset never accuses."""
    told = {"failed": [3] * 40, "chance": [3 * np.log(0.05)] * 40}
    told |= {"neighbours": 0 if kind is Kind.UNOPENED else ALIVE, "gone": ALIVE, "gone_here": ALIVE, "down": ALIVE}
    most = worth(kind=kind, beside=standing(country=-50.0), **told)
    bound = {
        Kind.SILENT: np.log(1 / 0.005),
        Kind.RESET: 0.0,
        Kind.UNOPENED: np.log(1 / 0.075),
        Kind.LOOKUP: np.log(200),
    }
    assert bound[kind] - 0.2 < most <= bound[kind] + 1e-9


def test_shares_of_causes_add_up():
    """One of the harmless causes is at work, were it none of a block; more common ones take from the others."""
    one = weighed(gone=ALIVE)
    assert one.shares()[0].sum() == pytest.approx(1.0)
    common = np.zeros((1, len(Cause)))
    common[0, Cause.REFUSED_ADDRESS] = 2.0
    assert one.shares(common)[0, Cause.REFUSED_ADDRESS] > one.shares()[0, Cause.REFUSED_ADDRESS]
    assert one.llr(common)[0] < one.llr()[0]


def test_chance_is_always_at_work():
    """The mere fact of failing once says little, and three times in three hours says more than packets have to."""
    others = {"gone": ALIVE, "gone_here": ALIVE, "down": ALIVE}
    single, triple = (
        float(weighed(failed=[1] * count, chance=[np.log(0.05)] * count, **others).llr_of_failing()[0])
        for count in (1, 3)
    )
    assert single < 3 < triple


def test_what_the_recorder_missed_explains_silence():
    """The more a capture lacks, the likelier a failure is only one of recording; lacking nearly all, it is certain."""
    missed = np.array([0.0, 0.1, 0.5, 1.0])
    chance = ordinary_failure(np.zeros(4, int), np.full(4, 5), missed)
    assert np.all(np.diff(chance) > 0)
    assert -0.1 < chance[-1] < 0


def test_cells_are_weighed_one_by_one():
    """Two cells side by side are worth what each is worth."""
    first, second = episodes(neighbours=ALIVE), episodes(gone=DEAD, failed=2)
    both = Episodes.concat([first, second])
    told = ("elsewhere", "siblings", "siblings_alone", "country")
    beside = Standing(**{name: np.zeros(2) for name in told})
    together = weigh_causes(both, beside, np.array([Kind.SILENT, Kind.SILENT])).llr()
    alone = [float(weigh_causes(one, standing(), np.array([Kind.SILENT])).llr()[0]) for one in (first, second)]
    assert together == pytest.approx(alone)
    parts = [weigh_causes(one, standing(), np.array([Kind.SILENT])) for one in (first, second)]
    assert Worth.concat(parts).llr() == pytest.approx(together)


def test_a_refusal_is_of_one_network_where_no_other_of_its_country_tells():
    """Both explain as much then, and rounding must not choose."""
    told = {"gone": ALIVE, "gone_here": ALIVE, "down": ALIVE, "failed": [3] * 9, "chance": [-9.0] * 9}
    alone = weighed(**told)
    assert not alone.siblings.any()
    assert CAUSES[int(alone.likeliest()[0])] in {"refused-address", "refused-name"}
    common = np.zeros((1, len(Cause)))
    common[0, list(BY_COUNTRY)] = 9.0
    assert CAUSES[int(alone.likeliest(common)[0])] in {"refused-address", "refused-name"}


def test_an_outage_among_many_days_hides_no_block():
    """Whatever is blocked for months is out for everybody once: these hours tell nothing, in no direction."""
    months = {"failed": [1] * 60, "chance": [np.log(0.05)] * 60, "neighbours": [ALIVE] * 60}
    fine = [20 * ALIVE] * 60
    paused = fine[:40] + [20 * DEAD] * 2 + fine[42:]
    plain, once = (worth(gone=gone, down=gone, gone_here=gone, **months) for gone in (fine, paused))
    assert plain > 2.0
    assert once == pytest.approx(plain, abs=0.3)


def test_a_server_that_comes_and_goes_for_everybody_is_not_blocked():
    """It fails in the hours in which it fails elsewhere, however often it comes back."""
    out = [0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0]
    others = [20 * (DEAD if one else ALIVE) for one in out]
    told = {"failed": out, "answered": [1 - one for one in out], "chance": [one * np.log(0.05) for one in out]}
    assert worth(gone=others, down=others, gone_here=others, **told) < 1.0
    assert weighed(gone=others, down=others, gone_here=others, **told).llr_of_failing()[0] < 0.5


def test_what_died_for_everybody_while_it_was_blocked_is_still_seen_to_have_been():
    """Twenty days of failing beside others that were answered, then twenty in which nobody was."""
    others = [20 * ALIVE] * 20 + [20 * DEAD] * 20
    both = {"failed": [1] * 40, "chance": [np.log(0.05)] * 40, "neighbours": [ALIVE] * 20 + [0.0] * 20}
    late = {"failed": [0] * 20 + [1] * 20, "answered": [1] * 20 + [0] * 20, "chance": [0.0] * 20 + [np.log(0.05)] * 20}
    assert worth(gone=others, down=others, gone_here=others, **both) > 2.0
    assert worth(gone=others, down=others, gone_here=others, **late) < 1.0


def test_others_at_the_server_within_the_hour_refute_its_outage():
    """The nearest in time may be blocked as well, each time; twenty more that were answered tell."""
    told = {"failed": [1] * 20, "chance": [np.log(0.05)] * 20, "neighbours": [DEAD] * 20, "kind": Kind.LOOKUP}
    alone, beside = (weighed(company=[value] * 20, **told) for value in (0.0, 2 * ALIVE))
    assert alone.harmless[0, Cause.SERVER] > alone.blocked[0]
    assert beside.harmless[0, Cause.SERVER] < beside.blocked[0]


def test_what_fails_beside_it_while_the_server_is_out_for_everybody_speaks_for_no_block():
    """All names at a server fail in half of the places, whenever they are tried: one more of them is not blocked."""
    torn = {"gone": 0.0, "gone_here": 0.0, "down": 4 * DEAD, "failed": [1] * 10, "chance": [np.log(0.05)] * 10}
    lone, beside = (weighed(neighbours=[value] * 10, **torn) for value in (0.0, 2 * DEAD))
    assert beside.blocked[0] < lone.blocked[0] + 1.0
    assert float(beside.llr()[0]) < float(lone.llr()[0]) + 0.1


def test_a_block_at_a_resolver_that_nobody_else_asks_may_begin_late():
    """Others are served the name in each hour, by resolvers of their own: no outage for everybody is likely then."""
    looks = np.arange(600) % 20 == 0  # of which this network takes some
    late = looks & (np.arange(600) >= 460)

    def lookups(failing):
        told = {"failed": 3 * failing, "answered": 3 * (looks & ~failing), "chance": 3 * failing * np.log(0.05)}
        return float(weighed(Kind.LOOKUP, gone=20 * ALIVE, **told).llr()[0])

    assert lookups(late) == pytest.approx(lookups(looks), abs=0.3)


def test_what_was_not_in_use_yet_when_nobody_else_looked_is_not_blocked():
    """Silent for five days in which no other place tried, and answered for 25 in which all were answered."""
    told = {"failed": [1] * 5 + [0] * 25, "answered": [0] * 5 + [1] * 25, "chance": [-5.0] * 5 + [0.0] * 25}
    unseen = [0.0] * 5 + [7 * ALIVE] * 25
    seen = [7 * ALIVE] * 30
    late, fine = ({**told, "gone": others, "gone_here": others, "down": others} for others in (unseen, seen))
    assert worth(**late) < 2.0 < worth(**fine)
    assert weighed(**late).llr_of_failing()[0] < 4.0 < weighed(**fine).llr_of_failing()[0]
