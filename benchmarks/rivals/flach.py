"""Policing found by the published algorithm, with the constants of its code.

Source: Flach et al., "An Internet-Wide Analysis of Traffic Policing", SIGCOMM 2016, §3, and the repository
USC-NSL/policing-detection. Each chunk (data up to the other side's next request) is held against a token bucket that is
empty at the first loss: where the bucket's level tells lost from passed segments, and losses did not come with growing
delay, it was policed. The paper's words and the code differ in places; the code is followed.
"""

from enum import IntEnum

import attrs
import numpy as np

from benchmarks.rivals.base import Call, Rival
from benchmarks.rivals.transmissions import Transmissions, transmissions
from netinterf.trace import Trace

__all__ = ["FLACH", "Code", "Finding", "flach", "judge_chunk"]

TCP = 6
LATEST = 2_000_000  # bytes into the chunk at which the first loss may lie
SEGMENT = 1448  # bytes of a full segment, to tell which transfers can hold enough of them
SLICES = 3  # round trips with a loss, least
SAMPLES = 15  # lost and passed segments, least of each
CUTOFFS = (0, 2)  # losses left out at either end, in one run each
FILL_LOST, SHARE_LOST = 2.0, 0.10  # round trips that a loss may lie off the median level, and how many may lie further
FILL_PASSED, SHARE_PASSED = 0.75, 0.03  # round trips that a pass may lie below it, and how many may lie lower
INFLATED, LEAST_RTT, SHARE_INFLATED = 1.3, 0.020, 0.20  # times the 10th percentile; seconds; share of losses


class Code(IntEnum):
    """The outcomes of the published program."""

    POLICED = 0
    INSUFFICIENT_LOSS = 1
    LATE_LOSS = 2
    NEGATIVE_FILL = 3
    HIGHER_FILL = 4
    LOSS_FILL = 5
    PASS_FILL = 6
    INFLATED_RTT = 7


@attrs.frozen
class Finding:
    """What the algorithm says of one chunk."""

    code: Code
    rate: float = float("nan")  # bits a second
    burst: int = 0  # bytes before the first loss


def judge_chunk(chunk: Transmissions, *, cutoff: int) -> Finding:
    """Run the algorithm on one chunk.

    Args:
        chunk: Its segments, at least one.
        cutoff: Losses left out at either end.
    """
    losses = np.flatnonzero(chunk.lost)
    if len(losses) < 2 * cutoff + 2 or np.isnan(chunk.delay).all():
        return Finding(Code.INSUFFICIENT_LOSS)
    first, last = int(losses[cutoff]), int(losses[-1 - cutoff])
    offset = int(chunk.start[first] - chunk.start[0])
    if offset > LATEST:
        return Finding(Code.LATE_LOSS)
    time, size, lost = chunk.time, chunk.end - chunk.start, chunk.lost
    taken = np.where(lost, 0, size)
    if time[last] <= time[first] or taken[first:last].sum() == 0:
        return Finding(Code.INSUFFICIENT_LOSS)
    rate = float(taken[first:last].sum() / (time[last] - time[first]))
    trip = float(np.nanmedian(chunk.delay)) * rate  # bytes that the rate grants in a round trip
    if offset - rate * (time[first] - time[0]) < -FILL_PASSED * trip:
        return Finding(Code.NEGATIVE_FILL)
    part = slice(first, None)  # the cutoff sets the rate and where the bucket starts; later losses count
    level = rate * (time[part] - time[first]) - (np.cumsum(taken[part]) - taken[part])
    code = judge_levels(level[lost[part]], level[~lost[part]], slices(time[part][lost[part]], trip / rate), trip)
    if code is Code.POLICED and inflated_share(chunk, losses[cutoff:]) > SHARE_INFLATED:
        code = Code.INFLATED_RTT
    return Finding(code, 8 * rate, int(size[: losses[0]].sum()))


def judge_levels(at_loss: np.ndarray, at_pass: np.ndarray, slices: int, trip: float) -> Code:
    """Compare the bucket's levels before lost and before passed segments.

    Args:
        at_loss: Levels in bytes before the lost ones.
        at_pass: Levels before the passed ones.
        slices: Round trips that hold a loss.
        trip: Bytes that the rate grants in a round trip.
    """
    if slices < SLICES or min(len(at_loss), len(at_pass)) < SAMPLES:
        return Code.INSUFFICIENT_LOSS
    middle = np.median(at_loss)
    if at_loss.mean() >= at_pass.mean() or middle >= np.median(at_pass):
        return Code.HIGHER_FILL
    if np.mean(np.abs(at_loss - middle) > FILL_LOST * trip) > SHARE_LOST:
        return Code.LOSS_FILL
    if np.mean(at_pass - middle < -FILL_PASSED * trip) > SHARE_PASSED:
        return Code.PASS_FILL
    return Code.POLICED


def slices(times: np.ndarray, length: float) -> int:
    """Count slices of *length* seconds that hold a loss; a loss behind the last slice opens the next one."""
    count, end = 0, -np.inf
    for time in times.tolist():
        if time > end:
            count, end = count + 1, time + length
    return count


def inflated_share(chunk: Transmissions, losses: np.ndarray) -> float:
    """Measure how many losses came with a grown delay: the last sample but one is high among those before it."""
    sampled = np.flatnonzero(~np.isnan(chunk.delay) & chunk.clear)
    rtt, before = chunk.delay[sampled], np.searchsorted(sampled, losses)
    grown = 0
    for count in before[before >= 2].tolist():
        seen, recent = rtt[:count], rtt[count - 2]
        low, middle = np.percentile(seen, [10, 50])
        grown += bool(recent >= middle and recent > INFLATED * low and recent >= LEAST_RTT)
    return grown / len(losses)


def flach(trace: Trace) -> list[Call]:
    """Call every TCP flow of which a chunk in either direction was policed, by either run; lost packets are named."""
    calls = []
    sides = trace.sides
    enough = sides.payload_packets + sides.payload_bytes // SEGMENT >= 2 * SAMPLES  # segments, about
    enough &= (sides.repeats > 0) | (sides.fills > 0) | (sides.payload_bytes > sides.sent)  # something came again
    worth = enough.reshape(-1, 2) & (trace.flows.protocol == TCP)[:, None]
    for flow in np.flatnonzero(worth.any(axis=1)).tolist():
        found: list[Finding] = []
        rows: list[int] = []
        for outbound in (True, False):
            if not worth[flow, 0 if outbound else 1]:
                continue
            sent = transmissions(trace, flow, outbound=outbound)
            numbers, losses = np.unique(sent.chunk[sent.lost], return_counts=True)
            for number in numbers[losses >= SAMPLES].tolist():
                chunk = sent.of_chunk(number)
                findings = [judge_chunk(chunk, cutoff=cutoff) for cutoff in CUTOFFS]
                policed = [finding for finding in findings if finding.code is Code.POLICED]
                found += policed[:1]
                rows += chunk.row[chunk.lost].tolist() if policed else []
        if found:
            rates = ", ".join(f"{finding.rate / 1e6:.2f} Mbit/s" for finding in found)
            frames = tuple(sorted(set(trace.packets.frame[rows].tolist())))
            calls.append(
                Call(kind="flow", row=flow, mechanism="rate.policing", frames=frames, says=f"policed: {rates}")
            )
    return calls


FLACH = Rival(
    name="policing (Flach)",
    source="Flach et al., SIGCOMM 2016; constants of USC-NSL/policing-detection",
    home=("rate.policing",),
    judge=flach,
)
