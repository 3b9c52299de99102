"""The same judgement for programs that own the loop: bytes or packets in, verdicts out.

A session holds the latest packets, its *window*, and judges the window as a scan judges a capture: when asked for what
is known so far, when the window is full, and at the end. A full window lets conversations go, those that are over
first, and their verdicts are final. So the memory a session takes does not grow with the stream, and a stream that fits
into the window is judged exactly as a scan judges it.

A session reads no clock, keeps no thread and does no input or output: who feeds it decides when to look.
"""

from collections.abc import Callable, Sequence
from copy import copy
from types import TracebackType
from typing import Self

import attrs
import numpy as np
from numpy.typing import ArrayLike

from netinterf.analyzers.base import Analyzer
from netinterf.arrays import I64, U32, Mask
from netinterf.capture.rotated import RotatedStream
from netinterf.capture.source import name_of
from netinterf.capture.stream import FrameBatch, PacketStream, Stream
from netinterf.context.outside import Answers, Networks, Outside
from netinterf.decode import LINK_TYPES
from netinterf.decode.link_types import link_number
from netinterf.engine.control import known_answers
from netinterf.engine.departure import Departure
from netinterf.engine.judged import Judged, Summary
from netinterf.engine.judged_window import JudgedWindow, judge_window
from netinterf.engine.options import Options
from netinterf.engine.release import Remembered, leaving
from netinterf.engine.tally import Tally
from netinterf.engine.window import MOST_FRAMES, Window
from netinterf.errors import CaptureError, ParameterError, UsageError
from netinterf.privacy import Redaction
from netinterf.schema import Grade
from netinterf.verdict.model import Model
from netinterf.written.ledger import Ledger
from netinterf.written.several import Part, SeveralVerdicts

__all__ = ["MAX_BYTES", "MAX_PACKETS", "Session"]

GRADES = tuple(Grade)

MAX_PACKETS = 100_000
"""Packets held by default. A window of so many, in short conversations that hold a lot to judge, takes about a second
(``python -m benchmarks session``); at 500 packets a second it reaches back for longer than any resend is waited for."""

MAX_BYTES = 64 << 20
"""Bytes of frames held by default: what so many packets take that are neither small nor full."""

CLOSED = "this session is closed: open another one for another capture"
MIXED = "a session is fed either with the bytes of a capture or with packets"

PIECE = 1 << 20  # bytes taken in at a time, so that a large piece is held no longer than the window allows


class Session:
    """Judge one capture that arrives piece by piece.

    Args:
        analyzers: Which questions to ask, by name or as values; None asks all built-in ones.
        vantage: Where the capture is taken, ``"auto"`` to infer it.
        model: Priors, caps and grades; None takes the model that ships with the library.
        networks: Whose addresses are: a file of networks, several, or their content.
        answers: What names are known to answer: a CSV file ``name,address``, its content, or a capture.
        name: What to call the capture in verdicts.
        max_packets: Packets held at most between two calls.
        max_bytes: Bytes of frames held at most between two calls.
        everything: Return a verdict for every flow and exchange, not only findings and what `so_far` held for one.
        redaction: What to take out of verdicts.
        on_leaving: Called with what leaves the window, while its packets are still there.

    Raises:
        ParameterError: An argument is out of range.
    """

    def __init__(
        self,
        analyzers: Sequence[Analyzer | str] | None = None,
        *,
        vantage: str = "auto",
        model: Model | None = None,
        networks: Networks | None = None,
        answers: Answers | None = None,
        name: str = "-",
        max_packets: int = MAX_PACKETS,
        max_bytes: int = MAX_BYTES,
        everything: bool = True,
        redaction: Redaction | None = None,
        on_leaving: Callable[[Departure], None] | None = None,
    ) -> None:
        for parameter, value in (("max_packets", max_packets), ("max_bytes", max_bytes)):
            if value < 1:
                raise ParameterError(parameter, value, "at least 1")
        outside = Outside.of(networks, known_answers(answers))
        self._options = Options(analyzers=analyzers, vantage=vantage, model=model, outside=outside)
        self._name = name
        self._limits = (max_packets, max_bytes)
        self._everything = everything
        self._redaction = redaction
        self._on_leaving = on_leaving
        self._stream: Stream | None = None
        self._window = Window()
        self._remembered = Remembered()
        self._tally = Tally()
        self._judged_window: JudgedWindow | None = None  # the window as it is, once it was judged
        self._judged: Judged | None = None
        self._ended: Self | None = None  # the session as if the stream had ended, until more of it comes
        self._suspected = np.empty(0, np.int64)  # what so_far held for a finding, by subject_keys
        self._closed = False

    def feed(self, data: bytes | bytearray | memoryview) -> SeveralVerdicts:
        """Take in the next bytes of a pcap or pcapng capture, compressed or not, cut anywhere.

        Returns:
            The verdicts that became final: those of conversations that left the window. Each is written out when it
            is read.

        Raises:
            CaptureError: The bytes are no capture, or more frames than can be numbered: 2,147,483,647.
            UsageError: The session is closed, or is fed with packets.
        """
        stream = self._bytes()
        final: list[Part] = []
        for at in range(0, len(data), PIECE):
            for _ in stream.feeding(bytes(data[at : at + PIECE])):
                if stream.ripe:
                    final += self._take(stream.frames())
        return SeveralVerdicts(final)

    def next_file(self, name: str) -> SeveralVerdicts:
        """Say that what is fed from now on is the next file of the same recording: a rotated one, with its own header.

        Frames count through all files, in the order in which they are fed, and conversations go on from one to the
        next. Files must come in the order of their packets.

        Args:
            name: What to call the file.

        Returns:
            The verdicts that became final, as `feed` does.

        Raises:
            CaptureError: What was fed of the file before is no capture.
            UsageError: The session is closed, or is fed with packets.
        """
        return SeveralVerdicts(self._take(self._bytes().next_file(name)))

    def feed_packets(
        self, times: ArrayLike, frames: Sequence[bytes], link_type: int | str, *, interface: str = ""
    ) -> SeveralVerdicts:
        """Take in packets that a program has in memory.

        Args:
            times: Nanoseconds since 1970 UTC, integers or ``datetime64``, one per frame.
            frames: Bytes of each frame, from the link layer on.
            link_type: Link type of these frames, by number or name.
            interface: Name of the interface that they were taken from, where there are several. What two of them saw
                counts once, as in a capture of several interfaces.

        Returns:
            The verdicts that became final, as `feed` does.

        Raises:
            CaptureError: There are more frames than can be numbered.
            ParameterError: See `netinterf.read`.
            UsageError: The session is closed, or is fed with bytes.
        """
        stream = self._stream or PacketStream()
        if self._closed or not isinstance(stream, PacketStream):
            raise UsageError(CLOSED if self._closed else MIXED)
        self._stream = stream
        stream.feed(times, frames, link_number(link_type), interface)
        return SeveralVerdicts(self._take(stream.frames()) if stream.ripe else ())

    def lost(self, packets: int) -> None:
        """Tell that so many packets, in all, were lost before they could be fed; the diagnostics say so."""
        self._tally = attrs.evolve(self._tally, lost=packets)

    @property
    def missed(self) -> int | None:
        """Packets that the recorder says it missed (pcapng, §4.6 of its draft), so far; None where it says nothing."""
        return None if self._stream is None else self._stream.missed

    def so_far(self) -> Judged:
        """Judge the packets that are held now.

        What is found is provisional: more packets may change it. The summary counts everything since the session began;
        the verdicts are of conversations that are held. They are judged as if the capture ended now: packets behind
        damage, which are held back until others show where records go on, count as far as they can be read.

        Raises:
            UnsupportedLinkType: No interface so far has a known link type.
            UsageError: The session is closed.
        """
        if self._closed:
            raise UsageError("this session is closed: its last judgement is its property judged")
        if self._stream is not None:
            self._hold(self._stream.frames())
        ended, left = self._as_if_ended(), self._tally.flows > 0
        window = ended._judge_window(partial=left or ended._decodable(), in_part=left)
        ledger = window.judged.ledger
        is_finding = ledger.verdicts.grade <= GRADES.index(Grade.POSSIBLE)
        self._suspected = np.union1d(self._suspected, subject_keys(ledger)[is_finding])
        return attrs.evolve(window.judged, summary=ended._summary(window))

    def close(self) -> SeveralVerdicts:
        """End the capture and return all verdicts that were not returned before; a second call returns none.

        Raises:
            CaptureError: What was fed is no capture.
        """
        if self._closed:
            return SeveralVerdicts()
        self._closed, self._ended = True, None
        if self._stream is None:
            self._stream = RotatedStream(name_of(self._name))
        final = self._take(self._stream.close())
        left = self._tally.flows > 0
        window = self._judge_window(partial=left, in_part=left)
        self._judged = attrs.evolve(window.judged, summary=self._summary(window))
        self._judged_window, self._window = None, Window()
        final.append(self._final(window, np.ones(len(self._judged.ledger.verdicts), np.bool_)))
        return SeveralVerdicts(final)

    @property
    def judged(self) -> Judged:
        """Summary of the whole capture; verdicts and evidence of what was held at its end.

        Raises:
            UsageError: The session is not closed yet, or what it was fed could not be judged.
        """
        if self._judged is None:
            raise UsageError("nothing is judged yet: close the session first")
        return self._judged

    @property
    def summary(self) -> Summary:
        """The capture as a whole, once closed."""
        return self.judged.summary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed, self._ended = True, None
        self._judged_window, self._window = None, Window()

    def _bytes(self) -> RotatedStream:
        """Give what takes bytes in.

        Raises:
            UsageError: The session is closed, or is fed with packets.
        """
        stream = self._stream or RotatedStream(name_of(self._name))
        if self._closed or not isinstance(stream, RotatedStream):
            raise UsageError(CLOSED if self._closed else MIXED)
        self._stream, self._ended = stream, None
        return stream

    def _as_if_ended(self) -> Self:
        """Give the session as it would be if the stream ended now: this one, where no frame is held back."""
        if self._ended is not None or self._stream is None:
            return self._ended or self
        stream, batch = self._stream.ended()
        if not len(batch.records):
            return self
        self._ended = copy(self)
        self._ended._stream, self._ended._window = stream, self._window.with_more(batch)
        self._ended._tally, self._ended._judged_window = self._tally.with_frames(batch.records), None
        return self._ended

    def _decodable(self) -> bool:
        """Say whether an interface so far has a known link type."""
        return self._stream is not None and any(face.link_type in LINK_TYPES for face in self._stream.interfaces)

    def _hold(self, batch: FrameBatch) -> None:
        """Put frames into the window."""
        if len(batch.records):
            if int(batch.records.frame[-1]) > MOST_FRAMES:
                raise CaptureError(name_of(self._name), f"more than {MOST_FRAMES:,} frames; open another session")
            self._judged_window = None
            self._window.add(batch)
            self._tally = self._tally.with_frames(batch.records)

    def _take(self, batch: FrameBatch) -> list[Part]:
        """Put frames into the window, and make room where it is too full."""
        final, begin = list[Part](), 0
        while True:
            while self._window.packets > self._limits[0] or self._window.bytes > self._limits[1]:
                final.append(self._release())
            if begin == len(batch.records):
                return final
            end = self._window.full_at(batch, begin, *self._limits)
            self._hold(batch.part(begin, end))
            begin = end

    def _judge_window(self, *, partial: bool, in_part: bool) -> JudgedWindow:
        """Judge the window as it is.

        Args:
            partial: There are other frames: refuse nothing for want of one that can be decoded.
            in_part: There were others, or will be, whose company is missed.
        """
        if self._judged_window is None or self._window.packets == 0:
            stream = PacketStream() if self._stream is None else self._stream
            capture = self._window.capture(name_of(self._name), stream)
            window = judge_window(
                capture, self._name, self._options, self._remembered, partial=partial, in_part=in_part
            )
            judged = window.judged if self._redaction is None else window.judged.redacted(self._redaction)
            self._judged_window = attrs.evolve(window, judged=judged, notes=self._window.in_stream(window.notes))
        return self._judged_window

    def _release(self) -> Part:
        """Judge the window, let conversations go until it is half full, or less, and give their verdicts."""
        final_verdicts, staying = self._leave()
        self._window.keep(staying)
        return final_verdicts

    def _leave(self) -> tuple[Part, U32]:
        """Judge the window, choose who leaves; give their verdicts, and the frames of those that stay."""
        window = self._judge_window(partial=True, in_part=True)
        left = leaving(window.trace, window.remains, self._limits[0] // 2, self._limits[1] // 2)
        verdicts, packets = window.judged.ledger.verdicts, window.trace.packets
        final = left.flows[verdicts.flow]
        final_verdicts = self._final(window, final)
        self._tally = self._tally.with_left(window.trace, verdicts, left, final, window.notes)
        self._remembered = self._remembered.with_flows(window.trace, left.flows & ~window.dns_alone)
        self._judged_window = None
        # what is of no flow is not held any longer
        return final_verdicts, packets.frame[~np.append(left.flows, True)[packets.flow]]

    def _final(self, window: JudgedWindow, final: Mask) -> Part:
        """List some of the verdicts, and the groups of which they are most members; say that they leave."""
        ledger = window.judged.ledger
        keys = subject_keys(ledger)
        is_finding = ledger.verdicts.grade <= GRADES.index(Grade.POSSIBLE)
        reported = final & (self._everything | is_finding | np.isin(keys, self._suspected))
        self._suspected = np.setdiff1d(self._suspected, keys[final])
        members = ledger.groups.subjects
        leave = np.bincount(members.parents(), final[members.values], len(members))
        groups = len(final) + np.flatnonzero(2 * leave > members.lengths)
        rows = np.concatenate([np.flatnonzero(reported), groups])
        if self._on_leaving is not None:
            self._on_leaving(Departure(window.trace, ledger, rows))
        return ledger, rows

    def _summary(self, window: JudgedWindow) -> Summary:
        """Sum up the session so far."""
        stream = () if self._stream is None else self._stream.diagnostics
        return self._tally.summary(window.judged.summary, window.notes, stream)


def subject_keys(ledger: Ledger) -> I64:
    """Tell the subjects of a session apart: by their kind, and the number of their first frame."""
    return ledger.verdicts.subject_kind.astype(np.int64) << 32 | ledger.first_frame
