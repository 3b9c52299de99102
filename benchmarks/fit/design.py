"""One regression problem: a row per suspicion, a column per rule, in it what the rule's observation weighs."""

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.fit.corpus import Corpus
from netinterf.arrays import F64, I64, Mask
from netinterf.mechanisms import covers
from netinterf.schema import Evidence, Rule
from netinterf.verdict.model import SUBJECTS, Model
from netinterf.verdict.weigh import Suspicions, pair_suspicions, strongest, values, vocabulary

__all__ = ["Design", "lay_out"]

ALIKE = {"dns.injection": "dns.forged", "dns.forged": "dns.injection"}
"""An injected answer whose rival was not captured is rightly called forged, and evidence says which it can be."""

PLANS = ("plan-policer", "plan-burst", "quota-exhausted", "own-uplink")
"""Look-alikes that are limits of a whole line, the client's or the server's. By the verdict format (section 2) a
capture that does not hold anything else to compare with shows policing all the same, so there they are no
counter-examples; where several names or ports of one server are limited, `netinterf.verdict.selective` doubts it."""

CONTRASTS = ("rate.spared", "rate.spared_name", "rate.spared_address", "rate.spared_elsewhen", "rate.whole_link")
"""What compares with others; that it cannot be told (``rate.others_unclear``) is no comparison. The last decides by
itself: what limits a whole link alike is a plan whatever else is seen, so its suspicions teach nothing."""

COMPANY = ("rate.freeze", "rate.shaping", "rate.handshake", "reach")
"""Mechanisms that strike whole classes of connections and are told by company only. All their subjects are series;
those that a comparison with others speaks for are decided by it."""


@attrs.frozen(eq=False, kw_only=True)
class Design:
    """Suspicions that labels can decide: interfered so, or left alone."""

    corpus: Corpus
    suspicions: Suspicions
    mechanisms: tuple[str, ...]
    rules: tuple[Rule, ...]
    kept: I64  # hypotheses that are rows
    right: Mask  # of each row: the mechanism was at work
    base: F64  # of each row: log-odds that a subject of its kind was interfered with so, before evidence
    weight: F64  # of each row: how many subjects it stands for
    origin: NDArray[np.str_]  # of each row

    def matrix(self, model: Model) -> csr_array:
        """Lay out the weights that count under a model: rows by rules, empty where another of the group is stronger.

        Times its factor, each entry is what its observation adds to the sum: a weight that a bound cuts is cut here as
        well, so that factors cannot be fitted beyond what a bound lets through, and of groups beside the strongest only
        what is new counts.
        """
        evidence = self.corpus.evidence
        weighed = values(evidence, model)[self.suspicions.pair_evidence]
        chosen = strongest(self.suspicions, evidence, weighed)
        owner, witness = self.suspicions.pair_hypothesis[chosen], self.suspicions.pair_evidence[chosen]
        top = np.zeros(len(self.suspicions))
        np.maximum.at(top, owner, weighed[chosen])
        leads = (weighed[chosen] <= 0) | (weighed[chosen] >= top[owner])
        factor = np.array([model.factor(rule) for rule in self.rules])[evidence.rule[witness]]
        counts = np.where(factor > 0, weighed[chosen] / np.where(factor > 0, factor, 1.0), evidence.llr[witness])
        joint = np.array([word in model.joint for word in self.mechanisms] or [False])[self.suspicions.mechanism[owner]]
        counts *= np.where(leads | joint, 1.0, 1.0 - model.dependence)
        place = np.full(len(self.suspicions), -1, np.int64)
        place[self.kept] = np.arange(len(self.kept))
        row = place[owner]
        mine = row >= 0
        places = row[mine], evidence.rule[witness[mine]]
        return csr_array((counts[mine], places), shape=(len(self.kept), len(self.rules)))

    def scores(self, model: Model) -> F64:
        """Add up what speaks for and against each row under a model: log-likelihood ratios, before caps."""
        weighed: F64 = self.matrix(model) @ np.array([model.factor(rule) for rule in self.rules])
        return weighed


def lay_out(corpus: Corpus, model: Model) -> Design:
    """List every suspicion of a corpus that its labels decide.

    Subjects that are decidable only as a series, and those that another mechanism worked on, decide nothing, nor do
    limits that the whole link shares; but see `COMPANY`.

    Where a mechanism is more common in the corpus than its prior says, each untouched row stands for as many as the
    corpus lacks. Otherwise the regression would be content with evidence that decides at the corpus's base rate, and
    care little for what decides where interference is rare.
    """
    evidence = corpus.evidence
    mechanisms = vocabulary(model, evidence.rules)
    suspicions = pair_suspicions(evidence, evidence.subject.astype(np.int64), mechanisms)
    words = [mechanisms[code] for code in suspicions.mechanism.tolist()]
    at_work = [corpus.mechanisms[row] for row in suspicions.row.tolist()]
    right = np.array(
        [
            any(one in (word, ALIKE.get(word)) or one.startswith(word + ".") for one in real)
            for word, real in zip(words, at_work, strict=True)
        ],
        np.bool_,
    )
    compared, alike = (showing(suspicions, evidence, wanted) for wanted in (CONTRASTS, CONTRASTS[-1:]))
    alone = np.isin(corpus.origin[suspicions.row], PLANS) & ~compared
    together = right & told_by_company(suspicions, evidence, mechanisms)
    decided = (right & ~corpus.series[suspicions.row]) | together | (corpus.benign[suspicions.row] & ~alone)
    decided &= ~alike
    kept = np.flatnonzero(decided)
    counted = ~corpus.series
    counted[suspicions.row[together]] = True
    kind = corpus.kind[suspicions.row[kept]]
    pairs = [(SUBJECTS[code], words[place]) for code, place in zip(kind, kept, strict=True)]
    odds = base_odds(corpus, counted, sorted(set(pairs)))
    base = np.array([odds[pair] for pair in pairs])
    rarer = np.minimum(base, [model.priors.get(pair, model.other_prior) for pair in pairs])
    return Design(
        corpus=corpus,
        suspicions=suspicions,
        mechanisms=mechanisms,
        rules=evidence.rules,
        kept=kept,
        right=right[kept],
        base=rarer,
        weight=np.where(right[kept], 1.0, np.exp(base - rarer)),
        origin=corpus.origin[suspicions.row[kept]],
    )


def showing(suspicions: Suspicions, evidence: Evidence, wanted: tuple[str, ...]) -> Mask:
    """Say which suspicions some observation of the given rules bears on."""
    known = np.isin(evidence.rule, [place for place, rule in enumerate(evidence.rules) if rule.id in wanted])
    return np.bincount(suspicions.pair_hypothesis, known[suspicions.pair_evidence], len(suspicions)) > 0


def told_by_company(suspicions: Suspicions, evidence: Evidence, mechanisms: tuple[str, ...]) -> Mask:
    """Say which suspicions are of `COMPANY`, and have something drawn from other subjects that speaks for them."""
    compares = [rule.shared or "selective" in rule.measures for rule in evidence.rules]
    shared = np.array(compares or [False])[evidence.rule] & (evidence.llr > 0)
    shown = np.bincount(suspicions.pair_hypothesis, shared[suspicions.pair_evidence], len(suspicions)) > 0
    mine = np.array([any(covers(word, one) for word in COMPANY) for one in mechanisms] or [False])[suspicions.mechanism]
    told: Mask = shown & mine
    return told


def base_odds(corpus: Corpus, counted: Mask, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Count how often each mechanism worked on each kind of subject, against how often nobody did: log-odds.

    Args:
        corpus: The subjects.
        counted: Which of them labels and evidence can decide.
        wanted: Kinds of subject and mechanisms.
    """
    found = {}
    for kind, word in wanted:
        words = {word, ALIKE.get(word, word)}
        mine = corpus.kind == SUBJECTS.index(kind)
        hit = [any(one in words or one.startswith(word + ".") for one in real) for real in corpus.mechanisms]
        interfered = int(np.sum(mine & np.array(hit, np.bool_) & counted))
        found[kind, word] = float(np.log((interfered + 0.5) / (corpus.count(kind) + 0.5)))
    return found
