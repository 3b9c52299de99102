"""Ordinary TCP: handshake, options, delayed acknowledgements, SACK, congestion window, retransmission and endings.

Both ends of a connection follow one script of turns. Streams are counted from offset 0 (the SYN) on; wire sequence
numbers add the initial one. Loss recovery keeps a scoreboard of outstanding pieces (RFC 6675): a piece is lost when
three later ones were acknowledged selectively, or when the timer (RFC 6298) runs out.
"""

import enum
from struct import pack, unpack

import attrs
import numpy as np

from netinterf.simulate.messages import syn_options, timestamp_option
from netinterf.simulate.packet import ACK, FIN, PSH, RST, SYN, Address, Packet
from netinterf.simulate.path import MILLISECOND, SECOND, Path
from netinterf.simulate.stack import Identifiers, Stack

__all__ = ["Ending", "Endpoint", "Turn", "connect"]

INITIAL_WINDOW = 10  # segments, RFC 6928
LEAST_TIMEOUT = 200 * MILLISECOND  # Linux TCP_RTO_MIN
MOST_TRIES = 6


class Ending(enum.Enum):
    """What an end does when its script is over."""

    WAIT = "wait"  # closes when the other end has closed
    CLOSE = "close"  # sends FIN
    ABORT = "abort"  # closes with unread data: RST/ACK (RFC 9293 §3.10.4, RFC 2525 §2.17)
    CLOSE_HARD = "close_hard"  # sends FIN and forgets the connection: later data meets RST
    IDLE_RESET = "idle_reset"  # resets the connection after it was idle, as load balancers do
    REFUSE = "refuse"  # nobody listens
    SILENT = "silent"  # stays open


@attrs.frozen
class Turn:
    """What one end says once it has heard all earlier turns of the other."""

    outbound: bool
    payload: bytes
    delay: float = 0.0  # ns of thinking before it


@attrs.define
class Piece:
    """A range of the stream that was sent and not yet acknowledged."""

    start: int
    end: int
    flags: int
    time: int
    tries: int = 1
    sacked: bool = False
    lost: bool = False


@attrs.define(eq=False)
class Endpoint:
    """One end of a TCP connection."""

    path: Path
    stack: Stack
    outbound: bool
    local: tuple[Address, int]
    remote: tuple[Address, int]
    subject: int
    script: list[Turn]
    ending: Ending
    abort_at: int = 0  # received bytes at which ABORT strikes
    idle: float = 60e9  # ns before IDLE_RESET strikes
    goodbye: bytes = b""  # said in answer to a FIN, before the own one
    identifiers: Identifiers = attrs.field(init=False)
    isn: int = attrs.field(init=False)
    clock: int = attrs.field(init=False)
    state: str = "closed"  # closed, syn, open, dead
    stream: bytearray = attrs.field(factory=bytearray)
    una: int = 0
    nxt: int = 0
    pieces: list[Piece] = attrs.field(factory=list)
    window: float = INITIAL_WINDOW
    threshold: float = 1e9
    recovery: int = -1
    smooth: float = 0.0
    variance: float = 0.0
    backoff: int = 0
    timer: int = 0
    peer_isn: int = 0
    heard: int = 0  # next expected offset of the peer's stream
    islands: list[tuple[int, int]] = attrs.field(factory=list)
    echo: int = 0
    timestamps: bool = False
    sack: bool = False
    scale: int = 0
    peer_window: int = 1 << 30
    peer_scale: int = 0
    mss: int = 536
    unacked: int = 0
    ack_timer: int = 0
    turn: int = 0
    speaking: bool = False
    fin_sent: bool = False
    fin_heard: bool = False

    def __attrs_post_init__(self) -> None:
        rng = self.rng
        self.isn, self.clock = int(rng.integers(2**32)), int(rng.integers(2**31))
        self.identifiers = Identifiers(self.stack.id_mode, int(rng.integers(1, 2**16)), rng)
        self.path.listen(self.local, self.remote, self.receive)

    @property
    def rng(self) -> np.random.Generator:
        """The source of chance of the simulation."""
        return self.path.world.rng

    # --- sending ---

    def emit(self, flags: int, start: int = -1, payload: bytes = b"", options: bytes | None = None) -> None:
        """Put one segment of the open connection on the path."""
        if options is None:
            options = self.ordinary_options()
        self.unacked = 0
        self.ack_timer += 1
        stack = self.stack
        unnumbered = flags & (SYN | ACK) == SYN | ACK and stack.id_mode == "socket"  # Linux answers SYNs with 0
        self.path.send(
            Packet(
                source=self.local[0], sport=self.local[1], destination=self.remote[0], dport=self.remote[1],
                ttl=stack.ttl, tos=stack.tos, ip_flags=2 if stack.dont_fragment else 0,
                ip_id=0 if unnumbered else self.identifiers.take(),
                seq=(self.isn + (self.nxt if start < 0 else start)) % 2**32,
                ack=(self.peer_isn + self.heard) % 2**32 if flags & ACK else 0,
                flags=flags, window=stack.window if flags & SYN else stack.window_field,
                options=options, payload=payload, subject=self.subject,
            ),
            self.outbound,
        )  # fmt: skip

    def ticks(self) -> int:
        """Read the timestamp clock (1 kHz)."""
        return (self.clock + self.path.world.now // MILLISECOND) % 2**32

    def ordinary_options(self) -> bytes:
        """Build timestamps and SACK blocks, as far as they were agreed on."""
        options = timestamp_option(self.ticks(), self.echo) if self.timestamps else b""
        if self.sack and self.islands:
            blocks = self.islands[-1:] + self.islands[:-1][:2]
            edges = [(self.peer_isn + edge) % 2**32 for block in blocks for edge in block]
            options += pack("!BBBB", 1, 1, 5, 2 + 4 * len(edges)) + pack(f"!{len(edges)}I", *edges)
        return options

    def hello_options(self, echo: int, timestamps: bool, sack: bool, scale: int) -> bytes:
        """Build the options of a SYN or SYN/ACK."""
        return syn_options(self.stack.mss, scale, self.ticks(), echo, timestamps=timestamps, sack=sack)

    def open(self) -> None:
        """Send the SYN."""
        self.state = "syn"
        self.transmit(Piece(0, 1, SYN, 0, 0))

    def transmit(self, piece: Piece) -> None:
        """Send a piece for the first time or again."""
        piece.time, piece.lost, piece.tries = self.path.world.now, False, piece.tries + 1
        if piece not in self.pieces:
            self.pieces.append(piece)
            self.nxt = piece.end
        stack = self.stack
        if piece.flags & SYN:
            answer = bool(piece.flags & ACK)
            options = self.hello_options(
                self.echo if answer else 0,
                self.timestamps if answer else stack.timestamps,
                self.sack if answer else stack.sack,
                stack.scale if not answer or self.scale >= 0 else -1,
            )
            self.emit(piece.flags, piece.start, b"", options)
        else:
            data = bytes(self.stream[piece.start - 1 : piece.end - 1 - bool(piece.flags & FIN)])
            self.emit(piece.flags, piece.start, data)
        self.arm()

    def pump(self) -> None:
        """Send what window and scoreboard allow: lost pieces first, then new bytes, then the FIN."""
        if self.state != "open":
            return
        while True:
            flying = sum(1 for piece in self.pieces if not piece.sacked and not piece.lost)
            if flying >= max(1, int(self.window)):
                return
            lost = next((piece for piece in self.pieces if piece.lost and not piece.sacked), None)
            if lost is not None:
                self.transmit(lost)
                continue
            end = len(self.stream) + 1
            if self.nxt >= end or self.nxt - self.una >= self.peer_window:
                return
            stop = min(end, self.nxt + self.mss)
            self.transmit(Piece(self.nxt, stop, ACK | (PSH if stop == end else 0), 0, 0))

    # --- timers ---

    def timeout(self) -> float:
        """Give the retransmission timeout (RFC 6298 §2), doubled for every try."""
        base = float(SECOND) if not self.smooth else max(LEAST_TIMEOUT, self.smooth + 4 * self.variance)
        return base * (1 << self.backoff)

    def arm(self) -> None:
        """Start the retransmission timer anew."""
        self.timer += 1
        mine = self.timer
        self.path.world.after(self.timeout(), lambda: self.expire(mine))

    def expire(self, timer: int) -> None:
        """Take everything outstanding for lost and begin again with a window of one segment."""
        if timer != self.timer or not self.pieces or self.state == "dead":
            return
        if self.backoff >= MOST_TRIES:
            self.state = "dead"
            return
        self.backoff += 1
        self.threshold, self.window, self.recovery = max(2.0, self.window / 2), 1.0, self.nxt
        for piece in self.pieces:
            piece.lost = not piece.sacked
        self.transmit(next(piece for piece in self.pieces if not piece.sacked))

    # --- receiving ---

    def receive(self, packet: Packet) -> None:
        """Take one segment from the path."""
        if packet.flags & RST:
            self.reset(packet)
        elif self.state == "dead" or (self.ending is Ending.REFUSE and not self.outbound):
            self.refuse(packet)
        elif packet.flags & SYN:
            self.greet(packet)
        elif self.state != "closed":
            self.read(packet)

    def reset(self, packet: Packet) -> None:
        """Drop the connection if the RST fits the window (RFC 9293 §3.10.7)."""
        ahead = (packet.seq - self.peer_isn - self.heard) % 2**32
        if self.state == "syn" and self.outbound and not packet.flags & ACK:
            return
        if (self.state == "syn" and self.outbound) or ahead < 1 << 20:
            self.state = "dead"
            self.timer += 1

    def refuse(self, packet: Packet) -> None:
        """Answer a segment of no connection with a reset that owes nothing to it (RFC 9293 §3.10.7.1)."""
        length = len(packet.payload) + bool(packet.flags & SYN) + bool(packet.flags & FIN)
        asked = bool(packet.flags & ACK)
        self.path.send(
            packet.reply(
                ttl=self.stack.ttl, tos=0, ip_id=0, ip_flags=2, window=0, subject=self.subject, forged="",
                seq=packet.ack if asked else 0,
                ack=0 if asked else (packet.seq + length) % 2**32,
                flags=RST if asked else RST | ACK,
            ),
            self.outbound,
        )  # fmt: skip

    def greet(self, packet: Packet) -> None:
        """Take a SYN or SYN/ACK: agree on options, answer."""
        if self.outbound != bool(packet.flags & ACK):
            return
        if self.state == "open":
            self.emit(ACK)
            return
        offered = read_options(packet.options)
        self.peer_isn, self.heard = packet.seq, 1
        self.timestamps = self.stack.timestamps and offered.echo is not None
        self.sack = self.stack.sack and offered.sack
        self.echo = offered.echo or 0
        self.scale = self.stack.scale if offered.scale >= 0 else -1
        self.peer_scale = max(0, offered.scale) if self.stack.scale >= 0 else 0
        self.mss = min(offered.mss, self.stack.mss) - (12 if self.timestamps else 0)
        if self.outbound:
            self.acknowledge(packet)
            self.state = "open"
            self.emit(ACK)
            self.speak()
        elif self.state == "closed":
            self.state = "open"
            self.transmit(Piece(0, 1, SYN | ACK, 0, 0))
        else:
            self.transmit(self.pieces[0])

    def read(self, packet: Packet) -> None:
        """Take an ordinary segment: acknowledgement, bytes, FIN."""
        if self.ending is Ending.CLOSE_HARD and self.fin_sent and packet.payload:
            self.state = "dead"
            self.refuse(packet)
            return
        if packet.flags & ACK:
            self.acknowledge(packet)
        start = (packet.seq - self.peer_isn - self.heard + 2**31) % 2**32 - 2**31 + self.heard
        end = start + len(packet.payload) + bool(packet.flags & FIN)
        if end > start:
            self.swallow(packet, start, end)
        self.speak()
        self.pump()

    def swallow(self, packet: Packet, start: int, end: int) -> None:
        """Take in bytes of the peer's stream and decide when to acknowledge them (RFC 5681 §4.2)."""
        before = self.heard
        expected = start <= self.heard < end
        if expected:
            offered = read_options(packet.options).echo if self.timestamps else None
            self.echo = offered if offered is not None else self.echo
            self.heard = end
        if end > self.heard:
            self.islands = merged([*self.islands, (start, end)])
        while self.islands and min(self.islands)[0] <= self.heard:
            first = min(self.islands)
            self.islands.remove(first)
            self.heard = max(self.heard, first[1])
        if packet.flags & FIN and self.heard >= end and not self.fin_heard:
            self.fin_heard = True
            self.heard = end
            self.hear_fin()
        if self.state == "dead" or (self.fin_heard and self.goodbye and not self.fin_sent):
            return  # the goodbye carried the acknowledgement
        if self.ending is Ending.ABORT and self.abort_at and self.heard > self.abort_at:
            self.abort()
            return
        self.unacked += 1
        if not expected or self.islands or self.unacked >= 2 or packet.flags & FIN or before == self.heard:
            self.emit(ACK)
        else:
            mine = self.ack_timer
            self.path.world.after(40 * MILLISECOND, lambda: self.emit(ACK) if mine == self.ack_timer else None)

    def acknowledge(self, packet: Packet) -> None:
        """Take an acknowledgement: free pieces, measure the round trip, grow the window, find losses."""
        acked = (packet.ack - self.isn - self.una + 2**31) % 2**32 - 2**31 + self.una
        self.peer_window = packet.window << (0 if packet.flags & SYN else self.peer_scale)
        if acked > self.nxt:
            return
        done = [piece for piece in self.pieces if piece.end <= acked]
        self.pieces = [piece for piece in self.pieces if piece.end > acked]
        if acked > self.una:
            self.una, self.backoff = acked, 0
            self.grow(sum(1 for piece in done if not piece.flags & SYN))
            fresh = [piece for piece in done if piece.tries == 1]
            if fresh:
                self.measure(self.path.world.now - fresh[-1].time)
            self.arm()
        for left, right in read_options(packet.options).blocks:
            low, high = (left - self.isn) % 2**32, (right - self.isn) % 2**32
            for piece in self.pieces:
                piece.sacked = piece.sacked or (low <= piece.start and piece.end <= high)
        self.find_losses()

    def grow(self, pieces: int) -> None:
        """Open the congestion window (RFC 5681 §3.1)."""
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
        """Mark pieces that three later ones overtook (RFC 6675 §4), and halve the window once per round trip."""
        later, found = 0, False
        newest = max((piece.time for piece in self.pieces if piece.sacked), default=0)
        for piece in reversed(self.pieces):
            if piece.sacked:
                later += 1
            elif later >= 3 and not piece.lost and (piece.tries == 1 or piece.time + self.smooth < newest):
                piece.lost = found = True
        if found and self.recovery < 0:
            self.recovery = self.nxt
            self.threshold = self.window = max(2.0, self.window * 0.7)  # CUBIC's factor, RFC 9438 §4.6

    # --- the script ---

    def speak(self) -> None:
        """Say the next turn once everything before it was heard; close when the script is over."""
        if self.state != "open" or self.speaking:
            return
        while self.turn < len(self.script) and self.script[self.turn].outbound != self.outbound:
            due = sum(len(turn.payload) for turn in self.script[: self.turn + 1] if turn.outbound != self.outbound)
            if self.heard <= due:
                return
            self.turn += 1
        if self.turn < len(self.script):
            self.speaking = True
            self.path.world.after(self.script[self.turn].delay, self.say)
        elif not self.fin_sent and self.ending in (Ending.CLOSE, Ending.CLOSE_HARD):
            self.close()
        elif self.ending is Ending.IDLE_RESET and not self.fin_heard:
            self.speaking = True
            self.path.world.after(self.idle, self.idle_reset)

    def say(self) -> None:
        """Write the bytes of the current turn."""
        self.speaking = False
        if self.state == "open":
            self.stream += self.script[self.turn].payload
            self.turn += 1
            self.pump()
            self.speak()

    def close(self) -> None:
        """Send the FIN once every byte was acknowledged or at least sent."""
        if self.fin_sent or self.state != "open":
            return
        if self.nxt <= len(self.stream):
            self.path.world.after(5 * MILLISECOND, self.close)
            return
        self.fin_sent = True
        self.transmit(Piece(self.nxt, self.nxt + 1, FIN | ACK, 0, 0))

    def hear_fin(self) -> None:
        """React to the peer's FIN: say goodbye at the TLS layer where that is the habit, then close."""
        if self.fin_sent or self.ending is Ending.SILENT:
            return
        self.stream += self.goodbye
        self.pump()
        self.path.world.after(float(self.rng.exponential(MILLISECOND)), self.close)

    def abort(self) -> None:
        """Close with unread data: a RST/ACK that is otherwise an ordinary segment of this connection."""
        self.emit(RST | ACK)
        self.state = "dead"
        self.timer += 1

    def idle_reset(self) -> None:
        """Forget an idle connection and tell the peer, without options and with an empty window."""
        if self.state == "open" and not self.fin_heard:
            self.emit(RST | ACK, options=b"")
            self.state = "dead"


@attrs.frozen
class Offered:
    """What the options of a segment say."""

    mss: int = 536
    scale: int = -1
    sack: bool = False
    echo: int | None = None
    blocks: tuple[tuple[int, int], ...] = ()


def read_options(options: bytes) -> Offered:
    """Read the TCP options that endpoints here send."""
    found = Offered()
    at = 0
    while at < len(options):
        kind = options[at]
        size = 1 if kind <= 1 else options[at + 1]
        body = options[at + 2 : at + size]
        if kind == 2:
            found = attrs.evolve(found, mss=int.from_bytes(body, "big"))
        elif kind == 3:
            found = attrs.evolve(found, scale=body[0])
        elif kind == 4:
            found = attrs.evolve(found, sack=True)
        elif kind == 8:
            found = attrs.evolve(found, echo=int.from_bytes(body[:4], "big"))
        elif kind == 5:
            edges = unpack(f"!{len(body) // 4}I", body)
            found = attrs.evolve(found, blocks=tuple(zip(edges[::2], edges[1::2], strict=True)))
        at += size
    return found


def merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join touching ranges; the one that took the last range goes to the end, as SACK wants it first (RFC 2018 §4)."""
    newest = ranges[-1]
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    out.sort(key=lambda part: part[0] <= newest[0] < part[1])
    return out


def connect(
    path: Path,
    *,
    client: tuple[Address, int],
    server: tuple[Address, int],
    stacks: tuple[Stack, Stack],
    script: list[Turn],
    subject: int,
    endings: tuple[Ending, Ending] = (Ending.CLOSE, Ending.WAIT),
    abort_at: int = 0,
    idle: float = 60e9,
    goodbye: bytes = b"",
) -> None:
    """Set up both ends of a connection and send the SYN now.

    Args:
        path: The way between them.
        client: Address and port of the client.
        server: Address and port of the server.
        stacks: Stack of the client and of the server.
        script: Who says what, in turns.
        subject: Number of the conversation, for the labels.
        endings: What the client and the server do at the end.
        abort_at: Bytes after which an end with `Ending.ABORT` gives up.
        idle: Nanoseconds after which an end with `Ending.IDLE_RESET` gives up.
        goodbye: What the client says in answer to a FIN.
    """
    first = Endpoint(path, stacks[0], True, client, server, subject, script, endings[0], abort_at, goodbye=goodbye)
    Endpoint(path, stacks[1], False, server, client, subject, script, endings[1], abort_at, idle)
    first.open()
