"""A slow, obvious twin of the weighing of evidence: one subject, one mechanism, one group at a time."""

import math
from collections.abc import Mapping

import attrs

from netinterf.schema import Evidence
from netinterf.verdict.model import Model

__all__ = ["Fate", "Sum", "covers", "naive_llr", "naive_odds", "naive_probability", "naive_raised"]


@attrs.frozen
class Sum:
    """What speaks for and against one mechanism of one subject."""

    support: float
    against: float
    decisive: bool
    groups: int  # that speak for it


@attrs.frozen
class Fate:
    """What a subject is apart from its evidence."""

    kind: str = "tcp"
    happened: str = "ok"
    path: tuple[int, int] = (0, 1)
    sound: bool = True


def covers(general: str, special: str) -> bool:
    """Say whether a statement about the general mechanism bears on the special one."""
    return general in ("", special) or special.startswith(general + ".")


def added(evidence: Evidence, subject: int, mechanism: str, model: Model, *, own: bool = False) -> Sum:
    """Take the strongest observation of each group, of equal ones the harmless, and add them up by side.

    With *own*, what was drawn from other subjects is left out.
    """
    by_group: dict[str, list[float]] = {}
    decisive = False
    for row in range(len(evidence)):
        rule = evidence.rules[evidence.rule[row]]
        llr = float(evidence.llr[row])
        if own and rule.shared:
            continue
        if evidence.subject[row] != subject or math.isnan(llr) or llr == 0 or not covers(rule.mechanism, mechanism):
            continue
        value = llr * model.factors.get(rule.id, 1.0)
        bound = min(model.bounds.get(rule.id, model.other_bound), model.group_cap)
        upper = max(model.group_cap, model.decisive_cap) if rule.decisive else bound
        value = min(max(value, -model.group_cap), upper)
        decisive = decisive or (rule.decisive and value > 0)
        by_group.setdefault(rule.group, []).append(value)
    chosen = [max(values, key=lambda value: (abs(value), -value)) for values in by_group.values()]
    gains = sorted((v for v in chosen if v > 0), reverse=True)
    said = 0.0 if mechanism in model.joint else model.dependence
    support = sum(gains[:1]) + (1 - said) * sum(gains[1:])
    return Sum(support, sum(v for v in chosen if v < 0), decisive, len(gains))


def naive_llr(
    evidence: Evidence,
    subject: int,
    mechanism: str,
    model: Model,
    kind: str = "tcp",
    happened: str = "ok",
    *,
    own: bool = False,
) -> float:
    """Say what the evidence about one mechanism of one subject is worth, nats."""
    found = added(evidence, subject, mechanism, model, own=own)
    cap = model.total_caps.get(kind, model.other_total_cap)
    silent = min(max(model.quiet.get((kind, happened), 0.0) + found.against, -cap), cap)
    if found.support == 0:
        return silent
    upper = max(cap, model.decisive_cap) if found.decisive else cap  # what is proof by itself has a cap of its own
    missing = 0.0 if found.decisive or found.groups > 1 else model.alone.get(mechanism, 0.0)
    return max(min(max(found.support + missing + found.against, -cap), upper), silent)


def named(evidence: Evidence, subject: int) -> set[str]:
    """List the mechanisms under suspicion of one subject, the most special ones."""
    words = {
        evidence.rules[code].mechanism for code, s in zip(evidence.rule, evidence.subject, strict=True) if s == subject
    }
    return {word for word in words if word and not any(o != word and covers(word, o) for o in words)}


def naive_raised(evidence: Evidence, subject: int, mechanism: str, model: Model, everybody: list[Fate]) -> float:
    """Say by how many nats a certain case of another subject of the path raises the prior of one mechanism."""

    def certain(other: int) -> bool:
        fate = everybody[other]
        prior = model.priors.get((fate.kind, mechanism), model.other_prior)
        return fate.sound and all(
            prior + naive_llr(evidence, other, mechanism, model, fate.kind, fate.happened, own=own)
            >= math.log(model.confirmed / (1 - model.confirmed))
            and added(evidence, other, mechanism, model, own=own).groups > 1
            for own in (False, True)
        )

    mine = everybody[subject]
    company = [
        other
        for other, fate in enumerate(everybody)
        if other != subject and (fate.path, fate.kind) == (mine.path, mine.kind) and mechanism in named(evidence, other)
    ]
    if mechanism in model.joint or not any(certain(other) for other in company):
        return 0.0
    own = added(evidence, subject, mechanism, model, own=True)
    if own.support == 0:
        return 0.0
    everything, alone = (
        naive_llr(evidence, subject, mechanism, model, mine.kind, mine.happened, own=only) for only in (False, True)
    )
    cap = model.total_caps.get(mine.kind, model.other_total_cap)
    upper = max(cap, model.decisive_cap) if own.decisive else cap
    most = min(max(min(own.support + own.against, upper), 0.0), math.log(model.same_path))
    return max(everything, min(everything, alone) + most) - everything


def naive_odds(
    evidence: Evidence,
    subject: int,
    model: Model,
    kind: str = "tcp",
    happened: str = "ok",
    raised: Mapping[str, float] | None = None,
) -> float:
    """Compute the odds that one subject was interfered with, whatever the mechanism."""
    words, raised = named(evidence, subject), raised or {}
    quiet = model.quiet.get((kind, happened), 0.0)
    odds = sum(
        math.exp(prior + quiet) for (of, word), prior in model.priors.items() if of == kind and word not in words
    )
    for word in words:
        llr = naive_llr(evidence, subject, word, model, kind, happened) + raised.get(word, 0.0)
        prior = model.priors.get((kind, word))
        if prior is None:
            odds += max(0.0, math.exp(model.other_prior + llr) - math.exp(model.other_prior))
        else:
            odds += math.exp(prior + llr)
    found = {word: added(evidence, subject, word, model) for word in words}
    scores = {
        word: model.priors.get((kind, word), model.other_prior)
        + naive_llr(evidence, subject, word, model, kind, happened)
        + raised.get(word, 0.0)
        for word in words
        if found[word].support > 0
    }
    if not scores:  # nobody is accused by silence
        return min(odds, 0.99 * model.possible / (1 - model.possible))
    top = found[max(scores, key=lambda word: scores[word])]
    if not top.decisive and top.groups < 2:  # nor by one oddity alone
        odds = min(odds, 0.99 * model.likely / (1 - model.likely))
    return odds


def naive_probability(
    evidence: Evidence,
    subject: int,
    model: Model,
    kind: str = "tcp",
    happened: str = "ok",
    raised: Mapping[str, float] | None = None,
) -> float:
    """Compute the probability that one subject was interfered with."""
    odds = naive_odds(evidence, subject, model, kind, happened, raised)
    return odds / (1 + odds)
