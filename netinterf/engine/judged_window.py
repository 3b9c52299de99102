"""Some frames of a capture, judged for themselves: those in the window of a session, or in a shard of a large file."""

import attrs
import numpy as np

from netinterf.analyzers.everywhere import EVERYWHERE
from netinterf.analyzers.run import FAILED
from netinterf.arrays import U32, Mask
from netinterf.capture import Capture
from netinterf.engine.judged import Judged, judge_trace
from netinterf.engine.options import Options
from netinterf.engine.release import Remembered
from netinterf.recording import notes
from netinterf.schema import Diagnostic, SubjectKind
from netinterf.trace import Trace, decode_capture
from netinterf.values import frozen

__all__ = ["JudgedWindow", "judge_window"]


@frozen(eq=False)
class JudgedWindow:
    """A window as it was judged.

    Args:
        trace: Its packets.
        remains: Which of its flows get no verdict: remains of conversations that left, and company.
        judged: What was found.
        notes: What decoding had to say, and what kind of recording it is.
    """

    trace: Trace
    remains: Mask
    judged: Judged
    notes: tuple[Diagnostic, ...]

    @property
    def dns_alone(self) -> Mask:
        """Which flows hold nothing but DNS: their subjects are the exchanges, one by one."""
        verdicts = self.judged.ledger.verdicts
        alone = ~self.remains
        alone[verdicts.subject[verdicts.subject_kind == SubjectKind.FLOW]] = False
        return alone


def judge_window(
    capture: Capture,
    name: str,
    options: Options,
    remembered: Remembered,
    *,
    partial: bool,
    in_part: bool,
    span: tuple[int, int] | None = None,
    company: U32 | None = None,
) -> JudgedWindow:
    """Judge some frames of a capture.

    Args:
        capture: The frames.
        name: What the whole is called.
        options: How to judge.
        remembered: Conversations that left before.
        partial: There are other frames: refuse nothing for want of one that can be decoded.
        in_part: There were others, or will be, whose company is missed.
        span: Times of the first and last frame of the whole, ns, where they are known.
        company: Frames that are judged elsewhere, rising: conversations of nothing else get no verdict.
    """
    trace = decode_capture(capture, vantage=options.vantage, strict=options.strict, partial=partial, span=span)
    trace = attrs.evolve(trace, outside=options.outside)
    remains = remembered.remains(trace)
    if company is not None and len(company):
        own = trace.packets.flow[~np.isin(trace.packets.frame, company)]
        remains |= np.bincount(own[own >= 0], minlength=len(trace.flows)) == 0
    judged = judge_trace(trace, name, options, without=remains, in_part=in_part)
    summary = attrs.evolve(judged.summary, flows=judged.summary.flows - int(np.count_nonzero(remains)))
    whole = trace.select(~remains) if remains.any() else trace  # what left a window was not missed
    diagnostics = trace.diagnostics[len(capture.diagnostics) :] + notes(whole)
    diagnostics += tuple(note for note in summary.diagnostics if note.code in {FAILED, EVERYWHERE})
    return JudgedWindow(trace, remains, attrs.evolve(judged, summary=summary), diagnostics)
