"""From probability to words: grades, mechanisms, what else was at work, and the false-discovery rate."""

import csv
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from netinterf.analyzers import everywhere
from netinterf.analyzers.registry import builtin
from netinterf.errors import ParameterError
from netinterf.mechanisms import MECHANISMS, what_happened
from netinterf.schema import Evidence, Grade, Outcome, SubjectKind, TriggerKind, Verdicts
from netinterf.stats.multiple import posterior_q
from netinterf.table import Ragged
from netinterf.verdict import Model, default_model
from netinterf.verdict import classify as classify_by
from netinterf.verdict.combine import judge as judge_subjects
from netinterf.verdict.model import read_priors
from netinterf.verdict.reasons import CATALOGUE, Reason
from netinterf.verdict.subjects import list_subjects
from netinterf.written.ledger import explain
from netinterf.written.record import Verdict
from netinterf.written.words import happened, percent, sentences
from tests.unit.verdict.tables import ACK, RST, SYN, World, evidence, plain_model, rule, subjects

RULES = [
    rule("reset.time", "tcp.reset", "time", measures=("ratio",)),
    rule("reset.head", "tcp.reset", "head"),
    rule("reset.sure", "tcp.reset", "sure", decisive=True),
    rule("page", "http.blockpage", "page"),
    rule("fin", "tcp.fin", "fin"),
    rule("fin.head", "tcp.fin", "head"),
    rule("silence", "tcp.drop", "silence"),
    rule("syn", "tcp.connect.drop", "syn", decisive=True),
    rule("police", "rate.policing", "bucket", measures=("rate", "selective"), decisive=True),
    rule("shape", "rate.shaping", "queue", measures=("selective",), decisive=True),
    rule("answer", "dns.injection", "race", decisive=True),
    rule("dns", "dns", "general", decisive=True),
]


def classify(table: Evidence, trace: Any, model: Model | None = None) -> Verdicts:
    """Judge with numbers that do not change with the next fit, unless others are given."""
    return classify_by(table, trace, model or plain_model())


def visited() -> World:
    """Make one ordinary connection with a server name."""
    world = World()
    world.visit(world.flow())
    world.names.append(("tls", 3, "www.example.com"))
    return world


def judge(
    *rows: tuple[str, float], world: World | None = None, recording: dict[str, Any] | None = None, **more: Any
) -> Verdict:
    """Judge the first flow by these observations."""
    trace = (world or visited()).trace(**(recording or {}))
    table = evidence(RULES, [(0, name, llr) for name, llr in rows], **more)
    return explain(classify(table, trace), table, trace)[0]


@pytest.mark.parametrize(
    ("rows", "grade", "outcome"),
    [
        ([], Grade.NONE, Outcome.OK),
        ([("reset.time", 1.1)], Grade.NONE, Outcome.OK),
        ([("reset.time", 1.2)], Grade.INSUFFICIENT, Outcome.INSUFFICIENT),
        ([("reset.time", 5.0)], Grade.INSUFFICIENT, Outcome.INSUFFICIENT),
        ([("reset.time", 6.0)], Grade.POSSIBLE, Outcome.INSUFFICIENT),
        ([("reset.time", 6.0), ("reset.head", 2.2)], Grade.LIKELY, Outcome.INTERFERED),
        ([("reset.time", 6.0), ("reset.head", 6.0)], Grade.LIKELY, Outcome.INTERFERED),
        ([("reset.sure", 12.0)], Grade.CONFIRMED, Outcome.INTERFERED),
        ([("reset.sure", 12.0), ("reset.head", -6.0)], Grade.POSSIBLE, Outcome.INSUFFICIENT),
    ],
)
def test_ladder_of_grades(rows: list[tuple[str, float]], grade: Grade, outcome: Outcome) -> None:
    """The grade climbs with the evidence, and the outcome is ``interfered`` exactly from ``likely`` on."""
    verdict = judge(*rows)
    assert (grade, outcome) == (verdict.grade, verdict.outcome)
    assert (verdict.mechanism is not None) == (grade in (Grade.POSSIBLE, Grade.LIKELY, Grade.CONFIRMED))


def test_only_proof_confirms() -> None:
    """Probability alone does not confirm, of however many families: it takes a sign that is proof by itself."""
    trace = visited().trace()
    several = evidence(RULES, [(0, "reset.time", 6.0), (0, "reset.head", 6.0), (0, "reset.sure", -0.5)])
    verdicts = classify(several, trace)
    assert verdicts.probability[0] > 0.99
    assert list(Grade)[verdicts.grade[0]] is Grade.LIKELY
    proof = evidence(RULES, [(0, "reset.time", 6.0), (0, "reset.head", 6.0), (0, "reset.sure", 0.5)])
    assert list(Grade)[classify(proof, trace).grade[0]] is Grade.CONFIRMED


def test_a_capture_with_holes_never_confirms() -> None:
    """Lost packets fake contradictions, so the grade stops at ``likely``; so it does when one direction is missing."""
    assert Grade.CONFIRMED is judge(("reset.sure", 14.0)).grade
    assert Grade.LIKELY is judge(("reset.sure", 14.0), recording={"loss_share": 0.2}).grade
    world = World()
    world.send(flow := world.flow(), 0.0, out=True, flags=SYN)
    world.send(flow, 0.2, out=True, flags=ACK, payload=100)
    assert Grade.LIKELY is judge(("reset.sure", 14.0), world=world).grade


def test_where_a_time_is_missing_only_proof_accuses() -> None:
    """What damage took may explain what looks odd in the rest; what contradicts itself needs nothing else."""
    trace = visited().trace()
    for rows, plain, broken in (
        ([("reset.time", 6.0), ("reset.head", 6.0)], Grade.LIKELY, Grade.POSSIBLE),
        ([("reset.sure", 14.0)], Grade.CONFIRMED, Grade.CONFIRMED),
    ):
        table = evidence(RULES, [(0, name, llr) for name, llr in rows])
        whole = list_subjects(trace, table)
        missing = attrs.evolve(whole, broken=np.ones(len(whole), np.bool_))
        judged = [judge_subjects(table, one, plain_model()) for one in (whole, missing)]
        assert [list(Grade)[one.grade[0]] for one in judged] == [plain, broken]
        says = [bool(one.reasons[0] & Reason.GAP) for one in judged]
        assert says == [False, broken is Grade.POSSIBLE], "it is said what held it back"


def test_every_listed_mechanism_can_be_confirmed() -> None:
    """The caps of the shipped model leave room for every mechanism to reach the top grade by proof."""
    model = default_model()
    for (kind, mechanism), prior in model.priors.items():
        cap = max(model.decisive_cap, model.total_caps.get(kind, model.other_total_cap))
        assert 1 / (1 + np.exp(-(prior + cap))) > model.confirmed, mechanism


def test_further_mechanisms_are_listed() -> None:
    """A second mechanism that holds on its own stands in ``also``, not in the main place."""
    verdict = judge(("reset.sure", 14.0), ("page", 6.0), ("page", 6.0), ("fin", 2.0))
    assert verdict.mechanism == "tcp.reset"
    assert verdict.also == ()
    trace = visited().trace()
    table = evidence(RULES, [(0, "reset.sure", 14.0), (0, "page", 10.0)])
    both = explain(classify(table, trace, plain_model(group_cap=10.0, other_bound=10.0)), table, trace)[0]
    assert [further.mechanism for further in both.also] == ["http.blockpage"]
    assert both.also[0].probability > 0.9


@pytest.mark.parametrize(("page", "named"), [(9.5, "http.blockpage"), (6.0, "tcp.fin"), (0.0, "tcp.fin")])
def test_the_end_behind_a_forged_page_is_part_of_it(page: float, named: str) -> None:
    """Where the page is likely by itself it is what is named, though its end weighs more."""
    model = plain_model(group_cap=12.0, other_bound=12.0)
    table = evidence(RULES, [(0, "fin", 11.0), *([(0, "page", page)] if page else [])])
    world = visited()
    verdicts = classify_by(table, world.trace(), model)
    assert verdicts.mechanisms[verdicts.mechanism[0]] == named


@pytest.mark.parametrize("part", ["fin", "silence"])
def test_a_part_of_a_forged_page_is_no_second_accusation(part: str) -> None:
    """The end behind a page, and the silence that it leaves, are not listed beside it; a forged reset is."""
    model = plain_model(group_cap=12.0, other_bound=12.0)
    world = visited()
    table = evidence(RULES, [(0, "page", 11.0), (0, part, 9.0), (0, "reset.time", 8.0)])
    verdict = explain(classify_by(table, world.trace(), model), table, world.trace())[0]
    assert verdict.mechanism == "http.blockpage"
    assert {further.mechanism for further in verdict.also} == {"tcp.reset"}


def test_two_mechanisms_that_tie_are_answered_by_their_prefix() -> None:
    """When a forged reset and a forged FIN explain the same as well, the answer is ``tcp``."""
    rules = RULES
    model = plain_model(priors={("tcp", "tcp.reset"): -6.0, ("tcp", "tcp.fin"): -6.0}, group_cap=9.0, other_bound=9.0)
    trace = visited().trace()
    beside = [(0, "reset.head", 1.0), (0, "fin.head", 1.0)]
    table = evidence(rules, [(0, "reset.time", 9.0), (0, "fin", 8.0), *beside])
    assert explain(classify(table, trace, model), table, trace)[0].mechanism == "tcp.reset"  # it holds half of the odds
    table = evidence(rules, [(0, "reset.time", 9.0), (0, "fin", 9.0), *beside])
    verdict = explain(classify(table, trace, model), table, trace)[0]
    assert verdict.mechanism == "tcp"
    assert {further.mechanism for further in verdict.also} == {"tcp.reset", "tcp.fin"}


def test_a_general_mechanism_is_a_valid_answer() -> None:
    """Evidence that names only ``dns`` gives the mechanism ``dns``."""
    world = World()
    world.ask(world.flow(17, 53))
    verdict = judge(("dns", 14.0), world=world, subject_kind=np.full(1, SubjectKind.EXCHANGE, np.uint8))
    assert verdict.mechanism == "dns"
    assert verdict.outcome is Outcome.INTERFERED


def police(selective: float, name: str = "police", llr: float = 14.0) -> Verdict:
    """Judge a rate limit with or without a contrast."""
    numbers = [[1e6, selective] if name == "police" else [selective]]
    return judge((name, llr), measured=Ragged.of(numbers, np.float64))


def test_a_plan_is_no_interference() -> None:
    """Policing counts whoever did it, unless the whole link is limited alike, which is a plan and ``ok``."""
    assert (police(np.nan).outcome, police(np.nan).selective) == (Outcome.INTERFERED, None)
    assert (police(1.0).outcome, police(1.0).selective) == (Outcome.INTERFERED, True)
    plan = police(0.0)
    assert (plan.outcome, plan.grade, plan.mechanism, plan.selective) == (Outcome.OK, Grade.NONE, None, False)
    assert plan.probability < 0.5
    assert "like everything else" in plan.explanation


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (Reason.ONE_DIRECTION, Outcome.INSUFFICIENT),  # whether it worked was not recorded
        (Reason.STALLED, Outcome.OK),  # that it was slow is what a plan explains
    ],
)
def test_a_plan_explains_what_was_slow_and_not_what_is_unknown(reason: Reason, outcome: Outcome) -> None:
    """A transfer of which half is missing is no healthy one for being limited like all others."""
    table = evidence(RULES, [(0, "police", 14.0)], measured=Ragged.of([[0.0, 0.0]], np.float64))
    among = subjects(["tcp"], reasons=np.array([reason], np.int64))
    verdicts = judge_subjects(table, among, plain_model())
    assert list(Outcome)[verdicts.outcome[0]] is outcome


def test_shaping_needs_a_contrast() -> None:
    """Queueing to a rate cannot be told from a slow link unless others are spared."""
    assert Outcome.INTERFERED is police(1.0, "shape").outcome
    slow = police(np.nan, "shape")
    assert (slow.outcome, slow.grade, slow.mechanism) == (Outcome.INSUFFICIENT, Grade.POSSIBLE, "rate.shaping")
    assert "rate.no_contrast" in [reason.code for reason in slow.reasons]
    assert Outcome.OK is police(0.0, "shape").outcome
    hardly = police(np.nan, "shape", 0.5)
    assert (hardly.outcome, hardly.grade, hardly.mechanism) == (Outcome.INSUFFICIENT, Grade.INSUFFICIENT, None)
    assert [reason.code for reason in hardly.reasons] == ["rate.no_contrast"]


def test_shaping_without_a_contrast_adds_to_no_accusation() -> None:
    """A queue that may be a slow link's and a suspicion of a bucket are no accusation together."""
    numbers = Ragged.of([[np.nan], [1e6, np.nan]], np.float64)
    both = judge(("shape", 9.0), ("police", 7.0), measured=numbers)
    assert both.outcome is Outcome.INSUFFICIENT
    assert police(np.nan, llr=7.0).grade is Grade.POSSIBLE


def test_selective_is_only_said_of_rates_and_drops() -> None:
    """Without a mechanism that has a contrast, ``selective`` stays unknown."""
    assert judge(("reset.sure", 14.0)).selective is None


def test_triggers() -> None:
    """The trigger is the name that was asked for, or the address when the connection never opened."""
    verdict = judge(("reset.sure", 14.0))
    assert verdict.trigger is not None
    assert attrs.astuple(verdict.trigger) == ("tls.sni", "www.example.com", 4)
    world = World()
    world.visit(world.flow(port=80))
    world.names.append(("http", 3, "web.example"))
    assert judge(("page", 6.0), ("reset.sure", 14.0), world=world).trigger.kind == "http.host"  # type: ignore[union-attr]
    world = World()
    world.send(world.flow(), 0, out=True, flags=SYN)
    silent = judge(("syn", 14.0), world=world)
    assert attrs.astuple(silent.trigger) == ("address", "192.0.2.2", 1)  # type: ignore[arg-type]
    assert judge().trigger is None
    assert {kind.word for kind in TriggerKind} >= {"tls.sni", "http.url", "bytes.class", "port", "quic.sni"}


def test_dns_only_flows_are_reported_as_their_exchanges() -> None:
    """A UDP flow with nothing but DNS has no verdict of its own; DNS over TCP has."""
    world = World()
    first = world.flow(17, 53)
    world.ask(first, 0.0)
    world.ask(first, 1.0, name="forged.example")
    second = world.flow(6, 53)
    world.visit(second, 2.0)
    trace = world.trace()
    table = evidence(RULES, [(1, "answer", 14.0)], subject_kind=np.full(1, SubjectKind.EXCHANGE, np.uint8))
    ledger = explain(classify(table, trace), table, trace)
    assert [verdict.subject.kind for verdict in ledger] == ["flow", "exchange", "exchange"]
    forged = ledger[2]
    assert (
        forged.mechanism,
        forged.trigger.kind,  # type: ignore[union-attr]
        forged.subject.name,
    ) == ("dns.injection", "dns.qname", "forged.example")
    assert (forged.subject.query_type, forged.subject.query_id, forged.subject.first_frame) == ("A", 7, 3)
    assert [forged] == list(ledger.findings())
    flow = evidence(RULES, [(0, "police", 14.0)], measured=Ragged.of([[1e6, np.nan]], np.float64))
    assert classify(flow, trace).subject.tolist() == [0, 1, 0, 1]  # evidence about the flow brings its verdict back


def test_frames_and_evidence() -> None:
    """Frames are the forged packets of the mechanism, counted from 1; evidence stands strongest first."""
    forged = Ragged.of([[3, 4], [4, 5], [6]], np.int32)
    witness = Ragged.of([[0, 3], [4], [6]], np.int32)
    measured = Ragged.of([[0.01234], [], []], np.float64)
    rows = (("reset.time", 6.0), ("reset.sure", 13.0), ("page", 1.0))
    verdict = judge(*rows, forged=forged, witness=witness, measured=measured)
    assert verdict.frames == (4, 5, 6)
    assert [seen.rule for seen in verdict.evidence] == ["reset.sure", "reset.time", "page"]
    assert verdict.evidence[1].frames == (1, 4)
    assert verdict.evidence[1].measured == {"ratio": 0.01234}
    assert judge(("reset.time", 1.0), forged=Ragged.of([[3]], np.int32)).frames == ()


def test_sentences_round_numbers_and_survive_odd_rules() -> None:
    """A rule's sentence shows rounded numbers, and one with fields that it does not measure stands as written."""
    rules = [
        attrs.evolve(RULES[0], says="it came {ratio} of a round trip early"),
        attrs.evolve(RULES[1], says="a {missing} field and a {"),
    ]
    trace = visited().trace()
    table = evidence(
        rules, [(0, "reset.time", 2.0), (0, "reset.head", 1.0)], measured=Ragged.of([[0.012345], []], "f8")
    )
    verdict = explain(classify(table, trace), table, trace)[0]
    assert verdict.evidence[0].says == "it came 0.0123 of a round trip early"
    assert verdict.evidence[1].says == "a {missing} field and a {"
    table = evidence(rules, [(0, "reset.time", 2.0)])
    unknown = explain(classify(table, trace), table, trace)[0].evidence[0]
    assert unknown.measured == {"ratio": None}
    assert "unknown" in unknown.says


def test_explanations_are_plain() -> None:
    """An explanation is one or two sentences that name who, what, and how sure."""
    verdict = judge(("reset.sure", 14.0))
    assert verdict.explanation.startswith(
        "The connection from 10.0.0.1 to www.example.com (192.0.2.2, port 443) was cut off by a forged reset. "
        "This is confirmed (probability 99.9 %): reset.sure was seen."
    )
    trace = visited().trace()
    table = evidence(RULES, [])
    assert "worked, and nothing suggests interference" in explain(classify(table, trace), table, trace)[0].explanation
    assert judge(("reset.time", 6.0)).explanation.startswith("Perhaps the connection from 10.0.0.1 to ")
    assert "was cut off" in what_happened("tcp.reset.something")
    assert "house.rule" in what_happened("house.rule")
    assert set(MECHANISMS) >= set(default_model().mechanisms)
    assert set(MECHANISMS) >= set(plain_model().mechanisms)
    assert (percent(1.0), percent(0.0), percent(0.62)) == ("99.9 %", "0.1 %", "62 %")


def test_others_are_spared_only_where_that_was_seen() -> None:
    """A rate without a contrast is told without one; with one the sentence says so."""
    verdict = attrs.evolve(judge(("reset.sure", 14.0)), mechanism="rate.shaping", selective=None)
    assert happened(verdict).endswith("was slowed down to a fixed rate")
    assert happened(attrs.evolve(verdict, selective=True)).endswith("a fixed rate, while others were spared")


def test_explanations_name_what_argues_against() -> None:
    """The strongest sign against the named mechanism is told, and none that is about another one."""
    told = judge(("reset.sure", 14.0), ("reset.head", -1.0), ("reset.time", -2.0), ("page", -3.0)).explanation
    assert told.endswith("reset.sure was seen; against it speaks that reset.time was seen.")
    assert told.count("against") == 1
    assert "against" not in judge(("reset.sure", 14.0), ("page", -3.0)).explanation
    assert "against" not in judge(("reset.time", -3.0)).explanation


def test_explanations_say_when_all_hangs_on_the_prior() -> None:
    """A grade that falls when interference is ten times rarer says what would be left of it."""
    firm = judge(("reset.sure", 14.0))
    assert firm.grade is firm.grade_if_rarer is Grade.CONFIRMED
    assert "rarer" not in firm.explanation
    for llr, grade, rarer, words in (
        (10.5, Grade.LIKELY, Grade.LIKELY, ""),
        (9.3, Grade.LIKELY, Grade.POSSIBLE, "; only possible if such interference is ten times rarer here"),
        (6.0, Grade.POSSIBLE, Grade.NONE, "; less likely than not if such interference is ten times rarer"),
    ):
        verdict = judge(("reset.time", llr / 2), ("reset.head", llr / 2))
        assert (verdict.grade, verdict.grade_if_rarer) == (grade, rarer), llr
        assert words in verdict.explanation
        assert ("rarer" in verdict.explanation) == bool(words)
    unsure = attrs.evolve(firm, grade_if_rarer=Grade.LIKELY)
    assert "; likely, not confirmed, if such" in sentences(unsure)


def test_display_filter_names_the_conversation() -> None:
    """The Wireshark filter holds addresses, ports, and the frames held to be forged."""
    verdict = judge(("reset.sure", 14.0), forged=Ragged.of([[3]], np.int32))
    flow = "ip.addr==10.0.0.1 && ip.addr==192.0.2.2 && tcp.port==40000 && tcp.port==443"
    assert f"({flow}) || frame.number in {{4}}" == verdict.wireshark
    assert flow == judge().wireshark


def test_nothing_in_nothing_out() -> None:
    """An empty capture gives an empty table."""
    trace = World().trace()
    verdicts = classify(evidence([], []), trace)
    assert isinstance(verdicts, Verdicts)
    assert len(verdicts) == 0
    assert list(explain(verdicts, evidence([], []), trace)) == []


@given(arrays(np.float64, st.integers(0, 40), elements=st.floats(0, 1)))
def test_expected_fdr_is_the_running_mean(probability: np.ndarray) -> None:
    """Each value is the mean of 1 - p over all verdicts at least as probable, so it falls as probability rises."""
    result = posterior_q(probability)
    for place, value in enumerate(probability):
        assert result[place] == pytest.approx(np.mean(1 - probability[probability >= value]))
    order = np.argsort(-probability)
    assert np.all(np.diff(result[order]) >= -1e-12)


def test_model_names_its_sources() -> None:
    """Every number of the shipped model stands beside its source, and the file round-trips."""
    text = Path(__file__).parents[3].joinpath("netinterf/data/model.json").read_text(encoding="utf-8")
    document = json.loads(text)

    def check(node: Any) -> None:
        if isinstance(node, dict):
            if any(isinstance(value, (int, float)) for value in node.values()):
                assert len(node["source"]) > 10, node
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    provenance = document.pop("provenance")
    check(document)
    assert not provenance or len(provenance["source"]) > 10
    document["provenance"] = provenance
    assert Model.of(document, read_priors()) == Model.load() == default_model()
    assert default_model().name == f"{document['fitted_on']}-{document['version']}"


def test_every_rule_and_reason_that_the_shipped_model_lists_exists() -> None:
    """A weight or a value of silence under a name that nothing has would never count."""
    model = default_model()
    known = {rule.id for analyzer in builtin() for rule in analyzer.rules} | {rule.id for rule in everywhere.RULES}
    assert set(model.factors) | set(model.bounds) <= known
    assert {word for _, word in model.quiet} <= {"ok", *(cause.code for cause in CATALOGUE.values())}


def test_shipped_priors_cover_the_mechanisms_of_the_contract() -> None:
    """Whatever the words name has a prior; general words have none, but for isolation, which has a special form."""
    special = {word for word in MECHANISMS if not any(other.startswith(word + ".") for other in MECHANISMS)}
    assert special | {"reach.isolation"} == set(default_model().mechanisms)
    table = files("netinterf").joinpath("data/priors.csv").read_text(encoding="utf-8")
    assert all(len(row["source"]) > 5 for row in csv.DictReader(table.splitlines()))
    assert all(-12 < odds < -3 for odds in read_priors().values())  # rare, but not beyond what evidence can carry


def test_priors_of_ones_own_replace_the_shipped_ones(tmp_path: Path) -> None:
    """A user's table is all there is: what it leaves out has no prior, and sources are not asked for."""
    path = tmp_path / "priors.csv"
    path.write_text("subject,mechanism,probability\ntcp,tcp.reset,0.2\nudp,house.rule,0.5\n", encoding="utf-8-sig")
    model = Model.load(priors=path)
    assert model.priors == pytest.approx({("tcp", "tcp.reset"): np.log(0.25), ("udp", "house.rule"): 0.0})
    assert attrs.evolve(model, priors={}) == attrs.evolve(default_model(), priors={})
    table, trace = evidence(RULES, []), visited().trace()
    assert classify(table, trace, attrs.evolve(model, quiet={})).probability[0] == pytest.approx(0.25 / 1.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with subject,mechanism,probability"),
        ("a,b\n1,2\n", "begins with subject,mechanism,probability"),
        ("tcp,tcp.reset,0.1\ntcp,tcp.fin,often\n", "line 3"),
        ("tcp,tcp.reset\n", "line 2"),
        ("tcp,tcp.reset,0.1\ntcp,tcp.fin,1.0\n", "line 3"),
        ("tcp,tcp.reset,nan\n", "line 2"),
        ("tcp,,0.1\n", "line 2"),
        ("smtp,tcp.reset,0.1\n", "line 2"),
    ],
)
def test_malformed_priors_name_their_line(tmp_path: Path, text: str, message: str) -> None:
    """A table of priors that cannot be used says where it is wrong."""
    path = tmp_path / "priors.csv"
    head = "" if "begins" in message else "subject,mechanism,probability\n"
    path.write_text(head + text, encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        Model.load(priors=path)


def test_priors_that_cannot_be_read_name_the_file(tmp_path: Path) -> None:
    """A missing or binary table is an error that names it."""
    with pytest.raises(ParameterError, match="absent"):
        read_priors(tmp_path / "absent")
    path = tmp_path / "binary"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="binary"):
        read_priors(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"likely": 0.2}, "possible <= likely"),
        ({"group_cap": 0.0}, "positive"),
        ({"decisive_cap": -1.0}, "positive"),
        ({"other_prior": float("nan")}, "finite"),
        ({"total_caps": {"tcp": -1.0}}, "total_caps"),
        ({"total_caps": {"smtp": 9.0}}, "smtp"),
        ({"factors": {"reset.time": -0.1}}, "evidence never changes sides"),
        ({"factors": {"reset.time": float("nan")}}, "finite"),
        ({"quiet": {("tcp", "ok"): float("inf")}}, "quiet"),
        ({"quiet": {("smtp", "ok"): 1.0}}, "smtp"),
        ({"priors": {("smtp", "tcp.reset"): -5.0}}, "smtp"),
        ({"priors": {("tcp", "tcp.reset"): float("inf")}}, "finite"),
        ({"loss_ceiling": 1.5}, "between 0 and 1"),
    ],
)
def test_a_model_refuses_numbers_out_of_range(change: dict[str, Any], message: str) -> None:
    """A model that cannot work says which number is wrong."""
    with pytest.raises(ParameterError, match=message):
        plain_model(**change)


def test_a_model_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """A file without the numbers, or without JSON, is an error that names it."""
    for text in ("{}", "no json", "[]"):
        path = tmp_path / "model.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ParameterError, match=r"model\.json"):
            Model.load(path)
    with pytest.raises(ParameterError, match="absent"):
        Model.load(tmp_path / "absent")


def test_reset_flags_are_used() -> None:
    """A flow that was reset without evidence is not accused."""
    world = World()
    world.send(flow := world.flow(), 0, out=True, flags=SYN)
    world.send(flow, 0.1, out=False, flags=RST | ACK)
    assert judge(world=world).outcome is Outcome.DOWN


@pytest.mark.parametrize(("prior", "outcome"), [(-6.0, Outcome.OK), (-3.0, Outcome.INSUFFICIENT)])
def test_what_is_not_ten_to_one_healthy_is_not_ok(prior: float, outcome: Outcome) -> None:
    """Weak evidence leaves a conversation *ok* where interference is rare, and open where it is not so rare."""
    model = plain_model(priors={**plain_model().priors, ("tcp", "tcp.reset"): prior})
    trace = visited().trace()
    table = evidence([RULES[0]], [(0, "reset.time", 1.0)])
    verdict = explain(classify(table, trace, model), table, trace)[0]
    assert (verdict.outcome, verdict.mechanism) == (outcome, None)
