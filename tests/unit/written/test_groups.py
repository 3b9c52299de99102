"""Groups in words: what the ledger, JSON lines, the page for people and the scoreboard make of them."""

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from benchmarks.matching import speaks_of
from netinterf.context.answers import KnownAnswers
from netinterf.context.outside import known_networks
from netinterf.engine.judged import Judged, summarize
from netinterf.engine.session import Session
from netinterf.errors import ParameterError
from netinterf.export.jsonl import lines
from netinterf.report.lines import WIDTH, laid_out
from netinterf.report.text import capture_text
from netinterf.schema import Grade, Outcome
from netinterf.table import Ragged
from netinterf.verdict.combine import classify
from netinterf.written.group_words import percents
from netinterf.written.ledger import Ledger, explain
from netinterf.written.words import sentences
from tests.unit.verdict.tables import World, evidence, plain_model, rule

MODEL = plain_model(group_cap=10.0, other_bound=10.0, site_correlation=0.0, quiet={("tcp", "ok"): -3.0})
VISITS = 8
RULES = [rule("rst.seen", "tcp.reset"), rule("worked", "tcp.reset"), rule("rst.too", "tcp.reset")]


def played(mechanism: str = "tcp.reset", spared: bool = True) -> tuple[Any, Any]:
    """Visit a blocked name and another at one address, each eight times, ten minutes apart."""
    world, rows, forged = World(), [], []
    for visit in range(VISITS):
        for name, rule_id, llr in (("bad.example.com", "rst.seen", 8.0), ("good.org", "worked", -3.0)):
            if name == "good.org" and not spared:
                continue
            flow = world.flow()
            world.visit(flow, 600.0 * visit + (1.0 if llr < 0 else 0.0))
            packet = len(world.packets) - 4
            world.names.append(("tls", packet, name))
            seen = [(flow, rule_id, llr)] if llr < 0 else [(flow, rule_id, 7.0), (flow, "rst.too", 1.0)]
            rows += seen
            forged += [[packet] if llr > 0 else []] * len(seen)
    rules = [rule("rst.seen", mechanism), RULES[1], rule("rst.too", mechanism)]
    packets = Ragged.of(forged, np.int32)
    return evidence(rules, rows, forged=packets, witness=packets), world.trace()


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A capture with one blocked name."""
    table, trace = played()
    return explain(classify(table, trace, MODEL), table, trace, model=MODEL)


def test_groups_follow_flows(ledger: Ledger) -> None:
    """The ledger counts and lists groups after flows; findings hold them, slices and negative rows reach them."""
    assert len(ledger) == len(ledger.verdicts) + 1 == 2 * VISITS + 1
    kinds = [verdict.subject.kind for verdict in ledger]
    assert kinds == ["flow"] * 2 * VISITS + ["group"]
    assert ledger[-1] == ledger[2 * VISITS] == list(ledger.findings())[-1] == next(ledger.group_verdicts())


def test_a_group_is_written_in_the_words_of_the_contract(ledger: Ledger) -> None:
    """Subject, numbers, frames, trigger, evidence and sentence of a blocked name."""
    group = ledger[-1]
    assert (group.subject.by, group.subject.name, group.subject.server) == ("name", "bad.example.com", None)
    assert (group.outcome, group.grade, group.mechanism) == (Outcome.INTERFERED, Grade.CONFIRMED, "tcp.reset")
    assert group.group is not None
    assert (group.group.members, group.group.affected) == (VISITS, VISITS)
    assert 0.5 < group.group.share_low < group.group.share < group.group.share_high <= 1
    assert len(group.frames) == VISITS
    assert group.trigger is not None
    assert (group.trigger.kind, group.trigger.value) == ("tls.sni", "bad.example.com")
    rules = [seen.rule for seen in group.evidence]
    assert rules.count("rst.seen") == 5
    assert {"group.share", "group.contrast"} < set(rules)
    weights = [abs(seen.llr) for seen in group.evidence]
    assert weights == sorted(weights, reverse=True)
    counted = f"{VISITS} of {VISITS} (a share of {percents(group.group.share_low, group.group.share_high)})"
    assert group.explanation.startswith(f"Connections to bad.example.com were cut off by forged resets: {counted}")
    many = attrs.evolve(group, group=attrs.evolve(group.group, members=40, affected=12, share=0.304))
    assert "forged resets: about 30 % of 40 (a share of " in sentences(many)
    assert "while other names at the same addresses were spared" in group.explanation
    assert group.wireshark.startswith('(tls.handshake.extensions_server_name == "bad.example.com"')
    assert group.rows is not None
    assert group.rows.shape == (VISITS, 2)


def test_what_is_only_possible_of_a_group_takes_nothing_from_its_members(ledger: Ledger) -> None:
    """Members that are findings by themselves are no perhaps: what is only possible is that they have one cause."""
    group = ledger[-1]
    assert group.group is not None
    assert group.group.findings == group.group.affected

    def told(found: int) -> str:
        share = attrs.evolve(group.group, findings=found)
        return sentences(attrs.evolve(group, grade=Grade.POSSIBLE, probability=0.85, evidence=(), group=share))

    every, one, none = told(VISITS), told(1), told(0)
    assert every.startswith("Connections to bad.example.com were cut off by forged resets: ")
    assert every.endswith(
        "each a finding by itself; that it is because of the name is only possible, not shown (probability 85 %)."
    )
    assert one.startswith("Perhaps connections to bad.example.com were cut off")
    assert "; 1 of these is a finding by itself. This is only possible, not shown" in one
    assert none.startswith("Perhaps ")
    assert "finding" not in none


def test_a_domain_is_filtered_by_whole_labels(ledger: Ledger) -> None:
    """The display filter of a domain shows its names, and none that merely end in the same letters."""
    subject = attrs.evolve(ledger[-1].subject, by="domain", name="ok.ru")
    assert 'dns.qry.name matches "(^|[.])ok[.]ru$"' in attrs.evolve(ledger[-1], subject=subject).flow_filter


def test_json_and_page_hold_groups(ledger: Ledger) -> None:
    """JSON lines end with groups, counted in no outcome; the page begins with them."""
    _, trace = played()
    judged = Judged(summary=summarize(trace_like(trace), ledger.verdicts, "x"), ledger=ledger)
    first, *rest = [json.loads(line) for line in lines(judged, everything=True)]
    assert sum(first["outcomes"].values()) == len(rest) - 1
    assert rest[-1]["subject"]["kind"] == "group"
    assert set(rest[-1]["group"]) == {"members", "affected", "share", "share_low", "share_high"}
    assert rest[0]["group"] is None
    assert set(rest[0]) == set(rest[-1])
    page = list(laid_out(capture_text(judged, everything=True)))
    assert page.index("Taken together:") < next(n for n, line in enumerate(page) if line.startswith("INTERFERED"))
    assert max(map(len, page)) <= WIDTH


def trace_like(trace: Any) -> Any:
    """Add what a summary reads besides."""
    trace.interfaces = ()
    return trace


def test_what_is_only_possible_says_so() -> None:
    """Without others at the address the name is likely at most, and the sentence claims no contrast."""
    table, trace = played(spared=False)
    group = explain(classify(table, trace, MODEL), table, trace, model=MODEL)[-1]
    assert group.grade is Grade.LIKELY
    assert "while" not in group.explanation
    assert all(seen.rule != "group.contrast" for seen in group.evidence)


@pytest.mark.parametrize("mechanism", ["tcp.drop", "http.blockpage", "unheard.of"])
def test_every_mechanism_has_a_sentence(mechanism: str) -> None:
    """Sentences begin with a capital and end with a dot; drops say that others are spared."""
    table, trace = played(mechanism)
    group = explain(classify(table, trace, MODEL), table, trace, model=MODEL)[-1]
    assert group.mechanism == mechanism
    assert group.explanation[0].isupper()
    assert group.explanation.endswith(".")
    assert group.selective is (True if mechanism == "tcp.drop" else None)


def test_the_scoreboard_understands_groups(ledger: Ledger) -> None:
    """A group speaks of its name and of nothing else."""
    line = json.loads(list(lines_of(ledger))[-1])
    assert speaks_of(line["subject"], "192.0.2.2", "bad.example.com")
    assert not speaks_of(line["subject"], "192.0.2.2", "good.org")


def lines_of(ledger: Ledger) -> Any:
    """Write all lines of a ledger."""
    _, trace = played()
    return lines(Judged(summary=summarize(trace_like(trace), ledger.verdicts, "x"), ledger=ledger))


def test_sessions_take_what_is_known_outside(tmp_path: Path) -> None:
    """A path or the table itself, checked as a scan does."""
    path = tmp_path / "networks.csv"
    path.write_text("prefix,asn,country\n192.0.2.0/24,64500,AA\n")
    with (
        Session(networks=path, answers=KnownAnswers.of([("a.org", "192.0.2.1")])),
        Session(networks=known_networks(path)),
    ):
        pass
    for table in ("networks", "answers"):
        with pytest.raises(ParameterError, match="a readable"):
            Session(**{table: tmp_path / "absent.csv"})
