"""Clocks of the recorder: set back while it ran, or two that disagree."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.recording.fact import RecordingFact, Scope

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["tell_clocks"]

QUEUED_NS = 1_000_000
"""What packets may wait in one queue of a recorder while another is emptied: a millisecond, the longest time between a
frame and its copy; what goes back further is a clock that was set."""


def tell_clocks(trace: "Trace") -> Iterator[RecordingFact]:
    """Say whether time went back in the file, and whether answers were captured before what they answer."""
    packets, sides = trace.packets, trace.sides
    if np.any(packets.frame[1:] < packets.frame[:-1]):
        steps = np.diff(packets.time[np.argsort(packets.frame)])
        back = steps[steps < -QUEUED_NS]
        if len(back):
            numbers = {"steps": float(len(back)), "most_ms": float(-back.min()) / 1e6}
            says = (
                f"time goes back {len(back):,} times in this file, by up to {numbers['most_ms']:,.0f} ms: a clock was "
                "set, or several recordings were put together; packets were sorted by time"
            )
            yield RecordingFact(id="recording.clock", scope=Scope.CAPTURE, certain=True, says=says, numbers=numbers)
    asked, answered = (column.astype(np.int64) for column in (sides.syn[0::2], sides.syn[1::2]))
    opened = np.flatnonzero((asked >= 0) & (answered >= 0))
    asked, answered = asked[opened], answered[opened]
    answers = packets.ack[answered] - packets.seq[asked] == 1 if len(opened) else opened > 0
    early = np.flatnonzero(answers & (answered < asked))
    if 2 * len(early) > len(opened):
        most = float((packets.time[asked[early]] - packets.time[answered[early]]).max()) / 1e6
        numbers = {"flows": float(len(early)), "of": float(len(opened)), "most_ms": most}
        says = (
            f"in {len(early):,} of {len(opened):,} handshakes the answer was captured before the question, by up to "
            f"{most:,.3f} ms: the two directions were recorded by clocks that disagree"
        )
        yield RecordingFact(id="recording.skew", scope=Scope.CAPTURE, certain=True, says=says, numbers=numbers)
