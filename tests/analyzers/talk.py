"""Build small TCP conversations packet by packet, for tests that need to say exactly what happened."""

from typing import Any

import numpy as np
from scapy.all import IP, TCP, Raw

from netinterf.analyzers.base import Analyzer
from netinterf.trace import Trace, read

RAW_IP = 101

BEGIN_NS = 1_700_000_000_000_000_000
"""When the tests' time 0 is: captures lie after 1970, also what happened before that."""


class Talk:
    """A conversation as the client's capture would show it; times in milliseconds."""

    def __init__(
        self, *, rtt: float = 100.0, stamps: bool = True, server: str = "203.0.113.9", at_server: bool = False
    ) -> None:
        self.rtt, self.stamps, self.server = rtt, stamps, server
        self.ttl = {"C": 50, "S": 64} if at_server else {"C": 64, "S": 50}
        self.way = (0.0, rtt) if at_server else (rtt, 0.0)  # from SYN to SYN/ACK and on to ACK, at the tap
        self.frames: list[tuple[float, bytes]] = []
        self.port = 40000
        self.ids = {"C": 1000, "S": 7000}
        self.now = 0.0

    def send(self, side: str, flags: str, seq: int, ack: int, *, at: float, data: bytes = b"", **fields: Any) -> int:
        """Write one packet of side ``"C"`` or ``"S"`` at time *at*; returns its frame number in writing order."""
        mine, theirs = ("198.51.100.7", self.server) if side == "C" else (self.server, "198.51.100.7")
        ports = fields.pop("ports", (self.port, 443) if side == "C" else (443, self.port))
        self.ids[side] += 1
        ip = {"ttl": self.ttl[side], "id": self.ids[side], "flags": "DF" if fields.pop("df", True) else 0}
        tcp: dict[str, Any] = {"window": 64_240 if "S" in flags else 500 if side == "C" else 600}
        options = []
        if fields.pop("stamped", True) and self.stamps:
            options = [("NOP", None), ("NOP", None), ("Timestamp", (int(at) + 50_000, int(at) + 49_900))]
        mss, scale = fields.pop("mss", 1460), fields.pop("scale", [("WScale", 7)])
        if "S" in flags:
            options = [*([("MSS", mss)] if mss else []), ("SAckOK", b""), *scale, *options]
        ip |= {key: fields.pop(key) for key in ("ttl", "id", "tos") if key in fields}
        tcp |= fields
        packet = IP(src=mine, dst=theirs, **ip) / TCP(
            sport=ports[0], dport=ports[1], flags=flags, seq=seq, ack=ack, options=options, **tcp
        )
        self.frames.append((at, bytes(packet / Raw(data)) if data else bytes(packet)))
        return len(self.frames)

    def open(self, at: float = 0.0) -> float:
        """Shake hands; returns the time of the client's ACK."""
        self.send("C", "S", 100, 0, at=at)
        answered = at + self.way[0] + 0.05
        self.send("S", "SA", 900, 101, at=answered)
        self.send("C", "A", 101, 901, at=answered + self.way[1] + 0.05)
        return answered + self.way[1] + 0.05

    def request(self, at: float, data: bytes = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n") -> tuple[float, int]:
        """Send the request 1 ms later; returns its time and the number behind it."""
        self.send("C", "PA", 101, 901, at=at + 1, data=data)
        return at + 1, 101 + len(data)

    def healthy(self, at: float) -> None:
        """Play another conversation with the same server that goes well, so that its round trip is known."""
        self.port += 1
        sent, end = self.request(self.open(at))
        self.send("S", "A", 901, end, at=sent + self.rtt)
        self.send("S", "PA", 901, end, at=sent + self.rtt + 1, data=b"HTTP/1.1 200 OK\r\n\r\n")
        self.send("C", "A", end, 920, at=sent + self.rtt + 1.1)
        self.send("C", "FA", end, 920, at=sent + self.rtt + 2)
        self.send("S", "FA", 920, end + 1, at=sent + 2 * self.rtt + 2)
        self.send("C", "A", end + 1, 921, at=sent + 2 * self.rtt + 2.1)
        self.port -= 1

    def trace(self, vantage: str = "client") -> Trace:
        """Read the conversation as a capture, in time order."""
        ordered = sorted(self.frames, key=lambda frame: frame[0])
        times = [int(at * 1e6) + BEGIN_NS for at, _ in ordered]
        return read(times=times, frames=[frame for _, frame in ordered], link_type=RAW_IP, vantage=vantage)


def fired(analyzer: Analyzer, trace: Trace, port: int = 40000) -> dict[str, float]:
    """Name the rules by which an analyzer speaks of the flow from a client port, with their weights."""
    evidence = analyzer(trace)
    flow = int(np.flatnonzero(trace.flows.client_port == port)[0])
    mine = np.flatnonzero(evidence.subject == flow)
    return {evidence.rules[evidence.rule[row]].id: float(evidence.llr[row]) for row in mine}
