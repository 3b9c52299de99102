"""A campaign as one page that needs nothing beside it."""

from netinterf.report.campaign_page.document import campaign_page

__all__ = ["campaign_page"]
