"""Whether others are spared: what a contrast adds to a verdict, and what the lack of one holds back."""

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.mechanisms import Contrast, is_rate, known_as
from netinterf.schema import Evidence
from netinterf.verdict.model import Model
from netinterf.verdict.weigh import Hypotheses, of_rule

__all__ = ["find_selective", "limited_alone", "restrain", "undecided", "without_doubtful"]


def find_selective(evidence: Evidence, row: I64, count: int) -> I64:
    """Read the measure ``selective`` of each subject's evidence: 1, 0, or -1 when nothing allows the comparison.

    Of several that speak, the strongest observation is believed.
    """
    selective = np.full(count, -1, np.int64)
    place = of_rule(evidence, lambda rule: _measure(rule.measures)).astype(np.int64)
    rows = np.flatnonzero((place >= 0) & (row >= 0))
    value = evidence.measured.values[evidence.measured.offsets[rows] + place[rows]]
    rows, value = rows[~np.isnan(value)], value[~np.isnan(value)]
    order = np.lexsort((value, np.abs(evidence.llr[rows])))
    selective[row[rows[order]]] = value[order] >= 0.5  # the last write wins: the strongest
    return selective


def undecided(evidence: Evidence, row: I64, in_part: bool, count: int) -> Mask:
    """Say of which subjects policing is not told from a plan or from a server's own line.

    Args:
        evidence: What analyzers saw; observations with the measure ``own_line`` say that it may be the server's.
        row: Subject of each observation, -1 for none.
        in_part: Whether the capture has others, which are not seen.
        count: Number of subjects.
    """
    doubt = np.full(count, in_part)
    about = of_rule(evidence, lambda rule: "own_line" in rule.measures) > 0
    doubt[row[about & (row >= 0)]] = True
    return doubt


def _measure(measures: tuple[str, ...]) -> int:
    return measures.index("selective") if "selective" in measures else -1


def restrain(
    hypotheses: Hypotheses,
    selective: I64,
    mechanisms: tuple[str, ...],
    model: Model,
    doubt: Mask,
) -> tuple[Hypotheses, Mask, Mask]:
    """Hold back what the capture cannot tell from a plan or a slow link (a queue without a contrast).

    A rate that limits the whole link alike is a plan: nothing weighs for it. Queueing to a rate that is not shown to
    be selective cannot reach ``likely``; neither can dropping, where that is in *doubt*, see `undecided`.

    Returns:
        The hypotheses, and per verdict row: limited by a plan, and held to a rate without a contrast.
    """
    rate = np.array([is_rate(path) for path in mechanisms] or [False])[hypotheses.mechanism]
    ambiguous = need_contrast(hypotheses, mechanisms, doubt)
    chosen = selective[hypotheses.row]
    limited = rate & (chosen == 0)
    ceiling = np.log(model.shaping_ceiling / (1 - model.shaping_ceiling)) - hypotheses.prior - hypotheses.raised
    doubtful = ambiguous & (chosen != 1) & (hypotheses.llr > ceiling)
    llr = np.where(doubtful, ceiling, hypotheses.llr)
    llr = np.where(limited, np.minimum(llr, 0.0), llr)
    plan, unsure = np.zeros(len(selective), np.bool_), np.zeros(len(selective), np.bool_)
    plan[hypotheses.row[limited & hypotheses.supported]] = True
    unsure[hypotheses.row[doubtful]] = True
    return attrs.evolve(hypotheses, llr=llr, raised=np.where(limited, 0.0, hypotheses.raised)), plan, unsure


def need_contrast(hypotheses: Hypotheses, mechanisms: tuple[str, ...], doubt: Mask) -> Mask:
    """Say which hypotheses are told from harmless causes by a contrast only."""
    needs = [record.contrast if (record := known_as(path)) else Contrast.NEVER for path in mechanisms]
    always, in_doubt = (
        np.array([contrast is need for contrast in needs] or [False])[hypotheses.mechanism]
        for need in (Contrast.ALWAYS, Contrast.IN_DOUBT)
    )
    ambiguous: Mask = always | (in_doubt & doubt[hypotheses.row])
    return ambiguous


def without_doubtful(hypotheses: Hypotheses, selective: I64, mechanisms: tuple[str, ...], doubt: Mask) -> Hypotheses:
    """Leave out what needs a contrast and has none: it makes a subject suspect, and adds to no accusation."""
    doubtful = need_contrast(hypotheses, mechanisms, doubt) & (selective[hypotheses.row] != 1)
    llr = np.where(doubtful, np.minimum(hypotheses.llr, 0.0), hypotheses.llr)
    return attrs.evolve(hypotheses, llr=llr, raised=np.where(doubtful, 0.0, hypotheses.raised))


def limited_alone(hypotheses: Hypotheses, selective: I64, mechanisms: tuple[str, ...], doubt: Mask) -> Mask:
    """Say which verdict rows were held to a rate, with nothing that tells a slow link from somebody's limit."""
    rows = np.zeros(len(selective), np.bool_)
    rows[hypotheses.row[need_contrast(hypotheses, mechanisms, doubt) & hypotheses.supported]] = True
    alone: Mask = rows & (selective == -1)
    return alone
