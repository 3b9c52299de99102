"""What stands around the captures of a page: the sentence on top, the contents, the overview, and each one's frame."""

import os
from collections import Counter
from collections.abc import Sequence

from netinterf.errors import CaptureError
from netinterf.report.digest import count_of
from netinterf.report.headline import many_hit
from netinterf.report.page.markup import Markup, name, raw, table, tag
from netinterf.report.page.part import Part, counts

__all__ = ["contents", "overview", "quiet_section", "summary_sentence", "unfolded", "unread"]

QUIET = "Captures without findings"


def summary_sentence(parts: Sequence[Part]) -> str:
    """Put the whole page into one sentence."""
    if len(parts) == 1:
        return parts[0].headline
    if not parts:
        return "No capture could be read."
    shown = sum(one.shown for one in parts)
    hints = sum(one.hints and not one.shown for one in parts)
    if not shown and not hints:
        return f"Nothing suggests interference in {count_of(len(parts), 'capture')}."
    more = f"; {hints:,} more hold{'s' if hints == 1 else ''} hints" if hints else ""
    if not shown:
        return (
            f"Nothing is shown in {count_of(len(parts), 'capture')}; {hints:,} hold{'s' if hints == 1 else ''} hints."
        )
    return f"Somebody interfered with the traffic in {shown:,} of {count_of(len(parts), 'capture')}{more}."


def contents(told: Sequence[Part], quiet: Sequence[Part], *, alone: bool) -> Markup:
    """List what stands where."""
    links = [("#captures", "Captures")] if told and not alone else [(f"#{one.key}", "Findings") for one in told]
    links += [("#quiet", QUIET)] if quiet else []
    links += [("#method", "How to read this"), ("#files", "Files and versions"), ("#cite", "How to cite")]
    return tag("nav", tag("ul", *(tag("li", tag("a", said, href=to)) for to, said in links)), aria_label="Contents")


def short(one: Part) -> Markup:
    """Name a capture by the end of its path."""
    return name(os.path.basename(one.summary.capture) or one.summary.capture)


def overview(parts: Sequence[Part], told: Sequence[Part]) -> Markup:
    """Sum several captures up: outcomes, ways of interference, and a line for each capture with findings."""
    outcomes = sum((Counter(one.summary.outcomes) for one in parts), Counter[str]())
    found = sum((Counter(one.found) for one in parts), Counter[str]())
    holders = Counter(mechanism for one in parts for mechanism in one.found)
    rows = [
        (tag("code", mechanism), many_hit(count_of(count, "conversation"), count, mechanism), f"{holders[mechanism]:,}")
        for mechanism, count in found.most_common()
    ]
    ways = table("Ways of interference", ("Mechanism", "What was done", "Captures"), rows) if rows else raw("")
    lines = tag("ul", *map(line_of, told), class_="captures")
    return tag("section", tag("h2", "Captures"), counts(outcomes), ways, lines, id="captures")


def line_of(one: Part) -> Markup:
    """Write a capture as a line that leads to it."""
    return tag(
        "li", tag("a", short(one), href=f"#{one.key}"), tag("span", one.headline), class_=False if one.shown else "hint"
    )


def unfolded(one: Part, *, alone: bool) -> Markup:
    """Write a capture with findings; the only one has its sentence above."""
    said = "" if alone else tag("p", one.headline, class_="headline")
    path = "" if short(one) == name(one.summary.capture) else tag("p", name(one.summary.capture), class_="soft")
    return tag("section", tag("h2", short(one)), path, said, one.markup, id=one.key, class_="capture")


def folded(one: Part) -> Markup:
    """Write a capture without findings, folded."""
    line = tag("summary", tag("span", short(one), class_="about"), tag("span", one.headline))
    path = tag("p", name(one.summary.capture), class_="soft")
    return tag("details", line, path, one.markup, id=one.key, class_="quiet")


def quiet_section(parts: Sequence[Part]) -> Markup:
    """Write the captures without findings."""
    return tag("section", tag("h2", QUIET), *map(folded, parts), id="quiet") if parts else raw("")


def unread(errors: Sequence[CaptureError]) -> Markup:
    """List what could not be read."""
    if not errors:
        return raw("")
    lines = (tag("li", str(error)) for error in errors)
    return tag("section", tag("h2", "What could not be read"), tag("ul", *lines), id="unread")
