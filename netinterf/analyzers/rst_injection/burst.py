"""The shape of a burst: several resets at once, and fields that no end-host would write that way.

Injectors send several resets so that one lands in the window. A host that answers every segment of a flight also sends
several, but each from its own send call: with its own IP ID, equal hop limits and, being bare, an equal sequence
number.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.rst_injection.suspects import Suspects
from netinterf.trace import Trace

__all__ = ["BurstSigns", "burst_signs"]

BURST_NS = 50_000_000
"""Resets of one side closer than this form one burst: parts of one injector's answer lay 0.2-9 ms apart in captures."""

EXCESS = 3  # two may be an abort and the answer to what was under way

CLONE_NS = 5_000_000  # copies of one packet come within 5 ms (triples within 0.2 ms in public captures)
DUPLICATED_CAPTURE = 0.2  # a capture that doubles this share of its TCP packets clones IDs by itself


@attrs.frozen(eq=False, kw_only=True)
class BurstSigns:
    """One entry per suspect."""

    size: NDArray[np.int64]  # resets of this side in the burst
    mixed: NDArray[np.bool_]  # the burst holds resets with and without ACK, or a different ack field
    excess: NDArray[np.bool_]  # three or more resets, and more than packets that the sender had not answered
    cloned: NDArray[np.bool_]  # an equal non-zero IP ID on another reset of the burst
    counting: NDArray[np.bool_]  # hop limit and window climb together over the burst


def burst_signs(trace: Trace, suspects: Suspects) -> BurstSigns:
    """Describe the burst that each suspect belongs to."""
    packets = trace.packets
    count = len(suspects)
    order = np.lexsort((suspects.row, suspects.side))
    row, side = suspects.row[order], suspects.side[order]
    time = packets.time[row]
    apart = np.append(True, (side[1:] != side[:-1]) | (time[1:] - time[:-1] > BURST_NS))[:count]
    burst = np.cumsum(apart) - 1
    sizes = np.bincount(burst) if count else np.empty(0, np.int64)
    kind = packets.relative_ack[row] + suspects.acks[order] * (np.int64(1) << 42)
    starts = np.flatnonzero(apart)
    mixed = _spread(kind, starts) > 0
    follows = ~apart
    ids = packets.ip_id[row].astype(np.int64)
    close = follows & (np.diff(time, prepend=time[:1]) <= CLONE_NS) & (packets.version[row] == 4)
    twin = close & (ids == np.roll(ids, 1)) & (ids > 0)
    twin |= np.append(twin[1:], False)[:count]
    ttl, window = packets.ttl[row].astype(np.int64), packets.window[row].astype(np.int64)
    locked = _spread(window - ttl, starts) == 0
    climbs = (_spread(ttl, starts) > 0) & locked & (_spread(window, starts) > 0)
    unanswered = waiting(suspects)[order]
    excess = (
        (sizes[burst] >= EXCESS) & (sizes[burst] > unanswered) & (unanswered > 0) if count else np.zeros(0, np.bool_)
    )
    signs = BurstSigns(
        size=sizes[burst] if count else burst,
        mixed=mixed[burst] if count else np.zeros(0, np.bool_),
        excess=excess,
        cloned=twin & (trace.facts.duplicate_share < DUPLICATED_CAPTURE),
        counting=climbs[burst] if count else np.zeros(0, np.bool_),
    )
    back = np.argsort(order)
    columns = {name: column[back] for name, column in attrs.asdict(signs, recurse=False).items()}
    return BurstSigns(**columns)


def waiting(suspects: Suspects) -> NDArray[np.int64]:
    """Count the other side's packets since the claimed sender's last packet: each may draw one reset."""
    base = suspects.base
    since = np.where(suspects.previous >= 0, base.at(base.row, suspects.previous), -1)
    keys = base.side << 32 | base.row
    first = np.searchsorted(keys, suspects.other << 32 | (since + 1))
    count: NDArray[np.int64] = np.searchsorted(keys, suspects.other << 32 | suspects.row) - first
    return count


def _spread(values: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Greatest minus least value of each run that begins at *starts*."""
    if not len(values):
        return values
    return np.maximum.reduceat(values, starts) - np.minimum.reduceat(values, starts)
