"""What must be in a capture for somebody who has nothing else to suspect each mechanism: tries, controls, witnesses.

A *try* is a transmission that its sender repeats for want of an answer. A *witness* shows that the line was alive while
tries failed: somebody else was heard. A *control* is somebody whom the same failure would have met, were nobody on the
path: another name at the same server, another site with the same protocol. Whoever has none of these has a dead server
or a dead line before them, and nobody can tell; such units are counted apart, by mechanism.
"""

from collections.abc import Callable, Sequence

from benchmarks.decidable.view import Capture, Shown, Talk, look
from benchmarks.scoreboard.labels import Row
from netinterf.mechanisms import Written, written_by
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["LEAST_DROPS", "TRIES", "decidable", "rules_for"]

TRIES = 3
"""Transmissions in vain. Where one packet in a hundred is lost each way, three in a row have chance 8e-6."""

PLACES = (5, 2)
"""For a closed border: places abroad that fail, and at home that answer."""

LEAST_DROPS = 15
"""Drops from which on a limit must be found (Flach et al., §3.2)."""

PACKETS = 100
"""Packets from which a rate can be told from a start: ten times the initial window (RFC 6928)."""

PAUSE = 5
"""Round trips in which a server that was sending sends nothing: twice the usual first timeout (RFC 6298) at 100 ms."""

EARLY, LET_OUT, PADDED = 12, (53, 80, 123, 443), 1_200
"""Datagrams within which a box that lets some pass acts, ports that networks let out that let out little else, and
bytes from which on an opening is of obfuscated QUIC, and of no protocol that anybody can name."""

Rule = Callable[[Capture, Talk, Row], bool]


def decidable(trace: Trace, rows: Sequence[Row], vantage: str) -> tuple[bool, ...]:
    """Say of each labelled unit whether somebody with this capture alone could suspect what was done to it.

    Args:
        trace: The capture.
        rows: Its labels; those of nobody interfered with count as decidable.
        vantage: Where it was taken: client, server or middle.
    """
    capture = look(trace, rows, vantage)
    found = []
    for row in rows:
        talk = capture.owner.get(row.truth.first_frame)
        rules = [rule for word in row.mechanisms for rule in rules_for(word)]
        found.append(not row.mechanisms or (talk is not None and any(rule(capture, talk, row) for rule in rules)))
    return tuple(found)


def written(capture: Capture, talk: Talk, row: Row) -> bool:
    """Somebody wrote a packet: it is there, and so is one of the end in whose name it was written."""
    forged = [one for one in talk.packets if one.frame in row.truth.forged]
    others = [one for one in talk.packets if one.frame not in row.truth.forged]
    if row.truth.kind == "exchange":  # what else this resolver says, in this exchange or in others
        others += [one for other in capture.talks if other.server == talk.server for one in other.packets]
        others = [one for one in others if one.frame not in row.truth.forged]
    return any(one.up == two.up for one in forged for two in others)


def swallowed(capture: Capture, talk: Talk, _row: Row) -> bool:
    """What one end repeats is never acknowledged, and somebody else is heard meanwhile."""
    return unheard(capture, talk)


def swept(capture: Capture, talk: Talk, _row: Row) -> bool:
    """A request with one hop limit dies at a server that acknowledges one with another."""
    own = {one.ttl for one in talk.of(up=True) if one.size}
    return bool(in_vain(talk, up=True)) and any(
        {one.ttl for one in other.of(up=True) if one.size} - own and not in_vain(other, up=True)
        for other in beside(capture, talk)
    )


def mute(capture: Capture, talk: Talk, _row: Row) -> bool:
    """The request was acknowledged and never answered, while the same server answers other names."""
    asked = [one for one in talk.of(up=True) if one.size]
    if not asked or in_vain(talk, up=True) or any(one.size for one in talk.of(up=False)):
        return False
    return any(
        other.bytes_down() and other.name != talk.name and other.heard_after(asked[0].time, up=False)
        for other in beside(capture, talk)
    )


def closed(capture: Capture, talk: Talk, _row: Row) -> bool:
    """Nobody greets back, and the same address, or two neighbours of it, are heard otherwise."""
    tries = [one for one in talk.of(up=True) if one.flags & TcpFlag.SYN]
    if len(tries) < TRIES - 1 or talk.opened():  # the second follows a whole second behind the first (RFC 6298)
        return False
    alive = {other.server for other in capture.talks if other.of(up=False)}
    return talk.server in alive or sum(near(one, talk.server) for one in alive) >= 2


def frozen(capture: Capture, talk: Talk, _row: Row) -> bool:
    """The server was answering, stopped for many round trips and did not end.

    Beside it another transfer went further, or one stopped alike.
    """
    return stopped(capture, talk) and any(
        other.bytes_down() > talk.bytes_down() or (stopped(capture, other) and other.mechanisms == talk.mechanisms)
        for other in capture.talks
        if other is not talk and other.tcp
    )


def filtered(capture: Capture, talk: Talk, _row: Row) -> bool:
    """What one end repeats is never acknowledged.

    Others are answered on the same port, or several peers fall silent alike while others are answered.
    """
    deaf = [other for other in capture.talks if unheard(capture, other)]
    answered = [other for other in capture.talks if other.tcp and not other.mechanisms and other.bytes_down()]
    alike = [other for other in deaf if other.mechanisms == talk.mechanisms and other.server != talk.server]
    control = any(other.port == talk.port for other in answered) or (len(alike) >= TRIES - 1 and bool(answered))
    return talk in deaf and control


def without_quic(capture: Capture, talk: Talk, _row: Row) -> bool:
    """Datagrams are repeated in vain; another server answers QUIC, or this one answers the same name over TCP."""
    last = max((one.time for one in talk.of(up=False)), default=0.0)
    tries = [one for one in talk.of(up=True) if one.time > last]
    others = [other for other in capture.talks if not other.mechanisms and other.of(up=False)]
    quic = any(not other.tcp and other.port == talk.port for other in others)
    same = any(other.tcp and other.server == talk.server and other.bytes_down() for other in others)
    return len(tries) >= TRIES and (quic or same)


def without_protocol(capture: Capture, talk: Talk, _row: Row) -> bool:
    """Datagrams are repeated in vain, and something was spared that the same failure would have met.

    That is another protocol over UDP, on a port that not every network lets out, where two networks leave this one
    without an answer and none answers it; a conversation with the same port; or three that died after as few datagrams.
    """
    last = max((one.time for one in talk.of(up=False)), default=0.0)
    tries = {int(2 * one.time) for one in talk.of(up=True) if one.time > last}
    struck = [one for one in capture.talks if one.mechanisms == talk.mechanisms and one.client == talk.client]
    spared = [one for one in capture.talks if not one.tcp and not one.mechanisms and one.of(up=False)]
    died = [len(one.of(up=False)) for one in struck]
    mute = [one for one in struck if not one.of(up=False)]
    places = any(one.server != talk.server and not near(one.server, talk.server) for one in mute)
    opening = {one.size for one in talk.of(up=True)[:EARLY]}
    alike = any(opening & {shown.size for shown in one.of(up=True)[:EARLY]} for one in spared)
    kinds = talk in mute and places and not alike and any(one.port not in LET_OUT for one in spared)
    kinds &= max(opening, default=0) < PADDED
    early = len(died) >= TRIES and min(died) > 0 and max(died) <= min(EARLY, min(died) + 3) and not alike
    same = any(one.server == talk.server and one.port == talk.port for one in spared)
    return len(tries) >= TRIES and (kinds or same or early)


def without_answer(capture: Capture, talk: Talk, row: Row) -> bool:
    """A name is asked for again and again in vain, while the same resolver answers other names."""
    own = [other for other in capture.talks if other.server == talk.server and other.client == talk.client]
    name = row.truth.name.lower()
    tries = sorted(time for one in own for time, asked in one.queries if asked == name)
    if any(asked == name for one in own for _, asked in one.replied) or len(tries) < TRIES:
        return False
    return any(time > tries[0] for one in own for time, _ in one.replied)


def walled(capture: Capture, talk: Talk, _row: Row) -> bool:
    """Many places abroad do not answer, and some at home do."""
    lost = {other.server for other in capture.talks if other.mechanisms and not other.bytes_down()}
    alive = {other.server for other in capture.talks if not other.mechanisms and other.of(up=False)}
    return talk.server in lost and len(lost) >= PLACES[0] and len(alive) >= PLACES[1]


def intercepted(capture: Capture, talk: Talk, _row: Row) -> bool:
    """A certificate is in the clear, and that of another name beside it."""
    return talk.certified and any(other.certified and other.server != talk.server for other in capture.talks)


def policed(capture: Capture, talk: Talk, _row: Row) -> bool:
    """Enough was dropped, and enough passed, to tell a bucket; and somebody else passed unlimited."""
    return late(talk) >= LEAST_DROPS and len(talk.packets) >= PACKETS and compared(capture, talk)


def slowed(capture: Capture, talk: Talk, _row: Row) -> bool:
    """Enough passed to tell a rate, and somebody else passed unlimited."""
    return len(talk.packets) >= PACKETS and compared(capture, talk)


def trickled(capture: Capture, talk: Talk, _row: Row) -> bool:
    """The handshake was answered, and that of somebody else beside it."""
    return talk.opened() and compared(capture, talk)


RULES: dict[str, Rule] = {
    "tcp.reset": written,
    "tcp.fin": written,
    "tcp.synack": written,
    "tcp.data": written,
    "tcp.connect.reset": written,
    "http.blockpage": written,
    "dns.injection": written,
    "dns.forged": written,
    "tcp.drop": lambda *of: any(rule(*of) for rule in (swallowed, swept, mute, frozen, closed)),
    "tcp.connect.drop": closed,
    "rate.freeze": frozen,
    "protocol.filter": filtered,
    "quic.drop": without_quic,
    "udp.drop": without_protocol,
    "dns.drop": without_answer,
    "reach.isolation": walled,
    "tls.interception": intercepted,
    "rate.policing": policed,
    "rate.shaping": slowed,
    "rate.handshake": trickled,
}
"""By how a mechanism's name begins."""


def rules_for(mechanism: str) -> list[Rule]:
    """List the rules that a mechanism is decided by; what writes packets is seen in them, if nothing else is said."""
    rules = [rule for start, rule in RULES.items() if mechanism.startswith(start)]
    return rules or [written] * (written_by(mechanism) is not Written.NOTHING)


def unheard(capture: Capture, talk: Talk) -> bool:
    """Say whether an end repeats in vain while somebody else is heard.

    The capture can witness the waiting of the end beside it only; in the middle of the path, of both.
    """
    sides = {"client": (True,), "server": (False,)}.get(capture.vantage, (True, False))
    tries = [in_vain(talk, up) for up in sides]
    return talk.opened() and any(len(one) >= TRIES and witnessed(capture, talk, one[0].time) for one in tries)


def in_vain(talk: Talk, up: bool) -> list[Shown]:
    """List what one side sent that was never acknowledged: the first transmission, and all that repeat something."""
    acked = max((one.ack for one in talk.of(not up) if one.flags & TcpFlag.ACK), default=0)
    lost = [one for one in talk.of(up) if one.size and one.seq + one.size > acked]
    sent: set[int] = set()
    tries: list[Shown] = []
    for one in lost:
        if one.seq in sent or not tries:
            tries.append(one)
        sent.add(one.seq)
    return tries


def stopped(capture: Capture, talk: Talk) -> bool:
    """Say whether the server fell silent in the middle, for many round trips, while others were heard."""
    said = [one for one in talk.of(up=False) if one.size]
    if not talk.tcp or not said or any(one.flags & (TcpFlag.FIN | TcpFlag.RST) for one in talk.of(up=False)):
        return False
    pause = max(1.0, PAUSE * trip(talk))  # the least first timeout (RFC 6298 section 2.4)
    return capture.end - said[-1].time >= pause and witnessed(capture, talk, said[-1].time)


def late(talk: Talk) -> int:
    """Count the server's packets that came behind later ones: what was dropped before and sent again."""
    highest, found = 0, 0
    for one in talk.of(up=False):
        if one.size:
            found += one.seq < highest
            highest = max(highest, one.seq)
    return found


def witnessed(capture: Capture, talk: Talk, since: float) -> bool:
    """Say whether the end beside the tap heard somebody else after a time."""
    up = capture.vantage == "server"  # there clients are heard
    return any(other.heard_after(since, up) for other in capture.talks if other is not talk)


def beside(capture: Capture, talk: Talk) -> list[Talk]:
    """List the other conversations with the same server."""
    return [other for other in capture.talks if other is not talk and other.server == talk.server]


def compared(capture: Capture, talk: Talk) -> bool:
    """Say whether somebody else was served whom nobody touched."""
    return any(
        other.tcp and other.bytes_down() for other in capture.talks if not other.mechanisms and other is not talk
    )


def near(one: str, other: str) -> bool:
    """Say whether two addresses are neighbours: one /24, or one /48."""
    sign, parts = (":", 3) if ":" in one else (".", 3)
    return one != other and one.split(sign)[:parts] == other.split(sign)[:parts]


def trip(talk: Talk) -> float:
    """Tell the round trip from the handshake, seconds; 0 where it is unknown."""
    up = [one.time for one in talk.of(up=True) if one.flags & TcpFlag.SYN]
    down = [one.time for one in talk.of(up=False) if one.flags & TcpFlag.SYN]
    return down[0] - up[-1] if up and down and down[0] > up[-1] else 0.0
