"""A folder of small captures, of which the oldest leave when it is full.

Only files that a ring made are ever counted or deleted, known by their names: a number that counts up, which tells
their age whatever clocks do, a time, and a mechanism. Nothing in a name is from what packets hold.
"""

import errno
import os
import re
import stat
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

import numpy as np

from netinterf.errors import ParameterError
from netinterf.writing import ASIDE, NewFile

__all__ = ["Ring"]

NAME = re.compile(r"netinterf-([0-9]{8,18})-[0-9]{8}T[0-9]{6}Z-[a-z0-9.-]{1,64}\.pcapng")
MOST = 10**17  # the highest number from which a ring counts on
ELSE = re.compile(r"[^a-z0-9.]")  # what no mechanism but a plugin's is called by
UNFINISHED = ASIDE + "ring-"
LEFT = re.compile(re.escape(UNFINISHED) + "[0-9a-f]{16}")
LOCK = ".netinterf-ring.lock"
BLOCK = 4096  # bytes that even the smallest file takes on most file systems


class Ring:
    """Keep captures in a folder, as many as there is room for.

    Args:
        folder: Where; it is made where there is none.
        room: Bytes that its files take together, at most; one more is there while it is written.

    Attributes:
        size: Bytes that its files take, in whole blocks.
        let_go: Files that left since it was opened.

    Raises:
        ParameterError: The folder cannot be written to, or another process keeps a ring in it.
    """

    def __init__(self, folder: str, room: int) -> None:
        self.folder, self.size, self.let_go = folder, 0, 0
        self._room = room
        self._files: deque[tuple[str, int]] = deque()  # names and sizes, the oldest first
        self._last = 0  # number of the youngest
        try:
            os.makedirs(folder, exist_ok=True)
            self._handle = locked(os.path.join(folder, LOCK))
        except BlockingIOError as cause:
            raise ParameterError("ring", folder, "a folder of its own: another process keeps a ring there") from cause
        except OSError as cause:
            raise ParameterError("ring", folder, f"a folder to write to ({cause.strerror or cause})") from cause
        try:
            self._find()
            self._make_room(0)
        except OSError as cause:
            self.close()
            raise ParameterError("ring", folder, f"a folder to write to ({cause.strerror or cause})") from cause

    def add(self, began: int, mechanism: str, write: Callable[[BinaryIO], None]) -> bool:
        """Write a capture, and let the oldest go until there is room for it.

        Args:
            began: When what it shows began, ns since 1970 UTC.
            mechanism: What it shows.
            write: Writes it.

        Returns:
            Whether it was kept; it is not where it needs more room than there is for all.

        Raises:
            OSError: The folder is gone, or full, or cannot be written to any more.
        """
        there = os.stat(os.path.join(self.folder, LOCK))
        if not os.path.samestat(there, os.fstat(self._handle)):
            raise FileNotFoundError(errno.ENOENT, "it was replaced by another", self.folder)
        path = self._next(began, mechanism)
        while os.path.lexists(path):  # somebody put it there, perhaps a link to somewhere else
            path = self._next(began, mechanism)
        with NewFile(path, aside=UNFINISHED) as file:
            write(file.stream)
            size = in_blocks(file.stream.tell())
            if size > self._room:
                file.abandon()
                return False
            file.stream.flush()  # what it takes is there before anything leaves for it
            self._make_room(size)
        self._files.append((os.path.basename(path), size))
        self.size += size
        return True

    def close(self) -> None:
        """Let others keep a ring there."""
        os.close(self._handle)

    def _next(self, began: int, mechanism: str) -> str:
        """Give the path of the next file."""
        self._last += 1
        time = np.datetime_as_string(np.datetime64(began, "ns"), unit="s").replace("-", "").replace(":", "")
        return os.path.join(self.folder, f"netinterf-{self._last:08}-{time}Z-{ELSE.sub('-', mechanism)[:64]}.pcapng")

    def _find(self) -> None:
        """Look for files of rings before, and delete what one that was killed had not finished."""
        found: list[tuple[int, str, int]] = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                number, is_file = number_of(entry.name), entry.is_file(follow_symlinks=False)
                self._last = max(self._last, number)  # which is taken, whatever it is
                if number and is_file:
                    found.append((number, entry.name, in_blocks(entry.stat(follow_symlinks=False).st_size)))
                elif is_file and LEFT.fullmatch(entry.name):
                    os.unlink(entry.path)
        if self._last > MOST:
            raise OSError(errno.ERANGE, f"a file there is numbered {self._last}, and nothing can be numbered behind it")
        self._files.extend((name, size) for _, name, size in sorted(found))
        self.size = sum(size for _, size in self._files)

    def _make_room(self, size: int) -> None:
        """Delete the oldest files until so many bytes fit in."""
        while self._files and self.size + size > self._room:
            oldest, taken = self._files[0]
            with suppress(FileNotFoundError):  # somebody took it
                path = os.path.join(self.folder, oldest)
                if stat.S_ISREG(os.lstat(path).st_mode):  # or somebody put something else there
                    os.unlink(path)
                    self.let_go += 1
            self._files.popleft()
            self.size -= taken


def number_of(name: str) -> int:
    """Read the number of a file that is called as those of a ring are; 0 for others."""
    matched = NAME.fullmatch(name)
    number = 0 if matched is None else int(matched[1])
    return number if matched is not None and matched[1] == f"{number:08}" else 0


def in_blocks(size: int) -> int:
    """Say how many bytes a file takes."""
    return -(-size // BLOCK) * BLOCK


def locked(path: str) -> int:
    """Open a file that no other process has open in the same way; a system lets go of it when the process ends.

    Raises:
        BlockingIOError: Another has.
        OSError: It cannot be opened.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            except OSError as cause:
                raise BlockingIOError(*cause.args) from cause
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle
