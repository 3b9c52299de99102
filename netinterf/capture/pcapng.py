"""List the frames of pcapng files: sections, interfaces, and the three kinds of packet blocks.

Section numbers refer to draft-ietf-opsawg-pcapng. A file is a chain of blocks, each with its type, its length, a body
and the length again. Sections begin with a section header block and may differ in byte order; interfaces are numbered
within their section. Blocks of unknown type are skipped.

Frame numbers are Wireshark's: it also numbers some blocks that hold no packet (`NUMBERED`), which then are gaps here.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from netinterf.capture.blocks import Clock, nanoseconds, read_interface
from netinterf.capture.formats import MAX_FRAME, Interface, frame_limit
from netinterf.capture.records import Chain, headers, walk
from netinterf.errors import UnknownFormat, UnreadableSource
from netinterf.schema import Diagnostic, Records

__all__ = ["PcapngReader"]

SECTION, INTERFACE, PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6  # §4.1, 4.2, A, 4.4, 4.3
NUMBERED = (9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221)
"""Blocks without a packet that Wireshark 4.4 numbers: systemd journal export (§4.7), custom (§4.8), sysdig events."""
FIRST_SECTION, BLOCK_HEADER = 28, 12  # bytes of a section header without options (§4.1); bytes that show what follows
MAX_BLOCK = 16 << 20  # largest block that is believed (libpcap, sf-pcapng.c, INITIAL_MAX_BLOCKSIZE)
MAX_INTERFACES = 65_535  # interfaces of a file: their index has 16 bits
MAX_SWITCHES = 4096  # changes of byte order followed; joined files have a handful, a hostile file one every 28 bytes
FIRST_REGION, REGION, GROWTH = 1 << 17, 1 << 30, 8
"""Bytes indexed at once, at first and at most, and how they grow while the byte order stays the same: a walk that runs
into another byte order was partly in vain, which must not add up in a file of many small sections."""
MARK = {"<": b"\x4d\x3c\x2b\x1a", ">": b"\x1a\x2b\x3c\x4d"}  # byte-order magic (§4.1)

Buffer = NDArray[np.uint8]
Offsets = NDArray[np.int64]


def _order_at(buffer: Buffer, at: int) -> str | None:
    """Read the byte order of the section that begins at *at*; None when its magic is wrong or missing."""
    mark = buffer[at + 8 : at + 12].tobytes()
    return next((order for order, magic in MARK.items() if magic == mark), None)


class PcapngReader:
    """List the frames of a pcapng file (see `formats.Reader`).

    What it keeps is where reading stands: the interfaces so far, the current section, and counts.

    Args:
        source: Name for errors.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.buffer: Buffer = np.empty(0, np.uint8)  # the bytes at hand, during a call only
        self.before = 0  # bytes of the file before them
        self.at = 0  # how many of them are done with
        self.trouble: Diagnostic | None = None
        self.order = ""
        self.switches = 0
        self.region = FIRST_REGION
        self.faces: list[Interface] = []
        self.clocks: list[Clock] = []
        self.section = 0  # number of interfaces before the current section
        self.frames = 0
        self.untimed = 0
        self.unnumbered = 0
        self.parts: list[Records] = []

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those described so far, of all sections."""
        return tuple(self.faces)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Where the file is damaged or cut off, and what it lacks."""
        notes = [] if self.trouble is None else [self.trouble]
        if self.untimed:
            message = f"{self.untimed} simple packet blocks carry no time; it is taken as 0"
            notes.append(Diagnostic("capture.no_time", message, count=self.untimed))
        if self.unnumbered:
            message = f"{self.unnumbered} numbered blocks hold no packet (journal entries and the like)"
            notes.append(Diagnostic("capture.no_packet", message, count=self.unnumbered))
        return tuple(notes)

    def take(
        self, buffer: Buffer, before: int, *, last: bool, progress: Callable[[int, int], None] | None = None
    ) -> tuple[Records, int]:
        """List the frames that are whole in *buffer*.

        Raises:
            UnreadableSource: Not even the first section header can be read.
            UnknownFormat: The version is not 1.x.
        """
        if not self.order and (last or len(buffer) >= FIRST_SECTION):
            self._begin(buffer)
        elif not self.order:
            return Records.empty(), 0
        self.buffer, self.before, self.at = buffer, before, 0
        while self.at < len(buffer) and self.trouble is None and self._advance(last):
            if progress is not None:
                progress(self.at, len(buffer))
        self.buffer = np.empty(0, np.uint8)
        records = Records.concat(self.parts) if self.parts else Records.empty()
        self.parts.clear()
        return records, self.at if self.trouble is None else len(buffer)

    def _begin(self, buffer: Buffer) -> None:
        """Look at the first section header."""
        order = _order_at(buffer, 0)
        if order is None or len(buffer) < FIRST_SECTION:
            reason = "the first pcapng section header is cut off or has no byte-order magic"
            raise UnreadableSource(self.source, reason, 0)
        major, minor = headers(buffer, np.array([12]), 4, order + "u2")[0].tolist()
        if major != 1:
            raise UnknownFormat(self.source, f"pcapng version {major}.{minor}; only 1.x is known", 12)

    def _advance(self, last: bool) -> bool:
        """List the next region, up to a change of byte order or the first damage; say whether that led anywhere."""
        buffer, begin = self.buffer, self.at
        if not last and begin + BLOCK_HEADER > len(buffer):
            return False
        if buffer[begin : begin + 4].tobytes() == b"\x0a\x0d\x0d\x0a":
            order = _order_at(buffer, begin)
            if order is None:
                self._stop("capture.damaged", "a section header has no byte-order magic", begin)
                return False
            if order != self.order:
                self.order, self.region = order, FIRST_REGION
                self.switches += 1
                if self.switches > MAX_SWITCHES:
                    self._stop("capture.damaged", f"the byte order changes more than {MAX_SWITCHES} times", begin)
                    return False
        walked = walk(buffer, begin, min(begin + self.region, len(buffer)), _chain(self.order))
        self.at = walked.stop
        self._blocks(walked.starts)
        self.region = min(self.region * GROWTH, REGION)
        if self.trouble is None and walked.why == "cut" and self.at == walked.stop:
            if last:
                message = f"the file ends inside a block; {self.frames} frames were read"
                self._stop("capture.cut", message, walked.stop)
            return False
        if self.trouble is None and walked.why == "absurd" and self.at == walked.stop:
            self._stop("capture.damaged", "the length of a block cannot be right; reading stopped there", walked.stop)
        return True

    def _stop(self, code: str, message: str, at: int) -> None:
        self.trouble, self.at = Diagnostic(code, message, self.before + at), at

    def _blocks(self, starts: Offsets) -> None:
        """Take in whole blocks of one byte order; stops before the first damaged one."""
        number = self.order + "u4"
        kinds, totals = headers(self.buffer, starts, 8, number).T
        closing = headers(self.buffer, starts + totals - 4, 4, number)[:, 0]
        good = _agreed((closing == totals) & ((kinds != SECTION) | (totals >= 28)))
        if good < len(starts):
            reason = "the two lengths of a block differ, or a section header is too short; reading stopped there"
            self._stop("capture.damaged", reason, int(starts[good]))
        for place in np.flatnonzero(kinds[:good] == SECTION):
            if _order_at(self.buffer, int(starts[place])) != self.order:
                self.trouble, self.at, good = None, int(starts[place]), int(place)
                break
        starts, kinds, totals = starts[:good], kinds[:good], totals[:good].astype(np.int64)
        is_interface = kinds == INTERFACE
        known = len(self.faces) + np.cumsum(is_interface)
        bases = np.where(kinds == SECTION, known, self.section)
        bases = np.maximum.accumulate(bases) if len(bases) else bases
        good = self._describe(starts, totals, np.flatnonzero(is_interface))
        self._frames(starts[:good], kinds[:good], totals[:good], bases[:good], known[:good])
        if good:
            self.section = int(bases[good - 1])

    def _describe(self, starts: Offsets, totals: Offsets, places: Offsets) -> int:
        """Read interface descriptions; returns how many of the blocks precede the first damaged description."""
        for place in places:
            at, total = int(starts[place]), int(totals[place])
            if total < 20 or len(self.faces) == MAX_INTERFACES:
                reason = "is too short" if total < 20 else f"is one too many: {MAX_INTERFACES} are read"
                self._stop("capture.damaged", f"an interface description {reason}; reading stopped there", at)
                return int(place)
            interface, clock = read_interface(self.buffer[at : at + total].tobytes(), self.order)
            self.faces.append(interface)
            self.clocks.append(clock)
        return len(starts)

    def _frames(
        self, starts: Offsets, kinds: NDArray[np.uint32], totals: Offsets, bases: Offsets, known: Offsets
    ) -> None:
        """Add the frames of the packet blocks among these blocks."""
        packet = (kinds == ENHANCED) | (kinds == PACKET)
        simple = kinds == SIMPLE
        rows = np.flatnonzero(packet | simple)
        fields, ticks, bad = self._fields(starts[rows], kinds[rows], totals[rows])
        interface = fields["interface"] + bases[rows]
        bad |= interface >= known[rows]
        # only interfaces of the sections at hand: hostile files have very many sections and interfaces
        low = int(bases[0]) if len(bases) else 0
        near = np.clip(interface - low, 0, max(len(self.faces) - low - 1, 0))
        faces = self.faces[low:] or [Interface(0, 0, 1)]
        limits = np.array([frame_limit(face.link_type) for face in faces])
        snaplens = np.array([face.snaplen or MAX_FRAME for face in faces])
        untimed = simple[rows]
        captured = np.where(untimed, np.minimum(fields["length"], snaplens[near]), fields["captured"])
        bad |= (captured > fields["room"]) | (captured > limits[near])
        good, end = _agreed(~bad), len(starts)
        if good < len(rows):
            end = int(rows[good])
            self._stop("capture.damaged", "a packet block contradicts itself; reading stopped there", int(starts[end]))
        numbered = packet | simple | np.isin(kinds, NUMBERED)
        numbers = self.frames + np.cumsum(numbered)
        self.frames = int(numbers[end - 1]) if end else self.frames
        self.unnumbered += int(numbered[:end].sum()) - good
        self.untimed += int(untimed[:good].sum())
        keep = slice(0, good)
        self.parts.append(
            Records(
                frame=numbers[rows[keep]].astype(np.uint32),
                time=self._times(ticks[keep], near[keep], untimed[keep], self.clocks[low:]),
                at=fields["at"][keep],
                captured=captured[keep].astype(np.uint32),
                length=fields["length"][keep].astype(np.uint32),
                interface=interface[keep].astype(np.uint16),
            )
        )

    def _fields(
        self, starts: Offsets, kinds: NDArray[np.uint32], totals: Offsets
    ) -> tuple[dict[str, Offsets], NDArray[np.uint64], NDArray[np.bool_]]:
        """Read the fixed fields of packet blocks (§4.3, 4.4, appendix A), the time, and which are too short."""
        simple = kinds == SIMPLE
        short = totals < np.where(simple, 16, 32)
        data = self.buffer if len(self.buffer) >= 28 else np.pad(self.buffer, (0, 28))
        safe = np.minimum(starts, len(data) - 28)  # a short last block
        words = headers(data, safe, 28, self.order + "u4")
        moved = simple & (safe != starts)
        lengths = words[:, 6].astype(np.int64)
        lengths[simple] = words[simple, 2]
        if moved.any():
            lengths[moved] = headers(self.buffer, starts[moved] + 8, 4, self.order + "u4")[:, 0]
        interface = words[:, 2].astype(np.int64)
        old = kinds == PACKET
        interface[old] = interface[old] >> 16 if self.order == ">" else interface[old] & 0xFFFF
        interface[simple] = 0
        ticks = (words[:, 3].astype(np.uint64) << np.uint64(32)) | words[:, 4]
        fields = {
            "interface": interface,
            "captured": words[:, 5].astype(np.int64),
            "length": lengths,
            "at": starts + np.where(simple, 12, 28),
            "room": totals - np.where(simple, 16, 32),
        }
        return fields, ticks, short

    @staticmethod
    def _times(
        ticks: NDArray[np.uint64], interface: Offsets, untimed: NDArray[np.bool_], clocks: list[Clock]
    ) -> NDArray[np.int64]:
        """Turn time stamps into nanoseconds, one resolution after the other; *interface* points into *clocks*."""
        times = np.zeros(len(ticks), np.int64)
        if len(ticks) == 0:
            return times
        resolutions = np.array([clock.resolution for clock in clocks], np.uint8)
        offsets = np.array([clock.offset for clock in clocks], np.int64)
        if (resolutions == resolutions[0]).all():
            times = nanoseconds(ticks, int(resolutions[0]), offsets[interface])
        else:
            for resolution in np.unique(resolutions[interface]).tolist():
                rows = np.flatnonzero(resolutions[interface] == resolution)
                times[rows] = nanoseconds(ticks[rows], resolution, offsets[interface[rows]])
        times[untimed] = 0
        return times


def _agreed(good: NDArray[np.bool_]) -> int:
    """Count the rows before the first that is not good."""
    return len(good) if good.all() else int(np.argmin(good))


def _chain(order: str) -> Chain:
    """Describe the blocks of a section to the walker (§3.1)."""
    number = order + "u4"

    def plausible(data: Buffer, at: Offsets) -> NDArray[np.bool_]:
        kind, total = headers(data, at, 8, number).T
        right = (total >= 12) & (total <= MAX_BLOCK) & (total % 4 == 0)
        close = np.where(right, at + total - 4, 0)
        right &= close <= len(data) - 4
        closing = headers(data, np.minimum(close, len(data) - 4), 4, number)[:, 0]
        result: NDArray[np.bool_] = right & (closing == total) & (kind != 0)
        return result

    def candidates(data: Buffer, first: int, stride: int, rows: int, width: int) -> Offsets:
        """Look for the types of packet blocks; blocks begin at multiples of four bytes."""
        first, width = first // 4 * 4, width // 4 * 4
        windows = np.ndarray((rows, width // 4), number, data, first, (stride, 4))
        row, column = np.nonzero((windows == ENHANCED) | (windows == PACKET) | (windows == SIMPLE))
        found = first + row * stride + column * 4
        found = found[found <= len(data) - 12]
        return found[plausible(data, found)]

    return Chain(
        order=order,
        field=4,
        base=0,
        header=12,
        least=12,
        most=MAX_BLOCK,
        multiple=4,
        candidates=candidates,
        plausible=plausible,
        fence=b"\x0a\x0d\x0d\x0a",
        own=MARK[order],
    )
