"""Messages: DNS, TLS, QUIC and HTTP side by side, of which each alone must read the same; and certificates."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from random import Random

import numpy as np

from benchmarks.dns_check import Agreement, messages, with_dnspython
from benchmarks.fuzz.fence import fenced
from benchmarks.fuzz.parts import changed_parts, pack, scrambled, unpack
from benchmarks.fuzz.twice import Told, pure, same, told_of
from netinterf.flows.stream import head_streams
from netinterf.protocols.dns_messages import parse_messages
from netinterf.protocols.http import HEAD_BYTES, begins_http, parse_http
from netinterf.protocols.opening import openings
from netinterf.protocols.quic import parse_quic
from netinterf.protocols.streams import Streams
from netinterf.protocols.tls import begins_tls, parse_tls, unfinished
from netinterf.schema import Packets, Quic
from netinterf.simulate.messages.quic import V1, V2, initial
from netinterf.trace import Trace, read

__all__ = [
    "changed_datagrams",
    "changed_messages",
    "check_dns",
    "check_http",
    "check_quic",
    "check_tls",
    "seeds_dns",
    "seeds_http",
    "seeds_quic",
    "seeds_tls",
]

RAW_IP = 101
ONE_IN = 16
"""Inputs of which one goes on to exchanges, and is held against dnspython, which takes as long as the others."""


def one_of(data: bytes, count: int) -> int:
    """Choose a part to read alone, the same one each time the input is tried."""
    return zlib.crc32(data) % count


def changed_messages(data: bytes, rng: Random) -> bytes:
    """Change some messages byte by byte."""
    return pack(changed_parts(unpack(data), rng, scrambled))


# --- DNS ---


def check_dns(data: bytes) -> Told:
    """Read messages side by side, and one alone without what is compiled; dnspython must agree if it accepts one."""
    parts = unpack(data)
    if not parts:
        return set()
    together = table(parts)
    alone = one_of(data, len(parts))
    with pure():
        assert table([parts[alone]])[0] == together[alone], f"message {alone} alone is read otherwise"
    if zlib.crc32(data) // 7 % ONE_IN == 0:
        trace = exchanged(parts)
        compared(trace)
    return {("dns", row[2], row[7], *sorted({str(record[0]) for record in row[10:]})[:4]) for row in together}  # type: ignore[index]


def table(parts: Sequence[bytes]) -> list[tuple[object, ...]]:
    """Read messages side by side; what was read of each, in plain values."""
    lengths = np.array([len(one) for one in parts], np.int64)
    starts = np.cumsum(lengths) - lengths
    parsed, answers = parse_messages(fenced(b"".join(parts)), starts, lengths, lengths)
    assert len(parsed) == len(parts), "not one row per message"
    columns = ("id", "flags", "kind", "qclass", "opt", "extended_error", "trailing", "error", "error_at")
    records: list[list[object]] = [[] for _ in parts]
    for one, message in enumerate(answers.message.tolist()):
        numbers = (answers.kind[one], answers.ttl[one], answers.low[one])
        records[message].append((*numbers, answers.owner.bytes(one), answers.target.bytes(one)))
    rows = zip(*(getattr(parsed, name).tolist() for name in columns), strict=True)
    return [(*row, parsed.raw_name.bytes(place), *records[place]) for place, row in enumerate(rows)]


def exchanged(parts: Sequence[bytes]) -> Trace:
    """Put messages into packets between one client and one server, replies by their QR bit."""
    frames = []
    for one in parts:
        reply = len(one) > 2 and one[2] & 0x80
        near, far = (b"\xc6\x33\x64\x07", 40_000), (b"\x08\x08\x08\x08", 53)
        source, target = (far, near) if reply else (near, far)
        udp = struct.pack(">HHHH", source[1], target[1], 8 + len(one), 0) + one
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 7, 0, 64, 17, 0, source[0], target[0])
        frames.append(head + udp)
    return read(times=[10**18 + 10**7 * place for place in range(len(frames))], frames=frames, link_type=RAW_IP)


def compared(trace: Trace) -> None:
    """Ask dnspython, too, about queries and replies (opcode 0)."""
    agreed = Agreement()
    for row, wire in messages(trace).items():
        if trace.dns.flags[row] >> 11 & 15 == 0:
            with_dnspython(trace, row, wire, "input", agreed)
    assert not agreed.differing, agreed.differing


def seeds_dns(trace: Trace) -> Iterator[bytes]:
    """Give the first messages of a capture, three at a time."""
    found = trace.dns
    rows = np.flatnonzero(found.at >= 0)[:60].tolist()
    wires = [trace.buffer[found.at[row] : found.at[row] + found.length[row]].tobytes() for row in rows]
    yield from (pack(wires[place : place + 3]) for place in range(0, len(wires), 3))


# --- TLS and HTTP ---


def check_tls(data: bytes) -> Told:
    """Read streams side by side, and one alone."""
    parts = unpack(data)
    if not parts:
        return set()
    streams = Streams.of(parts)
    begins_tls(streams)
    unfinished(streams)
    found, alone = parse_tls(streams), one_of(data, len(parts))
    same(found.take(found.flow == alone), parse_tls(Streams.of([parts[alone]], [2 * alone], [alone])))
    assert (np.diff(found.flow) >= 0).all(), "not in the order of streams"
    return told_of(found, "kind", "version", "error", "ech", "followed") | {("some", len(found).bit_length())}


def check_http(data: bytes) -> Told:
    """Read heads side by side, and one alone; class the openings."""
    parts = unpack(data)
    if not parts:
        return set()
    streams = Streams.of(parts)
    found, alone = parse_http(streams), one_of(data, len(parts))
    assert begins_http(streams)[found.flow].all() or any(one[:1] in b"\r\n" for one in parts), "a head that none begins"
    same(found.take(found.flow == alone), parse_http(Streams.of([parts[alone]], [2 * alone], [alone])))
    kinds = openings(streams.data)
    assert kinds[alone] == openings(Streams.of([parts[alone]]).data)[0], "an opening alone is another"
    methods = {("method", one.bytes()[:8] if hasattr(one, "bytes") else str(one)[:8]) for one in found.method}
    return told_of(found, "status", "error") | {("opening", kind) for kind in set(kinds.tolist())} | methods


def seeds_tls(trace: Trace) -> Iterator[bytes]:
    """Give the beginnings of sides that speak TLS, four at a time."""
    yield from heads_of(trace, np.unique(2 * trace.tls.flow + ~trace.tls.outbound), 3000)


def seeds_http(trace: Trace) -> Iterator[bytes]:
    """Give the beginnings of sides that speak HTTP, and of some that speak something else."""
    yield from heads_of(trace, np.unique(2 * trace.http.flow + ~trace.http.outbound), 600)
    yield from heads_of(trace, np.unique(trace.segments.side)[:8], 100)


def heads_of(trace: Trace, sides: "np.ndarray[tuple[int], np.dtype[np.int32]]", most: int) -> Iterator[bytes]:
    """Give the first bytes of sides, four at a time."""
    streams = head_streams(trace.buffer, trace.packets, trace.segments, sides[:32], min(most, HEAD_BYTES))
    rows = [streams.data[row].tobytes() for row in range(len(streams))]
    yield from (pack(rows[place : place + 4]) for place in range(0, len(rows), 4))


# --- QUIC ---

RAW, FLOWS = 0x80, 4


def check_quic(data: bytes) -> Told:
    """Read Initials of several conversations; each must read the same alone.

    A part is a byte that chooses the conversation and what follows: a datagram as it is (high bit), or the frames of an
    Initial, which is sealed here, as no change of what is sealed would be read.
    """
    parts = [one for one in unpack(data) if one]
    if not parts:
        return set()
    flows = [one[0] % FLOWS for one in parts]
    datagrams = [datagram_of(one) for one in parts]
    found = quic_of(datagrams, flows)
    alone = flows[one_of(data, len(parts))]
    mine = [place for place, flow in enumerate(flows) if flow == alone]
    single = quic_of([datagrams[place] for place in mine], [alone] * len(mine))
    chosen = found.take(found.flow == alone)
    for name in ("flow", "version", "initials", "ech", "error"):
        assert getattr(chosen, name).tolist() == getattr(single, name).tolist(), f"alone another {name}"
    assert list(chosen.name) == list(single.name), "alone another name"
    return told_of(found, "version", "initials", "ech", "error") | {("name", bool(one)) for one in found.name}


def datagram_of(part: bytes) -> bytes:
    """Take a part as a datagram, or seal it into one."""
    if part[0] & RAW:
        return part[1:]
    return initial(b"\x83\x94\xc8\xf0", b"\x01", part[0] >> 4 & 3, part[1:], version=V2 if part[0] & 8 else V1, size=60)


def quic_of(datagrams: Sequence[bytes], flows: Sequence[int]) -> Quic:
    """Read datagrams that clients sent."""
    sizes = np.array([len(one) for one in datagrams], np.int64)
    count = len(sizes)
    base = {known.name: np.zeros(count, known.dtype) for known in Packets.schema()}
    base |= {"at": np.cumsum(sizes) - sizes, "captured": sizes.astype(np.uint32), "length": sizes.astype(np.uint32),
             "payload_length": sizes.astype(np.uint32), "protocol": np.full(count, 17, np.uint8),
             "outbound": np.ones(count, np.bool_), "flow": np.array(flows, np.int32)}  # fmt: skip
    return parse_quic(np.frombuffer(b"".join(datagrams), np.uint8), Packets(**base))


def changed_datagrams(data: bytes, rng: Random) -> bytes:
    """Change datagrams and frames, each mostly behind the byte that says what it is."""

    def change(part: bytes, rng: Random) -> bytes:
        if part and rng.random() < 0.9:
            return part[:1] + scrambled(part[1:], rng)
        return scrambled(part, rng)

    return pack(changed_parts(unpack(data), rng, change))


def seeds_quic(trace: Trace) -> Iterator[bytes]:
    """Give the first datagrams of clients as they are, and the frames that they hold."""
    from netinterf.protocols.quic_initial import read_initial

    for row in trace.quic.packet.tolist():
        at = int(trace.packets.payload_start[row])
        wire = trace.buffer[at : at + int(trace.packets.payload_captured[row])].tobytes()
        yield pack([bytes([RAW]) + wire])
        frames = b"".join(
            b"\x06" + struct.pack(">IH", offset | 1 << 31, len(piece) | 1 << 14) + piece
            for offset, piece in read_initial(wire)[1]
        )
        yield pack([b"\x00" + frames, b"\x09" + frames])
