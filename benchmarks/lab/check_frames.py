"""Captures as tshark reads them, for the check of the lab: none of our decoding is involved."""

import functools
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import attrs

__all__ = ["ACK", "FIN", "RST", "SYN", "Capture", "Frame", "Subject", "arrived", "read", "subjects"]

FIELDS = (
    "frame.number", "frame.time_epoch", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.id",
    "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw", "tcp.len",
    "tcp.window_size_value", "tcp.options.timestamp.tsval", "tcp.payload", "udp.payload", "dns.id",
    "dns.flags.response", "dns.flags.rcode", "dns.qry.name", "dns.a", "dns.aaaa", "tcp.analysis.retransmission",
    "tcp.checksum", "tcp.checksum.status", "udp.checksum.status", "ip.checksum.status", "_ws.malformed",
    "x509af.serialNumber",
)  # fmt: skip
OPTIONS = ("tcp.relative_sequence_numbers:FALSE", "tcp.desegment_tcp_streams:TRUE", "tcp.check_checksum:TRUE",
           "udp.check_checksum:TRUE", "ip.check_checksum:TRUE")  # fmt: skip
FIN, SYN, RST, ACK = 1, 2, 4, 16
CACHED = 16  # captures whose tables are kept: more than are looked at side by side

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
        inner: bool = self.labels["vantage"] == "client"
        return (frame.ends[0] in self.clients) != inner


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


@functools.lru_cache(CACHED)
def arrived(capture: Capture) -> Counter[tuple[str, ...]]:
    """Count what came in from the path."""
    return Counter(frame.key for frame in capture.frames if capture.incoming(frame))


@attrs.frozen(eq=False)
class Subject:
    """A labelled subject of one capture, with the capture of the other end."""

    own: Capture
    other: Capture
    truth: dict[str, Any]
    frames: list[Frame]

    def incoming(self) -> list[Frame]:
        """List what came from the path."""
        return [frame for frame in self.frames if self.own.incoming(frame)]

    def outgoing(self) -> list[Frame]:
        """List what this host sent."""
        return [frame for frame in self.frames if not self.own.incoming(frame)]

    def forged(self) -> list[Frame]:
        """List the frames that are labelled forged."""
        made = set(self.truth["forged"])
        return [frame for frame in self.frames if frame.number in made]


@functools.lru_cache(CACHED)
def subjects(own: Capture, other: Capture) -> list[Subject]:
    """List the labelled subjects of a capture."""
    return [Subject(own, other, truth, own.of(truth)) for truth in own.labels["truths"]]
