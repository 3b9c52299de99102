"""Clocks of the recorder: set back while it ran, or two that disagree."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.recording.fact import RecordingFact, Scope, conversations, share_of
from netinterf.recording.skew import FLOWS, QUEUED_NS, clocks_ahead

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["clock_facts"]

TCP = 6


def clock_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Say whether time went back in the file, and whether answers were captured before what they answer."""
    packets = trace.packets
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
    skewed, tcp = trace.recording.skewed, trace.flows.protocol == TCP
    if np.count_nonzero(skewed) >= FLOWS or 2 * np.count_nonzero(skewed & tcp) > np.count_nonzero(tcp):
        shown, early = clocks_ahead(packets, trace.sides, trace.rtts, trace.by_flow)
        ahead = np.maximum(shown, early)[skewed]
        numbers = share_of(skewed & tcp, tcp)
        numbers |= {"showing": float(np.count_nonzero(ahead)), "most_ms": float(ahead.max()) / 1e6}
        says = (
            f"answers were captured before what they answer, by up to {numbers['most_ms']:,.3f} ms, in "
            f"{conversations(numbers | {'flows': numbers['showing']})}: the two directions were recorded by clocks "
            f"that disagree, and nothing is said of who was too early in {conversations(numbers)}"
        )
        yield RecordingFact(id="recording.skew", scope=Scope.PATH, certain=True, says=says, numbers=numbers)
