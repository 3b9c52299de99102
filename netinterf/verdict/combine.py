"""From evidence to verdicts: outcome, grade, mechanism, probability and false-discovery rate of every subject.

The weighing itself is in `netinterf.verdict.weigh`; here the posterior is turned into words by the verdict contract:
``likely`` from 0.9, ``confirmed`` from 0.99 when besides something decisive or two independent families of evidence
were seen, ``possible`` from 0.5 as a hint without accusation. Below that, what happened is told by plain rules
(`netinterf.verdict.health`).
"""

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.schema import Evidence, Grade, Outcome, Verdicts
from netinterf.table import Ragged, spans
from netinterf.verdict.health import exchange_reasons, flow_reasons, outcomes
from netinterf.verdict.model import Model, default_model
from netinterf.verdict.reasons import Reason
from netinterf.verdict.subjects import Subjects, list_subjects, row_of
from netinterf.verdict.trigger import find_triggers
from netinterf.verdict.weigh import Hypotheses, covers, odds_of, vocabulary, weigh

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["classify", "expected_fdr"]

OUTCOMES, GRADES = tuple(Outcome), tuple(Grade)
OK, INTERFERED, INSUFFICIENT = (OUTCOMES.index(x) for x in (Outcome.OK, Outcome.INTERFERED, Outcome.INSUFFICIENT))
CONFIRMED, LIKELY, POSSIBLE, NONE, UNJUDGED = range(len(GRADES))

SYN_MECHANISMS = ("tcp.connect", "tcp.synack")
"""Mechanisms that work on the opening of a connection, before a name is seen."""

CONTRAST_MECHANISMS = ("rate", "tcp.drop", "tcp.connect.drop", "dns.drop", "quic.drop")
"""Mechanisms whose verdict says whether others are spared (verdict contract, ``selective``)."""

Mask = NDArray[np.bool_]


def classify(evidence: Evidence, trace: "Trace", model: Model | None = None) -> Verdicts:
    """Judge every flow and DNS exchange of a capture.

    Args:
        evidence: What analyzers saw in *trace*; order does not matter.
        trace: The capture the evidence is about.
        model: Priors, caps and grades; None takes the model that ships with the library.

    Returns:
        One row per flow (UDP flows that are only DNS left out) and per exchange, also for those without evidence.

    Raises:
        SchemaError: Evidence points at a subject that the trace does not have.
    """
    model = model or default_model()
    subjects = list_subjects(trace, evidence)
    row = row_of(evidence, subjects)
    mechanisms = vocabulary(model, evidence.rules)
    hypotheses = weigh(evidence, row, subjects.prior_kind, mechanisms, model)
    selective = find_selective(evidence, row, len(subjects))
    held_back, plan, unsure = restrain(hypotheses, selective, mechanisms, model)
    odds = odds_of(held_back, subjects.prior_kind, model)
    probability = odds / (1.0 + odds)
    accused = probability >= model.possible
    top, mechanism = leading(held_back, odds, accused, mechanisms)
    grade = grade_of(probability, held_back, top, _may_confirm(trace, subjects, model), model)
    bits = np.concatenate([flow := flow_reasons(trace), exchange_reasons(trace, flow)])[_place(subjects, trace)]
    bits = np.where(accused, np.where(probability >= model.likely, 0, Reason.SUSPICION), bits).astype(np.uint32)
    bits[unsure & (grade == POSSIBLE)] |= np.uint32(Reason.NO_CONTRAST)
    bits[plan & ~accused] = 0
    outcome = np.where(grade <= LIKELY, INTERFERED, np.where(grade == POSSIBLE, INSUFFICIENT, outcomes(bits)))
    grade = np.where((grade == NONE) & (outcome == INSUFFICIENT), UNJUDGED, grade)
    also, also_probability = further(held_back, mechanism, accused, model)
    trigger = find_triggers(trace, subjects, accused, _is_any(mechanism, mechanisms, SYN_MECHANISMS))
    contrast = plan | _is_any(mechanism, mechanisms, CONTRAST_MECHANISMS)
    return Verdicts(
        subject=subjects.subject,
        subject_kind=subjects.kind,
        flow=subjects.flow,
        first_packet=subjects.first_packet,
        start=subjects.start,
        end=subjects.end,
        outcome=outcome.astype(np.uint8),
        grade=grade.astype(np.uint8),
        mechanism=mechanism.astype(np.int32),
        probability=probability,
        q_value=expected_fdr(probability),
        also=also,
        also_probability=also_probability,
        evidence=strongest_first(evidence, row, len(subjects)),
        forged=forged_packets(evidence, held_back, top),
        reasons=bits,
        selective=np.where(contrast, selective, -1).astype(np.int8),
        name=subjects.name,
        trigger=trigger.kind,
        trigger_value=trigger.value,
        trigger_packet=trigger.packet,
        mechanisms=mechanisms,
        model=model.name,
    )


def expected_fdr(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute, for each verdict, the expected share of false alarms among all at least as probable.

    The Bayesian false discovery rate: the running mean of ``1 - probability`` from the most probable downwards
    (Newton et al., Biostatistics 2004). Equal probabilities share one value. Empty in, empty out.
    """
    order = np.argsort(-probability, kind="stable")
    sorted_probability = probability[order]
    mean = np.cumsum(1.0 - sorted_probability) / np.arange(1, len(order) + 1)
    last = np.searchsorted(-sorted_probability, -sorted_probability, side="right") - 1
    result = np.empty(len(order))
    result[order] = np.clip(mean[last], 0.0, 1.0)
    return result


def find_selective(evidence: Evidence, row: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Read the measure ``selective`` of each subject's evidence: 1, 0, or -1 when nothing allows the comparison.

    Of several that speak, the strongest observation is believed.
    """
    selective = np.full(count, -1, np.int64)
    place = np.array([_measure(rule.measures) for rule in evidence.rules] or [-1], np.int64)[evidence.rule]
    rows = np.flatnonzero((place >= 0) & (row >= 0))
    value = evidence.measured.values[evidence.measured.offsets[rows] + place[rows]]
    rows, value = rows[~np.isnan(value)], value[~np.isnan(value)]
    order = np.lexsort((value, np.abs(evidence.llr[rows])))
    selective[row[rows[order]]] = value[order] >= 0.5  # the last write wins: the strongest
    return selective


def _measure(measures: tuple[str, ...]) -> int:
    return measures.index("selective") if "selective" in measures else -1


def restrain(
    hypotheses: Hypotheses, selective: NDArray[np.int64], mechanisms: tuple[str, ...], model: Model
) -> tuple[Hypotheses, Mask, Mask]:
    """Hold back what the capture cannot tell from a plan or a slow link (verdict contract, section 2).

    A rate that limits the whole link alike is a plan: nothing weighs for it. Queueing to a rate that is not shown to
    be selective cannot reach ``likely``.

    Returns:
        The hypotheses, and per verdict row: limited by a plan, and shaped without a contrast.
    """
    rate = np.array([covers("rate", word) for word in mechanisms] or [False])[hypotheses.mechanism]
    shaping = np.array([word in {"rate", "rate.shaping"} for word in mechanisms] or [False])[hypotheses.mechanism]
    chosen = selective[hypotheses.row]
    limited = rate & (chosen == 0)
    ceiling = np.log(model.shaping_ceiling / (1 - model.shaping_ceiling)) - hypotheses.prior
    doubtful = shaping & (chosen != 1) & (hypotheses.llr > ceiling)
    llr = np.where(doubtful, ceiling, hypotheses.llr)
    llr = np.where(limited, np.minimum(llr, 0.0), llr)
    plan, unsure = np.zeros(len(selective), np.bool_), np.zeros(len(selective), np.bool_)
    plan[hypotheses.row[limited & (hypotheses.llr > 0)]] = True
    unsure[hypotheses.row[doubtful]] = True
    return attrs.evolve(hypotheses, llr=llr), plan, unsure


def leading(
    hypotheses: Hypotheses, odds: NDArray[np.float64], accused: Mask, mechanisms: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the mechanism of each accused row.

    When no mechanism holds half of the odds, the two that lead are answered by their common prefix, if they have one.

    Returns:
        Per verdict row: the leading hypothesis, and the mechanism to name; -1 for rows that are not accused.
    """
    top, mechanism = np.full(len(odds), -1, np.int64), np.full(len(odds), -1, np.int64)
    order = np.lexsort((-hypotheses.mechanism, hypotheses.score, hypotheses.row))
    top[hypotheses.row[order]] = order  # the last write wins: the highest score
    top[~accused] = -1
    named = np.flatnonzero(top >= 0)
    mechanism[named] = hypotheses.mechanism[top[named]]
    share = np.exp(hypotheses.score[top[named]]) / odds[named]
    for row in named[share < 0.5]:
        first, last = np.searchsorted(hypotheses.row, [row, row + 1])
        ranked = sorted(range(first, last), key=lambda place: -hypotheses.score[place])
        words = [mechanisms[hypotheses.mechanism[place]] for place in ranked[:2]]
        prefix = common_prefix(words)
        if prefix:
            mechanism[row] = mechanisms.index(prefix)
    return top, mechanism


def common_prefix(words: list[str]) -> str:
    """Return the dotted path that all of *words* begin with, empty without one."""
    parts = []
    for level in zip(*(word.split(".") for word in words), strict=False):
        if len(set(level)) > 1:
            break
        parts.append(level[0])
    return ".".join(parts)


def grade_of(
    probability: NDArray[np.float64], hypotheses: Hypotheses, top: NDArray[np.int64], may_confirm: Mask, model: Model
) -> NDArray[np.int64]:
    """Climb the ladder of grades: index into ``Grade`` per verdict row, ``none`` below ``possible``."""
    proof = np.zeros(len(top), np.bool_)
    named = top >= 0
    proof[named] = (hypotheses.decisive | (hypotheses.groups >= 2))[top[named]]
    steps = [(probability >= model.confirmed) & proof & may_confirm, probability >= model.likely]
    grades: NDArray[np.int64] = np.select(
        [*steps, probability >= model.possible], [CONFIRMED, LIKELY, POSSIBLE], NONE
    ).astype(np.int64)
    return grades


def _may_confirm(trace: "Trace", subjects: Subjects, model: Model) -> Mask:
    """Say which subjects were captured well enough to confirm: no holes in the capture, and both directions.

    Holes fake contradictions, and one direction alone shows no reaction.
    """
    packets = trace.sides.packets
    both = (packets[0::2] > 0) & (packets[1::2] > 0)
    result: Mask = both[subjects.flow] & (trace.facts.capture_loss_share <= model.loss_ceiling)
    return result


def _place(subjects: Subjects, trace: "Trace") -> NDArray[np.int64]:
    """Find each subject in "all flows, then all exchanges"."""
    place: NDArray[np.int64] = subjects.subject.astype(np.int64) + len(trace.flows) * (subjects.kind == 1)
    return place


def _is_any(mechanism: NDArray[np.int64], mechanisms: tuple[str, ...], general: tuple[str, ...]) -> Mask:
    known = np.array([any(covers(word, m) for word in general) for m in mechanisms] + [False])
    result: Mask = known[mechanism]
    return result


def further(
    hypotheses: Hypotheses,
    mechanism: NDArray[np.int64],
    accused: Mask,
    model: Model,
) -> tuple[Ragged, Ragged]:
    """List the other mechanisms of each accused row that are ``possible`` or more on their own, likeliest first."""
    own = 1.0 / (1.0 + np.exp(-hypotheses.score))
    chosen = np.flatnonzero((own >= model.possible) & accused[hypotheses.row])
    chosen = chosen[hypotheses.mechanism[chosen] != mechanism[hypotheses.row[chosen]]]
    chosen = chosen[np.lexsort((hypotheses.mechanism[chosen], -own[chosen], hypotheses.row[chosen]))]
    sizes = np.bincount(hypotheses.row[chosen], minlength=len(mechanism))
    return (
        Ragged.from_lengths(sizes, hypotheses.mechanism[chosen].astype(np.int32)),
        Ragged.from_lengths(sizes, own[chosen]),
    )


def strongest_first(evidence: Evidence, row: NDArray[np.int64], count: int) -> Ragged:
    """List the evidence of each verdict row, by falling weight either way; equal weights in order of time and rule."""
    rows = np.flatnonzero(row >= 0)
    keys = (evidence.rule[rows], evidence.time[rows], -np.abs(evidence.llr[rows]), row[rows])
    order = rows[np.lexsort(keys)]
    return Ragged.from_lengths(np.bincount(row[rows], minlength=count), order.astype(np.int32))


def forged_packets(evidence: Evidence, hypotheses: Hypotheses, top: NDArray[np.int64]) -> Ragged:
    """List the packets that the leading mechanism is held to have forged, per verdict row, in order of time."""
    owner = hypotheses.row[hypotheses.pair_hypothesis]
    chosen = (top[owner] == hypotheses.pair_hypothesis) & (evidence.llr[hypotheses.pair_evidence] > 0)
    rows, witnesses = owner[chosen], hypotheses.pair_evidence[chosen]
    sizes = evidence.forged.lengths[witnesses]
    packet = evidence.forged.values[spans(evidence.forged.offsets[witnesses], sizes)]
    pairs = np.unique(np.repeat(rows, sizes) << 32 | packet.astype(np.int64))
    counts = np.bincount(pairs >> 32, minlength=len(top))
    return Ragged.from_lengths(counts, (pairs & 0xFFFFFFFF).astype(np.int32))
