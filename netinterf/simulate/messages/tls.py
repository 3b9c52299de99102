"""TLS records, hellos and flights as clients and servers send them."""

from struct import pack

import numpy as np

__all__ = ["application_data", "client_hello", "extension", "server_flight", "tls_record"]


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
