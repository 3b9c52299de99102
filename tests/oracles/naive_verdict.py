"""A slow, obvious twin of the weighing of evidence: one subject, one mechanism, one group at a time."""

import math

from netinterf.schema import Evidence
from netinterf.verdict.model import Model


def covers(general: str, special: str) -> bool:
    """Say whether a statement about the general mechanism bears on the special one."""
    return general in ("", special) or special.startswith(general + ".")


def naive_llr(evidence: Evidence, subject: int, mechanism: str, model: Model) -> float:
    """Add up the evidence for one mechanism of one flow."""
    by_group: dict[str, list[float]] = {}
    for row in range(len(evidence)):
        rule = evidence.rules[evidence.rule[row]]
        llr = float(evidence.llr[row])
        if evidence.subject[row] != subject or llr == 0 or math.isnan(llr) or not covers(rule.mechanism, mechanism):
            continue
        cap = model.group_caps.get(rule.group, model.other_cap)
        upper = max(cap, model.decisive_cap) if rule.decisive else cap
        by_group.setdefault(rule.group, []).append(min(max(llr, -cap), upper))
    total = sum(max(values, key=lambda value: (abs(value), -value)) for values in by_group.values())
    return min(max(total, -model.total_cap), model.total_cap)


def naive_probability(evidence: Evidence, subject: int, model: Model, prior_kind: str = "tcp") -> float:
    """Compute the probability that one flow was interfered with."""
    named = {
        evidence.rules[code].mechanism for code, s in zip(evidence.rule, evidence.subject, strict=True) if s == subject
    }
    named = {word for word in named if word and not any(o != word and covers(word, o) for o in named)}
    odds = sum(
        math.exp(prior) for (kind, word), prior in model.priors.items() if kind == prior_kind and word not in named
    )
    for word in named:
        llr = naive_llr(evidence, subject, word, model)
        prior = model.priors.get((prior_kind, word))
        if prior is None:
            odds += max(0.0, math.exp(model.other_prior + llr) - math.exp(model.other_prior))
        else:
            odds += math.exp(prior + llr)
    return odds / (1 + odds)
