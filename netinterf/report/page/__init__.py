"""A result as one page that needs nothing beside it."""

from netinterf.report.page.document import html

__all__ = ["html"]
