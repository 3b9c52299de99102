"""Recursions over packets, in which each step needs the one before: all that cannot be done to every packet at once.

They are compiled where the package was built with a C compiler (`netinterf.compiled`); elsewhere numpy and plain Python
do the same (`arrays`). Both do the same operations in the same order,
each rounded by itself (IEEE 754), so what comes out is equal to the last bit.
"""

from collections.abc import Sequence

from netinterf.arrays import F64, I64, Mask
from netinterf.compiled import is_there
from netinterf.stats.recursion import arrays, compiled
from netinterf.stats.recursion.arrays import Passed, Steps

__all__ = ["Passed", "Steps", "bursts", "count_under", "fade", "follow"]


def follow(steps: Steps, rate: F64, depth: F64) -> F64:
    """Follow one token bucket along each series, setting it right after every packet.

    Args:
        steps: The packets of all series.
        rate: Refill rate for each series, bytes a second.
        depth: Depth for each, bytes; buckets are full at first.

    Returns:
        What each packet would leave, bytes: below 0 the bucket says that it is lost.
    """
    return (compiled.follow if is_there() else arrays.follow)(steps, rate, depth)


def count_under(steps: Steps, owner: I64, rate: F64, depth: F64) -> I64:
    """Count the packets that would leave less than nothing, or less than another packet, in each bucket.

    Args:
        steps: The packets of all series.
        owner: Which series each bucket is tried on, m of them.
        rate: Refill rates in bytes a second, m of them.
        depth: Depths in bytes, m of them; buckets are full at first.

    Returns:
        Shape (2, 2, m): of all packets or of those lost, less than nothing or than a packet.
    """
    return (compiled.count_under if is_there() else arrays.count_under)(steps, owner, rate, depth)


def bursts(owner: I64, rate: F64, passed: Passed) -> F64:
    """Measure the largest burst above each rate: the farthest that what was sent gets ahead of a line of that slope.

    Args:
        owner: Which series each rate is held against, m of them; best those of one series together.
        rate: Bytes a second, m of them.
        passed: What passed of each series.

    Returns:
        Bytes, m of them; 0 where nothing passed.
    """
    return (compiled.bursts if is_there() else arrays.bursts)(owner, rate, passed)


def fade(stay: Sequence[F64], lost: Sequence[Mask], share: F64, likelier: F64, total: F64, every: int) -> None:
    """Follow fading links along series, and add the logarithm of how likely they make what was seen.

    Two numbers are carried: the likelihood of all that was seen, and that of being in the bad state as well, both
    relative to a link that is always good.

    Args:
        stay: For each of s series, how much of either state is unchanged since the packet before; shape (packets, r)
            for r rates of change.
        lost: What was lost, for each series.
        share: Shares of the time that are bad, b of them.
        likelier: How much likelier than in the good state, less 1, a packet passes in the bad state, and is lost; shape
            (2, k) for k links.
        total: Log-likelihoods that are added to; shape (s, k, b·r).
        every: Packets between two logarithms, which are dear.
    """
    (compiled.fade if is_there() else arrays.fade)(stay, lost, share, likelier, total, every)
