"""Measurement files in the manner of OONI, for those whose tools read them: what was tried, how it ended, our findings.

Each line is a measurement of the experiment ``urlgetter``: what one client did about one name within a short time.
A capture that could not be read is a measurement that failed, so that it is not missed.
They are for local use: nobody ran a probe, so they do not belong into OONI's archive, and every line says so.

The packets are read once more for it: what a scan keeps of a capture holds no messages and no times of packets, and
keeping them would cost every scan memory that few need.

Source: github.com/ooni/spec.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from netinterf.engine.extract import read_all_again
from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, captures_of
from netinterf.errors import CaptureError
from netinterf.export.archival.measurement import CaptureView, failed, measurement, view_capture
from netinterf.schema import Grade
from netinterf.writing import TextTarget, dump, write_lines

__all__ = ["measurements", "ooni"]

POSSIBLE = tuple(Grade).index(Grade.POSSIBLE)


def ooni(
    result: Result | Iterable[Judged],
    target: TextTarget,
    *,
    everything: bool = False,
    errors: Sequence[CaptureError] = (),
) -> None:
    """Write a whole result as measurements in the manner of OONI, one JSON object a line.

    Args:
        result: A scan's result, or the captures of one.
        target: A path (replaced when the file is whole) or a text file object.
        everything: Write all TCP and UDP conversations and DNS exchanges, not only what belongs to a finding.
        errors: What could not be read, where *result* does not know; it may grow while captures come.

    Raises:
        UsageError: A capture came from a pipe or changed since it was judged, or is the target.
        CaptureError: A capture cannot be read any more.
        OSError: The target cannot be written.
    """
    errors = result.errors if isinstance(result, Result) else errors
    captures = captures_of(result, target)
    lines = (line for judged in captures for line in measurements(judged, everything=everything))
    write_lines(target, chain(lines, (dump(failed(error)) for error in errors)))


def measurements(judged: Judged, *, everything: bool = False) -> Iterator[str]:
    """Write one capture, a measurement a line and without line ends, in the order in which they began.

    Args:
        judged: What a scan kept of the capture.
        everything: Write everything, not only what belongs to a finding.

    Raises:
        UsageError: The capture came from a pipe or changed since it was judged.
        CaptureError: It cannot be read any more.
    """
    view = view_capture(judged, read_all_again(judged))
    for visit in np.flatnonzero(_wanted(view, everything)).tolist():
        yield dump(measurement(view, visit))


def _wanted(view: CaptureView, everything: bool) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say which visits are written: those with a finding, or with a member of a group that is held to be affected."""
    visits, ledger = view.visits.subjects, view.judged.ledger
    wanted = everything | (ledger.verdicts.grade <= POSSIBLE)
    members = ledger.groups.subjects
    place = np.arange(len(members.values)) - np.repeat(members.offsets[:-1], members.lengths)
    wanted[members.values[place < np.repeat(ledger.groups.affected, members.lengths)]] = True
    holds = np.zeros(len(visits), np.bool_)
    holds[visits.parents()[wanted[visits.values]]] = True
    return holds
