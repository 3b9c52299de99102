"""From evidence to verdicts: outcome, grade, mechanism, probability and false-discovery rate of every subject.

The weighing itself is in `netinterf.verdict.weigh`, and what a certain case says of others on its path in
`netinterf.verdict.same_path`; here the posterior is turned into words by the verdict format:
``likely`` from 0.9, ``confirmed`` from 0.99 when besides something was seen that is proof by itself, ``possible`` from
0.5 as a hint without accusation. Below that, what happened is told by plain rules (`netinterf.verdict.health`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import numpy as np

from netinterf.arrays import F64, I32, I64, U8, Mask
from netinterf.mechanisms import Mechanism, Trigger, known_as
from netinterf.schema import Evidence, Grade, Outcome, SubjectKind, TriggerKind, Verdicts
from netinterf.stats.multiple import posterior_q
from netinterf.table import Ragged
from netinterf.verdict.health import outcomes
from netinterf.verdict.listing import forged_packets, further, strongest_first
from netinterf.verdict.model import SUBJECTS, Model, default_model
from netinterf.verdict.reasons import CATALOGUE, Bits, Reason, reason_of
from netinterf.verdict.same_path import beside_certain, raise_priors
from netinterf.verdict.selective import find_selective, limited_alone, undecided
from netinterf.verdict.standing import Standing, apart, proven, stand
from netinterf.verdict.subjects import Subjects, list_subjects, row_of
from netinterf.verdict.weigh import Hypotheses, values, vocabulary, weigh

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["classify", "judge"]

OUTCOMES, GRADES = tuple(Outcome), tuple(Grade)
OK, INTERFERED, INSUFFICIENT = (OUTCOMES.index(x) for x in (Outcome.OK, Outcome.INTERFERED, Outcome.INSUFFICIENT))
CONFIRMED, LIKELY, POSSIBLE, NONE, UNJUDGED = range(len(GRADES))

RARER = 10.0
"""By how much rarer interference is taken to be when a verdict is tried for how it depends on its prior."""

SUBSTANTIAL, STRONG = float(np.log(10.0)) / 2, float(np.log(10.0))
"""Nats from which evidence is worth more than a bare mention, and from which it is strong (Jeffreys, Theory of
Probability, 1961, appendix B). Of what shows something worth a mention nobody says that nothing suggests interference,
also where it is too little to say that somebody interfered; nor is what is less than ten to one healthy."""


def classify(evidence: Evidence, trace: "Trace", model: Model | None = None) -> Verdicts:
    """Judge every flow and DNS exchange of a capture.

    Args:
        evidence: What analyzers saw in *trace*; order does not matter.
        trace: The capture the evidence is about.
        model: Priors, weights, caps and grades; None takes the model that ships with the library.

    Returns:
        One row per flow (UDP flows that are only DNS left out) and per exchange, also for those without evidence.

    Raises:
        SchemaError: Evidence points at a subject that the trace does not have.
    """
    return judge(evidence, list_subjects(trace, evidence), model)


def judge(evidence: Evidence, subjects: Subjects, model: Model | None = None) -> Verdicts:
    """Judge subjects by their evidence alone; see `classify`.

    Args:
        evidence: What analyzers saw.
        subjects: Who is judged.
        model: Priors, weights, caps and grades; None takes the model that ships with the library.
    """
    model = model or default_model()
    row, count = row_of(evidence, subjects), len(subjects)
    mechanisms, quiet = vocabulary(model, evidence.rules), quiet_weights(subjects, model)
    selective, doubt = find_selective(evidence, row, count), undecided(evidence, row, subjects.in_part, count)
    plain, now = standings(evidence, row, selective, doubt, subjects, quiet, mechanisms, model)
    restrained, plan, top, odds = now.hypotheses, now.plan, now.top.copy(), now.odds()
    probability = odds / (1.0 + odds)
    accused = (probability >= model.possible) & (top >= 0)
    suspected = top.copy()
    top[~accused] = -1
    mechanism = name_mechanism(restrained, top, odds, mechanisms)
    may_confirm = proven(restrained, top) & subjects.whole & (subjects.loss_share <= model.loss_ceiling)
    may_confirm &= plain.odds() >= model.confirmed / (1.0 - model.confirmed)  # by itself, whatever company it keeps
    grade = grade_of(odds, accused, may_confirm, model)
    alone = limited_alone(restrained, selective, mechanisms, doubt)
    telling = (np.append(restrained.shown, 0.0)[suspected] >= SUBSTANTIAL) | (odds >= np.exp(-STRONG))
    telling |= beside_certain(restrained, subjects, mechanisms, model)
    skipped = left_open(evidence, row, count)
    unseen = np.where(skipped != 0, skipped, subjects.unseen)
    bits = reasons_of(grade, accused, subjects.reasons, now, telling=telling, alone=alone, unseen=unseen)
    outcome = np.where(grade <= LIKELY, INTERFERED, np.where(grade == POSSIBLE, INSUFFICIENT, outcomes(bits)))
    value = values(evidence, model)
    listed, weight = strongest_first(evidence, value, row, len(subjects))
    also, also_probability = further(restrained, mechanism, apart(restrained, mechanism, accused, mechanisms), model)
    contrast = plan | which(mechanism, mechanisms, lambda record: record.selective)
    by_address = set_off_by(mechanism, mechanisms, Trigger.OPENING) & (subjects.kind == SubjectKind.FLOW)
    by_address |= set_off_by(mechanism, mechanisms, Trigger.PLACE)
    forged = forged_packets(evidence, value, restrained, top)
    trigger, trigger_packet = set_off(subjects, forged, by_address, set_off_by(mechanism, mechanisms, Trigger.BYTES))
    trigger[~accused], trigger_packet[~accused] = 0, -1
    return Verdicts(
        subject=subjects.subject,
        subject_kind=subjects.kind,
        flow=subjects.flow,
        first_packet=subjects.first_packet,
        start=subjects.start,
        end=subjects.end,
        outcome=outcome.astype(np.uint8),
        grade=np.where((grade == NONE) & (outcome == INSUFFICIENT), UNJUDGED, grade).astype(np.uint8),
        grade_if_rarer=grade_of(now.odds(RARER), accused, may_confirm, model).astype(np.uint8),
        mechanism=mechanism.astype(np.int32),
        raised=grade < grade_of(plain.odds(), accused, may_confirm, model),
        probability=probability,
        q_value=posterior_q(probability),
        also=also,
        also_probability=also_probability,
        evidence=listed,
        weight=weight,
        forged=forged,
        reasons=bits,
        selective=np.where(contrast, selective, -1).astype(np.int8),
        name=subjects.name,
        trigger=trigger,
        trigger_packet=trigger_packet,
        mechanisms=mechanisms,
        model=model.name,
    )


UNKNOWN = np.int64(sum(reason for reason, cause in CATALOGUE.items() if cause.outcome is Outcome.INSUFFICIENT))
"""Reasons for which a subject is not known to have worked: no plan explains these."""


def reasons_of(
    grade: I64, accused: Mask, plain: Bits, now: Standing, *, telling: Mask, alone: Mask, unseen: Bits
) -> Bits:
    """Say why subjects stay open: those of a flow as such, where nothing that was seen of it says more.

    Args:
        grade: Place in the enumeration Grade.
        accused: Interference is possible at least.
        plain: Reasons without evidence.
        now: How their hypotheses stand.
        telling: Evidence shows too much to say that nothing happened.
        alone: Limited, with nobody to compare.
        unseen: Reasons for which analyzers could not look.
    """
    bits = np.where(accused, np.where(grade <= LIKELY, 0, Reason.SUSPICION), plain).astype(np.int64)
    bits[now.unsure & (grade == POSSIBLE)] |= Reason.NO_CONTRAST
    bits[now.gap & (grade == POSSIBLE)] |= Reason.GAP
    bits[telling & ~accused & (bits == 0)] = Reason.SUSPICION
    bits[alone & ~accused & (bits == 0)] = Reason.NO_CONTRAST
    bits = np.where(now.plan & ~accused, plain & UNKNOWN, bits)  # nothing is wrong
    return np.where(~accused & (bits == 0), unseen, bits)


def left_open(evidence: Evidence, row: I64, count: int) -> Bits:
    """Give the reasons for which analyzers could not look at subjects: they had looked at enough, or were blind."""
    bits = np.zeros(count + 1, np.int64)
    for code in evidence.rules_seen:
        if evidence.rules[code].leaves:
            bits[row[evidence.rule == code]] |= reason_of(evidence.rules[code].leaves)
    return bits[:count]


def standings(
    evidence: Evidence,
    row: I64,
    selective: I64,
    doubt: Mask,
    subjects: Subjects,
    quiet: F64,
    mechanisms: tuple[str, ...],
    model: Model,
) -> tuple[Standing, Standing]:
    """Let the hypotheses compete, by the priors of the model, and by those that certain cases on their paths raise."""
    hypotheses = weigh(evidence, row, subjects.prior_kind, quiet, mechanisms, model)
    plain = stand(hypotheses, selective, doubt, subjects, quiet, mechanisms, model)
    raised = raise_priors(plain.hypotheses, evidence, subjects, quiet, mechanisms, model)
    if not raised.any():
        return plain, plain
    return plain, stand(attrs.evolve(hypotheses, raised=raised), selective, doubt, subjects, quiet, mechanisms, model)


def set_off(subjects: Subjects, forged: Ragged, by_address: Mask, by_bytes: Mask) -> tuple[U8, I32]:
    """Say what set interference with each subject off, if there was any: TriggerKind code and packet, -1 for none.

    Openings are judged by their address, protocols by their first bytes, all else by the name that was asked for.
    """
    kind = np.where(by_bytes, TriggerKind.BYTES_CLASS, np.where(by_address, TriggerKind.ADDRESS, subjects.named_by))
    first = np.append(forged.values, -1)[np.where(forged.lengths > 0, forged.offsets[:-1], len(forged.values))]
    packet = np.where(by_bytes, first, np.where(by_address, subjects.first_packet, subjects.named_in))
    return kind.astype(np.uint8), np.where(kind == 0, -1, packet).astype(np.int32)


def quiet_weights(subjects: Subjects, model: Model) -> F64:
    """Say what it weighs that a subject shows nothing unusual: by what happened to it, nats."""
    codes = {reason: cause.code for reason, cause in CATALOGUE.items()}
    lowest = subjects.reasons & -subjects.reasons
    bit = np.where(lowest == 0, 0, 1 + np.log2(np.maximum(lowest, 1)).astype(np.int64))
    happened = ["ok", *(codes[reason] for reason in Reason)]
    table = np.array([[model.quiet.get((kind, word), 0.0) for word in happened] for kind in SUBJECTS])
    weights: F64 = table[subjects.prior_kind, bit]
    return weights


def name_mechanism(hypotheses: Hypotheses, top: I64, odds: F64, mechanisms: tuple[str, ...]) -> I64:
    """Name the mechanism of each accused row, -1 for the others.

    When no mechanism holds half of the odds, the two that lead are answered by their common prefix, if they have one.
    """
    mechanism = np.full(len(odds), -1, np.int64)
    named = np.flatnonzero(top >= 0)
    mechanism[named] = hypotheses.mechanism[top[named]]
    share = np.exp(hypotheses.score[top[named]]) / odds[named]
    for row in named[share < 0.5]:  # few
        first, last = np.searchsorted(hypotheses.row, [row, row + 1])
        ranked = sorted(range(first, last), key=lambda place: -hypotheses.score[place])
        words = [mechanisms[hypotheses.mechanism[place]] for place in ranked[:2]]
        prefix = common_prefix(words)
        if prefix:
            mechanism[row] = mechanisms.index(prefix)
    return mechanism


def common_prefix(words: list[str]) -> str:
    """Return the dotted path that all of *words* begin with, empty without one."""
    parts = []
    for level in zip(*(word.split(".") for word in words), strict=False):
        if len(set(level)) > 1:
            break
        parts.append(level[0])
    return ".".join(parts)


def grade_of(odds: F64, accused: Mask, may_confirm: Mask, model: Model) -> I64:
    """Climb the ladder of grades: index into ``Grade`` per verdict row, ``none`` below ``possible``."""
    probability = np.where(accused, odds / (1.0 + odds), 0.0)
    grades: I64 = np.select(
        [
            (probability >= model.confirmed) & may_confirm,
            probability >= model.likely,
            probability >= model.possible,
        ],
        [CONFIRMED, LIKELY, POSSIBLE],
        NONE,
    ).astype(np.int64)
    return grades


def which(mechanism: I64, mechanisms: tuple[str, ...], holds: Callable[[Mechanism], bool]) -> Mask:
    """Say which rows carry a mechanism of which something holds."""
    records = (known_as(path) for path in mechanisms)
    known = np.array([record is not None and holds(record) for record in records] + [False])
    result: Mask = known[mechanism]
    return result


def set_off_by(mechanism: I64, mechanisms: tuple[str, ...], trigger: Trigger) -> Mask:
    """Say which rows carry a mechanism that such a thing sets off."""
    return which(mechanism, mechanisms, lambda record: record.trigger is trigger)
