"""TLS records, alerts and flights as clients and servers send them."""

from collections.abc import Sequence
from struct import pack

import numpy as np

from netinterf.simulate.messages.hellos import (
    BROWSERS,
    SHAPES,
    Shape,
    extension,
    hello_message,
    server_hello,
    vector,
)

__all__ = ["application_data", "certificate_flight", "client_flight", "client_hello", "draw_shape", "extension",
           "server_flight", "tls_alert", "tls_record"]  # fmt: skip

ALERT, HANDSHAKE = 21, 22
STAPLE = 30  # bytes of an OCSP response around its content
SEGMENT = 1400
"""Records above this size need more than one segment on nearly every path."""


def tls_record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    """Wrap *body* into one TLS record (RFC 8446 §5.1)."""
    return pack("!BHH", kind, version, len(body)) + body


def tls_alert(code: int, level: int = 2) -> bytes:
    """Build an alert in the clear: 40 handshake_failure, 48 unknown_ca, 112 unrecognized_name (RFC 8446 §6)."""
    return tls_record(ALERT, bytes([level, code]))


def draw_shape(rng: np.random.Generator, *, hybrid: bool | None = None) -> Shape:
    """Draw the program behind a ClientHello.

    Args:
        rng: Source of chance.
        hybrid: Whether it must, or must not, offer a post-quantum share, which takes two segments.
    """
    fitting = [SHAPES[name] for name in BROWSERS if hybrid is None or SHAPES[name].hybrid() == hybrid]
    return fitting[int(rng.integers(len(fitting)))]


def client_hello(
    name: str,
    rng: np.random.Generator,
    *,
    size: int = 0,
    shape: Shape | None = None,
    extra: tuple[tuple[int, bytes], ...] = (),
) -> bytes:
    """Build a ClientHello record with a server name (RFC 8446 §4.1.2, RFC 6066 §3).

    Args:
        name: Server name indication; an empty one leaves the extension out.
        rng: Source of the random fields.
        size: Least length of the record in bytes.
        shape: Which program says it; drawn among those of about the wanted size when left out.
        extra: Further extensions, type and body.
    """
    shape = shape or draw_shape(rng, hybrid=size > SEGMENT)
    message = hello_message(name, rng, shape, extra=extra, size=max(0, size - 5))
    return tls_record(HANDSHAKE, message, shape.record)


def server_flight(rng: np.random.Generator, size: int) -> bytes:
    """Build what a TLS 1.3 server sends first: ServerHello, change of cipher, then records that look encrypted.

    Args:
        rng: Source of the random fields.
        size: Least length of the whole in bytes.
    """
    flight = tls_record(HANDSHAKE, server_hello(rng)) + tls_record(20, b"\x01")
    while len(flight) < size:
        flight += application_data(rng, min(16401, max(40, size - len(flight) - 5)))
    return flight


def certificate_flight(rng: np.random.Generator, chain: Sequence[bytes], *, size: int = 0) -> bytes:
    """Build what a TLS 1.2 server sends first: ServerHello, Certificate, ServerKeyExchange, ServerHelloDone.

    Args:
        rng: Source of the random fields.
        chain: DER certificates, the server's own first (RFC 5246 §7.4.2).
        size: Exact length of the flight where it can be reached: a CertificateStatus (RFC 6066 §8) fills it up.

    Returns:
        One record per message.
    """
    listed = b"".join(vector(certificate, 3) for certificate in chain)
    point = b"\x03\x00\x17" + vector(b"\x04" + rng.bytes(64), 1)
    exchange = point + pack("!H", 0x0403) + vector(b"\x30\x45" + rng.bytes(69))
    parts = [
        server_hello(rng, version=0x0303, session=rng.bytes(int(rng.choice([0, 32])))),
        b"\x0b" + vector(vector(listed, 3), 3),
        b"\x0c" + vector(exchange, 3),
        b"\x0e" + vector(b"", 3),
    ]
    missing = size - sum(len(part) + 5 for part in parts)
    if missing >= 13 + STAPLE:
        parts.insert(2, b"\x16" + vector(b"\x01" + vector(stapled(rng, missing - 13), 3), 3))
    return b"".join(tls_record(HANDSHAKE, part) for part in parts)


def stapled(rng: np.random.Generator, size: int) -> bytes:
    """Build an OCSP response of *size* bytes (RFC 6960 §4.2.1), whose content is of a kind that nobody reads."""
    kind = bytes.fromhex("06092b06010505073001") + b"\x4d"
    content = b"\x04\x82" + vector(rng.bytes(size - STAPLE))
    inner = b"\xa0\x82" + vector(b"\x30\x82" + vector(kind + content))
    return b"\x30\x82" + vector(b"\x0a\x01\x00" + inner)


def client_flight(rng: np.random.Generator) -> bytes:
    """Build a TLS 1.2 client's second flight: ClientKeyExchange, ChangeCipherSpec, an encrypted Finished."""
    exchange = b"\x10" + vector(vector(b"\x04" + rng.bytes(64), 1), 3)
    return tls_record(HANDSHAKE, exchange) + tls_record(20, b"\x01") + tls_record(HANDSHAKE, rng.bytes(40))


def application_data(rng: np.random.Generator, size: int) -> bytes:
    """Build a TLS record with *size* bytes of seeming cipher text; its pattern repeats, so that files compress."""
    return tls_record(23, (rng.bytes(61) * (size // 61 + 1))[:size])
