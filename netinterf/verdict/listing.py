"""What a verdict lists: further mechanisms, its evidence by weight, the packets held to be forged."""

import numpy as np
from numpy.typing import NDArray

from netinterf.schema import Evidence
from netinterf.table import Ragged, spans
from netinterf.verdict.model import Model
from netinterf.verdict.weigh import Hypotheses

__all__ = ["forged_packets", "further", "strongest_first"]


def further(
    hypotheses: Hypotheses, mechanism: NDArray[np.int64], apart: NDArray[np.bool_], model: Model
) -> tuple[Ragged, Ragged]:
    """List the other mechanisms of each row that are *apart* and ``possible`` or more on their own, likeliest first."""
    own = 1.0 / (1.0 + np.exp(-hypotheses.score))
    chosen = np.flatnonzero((own >= model.possible) & apart & hypotheses.supported)
    chosen = chosen[hypotheses.mechanism[chosen] != mechanism[hypotheses.row[chosen]]]
    chosen = chosen[np.lexsort((hypotheses.mechanism[chosen], -own[chosen], hypotheses.row[chosen]))]
    sizes = np.bincount(hypotheses.row[chosen], minlength=len(mechanism))
    return (
        Ragged.from_lengths(sizes, hypotheses.mechanism[chosen].astype(np.int32)),
        Ragged.from_lengths(sizes, own[chosen]),
    )


def strongest_first(
    evidence: Evidence, value: NDArray[np.float64], row: NDArray[np.int64], count: int
) -> tuple[Ragged, Ragged]:
    """List the evidence of each verdict row, by falling weight either way; equal weights in order of time and rule.

    Args:
        evidence: All observations.
        value: What each weighs under the model.
        row: Verdict row of each, -1 for none.
        count: Number of verdict rows.

    Returns:
        Rows of evidence, and what each of them weighs.
    """
    rows = np.flatnonzero(row >= 0)
    keys = (evidence.rule[rows], evidence.time[rows], -np.abs(value[rows]), row[rows])
    order = rows[np.lexsort(keys)]
    sizes = np.bincount(row[rows], minlength=count)
    return Ragged.from_lengths(sizes, order.astype(np.int32)), Ragged.from_lengths(sizes, value[order])


def forged_packets(
    evidence: Evidence, value: NDArray[np.float64], hypotheses: Hypotheses, top: NDArray[np.int64]
) -> Ragged:
    """List the packets that the leading mechanism is held to have forged, per verdict row, in order of time."""
    owner = hypotheses.row[hypotheses.pair_hypothesis]
    chosen = (top[owner] == hypotheses.pair_hypothesis) & (value[hypotheses.pair_evidence] > 0)
    rows, witnesses = owner[chosen], hypotheses.pair_evidence[chosen]
    sizes = evidence.forged.lengths[witnesses]
    packet = evidence.forged.values[spans(evidence.forged.offsets[witnesses], sizes)]
    pairs = np.unique(np.repeat(rows, sizes) << 32 | packet.astype(np.int64))
    counts = np.bincount(pairs >> 32, minlength=len(top))
    return Ragged.from_lengths(counts, (pairs & 0xFFFFFFFF).astype(np.int32))
