"""Packets written down by hand: a few words per segment, the rest filled in, as the decoder would give them."""

import ipaddress

import attrs
import numpy as np

from netinterf.schema import Endpoints, Packets, TcpFlag, TcpOption

FLAGS = {"F": TcpFlag.FIN, "S": TcpFlag.SYN, "R": TcpFlag.RST, "P": TcpFlag.PSH, "A": TcpFlag.ACK}
CLIENT, SERVER = ("192.0.2.1", 50000), ("198.51.100.7", 443)


@attrs.frozen(repr=False)
class Segment:
    """One packet; TCP from client to server unless said otherwise."""

    flags: str = "A"
    seq: int = 0
    ack: int = 0
    payload: int = 0
    source: tuple = CLIENT
    target: tuple = SERVER
    time: int | None = None  # ns; five milliseconds after the packet before when left out
    window: int = 1000
    ttl: int = 64
    ip_id: int = 0
    tsval: int | None = None
    tsecr: int = 0
    protocol: int = 6
    status: int = 0
    icmp: int = 0
    version: int = 4

    def __repr__(self):
        """Show only what is not usual."""
        shown = ((f.name, getattr(self, f.name)) for f in attrs.fields(type(self)))
        usual = {f.name: f.default for f in attrs.fields(type(self))}
        return "Segment(" + ", ".join(f"{name}={value!r}" for name, value in shown if value != usual[name]) + ")"

    def reversed(self):
        """Send it the other way."""
        return attrs.evolve(self, source=self.target, target=self.source)


def client(flags="A", seq=0, ack=0, payload=0, **more):
    """Write a segment of the client."""
    return Segment(flags, seq, ack, payload, **more)


def server(flags="A", seq=0, ack=0, payload=0, **more):
    """Write a segment of the server."""
    return Segment(flags, seq, ack, payload, source=SERVER, target=CLIENT, **more)


def halves(address):
    """Split an address into two 64-bit halves, IPv4 mapped into IPv6."""
    parsed = ipaddress.ip_address(address)
    number = int(parsed) if parsed.version == 6 else 0xFFFF << 32 | int(parsed)
    return number >> 64, number & (1 << 64) - 1


def decoded(segments):
    """Give the tables that a decoder would make of the segments, in the order given."""
    count, clock = len(segments), 1_700_000_000_000_000_000
    columns = {field.name: np.zeros(count, field.dtype) for field in Packets.schema()}
    ends = {field.name: np.zeros(count, field.dtype) for field in Endpoints.schema()}
    columns["frame"] += np.arange(1, count + 1, dtype=np.uint32)
    columns["flow"] -= 1
    columns["relative_ack"] -= 1
    columns["window_shift"] += 255
    for row, segment in enumerate(segments):
        clock = clock + 5_000_000 if segment.time is None else segment.time
        columns["time"][row] = clock
        for name in ("window", "ttl", "ip_id", "protocol", "status", "icmp", "version"):
            columns[name][row] = getattr(segment, name)
        columns["payload_length"][row] = segment.payload
        if segment.protocol == 6:
            columns["tcp_flags"][row] = sum(FLAGS[letter] for letter in segment.flags)
            columns["seq"][row], columns["ack"][row] = segment.seq % 2**32, segment.ack % 2**32
        if segment.tsval is not None:
            columns["tsval"][row], columns["tsecr"][row] = segment.tsval % 2**32, segment.tsecr % 2**32
            columns["tcp_options"][row] |= TcpOption.TIMESTAMPS
        ends["source_high"][row], ends["source_low"][row] = halves(segment.source[0])
        ends["target_high"][row], ends["target_low"][row] = halves(segment.target[0])
        ends["source_port"][row], ends["target_port"][row] = segment.source[1], segment.target[1]
    return Packets(**columns), Endpoints(**ends)
