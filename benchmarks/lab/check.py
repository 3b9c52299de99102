"""An independent look at a lab folder: is each label visible on the wire? tshark reads the captures, none of our code.

The two captures of a run say what was sent at one end and what came in at the other. So whatever came in and was never
sent was made on the path, and whatever was sent and never came in was lost or swallowed on it; the labels have to agree
with both, frame by frame.
"""

import concurrent.futures
import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs

__all__ = ["Capture", "check", "problems_of", "read"]

FIELDS = (
    "frame.number", "frame.time_epoch", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.id",
    "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw", "tcp.len",
    "tcp.window_size_value", "tcp.options.timestamp.tsval", "tcp.payload", "udp.payload", "dns.id", "dns.flags.response",
    "dns.qry.name", "tcp.analysis.retransmission", "tcp.analysis.fast_retransmission", "tcp.checksum.status",
    "udp.checksum.status", "ip.checksum.status", "_ws.malformed", "x509ce.dNSName", "x509af.serialNumber",
)  # fmt: skip
OPTIONS = ("tcp.relative_sequence_numbers:FALSE", "tcp.desegment_tcp_streams:TRUE", "tcp.check_checksum:TRUE",
           "udp.check_checksum:TRUE", "ip.check_checksum:TRUE")  # fmt: skip
BAD = "0"  # what tshark calls a wrong checksum
FIN, SYN, RST, ACK = 1, 2, 4, 16
HTTP = b"HTTP/1.".hex()

Ends = tuple[str, int, str, int]


@attrs.frozen(eq=False)
class Frame:
    """One frame as tshark reads it."""

    number: int
    time: float
    ends: Ends  # source, port, destination, port
    flags: int
    size: int  # bytes of payload
    payload: str
    key: tuple[str, ...]  # the same at both ends of the path, addresses of the client left out
    icmp: bool
    fields: dict[str, str]


@attrs.frozen(eq=False)
class Capture:
    """One capture with its labels."""

    name: str
    labels: dict[str, Any]
    frames: list[Frame]
    clients: frozenset[str]

    def of(self, truth: dict[str, Any]) -> list[Frame]:
        """List the frames of a labelled subject."""
        one = (truth["client"], truth["client_port"], truth["server"], truth["server_port"])
        both = {one, (*one[2:], *one[:2])}
        later = [
            other["first_frame"] for other in self.labels["truths"]
            if other["first_frame"] > truth["first_frame"]
            and (other["client"], other["client_port"], other["server"], other["server_port"]) == one
        ]  # fmt: skip
        limit = min(later, default=len(self.frames) + 1)
        return [frame for frame in self.frames[truth["first_frame"] - 1 : limit - 1] if frame.ends in both]

    def sent(self) -> Counter[tuple[str, ...]]:
        """Count what the host of this capture sent."""
        inner = self.labels["vantage"] == "client"
        return Counter(frame.key for frame in self.frames if (frame.ends[0] in self.clients) == inner)

    def incoming(self, frame: Frame) -> bool:
        """Say whether a frame came in from the path."""
        return (frame.ends[0] in self.clients) != (self.labels["vantage"] == "client")


def read(path: Path) -> Capture:
    """Let tshark read a capture."""
    labels = json.loads(path.with_suffix(".labels.json").read_text(encoding="utf-8"))
    words = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]
    for option in OPTIONS:
        words += ["-o", option]
    for field in FIELDS:
        words += ["-e", field]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rows = [dict(zip(FIELDS, line.split("|"), strict=True)) for line in done.stdout.splitlines()]
    clients = frozenset(truth["client"] for truth in labels["truths"])
    return Capture(path.name, labels, [frame_of(row) for row in rows], clients)


def frame_of(row: dict[str, str]) -> Frame:
    """Make a frame of tshark's fields."""
    source, destination = row["ip.src"] or row["ipv6.src"], row["ip.dst"] or row["ipv6.dst"]
    ports = [int(row[f"tcp.{end}port"] or row[f"udp.{end}port"] or 0) for end in ("src", "dst")]
    payload = row["tcp.payload"] or row["udp.payload"]
    names = ("ip.id", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw", "tcp.window_size_value", "tcp.options.timestamp.tsval")
    return Frame(
        int(row["frame.number"]), float(row["frame.time_epoch"]), (source, ports[0], destination, ports[1]),
        int(row["tcp.flags"] or "0", 16), int(row["tcp.len"] or len(payload) // 2), payload,
        (*(row[name] for name in names), payload), "icmp" in row["frame.protocols"], row,
    )  # fmt: skip


def check(folder: Path, jobs: int = 2) -> list[str]:
    """Check every run of a folder.

    Args:
        folder: What the lab made.
        jobs: Runs looked at side by side.

    Returns:
        A sentence for every problem.
    """
    runs: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.pcap")):
        runs.setdefault(path.name.rsplit(".", 2)[0], []).append(path)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [line for found in pool.map(check_run, runs.values()) for line in found]


def check_run(paths: list[Path]) -> list[str]:
    """Check the captures of one run against each other."""
    captures = {capture.labels["vantage"]: capture for capture in map(read, paths)}
    empty = Capture("nothing", {"vantage": "server", "truths": []}, [], frozenset())
    client, server = captures.get("client", empty), captures.get("server", empty)
    found = [f"{client.name}: {says}" for says in coverage(client)]
    for own, other in ((client, server), (server, client)):
        found += [f"{own.name}: {says}" for says in problems_of(own, other)]
    return found


def coverage(client: Capture) -> Iterator[str]:
    """Check that the client's capture holds what the name of the scenario promises."""
    name = client.labels["scenario"]
    mechanisms = {truth["mechanism"] for truth in client.labels["truths"]} - {None}
    if name.startswith("benign."):
        if mechanisms:
            yield f"a benign scenario with {sorted(mechanisms)}"
        if not any(truth["confounder"] for truth in client.labels["truths"]):
            yield "no look-alike in it"
    elif not any(name.startswith(one) for one in mechanisms):
        yield f"nothing of the scenario's mechanism, only {sorted(mechanisms)}"


def problems_of(own: Capture, other: Capture) -> Iterator[str]:
    """Hold one capture and its labels against the capture of the other end."""
    sent = other.sent()
    forged = {frame: truth for truth in own.labels["truths"] for frame in truth["forged"]}
    many = any(truth["confounder"] == "path-duplicates" for truth in own.labels["truths"])
    counts: Counter[tuple[str, ...]] = Counter()
    for frame in own.frames:
        damaged = [name for name in frame.fields if name.endswith("checksum.status") and frame.fields[name] == BAD]
        if (damaged or frame.fields["_ws.malformed"]) and frame.number not in forged and not frame.icmp:
            yield f"frame {frame.number} is damaged: {damaged or 'malformed'}"
        if frame.icmp or not own.incoming(frame):
            if frame.number in forged:
                yield f"frame {frame.number} is labelled forged but left this host"
            continue
        counts[frame.key] += 1
        if frame.number in forged:
            if sent[frame.key]:
                yield f"frame {frame.number} is labelled forged but the other end sent it"
        elif not sent[frame.key]:
            yield f"frame {frame.number} was sent by nobody and is not labelled"
        elif counts[frame.key] > sent[frame.key] and not many:
            yield f"frame {frame.number} came in more often than it was sent"
    for truth in own.labels["truths"]:
        subject = f"{truth['kind']} {truth['client_port']}>{truth['server']}:{truth['server_port']}"
        frames = own.of(truth)
        if not frames or frames[0].number != truth["first_frame"]:
            yield f"{subject} does not begin at frame {truth['first_frame']}"
        for mechanism in (truth["mechanism"], *truth["also"]):
            if mechanism is not None:
                yield from (f"{subject} {mechanism}: {says}" for says in SHOWN[mechanism](own, other, truth, frames))
        if truth["mechanism"] is None and truth["forged"]:
            yield f"{subject} is untouched but has forged frames"
        if truth["trigger"] and truth["trigger"] not in [frame.number for frame in frames]:
            yield f"{subject}: its trigger {truth['trigger']} is a frame of something else"


# What each mechanism must show.

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


def swallowed(own: Capture, other: Capture, frames: list[Frame], outgoing: bool) -> int:
    """Count the last packets of one direction that never came in at the other end."""
    if not outgoing:
        return 0
    arrived = Counter(frame.key for frame in other.frames if other.incoming(frame))
    run = 0
    for frame in frames:
        if own.incoming(frame):
            continue
        run = 0 if arrived[frame.key] else run + 1
    return run


def silence(least: int) -> Shows:
    """Demand that a direction ends with packets that never came in (seen from the end that sent them)."""

    def shows(own: Capture, other: Capture, truth: dict[str, Any], frames: list[Frame]) -> Iterator[str]:
        here = swallowed(own, other, frames, outgoing=True)
        seen = {frame.key for frame in frames}
        there = max(
            (swallowed(other, own, other.of(one), outgoing=True) for one in other.labels["truths"]
             if any(frame.key in seen for frame in other.of(one))), default=0,
        )  # fmt: skip
        if max(here, there) < least:
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
        if swallowed(own, other, mine, outgoing=True) < len(mine):
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
    arrived = Counter(frame.key for frame in client.frames)
    sent = [frame for frame in server.frames if frame.ends[0] == truth["server"] and frame.size
            and truth["server_port"] == frame.ends[1]]  # fmt: skip
    lost = sum(not arrived[frame.key] for frame in sent)
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
