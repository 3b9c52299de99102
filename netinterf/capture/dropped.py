"""What recorders say that they dropped: the statistics of interfaces in pcapng (draft-ietf-opsawg-pcapng §4.6)."""

import attrs
import numpy as np

from netinterf.arrays import I64, U8
from netinterf.capture.blocks import Statistics, read_statistics
from netinterf.capture.formats import Interface
from netinterf.schema import Diagnostic
from netinterf.values import define
from netinterf.writing import count_of

__all__ = ["DROPPED", "Dropped"]

DROPPED = "capture.dropped"
"""Code of notes that a recorder says it dropped packets."""

MOST_DESCRIBED = 8  # interfaces that are described one by one, as gaps are; others together


@define
class Dropped:
    """What each interface counted last; its counts go on from the beginning of the recording."""

    _latest: dict[int, Statistics] = attrs.field(factory=dict)

    def take(self, buffer: U8, starts: I64, totals: I64, interfaces: I64, order: str) -> None:
        """Read statistics blocks of at least 24 bytes: of each interface the last.

        Args:
            buffer: The bytes at hand.
            starts: Where the blocks begin, ascending.
            totals: Their lengths.
            interfaces: Whose they are, as numbered in the file.
            order: Byte order of their section.
        """
        known, behind = np.unique(interfaces[::-1], return_index=True)
        for place, row in zip(known.tolist(), (len(starts) - 1 - behind).tolist(), strict=True):
            block = buffer[int(starts[row]) : int(starts[row] + totals[row])].tobytes()
            self._latest[place] = read_statistics(block, order)

    @property
    def missed(self) -> int | None:
        """Packets that were dropped on all interfaces; None where nobody says."""
        counted = [counts.lost for counts in self._latest.values() if counts.tells]
        return sum(counted) if counted else None

    def notes(self, interfaces: list[Interface]) -> list[Diagnostic]:
        """Say how many packets were dropped, interface by interface."""
        lossy = [(place, counts) for place, counts in sorted(self._latest.items()) if counts.lost]
        notes = [
            Diagnostic(DROPPED, sentence(place, counts, interfaces), count=counts.lost)
            for place, counts in lossy[:MOST_DESCRIBED]
        ]
        more = lossy[MOST_DESCRIBED:]
        if more:
            packets = sum(counts.lost for _, counts in more)
            where = count_of(len(more), "further interface")
            message = f"the recorder says that it missed {count_of(packets, 'packet')} of {where}"
            notes.append(Diagnostic(DROPPED, message, count=packets))
        return notes


def sentence(place: int, counts: Statistics, interfaces: list[Interface]) -> str:
    """Say what one interface lost, and where."""
    name = interfaces[place].name if place < len(interfaces) else ""
    which = f"interface {place} ({name})" if name else f"interface {place}"
    parts = (
        (counts.dropped, "dropped by the interface"),
        (counts.crowded_out, "for which the system had no room"),
    )
    why = ", ".join(f"{count:,} {words}" for count, words in parts if count)
    delivered = "" if counts.delivered is None else f"; {counts.delivered:,} were delivered"
    return f"the recorder says that it missed {count_of(counts.lost, 'packet')} of {which}: {why}{delivered}"
