"""The whole page: one file that needs nothing beside it, and lets nothing out.

Reports about interference are passed on by people whom it may harm to be seen asking for something, so nothing on the
page may be asked for: a policy (W3C, Content Security Policy Level 3) forbids every request, even those that a mistake
would cause, and allows one script by its digest. The script filters findings; without it the page is whole.

A page for a folder holds tens of thousands of findings and must open at once. Most of a browser's work is to lay out
what it shows, so what nobody looks at yet is folded (HTML, ``details``) or passed over until it is scrolled to (CSS
Containment Level 2, ``content-visibility``), and only so many findings unfold (`CARDS`).
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence

from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, captures_of
from netinterf.errors import CaptureError
from netinterf.report.page.markup import Markup, packaged, raw, tag
from netinterf.report.page.method import cite, files, method
from netinterf.report.page.overview import contents, overview, quiet_section, summary_sentence, unfolded, unread
from netinterf.report.page.part import Room, Section, capture_section
from netinterf.version import __version__
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
    title = summary_sentence(sections)
    yield f'<!doctype html>\n<html lang="en">\n{head(title)}\n<body>\n'
    yield tag("a", "Skip to the findings", href="#findings", class_="skip") + "\n"
    yield tag("header", tag("p", "Traffic judged by netinterf", class_="soft"), tag("h1", title)) + "\n"
    yield contents(with_findings, quiet, alone=alone) + '\n<main id="findings">\n' + SEARCH + "\n"
    yield "" if alone or not with_findings else overview(sections, with_findings) + "\n"
    for section in with_findings:
        yield unfolded(section, alone=alone) + "\n"
    yield quiet_section(quiet) + "\n" + unread(errors) + "\n" + method() + "\n"
    proofs = [proof for section in sections for proof in section.proofs]
    models = [section.summary.model for section in sections]
    yield files(proofs, models) + "\n" + cite() + "\n</main>\n"
    yield f"<script>{packaged('filter.js')}</script>\n</body>\n</html>\n"


def policy() -> str:
    """Write what the page may do: paint, and run the one script whose digest is named."""
    digest = base64.b64encode(hashlib.sha256(packaged("filter.js").encode()).digest()).decode()
    allowed = f"style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def head(title: str) -> Markup:
    """Write what stands before the page."""
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy()),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="generator", content=f"netinterf {__version__}"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"netinterf: {title}"),
        raw(f"<style>{packaged('style.css')}</style>"),
    )


SEARCH = tag(
    "form",
    tag("label", "Show only findings with ", tag("input", type="search", autocomplete="off")),
    tag("output", aria_live="polite"),
    role="search",
    hidden=True,
)
"""The field that the script brings to life."""
