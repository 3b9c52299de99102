"""The first bytes of many byte streams, and which packet brought each of them.

`Streams` is what stands between TCP reassembly and the message parsers: one row per stream, the bytes of all rows in
one flat array, and a list of the pieces they were put together from. A parser that finds something at a position asks
`Streams.packet_at` for the packet to show.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import I32, I64, U8, Mask
from netinterf.errors import SchemaError
from netinterf.pieces import gather
from netinterf.table import Ragged, Rows, spans
from netinterf.values import frozen

__all__ = ["Streams", "words"]


def words(data: U8, at: I64, size: int) -> I64:
    """Read one big-endian number of *size* bytes (1 to 4) at each position.

    Args:
        data: Bytes; every number must lie inside.
        at: Position of the first byte of each number.
        size: Bytes of each number.
    """
    if size == 1:
        return data[at].astype(np.int64)
    value = data[at].astype(np.int64)
    for place in range(1, size):
        value <<= 8
        value |= data[at + place]
    return value


@frozen(eq=False, kw_only=True)
class Streams:
    """Contiguous bytes of many TCP sides, each from some position of its stream on.

    Args:
        side: Row in Sides of each stream, shape (n,).
        start: Position in the side's stream of the first byte held, shape (n,).
        data: The bytes, n rows of uint8.
        more: The capture holds further contiguous bytes that were left out for the limit, shape (n,).
        piece_at: Position in ``data.values`` where each piece begins, ascending, shape (p,).
        piece_packet: Row in Packets that brought each piece, shape (p,).
    """

    side: I32
    start: I64
    data: Ragged
    more: Mask
    piece_at: I64
    piece_packet: I32

    def __attrs_post_init__(self) -> None:
        if not len(self.side) == len(self.start) == len(self.data) == len(self.more):
            raise SchemaError("Streams: side, start, data and more must have one row per stream")
        if len(self.piece_at) != len(self.piece_packet):
            raise SchemaError("Streams: every piece needs a position and a packet")

    def __len__(self) -> int:
        return len(self.side)

    @classmethod
    def of(cls, rows: Sequence[bytes], side: ArrayLike | None = None, packet: ArrayLike | None = None) -> Self:
        """Build from one ``bytes`` per stream, each brought by a packet of its own.

        Args:
            rows: The bytes of each stream.
            side: Row in Sides of each; 0, 2, 4, … (the clients of flows 0, 1, 2, …) when left out.
            packet: Row in Packets of each; 0, 1, 2, … when left out.
        """
        count = len(rows)
        data = Ragged.of([np.frombuffer(bytes(row), np.uint8) for row in rows], np.uint8)
        filled = data.lengths > 0
        packets = np.arange(count, dtype=np.int32) if packet is None else np.asarray(packet, np.int32)
        return cls(
            side=2 * np.arange(count, dtype=np.int32) if side is None else np.asarray(side, np.int32),
            start=np.zeros(count, np.int64),
            data=data,
            more=np.zeros(count, np.bool_),
            piece_at=data.offsets[:-1][filled],
            piece_packet=packets[filled],
        )

    @property
    def flow(self) -> I32:
        """Row in Flows of each stream."""
        return self.side >> 1

    @property
    def outbound(self) -> Mask:
        """Say which streams were sent by their flow's client."""
        client: Mask = (self.side & 1) == 0
        return client

    def take(self, rows: Rows) -> Self:
        """Select streams, in the order given."""
        index = np.arange(len(self), dtype=np.int64)[rows]
        first = np.searchsorted(self.piece_at, self.data.offsets[index])
        counts = np.searchsorted(self.piece_at, self.data.offsets[index + 1]) - first
        pieces = spans(first, counts)
        lengths = self.data.lengths[index]
        values = gather(self.data.values, self.data.offsets[index], lengths)
        data = Ragged.from_lengths(lengths, values)
        moved = np.repeat(data.offsets[:-1] - self.data.offsets[index], counts)
        return type(self)(
            side=self.side[index],
            start=self.start[index],
            data=data,
            more=self.more[index],
            piece_at=self.piece_at[pieces] + moved,
            piece_packet=self.piece_packet[pieces],
        )

    def packet_at(self, rows: NDArray[np.integer[Any]], offsets: NDArray[np.integer[Any]]) -> I32:
        """Name the packet that brought a byte.

        Args:
            rows: Rows of this object.
            offsets: Position in each row's bytes, from 0; a position behind the end means the last byte.

        Returns:
            Rows in Packets, -1 where the stream holds no bytes.
        """
        lengths = self.data.lengths[rows]
        inside = np.clip(offsets, 0, np.maximum(lengths - 1, 0))
        piece = np.searchsorted(self.piece_at, self.data.offsets[rows] + inside, side="right") - 1
        packet = np.full(len(piece), -1, np.int32)
        known = lengths > 0
        packet[known] = self.piece_packet[piece[known]]
        return packet
