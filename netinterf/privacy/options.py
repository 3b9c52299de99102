"""TCP options that may stay: those that say how a connection works, and the bare kind and length of all others.

Fast Open cookies (RFC 7413), keys and addresses of Multipath TCP (RFC 8684), signatures (RFC 2385, RFC 5925) and
whatever is not known here can name a host or a person, and stands as zeros.
"""

import numpy as np

from netinterf.arrays import I64, U8

__all__ = ["redact_options"]

LONGEST = 40
"""Most bytes of options (RFC 9293 §3.1)."""

END, NOTHING = 0, 1

COPIED = np.full(256, 2)
COPIED[[END, NOTHING]] = 1
COPIED[[2, 3, 8]] = (4, 3, 10)
COPIED[5] = 34
COPIED[[253, 254]] = 4
"""Bytes that stay of an option at most, by kind. Of segment size, window scale, timestamps and SACK it is all that
belongs to them (RFC 9293, RFC 7323, RFC 2018), of experiments the number that says which (RFC 6994), of others kind and
length."""


def redact_options(octets: U8, length: I64) -> U8:
    """Blank what must not stay of option lists.

    The lists are walked in lock-step, an option a round, as when they are decoded; one that contradicts itself ends
    there, and what follows is blanked.

    Args:
        octets: n rows of 40 bytes.
        length: Bytes of each list; may be negative or cut off.

    Returns:
        The rows with zeros where something was taken out.
    """
    copied = np.zeros(octets.shape, np.bool_)
    padded = np.pad(octets, ((0, 0), (0, 2)))
    alive = np.flatnonzero(length > 0)
    place, column = np.zeros(len(octets), np.int64), np.arange(LONGEST)
    while len(alive):
        at = place[alive]
        kind, size = padded[alive, at], padded[alive, at + 1].astype(np.int64)
        size[kind == NOTHING] = 1
        sane = (size <= length[alive] - at) & (size >= np.where(kind == NOTHING, 1, 2))
        stays = np.where(sane, np.minimum(COPIED[kind], size), np.minimum(COPIED[kind], 2))
        copied[alive] |= (column >= at[:, None]) & (column < (at + stays)[:, None])
        going = sane & (kind != END)
        alive, size = alive[going], size[going]
        place[alive] += size
        alive = alive[place[alive] < length[alive]]
    result: U8 = np.where(copied & (column < length[:, None]), octets, np.uint8(0))
    return result
