"""Axes: from numbers with a unit to places on a plot, with ticks at round numbers that people would choose.

Round are 1, 2 and 5 times a power of ten, and for time what clocks show. Units go by thousands (SI), so that no label
needs more than four digits.
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64
from netinterf.report.figures.canvas import LEFT, RIGHT, words
from netinterf.values import frozen
from netinterf.written.numbers import prefix_of
from netinterf.written.record import iso_time

__all__ = ["Axis", "clock_axis", "count_axis", "frame", "seconds_axis", "unit_axis"]

ROUND = (1.0, 2.0, 5.0, 10.0)
DAY = 86400.0
CLOCK = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 21600.0,
         43200.0, DAY)  # fmt: skip
"""Steps of seconds that clocks and calendars have; longer ones are days."""

SPANS = ((2 * DAY, DAY, "days"), (2 * 7200.0, 3600.0, "hours"), (240.0, 60.0, "minutes"), (2.0, 1.0, "seconds"))
"""From how many seconds on what unit is shown, and its length."""


@frozen(eq=False)
class Axis:
    """A way from numbers to places: *low* stands at *start*, *high* at *end*."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[tuple[float, str], ...]
    title: str

    def place(self, values: ArrayLike) -> F64:
        """Say where numbers stand."""
        share = (np.asarray(values, np.float64) - self.low) / (self.high - self.low)
        result: F64 = self.start + share * (self.end - self.start)
        return result

    def at(self, value: float) -> float:
        """Say where one number stands."""
        return float(self.place(value))


def round_step(span: float, most: int) -> float:
    """Choose the least of 1, 2 and 5 times a power of ten that cuts a span into at most so many parts."""
    least = max(span, 1e-12) / most
    power = float(10.0 ** np.floor(np.log10(least)))
    return power * next(step for step in ROUND if step * power >= least * (1 - 1e-9))


def clock_step(seconds: float, most: int) -> float:
    """Choose the least step that clocks and calendars have and that cuts a span into at most so many parts."""
    fitting = (step for step in CLOCK if step >= seconds / most)
    return next(fitting, DAY * round_step(seconds / DAY, most))


def ticks(low: float, high: float, step: float) -> F64:
    """List the multiples of a step from *low* to *high*."""
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    result: F64 = np.arange(first, last + 1) * step + 0.0  # which makes 0 of -0
    return result


def unit_axis(high: float, start: float, end: float, title: str, unit: str, most: int = 5) -> Axis:
    """Lay out a quantity from 0 to at least *high*, labelled in thousands, millions or billions of its unit."""
    step = round_step(max(high, 1.0), most)
    top = step * np.ceil(max(high, 1.0) / step - 1e-9)
    size, prefix = prefix_of(top)
    labels = tuple((float(tick), f"{tick / size:.6g}") for tick in ticks(0, top, step))
    return Axis(0.0, float(top), start, end, labels, f"{title}, {prefix}{unit}")


def count_axis(high: float, start: float, end: float, title: str, most: int = 5) -> Axis:
    """Lay out whole numbers from 0 to at least *high*."""
    step = max(1.0, round_step(max(high, 1.0), most))
    top = step * np.ceil(max(high, 1.0) / step - 1e-9)
    return Axis(0.0, float(top), start, end, tuple((float(t), f"{t:,.0f}") for t in ticks(0, top, step)), title)


def seconds_axis(high: float, start: float = LEFT, end: float = RIGHT, since: str = "the first packet") -> Axis:
    """Lay out seconds from 0 to *high*, labelled in the unit that suits them."""
    span = max(high, 1e-3)
    size, unit = next(((size, unit) for least, size, unit in SPANS if span >= least), (1e-3, "milliseconds"))
    step = size * round_step(span / size, 7)
    if size == 60.0:
        step = clock_step(span, 7)
    labels = tuple((float(tick), f"{tick / size:,.6g}") for tick in ticks(0, span, step))
    return Axis(0.0, span, start, end, labels, f"{unit} since {since}")


def clock_axis(low: int, high: int, start: float = LEFT, end: float = RIGHT) -> Axis:
    """Lay out times of day from *low* to *high*, ns since 1970 UTC; the day stands in the title."""
    first, span = low / 1e9, max((high - low) / 1e9, 1.0)
    step = clock_step(span, 5)
    part = slice(11, 16) if step >= 60 else slice(11, 19)
    part = slice(5, 10) if step >= DAY else part
    begin = str(iso_time(low))[:10]
    until = str(iso_time(high))[:10]
    days = begin if begin == until else f"{begin} to {until}"
    labels = tuple((float(t), str(iso_time(round(t * 1e9)))[part]) for t in ticks(first, first + span, step))
    return Axis(first, first + span, start, end, labels, f"time of day in UTC, {days}" if step < DAY else days)


def frame(x: Axis, y: Axis) -> list[str]:
    """Draw two axes: lines to read values off, ticks with numbers, and what they measure, the upright one on top."""
    top, foot = y.end, y.start
    drawn = [words(12, top - 12, y.title, "soft")]
    for value, label in y.ticks:
        drawn.append(f'<path class="grid" d="M{x.start:g} {y.at(value):.1f}H{x.end:g}"/>')
        drawn.append(words(x.start - 6, round(y.at(value) + 4.5, 1), label, "soft", "end"))
    return [*drawn, *foot_of(x, foot)]


def foot_of(x: Axis, foot: float) -> list[str]:
    """Draw the axis along the foot of a plot."""
    drawn = [f'<path class="axis thin" d="M{x.start:g} {foot:g}H{x.end:g}"/>']
    for value, label in x.ticks:
        place = x.at(value)
        drawn.append(f'<path class="axis thin" d="M{place:.1f} {foot:g}v4"/>')
        drawn.append(words(round(place, 1), foot + 18, label, "soft", "middle"))
    drawn.append(words((x.start + x.end) / 2, foot + 36, x.title, "soft", "middle"))
    return drawn
