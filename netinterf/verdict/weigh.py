"""From evidence to the probability of each mechanism.

Each subject is either left alone or interfered with by one of the mechanisms, so the hypotheses compete: the odds of a
mechanism against "nobody interfered" are its prior odds times the likelihood ratio of the evidence, and the
probability of interference is the share of all mechanisms together.

Observations of one independence group are views of the same oddity, so only the strongest of a group counts (ties go
to the harmless side), and no group may carry more than its cap. "The strongest" is the greater of two weights when
their sum is positive and the lesser otherwise, so the result rises with every single weight; clipping each weight
before choosing keeps that true when decisive and ordinary observations share a group.

A rule may name a general mechanism (``tcp``): it then weighs on every more special one that is under suspicion, and
stands for itself when none is. A rule without a mechanism weighs on all of them.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.schema import Evidence, Rule
from netinterf.verdict.model import Model

__all__ = ["Hypotheses", "covers", "odds_of", "vocabulary", "weigh"]


@attrs.frozen(eq=False, kw_only=True)
class Hypotheses:
    """Mechanisms under suspicion, one entry per (verdict row, mechanism) that evidence speaks of; sorted so."""

    row: NDArray[np.int64]  # verdict row
    mechanism: NDArray[np.int64]  # index into the vocabulary
    llr: NDArray[np.float64]  # capped sum over independence groups, nats
    prior: NDArray[np.float64]  # log-odds
    listed: NDArray[np.bool_]  # the model has a prior for this mechanism and subject
    groups: NDArray[np.int64]  # independence groups that support it
    decisive: NDArray[np.bool_]  # a decisive rule supports it
    pair_hypothesis: NDArray[np.int64]  # which hypothesis …
    pair_evidence: NDArray[np.int64]  # … each row of Evidence bears on

    @property
    def score(self) -> NDArray[np.float64]:
        """Log-odds of each mechanism alone against "nobody interfered"."""
        return self.prior + self.llr


def vocabulary(model: Model, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """List all mechanisms that can be named: the model's, those that only rules name, then all their prefixes."""
    named = [*model.mechanisms, *(rule.mechanism for rule in rules if rule.mechanism)]
    prefixes = [".".join(path[:size]) for path in (word.split(".") for word in named) for size in range(1, len(path))]
    return tuple(dict.fromkeys(named + prefixes))


def covers(general: str, special: str) -> bool:
    """Say whether a statement about *general* bears on *special*: the same path, a prefix of it, or empty."""
    return general in {"", special} or special.startswith(general + ".")


def weigh(
    evidence: Evidence,
    row: NDArray[np.int64],
    prior_kind: NDArray[np.int64],
    mechanisms: tuple[str, ...],
    model: Model,
) -> Hypotheses:
    """Add up the evidence for each mechanism of each subject.

    Args:
        evidence: Any number of observations.
        row: Verdict row of each observation, -1 to leave it out.
        prior_kind: Place in ``model.SUBJECTS`` of each verdict row.
        mechanisms: The vocabulary.
        model: Priors and caps.
    """
    count = max(len(mechanisms), 1)
    places = {mechanism: place for place, mechanism in enumerate(mechanisms)}
    spoken = np.array([places.get(rule.mechanism, -1) for rule in evidence.rules] or [-1], np.int64)[evidence.rule]
    named = np.flatnonzero((spoken >= 0) & (row >= 0))
    keys = _most_special(np.unique(row[named] * count + spoken[named]), mechanisms)
    hypothesis, witness = _bearing(keys, evidence, row, spoken, mechanisms)
    value = np.clip(evidence.llr[witness], *_limits(evidence, model)[:, evidence.rule[witness]])
    groups = sorted({rule.group for rule in evidence.rules})
    group = np.array([groups.index(rule.group) for rule in evidence.rules] or [0], np.int64)[evidence.rule[witness]]
    strongest = _strongest(hypothesis, group, value)
    size = len(keys)
    total = np.bincount(hypothesis[strongest], value[strongest], size)
    decisive = np.array([rule.decisive for rule in evidence.rules] or [False])[evidence.rule[witness]] & (value > 0)
    priors = model.log_odds(mechanisms)[prior_kind[keys // count], keys % count] if size else np.empty(0)
    listed = ~np.isnan(priors)
    return Hypotheses(
        row=keys // count,
        mechanism=keys % count,
        llr=np.clip(total, -model.total_cap, model.total_cap),
        prior=np.where(listed, priors, model.other_prior),
        listed=listed,
        groups=np.bincount(hypothesis[strongest], value[strongest] >= model.support, size).astype(np.int64),
        decisive=np.bincount(hypothesis, decisive, size) > 0,
        pair_hypothesis=hypothesis,
        pair_evidence=witness,
    )


def _most_special(keys: NDArray[np.int64], mechanisms: tuple[str, ...]) -> NDArray[np.int64]:
    """Drop a general mechanism of a subject where a more special one is under suspicion as well."""
    count = max(len(mechanisms), 1)
    keep = np.ones(len(keys), np.bool_)
    for general in np.unique(keys % count):
        special = [p for p, m in enumerate(mechanisms) if p != general and covers(mechanisms[general], m)]
        if special:
            better = np.unique(keys[np.isin(keys % count, special)] // count)
            keep &= ~((keys % count == general) & np.isin(keys // count, better))
    return keys[keep]


def _bearing(
    keys: NDArray[np.int64],
    evidence: Evidence,
    row: NDArray[np.int64],
    spoken: NDArray[np.int64],
    mechanisms: tuple[str, ...],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair hypotheses with the observations that bear on them; usable weights only."""
    count = max(len(mechanisms), 1)
    usable = (row >= 0) & ~np.isnan(evidence.llr) & (evidence.llr != 0)
    hypotheses, witnesses = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    suspected = np.unique(keys % count)
    for general in np.unique(spoken[usable]):
        rows = np.flatnonzero(usable & (spoken == general))
        word = "" if general < 0 else mechanisms[general]
        for special in (place for place in suspected if covers(word, mechanisms[place])):
            wanted = row[rows] * count + special
            at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            found = keys[at] == wanted
            hypotheses.append(at[found])
            witnesses.append(rows[found])
    return np.concatenate(hypotheses), np.concatenate(witnesses)


def _limits(evidence: Evidence, model: Model) -> NDArray[np.float64]:
    """Give the least and greatest weight of each rule's observations, 2 by rules.

    Only support is decisive: nothing refutes every mechanism at once, so the lower limit is the group's cap.
    """
    caps = [model.group_caps.get(rule.group, model.other_cap) for rule in evidence.rules] or [model.other_cap]
    decisive = [rule.decisive for rule in evidence.rules] or [False]
    upper = [max(cap, model.decisive_cap) if sure else cap for cap, sure in zip(caps, decisive, strict=True)]
    return np.array([[-cap for cap in caps], upper], np.float64)


def _strongest(
    hypothesis: NDArray[np.int64], group: NDArray[np.int64], value: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Find the strongest observation of each group of each hypothesis; of equal ones the harmless."""
    order = np.lexsort((-value, np.abs(value), group, hypothesis))
    hypothesis, group = hypothesis[order], group[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (hypothesis[1:] != hypothesis[:-1]) | (group[1:] != group[:-1])
    return order[last]


def odds_of(hypotheses: Hypotheses, prior_kind: NDArray[np.int64], model: Model) -> NDArray[np.float64]:
    """Compute the odds of interference, whatever the mechanism, for every verdict row.

    All mechanisms of the model compete, those without evidence at their prior odds, so a subject without evidence
    keeps the prior odds of its kind. A mechanism that the model does not list adds to them as far as evidence raises
    it, and cannot lower them.
    """
    known = model.log_odds(model.mechanisms)
    base = np.nansum(np.exp(known), axis=1)[prior_kind] if len(prior_kind) else np.empty(0)
    gain = np.exp(hypotheses.prior) * np.expm1(hypotheses.llr)
    gain = np.where(hypotheses.listed, gain, np.maximum(gain, 0.0))
    odds: NDArray[np.float64] = np.maximum(base + np.bincount(hypotheses.row, gain, len(prior_kind)), 1e-300)
    return odds
