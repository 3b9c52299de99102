"""Files beneath one folder, and nothing else: no link, no other name and no swap leads out of it.

A path is resolved first, so that links within the folder may be used, and must then lie beneath the folder. After that
the file is opened name by name, each beneath the folder that was opened before, and no link is followed any more: who
puts a link in the place of a folder meanwhile gets an error. Where a system cannot open beneath an open folder
(Windows), it is resolved again once it is open, and must be the same file. All that is read comes from what was opened.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import PurePath
from typing import BinaryIO

from netinterf.errors import ParameterError, RefusedPath

__all__ = ["Root"]

LONGEST = 4096
"""Characters of a path (Linux, PATH_MAX)."""

BENEATH = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether a file can be opened beneath an open folder."""

READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
UNLINKED = READ | getattr(os, "O_NOFOLLOW", 0)
FOLDER = UNLINKED | getattr(os, "O_DIRECTORY", 0)
FILE = UNLINKED | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""How folders and files are opened: a pipe with nobody at its other end makes nobody wait."""


class Root:
    """A folder that is served.

    Args:
        path: Where it lies.

    Raises:
        ParameterError: There is no such folder.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        if not os.path.isdir(self.path):
            raise ParameterError("root", path, "a folder")
        self._open = os.open(self.path, FOLDER) if BENEATH else -1

    def place(self, given: str) -> PurePath:
        """Resolve a path, and say where beneath the folder it leads.

        Raises:
            RefusedPath: It is no path, or leads out of the folder.
        """
        if not given or len(given) > LONGEST or "\0" in given or given == "-" or "://" in given:
            raise RefusedPath("expected the path of a file beneath the folder that is served")
        try:
            place = os.path.realpath(os.path.join(self.path, given))
            return PurePath(place).relative_to(self.path)
        except (OSError, ValueError):  # also what cannot be a path on this system
            raise RefusedPath("this path leads out of the folder that is served") from None

    def open(self, given: str) -> BinaryIO:
        """Open a regular file for reading.

        Raises:
            RefusedPath: It is no path, leads out of the folder or to no regular file, or cannot be opened.
        """
        place = self.place(given)
        try:
            handle = self._beneath(place, FILE) if BENEATH else self._checked(place)
        except OSError as cause:
            missing = isinstance(cause, FileNotFoundError | NotADirectoryError)
            why = "there is no such file" if missing else "this file cannot be opened"
            raise RefusedPath(f"{why} in the folder that is served") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise RefusedPath("this is no regular file")
        return os.fdopen(handle, "rb", buffering=0)

    def folder(self, given: str) -> str:
        """Resolve a folder in which no link lies, for readers that take a path.

        Raises:
            RefusedPath: It leads out of the folder that is served or to no folder, or holds links.
        """
        path = os.path.join(self.path, self.place(given))
        if not os.path.isdir(path):
            raise RefusedPath("there is no such folder in the folder that is served")
        for at, folders, files in os.walk(path):
            if any(os.path.islink(os.path.join(at, name)) for name in (*folders, *files)):
                raise RefusedPath("this folder holds links, which are not followed")
        return path

    def walk(self) -> Iterator[str]:
        """List files and folders below, sorted in each folder: folders end in a slash, and links are passed over."""
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(os.path.join(self.path, folder)) as entries:
                    listed = sorted(entries, key=lambda entry: entry.name)
            except OSError:  # gone, or not to be looked at
                continue
            below = []
            for entry in listed:
                name = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    below.append(f"{name}/")
                    yield f"{name}/"
                elif entry.is_file(follow_symlinks=False):
                    yield name
            waiting += reversed(below)

    def _beneath(self, place: PurePath, flags: int) -> int:
        """Open a file name by name, following no link."""
        at, names = os.dup(self._open), place.parts or (".",)
        try:
            for name in names[:-1]:
                below = os.open(name, FOLDER, dir_fd=at)
                os.close(at)
                at = below
            return os.open(names[-1], flags, dir_fd=at)
        finally:
            os.close(at)

    def _checked(self, place: PurePath) -> int:
        """Open a file by its path, and see that it still is the file that lies there and nowhere else."""
        path = os.path.join(self.path, place)
        handle = os.open(path, READ)
        if os.path.realpath(path) == path and os.path.samestat(os.stat(path), os.fstat(handle)):
            return handle
        os.close(handle)
        raise PermissionError
