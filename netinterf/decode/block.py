"""The state shared by all header decoders: a block of frames, and fronts that move through it.

Frames are decoded in lock-step. A *front* is a set of rows of the block that all have the same kind of header next,
with the offset of that header in each frame. A decoder takes a front, writes columns, and returns the fronts behind
it. When one front covers the whole block its place is a slice, so that the common case (every frame is the same stack)
writes columns without scattering.
"""

from collections.abc import Callable
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, U16, U32, U64, Mask
from netinterf.decode.gather import gather, gather_bytes
from netinterf.decode.headers import Kind
from netinterf.schema import Endpoints, Packets, Status
from netinterf.values import define

__all__ = ["Block", "Columns", "Decoder", "Front", "Next", "split"]


@define(eq=False)
class Columns:
    """The columns that decoding fills, named and typed as in `Packets` and `Endpoints`."""

    status: U16
    version: U8
    protocol: U8
    ip_at: U16
    transport_at: U16
    payload_at: U16
    payload_length: U32
    ttl: U8
    tos: U8
    ip_id: U16
    ip_flags: U8
    fragment_offset: U16
    tcp_flags: U16
    seq: U32
    ack: U32
    window: U16
    tcp_options: U8
    mss: U16
    window_shift: U8
    tsval: U32
    tsecr: U32
    icmp: U16
    source_high: U64
    source_low: U64
    target_high: U64
    target_low: U64
    source_port: U16
    target_port: U16

    @classmethod
    def allocate(cls, count: int) -> Self:
        """Make columns of *count* rows, all zero (no window scale option is 255)."""
        dtypes = {known.name: known.dtype for known in (*Packets.schema(), *Endpoints.schema())}
        columns = cls(**{field.name: np.zeros(count, dtypes[field.name]) for field in attrs.fields(cls)})
        columns.window_shift[:] = 255
        return columns

    def cut(self, start: int, stop: int) -> Self:
        """View the rows from *start* to *stop*."""
        return type(self)(**{field.name: getattr(self, field.name)[start:stop] for field in attrs.fields(type(self))})

    def put(self, rows: I64, others: Self) -> None:
        """Write *others*, which are as many, over some rows."""
        for field in attrs.fields(type(self)):
            getattr(self, field.name)[rows] = getattr(others, field.name)


@define(eq=False)
class Front:
    """Rows of a block, and where in each frame their next header begins."""

    place: I64 | slice
    at: I64

    def rows(self, mask: Mask | None = None) -> I64:
        """List the rows of the block (those of *mask*, aligned with the front)."""
        if isinstance(self.place, slice):
            return np.arange(len(self.at)) if mask is None else np.flatnonzero(mask)
        return self.place if mask is None else self.place[mask]

    def part(self, mask: Mask, at: I64) -> "Front":
        """Keep the rows of *mask* and move them to *at*; both aligned with the front."""
        return Front(self.place, at) if mask.all() else Front(self.rows(mask), at[mask])


Next = list[tuple[Kind, Front]]
"""The fronts behind a decoder."""


@define(eq=False)
class Block:
    """A run of frames being decoded.

    ``stop`` is how far each frame may be read: its captured bytes, but never past the end of an IP packet already
    entered. ``end`` is where the innermost IP packet ends by its own length (the frame's end before one is entered);
    both count from the frame's first byte and may differ either way. ``measured`` says that frames have the length that
    they had on the wire; ``unread`` names, by `Kind`, what was not read.
    """

    buffer: U8
    at: I64
    captured: I64
    stop: I64
    end: I64
    out: Columns
    measured: bool = True
    unread: U8 = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.unread = np.zeros(len(self.at), np.uint8)

    def read(self, front: Front, layout: np.dtype[Any], skip: int = 0) -> tuple[NDArray[Any], I64]:
        """Fetch the header of each row of *front*, *skip* bytes on.

        Returns:
            The headers, zero behind a cut, and the bytes that could be read from the front on (may be negative).
        """
        room = self.stop[front.place] - front.at
        return gather(self.buffer, self.at[front.place] + front.at + skip, room - skip, layout), room

    def read_bytes(self, front: Front, width: int) -> U8:
        """Fetch *width* bytes from each row's place on, as a matrix; zero behind a cut."""
        room = self.stop[front.place] - front.at
        return gather_bytes(self.buffer, self.at[front.place] + front.at, room, width)

    def mark(self, front: Front, mask: Mask, status: Status) -> None:
        """Set a status bit on the rows of *mask*."""
        if mask.any():
            self.out.status[front.rows(mask)] |= np.uint16(status)

    def name(self, front: Front, kind: Kind, mask: Mask | None = None) -> None:
        """Say of rows (those of *mask*) what was not read, or why."""
        if mask is None or mask.any():
            self.unread[front.rows(mask)] = kind

    def mark_short(self, front: Front, need: I64 | int, bad: Status) -> Mask:
        """Find the rows with fewer than *need* readable bytes and mark why.

        The capture ends there (``HEADER_CUT``), or the captured bytes go on but the packet ends (*bad*).

        Returns:
            True where the header is short, aligned with the front.
        """
        short: Mask = self.stop[front.place] - front.at < need
        if short.any():
            cut = self.captured[front.place] - front.at < need
            self.mark(front, short & cut, Status.HEADER_CUT)
            self.mark(front, short & ~cut, bad)
        return short


Decoder = Callable[[Block, Front], Next]
"""What decodes one kind of header."""


def split(front: Front, kinds: U8, at: I64) -> Next:
    """Send each row of *front* to the kind that comes next for it, dropping those where nothing comes.

    Args:
        front: Where the rows were.
        kinds: `Kind` code of each row.
        at: Offset of the next header of each row.
    """
    if len(kinds) == 0:
        return []
    if (kinds == kinds[0]).all():
        return [(Kind(int(kinds[0])), Front(front.place, at))] if kinds[0] else []
    present = np.flatnonzero(np.bincount(kinds))
    return [(Kind(int(kind)), front.part(kinds == kind, at)) for kind in present if kind]
