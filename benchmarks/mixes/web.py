"""Mixes made of one web capture: the same TLS connections as they look through other recorders, lines and hosts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import attrs
import numpy as np

from benchmarks.capture import EPOCH, SLOTS, Change, write_capture
from netinterf.arrays import Mask
from netinterf.simulate.encode import Segments
from netinterf.table import Ragged, spans

__all__ = ["WEB"]

SYN = 2
YEARS = 55 * 365 * 86_400 * 10**9
SPREAD = 20_000  # times that gaps become longer where connections idle: 20 s of beginnings become four days and more
BEGINNINGS = 20 * 10**9  # ns in which the connections of the capture begin


def web(change: Change | None = None, *, snaplen: int = 262_144) -> Callable[[Path, int, int], None]:
    """Give what writes so many packets of web traffic, changed."""

    def write(path: Path, packets: int, times: int) -> None:
        write_capture(path, connections=packets * times // SLOTS, seed=3, snaplen=snaplen, change=change)

    return write


def without_options(_: np.random.Generator, segments: Segments) -> Segments:
    """Leave every option out, timestamps above all: no round trip can be read from echoes."""
    return attrs.evolve(segments, options=Ragged.empty(len(segments), "u1"))


def lost(share: float, rng: np.random.Generator, segments: Segments) -> Segments:
    """Lose packets at random."""
    return segments.take(rng.random(len(segments)) >= share)


def swapped(share: float, rng: np.random.Generator, segments: Segments) -> Segments:
    """Let packets change places with the next one of a thousandth of a second; times stay in order."""
    rows = np.arange(len(segments))
    close = np.append(np.diff(segments.time) < 1_000_000, False)
    first = np.flatnonzero(close & (rng.random(len(rows)) < share))
    first = first[np.append(True, np.diff(first) > 1)] if len(first) else first
    rows[first], rows[first + 1] = first + 1, first.copy()
    return attrs.evolve(segments.take(rows), time=segments.time)


def with_data(segments: Segments) -> Mask:
    """Say which packets carry data and open nothing."""
    data: Mask = (segments.payload.lengths > 0) & ((segments.flags & SYN) == 0)
    return data


def overlapping(_: np.random.Generator, segments: Segments) -> Segments:
    """Send every second segment again at once, from its middle on: what lies there twice differs from the first."""
    rows = np.flatnonzero(with_data(segments) & (np.arange(len(segments)) % 2 == 0))
    again = segments.take(rows)
    half = again.payload.lengths // 2
    kept = again.payload.lengths - half
    tail = again.payload.values[spans(again.payload.offsets[:-1] + half, kept)]
    again = attrs.evolve(
        again, time=again.time + 1000, seq=again.seq + half.astype(np.uint32),
        payload=Ragged.from_lengths(kept, tail ^ 0xFF),
    )  # fmt: skip
    both = Segments.concat([segments, again])
    return both.take(np.argsort(both.time, kind="stable"))


def random_numbers(rng: np.random.Generator, segments: Segments) -> Segments:
    """Number every segment at random, as damaged and hostile captures do."""
    drawn = rng.integers(0, 1 << 32, len(segments), dtype=np.uint32)
    return attrs.evolve(segments, seq=np.where(with_data(segments), drawn, segments.seq))


def idle(_: np.random.Generator, segments: Segments) -> Segments:
    """Stretch everything over days, and connections with it."""
    return attrs.evolve(segments, time=EPOCH + (segments.time - EPOCH) * SPREAD)


def stepped(_: np.random.Generator, segments: Segments) -> Segments:
    """Set the clock from 1970 to today in the middle of the recording."""
    late = segments.time > EPOCH + BEGINNINGS // 2
    return attrs.evolve(segments, time=np.where(late, segments.time, segments.time - YEARS))


WEB: dict[str, Callable[[Path, int, int], None]] = {
    "web": web(),
    "web, no timestamps": web(without_options),
    "web, 96 bytes": web(snaplen=96),
    "loss 5 %": web(partial(lost, 0.05)),
    "reordered": web(partial(swapped, 0.05)),
    "overlapping repeats": web(overlapping),
    "random numbers": web(random_numbers),
    "idle for days": web(idle),
    "clock step": web(stepped),
}
