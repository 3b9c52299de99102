"""What places show together: blocks are named, and each harmless cause by its own pattern is not."""

import numpy as np
import pytest

from netinterf.observations.attempts import State
from netinterf.pooling.causes import CAUSES
from tests.unit.pooling.places import Campaign

ALL = slice(None)


def cause(judged, *cell, **named):
    """Name the likeliest harmless cause of a cell."""
    return CAUSES[int(judged.cells.cause[judged.row(*cell, **named)])]


def test_silence_in_one_network_that_lasts_is_a_block_and_all_others_are_clear():
    """Three runs of five do what one capture cannot; a single name may still be one that its server refuses here."""
    assert Campaign(6, 20, 5).fail((0, 3)).judged().finding(0, 3) == "suspected"
    judged = Campaign(6, 20, 5).fail((0, [3, 11])).judged()
    assert {judged.finding(0, 3), judged.finding(0, 11)} == {"blocked"}
    assert judged.blocked() == 2
    assert {judged.finding(place, 3) for place in range(1, 6)} == {"clear"}


def test_more_runs_make_it_surer():
    """The same silence is a hint after one run, and a finding after several."""
    chance = [
        float(judged.graded.probability[judged.row(0, 3)])
        for judged in (Campaign(6, 20, runs).fail((0, 3)).judged() for runs in (1, 2, 5))
    ]
    assert chance[0] < chance[1] < chance[2]
    assert (chance[0] < 0.6, chance[2] > 0.9) == (True, True)


def test_what_fails_everywhere_is_down():
    """A name that is gone and a server that is dead are no block anywhere."""
    judged = Campaign(6, 20, 5).fail((ALL, 3)).fail((ALL, 7), opening=True).judged()
    assert {judged.finding(place, 3) for place in range(6)} == {"down"}
    assert {judged.finding(place, server=7) for place in range(6)} == {"down"}
    assert (cause(judged, 0, 3), cause(judged, 0, server=7)) == ("gone", "server")


def test_an_outage_that_passes_is_no_block():
    """All places fail in the runs of the outage, and none before and behind it."""
    judged = Campaign(6, 20, 10).fail((ALL, 3, slice(4, 6)), opening=True).judged()
    assert judged.blocked() == 0


def test_a_line_that_is_out_in_one_run_blocks_nothing():
    """Everything fails at once in one place, and all of it is back in the next run."""
    judged = Campaign(6, 20, 10).fail((0, ALL, 4)).judged()
    assert judged.blocked() == 0
    assert cause(judged, 0, 3) == "access"


def test_losses_now_and_then_block_nothing():
    """One attempt in forty is lost in all places."""
    lost = np.random.default_rng(3).random((10, 40, 30)) < 0.025
    judged = Campaign(10, 40, 30).fail(lost).judged()
    assert judged.blocked() == 0


def test_one_server_that_bans_one_network_is_no_block():
    """Firewalls of servers turn addresses away, so that one server alone accuses nobody."""
    judged = Campaign(8, 40, 10).fail((0, 3), opening=True).judged(countries=[0, 0, 1, 1, 2, 2, 3, 3])
    assert judged.finding(0, server=3) in {"suspected", "fails"}
    assert cause(judged, 0, server=3) == "refused-address"


def test_many_unrelated_servers_in_one_network_are_a_list():
    """Unrelated operators do not agree on one network, the others of whose country they serve."""
    campaign = Campaign(8, 60, 10)
    for name in range(0, 60, 3):  # not one after the other, as where a line is out
        campaign.fail((0, name), opening=True)
    judged = campaign.judged(countries=[0, 0, 1, 1, 2, 2, 3, 3])
    assert {judged.finding(0, server=name) for name in range(0, 60, 3)} == {"blocked"}


def test_a_country_that_servers_refuse_is_not_accused():
    """What all networks of one country miss at servers that never open may be sanctions: a hint, however many."""
    campaign = Campaign(8, 60, 10)
    for name in range(10):
        campaign.fail((slice(0, 2), name), opening=True)
    judged = campaign.judged(countries=[0, 0, 1, 1, 2, 2, 3, 3])
    assert judged.blocked() == 0
    assert cause(judged, 0, server=3).startswith("refused")


def test_a_list_of_a_country_is_found_in_each_of_its_networks():
    """Names that fail by silence in several networks of a country, each a different part of the list."""
    campaign = Campaign(9, 60, 10)
    listed = np.random.default_rng(1).random((3, 12)) < 0.7
    for place, name in zip(*np.nonzero(listed), strict=True):
        campaign.fail((place, name))
    judged = campaign.judged(countries=[0, 0, 0, 1, 1, 1, 2, 2, 2])
    found = {(place, name) for place in range(3) for name in range(12) if judged.finding(place, name) == "blocked"}
    true = set(zip(*map(list, np.nonzero(listed)), strict=True))
    assert found == {(int(place), int(name)) for place, name in true}


def test_a_block_that_begins_is_named_with_its_day():
    """It answers for ten days, and is silent for twenty."""
    judged = Campaign(6, 20, 30).fail((0, [3, 11], slice(10, None))).judged()
    assert judged.finding(0, 3) == "blocked"
    cells = judged.cells
    place = int(np.flatnonzero(cells.failing == judged.row(0, 3))[0])
    assert cells.worth.spans.began[place] > 0.9
    hours = slice(cells.episodes.begin[place], cells.episodes.begin[place + 1])
    failed = cells.episodes.failed[hours]
    low, high = (int(getattr(cells.worth.spans, name)[place]) for name in ("first_low", "first_high"))
    assert failed[:low].sum() == 0
    assert failed[high:].sum() >= 19


def test_resets_accuse_by_their_packets_alone():
    """Servers reset as boxes do: however often, and wherever else it works, the pattern says nothing more."""
    pattern = Campaign(6, 20, 10).fail((0, 3), state=State.BROKEN).judged()
    assert pattern.finding(0, 3) == "fails"
    packets = Campaign(6, 20, 10).fail((0, 3), state=State.STRUCK, llr=8.0).judged()
    assert packets.finding(0, 3) == "blocked"


@pytest.mark.parametrize("seed", range(3))
def test_order_and_numbers_of_places_do_not_matter(seed):
    """The same attempts in any order, with places numbered otherwise, are judged alike."""
    campaign = Campaign(5, 12, 4).fail((0, 3)).fail((1, 4), opening=True).fail((ALL, 5))
    first = campaign.judged()
    order = np.random.default_rng(seed).permutation(5)
    for name in ("state", "opening", "llr"):
        setattr(campaign, name, getattr(campaign, name)[order])
    other = campaign.judged()
    for place in range(5):
        row, new = first.row(int(order[place]), 3), other.row(place, 3)
        assert other.cells.log_odds[new] == pytest.approx(first.cells.log_odds[row], abs=0.2)  # hours shift
        assert other.graded.finding[new] == first.graded.finding[row]


def test_what_never_failed_is_a_hint_at_most_unless_its_packets_are_sure():
    """Others of the place are blocked, and packets of one that answers are odd: nobody is accused of it."""
    campaign = Campaign(6, 40, 6)
    for name in range(0, 30, 3):
        campaign.fail((0, name))
    campaign.llr[0, 31] = 3.5
    judged = campaign.judged()
    row = judged.row(0, 31)
    assert judged.finding(0, 31) in {"suspected", "clear"}
    assert judged.graded.probability[row] < 0.9
    campaign.llr[0, 31] = 12.0
    assert campaign.judged().finding(0, 31) == "blocked"


def test_one_place_that_is_answered_does_not_revive_a_name_that_is_gone():
    """A forger answers for what is on his list, also when the name does not exist any more."""
    campaign = Campaign(12, 20, 8, transport="dns")
    campaign.fail((slice(1, None), 3))
    judged = campaign.judged()
    assert judged.blocked() == 0
    assert {cause(judged, place, 3) for place in range(1, 12)} == {"gone"}


def test_a_block_that_nobody_could_see_explains_nothing():
    """A list is at work in the other networks of the country; here two lookups were lost, and all others answered."""
    campaign = Campaign(8, 30, 20)
    for name in range(0, 30, 3):
        campaign.fail((slice(0, 3), name))
    campaign.fail((3, 3, 4)).fail((3, 3, 12))
    judged = campaign.judged(countries=[0, 0, 0, 0, 1, 1, 2, 2])
    assert judged.finding(0, 3) == "blocked"
    assert judged.finding(3, 3) in {"clear", "suspected"}


def test_the_best_of_thirty_is_less_sure_beside_a_line_that_nobody_touches():
    """One verdict stands out; packets of the other runs say that nothing is wrong, or nothing at all."""
    surest = []
    for quiet in (-2.5, 0.0):
        campaign = Campaign(6, 20, 30)
        campaign.llr[0, 3] = quiet
        judged = campaign.fail((0, 3, 9), llr=9.0, state=State.STRUCK).judged()
        row = judged.row(0, 3)
        surest.append(float(judged.cells.own_of_others[row]))
        assert judged.cells.own_of_others.max() <= 0.0
    assert surest[0] < -1.0
    assert surest[1] == 0.0


def test_lookups_are_counted_name_by_name():
    """A resolver that is silent for many of the names it is asked for makes one more silence likelier."""
    names = 40
    few, many = (
        Campaign(6, names, 5, server=[0] * names, transport="dns").fail((0, slice(0, 3 * count, 3))).judged()
        for count in (1, 12)
    )
    assert many.cells.prior[many.row(0, 0)] > few.cells.prior[few.row(0, 0)] + 1.0
    assert many.finding(0, 0) == "blocked"


def test_what_nobody_else_tried_does_not_tell_how_common_blocks_are():
    """Thirty silent servers in the only place that asks them are no list of thirty."""
    lone = Campaign(1, 60, 3).fail((0, slice(0, 60, 2)), opening=True).judged()
    assert lone.blocked() == 0
    assert lone.cells.prior[lone.row(0, server=0)] < -3.5


def test_a_country_that_a_quarter_of_all_servers_does_not_answer_is_rather_one_that_blocks():
    """A few may refuse it; the only network of its country in the campaign, all others of others."""
    few, many = (
        Campaign(6, 100, 10).fail((0, slice(0, 100, step)), opening=True).judged(countries=range(6)) for step in (50, 4)
    )
    assert few.finding(0, server=0) == "suspected"
    assert many.finding(0, server=0) == "blocked"


def test_a_server_that_opened_forty_seven_times_is_not_judged_by_the_one_time_it_did_not():
    """One lost SYN among many visits is chance, though only failures are of the server and all else is of the name."""
    judged = Campaign(6, 20, 48).fail((0, 3, 20), opening=True).judged()
    assert judged.finding(0, server=3) == "clear"
    assert judged.graded.probability[judged.row(0, server=3)] < 0.05
    began = Campaign(6, 20, 48).fail((0, slice(0, 20, 3), slice(20, None)), opening=True).judged()
    assert {began.finding(0, server=name) for name in range(0, 20, 3)} == {"blocked"}
    cells = began.cells
    place = int(np.flatnonzero(cells.failing == began.row(0, server=3))[0])
    assert cells.worth.spans.began[place] > 0.9


def test_lists_that_are_sure_tell_whether_others_of_the_country_share_them():
    """Where what boxes struck here is spared by all siblings, that they spare a server as well speaks for it less."""

    def sure(places):
        campaign = Campaign(6, 60, 20).fail((places, slice(0, 20)), state=State.STRUCK, llr=8.0)
        for name in range(40, 60, 4):
            campaign.fail((0, name, slice(10, None)), opening=True)
        judged = campaign.judged(countries=[0, 0, 0, 1, 1, 1])
        return judged.cells.log_odds[judged.row(0, server=44)]

    assert sure(0) > sure(slice(0, 3)) + 0.2


def test_answers_that_nobody_could_read_show_nothing_and_one_that_was_read_does():
    """Who was answered is what others are held against, read or not; a block is a block beside either."""
    campaign = Campaign(6, 20, 5).fail((0, [3, 11]))
    campaign.unread[:, 3], campaign.unread[:, 5] = True, True
    campaign.unread[:4, 5, 2] = False
    judged = campaign.judged()
    assert judged.finding(0, 3) == judged.finding(0, 11) == "blocked"
    assert {judged.finding(place, 3) for place in range(1, 6)} == {"not-shown"}
    assert [judged.finding(place, 5) for place in range(6)] == ["clear"] * 4 + ["not-shown"] * 2
    assert {judged.finding(place, 7) for place in range(6)} == {"clear"}
