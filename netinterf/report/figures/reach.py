"""The timeline of reachability: which attempts to reach something were answered, class by class.

Each attempt is a stroke at its time: up when it was answered, down when it was not. A broken server is a row of downs;
a cut cable takes everything down; a closed border takes down what is abroad, at one moment, while the rest goes on.
"""

from collections.abc import Sequence

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.errors import ParameterError
from netinterf.report.figures.axes import Axis, clock_axis, foot_of
from netinterf.report.figures.canvas import LINE, RIGHT, Panel, key, words
from netinterf.values import frozen

__all__ = ["Attempts", "reachability"]


ROW, TALL = 48, 11
"""Units from row to row, and the height of a stroke."""

LEFT = 14
"""Where strokes begin; rows are named above them, so that names need no room beside."""

GRID = 1.5
"""Units between strokes: what is closer is drawn as one, which hides no row and no side."""


@frozen(eq=False)
class Attempts:
    """The attempts of one class."""

    name: str
    time: I64  # ns since 1970 UTC
    answered: Mask
    windows: tuple[tuple[int, int], ...] = ()  # begin and end of the times in which it was cut off, ns since 1970 UTC

    def __attrs_post_init__(self) -> None:
        if len(self.time) != len(self.answered):
            raise ParameterError("answered", len(self.answered), f"as long as time ({len(self.time)})")

    @property
    def says(self) -> str:
        """Name the class and count its answers."""
        return f"{self.name}: {int(self.answered.sum()):,} of {len(self.time):,} answered"


def reachability(rows: Sequence[Attempts], *, title: str = "What could be reached") -> Panel:
    """Draw the attempts of several classes over time.

    Args:
        rows: The classes, from top to bottom.
        title: Words above the plot.

    Returns:
        The plot; without attempts an empty one that says so.
    """
    entries = [
        (f'<path class="others stroke" d="M0 5v-{TALL}"/>', "answered"),
        (f'<path class="lost stroke" d="M0-5v{TALL}"/>', "not answered"),
    ]
    shade = '<rect class="shade" x="-8" y="-6" width="16" height="12"/>'
    windows = sorted({window for row in rows for window in row.windows})
    entries += [(shade, "cut off")] if windows else []
    head, top = key(entries, LINE + 4.0)
    times = np.concatenate([np.empty(0, np.int64), *(row.time for row in rows)])
    marks = [words(12, LINE, title, "part ink"), *head]
    if not len(times):
        return Panel(top + 40, (*marks, words(12, top + 22, "no attempts", "soft")), f"{title}: no attempts.")
    x = clock_axis(int(times.min()), int(times.max()), LEFT, RIGHT)
    foot = top + 6 + ROW * len(rows)
    for place, row in enumerate(rows):
        marks += strokes(x, row, top + 6 + ROW * place)
    says = f"{title}: {'; '.join(row.says for row in rows)}.{''.join(map(span_words, windows))}"
    return Panel(foot + 50, tuple(filter(None, [*marks, *foot_of(x, foot)])), says)


def strokes(x: Axis, row: Attempts, top: float) -> list[str]:
    """Draw one class: its name, its line, and a stroke for each attempt."""
    middle = top + 19 + TALL
    drawn = [shaded(x, window, top + 1, top + ROW - 1) for window in row.windows]
    drawn += [words(LEFT, top + 14, row.says), f'<path class="grid" d="M{LEFT} {middle:g}H{RIGHT}"/>']
    for kind, chosen, way in (("others", row.answered, -TALL), ("lost", ~row.answered, TALL)):
        places = np.unique(np.round(x.place(row.time[chosen] / 1e9) / GRID)) * GRID
        path = "".join(f"M{place:g} {middle:g}v{way}" for place in places.tolist())
        drawn.append(f'<path class="{kind} stroke" d="{path}"/>' if path else "")
    return drawn


def shaded(x: Axis, window: tuple[int, int], top: float, foot: float) -> str:
    """Tint a stretch of time behind a row."""
    begin, end = np.clip([x.at(edge / 1e9) for edge in window], x.start, x.end).tolist()
    place = f'x="{begin:.1f}" y="{top:g}" width="{max(end - begin, 1):.1f}" height="{foot - top:g}"'
    return f'<rect class="shade" {place}/>'


def span_words(window: tuple[int, int]) -> str:
    """Say when something was cut off."""
    begin, end = (str(np.datetime64(edge, "ns"))[:19] for edge in window)
    return f" Cut off from {begin} to {end} UTC."
