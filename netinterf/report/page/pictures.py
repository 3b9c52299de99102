"""The pictures of a page: a few for each kind of finding, all of one capture drawn after reading it once more.

A picture needs packets, and a scan keeps none. Reading again costs what the scan's reading cost, and a picture has 5 to
200 kB where a finding in words has two. So there are few: those of two names of each kind, since a third ladder of the
same kind shows what the first two show.
"""

from collections.abc import Iterable, Mapping

import attrs

from netinterf.context.outside import Outside
from netinterf.engine.extract import packets_of, read_again
from netinterf.engine.judged import Judged
from netinterf.errors import CaptureError, ParameterError
from netinterf.report.digest import Kind, place_of
from netinterf.report.figures import draw
from netinterf.values import frozen
from netinterf.written.record import Subject, Verdict

__all__ = ["Pictures", "pictures", "worth_a_picture"]

PER_KIND = 2


@frozen
class Pictures:
    """What was drawn of a capture, as SVG by subject, and why something could not be."""

    drawn: Mapping[Subject, str] = attrs.field(factory=dict)
    missing: str = ""  # in words that follow a colon


def worth_a_picture(kinds: Iterable[Kind]) -> list[Verdict]:
    """Choose the findings that get a picture: of each kind the surest of each name, for the first few names."""
    chosen: list[Verdict] = []
    for kind in kinds:
        by_name: dict[str, Verdict] = {}
        for verdict in sorted(kind.findings, key=lambda verdict: -verdict.probability):
            by_name.setdefault(place_of(verdict), verdict)
        chosen += list(by_name.values())[:PER_KIND]
    return chosen


def pictures(judged: Judged, wanted: list[Verdict]) -> Pictures:
    """Draw findings of a capture that is read once more; where that cannot be, say so."""
    if not wanted:
        return Pictures()
    if judged.source is None:
        return Pictures(missing="the capture came from a pipe, which cannot be read twice")
    drawn: dict[Subject, str] = {}
    try:
        trace, _ = read_again(wanted[0], judged)
        trace = attrs.evolve(trace, outside=Outside(judged.ledger.networks))
        for verdict in wanted:
            packets_of(trace, verdict)  # refuses a capture that has changed
            drawn[verdict.subject] = draw(trace, verdict, judged.evidence)
    except ParameterError:
        return Pictures(missing="the capture has changed since it was judged")
    except (CaptureError, OSError):
        return Pictures(missing="the capture cannot be read any more")
    return Pictures(drawn)
