"""Find captures among paths, folders and patterns, by what files contain."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType

from netinterf.capture.source import peek
from netinterf.errors import CaptureError, MissingExtra, ParameterError, UnreadableSource
from netinterf.values import frozen
from netinterf.writing import ASIDE

__all__ = ["CaptureSearch", "NoCapture", "find_captures", "identity", "walk_captures"]


CLAIMS, PACKED = (".pcap", ".pcapng", ".cap"), (".gz", ".bz2", ".xz", ".zst")
"""Ends of names that captures have, perhaps with one of a compressed file behind."""


@frozen
class NoCapture:
    """A file in a folder, or behind a pattern, that is no capture."""

    path: str

    @property
    def misnamed(self) -> bool:
        """Whether it is called as captures are, so that somebody may miss it."""
        name = self.path.lower()
        return any(name.endswith(end + packed) for end in CLAIMS for packed in ("", *PACKED))


@frozen
class CaptureSearch:
    """What a search found.

    Args:
        captures: Paths of captures (and ``"-"``), each once, in the order asked for; within a folder sorted.
        skipped: How many files in folders and behind patterns are no captures.
        errors: What was named and cannot be used, and what could not be looked at.
        misnamed: Those of the skipped files that are called as captures are.
    """

    captures: tuple[str, ...]
    skipped: int
    errors: tuple[CaptureError, ...]
    misnamed: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All that is read or would be: captures, and what cannot be looked at."""
        return (*self.captures, *(error.source for error in self.errors))


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
    captures, seen, skipped, errors, misnamed = list[str](), set[str](), 0, list[CaptureError](), list[str]()
    for found in walk_captures(paths):
        if isinstance(found, NoCapture):
            skipped += 1
            misnamed += [found.path] if found.misnamed else []
        elif isinstance(found, CaptureError):
            errors.append(found)
        elif (key := found if found == "-" else identity(found)) not in seen:
            seen.add(key)
            captures.append(found)
    return CaptureSearch(tuple(captures), skipped, tuple(errors), tuple(misnamed))


def walk_captures(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], known: Callable[[str], bool] | None = None
) -> Iterator[str | CaptureError | NoCapture]:
    """Find captures one after the other, as `find_captures` does, and keep none: there may be millions.

    Args:
        paths: Files, folders, patterns or ``"-"``; one or many.
        known: Says which files are captures without a look at them.

    Yields:
        A capture, as often as it is named; a file that is none; or what is wrong.

    Raises:
        ParameterError: One of *paths* is no path.
    """
    listed: Iterable[object] = [paths] if isinstance(paths, str | os.PathLike) else paths
    for path in listed:
        if not isinstance(path, str | os.PathLike):
            raise ParameterError("paths", path, "a path, a pattern or '-'")
        yield from _named(os.fspath(path), known or (lambda _: False))


def _named(path: str, known: Callable[[str], bool]) -> Iterator[str | CaptureError | NoCapture]:
    """Look at what was named: a file, a folder, a pattern, or standard input."""
    if "\0" in path:
        yield UnreadableSource(path, "cannot be read: the name holds a null byte")
    elif os.path.isdir(path):
        yield from _looked_at(path, _files(path), "the folder holds no captures", known)
    elif path == "-" or os.path.lexists(path):
        yield path
    elif glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))
        files = (file for match in matches for file in (_files(match) if os.path.isdir(match) else [match]))
        yield from _looked_at(path, files, "no capture matches" if matches else "no file matches", known)
    else:
        yield UnreadableSource(path, "there is no such file or folder")


def _looked_at(
    path: str, files: Iterable[str | CaptureError], otherwise: str, known: Callable[[str], bool]
) -> Iterator[str | CaptureError | NoCapture]:
    """Take those files that are captures."""
    holds_captures = False
    for file in files:
        if isinstance(file, CaptureError):
            yield file
            continue
        try:
            capture = known(file) or (os.path.isfile(file) and bool(peek(file)))
        except CaptureError as error:
            yield error
            continue
        except MissingExtra as cause:
            yield UnreadableSource(file, str(cause))
            continue
        holds_captures |= capture
        yield file if capture else NoCapture(file)
    if not holds_captures:
        yield UnreadableSource(path, otherwise)


def identity(path: str, rules: ModuleType = os.path) -> str:
    """Write a path so that two ways to write one file are equal: Windows ignores case and takes both slashes.

    Args:
        path: Any path.
        rules: Whose paths it is one of: ``posixpath`` or ``ntpath``; those of this system when left out.
    """
    same: str = rules.normcase(rules.abspath(path))
    return same


def _files(folder: str) -> Iterator[str | CaptureError]:
    """List the files below a folder, sorted, but for those that are not whole; and folders that cannot be listed."""
    unlisted: list[CaptureError] = []

    def unreadable(cause: OSError) -> None:
        unlisted.append(UnreadableSource(str(cause.filename), f"cannot be listed: {cause.strerror}"))

    for place, folders, files in os.walk(folder, onerror=unreadable):
        yield from unlisted
        unlisted.clear()
        folders.sort()
        for file in sorted(files):
            if not file.startswith(ASIDE):
                yield os.path.join(place, file)
    yield from unlisted
