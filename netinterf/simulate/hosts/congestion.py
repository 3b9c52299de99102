"""How fast a TCP sender may send: Reno, CUBIC, and a paced kind that models the path as BBR does.

Windows are counted in segments. A control hears of every acknowledgement, of the first loss of a round trip and of
timeouts, and keeps two numbers for the sender: `window`, and `pacing` in segments per second (0: as acknowledgements
come).
"""

from collections import deque
from typing import Protocol

import attrs

from netinterf.values import define

__all__ = ["Arrival", "Bbr", "Control", "Cubic", "Reno", "make_control"]

SECOND = 1e9
INITIAL_WINDOW = 10.0  # segments, RFC 6928


@define(eq=False)
class Arrival:
    """What an acknowledgement says of segments that arrived."""

    count: int = 0  # in order or selectively
    now: int = 0  # ns
    rtt: float = 0.0  # round trip of the newest one in ns; 0 when it was repeated
    rate: float = 0.0  # segments per second delivered since that one was sent; 0 when unknown
    flight: int = 0  # segments still on the way


class Control(Protocol):
    """What a sender asks of congestion control."""

    window: float
    pacing: float

    def acknowledged(self, arrival: Arrival) -> None:
        """Hear that segments arrived."""
        ...

    def lost(self) -> None:
        """Hear of the first loss of a round trip."""
        ...

    def timed_out(self) -> None:
        """Hear that the retransmission timer ran out."""
        ...


@define(eq=False)
class Reno:
    """Slow start, one segment a round trip after it, half on loss (RFC 5681)."""

    window: float = INITIAL_WINDOW
    pacing: float = 0.0
    threshold: float = 1e9

    def acknowledged(self, arrival: Arrival) -> None:
        """Open the window if it was used."""
        count = arrival.count
        if arrival.flight + count < self.window * 0.5:
            return  # RFC 7661: what was not used does not grow
        self.window += count if self.window < self.threshold else count / self.window

    def lost(self) -> None:
        """Halve the window."""
        self.threshold = self.window = max(2.0, self.window / 2)

    def timed_out(self) -> None:
        """Begin again with one segment."""
        self.threshold, self.window = max(2.0, self.window / 2), 1.0


@define(eq=False)
class Cubic:
    """CUBIC (RFC 9438) with the delay exit from slow start of HyStart (RFC 9406 §4.2)."""

    window: float = INITIAL_WINDOW
    pacing: float = 0.0
    threshold: float = 1e9
    most: float = 0.0  # window before the last loss
    epoch: int = 0  # when the current growth began, ns; 0: not yet
    least: float = 0.0  # least round trip, ns
    reno_window: float = 0.0  # what Reno would have

    SHRINK = 0.7  # RFC 9438 §4.6
    SCALE = 0.4  # RFC 9438 §5, C

    def acknowledged(self, arrival: Arrival) -> None:
        """Open the window if it was used: all in slow start, along the cubic curve after it."""
        count, now, rtt = arrival.count, arrival.now, arrival.rtt
        if rtt and (not self.least or rtt < self.least):
            self.least = rtt
        if arrival.flight + count < self.window * 0.5:
            return
        if self.window < self.threshold:
            self.window += count
            if rtt and self.window >= 16 and rtt > self.least + min(16e6, max(4e6, self.least / 8)):
                self.threshold = self.window
            return
        if not self.epoch:
            self.epoch, self.reno_window = now, self.window
            self.most = max(self.most, self.window)
        since = (now - self.epoch + self.least) / SECOND
        depth = ((self.most * (1 - self.SHRINK)) / self.SCALE) ** (1 / 3)
        target = self.most + self.SCALE * (since - depth) ** 3
        self.reno_window += count * (3 * (1 - self.SHRINK) / (1 + self.SHRINK)) / self.window
        target = min(max(target, self.reno_window), 1.5 * self.window)
        if target > self.window:
            self.window += count * (target - self.window) / self.window

    def lost(self) -> None:
        """Shrink the window and remember where it was; lower after two losses on the way up (RFC 9438 §4.7)."""
        self.most = self.window * (1 + self.SHRINK) / 2 if self.window < self.most else self.window
        self.threshold = self.window = max(2.0, self.window * self.SHRINK)
        self.epoch = 0

    def timed_out(self) -> None:
        """Begin again with one segment."""
        self.lost()
        self.window = 1.0


@define(eq=False)
class Bbr:
    """Paced at the bottleneck rate that acknowledgements show, as BBR version 1 (Cardwell et al., ACM Queue 2016).

    Loss does not slow it down. The long-term estimate against policers is left out.
    """

    window: float = INITIAL_WINDOW
    pacing: float = 0.0
    state: str = "startup"  # startup, drain, cruise or probe_rtt
    rates: deque[tuple[int, float]] = attrs.field(factory=deque)  # decreasing maxima of the last ten round trips
    least: float = 0.0  # least round trip of ten seconds, ns
    least_at: int = 0
    full: float = 0.0  # rate when startup last grew by a quarter
    stale: int = 0  # round trips without such growth
    round_end: int = 0
    rounds: int = 0
    phase: int = 0
    phase_at: int = 0
    rest_until: int = 0

    HIGH = 2.885  # 2 / ln 2: doubles the rate each round trip
    GAINS = (1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)

    def acknowledged(self, arrival: Arrival) -> None:
        """Update the model of the path, and pace by it."""
        count, now, rtt = arrival.count, arrival.now, arrival.rtt
        if rtt and (not self.least or rtt <= self.least or now - self.least_at > 10 * SECOND):
            if self.least and rtt > self.least and self.state == "cruise":
                self.state, self.rest_until = "probe_rtt", now + 200_000_000
            self.least, self.least_at = rtt, now
        if now >= self.round_end:
            self.rounds, self.round_end = self.rounds + 1, now + int(self.least or 1e8)
            self.filled()
        if arrival.rate:
            while self.rates and self.rates[-1][1] <= arrival.rate:
                self.rates.pop()
            self.rates.append((self.rounds, arrival.rate))
        while self.rates and self.rates[0][0] < self.rounds - 10:
            self.rates.popleft()
        if not self.rates or not self.least:
            self.window += count
            return
        best = self.rates[0][1]
        content = best * self.least / SECOND
        if self.state == "drain" and arrival.flight <= content:
            self.state, self.phase_at = "cruise", now
        if self.state == "probe_rtt" and now > self.rest_until:
            self.state, self.phase_at = "cruise", now
        if self.state == "cruise" and now - self.phase_at > self.least:
            self.phase, self.phase_at = (self.phase + 1) % 8, now
        gain = {"startup": self.HIGH, "drain": 1 / self.HIGH, "probe_rtt": 1.0}.get(self.state, self.GAINS[self.phase])
        self.pacing = gain * best
        limit = 4.0 if self.state == "probe_rtt" else max(4.0, (self.HIGH if self.state == "startup" else 2) * content)
        self.window = min(limit, self.window + count)

    def filled(self) -> None:
        """Leave startup once three round trips brought no quarter more."""
        best = self.rates[0][1] if self.rates else 0.0
        if self.state != "startup" or not best:
            return
        if best >= 1.25 * self.full:
            self.full, self.stale = best, 0
        else:
            self.stale += 1
        if self.stale >= 3:
            self.state = "drain"

    def lost(self) -> None:
        """Go on: loss says nothing of the rate."""

    def timed_out(self) -> None:
        """Hold back until acknowledgements come again."""
        self.window = 4.0


def make_control(name: str) -> Control:
    """Give a fresh control by its Linux name: cubic, reno or bbr."""
    kinds: dict[str, type[Control]] = {"cubic": Cubic, "reno": Reno, "bbr": Bbr}
    return kinds[name]()
