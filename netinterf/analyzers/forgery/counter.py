"""Hop limit and window out of one counter, from connection to connection.

Some injectors count what they write: window and hop limit climb together (Marczak et al., China's Great Cannon, FOCI
2015; Wang et al., Your State is Not Mine, IMC 2017, section 2.1), and the hop limits run through a cycle of 200 values
(the per-packet data of Wu et al., A Wall Behind A Wall, IEEE S&P 2025). The difference of the two is then the same
whenever it strikes, while a stack starts every packet with one hop limit, and a route that changes moves no window.
"""

import numpy as np

from netinterf.arrays import I64, U8, U16, Mask
from netinterf.numbering import combined, distinct

__all__ = ["CYCLE", "counted_together"]

CYCLE = 200
"""Hop limits after which the counter begins anew: 39 to 238 in 8,545 packets of Wu et al., IEEE S&P 2025."""

FEWEST = 3
"""Different hop limits of one remainder that are no chance: two fields drawn at random agree so once in
`CYCLE`**(n - 1) = 40,000 times."""

FARTHEST = 5
"""Hops by which routes that change differ (Paxson, ToN 1997: mostly one or two); a counter goes further."""


def counted_together(group: I64, ttl: U8, window: U16) -> Mask:
    """Say which packets of each group have hop limits and windows out of one counter.

    Args:
        group: A number for each packet: those that one machine would have written, whoever's they are.
        ttl: Hop limits.
        window: Window fields.

    Returns:
        True for the packets with one remainder, if they have `FEWEST` and more hop limits, as many windows, more than
        `FARTHEST` hops between them, and most hop limits of their group: its genuine packets show one or two others.
    """
    if not len(group):
        return np.zeros(0, np.bool_)
    hops, field = ttl.astype(np.int64), window.astype(np.int64)
    owner = combined(group)
    counter = combined(owner, (field - hops) % CYCLE)
    size = int(counter.max()) + 1
    limits, windows = kinds(counter, hops, size), kinds(counter, field, size)
    least, most = np.full(size, 255), np.zeros(size, np.int64)
    np.minimum.at(least, counter, hops)
    np.maximum.at(most, counter, hops)
    counts = (limits >= FEWEST) & (windows >= FEWEST) & (most - least > FARTHEST)
    all_limits = kinds(owner, hops, int(owner.max()) + 1)
    together: Mask = counts[counter] & (2 * limits[counter] > all_limits[owner])
    return together


def kinds(owner: I64, value: I64, size: int) -> I64:
    """Count the different values, below 65,536, of each of *size* owners."""
    return np.bincount(distinct(owner << 16 | value) >> 16, minlength=size)
