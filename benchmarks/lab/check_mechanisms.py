"""What each mechanism must show in the two captures of a run."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.lab.check_frames import ACK, FIN, RST, SYN, Capture, Frame, arrived

__all__ = ["SHOWN", "Shows", "speed"]

HTTP = b"HTTP/1.".hex()

Shows = Callable[[Capture, Capture, dict[str, Any], list[Frame]], Iterator[str]]


def forged_frames(truth: dict[str, Any], frames: list[Frame]) -> list[Frame]:
    """Pick the forged frames of a subject."""
    return [frame for frame in frames if frame.number in set(truth["forged"])]


def flagged(flags: int, least: int = 1) -> Shows:
    """Demand forged frames with these flags (at the client; at the server none may have been sent)."""

    def shows(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
        made = [frame for frame in forged_frames(truth, frames) if frame.flags & flags == flags]
        there = sum(any(frame.flags & flags == flags for frame in forged_frames(one, other.of(one))) for one in
                    other.labels["truths"] if one["mechanism"] == truth["mechanism"])  # fmt: skip
        if len(made) < least and not there:
            yield f"no forged frame with flags {flags:#x} at either end"

    return shows


def payload(test: Callable[[str], bool]) -> Shows:
    """Demand a forged frame at the client whose payload passes a test."""

    def shows(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
        if own.labels["vantage"] == "client" and not any(test(frame.payload) for frame in forged_frames(truth, frames)):
            yield "no forged frame with such payload"

    return shows


def swallowed(own: Capture, other: Capture, frames: list[Frame]) -> int:
    """Count the last packets of one direction that never came in at the other end."""
    there = arrived(other)
    run = 0
    for frame in frames:
        if own.incoming(frame):
            continue
        run = 0 if there[frame.key] else run + 1
    return run


def silence(least: int) -> Shows:
    """Demand that a direction ends with packets that never came in (seen from the end that sent them)."""

    def shows(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
        here = swallowed(own, other, frames)
        seen = {frame.key for frame in frames}
        there = max(
            (swallowed(other, own, other.of(one)) for one in other.labels["truths"]
             if any(frame.key in seen for frame in other.of(one))), default=0,
        )  # fmt: skip
        if max(here, there) < (1 if truth["also"] else least):  # a reset end has little left to say
            yield f"only {here} and {there} packets were swallowed at the end of either direction"

    return shows


def unanswered(least: int) -> Shows:
    """Demand that nothing came back to so many packets and that none arrived."""

    def shows(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
        mine = [frame for frame in frames if truth["kind"] == "flow" or frame.fields["dns.id"] == dns_id(truth)]
        if any(own.incoming(frame) for frame in mine):
            yield "something came back"
        if len(mine) < least:
            yield f"only {len(mine)} packets were sent"
        if swallowed(own, other, mine) < len(mine):
            yield "some of it arrived"

    return shows


def dns_id(truth: dict[str, Any]) -> str:
    """Write a query number as tshark does."""
    return f"{truth['query_id']:#06x}"


def replies(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
    """Demand forged replies to the same question; genuine ones only for an injection."""
    mine = [frame for frame in frames if own.incoming(frame) and frame.fields["dns.id"] == dns_id(truth)]
    made = forged_frames(truth, mine)
    genuine = [frame for frame in mine if frame not in made]
    if not made:
        yield "no forged reply"
    if any(frame.fields["dns.qry.name"].lower() != truth["name"].lower() for frame in made):
        yield "a forged reply to another question"
    if {frame.payload for frame in made} & {frame.payload for frame in genuine}:
        yield "a forged reply says what the true one says"
    if bool(genuine) != (truth["mechanism"] == "dns.injection"):
        yield f"{len(genuine)} true replies"


def lonely(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
    """Demand an unanswered question while the same server answers another."""
    yield from unanswered(1)(own, other, truth, frames)
    if not any(frame.ends[0] == truth["server"] and frame.fields["dns.flags.response"] for frame in own.frames):
        yield "the resolver answers nothing at all"


def speed(frames: list[Frame], server: str) -> float:
    """Measure bytes per second of a server's payload from its first byte to its last."""
    data = [frame for frame in frames if frame.ends[0] == server and frame.size]
    spent = data[-1].time - data[0].time if len(data) > 1 else 0.0
    return sum(frame.size for frame in data) / spent if spent else 0.0


def policed(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
    """Demand dropped and repeated packets of the server, more than the path loses anyway."""
    client, server = (own, other) if own.labels["vantage"] == "client" else (other, own)
    came = Counter(frame.key for frame in client.frames)
    sent = [frame for frame in server.frames if frame.ends[0] == truth["server"] and frame.size
            and truth["server_port"] == frame.ends[1]]  # fmt: skip
    lost = sum(not came[frame.key] for frame in sent)
    again = sum(bool(frame.fields["tcp.analysis.retransmission"]) for frame in sent)
    if lost < max(3, 2 * own.labels["conditions"]["loss"] * len(sent)) or again < 3:
        yield f"{lost} of {len(sent)} packets were dropped, {again} repeated"


def slowed(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
    """Demand that an untouched transfer of the same capture is at least twice as fast."""
    rates = [speed(own.of(one), one["server"]) for one in own.labels["truths"]
             if one["mechanism"] is None and one["protocol"] == "tcp"]  # fmt: skip
    own_rate = speed(frames, truth["server"])
    if not rates or max(rates) < 2 * own_rate:
        yield f"{own_rate:,.0f} B/s against {max(rates, default=0):,.0f} B/s"


def handshake(frames: list[Frame], server: str) -> float:
    """Measure the seconds from the client's first payload to the server's 4,000th byte."""
    began = next((frame.time for frame in frames if frame.size and frame.ends[0] != server), 0.0)
    left = 1500
    for frame in frames:
        if frame.ends[0] == server and frame.size:
            left -= frame.size
            if left <= 0:
                return frame.time - began
    return 60.0 if began else 0.0


def late_handshake(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
    """Demand a handshake a second longer than every untouched one (at the client)."""
    if own.labels["vantage"] == "client":
        others = [handshake(own.of(one), one["server"]) for one in own.labels["truths"]
                  if one["mechanism"] is None and one["protocol"] == "tcp"]  # fmt: skip
        took = handshake(frames, truth["server"])
        if took < 1 + max(others, default=0.0):
            yield f"{took:.2f} s against {max(others, default=0.0):.2f} s"


def intercepted(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
    """Demand a certificate that is not the origin's: its serial number is in no capture of the origin."""
    serials = {frame.fields["x509af.serialNumber"] for frame in frames} - {""}
    if own.labels["vantage"] == "client" and not serials:
        yield "no certificate is to be seen"
    if serials & {frame.fields["x509af.serialNumber"] for frame in other.frames}:
        yield "the origin sent this certificate"
    if {frame.number for frame in frames if own.incoming(frame)} != set(truth["forged"]):
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
