"""Networks by mechanisms: what is done in which network, and to how many names and servers."""

from collections.abc import Iterator

import numpy as np

from netinterf.mechanisms import were_hit
from netinterf.pooling.grades import Finding
from netinterf.report.campaign_page.view import View
from netinterf.report.page.markup import Markup, name, raw, tables, tag

__all__ = ["map_section"]


def map_section(view: View) -> Markup:
    """Write how many cells each mechanism has in each network, suspected ones in brackets."""
    if not view.mechanisms:
        return raw("")
    heads = ["Network", *(tag("code", mechanism) for mechanism in view.mechanisms), "All"]
    meaning = (tag("li", tag("code", mechanism), f": cells {were_hit(mechanism)}") for mechanism in view.mechanisms)
    return tag(
        "section",
        tag("h2", "What is done in which network"),
        tag("p", "Cells in which somebody interferes; with a plus those that are only suspected.", class_="soft"),
        tables("Networks by mechanisms, in cells", heads, [*rows(view)]),
        tag("ul", *meaning, class_="soft"),
        id="map",
    )


def rows(view: View) -> Iterator[list[str]]:
    """Write the networks in which anything was found."""
    place, kinds = view.report.cells.tallies.place, len(view.mechanisms)
    counts = []
    for finding in (Finding.BLOCKED, Finding.SUSPECTED):
        found = np.flatnonzero(view.found(finding))
        flat = np.bincount(place[found] * kinds + view.mechanism[found], minlength=len(view.labels) * kinds)
        counts.append(flat.reshape(-1, kinds))
    blocked, suspected = counts
    for network in view.networks.tolist():
        if blocked[network].any() or suspected[network].any():
            both = zip(blocked[network].tolist(), suspected[network].tolist(), strict=True)
            total = counted(int(blocked[network].sum()), int(suspected[network].sum()))
            yield [name(view.labels[network]), *(counted(*pair) for pair in both), tag("b", total)]


def counted(blocked: int, suspected: int) -> str:
    """Write a count, and what is only suspected behind it."""
    return " ".join([*([f"{blocked:,}"] if blocked else []), *([f"+{suspected:,}?"] if suspected else [])])
