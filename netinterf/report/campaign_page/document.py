"""The whole page of a campaign: the answer first, then the matrix, then what it rests on.

The matrix may have a hundred thousand rows and must open at once, so the page holds it as packed numbers, and a script
draws what is seen of it. Whoever has no scripts, or prints, gets the same findings as tables.
"""

from collections.abc import Iterator

from netinterf.campaign.judged.report import Report
from netinterf.pooling.grades import Finding
from netinterf.report.campaign_page.alike import alike_section
from netinterf.report.campaign_page.findings import findings
from netinterf.report.campaign_page.grid import Grid, data_of, grid_of
from netinterf.report.campaign_page.method import method, versions
from netinterf.report.campaign_page.networks import map_section
from netinterf.report.campaign_page.summary import asked, headline, sentences
from netinterf.report.campaign_page.timeline import timeline
from netinterf.report.campaign_page.unsettled import open_section
from netinterf.report.campaign_page.view import View, view_of
from netinterf.report.page.markup import Markup, packaged, tag
from netinterf.report.page.method import cite
from netinterf.report.page.shell import shell

__all__ = ["campaign_page"]


def campaign_page(report: Report) -> Iterator[str]:
    """Write a campaign as one page for people, which needs nothing beside it.

    Args:
        report: What a campaign shows.

    Returns:
        The page, piece by piece.
    """
    view = view_of(report)
    sections = {
        "timeline": ("In time", timeline(view)),
        "map": ("Networks and mechanisms", map_section(view)),
        "alike": ("Which networks block alike", alike_section(view)),
        "open": ("What stays open", open_section(view)),
        "method": ("How to read this", method()),
        "versions": ("Versions", versions(view)),
        "cite": ("How to cite", cite()),
    }
    links = [("#asked", "In short"), ("#cells", "Names by networks")]
    links += [(f"#{key}", text) for key, (text, section) in sections.items() if section]
    yield from shell(
        headline(view),
        "A campaign judged by netinterf",
        links,
        body(view, [section for _, section in sections.values()]),
        style=packaged("style.css") + packaged("matrix.css", "campaign_page"),
        script=packaged("matrix.js", "campaign_page"),
    )


def body(view: View, sections: list[Markup]) -> Iterator[str]:
    """Write what stands below the title; what the script needs comes last."""
    grid = grid_of(view)
    yield tag("section", asked(view), sentences(view), id="asked") + "\n"
    left = (
        f" {grid.left_out:,} names and servers, in which nothing was found, have no room here." if grid.left_out else ""
    )
    yield tag(
        "section",
        tag("h2", "Names by networks"),
        tag("p", f"What was found of each name and server in each network.{left}", class_="soft"),
        choices(view, grid),
        BOX,
        legend(grid),
        findings(view),
        DIALOG,
        id="cells",
    ) + "\n"  # fmt: skip
    for section in sections:
        yield section + "\n"
    yield from data_of(view, grid)


def choices(view: View, grid: Grid) -> Markup:
    """Offer which rows are drawn, and in which order; the script brings it to life."""
    found = dict.fromkeys(state.finding for state in grid.states)
    mechanisms = dict.fromkeys(state.mechanism for state in grid.states if state.finding is Finding.BLOCKED)
    whats = [("", "anything"), *((one, one) for one in found), *((f"by {one}", one) for one in mechanisms)]
    networks = [("", "all networks")]
    networks += [(str(column), view.labels[network]) for column, network in enumerate(view.networks.tolist())]
    return tag(
        "form",
        tag("label", "Names with ", tag("input", type="search", autocomplete="off")),
        chosen("what", "that are ", whats),
        chosen("where", "in ", networks),
        chosen("order", "sorted by ", [("", "most blocked"), ("name", "name")]),
        tag("output", aria_live="polite"),
        role="search",
        hidden=True,
    )


def chosen(key: str, label: str, options: list[tuple[str, str]]) -> Markup:
    """Offer a choice; the first option stands until somebody chooses."""
    return tag("label", label, tag("select", *(tag("option", text, value=value) for value, text in options), name_=key))


def legend(grid: Grid) -> Markup:
    """Say what the signs of the matrix mean, as they are painted there."""
    lines = (tag("li", tag("span", state.sign, class_=f"cell {state.kind}"), state.says) for state in grid.states)
    return tag(
        "details",
        tag("summary", tag("span", "What the signs mean", class_="about")),
        tag("ul", *lines),
        class_="legend",
    )


BOX = tag(
    "div",
    tag("table", tag("thead", tag("tr")), tag("tbody"), aria_label="Names and servers by networks"),
    class_="matrix",
    role="region",
    aria_label="Matrix, to be scrolled",
    tabindex="0",
    hidden=True,
)
"""Where the script draws."""

DIALOG = tag("dialog", aria_label="One cell")
"""Where the script tells of one cell."""
