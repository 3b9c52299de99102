"""The contract of an analyzer as executable checks, for our own analyzers and for anybody's."""

import pickle
from collections.abc import Iterable, Sequence

import attrs
import numpy as np

from netinterf.analyzers.base import Analyzer, Scope
from netinterf.arrays import I64
from netinterf.errors import AnalyzerError
from netinterf.schema import Evidence, SubjectKind
from netinterf.trace import Trace, read

__all__ = ["check_analyzer", "fits"]

ETHERNET = 1
DOCSTRING_PARTS = ("what it looks for", "why", "also looks like this", "references")


def check_analyzer(
    analyzer: Analyzer, traces: Iterable[Trace] = (), benign: Iterable[Trace] = (), *, complete: bool = False
) -> None:
    """Prove that *analyzer* keeps its contract.

    It must work on empty and tiny traces, give the same evidence twice, leave its input alone, use only declared
    rules with finite weights and witnesses that exist, look no further than its scope, survive ``pickle`` and
    ``attrs.evolve``, describe itself in four parts, and accuse nobody on benign traces.

    Args:
        analyzer: What to check.
        traces: Captures to try it on, of any kind.
        benign: Captures on which no subject may gather more evidence for interference than against it.
        complete: These captures are all that the analyzer is tested on, so each of its rules must fire in one of them.

    Raises:
        AnalyzerError: The first part of the contract that does not hold.
    """
    describe(analyzer)
    survive_copying(analyzer)
    tiny = [read(times=[], frames=[], link_type=ETHERNET), read(times=[0], frames=[bytes(60)], link_type=ETHERNET)]
    quiet, fired = list(benign), set[str]()
    for trace in [*tiny, *traces, *quiet]:
        evidence = repeat(analyzer, trace)
        well_formed(analyzer, evidence)
        keep_scope(analyzer, trace, evidence)
        fired |= {evidence.rules[code].id for code in np.unique(evidence.rule)}
    for trace in quiet:
        stay_silent(analyzer, trace)
    silent = [rule.id for rule in analyzer.rules if rule.id not in fired]
    demand(not (complete and silent), analyzer, f"has rules that fire in no capture: {', '.join(silent)}")


def demand(holds: object, analyzer: Analyzer, reason: str) -> None:
    """Raise when a part of the contract does not hold."""
    if not holds:
        raise AnalyzerError(getattr(analyzer, "name", type(analyzer).__name__), reason)


def describe(analyzer: Analyzer) -> None:
    """Check the constants and the docstring."""
    demand(isinstance(analyzer, Analyzer), analyzer, "needs name, scope, rules and a call")
    demand(analyzer.rules, analyzer, "declares no rules")
    ids = [rule.id for rule in analyzer.rules]
    demand(len(ids) == len(set(ids)), analyzer, "declares a rule id twice")
    described = (type(analyzer).__doc__ or "").lower()
    for part in DOCSTRING_PARTS:
        demand(f"{part}:" in described, analyzer, f"docstring lacks the part {part!r}")
    for rule in analyzer.rules:
        demand(rule.says and rule.group and rule.mechanism, analyzer, f"rule {rule.id} lacks words, group or mechanism")
        demand(rule.references, analyzer, f"rule {rule.id} names no reference")


def survive_copying(analyzer: Analyzer) -> None:
    """Check that the analyzer is a plain frozen value."""
    demand(attrs.has(type(analyzer)), analyzer, "is no attrs class")
    demand(pickle.loads(pickle.dumps(analyzer)) == analyzer, analyzer, "does not survive pickle")
    demand(attrs.evolve(analyzer) == analyzer, analyzer, "does not survive attrs.evolve")  # type: ignore[misc]


def repeat(analyzer: Analyzer, trace: Trace) -> Evidence:
    """Check that two calls agree, fit the trace and leave it alone."""
    before = pickle.dumps([getattr(trace.packets, column.name) for column in trace.packets.schema()])
    first, second = analyzer(trace), analyzer(trace)
    fits(analyzer, trace, first)
    demand(first.equals(second), analyzer, "gives different evidence for the same trace")
    after = pickle.dumps([getattr(trace.packets, column.name) for column in trace.packets.schema()])
    demand(before == after, analyzer, "changes its input")
    return first


def fits(analyzer: Analyzer, trace: Trace, evidence: object) -> None:
    """Check what judging takes for granted: evidence, finite weights, and rules, subjects and packets that exist.

    Raises:
        AnalyzerError: The first part that does not hold.
    """
    table = sound(analyzer, evidence, len(trace.flows), len(trace.exchanges))
    for rows in (table.witness, table.forged) if len(table) else ():
        inside = (rows.values >= 0) & (rows.values < len(trace.packets))
        demand(inside.all(), analyzer, "names a packet that is not there")


def sound(analyzer: Analyzer, evidence: object, flows: int, exchanges: int) -> Evidence:
    """Check the same but for packets, given how many flows and exchanges there are."""
    if not isinstance(evidence, Evidence):
        raise AnalyzerError(analyzer.name, f"returned {type(evidence).__name__}, not Evidence")
    if not len(evidence):
        return evidence
    demand(int(evidence.rule.max()) < len(evidence.rules), analyzer, "uses an unknown rule")
    demand(np.isfinite(evidence.llr).all(), analyzer, "gives a weight that is not finite")
    for kind, count in ((SubjectKind.FLOW, flows), (SubjectKind.EXCHANGE, exchanges)):
        subject = evidence.subject[evidence.subject_kind == kind]
        demand(((subject >= 0) & (subject < count)).all(), analyzer, f"names a {kind.name.lower()} that is not there")
    return evidence


def well_formed(analyzer: Analyzer, evidence: Evidence) -> None:
    """Check that only declared rules are used, and that everything has a witness."""
    demand(set(evidence.rules) <= set(analyzer.rules), analyzer, "uses a rule that it does not declare")
    demand((evidence.witness.lengths > 0).all(), analyzer, "gives evidence without a witness")


def keep_scope(analyzer: Analyzer, trace: Trace, evidence: Evidence) -> None:
    """Check that splitting the trace along the scope and joining the evidence changes nothing."""
    if analyzer.scope is Scope.CAPTURE or len(trace.flows) < 2:
        return
    if analyzer.scope is Scope.FLOW:
        part = np.arange(len(trace.flows)) % 2
    else:
        part = (trace.flows.client.astype(np.int64) + trace.flows.server) % 2
    parts = [evidence_of_part(analyzer, trace, np.flatnonzero(part == which)) for which in (0, 1)]
    whole = fingerprint(evidence, None, None)
    demand(sorted(parts[0] + parts[1]) == sorted(whole), analyzer, f"looks beyond its scope {analyzer.scope.value!r}")


def evidence_of_part(analyzer: Analyzer, trace: Trace, flows: I64) -> list[tuple[object, ...]]:
    """Analyze some flows alone and name what was found in the rows of the whole trace."""
    selected = np.zeros(len(trace.flows) + 1, np.bool_)
    selected[flows] = True
    return fingerprint(analyzer(trace.select(flows)), flows, np.flatnonzero(selected[trace.packets.flow]))


def fingerprint(evidence: Evidence, flows: I64 | None, packets: I64 | None) -> list[tuple[object, ...]]:
    """List evidence about flows as comparable values."""
    entries: list[tuple[object, ...]] = []
    for row in np.flatnonzero(evidence.subject_kind == SubjectKind.FLOW):
        subject, witness = int(evidence.subject[row]), evidence.witness[int(row)]
        if flows is not None and packets is not None:
            subject, witness = int(flows[subject]), packets[witness]
        rule = evidence.rules[evidence.rule[row]].id
        entries.append((subject, rule, round(float(evidence.llr[row]), 9), tuple(int(w) for w in witness)))
    return entries


def stay_silent(analyzer: Analyzer, trace: Trace) -> None:
    """Check that no subject of a benign trace gathers evidence for interference."""
    for table in subjects(analyzer(trace)):
        weight = float(table.llr.sum())
        names = ", ".join(sorted({table.rules[code].id for code in table.rule}))
        demand(weight <= SILENCE, analyzer, f"accuses a benign subject by {weight:.1f} nats: {names}")


SILENCE = 5.0
"""Nats that a benign subject may gather: the prior against interference is larger for every mechanism."""


def subjects(evidence: Evidence) -> Sequence[Evidence]:
    """Split evidence by what it is about."""
    key = evidence.subject.astype(np.int64) << 2 | evidence.subject_kind
    return [evidence.take(key == which) for which in np.unique(key)]
