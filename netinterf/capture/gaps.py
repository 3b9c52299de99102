"""Times that a recording does not hold: what happened then is not known, and silence then means nothing.

Between rotated files, as within one, there is just a pause where nobody sends. A pause is a gap where something else
says that packets are missing: a file that could not be read, a number that the names leave out, a recorder that was
started anew, or a length that nothing within the files comes near. Within a file it is where damage was skipped
(`netinterf.capture.counting`).
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from operator import attrgetter

from netinterf.capture.numbered import counted, natural
from netinterf.schema import Diagnostic, File, Files
from netinterf.values import frozen

__all__ = ["GAP", "Gap", "find_gaps", "gap_notes", "in_order"]

GAP = "capture.gap"
"""Code of the diagnostic that says between which files packets are missing."""

LONGER = 100
"""Times a pause between files must be longer than any within them (judgement): a quiet hour has company, quiet minutes;
a machine that slept has not."""

ENOUGH = 1000
"""Packets that there must be for each pause between files: so the longest of all pauses lies between two files once in
as many recordings, if it was not the files that made it."""

DUMPCAP = re.compile(r"_(?P<number>[0-9]{5})_[0-9]{14}|_[0-9]{14}_(?P<last>[0-9]{5})")
"""Number and time in the names of dumpcap (Wireshark User's Guide, "File Sets"), or the other way round
(``nametimenum``). It counts modulo 100,000 (``RINGBUFFER_MAX_NUM_FILES``), however few files a ring keeps."""

LAST = 99_999


@frozen
class Gap:
    """Packets are missing between two files, or within one.

    Args:
        began: Time of the last packet before, ns.
        ended: Time of the first one after.
        after: The file before it, or that it lies in, by its place among all, from 1.
        why: What says so.
    """

    began: int
    ended: int
    after: int
    why: str


def find_gaps(files: Files, left_out: Sequence[str] = ()) -> tuple[Gap, ...]:
    """Find the gaps of a recording.

    Args:
        files: Its files.
        left_out: Names of those that could not be read.
    """
    held = [(place, file) for place, file in enumerate(files, 1) if file.began is not None]
    between = list(pairwise(held))
    steps = counted([(one.path, other.path) for (_, one), (_, other) in between])
    names = [file.path for file in files]
    longest = max((file.pause for file in files), default=0)
    rare = sum(file.packets for file in files) >= ENOUGH * len(between)
    gaps, latest = list[Gap](), 0
    for ((place, one), (_, other)), step in zip(between, steps, strict=True):
        latest = max(latest, one.ended or 0)
        pause = (other.began or 0) - latest
        if pause > 0:
            why = said(one, other, step, left_out, names)
            if not why and rare and pause > LONGER * longest:
                why = "the pause is far longer than any within the files"
            if why:
                gaps.append(Gap(latest, latest + pause, place, why))
    return tuple(gaps)


def said(one: File, other: File, step: tuple[int, int] | None, left_out: Sequence[str], names: Sequence[str]) -> str:
    """Say what the names of two adjoining files tell of packets between them; empty where they tell nothing."""
    if any(natural(one.path) < natural(name) < natural(other.path) for name in left_out):
        return "a file could not be read"
    numbers = [
        int(found["number"] or found["last"])
        for found in map(DUMPCAP.search, (one.path, other.path))
        if found is not None
    ]
    begin, end = numbers if len(numbers) == 2 else step or (0, 0)
    if end - begin > 1:
        between = sum(natural(one.path) < natural(name) < natural(other.path) for name in names)
        if end - begin - 1 > between:
            return "a number is missing in the names"
    return "the recorder was started anew" if len(numbers) == 2 and end <= begin != LAST else ""


def in_order(*gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """List gaps of several kinds in the order of time."""
    return tuple(sorted(chain(*gaps), key=attrgetter("began")))


def gap_notes(gaps: Sequence[Gap]) -> tuple[Diagnostic, ...]:
    """Say between which files packets are missing, gaps of one reason together."""
    notes = []
    for why in dict.fromkeys(gap.why for gap in gaps):
        alike = [gap for gap in gaps if gap.why == why]
        first, more = alike[0], f" and {len(alike) - 1:,} more" if len(alike) > 1 else ""
        seconds = (first.ended - first.began) / 1e9
        message = (
            f"packets are missing between files {first.after} and {first.after + 1}{more} ({seconds:,.1f} s): {why}; "
            "what was silent then is not known"
        )
        notes.append(Diagnostic(GAP, message, count=len(alike)))
    return tuple(notes)
