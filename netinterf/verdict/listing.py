"""What a verdict lists: further mechanisms, its evidence by weight, the packets held to be forged."""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.mechanisms import related
from netinterf.numbering import distinct, ordered_within
from netinterf.schema import Evidence, Grade, Groups, Verdicts
from netinterf.table import Ragged, spans
from netinterf.verdict.model import Model
from netinterf.verdict.weigh import Hypotheses

__all__ = ["forged_frames", "forged_of_accused", "forged_packets", "further", "strongest_first", "supporting_evidence"]

GRADES = tuple(Grade)

SEARCHED = 200
"""Members, the surest first, among whom frames and observations are looked for."""

MOST_FRAMES = 100
"""Frames listed for a group; all of them stand with its members."""


def further(hypotheses: Hypotheses, mechanism: I64, apart: Mask, model: Model) -> tuple[Ragged, Ragged]:
    """List the other mechanisms of each row that are *apart* and ``possible`` or more on their own, likeliest first."""
    own = 1.0 / (1.0 + np.exp(-hypotheses.score))
    chosen = np.flatnonzero((own >= model.possible) & apart & hypotheses.supported)
    chosen = chosen[hypotheses.mechanism[chosen] != mechanism[hypotheses.row[chosen]]]
    chosen = chosen[np.lexsort((hypotheses.mechanism[chosen], -own[chosen], hypotheses.row[chosen]))]
    sizes = np.bincount(hypotheses.row[chosen], minlength=len(mechanism))
    return (
        Ragged.from_lengths(sizes, hypotheses.mechanism[chosen].astype(np.int32)),
        Ragged.from_lengths(sizes, own[chosen]),
    )


def strongest_first(evidence: Evidence, value: F64, row: I64, count: int) -> tuple[Ragged, Ragged]:
    """List the evidence of each verdict row, by falling weight either way; equal weights in order of time.

    What is equal in time as well is listed by the names of its rules.

    Args:
        evidence: All observations.
        value: What each weighs under the model.
        row: Verdict row of each, -1 for none.
        count: Number of verdict rows.

    Returns:
        Rows of evidence, and what each of them weighs.
    """
    rows = np.flatnonzero(row >= 0)
    alphabet = np.zeros(len(evidence.rules), np.int64)  # rules are numbered as they are met
    by_name = sorted(evidence.rules_seen, key=lambda place: evidence.rules[place].id)
    alphabet[by_name] = np.arange(len(by_name))
    order = rows[ordered_within(row[rows], -np.abs(value[rows]), evidence.time[rows], alphabet[evidence.rule[rows]])]
    sizes = np.bincount(row[rows], minlength=count)
    return Ragged.from_lengths(sizes, order.astype(np.int32)), Ragged.from_lengths(sizes, value[order])


def forged_packets(evidence: Evidence, value: F64, hypotheses: Hypotheses, top: I64) -> Ragged:
    """List the packets that the leading mechanism is held to have forged, per verdict row, in order of time."""
    owner = hypotheses.row[hypotheses.pair_hypothesis]
    chosen = (top[owner] == hypotheses.pair_hypothesis) & (value[hypotheses.pair_evidence] > 0)
    rows, witnesses = owner[chosen], hypotheses.pair_evidence[chosen]
    sizes = evidence.forged.lengths[witnesses]
    packet = evidence.forged.values[spans(evidence.forged.offsets[witnesses], sizes)]
    pairs = distinct(np.repeat(rows, sizes) << 32 | packet.astype(np.int64))
    counts = np.bincount(pairs >> 32, minlength=len(top))
    return Ragged.from_lengths(counts, (pairs & 0xFFFFFFFF).astype(np.int32))


def forged_of_accused(verdicts: Verdicts) -> Ragged:
    """Keep what is held to be forged only of verdicts that name a mechanism."""
    judged = np.flatnonzero(verdicts.grade <= GRADES.index(Grade.POSSIBLE))
    sizes = np.zeros(len(verdicts), np.int64)
    sizes[judged] = verdicts.forged.lengths[judged]
    rows = verdicts.forged.values[spans(verdicts.forged.offsets[judged], sizes[judged])]
    return Ragged.from_lengths(sizes, rows)


def forged_frames(groups: Groups, verdicts: Verdicts, evidence: Evidence) -> Ragged:
    """List the frames held to be forged among the surest members of each group, at most :data:`MOST_FRAMES`.

    Args:
        groups: The groups.
        verdicts: How their members were judged.
        evidence: The observations about them, packets by frame number.
    """
    frames = []
    for group in range(len(groups)):  # few
        rows, _ = supporting_evidence(groups, verdicts, evidence, group)
        frames.append(distinct(evidence.forged.take(rows.values).values.astype(np.int64))[:MOST_FRAMES])
    return Ragged.of(frames, np.int64)


def supporting_evidence(groups: Groups, verdicts: Verdicts, evidence: Evidence, group: int) -> tuple[Ragged, Ragged]:
    """List, for the surest members of a group, what speaks for its mechanism: rows in Evidence, and their weights."""
    mechanism = groups.mechanisms[groups.mechanism[group]]
    members = groups.subjects[group][:SEARCHED]
    rows, weights = verdicts.evidence.take(members), verdicts.weight.take(members)
    rule = evidence.rule[rows.values]
    relevant = np.zeros(len(evidence.rules), np.bool_)
    for shown in distinct(rule.astype(np.int64)).tolist():  # few of all rules
        relevant[shown] = related(evidence.rules[shown].mechanism, mechanism)
    speaks = (weights.values > 0) & relevant[rule]
    counts = np.bincount(rows.parents()[speaks], minlength=len(members))
    return Ragged.from_lengths(counts, rows.values[speaks]), Ragged.from_lengths(counts, weights.values[speaks])
