"""One address for names that have nothing in common elsewhere is odd; one that a host gives all its names is not."""

import attrs
import numpy as np
import pytest

from netinterf.observations.attempts import DNS
from netinterf.observations.table import observe
from netinterf.pooling.answers import CHOSEN, FEW, MOST, SHARED, Answered, as_obliged, forged_weight, from_elsewhere
from netinterf.pooling.episodes import NEVER
from tests.unit.pooling.places import Campaign

PLACES, NAMES, DENIED = 8, 12, -1


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
    return made(place, name, given)


def made(place, name, given):
    """Make answers of one time, with one hop limit."""
    time, hops = np.zeros(len(place), np.int64), np.full(len(place), 57.0)
    denied = given == DENIED
    return Answered(
        place=place, unit=name, address=given, denied=denied, first=time, last=time.copy(), least=hops, most=hops.copy()
    )


def weighed(answered, *, own=True, same_resolver=False, countries=None):
    """Weigh answers, by place and name; *own* says of which places the resolver is the network's."""
    table = lookups(same_resolver=same_resolver)
    own = np.isin(table.place, own) if isinstance(own, list) else np.full(len(table), own)
    countries = np.arange(PLACES) if countries is None else np.array(countries)
    forged = forged_weight(answered, table, own, countries)
    assert (forged.llr[forged.chosen] <= CHOSEN).all()
    return {(int(a), int(b)): float(worth) for a, b, worth in zip(forged.place, forged.unit, forged.llr, strict=True)}


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


@pytest.mark.parametrize("usual", ["own", "shared"])
def test_a_filter_that_some_of_a_network_chose_weighs_little(usual):
    """A third of the lookups are asked of it, the others of the network's resolver, or of one that all others ask."""
    table = lookups(same_resolver=usual == "shared")
    filtered = (table.place == 2) & (table.unit % 3 == 0)
    table = attrs.evolve(table, service=np.where(filtered, PLACES, table.service))
    own = ~filtered & (usual == "own")
    answered = answers({(2, name) for name in range(6)})
    told = forged_weight(answered, table, own, np.arange(PLACES))
    assert len(told.llr)
    assert told.chosen.all()


@pytest.mark.parametrize("seed", range(3))
def test_numbers_of_places_names_and_addresses_do_not_matter(seed):
    """The same answers under other numbers weigh the same."""
    rng = np.random.default_rng(seed)
    plain = answers({(2, name) for name in range(5)} | {(5, name) for name in range(4, 9)})
    order = rng.permutation(len(plain.place))
    names = rng.permutation(NAMES)
    mixed = made(plain.place, names[plain.unit], plain.address * 17 + 3).take(order)
    expected = {(place, int(names[unit])): worth for (place, unit), worth in weighed(plain).items()}
    assert weighed(mixed) == pytest.approx(expected)


def test_no_answers_weigh_nothing():
    """A campaign without lookups."""
    nothing = np.zeros(0, np.int64)
    assert weighed(made(nothing, nothing, nothing)) == {}


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


def denied(odd, **options):
    """Deny some names in some places that exist in all others."""
    return weighed(made(*denials(odd)), **options)


def denials(odd, gone=()):
    """Give what places answer where some deny some names, and all deny those that are gone."""
    rows = [
        (place, name, DENIED if (place, name) in odd or name in gone else 1000 + name)
        for place in range(PLACES) for name in range(NAMES)
    ]  # fmt: skip
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def test_a_network_that_denies_names_that_exist_elsewhere_is_told():
    """As one that gives them an address; and no more than a hint where somebody may have chosen the resolver."""
    odd = {(2, name) for name in range(6)}
    assert min(denied(odd).values()) > CHOSEN
    assert max(denied(odd, own=False).values()) == pytest.approx(CHOSEN)


def test_names_that_are_gone_are_denied_everywhere():
    """That all places deny some names hides nothing, and accuses nobody."""
    odd = {(2, name) for name in range(6)}
    told = weighed(made(*denials(odd, gone=(8, 9, 10))))
    assert set(told) == odd
    assert min(told.values()) > CHOSEN


def test_names_that_exist_in_one_network_alone_are_its_own():
    """The others deny them, and it gives them one address: a name server of its own."""
    place, name, given = denials({(place, name) for place in range(PLACES) for name in (4, 5, 6) if place != 2})
    given[(place == 2) & np.isin(name, (4, 5, 6))] = 7
    assert max(weighed(made(place, name, given)).values(), default=0.0) == 0.0


def test_a_network_that_asks_after_a_name_has_died_denies_nothing():
    """Others were answered in the days before, and not in those in which it is denied."""
    odd = {(2, name) for name in range(6)}
    place, name, given = denials(odd)
    answered = made(place, name, given)
    late = answered.place == 2
    answered.first[late], answered.last[late] = 100, 200
    assert max(weighed(answered).values(), default=0.0) == 0.0
    answered.last[~late] = 150
    assert min(weighed(answered).values()) > CHOSEN


@pytest.mark.parametrize(("hops", "apart"), [(63.0, True), (49.0, True), (57.0, False), (55.0, False)])
def test_answers_from_elsewhere_are_no_filter_that_somebody_chose(hops, apart):
    """Those of the resolver itself come with the hop limits of its other answers."""
    names = 40
    place, name = (axis.ravel() for axis in np.indices((PLACES, names)))
    odd = (place == 2) & (name < 6)
    answered = made(place, name, np.where(odd, 7, 1000 + name))
    answered.least[odd] = answered.most[odd] = hops
    answered.least[(place == 2) & (name == 30)] = 52.0  # a path that changed once
    told = weighed(answered, own=False)
    assert (min(told.values()) > CHOSEN) == apart


def test_forged_answers_tell_when_they_began():
    """After the last answer of another kind; names that were never answered otherwise were forged from the start."""
    odd = {(2, name) for name in range(6)}
    forged, plain = answers(odd), answers()
    forged.first[:], forged.last[:] = 500, 900
    mine = (plain.place == 2) & (plain.unit < 3)
    earlier = plain.take(mine)
    earlier.first[:], earlier.last[:] = 100, 300
    late = plain.take(mine)
    late.first[:], late.last[:] = 950, 950  # lifted again
    both = [forged, earlier, late]
    joined = Answered(**{
        field.name: np.concatenate([getattr(one, field.name) for one in both]) for field in attrs.fields(Answered)
    })  # fmt: skip
    table = lookups()
    told = forged_weight(joined, table, np.ones(len(table), bool), np.arange(PLACES))
    assert set(zip(told.place.tolist(), told.unit.tolist(), strict=True)) == odd
    assert told.first.tolist() == [500] * 6
    assert dict(zip(told.unit.tolist(), told.after.tolist(), strict=True)) == {
        **dict.fromkeys(range(3), 300), **dict.fromkeys(range(3, 6), NEVER)
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_where_answers_came_from_is_asked_as_place_by_place(seed):
    """A slow twin looks at one place at a time."""
    generator = np.random.default_rng(seed)

    def given(count, hops):
        place, name = generator.integers(0, PLACES, count), generator.integers(0, NAMES, count)
        answered = made(place, name, name)
        answered.least[:] = generator.choice([*hops, np.nan], count)
        answered.most[:] = answered.least + generator.integers(0, 2, count)
        return answered

    odd, plain = given(30, [50.0, 63.0] if seed % 2 else [50.0]), given(generator.integers(0, 400), [56.0, 57.0])
    expected = []
    for place in range(PLACES):
        strange, usual = (
            [
                (low, high)
                for at, low, high in zip(one.place, one.least, one.most, strict=True)
                if at == place and low > 0
            ]
            for one in (odd, plain)
        )
        if strange and len(usual) >= FEW:
            lowest, highest = min(low for low, _ in usual), max(high for _, high in usual)
            if sum(high < lowest or low > highest for low, high in strange) >= SHARED * len(strange):
                expected.append(place)
    assert from_elsewhere(odd, plain).tolist() == expected


@pytest.mark.parametrize("seed", range(20))
def test_lists_of_a_country_are_found_as_pair_by_pair(seed):
    """A slow twin holds each two places against each other."""
    generator = np.random.default_rng(seed)
    place, name, given = (generator.integers(0, most, 15) for most in (PLACES, NAMES, 2))
    countries, obliged = generator.integers(-1, 3, PLACES), generator.random(PLACES) < 0.5
    table = lookups()
    table = attrs.evolve(table, site=generator.integers(0, 12, len(table)))
    asks = [set(table.site[table.place == one].tolist()) for one in range(PLACES)]
    gives = [
        {(a, b) for at, a, b in zip(place.tolist(), name.tolist(), given.tolist(), strict=True) if at == one}
        for one in range(PLACES)
    ]
    expected = [
        any(
            obliged[by] and gives[one] & gives[by] and countries[one] == countries[by] >= 0 and not asks[one] & asks[by]
            for by in range(PLACES)
        )
        for one in range(PLACES)
    ]
    assert as_obliged(made(place, name, given), table, obliged, countries).tolist() == expected
