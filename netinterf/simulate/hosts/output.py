"""How segments leave one end of a TCP connection: headers, options, windows, pacing, timers."""

import attrs
import numpy as np

from netinterf.simulate.encode import TCP
from netinterf.simulate.hosts.congestion import make_control
from netinterf.simulate.hosts.receiver import Receiver
from netinterf.simulate.hosts.sender import Piece, Sender
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.messages.tcp_options import CLOCK, sack_option, syn_options
from netinterf.simulate.network.packet import ACK, FIN, PSH, SYN, Address, Packet
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path, World
from netinterf.values import define

__all__ = ["Output"]


@define(eq=False)
class Stream:
    """The bytes that one end says, in the chunks they were said in: copying long ones together would cost too much."""

    length: int = 0
    chunks: list[tuple[int, bytes]] = attrs.field(factory=list)  # where each begins

    def say(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        if chunk:
            self.chunks.append((self.length, chunk))
            self.length += len(chunk)

    def cut(self, start: int, end: int) -> bytes:
        """Give the bytes from *start* up to *end*."""
        begin, chunk = self.chunks[-1] if self.chunks else (0, b"")
        if start >= begin:
            return chunk[start - begin : end - begin]
        return b"".join(chunk[max(0, start - begin) : max(0, end - begin)] for begin, chunk in self.chunks)


@define(eq=False, kw_only=True)
class Output:
    """The sending half of one end; offsets count from the SYN, times are ns."""

    path: Path
    stack: Stack
    outbound: bool
    local: tuple[Address, int]
    remote: tuple[Address, int]
    subject: int
    world: World = attrs.field(init=False)
    identifiers: Identifiers = attrs.field(init=False)
    sender: Sender = attrs.field(init=False)
    receiver: Receiver = attrs.field(init=False)
    isn: int = attrs.field(init=False)
    clock: int = attrs.field(init=False)
    state: str = "closed"  # closed, syn_sent, syn_received, established, dead (forgotten) or gone (off)
    stream: Stream = attrs.field(factory=Stream)
    peer_isn: int = 0
    echo: int = 0
    timestamps: bool = False
    sack: bool = False
    scaling: bool = False
    edge: int = 0  # offset up to which the peer lets us send
    peer_scale: int = 0
    mss: int = 536
    unacked: int = 0
    ack_due: int = 0
    ack_wake: int = 0
    wake: int = 0  # when the retransmission timer is looked at next; 0: not running
    next_send: int = 0
    pacing: bool = False  # waits for its turn to send
    persisting: bool = False
    closing: bool = False
    fin_sent: bool = False

    def __attrs_post_init__(self) -> None:
        stack = self.stack
        self.world = self.path.world
        rng = self.world.rng
        self.isn, self.clock = int(rng.integers(2**32)), int(rng.integers(2**31))
        fresh = Identifiers(stack.id_mode, int(rng.integers(1, 2**16)), rng)
        host = self.local[0]
        self.identifiers = self.world.counters.setdefault(host, fresh) if stack.id_mode == "global" else fresh
        self.sender = Sender(make_control(stack.congestion), stack.tries)
        self.receiver = Receiver(stack.window_field, stack.scale, stack.buffer)

    @property
    def rng(self) -> np.random.Generator:
        """The source of chance of the simulation."""
        return self.world.rng

    # --- sending ---

    def emit(self, flags: int, start: int = -1, payload: bytes = b"", options: bytes | None = None) -> None:
        """Put one segment of the connection on the path."""
        stack, receiver = self.stack, self.receiver
        if options is None:
            options = self.ordinary_options()
        if flags & SYN:
            window = stack.window
            number = 0 if flags & ACK and stack.id_mode == "socket" else self.identifiers.take()  # as Linux does
        else:
            window, number = receiver.window(self.world.now), self.identifiers.take()
            if receiver.read_rate and window << max(0, stack.scale) < 2 * self.mss:
                self.world.after(2 * self.mss / receiver.read_rate * SECOND, self.open_window)
        self.unacked = 0
        path, outbound = self.path, self.outbound
        path.carry(
            Packet(  # by position, in the order of the fields: half the time of names
                self.local[0], self.remote[0], self.local[1], self.remote[1],
                TCP, stack.ttl, number, 2 if stack.dont_fragment else 0, stack.tos,
                (self.isn + (self.sender.nxt if start < 0 else start)) & 0xFFFFFFFF,
                (self.peer_isn + receiver.nxt) & 0xFFFFFFFF if flags & ACK else 0,
                flags, window, options, payload, self.subject,
            ),
            outbound, 0 if outbound else len(path.parts) - 1, self.world.now,
        )  # fmt: skip

    def ticks(self) -> int:
        """Read the timestamp clock (1 kHz)."""
        return (self.clock + self.world.now // MILLISECOND) & 0xFFFFFFFF

    def ordinary_options(self) -> bytes:
        """Build timestamps and SACK blocks, as far as they were agreed on."""
        options = b""
        if self.timestamps:
            options = CLOCK(0x0101080A, (self.clock + self.world.now // MILLISECOND) & 0xFFFFFFFF, self.echo)
        if self.sack and (self.receiver.out_of_order or self.receiver.repeated):
            options += sack_option(self.peer_isn, self.receiver.blocks())
        return options

    def hello_options(self, answer: bool) -> bytes:
        """Build the options of a SYN or, with what was agreed on, of a SYN/ACK."""
        stack = self.stack
        scale = stack.scale if not answer or self.scaling else -1
        timestamps, sack = (self.timestamps, self.sack) if answer else (stack.timestamps, stack.sack)
        echo = self.echo if answer else 0
        return syn_options(stack.mss, scale, self.ticks(), echo, timestamps=timestamps, sack=sack, order=stack.order)

    def transmit(self, piece: Piece) -> None:
        """Send a piece for the first time or again."""
        self.sender.sent(piece, self.world.now)
        if piece.flags & SYN:
            self.emit(piece.flags, piece.start, b"", self.hello_options(bool(piece.flags & ACK)))
        else:
            end = piece.end - 1 - (piece.flags & FIN)
            self.emit(piece.flags, piece.start, self.stream.cut(piece.start - 1, end))
        if self.sender.control.pacing:
            self.next_send = max(self.next_send, self.world.now) + int(SECOND / self.sender.control.pacing)
        self.arm()

    def pump(self) -> None:
        """Send what windows and pacing allow: lost pieces first, then new bytes, then the FIN."""
        if self.state != "established":
            return
        sender, end, now = self.sender, self.stream.length + 1, self.world.now
        flight, control = sender.flight, sender.control
        while len(flight) - sender.duplicates < control.window:
            if self.next_send > now + MILLISECOND:  # Linux paces bursts of about a millisecond
                if not self.pacing:
                    self.pacing = True
                    self.world.at(self.next_send, self.resume)
                return
            lost = sender.next_lost() if sender.missing else None
            if lost is not None:
                self.transmit(lost)
                continue
            start = sender.nxt
            if start < end:
                stop = min(end, start + self.mss)
                edge = self.edge
                if stop > edge and (stop == end or sender.pieces or edge <= start):
                    self.persist()
                    return  # no small pieces because of a small window (RFC 9293 §3.8.6.2.1)
                stop = min(stop, edge)
                self.transmit(Piece(start, stop, ACK | PSH if stop == end else ACK))
            elif self.closing and not self.fin_sent:
                self.fin_sent = True
                self.transmit(Piece(start, start + 1, FIN | ACK))
            else:
                return

    def resume(self) -> None:
        """Go on sending after a paced pause."""
        self.pacing = False
        self.pump()

    def open_window(self) -> None:
        """Tell the peer of a window that opened while the program read (RFC 9293 §3.8.6.2.2)."""
        edge, scale = self.receiver.edge - self.receiver.nxt, max(0, self.stack.scale)
        if self.state == "established" and (self.receiver.window(self.world.now) << scale) > edge:
            self.emit(ACK)

    def persist(self, asked: int = 0) -> None:
        """Ask about a closed window, ever more rarely, until it opens or patience ends (RFC 9293 §3.8.6.1)."""
        if not self.persisting and not self.sender.pieces:
            self.persisting = True
            self.world.after(self.sender.timeout() * 2**asked, self.probe_window, asked)

    def probe_window(self, asked: int) -> None:
        """Send an old byte's number, which makes the peer tell its window."""
        self.persisting = False
        if self.state != "established" or self.sender.pieces or self.sender.nxt > self.stream.length:
            return
        if asked >= self.stack.tries:
            self.state = "dead"
            return
        self.emit(ACK, self.sender.una - 1)
        self.persist(asked + 1)

    # --- timers ---

    def arm(self) -> None:
        """See to it that the timer is looked at no later than it may strike."""
        if not self.wake or self.sender.sacks or self.wake > self.world.now + 2 * self.sender.srtt + 2 * MILLISECOND:
            due, _ = self.sender.deadline()
            if not self.wake or due < self.wake:
                self.wake = max(due, self.world.now)
                self.world.at(self.wake, self.tick, self.wake)

    def tick(self, planned: int) -> None:
        """Look at the timer: act when it has run out, else wait on."""
        if planned != self.wake:
            return
        self.wake = 0
        sender, now = self.sender, self.world.now
        if not sender.pieces or self.state in ("dead", "gone"):
            return
        due, kind = sender.deadline()
        if due > now:
            self.wake = due
            self.world.at(due, self.tick, due)
            return
        if kind == "timeout" and (
            sender.given_up() or (self.state in ("syn_sent", "syn_received") and sender.backoff >= self.stack.syn_tries)
        ):
            self.state = "dead"
            return
        if kind == "probe" and not self.stack.probes:
            sender.probing = sender.nxt
            self.arm()
            return
        piece = sender.expire(kind, now)
        if piece is not None:
            self.transmit(piece)
        self.pump()
        if not self.wake:
            self.arm()

    def delay_ack(self) -> None:
        """Acknowledge later, unless something is sent before."""
        self.ack_due = self.world.now + int(self.stack.delayed_ack)
        if not self.ack_wake:
            self.ack_wake = self.ack_due
            self.world.at(self.ack_due, self.late_ack)

    def late_ack(self) -> None:
        """Acknowledge what has waited long enough."""
        self.ack_wake = 0
        if self.unacked and self.state == "established":
            if self.ack_due > self.world.now:
                self.ack_wake = self.ack_due
                self.world.at(self.ack_due, self.late_ack)
            else:
                self.emit(ACK)
