"""Which observations a recording cannot carry: what was observed of them there is no observation of the network.

Rules know for themselves which fields they need. Two kinds of recording blind whole kinds of observations:

* where packets without data were left out, nothing tells what was lost, held back or left unanswered;
* where no host sent the packets, numbers that contradict each other show what a program wrote, not who else spoke.

Evidence against interference keeps its weight.
"""

from typing import TYPE_CHECKING

import attrs
import numpy as np

from netinterf.schema import Evidence, Rule, SubjectKind

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["BLINDS", "blinded"]

BLINDS: dict[str, tuple[str, ...]] = {
    "filtered": ("rate", "tcp.drop", "protocol.filter"),
    "made": (
        *("contradiction", "synack.acknowledgement", "synack.window", "fin.sequence"),
        *("data.acknowledgement", "fin.acknowledgement", "data.taken_back", "fin.taken_back"),
    ),
}
"""Columns of `Recording`, and what they blind: mechanisms, roots of mechanisms, or groups of rules."""


def blinded(trace: "Trace", evidence: Evidence) -> Evidence:
    """Take the weight from what the recording of its flow cannot show; it stays to be read."""
    held = {name: getattr(trace.recording, name) for name in BLINDS}
    if not any(column.any() for column in held.values()):
        return evidence
    flow = np.where(evidence.subject_kind == SubjectKind.FLOW, evidence.subject, -1)
    blind = np.zeros(len(evidence), np.bool_)
    for name, roots in BLINDS.items():
        rules = [place for place, rule in enumerate(evidence.rules) if speaks_of(rule, roots)]
        blind |= np.isin(evidence.rule, rules) & (flow >= 0) & np.append(held[name], False)[flow]
    return attrs.evolve(evidence, llr=np.where(blind, np.minimum(evidence.llr, 0.0), evidence.llr))


def speaks_of(rule: Rule, roots: tuple[str, ...]) -> bool:
    """Say whether a rule is of one of some groups, or speaks of one of some mechanisms or of a kind of one."""
    return any(rule.group == root or f"{rule.mechanism}.".startswith(f"{root}.") for root in roots)
