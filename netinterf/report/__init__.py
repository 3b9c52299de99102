"""Words and pictures made from verdicts."""

from netinterf.report.comparison import comparison_text
from netinterf.report.figures import ladder
from netinterf.report.page import html
from netinterf.report.text import text

__all__ = ["comparison_text", "figures", "html", "ladder", "text"]
