"""Evidence that may be looked at at any time: e-processes about a share, and detectors made of them.

An e-process is a bet that earns nothing on average while the hypothesis holds, so that it ever passes ``1 / α`` with
probability α at most (Ville's inequality), however often one looks. Here the hypothesis is that a share is at least
some bound, and the bet is spread evenly over all shares below it: a beta mixture, truncated. Begun anew at every
observation, it becomes a detector: the best of all beginnings passes ``1 / α`` by mistake once in ``1 / α``
observations at the most.

Sources: Ville 1939; Robbins, Annals of Mathematical Statistics 1970 (mixtures); Shin, Ramdas and Rinaldo,
"E-detectors", NEJSDS 2024 (restarts); Vovk and Wang, Annals of Statistics 2021 (calibrators).
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64, I64
from netinterf.errors import ParameterError

__all__ = ["LONGEST", "e_detector", "e_of_p", "share_e_process"]

LONGEST = 100
"""How many observations a detector looks back. Beginnings further back are dropped, which only lowers it."""


def share_e_process(hits: ArrayLike, tried: ArrayLike, bound: ArrayLike) -> F64:
    """Compute the evidence that a share is below a bound, from counts so far.

    The likelihood averaged over shares from 0 to *bound*, against the likelihood at the bound, which is the greatest
    that the hypothesis "the share is at least the bound" allows while fewer are hit than that::

        ln E = ln B(1 + k, 1 + n - k) + ln I_bound(1 + k, 1 + n - k) - ln bound - k·ln bound - (n - k)·ln(1 - bound)

    Args:
        hits: k, from 0 to n, whole numbers.
        tried: n.
        bound: Above 0 and below 1.

    Returns:
        Logarithms of e-values, 0 where nothing was tried.

    Raises:
        ParameterError: A count or the bound is out of range.
    """
    from scipy.special import betainc, betaln

    k, n, limit = np.broadcast_arrays(*(np.asarray(column, np.float64) for column in (hits, tried, bound)))
    if ((k < 0) | (k > n)).any():
        raise ParameterError("hits", float(k.min(initial=0.0)), "from 0 to tried")
    if ((limit <= 0) | (limit >= 1)).any():
        raise ParameterError("bound", float(limit.min()), "above 0 and below 1")
    inside = np.log(np.maximum(betainc(1 + k, 1 + n - k, limit), 1e-300))
    return np.asarray(
        betaln(1 + k, 1 + n - k) + inside - (1 + k) * np.log(limit) - (n - k) * np.log1p(-limit), np.float64
    )


def e_detector(hit: ArrayLike, bound: ArrayLike, longest: int = LONGEST) -> tuple[F64, I64]:
    """Detect that a share fell below a bound, whenever it did.

    Args:
        hit: Whether it happened, one observation after the other.
        bound: The share that it had at least before, one value or one per observation (that of the first observation
            since the supposed change counts).
        longest: How many observations back a change is looked for.

    Returns:
        After each observation the logarithm of the best e-process of all beginnings (at least 0), and where that one
        began (the next observation where none speaks for a change).
    """
    seen = np.asarray(hit, np.bool_).reshape(-1)
    limits = np.broadcast_to(np.asarray(bound, np.float64), seen.shape)
    count = len(seen)
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(seen)])
    different, place = np.unique(limits, return_inverse=True)
    best, onset = np.zeros(count), np.arange(1, count + 1)
    for size in range(1, min(longest, count) + 1):
        table = share_e_process(np.arange(size + 1), size, different[:, None])  # all counts that there can be
        value = table[place[: count - size + 1], total[size:] - total[:-size]]
        better = value > best[size - 1 :]
        best[size - 1 :][better] = value[better]
        onset[size - 1 :][better] = np.arange(count - size + 1)[better]
    return best, onset


def e_of_p(p: ArrayLike, kappa: float = 0.5) -> F64:
    """Turn p-values into e-values, where there is nothing better: κ·p^(κ-1).

    Args:
        p: P-values, above 0 and at most 1.
        kappa: Above 0 and below 1.

    Raises:
        ParameterError: A p-value or *kappa* is out of range.
    """
    values = np.asarray(p, np.float64)
    if not 0.0 < kappa < 1.0:
        raise ParameterError("kappa", kappa, "above 0 and below 1")
    if not ((values > 0) & (values <= 1)).all():
        raise ParameterError("p", float(values.min(initial=0.0)), "above 0 and at most 1")
    return np.asarray(kappa * values ** (kappa - 1.0))
