"""What a watcher keeps of packets that its session lets go: those of findings go into a ring, the rest is let go."""

from collections.abc import Iterator

from netinterf.cli.exit_status import complain
from netinterf.cli.ring import Ring
from netinterf.engine.departure import Departure, exhibits
from netinterf.engine.session import Session
from netinterf.engine.tally import CUT
from netinterf.errors import UsageError
from netinterf.writing import count_of

__all__ = ["Shelf"]


class Shelf:
    """Keeps the packets of findings; what cannot be kept is told, each reason once, and counted.

    Args:
        ring: Where they are kept.
    """

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._kept = self._failed = self._too_large = 0
        self._told: set[str] = set()

    def __call__(self, departure: Departure) -> None:
        """Keep what proves findings among what leaves a session."""
        for exhibit in exhibits(departure):
            try:
                kept = self._ring.add(exhibit.began, exhibit.mechanism, exhibit.write)
            except (OSError, UsageError) as error:  # the latter where a time is none that a file can hold
                self._failed += 1
                self._tell(getattr(error, "strerror", None) or str(error))
            else:
                self._kept += kept
                self._too_large += not kept

    def account(self, session: Session) -> Iterator[str]:
        """Say in the end what was kept, and what was not."""
        ring, gone = self._ring, self._ring.let_go
        yield f"{ring.folder}: {count_of(self._kept, 'file')} of findings written, {gone:,} let go to make room"
        if self._failed:
            yield f"{ring.folder}: {count_of(self._failed, 'file')} could not be written"
        if self._too_large:
            yield f"{ring.folder}: {count_of(self._too_large, 'file')} larger than --keep, and not kept"
        cut = sum(note.count for note in session.summary.diagnostics if note.code == CUT[1])
        if cut:
            held = count_of(cut, "conversation")
            yield f"{ring.folder}: {held} left while open, for want of room: packets that came later are not kept"

    def close(self) -> None:
        """Let others keep a ring there."""
        self._ring.close()

    def _tell(self, reason: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            complain(
                f"{self._ring.folder}: {reason}; packets of findings are not kept, and watching goes on (said once)"
            )
