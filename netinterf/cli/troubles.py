"""What a watcher cannot see, told on standard error as it happens: losses, damage, and sources that say nothing."""

from collections.abc import Iterable

from netinterf.capture.dropped import DROPPED
from netinterf.capture.opening import DAMAGE
from netinterf.cli.exit_status import complain
from netinterf.cli.intake import Source
from netinterf.engine.release import IDLE_NS
from netinterf.engine.session import Session
from netinterf.schema import Diagnostic

__all__ = ["LONG", "Troubles"]

LONG = IDLE_NS / 1e9
"""Seconds without a packet that are told: every conversation that is held counts as over by then, so that from then on
nothing new is found."""


class Troubles:
    """Tell each trouble once, when it comes, and again when it has grown or is over.

    Args:
        now: Seconds on a clock that only goes forward.
    """

    def __init__(self, now: float) -> None:
        self._told: frozenset[str] = frozenset()
        self._lost = self._fed = self._packets = 0
        self._fed_at = self._packets_at = now
        self._quiet = False  # whether it was told that nothing comes

    def lost(self, session: Session, source: Source) -> None:
        """Tell the session and the user how many packets were lost so far, if more than before."""
        lost = source.lost or 0
        if lost > self._lost:
            self._lost = lost
            session.lost(lost)
            complain(f"{lost:,} packets were lost before they could be read; a pipe from tcpdump loses fewer")

    def damaged(self, notes: Iterable[Diagnostic]) -> None:
        """Tell what of the stream could not be read, and what its recorder says it missed.

        The first places come one by one, further ones as a sum that grows, of which the last is named.
        """
        told = {
            note.message if note.offset is None else f"at byte {note.offset:,}: {note.message}"
            for note in notes
            if note.code in DAMAGE or note.code == DROPPED
        }
        for message in sorted(told - self._told):
            complain(message)
        self._told = frozenset(told)

    def silent(self, now: float, fed: int, packets: int) -> None:
        """Tell when no packet came for long, and when the next one does.

        Args:
            now: See the class.
            fed: How much the source gave so far.
            packets: How many packets of it could be read.
        """
        if packets != self._packets:
            if self._quiet:
                complain(f"packets come again, after {now - self._packets_at:,.0f} s without any")
            self._packets, self._packets_at, self._quiet = packets, now, False
        if fed != self._fed:
            self._fed, self._fed_at = fed, now
        if not self._quiet and now - self._packets_at >= LONG:
            self._quiet, unread = True, self._fed_at > self._packets_at
            came = "something came, but no packet that can be read," if unread else "nothing came"
            complain(f"{came} for {now - self._packets_at:,.0f} s; what came before is judged, and watching goes on")
