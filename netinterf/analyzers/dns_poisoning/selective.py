"""Whether odd replies single names out: boxes go by name, while sites and captive portals go by time."""

import numpy as np

from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.arrays import I64, U64, Mask
from netinterf.numbering import numbered, ordered
from netinterf.trace import Trace

__all__ = ["between_others", "by_name", "name_keys"]

OF_NAME = 0.9
"""Share of a name's replies that must be odd: a box goes by name, losing few; sites and portals go by time."""

NEIGHBOURS, SPARED = 3, 0.5
"""How many replies about other names before and after are looked at, and the share of them that must be ordinary."""


def name_keys(replies: Replies) -> U64:
    """Mix server and question of each reply into one number."""
    return replies.question ^ replies.server.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)


def by_name(replies: Replies, clean: Mask, rows: I64) -> Mask:
    """Say which odd replies are about questions that draw hardly anything else from that server."""
    if not len(rows):
        return np.zeros(0, np.bool_)
    number, first = numbered(name_keys(replies))
    counts, odd = (np.bincount(number[which], minlength=len(first))[number[rows]] for which in (clean, rows))
    singled: Mask = odd / counts >= OF_NAME
    return singled


def between_others(trace: Trace, replies: Replies, clean: Mask, rows: I64) -> Mask:
    """Say which odd replies are about names whose odd replies stand between ordinary ones about other names."""
    if not len(rows):
        return np.zeros(0, np.bool_)
    strange = np.zeros(len(replies), np.bool_)
    strange[rows] = True
    order = np.flatnonzero(clean)
    order = order[np.argsort(trace.packets.time[replies.packet[order]], kind="stable")]
    order = order[ordered(replies.server[order])]
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
    name, _ = numbered(name_keys(replies)[rows])
    near, ordinary = (np.bincount(name, counted)[name] for counted in (near, ordinary))
    between: Mask = (near > 0) & (ordinary >= SPARED * near)
    return between
