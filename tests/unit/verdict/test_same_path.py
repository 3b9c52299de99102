"""What a certain case says of others on its path: laws for any evidence, agreement with a slow twin, and the words."""

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.schema import Evidence, Grade, Hosts, Outcome, Verdicts
from netinterf.table import Ragged, Text
from netinterf.verdict import default_model
from netinterf.verdict.combine import judge
from netinterf.verdict.groups import find_groups
from netinterf.verdict.model import SUBJECTS, Model
from netinterf.verdict.reasons import Reason
from netinterf.verdict.subjects import Subjects
from netinterf.written.ledger import explain
from tests.oracles.naive_verdict import Fate, naive_probability, naive_raised
from tests.unit.verdict.tables import SECOND, World, evidence, plain_model, rule, subjects

RULES = [
    rule("reset.a", "tcp.reset", "timing"),
    rule("reset.b", "tcp.reset", "header"),
    rule("reset.sure", "tcp.reset", "sure", decisive=True),
    rule("reset.drawn", "tcp.reset", "company", shared=True),
    rule("page", "http.blockpage", "content"),
    rule("page.b", "http.blockpage", "header"),
    rule("any", "", "capture", shared=True),
    rule("own", "house.rule", "own"),
    rule("own.b", "house.rule", "header"),
    rule("police", "rate.policing", "bucket", measures=("selective",), decisive=True),
    rule("police.b", "rate.policing", "queue"),
    rule("answer", "dns.injection", "content"),
    rule("answer.b", "dns.injection", "header"),
    rule("silence", "dns.drop", "content"),
    rule("silence.b", "dns.drop", "header"),
]
IDS = [known.id for known in RULES[:9]]
KINDS = ["tcp", "tcp", "tcp", "exchange", "tcp", "tcp"]
CLIENT, SERVER = [0, 0, 0, 0, 1, 0], [2, 2, 2, 2, 2, 3]
EVERYBODY = subjects(
    KINDS,
    client=np.array(CLIENT, np.int32),
    server=np.array(SERVER, np.int32),
    whole=np.array([True, True, False, True, True, True]),
)
FATES = [
    Fate(kind=kind, path=path, sound=bool(sound))
    for kind, path, sound in zip(KINDS, zip(CLIENT, SERVER, strict=True), EVERYBODY.whole, strict=True)
]
NAMES, LIKELY = list(Grade), list(Grade).index(Grade.LIKELY)

Rows = list[tuple[int, str, float]]
CERTAIN: Rows = [(0, "reset.a", 6.0), (0, "reset.b", 6.0)]
ALMOST: Rows = [(1, "reset.a", 3.5), (1, "reset.b", 3.5)]

ROWS = st.lists(
    st.tuples(st.integers(0, len(KINDS) - 1), st.sampled_from(IDS), st.one_of(st.floats(-8, 16), st.just(np.nan))),
    max_size=16,
)
MODELS = st.builds(
    plain_model,
    quiet=st.dictionaries(st.tuples(st.sampled_from(SUBJECTS), st.just("ok")), st.floats(-4, 4)),
    group_cap=st.floats(3, 16),
    other_bound=st.floats(3, 16),
    dependence=st.sampled_from([0.0, 0.5]),
    joint=st.sampled_from([(), ("tcp.reset",)]),
    same_path=st.floats(1, 10),
)


def model(**changes: Any) -> Model:
    """Build a plain model that raises tenfold."""
    return plain_model(**{"same_path": 10.0, **changes})


def judged(rows: Rows, by: Model | None = None, among: Subjects = EVERYBODY) -> Verdicts:
    """Judge the six subjects: three of one path, of which one was captured in part; another kind, client and server."""
    return judge(written(rows), among, by or model())


def written(rows: Rows, **more: Any) -> Evidence:
    """Write observations down."""
    kinds = EVERYBODY.kind[np.array([row[0] for row in rows], np.int64)]
    return evidence(RULES, rows, subject_kind=kinds, **more)


def log_odds(verdicts: Verdicts) -> Any:
    """Give the log-odds of each subject."""
    return np.log(verdicts.probability) - np.log1p(-verdicts.probability)


@given(ROWS, MODELS)
@settings(max_examples=200, deadline=None)
def test_agrees_with_the_slow_twin(rows: Rows, by: Model) -> None:
    """One subject, one mechanism and one other subject at a time give the same probabilities."""
    table = written(rows)
    words = {known.mechanism for known in RULES}
    expected = [
        naive_probability(
            table, place, by, fate.kind, raised={w: naive_raised(table, place, w, by, FATES) for w in words}
        )
        for place, fate in enumerate(FATES)
    ]
    np.testing.assert_allclose(judged(rows, by).probability, expected, rtol=1e-9, atol=1e-12)


@given(ROWS.filter(bool), st.integers(0, 15), st.floats(0, 20), MODELS)
@settings(max_examples=200, deadline=None)
def test_probability_rises_with_every_weight(rows: Rows, place: int, more: float, by: Model) -> None:
    """Raising one likelihood ratio lowers nobody's probability, be it that it makes another subject certain."""
    subject, name, llr = rows[place % len(rows)]
    if np.isnan(llr):
        return
    after = [*rows]
    after[place % len(rows)] = (subject, name, llr + more)
    assert np.all(judged(after, by).probability >= judged(rows, by).probability * (1 - 1e-9))


@given(ROWS, MODELS)
@settings(max_examples=150, deadline=None)
def test_it_raises_at_most_so_many_times(rows: Rows, by: Model) -> None:
    """Odds rise by no more than the model says and never fall; nobody is confirmed who was not."""
    plain, now = judged(rows, attrs.evolve(by, same_path=1.0)), judged(rows, by)
    rise = log_odds(now) - log_odds(plain)
    assert np.all((rise >= -1e-9) & (rise <= np.log(by.same_path) + 1e-9))
    confirmed = NAMES.index(Grade.CONFIRMED)
    np.testing.assert_array_equal(now.grade == confirmed, plain.grade == confirmed)
    np.testing.assert_array_equal(now.raised, now.grade < plain.grade)


@given(ROWS, MODELS)
@settings(max_examples=150, deadline=None)
def test_each_path_is_judged_by_itself(rows: Rows, by: Model) -> None:
    """What is left of a capture when everything else is taken away keeps its verdicts: clients, servers and kinds."""
    whole = judged(rows, by)
    paths = [(fate.path, fate.kind) for fate in FATES]
    for path in set(paths):
        mine = [place for place, one in enumerate(paths) if one == path]
        part = judged([row for row in rows if row[0] in mine], by)
        np.testing.assert_allclose(part.probability[mine], whole.probability[mine], rtol=1e-12)
        for name in ("outcome", "grade", "raised"):
            np.testing.assert_array_equal(getattr(part, name)[mine], getattr(whole, name)[mine])


@given(ROWS, MODELS, st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_order_of_subjects_does_not_matter(rows: Rows, by: Model, seed: int) -> None:
    """Subjects listed in another order get the same verdicts."""
    order = np.random.default_rng(seed).permutation(3)  # those of one kind and path, and so of one numbering
    moved = np.array([*order, 3, 4, 5])
    among = attrs.evolve(EVERYBODY, whole=EVERYBODY.whole[np.argsort(moved)])
    left, right = judged(rows, by), judged([(int(moved[s]), n, w) for s, n, w in rows], by, among)
    np.testing.assert_allclose(left.probability, right.probability[moved], rtol=1e-12)
    np.testing.assert_array_equal(left.grade, right.grade[moved])


def test_a_certain_case_makes_another_on_its_path_likely() -> None:
    """Two groups of its own speak for the second, which is possible by itself; without the first it stays so."""
    alone, beside = judged(ALMOST), judged(CERTAIN + ALMOST)
    assert NAMES[alone.grade[1]] is Grade.POSSIBLE
    assert NAMES[beside.grade[1]] is Grade.LIKELY
    assert beside.outcome[1] == list(Outcome).index(Outcome.INTERFERED)
    assert beside.raised.tolist() == [False, True, False, False, False, False]
    assert log_odds(beside)[1] - log_odds(alone)[1] == pytest.approx(np.log(10), abs=0.02)
    assert beside.probability[0] == judged(CERTAIN).probability[0]  # it is not its own company


@pytest.mark.parametrize(
    "company",
    [
        [(0, "reset.a", 4.5), (0, "reset.b", 4.5)],  # likely, not certain
        [(0, "reset.sure", 14.0)],  # certain, on one group
        [(0, "reset.a", 6.0), (0, "reset.drawn", 6.0)],  # certain by what was drawn from others
        [*CERTAIN, (0, "any", -6.0)],  # certain by itself, not beside what others show
        [(2, "reset.a", 6.0), (2, "reset.b", 6.0)],  # captured in part
        [(4, "reset.a", 6.0), (4, "reset.b", 6.0)],  # another client
        [(5, "reset.a", 6.0), (5, "reset.b", 6.0)],  # another server
        [(0, "page", 6.0), (0, "page.b", 6.0)],  # another mechanism
    ],
)
def test_what_raises_nothing(company: Rows) -> None:
    """Only a certain case of the same mechanism, on two groups of its own, between the same hosts does."""
    assert judged(company + ALMOST).probability[1] == judged(ALMOST).probability[1]


def test_parts_of_one_likelihood_ratio_are_not_independent() -> None:
    """A mechanism whose groups belong together by design is never certain on two of them."""
    by = model(joint=("tcp.reset",))
    assert judged(CERTAIN + ALMOST, by).probability[1] == judged(ALMOST, by).probability[1]


@pytest.mark.parametrize(
    ("own", "rise"),
    [
        ([], 0.0),
        ([(1, "reset.a", -2.0)], 0.0),
        ([(1, "page", 5.0)], 0.0),
        ([(1, "reset.drawn", 5.0)], 0.0),  # nothing of its own
        ([(1, "reset.a", 4.0), (1, "reset.drawn", 1.0)], np.log(10) - 1.0),  # some of it was said already
        ([(1, "reset.a", 4.0), (1, "reset.drawn", 5.0)], 0.0),
        ([(1, "reset.a", 4.0), (1, "any", -1.0)], np.log(10)),
    ],
)
def test_what_is_not_raised(own: Rows, rise: float) -> None:
    """A subject without evidence of its own stays, and what was drawn from others does not count twice."""
    by = model(priors={("tcp", "tcp.reset"): -5.8, ("tcp", "http.blockpage"): -7.0})
    before = judge(written(own), EVERYBODY, by)
    after = judge(written(CERTAIN + own), EVERYBODY, by)
    assert log_odds(after)[1] - log_odds(before)[1] == pytest.approx(rise, abs=0.1)
    if rise == 0:
        assert after.probability[1] == before.probability[1]


def test_nothing_is_passed_on() -> None:
    """A subject that only company makes certain raises nobody."""
    second: Rows = [(1, "reset.a", 4.6), (1, "reset.b", 4.6)]
    third: Rows = [(2, "reset.a", 3.0)]
    among = attrs.evolve(EVERYBODY, whole=np.ones(len(KINDS), np.bool_))
    assert judged(CERTAIN + second, among=among).probability[1] > 0.99 > judged(second, among=among).probability[1]
    whole_chain = judged(second + third, among=among)
    assert whole_chain.probability[2] == judged(third, among=among).probability[2]


@pytest.mark.parametrize(
    ("company", "own", "open_"),
    [
        (CERTAIN, [(1, "reset.a", 0.5)], True),
        (CERTAIN, [(1, "page", 0.5)], True),  # another mechanism: one of two answers may be missing
        ([], [(1, "reset.a", 0.5)], False),
        (CERTAIN, [(1, "reset.a", -0.5)], False),  # nothing speaks against it
        (CERTAIN, [], False),
        (CERTAIN, [(3, "page", 0.5)], False),  # another kind of subject
        (CERTAIN, [(4, "reset.a", 0.5)], False),  # another client
        (CERTAIN, [(5, "reset.a", 0.5)], False),  # another server
        (
            [(2, "reset.a", 9.0), (2, "reset.b", 9.0)],
            [(1, "reset.a", 0.5)],
            True,
        ),  # certain of what was captured in part
    ],
)
def test_beside_a_certain_case_a_doubt_is_no_health(company: Rows, own: Rows, open_: bool) -> None:
    """Where anything speaks against a subject, and somebody certainly interferes on its path, it is left open."""
    verdicts, place = judged(company + own), own[0][0] if own else 1
    kept = Outcome.INSUFFICIENT if open_ else Outcome.OK
    assert list(Outcome)[verdicts.outcome[place]] is kept
    assert (int(verdicts.reasons[place]) == Reason.SUSPICION) is open_
    assert NAMES[verdicts.grade[place]] is (Grade.INSUFFICIENT if open_ else Grade.NONE)


@pytest.mark.parametrize(("what", "other"), [("answer", Outcome.INSUFFICIENT), ("silence", Outcome.OK)])
def test_an_answer_about_a_name_that_was_forged_is_no_health(what: str, other: Outcome) -> None:
    """Lookups of one name over one path: where one was certainly forged, no other is called healthy for its answer.

    Where one was swallowed, an answer is one: whoever swallows writes none.
    """
    among = subjects(
        ["exchange"] * 4 + ["tcp"],
        client=np.array([0, 0, 0, 1, 0], np.int32),
        server=np.array([2, 2, 2, 2, 2], np.int32),
        name=Text.of(["a.example", "a.example", "b.example", "a.example", "a.example"]),
    )
    forged = written([(0, what, 9.0), (0, f"{what}.b", 9.0)])
    verdicts = judge(forged, among, model(priors={("exchange", word): -5.8 for word in ("dns.injection", "dns.drop")}))
    assert [list(Outcome)[outcome] for outcome in verdicts.outcome] == [
        Outcome.INTERFERED, other, Outcome.OK, Outcome.OK, Outcome.OK,
    ]  # fmt: skip


def test_one_oddity_stays_below_likely() -> None:
    """Company does not replace a second oddity."""
    assert NAMES[judged([*CERTAIN, (1, "reset.a", 6.0)]).grade[1]] is Grade.POSSIBLE


def test_a_plan_is_not_raised() -> None:
    """What limits the whole link alike stays a plan beside a certain limit, and raises nothing itself."""
    rows: Rows = [(0, "police", 8.0), (0, "police.b", 5.0), (1, "police", 5.0), (1, "police.b", 1.0)]
    for first, second, outcome in ((1.0, 0.0, Outcome.OK), (1.0, 1.0, Outcome.INTERFERED), (0.0, 1.0, None)):
        table = written(rows, measured=Ragged.of([[first], [], [second], []], np.float64))
        plain = judge(table, EVERYBODY, plain_model(group_cap=9.0))
        found = judge(table, EVERYBODY, model(group_cap=9.0))
        if outcome is not None:
            assert list(Outcome)[found.outcome[1]] is outcome
        assert (found.probability[1] > plain.probability[1]) == (outcome is Outcome.INTERFERED)


def test_groups_rest_on_what_is_not_raised() -> None:
    """A finding that raises another does not count a second time where both are members of one group."""
    hosts = Hosts.of(high=[0] * 4, low=[0xFFFF << 32 | 0x0A000001 + place for place in range(4)])
    among = attrs.evolve(EVERYBODY, name=Text.of(["a.example"] * len(KINDS)), start=EVERYBODY.start * 600 * SECOND)
    rows = CERTAIN + ALMOST
    for by in (plain_model(), model()):
        verdicts = judge(written(rows), among, by)
        found = find_groups(written(rows), among, verdicts, hosts, (), by)
        assert len(found)
        if by.same_path == 1:
            first = found
        np.testing.assert_array_equal(found.probability, first.probability)
        np.testing.assert_array_equal(found.llr, first.llr)


def test_the_card_says_so() -> None:
    """One plain clause where company raised the grade, and none where it did not; a ledger judged again agrees."""
    world = World()
    for place in range(2):
        world.visit(world.flow(), place * 10.0)
    trace = world.trace()
    table = evidence(RULES, CERTAIN + ALMOST)
    plain = explain(judge_trace(table, trace, plain_model()), table, trace, model=plain_model())
    ledger = plain.under(model())
    told = "the same client met a certain case of this on the same path, which makes it more credible here"
    assert [told in verdict.explanation for verdict in ledger][:2] == [False, True]
    assert not any(told in verdict.explanation for verdict in plain)
    assert ledger[1].raised
    assert "raised" not in repr(ledger[1])


def judge_trace(table: Evidence, trace: Any, by: Model) -> Verdicts:
    """Judge what a trace holds."""
    from netinterf.verdict import classify

    return classify(table, trace, by)


def test_the_model_bounds_it() -> None:
    """At most tenfold, and at least as it was."""
    assert 1 <= default_model().same_path <= 10
    for times in (0.5, 11.0, np.nan):
        with pytest.raises(ParameterError, match="same_path"):
            plain_model(same_path=times)
