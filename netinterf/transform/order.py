"""When frames came and in which order a file has them, and captures that are put together."""

from collections.abc import Sequence

import attrs
import numpy as np

from netinterf.errors import ParameterError
from netinterf.transform.frames import Frames

__all__ = ["by_conversation", "merge", "round_times", "shift", "shuffle_ties"]


def shift(frames: Frames, by: int) -> Frames:
    """Let everything happen later by so many ns, or earlier."""
    return frames.at_times(frames.packets.time + by)


def round_times(frames: Frames, to: int) -> Frames:
    """Stamp frames by a clock that counts so many ns at a time (1,000 is what most captures hold): rounded down."""
    if to < 1:
        raise ParameterError("to", to, "nanoseconds, from 1 on")
    return frames.at_times(frames.packets.time // to * to)


def shuffle_ties(frames: Frames, *, seed: int = 0) -> Frames:
    """Shuffle the conversations among frames of equal time; each keeps its own order, which says who came first."""
    flow = frames.packets.flow
    luck = np.random.default_rng(seed).permutation(int(flow.max(initial=-1)) + 2)  # the last is that of no flow
    return frames.take(np.lexsort((np.arange(len(frames)), luck[flow], frames.packets.time)))


def by_conversation(frames: Frames) -> Frames:
    """Write one conversation after the other: a file need not be in the order of times, and who reads it sorts."""
    return frames.take(np.lexsort((np.arange(len(frames)), frames.packets.flow)))


def merge(captures: Sequence[Frames]) -> Frames:
    """Put several captures into one, by time.

    Frame numbers and flows of each are counted on behind those of the captures before, as in files that are joined;
    equal interfaces are one.

    Args:
        captures: The captures; the first is first where times are equal.

    Raises:
        ParameterError: There is none.
    """
    if not captures:
        raise ParameterError("captures", "none", "one capture or more")
    merged = captures[0]
    for one in captures[1:]:
        packets, before = one.packets, merged.packets
        frame = (packets.frame + before.frame.max(initial=0)).astype(np.uint32)
        flow = np.where(packets.flow >= 0, packets.flow + before.flow.max(initial=-1) + 1, -1).astype(np.int32)
        merged = merged.beside(attrs.evolve(one, packets=attrs.evolve(packets, frame=frame, flow=flow)))
    return merged.by_time()
