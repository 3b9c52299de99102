"""What a TCP sender has outstanding, and what it takes for lost.

Losses are found by RACK (RFC 8985) when the peer sends SACK, by three duplicate acknowledgements otherwise (RFC 6582),
by a tail loss probe, and at last by the retransmission timer (RFC 6298). A piece keeps its borders when repeated.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable

import attrs

from netinterf.simulate.hosts.congestion import Arrival, Control
from netinterf.simulate.network.packet import SYN
from netinterf.values import define

__all__ = ["Piece", "Sender"]

MILLISECOND = 1_000_000
FIRST_TIMEOUT = 1000 * MILLISECOND  # RFC 6298 §2.1
LEAST_VARIANCE = 200 * MILLISECOND  # Linux: the timer is the round trip and at least TCP_RTO_MIN
LONGEST_DELAYED_ACK = 200 * MILLISECOND  # RFC 8985 §7.2, WCDelAckT
DUPLICATES = 3  # RFC 5681 §3.2


@define(eq=False)
class Piece:
    """A range of the stream that was sent and not yet acknowledged."""

    start: int
    end: int
    flags: int
    time: int = 0  # when it was last sent
    tries: int = 0
    sacked: bool = False
    lost: bool = False
    delivered: int = 0  # what had been delivered when it was sent, and when that was
    delivered_at: int = 0
    flight_at: int = 0  # when the newest piece that had arrived by then had been sent


@define(eq=False)
class Sender:
    """The sending side's memory; offsets count from the SYN, times are ns."""

    control: Control
    most_tries: int = 8
    una: int = 0  # acknowledged up to here
    nxt: int = 0  # sent up to here
    pieces: deque[Piece] = attrs.field(factory=deque)  # outstanding, in order of the stream
    by_end: dict[int, Piece] = attrs.field(factory=dict)
    flight: OrderedDict[int, Piece] = attrs.field(factory=OrderedDict)  # neither arrived nor lost, as sent
    missing: deque[Piece] = attrs.field(factory=deque)  # to repeat
    sacks: int = 0  # pieces acknowledged selectively
    duplicates: int = 0
    recovery: int = -1  # while losses up to here are repaired the window stays
    srtt: float = 0.0  # smoothed round trip (RFC 6298)
    rttvar: float = 0.0
    least: float = 0.0
    backoff: int = 0
    newest: tuple[int, int] = (0, 0)  # when the newest piece that arrived had been sent, and its end
    selective: bool = False  # the peer sends SACK
    armed: int = 0  # since when the retransmission timer runs
    reordered: bool = False
    probing: int = -1  # where the stream ended when the tail was probed
    delivered: int = 0
    delivered_at: int = 0
    flight_at: int = 0
    arrival: Arrival = attrs.field(factory=Arrival)

    def sent(self, piece: Piece, now: int) -> None:
        """Note that *piece* was sent, for the first time or again."""
        if piece.tries == 0:
            self.pieces.append(piece)
            self.by_end[piece.end] = piece
            self.nxt = piece.end
        if not self.flight:
            self.delivered_at = self.flight_at = now
        if len(self.pieces) == 1 or self.backoff:
            self.armed = now
        piece.time, piece.lost = now, False
        piece.tries += 1
        piece.delivered, piece.delivered_at = self.delivered, self.delivered_at
        piece.flight_at = self.flight_at
        self.flight[piece.end] = piece
        if piece.tries > 1:
            self.flight.move_to_end(piece.end)

    def next_lost(self) -> Piece | None:
        """Give the first piece to repeat, and take it off the list."""
        while self.missing:
            piece = self.missing.popleft()
            if piece.lost and not piece.sacked and piece.end > self.una:
                return piece
        return None

    # --- timers ---

    def timeout(self) -> float:
        """Give the retransmission timeout (RFC 6298 §2 with Linux's least variance), doubled for every try."""
        base = self.srtt + max(4 * self.rttvar, LEAST_VARIANCE) if self.srtt else FIRST_TIMEOUT
        return float(base * (1 << self.backoff))

    def deadline(self) -> tuple[int, str]:
        """Say when the timer strikes if nothing comes, and as what: probe (RFC 8985 §7), reorder or timeout."""
        first = next(iter(self.flight.values())) if self.flight else self.pieces[0]
        head = self.pieces[0]
        overtaken = bool(self.flight) if self.selective else head.tries == 1 and not head.lost  # as `find_losses` asks
        if overtaken and self.sacks and self.recovery < 0 and (first.time, first.end) < self.newest:
            return first.time + int(self.srtt + self.patience()), "reorder"
        last = self.pieces[-1]
        expiry = self.armed + int(self.timeout())
        if self.srtt and self.backoff == 0 and self.probing < 0 and self.recovery < 0 and not last.flags & SYN:
            wait = 2 * self.srtt + (LONGEST_DELAYED_ACK if len(self.flight) == 1 else 2 * MILLISECOND)
            if last.time + int(wait) < expiry:
                return last.time + int(wait), "probe"
        return expiry, "timeout"

    def expire(self, kind: str, now: int) -> Piece | None:
        """Act on the timer; give the piece to repeat at once, if any."""
        if kind == "reorder":
            self.find_losses(now, True)
            return self.next_lost()
        if kind == "probe":
            self.probing = self.nxt
            return self.pieces[-1] if not self.pieces[-1].sacked else None
        self.backoff += 1
        self.control.timed_out()
        self.recovery, self.duplicates = self.nxt, 0
        self.flight.clear()
        self.missing.clear()
        for piece in self.pieces:
            if not piece.sacked:
                piece.lost = True
                self.missing.append(piece)
        return self.next_lost()

    def given_up(self) -> bool:
        """Say whether the timer ran out as often as the stack allows."""
        return self.backoff >= self.most_tries

    # --- acknowledgements ---

    def acknowledge(self, acked: int, blocks: Iterable[tuple[int, int]], now: int, bare: bool) -> bool:
        """Take an acknowledgement.

        Args:
            acked: Offset up to which all was received; never more than was sent.
            blocks: Ranges beyond it that were received too, the newest first; one at or below *acked* reports a
                duplicate (RFC 2883).
            now: Time.
            bare: It carries neither data nor a window update, so it may count as a duplicate.

        Returns:
            Whether it acknowledged something new in order.
        """
        newest: Piece | None = None
        count = 0
        pieces, flight = self.pieces, self.flight
        while pieces and pieces[0].end <= acked:
            piece = pieces.popleft()
            del self.by_end[piece.end]
            flight.pop(piece.end, None)
            if piece.sacked:
                self.sacks -= 1
                continue
            count += not piece.flags & SYN
            if newest is None or (piece.time, piece.end) > (newest.time, newest.end):
                newest = piece
        fresh = acked > self.una
        if fresh:
            self.una, self.backoff, self.duplicates, self.armed = acked, 0, 0, now
            if acked >= self.probing:
                self.probing = -1
        for low, high in blocks:
            if high <= acked:
                self.reordered = True
                continue
            piece_at = self.by_end.get(high)
            while piece_at is not None and not piece_at.sacked and piece_at.start >= low:
                piece_at.sacked = True
                self.sacks += 1
                count += 1
                flight.pop(piece_at.end, None)
                if newest is None or (piece_at.time, piece_at.end) > (newest.time, newest.end):
                    newest = piece_at
                piece_at = self.by_end.get(piece_at.start)
        if newest is not None:
            self.arrived(newest, count, now)
        elif bare and pieces and not fresh and not self.selective:
            self.duplicates += 1
        if self.recovery >= 0 and self.una >= self.recovery:
            self.recovery = -1
        if self.sacks or self.duplicates >= DUPLICATES or (self.recovery >= 0 and fresh):
            self.find_losses(now, False)
        return fresh

    def arrived(self, newest: Piece, count: int, now: int) -> None:
        """Learn from the newest piece that arrived: round trip (Karn: only of pieces sent once), rate, order."""
        self.delivered += count
        self.delivered_at = now
        self.newest = max(self.newest, (newest.time, newest.end))
        rtt = now - newest.time if newest.tries == 1 else 0
        if rtt:
            if not self.srtt:
                self.srtt, self.rttvar, self.least = rtt, rtt / 2, rtt
            self.rttvar += (abs(rtt - self.srtt) - self.rttvar) / 4
            self.srtt += (rtt - self.srtt) / 8
            self.least = min(self.least, rtt)
        self.flight_at = newest.time
        if self.recovery < 0 or self.control.pacing:
            arrival = self.arrival  # one object for all: this happens for every second packet
            arrival.count, arrival.now, arrival.rtt, arrival.flight = count, now, rtt, len(self.flight)
            # draft-cheng-iccrg-delivery-rate §3.1.3: the slower of sending and hearing
            span = max(now - newest.delivered_at, newest.time - newest.flight_at)
            arrival.rate = (self.delivered - newest.delivered) * 1e9 / span if span > 0 else 0.0
            self.control.acknowledged(arrival)

    def patience(self) -> float:
        """Give the time by which later packets may overtake (RFC 8985 §6.2): none until reordering was seen."""
        ripe = self.sacks >= DUPLICATES or self.recovery >= 0
        return 0.0 if ripe and not self.reordered else self.least / 4

    def find_losses(self, now: int, due: bool) -> None:
        """Mark what later pieces overtook, and tell congestion control once a round trip.

        Args:
            now: Time.
            due: The reordering timer ran out: what is overtaken is lost.
        """
        any_lost = False
        if not self.selective:
            head = self.pieces[0] if self.pieces else None
            if head is not None and not head.lost and head.tries == 1:
                any_lost = head.lost = True
                self.flight.pop(head.end, None)
                self.missing.append(head)
        else:
            wait = 0.0 if due else self.patience()
            while self.flight:
                first = next(iter(self.flight.values()))
                if (first.time, first.end) >= self.newest or (wait and now < first.time + self.srtt + wait):
                    break
                del self.flight[first.end]
                any_lost = first.lost = True
                self.missing.append(first)
        if any_lost and self.recovery < 0:
            self.recovery = self.nxt
            self.control.lost()

    def split(self, size: int) -> None:
        """Cut pieces that turned out too large for the path, and take them for lost (RFC 8899 §3)."""
        old, self.pieces = self.pieces, deque()
        self.by_end.clear()
        for piece in old:
            data = piece.end - piece.start
            parts = [piece] if data <= size or piece.flags & SYN or piece.sacked else []
            for start in range(piece.start, piece.end, size) if not parts else ():
                flags = piece.flags if start + size >= piece.end else piece.flags & ~0x09  # FIN and PSH go last
                parts.append(Piece(start, min(piece.end, start + size), flags, piece.time, piece.tries, lost=True))
            if parts[0] is not piece:
                self.flight.pop(piece.end, None)
                self.missing.extend(parts)
            for part in parts:
                self.pieces.append(part)
                self.by_end[part.end] = part
