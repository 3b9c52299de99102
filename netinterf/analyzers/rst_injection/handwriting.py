"""Are resets written as a documented system writes them?

How many there are, with ACK or without, how far their numbers lie apart, which window, identification and flags they
have: boxes are known by these for decades (Weaver et al. 2009; Wu et al., IEEE S&P 2025), and the catalogue holds what
is documented. The same form may come from a host, and how often it does is for ``python -m benchmarks handwriting`` to
count. Single fields speak for themselves in other rules, so the weight is a modest judgement, which the fit may take
back and public captures bound.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.attribute.catalogue import background, systems, wanted_rules
from netinterf.attribute.score import posterior, score
from netinterf.attribute.trait import Finding
from netinterf.attribute.traits import read_traits
from netinterf.schema import Rule
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["FITS", "KNOWN_WRITER", "KNOWN_WRITER_WEIGHT", "documented"]

KNOWN_WRITER_WEIGHT = 2.0

FITS = 0.8
"""Posterior from which a form is a documented one; in public captures nothing lies between 0.7 and 0.8 to speak of."""

KNOWN_WRITER = Rule(
    id="rst.known_writer",
    mechanism="tcp.reset",
    group="rst.writer",
    says="number, numbers and header fields of the resets are those of a documented system",
    measures=("fit",),
    references=(
        "Wu et al., A Wall Behind A Wall, IEEE S&P 2025",
        "netinterf/data/systems.json names a source for each",
    ),
)


def documented(trace: Trace, suspects: Suspects, chosen: NDArray[np.int64], forged: Ragged) -> NDArray[np.float64]:
    """Say how well the resets of each flow fit what is documented, against a system that nobody has described.

    Args:
        trace: The capture.
        suspects: Its resets.
        chosen: The most suspicious one of some flows, places among the suspects.
        forged: Rows in Packets of those that seem to have its writer, one list per chosen one, none empty.

    Returns:
        Posterior probability of all documented systems together, 0 to 1.
    """
    if not len(chosen):
        return np.zeros(0)
    found = Finding(
        flow=suspects.flow[chosen],
        forged=forged,
        trigger=np.zeros(len(chosen), np.uint8),
        trigger_packet=suspects.base.at(suspects.base.row, suspects.asked[chosen]),
    )
    mechanism = np.where(suspects.previous[chosen] < 0, "tcp.connect.reset", "tcp.reset")
    unseen = np.zeros((len(chosen), len(wanted_rules())), np.bool_)
    scores = score(read_traits(trace, found), mechanism, unseen, systems(), background())
    fit: NDArray[np.float64] = 1.0 - posterior(scores.llr, background())[:, -1]
    return fit
