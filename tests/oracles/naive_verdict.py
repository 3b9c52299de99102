"""A slow, obvious twin of the weighing of evidence: one subject, one mechanism, one group at a time."""

import math

import attrs

from netinterf.schema import Evidence
from netinterf.verdict.model import Model

__all__ = ["Sum", "covers", "naive_llr", "naive_odds", "naive_probability"]


@attrs.frozen
class Sum:
    """What speaks for and against one mechanism of one subject."""

    support: float
    against: float
    decisive: bool
    groups: int  # that speak for it


def covers(general: str, special: str) -> bool:
    """Say whether a statement about the general mechanism bears on the special one."""
    return general in ("", special) or special.startswith(general + ".")


def added(evidence: Evidence, subject: int, mechanism: str, model: Model) -> Sum:
    """Take the strongest observation of each group, of equal ones the harmless, and add them up by side."""
    by_group: dict[str, list[float]] = {}
    decisive = False
    for row in range(len(evidence)):
        rule = evidence.rules[evidence.rule[row]]
        llr = float(evidence.llr[row])
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
    evidence: Evidence, subject: int, mechanism: str, model: Model, kind: str = "tcp", happened: str = "ok"
) -> float:
    """Say what the evidence about one mechanism of one subject is worth, nats."""
    found = added(evidence, subject, mechanism, model)
    cap = model.total_caps.get(kind, model.other_total_cap)
    silent = min(max(model.quiet.get((kind, happened), 0.0) + found.against, -cap), cap)
    if found.support == 0:
        return silent
    upper = max(cap, model.decisive_cap) if found.decisive else cap  # what is proof by itself has a cap of its own
    missing = 0.0 if found.decisive or found.groups > 1 else model.alone.get(mechanism, 0.0)
    return max(min(max(found.support + missing + found.against, -cap), upper), silent)


def naive_odds(evidence: Evidence, subject: int, model: Model, kind: str = "tcp", happened: str = "ok") -> float:
    """Compute the odds that one subject was interfered with, whatever the mechanism."""
    named = {
        evidence.rules[code].mechanism for code, s in zip(evidence.rule, evidence.subject, strict=True) if s == subject
    }
    named = {word for word in named if word and not any(o != word and covers(word, o) for o in named)}
    quiet = model.quiet.get((kind, happened), 0.0)
    odds = sum(
        math.exp(prior + quiet) for (of, word), prior in model.priors.items() if of == kind and word not in named
    )
    for word in named:
        llr = naive_llr(evidence, subject, word, model, kind, happened)
        prior = model.priors.get((kind, word))
        if prior is None:
            odds += max(0.0, math.exp(model.other_prior + llr) - math.exp(model.other_prior))
        else:
            odds += math.exp(prior + llr)
    found = {word: added(evidence, subject, word, model) for word in named}
    scores = {
        word: model.priors.get((kind, word), model.other_prior)
        + naive_llr(evidence, subject, word, model, kind, happened)
        for word in named
        if found[word].support > 0
    }
    if not scores:  # nobody is accused by silence
        return min(odds, 0.99 * model.possible / (1 - model.possible))
    top = found[max(scores, key=lambda word: scores[word])]
    if not top.decisive and top.groups < 2:  # nor by one oddity alone
        odds = min(odds, 0.99 * model.likely / (1 - model.likely))
    return odds


def naive_probability(evidence: Evidence, subject: int, model: Model, kind: str = "tcp", happened: str = "ok") -> float:
    """Compute the probability that one subject was interfered with."""
    odds = naive_odds(evidence, subject, model, kind, happened)
    return odds / (1 + odds)
