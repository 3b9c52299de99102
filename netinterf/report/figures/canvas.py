"""What all figures are drawn with: words, marks, keys, and the sheet that they stand on.

A figure is one SVG document (SVG 1.1, that every browser and office program reads) that needs nothing beside it: no
script, no font, no address, no name that another figure on the same page could share. It scales with the page, says in
words what it shows to those who do not see it (``role="img"``, ``title`` and ``desc``: W3C, SVG-AAM 1.0), and follows
the reader's choice of light or dark. The same data give the same bytes.

Colours are those of Okabe and Ito, "Color Universal Design", 2008, darkened on white and lightened on black until words
in them keep a contrast of 4.5 : 1 (WCAG 2.1, 1.4.3). Nothing is told by colour alone: every kind of mark has a shape.
"""

import textwrap
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from netinterf.arrays import F64
from netinterf.values import frozen
from netinterf.writing import printable

__all__ = [
    "LEFT",
    "LETTER",
    "RIGHT",
    "SIZE",
    "WIDTH",
    "Panel",
    "clean",
    "cross",
    "diamond",
    "dots",
    "key",
    "line",
    "sheet",
    "words",
    "wrapped",
]


WIDTH, LEFT, RIGHT = 480, 54, 468
"""Units across, and where plots begin and end: a phone (390 px) shows them at four fifths, so its smallest words still
have 10 px."""

SHOWN = 640
"""Pixels across where there is room: more only makes words larger."""

SIZE, HEAD, LINE = 13, 15, 17
"""Height of letters and of those of the title, and distance of lines."""

LETTER, BOLD = 0.58, 0.66
"""Mean width of letters as a share of their height, and of bold ones. Nothing here can measure words, so these are of
the widest of the fonts that browsers take for sans-serif, DejaVu Sans."""

MOST_HEADS = 4
"""Lines of a title; names can have 253 letters."""

COLOURS = {
    "paper": ("fill", "#ffffff", "#14171a"),
    "ink": ("fill", "#1b1d20", "#eceef0"),
    "soft": ("fill", "#5b6168", "#a9b0b8"),
    "grid": ("stroke", "#e2e5e8", "#2b3036"),
    "axis": ("stroke", "#5b6168", "#a9b0b8"),
    "passed": ("stroke", "#0072b2", "#6cb9ee"),
    "lost": ("stroke", "#c04a00", "#ff9d66"),
    "again": ("stroke", "#9a3f78", "#e6a3cc"),
    "acked": ("stroke", "#5b6168", "#a9b0b8"),
    "limit": ("stroke", "#1b1d20", "#eceef0"),
    "others": ("stroke", "#00775a", "#4fd0a8"),
    "lost-area": ("fill", "#c04a00", "#ff9d66"),
    "shade": ("fill", "#c04a00", "#ff9d66"),
    "burst": ("fill", "#5b6168", "#a9b0b8"),
    "alarm": ("fill", "#a83f00", "#ff9d66"),
    "unit": ("stroke", "#ffffff", "#14171a"),
}
"""What a class of marks is painted with: which property, on light paper, on dark paper."""

SHAPES = """
.netinterf text{font-family:system-ui,"Segoe UI","Helvetica Neue",Arial,sans-serif;font-size:13px}
.netinterf .head{font-size:15px;font-weight:600}
.netinterf .part{font-weight:600}
.netinterf path{fill:none;stroke-linecap:round;stroke-linejoin:round}
.netinterf .dot{stroke-width:3}
.netinterf .dotted{stroke-width:2;stroke-dasharray:.1 4}
.netinterf .stroke{stroke-width:1.6}
.netinterf .dash{stroke-width:1.6;stroke-dasharray:6 4}
.netinterf .thin{stroke-width:1.1}
.netinterf .grid,.netinterf .unit{stroke-width:1}
.netinterf .hollow{fill:none;stroke-width:1.4}
.netinterf .shade{opacity:.16}
.netinterf .burst{opacity:.16}
"""


@frozen
class Panel:
    """One plot: how high it is, what is drawn on it, and what it shows, said in a sentence."""

    height: float
    marks: tuple[str, ...]
    says: str


def sheet(title: str, panels: Sequence[Panel]) -> str:
    """Put plots below each other on one sheet, under a title.

    Args:
        title: What the figure is about, with nothing escaped.
        panels: From top to bottom.

    Returns:
        SVG, one document.
    """
    heads = wrapped(title, HEAD * BOLD, WIDTH - 24)
    heads = [*heads[: MOST_HEADS - 1], f"{heads[MOST_HEADS - 1][:-1]}…"] if len(heads) > MOST_HEADS else heads
    top = 14.0 + 19 * len(heads)
    body = [words(12, 24 + 19 * place, head, "head ink") for place, head in enumerate(heads)]
    for panel in panels:
        body += [f'<g transform="translate(0 {top:g})">', *panel.marks, "</g>"]
        top += panel.height
    height = round(top + 6)
    size = f'viewBox="0 0 {WIDTH} {height}" width="{SHOWN}" height="{round(height * SHOWN / WIDTH)}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="netinterf" role="img" {size} {SCALES}>',
            f"<title>{clean(title)}</title>",
            f"<desc>{clean(' '.join(panel.says for panel in panels))}</desc>",
            f"<style>{style()}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            *body,
            "</svg>\n",
        ]
    )


SCALES = 'style="max-width:100%;height:auto"'


def style() -> str:
    """Write the rules of all classes, on light paper and on dark."""
    light, dark = (
        "".join(f".netinterf .{name}{{{paints[0]}:{paints[tone]}}}" for name, paints in COLOURS.items())
        for tone in (1, 2)
    )
    return f"{SHAPES}{light}\n@media(prefers-color-scheme:dark){{{dark}}}\n"


def clean(text: str) -> str:
    """Make words safe: escape what means something in XML, and show where something cannot be printed."""
    return escape(printable(text))


def words(x: float, y: float, text: str, kind: str = "ink", anchor: str = "") -> str:
    """Write words at a place, beginning there or with *anchor* ``middle`` or ``end`` around it."""
    alignment = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}"{alignment}>{clean(text)}</text>'


def width_of(text: str) -> float:
    """Guess how wide words are."""
    return LETTER * SIZE * len(text)


def wrapped(text: str, letter: float, room: float) -> list[str]:
    """Break words into lines that fit into a width; a single word that is longer is broken, too."""
    return textwrap.wrap(text, max(8, int(room / letter)), break_on_hyphens=False) or [""]


def line(x: F64, y: F64, kind: str) -> str:
    """Draw a line through points; it is broken where a coordinate is NaN."""
    known = np.isfinite(x) & np.isfinite(y)
    opens = known & ~np.concatenate([[False], known[:-1]])
    points = zip(x.tolist(), y.tolist(), known.tolist(), opens.tolist(), strict=True)
    path = "".join(f"{'M' if begins else 'L'}{h:.1f} {v:.1f}" for h, v, visible, begins in points if visible)
    return f'<path class="{kind}" d="{path}"/>' if path else ""


def dots(x: F64, y: F64, kind: str) -> str:
    """Draw a dot at each point, all in one path."""
    return stamp(x, y, "h0", f"{kind} dot")


def cross(x: F64, y: F64, kind: str, reach: float = 3.5) -> str:
    """Draw a cross at each point."""
    arm = f"{2 * reach:g}"
    return stamp(x - reach, y - reach, f"l{arm} {arm}m-{arm} 0l{arm}-{arm}", f"{kind} stroke")


def diamond(x: F64, y: F64, kind: str, reach: float = 3.2) -> str:
    """Draw a hollow diamond at each point."""
    arm = f"{reach:g}"
    return stamp(x - reach, y, f"l{arm}-{arm} {arm} {arm}-{arm} {arm}z", f"{kind} thin")


def stamp(x: F64, y: F64, shape: str, kind: str) -> str:
    """Draw a shape at each point, all in one path: hundreds of bytes for a mark become ten."""
    path = "".join(f"M{h:.4g} {v:.4g}{shape}" for h, v in zip(x.tolist(), y.tolist(), strict=True))
    return f'<path class="{kind}" d="{path}"/>' if path else ""


def key(entries: Iterable[tuple[str, str]], top: float) -> tuple[list[str], float]:
    """Explain marks, side by side and in as many lines as they need.

    Args:
        entries: A mark as drawn around (0, 0), and what it stands for.
        top: Where the first line begins.

    Returns:
        What to draw, and where the next thing can begin.
    """
    drawn, x, y = [], 12.0, top + 12
    for mark, says in entries:
        room = 24 + width_of(says) + 12
        if x > 12 and x + room > WIDTH:
            x, y = 12.0, y + LINE + 1
        drawn += [f'<g transform="translate({x + 9:g} {y - 4.5:g})">{mark}</g>', words(x + 22, y, says)]
        x += room
    return drawn, y + 8
