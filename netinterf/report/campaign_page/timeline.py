"""The campaign in time: attempts of each network by day, when blocks began and ended, and captures that were out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Self

import numpy as np

from netinterf.arrays import I64
from netinterf.campaign.judged.record import Cell, Moment
from netinterf.campaign.judged.words import when
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import ALL
from netinterf.pooling.grades import Finding
from netinterf.report.campaign_page.view import View
from netinterf.report.headline import joined
from netinterf.report.page.markup import Markup, join, moment, name, raw, tag
from netinterf.values import frozen
from netinterf.writing import count_of

__all__ = ["Days", "timeline"]

DAY_NS = 86_400 * 10**9

MOST_BARS = 60
"""Bars of a network: on a phone each is still five pixels wide. A longer campaign has bars of several days."""

MOST_NETWORKS = 100
"""Networks that are drawn, those with most blocked cells."""

MOST_CHANGES = 6
"""Changes of one network that are told, those of most cells."""

OUT, ENOUGH = 0.5, 10
"""A capture counts as out when more than half of its other attempts failed, of ten at least (judgement)."""

WIDTH, HEIGHT, MARKS = 300, 44, 9
"""Units of a drawing, and how high the lane of its marks is."""

ANSWERED, FAILED, HIT = "well", "down", "interfered"
"""What a bar stacks, from the bottom: attempts answered, failed, and failed where somebody is held to interfere."""


@frozen(eq=False, kw_only=True)
class Days:
    """Attempts of all networks by day, or by several days; arrays of shape (networks, bars)."""

    start: int  # of the first bar, ns since 1970 UTC
    width: int  # of each, ns
    answered: I64
    failed: I64  # where nobody is held to interfere
    hit: I64  # failed where somebody is
    out: I64  # captures of each network of which most other attempts failed
    captures: I64  # of each network

    @classmethod
    def of(cls, view: View) -> Self:
        """Count what came of attempts, of which there is one at least."""
        table, cell = view.report.loaded.observations, view.report.cells.tallies.cell
        networks = len(view.labels)
        start = int(table.time.min()) // DAY_NS * DAY_NS
        days = (int(table.time.max()) - start) // DAY_NS + 1
        width = -(-days // MOST_BARS) * DAY_NS
        bars = -(-days * DAY_NS // width)
        at = table.place * np.int64(bars) + (table.time - start) // width
        hit, part = view.found(Finding.BLOCKED)[cell], table.transport != ALL
        failed, cut_off = np.where(part, table.failed, 0), view.report.loaded.cut_off
        counts = (table.answered * part, np.where(hit, 0, failed), np.where(hit, failed, 0) + cut_off)
        answered, other, struck = (
            totals(at, one, networks * bars).astype(np.int64).reshape(networks, bars) for one in counts
        )
        out, captures = captures_out(view, np.where(hit, 0, failed), np.where(hit, 0, table.answered))
        return cls(start=start, width=width, answered=answered, failed=other, hit=struck, out=out, captures=captures)

    @cached_property
    def bars(self) -> int:
        """How many bars there are."""
        return len(self.answered.T)

    def x(self, time: int) -> float:
        """Place a moment on a drawing."""
        return WIDTH * (time - self.start) / (self.width * self.bars)


def captures_out(view: View, failed: I64, answered: I64) -> tuple[I64, I64]:
    """Count the captures of each network in which most of some attempts failed, and all of its captures."""
    table, networks = view.report.loaded.observations, len(view.labels)
    number, first = numbered(combined(table.place, table.capture))
    lost, passed = (totals(number, one, len(first)) for one in (failed, answered))
    out = (lost > OUT * (lost + passed)) & (lost + passed >= ENOUGH)
    place = table.place[first]
    return np.bincount(place[out], minlength=networks), np.bincount(place, minlength=networks)


def timeline(view: View) -> Markup:
    """Draw the networks one below the other, on one scale of days."""
    if not len(view.report):
        return raw("")
    days = Days.of(view)
    changes: dict[str, list[Cell]] = {}
    for cell in view.cells(Finding.BLOCKED):
        changes.setdefault(str(cell.network), []).append(cell)
    shown = view.networks[:MOST_NETWORKS].tolist()
    lines = [network_line(view, days, network, changes) for network in shown]
    more = len(view.networks) - len(shown)
    span = "a day" if days.width == DAY_NS else f"{days.width // DAY_NS:,} days"
    end = days.start + days.width * days.bars
    return tag(
        "section",
        tag("h2", "In time"),
        tag(
            "p",
            "In UTC, from ", moment(days.start, brief=True), " to ", moment(end, brief=True), f"; one bar for {span}, "
            "drawn to the busiest of each network. Triangles stand where blocks began (filled) or ended (hollow).",
            class_="soft",
        ),
        KEY,
        tag("ul", *lines, class_="strips"),
        tag("p", f"and {count_of(more, 'more network')}, with fewer blocked cells.", class_="soft") if more > 0 else "",
        id="timeline",
    )  # fmt: skip


KEY = tag(
    "ul",
    *(
        tag("li", tag("i", class_=word), says)
        for word, says in (
            ("interfered", "failed, where somebody interferes"),
            ("down", "failed otherwise"),
            ("ok", "answered"),
        )
    ),
    class_="key",
)


def network_line(view: View, days: Days, network: int, changes: dict[str, list[Cell]]) -> Markup:
    """Write one network: its drawing, and in words what changed and how often it was out."""
    cells = changes.get(str(view.report.loaded.networks[network]), [])
    told = list(changes_in_words(cells))
    lines = [tag("li", line) for line in told[:MOST_CHANGES]]
    if len(told) > MOST_CHANGES:
        lines.append(tag("li", f"and {len(told) - MOST_CHANGES:,} more changes"))
    if days.out[network]:
        lines.append(tag("li", f"{out_in_words(int(days.out[network]), int(days.captures[network]))}"))
    most = int((days.answered + days.failed + days.hit)[network].max())
    soft = tag("small", f"up to {count_of(most, 'attempt')} a bar")
    return tag("li", tag("b", name(view.labels[network])), soft, strip(days, network, cells), tag("ul", *lines))


def out_in_words(out: int, captures: int) -> str:
    """Say how many captures were out."""
    return (
        f"in {out:,} of {count_of(captures, 'capture')} most other attempts failed as well: the line or the recorder "
        "may have been out"
    )


def changes_in_words(cells: Iterable[Cell]) -> Iterator[Markup]:
    """Say when blocks began and ended, together those that changed alike on the same day; most cells first."""
    kinds: dict[tuple[str, str, int], list[tuple[Moment, str]]] = {}
    for cell in cells:
        for verb, change in (("began", cell.began), ("ended", cell.ended)):
            if change is not None:
                kinds.setdefault((verb, cell.mechanism or "", change.before // DAY_NS), []).append(
                    (change, cell.called)
                )
    for (verb, mechanism, _), alike in sorted(kinds.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        usual = Moment(
            after=middle(one.after for one, _ in alike),
            before=middle(one.before for one, _ in alike),
            likely=middle(one.likely for one, _ in alike),
        )
        names = [called for called, _ in Counter(called for _, called in alike).most_common()]
        block = count_of(len(alike), "block")
        yield join(
            [
                f"{block} (",
                tag("code", mechanism),
                f") {verb}{' mostly' * (len(alike) > 1)} {when(usual)}: ",
                name(joined(names, "name")),
            ]
        )


def middle(times: Iterable[int]) -> int:
    """Give the median, the later of two in the middle."""
    ordered = sorted(times)
    return ordered[len(ordered) // 2]


def strip(days: Days, network: int, cells: Iterable[Cell]) -> Markup:
    """Draw the attempts of a network, and where its blocks began and ended."""
    stacks = np.stack([days.answered[network], days.failed[network], days.hit[network]]).astype(np.float64)
    tops = np.cumsum(stacks, axis=0) / max(float(stacks.sum(axis=0).max()), 1.0) * (HEIGHT - MARKS)
    step = WIDTH / days.bars
    bottoms, paths = np.concatenate([np.zeros((1, days.bars)), tops[:-1]]), []
    for word, low, high in zip((ANSWERED, FAILED, HIT), bottoms, tops, strict=True):
        drawn = [
            f"M{step * bar:.1f} {HEIGHT - low[bar]:.1f}h{step * 0.85:.1f}V{HEIGHT - high[bar]:.1f}h{-step * 0.85:.1f}z"
            for bar in np.flatnonzero(high > low).tolist()
        ]
        paths.append(f'<path class="{word}" d="{"".join(drawn)}"/>' if drawn else "")
    changes = [
        ((change.after + change.before) // 2, hollow)
        for cell in cells
        for change, hollow in ((cell.began, 0), (cell.ended, 1))
        if change
    ]
    for bar, hollow in sorted({(int(days.x(time) / step), hollow) for time, hollow in changes}):
        x = step * (bar + 0.425)
        paths.append(f'<path class="mark{" ended" * hollow}" d="M{x - 3:.1f} 1h6l-3 5.5z"/>')
    says = f"Attempts in time: {int(stacks[0].sum()):,} answered, {int(stacks[1:].sum()):,} failed"
    return raw(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{says}">{"".join(paths)}</svg>')
