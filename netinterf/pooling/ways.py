"""Ways out that are shut in a network as a whole, hour by hour: they tell nothing of any name.

Offices drop QUIC, a box before a line passes lookups alone, and IPv6 is broken where IPv4 is not. Then all that is
tried over that transport and IP version fails, whatever it is, while the line is fine otherwise. A list leaves most of
it alone (as in `netinterf.pooling.isolation`).
"""

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.line import LINK_OUT, OUT, USUAL
from netinterf.observations.table import Observations

__all__ = ["LISTED", "by_itself"]

LISTED = (1.0, 9.0)
"""Beta prior of the share that fails where somebody blocks what is on a list, and some is dead: a tenth (judgement)."""

LEAST = 1e-12
"""Rates are kept above this, so that their logarithms stay finite."""


def by_itself(table: Observations, step: I64) -> tuple[F64, F64]:
    """Give for each observation the log-probability that what failed did so by itself, as its transport may be shut.

    Each other unit over the same transport and IP version in that place and hour is a witness: it passes if anything of
    it was answered. Where that way is shut, what failed within a minute tells nothing of the line.

    Args:
        table: Observations of any places.
        step: Hour of each.

    Returns:
        That, summed over its failures, and the same that the line is why, which others share over any transport.
    """
    share = shut_share(table, step)
    failed = np.maximum(table.failed, 1)
    line = np.exp(table.chance / failed)
    fails = share * OUT + (1 - share) * line
    beside = np.maximum(line * (1 - share) * line / fails, LEAST)
    chance, shared = (np.where(table.fails, failed * np.log(rate), table.chance) for rate in (fails, beside))
    return chance, shared


def shut_share(table: Observations, step: I64) -> F64:
    """Say of each observation how likely its way is shut as a whole, by all other units on it in that hour."""
    from scipy.special import betaln

    way, _ = numbered(combined(table.place, table.transport, table.version, step))
    one, first = numbered(combined(way, table.unit))
    passed = totals(one, table.answered.astype(np.int64) + table.heard, len(first)) > 0
    lost = (totals(one, table.silent.astype(np.int64) + table.broken, len(first)) > 0) & ~passed
    count = int(way.max(initial=-1)) + 1
    others = [(totals(way[first], mask, count)[way[first]] - mask)[one] for mask in (lost, passed)]
    shut = np.log(LINK_OUT) + others[0] * np.log(OUT) + others[1] * np.log1p(-OUT)
    usual = others[0] * np.log(USUAL) + others[1] * np.log1p(-USUAL)
    listed = betaln(LISTED[0] + others[0], LISTED[1] + others[1]) - betaln(*LISTED)
    fine = np.log1p(-LINK_OUT) + np.logaddexp(usual, listed) - np.log(2)
    share: F64 = np.exp(shut - np.logaddexp(shut, fine)) * (others[0] > 0)
    return share
