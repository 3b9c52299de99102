"""Which observations a recording cannot carry: what was observed of them there is no observation of the network.

Rules know for themselves which fields they need. Three kinds of recording blind whole kinds of observations:

* where packets without data were left out, nothing tells what was lost, held back or left unanswered: no mechanism
  that shows in what is missing;
* where no host sent the packets, numbers that contradict each other show what a program wrote, not who else spoke;
* where two clocks recorded the directions, nothing tells who was too early, or spoke of what was yet to come.

Which rules the last two blind stands with each of them (`Rule.blind`). Evidence against interference keeps its weight.
"""

from typing import TYPE_CHECKING

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.mechanisms import MECHANISMS, covers
from netinterf.schema import Evidence, Rule, SubjectKind

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["BLIND", "blind_to", "blinded"]

BLIND = ("filtered", "made", "skewed")
"""Columns of `Recording` that blind rules."""


def blind_to(rule: Rule) -> tuple[str, ...]:
    """Name the kinds of recording of which a rule says nothing for interference."""
    missing = any(mechanism.missing and covers(mechanism.path, rule.mechanism) for mechanism in MECHANISMS.values())
    return ("filtered", *rule.blind) if missing else rule.blind


def blinded(trace: "Trace", evidence: Evidence) -> Evidence:
    """Take the weight from what the recording of its flow cannot show; it stays to be read."""
    columns = {name: getattr(trace.recording, name) for name in BLIND}
    if not any(column.any() for column in columns.values()):
        return evidence
    flow = flows_of(trace, evidence)
    blind = np.zeros(len(evidence), np.bool_)
    for name, column in columns.items():
        rules = [place for place, rule in enumerate(evidence.rules) if name in blind_to(rule)]
        blind |= np.isin(evidence.rule, rules) & np.append(column, False)[flow]
    return attrs.evolve(evidence, llr=np.where(blind, np.minimum(evidence.llr, 0.0), evidence.llr))


def flows_of(trace: "Trace", evidence: Evidence) -> I64:
    """Name the flow that each observation is about: its subject, or the one of the exchange; -1 for groups."""
    flow = np.where(evidence.subject_kind == SubjectKind.GROUP, -1, evidence.subject.astype(np.int64))
    asked = evidence.subject_kind == SubjectKind.EXCHANGE
    flow[asked] = trace.exchanges.flow[flow[asked]]
    return flow
