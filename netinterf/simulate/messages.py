"""Payload bytes that endpoints exchange: TLS hellos and records, HTTP heads, DNS messages, TCP options."""

from collections.abc import Sequence
from struct import pack

import numpy as np

__all__ = [
    "address_bytes",
    "application_data",
    "client_hello",
    "dns_message",
    "dns_name",
    "http_request",
    "server_flight",
    "syn_options",
    "timestamp_option",
    "tls_record",
]


def tls_record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    """Wrap *body* into one TLS record (RFC 8446 §5.1)."""
    return pack("!BHH", kind, version, len(body)) + body


def client_hello(name: str, rng: np.random.Generator, *, size: int = 0) -> bytes:
    """Build a TLS 1.3 ClientHello record with a server name (RFC 8446 §4.1.2, RFC 6066 §3).

    Args:
        name: Server name indication; an empty one leaves the extension out.
        rng: Source of the random fields.
        size: Least length of the record in bytes; the key share grows to reach it, as with post-quantum hybrids.
    """
    host = name.encode("ascii")
    server_name = extension(0, pack("!HBH", len(host) + 3, 0, len(host)) + host) if host else b""
    fixed = [
        extension(23, b""),
        extension(10, bytes.fromhex("0006001d00170018")),
        extension(16, bytes.fromhex("000c02683208687474702f312e31")),
        extension(13, bytes.fromhex("00080403080404010503")),
        extension(43, bytes.fromhex("0403040303")),
        extension(45, b"\x01\x01"),
    ]
    order = rng.permutation(len(fixed))
    head = (
        pack("!H", 0x0303)
        + rng.bytes(32)
        + b"\x20"
        + rng.bytes(32)
        + bytes.fromhex("000e130113021303c02bc02fc02cc030")
        + b"\x01\x00"
    )
    shared = server_name + b"".join(fixed[place] for place in order)
    plain = 5 + 4 + len(head) + 2 + len(shared) + 4 + 2 + 4 + 32
    key = rng.bytes(32 + max(0, size - plain))
    share = pack("!HH", 0x11EC if len(key) > 32 else 0x1D, len(key)) + key
    extensions = shared + extension(51, pack("!H", len(share)) + share)
    body = head + pack("!H", len(extensions)) + extensions
    return tls_record(22, b"\x01" + len(body).to_bytes(3, "big") + body, 0x0301)


def extension(kind: int, body: bytes) -> bytes:
    """Wrap *body* into one TLS extension."""
    return pack("!HH", kind, len(body)) + body


def server_flight(rng: np.random.Generator, size: int) -> bytes:
    """Build what a TLS 1.3 server sends first: ServerHello, change of cipher, then records that look encrypted.

    Args:
        rng: Source of the random fields.
        size: Least length of the whole in bytes.
    """
    share = extension(51, pack("!HH", 0x1D, 32) + rng.bytes(32)) + extension(43, b"\x03\x04")
    body = pack("!H", 0x0303) + rng.bytes(32) + b"\x20" + rng.bytes(32) + b"\x13\x01\x00" + pack("!H", len(share))
    body += share
    flight = tls_record(22, b"\x02" + len(body).to_bytes(3, "big") + body) + tls_record(20, b"\x01")
    while len(flight) < size:
        flight += application_data(rng, min(16401, max(40, size - len(flight) - 5)))
    return flight


def application_data(rng: np.random.Generator, size: int) -> bytes:
    """Build a TLS record with *size* bytes of seeming cipher text; its pattern repeats, so that files compress."""
    return tls_record(23, (rng.bytes(61) * (size // 61 + 1))[:size])


def http_request(name: str, target: str = "/") -> bytes:
    """Build an HTTP/1.1 request head (RFC 9112 §3)."""
    return f"GET {target} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: example/1.0\r\nAccept: */*\r\n\r\n".encode()


def dns_name(name: str) -> bytes:
    """Encode a domain name without compression (RFC 1035 §3.1)."""
    labels = [label.encode("ascii") for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\x00"


def dns_message(
    identifier: int,
    flags: int,
    name: str,
    kind: int,
    records: Sequence[tuple[int, int, bytes]] = (),
    *,
    opt: bool = False,
    padding: bytes = b"",
) -> bytes:
    """Build a DNS message with one question (RFC 1035 §4.1).

    Args:
        identifier: Message identifier.
        flags: Second header word: QR, opcode, AA, TC, RD, RA, RCODE.
        name: Question name.
        kind: QTYPE.
        records: Answers as (type, TTL in seconds, data), each owned by the question name.
        opt: Add an OPT record (RFC 6891 §6.1.2).
        padding: Bytes behind the last record.
    """
    head = pack("!6H", identifier, flags, 1, len(records), 0, int(opt))
    answers = b"".join(pack("!HHHIH", 0xC00C, rr, 1, ttl, len(data)) + data for rr, ttl, data in records)
    tail = pack("!BHHIH", 0, 41, 1232, 0, 0) if opt else b""
    return head + dns_name(name) + pack("!HH", kind, 1) + answers + tail + padding


def address_bytes(high: int, low: int) -> bytes:
    """Give the 4 or 16 bytes of an address held as two halves (IPv4-mapped for IPv4)."""
    if high == 0 and low >> 32 == 0xFFFF:
        return (low & 0xFFFFFFFF).to_bytes(4, "big")
    return (high << 64 | low).to_bytes(16, "big")


def syn_options(mss: int, scale: int, value: int, echo: int, *, timestamps: bool = True, sack: bool = True) -> bytes:
    """Build the options of a SYN as Linux orders them (RFC 9293 §3.7.1, RFC 7323, RFC 2018).

    Args:
        mss: Largest segment in bytes.
        scale: Window shift; negative leaves window scaling out.
        value: TSval.
        echo: TSecr.
        timestamps: Offer timestamps.
        sack: Offer selective acknowledgements.
    """
    options = pack("!BBH", 2, 4, mss)
    options += (b"\x04\x02" if sack else b"\x01\x01") + (
        pack("!BBII", 8, 10, value, echo) if timestamps else b"\x01\x01"
    )
    options += pack("!BBBB", 1, 3, 3, scale) if scale >= 0 else b""
    return options


def timestamp_option(value: int, echo: int) -> bytes:
    """Build the options of an ordinary segment: two fillers and timestamps (RFC 7323 appendix A)."""
    return pack("!BBBBII", 1, 1, 8, 10, value & 0xFFFFFFFF, echo & 0xFFFFFFFF)
