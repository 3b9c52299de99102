"""A capture that is cut in time, so that several may look at it at once, and judged as a whole.

A piece is looked at together with what lies before and behind it (`OVERLAP_NS`), like a capture of its own. Everybody
belongs to one piece alone: to that in which its first packet lies. Packets before a piece tell what had begun, and keep
others company; those behind it show how what began in the piece ended. Pieces keep evidence and subjects, by the frame
numbers of the whole, and are judged together (`netinterf.verdict.joining`).

What is lost: a conversation that goes on behind what is looked at with its beginning is judged by that, silence is
waited for no longer, and analyzers compare those of one time. How many go on is counted, by all pieces that saw them
(`netinterf.engine.met`). They still keep others company in each piece. Who stands out is not asked.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.capture import Capture
from netinterf.capture.cutting import beside
from netinterf.decode import LINK_TYPE
from netinterf.engine.crowd import beyond_a_crowd, crowd_of
from netinterf.engine.joint import JointQuestions
from netinterf.engine.judged import Judged, outcome_counts
from netinterf.engine.judged_window import JudgedWindow, judge_window
from netinterf.engine.large import summary_of
from netinterf.engine.looking import Seen
from netinterf.engine.met import Met, conversations, lookups, told_twice
from netinterf.engine.options import WHOLE, Options
from netinterf.engine.release import IDLE_NS, Remembered, closed_flows
from netinterf.schema import Diagnostic, Records
from netinterf.trace import Trace, decode_capture
from netinterf.values import frozen
from netinterf.verdict.joining import join_judgements
from netinterf.verdict.parts import Part
from netinterf.written.ledger import Ledger

__all__ = [
    "CROSSED",
    "GOES_ON",
    "OPEN",
    "OVERLAP_NS",
    "PIECES",
    "PIECE_PACKETS",
    "Counts",
    "Piece",
    "join_pieces",
    "look_at_piece",
    "with_beside",
]

OVERLAP_NS = IDLE_NS
"""What is looked at before and behind a piece: after so long a silence any conversation is over."""

PIECE_PACKETS, BESIDE_PACKETS = WHOLE // 5 * 4, WHOLE // 10
"""Packets of a piece, and of what is looked at on each side of it, at most: together what is looked at as one. So a
quarter more is looked at than a full piece holds."""

PIECES, CROSSED, OPEN = "scan.pieces", "scan.crossed", "scan.open"
"""Codes of the diagnostics that say in how many pieces a capture was looked at, and what could not be joined."""

SAYS = (
    "this capture was cut by time into {count:,} pieces, each looked at with up to two minutes of what lies before and "
    "behind it, and then judged as a whole; conversations were compared with those of that time"
)

GOES_ON = (
    "conversations or lookups went on for longer than was looked at with their beginnings, by which they are judged"
)

STAYED_OPEN = (
    "conversations or lookups were open where what was looked at with them ended, and silent for less than two "
    "minutes: the whole may show more of some"
)


@frozen(eq=False)
class Piece:
    """What is kept of a piece.

    Args:
        seen: What counts of its judgement.
        met: Who was met.
        until: The last frame that was looked at.
        open: Conversations and lookups that began in it and were open there; see `still_open`.
        decodable: Whether any frame could be decoded.
    """

    seen: Seen
    met: Met
    until: int
    open: int
    decodable: bool


@frozen(eq=False, kw_only=True)
class Counts:
    """What is counted while pieces are cut."""

    packets: int = 0
    bytes: int = 0  # on the wire
    span: tuple[int, int] | None = None  # times of the first and last, ns
    diagnostics: tuple[Diagnostic, ...] = ()

    @classmethod
    def of(cls, pieces: Iterable[Records]) -> Self:
        """Count the frames of all pieces, each of which holds some."""
        packets, size, times = 0, 0, list[int]()
        for piece in pieces:
            packets, size = packets + len(piece), size + int(piece.length.sum(dtype=np.int64))
            times += [int(piece.time.min()), int(piece.time.max())]
        return cls(packets=packets, bytes=size, span=(min(times), max(times)) if times else None)


def with_beside(before: Records, piece: Records, behind: Records) -> Records:
    """Add what is looked at together with a piece, out of its neighbours."""
    near = (beside(piece, other, OVERLAP_NS, BESIDE_PACKETS) for other in (before, behind))
    first, last = near
    return Records.concat([first, piece, last])


def look_at_piece(
    capture: Capture,
    piece: Records,
    name: str,
    options: Options,
    count: int,
    look: Callable[[Trace], Any] | None = None,
) -> Piece:
    """Judge what belongs to a piece.

    Args:
        capture: Its frames, and those beside it.
        piece: Its frames.
        name: What the capture is called.
        options: How to judge.
        count: How many pieces there are.
        look: What else is kept of its trace (see `JointQuestions`).
    """
    joint, frames = JointQuestions(options, look), capture.records.frame
    asked = attrs.evolve(joint.options, anomalies=False)  # a piece is not all that there is to stand out from
    window = judge_window(capture, name, asked, Remembered(), partial=True, in_part=False)
    trace, ledger = window.trace, window.judged.ledger
    frame = trace.packets.frame.astype(np.int64)

    def inside(first: I64) -> Mask:
        return (first >= int(piece.frame[0])) & (first <= int(piece.frame[-1]))

    begun = inside(frame[trace.flows.first_packet])
    alone = begun & beyond_a_crowd(trace, ledger.evidence, ledger.subjects, crowd_of(count))
    exchanges = inside(ledger.first_frame[ledger.subjects.by_exchange].astype(np.int64))
    rows = [np.empty(0, np.int64)] * 2

    def observe(flow: I64, exchange: I64, packet: I64) -> Sequence[Any]:
        rows[:] = flow, exchange
        return joint.observe(trace, flow, exchange, packet)

    part = Part.of(ledger, trace, begun & ~alone, observe, exchanges)
    outcomes = outcome_counts(ledger.verdicts.take(ledger.subjects.by_flow[alone]))
    undecoded = sum(note.count for note in window.notes if note.code == LINK_TYPE)
    return Piece(
        Seen(part, trace.vantage, window.notes, alone=Counter(outcomes)),
        Met.concat([conversations(window, begun, rows[0]), lookups(window, exchanges, rows[1])]),
        int(frames[-1]),
        still_open(window, begun, exchanges),
        undecoded < len(frames),
    )


def still_open(window: JudgedWindow, flows: Mask, exchanges: Mask) -> int:
    """Count conversations that were not closed, and lookups without a reply, whose silence was not waited for.

    Args:
        window: What was looked at.
        flows: Which flows are asked about; those of nothing but DNS are not.
        exchanges: Which exchanges are.
    """
    trace = window.trace
    since = trace.ended - OVERLAP_NS
    waiting = flows & ~window.dns_alone & ~closed_flows(trace) & (trace.flows.last > since)
    subjects = window.judged.ledger.subjects
    unanswered = exchanges & (trace.exchanges.replies.lengths == 0) & (subjects.start[subjects.by_exchange] > since)
    return int(np.count_nonzero(waiting) + np.count_nonzero(unanswered))


def join_pieces(
    pieces: Sequence[Piece],
    capture: Capture,
    counted: Counts,
    name: str,
    options: Options,
    look: Callable[[Trace], Any] | None = None,
) -> tuple[Judged, tuple[Any, ...]]:
    """Judge all pieces together.

    Args:
        pieces: What was seen of each, in their order.
        capture: The capture; its frames are not asked for, but where none could be decoded.
        counted: What it holds.
        name: What to call it.
        options: How to judge.
        look: As when they were looked at.

    Returns:
        The capture, and what else was kept of each piece.

    Raises:
        UnsupportedLinkType: No frame could be decoded.
    """
    if not any(piece.decodable for piece in pieces):
        decode_capture(capture)  # which says what cannot be decoded
    joint = JointQuestions(options, look)
    gone, crossed = told_twice([piece.met for piece in pieces], [piece.until for piece in pieces])
    seen = [piece.seen for piece in pieces]
    parts = [one.part.without(*rows) if any(map(len, rows)) else one.part for one, rows in zip(seen, gone, strict=True)]
    ledger = join_judgements(
        Ledger,
        parts,
        name,
        options.model,
        networks=options.outside.networks,
        conclude=joint.conclude,
    )
    notes = [Diagnostic(PIECES, SAYS.format(count=len(pieces)), count=len(pieces))]
    left_open = sum(piece.open for piece in pieces if piece.until < pieces[-1].until)
    notes += [Diagnostic(CROSSED, GOES_ON, count=crossed)] if crossed else []
    notes += [Diagnostic(OPEN, STAYED_OPEN, count=left_open)] if left_open else []
    summary = summary_of(capture, counted, seen, ledger, options, crowd_of(len(pieces)), notes)
    summary = attrs.evolve(summary, diagnostics=summary.diagnostics + joint.notes)
    return Judged(summary=summary, ledger=ledger), joint.looked
