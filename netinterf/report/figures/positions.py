"""The histogram of freezes: after how many packets or bytes connections stopped, and how far others came.

Servers that crash, users that leave and networks that fail stop transfers anywhere. A rule that counts stops them all
at one place, and what it spares goes on far beyond.
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64, I64
from netinterf.report.figures.axes import Axis, count_axis, frame, round_step, unit_axis
from netinterf.report.figures.canvas import LEFT, LINE, RIGHT, Panel, key, words
from netinterf.written.numbers import scaled

__all__ = ["freeze_positions"]

PLOT = 190
"""Units from the top of the plot to its foot."""

BARS = 50
"""Bars in a plot: of eight units, which can be told apart."""

BEYOND = 3.0
"""How many times the rule's position is shown; who came further is counted at the end of the plot."""

FROZEN, ALIVE = "lost-area", "others hollow"
"""Classes of bars: full and hollow."""

ALONG = "how far it came"

UNITS_SHOWN = 20
"""Highest bar that is parted into its connections."""


def freeze_positions(
    stopped: ArrayLike,
    survivors: ArrayLike = (),
    *,
    unit: str = "packets",
    limit: float | None = None,
    title: str = "Where connections stopped",
) -> Panel:
    """Draw at which positions connections stopped.

    Args:
        stopped: Position of each connection that froze.
        survivors: How far each of the others came.
        unit: What is counted, ``packets`` or ``bytes``.
        limit: Position of the rule; None when there is none.
        title: Words above the plot.

    Returns:
        The plot; without connections an empty one that says so.
    """
    frozen, alive = (np.asarray(values, np.float64).reshape(-1) for values in (stopped, survivors))
    frozen, alive = frozen[np.isfinite(frozen)], alive[np.isfinite(alive)]
    last_stop = float(np.max(frozen, initial=limit or 0.0))
    furthest = max(1.0, last_stop, float(np.max(alive, initial=0.0)))
    high = min(furthest, BEYOND * last_stop) if last_stop > 0 else furthest
    x = (
        unit_axis(high, LEFT, RIGHT, ALONG, "B", 8)
        if unit == "bytes"
        else count_axis(high, LEFT, RIGHT, f"{ALONG}, {unit}", 8)
    )
    step = max(1.0, round_step(x.high, BARS))
    edges = np.arange(0.0, x.high + step / 2, step)
    entries = [(square(FROZEN), f"{len(frozen):,} stopped")]
    entries += [(square(ALIVE), f"{len(alive):,} others, and how far they came")] if len(alive) else []
    if limit is not None:
        entries.append(('<path class="limit dash" d="M0-7V6"/>', f"common limit: about {amount(limit, unit)}"))
    head, top = key(entries, LINE + 4.0)
    counts = [np.histogram(values, edges)[0] for values in (frozen, alive)]
    y = count_axis(float((counts[0] + counts[1]).max(initial=0)), top + 24 + PLOT, top + 24, "connections")
    marks = [words(12, LINE, title, "part ink"), *head, *frame(x, y), *stacked(x, y, edges, *counts)]
    says = f"{title}: {'; '.join(part for _, part in entries)}."
    if not len(frozen) + len(alive):
        marks.append(words((x.start + x.end) / 2, y.end + PLOT / 2, "no connections", "soft", "middle"))
    if limit is not None:
        marks.append(f'<path class="limit dash" d="M{x.at(limit):.1f} {y.start:g}V{y.end:g}"/>')
    if further := int(np.count_nonzero(alive > edges[-1])):
        beyond = f"{further:,} came further than is shown"
        marks.append(words(x.end, y.end - 12, f"{beyond} \N{RIGHTWARDS ARROW}", "soft", "end"))
        says += f" {beyond}."
    return Panel(y.start + 50, tuple(marks), says)


def amount(value: float, unit: str) -> str:
    """Write a position."""
    return scaled(value, "B") if unit == "bytes" else f"{value:,.0f} {unit}"


def square(kind: str) -> str:
    """Draw a small bar for the key."""
    return f'<rect class="{kind}" x="-5" y="-5.5" width="10" height="11"/>'


def stacked(x: Axis, y: Axis, edges: F64, below: I64, above: I64) -> list[str]:
    """Draw bars, what stopped below what did not, each with its numbers for those who point at it."""
    drawn = []
    few = (below + above).max(initial=0) <= UNITS_SHOWN
    left = x.place(edges)
    for place, counts in enumerate(zip(below.tolist(), above.tolist(), strict=True)):
        begin, wide = float(left[place]) + 1, float(left[place + 1] - left[place]) - 2
        foot = 0
        for kind, part, count in zip((FROZEN, ALIVE), ("unit", "others thin"), counts, strict=True):
            if count:
                top, tall = y.at(foot + count), y.at(foot) - y.at(foot + count)
                tooltip = f"<title>{count:,} from {edges[place]:,.0f} to {edges[place + 1]:,.0f}</title>"
                box = f'x="{begin:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
                drawn.append(f'<rect class="{kind}" {box}>{tooltip}</rect>')
                inner = "".join(f"M{begin:.1f} {y.at(foot + level):.1f}h{wide:.1f}" for level in range(1, count))
                drawn += [f'<path class="{part}" d="{inner}"/>'] if few and inner else []
            foot += count
    return drawn
