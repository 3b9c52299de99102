"""DNS messages (RFC 1035, RFC 6891) as the lab's client and resolver need them."""

import socket
import struct
from typing import Any

__all__ = ["TYPES", "addresses_of", "query", "read_question", "reply"]

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "TXT": 16, "AAAA": 28, "HTTPS": 65}


def wire_name(name: str) -> bytes:
    """Write a name without compression."""
    parts = [part.encode() for part in name.split(".") if part]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def query(name: str, kind: str, identifier: int, size: int) -> bytes:
    """Write a query; *size* is what EDNS says can be received, 0 leaves EDNS out."""
    head = struct.pack("!HHHHHH", identifier, 0x0100, 1, 0, 0, 1 if size else 0)
    option = b"\0" + struct.pack("!HHIH", 41, size, 0, 0) if size else b""
    return head + wire_name(name) + struct.pack("!HH", TYPES[kind], 1) + option


def read_question(message: bytes) -> tuple[str, str, int, bool]:
    """Read name, type, end of the question and whether there is EDNS."""
    labels, place = [], 12
    while message[place]:
        labels.append(message[place + 1 : place + 1 + message[place]].decode())
        place += 1 + message[place]
    (kind,) = struct.unpack_from("!H", message, place + 1)
    name = {number: word for word, number in TYPES.items()}.get(kind, str(kind))
    return ".".join(labels), name, place + 5, message[10:12] != b"\0\0"


def record(owner: bytes, kind: str, lifetime: int, value: str) -> bytes:
    """Write one resource record."""
    if kind == "A":
        data = socket.inet_pton(socket.AF_INET, value)
    elif kind == "AAAA":
        data = socket.inet_pton(socket.AF_INET6, value)
    elif kind == "SOA":
        data = wire_name(value) + wire_name("hostmaster." + value) + struct.pack("!5I", 2026, 7200, 900, 1209600, 300)
    elif kind == "CNAME":
        data = wire_name(value)
    else:
        data = bytes([len(value)]) + value.encode()
    return owner + struct.pack("!HHIH", TYPES[kind], 1, lifetime, len(data)) + data


def reply(asked: bytes, zone: dict[str, Any], turn: int, authoritative: bool = False) -> bytes:
    """Answer a query from a zone entry: type to values, ``ttl``, ``code``, ``rotate``, ``alias``, ``apex``."""
    _, kind, end, edns = read_question(asked)
    values = list(zone.get(kind, ()))
    if zone.get("rotate") and values:
        values = values[turn % len(values) :] + values[: turn % len(values)]
        values = values[: zone["rotate"]]
    code = zone.get("code", 0)
    records, owner = b"", b"\xc0\x0c"
    count = 0
    if values and zone.get("alias"):
        records += record(owner, "CNAME", zone["ttl"], zone["alias"])
        owner, count = wire_name(zone["alias"]), 1
    for value in values:
        records += record(owner, kind, zone["ttl"], value)
    count += len(values)
    authority = b"" if count else record(wire_name(zone.get("apex", "")), "SOA", 300, zone.get("apex", "invalid"))
    extra = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0) if edns else b""
    flags = 0x8180 | code | (0x0400 if authoritative else 0)
    head = asked[:2] + struct.pack("!HHHHH", flags, 1, count, int(bool(authority)), int(edns))
    return head + asked[12:end] + records + authority + extra


def addresses_of(message: bytes) -> list[str]:
    """List the addresses in an answer."""
    count = struct.unpack_from("!H", message, 6)[0]
    try:
        _, _, place, _ = read_question(message)
        found = []
        for _ in range(count):
            while message[place] and message[place] < 0xC0:
                place += 1 + message[place]
            place += 2 if message[place] else 1
            kind, _, _, size = struct.unpack_from("!HHIH", message, place)
            data = message[place + 10 : place + 10 + size]
            if kind in (1, 28):
                found.append(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data))
            place += 10 + size
    except (IndexError, struct.error, ValueError, KeyError):
        return []
    return found
