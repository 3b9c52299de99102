"""What taps do to a recording: keep the beginning of frames, miss some, see one direction, or everything twice."""

import attrs
import numpy as np

from netinterf.errors import ParameterError
from netinterf.transform.addresses import forward
from netinterf.transform.frames import Frames

__all__ = ["begin_late", "double", "end_early", "lose", "one_way", "route_twice", "skew", "snaplen"]


def snaplen(frames: Frames, size: int) -> Frames:
    """Keep the first bytes of each frame, as a recorder's snapshot length does.

    Args:
        frames: The frames.
        size: How many bytes, at least 1.

    Raises:
        ParameterError: *size* is less than 1.
    """
    if size < 1:
        raise ParameterError("size", size, "a whole number from 1 on")
    packets = frames.packets
    return attrs.evolve(frames, packets=attrs.evolve(packets, captured=np.minimum(packets.captured, np.uint32(size))))


def one_way(frames: Frames, *, outbound: bool) -> Frames:
    """Keep only what clients sent (*outbound*), or only what they were sent; frames without IP are of neither."""
    packets = frames.packets
    return frames.take((packets.flow >= 0) & (packets.outbound == outbound))


def lose(frames: Frames, share: float, *, seed: int = 0) -> Frames:
    """Miss a share (0 to 1) of the frames, each by chance; the same seed misses the same frames."""
    if not 0 <= share <= 1:
        raise ParameterError("share", share, "a share from 0 to 1")
    return frames.take(np.random.default_rng(seed).random(len(frames)) >= share)


def begin_late(frames: Frames, share: float) -> Frames:
    """Leave out the first frames, a share (0 to 1) of all."""
    return frames.take(np.arange(round_down(frames, share), len(frames)))


def end_early(frames: Frames, share: float) -> Frames:
    """Leave out the last frames, a share (0 to 1) of all."""
    return frames.take(np.arange(len(frames) - round_down(frames, share)))


def round_down(frames: Frames, share: float) -> int:
    """Say how many frames a share of them is."""
    if not 0 <= share <= 1:
        raise ParameterError("share", share, "a share from 0 to 1")
    return int(len(frames) * share)


def double(frames: Frames) -> Frames:
    """Record every frame twice at once, as a mirror port for both directions of one link does."""
    return frames.take(np.repeat(np.arange(len(frames)), 2))


def route_twice(frames: Frames, after: int = 20_000) -> Frames:
    """Record every frame on both sides of a router: the second copy as it passed it on (`forward`).

    Args:
        frames: The frames.
        after: How much later the second copy passes, ns.
    """
    again = forward(frames)
    return frames.beside(again.at_times(again.packets.time + after)).by_time()


def skew(frames: Frames, by: int) -> Frames:
    """Stamp what clients are sent by another clock, as two ports of a tap without a common one do.

    Args:
        frames: The frames.
        by: How far that clock is ahead, ns.
    """
    packets = frames.packets
    inbound = (packets.flow >= 0) & ~packets.outbound
    return frames.at_times(packets.time + by * inbound).by_time()
