"""What stays open: cells that are only suspected, by which capture would settle them, the most useful first."""

from collections.abc import Sequence

from netinterf.campaign.judged.record import Cell
from netinterf.pooling.grades import Finding
from netinterf.report.campaign_page.view import View
from netinterf.report.digest import MOST_EXAMPLES
from netinterf.report.headline import joined
from netinterf.report.page.markup import Markup, join, name, raw, tag
from netinterf.writing import count_of
from netinterf.written.words import percent

__all__ = ["open_section"]


def open_section(view: View) -> Markup:
    """Write what would settle how many suspected cells: first what would settle most blocks, by their probabilities."""
    by_reason: dict[str, list[Cell]] = {}
    for cell in view.cells(Finding.SUSPECTED):
        for reason in cell.reasons[:1]:
            by_reason.setdefault(reason.says, []).append(cell)
    if not by_reason:
        return raw("")
    ordered = sorted(by_reason.items(), key=lambda entry: -sum(cell.probability for cell in entry[1]))
    lines = [tag("li", *line(says, cells)) for says, cells in ordered]
    about = (
        "These are hints: a reason to look again or to capture more, and nothing to accuse anybody of. What would "
        "settle most comes first."
    )
    return tag("section", tag("h2", "What stays open"), tag("p", about), tag("ol", *lines), id="open")


def line(says: str, cells: Sequence[Cell]) -> Sequence[Markup | str]:
    """Write what would settle some cells, in which networks they are, and the surest of them."""
    expected = sum(cell.probability for cell in cells)
    networks = list(dict.fromkeys(str(cell.network) for cell in cells))
    surest = {f"{cell.subject} in {cell.network}": percent(cell.probability) for cell in reversed(cells)}
    named = [join([name(who), f" ({sure})"]) for who, sure in reversed(surest.items())]
    blocked = f", of which about {expected:,.0f} are blocked if probabilities are right" if len(cells) > 1 else ""
    return (
        tag("b", count_of(len(cells), "suspected cell")),
        f" in {joined(networks, 'network')}{blocked}. {says[:1].upper()}{says[1:]}",
        tag("small", "The surest: ", join(separated(named[:MOST_EXAMPLES]))),
    )


def separated(parts: Sequence[Markup]) -> Sequence[str]:
    """Put commas between parts."""
    return [one for part in parts for one in (", ", part)][1:]
