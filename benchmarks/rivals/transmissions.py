"""What a sender put on the wire, segment by segment: when, which bytes, whether it was lost, how long it waited.

The annotation rules of the published policing detector (Flach et al., SIGCOMM 2016, repository
USC-NSL/policing-detection): a segment is lost when one that brings nothing new begins inside its bytes later and no
DSACK shows that this was needless; what a capture shows larger than one segment is cut into segments; the
acknowledgement of a segment that was not sent again gives a delay.
"""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Status, TcpFlag, TcpOption
from netinterf.table import spans
from netinterf.trace import Trace

__all__ = ["Transmissions", "sent_again", "transmissions"]

SECOND = 1e9  # ns
STAMPS = 12  # bytes that timestamps take of every segment
USUAL, SMALL, DIVISORS = 1460, 500, range(2, 10)  # the published guess of a segment size where no SYN was captured
NEVER = -1


@attrs.frozen(eq=False, kw_only=True)
class Transmissions:
    """Segments in order of sending, n of them."""

    time: F64  # s
    start: I64  # first byte, relative
    end: I64  # behind the last byte
    lost: Mask
    delay: F64  # s until it was acknowledged, NaN for segments that were sent again or never acknowledged
    clear: Mask  # no earlier loss was open, so that the delay is a round trip
    row: I64  # row in Packets
    chunk: I64  # number of the chunk: new data of the other side opens the next one

    def of_chunk(self, number: int) -> "Transmissions":
        """Give the segments of one chunk."""
        chosen = self.chunk == number
        columns = {field.name: getattr(self, field.name)[chosen] for field in attrs.fields(Transmissions)}
        return Transmissions(**columns)


def transmissions(trace: Trace, flow: int, *, outbound: bool) -> Transmissions:
    """Annotate what one side of a TCP flow sent.

    Args:
        trace: The capture.
        flow: Row in Flows.
        outbound: Whether the client is the sender.
    """
    packets = trace.packets
    rows = trace.by_flow[flow].astype(np.int64)
    rows = rows[packets.status[rows] & Status.FRAGMENT_LATER == 0]
    reset = packets.tcp_flags[rows] & TcpFlag.RST != 0
    own = packets.outbound[rows] == outbound
    sent = rows[own & ~reset & (packets.payload_length[rows] > 0)]
    back = rows[~own & ~reset]
    row, start, end = pieces(packets.relative_seq[sent], packets.payload_length[sent], sent, segment_size(trace, flow))
    again = sent_again(start, end)
    acked = back[packets.tcp_flags[back] & TcpFlag.ACK != 0]
    blocks = sack_ranges(trace, acked)
    lost = without_needless(again, start, end, row, blocks[blocks[:, 3] == 1])
    answered = first_answers(start, end, packets.relative_ack[acked], acked, blocks[blocks[:, 3] == 0])
    known = ~again & (answered >= 0)
    delay = np.full(len(row), np.nan)
    delay[known] = (packets.time[answered[known]] - packets.time[row[known]]) / SECOND
    return Transmissions(
        time=packets.time[row] / SECOND,
        start=start,
        end=end,
        lost=lost,
        delay=delay,
        clear=undisturbed(row, answered, again),
        row=row,
        chunk=np.searchsorted(new_data(trace, back), row),
    )


def segment_size(trace: Trace, flow: int) -> int:
    """Find the largest payload of a segment on the wire: the MSS less timestamps, guessed from payloads without one."""
    sides = trace.sides
    given = [int(sides.mss[side]) for side in (2 * flow, 2 * flow + 1) if sides.mss[side]]
    stamped = all(sides.syn_options[side] & TcpOption.TIMESTAMPS for side in (2 * flow, 2 * flow + 1))
    if given:
        return min(given) - STAMPS * stamped
    largest = int(trace.packets.payload_length[trace.by_flow[flow]].max(initial=0))
    return next((largest // by for by in (1, *DIVISORS) if SMALL < largest // by <= USUAL), USUAL)


def pieces(start: I64, length: NDArray[Any], rows: I64, size: int) -> tuple[I64, I64, I64]:
    """Cut packets into segments of *size* bytes at most: row, first byte and end of each."""
    count = -(-length.astype(np.int64) // size)
    owner = np.repeat(np.arange(len(rows)), count)
    begins = start[owner] + spans(np.zeros(len(rows), np.int64), count) * size
    return rows[owner], begins, np.minimum(begins + size, (start + length)[owner])


def sent_again(start: I64, end: I64) -> Mask:
    """Say which segments a later one repeats: it begins inside their bytes and ends below all that was sent before.

    Among the segments that begin inside another's bytes the last repeat is asked for, by a reduction over the sorted
    beginnings.

    Args:
        start: First byte of each segment in order of sending, n of them.
        end: Behind its last byte, n.
    """
    if len(start) == 0:
        return np.empty(0, np.bool_)
    repeat = np.zeros(len(start), np.bool_)
    repeat[1:] = end[1:] <= np.maximum.accumulate(end)[:-1]
    order = np.argsort(start, kind="stable")
    edges = np.stack([np.searchsorted(start[order], edge) for edge in (start, end)], axis=1).reshape(-1)
    place = np.append(np.where(repeat[order], order, -1), -1)
    again: Mask = np.maximum.reduceat(place, edges)[::2] > np.arange(len(start))
    return again


def sack_ranges(trace: Trace, rows: I64) -> I64:
    """List the SACK blocks of acknowledgements: left, right (relative), row, and 1 for a DSACK; shape (m, 4)."""
    packets, blocks = trace.packets, trace.sack_blocks(rows)
    owner = rows[blocks.parents()][::2]
    edges = blocks.values.reshape(-1, 2)
    past = (edges - packets.ack[owner][:, None].astype(np.uint32)).astype(np.int32).astype(np.int64)
    ranges = past + packets.relative_ack[owner][:, None]
    needless = ranges[:, 1] <= packets.relative_ack[owner]
    return np.column_stack([ranges, owner, needless])


def without_needless(again: Mask, start: I64, end: I64, row: I64, needless: I64) -> Mask:
    """Take the losses back that a DSACK refutes: of each, the last segment with its bytes that was sent again."""
    lost = again.copy()
    for left, right, when, _ in needless.tolist():
        hit = np.flatnonzero(again & (start <= left) & (end >= right) & (row < when))
        lost[hit[-1:]] = False
    return lost


def first_answers(start: I64, end: I64, ack: I64, rows: I64, blocks: I64) -> I64:
    """Find the first packet that acknowledges all of each segment, cumulatively or by SACK; `NEVER` for none."""
    answered = np.full(len(start), NEVER)
    reached = np.maximum.accumulate(ack) if len(ack) else ack
    place = np.searchsorted(reached, end)
    answered[place < len(rows)] = rows[place[place < len(rows)]]
    order = np.argsort(start, kind="stable")
    begins, ends = start[order], np.maximum.accumulate(end[order]) if len(end) else end
    for left, right, when, _ in blocks[np.argsort(-blocks[:, 2], kind="stable")].tolist():
        inside = order[np.searchsorted(begins, left) : np.searchsorted(ends, right, side="right")]
        first = answered[inside]
        answered[inside] = np.where(first == NEVER, when, np.minimum(first, when))
    return answered


def undisturbed(row: I64, answered: I64, again: Mask) -> Mask:
    """Say which segments were sent after the acknowledgement of every earlier one that had to be sent again."""
    clear = np.ones(len(row), np.bool_)
    if len(row):
        clear[1:] = row[1:] > np.maximum.accumulate(np.where(again, answered, NEVER))[:-1]
    return clear


def new_data(trace: Trace, rows: I64) -> I64:
    """List the rows of *rows* that carry bytes above all before them."""
    packets = trace.packets
    rows = rows[packets.payload_length[rows] > 0]
    end = packets.relative_seq[rows] + packets.payload_length[rows]
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = packets.relative_seq[rows][1:] >= np.maximum.accumulate(end)[:-1] if len(rows) else fresh
    return rows[fresh]
