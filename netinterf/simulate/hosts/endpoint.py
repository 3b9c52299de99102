"""One end of a TCP connection: handshake, options, delayed acknowledgements, retransmission, and ways to end.

Both ends of a connection follow one script of turns. Streams are counted from offset 0 (the SYN) on; wire sequence
numbers add the initial one.
"""

import attrs
import numpy as np

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.scoreboard import Piece, Scoreboard
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.messages.tcp_options import merged, read_options, sack_option, syn_options, timestamp_option
from netinterf.simulate.network.packet import ACK, FIN, PSH, RST, SYN, Address, Packet
from netinterf.simulate.network.path import MILLISECOND, Path

__all__ = ["Endpoint", "connect"]


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
    app: App
    identifiers: Identifiers = attrs.field(init=False)
    isn: int = attrs.field(init=False)
    clock: int = attrs.field(init=False)
    state: str = "closed"  # closed, syn, open, dead
    stream: bytearray = attrs.field(factory=bytearray)
    board: Scoreboard = attrs.field(factory=Scoreboard)
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
        self.path.listen(self.subject, not self.outbound, self.receive)

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
                seq=(self.isn + (self.board.nxt if start < 0 else start)) % 2**32,
                ack=(self.peer_isn + self.heard) % 2**32 if flags & ACK else 0,
                flags=flags, window=stack.window if flags & SYN else self.room(),
                options=options, payload=payload, subject=self.subject,
            ),
            self.outbound,
        )  # fmt: skip

    def room(self) -> int:
        """Give the window field: it grows with what was received, as receivers that tune themselves let it."""
        return min(65_535, self.stack.window_field * min(16, 1 + self.heard // 20_000))

    def ticks(self) -> int:
        """Read the timestamp clock (1 kHz)."""
        return (self.clock + self.path.world.now // MILLISECOND) % 2**32

    def ordinary_options(self) -> bytes:
        """Build timestamps and SACK blocks, as far as they were agreed on."""
        options = timestamp_option(self.ticks(), self.echo) if self.timestamps else b""
        return options + (sack_option(self.peer_isn, self.islands) if self.sack and self.islands else b"")

    def hello_options(self, echo: int, timestamps: bool, sack: bool, scale: int) -> bytes:
        """Build the options of a SYN or SYN/ACK."""
        return syn_options(self.stack.mss, scale, self.ticks(), echo, timestamps=timestamps, sack=sack)

    def open(self) -> None:
        """Send the SYN."""
        self.state = "syn"
        self.transmit(Piece(0, 1, SYN))

    def transmit(self, piece: Piece) -> None:
        """Send a piece for the first time or again."""
        self.board.sent(piece, self.path.world.now)
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
        board, end = self.board, len(self.stream) + 1
        while board.may_send():
            lost = board.next_lost()
            if lost is not None:
                self.transmit(lost)
                continue
            if board.nxt >= end or board.nxt - board.una >= self.peer_window:
                return
            stop = min(end, board.nxt + self.mss)
            self.transmit(Piece(board.nxt, stop, ACK | (PSH if stop == end else 0)))

    # --- timers ---

    def arm(self) -> None:
        """Start the retransmission timer anew."""
        self.timer += 1
        mine = self.timer
        self.path.world.after(self.board.timeout(), self.expire, mine)

    def expire(self, timer: int) -> None:
        """Repeat what the scoreboard says, or give up."""
        if timer != self.timer or not self.board.pieces or self.state == "dead":
            return
        piece = self.board.expire()
        if piece is None:
            self.state = "dead"
        else:
            self.transmit(piece)

    # --- receiving ---

    def receive(self, packet: Packet) -> None:
        """Take one segment from the path."""
        if packet.flags & RST:
            self.reset(packet)
        elif self.state == "dead" or (self.app.ending is Ending.REFUSE and not self.outbound):
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
            self.transmit(Piece(0, 1, SYN | ACK))
        else:
            self.transmit(self.board.pieces[0])

    def read(self, packet: Packet) -> None:
        """Take an ordinary segment: acknowledgement, bytes, FIN."""
        if self.app.ending is Ending.CLOSE_HARD and self.fin_sent and packet.payload:
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
        if self.state == "dead" or (self.fin_heard and self.app.goodbye and not self.fin_sent):
            return  # the goodbye carried the acknowledgement
        if self.app.ending is Ending.ABORT and self.app.abort_at and self.heard > self.app.abort_at:
            self.abort()
            return
        self.unacked += 1
        if not expected or self.islands or self.unacked >= 2 or packet.flags & FIN or before == self.heard:
            self.emit(ACK)
        else:
            mine = self.ack_timer
            self.path.world.after(40 * MILLISECOND, lambda: self.emit(ACK) if mine == self.ack_timer else None)

    def acknowledge(self, packet: Packet) -> None:
        """Take an acknowledgement to the scoreboard."""
        board = self.board
        acked = (packet.ack - self.isn - board.una + 2**31) % 2**32 - 2**31 + board.una
        self.peer_window = packet.window << (0 if packet.flags & SYN else self.peer_scale)
        edges = read_options(packet.options).blocks
        blocks = [((left - self.isn) % 2**32, (right - self.isn) % 2**32) for left, right in edges]
        if board.acknowledge(acked, blocks, self.path.world.now):
            self.arm()

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
        elif not self.fin_sent and self.app.ending in (Ending.CLOSE, Ending.CLOSE_HARD):
            self.close()
        elif self.app.ending is Ending.IDLE_RESET and not self.fin_heard:
            self.speaking = True
            self.path.world.after(self.app.idle, self.idle_reset)

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
        if self.board.nxt <= len(self.stream):
            self.path.world.after(5 * MILLISECOND, self.close)
            return
        self.fin_sent = True
        self.transmit(Piece(self.board.nxt, self.board.nxt + 1, FIN | ACK))

    def hear_fin(self) -> None:
        """React to the peer's FIN: say goodbye at the TLS layer where that is the habit, then close."""
        if self.fin_sent or self.app.ending is Ending.SILENT:
            return
        self.stream += self.app.goodbye
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


def connect(
    path: Path,
    *,
    client: tuple[Address, int],
    server: tuple[Address, int],
    stacks: tuple[Stack, Stack],
    script: list[Turn],
    subject: int,
    apps: tuple[App, App],
) -> None:
    """Set up both ends of a connection and send the SYN now.

    Args:
        path: The way between them.
        client: Address and port of the client.
        server: Address and port of the server.
        stacks: Stack of the client and of the server.
        script: Who says what, in turns.
        subject: Number of the conversation, for the labels.
        apps: The programs of the client and of the server.
    """
    first = Endpoint(path, stacks[0], True, client, server, subject, script, apps[0])
    Endpoint(path, stacks[1], False, server, client, subject, script, apps[1])
    first.open()
