"""What nearly all unrelated connections of a client show is nobody's choice: a box beside the tap does it.

A censor that hits connections before the client has said what it wants can go by addresses only, and spares most. So
where connections to servers in unrelated networks all show a sign, and hardly one that could show it is spared, the
sign is more likely the recording's: a translator that draws numbers anew, a firewall, an emulator, a program that wrote
the packets. Whoever blocks everything is told by `reach`, which accuses no name.

Nothing is known of the share of networks that a censor hits, so every share is as likely; then all of n are hit with
probability 1 / (n + 1), by Laplace's rule of succession. Beside the tap all n show it. The ratio is the weight against.
"""

import numpy as np

from netinterf.analyzers.base import join
from netinterf.analyzers.vocabulary import Family
from netinterf.arrays import I64, Mask
from netinterf.numbering import combined, distinct
from netinterf.schema import Diagnostic, Evidence, SubjectKind
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["EVERYWHERE", "RULES", "everywhere", "everywhere_notes"]

EVERYWHERE = "recording.everywhere"
"""Code of the diagnostic that says what nearly all connections show."""

FAMILIES = {"tcp.synack": "greetings", "tcp.data": "data", "tcp.fin": "farewells", "tcp.reset": "resets"}
"""Mechanisms, and what looks forged where somebody seems to do it."""

FEWEST = 3
"""Networks from which something is said."""

MOST = 0.9
"""Share of the connections that could show it and do."""

recorded = Family("everywhere.", "tcp", exposed="any")

RULES = tuple(
    recorded.rule(
        family.removeprefix("tcp."),
        family.removeprefix("tcp."),
        None,
        "servers in {networks} unrelated networks show the same before anything was asked of them, and hardly one is "
        "spared: a box beside the tap or the recording does it",
        "networks",
        source="Laplace's rule of succession",
        mechanism=family,
        shared=True,
    )
    for family in FAMILIES
)


def everywhere(trace: Trace, evidence: Evidence) -> Evidence:
    """Find the signs that nearly all greeted connections of a path show before the client asked for anything.

    Args:
        trace: The capture.
        evidence: What was seen in it.

    Returns:
        Evidence against, one row per connection and family.
    """
    request = trace.sides.first_payload[0::2].astype(np.int64)
    eligible = (trace.sides.syn[0::2] >= 0) & (trace.sides.syn[1::2] >= 0)
    row = np.flatnonzero((evidence.subject_kind == SubjectKind.FLOW) & (evidence.llr > 0))
    subject = evidence.subject[row].astype(np.int64)
    if len(row):
        early = (request[subject] < 0) | (evidence.time[row] <= trace.packets.time[np.maximum(request[subject], 0)])
        row, subject = row[early & eligible[subject]], subject[early & eligible[subject]]
    tables = []
    for place, rule in enumerate(RULES if len(row) else ()):
        speaks = [number for number, known in enumerate(evidence.rules) if known.mechanism == rule.mechanism]
        flow = distinct(subject[np.isin(evidence.rule[row], speaks)])
        if len(flow):
            tables.append(against(trace, flow, eligible, place))
    return join(tables) if tables else Evidence.empty(rules=RULES)


def everywhere_notes(evidence: Evidence) -> tuple[Diagnostic, ...]:
    """Say what nearly all connections show, family by family.

    Args:
        evidence: What was seen in a capture, with what `everywhere` found.
    """
    messages = []
    for place in distinct(evidence.rule).tolist() if len(evidence) else ():
        rule = evidence.rules[place]
        if rule in RULES:
            row = np.flatnonzero(evidence.rule == place)
            what, networks = FAMILIES[rule.mechanism], int(evidence.measured.take(row).values.max())
            messages.append(
                f"{len(row):,} connections to servers in up to {networks:,} unrelated networks show {what} that look "
                "forged before anything was asked of them, and hardly one is spared: a box beside the tap or the "
                "recording does it, and no name is accused of it"
            )
    return tuple(Diagnostic(EVERYWHERE, message) for message in messages)


def against(trace: Trace, flow: I64, eligible: Mask, place: int) -> Evidence:
    """Write down one family, for the flows that show it where hardly one is spared."""
    hosts = trace.hosts
    group, network = combined(trace.flows.path), combined(hosts.high, hosts.low >> np.uint64(8))
    showing = np.bincount(group[flow], minlength=len(group))
    pairs = distinct(group[flow] << 32 | network[trace.flows.server[flow]])
    networks = np.bincount(pairs >> 32, minlength=len(group))
    common = (networks >= FEWEST) & (showing >= MOST * np.bincount(group[eligible], minlength=len(group)))
    flow = flow[common[group[flow]]]
    count = networks[group[flow]]
    first = np.arange(len(flow) + 1)
    return Evidence.of(
        subject=flow.astype(np.int32),
        subject_kind=np.full(len(flow), SubjectKind.FLOW, np.uint8),
        rule=np.full(len(flow), place, np.uint16),
        time=trace.flows.first[flow],
        llr=-np.log1p(count.astype(np.float64)),
        forged=Ragged.empty(len(flow), np.int32),
        witness=Ragged.from_lengths(np.ones(len(flow), np.int64), trace.flows.first_packet[flow]),
        measured=Ragged(first.astype(np.int64), count.astype(np.float64)),
        rules=RULES,
    )
