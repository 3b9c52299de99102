"""Series that a sender of bursts and a token bucket make."""

import numpy as np


def bursts(seed, count=1500, rtt=0.05, size=1514.0):
    """Send bursts of random length, one a round trip, as a window-based sender does."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 30, count)
    start = np.repeat(np.arange(count) * rtt, lengths)
    inside = np.concatenate([np.arange(n) for n in lengths]) * 12e-6
    time = (start + inside)[:count]
    return time, np.full(count, size)


def police(time, size, rate, depth):
    """Drop what a token bucket does not hold."""
    level, at, lost = depth, time[0], np.zeros(len(time), bool)
    for place, (now, wanted) in enumerate(zip(time, size, strict=True)):
        level, at = min(depth, level + rate * (now - at)), now
        lost[place] = level < wanted
        level -= 0 if lost[place] else wanted
    return lost
