"""What an analyzer is, and how it writes evidence down.

An analyzer asks one question of a trace and answers with evidence; it never judges. It is any frozen value with three
class constants and a call: no base class, no registration.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import chain
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import I64
from netinterf.context.outside import Outside
from netinterf.errors import AnalyzerError
from netinterf.schema import Evidence, Rule, SubjectKind
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["Analyzer", "Joint", "Observations", "Scope", "join", "observe"]


class Scope(Enum):
    """How far an analyzer looks: splitting a trace along its scope and joining the evidence changes nothing."""

    FLOW = "flow"  # needs nothing outside a flow but what its recording carries
    PAIR = "pair"  # needs all flows between one client and one server address
    CAPTURE = "capture"  # needs the whole capture


@runtime_checkable
class Analyzer(Protocol):
    """A callable from a trace to evidence."""

    name: ClassVar[str]
    scope: ClassVar[Scope]
    rules: ClassVar[tuple[Rule, ...]]

    def __call__(self, trace: Trace, /) -> Evidence:
        """Look at *trace* and write down what is unusual."""
        ...


class Observations(Protocol):
    """What a joint analyzer keeps of some clients."""

    def moved(self, flow: I64, exchange: I64, packet: I64 | None = None) -> Self:
        """Follow flows, exchanges and packets to their new rows; what is about none of them (-1) is left out."""
        ...


@runtime_checkable
class Joint(Analyzer, Protocol):
    """An analyzer that must have seen all clients before it can say something of one.

    Calling it is joining what it says of clients one by one, and what it concludes of all. A capture may be looked at
    in parts, each with the packets of some clients: then it observes each part, and concludes once. What it concludes
    is joined with the rest as it is: it must know itself what a recording cannot show (`netinterf.recording.blinds`).
    """

    def alone(self, trace: Trace, /) -> Evidence:
        """Write down what each client shows by itself."""
        ...

    def observe(self, trace: Trace, /) -> Observations:
        """Keep what must be known of the clients of a trace."""
        ...

    def conclude(self, observed: Sequence[Any], outside: Outside, /) -> Evidence:
        """Write down what all clients show together, given what the user knows beside the capture."""
        ...


def observe(
    analyzer: Analyzer,
    rule: Rule | str,
    *,
    subject: ArrayLike,
    time: ArrayLike,
    llr: ArrayLike | None = None,
    witness: Ragged | NDArray[np.integer] | Sequence[Sequence[int]],
    forged: Ragged | NDArray[np.integer] | Sequence[Sequence[int]] | None = None,
    measured: Mapping[str, ArrayLike] | None = None,
    kind: SubjectKind = SubjectKind.FLOW,
) -> Evidence:
    """Write down one kind of observation about many subjects.

    Args:
        analyzer: Who saw it; the rule must be one of its rules.
        rule: The rule, or its id.
        subject: Rows in Flows or Exchanges, n of them.
        time: When, ns since 1970 UTC; one value or n.
        llr: Natural-log likelihood ratio, one value or n; positive speaks for interference. Left out, it is the rule's
            weight.
        witness: Packets that show it: n lists, or n single rows.
        forged: Packets held to be forged, in the same form; none when left out.
        measured: The numbers behind it by name; each name is one of the rule's measures, one value or n.
        kind: What *subject* points at.

    Returns:
        n rows of evidence; no subjects give an empty table.

    Raises:
        AnalyzerError: The rule or a measure was not declared, or no weight is known.
    """
    named = rule if isinstance(rule, str) else rule.id
    places = [place for place, known in enumerate(analyzer.rules) if known.id == named]
    if not places:
        raise AnalyzerError(analyzer.name, f"rule {named!r} is not declared")
    declared = analyzer.rules[places[0]]
    weight = declared.weight if llr is None else llr
    if weight is None:
        raise AnalyzerError(analyzer.name, f"rule {named!r} has no weight of its own, and none was given")
    measured = measured or {}
    if unknown := sorted(set(measured) - set(declared.measures)):
        raise AnalyzerError(analyzer.name, f"measure {unknown[0]!r} of rule {named!r} is not declared")
    subjects = np.asarray(subject, np.int32).reshape(-1)
    count = len(subjects)
    numbers = np.full((count, len(declared.measures)), np.nan)
    for place, name in enumerate(declared.measures):
        if name in measured:
            numbers[:, place] = measured[name]
    return Evidence(
        subject=subjects,
        subject_kind=np.full(count, kind, np.uint8),
        rule=np.full(count, places[0], np.uint16),
        time=np.broadcast_to(np.asarray(time, np.int64), (count,)).copy(),
        llr=np.broadcast_to(np.asarray(weight, np.float64), (count,)).copy(),
        forged=_lists(forged, count),
        witness=_lists(witness, count),
        measured=Ragged.from_lengths(np.full(count, len(declared.measures)), numbers.reshape(-1)),
        rules=analyzer.rules,
    )


def _lists(rows: Ragged | NDArray[np.integer] | Sequence[Sequence[int]] | None, count: int) -> Ragged:
    """Bring witnesses into one form: one list of packet rows per subject."""
    if rows is None:
        return Ragged.empty(count, np.int32)
    if isinstance(rows, Ragged):
        return Ragged(rows.offsets, rows.values.astype(np.int32))
    if isinstance(rows, np.ndarray) and rows.ndim == 1:
        return Ragged.from_lengths(np.ones(len(rows), np.int64), rows.astype(np.int32))
    return Ragged.of(rows, np.int32)


def join(tables: Sequence[Evidence]) -> Evidence:
    """Put evidence of several analyzers into one table, with one list of rules (equal rules are kept once)."""
    if len(tables) == 1:
        return tables[0]
    different = {id(table.rules): table.rules for table in tables}.values()  # (one analyzer's are one)
    rules = tuple(dict.fromkeys(chain.from_iterable(different)))
    filled = [table for table in tables if len(table)]
    if not filled:
        return Evidence.empty(rules=rules)
    numbers = {rule: number for number, rule in enumerate(rules)}
    shifted = [np.array([numbers[rule] for rule in table.rules], np.uint16)[table.rule] for table in filled]
    return attrs.evolve(Evidence.concat(filled), rule=np.concatenate(shifted), rules=rules)
