"""A list of frames cut into pieces of a file, and the frames beside a piece that belong to what it shows.

Frames are cut in the order of the file, once their list is known: so each is in one piece, with the number, time and
interface that it has in the whole, whatever the format, and however damaged the file is.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from netinterf.schema import Records

__all__ = ["beside", "in_pieces"]


def in_pieces(parts: Iterable[Records], size: int, most: int) -> Iterator[Records]:
    """Cut frames into pieces.

    Args:
        parts: The frames, part by part, in the order of the file.
        size: Bytes of the file in which the frames of a piece begin, at most.
        most: Frames of a piece, at most.

    Yields:
        Pieces of one frame or more; as much of the list as a part and a piece hold is kept.
    """
    rest = Records.empty()
    for records in parts:
        rest = Records.concat([rest, records]) if len(rest) else records
        while len(rest) and (end := _end(rest, size, most)) < len(rest):
            yield rest.take(slice(0, end))
            rest = rest.take(slice(end, None))
    if len(rest):
        yield rest


def _end(records: Records, size: int, most: int) -> int:
    """Say how many frames are the first piece."""
    return max(min(int(np.searchsorted(records.at, records.at[0] + size)), most), 1)


def beside(piece: Records, near: Records, span: int, most: int) -> Records:
    """Take the frames next to a piece that are of about the time of its nearest.

    Where a clock was set they end, as what is on the other side is of another time.

    Args:
        piece: Frames, at least one.
        near: The frames before them, or behind them, in the order of the file.
        span: How far away they may be, ns.
        most: How many may be taken.
    """
    if not len(near):
        return near
    before = int(near.frame[0]) < int(piece.frame[0])
    edge = int(piece.time[0 if before else -1])
    far = np.flatnonzero(np.abs(near.time - edge) > span)
    if before:
        first = int(far[-1]) + 1 if len(far) else 0
        return near.take(slice(max(first, len(near) - most), None))
    return near.take(slice(0, min(int(far[0]) if len(far) else len(near), most)))
