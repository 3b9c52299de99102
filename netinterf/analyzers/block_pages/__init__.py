"""HTTP answers that somebody on the path wrote."""

from netinterf.analyzers.block_pages.analyzer import BlockPages

__all__ = ["BlockPages"]
