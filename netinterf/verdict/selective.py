"""Whether others are spared: what a contrast adds to a verdict, and what the lack of one holds back."""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.schema import Evidence
from netinterf.verdict.model import Model
from netinterf.verdict.weigh import Hypotheses, covers

__all__ = ["find_selective", "limited_alone", "restrain", "without_doubtful"]

Mask = NDArray[np.bool_]

UNTOLD = frozenset({"rate", "rate.shaping"})
"""Mechanisms that a slow link explains as well, without a contrast."""

UNTOLD_IN_PART = UNTOLD | {"rate.policing"}
"""The same where only a part of a capture is seen: others might show that the whole link was limited alike."""


def find_selective(evidence: Evidence, row: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Read the measure ``selective`` of each subject's evidence: 1, 0, or -1 when nothing allows the comparison.

    Of several that speak, the strongest observation is believed.
    """
    selective = np.full(count, -1, np.int64)
    place = np.array([_measure(rule.measures) for rule in evidence.rules] or [-1], np.int64)[evidence.rule]
    rows = np.flatnonzero((place >= 0) & (row >= 0))
    value = evidence.measured.values[evidence.measured.offsets[rows] + place[rows]]
    rows, value = rows[~np.isnan(value)], value[~np.isnan(value)]
    order = np.lexsort((value, np.abs(evidence.llr[rows])))
    selective[row[rows[order]]] = value[order] >= 0.5  # the last write wins: the strongest
    return selective


def _measure(measures: tuple[str, ...]) -> int:
    return measures.index("selective") if "selective" in measures else -1


def restrain(
    hypotheses: Hypotheses,
    selective: NDArray[np.int64],
    mechanisms: tuple[str, ...],
    model: Model,
    *,
    in_part: bool = False,
) -> tuple[Hypotheses, Mask, Mask]:
    """Hold back what the capture cannot tell from a plan or a slow link (verdict contract, section 2).

    A rate that limits the whole link alike is a plan: nothing weighs for it. Queueing to a rate that is not shown to
    be selective cannot reach ``likely``; neither can dropping, where only a part of the capture is seen.

    Returns:
        The hypotheses, and per verdict row: limited by a plan, and held to a rate without a contrast.
    """
    rate = np.array([covers("rate", word) for word in mechanisms] or [False])[hypotheses.mechanism]
    untold = without_telling(hypotheses, mechanisms, in_part)
    chosen = selective[hypotheses.row]
    limited = rate & (chosen == 0)
    ceiling = np.log(model.shaping_ceiling / (1 - model.shaping_ceiling)) - hypotheses.prior - hypotheses.raised
    doubtful = untold & (chosen != 1) & (hypotheses.llr > ceiling)
    llr = np.where(doubtful, ceiling, hypotheses.llr)
    llr = np.where(limited, np.minimum(llr, 0.0), llr)
    plan, unsure = np.zeros(len(selective), np.bool_), np.zeros(len(selective), np.bool_)
    plan[hypotheses.row[limited & hypotheses.supported]] = True
    unsure[hypotheses.row[doubtful]] = True
    return attrs.evolve(hypotheses, llr=llr, raised=np.where(limited, 0.0, hypotheses.raised)), plan, unsure


def without_telling(hypotheses: Hypotheses, mechanisms: tuple[str, ...], in_part: bool) -> Mask:
    """Say which hypotheses are told from harmless causes by a contrast only."""
    words = UNTOLD_IN_PART if in_part else UNTOLD
    untold: Mask = np.array([word in words for word in mechanisms] or [False])[hypotheses.mechanism]
    return untold


def without_doubtful(
    hypotheses: Hypotheses, selective: NDArray[np.int64], mechanisms: tuple[str, ...], *, in_part: bool = False
) -> Hypotheses:
    """Leave out what needs a contrast and has none: it makes a subject suspect, and adds to no accusation."""
    doubtful = without_telling(hypotheses, mechanisms, in_part) & (selective[hypotheses.row] != 1)
    llr = np.where(doubtful, np.minimum(hypotheses.llr, 0.0), hypotheses.llr)
    return attrs.evolve(hypotheses, llr=llr, raised=np.where(doubtful, 0.0, hypotheses.raised))


def limited_alone(
    hypotheses: Hypotheses, selective: NDArray[np.int64], mechanisms: tuple[str, ...], *, in_part: bool = False
) -> Mask:
    """Say which verdict rows were held to a rate, with nothing that tells a slow link from somebody's limit."""
    rows = np.zeros(len(selective), np.bool_)
    rows[hypotheses.row[without_telling(hypotheses, mechanisms, in_part) & hypotheses.supported]] = True
    alone: Mask = rows & (selective == -1)
    return alone
