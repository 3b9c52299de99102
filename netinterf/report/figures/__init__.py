"""Pictures of what was found, as SVG that stands alone."""

from netinterf.report.figures.canvas import Panel, sheet
from netinterf.report.figures.draw import draw
from netinterf.report.figures.ladder import ladder
from netinterf.report.figures.positions import freeze_positions
from netinterf.report.figures.rates import Limit, rate_series
from netinterf.report.figures.reach import Attempts, reachability
from netinterf.report.figures.sequence import Slope, time_sequence

__all__ = [
    "Attempts",
    "Limit",
    "Panel",
    "Slope",
    "draw",
    "freeze_positions",
    "ladder",
    "rate_series",
    "reachability",
    "sheet",
    "time_sequence",
]
