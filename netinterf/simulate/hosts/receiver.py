"""What a TCP receiver has of the peer's stream, and the window it offers for more."""

import attrs

from netinterf.simulate.messages.tcp_options import merged
from netinterf.values import define

__all__ = ["Receiver"]


@define(eq=False)
class Receiver:
    """The receiving side's memory; offsets count from the peer's SYN, times are ns."""

    field: int  # window field when all was read
    scale: int
    buffer: int = 0  # bytes; 0: as large as needed
    read_rate: float = 0.0  # bytes/s that the program reads; 0: at once
    nxt: int = 0  # next expected offset
    out_of_order: list[tuple[int, int]] = attrs.field(factory=list)  # received beyond it, the newest last
    repeated: tuple[int, int] | None = None  # what arrived twice, for the next acknowledgement (RFC 2883)
    unread: float = 0.0
    unread_at: int = 0
    edge: int = 0  # offset up to which the peer may send: never drawn back (RFC 9293 §3.8.6.2.2)

    def take(self, start: int, end: int, now: int) -> bool:
        """Take in bytes; say whether they were the next ones, with no gap before or after."""
        if start <= self.nxt < end:
            if self.read_rate:
                self.read(now)
                self.unread += end - self.nxt
            self.nxt = end
            if not self.out_of_order:
                return True
        elif end <= self.nxt:
            self.repeated = (start, end)
            return False
        else:
            self.out_of_order = merged([*self.out_of_order, (start, end)])
        while self.out_of_order and min(self.out_of_order)[0] <= self.nxt:
            first = min(self.out_of_order)
            self.out_of_order.remove(first)
            self.nxt = max(self.nxt, first[1])
        return False

    def read(self, now: int) -> None:
        """Let the program read what it could since last time."""
        if self.read_rate:
            self.unread = max(0.0, self.unread - (now - self.unread_at) * self.read_rate / 1e9)
            self.unread_at = now

    def window(self, now: int) -> int:
        """Give the window field to send.

        Without a fixed buffer it grows with what was received, as receivers that tune themselves let it.
        """
        if not self.buffer:
            wide = self.field * (1 + self.nxt // 20_000 if self.nxt < 300_000 else 16)
            return wide if wide < 65_535 else 65_535
        self.read(now)
        free = int(self.buffer - self.unread) - sum(end - start for start, end in self.out_of_order)
        if self.nxt + free > self.edge + min(self.buffer // 2, 1460) or self.nxt + free < self.edge:
            self.edge = max(self.edge, self.nxt + free)
        return min(65_535, max(0, self.edge - self.nxt) >> max(0, self.scale))

    def blocks(self) -> list[tuple[int, int]]:
        """List the ranges to report, a repeated one first."""
        blocks = self.out_of_order[-1:] + self.out_of_order[:-1][:2]
        if self.repeated is not None:
            blocks, self.repeated = [self.repeated, *blocks][:3], None
        return blocks
