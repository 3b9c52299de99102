"""Which mechanisms a recording cannot show: what was observed of them there is no observation of the network.

Rules know for themselves which fields they need. Two kinds of recording blind whole mechanisms, whatever the rule:

* where packets without data were left out, nothing tells what was lost, held back or left unanswered;
* where no host sent the packets, numbers that contradict each other show what a program wrote, not who else spoke.

Evidence against interference keeps its weight.
"""

from typing import TYPE_CHECKING

import attrs
import numpy as np

from netinterf.schema import Evidence, SubjectKind

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["BLINDS", "blinded"]

BLINDS: dict[str, tuple[str, ...]] = {
    "filtered": ("rate", "tcp.drop", "protocol.filter"),
    "made": ("tcp.synack", "tcp.data", "tcp.fin"),
}
"""Columns of `Recording`, and the mechanisms, or roots of mechanisms, that they blind."""


def blinded(trace: "Trace", evidence: Evidence) -> Evidence:
    """Take the weight from what the recording of its flow cannot show; it stays to be read."""
    held = {name: getattr(trace.recording, name) for name in BLINDS}
    if not any(column.any() for column in held.values()):
        return evidence
    flow = np.where(evidence.subject_kind == SubjectKind.FLOW, evidence.subject, -1)
    blind = np.zeros(len(evidence), np.bool_)
    for name, roots in BLINDS.items():
        rules = [place for place, rule in enumerate(evidence.rules) if speaks_of(rule.mechanism, roots)]
        blind |= np.isin(evidence.rule, rules) & (flow >= 0) & np.append(held[name], False)[flow]
    return attrs.evolve(evidence, llr=np.where(blind, np.minimum(evidence.llr, 0.0), evidence.llr))


def speaks_of(mechanism: str, roots: tuple[str, ...]) -> bool:
    """Say whether a mechanism is one of some, or a kind of one."""
    return any(mechanism == root or mechanism.startswith(root + ".") for root in roots)
