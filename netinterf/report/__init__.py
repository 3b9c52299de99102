"""Results for people."""

from netinterf.report.text import text

__all__ = ["text"]
