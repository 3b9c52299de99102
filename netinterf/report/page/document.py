"""The whole page of a scan; its script filters findings.

A page for a folder holds tens of thousands of findings and must open at once. Most of a browser's work is to lay out
what it shows, so what nobody looks at yet is folded (HTML, ``details``) or passed over until it is scrolled to (CSS
Containment Level 2, ``content-visibility``), and only so many findings unfold (`CARDS`).
"""

from collections.abc import Iterable, Iterator, Sequence

from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, captures_of
from netinterf.errors import CaptureError
from netinterf.report.page.markup import packaged, tag
from netinterf.report.page.method import cite, files, method
from netinterf.report.page.overview import (
    contents,
    names_of_all,
    overview,
    quiet_section,
    remedies_of_all,
    summary_sentence,
    unfolded,
    unread,
)
from netinterf.report.page.part import Room, Section, capture_section
from netinterf.report.page.shell import shell
from netinterf.writing import TextTarget, write_text

__all__ = ["html"]

CARDS = 1_000
"""Findings of a page that unfold. With so many, one of each kind in each further capture, and the rest in tables, a
browser opens a page of 10,000 findings within two seconds (``python -m benchmarks page``)."""

PICTURES = 60
"""Pictures of a page: each capture that has one is read twice, and sixty are a few MB."""


def html(
    result: Result | Iterable[Judged],
    target: TextTarget,
    *,
    everything: bool = False,
    figures: int = PICTURES,
    errors: Sequence[CaptureError] = (),
) -> None:
    """Write a result as one page for people, which needs nothing beside it.

    Captures are written down one by one; of those of an iterator nothing but their text is kept.

    Args:
        result: A scan's result, or the captures of one.
        target: A path (replaced when the file is whole) or a text file object.
        everything: List every flow and exchange besides.
        figures: How many pictures there may be; captures that get some are read once more. 0 draws none.
        errors: What could not be read, where *result* does not know; it may grow while captures come.

    Raises:
        ParameterError: The target is one of the captures.
        OSError: The target cannot be written.
    """
    errors = result.errors if isinstance(result, Result) else errors
    write_text(target, pieces(captures_of(result, target), errors, everything, figures))


def pieces(captures: Iterable[Judged], errors: Sequence[CaptureError], everything: bool, figures: int) -> Iterator[str]:
    """Write the page piece by piece, the first when all captures are read."""
    room = Room(cards=CARDS, pictures=figures)
    sections: list[Section] = []
    for place, judged in enumerate(captures, 1):
        sections.append(capture_section(judged, f"capture-{place}", room, everything=everything))
        room = sections[-1].left
    alone = len(sections) == 1
    with_findings = [section for section in sections if alone or section.interfered or section.hints]
    quiet = [section for section in sections if not (alone or section.interfered or section.hints)]
    yield from shell(
        summary_sentence(sections),
        "Traffic judged by netinterf",
        contents(with_findings, quiet, alone=alone),
        body(sections, with_findings, quiet, errors),
        style=packaged("style.css"),
        script=packaged("filter.js"),
    )


def body(
    sections: Sequence[Section],
    with_findings: Sequence[Section],
    quiet: Sequence[Section],
    errors: Sequence[CaptureError],
) -> Iterator[str]:
    """Write what stands below the title."""
    alone = len(sections) == 1
    yield SEARCH + "\n"
    if with_findings:
        yield (names_of_all(sections) if alone else overview(sections, with_findings)) + "\n"
    for section in with_findings:
        yield unfolded(section, alone=alone) + "\n"
    yield remedies_of_all(sections) + "\n"
    yield quiet_section(quiet) + "\n" + unread(errors) + "\n" + method() + "\n"
    proofs = [proof for section in sections for proof in section.proofs]
    models = [section.summary.model for section in sections]
    yield files(proofs, models) + "\n" + cite() + "\n"


SEARCH = tag(
    "form",
    tag("label", "Show only findings with ", tag("input", type="search", autocomplete="off")),
    tag("output", aria_live="polite"),
    role="search",
    hidden=True,
)
"""The field that the script brings to life."""
