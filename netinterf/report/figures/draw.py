"""Which figure a verdict gets, by its mechanism."""

import numpy as np

from netinterf.errors import ParameterError
from netinterf.mechanisms import Figure, known_as
from netinterf.report.figures.attempts import attempts
from netinterf.report.figures.canvas import Panel, sheet
from netinterf.report.figures.gather import FittedLimit, Transfer, find_limit, flows_of, positions, rows_of, transfer
from netinterf.report.figures.ladder import ladder_panel
from netinterf.report.figures.positions import freeze_positions
from netinterf.report.figures.rates import Limit, bin_width, rate_series
from netinterf.report.figures.reach import reachability
from netinterf.report.figures.sequence import Slope, time_sequence
from netinterf.schema import Evidence
from netinterf.trace import Trace
from netinterf.written.record import Verdict
from netinterf.written.words import happened

__all__ = ["draw"]


def draw(trace: Trace, verdict: Verdict, evidence: Evidence) -> str:
    """Draw what a verdict rests on.

    A limited rate is drawn as a time–sequence plot above a rate series, a freeze as a histogram of positions, isolation
    as a timeline of attempts, and all else as a ladder of packets.

    Args:
        trace: The capture.
        verdict: A verdict about it that names a mechanism.
        evidence: All evidence about the capture.

    Returns:
        SVG.

    Raises:
        ParameterError: The verdict names no mechanism, so that there is nothing to show.
    """
    mechanism = verdict.mechanism
    if mechanism is None:
        raise ParameterError("verdict", str(verdict.outcome), "a verdict that names a mechanism: others show nothing")
    record = known_as(mechanism)
    figure = record.figure if record else Figure.LADDER
    panels: list[Panel] = []
    if figure is Figure.POSITIONS and (frozen := positions(trace, verdict, evidence)) is not None:
        panels = [freeze_positions(frozen.stopped, frozen.survivors, unit=frozen.unit, limit=frozen.limit)]
    elif figure in (Figure.RATE, Figure.POSITIONS):
        panels = by_rate(trace, verdict, evidence)
    elif figure is Figure.REACH:
        panels = [reachability(attempts(trace, verdict, evidence))]
    else:
        panels = [by_packets(trace, verdict)]
    return sheet(happened(verdict), panels)


def by_packets(trace: Trace, verdict: Verdict) -> Panel:
    """Draw the ladder of a verdict, with what is held to be forged, and the rules that say so."""
    flow = int(flows_of(trace, verdict)[0])
    forged = rows_of(trace, verdict.frames).tolist()
    notes: dict[int, str] = {}
    for observation in reversed(verdict.evidence):  # the strongest is written last, and stays
        if observation.llr > 0:
            notes |= {row: observation.rule for row in rows_of(trace, observation.frames).tolist() if row in forged}
    return ladder_panel(trace, flow, forged, notes=notes)


def by_rate(trace: Trace, verdict: Verdict, evidence: Evidence) -> list[Panel]:
    """Draw a transfer and its rate on one time axis."""
    fitted = find_limit(trace, verdict, evidence)
    moved = transfer(trace, fitted, evidence)
    begin = min((float(part.time[0]) for part in (moved.sent, moved.limited) if len(part)), default=0.0)
    until = max((float(part.time[-1]) - begin for part in (moved.sent, moved.limited) if len(part)), default=0.0)
    limit = Limit(rate=fitted.rate, depth=fitted.depth) if np.isfinite(fitted.rate) else None
    passed = moved.limited.take(~moved.limited.lost)
    step = bin_width(until, passed.size, limit)
    until = step * float(np.ceil(until / step - 1e-9))  # one time axis for both
    several = len(moved.flows)
    who = "this connection" if several == 1 else f"{several} connections with one limit"
    return [
        time_sequence(
            moved.sent.time - begin,
            moved.sent.start - 1,
            moved.sent.payload,
            moved.sent.lost,
            moved.again,
            answered=(moved.ack_time - begin, moved.acked),
            slope=slope(fitted, moved),
            until=until,
        ),
        rate_series(
            passed.time - begin,
            passed.size,
            limit=limit,
            others=(moved.others.time - begin, moved.others.size),
            title="How many acknowledgements passed" if fitted.acks else "How much passed",
            who=who,
            until=until,
        ),
    ]


def slope(fitted: FittedLimit, moved: Transfer) -> Slope | None:
    """Give the line of the fitted rate in bytes of the stream: what is left of it without headers.

    There is none where several connections shared the rate, or where acknowledgements were limited.
    """
    passed = moved.limited.take(~moved.limited.lost)
    if len(moved.flows) > 1 or fitted.acks or not np.isfinite(fitted.rate) or not passed.size.any():
        return None
    share = float(passed.payload.sum() / passed.size.sum())
    return Slope(fitted.rate / 8 * share, Limit(rate=fitted.rate).says)
