"""What stands at the end of the page of a campaign: how it is to be read, and what it was made with."""

from netinterf.report.campaign_page.view import View
from netinterf.report.page.markup import Markup, definitions, packaged, raw, tag
from netinterf.version import __version__

__all__ = ["method", "versions"]

COMMAND = "netinterf campaign report --format html --out campaign.html STORE"


def method() -> Markup:
    """Explain cells, grades, causes and limits."""
    return tag("section", raw(packaged("method.html", "campaign_page")), id="method")


def versions(view: View) -> Markup:
    """Say what the campaign was judged with, and how to repeat that."""
    about = [
        ("Program", f"netinterf {__version__}"),
        ("Model", view.report.model.name),
        ("To repeat", tag("code", COMMAND, class_="copy")),
    ]
    return tag("section", tag("h2", "Versions"), definitions(about), id="versions")
