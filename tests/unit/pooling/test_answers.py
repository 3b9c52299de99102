"""One address for names that have nothing in common elsewhere is odd; one that a host gives all its names is not."""

import attrs
import numpy as np
import pytest

from netinterf.observations.attempts import DNS
from netinterf.observations.table import observe
from netinterf.pooling.answers import CHOSEN, MOST, Answered, forged_weight
from tests.unit.pooling.places import Campaign

PLACES, NAMES = 8, 12


def lookups(*, same_resolver=False):
    """Make observations of lookups: each place asks its own resolver, or all the same."""
    campaign = Campaign(PLACES, NAMES, 1, transport="dns")
    table = observe(campaign.attempts())
    service = np.zeros(len(table), np.int64) if same_resolver else table.place.astype(np.int64)
    return attrs.evolve(table, service=service, site=service, transport=np.full(len(table), DNS, np.uint8))


def answers(odd=(), address=lambda _, name: 1000 + name):
    """Let each place answer each name, some with address 7 instead."""
    rows = [
        (place, name, 7 if (place, name) in odd else address(place, name))
        for place in range(PLACES)
        for name in range(NAMES)
    ]
    place, name, given = (np.array(column) for column in zip(*rows, strict=True))
    return Answered(place=place, unit=name, address=given)


def weighed(answered, *, own=True, same_resolver=False, countries=None):
    """Weigh answers, by place and name; *own* says of which places the resolver is the network's."""
    table = lookups(same_resolver=same_resolver)
    own = np.isin(table.place, own) if isinstance(own, list) else np.full(len(table), own)
    countries = np.arange(PLACES) if countries is None else np.array(countries)
    place, unit, llr = forged_weight(answered.distinct(), table, own, countries)
    return {(int(a), int(b)): float(worth) for a, b, worth in zip(place, unit, llr, strict=True)}


def test_one_address_for_unrelated_names_in_one_network_is_odd():
    """The more names, the more it weighs, up to what no proof may weigh."""
    few, many = (weighed(answers({(2, name) for name in range(count)})) for count in (2, 6))
    assert set(few) == {(2, 0), (2, 1)}
    assert set(many) == {(2, name) for name in range(6)}
    assert 0 < few[2, 0] < many[2, 0] <= MOST


def test_two_networks_of_one_censor_are_both_told():
    """Both give the same address, and six others do not."""
    told = weighed(answers({(place, name) for place in (2, 3) for name in range(6)}))
    assert {place for place, _ in told} == {2, 3}
    assert min(told.values()) > CHOSEN


def test_a_delivery_network_that_answers_each_place_otherwise_is_not_odd():
    """Names that share an address in every place belong together, whichever address it is."""
    assert max(weighed(answers(address=lambda place, name: 100 * place + name // 6)).values(), default=0.0) == 0.0


def test_one_name_alone_tells_nothing():
    """Names are moved, and places are answered differently."""
    assert weighed(answers({(2, 0)})) == {}
    assert weighed(answers(address=lambda place, name: 1000 * place + name)) == {}


def test_what_most_places_say_is_not_odd():
    """An address that five of eight give is the usual one."""
    assert weighed(answers({(place, name) for place in range(5) for name in range(6)})) == {}


def test_a_resolver_that_somebody_chose_weighs_little():
    """It is not the network's own, and nobody else asks it; where others do and are told otherwise, it is no filter."""
    odd = {(2, name) for name in range(6)}
    assert max(weighed(answers(odd), own=False).values()) == CHOSEN
    assert max(weighed(answers(odd), own=False, same_resolver=True).values()) > CHOSEN


@pytest.mark.parametrize("seed", range(3))
def test_numbers_of_places_names_and_addresses_do_not_matter(seed):
    """The same answers under other numbers weigh the same."""
    rng = np.random.default_rng(seed)
    plain = answers({(2, name) for name in range(5)} | {(5, name) for name in range(4, 9)})
    order = rng.permutation(len(plain.place))
    names = rng.permutation(NAMES)
    mixed = Answered(place=plain.place, unit=names[plain.unit], address=plain.address * 17 + 3).take(order)
    expected = {(place, int(names[unit])): worth for (place, unit), worth in weighed(plain).items()}
    assert weighed(mixed) == pytest.approx(expected)


def test_no_answers_weigh_nothing():
    """A campaign without lookups."""
    nothing = np.zeros(0, np.int64)
    assert weighed(Answered(place=nothing, unit=nothing, address=nothing)) == {}


def test_a_list_of_the_country_is_no_filter_that_somebody_chose():
    """Another network of the country gives the same names the same address by its own resolver."""
    forged = answers({(place, name) for place in (2, 3) for name in range(6)})
    together = weighed(forged, own=[2], countries=[0, 1, 2, 2, 4, 5, 6, 7])
    assert min(together[3, name] for name in range(6)) > CHOSEN
    for countries in ([0, 1, 2, 3, 4, 5, 6, 7], [0, 1, -1, -1, 4, 5, 6, 7]):
        apart = weighed(forged, own=[2], countries=countries)
        assert min(apart[2, name] for name in range(6)) > CHOSEN
        assert max(apart[3, name] for name in range(6)) == pytest.approx(CHOSEN)


def test_two_filters_of_one_country_that_were_chosen_stay_chosen():
    """Neither resolver is the network's own."""
    forged = answers({(place, name) for place in (2, 3) for name in range(6)})
    told = weighed(forged, own=False, countries=[0, 1, 2, 2, 4, 5, 6, 7])
    assert max(told.values()) == pytest.approx(CHOSEN)
