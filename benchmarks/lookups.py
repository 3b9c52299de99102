"""The capture that DNS speed is measured on: lookups of many names at two resolvers, each answered once."""

import struct
from pathlib import Path

import numpy as np

from netinterf.capture import write_pcap

__all__ = ["write_lookups"]

RAW_IP, UDP, DNS_PORT = 101, 17, 53
EPOCH = 1_700_000_000_000_000_000
CLIENTS, PORTS = 50, 60_000
RESOLVERS = (b"\x08\x08\x08\x08", b"\x01\x01\x01\x01")
OPT = b"\0\0\x29\x04\xd0" + bytes(6)
END = b"\0\1\0\1"  # type A, class IN


def write_lookups(path: Path, *, lookups: int, seed: int = 1) -> int:
    """Write queries and their replies as pcap; a lookup is two messages.

    Args:
        path: Where to write it.
        lookups: How many.
        seed: Seed of everything random.

    Returns:
        Number of messages written.
    """
    rng = np.random.default_rng(seed)
    asked = EPOCH + np.cumsum(rng.integers(50_000, 400_000, lookups))
    answered = asked + rng.integers(8_000_000, 40_000_000, lookups)
    ids, marks = rng.integers(0, 1 << 16, lookups).tolist(), rng.integers(0, 1 << 16, lookups).tolist()
    times, frames = np.stack([asked, answered], axis=1).reshape(-1), list[bytes]()
    for place, (number, mark) in enumerate(zip(ids, marks, strict=True)):
        question = labels(f"w{place % 5000}", f"site{place % 3000}", "example", "com") + END
        near = struct.pack(">IH", 0x0A000001 + place % CLIENTS, 1024 + place % PORTS)
        far = RESOLVERS[place % 3 == 0] + struct.pack(">H", DNS_PORT)
        records = [record(place, one) for one in range(1 + place % 2)]
        query = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 1) + question + OPT
        reply = struct.pack(">HHHHHH", number, 0x8180, 1, len(records), 0, 1) + question + b"".join(records) + OPT
        frames += [packet(near, far, query, 64, place & 0xFFFF), packet(far, near, reply, 57, mark)]
    order = np.argsort(times, kind="stable").tolist()
    with path.open("wb") as out:
        write_pcap(out, times[order].tolist(), [frames[place] for place in order], RAW_IP)
    return len(frames)


def labels(*words: str) -> bytes:
    """Write a name."""
    return b"".join(bytes([len(word)]) + word.encode() for word in words) + b"\0"


def record(place: int, number: int) -> bytes:
    """Write an address record whose name points at the question."""
    address = 0x5D000000 + (7 * place + number) % (1 << 24)
    return b"\xc0\x0c" + END + struct.pack(">IHI", 300, 4, address)


def packet(source: bytes, target: bytes, payload: bytes, ttl: int, ip_id: int) -> bytes:
    """Put a message into UDP over IPv4, without checksums; ends are address and port."""
    udp = source[4:] + target[4:] + struct.pack(">HH", 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), ip_id, 0, ttl, UDP, 0) + source[:4] + target[:4] + udp
