"""Index classic pcap files: both byte orders, micro- and nanoseconds, and the "modified" variant.

Layout: draft-ietf-opsawg-pcap. A file header of 24 bytes, then records of a 16-byte header (24 in the variant of
Alexey Kuznetzov's patched libpcap, magic 0xa1b2cd34) and the captured bytes. Versions before 2.3 stored the two lengths
of a record in the other order (Wireshark, wiretap/libpcap.c); version 2.3, which did either, is read like later ones.
"""

from collections.abc import Callable
from struct import unpack_from

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.capture.formats import Indexed, Interface, frame_limit
from netinterf.capture.records import Chain, Walk, headers, walk
from netinterf.errors import UnknownFormat, UnreadableSource
from netinterf.schema import Diagnostic, Records

__all__ = ["index_pcap"]

FILE_HEADER = 24
REGION = 1 << 30  # bytes indexed at once: bounds what the walk keeps beside the result
LONGEST = 400 * 86_400  # s; a guess for records this much later than the first is still plausible
DAY = 86_400  # s

FRACTIONS = {b"\xa1\xb2\xc3\xd4": 1_000_000, b"\xa1\xb2\x3c\x4d": 1_000_000_000, b"\xa1\xb2\xcd\x34": 1_000_000}
"""Ticks per second by magic number, in big-endian order."""


@attrs.frozen
class Header:
    """What the file header says."""

    order: str
    ticks: int
    record_header: int
    version: tuple[int, int]
    snaplen: int
    link_type: int


def index_pcap(buffer: NDArray[np.uint8], source: str, progress: Callable[[int, int], None] | None = None) -> Indexed:
    """List the frames of a classic pcap file.

    Args:
        buffer: The whole file; it begins with one of the magic numbers.
        source: Name for errors.
        progress: Called with bytes done and bytes in all.

    Raises:
        UnreadableSource: The file header is cut off.
        UnknownFormat: The version is older than 2.0.
    """
    header = read_header(buffer, source)
    chain = _chain(buffer, header)
    at, why, parts = FILE_HEADER, "end", []
    frames = 0
    while at < len(buffer) and why == "end":
        walked = walk(buffer, at, min(at + REGION, len(buffer)), chain)
        parts.append(_records(buffer, walked.starts, header, frames))
        frames += len(walked.starts)
        at, why = walked.stop, walked.why
        if progress is not None:
            progress(at, len(buffer))
    interface = Interface(link_type=header.link_type, snaplen=header.snaplen, ticks_per_second=header.ticks)
    trouble = _trouble(buffer, Walk(np.empty(0, np.int64), at, why), chain, frames)
    return Indexed(Records.concat(parts) if parts else Records.empty(), (interface,), trouble)


def read_header(buffer: NDArray[np.uint8], source: str) -> Header:
    """Read the file header (draft-ietf-opsawg-pcap §4).

    The upper bits of the link type word say how long a frame check sequence is; they are no part of the type.
    """
    head = buffer[:FILE_HEADER].tobytes()
    if len(head) < FILE_HEADER:
        raise UnreadableSource(
            source, f"the pcap file header is cut off: {len(head)} of {FILE_HEADER} bytes", len(head)
        )
    order = ">" if head[0] == 0xA1 else "<"
    magic = head[:4] if order == ">" else head[3::-1]
    major, minor = unpack_from(order + "HH", head, 4)
    snaplen, network = unpack_from(order + "II", head, 16)
    if major < 2:  # like Wireshark, which reads later ones as 2.4; some writers put odd numbers here
        raise UnknownFormat(source, f"pcap version {major}.{minor}; only 2.0 and later are known", 4)
    record_header = 24 if magic == b"\xa1\xb2\xcd\x34" else 16
    return Header(order, FRACTIONS[magic], record_header, (major, minor), snaplen, network & 0xFFFF)


def _chain(buffer: NDArray[np.uint8], header: Header) -> Chain:
    """Describe the records of this file to the walker."""
    limit, number = frame_limit(header.link_type), header.order + "u4"
    swapped = header.version < (2, 3)
    top = 3 if header.order == "<" else 0
    begin = headers(buffer, np.array([FILE_HEADER]), 4, number)[0, 0] if len(buffer) >= FILE_HEADER + 4 else 0
    earliest, latest = max(int(begin) - DAY, 0), int(begin) + LONGEST
    last = len(buffer) - header.record_header

    def plausible(data: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        second, fraction, captured, length = headers(data, at, 16, number).T
        right = (second >= earliest) & (second <= latest) & (fraction < header.ticks)
        if swapped:
            captured, length = length, captured
        result: NDArray[np.bool_] = right & (captured <= np.minimum(length, limit)) & (length > 0)
        return result

    def candidates(data: NDArray[np.uint8], first: int, stride: int, rows: int, width: int) -> NDArray[np.int64]:
        """Look for the top byte of a second that fits the time of the capture; the rest is left to `plausible`."""
        windows = np.ndarray((rows, width), np.uint8, data, first + top, (stride, 1))
        low, span = earliest >> 24, (min(latest, 0xFFFFFFFF) >> 24) - (earliest >> 24)
        fits = (windows - np.uint8(low)) <= span
        if np.count_nonzero(fits) > fits.size // 4:  # e.g. one byte all over: guessing would only cost memory
            return np.empty(0, np.int64)
        row, column = np.nonzero(fits)
        found = first + row * stride + column
        found = found[found <= last]
        return found[plausible(data, found)]

    return Chain(
        order=header.order,
        field=12 if swapped else 8,
        base=header.record_header,
        header=header.record_header,
        least=0,
        most=limit,
        multiple=1,
        candidates=candidates,
        plausible=plausible,
    )


def _records(buffer: NDArray[np.uint8], starts: NDArray[np.int64], header: Header, before: int) -> Records:
    """Turn record starts into rows; *before* frames came earlier."""
    second, fraction, captured, length = headers(buffer, starts, 16, header.order + "u4").T
    if header.version < (2, 3):
        captured, length = length, captured
    time = second.astype(np.int64)
    time *= 1_000_000_000
    time += fraction * np.int64(1_000_000_000 // header.ticks)
    return Records(
        frame=np.arange(before + 1, before + 1 + len(starts), dtype=np.uint32),
        time=time,
        at=starts + header.record_header,
        captured=captured.astype(np.uint32),
        length=length.astype(np.uint32),
    )


def _trouble(buffer: NDArray[np.uint8], end: Walk, chain: Chain, frames: int) -> tuple[Diagnostic, ...]:
    """Say why the walk ended before the file did."""
    if end.why == "end":
        return ()
    if end.why == "cut":
        message = f"the file ends inside record {frames + 1}; the {frames} before it were read"
        return (Diagnostic("capture.cut", message, end.stop),)
    size = int(headers(buffer, np.array([end.stop + chain.field]), 4, chain.order + "u4")[0, 0])
    message = f"record {frames + 1} claims {size} captured bytes, more than {chain.most}; reading stopped there"
    return (Diagnostic("capture.damaged", message, end.stop),)
