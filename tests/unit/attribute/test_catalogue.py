"""The catalogue: complete entries with sources, in step with what was counted."""

import pytest

from netinterf.analyzers.registry import builtin
from netinterf.attribute.catalogue import CLASSES, System, background, class_of, systems, wanted_rules
from netinterf.attribute.trait import Trait
from netinterf.simulate.documented import SYSTEMS

CATALOGUE = systems()


def test_ids_are_unique_and_variants_stay_in_their_country() -> None:
    """An id names one entry; a variant that several boxes write is covered by entries of one country, once in each."""
    ids = [system.id for system in CATALOGUE]
    assert len(ids) == len(set(ids))
    countries = {system.id: system.country for system in CATALOGUE}
    for system in CATALOGUE:
        assert len(system.covers) == len(set(system.covers))
        assert system.id not in system.covers
        for name in system.covers:
            assert name in SYSTEMS, f"{name}: covered, but not documented"
            countries.setdefault(name, system.country)
            assert countries[name] == system.country, name


@pytest.mark.parametrize("system", CATALOGUE, ids=lambda system: system.id)
def test_entries_are_complete(system: System) -> None:
    """Each says who, when and what, and where every feature is documented."""
    assert system.name
    assert system.says
    assert system.years
    assert system.country is None or (len(system.country) == 2 and system.country.isupper())
    assert system.features
    assert all(class_of(word) for word in system.mechanisms)
    for feature in system.features:
        assert feature.says
        assert feature.source
        kinds = [feature.trait is not None, feature.is_text, bool(feature.rules)]
        assert sum(kinds) == 1, f"{feature.says}: one thing to look for"
        if feature.trait is not None:
            assert feature.values or feature.low <= feature.high
        assert set(feature.only) <= set(system.mechanisms)


def test_every_observation_that_is_asked_for_exists() -> None:
    """Features by rule name rules that some analyzer can write."""
    known = {rule.id for analyzer in builtin() for rule in analyzer.rules}
    assert set(wanted_rules()) <= known


@pytest.mark.parametrize("system", CATALOGUE, ids=lambda system: system.id)
def test_counts_are_in_step_with_the_catalogue(system: System) -> None:
    """For each class of its mechanisms there is one share per feature, between never and always."""
    common = background()
    wanted = {class_of(word) for word in system.mechanisms}
    assert system.id in common.mass, "`python -m benchmarks attribution --fit` counts it"
    assert set(common.mass[system.id]) == wanted <= set(CLASSES)
    for masses in common.mass[system.id].values():
        assert len(masses) == len(system.features)
        assert all(0 < mass < 1 for mass in masses)


def test_shares_are_shares() -> None:
    """What is listed of a trait adds up to at most everything."""
    common = background()
    assert 0.5 < common.agreement < 1
    assert 0 < common.temper <= 1
    assert common.unknown >= 1
    for traits in common.share.values():
        assert set(traits) == set(Trait)
        assert all(sum(found.values()) < 1.01 for found in traits.values())
