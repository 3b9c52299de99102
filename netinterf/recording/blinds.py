"""Which observations a recording cannot carry: what was observed of them there is no observation of the network.

Rules know for themselves which fields they need. Three kinds of recording blind whole kinds of observations:

* where packets without data were left out, nothing tells what was lost, held back or left unanswered;
* where no host sent the packets, numbers that contradict each other show what a program wrote, not who else spoke;
* where two clocks recorded the directions, nothing tells who was too early, or spoke of what was yet to come.

Evidence against interference keeps its weight.
"""

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.mechanisms import MECHANISMS
from netinterf.schema import Evidence, Rule, SubjectKind

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["BLINDS", "blinded"]

BLINDS: dict[str, tuple[str, ...]] = {
    "filtered": tuple(one.path for one in MECHANISMS.values() if one.missing),
    "made": (
        *("contradiction", "synack.acknowledgement", "synack.window", "synack.ports", "synack.timing"),
        *("synack.options", "synack.aftermath", "synack.counter", "fin.sequence", "data.sequence"),
        *("data.acknowledgement", "fin.acknowledgement", "page.acknowledgement"),
        *("data.taken_back", "fin.taken_back", "page.taken_back"),
    ),
    "skewed": (
        *("rst.timing", "fin.timing", "data.timing", "page.timing", "dns.timing"),
        *("rst.acknowledgement", "fin.acknowledgement", "data.acknowledgement", "page.acknowledgement"),
        *("synack.acknowledgement", "synack.timing", "rst.aftermath", "fin.aftermath", "page.aftermath"),
    ),
}
"""Columns of `Recording`, and what they blind: mechanisms, roots of mechanisms, or groups of rules."""


def blinded(trace: "Trace", evidence: Evidence) -> Evidence:
    """Take the weight from what the recording of its flow cannot show; it stays to be read."""
    held = {name: getattr(trace.recording, name) for name in BLINDS}
    if not any(column.any() for column in held.values()):
        return evidence
    flow = flows_of(trace, evidence)
    blind = np.zeros(len(evidence), np.bool_)
    for name, roots in BLINDS.items():
        rules = [place for place, rule in enumerate(evidence.rules) if speaks_of(rule, roots)]
        blind |= np.isin(evidence.rule, rules) & np.append(held[name], False)[flow]
    return attrs.evolve(evidence, llr=np.where(blind, np.minimum(evidence.llr, 0.0), evidence.llr))


def flows_of(trace: "Trace", evidence: Evidence) -> NDArray[np.int64]:
    """Name the flow that each observation is about: its subject, or the one of the exchange; -1 for groups."""
    flow = np.where(evidence.subject_kind == SubjectKind.GROUP, -1, evidence.subject.astype(np.int64))
    asked = evidence.subject_kind == SubjectKind.EXCHANGE
    flow[asked] = trace.exchanges.flow[flow[asked]]
    return flow


def speaks_of(rule: Rule, roots: tuple[str, ...]) -> bool:
    """Say whether a rule is of one of some groups, or speaks of one of some mechanisms or of a kind of one."""
    return any(rule.group == root or f"{rule.mechanism}.".startswith(f"{root}.") for root in roots)
