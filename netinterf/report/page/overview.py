"""What stands around the captures of a page: the sentence on top, the contents, the overview, and each one's frame."""

import os
from collections import Counter
from collections.abc import Sequence

from netinterf.errors import CaptureError
from netinterf.report.headline import many_hit
from netinterf.report.page.markup import Markup, name, raw, table, tag
from netinterf.report.page.names import names_table, strip
from netinterf.report.page.part import Section, counts
from netinterf.report.page.remedies import remedies
from netinterf.writing import count_of

__all__ = [
    "contents",
    "names_of_all",
    "overview",
    "quiet_section",
    "remedies_of_all",
    "summary_sentence",
    "unfolded",
    "unread",
]

QUIET = "Captures without findings"


def summary_sentence(sections: Sequence[Section]) -> str:
    """Put the whole page into one sentence."""
    if len(sections) == 1:
        return sections[0].headline
    if not sections:
        return "No capture could be read."
    interfered = sum(section.interfered for section in sections)
    hints = sum(section.hints and not section.interfered for section in sections)
    if not interfered and not hints:
        return f"Nothing suggests interference in {count_of(len(sections), 'capture')}."
    more = f"; {hints:,} more hold{'s' if hints == 1 else ''} hints" if hints else ""
    captures = count_of(len(sections), "capture")
    if not interfered:
        return f"Nothing is shown in {captures}; {hints:,} hold{'s' if hints == 1 else ''} hints."
    return f"Somebody interfered with the traffic in {interfered:,} of {captures}{more}."


def contents(with_findings: Sequence[Section], quiet: Sequence[Section], *, alone: bool) -> list[tuple[str, str]]:
    """List what stands where: where links lead, and what they are called."""
    links = (
        [("#captures", "Captures")]
        if with_findings and not alone
        else [(f"#{section.key}", "Findings") for section in with_findings]
    )
    links += [("#remedies", "What is known to help")] if any(section.blocks for section in with_findings) else []
    links += [("#quiet", QUIET)] if quiet else []
    return [*links, ("#method", "How to read this"), ("#files", "Files and versions"), ("#cite", "How to cite")]


def short(section: Section) -> Markup:
    """Name a capture by the end of its path."""
    return name(os.path.basename(section.summary.capture) or section.summary.capture)


def overview(sections: Sequence[Section], with_findings: Sequence[Section]) -> Markup:
    """Sum several captures up: outcomes, ways of interference, and a line for each capture with findings."""
    outcomes = sum((Counter(section.summary.outcomes) for section in sections), Counter[str]())
    findings = sum((Counter(section.findings) for section in sections), Counter[str]())
    holders = Counter(mechanism for section in sections for mechanism in section.findings)
    rows = [
        (tag("code", mechanism), many_hit(count_of(count, "conversation"), count, mechanism), f"{holders[mechanism]:,}")
        for mechanism, count in findings.most_common()
    ]
    ways = table("Ways of interference", ("Mechanism", "What was done", "Captures"), rows) if rows else raw("")
    begin, end = span_of_all(sections)
    lines = tag("ul", *(line_of(section, begin, end) for section in with_findings), class_="captures")
    names = names_of_all(sections)
    return tag("section", tag("h2", "Captures"), counts(outcomes), ways, names, lines, id="captures")


def names_of_all(sections: Sequence[Section]) -> Markup:
    """Sum up what was interfered with by name, over all captures."""
    hits = (hit for section in sections for hit in section.hits)
    return names_table(hits, *span_of_all(sections), alone=len(sections) == 1)


def remedies_of_all(sections: Sequence[Section]) -> Markup:
    """Say what is known to help against what was found in all captures."""
    counted = Counter[str]()
    for section in sections:
        counted.update(section.blocks)  # (a sum would leave out what counts 0)
    return remedies(counted)


def span_of_all(sections: Sequence[Section]) -> tuple[int, int]:
    """Tell when the first and the last packet of all captures were recorded, ns since 1970."""
    summaries = [section.summary for section in sections]
    begins = [summary.first for summary in summaries if summary.first is not None]
    return min(begins, default=0), max((summary.last for summary in summaries if summary.last is not None), default=0)


def line_of(section: Section, begin: int, end: int) -> Markup:
    """Write a capture as a line that leads to it, with when it was interfered with beside those of the others."""
    return tag(
        "li",
        tag("a", short(section), href=f"#{section.key}"),
        tag("span", section.headline),
        strip(section.times, begin, end) if len(section.times) else "",
        class_=False if section.interfered else "hint",
    )


def unfolded(section: Section, *, alone: bool) -> Markup:
    """Write a capture with findings; the only one has its sentence above."""
    sentence = "" if alone else tag("p", section.headline, class_="headline")
    path = (
        ""
        if short(section) == name(section.summary.capture)
        else tag("p", name(section.summary.capture), class_="soft")
    )
    return tag("section", tag("h2", short(section)), path, sentence, section.markup, id=section.key, class_="capture")


def folded(section: Section) -> Markup:
    """Write a capture without findings, folded."""
    line = tag("summary", tag("span", short(section), class_="about"), tag("span", section.headline))
    path = tag("p", name(section.summary.capture), class_="soft")
    return tag("details", line, path, section.markup, id=section.key, class_="quiet")


def quiet_section(sections: Sequence[Section]) -> Markup:
    """Write the captures without findings."""
    return tag("section", tag("h2", QUIET), *map(folded, sections), id="quiet") if sections else raw("")


def unread(errors: Sequence[CaptureError]) -> Markup:
    """List what could not be read."""
    if not errors:
        return raw("")
    lines = (tag("li", str(error)) for error in errors)
    return tag("section", tag("h2", "What could not be read"), tag("ul", *lines), id="unread")
