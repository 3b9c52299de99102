"""List the frames of classic pcap files: both byte orders, micro- and nanoseconds, and the "modified" variant.

Layout: draft-ietf-opsawg-pcap. A file header of 24 bytes, then records of a 16-byte header (24 in the variant of
Alexey Kuznetzov's patched libpcap, magic 0xa1b2cd34) and the captured bytes. Versions before 2.3 stored the two lengths
of a record in the other order (Wireshark, wiretap/libpcap.c); version 2.3, which did either, is read like later ones.
"""

from collections.abc import Callable, Sequence
from struct import unpack_from

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.capture.empties import Empties
from netinterf.capture.formats import AT_ONCE, LARGE_FRAMES, MAX_FRAME, Interface, frame_limit
from netinterf.capture.records import Chain, headers, walk
from netinterf.capture.resync import FIRST_REGION, Gaps, resume
from netinterf.capture.signs import RecordSigns
from netinterf.errors import UnknownFormat, UnreadableSource
from netinterf.schema import Diagnostic, Records
from netinterf.values import frozen

__all__ = ["PcapReader"]

FILE_HEADER = 24
REGION = 1 << 30  # bytes indexed at once: bounds what the walk keeps beside the result
GROWTH = 8  # how the region grows again behind damage
DOUBTFUL_SPAN = MAX_FRAME  # bytes that records which look wrong may lead over before others are sought among them
LARGEST = 2 * 65_535
"""Bytes of the largest frame that looks right: the largest IP packet (RFC 791 §3.1), behind the longest link header
(radiotap, whose length has 16 bits as well). Larger ones are believed if another record follows them."""
LONGEST = 400 * 86_400  # s; a guess for records this much later than the first is still plausible
DAY = 86_400  # s

FRACTIONS = {b"\xa1\xb2\xc3\xd4": 1_000_000, b"\xa1\xb2\x3c\x4d": 1_000_000_000, b"\xa1\xb2\xcd\x34": 1_000_000}
"""Ticks per second by magic number, in big-endian order."""


@frozen
class Header:
    """What the file header says."""

    order: str
    ticks: int
    record_header: int
    version: tuple[int, int]
    snaplen: int
    link_type: int

    @property
    def signs(self) -> RecordSigns:
        """What the records of this file look like."""
        most, swapped = LARGE_FRAMES.get(self.link_type, LARGEST), self.version < (2, 3)
        return RecordSigns(self.order, self.ticks, self.record_header, swapped, most)


class PcapReader:
    """List the frames of a classic pcap file (see `formats.Reader`).

    A length that cannot be right is mostly that of the record before: a damaged header leads astray. So records whose
    header holds what no recorder writes are believed when a record that looks right follows them, and are skipped
    together with the damage that they lead to. Whoever lands four bytes behind a header reads one length for the other,
    and so lands there again and again: where only wrong ones come for long, right ones are sought among them.

    Args:
        source: Name for errors.
    """

    missed: int | None = None  # nothing in the format tells

    def __init__(self, source: str) -> None:
        self._source = source
        self._header: Header | None = None
        self._begin = 0  # second of the first record
        self._frames = 0
        self._cut: Diagnostic | None = None
        self._gaps = Gaps()
        self._empties = Empties()
        self._region = REGION
        self._parts: list[Records] = []

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The one interface, once the header was read."""
        header = self._header
        return () if header is None else (Interface(header.link_type, header.snaplen, header.ticks),)

    @property
    def behind(self) -> Sequence[int]:
        """Numbers of the frames that come first behind damage."""
        return self._gaps.behind

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Where the file is damaged or cut off, and what was left out."""
        return (*self._gaps.notes, *([self._cut] if self._cut is not None else []), *self._empties.notes)

    def take(
        self, buffer: U8, before: int, *, last: bool, progress: Callable[[int, int], None] | None = None
    ) -> tuple[Records, int]:
        """List the frames that are whole in *buffer*.

        Raises:
            UnreadableSource: The file header is cut off.
            UnknownFormat: The version is older than 2.0.
        """
        at = 0
        if self._header is None:
            if len(buffer) < FILE_HEADER + 4 and not last:  # a header, and the time of a record
                return Records.empty(), 0
            self._header, at = read_header(buffer, self._source), FILE_HEADER
            if len(buffer) >= at + 4:
                self._begin = int(headers(buffer, np.array([at]), 4, self._header.order + "u4")[0, 0])
        at = self._read(buffer, at, before, self._header, last=last, progress=progress)
        records = Records.concat(self._parts) if self._parts else Records.empty()
        self._parts.clear()
        return records, at

    def _read(
        self,
        buffer: U8,
        at: int,
        before: int,
        header: Header,
        *,
        last: bool,
        progress: Callable[[int, int], None] | None,
    ) -> int:
        """Walk from record to record, and from damage to where records go on; say what is done with."""
        chain, signs = _chain(header, self._begin), header.signs
        doubted = np.empty(0, np.int64)  # the last records, as long as they look wrong
        while at < len(buffer) and self._cut is None and not self._gaps.exhausted:
            if self._gaps.what:
                resumed, at = resume(buffer, max(at, self._gaps.begin + 1 - before), signs, last=last)
                if not resumed:
                    return at
                self._gaps.close(before + at, self._frames)
                self._region = FIRST_REGION
            walked = walk(buffer, at, min(at + self._region, len(buffer)), chain)
            at, self._region = walked.stop, min(self._region * GROWTH, REGION)
            starts = np.concatenate([doubted, walked.starts])
            doubted, astray = _doubted(buffer, starts, at, signs)
            self._add(buffer, starts[: np.searchsorted(starts, doubted[0])] if len(doubted) else starts)
            if astray:
                at, doubted = int(doubted[0]), doubted[:0]
                self._gaps.open(self._claim(buffer, at, chain), before + at)
                continue
            if progress is not None:
                progress(at, len(buffer))
            lost = int(doubted[0]) if len(doubted) else at
            if walked.why == "absurd" or (walked.why == "cut" and last and self._astray(buffer, lost, signs)):
                self._gaps.open(self._claim(buffer, lost, chain), before + lost)
                at, doubted = lost, doubted[:0]
            elif walked.why == "cut" and not last:
                break
            elif walked.why == "cut" or (last and at >= len(buffer)):
                self._add(buffer, doubted)
                doubted = doubted[:0]
                if walked.why == "cut":
                    message = f"the file ends inside record {self._frames + 1}; the {self._frames} before it were read"
                    self._cut = Diagnostic("capture.cut", message, before + at)
        if self._cut is not None or self._gaps.exhausted:
            return len(buffer)
        return int(doubted[0]) if len(doubted) else at

    def _astray(self, buffer: U8, at: int, signs: RecordSigns) -> bool:
        """Say whether a header that looks wrong leads past the end, though records follow behind it."""
        whole = at + signs.head <= len(buffer) and not signs.right(buffer, np.array([at]))[0]
        return whole and resume(buffer, at + 1, signs, last=True)[0]

    def _claim(self, buffer: U8, at: int, chain: Chain) -> str:
        """Say what is wrong with a record."""
        size = int(headers(buffer, np.array([at + chain.field]), 4, chain.order + "u4")[0, 0])
        if size > chain.most:
            return f"record {self._frames + 1} claims {size} captured bytes, more than {chain.most}"
        if size > LARGEST:
            return f"record {self._frames + 1} claims {size} captured bytes, and leads to none"
        return f"record {self._frames + 1} contradicts itself, and leads to none"

    def _add(self, buffer: U8, starts: I64) -> None:
        """Take in whole records."""
        if self._header is None:
            return
        for first in range(0, len(starts), AT_ONCE):
            some = starts[first : first + AT_ONCE]
            self._parts.append(_records(buffer, some, self._header, self._frames, self._empties))
            self._frames += len(some)


def read_header(buffer: U8, source: str) -> Header:
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

    def plausible(data: U8, at: I64) -> Mask:
        second, fraction, captured, length = headers(data, at, 16, number).T
        right = (second >= earliest) & (second <= latest) & (fraction < header.ticks)
        if swapped:
            captured, length = length, captured
        result: Mask = right & (captured <= np.minimum(length, limit)) & (length > 0)
        return result

    def candidates(data: U8, first: int, stride: int, rows: int, width: int) -> I64:
        """Look for the top byte of a second that fits the time of the capture; the rest is left to `plausible`."""
        windows = np.ndarray((rows, width), np.uint8, data, first + top, (stride, 1))
        low, span = earliest >> 24, (min(latest, 0xFFFFFFFF) >> 24) - (earliest >> 24)
        fits = (windows - np.uint8(low)) <= span
        if np.count_nonzero(fits) > fits.size // 4:  # e.g. one byte all over: guessing would only cost memory
            return np.empty(0, np.int64)
        row, column = np.nonzero(fits)
        starts = first + row * stride + column
        starts = starts[starts <= len(data) - header.record_header]
        return starts[plausible(data, starts)]

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


def _doubted(buffer: U8, starts: I64, end: int, signs: RecordSigns) -> tuple[I64, bool]:
    """List the records before *end* that are not believed yet: those that look wrong, behind the last that looks right.

    Returns:
        The records; and whether they are none, as others that look right were found among them.
    """
    if not len(starts):
        return starts, False
    places = np.arange(int(starts[0]), end, DOUBTFUL_SPAN // 2)  # of which one lies in any stretch that is too long
    sampled = starts[np.unique(np.searchsorted(starts, places, side="right") - 1)]
    if signs.right(buffer, sampled).all():
        near = starts[np.searchsorted(starts, end - DOUBTFUL_SPAN) :]
        right = np.flatnonzero(signs.right(buffer, near))
        return (near[right[-1] + 1 :] if len(right) else near), False
    right = np.flatnonzero(signs.right(buffer, starts))
    firsts, ends = np.append(0, right + 1), np.append(starts[right], end)
    begins = np.append(starts, end)[firsts]
    doubted = int(firsts[-1])
    for stretch in np.flatnonzero(ends - begins >= DOUBTFUL_SPAN).tolist():
        at, until = int(begins[stretch]), int(ends[stretch])
        while until - at >= DOUBTFUL_SPAN:
            if resume(buffer[: at + DOUBTFUL_SPAN], at + 1, signs, last=False)[0]:
                return starts[starts >= at], True
            later = int(np.searchsorted(starts, at + DOUBTFUL_SPAN))
            at = int(starts[later]) if later < len(starts) else end
        if stretch == len(ends) - 1:
            doubted = int(np.searchsorted(starts, at))
    return starts[doubted:], False


def _records(buffer: U8, starts: I64, header: Header, before: int, empties: Empties) -> Records:
    """Turn record starts into rows; *before* frames came earlier."""
    fields = headers(buffer, starts, 16, header.order + "u4")
    swapped = header.version < (2, 3)
    frame, keep = (
        np.arange(before + 1, before + 1 + len(starts), dtype=np.uint32),
        empties.listed(fields[:, 2 + swapped]),
    )
    if not keep.all():
        frame, starts, fields = frame[keep], starts[keep], fields[keep]
    second, fraction, captured, length = fields.T
    if swapped:
        captured, length = length, captured
    time = second.astype(np.int64)
    time *= 1_000_000_000
    time += fraction * np.int64(1_000_000_000 // header.ticks)
    return Records(
        frame=frame,
        time=time,
        at=starts + header.record_header,
        captured=captured.astype(np.uint32),
        length=length.astype(np.uint32),
    )
