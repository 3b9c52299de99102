"""The frames of a capture, ready to be changed: what lies where in each, whose it is, and which frame it was.

Changes take frames and give frames. Which frames there are and when they came is said by rows alone, over bytes that
may be a mapped file; what writes into packets (`spliced`, `own`) copies the frames that are left.
"""

import io
import os
from collections.abc import Iterable
from typing import BinaryIO, Literal, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, Mask
from netinterf.capture import Capture, Interface, Source, open_capture, write_pcapng, write_records
from netinterf.decode import decode
from netinterf.errors import ParameterError
from netinterf.flows.assign import assign_flows
from netinterf.pieces import gather
from netinterf.schema import Packets
from netinterf.values import frozen
from netinterf.writing import refuse_overwriting

__all__ = ["OFFSETS", "Format", "Frames", "load", "of_capture", "save", "to_bytes"]

Format = Literal["pcap", "pcapng"]

OFFSETS = ("ip_at", "transport_at", "payload_at")
"""Columns of where headers begin in a frame, 0 for none."""


@frozen(eq=False, kw_only=True)
class Frames:
    """The frames of one capture in the order of its file.

    Attributes:
        buffer: Bytes that ``packets.at`` points into.
        packets: One row per frame. ``frame`` is its number in the capture that it was loaded from, whatever became of
            it since: that is how what is said of a changed capture is found in the original. Of the other columns
            those that say where headers lie, and ``flow`` and ``outbound``, hold for the changed frames as well.
        interfaces: Where the frames were captured.
    """

    buffer: U8 = attrs.field(repr=False)
    packets: Packets = attrs.field(repr=False)
    interfaces: tuple[Interface, ...]

    def __len__(self) -> int:
        return len(self.packets)

    def take(self, rows: NDArray[np.integer] | Mask) -> Self:
        """Keep some frames, in the order given; a frame may be taken twice."""
        return attrs.evolve(self, packets=self.packets.take(np.asarray(rows)))

    def by_time(self) -> Self:
        """Put the frames into the order of their times; equal times keep their order."""
        return self.take(np.argsort(self.packets.time, kind="stable"))

    def at_times(self, time: I64) -> Self:
        """Give frames other times, ns since 1970 UTC, one each."""
        return attrs.evolve(self, packets=attrs.evolve(self.packets, time=time))

    @property
    def link_types(self) -> I64:
        """Link type of each frame."""
        kinds = np.array([face.link_type for face in self.interfaces], np.int64)
        return kinds[self.packets.interface]

    @property
    def captured(self) -> I64:
        """Bytes of each frame that lie in the buffer: a record may promise more than there are."""
        return np.minimum(self.packets.captured, np.maximum(len(self.buffer) - self.packets.at, 0)).astype(np.int64)

    def own(self) -> Self:
        """Copy the frames, so that each has bytes of its own, in a buffer that may be written."""
        sizes = self.captured
        packets = attrs.evolve(self.packets, at=np.cumsum(sizes) - sizes, captured=sizes.astype(np.uint32))
        return attrs.evolve(self, buffer=gather(self.buffer, self.packets.at, sizes), packets=packets)

    def beside(self, other: "Frames") -> "Frames":
        """Put other frames behind these; equal interfaces are one, and everything else stays as each has it."""
        same = self.interfaces == other.interfaces
        shift = 0 if same else len(self.interfaces)
        moved = attrs.evolve(
            other.packets,
            at=other.packets.at + len(self.buffer),
            interface=(other.packets.interface + shift).astype(np.uint16),
        )
        return attrs.evolve(
            self,
            buffer=np.concatenate([self.buffer, other.buffer]),
            packets=Packets.concat([self.packets, moved]),
            interfaces=self.interfaces if same else self.interfaces + other.interfaces,
        )

    def spliced(self, at: I64, removed: I64, inserted: U8) -> Self:
        """Replace bytes of every frame; what a snapshot length cut off stays cut off.

        Args:
            at: Offset in each frame.
            removed: How many bytes go there.
            inserted: What comes in their place, one row of equally many bytes per frame.
        """
        packets, whole, width = self.packets, self.captured, inserted.shape[1]
        first = np.minimum(at, whole)
        room = np.where(at <= whole, width, 0)
        skip = np.minimum(at + removed, whole)
        starts = np.stack([packets.at, len(self.buffer) + np.arange(len(self)) * width, packets.at + skip])
        sizes = np.stack([first, room, whole - skip])
        both = np.concatenate([self.buffer, inserted.reshape(-1)])
        captured = sizes.sum(axis=0)
        shift = width - removed
        moved = {
            name: value + shift * ((value >= at + removed) & (packets.version > 0))
            for name, value in ((name, getattr(packets, name).astype(np.int64)) for name in OFFSETS)
        }
        packets = attrs.evolve(
            packets,
            at=np.cumsum(captured) - captured,
            captured=captured.astype(np.uint32),
            length=(packets.length + shift).astype(np.uint32),
            **{name: value.astype(np.uint16) for name, value in moved.items()},
        )
        buffer = gather(both, starts.T.reshape(-1), sizes.T.reshape(-1))
        return attrs.evolve(self, buffer=buffer, packets=packets)


def load(source: Source) -> Frames:
    """Read the frames of a capture.

    Args:
        source: A path, ``"-"``, bytes, or a binary file object.

    Raises:
        CaptureError: It cannot be read, or no frame is of a link type that is decoded.
    """
    return of_capture(open_capture(source))


def of_capture(capture: Capture) -> Frames:
    """Take the frames of an opened capture; see `load`."""
    kinds = [interface.link_type for interface in capture.interfaces]
    decoded = decode(capture.buffer, capture.records, kinds, source=capture.source)
    packets = assign_flows(decoded.packets, decoded.endpoints).packets
    packets = packets.take(np.argsort(packets.frame, kind="stable"))
    return Frames(buffer=capture.buffer, packets=packets, interfaces=capture.interfaces)


def save(
    frames: Frames,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    file_format: Format = "pcap",
    inputs: Iterable[object] = (),
) -> None:
    """Write frames to a file, in the order of their rows, with times to the nanosecond.

    Args:
        frames: The frames.
        target: A path (replaced when the file is whole) or a binary file object.
        file_format: ``"pcap"``, which holds frames of one link type, or ``"pcapng"``.
        inputs: Files that the frames were loaded from, which *target* must not be.

    Raises:
        ParameterError: The format is unknown or cannot hold the frames, or *target* is one of *inputs*.
        OSError: The target cannot be written.
    """
    refuse_overwriting(target, inputs)
    packets = frames.packets
    columns = (frames.buffer, packets.at, frames.captured, packets.length, packets.time)
    if file_format == "pcapng":
        write_pcapng(target, *columns, packets.interface, frames.interfaces)
        return
    kinds = np.unique(frames.link_types).tolist() or [frames.interfaces[0].link_type if frames.interfaces else 1]
    if file_format != "pcap":
        raise ParameterError("file_format", file_format, "pcap or pcapng")
    if len(kinds) > 1:
        raise ParameterError("file_format", "pcap", f"pcapng, since frames have the link types {kinds}")
    write_records(target, *columns, kinds[0])


def to_bytes(frames: Frames, *, file_format: Format = "pcap") -> bytes:
    """Write frames as the bytes of a capture file, which `netinterf.read` takes; see `save`."""
    held = io.BytesIO()
    save(frames, held, file_format=file_format)
    return held.getvalue()
