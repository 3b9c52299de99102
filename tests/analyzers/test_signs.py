"""How rules are declared, and how signs become evidence."""

import json
from importlib.resources import files
from typing import ClassVar

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.registry import builtin
from netinterf.analyzers.signs import (
    Cases,
    by_rule,
    each_once,
    none_forged,
    record,
    record_each,
    restricted_to,
    sign,
    taken,
    total,
    weakened,
)
from netinterf.analyzers.vocabulary import COMPANY, HOPS, MADE, Family
from netinterf.arrays import I64
from netinterf.errors import AnalyzerError
from netinterf.schema import Evidence, Rule
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.verdict.model import default_model
from netinterf.verdict.weights import weights_of

plain = Family("plain.", "", noun="{noun}")
ends = Family("end.", "tcp.fin", exposed="tcp", noun="the FIN")
pages = Family("page.", "http.blockpage", exposed="page", noun="the answer", group="paper")

NEAR = plain.rule("near", "time", 4.0, "{noun} came after {waited} ms", "waited", source="a paper", needs=(HOPS,))
FAR = ends.rule("far", "time", -1.0, "{noun} came late", source=("one", "two"), shared=True, twins=(pages,))
TESTED = ends.rule("tested", "test", None, "a test says {llr}", "llr", source="a test", blind=(MADE,))
ends.adopt(plain, NEAR)


@attrs.frozen(kw_only=True)
class Some:
    """An analyzer with the rules of both families."""

    name: ClassVar[str] = "some"
    scope: ClassVar[Scope] = Scope.FLOW
    rules: ClassVar[tuple[Rule, ...]] = (*ends.rules, *pages.rules)

    def __call__(self, trace: Trace, /) -> Evidence:
        """See nothing."""
        del trace
        return Evidence.empty(rules=self.rules)


def test_a_rule_has_its_family_in_all_its_names() -> None:
    """Id, group, mechanism and sentence are those of the family that declares it."""
    assert (FAR.id, FAR.group, FAR.mechanism, FAR.says) == ("end.far", "end.time", "tcp.fin", "the FIN came late")
    assert (FAR.exposed, FAR.references, FAR.weight) == (("tcp", COMPANY), ("one", "two"), -1.0)
    assert (TESTED.blind, TESTED.weight, TESTED.measures) == ((MADE,), None, ("llr",))


def test_a_twin_differs_in_what_its_family_says_only() -> None:
    """Weight, measures and sources are the sign's; names, noun and exposure are the family's."""
    twin, near = pages.of(FAR), ends.of(NEAR)
    assert twin is not None
    assert near is not None
    assert (twin.id, twin.group, twin.mechanism) == ("page.far", "paper.time", "http.blockpage")
    assert (twin.says, twin.exposed, twin.weight) == ("the answer came late", ("page", COMPANY), FAR.weight)
    assert (near.says, near.exposed, near.measures) == ("the FIN came after {waited} ms", ("tcp", HOPS), ("waited",))


def test_a_family_knows_its_own_rules_and_their_twins_only() -> None:
    """What it has not is nothing to it, whatever its name."""
    assert ends.of(FAR) is FAR
    assert pages.of(TESTED) is None
    assert ends.of(attrs.evolve(FAR, weight=2.0)) is None
    assert [rule.id for rule in (*ends.rules, *pages.rules)] == ["end.far", "end.tested", "end.near", "page.far"]
    assert list(restricted_to(by_rule([sign(FAR, True), sign(TESTED, True, llr=1.0)]), pages)) == [FAR]


def test_a_sign_weighs_what_its_rule_does_where_it_shows() -> None:
    """A share of the rule's weight, or what the test says; nothing elsewhere."""
    where = np.array([True, False, True])
    assert sign(NEAR, where, strength=np.array([1.0, 1.0, 0.25])).llr.tolist() == [4.0, 0.0, 1.0]
    assert sign(TESTED, where, llr=np.array([1.5, 2.5, 3.5])).llr.tolist() == [1.5, 0.0, 3.5]
    with pytest.raises(ValueError, match="no weight of its own"):
        sign(TESTED, where)
    less = weakened(sign(NEAR, where), np.array([0.5, 1.0, 0.0]))
    assert (less.llr.tolist(), np.asarray(less.where).tolist()) == ([2.0, 0.0, 0.0], [True, False, False])
    assert total(by_rule([sign(NEAR, where), sign(FAR, where)]), 3).tolist() == [3.0, 0.0, 3.0]


def cases(count: int) -> Cases:
    """Ask about some flows, each at its own time, by a packet of its own."""
    rows = np.arange(count)
    return Cases(subject=rows + 3, time=1_000 * rows, witness=2 * rows, forged=2 * rows)


@given(st.lists(st.tuples(st.booleans(), st.integers(-1, 40), st.floats(0.1, 5)), max_size=12))
def test_signs_are_written_down_as_one_would_by_hand(drawn: list[tuple[bool, int, float]]) -> None:
    """Row by row: the cases that show a sign, in order, with what was measured and every packet once."""
    shows, shown, llr = ([one[place] for one in drawn] for place in range(3))
    here = np.array(shows, np.bool_)
    seen = sign(TESTED, here, {"llr": np.array(llr)}, llr=np.array(llr), witness=np.array(shown, np.int64))
    tables = record(Some(), cases(len(drawn)), by_rule([seen]))
    expected = [
        (place + 3, 1_000 * place, weight, sorted({2 * place, other} - {-1}), [2 * place])
        for place, (show, other, weight) in enumerate(drawn)
        if show
    ]
    written = [
        (int(table.subject[row]), int(table.time[row]), table.llr[row], table.witness[row].tolist(),
         table.forged[row].tolist())
        for table in tables
        for row in range(len(table))
    ]  # fmt: skip
    assert written == expected
    assert all(table.rules[table.rule[0]] is TESTED for table in tables)


@given(
    st.lists(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(-1, 40)), max_size=4), max_size=5),
    st.booleans(),
)
def test_what_many_things_show_is_written_at_once_as_one_after_the_other(
    drawn: list[list[tuple[bool, bool, int]]], ends_first: bool
) -> None:
    """Thing by thing, and of each rule by rule; what is no column stands for all cases of its thing."""
    parts = []
    for number, rows in enumerate(drawn):
        near, tested, shown = (np.array([row[place] for row in rows], np.int64) for place in range(3))
        signs = [
            sign(FAR, near > 0, strength=1 + number, forged=none_forged(len(rows)) if number % 2 else None),
            sign(TESTED, tested > 0, {"llr": 1.0 * shown} if number % 3 else {}, llr=2.5, witness=shown),
        ]
        parts.append((cases(len(rows)), by_rule(signs[::-1] if ends_first and number % 2 else signs)))
    tables = [table for part, signs in parts for table in record(Some(), part, signs)]
    assert record_each(Some(), parts).equals(join(tables) if tables else Evidence.empty(rules=Some.rules))


def test_a_family_writes_its_twins_and_leaves_out_what_it_has_not() -> None:
    """One detector serves several mechanisms."""
    signs = by_rule([sign(FAR, True), sign(TESTED, True, {"llr": 1.0}, llr=1.0)])
    (table,) = record(Some(), cases(2), signs, pages)
    assert {table.rules[code].id for code in table.rule} == {"page.far"}
    assert table.llr.tolist() == [-1.0, -1.0]


def test_scalars_stand_for_all_and_some_cases_can_be_taken() -> None:
    """A sign of every case, and what is left of it when half of them go."""
    seen = by_rule([sign(FAR, True, forged=none_forged(4))])
    rows = np.array([3, 1])
    (table,) = record(Some(), cases(4).take(rows), taken(seen, rows, 4))
    assert (table.subject.tolist(), table.forged.lengths.tolist()) == ([6, 4], [0, 0])


@given(st.lists(st.lists(st.integers(-1, 9), max_size=6), max_size=6))
def test_packets_are_listed_once_and_in_order(lists: list[list[int]]) -> None:
    """Whatever order they come in; -1 is none."""
    found = each_once(Ragged.of(lists, np.int32))
    assert [row.tolist() for row in found] == [sorted({*row} - {-1}) for row in lists]


def test_an_observation_weighs_what_its_rule_says_if_nothing_else_is_told() -> None:
    """And one whose weight nobody knows is refused by name."""
    rows: I64 = np.array([1, 2])
    assert observe(Some(), FAR, subject=rows, time=0, witness=rows).llr.tolist() == [-1.0, -1.0]
    with pytest.raises(AnalyzerError, match=r"'end.tested' has no weight"):
        observe(Some(), TESTED, subject=rows, time=0, witness=rows)


def test_literature_fit_and_bound_of_a_rule_stand_side_by_side() -> None:
    """What counts is the product, within what the rule may carry."""
    model = attrs.evolve(default_model(), factors={"end.far": 2.0, "end.near": 3.0}, bounds={"end.near": 7.5})
    far, tested, near = weights_of(ends.rules, model)
    assert (far.literature, far.factor, far.fitted) == (-1.0, 2.0, -2.0)
    assert (near.literature, near.fitted, near.most) == (4.0, 7.5, 7.5)
    assert (tested.literature, tested.fitted, tested.most) == (None, None, model.other_bound)


def test_every_rule_says_where_it_comes_from_and_what_it_was_exposed_to() -> None:
    """A number without a source, or exposure to nothing, is no rule."""
    for rule in (rule for analyzer in builtin() for rule in analyzer.rules):
        assert rule.references, rule.id
        assert rule.exposed, rule.id
        assert "{noun}" not in rule.says, rule.id
        assert (COMPANY in rule.exposed) == rule.shared, rule.id


def test_the_model_was_fitted_to_the_weights_that_rules_have() -> None:
    """What the packaged file says of the literature is what the rules say; a changed weight needs another fit."""
    rows = json.loads((files("netinterf") / "data" / "model.json").read_text(encoding="utf-8"))["weights"]
    written = {row["rule"]: row["literature"] for row in rows}
    rules = [rule for analyzer in builtin() for rule in analyzer.rules if rule.id in written]
    assert len(rules) > 300
    assert {rule.id: rule.weight for rule in rules} == {rule.id: written[rule.id] for rule in rules}
