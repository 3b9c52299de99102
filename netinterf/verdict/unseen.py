"""Whether anybody could have seen what is looked for, where nothing was found: blind is *insufficient*, never *ok*."""

from typing import TYPE_CHECKING

import numpy as np

from netinterf.arrays import Mask
from netinterf.verdict.left_off import cut_short, left_off
from netinterf.verdict.reasons import Bits, Reason
from netinterf.verdict.unread import exchanges_unread, flows_unread, names_missed

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["UNREAD", "exchanges_unseen", "flows_unseen"]

UNREAD = Reason.SNAPLEN | Reason.TOO_FEW
"""Reasons for which what would show a forgery was not read."""


def flows_unseen(trace: "Trace") -> Bits:
    """Say why nothing could have been found in a flow; no bit means that it would have been."""
    reasons = (
        (flows_unread(trace), Reason.SNAPLEN),
        (names_missed(trace), Reason.TOO_FEW),
        (left_off(trace), Reason.ENDED_EARLY),
    )
    return _first(reasons)


def exchanges_unseen(trace: "Trace") -> Bits:
    """Say the same of DNS exchanges."""
    reasons = ((exchanges_unread(trace), Reason.SNAPLEN), (cut_short(trace), Reason.ENDED_EARLY))
    return _first(reasons)


def _first(reasons: tuple[tuple[Mask, Reason], ...]) -> Bits:
    """Give the first reason that holds, 0 where none does."""
    return np.select([where for where, _ in reasons], [int(reason) for _, reason in reasons], 0).astype(np.int64)
