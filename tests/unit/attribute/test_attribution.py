"""From findings to systems: the right one for marks that no other has, nobody for what nobody documented."""

from collections import Counter
from functools import cache

import attrs
import numpy as np
import pytest

from netinterf import attribute
from netinterf.attribute.catalogue import background, systems, wanted_rules
from netinterf.attribute.score import Words, posterior, score
from netinterf.attribute.trait import UNKNOWN, Trait, Traits
from netinterf.engine.scan import Result
from netinterf.schema import Outcome
from netinterf.simulate import run
from netinterf.table import Ragged
from netinterf.written.record import Verdict
from tests.unit.attribute.scans import scanned

MARKED = {
    "tcp.reset.cn-rae": "cn.rae",
    "tcp.reset.cn-2017-type-2": "cn.gfw-1460",
    "tcp.reset.sandvine-2007": "sandvine.2007",
    "http.blockpage.kr-warning": "kr.warning",
    "http.blockpage.netsweeper": "netsweeper",
}
"""Scenarios whose system has a mark that the simulator never varies."""


@cache
def results(name: str) -> tuple[Result, ...]:
    """Scan three captures of a scenario."""
    return tuple(scanned(run(name, seed)) for seed in range(3))


def accused(result: Result) -> list[Verdict]:
    """List findings about flows, and groups."""
    return [one for one in result.verdicts if one.outcome is Outcome.INTERFERED]


@pytest.mark.parametrize(("scenario", "system"), MARKED.items())
def test_marked_systems_come_first(scenario: str, system: str) -> None:
    """Half of the findings and more name the right system first, none another, and say by what."""
    named = Counter[str]()
    for result in results(scenario):
        for verdict in accused(result):
            first = verdict.attribution[0] if verdict.attribution else None
            named[first.system if first else ""] += 1
            if first:
                assert first.matched
                assert 0 < first.score <= 1
                scores = [one.score for one in verdict.attribution]
                assert scores == sorted(scores, reverse=True)
    assert named[system] >= sum(named.values()) / 2
    assert set(named) <= {system, ""}


def test_who_is_not_interfered_with_is_not_attributed() -> None:
    """Only findings look like a system."""
    result = results("tcp.reset.cn-rae")[0]
    calm = [one for one in result.verdicts if not one.found]
    assert calm
    assert not any(one.attribution for one in calm)


def test_nothing_known_is_nobodys() -> None:
    """Without a known trait the undocumented system is likelier than any other; the probabilities add up."""
    traits = Traits(value=np.full((1, len(Trait)), UNKNOWN), text=Ragged.empty(1, np.uint8))
    rules = np.zeros((1, len(wanted_rules())), np.bool_)
    scores = score(traits, np.array(["tcp.reset"]), rules, systems(), background())
    chance = posterior(scores.llr, background())
    assert chance[0].argmax() == len(systems())
    assert chance.sum() == pytest.approx(1.0)
    for column, system in enumerate(systems()):
        assert (scores.llr[0, column] == -np.inf) == ("tcp.reset" not in system.mechanisms)


def test_captures_of_one_box_are_alike_and_those_of_two_are_not() -> None:
    """Same scenario and seed: surely one make. Other systems: surely not. It makes no difference which comes first."""
    rae, sandvine = results("tcp.reset.cn-rae"), results("tcp.reset.sandvine-2007")
    with_marks = next(one for one in rae if accused(one))
    other = next(one for one in sandvine if accused(one))
    same, different = attribute.similarity(with_marks, with_marks), attribute.similarity(with_marks, other)
    assert same.score > 0.9
    assert different.score < 0.1
    assert any(one.trait == "odd_flags" and one.llr > 0 for one in same.traits)
    assert attribute.similarity(other, with_marks).llr == pytest.approx(different.llr)


def test_without_findings_nothing_is_compared() -> None:
    """A benign capture has nothing to compare."""
    benign = scanned(run("benign.tcp.traffic", 1))
    found = attribute.similarity(benign, results("tcp.reset.cn-rae")[0])
    assert np.isnan(found.score)
    assert found.traits == ()
    assert found.llr == 0


def test_a_system_that_nobody_counted_is_never_named() -> None:
    """A new entry of the catalogue, before the fit has seen it, neither fails a scan nor takes a finding."""
    traits = Traits(value=np.full((1, len(Trait)), UNKNOWN), text=Ragged.empty(1, np.uint8))
    rules, mechanism = np.zeros((1, len(wanted_rules())), np.bool_), np.array(["tcp.reset"])
    new = next(attrs.evolve(system, id="new") for system in systems() if "tcp.reset" in system.mechanisms)
    scores = score(traits, mechanism, rules, (*systems(), new), background())
    assert scores.llr[0, -1] == -np.inf
    assert np.array_equal(scores.llr[:, :-1], score(traits, mechanism, rules, systems(), background()).llr)


def test_findings_that_look_alike_are_scored_alike() -> None:
    """Held against the catalogue together, each fits as it does by itself, whoever shows the same."""
    attributions = [result.judged[0].ledger.attributions for name in MARKED for result in results(name)]
    value = np.concatenate([one.traits.value for one in attributions])
    text = Ragged.concat([one.traits.text for one in attributions])
    mechanism = np.concatenate([one.mechanism for one in attributions])
    rules = np.random.default_rng(1).random((len(value), len(wanted_rules()))) < 0.1
    rows = np.tile(np.arange(len(value)), 2)
    together = score(
        Traits(value=value[rows], text=text.take(rows)), mechanism[rows], rules[rows], systems(), background()
    )
    assert len(together.llr) <= len(value)
    for row in range(0, len(value), 7):
        one = np.array([row])
        alone = score(
            Traits(value=value[one], text=text.take(one)), mechanism[one], rules[one], systems(), background()
        )
        for place in (row, row + len(value)):
            look = together.look[place]
            assert np.array_equal(together.llr[look], alone.llr[0])
            assert all(
                np.array_equal(left[look], right[0])
                for left, right in zip(together.matches, alone.matches, strict=True)
            )


@pytest.mark.parametrize("mark", [b"ab", b"a", b"abcd", b"cc"])
def test_marks_are_found_in_each_text_by_itself(mark: bytes) -> None:
    """What lies across the end of one text and the beginning of the next is in neither."""
    rng = np.random.default_rng(3)
    texts = [bytes(rng.choice(list(b"abcd"), rng.integers(0, 9)).tolist()) for _ in range(300)]
    words = Words.of(Ragged.of([np.frombuffer(text, np.uint8) for text in texts], np.uint8))
    feature = attrs.evolve(systems()[0].features[0], marks=(mark,), pages=(), rules=(), trait=None)
    assert words.hold(feature).tolist() == [mark in text for text in texts]
