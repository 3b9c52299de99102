"""A capture that is cut in time, so that several may look at it at once, and judged as a whole.

A piece is looked at together with what lies before and behind it (`OVERLAP_NS`), like a capture of its own. Everybody
belongs to one piece alone: to that in which its first packet lies. Packets before a piece tell what had begun, and keep
others company; those behind it show how what began in the piece ended. Pieces keep evidence and subjects, by the frame
numbers of the whole, and are judged together (`netinterf.verdict.joining`).

What is lost: a conversation that goes on behind what is looked at with its beginning is judged by that, silence is
waited for no longer, and analyzers compare those of one time. How many go on is counted, by all pieces that saw them: a
conversation has one key everywhere, and its handshake tells it from a later one between the same ports; a repeated
lookup is one as long as the whole would take it for one. They still keep others company in each piece.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import attrs
import numpy as np

from netinterf.arrays import I32, I64, U32, U64, Mask
from netinterf.capture import Capture
from netinterf.capture.cutting import beside
from netinterf.engine.crowd import beyond_a_crowd, crowd_of
from netinterf.engine.joint import JointQuestions
from netinterf.engine.judged import Judged, outcome_counts
from netinterf.engine.judged_window import JudgedWindow, judge_window
from netinterf.engine.large import summary_of
from netinterf.engine.looking import Seen
from netinterf.engine.options import WHOLE, Options
from netinterf.engine.release import IDLE_NS, Remembered, closed_flows, conversation_keys
from netinterf.engine.tally import LINK_TYPE
from netinterf.flows.grouping import mix
from netinterf.numbering import hash_rows
from netinterf.protocols.dns_exchanges import WINDOW_NS
from netinterf.schema import Diagnostic, Records
from netinterf.table import Table, column
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


@frozen(eq=False, kw_only=True)
class Met(Table):
    """Conversations and DNS lookups that were met while a piece was looked at, wherever they began."""

    key: U64 = column("u8", "hash of both ends and the protocol, and of what was asked")
    isn: U32 = column("u4", "initial sequence number of the client")
    opened: Mask = column("?", "its handshake was seen")
    lookup: Mask = column("?", "it is a lookup")
    start: I64 = column("i8", "time of its first packet that was seen", unit="ns since 1970 UTC")
    end: I64 = column("i8", "time of the last", unit="ns since 1970 UTC")
    first: I64 = column("i8", "first frame that was seen")
    last: I64 = column("i8", "last frame that was seen")
    own: Mask = column("?", "it began in the piece, as far as that shows")
    row: I32 = column("i4", "its row among the flows or exchanges that are kept, -1 where it is not", missing=True)


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
    window = judge_window(capture, name, joint.options, Remembered(), partial=True, in_part=False)
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


def conversations(window: JudgedWindow, own: Mask, row: I64) -> Met:
    """List the conversations that were met; where there is nothing but DNS, each lookup stands for itself.

    Args:
        window: What was looked at.
        own: Which flows began in the piece.
        row: The row of each flow among those that are kept, -1 for others.
    """
    packets, flows, sides = window.trace.packets, window.trace.flows, window.trace.sides
    last = np.zeros(len(flows), np.int64)
    inside = packets.flow >= 0
    np.maximum.at(last, packets.flow[inside], packets.frame[inside].astype(np.int64))
    chosen = np.flatnonzero(~window.dns_alone)
    return Met(
        key=conversation_keys(window.trace)[chosen],
        isn=sides.isn[2 * chosen],
        opened=sides.syn[2 * chosen] >= 0,
        lookup=np.zeros(len(chosen), np.bool_),
        start=flows.first[chosen],
        end=flows.last[chosen],
        first=packets.frame[flows.first_packet[chosen]].astype(np.int64),
        last=last[chosen],
        own=own[chosen],
        row=row[chosen].astype(np.int32),
    )


def lookups(window: JudgedWindow, own: Mask, row: I64) -> Met:
    """List the DNS lookups that were met; see `conversations`."""
    trace, ledger = window.trace, window.judged.ledger
    dns, exchanges, subject = trace.dns, trace.exchanges, ledger.subjects.by_exchange
    last = np.zeros(len(exchanges), np.int64)
    np.maximum.at(last, dns.exchange, trace.packets.frame[dns.packet].astype(np.int64))
    asked = exchanges.id.astype(np.uint64) | exchanges.kind.astype(np.uint64) << np.uint64(16)
    asked |= exchanges.qclass.astype(np.uint64) << np.uint64(32)
    return Met(
        key=mix(mix(conversation_keys(trace)[exchanges.flow] + asked) + hash_rows(exchanges.name)),
        isn=np.zeros(len(exchanges), np.uint32),
        opened=np.zeros(len(exchanges), np.bool_),
        lookup=np.ones(len(exchanges), np.bool_),
        start=ledger.subjects.start[subject],
        end=ledger.subjects.end[subject],
        first=ledger.first_frame[subject].astype(np.int64),
        last=last,
        own=own,
        row=row.astype(np.int32),
    )


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
    gone, crossed = told_twice(pieces)
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


def told_twice(pieces: Sequence[Piece]) -> tuple[list[tuple[I64, I64]], int]:
    """Find whom several pieces took for their own, and count those that went on unseen.

    Returns:
        Of each piece, which rows of the flows and of the exchanges that are kept belong to an earlier one; and how many
        conversations and lookups have packets behind what was looked at with their beginning.
    """
    tables = [piece.met for piece in pieces]
    table, of = Met.concat(tables), np.repeat(np.arange(len(pieces)), list(map(len, tables)))
    order = np.lexsort((table.first, of, table.key))
    table, of = table.take(order), of[order]
    same = (table.key[1:] == table.key[:-1]) & (of[1:] != of[:-1])
    anew = table.opened[1:] & (table.isn[1:] != table.isn[:-1])
    anew |= table.lookup[1:] & (table.start[1:] - table.end[:-1] > WINDOW_NS)
    new = np.append(True, ~same | anew)[: len(table)]
    number = np.cumsum(new) - 1
    before: I64 = np.cumsum(table.own) - table.own
    first = table.own & (before == before[new][number])  # no piece before took it for its own
    owner = np.flatnonzero(first)
    until = np.full(int(np.count_nonzero(new)), -1)
    until[number[owner]] = np.array([piece.until for piece in pieces])[of[owner]]
    last = np.full(len(until), -1)
    np.maximum.at(last, number, table.last)
    twice = table.own & ~first & (table.row >= 0)
    gone = [
        (table.row[twice & (of == piece) & ~table.lookup], table.row[twice & (of == piece) & table.lookup])
        for piece in range(len(pieces))
    ]
    return gone, int(np.count_nonzero(last > until))
