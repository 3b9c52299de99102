"""Captures without whom they are of: a trace over rewritten packets, and the file that is written from it.

A redacted trace has the packets, flows, messages and frame numbers of the original in the same rows, so that verdicts
about the one point into the other. Its buffer is new and holds headers alone; of messages, names are replaced and other
text is left out.
"""

import os
from collections.abc import Callable, Iterable
from typing import BinaryIO, Self

import attrs
import numpy as np

from netinterf.arrays import Mask
from netinterf.capture import Interface, Source, write_records
from netinterf.capture.source import name_of
from netinterf.context.outside import Outside
from netinterf.errors import CaptureError, ParameterError
from netinterf.privacy.headers import rewrite
from netinterf.privacy.ledgers import redact_table
from netinterf.privacy.redaction import Redaction
from netinterf.schema import Packets, Status
from netinterf.trace import Trace, read
from netinterf.values import frozen
from netinterf.writing import refuse_overwriting

__all__ = ["RAW", "RedactedSource", "Shared", "paths_of", "read_source", "redact", "redact_trace", "write_trace"]

RAW = 101
"""LINKTYPE_RAW: frames that begin with an IP header (tcpdump group's registry)."""

TICKS = 1_000_000_000


@frozen(kw_only=True)
class RedactedSource:
    """A capture that can be read again, but only redacted."""

    paths: tuple[str, ...] = attrs.field(repr=False)
    redaction: Redaction

    def part(self, paths: Iterable[str]) -> Self:
        """Take some of the files, named as they are written of it."""
        wanted = set(paths)
        return attrs.evolve(self, paths=tuple(path for path in self.paths if self.redaction.capture(path) in wanted))

    def read(self) -> Trace:
        """Read the capture and redact it.

        Raises:
            CaptureError: It cannot be read (any more); its path and the reason are left out.
        """
        try:
            return redact_trace(read_source(self.paths), self.redaction)
        except CaptureError as error:
            raise CaptureError(self.redaction.capture(error.source), "cannot be read again") from None


def read_source(source: tuple[str, ...] | RedactedSource) -> Trace:
    """Read the capture behind a judgement again: as it is, or redacted where the judgement is.

    Raises:
        CaptureError: It cannot be read (any more).
    """
    if isinstance(source, RedactedSource):
        return source.read()
    return read(source if len(source) > 1 else source[0])


def paths_of(source: tuple[str, ...] | RedactedSource | None) -> tuple[str, ...]:
    """Tell where the capture behind a judgement lies: for comparing it with other files, never to be written."""
    return source.paths if isinstance(source, RedactedSource) else source or ()


@frozen(kw_only=True)
class Shared:
    """What was written to a redacted capture.

    Attributes:
        frames: How many frames it has, as many as the original.
        empty: How many of these are empty: frames without a whole IP header, and numbers that no packet had.
    """

    frames: int
    empty: int


def redact(
    source: Source,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    key: bytes | None = None,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Shared:
    """Write a capture that can be shared: headers alone, addresses mapped, everything that was said left out.

    Args:
        source: A path, ``"-"``, bytes, or a binary file object.
        target: A path (replaced when the file is whole) or a binary file object; gets a pcap file of raw IP packets.
        key: 16 bytes or more that nobody can guess: the same key maps alike in results and captures. None draws one at
            random and forgets it.
        strict: Raise on damage instead of writing what was readable.
        progress: Called with bytes read and bytes in all (0 when unknown).

    Raises:
        ParameterError: The key is too short, or *target* is the source.
        CaptureError: The source cannot be read, or has times that pcap cannot hold.
        OSError: The target cannot be written.
    """
    redaction = Redaction.of(key)
    refuse_overwriting(target, [source])
    trace = redact_trace(read(source, strict=strict, progress=progress), redaction)
    try:
        return write_trace(trace, target)
    except ParameterError as cause:
        raise CaptureError(name_of(source), f"cannot be written as pcap: {cause}") from cause


def redact_trace(trace: Trace, redaction: Redaction) -> Trace:
    """Give a trace of the same packets, without whom they are of; rows and frame numbers stay."""
    packets, new = trace.packets, rewrite(trace, redaction)
    inside = new.captured > 0
    behind = np.where(inside, packets.payload_at.astype(np.int64) - packets.ip_at, 0)
    length = np.where(inside, np.maximum(packets.length.astype(np.int64) - packets.ip_at, new.captured), packets.length)
    cut = inside & (packets.payload_length > new.quote)
    moved = attrs.evolve(
        packets,
        at=new.at,
        captured=new.captured.astype(np.uint32),
        length=length.astype(np.uint32),
        ip_at=np.zeros(len(packets), np.uint16),
        transport_at=np.where(inside, packets.transport_at - packets.ip_at, 0).astype(np.uint16),
        payload_at=behind.astype(np.uint16),
        interface=np.zeros(len(packets), np.uint16),
        status=packets.status | np.where(cut, np.uint16(Status.PAYLOAD_CUT), np.uint16(0)),
    )
    tables = ("quotes", "hosts", "exchanges", "answers", "tls", "http", "quic")
    return attrs.evolve(
        trace,
        **{name: redact_table(getattr(trace, name), redaction) for name in tables},
        source=redaction.capture(trace.source),
        files=redaction.files(trace.files),
        diagnostics=redaction.notes(trace.diagnostics, trace.files),
        buffer=new.buffer,
        interfaces=(Interface(link_type=RAW, snaplen=0, ticks_per_second=TICKS),),
        packets=moved,
        dns=attrs.evolve(redact_table(trace.dns, redaction), at=np.full(len(trace.dns), -1, np.int64)),
        segments=trace.segments.take(slice(0)),
        outside=Outside(),
    )


def write_trace(trace: Trace, target: str | os.PathLike[str] | BinaryIO) -> Shared:
    """Write a redacted trace as pcap, each packet at its frame number; numbers without a packet become empty frames."""
    packets = by_frame(trace.packets)
    write_records(target, trace.buffer, packets.at, packets.captured, packets.length, packets.time, link_type=RAW)
    return Shared(frames=len(packets), empty=int(np.sum(packets.captured == 0)))


def by_frame(packets: Packets) -> Packets:
    """Order packets by frame number, and put an empty one of the time before into every gap."""
    number = packets.frame.astype(np.int64)
    order = np.argsort(number, kind="stable")
    numbers = np.arange(1, int(number.max(initial=0)) + 1)
    place = np.searchsorted(number[order], numbers, side="right") - 1  # the last packet up to each number
    filled = packets.take(order[np.maximum(place, 0)])
    missing: Mask = filled.frame != numbers
    return attrs.evolve(
        filled,
        captured=np.where(missing, np.uint32(0), filled.captured),
        length=np.where(missing, np.uint32(0), filled.length),
    )
