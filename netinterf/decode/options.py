"""TCP options: nearly all segments carry the same twelve bytes, the others are walked in lock-step.

The walk moves all segments forward by one option at a time, so it takes as many rounds as the longest list has
options (40 bytes at most), each over fewer rows. Option lists are data: one that contradicts itself gets a status bit
and ends there, as it does in the receiving hosts.
"""

import numpy as np

from netinterf.arrays import I64, U8, U32, Mask
from netinterf.decode.block import Block, Front
from netinterf.schema import Status, TcpOption

__all__ = ["LONGEST", "tcp_options", "walk"]

LONGEST = 40
"""Most bytes of options that a TCP header can hold (RFC 9293 §3.1: data offset of 15 words)."""

_ALIGNED = np.uint32(0x0101080A)  # NOP, NOP, timestamps of 10 bytes: the layout advised in RFC 7323 appendix A
_FAST_OPEN_MAGIC = 0xF989  # experimental option number of RFC 7413 before its own (RFC 6994)

# Length that each option must have, 0 for "varies"; another length makes hosts ignore the option.
_LENGTHS = np.zeros(256, np.uint8)
_LENGTHS[[2, 3, 4, 8, 19]] = (4, 3, 2, 10, 18)
_BITS = np.full(256, int(TcpOption.OTHER), np.uint8)
_BITS[[2, 3, 4, 5, 8, 19, 34]] = [
    int(bit)
    for bit in (
        TcpOption.MSS,
        TcpOption.WINDOW_SCALE,
        TcpOption.SACK_PERMITTED,
        TcpOption.SACK,
        TcpOption.TIMESTAMPS,
        TcpOption.MD5,
        TcpOption.FAST_OPEN,
    )
]


def tcp_options(block: Block, front: Front, length: I64) -> None:
    """Read the options of TCP segments into their columns.

    Args:
        block: The frames.
        front: Where the options of each segment begin.
        length: Bytes of options by the data offset, 1 to 40 each; those that were not captured are left out.
    """
    room = block.stop[front.place] - front.at
    fixed, _ = block.read(front, np.dtype([("lead", ">u4"), ("value", ">u4"), ("echo", ">u4")]))
    usual = (fixed["lead"] == _ALIGNED) & (length == 12) & (room >= 12)
    if usual.any():
        aligned = front.part(usual, front.at)
        fixed = fixed if len(aligned.at) == len(usual) else fixed[usual]
        block.out.tcp_options[aligned.place] = TcpOption.TIMESTAMPS
        block.out.tsval[aligned.place] = fixed["value"]
        block.out.tsecr[aligned.place] = fixed["echo"]
        if len(aligned.at) == len(usual):
            return
    others = Front(front.rows(~usual), front.at[~usual])
    walk(block, others, length[~usual])


def walk(block: Block, front: Front, length: I64) -> list[tuple[I64, I64, I64]]:
    """Walk option lists one option per round.

    Args:
        block: The frames.
        front: Where the options of each segment begin; its place lists rows.
        length: Bytes of options by the data offset.

    Returns:
        The SACK options met: which element of the front, offset behind *front*, and bytes of blocks. One entry per
        round that had any.
    """
    rows = front.rows()
    length = np.minimum(length, block.stop[rows] - front.at)
    octets = block.read_bytes(front, LONGEST + 2)  # two more, so that kind and length may be read at the very end
    alive = np.flatnonzero(length > 0)
    place = np.zeros(len(rows), np.int64)
    sacks = []
    for _ in range(LONGEST):
        kind = octets[alive, place[alive]]
        step = np.where(kind == 1, 1, octets[alive, place[alive] + 1].astype(np.int64))
        going = kind != 0
        room = length[alive] - place[alive]
        past = going & ((room < 2) | (step > room)) & (kind != 1)
        broken = past | (going & (step < 2) & (kind != 1))
        if broken.any():
            # Past the captured bytes is cut; past the header, or too short to hold its own length, is broken.
            cut = (block.out.status[rows[alive]] & np.uint16(Status.HEADER_CUT)) != 0
            block.out.status[rows[alive[broken & ~(past & cut)]]] |= np.uint16(Status.BAD_TCP_OPTIONS)
        use = going & ~broken & (kind != 1)
        if use.any():
            chosen = alive[use]
            sack = _write(block, rows[chosen], octets[chosen], place[chosen])
            if sack.any():
                sacks.append((chosen[sack], place[chosen][sack] + 2, step[use][sack] - 2))
        alive, step = alive[going & ~broken], step[going & ~broken]
        place[alive] += step
        alive = alive[place[alive] < length[alive]]
        if len(alive) == 0:
            break
    return sacks


def _number(octets: U8, at: I64, width: int) -> U32:
    """Read a number of *width* bytes from each row of *octets*."""
    value = np.zeros(len(octets), np.uint32)
    row = np.arange(len(octets))
    for step in range(width):
        value = value << np.uint32(8) | octets[row, at + step]
    return value


def _write(block: Block, rows: I64, octets: U8, place: I64) -> Mask:
    """Note one option per segment, and say which are SACK options.

    Args:
        block: The frames.
        rows: Row of each segment.
        octets: Option bytes of each segment.
        place: Where its option begins in them; the option does not run past the list.
    """
    out, number = block.out, np.arange(len(rows))
    kind, size = octets[number, place], octets[number, place + 1]
    right = (_LENGTHS[kind] == 0) | (_LENGTHS[kind] == size)
    right &= (kind != 5) | ((size > 2) & (size % 8 == 2))  # SACK: whole blocks of 8 bytes (RFC 2018 §3)
    out.status[rows[~right]] |= np.uint16(Status.BAD_TCP_OPTIONS)
    bits = _BITS[kind]
    trial = np.flatnonzero(((kind == 253) | (kind == 254)) & (size >= 4))
    bits[trial[_number(octets[trial], place[trial] + 2, 2) == _FAST_OPEN_MAGIC]] = TcpOption.FAST_OPEN
    out.tcp_options[rows[right]] |= bits[right]
    out.status[rows[right & (bits == TcpOption.OTHER)]] |= np.uint16(Status.MORE_OPTIONS)
    wanted = ((2, out.mss, 2, 2), (3, out.window_shift, 2, 1), (8, out.tsval, 2, 4), (8, out.tsecr, 6, 4))
    for code, column, skip, width in wanted:
        chosen = np.flatnonzero(right & (kind == code))
        if len(chosen):
            column[rows[chosen]] = _number(octets[chosen], place[chosen] + skip, width)
    sack: Mask = right & (kind == 5)
    return sack
