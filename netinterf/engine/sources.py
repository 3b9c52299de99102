"""What a scan is given: captures on disk, in memory, or as somebody else's packets."""

import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netinterf.bridge.scapy_packets import Frames, from_scapy
from netinterf.capture import Source, find_captures, write_pcap
from netinterf.capture.source import name_of
from netinterf.decode.link_types import link_number
from netinterf.engine.each import Memory, Paths, captures_in
from netinterf.errors import CaptureError, ParameterError
from netinterf.values import frozen

__all__ = ["Given", "Sources", "sources_of"]

Sources = Source | Sequence[Source] | Sequence[Any]
"""What `netinterf.read` takes, and packets of scapy."""

PATH, BYTES = (str, os.PathLike), (bytes, bytearray, memoryview)


@frozen(eq=False, kw_only=True)
class Given:
    """Captures to judge, and what of those that were asked for cannot be."""

    captures: Sequence[Paths] = ()
    errors: tuple[CaptureError, ...] = ()
    skipped: int = 0


def sources_of(
    source: Sources | None,
    times: ArrayLike | None = None,
    frames: Sequence[bytes] | None = None,
    link_type: int | str | None = None,
    *,
    join: bool = False,
) -> Given:
    """List captures.

    Args:
        source: Paths, folders, patterns or ``"-"``; bytes or binary file objects; or packets of scapy. One or many.
        times: Without a source: see `netinterf.read`, as the following.
        frames: Bytes of each frame.
        link_type: Their link type.
        join: All files are one capture.

    Raises:
        ParameterError: A source is of no type that can be read, or what is in memory is to be joined.
    """
    if source is None:
        if times is None or frames is None or link_type is None:
            raise ParameterError("paths", None, "captures, or times, frames and link_type together")
        return Given(captures=[in_memory(times, frames, link_type)])
    listed: list[Any] = [source] if is_one(source) or not isinstance(source, Iterable) else list(source)
    if listed and is_packet(listed[0]):
        packets: Frames = from_scapy(listed)
        return Given(captures=[in_memory(packets.times, packets.frames, packets.link_type)])
    if all(isinstance(one, PATH) for one in listed):
        found = find_captures(listed)
        return Given(captures=captures_in(found, join=join), errors=found.errors, skipped=found.skipped)
    if join:
        raise ParameterError("join", join, "files: what is in memory is one capture each")
    parts = [
        sources_of(one) if isinstance(one, PATH) else Given(captures=[Memory(one, name_of(one))]) for one in listed
    ]
    return Given(
        captures=[capture for part in parts for capture in part.captures],
        errors=tuple(error for part in parts for error in part.errors),
        skipped=sum(part.skipped for part in parts),
    )


def is_one(source: object) -> bool:
    """Say whether a source is one: a path, bytes, or a file object."""
    return isinstance(source, PATH + BYTES) or hasattr(source, "read")


def is_packet(source: object) -> bool:
    """Say whether this is a packet of scapy, which need not be imported for that."""
    return hasattr(source, "haslayer") and hasattr(source, "time")


def in_memory(times: ArrayLike, frames: Sequence[bytes], link_type: int | str) -> Memory:
    """Put frames into a capture."""
    held = io.BytesIO()
    write_pcap(held, np.asarray(times), frames, link_number(link_type))
    return Memory(held.getvalue(), "memory")
