"""Which captures a verb reads: those that are named or listed, and of these perhaps only the new ones."""

import argparse
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import attrs

from netinterf.capture.finding import CaptureSearch
from netinterf.cli.exit_status import complain
from netinterf.cli.options import find_or_complain
from netinterf.errors import ParameterError, UsageError

__all__ = ["chosen"]


def chosen(arguments: argparse.Namespace) -> CaptureSearch:
    """Find the captures that arguments speak of (`add_paths`).

    Raises:
        UsageError: None are named, a list cannot be read, or it is not known since when.
    """
    paths = list(arguments.paths)
    if arguments.files_from is not None:
        if arguments.files_from == "-" and "-" in paths:
            raise UsageError("standard input holds either a capture or a list of captures")
        paths += listed(arguments.files_from, b"\0" if arguments.null else b"\n")
    elif arguments.null:
        raise UsageError("-0 goes with --files-from")
    elif not paths:
        raise UsageError("no PATH: name captures, or a list of them by --files-from")
    since = None if arguments.newer_than is None else moment(arguments.newer_than)
    found = find_or_complain(paths)
    return found if since is None else newer(found, since, arguments.newer_than)


def listed(file: str, end: bytes) -> Sequence[str]:
    """Read a list of paths.

    Raises:
        ParameterError: It cannot be read.
    """
    try:
        if file == "-":
            content = sys.stdin.buffer.read()
        else:
            with open(file, "rb") as stream:
                content = stream.read()
    except (OSError, AttributeError) as cause:  # the latter where standard input is closed
        raise ParameterError("files-from", file, f"a file to read ({cause})") from cause
    lines = content.split(end) if end == b"\0" else content.splitlines()
    return [os.fsdecode(line) for line in lines if line]


def moment(when: str) -> float:
    """Read since when captures are new, s since 1970; a day or time without a zone is of this machine's.

    Raises:
        ParameterError: It is neither a time nor a file.
    """
    try:
        return datetime.fromisoformat(when).timestamp()
    except ValueError:
        pass
    try:
        return os.stat(when).st_mtime
    except (OSError, ValueError) as cause:
        raise ParameterError("newer-than", when, "a day, a time (ISO 8601), or a file") from cause


def newer(found: CaptureSearch, since: float, when: str) -> CaptureSearch:
    """Leave out files that were not written to since; what is no file is always new."""
    kept = tuple(path for path in found.captures if written_to(path) > since)
    if left := len(found.captures) - len(kept):
        complain(f"{left:,} capture{'s are' if left > 1 else ' is'} not newer than {when}")
    return attrs.evolve(found, captures=kept)


def written_to(path: str) -> float:
    """Say when a file was last written to; one that cannot be looked at, and a pipe, counts as new."""
    with suppress(OSError, ValueError):
        if stat.S_ISREG((status := os.stat(path)).st_mode):
            return status.st_mtime
    return float("inf")
