"""Words and pictures made from verdicts."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from netinterf.report.several import text

if TYPE_CHECKING:
    from netinterf.report import figures
    from netinterf.report.comparison import comparison_text
    from netinterf.report.figures import ladder
    from netinterf.report.page import html

__all__ = ["comparison_text", "figures", "html", "ladder", "text"]

HOMES = {
    "comparison_text": "netinterf.report.comparison",
    "html": "netinterf.report.page",
    "ladder": "netinterf.report.figures",
}
"""What is imported when it is first used: a scan that prints text needs none of it, and it takes a while."""


def __getattr__(name: str) -> Any:
    """Import the home of a name (PEP 562)."""
    if name == "figures":
        return import_module("netinterf.report.figures")
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module 'netinterf.report' has no attribute {name!r}")
