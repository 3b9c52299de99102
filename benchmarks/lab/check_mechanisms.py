"""What each mechanism must show in the two captures of a run."""

from collections import Counter
from collections.abc import Callable, Iterator

from benchmarks.lab.check_frames import ACK, FIN, RST, SYN, Subject, arrived, subjects

__all__ = ["SHOWN", "Shows", "speed"]

HTTP = b"HTTP/1.".hex()
FLIGHT = 1_500  # bytes: less than the first flight of any TLS server with a certificate

Shows = Callable[[Subject], Iterator[str]]
"""Says what is missing."""


def flagged(flags: int) -> Shows:
    """Demand forged frames with these flags, here or at the other end of such a subject."""

    def shows(one: Subject) -> Iterator[str]:
        there = [same for same in subjects(one.other, one.own) if same.truth["mechanism"] == one.truth["mechanism"]]
        if not any(frame.flags & flags == flags for same in (one, *there) for frame in same.forged()):
            yield f"no forged frame with flags {flags:#x} at either end"

    return shows


def payload(test: Callable[[str], bool]) -> Shows:
    """Demand a forged frame at the client whose payload passes a test."""

    def shows(one: Subject) -> Iterator[str]:
        if one.own.labels["vantage"] == "client" and not any(test(frame.payload) for frame in one.forged()):
            yield "no forged frame with such payload"

    return shows


def swallowed(one: Subject) -> int:
    """Count the last packets that this end sent and that never came in at the other."""
    there = arrived(one.other)
    run = 0
    for frame in one.outgoing():
        run = 0 if there[frame.key] else run + 1
    return run


def silence(least: int) -> Shows:
    """Demand that a direction ends with packets that never came in."""

    def shows(one: Subject) -> Iterator[str]:
        seen = {frame.key for frame in one.frames}
        there = [same for same in subjects(one.other, one.own) if any(frame.key in seen for frame in same.frames)]
        most = max(map(swallowed, (one, *there)))
        if most < (1 if one.truth["also"] else least):  # a reset end has little left to say
            yield f"only {most} packets were swallowed at the end of either direction"

    return shows


def unanswered(least: int) -> Shows:
    """Demand that nothing came back to so many packets and that none arrived."""

    def shows(one: Subject) -> Iterator[str]:
        if one.incoming():
            yield "something came back"
        if len(one.frames) < least:
            yield f"only {len(one.frames)} packets were sent"
        if swallowed(one) < len(one.frames):
            yield "some of it arrived"

    return shows


def replies(one: Subject) -> Iterator[str]:
    """Demand forged replies to the same question; genuine ones only for an injection."""
    number = f"{one.truth['query_id']:#06x}"
    made = one.forged()
    genuine = [frame for frame in one.incoming() if frame not in made and frame.fields["dns.id"] == number]
    if not made or any(frame.fields["dns.id"] != number for frame in made):
        yield "no forged reply, or one with another number"
    if any(frame.fields["dns.qry.name"].lower() != one.truth["name"].lower() for frame in made):
        yield "a forged reply to another question"
    if {frame.payload for frame in made} & {frame.payload for frame in genuine}:
        yield "a forged reply says what the true one says"
    if bool(genuine) != (one.truth["mechanism"] == "dns.injection"):
        yield f"{len(genuine)} true replies"


def lonely(one: Subject) -> Iterator[str]:
    """Demand an unanswered question while the same server answers another."""
    yield from unanswered(1)(one)
    if not any(frame.ends[0] == one.truth["server"] and frame.fields["dns.flags.response"] for frame in one.own.frames):
        yield "the resolver answers nothing at all"


def speed(one: Subject) -> float:
    """Measure bytes per second of the server's payload from its first byte to its last."""
    data = [frame for frame in one.frames if frame.ends[0] == one.truth["server"] and frame.size]
    spent = data[-1].time - data[0].time if len(data) > 1 else 0.0
    return sum(frame.size for frame in data) / spent if spent else 0.0


def policed(one: Subject) -> Iterator[str]:
    """Demand dropped and repeated packets of the server, more than the path loses anyway."""
    client, server = (one.own, one.other) if one.own.labels["vantage"] == "client" else (one.other, one.own)
    came = Counter(frame.key for frame in client.frames)
    sent = [
        frame
        for frame in server.frames
        if frame.ends[:2] == (one.truth["server"], one.truth["server_port"]) and frame.size
    ]
    lost = sum(not came[frame.key] for frame in sent)
    again = sum(bool(frame.fields["tcp.analysis.retransmission"]) for frame in sent)
    if lost < max(3, 2 * one.own.labels["conditions"]["loss"] * len(sent)) or again < 3:
        yield f"{lost} of {len(sent)} packets were dropped, {again} repeated"


def untouched(one: Subject) -> list[Subject]:
    """List the TCP connections of the same capture that nobody touched."""
    return [
        same
        for same in subjects(one.own, one.other)
        if same.truth["mechanism"] is None and same.truth["protocol"] == "tcp"
    ]


def slowed(one: Subject) -> Iterator[str]:
    """Demand that an untouched transfer of the same capture is at least twice as fast."""
    best = max(map(speed, untouched(one)), default=0.0)
    if best < 2 * speed(one):
        yield f"{speed(one):,.0f} B/s against {best:,.0f} B/s"


def handshake(one: Subject) -> float:
    """Measure the seconds from the client's first payload to the end of the server's first flight."""
    began = next((frame.time for frame in one.frames if frame.size and frame.ends[0] != one.truth["server"]), 0.0)
    left = FLIGHT
    for frame in one.frames:
        if frame.ends[0] == one.truth["server"] and frame.size:
            left -= frame.size
            if left <= 0:
                return frame.time - began
    return 0.0


def late_handshake(one: Subject) -> Iterator[str]:
    """Demand a handshake a second longer than every untouched one (at the client)."""
    if one.own.labels["vantage"] == "client":
        longest = max(map(handshake, untouched(one)), default=0.0)
        if handshake(one) < 1 + longest:
            yield f"{handshake(one):.2f} s against {longest:.2f} s"


def intercepted(one: Subject) -> Iterator[str]:
    """Demand a certificate that the origin never sent, and that all of the impostor's packets are labelled."""
    serials = {frame.fields["x509af.serialNumber"] for frame in one.frames} - {""}
    if one.own.labels["vantage"] == "client" and not serials:
        yield "no certificate is to be seen"
    if serials & {frame.fields["x509af.serialNumber"] for frame in one.other.frames}:
        yield "the origin sent this certificate"
    if one.forged() != one.incoming():
        yield "not all packets of the other end are labelled"


SHOWN: dict[str, Shows] = {
    "tcp.reset": flagged(RST),
    "tcp.fin": flagged(FIN),
    "tcp.synack": flagged(SYN | ACK),
    "tcp.data": payload(lambda text: bool(text) and not text.startswith(HTTP)),
    "tcp.drop": silence(2),
    "tcp.connect.drop": unanswered(2),
    "tcp.connect.reset": flagged(RST),
    "http.blockpage": payload(lambda text: text.startswith(HTTP)),
    "tls.interception": intercepted,
    "dns.injection": replies,
    "dns.forged": replies,
    "dns.drop": lonely,
    "quic.drop": silence(2),
    "rate.policing": policed,
    "rate.shaping": slowed,
    "rate.freeze": silence(2),
    "rate.handshake": late_handshake,
    "protocol.filter": silence(2),
    "reach.isolation": unanswered(1),
    "reach.isolation.allowlist": unanswered(1),
}
"""What is demanded of every subject with a mechanism."""
