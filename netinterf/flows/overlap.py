"""Which packet brought a byte first, where several packets carry the same place of a stream.

All piece boundaries of a side are put on one axis. Between two neighbouring boundaries every packet covers either the
whole interval or nothing of it. The packet that arrived first among those that cover an interval owns it. Neighbouring
intervals of one packet that have one owner form one piece: FRESH when the packet owns it itself, otherwise REPEAT or
CONFLICT, by comparing its bytes with the owner's.
"""

from typing import Any

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.schema import SegmentKind
from netinterf.table import spans
from netinterf.values import frozen

__all__ = ["Pieces", "resolve"]

INTERVALS_PER_PIECE = 8
INTERVALS_PER_SIDE = 1 << 20
"""The *n* pieces of a side may fall into ``8 n + 2**20`` intervals; pieces beyond are dropped. Ordinary retransmission
makes one or two intervals a piece; only shifted copies made on purpose make more, and they must not cost unbounded
time and memory."""

INTERVALS_AT_ONCE = 1 << 21  # about 100 MB of temporaries


@frozen(eq=False)
class Pieces:
    """Payload pieces sorted by side, then arrival; n of each.

    Args:
        side: Row in Sides.
        packet: Row in Packets.
        low: Position of the first byte in the side's stream.
        high: Position behind the last captured byte.
        at: Position of the first byte in the capture's buffer.
    """

    side: I64
    packet: I64
    low: I64
    high: I64
    at: I64

    def __len__(self) -> int:
        return len(self.side)

    def take(self, rows: Any) -> "Pieces":
        """Select pieces by number or mask."""
        return Pieces(self.side[rows], self.packet[rows], self.low[rows], self.high[rows], self.at[rows])

    def followed_by(self, other: "Pieces") -> "Pieces":
        """Join two lists of pieces."""
        return Pieces(
            np.concatenate([self.side, other.side]),
            np.concatenate([self.packet, other.packet]),
            np.concatenate([self.low, other.low]),
            np.concatenate([self.high, other.high]),
            np.concatenate([self.at, other.at]),
        )


def resolve(buffer: U8, pieces: Pieces) -> tuple[Pieces, U8]:
    """Cut overlapping pieces where their bytes have different owners, and say what each part is.

    Args:
        buffer: Bytes of the capture.
        pieces: Pieces of whole sides, by side and arrival, none empty.

    Returns:
        The parts, still by side and arrival, and the SegmentKind code of each.
    """
    span = int(pieces.high.max(initial=0)) + 1
    number = np.cumsum(np.diff(pieces.side, prepend=pieces.side[:1]) != 0)  # sides side by side on one axis
    low, high = number * span + pieces.low, number * span + pieces.high
    cuts = np.unique(np.concatenate([low, high]))
    first = np.searchsorted(cuts, low)
    counts = np.searchsorted(cuts, high) - first
    kept = np.flatnonzero(_affordable(number, counts))
    owner = np.full(len(cuts), len(pieces), np.int64)
    blocks = np.cumsum(counts[kept]) // INTERVALS_AT_ONCE
    ranges = np.split(kept, np.flatnonzero(np.diff(blocks)) + 1)
    for rows in ranges:  # pieces are in order of arrival, so the least row number arrived first
        np.minimum.at(owner, spans(first[rows], counts[rows]), np.repeat(rows, counts[rows]))
    resolved = [_parts(pieces, rows, number * span, cuts, first, counts, owner) for rows in ranges]
    joined = resolved[0][0]
    for part, _ in resolved[1:]:
        joined = joined.followed_by(part)
    holders = np.concatenate([holder for _, holder in resolved])
    return joined, _kinds(buffer, pieces, joined, holders)


def _affordable(number: I64, counts: I64) -> Mask:
    """Say which pieces stay within their side's share of intervals."""
    total = np.cumsum(counts)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    spent = total - (total[first] - counts[first])[number]
    share = INTERVALS_PER_PIECE * np.bincount(number) + INTERVALS_PER_SIDE
    fits: Mask = spent <= share[number]
    return fits


def _parts(pieces: Pieces, rows: I64, base: I64, cuts: I64, first: I64, counts: I64, owner: I64) -> tuple[Pieces, I64]:
    """Join the intervals of each piece that have one owner; also return whose bytes were there before (or its own)."""
    interval = spans(first[rows], counts[rows])
    piece = np.repeat(rows, counts[rows])
    holder = owner[interval]
    begins = np.ones(len(interval), np.bool_)
    begins[1:] = (piece[1:] != piece[:-1]) | (holder[1:] != holder[:-1])
    start = np.flatnonzero(begins)
    end = np.append(start[1:], len(interval))[: len(start)] - 1
    piece = piece[start]
    low = cuts[interval[start]] - base[piece]
    high = cuts[interval[end] + 1] - base[piece]
    at = pieces.at[piece] + low - pieces.low[piece]
    return Pieces(pieces.side[piece], pieces.packet[piece], low, high, at), np.where(
        holder[start] == piece, -1, holder[start]
    )


def _kinds(buffer: U8, pieces: Pieces, parts: Pieces, holder: I64) -> U8:
    """Compare each part that has an earlier holder with the holder's bytes."""
    kinds = np.full(len(parts), SegmentKind.FRESH, np.uint8)
    again = np.flatnonzero(holder >= 0)
    earlier = holder[again]
    ours = parts.at[again]
    theirs = pieces.at[earlier] + parts.low[again] - pieces.low[earlier]
    sizes = parts.high[again] - parts.low[again]
    view = buffer.data  # slices compare at memory speed; only repeated pieces come here
    for row, mine, known, size in zip(again.tolist(), ours.tolist(), theirs.tolist(), sizes.tolist(), strict=True):
        same = bytes(view[mine : mine + size]) == bytes(view[known : known + size])
        kinds[row] = SegmentKind.REPEAT if same else SegmentKind.CONFLICT
    return kinds
