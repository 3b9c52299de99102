"""Single replies that somebody else than their server seems to have written, for names that it was asked about before.

A box in the path that answers in place of the resolver leaves no second reply. But it stands at another distance, which
shows in the hop limit, and it answers sooner or builds its replies otherwise. Forwarders that hand some names on to
another server look the same, and so this alone accuses nobody: it needs two of the three, a server with a profile
learnt without the odd ones, names all of whose replies are odd, and others meanwhile that are not, since a captive
portal or another site of an anycast address answers everything for a while.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.dns_poisoning.profile import Contrasts, contrast_replies, far_off
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.trace import Trace

__all__ = ["Outliers", "find_outliers"]

Mask = NDArray[np.bool_]
I64 = NDArray[np.int64]

PROFILE = 20
"""Ordinary replies of a server that a contrast within it needs for a judgement of medium weight (the smallest sample
whose rarest feature has odds below one in twenty, Jeffreys)."""

OF_NAME = 0.9
"""Share of a name's replies that must be odd: a box goes by name, losing few; sites and portals go by time."""

NEIGHBOURS, SPARED = 3, 0.5
"""How many replies about other names before and after are looked at, and the share of them that must be ordinary."""


@attrs.frozen(eq=False, kw_only=True)
class Outliers:
    """One row per odd reply."""

    rows: I64  # rows in Replies
    llr: NDArray[np.float64]  # hop limit, construction and time together
    ttl: I64
    usual_ttl: NDArray[np.float64]
    baseline: I64  # ordinary replies of its server
    of_name: I64  # replies about its name, all but a few as odd


def find_outliers(trace: Trace, replies: Replies, clean: Mask, sunk: Mask, bounds: NDArray[np.float64]) -> Outliers:
    """Find replies unlike their server's others, name by name.

    Args:
        trace: The capture.
        replies: All replies.
        clean: Which are under no suspicion for other reasons; aligned with *replies*.
        sunk: Which answer as a block list would; aligned likewise.
        bounds: Least TCP handshake per host in ns, NaN where unknown.
    """
    rows = with_profile(replies, clean, clean)
    rows = rows[far_off(trace, replies, rows, clean)]  # few; the rest of the comparison takes longer
    rows = rows[odd(contrast_replies(trace, replies, rows, clean, sunk, bounds))]
    rest = clean.copy()
    rest[rows] = False
    rows = rows[np.isin(rows, with_profile(replies, clean, rest))]
    rows = rows[by_name(replies, clean, rows) & between_others(trace, replies, clean, rows)]
    found = contrast_replies(trace, replies, rows, rest, sunk, bounds)
    kept = np.flatnonzero(odd(found))
    _, place, size = np.unique(name_keys(replies)[rows[kept]], return_inverse=True, return_counts=True)
    return Outliers(
        rows=rows[kept],
        llr=(found.hops + found.construction + np.maximum(found.timing, found.bound))[kept],
        ttl=replies.ttl[rows[kept]],
        usual_ttl=found.usual_ttl[kept],
        baseline=found.baseline[kept],
        of_name=size[place.reshape(-1)],
    )


def odd(found: Contrasts) -> Mask:
    """Say which replies came from another distance, and too soon or built otherwise as well."""
    apart: Mask = (found.hops > 0) & ((found.construction > 0) | (found.timing > 0) | (found.bound > 0))
    return apart


def with_profile(replies: Replies, clean: Mask, base: Mask) -> I64:
    """List the clean replies whose server has enough replies among *base*."""
    count = np.bincount(replies.server[base], minlength=int(replies.server.max(initial=-1)) + 1)
    return np.flatnonzero(clean & (count[replies.server] >= PROFILE))


def name_keys(replies: Replies) -> NDArray[np.uint64]:
    """Mix server and question of each reply into one number."""
    return replies.question ^ replies.server.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)


def by_name(replies: Replies, clean: Mask, rows: I64) -> Mask:
    """Say which odd replies are about questions that draw hardly anything else from that server."""
    keys = name_keys(replies)
    asked, counts = np.unique(keys[clean], return_counts=True)
    struck, odd_counts = np.unique(keys[rows], return_counts=True)
    share = odd_counts / counts[np.searchsorted(asked, struck)] if len(rows) else np.empty(0)
    found: Mask = share[np.searchsorted(struck, keys[rows])] >= OF_NAME if len(rows) else np.zeros(0, np.bool_)
    return found


def between_others(trace: Trace, replies: Replies, clean: Mask, rows: I64) -> Mask:
    """Say which odd replies are about names whose odd replies stand between ordinary ones about other names."""
    strange = np.zeros(len(replies), np.bool_)
    strange[rows] = True
    order = np.flatnonzero(clean)
    order = order[np.lexsort((trace.packets.time[replies.packet[order]], replies.server[order]))]
    place = np.empty(len(replies), np.int64)
    place[order] = np.arange(len(order))
    near, ordinary = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    steps = [step for step in range(-NEIGHBOURS, NEIGHBOURS + 1) if step]
    for step in steps:
        at = place[rows] + step
        inside = (at >= 0) & (at < len(order))
        other = order[np.clip(at, 0, max(len(order) - 1, 0))] if len(order) else rows
        same = inside & (replies.server[other] == replies.server[rows])
        same &= replies.question[other] != replies.question[rows]
        near += same
        ordinary += same & ~strange[other]
    _, name = np.unique(name_keys(replies)[rows], return_inverse=True)
    near, ordinary = (np.bincount(name.reshape(-1), counted)[name.reshape(-1)] for counted in (near, ordinary))
    found: Mask = (near > 0) & (ordinary >= SPARED * near)
    return found
