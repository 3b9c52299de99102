"""The histogram of freezes: after how many packets or bytes connections stopped, and how far others came.

Servers that crash, users that leave and networks that fail stop transfers anywhere. A rule that counts stops them all
at one place, and what it spares goes on far beyond.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.report.figures.axes import Axis, count_axis, frame, round_step, scaled, unit_axis
from netinterf.report.figures.canvas import LEFT, LINE, RIGHT, Panel, key, words

__all__ = ["freeze_positions"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

PLOT = 190
"""Units from the top of the plot to its foot."""

BARS = 30
"""Bars in a plot: of 13 units, which a finger can point at."""

BEYOND = 3.0
"""How many times the rule's position is shown; who came further is counted at the end of the plot."""

FROZEN, ALIVE = "lost-area", "others hollow"
"""Classes of bars: full and hollow."""

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
    """Draw at which positions connections stopped for good.

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
    edges, further = bars(frozen, alive, limit)
    rule = f"the rule's limit: {amount(limit, unit)}" if limit is not None else ""
    entries = [(square(FROZEN), f"{len(frozen):,} stopped for good")]
    entries += [(square(ALIVE), f"{len(alive):,} others, and how far they came")] if len(alive) else []
    entries += [('<path class="limit dash" d="M0-7V6"/>', rule)] if rule else []
    head, top = key(entries, LINE + 4.0)
    counts = [np.histogram(values, edges)[0] for values in (frozen, alive)]
    if unit == "bytes":
        x = unit_axis(float(edges[-1]), LEFT, RIGHT, "how far it came", "B", 7)
    else:
        x = count_axis(float(edges[-1]), LEFT, RIGHT, f"how far it came, {unit}", 7)
    whole = counts[0] + counts[1]
    y = count_axis(float(whole.max(initial=0)), top + 24 + PLOT, top + 24, "connections")
    marks = [words(12, LINE, title, "part ink"), *head, *frame(x, y)]
    marks += [*stacked(x, y, edges, *counts), *units(x, y, whole)]
    if not len(frozen) + len(alive):
        marks.append(words((x.start + x.end) / 2, y.end + PLOT / 2, "no connections", "soft", "middle"))
    if limit is not None:
        marks.append(f'<path class="limit dash" d="M{x.at(limit):.1f} {y.start:g}V{y.end:g}"/>')
    says = f"{title}: {'; '.join(part for _, part in entries)}."
    if further:
        beyond = f"{further:,} came further than is shown"
        marks.append(words(x.end, y.end - 12, f"{beyond} \N{RIGHTWARDS ARROW}", "soft", "end"))
        says += f" {beyond}."
    return Panel(y.start + 50, tuple(marks), says)


def bars(frozen: F64, alive: F64, limit: float | None) -> tuple[F64, int]:
    """Choose the edges of the bars, and count who came further than the last one."""
    told = float(np.max(frozen, initial=limit or 0.0))
    furthest = max(1.0, told, float(np.max(alive, initial=0.0)))
    high = min(furthest, BEYOND * told) if told > 0 else furthest
    step = max(1.0, round_step(high, BARS))
    edges = np.arange(np.floor(high / step) + 2) * step
    return edges, int(np.count_nonzero(alive > edges[-1]))


def amount(value: float, unit: str) -> str:
    """Write a position."""
    return scaled(value, "B") if unit == "bytes" else f"{value:,.0f} {unit}"


def square(kind: str) -> str:
    """Draw a small bar for the key."""
    return f'<rect class="{kind}" x="-5" y="-5.5" width="10" height="11"/>'


def stacked(x: Axis, y: Axis, edges: F64, below: I64, above: I64) -> list[str]:
    """Draw bars, what stopped below what did not, each with its numbers for those who point at it."""
    drawn = []
    places, wide = x.place(edges), float(np.diff(x.place(edges[:2]))[0])
    for place, (left, low, high) in enumerate(zip(places.tolist(), below.tolist(), above.tolist(), strict=False)):
        begin, end = edges[place], edges[place + 1]
        for kind, foot, count in ((FROZEN, 0, low), (ALIVE, low, high)):
            if count:
                top, tall = y.at(foot + count), y.at(foot) - y.at(foot + count)
                box = f'x="{left + 1:.1f}" y="{top:.1f}" width="{wide - 2:.1f}" height="{tall:.1f}"'
                said = f"<title>{count:,} from {begin:,.0f} to {end:,.0f}</title>"
                drawn.append(f'<rect class="{kind}" {box}>{said}</rect>')
    return drawn


def units(x: Axis, y: Axis, counts: I64) -> list[str]:
    """Part bars into their connections where these can be counted."""
    most = int(counts.max(initial=0))
    if most > UNITS_SHOWN:
        return []
    return [f'<path class="unit" d="M{x.start + 0.5:g} {y.at(count):.1f}H{x.end:g}"/>' for count in range(1, most)]
