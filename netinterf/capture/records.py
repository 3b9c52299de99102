"""Find where records begin, fast and never wrong.

Records of both formats are chained by length: only the header of one tells where the next begins, so a reader must walk
them one by one. To walk many at a time, record starts are guessed at evenly spaced places by what headers look like,
and the chains from all guesses are walked in lock-step, one array operation per step.

In C, where there is any, the chains are walked in turn instead: each waits for memory most of the time, and a few wait
at once. A single chain would wait longer for memory than array operations take.

A guess may be wrong, so nothing is believed before it is proved. The first start is true. A chain from a true start
holds true starts only; if it lands exactly on the next guess, that guess is true as well, and so on by induction. Where
a chain misses the next guess, that stretch is walked one by one until it meets a later guess. Payload that looks like
headers therefore costs time, never correctness.

What must change together: `Chain` describes one format's headers; `walk_each` and `race` read the same fields in the
same way, and `settle` re-checks what the lock-step does not look at (limits and the end of the data).
"""

from array import array
from collections.abc import Callable
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, Mask
from netinterf.columns import spans
from netinterf.compiled import call, is_there
from netinterf.pieces import gather_fields, overlapping
from netinterf.values import frozen

__all__ = ["Chain", "Walk", "headers", "walk", "walk_each"]

Buffer = U8
Offsets = I64

SAMPLE = 256  # records walked one by one to learn how large they are
SMALL = 16_384  # below this many records, walking them one by one takes a few milliseconds
CHAINS = 1024  # chains walked at once: enough to hide the cost of an array operation (measured)
COMPILED_CHAINS = 64  # the same in C, which hides the time that memory takes
ROOM = 4096  # steps of each of these chains at most before they are put away
BLOCK = 32  # steps between two looks at which chains have arrived
FEWEST_CHAINS = 32  # chains still walking below which one by one is as fast
LOOK = 4 << 20  # bytes looked at for guesses, so that guessing stays cheap beside walking
FAR = 1 << 60  # an offset behind every end
FOLLOW = 3  # headers that must look right behind a guess


@frozen(eq=False)
class Chain:
    """How the records of one format follow each other.

    The next record begins ``base + length`` bytes after this one, where *length* is the unsigned 32-bit number at
    ``field`` in this one's header.

    Args:
        order: Byte order, ``"<"`` or ``">"``.
        field: Offset of the length in the header, bytes.
        base: Bytes that the length does not count.
        header: Bytes that every record has at least.
        least: Smallest length that is believed.
        most: Largest length that is believed.
        multiple: What every length is a multiple of.
        candidates: Guess record starts: ``(buffer, first, stride, rows, width)`` gives offsets within the windows
            ``first + row * stride …  + width``, in ascending order.
        plausible: Say of offsets whether a header could be there.
        fence: A header that begins with these bytes, and does not go on with *own* at byte 8, ends the walk.
        own: See *fence*.
    """

    order: str
    field: int
    base: int
    header: int
    least: int
    most: int
    multiple: int
    candidates: Callable[[Buffer, int, int, int, int], Offsets]
    plausible: Callable[[Buffer, Offsets], Mask]
    fence: bytes = b""
    own: bytes = b""


@frozen(eq=False)
class Walk:
    """Where records begin, and why the walk ended.

    Args:
        starts: Offsets of whole records, ascending.
        stop: Offset of what follows the last of them.
        why: ``"end"`` when the wanted end was reached, ``"cut"`` when the data end inside a record, ``"absurd"`` when a
            length cannot be right, ``"fence"`` when the fence was met.
    """

    starts: Offsets
    stop: int
    why: str


def headers(buffer: Buffer, starts: Offsets, width: int, dtype: str) -> NDArray[Any]:
    """Gather the first bytes of records as rows of numbers.

    Args:
        buffer: The capture.
        starts: Offsets, n of them; ``start + width`` must not pass the buffer's end.
        width: Bytes of each record to take, a multiple of the dtype's size.
        dtype: How to read them, e.g. ``"<u4"``.

    Returns:
        Array of shape (n, width / itemsize).
    """
    columns = width // np.dtype(dtype).itemsize
    if len(starts) == 0:
        return np.empty((0, columns), dtype)
    return gather_fields(buffer, starts, width).view(dtype).reshape(len(starts), columns)


def walk(buffer: Buffer, start: int, until: int, chain: Chain) -> Walk:
    """List the records that begin in ``start … until``, given that one begins at *start*.

    Args:
        buffer: The capture.
        start: A true record start.
        until: Records from here on are left to the next call; at most the length of the buffer.
        chain: The format.

    Returns:
        What `walk_each` returns, only sooner.
    """
    if is_there() and until - start <= LOOK:  # in C so few are walked as soon as guessed
        return walk_each(buffer, start, until, chain)
    sample = walk_each(buffer, start, until, chain, limit=SAMPLE)
    if sample.why != "limit":
        return sample
    mean = max((sample.stop - start) // SAMPLE, 1)
    if (until - start) // mean < SMALL:
        return walk_each(buffer, start, until, chain)
    guesses = guess(buffer, start, until, chain, largest=int(np.diff(sample.starts).max()), mean=mean)
    if len(guesses) < FEWEST_CHAINS:
        return walk_each(buffer, start, until, chain)
    return settle(buffer, stitch(buffer, guesses, until, chain), until, chain)


def walk_each(
    buffer: Buffer, start: int, until: int, chain: Chain, *, limit: int = 0, landings: frozenset[int] = frozenset()
) -> Walk:
    """List records by walking them one by one.

    Args:
        buffer: The capture.
        start: A true record start.
        until: Records from here on are not listed.
        chain: The format.
        limit: Stop after so many records (``why`` is then ``"limit"``), 0 for no limit.
        landings: Stop when one of these offsets is reached (``why`` is then ``"landed"``).
    """
    data, size, starts, at = buffer.data, len(buffer), array("q"), start
    read = Struct(chain.order + "I").unpack_from
    field, base, header, least, most, multiple = (
        chain.field,
        chain.base,
        chain.header,
        chain.least,
        chain.most,
        chain.multiple,
    )
    fence, own, why = chain.fence, chain.own, "end"
    hurry = min(until, size - header + 1) if not (landings or limit) else at
    before, at = walked_whole(buffer, at, hurry, chain) if is_there() else (np.empty(0, np.int64), at)
    while at < hurry and not fence:  # nearly all records, at a fifth of the cost; the loop below says why the walk ends
        (length,) = read(data, at + field)
        behind = at + base + length
        if behind > size or not least <= length <= most or length % multiple:
            break
        starts.append(at)
        at = behind
    while at < until:
        if at + header > size:
            why = "cut"
            break
        if fence and data[at : at + 4] == fence and data[at + 8 : at + 12] != own:
            why = "fence"
            break
        (length,) = read(data, at + field)
        if not least <= length <= most or length % multiple:
            why = "absurd"
            break
        if at + base + length > size:
            why = "cut"
            break
        starts.append(at)
        at += base + length
        if at in landings:
            why = "landed"
            break
        if len(starts) == limit:
            why = "limit"
            break
    return Walk(np.concatenate([before, np.array(starts, np.int64)]), at, why)


def guess(buffer: Buffer, start: int, until: int, chain: Chain, *, largest: int, mean: int) -> Offsets:
    """Guess record starts at evenly spaced places; the first is *start* itself, the others are unproved.

    Args:
        buffer: The capture.
        start: A true record start.
        until: No guess is made from here on.
        chain: The format.
        largest: Size of the largest record in the sample, bytes: a window twice as wide should hold a start.
        mean: Mean size of a record, bytes.
    """
    width = min(max(2 * largest, 256), LOOK // FEWEST_CHAINS) // 4 * 4
    rows = min(
        COMPILED_CHAINS if is_there() else CHAINS,
        LOOK // width,
        (until - start) // (2 * width),
        (until - start) // (mean * BLOCK),
    )
    if rows < FEWEST_CHAINS:
        return np.array([start], np.int64)
    stride = (until - start - width - chain.header) // rows // 4 * 4
    first = start + stride
    starts = chain.candidates(buffer, first, stride, rows - 1, width)
    ends = len(buffer) - chain.header
    place = np.minimum(starts, ends)
    right = chain.plausible(buffer, place)
    for _ in range(FOLLOW):
        place = np.minimum(place + chain.base + lengths(buffer, place, chain), ends)
        right &= chain.plausible(buffer, place) | (place == ends)
    starts = starts[right & (starts < until)]
    rows_of = (starts - first) // stride
    keep = np.flatnonzero(np.diff(rows_of, prepend=-1) != 0)
    return np.concatenate([np.array([start], np.int64), starts[keep]])


def lengths(buffer: Buffer, starts: Offsets, chain: Chain) -> Offsets:
    """Read the length field of records at *starts*."""
    return headers(buffer, starts + chain.field, 4, chain.order + "u4").reshape(-1).astype(np.int64)


def race(buffer: Buffer, guesses: Offsets, until: int, chain: Chain) -> tuple[Offsets, Offsets, Offsets]:
    """Walk from all guesses in lock-step, each until it reaches the next.

    Returns:
        The offsets found, chain after chain; where each chain's part begins (one more than chains); and where each
        chain landed: the first offset at or behind the next guess, or -1 for a chain that was left unfinished.
    """
    count = len(guesses)
    goals = np.append(guesses[1:], until)
    active, at = np.arange(count), guesses.copy()
    steps_of, fewest = (walked, 1) if is_there() else (in_lock_step, min(FEWEST_CHAINS, count))
    blocks: list[tuple[I64, Offsets, I64]] = []
    sizes, landed = np.zeros(count, np.int64), np.full(count, -1, np.int64)
    while len(active) >= fewest:
        steps, passed, at = steps_of(buffer, at, goals[active], chain)
        blocks.append((active, steps, passed))
        sizes[active] += passed
        arrived = (at >= goals[active]) | (at < 0)
        landed[active[arrived]] = at[arrived]
        active, at = active[~arrived], at[~arrived]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    starts = np.empty(int(offsets[-1]), np.int64)
    filled = offsets[:-1].copy()
    for chains, steps, passed in blocks:
        starts[spans(filled[chains], passed)] = steps[np.arange(steps.shape[1]) < passed[:, None]]
        filled[chains] += passed
    return starts, offsets, landed


def in_lock_step(buffer: Buffer, at: Offsets, goals: Offsets, chain: Chain) -> tuple[Offsets, I64, Offsets]:
    """Walk some chains for `BLOCK` steps, all of them by one array operation for each.

    Args:
        buffer: The capture.
        at: Where each chain stands.
        goals: Where each has arrived.
        chain: The format.

    Returns:
        Chains by steps, the offsets found; how many of each chain lie before its goal; and where each stands then: at
        the first at or behind its goal, if it got there.
    """
    fields, last = overlapping(buffer, 4), len(buffer) - chain.header
    number = chain.order + "u4"
    steps = np.empty((BLOCK, len(at)), np.int64)
    for step in steps:
        step[:] = at
        at = np.minimum(at, last) + chain.field
        length = fields[at].view(number)
        at = step + length
        at += chain.base
        if chain.least > 0:  # a length that leads nowhere must not hold a chain in place: it leads far away
            at[length < chain.least] = FAR
    passed = (steps < goals).sum(axis=0)
    ends = np.where(passed < BLOCK, steps[np.minimum(passed, BLOCK - 1), np.arange(len(at))], at)
    return steps.T, passed, ends


def walked(buffer: Buffer, at: Offsets, goals: Offsets, chain: Chain) -> tuple[Offsets, I64, Offsets]:
    """Walk some chains in C, for `ROOM` steps at most; see `in_lock_step`.

    A chain stands at -1 less the offset of a record that is cut, or whose length is not believed.
    """
    fields = ("field", "base", "header", "least", "most", "multiple")
    layout = np.array([*(getattr(chain, name) for name in fields), chain.order == ">"], np.int64)
    at, steps, passed = at.copy(), np.empty((len(at), ROOM), np.int64), np.empty(len(at), np.int64)
    call("walk", len(buffer), buffer, layout, len(at), goals, ROOM, at, steps, passed)
    return steps[:, : int(passed.max())], passed, at


def walked_whole(buffer: Buffer, start: int, until: int, chain: Chain) -> tuple[Offsets, int]:
    """List the records from *start* up to *until*, a fence, or one that is not whole or not believed, in C."""
    at, parts = np.array([start]), [np.empty(0, np.int64)]
    while 0 <= at[0] < until:
        steps, _, at = walked(buffer, at, np.array([until]), chain)
        parts.append(steps[0])
    starts, stop = np.concatenate(parts), int(at[0] if at[0] >= 0 else -1 - at[0])
    if chain.fence:  # lengths behind one were read in vain
        fenced = np.flatnonzero(fences(buffer, starts, chain))
        return (starts[: fenced[0]], int(starts[fenced[0]])) if len(fenced) else (starts, stop)
    return starts, stop


def fences(buffer: Buffer, starts: Offsets, chain: Chain) -> Mask:
    """Say which records are fences."""
    words = headers(buffer, starts, chain.header, "V4")
    result: Mask = (words[:, 0] == np.void(chain.fence)) & (words[:, 2] != np.void(chain.own))
    return result


def stitch(buffer: Buffer, guesses: Offsets, until: int, chain: Chain) -> Walk:
    """Put proved chains together, and walk one by one where a guess was not met."""
    starts, offsets, landed = race(buffer, guesses, until, chain)
    if np.array_equal(landed[:-1], guesses[1:]) and landed[-1] >= until:
        return Walk(starts, int(landed[-1]), "end")
    places = {int(at): place for place, at in enumerate(guesses)}
    landings, place, pieces = frozenset(places), 0, []
    while True:
        ahead = int(landed[place])
        if (ahead in places) if place + 1 < len(guesses) else ahead >= until:
            pieces.append(starts[offsets[place] : offsets[place + 1]])
            if place + 1 == len(guesses):
                return Walk(np.concatenate(pieces), ahead, "end")
        else:
            slow = walk_each(buffer, int(guesses[place]), until, chain, landings=landings)
            pieces.append(slow.starts)
            ahead = slow.stop
            if slow.why != "landed":
                return Walk(np.concatenate(pieces), ahead, slow.why)
        place = places[ahead]


def settle(buffer: Buffer, walked: Walk, until: int, chain: Chain) -> Walk:
    """Check what the lock-step took on trust: that lengths are sane and that the last record is whole."""
    starts, stop, why = walked.starts, walked.stop, walked.why
    sizes = np.diff(starts) - chain.base
    wrong = (sizes < chain.least) | (sizes > chain.most)
    if chain.multiple > 1:
        wrong |= sizes % chain.multiple != 0
    if wrong.any():
        bad = int(np.argmax(wrong))
        return Walk(starts[:bad], int(starts[bad]), "absurd")
    if why == "end" and len(starts):
        last = walk_each(buffer, int(starts[-1]), until, chain)
        starts, stop, why = np.concatenate([starts[:-1], last.starts]), last.stop, last.why
    return Walk(starts, stop, why)
