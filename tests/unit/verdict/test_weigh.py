"""The weighing of evidence: laws that must hold for any evidence, and agreement with a slow twin."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.errors import SchemaError
from netinterf.schema import Evidence, SubjectKind
from netinterf.verdict import classify, default_model
from netinterf.verdict.weigh import covers
from tests.oracles.naive_verdict import naive_probability
from tests.unit.verdict.tables import World, evidence, rule

RULES = [
    rule("reset.a", "tcp.reset", "timing"),
    rule("reset.b", "tcp.reset", "timing"),
    rule("reset.c", "tcp.reset", "header"),
    rule("reset.sure", "tcp.reset", "header", decisive=True),
    rule("fin", "tcp.fin", "timing"),
    rule("page", "http.blockpage", "content"),
    rule("any.tcp", "tcp", "ending"),
    rule("any", "", "capture"),
    rule("own", "house.rule", "own"),
]
FLOWS = 3
WORLD = World()
for number in range(FLOWS):
    WORLD.visit(WORLD.flow(), number)
TRACE = WORLD.trace()
ROWS = st.lists(
    st.tuples(
        st.integers(0, FLOWS - 1),
        st.sampled_from([known.id for known in RULES]),
        st.one_of(st.floats(-30, 30), st.sampled_from([0.0, 3.0, -3.0, np.nan, np.inf, -np.inf])),
    ),
    max_size=12,
)


def probabilities(rows: list[tuple[int, str, float]]) -> np.ndarray:
    """Judge the three flows of the little world."""
    return classify(evidence(RULES, rows), TRACE).probability


@given(ROWS)
@settings(max_examples=150, deadline=None)
def test_agrees_with_the_slow_twin(rows: list[tuple[int, str, float]]) -> None:
    """The vectorised weighing gives what one subject and one group at a time give."""
    table = evidence(RULES, rows)
    expected = [naive_probability(table, flow, default_model()) for flow in range(FLOWS)]
    np.testing.assert_allclose(expected, classify(table, TRACE).probability, rtol=1e-9, atol=1e-12)


@given(ROWS.filter(bool), st.integers(0, 11), st.floats(0, 40))
@settings(max_examples=150, deadline=None)
def test_probability_rises_with_every_weight(rows: list[tuple[int, str, float]], place: int, more: float) -> None:
    """Raising one likelihood ratio never lowers the probability of any subject."""
    place %= len(rows)
    subject, name, llr = rows[place]
    if np.isnan(llr):
        return
    raised = [*rows[:place], (subject, name, llr + more), *rows[place + 1 :]]
    assert np.all(probabilities(raised) >= probabilities(rows) * (1 - 1e-9))


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_of_evidence_does_not_matter(rows: list[tuple[int, str, float]], random: object) -> None:
    """Shuffled evidence gives the same verdicts."""
    order = np.random.default_rng(random.randint(0, 2**31)).permutation(len(rows))
    table = evidence(RULES, rows)
    left, right = classify(table, TRACE), classify(table.take(order), TRACE)
    for name in ("probability", "grade", "outcome", "mechanism", "q_value", "trigger", "reasons"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    np.testing.assert_array_equal(left.also.values, right.also.values)


def test_no_evidence_leaves_the_prior() -> None:
    """A subject without evidence keeps the prior odds of its kind, and so does one with weightless evidence."""
    model = default_model()
    odds = sum(np.exp(value) for (kind, _), value in model.priors.items() if kind == "tcp")
    expected = np.full(FLOWS, odds / (1 + odds))
    np.testing.assert_allclose(expected, probabilities([]))
    np.testing.assert_allclose(expected, probabilities([(0, "reset.a", 0.0), (1, "any", 5.0), (2, "own", -5.0)]))
    assert 0.005 < expected[0] < 0.03


def test_a_group_counts_once() -> None:
    """A second view of the same oddity adds nothing; one of another family does."""
    one = probabilities([(0, "reset.a", 4.0)])[0]
    assert one == probabilities([(0, "reset.a", 4.0), (0, "reset.b", 3.9), (0, "reset.a", 4.0)])[0]
    assert one < probabilities([(0, "reset.a", 4.0), (0, "reset.c", 1.0)])[0]


def test_caps_bound_a_group_and_the_total() -> None:
    """No family carries more than its cap, a decisive rule more, and nothing more than the total cap."""
    model = default_model()
    assert probabilities([(0, "reset.a", 50.0)])[0] == probabilities([(0, "reset.a", model.other_cap)])[0]
    sure = probabilities([(0, "reset.sure", 50.0)])[0]
    assert sure == probabilities([(0, "reset.sure", model.decisive_cap)])[0] > 0.99
    assert sure == probabilities([(0, "reset.sure", 50.0), (0, "reset.a", 50.0)])[0]


def test_a_general_statement_bears_on_the_special_one() -> None:
    """Evidence against any interference with TCP lowers the suspicion of a forged reset, but not of a block page."""
    assert covers("tcp", "tcp.reset")
    assert covers("", "rate.policing")
    assert not covers("tcp.reset", "tcp")
    assert not covers("tcp", "tcpdump")
    suspected = probabilities([(0, "reset.a", 6.0)])[0]
    assert probabilities([(0, "reset.a", 6.0), (0, "any.tcp", -4.0)])[0] < suspected
    page = probabilities([(0, "page", 6.0)])[0]
    assert probabilities([(0, "page", 6.0), (0, "any.tcp", -4.0)])[0] == pytest.approx(page)


def test_evidence_outside_the_trace_is_refused() -> None:
    """A subject that the trace does not have is an error that says so."""
    with pytest.raises(SchemaError, match="outside the trace's 3"):
        probabilities([(FLOWS, "reset.a", 1.0)])


def test_evidence_about_groups_is_left_alone() -> None:
    """Evidence about a group of flows changes no flow's verdict."""
    table = evidence(RULES, [(7, "reset.a", 9.0)], subject_kind=np.full(1, SubjectKind.GROUP, np.uint8))
    assert np.array_equal(probabilities([]), classify(table, TRACE).probability)


def test_classifies_twenty_thousand_flows_quickly() -> None:
    """Judging a large capture takes a small part of a second."""
    count = 20_000
    copies = np.zeros(count, np.int64)
    rows = np.arange(count)
    packets = TRACE.by_flow.lengths[0]
    big = World().trace()
    take = np.zeros(count, np.int64)
    vars(big).update(
        packets=TRACE.packets,
        flows=TRACE.flows.take(take),
        sides=TRACE.sides.take(np.tile([0, 1], count)),
        by_flow=TRACE.by_flow.take(copies),
    )
    chosen = np.tile(rows[::4], 3)
    table = Evidence(
        subject=chosen.astype(np.int32),
        subject_kind=np.zeros(len(chosen), np.uint8),
        rule=np.repeat(np.array([0, 2, 5], np.uint16), len(chosen) // 3),
        time=chosen,
        llr=np.tile([1.0, 6.0, -2.0, 4.0, 5.0], len(chosen) // 5),
        rules=tuple(RULES),
    )
    classify(table, big)
    best = min(timed(table, big) for _ in range(3))
    assert len(classify(table, big)) == count
    assert packets == 7
    assert best < 0.3, f"{best:.3f} s"  # 0.15 s on an idle machine


def timed(table: Evidence, trace: object) -> float:
    """Measure one classification, in seconds."""
    begun = time.perf_counter()
    classify(table, trace)
    return time.perf_counter() - begun
