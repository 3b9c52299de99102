"""Find captures among paths, folders and patterns, by what files contain."""

import glob
import os
from collections.abc import Iterator, Sequence
from types import ModuleType

from netinterf.capture.source import peek
from netinterf.errors import CaptureError, MissingExtra, ParameterError, UnreadableSource
from netinterf.values import frozen

__all__ = ["CaptureSearch", "find_captures", "identity"]


@frozen
class CaptureSearch:
    """What a search found.

    Args:
        captures: Paths of captures (and ``"-"``), each once, in the order asked for; within a folder sorted.
        skipped: How many files in folders and behind patterns are no captures.
        errors: What was named and cannot be used, and what could not be looked at.
    """

    captures: tuple[str, ...]
    skipped: int
    errors: tuple[CaptureError, ...]


def find_captures(paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> CaptureSearch:
    """Find captures by content; suffixes play no part.

    Args:
        paths: Files, folders (searched recursively, links to folders not followed), patterns (``*``, ``?``, ``[…]``,
            ``**``) or ``"-"``; one or many. A file named outright is always taken: opening it tells what is wrong.

    Returns:
        Captures, the number of files skipped, and errors: a path or pattern that leads to nothing, a folder without
        captures, a file that cannot be read.

    Raises:
        ParameterError: One of *paths* is no path.
    """
    listed = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    for path in listed:
        if not isinstance(path, str | os.PathLike):
            raise ParameterError("paths", path, "a path, a pattern or '-'")
    search = _Search()
    for path in listed:
        search.add(os.fspath(path))
    return CaptureSearch(tuple(search.captures), search.skipped, tuple(search.errors))


class _Search:
    """What was found so far."""

    def __init__(self) -> None:
        self.captures: dict[str, None] = {}
        self.seen: set[str] = set()
        self.skipped = 0
        self.errors: list[CaptureError] = []

    def add(self, path: str) -> None:
        """Look at what was named: a file, a folder, a pattern, or standard input."""
        if "\0" in path:
            self.errors.append(UnreadableSource(path, "cannot be read: the name holds a null byte"))
            return
        if os.path.isdir(path):
            self._look(path, list(_files(path, self.errors)), "the folder holds no captures")
        elif path == "-" or os.path.lexists(path):
            self._take(path)
        elif glob.has_magic(path):
            matches = sorted(glob.glob(path, recursive=True))
            files = [
                file for match in matches for file in (_files(match, self.errors) if os.path.isdir(match) else [match])
            ]
            reason = "no capture matches" if matches else "no file matches"
            self._look(path, files, reason)
        else:
            self.errors.append(UnreadableSource(path, "there is no such file or folder"))

    def _look(self, path: str, files: list[str], otherwise: str) -> None:
        """Take those files that are captures."""
        holds_captures = False
        for file in files:
            try:
                capture = os.path.isfile(file) and bool(peek(file))
            except CaptureError as error:
                self.errors.append(error)
                continue
            except MissingExtra as cause:
                self.errors.append(UnreadableSource(file, str(cause)))
                continue
            if capture:
                holds_captures = True
                self._take(file)
            else:
                self.skipped += 1
        if not holds_captures:
            self.errors.append(UnreadableSource(path, otherwise))

    def _take(self, path: str) -> None:
        """Add a capture unless it is there already."""
        key = path if path == "-" else identity(path)
        if key not in self.seen:
            self.seen.add(key)
            self.captures[path] = None


def identity(path: str, rules: ModuleType = os.path) -> str:
    """Write a path so that two ways to write one file are equal: Windows ignores case and takes both slashes.

    Args:
        path: Any path.
        rules: Whose paths it is one of: ``posixpath`` or ``ntpath``; those of this system when left out.
    """
    same: str = rules.normcase(rules.abspath(path))
    return same


def _files(folder: str, errors: list[CaptureError]) -> Iterator[str]:
    """List the files below a folder, sorted."""

    def unreadable(cause: OSError) -> None:
        errors.append(UnreadableSource(str(cause.filename), f"cannot be listed: {cause.strerror}"))

    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders.sort()
        for file in sorted(files):
            yield os.path.join(place, file)
