"""Raw IPv4 and IPv6 packets that carry DNS over UDP, and messages of any make, for tests that need exact bytes."""

import ipaddress
import struct
from dataclasses import dataclass, field

RAW_IP = 101
CLIENT, RESOLVER, OTHER = "10.0.0.2", "8.8.8.8", "9.9.9.9"
MILLISECOND = 1_000_000
A, CNAME, AAAA, OPT = 1, 5, 28, 41


def name_bytes(name: str) -> bytes:
    """Write a name without compression."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def record(kind: int, data: bytes, *, ttl: int = 60, owner: bytes = b"\xc0\x0c", rclass: int = 1) -> bytes:
    """Write a resource record."""
    return owner + struct.pack(">HHIH", kind, rclass, ttl, len(data)) + data


def address_record(text: str, **options) -> bytes:
    """Write an A or AAAA record."""
    data = ipaddress.ip_address(text).packed
    return record(A if len(data) == 4 else AAAA, data, **options)


def edns(*, ttl: int = 0, data: bytes = b"") -> bytes:
    """Write an OPT record."""
    return record(OPT, data, owner=b"\0", rclass=1232, ttl=ttl)


def message(
    name: str,
    *records: bytes,
    number: int = 1,
    flags: int = 0x8180,
    kind: int = A,
    opt: bool = False,
    counts: tuple[int, int, int, int] | None = None,
    qclass: bytes = b"\0\1",
    tail: bytes = b"",
) -> bytes:
    """Write a message; the records are answers."""
    extra = edns() if opt else b""
    counts = counts or (1, len(records), 0, int(opt))
    question = name_bytes(name) + struct.pack(">H", kind) + qclass
    return struct.pack(">HH4H", number, flags, *counts) + question + b"".join(records) + extra + tail


def packet(
    source: str,
    target: str,
    sport: int,
    dport: int,
    payload: bytes,
    *,
    ttl: int = 64,
    ip_id: int = 0,
    df: bool = False,
    protocol: int = 17,
) -> bytes:
    """Write an IP packet with a UDP datagram (or, for another protocol, the payload as it is)."""
    body = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload if protocol == 17 else payload
    left, right = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if left.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(body), protocol, ttl) + left.packed + right.packed + body
    flags = 0x4000 if df else 0
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ip_id, flags, ttl, protocol, 0)
    return header + left.packed + right.packed + body


def tcp_packet(
    source: str, target: str, sport: int, dport: int, numbers: tuple[int, int], flags: int, data: bytes
) -> bytes:
    """Write an IP packet with a TCP segment; *numbers* are sequence and acknowledgement."""
    segment = struct.pack(">HHIIBBHHH", sport, dport, *numbers, 5 << 4, flags, 60000, 0, 0) + data
    return packet(source, target, 0, 0, segment, protocol=6)


def connection(client: str, server: str, sport: int, dport: int, said: bytes, answered: bytes) -> list[bytes]:
    """Write a TCP connection in which each side says one thing."""
    out, back = (client, server, sport, dport), (server, client, dport, sport)
    return [
        tcp_packet(*out, (100, 0), 2, b""),
        tcp_packet(*back, (500, 101), 18, b""),
        tcp_packet(*out, (101, 501), 16, b""),
        tcp_packet(*out, (101, 501), 24, said),
        tcp_packet(*back, (501, 101 + len(said)), 24, answered),
        tcp_packet(*out, (101 + len(said), 501 + len(answered)), 16, b""),
    ]


@dataclass
class Talk:
    """A client that looks names up, and whatever answers; collects frames."""

    client: str = CLIENT
    server: str = RESOLVER
    now: int = 1_700_000_000 * 10**9
    server_ttl: int = 56
    rtt: int = 40 * MILLISECOND
    times: list[int] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    port: int = 40000
    number: int = 1000
    counter: int = 500

    def send(self, payload: bytes, *, after: int = 0, outbound: bool, **options) -> int:
        """Add one datagram *after* ns from now; return its frame number once all are sorted by `capture`."""
        ends = (self.client, self.server, self.port, 53) if outbound else (self.server, self.client, 53, self.port)
        self.times.append(self.now + after)
        self.frames.append(packet(*ends, payload, **options))
        return len(self.frames)

    def ask(self, name: str, *, kind: int = A, opt: bool = True, new: bool = True, after: int = 0, **options) -> int:
        """Send a query; a new one takes a new port and number, one sent again keeps them."""
        if new:
            self.port += 1
            self.number += 7
            self.now += 300 * MILLISECOND
        query = message(name, number=self.number, flags=0x0100, kind=kind, opt=opt)
        options.setdefault("ip_id", 7919 * len(self.frames) % 65000 + 3)
        return self.send(query, outbound=True, after=after, **options)

    def reply(self, name: str, *records: bytes, after: int | None = None, **options) -> int:
        """Answer the last query as its server does; any message field can be set otherwise."""
        header = {key: options.pop(key) for key in ("ttl", "ip_id", "df") if key in options}
        header.setdefault("ttl", self.server_ttl)
        self.counter = (self.counter + 3) % 65536
        header.setdefault("ip_id", self.counter)
        options = {"number": self.number, "opt": True, **options}
        delay = self.rtt + len(self.frames) % 7 * MILLISECOND if after is None else after
        return self.send(message(name, *records, **options), outbound=False, after=delay, **header)

    def connect(self, server: str, dport: int, said: bytes, answered: bytes) -> None:
        """Open a TCP connection a little later, 20 ms between its packets."""
        frames = connection(self.client, server, 50000 + len(self.frames) % 9999, dport, said, answered)
        self.now += 600 * MILLISECOND
        self.times += [self.now + 20 * MILLISECOND * place for place in range(len(frames))]
        self.frames += frames

    def ordinary(self, count: int) -> None:
        """Look up *count* names that nobody touches."""
        for number in range(count):
            name = f"www{number}.ordinary{number % 5}.net"
            self.ask(name)
            self.reply(name, address_record(f"23.{number % 200}.7.9"))

    def capture(self) -> tuple[list[int], list[bytes], list[int]]:
        """Give times and frames in time order, and the frame number of each datagram in order of sending."""
        order = sorted(range(len(self.frames)), key=lambda place: (self.times[place], place))
        number = {place: rank + 1 for rank, place in enumerate(order)}
        return (
            [self.times[place] for place in order],
            [self.frames[place] for place in order],
            [number[place] for place in range(len(order))],
        )
