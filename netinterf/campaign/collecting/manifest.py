"""Which captures are collected, and whose they are: paths of one place, or a table of many.

Files of measurements of OONI's probes are collected like captures.
"""

import csv
import os
from collections.abc import Callable, Iterable, Iterator

from netinterf.campaign.collecting.collect import Found
from netinterf.campaign.place import Place
from netinterf.capture import walk_captures
from netinterf.errors import CaptureError, ParameterError, UnreadableSource
from netinterf.ooni import is_ooni

__all__ = ["found_by_manifest", "found_by_path"]

NEEDED = ("path", "place")
"""Columns that a manifest must have; ``asn`` and ``country`` it may have, and others are of no concern here."""


def found_by_path(
    paths: Iterable[str | os.PathLike[str]], place: Place, known: Callable[[str], bool]
) -> Iterator[Found]:
    """Find captures of one place."""
    return ((capture, place) for capture in walk_captures(paths, collectable(known)))


def collectable(known: Callable[[str], bool]) -> Callable[[str], bool]:
    """Say of files, beside those that are known, which hold measurements; captures are known by themselves."""
    return lambda path: known(path) or (os.path.isfile(path) and is_ooni(path))


def found_by_manifest(manifest: str | os.PathLike[str], known: Callable[[str], bool]) -> Iterator[Found]:
    """Find captures of many places, line by line; a line that cannot be used is an error of its own.

    Args:
        manifest: A CSV file with the columns ``path`` (a capture, a folder or a pattern, from where the manifest is)
            and ``place``, and perhaps ``asn`` and ``country`` of the place.
        known: Says which files need no look.

    Raises:
        ParameterError: It cannot be read, or lacks a column.
    """
    name = os.fspath(manifest)
    try:
        with open(manifest, encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            header = [cell.strip().lower() for cell in next(lines, [])]
            if missing := [column for column in NEEDED if column not in header]:
                raise ParameterError("manifest", name, f"a CSV file with the columns path and place (no {missing[0]})")
            for cells in lines:
                if any(map(str.strip, cells)):
                    where = f"{name}, line {lines.line_num}"
                    yield from _of_line(dict(zip(header, map(str.strip, cells), strict=False)), where, name, known)
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise ParameterError("manifest", name, f"a readable CSV file ({reason})") from cause


def _of_line(cells: dict[str, str], where: str, manifest: str, known: Callable[[str], bool]) -> Iterator[Found]:
    """Find the captures of one line."""
    path, number = cells.get("path", ""), cells.get("asn", "").upper().removeprefix("AS")
    try:
        if not path:
            raise ValueError("there is no path")
        place = Place(
            name=cells.get("place", ""), asn=int(number) if number else None, country=cells.get("country", "").upper()
        )
    except ValueError as cause:
        yield UnreadableSource(where, str(cause)), Place()
        return
    for capture in walk_captures([os.path.join(os.path.dirname(manifest), path)], collectable(known)):
        told = UnreadableSource(where, str(capture)) if isinstance(capture, CaptureError) else capture
        yield told, place
