"""Time to verdict: how much of a capture must have passed before the right mechanism is named.

The session judges a capture when it ends, so what it would have said earlier is what a scan says of the first frames of
the capture. Verdicts rarely take back what they named, so the first frame after which it is named is found by
bisection; a verdict that comes, goes and comes again is given the time of one of its comings.
"""

import io
from collections.abc import Callable

import numpy as np

from benchmarks.matching import Verdict, accused, pair
from benchmarks.scoreboard.labels import Row
from benchmarks.scoreboard.mechanisms import answers
from netinterf.capture import write_records
from netinterf.trace import Trace, read

__all__ = ["first_true", "time_to_verdict"]


def time_to_verdict(trace: Trace, row: Row) -> float | None:
    """Measure capture time from the beginning of the interference to the earliest right verdict.

    Interference begins with its trigger, without one with the first forged frame, without that with the subject.

    Args:
        trace: A capture whose whole gives a right verdict about *row*.
        row: The label.

    Returns:
        Seconds, never negative; None when the capture has several link types, or the verdict hangs on the frame
        numbers of the whole.
    """
    packets = trace.packets
    if len({trace.interfaces[place].link_type for place in np.unique(packets.interface).tolist()}) != 1:
        return None
    truth = row.truth
    start = truth.trigger or (truth.forged[0] if truth.forged else truth.first_frame)
    at = np.flatnonzero(packets.frame == start)
    begin = int(at[0]) if len(at) else 0
    count = first_true(lambda size: named_within(trace, size, row), begin + 1, len(packets))
    if count < 0:
        return None
    return max(float(packets.time[count - 1] - packets.time[min(begin, count - 1)]) / 1e9, 0.0)


def first_true(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Find the least number from *low* to *high* for which *holds* is true, given that it stays true; -1 for none."""
    if low > high or not holds(high):
        return -1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high


def named_within(trace: Trace, size: int, row: Row) -> bool:
    """Say whether the first *size* packets of a capture already give a right verdict."""
    packets = trace.packets
    held = io.BytesIO()
    kept = slice(0, size)
    link_type = trace.interfaces[int(packets.interface[0])].link_type
    write_records(
        held,
        trace.buffer,
        packets.at[kept],
        packets.captured[kept],
        packets.length[kept],
        packets.time[kept],
        link_type,
    )
    verdicts = judged(held.getvalue())
    place = pair([row], verdicts).get(0)
    return place is not None and any(answers(accused(verdicts[place]), words) for words in row.right)


def judged(capture: bytes) -> list[Verdict]:
    """Scan the bytes of a capture; only accusations are written out."""
    import netinterf
    from netinterf.written.format import verdict_line

    trace = read(capture)
    evidence = netinterf.analyze(trace)
    ledger = netinterf.explain(netinterf.classify(evidence, trace), evidence, trace)
    return [verdict_line(verdict) for verdict in ledger.findings()]
