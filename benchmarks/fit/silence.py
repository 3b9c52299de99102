"""What it means that a subject shows nothing unusual, by what happened to it.

A connection that did its work and shows nothing is seldom one that was interfered with. One that failed without a sign
may be, but how often is known of simulated traffic only, where most failures are somebody's work: on real captures
hundreds of untouched connections without a payload came out at one in seven by that alone. So silence never speaks for
interference, and where the capture held too little it means nothing; neither is listed.
"""

import numpy as np

from benchmarks.fit.corpus import Corpus
from benchmarks.fit.design import Design
from netinterf.arrays import Mask
from netinterf.stats.calibration import rule_of_three
from netinterf.verdict.model import SUBJECTS, Model
from netinterf.verdict.weigh import strongest, values

__all__ = ["UNKNOWING", "quiet_of", "supported"]

UNKNOWING = frozenset(
    {
        "flow.fragments", "dns.query_missing", "dns.unreadable", "capture.one_direction", "capture.ended_early",
        "capture.snaplen", "icmp.time_exceeded", "capture.mid_stream", "icmp.message", "protocol.not_judged",
        "flow.too_few_packets",
    }
)  # fmt: skip
"""Reasons that tell of the capture and not of the subject: missing information is never listed."""

LEAST = 20
"""Silent subjects of a kind and fate that a measurement needs."""


def supported(design: Design, model: Model) -> Mask:
    """Say for which subjects of the corpus something speaks for a mechanism."""
    evidence = design.corpus.evidence
    weighed = values(evidence, model)[design.suspicions.pair_evidence]
    chosen = strongest(design.suspicions, evidence, weighed)
    chosen = chosen[weighed[chosen] > 0]
    result = np.zeros(len(design.corpus), np.bool_)
    result[design.suspicions.row[design.suspicions.pair_hypothesis[chosen]]] = True
    return result


def quiet_of(corpus: Corpus, loud: Mask, use: Mask) -> dict[tuple[str, str], float]:
    """Measure the likelihood ratio of silence: how much less frequent it is among interfered than untouched subjects.

    Subjects that only a series decides are silent by themselves and are left out.

    Args:
        corpus: All subjects.
        loud: Those that something speaks for.
        use: Which subjects to measure on.
    """
    found = {}
    for place, kind in enumerate(SUBJECTS):
        mine = use & (corpus.kind == place)
        benign, hit = mine & corpus.benign, mine & ~corpus.benign & ~corpus.series
        if not (benign.any() and hit.any()):
            continue
        cap = min(rule_of_three(int(benign.sum())), rule_of_three(int(hit.sum())))
        for word in np.unique(corpus.happened[mine]).tolist():
            fate = (corpus.happened == word) & ~loud
            if word in UNKNOWING or int(np.sum(fate & mine)) < LEAST:
                continue
            among_hit = (np.sum(fate & hit) + 0.5) / (hit.sum() + 1)
            among_benign = (np.sum(fate & benign) + 0.5) / (benign.sum() + 1)
            nats = round(float(np.log(among_hit / among_benign)), 3)
            if nats < 0:
                found[kind, word] = max(nats, -cap)
    return found
