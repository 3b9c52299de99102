"""List the frames of classic pcap files: both byte orders, micro- and nanoseconds, and the "modified" variant.

Layout: draft-ietf-opsawg-pcap. A file header of 24 bytes, then records of a 16-byte header (24 in the variant of
Alexey Kuznetzov's patched libpcap, magic 0xa1b2cd34) and the captured bytes. Versions before 2.3 stored the two lengths
of a record in the other order (Wireshark, wiretap/libpcap.c); version 2.3, which did either, is read like later ones.
"""

from collections.abc import Callable
from struct import unpack_from

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.capture.formats import Interface, frame_limit
from netinterf.capture.records import Chain, headers, walk
from netinterf.errors import UnknownFormat, UnreadableSource
from netinterf.schema import Diagnostic, Records

__all__ = ["PcapReader"]

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


class PcapReader:
    """List the frames of a classic pcap file (see `formats.Reader`).

    Args:
        source: Name for errors.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._header: Header | None = None
        self._begin = 0  # second of the first record
        self._frames = 0
        self._trouble: Diagnostic | None = None

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The one interface, once the header was read."""
        header = self._header
        return () if header is None else (Interface(header.link_type, header.snaplen, header.ticks),)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Where the file is damaged or cut off."""
        return () if self._trouble is None else (self._trouble,)

    def take(
        self, buffer: NDArray[np.uint8], before: int, *, last: bool, progress: Callable[[int, int], None] | None = None
    ) -> tuple[Records, int]:
        """List the frames that are whole in *buffer*.

        Raises:
            UnreadableSource: The file header is cut off.
            UnknownFormat: The version is older than 2.0.
        """
        at, parts = 0, []
        if self._header is None:
            if len(buffer) < FILE_HEADER + 4 and not last:  # a header, and the time of a record
                return Records.empty(), 0
            self._header, at = read_header(buffer, self._source), FILE_HEADER
            if len(buffer) >= at + 4:
                self._begin = int(headers(buffer, np.array([at]), 4, self._header.order + "u4")[0, 0])
        chain, why = _chain(self._header, self._begin), "end"
        while at < len(buffer) and why == "end" and self._trouble is None:
            walked = walk(buffer, at, min(at + REGION, len(buffer)), chain)
            parts.append(_records(buffer, walked.starts, self._header, self._frames))
            self._frames += len(walked.starts)
            at, why = walked.stop, walked.why
            if progress is not None:
                progress(at, len(buffer))
        if why == "cut" and last:
            message = f"the file ends inside record {self._frames + 1}; the {self._frames} before it were read"
            self._trouble = Diagnostic("capture.cut", message, before + at)
        elif why == "absurd":
            size = int(headers(buffer, np.array([at + chain.field]), 4, chain.order + "u4")[0, 0])
            claim = f"record {self._frames + 1} claims {size} captured bytes, more than {chain.most}"
            self._trouble = Diagnostic("capture.damaged", f"{claim}; reading stopped there", before + at)
        records = Records.concat(parts) if parts else Records.empty()
        return records, at if self._trouble is None else len(buffer)


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


def _chain(header: Header, begin: int) -> Chain:
    """Describe the records of this file, of which the first is of second *begin*, to the walker."""
    limit, number = frame_limit(header.link_type), header.order + "u4"
    swapped = header.version < (2, 3)
    top = 3 if header.order == "<" else 0
    earliest, latest = max(begin - DAY, 0), begin + LONGEST

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
        found = found[found <= len(data) - header.record_header]
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
