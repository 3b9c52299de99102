"""The time–sequence plot: how far a transfer had come at each moment, and what was lost on the way.

The picture by which transfers have been read since xplot (Shepard, "TCP Packet Trace Analysis", MIT, 1991) and
tcptrace: every packet at its time and at its place in the stream. A free path gives a steep, clean line. A token bucket
gives a steep beginning, for as long as the bucket lasts, and then a straight line of its rate, with losses along it
wherever the sender tries to leave it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64, Mask
from netinterf.errors import ParameterError
from netinterf.report.figures.axes import Axis, frame, seconds_axis, unit_axis
from netinterf.report.figures.canvas import LINE, Panel, cross, diamond, dots, key, line, words
from netinterf.values import frozen

__all__ = ["Slope", "time_sequence"]

PLOT = 230
"""Units from the top of the plot to its foot."""

MOST_DOTS, MOST_MARKS = 6_000, 2_000
"""Packets that arrived, and lost or repeated ones, that are drawn at most: some 150 kB. What would cover each other is
drawn once, and where that is not enough, places are rounded more and more."""

ORIGIN = np.zeros(1)


@frozen
class Slope:
    """A fitted rate, drawn as a line from the first loss to the last; without losses all the way."""

    rate: float  # bytes of the stream in a second
    says: str  # what it is


@frozen(eq=False, kw_only=True)
class Sent:
    """The packets of one way of a connection."""

    time: F64  # seconds
    start: F64  # place in the stream, bytes
    length: F64  # bytes of the stream
    lost: Mask
    again: Mask

    @property
    def kinds(self) -> dict[str, Mask]:
        """Which packets are drawn as what; losses last, so that nothing covers them."""
        return {"passed": ~self.lost & ~self.again, "again": ~self.lost & self.again, "lost": self.lost}


def time_sequence(
    time: ArrayLike,
    start: ArrayLike,
    length: ArrayLike,
    lost: ArrayLike,
    again: ArrayLike,
    *,
    answered: tuple[ArrayLike, ArrayLike] = ((), ()),
    slope: Slope | None = None,
    until: float = 0.0,
    title: str = "How far the transfer came",
) -> Panel:
    """Draw the packets of one way of a connection.

    Args:
        time: Seconds since the first packet, never falling, n of them.
        start: Where in the stream each packet begins, bytes from 0.
        length: How many bytes of the stream it carries.
        lost: Whether it was lost.
        again: Whether it repeats bytes that were sent before.
        answered: Times, and how far the other end had acknowledged then.
        slope: The fitted rate of a limit.
        until: Seconds that are shown at least.
        title: Words above the plot.

    Returns:
        The plot; without packets an empty one that says so.

    Raises:
        ParameterError: The columns differ in length.
    """
    sent = Sent(
        time=np.asarray(time, np.float64),
        start=np.asarray(start, np.float64),
        length=np.asarray(length, np.float64),
        lost=np.asarray(lost, np.bool_),
        again=np.asarray(again, np.bool_),
    )
    lengths = [len(getattr(sent, name)) for name in ("time", "start", "length", "lost", "again")]
    if len(set(lengths)) > 1:
        raise ParameterError("start, length, lost, again", lengths[1:], f"as long as time ({lengths[0]})")
    ack_time, acked = (np.asarray(column, np.float64) for column in answered)
    head, top = key(legend(sent, len(acked) > 0, slope), LINE + 4.0)
    x = seconds_axis(max(sent.time.max(initial=until), ack_time.max(initial=until)))
    most = max(sent.start.max(initial=0.0), acked.max(initial=0.0))
    y = unit_axis(most, top + 24 + PLOT, top + 24, "data sent", "B")
    marks = [words(12, LINE, title, "part ink"), *head, *frame(x, y)]
    if not len(sent.time):
        marks.append(words((x.start + x.end) / 2, y.end + PLOT / 2, "no packets with data", "soft", "middle"))
    marks += [line(*staircase(x.place(ack_time), y.place(acked)), "acked thin")]
    marks += [line(*along(x, y, sent, slope.rate), "limit dash")] if slope is not None and len(sent.time) else []
    drawn = zip(sent.kinds.items(), (dots, diamond, cross), (MOST_DOTS, MOST_MARKS, MOST_MARKS), strict=True)
    for (kind, chosen), draw, limit in drawn:
        marks.append(draw(*thinned(x.place(sent.time[chosen]), y.place(sent.start[chosen]), limit), kind))
    return Panel(y.start + 50, tuple(filter(None, marks)), description(title, sent, slope))


def legend(sent: Sent, acked: bool, slope: Slope | None) -> Sequence[tuple[str, str]]:
    """List what is drawn, with its mark and its number."""
    passed, again, lost = (int(np.count_nonzero(chosen)) for chosen in sent.kinds.values())
    entries = [(dots(ORIGIN, ORIGIN, "passed"), f"{passed:,} arrived")]
    if lost:
        entries.append((cross(ORIGIN, ORIGIN, "lost"), f"{lost:,} lost"))
    if again:
        entries.append((diamond(ORIGIN, ORIGIN, "again"), f"{again:,} sent again"))
    if acked:
        entries.append(('<path class="acked thin" d="M-8 0H8"/>', "acknowledged"))
    if slope is not None:
        entries.append(('<path class="limit dash" d="M-9 0H9"/>', slope.says))
    return entries


def description(title: str, sent: Sent, slope: Slope | None) -> str:
    """Say what the plot shows."""
    _, again, lost = (int(np.count_nonzero(chosen)) for chosen in sent.kinds.values())
    limit = f" Dashed: {slope.says}." if slope is not None else ""
    return f"{title}: of {len(sent.time):,} packets {lost:,} were lost, {again:,} others had been sent before.{limit}"


def along(x: Axis, y: Axis, sent: Sent, rate: float) -> tuple[F64, F64]:
    """Lay the line of a rate along the losses: at each, the bucket was empty, and what passes later is what it gains.

    The line touches the highest of what had passed when something was lost. Nothing passes more from then on, and what
    a full bucket did not gain leaves the transfer below. Where a queue lost nothing, it touches the whole transfer.
    """
    anchors = sent.lost if sent.lost.any() else ~sent.lost
    passed = np.cumsum(np.where(sent.lost, 0.0, sent.length))[anchors]
    when = sent.time[anchors]
    foot = float(np.max(passed - rate * when))
    ends = np.array([when[0], max(when[-1], when[0] + 1e-3)])
    ends = np.clip(ends, (y.low - foot) / rate, (y.high - foot) / rate)
    return x.place(ends), y.place(foot + rate * ends)


def staircase(x: F64, y: F64) -> tuple[F64, F64]:
    """Turn acknowledgements into steps: level until the next one, of which those in one column are joined."""
    if len(x) == 0:
        return x, y
    column = np.round(x)
    last = np.append(np.diff(column) != 0, True)
    x, y = x[last], y[last]
    return np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]


def thinned(x: F64, y: F64, most: int) -> tuple[F64, F64]:
    """Draw points that fall on each other once; round their places until at most so many are left.

    Every point has one within half a step of it, so no loss disappears.
    """
    grid = 0.5
    while True:
        places = np.unique(np.stack([np.round(x / grid), np.round(y / grid)], axis=1), axis=0) * grid
        if len(places) <= most:
            return places[:, 0], places[:, 1]
        grid *= 2
