"""From evidence to the probability of each mechanism.

Each subject is either left alone or interfered with by one of the mechanisms, so the hypotheses compete: the odds of a
mechanism against "nobody interfered" are its prior odds times the likelihood ratio of the evidence, and the
probability of interference is the share of all mechanisms together.

The weight of an observation is what its analyzer gave it, times the model's factor for its rule. What speaks for
interference and is no proof by itself carries no more than real benign traffic supports (`Model.bounds`): a rule that
nobody has seen stay quiet is worth little, however well it does in simulation. Observations of one independence group
are views of the same oddity, so only the strongest of a group counts (ties go to the harmless side), and no group may
carry more than its cap. "The strongest" is the greater of two weights when their sum is positive and the lesser
otherwise, so the result rises with every single weight; clipping each weight before choosing keeps that true when
decisive and ordinary observations share a group.

What supports a mechanism is pooled: the strongest group counts in full, each further one by what is not already said
(`Model.dependence`), since rare benign causes show several oddities at once; parts of what is one likelihood ratio by
design add up (`Model.joint`). Where one group speaks and no other, that counts as well: interference seldom shows a
single oddity, and what its mechanism would be expected to show besides is missing (`Model.alone`). What argues against
is added up. Where nothing supports a mechanism, what happened to the subject speaks instead (`Model.quiet`): a
connection that did its work is seldom one that somebody cut. A supported sum is capped, and never says less than
silence would. One group that is no proof accuses nobody alone: what is not `backed` stays below ``likely`` where it is
judged. Every step rises with every weight, and no evidence about a subject of which nothing is known changes nothing.

A rule may name a general mechanism (``tcp``): it then weighs on every more special one that is under suspicion, and
stands for itself when none is. A rule without a mechanism weighs on all of them.
"""

from collections.abc import Callable

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.compiled import call, is_there
from netinterf.mechanisms import covers
from netinterf.numbering import distinct, ordered
from netinterf.schema import Evidence, Rule
from netinterf.values import frozen
from netinterf.verdict.model import MAX_NATS, SUBJECTS, Model

__all__ = [
    "Hypotheses",
    "Suspicions",
    "added",
    "odds_of",
    "of_rule",
    "pair_suspicions",
    "pooled",
    "short_of",
    "strongest",
    "values",
    "vocabulary",
    "weigh",
]

SHORT = 0.99
"""Share of the odds at which a grade begins that evidence is held to which must not reach it."""


@frozen(eq=False, kw_only=True)
class Suspicions:
    """Mechanisms under suspicion, one entry per (verdict row, mechanism) that is named, and what bears on them."""

    row: I64  # verdict row of each hypothesis; sorted by row, then mechanism
    mechanism: I64  # index into the vocabulary
    pair_hypothesis: I64  # which hypothesis …
    pair_evidence: I64  # … each row of Evidence bears on

    def __len__(self) -> int:
        return len(self.row)


@frozen(eq=False, kw_only=True)
class Hypotheses(Suspicions):
    """The same, weighed."""

    llr: F64  # what the evidence is worth, nats
    prior: F64  # log-odds
    listed: Mask  # the model has a prior for this mechanism and subject
    supported: Mask  # something speaks for it
    decisive: Mask  # a decisive rule speaks for it
    groups: I64  # how many independence groups speak for it
    worth: F64  # what the evidence is worth whatever silence says, nats
    shown: F64  # what was seen is worth, whatever was not seen besides, nats
    raised: F64  # by how much a certain case on the same path raises the prior, nats

    @property
    def backed(self) -> Mask:
        """Whether more than one oddity that is no proof speaks for each: proof, or a second independence group."""
        return self.decisive | (self.groups > 1)

    @property
    def score(self) -> F64:
        """Log-odds of each mechanism alone against "nobody interfered"."""
        return self.prior + self.raised + self.llr


def vocabulary(model: Model, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """List all mechanisms that can be named: the model's, those that only rules name, then all their prefixes."""
    named = list(dict.fromkeys([*model.mechanisms, *(rule.mechanism for rule in rules if rule.mechanism)]))
    prefixes = [".".join(path[:size]) for path in (word.split(".") for word in named) for size in range(1, len(path))]
    return tuple(dict.fromkeys(named + prefixes))


def weigh(
    evidence: Evidence,
    row: I64,
    prior_kind: I64,
    quiet: F64,
    mechanisms: tuple[str, ...],
    model: Model,
    *,
    in_full: bool = True,
) -> Hypotheses:
    """Add up the evidence for each mechanism of each subject.

    Args:
        evidence: Any number of observations.
        row: Verdict row of each observation, -1 to leave it out.
        prior_kind: Place in ``model.SUBJECTS`` of each verdict row.
        quiet: What it weighs when nothing supports a mechanism, nats, for each verdict row.
        mechanisms: The vocabulary.
        model: Factors, caps and priors.
        in_full: All evidence about these subjects is at hand, so that what did not speak means something.
    """
    return added(
        pair_suspicions(evidence, row, mechanisms), evidence, prior_kind, quiet, mechanisms, model, in_full=in_full
    )


def added(
    suspicions: Suspicions,
    evidence: Evidence,
    prior_kind: I64,
    quiet: F64,
    mechanisms: tuple[str, ...],
    model: Model,
    *,
    in_full: bool = True,
) -> Hypotheses:
    """Add up what bears on each mechanism under suspicion; see `weigh`."""
    size, count = len(suspicions), max(len(mechanisms), 1)
    value = values(evidence, model)[suspicions.pair_evidence]
    chosen = strongest(suspicions, evidence, value)
    part, owner = value[chosen], suspicions.pair_hypothesis[chosen]
    dependence = np.array([0.0 if word in model.joint else model.dependence for word in mechanisms] or [0.0])
    support = pooled(part, owner, size, dependence[suspicions.mechanism])
    against = np.bincount(owner, np.minimum(part, 0.0), size).astype(np.float64)
    sure = (of_rule(evidence, lambda rule: rule.decisive)[suspicions.pair_evidence] > 0) & (value > 0)
    decisive = np.bincount(suspicions.pair_hypothesis, sure, size) > 0
    kind = prior_kind[suspicions.row]
    cap = _caps(kind, model)
    silent = np.clip(quiet[suspicions.row] + against, -cap, cap)
    most = np.where(decisive, np.maximum(cap, model.decisive_cap), cap)
    priors = model.log_odds(mechanisms)[kind, suspicions.mechanism % count] if size else np.empty(0)
    listed = ~np.isnan(priors)
    seldom = np.array([model.alone.get(word, 0.0) for word in mechanisms] or [0.0])[suspicions.mechanism]
    groups = np.bincount(owner[part > 0], minlength=size)
    missing = np.where(decisive | (groups > 1), 0.0, seldom) if in_full else 0.0
    worth = np.clip(support + missing + against, -cap, most)
    return Hypotheses(
        row=suspicions.row,
        mechanism=suspicions.mechanism,
        pair_hypothesis=suspicions.pair_hypothesis,
        pair_evidence=suspicions.pair_evidence,
        llr=np.where(support > 0, np.maximum(worth, silent), silent),
        prior=np.where(listed, priors, model.other_prior),
        listed=listed,
        supported=support > 0,
        decisive=decisive,
        groups=groups,
        worth=worth,
        shown=np.where(support > 0, support + against, 0.0),
        raised=np.zeros(size),
    )


def pooled(part: F64, owner: I64, size: int, dependence: F64) -> F64:
    """Add up what speaks for each hypothesis: the strongest group, and of each further one what is new.

    Args:
        part: Weight of each group, nats; what is not positive counts for nothing.
        owner: The hypothesis it bears on.
        size: How many hypotheses there are.
        dependence: Which share of a further group's weight the strongest has said already, 0 to 1, by hypothesis.
    """
    gain, top = np.maximum(part, 0.0), np.zeros(size)
    np.maximum.at(top, owner, gain)
    total = np.bincount(owner, gain, size)
    result: F64 = top + (1.0 - dependence) * (total - top)
    return result


def short_of(probability: float) -> float:
    """Give odds just below a probability at which a grade begins."""
    return SHORT * probability / (1.0 - probability)


def pair_suspicions(evidence: Evidence, row: I64, mechanisms: tuple[str, ...]) -> Suspicions:
    """List the mechanisms under suspicion, and pair them with the observations that bear on them.

    Args:
        evidence: Any number of observations; those without a usable weight are left out.
        row: Verdict row of each observation, -1 to leave it out.
        mechanisms: The vocabulary.
    """
    count = max(len(mechanisms), 1)
    places = {mechanism: place for place, mechanism in enumerate(mechanisms)}
    named_mechanism = of_rule(evidence, lambda rule: places.get(rule.mechanism, -1)).astype(np.int64)
    named = np.flatnonzero((named_mechanism >= 0) & (row >= 0))
    keys = _most_special(distinct(row[named] * count + named_mechanism[named]), mechanisms)
    usable = (row >= 0) & ~np.isnan(evidence.llr) & (evidence.llr != 0)
    hypotheses, witnesses = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    suspected = {}  # by mechanism, the place of each verdict row's suspicion, -1 without one
    for special in distinct(keys % count).tolist():
        suspected[special] = np.full(int(row.max()) + 1, -1)
        place = np.flatnonzero(keys % count == special)
        suspected[special][keys[place] // count] = place
    for general in distinct(named_mechanism[usable]).tolist():
        rows = np.flatnonzero(usable & (named_mechanism == general))
        word = "" if general < 0 else mechanisms[general]
        for special, place in suspected.items():
            if covers(word, mechanisms[special]):
                at = place[row[rows]]
                hypotheses.append(at[at >= 0])
                witnesses.append(rows[at >= 0])
    return Suspicions(
        row=keys // count,
        mechanism=keys % count,
        pair_hypothesis=np.concatenate(hypotheses),
        pair_evidence=np.concatenate(witnesses),
    )


def _most_special(keys: I64, mechanisms: tuple[str, ...]) -> I64:
    """Drop a general mechanism of a subject where a more special one is under suspicion as well."""
    count = max(len(mechanisms), 1)
    keep = np.ones(len(keys), np.bool_)
    for general in distinct(keys % count).tolist():
        special = [p for p, m in enumerate(mechanisms) if p != general and covers(mechanisms[general], m)]
        if special:
            better = distinct(keys[np.isin(keys % count, special)] // count)
            keep &= ~((keys % count == general) & np.isin(keys // count, better))
    return keys[keep]


def of_rule(evidence: Evidence, value: Callable[[Rule], float]) -> F64:
    """Give each observation what its rule has; of eight hundred rules, few say anything in a capture."""
    given = np.zeros(len(evidence.rules), np.float64)
    for place in evidence.rules_seen:
        given[place] = value(evidence.rules[place])
    return given[evidence.rule]


def values(evidence: Evidence, model: Model) -> F64:
    """Compute what each observation weighs: its own weight times the factor of its rule, within the caps.

    Only support is decisive: nothing refutes every mechanism at once, so against it the cap of a group holds. What is
    no proof is bounded by what real benign traffic supports.
    """
    factor = of_rule(evidence, model.factor)
    sure = max(model.group_cap, model.decisive_cap)
    upper = of_rule(evidence, lambda rule: sure if rule.decisive else model.bound(rule))
    usable = np.clip(evidence.llr, -MAX_NATS, MAX_NATS)  # an infinite weight times nothing would be no number
    value: F64 = np.clip(usable * factor, -model.group_cap, upper)
    return value


def strongest(suspicions: Suspicions, evidence: Evidence, value: F64) -> I64:
    """Find the strongest observation of each group of each hypothesis; of equal ones the harmless.

    Args:
        suspicions: Hypotheses and what bears on them.
        evidence: The observations.
        value: What each pair weighs.

    Returns:
        Places among the pairs.
    """
    groups = sorted({evidence.rules[place].group for place in evidence.rules_seen})
    group = of_rule(evidence, lambda rule: groups.index(rule.group))[suspicions.pair_evidence]
    key = suspicions.pair_hypothesis * len(groups) + group.astype(np.int64)
    if is_there():
        best = np.full(len(suspicions) * len(groups), -1)
        call("find_strongest", len(key), key, value, best)
        return best[best >= 0]
    order = ordered(key)
    value, begins = value[order], np.flatnonzero(np.append(True, key[order][1:] != key[order][:-1])[: len(order)])
    if not len(begins):
        return order
    own = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(order))))
    chosen = np.abs(value) == np.maximum.reduceat(np.abs(value), begins)[own]
    chosen &= value == np.minimum.reduceat(np.where(chosen, value, np.inf), begins)[own]
    return order[np.maximum.reduceat(np.where(chosen, np.arange(len(order)), -1), begins)]


def _caps(kind: I64, model: Model) -> F64:
    """Look up how many nats all evidence about subjects of these kinds may carry."""
    return np.array([model.total_caps.get(name, model.other_total_cap) for name in SUBJECTS], np.float64)[kind]


def odds_of(hypotheses: Hypotheses, prior_kind: I64, quiet: F64, model: Model) -> F64:
    """Compute the odds of interference, whatever the mechanism, for every verdict row.

    All mechanisms of the model compete, those without evidence at their prior odds and what silence is worth. A
    mechanism that the model does not list adds to them as far as evidence raises it, and cannot lower them.
    """
    known = model.log_odds(model.mechanisms)
    base = np.nansum(np.exp(known), axis=1)[prior_kind] * np.exp(quiet) if len(prior_kind) else np.empty(0)
    llr = hypotheses.llr + hypotheses.raised
    listed = np.exp(hypotheses.prior) * (np.exp(llr) - np.exp(quiet[hypotheses.row]))
    gain = np.where(hypotheses.listed, listed, np.maximum(np.exp(hypotheses.prior) * np.expm1(llr), 0.0))
    odds: F64 = np.maximum(base + np.bincount(hypotheses.row, gain, len(prior_kind)), 1e-300)
    return odds
