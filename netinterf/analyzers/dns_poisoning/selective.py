"""Whether odd replies single names out: boxes go by name, while sites and captive portals go by time."""

import numpy as np

from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.arrays import I64, U64, Mask
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
    keys = name_keys(replies)
    names, counts = np.unique(keys[clean], return_counts=True)
    odd_names, odd_counts = np.unique(keys[rows], return_counts=True)
    share = odd_counts / counts[np.searchsorted(names, odd_names)] if len(rows) else np.empty(0)
    singled: Mask = share[np.searchsorted(odd_names, keys[rows])] >= OF_NAME if len(rows) else np.zeros(0, np.bool_)
    return singled


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
    between: Mask = (near > 0) & (ordinary >= SPARED * near)
    return between
