"""List the frames of pcapng files: sections, interfaces, and the three kinds of packet blocks.

Section numbers refer to draft-ietf-opsawg-pcapng. A file is a chain of blocks, each with its type, its length, a body
and the length again. Sections begin with a section header block and may differ in byte order; interfaces are numbered
within their section. Blocks of unknown type are skipped, and so are packet blocks that contradict themselves: where the
next block begins is known all the same. A block whose two lengths differ leads nowhere; behind it, the next is sought.
Where that was the header of a section, which an interface description follows, interfaces are numbered anew; where it
was such a description, it counts: it is read if its body is whole, else its packets are skipped.

Frame numbers are Wireshark's: it also numbers some blocks that hold no packet (`NUMBERED`), which then are gaps here.
"""

from collections.abc import Callable, Sequence

import numpy as np

from netinterf.arrays import I64, U8, U32, Mask
from netinterf.capture.blocks import MICROSECONDS, Clock, read_interface, salvage_interface
from netinterf.capture.dropped import Dropped
from netinterf.capture.empties import Empties
from netinterf.capture.formats import AT_ONCE, MAX_FRAME, Interface, frame_limit
from netinterf.capture.packet_blocks import MOST_OPTIONS, chain_of, overstated, packet_fields, times_of
from netinterf.capture.records import headers, walk
from netinterf.capture.resync import FIRST_REGION, Gaps, resume
from netinterf.capture.signs import (
    ENHANCED,
    INTERFACE,
    MARK,
    PACKET,
    SECTION,
    SIMPLE,
    STATISTICS,
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
SECTION_TYPE = b"\x0a\x0d\x0d\x0a"  # the same in both byte orders
UNDESCRIBED = Interface(0xFFFF, 0, 10**6)  # one whose description is damaged: of a link type that nobody assigned
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
        self.lost = b""  # the first bytes of the gap that is not closed yet
        self.empties = Empties()
        self.order = ""
        self.switches = 0
        self.region = FIRST_REGION
        self.faces: list[Interface] = []
        self.clocks: list[Clock] = []
        self.section = 0  # number of interfaces before the current section
        self.dropped = Dropped()
        self.frames = 0
        self.untimed = 0
        self.unnumbered = 0
        self.wrong = 0  # packet blocks that contradict themselves
        self.first_wrong = 0  # where the first of them begins
        self.undescribed = 0  # packet blocks of interfaces that nothing describes
        self.first_undescribed = 0
        self.parts: list[Records] = []

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those described so far, of all sections."""
        return tuple(self.faces)

    @property
    def behind(self) -> Sequence[int]:
        """Numbers of the frames that come first behind damage."""
        return self.gaps.behind

    @property
    def missed(self) -> int | None:
        """Packets that the recorder says it missed; None where it says nothing."""
        return self.dropped.missed

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Where the file is damaged or cut off, and what it lacks."""
        notes = self.gaps.notes
        if self.wrong:
            message = f"{self.wrong} packet blocks contradict themselves; they were skipped"
            notes.append(Diagnostic("capture.damaged", message, self.first_wrong, count=self.wrong))
        if self.undescribed:
            message = f"{self.undescribed} packets are of an interface whose description is missing; they were skipped"
            notes.append(Diagnostic("capture.damaged", message, self.first_undescribed, count=self.undescribed))
        if self.trouble is not None:
            notes.append(self.trouble)
        if self.untimed:
            message = f"{self.untimed} simple packet blocks carry no time; it is taken as 0"
            notes.append(Diagnostic("capture.no_time", message, count=self.untimed))
        if self.unnumbered:
            message = f"{self.unnumbered} numbered blocks hold no packet (journal entries and the like)"
            notes.append(Diagnostic("capture.no_packet", message, count=self.unnumbered))
        return (*notes, *self.empties.notes, *self.dropped.notes(self.faces))

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
        resumed, at = resume(self.buffer, begin, self._signs, last=last)
        self.lost += self.buffer[self.at : at][: MOST_OPTIONS - len(self.lost)].tobytes()
        self.at = at
        if resumed:
            self.gaps.close(self.before + at, self.frames, self._salvage(self.before + at - self.gaps.begin))
            self.region = FIRST_REGION
        return resumed

    def _salvage(self, skipped: int) -> str:
        """Keep count of interfaces where one of their descriptions, or the header of a section, was skipped.

        Returns:
            What to say of the description: whether it could be read all the same.
        """
        interface = np.array(INTERFACE, self.order + "u4").tobytes()
        is_section = self.lost[:4] == SECTION_TYPE or self.lost[8:12] in MARK.values()
        if is_section and self.buffer[self.at : self.at + 4].tobytes() == interface:
            self.section = len(self.faces)
        first, whole = len(self.faces) == self.section, len(self.lost) == skipped
        found = salvage_interface(self.lost, self.order, first=first) if whole and not is_section else None
        if found is None and self.lost[:4] != interface:
            return ""
        self._add(*(found or (UNDESCRIBED, Clock(MICROSECONDS, 0))))
        return "; the interface that they describe is " + ("known all the same" if found else "not known")

    @property
    def _signs(self) -> BlockSigns:
        """What blocks look like; packets may be of one interface more, whose description may be what is damaged."""
        return BlockSigns(self.order or "<", len(self.faces) - self.section + 1)

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
        if buffer[begin : begin + 4].tobytes() == SECTION_TYPE:
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
        walked = walk(buffer, begin, min(begin + self.region, len(buffer)), chain_of(self.order))
        self.at = walked.stop
        for first in range(0, len(walked.starts), AT_ONCE):
            self._blocks(walked.starts[first : first + AT_ONCE])
            if self._over or self.gaps.what or self.at != walked.stop:
                break
        self.region = min(self.region * GROWTH, REGION)
        if self._over or self.gaps.what or self.at != walked.stop:
            return True
        if walked.why == "absurd" or (walked.why == "cut" and self._overstated(self.at)):
            self._skip("the length of a block cannot be right", self.at)
        elif walked.why == "cut" and last:
            self._end()
        return walked.why != "cut" or bool(self.gaps.what)

    def _end(self) -> None:
        """End inside a block, unless others follow behind what it holds: then it is its length that is wrong."""
        inside = self._inside(self.at)
        if self.at + BLOCK_HEADER <= len(self.buffer) and resume(self.buffer, inside, self._signs, last=True)[0]:
            self._skip("a block leads past the end", self.at)
        else:
            self._stop("capture.cut", f"the file ends inside a block; {self.frames} frames were read", self.at)

    def _inside(self, at: int) -> int:
        """Say from where on blocks can follow that are no part of the packet in a block that is cut."""
        fields = headers(self.buffer, np.array([at]), 24, self.order + "u4")[0] if at + 24 <= len(self.buffer) else None
        if fields is None or fields[0] not in {ENHANCED, PACKET} or fields[5] > min(fields[1], MAX_FRAME):
            return at + 1
        return at + 28 + int(fields[5])

    def _overstated(self, at: int) -> bool:
        """Say of a block that is cut whether it is a packet, and claims to be longer than any of its size can be."""
        return at + 24 <= len(self.buffer) and bool(overstated(self.buffer, np.array([at]), self.order)[0])

    def _stop(self, code: str, message: str, at: int) -> None:
        self.trouble, self.at = Diagnostic(code, message, self.before + at), at

    def _skip(self, what: str, at: int) -> None:
        """Note damage; what follows it is sought next, in the byte order of a section that begins there."""
        self.gaps.open(what, self.before + at)
        self.at, self.lost = at, b""
        self.order = section_order(self.buffer, at) or self.order

    def _blocks(self, starts: Offsets) -> None:
        """Take in whole blocks of one byte order, up to the first damaged one."""
        number = self.order + "u4"
        kinds, totals = headers(self.buffer, starts, 8, number).T
        closing = headers(self.buffer, starts + totals - 4, 4, number)[:, 0]
        right = (closing == totals) & ((kinds != SECTION) | (totals >= 28))
        long = np.flatnonzero(totals > MOST_OPTIONS)
        right[long] &= ~overstated(self.buffer, starts[long], self.order)
        good = _agreed(right)
        bad = int(starts[good]) if good < len(starts) else -1
        sections = np.flatnonzero(kinds[:good] == SECTION)
        marks = headers(self.buffer, starts[sections] + 8, 4, "V4")[:, 0]
        others = sections[marks != np.void(MARK[self.order])]
        if len(others):
            self.at, good, bad = int(starts[others[0]]), int(others[0]), -1
        starts, kinds, totals = starts[:good], kinds[:good], totals[:good].astype(np.int64)
        is_interface = kinds == INTERFACE
        known = len(self.faces) + np.cumsum(is_interface)
        bases = np.where(kinds == SECTION, known, self.section)
        bases = np.maximum.accumulate(bases) if len(bases) else bases
        good = self._describe(starts, totals, np.flatnonzero(is_interface))
        self._frames(starts[:good], kinds[:good], totals[:good], bases[:good], known[:good])
        self._statistics(starts[:good], kinds[:good], totals[:good], bases[:good], known[:good])
        if good:
            self.section = int(bases[good - 1])
        if bad >= 0 and self.trouble is None:
            self._skip("the two lengths of a block differ, or a section header is too short", bad)

    def _describe(self, starts: Offsets, totals: Offsets, places: Offsets) -> int:
        """Read interface descriptions; returns how many of the blocks precede the first damaged description."""
        for place in places:
            at, total = int(starts[place]), int(totals[place])
            if len(self.faces) == MAX_INTERFACES:
                reason = f"is one too many: {MAX_INTERFACES} are read"
                self._stop("capture.damaged", f"an interface description {reason}; reading stopped there", at)
                return int(place)
            if total < 20:
                self.gaps.open("an interface description is too short", self.before + at)
                self.gaps.close(self.before + at + total, None)
                self._add(UNDESCRIBED, Clock(MICROSECONDS, 0))
            else:
                self._add(*read_interface(self.buffer[at : at + total].tobytes(), self.order))
        return len(starts)

    def _add(self, interface: Interface, clock: Clock) -> None:
        """Number one more interface."""
        self.faces.append(interface)
        self.clocks.append(clock)

    def _statistics(self, starts: Offsets, kinds: U32, totals: Offsets, bases: Offsets, known: Offsets) -> None:
        """Read what interfaces counted, among these blocks."""
        rows = np.flatnonzero((kinds == STATISTICS) & (totals >= 24))
        if len(rows):
            interface = headers(self.buffer, starts[rows] + 8, 4, self.order + "u4")[:, 0] + bases[rows]
            rows, interface = rows[interface < known[rows]], interface[interface < known[rows]]
            self.dropped.take(self.buffer, starts[rows], totals[rows], interface, self.order)

    def _frames(self, starts: Offsets, kinds: U32, totals: Offsets, bases: Offsets, known: Offsets) -> None:
        """Add the frames of the packet blocks among these blocks."""
        packet = (kinds == ENHANCED) | (kinds == PACKET)
        simple = kinds == SIMPLE
        rows = np.flatnonzero(packet | simple)
        fields, ticks, bad = packet_fields(self.buffer, starts[rows], kinds[rows], totals[rows], self.order)
        interface = fields["interface"] + bases[rows]
        # only interfaces of the sections at hand: hostile files have very many sections and interfaces
        low = int(bases[0]) if len(bases) else 0
        near = np.clip(interface - low, 0, max(len(self.faces) - low - 1, 0))
        faces = self.faces[low:] or [Interface(0, 0, 1)]
        limits = np.array([frame_limit(face.link_type) for face in faces])
        snaplens = np.array([face.snaplen or MAX_FRAME for face in faces])
        untimed = simple[rows]
        captured = np.where(untimed, np.minimum(fields["length"], snaplens[near]), fields["captured"])
        bad |= (captured > fields["room"]) | (captured > limits[near])
        lost = np.array([face == UNDESCRIBED for face in faces])[near] | (interface >= known[rows])
        if bad.any():
            self.first_wrong = self.first_wrong or self.before + int(starts[rows[np.argmax(bad)]])
            self.wrong += int(bad.sum())
        if lost.any():
            self.first_undescribed = self.first_undescribed or self.before + int(starts[rows[np.argmax(lost)]])
            self.undescribed += int(np.count_nonzero(lost & ~bad))
        numbered = packet | simple | np.isin(kinds, NUMBERED)
        numbers = self.frames + np.cumsum(numbered)
        self.frames = int(numbers[-1]) if len(numbers) else self.frames
        self.unnumbered += int(numbered.sum()) - len(rows)
        keep = np.flatnonzero(~(bad | lost))
        self.untimed += int(untimed[keep].sum())
        keep = keep[self.empties.listed(captured[keep])]
        self.parts.append(
            Records(
                frame=numbers[rows[keep]].astype(np.uint32),
                time=times_of(ticks[keep], near[keep], untimed[keep], self.clocks[low:]),
                at=fields["at"][keep],
                captured=captured[keep].astype(np.uint32),
                length=fields["length"][keep].astype(np.uint32),
                interface=interface[keep].astype(np.uint16),
            )
        )


def _agreed(good: Mask) -> int:
    """Count the rows before the first that is not good."""
    return len(good) if good.all() else int(np.argmin(good))
