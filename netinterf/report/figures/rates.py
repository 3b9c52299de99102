"""The rate series: how much passed in each stretch of time, beside the limit that was fitted and what others got.

Counted is what the bucket counts, whole packets on the wire without those that were lost, so that the curve and the
line have one measure. A bucket that was not used for a while lets a burst through above its rate: the tinted area above
the line is what the fitted bucket had in store at each moment.
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64
from netinterf.errors import ParameterError
from netinterf.report.figures.axes import Axis, frame, round_step, seconds_axis, unit_axis
from netinterf.report.figures.canvas import LINE, Panel, key, line, words
from netinterf.values import frozen
from netinterf.written.numbers import scaled

__all__ = ["Limit", "bin_width", "rate_series"]

PLOT = 190
"""Units from the top of the plot to its foot."""

BINS = 45
"""Stretches of time in a plot: steps of eight units, which can be told apart."""

LEAST_PACKETS, LEAST_BINS = 3, 12
"""Packets that the limit lets through in a stretch, since with fewer the curve shows single packets; and stretches that
are drawn nonetheless."""

HEADROOM = 6.0
"""How many times what the limited transfer reached is shown; others that were faster leave the plot, and how fast they
were is written. Else the limit would be a line along the foot."""

SHADE = '<rect class="burst" x="-9" y="-9" width="18" height="9"/>'


@frozen
class Limit:
    """A fitted token bucket."""

    rate: float  # bit/s on the wire
    depth: float = float("nan")  # bytes, NaN when unknown

    @property
    def says(self) -> str:
        """Name it by its numbers."""
        burst = f", bursts of {scaled(self.depth, 'B')}" if self.depth > 0 else ""
        return f"fitted limit: {scaled(self.rate, 'bit/s')}{burst}"


def rate_series(
    time: ArrayLike,
    size: ArrayLike,
    *,
    limit: Limit | None = None,
    others: tuple[ArrayLike, ArrayLike] = ((), ()),
    until: float = 0.0,
    title: str = "How much passed",
    who: str = "this connection",
    rest: str = "other connections of the client",
) -> Panel:
    """Draw the rate of a transfer over time.

    Args:
        time: Seconds since the first packet shown, of the packets that were not lost, n of them.
        size: Their bytes on the wire, n.
        limit: The fitted bucket.
        others: Times and sizes of what the same client got from others.
        until: Seconds that are shown at least.
        title: Words above the plot.
        who: Whose rate it is.
        rest: Who the others are.

    Returns:
        The plot; without packets an empty one that says so.

    Raises:
        ParameterError: The columns differ in length.
    """
    own = tuple(np.asarray(column, np.float64) for column in (time, size))
    spared = tuple(np.asarray(column, np.float64) for column in others)
    for name, (when, bytes_) in (("size", own), ("others", spared)):
        if len(when) != len(bytes_):
            raise ParameterError(name, len(bytes_), f"as long as the times ({len(when)})")
    span = max(1e-3, own[0].max(initial=until), spared[0].max(initial=until))
    step = bin_width(span, own[1], limit)
    edges = np.arange(np.ceil(span / step - 1e-9) + 1) * step
    passed, free = (8 / step * np.histogram(when, edges, weights=bytes_)[0] for when, bytes_ in (own, spared))
    store = in_store(passed * step / 8, step, limit)
    most = max(passed.max(initial=0.0), store.max(initial=0.0), 1.3 * limit.rate if limit else 0.0)
    entries = [('<path class="passed stroke" d="M-8 0H8"/>', who)]
    if len(spared[0]):
        entries.append(('<path class="others dotted" d="M-8 0H9"/>', rest))
    if limit is not None:
        entries.append((f'{SHADE if store.any() else ""}<path class="limit dash" d="M-9 0H9"/>', limit.says))
    head, top = key(entries, LINE + 4.0)
    x = seconds_axis(float(edges[-1]))
    high = min(max(most, free.max(initial=0.0)), HEADROOM * max(most, 1.0))
    y = unit_axis(high, top + 24 + PLOT, top + 24, f"rate in each {span_words(step)}", "bit/s")
    marks = [words(12, LINE, title, "part ink"), *head, *frame(x, y)]
    if not len(own[0]):
        marks.append(words((x.start + x.end) / 2, y.end + PLOT / 2, "no packets with data", "soft", "middle"))
    marks += limit_marks(x, y, edges, store, limit) if limit is not None else []
    marks += other_marks(x, y, edges, free)
    marks.append(line(*steps(x, y, edges, passed), "passed stroke"))
    return Panel(y.start + 50, tuple(filter(None, marks)), description(title, passed, free, limit, who, rest))


def bin_width(span: float, size: F64, limit: Limit | None) -> float:
    """Choose stretches of time: round, not too many, and in each a few packets at the limit."""
    packet = float(np.median(size)) if len(size) else 0.0
    least = 8 * packet * LEAST_PACKETS / limit.rate if limit is not None and limit.rate > 0 else 0.0
    return round_step(max(span / BINS, min(least, span / LEAST_BINS)), 1)


def in_store(passed: F64, step: float, limit: Limit | None) -> F64:
    """Follow the fitted bucket from stretch to stretch: what it could let through in each, as a rate in bit/s."""
    if limit is None or not limit.depth > 0:
        return np.zeros(len(passed))
    level, room = limit.depth, []
    for taken in passed.tolist():  # a hundred at most
        room.append(level + limit.rate / 8 * step)
        level = min(max(room[-1] - taken, 0.0), limit.depth)
    return np.array(room) * 8 / step


def steps(x: Axis, y: Axis, edges: F64, rate: F64) -> tuple[F64, F64]:
    """Draw rates as steps, cut where they leave the plot."""
    return x.place(np.repeat(edges, 2)[1:-1]), y.place(np.minimum(np.repeat(rate, 2), y.high))


def limit_marks(x: Axis, y: Axis, edges: F64, store: F64, limit: Limit) -> list[str]:
    """Draw the line of the rate, and above it what the bucket had in store."""
    drawn = []
    if store.any():
        across, up = steps(x, y, edges, store)
        foot = y.at(limit.rate)
        corners = [(x.start, foot), *zip(across.tolist(), up.tolist(), strict=True), (x.end, foot)]
        path = " ".join(f"{h:.1f},{v:.1f}" for h, v in corners)
        drawn.append(f'<polygon class="burst" points="{path}"/>')
    return [*drawn, f'<path class="limit dash" d="M{x.start:g} {y.at(limit.rate):.1f}H{x.end:g}"/>']


def other_marks(x: Axis, y: Axis, edges: F64, rate: F64) -> list[str]:
    """Draw what others got, where they got anything; where they were too fast for the plot, that is written."""
    drawn = [line(*steps(x, y, edges, np.where(rate > 0, rate, np.nan)), "others dotted")]
    top = int(np.argmax(rate)) if len(rate) else 0
    if len(rate) and rate[top] > y.high:
        middle = x.at(float(edges[top : top + 2].mean()))
        anchor = "start" if middle < (x.start + x.end) / 2 else "end"
        drawn.append(f'<path class="others stroke" d="M{middle:.1f} {y.end + 12:g}V{y.end - 3:g}m-4 5l4-5 4 5"/>')
        shift = 8 if anchor == "start" else -8
        drawn.append(words(round(middle + shift, 1), y.end + 12, f"up to {scaled(rate[top], 'bit/s')}", "ink", anchor))
    return drawn


def span_words(step: float) -> str:
    """Write a round stretch of time."""
    if step < 1:
        return f"{1e3 * step:g} ms"
    return "second" if step == 1 else f"{step:g} seconds"


def description(title: str, passed: F64, free: F64, limit: Limit | None, who: str, rest: str) -> str:
    """Say what the plot shows."""
    parts = [f"{title}: {who}, at most {scaled(passed.max(initial=0.0), 'bit/s')}"]
    parts += [f"{rest}, at most {scaled(free.max(initial=0.0), 'bit/s')}"] if free.any() else []
    parts += [limit.says] if limit is not None else []
    return "; ".join(parts) + "."
