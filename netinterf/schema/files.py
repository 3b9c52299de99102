"""The files of one recording: which of its frames lie in which, and by what numbers."""

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property

from netinterf.values import frozen

__all__ = ["File", "Files"]


@frozen
class File:
    """One of the files of a recording; times are ns since 1970 UTC.

    Args:
        path: What it is called.
        first_frame: Number of its first frame, counted through all files.
        began: Time of its first packet, None without any.
        ended: Time of its last.
        pause: The longest time between two of its packets, ns.
        packets: How many it has.
    """

    path: str
    first_frame: int
    began: int | None = None
    ended: int | None = None
    pause: int = 0
    packets: int = 0


@frozen
class Files:
    """The files that a recording was joined from, in the order of their frames; none where it is one file."""

    each: tuple[File, ...] = ()

    def __len__(self) -> int:
        return len(self.each)

    def __iter__(self) -> Iterator[File]:
        return iter(self.each)

    @cached_property
    def _first_frames(self) -> list[int]:
        return [file.first_frame for file in self.each]

    @cached_property
    def _in_one_folder(self) -> bool:
        return len({os.path.dirname(file.path) for file in self.each}) == 1

    def placed(self, frame: int) -> tuple[File, int]:
        """Say which file a frame is in, and the number that it has there; there is at least one file."""
        file = self.each[max(bisect_right(self._first_frames, frame) - 1, 0)]
        return file, frame - file.first_frame + 1

    def apart(self, frames: Iterable[int]) -> dict[File, list[int]]:
        """Sort frames by the file they are in, with the numbers that they have there; nothing where there is none."""
        numbers: dict[File, list[int]] = {}
        for frame in frames if self.each else ():
            file, number = self.placed(frame)
            numbers.setdefault(file, []).append(number)
        return numbers

    def called(self, file: File) -> str:
        """Name a file for people: by its path, or by the end of it where all are in one folder."""
        return os.path.basename(file.path) if self._in_one_folder else file.path

    def named(self, name: str) -> File | None:
        """Find the file that people call so; None where there is none."""
        return next((file for file in self.each if name in {file.path, self.called(file)}), None)
