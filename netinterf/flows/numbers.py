"""Where each side's sequence numbers begin, and all numbers of a block counted from there."""

import numpy as np

from netinterf.arrays import I64, U16, U32, Mask
from netinterf.flows.blocks import TcpBlock
from netinterf.flows.grouping import first_index
from netinterf.flows.unwrap import unwrap
from netinterf.schema import Mark, Packets, TcpFlag
from netinterf.values import frozen

__all__ = ["Numbers", "number_block"]

NEAR = 1 << 24
"""How far below a side's first captured number its lowest may lie when no SYN was captured: overtaken data."""


@frozen(eq=False)
class Numbers:
    """Relative numbers of a block's rows, and which rows may be believed."""

    seq: I64
    ack: I64  # -1 without the ACK flag
    seq_sound: Mask
    ack_sound: Mask


def number_block(packets: Packets, block: TcpBlock) -> Numbers:
    """Count the sequence and acknowledgement numbers of a block from the sides' initial numbers.

    Args:
        packets: Packets whose marks already tell second copies.
        block: Rows of whole flows.
    """
    rows, side = block.rows, block.side
    seq, ack, flags = packets.seq.take(rows), packets.ack.take(rows), packets.tcp_flags.take(rows)
    acks = flags & TcpFlag.ACK.value != 0
    moves = (flags & TcpFlag.RST.value == 0) & (packets.marks.take(rows) & Mark.DUPLICATE_FRAME.value == 0)
    base, guessed = initial_numbers(block, seq, ack, flags, moves)
    number, sound = unwrap(seq - base[side], side, moves)
    if guessed.any():
        lower = lowest(number, side, sound & (number > -NEAR) & guessed[side], len(base))
        number += lower[side]
        base -= lower.astype(np.uint32)
    acked, ack_sound = unwrap(ack - base[side ^ 1], side, moves & acks)
    return Numbers(number, np.where(acks, acked, -1), sound, ack_sound)


def lowest(number: I64, side: I64, counts: Mask, sides: int) -> I64:
    """Give what must be added to each side's numbers so that its lowest becomes 1; 0 where nothing counts."""
    low = np.ones(sides, np.int64)
    np.minimum.at(low, side[counts], number[counts])
    added: I64 = 1 - low
    return added


def initial_numbers(block: TcpBlock, seq: U32, ack: U32, flags: U16, moves: Mask) -> tuple[U32, Mask]:
    """Find the initial sequence number of each side.

    The side's own SYN or SYN/ACK gives it (where these disagree, the one that the other side acknowledged, else the
    first). Without one it is, in this order: one less than a SYN/ACK of the other side acknowledges; one less than the
    lowest number of the side; one less than the first acknowledgement by the other side; one less than the first reset.

    Returns:
        Initial numbers of the block's sides (0 for a side of which nothing is known), and which of them were only
        guessed from the side's first packet and may still be lowered.
    """
    side, sides = block.side, 2 * block.flows
    base = np.zeros(sides, np.uint32)
    known = np.zeros(sides, np.bool_)
    guessed = np.zeros(sides, np.bool_)
    syn = (flags & TcpFlag.SYN.value != 0) & (flags & TcpFlag.RST.value == 0)
    acks = (flags & TcpFlag.ACK.value != 0) & (flags & TcpFlag.RST.value == 0)
    sources = (
        (syn, side, seq, 0),
        (syn & acks, side ^ 1, ack, 1),
        (moves, side, seq, 1),
        (acks, side ^ 1, ack, 1),
        (flags & TcpFlag.RST.value != 0, side, seq, 1),
    )
    for place, (rows, owner, value, less) in enumerate(sources):
        wanted = rows if place == 0 else rows & ~known[owner]
        index = np.flatnonzero(wanted)
        if len(index) == 0:
            continue
        first = first_index(owner[index], index, sides)
        numbered = np.flatnonzero(first >= 0)
        base[numbered] = value[first[numbered]] - np.uint32(less)
        known[numbered] = True
        guessed[numbered] = place == 2
        if place == 0:
            settle_disputes(base, block, (seq, ack), (syn, acks))
    return base, guessed


def settle_disputes(base: U32, block: TcpBlock, columns: tuple[U32, U32], kinds: tuple[Mask, Mask]) -> None:
    """Where SYNs of one side disagree, take the one that the other side acknowledged; changes *base*."""
    (seq, ack), (syn, acks), side = columns, kinds, block.side
    rows = np.flatnonzero(syn)
    disputed = np.unique(side[rows[seq[rows] != base[side[rows]]]])
    begins = np.searchsorted(block.flow, disputed >> 1)
    ends = np.searchsorted(block.flow, disputed >> 1, side="right")
    for whose, begin, end in zip(disputed.tolist(), begins.tolist(), ends.tolist(), strict=True):
        part = slice(begin, end)
        mine = side[part] == whose
        claims = seq[part][syn[part] & mine]
        agreed = claims[np.isin(claims + np.uint32(1), ack[part][acks[part] & ~mine])]
        base[whose] = agreed[0] if len(agreed) else claims[0]
