"""List the frames of pcapng files: sections, interfaces, and the three kinds of packet blocks.

Section numbers refer to draft-ietf-opsawg-pcapng. A file is a chain of blocks, each with its type, its length, a body
and the length again. Sections begin with a section header block and may differ in byte order; interfaces are numbered
within their section. Blocks of unknown type are skipped, and so are packet blocks that contradict themselves: where the
next block begins is known all the same. A block whose two lengths differ leads nowhere; behind it, the next is sought.

Frame numbers are Wireshark's: it also numbers some blocks that hold no packet (`NUMBERED`), which then are gaps here.
"""

from collections.abc import Callable

import numpy as np

from netinterf.arrays import I64, U8, U32, U64, Mask
from netinterf.capture.blocks import Clock, nanoseconds, read_interface
from netinterf.capture.formats import MAX_FRAME, Interface, frame_limit
from netinterf.capture.records import Chain, headers, walk
from netinterf.capture.resync import FIRST_REGION, Gaps, resume
from netinterf.capture.signs import (
    ENHANCED,
    INTERFACE,
    MARK,
    MAX_BLOCK,
    PACKET,
    SECTION,
    SIMPLE,
    BlockSigns,
    section_order,
)
from netinterf.errors import UnknownFormat, UnreadableSource
from netinterf.schema import Diagnostic, Records

__all__ = ["PcapngReader"]

NUMBERED = (9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221)
"""Blocks without a packet that Wireshark 4.4 numbers: systemd journal export (§4.7), custom (§4.8), sysdig events."""
FIRST_SECTION, BLOCK_HEADER = 28, 12  # bytes of a section header without options (§4.1); bytes that show what follows
MAX_INTERFACES = 65_535  # interfaces of a file: their index has 16 bits
MAX_SWITCHES = 4096  # changes of byte order followed; joined files have a handful, a hostile file one every 28 bytes
REGION, GROWTH = 1 << 30, 8
"""Bytes indexed at once at most, and how they grow while the byte order stays the same: a walk that runs into another
byte order, or into damage, was partly in vain, which must not add up in a file of many small sections."""

Buffer = U8
Offsets = I64


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
        self.trouble: Diagnostic | None = None  # what ended the reading
        self.gaps = Gaps()
        self.order = ""
        self.switches = 0
        self.region = FIRST_REGION
        self.faces: list[Interface] = []
        self.clocks: list[Clock] = []
        self.section = 0  # number of interfaces before the current section
        self.frames = 0
        self.untimed = 0
        self.unnumbered = 0
        self.wrong = 0  # packet blocks that contradict themselves
        self.first_wrong = 0  # where the first of them begins
        self.parts: list[Records] = []

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those described so far, of all sections."""
        return tuple(self.faces)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Where the file is damaged or cut off, and what it lacks."""
        notes = self.gaps.notes
        if self.wrong:
            message = f"{self.wrong} packet blocks contradict themselves; they were skipped"
            notes.append(Diagnostic("capture.damaged", message, self.first_wrong, count=self.wrong))
        if self.trouble is not None:
            notes.append(self.trouble)
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
        while self.at < len(buffer) and not self._over and self._resume(last) and self._advance(last):
            if progress is not None:
                progress(self.at, len(buffer))
        self.buffer = np.empty(0, np.uint8)
        records = Records.concat(self.parts) if self.parts else Records.empty()
        self.parts.clear()
        return records, len(buffer) if self._over else self.at

    @property
    def _over(self) -> bool:
        """Whether nothing more is read."""
        return self.trouble is not None or self.gaps.exhausted

    def _resume(self, last: bool) -> bool:
        """Look behind damage for where blocks go on; say whether they do, or there is none."""
        if not self.gaps.what:
            return True
        begin = max(self.at, self.gaps.begin + 1 - self.before)
        resumed, self.at = resume(self.buffer, begin, self._signs, last=last)
        if resumed:
            self.gaps.close(self.before + self.at)
            self.region = FIRST_REGION
        return resumed

    @property
    def _signs(self) -> BlockSigns:
        return BlockSigns(self.order or "<", len(self.faces) - self.section)

    def _begin(self, buffer: Buffer) -> None:
        """Look at the first section header."""
        order = section_order(buffer, 0)
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
            order = section_order(buffer, begin)
            if order is None:
                self._skip("a section header has no byte-order magic", begin)
                return True
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
        if self._over or self.gaps.what or self.at != walked.stop:
            return True
        if walked.why == "absurd":
            self._skip("the length of a block cannot be right", self.at)
        elif walked.why == "cut" and last:
            self._end()
        return walked.why != "cut" or bool(self.gaps.what)

    def _end(self) -> None:
        """End inside a block, unless others follow behind its beginning: then it is its length that is wrong."""
        if self.at + BLOCK_HEADER <= len(self.buffer) and resume(self.buffer, self.at + 1, self._signs, last=True)[0]:
            self._skip("a block leads past the end", self.at)
        else:
            self._stop("capture.cut", f"the file ends inside a block; {self.frames} frames were read", self.at)

    def _stop(self, code: str, message: str, at: int) -> None:
        self.trouble, self.at = Diagnostic(code, message, self.before + at), at

    def _skip(self, what: str, at: int) -> None:
        """Note damage; what follows it is sought next."""
        self.gaps.open(what, self.before + at)
        self.at = at

    def _blocks(self, starts: Offsets) -> None:
        """Take in whole blocks of one byte order, up to the first damaged one."""
        number = self.order + "u4"
        kinds, totals = headers(self.buffer, starts, 8, number).T
        closing = headers(self.buffer, starts + totals - 4, 4, number)[:, 0]
        good = _agreed((closing == totals) & ((kinds != SECTION) | (totals >= 28)))
        bad = int(starts[good]) if good < len(starts) else -1
        for place in np.flatnonzero(kinds[:good] == SECTION):
            if section_order(self.buffer, int(starts[place])) != self.order:
                self.at, good, bad = int(starts[place]), int(place), -1
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
        if bad >= 0 and self.trouble is None:
            self._skip("the two lengths of a block differ, or a section header is too short", bad)

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

    def _frames(self, starts: Offsets, kinds: U32, totals: Offsets, bases: Offsets, known: Offsets) -> None:
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
        if bad.any():
            self.first_wrong = self.first_wrong or self.before + int(starts[rows[np.argmax(bad)]])
            self.wrong += int(bad.sum())
        numbered = packet | simple | np.isin(kinds, NUMBERED)
        numbers = self.frames + np.cumsum(numbered)
        self.frames = int(numbers[-1]) if len(numbers) else self.frames
        self.unnumbered += int(numbered.sum()) - len(rows)
        keep = ~bad
        self.untimed += int(untimed[keep].sum())
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

    def _fields(self, starts: Offsets, kinds: U32, totals: Offsets) -> tuple[dict[str, Offsets], U64, Mask]:
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
    def _times(ticks: U64, interface: Offsets, untimed: Mask, clocks: list[Clock]) -> I64:
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


def _agreed(good: Mask) -> int:
    """Count the rows before the first that is not good."""
    return len(good) if good.all() else int(np.argmin(good))


def _chain(order: str) -> Chain:
    """Describe the blocks of a section to the walker (§3.1)."""
    number = order + "u4"

    def plausible(data: Buffer, at: Offsets) -> Mask:
        kind, total = headers(data, at, 8, number).T
        right = (total >= 12) & (total <= MAX_BLOCK) & (total % 4 == 0)
        close = np.where(right, at + total - 4, 0)
        right &= close <= len(data) - 4
        closing = headers(data, np.minimum(close, len(data) - 4), 4, number)[:, 0]
        result: Mask = right & (closing == total) & (kind != 0)
        return result

    def candidates(data: Buffer, first: int, stride: int, rows: int, width: int) -> Offsets:
        """Look for the types of packet blocks; blocks begin at multiples of four bytes."""
        first, width = first // 4 * 4, width // 4 * 4
        windows = np.ndarray((rows, width // 4), number, data, first, (stride, 4))
        row, column = np.nonzero((windows == ENHANCED) | (windows == PACKET) | (windows == SIMPLE))
        starts = first + row * stride + column * 4
        starts = starts[starts <= len(data) - 12]
        return starts[plausible(data, starts)]

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
