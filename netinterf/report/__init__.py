"""Results for people."""

from netinterf.report.ladder import ladder
from netinterf.report.text import text

__all__ = ["ladder", "text"]
