"""The weighing of evidence: laws that must hold for any evidence and any model, and agreement with a slow twin."""

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.errors import ParameterError, SchemaError
from netinterf.mechanisms import covers
from netinterf.schema import Evidence, Grade, Outcome, SubjectKind, Verdicts
from netinterf.verdict.combine import judge
from netinterf.verdict.model import SUBJECTS, Model
from netinterf.verdict.reasons import CATALOGUE, Reason
from tests.oracles.naive_verdict import naive_probability
from tests.unit.verdict.tables import evidence, plain_model, rule, subjects

RULES = [
    rule("reset.a", "tcp.reset", "timing"),
    rule("reset.b", "tcp.reset", "timing"),
    rule("reset.c", "tcp.reset", "header"),
    rule("reset.sure", "tcp.reset", "header", decisive=True),
    rule("fin", "tcp.fin", "timing"),
    rule("page", "http.blockpage", "content"),
    rule("answer", "dns.injection", "content"),
    rule("any.tcp", "tcp", "ending"),
    rule("any", "", "capture"),
    rule("own", "house.rule", "own"),
]
IDS = [known.id for known in RULES]
KINDS = ["tcp", "udp", "other", "exchange", "tcp"]
BITS = [0, 0, int(Reason.OTHER_PROTOCOL), int(Reason.DNS_UNANSWERED), int(Reason.RESET_UNEXPLAINED | Reason.SUSPICION)]
HAPPENED = ["ok", "ok", *(CATALOGUE[r].code for r in (Reason.OTHER_PROTOCOL, Reason.DNS_UNANSWERED))]
HAPPENED += [CATALOGUE[Reason.RESET_UNEXPLAINED].code]  # the lowest of its bits decides
EVERYBODY = subjects(KINDS, BITS)

WEIGHTS = st.one_of(st.floats(-30, 30), st.sampled_from([0.0, 3.0, -3.0, np.nan]))
ROWS = st.lists(st.tuples(st.integers(0, len(KINDS) - 1), st.sampled_from(IDS), WEIGHTS), max_size=12)


NATS = st.floats(0.5, 16)
MODELS = st.builds(
    plain_model,
    factors=st.dictionaries(st.sampled_from(IDS), st.one_of(st.floats(0, 3), st.just(0.0))),
    quiet=st.dictionaries(st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(HAPPENED)), st.floats(-5, 5)),
    group_cap=NATS,
    bounds=st.dictionaries(st.sampled_from(IDS), NATS),
    other_bound=NATS,
    dependence=st.sampled_from([0.0, 0.5, 0.8]),
    alone=st.dictionaries(st.sampled_from(["tcp.reset", "tcp.fin", "http.blockpage", "tcp"]), st.floats(-5, 0)),
    joint=st.sampled_from([(), ("tcp.reset",)]),
    decisive_cap=NATS,
    total_caps=st.dictionaries(st.sampled_from(SUBJECTS), NATS),
    other_total_cap=NATS,
)


def judged(rows: list[tuple[int, str, float]], model: Model | None = None) -> Verdicts:
    """Judge the five subjects by these observations."""
    return judge(about(rows), EVERYBODY, model or plain_model())


def about(rows: list[tuple[int, str, float]]) -> Evidence:
    """Write observations of the five subjects down."""
    kinds = EVERYBODY.kind[np.array([row[0] for row in rows], np.int64)]
    return evidence(RULES, rows, subject_kind=kinds)


def probabilities(rows: list[tuple[int, str, float]], **changes: Any) -> Any:
    """Judge by a plain model with some numbers changed."""
    return judged(rows, plain_model(**changes)).probability


@given(ROWS, MODELS)
@settings(max_examples=200, deadline=None)
def test_agrees_with_the_slow_twin(rows: list[tuple[int, str, float]], model: Model) -> None:
    """The vectorised weighing gives what one subject and one group at a time give, under any model."""
    table = about(rows)
    expected = [
        naive_probability(table, place, model, kind, happened)
        for place, (kind, happened) in enumerate(zip(KINDS, HAPPENED, strict=True))
    ]
    np.testing.assert_allclose(judged(rows, model).probability, expected, rtol=1e-9, atol=1e-12)


@given(ROWS.filter(bool), st.integers(0, 11), st.floats(0, 40), MODELS)
@settings(max_examples=200, deadline=None)
def test_probability_rises_with_every_weight(
    rows: list[tuple[int, str, float]], place: int, more: float, model: Model
) -> None:
    """Raising one likelihood ratio never lowers the probability of any subject, whatever the model."""
    place %= len(rows)
    subject, name, llr = rows[place]
    if np.isnan(llr):
        return
    raised = [*rows[:place], (subject, name, llr + more), *rows[place + 1 :]]
    assert np.all(judged(raised, model).probability >= judged(rows, model).probability * (1 - 1e-9))


@given(ROWS, MODELS, st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_order_of_evidence_does_not_matter(rows: list[tuple[int, str, float]], model: Model, seed: int) -> None:
    """Shuffled evidence gives the same verdicts."""
    table = about(rows)
    order = np.random.default_rng(seed).permutation(len(rows))
    left, right = judge(table, EVERYBODY, model), judge(table.take(order), EVERYBODY, model)
    np.testing.assert_allclose(left.probability, right.probability, rtol=1e-12)
    np.testing.assert_allclose(left.q_value, right.q_value, rtol=1e-12)
    for name in ("grade", "grade_if_rarer", "outcome", "mechanism", "trigger", "reasons"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    np.testing.assert_array_equal(left.also.values, right.also.values)


@given(ROWS, MODELS)
@settings(max_examples=100, deadline=None)
def test_grade_if_rarer_is_the_grade_under_rarer_priors(rows: list[tuple[int, str, float]], model: Model) -> None:
    """It is what a model gives whose priors are ln 10 lower, for whoever that model names a mechanism for."""
    step = np.log(10)
    rarer = attrs.evolve(
        model,
        priors={key: value - step for key, value in model.priors.items()},
        other_prior=model.other_prior - step,
    )
    left, right = judged(rows, model), judged(rows, rarer)
    near = np.any(np.abs(right.probability[:, None] - [model.possible, model.likely, model.confirmed]) < 1e-9, axis=1)
    found = left.grade <= list(Grade).index(Grade.POSSIBLE)
    expected = np.where(
        right.grade == list(Grade).index(Grade.INSUFFICIENT), list(Grade).index(Grade.NONE), right.grade
    )
    np.testing.assert_array_equal(left.grade_if_rarer[found & ~near], expected[found & ~near])
    assert np.all(left.grade_if_rarer[found] >= left.grade[found])


@given(ROWS, MODELS)
@settings(max_examples=100, deadline=None)
def test_nobody_is_accused_by_silence(rows: list[tuple[int, str, float]], model: Model) -> None:
    """A mechanism is named only of a subject that at least one observation supports, however bad silence looks."""
    result = judged(rows, model)
    supported = {subject for subject, name, llr in rows if llr > 0 and model.factors.get(name, 1.0) > 0}
    assert set(np.flatnonzero(result.mechanism >= 0)) <= supported
    assert set(np.flatnonzero(result.outcome == list(Outcome).index(Outcome.INTERFERED))) <= supported


def test_no_evidence_leaves_the_prior() -> None:
    """A subject without evidence keeps the prior odds of its kind, and so does one with weightless evidence."""
    model = plain_model()
    odds = [sum(np.exp(value) for (of, _), value in model.priors.items() if of == kind) for kind in KINDS]
    expected = np.array(odds) / (1 + np.array(odds))
    np.testing.assert_allclose(probabilities([]), expected, atol=1e-12)
    weightless = [(0, "reset.a", 0.0), (1, "any", 5.0), (3, "own", -5.0), (4, "reset.a", np.nan)]
    np.testing.assert_allclose(probabilities(weightless), expected, atol=1e-12)
    assert 0.005 < expected[0] < 0.03


def test_silence_weighs_by_kind_and_what_happened() -> None:
    """Where nothing supports a mechanism, what happened moves the prior odds; of a supported sum it is the floor."""
    model = plain_model(quiet={("tcp", "ok"): -2.0, ("tcp", "tcp.reset"): 1.0, ("exchange", "ok"): -3.0})
    plain = probabilities([])
    result = judged([], model).probability
    odds = result / (1 - result) / (plain / (1 - plain))
    code = CATALOGUE[Reason.RESET_UNEXPLAINED].code
    assert code in HAPPENED
    np.testing.assert_allclose(np.log(odds[:4]), [-2.0, 0.0, 0.0, 0.0], atol=1e-9)
    suspicious = plain_model(quiet={("tcp", code): 4.0})
    silent = judged([], suspicious).probability[4]
    assert silent == pytest.approx(judged([(4, "reset.a", 0.5)], suspicious).probability[4])
    assert silent < judged([(4, "reset.a", 5.0)], suspicious).probability[4]
    assert judged([(4, "reset.a", -5.0)], suspicious).probability[4] < silent


def test_factors_bend_the_weights() -> None:
    """A factor multiplies its rule alone."""
    one = probabilities([(0, "reset.a", 4.0)])[0]
    assert one == pytest.approx(probabilities([(0, "reset.a", 2.0)], factors={"reset.a": 2.0})[0])
    assert one == probabilities([(0, "reset.a", 4.0)], factors={"reset.c": 0.5})[0]
    assert probabilities([])[0] == probabilities([(0, "reset.a", 4.0)], factors={"reset.a": 0.0})[0]


def test_a_group_counts_once() -> None:
    """A second view of the same oddity adds nothing; one of another family does."""
    one = probabilities([(0, "reset.a", 4.0)])[0]
    assert one == probabilities([(0, "reset.a", 4.0), (0, "reset.b", 3.9), (0, "reset.a", 4.0)])[0]
    assert one < probabilities([(0, "reset.a", 4.0), (0, "reset.c", 1.0)])[0]


def test_caps_bound_a_group_and_the_total() -> None:
    """No family carries more than its cap, a decisive rule more, and a subject no more than its kind's."""
    model = plain_model()
    assert probabilities([(0, "reset.a", 50.0)])[0] == probabilities([(0, "reset.a", model.group_cap)])[0]
    assert probabilities([(0, "reset.a", np.inf)])[0] == probabilities([(0, "reset.a", model.group_cap)])[0]
    sure = probabilities([(0, "reset.sure", 50.0)])[0]
    assert sure == probabilities([(0, "reset.sure", model.decisive_cap)])[0] > 0.99
    assert sure == probabilities([(0, "reset.sure", 50.0), (0, "reset.a", 50.0)])[0]
    both = [(0, "reset.a", 6.0), (0, "reset.c", 6.0)]
    capped = probabilities(both, total_caps={"tcp": 7.0, "udp": 3.0})[0]
    assert capped == pytest.approx(probabilities([(0, "reset.a", 6.0), (0, "reset.c", 1.0)])[0])


def test_what_is_no_proof_carries_what_reality_supports() -> None:
    """A rule is bounded by its own exposure, another by what nobody has seen; proof and counter-evidence are not."""
    bounds = {"bounds": {"reset.a": 2.0, "reset.sure": 1.0}, "other_bound": 3.0, "group_cap": 9.0}
    for name, worth in (("reset.a", 2.0), ("reset.c", 3.0), ("reset.sure", 8.0), ("reset.a", -8.0)):
        shown = np.copysign(8.0, worth)
        plain = {"group_cap": 9.0, "other_bound": 9.0}
        assert probabilities([(0, name, shown)], **bounds)[0] == probabilities([(0, name, worth)], **plain)[0], name


def test_a_further_group_counts_for_what_is_new() -> None:
    """The strongest group counts in full, each further one less what the strongest has said already."""
    rows = [(0, "reset.a", 4.0), (0, "reset.c", 2.0)]
    half = probabilities(rows, dependence=0.5)[0]
    assert half == pytest.approx(probabilities([(0, "reset.a", 4.0), (0, "reset.c", 1.0)])[0])
    assert probabilities(rows, dependence=1.0)[0] == pytest.approx(probabilities(rows[:1])[0])
    assert probabilities([*rows, (0, "any", -1.0)], dependence=0.5)[0] < half
    assert probabilities(rows, dependence=0.5, joint=("tcp.reset",))[0] == pytest.approx(probabilities(rows)[0])


def test_one_oddity_that_is_no_proof_accuses_nobody() -> None:
    """Whatever it weighs, and however common its mechanism is taken to be; a second one, or proof, may."""
    likely = plain_model().likely
    wide = {"group_cap": 14.0, "other_bound": 14.0, "priors": {("tcp", "tcp.reset"): -1.0}}
    assert probabilities([(0, "reset.a", 14.0), (0, "reset.b", 14.0)], **wide)[0] < likely
    assert probabilities([(0, "reset.a", 13.0), (0, "reset.c", 1.0)], **wide)[0] > likely
    assert probabilities([(0, "reset.sure", 14.0)], **wide)[0] > likely


def test_a_single_sign_weighs_that_others_are_missing() -> None:
    """One group alone says less by how seldom there is no more, but never less than silence; proof stands alone."""
    seldom = {"alone": {"tcp.reset": -2.0}}
    assert probabilities([(0, "reset.a", 5.0)], **seldom)[0] == pytest.approx(probabilities([(0, "reset.a", 3.0)])[0])
    assert probabilities([(0, "reset.a", 1.0)], **seldom)[0] == pytest.approx(probabilities([])[0])
    for rows in ([(0, "reset.a", 5.0), (0, "reset.c", 1.0)], [(0, "reset.sure", 5.0)], [(0, "fin", 5.0)]):
        assert probabilities(rows, **seldom)[0] == probabilities(rows)[0]
    with pytest.raises(ParameterError, match="fewer signs never say more"):
        plain_model(alone={"tcp.reset": 1.0})


def test_what_is_proof_keeps_its_weight() -> None:
    """Beyond the cap of the kind, only what is impossible without a forger counts, up to a cap of its own."""
    tight = {"total_caps": {"tcp": 2.0}}
    for name, score, worth in (("reset.sure", 8.0, 8.0), ("reset.sure", 1.5, 1.5), ("reset.a", 6.0, 2.0)):
        bent = probabilities([(0, name, score)], **tight)[0]
        assert bent == pytest.approx(probabilities([(0, "reset.sure", worth)])[0]), (name, score)
    most = probabilities([(0, "reset.sure", 50.0), (0, "page", 6.0)], **tight, decisive_cap=9.0)[0]
    assert most == pytest.approx(probabilities([(0, "reset.sure", 9.0), (0, "page", 2.0)], **tight)[0])


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


def test_evidence_outside_the_list_is_refused() -> None:
    """A subject that is not listed is an error that says so."""
    table = evidence(RULES, [(len(KINDS), "reset.a", 1.0)])
    with pytest.raises(SchemaError, match="outside the trace's 5"):
        judge(table, EVERYBODY, plain_model())


def test_evidence_about_groups_is_left_alone() -> None:
    """Evidence about a group of flows changes no flow's verdict."""
    table = evidence(RULES, [(7, "reset.a", 9.0)], subject_kind=np.full(1, SubjectKind.GROUP, np.uint8))
    assert np.array_equal(probabilities([]), judge(table, EVERYBODY, plain_model()).probability)


def test_nobody_gets_no_verdict() -> None:
    """An empty list of subjects gives an empty table."""
    assert len(judge(evidence(RULES, []), subjects([]), plain_model())) == 0
