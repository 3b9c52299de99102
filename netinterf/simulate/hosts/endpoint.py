"""One end of a TCP connection: what comes in, the program that talks through it, and how it ends.

Both ends follow one script of turns. Streams count from offset 0 (the SYN); sequence numbers add the initial one.
"""

import attrs

from netinterf.simulate.encode import TCP
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.output import Output
from netinterf.simulate.hosts.sender import Piece
from netinterf.simulate.hosts.stack import Stack
from netinterf.simulate.messages.icmp import unreachable
from netinterf.simulate.messages.tcp_options import read_blocks, read_clock, read_options
from netinterf.simulate.network.packet import ACK, FIN, RST, SYN, Address, Packet
from netinterf.simulate.network.path import MILLISECOND, Path
from netinterf.values import define

__all__ = ["Endpoint", "connect"]

NEVER = 1 << 62
CHALLENGE_PAUSE = 500 * MILLISECOND

MOST_CHALLENGES = 40
"""Answers to segments that do not fit, in a row, before a host forgets the connection: more than keep-alive needs."""

MOST_PROBES = 5
"""Keep-alive probes without an answer before a host gives up; Linux sends 9, Windows 10, many servers set fewer."""


@define(eq=False, kw_only=True)
class Endpoint(Output):
    """One end of a TCP connection."""

    script: list[Turn]
    app: App
    due: list[int] = attrs.field(init=False)  # what must have been heard before each turn
    quick: int = 0
    turn: int = 0
    awaited: int = -1  # speaks once more than this was heard
    speaking: bool = False
    waiting: bool = False
    fin_heard: bool = False
    last_update: tuple[int, int] = (-1, -1)  # acknowledgement and window of the last segment looked at for them
    challenges: int = 0  # in a row, without new bytes between them
    challenged_at: int = 0
    heard_at: int = 0  # when the last segment came
    fed_at: int = 0  # when the last new bytes came, or the waiting for them began

    def __attrs_post_init__(self) -> None:
        Output.__attrs_post_init__(self)
        self.receiver.read_rate = self.app.read_rate
        self.quick = self.stack.quick
        heard, self.due = 0, [0]
        for turn in self.script:
            heard += len(turn.payload) if turn.outbound != self.outbound else 0
            self.due.append(heard)
        self.path.listen(self.subject, not self.outbound, self.receive)
        if self.app.dies:
            self.world.after(self.app.dies, self.die)

    def open(self) -> None:
        """Send the SYN."""
        self.state = "syn_sent"
        self.await_turn()
        self.transmit(Piece(0, 1, SYN))

    # --- receiving ---

    def receive(self, packet: Packet) -> None:
        """Take one packet from the path."""
        flags = packet.flags
        if self.state == "gone" or (packet.protocol == TCP and packet.dport != self.local[1]):
            return  # a host's firewall drops what belongs to no connection
        if packet.protocol != TCP:
            self.hear_icmp(packet)
        elif flags & RST:
            self.hear_reset(packet)
        elif self.state == "dead" or (self.app.ending is Ending.REFUSE and not self.outbound):
            self.refuse(packet)
        elif flags & SYN:
            self.take_syn(packet)
        elif self.state == "closed" or (packet.source, packet.sport) != self.remote:
            self.refuse(packet)
        elif self.state == "established" or (self.state == "syn_received" and self.opened(packet)):
            self.read(packet)

    def take_syn(self, packet: Packet) -> None:
        """Take a SYN or SYN/ACK: agree on options, answer."""
        answer = bool(packet.flags & ACK)
        if self.state == "established":
            self.challenge()
            return
        if self.outbound != answer:
            return
        if answer and packet.ack != (self.isn + 1) & 0xFFFFFFFF:
            self.refuse(packet)
            return
        if self.state == "syn_received":
            self.transmit(self.sender.pieces[0])
            return
        offered, stack = read_options(packet.options), self.stack
        self.remote = (packet.source, packet.sport)
        self.peer_isn, self.receiver.nxt = packet.seq, 1
        self.timestamps = stack.timestamps and offered.echo is not None
        self.sack = self.sender.selective = stack.sack and offered.sack
        self.echo = offered.echo or 0
        self.scaling = stack.scale >= 0 and offered.scale >= 0
        self.peer_scale = max(0, offered.scale) if self.scaling else 0
        if not self.scaling:
            self.receiver.scale, self.receiver.field = 0, stack.window
        six = self.local[0][0] != 0
        self.mss = min(offered.mss, stack.mss) - (12 if self.timestamps else 0) - (20 if six else 0)
        if answer:
            self.acknowledge(packet)
            self.state = "established"
            self.emit(ACK)
            self.speak()
        else:
            self.state = "syn_received"
            self.edge = packet.window
            self.transmit(Piece(0, 1, SYN | ACK))

    def opened(self, packet: Packet) -> bool:
        """Open a connection whose SYN/ACK was acknowledged."""
        if not packet.flags & ACK or packet.ack != (self.isn + 1) & 0xFFFFFFFF:
            return False
        self.state = "established"
        return True

    def read(self, packet: Packet) -> None:
        """Take an ordinary segment: acknowledgement, bytes, FIN."""
        self.heard_at = self.world.now
        size = len(packet.payload)
        if self.fin_sent and size and self.app.ending is Ending.CLOSE_HARD:
            self.state = "dead"
            self.refuse(packet)
            return
        if packet.flags & ACK and (self.sender.pieces or (packet.ack, packet.window) != self.last_update):
            self.last_update = (packet.ack, packet.window)
            self.acknowledge(packet)
        start = heard = self.receiver.nxt
        if packet.seq != (self.peer_isn + heard) & 0xFFFFFFFF:
            start += (packet.seq - self.peer_isn - heard + 2**31) % 2**32 - 2**31
        end = start + size + (packet.flags & FIN)
        if end > start:
            self.swallow(packet, start, end)
        elif start < heard and not packet.flags & ~ACK:
            self.challenge()  # a probe: tell where we are
        elif start == heard and self.timestamps and not self.unacked:
            value = read_clock(packet.options, self.echo)  # bare acknowledgements are echoed as well (RFC 7323 §4.3)
            self.echo = value if (value - self.echo) & 0xFFFFFFFF < 1 << 31 else self.echo
        if self.state == "established":
            if self.receiver.nxt > self.awaited:
                self.speak()
            if self.sender.missing or self.sender.nxt <= self.stream.length or self.closing:
                self.pump()

    def swallow(self, packet: Packet, start: int, end: int) -> None:
        """Take in bytes of the peer's stream and decide when to acknowledge them (RFC 5681 §4.2)."""
        receiver = self.receiver
        if self.timestamps and start <= receiver.nxt:
            self.echo = read_clock(packet.options, self.echo)
        self.fed_at = self.world.now
        plain = receiver.take(start, end, self.fed_at)
        if packet.flags & FIN and receiver.nxt >= end and not self.fin_heard:
            self.fin_heard = True
            self.hear_fin()
            if self.state != "established" or (self.app.goodbye and not self.fin_sent):
                return  # the goodbye carries the acknowledgement
        if self.app.abort_at and self.app.ending is Ending.ABORT and receiver.nxt > self.app.abort_at:
            self.abort()
            return
        self.unacked += 1
        if self.quick > 0 or not plain or self.unacked >= 2 or packet.flags & FIN:
            self.quick -= 1
            self.emit(ACK)
        else:
            self.delay_ack()

    def acknowledge(self, packet: Packet) -> None:
        """Take an acknowledgement to the sender's memory."""
        sender = self.sender
        una = sender.una
        acked = (packet.ack - self.isn - una + 2**31) % 2**32 - 2**31 + una
        if acked > sender.nxt:
            self.challenge()  # RFC 9293 §3.10.7.4: it acknowledges what was never sent
            return
        edge = acked + (packet.window << (0 if packet.flags & SYN else self.peer_scale))
        bare = not packet.payload and edge == self.edge and not packet.flags & (SYN | FIN)
        self.edge = edge if acked >= una else self.edge
        blocks = read_blocks(packet.options, self.isn) if self.sack and len(packet.options) > 12 else ()
        sender.acknowledge(max(acked, una), blocks, self.world.now, bare)
        if sender.pieces:
            self.arm()

    # --- the script ---

    def speak(self) -> None:
        """Say the next turn once everything before it was heard; end the talk when the script is over."""
        if self.state != "established" or self.speaking:
            return
        script = self.script
        while self.turn < len(script) and script[self.turn].outbound != self.outbound:
            if self.receiver.nxt <= self.due[self.turn + 1]:
                self.awaited = self.due[self.turn + 1]
                if self.app.patience:
                    self.await_turn()
                return
            self.turn += 1
        self.awaited = NEVER
        if self.turn < len(script):
            self.speaking = True
            self.world.after(script[self.turn].delay, self.say)
        else:
            self.finish()

    def say(self) -> None:
        """Write the bytes of the current turn; who has closed meanwhile says nothing more."""
        self.speaking = False
        if self.state == "established" and not self.closing:
            self.stream.say(self.script[self.turn].payload)
            self.turn += 1
            self.pump()
            self.speak()

    def await_turn(self) -> None:
        """Begin to lose patience."""
        if self.app.patience and not self.waiting:
            self.waiting, self.fed_at = True, self.world.now
            self.world.after(self.app.patience, self.lose_patience)

    def lose_patience(self) -> None:
        """Give up if nothing new came for long enough; a connection that never opened is simply forgotten."""
        self.waiting = False
        if self.state not in ("syn_sent", "established") or self.turn >= len(self.script) or self.speaking:
            return
        quiet = self.world.now - self.fed_at
        if quiet + 1 < self.app.patience:  # whole nanoseconds
            self.waiting = True
            self.world.after(self.app.patience - quiet, self.lose_patience)
        elif self.state == "syn_sent":
            self.state = "dead"
        elif self.app.resets:
            self.abort()
        else:
            self.close()

    # --- endings ---

    def finish(self) -> None:
        """Do what the program does when the script is over."""
        ending = self.app.ending
        if self.fin_sent or self.closing:
            return
        if ending in (Ending.CLOSE, Ending.CLOSE_HARD):
            self.close()
        elif ending is Ending.RESET:
            self.speaking = True
            self.world.after(float(self.rng.exponential(MILLISECOND)), self.abort)
        elif ending is Ending.IDLE_RESET and not self.fin_heard:
            self.speaking = True
            self.world.after(self.app.idle, self.idle_reset)
        if self.app.keepalive:
            self.speaking = True
            self.world.after(self.app.keepalive, self.keep_alive, 0)

    def close(self) -> None:
        """Send the FIN behind everything that was said."""
        self.closing = True
        self.pump()

    def hear_fin(self) -> None:
        """React to the peer's FIN: say goodbye at the TLS layer where that is the habit, then close."""
        if self.fin_sent or self.app.ending is Ending.SILENT:
            return
        self.stream.say(self.app.goodbye)
        self.pump()
        self.world.after(float(self.rng.exponential(MILLISECOND)), self.close)

    def abort(self) -> None:
        """Close with unread or unsent data: a RST/ACK that is otherwise an ordinary segment of this connection."""
        if self.state in ("established", "syn_received"):
            self.emit(RST | ACK)
            self.state = "dead"

    def idle_reset(self) -> None:
        """Forget an idle connection and tell the peer, without options and with an empty window."""
        if self.state == "established" and not self.fin_heard:
            self.emit(RST | ACK, options=b"")
            self.state = "dead"

    def keep_alive(self, unanswered: int) -> None:
        """Ask whether the peer still lives when nothing came for a while; reset after enough silence."""
        if self.state != "established" or self.fin_heard or self.fin_sent:
            return
        quiet = self.world.now - self.heard_at
        if quiet < self.app.keepalive * 0.9:
            self.world.after(self.app.keepalive - quiet, self.keep_alive, 0)
        elif unanswered >= MOST_PROBES:
            self.abort()
        else:
            self.emit(ACK, self.sender.una - 1)
            pause = self.app.keepalive if unanswered == 0 else self.app.keepalive / 3
            self.world.after(pause, self.keep_alive, unanswered + 1)

    def die(self) -> None:
        """Fall silent, as a host that lost power or its network; perhaps come back without memory."""
        self.state = "gone"
        if self.app.revives:
            self.world.after(self.app.revives, self.revive)

    def revive(self) -> None:
        """Answer again, with resets."""
        self.state = "dead"

    def hear_reset(self, packet: Packet) -> None:
        """Drop the connection if the RST fits (RFC 9293 §3.5.3); challenge one beside it (RFC 5961 §3.2)."""
        if self.state == "syn_sent":
            if packet.flags & ACK and packet.ack == (self.isn + 1) & 0xFFFFFFFF:
                self.state = "dead"
            return
        ahead = (packet.seq - self.peer_isn - self.receiver.nxt) & 0xFFFFFFFF
        edges = {(end - self.receiver.nxt) & 0xFFFFFFFF for _, end in self.receiver.out_of_order}
        if ahead == 0 or ahead in edges or (not self.stack.challenge_acks and ahead < 65_535):
            self.state = "dead"
        elif ahead < 65_535 and self.state == "established":
            self.challenge()

    def challenge(self) -> None:
        """Say where this end is, twice a second at most (Linux tcp_invalid_ratelimit).

        Two ends that were led apart by forged bytes would else answer each other for ever.
        """
        now = self.world.now
        if now - self.challenged_at < CHALLENGE_PAUSE:
            return
        quiet = self.fed_at < self.challenged_at
        self.challenges, self.challenged_at = self.challenges + 1 if quiet else 0, now
        if self.challenges > MOST_CHALLENGES:
            self.state = "dead"
        else:
            self.emit(ACK)

    def refuse(self, packet: Packet) -> None:
        """Answer a segment of no connection with a reset that owes nothing to it (RFC 9293 §3.10.7.1)."""
        length = len(packet.payload) + bool(packet.flags & SYN) + bool(packet.flags & FIN)
        asked = bool(packet.flags & ACK)
        self.path.send(
            packet.reply(
                ttl=self.stack.ttl, tos=0, ip_id=0, ip_flags=2, window=0, subject=self.subject,
                seq=packet.ack if asked else 0,
                ack=0 if asked else (packet.seq + length) & 0xFFFFFFFF,
                flags=RST if asked else RST | ACK,
            ),
            self.outbound,
        )  # fmt: skip

    def hear_icmp(self, packet: Packet) -> None:
        """Take an ICMP error: smaller packets (RFC 1191, RFC 8201), or the end of an opening (RFC 5461)."""
        what = unreachable(packet.payload, packet.protocol)
        if what.mtu:
            overhead = 40 + (20 if self.local[0][0] else 0) + (12 if self.timestamps else 0)
            self.mss = min(self.mss, max(536, what.mtu - overhead))
            self.sender.split(self.mss)
            self.pump()
        elif what.hard and self.state == "syn_sent":
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
    ends = ((stacks[0], True, client, server, apps[0]), (stacks[1], False, server, client, apps[1]))
    first, _ = [
        Endpoint(
            path=path, stack=stack, outbound=outbound, local=local, remote=remote, subject=subject, script=script,
            app=app,
        )
        for stack, outbound, local, remote, app in ends
    ]  # fmt: skip
    first.open()
