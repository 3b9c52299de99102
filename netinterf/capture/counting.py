"""Frames and interfaces counted through the files of a recording, one file after the other; and notes about them."""

from collections.abc import Iterable, Sequence

import attrs
import numpy as np

from netinterf.capture.formats import Interface
from netinterf.capture.gaps import Gap
from netinterf.schema import Diagnostic, File, Files, Records

__all__ = ["Counting", "in_file"]

DAMAGE = "the file is damaged"

UNKNOWN = 65_535  # the interface of frames whose file describes none


class Counting:
    """Counts through files; those of a single one stay as they are.

    Attributes:
        files: The files that were begun; none while there is one, unless it is *joined*.
        interfaces: Those of all files; alike ones of two files are one, of one file several.
        damaged: Where damage was skipped within them, in the order of frames.
    """

    def __init__(self, *, joined: bool = False) -> None:
        self._joined = joined
        self._files: list[File] = []
        self._interfaces: list[Interface] = []
        self._places: list[int] = []  # of the interfaces of the last file, among all
        self._alike: dict[Interface, list[int]] = {}  # places of those of earlier files that may be the same
        self._frames = 0
        self.damaged: list[Gap] = []
        self._told = 0  # gaps of the last file that are among them

    @property
    def files(self) -> Files:
        """The files that were begun; none where there is but one that is joined to nothing."""
        return Files(tuple(self._files) if self._joined or len(self._files) > 1 else ())

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those of all files."""
        return tuple(self._interfaces)

    def begin(self, path: str) -> None:
        """Begin the next file."""
        self._files.append(File(path, self._frames + 1))
        self._places, self._alike, self._told = [], {}, 0
        for place in reversed(range(len(self._interfaces))):
            self._alike.setdefault(self._interfaces[place], []).append(place)

    def number(
        self, records: Records, interfaces: tuple[Interface, ...], before: int, behind: Sequence[int] = ()
    ) -> Records:
        """Number frames of the last file, and what they refer to.

        Args:
            records: The frames, numbered as if there were no other file.
            interfaces: Those that the file has described so far.
            before: Where the file begins among all bytes.
            behind: Numbers of the frames that come first behind damage, of the whole file so far.
        """
        self._place(interfaces)
        self._find_damage(records, behind)
        file = self._files[-1]
        if file.first_frame > 1:
            records = attrs.evolve(records, frame=records.frame + np.uint32(file.first_frame - 1))
        if before:
            records = attrs.evolve(records, at=records.at + before)
        if len(self._files) > 1:
            places = np.minimum([*self._places, UNKNOWN], UNKNOWN).astype(np.uint16)
            records = attrs.evolve(records, interface=places[np.minimum(records.interface, len(self._places))])
        if len(records):
            self._files[-1] = with_times(file, records)
            self._frames = max(self._frames, int(records.frame.max()))
        return records

    def _find_damage(self, records: Records, behind: Sequence[int]) -> None:
        """Tell when frames are missing that damage took: from the last one before to the first one behind it."""
        if len(behind) == self._told:
            return
        file, latest = self._files[-1], np.maximum.accumulate(records.time)
        for number in behind[self._told :]:
            row = int(np.searchsorted(records.frame, number))
            if row == len(records):
                return  # it comes with the next ones
            known = [time for time in (file.ended, int(latest[row - 1]) if row else None) if time is not None]
            if known:
                began = max(known)
                self.damaged.append(Gap(began, max(began, int(records.time[row])), len(self._files), DAMAGE))
            self._told += 1

    def _place(self, interfaces: tuple[Interface, ...]) -> None:
        """Find the interfaces of a file among those of all."""
        for face in interfaces[len(self._places) :]:
            alike = self._alike.get(face)
            self._places.append(alike.pop() if alike else len(self._interfaces))
            if self._places[-1] == len(self._interfaces):
                self._interfaces.append(face)


def with_times(file: File, records: Records) -> File:
    """Tell when the packets of a file were recorded, of which more have become known."""
    time = records.time if file.ended is None else np.append(np.int64(file.ended), records.time)
    latest = np.maximum.accumulate(time)
    pauses = time[1:] - latest[:-1]
    began = int(records.time.min())
    return attrs.evolve(
        file,
        began=began if file.began is None else min(began, file.began),
        ended=int(latest[-1]),
        pause=max(file.pause, int(pauses.max(initial=0))),
        packets=file.packets + len(records),
    )


def in_file(name: str, notes: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Say of which file notes are; their offsets are in it."""
    return [attrs.evolve(note, message=f"{name}: {note.message}") for note in notes]
