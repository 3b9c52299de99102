"""What a TCP sender has outstanding, how fast it may send, and what it takes for lost.

The scoreboard of RFC 6675: a piece is lost when three later ones were acknowledged selectively, or when the timer of
RFC 6298 runs out. The window grows as in RFC 5681 and shrinks by CUBIC's factor (RFC 9438 §4.6). Without SACK only the
timer finds losses.
"""

import attrs

from netinterf.simulate.network.packet import SYN
from netinterf.simulate.network.path import MILLISECOND, SECOND

__all__ = ["Piece", "Scoreboard"]

INITIAL_WINDOW = 10  # segments, RFC 6928
LEAST_TIMEOUT = 200 * MILLISECOND  # Linux TCP_RTO_MIN
MOST_TRIES = 6
SHRINK = 0.7


@attrs.define(eq=False)
class Piece:
    """A range of the stream that was sent and not yet acknowledged."""

    start: int
    end: int
    flags: int
    time: int = 0  # when it was last sent
    tries: int = 0
    sacked: bool = False
    lost: bool = False


@attrs.define(eq=False)
class Scoreboard:
    """The sending side's memory; offsets count from the SYN."""

    una: int = 0  # acknowledged up to here
    nxt: int = 0  # sent up to here
    pieces: list[Piece] = attrs.field(factory=list)
    window: float = INITIAL_WINDOW  # segments
    threshold: float = 1e9
    recovery: int = -1  # while losses up to here are repaired the window stays
    smooth: float = 0.0  # round trip, ns
    variance: float = 0.0
    backoff: int = 0

    def sent(self, piece: Piece, now: int) -> None:
        """Note that *piece* was sent, for the first time or again."""
        if piece.tries == 0:
            self.pieces.append(piece)
            self.nxt = piece.end
        piece.time, piece.lost, piece.tries = now, False, piece.tries + 1

    def may_send(self) -> bool:
        """Say whether the congestion window has room for a segment."""
        return sum(not piece.sacked and not piece.lost for piece in self.pieces) < max(1, int(self.window))

    def next_lost(self) -> Piece | None:
        """Give the first piece to repeat."""
        return next((piece for piece in self.pieces if piece.lost and not piece.sacked), None)

    def timeout(self) -> float:
        """Give the retransmission timeout in ns (RFC 6298 §2), doubled for every try."""
        base = float(SECOND) if not self.smooth else max(LEAST_TIMEOUT, self.smooth + 4 * self.variance)
        return base * (1 << self.backoff)

    def expire(self) -> Piece | None:
        """Take everything outstanding for lost; give what to repeat now, or None when it was tried often enough."""
        if self.backoff >= MOST_TRIES:
            return None
        self.backoff += 1
        self.threshold, self.window, self.recovery = max(2.0, self.window / 2), 1.0, self.nxt
        for piece in self.pieces:
            piece.lost = not piece.sacked
        return self.next_lost()

    def acknowledge(self, acked: int, blocks: list[tuple[int, int]], now: int) -> bool:
        """Take an acknowledgement.

        Args:
            acked: Offset up to which all was received.
            blocks: Ranges beyond it that were received too.
            now: Time in ns.

        Returns:
            Whether it acknowledged something new.
        """
        if acked > self.nxt:
            return False
        done = [piece for piece in self.pieces if piece.end <= acked]
        self.pieces = [piece for piece in self.pieces if piece.end > acked]
        fresh = acked > self.una
        if fresh:
            self.una, self.backoff = acked, 0
            self.grow(sum(1 for piece in done if not piece.flags & SYN))
            once = [piece for piece in done if piece.tries == 1]  # Karn: repeated ones tell nothing of the round trip
            if once:
                self.measure(now - once[-1].time)
        for low, high in blocks:
            for piece in self.pieces:
                piece.sacked = piece.sacked or (low <= piece.start and piece.end <= high)
        self.find_losses()
        return fresh

    def grow(self, pieces: int) -> None:
        """Open the window: by all acknowledged pieces in slow start, by one a round trip after (RFC 5681 §3.1)."""
        if self.una >= self.recovery:
            self.recovery = -1
        if self.recovery < 0:
            self.window += pieces if self.window < self.threshold else pieces / self.window

    def measure(self, sample: int) -> None:
        """Update the smoothed round trip (RFC 6298 §2)."""
        if not self.smooth:
            self.smooth, self.variance = sample, sample / 2
        self.variance += (abs(sample - self.smooth) - self.variance) / 4
        self.smooth += (sample - self.smooth) / 8

    def find_losses(self) -> None:
        """Mark pieces that three later ones overtook (RFC 6675 §4), and shrink the window once per round trip."""
        later, found = 0, False
        newest = max((piece.time for piece in self.pieces if piece.sacked), default=0)
        for piece in reversed(self.pieces):
            if piece.sacked:
                later += 1
            elif later >= 3 and not piece.lost and (piece.tries == 1 or piece.time + self.smooth < newest):
                piece.lost = found = True
        if found and self.recovery < 0:
            self.recovery = self.nxt
            self.threshold = self.window = max(2.0, self.window * SHRINK)
