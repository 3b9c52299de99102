"""QUIC packets: Initials that decrypt (RFC 9001 §5, RFC 9369), Retry, Version Negotiation, and plausible others.

What is protected with keys that an observer cannot derive (Handshake, 0-RTT and 1-RTT packets) is random bytes of the
right length behind a true header.
"""

from collections.abc import Sequence
from itertools import pairwise
from struct import pack

import numpy as np

from netinterf.protocols.quic_initial import V1, V2, Crypto, ciphers, nonce

__all__ = ["HANDSHAKE", "V1", "V2", "Crypto", "ack_frame", "close_frame", "crypto_frames", "initial",
           "long_packet", "retry", "short_packet", "transport_parameters", "varint",
           "version_negotiation"]  # fmt: skip

RETRY_KEYS = {
    V1: ("be0c690b9f66575a1d766b54e368c84e", "461599d35d632bf2239825bb"),  # RFC 9001 §5.8
    V2: ("8fb4b01b56ac48e260fbcbcead7ccc92", "d86969bc2d7c6d9990efb04a"),  # RFC 9369 §3.3.3
}
INITIAL, ZERO_RTT, HANDSHAKE, RETRY = 0, 1, 2, 3  # RFC 9000 §17.2; version 2 counts from one further (RFC 9369 §3.2)
NUMBER = 4  # bytes of every packet number written here
TAG = 16  # bytes of AES-GCM's tag


def varint(value: int, width: int = 0) -> bytes:
    """Write a variable-length integer (RFC 9000 §16), in *width* bytes if that is given."""
    for power in range(4):
        size = 1 << power
        if (width or size) == size and value < 1 << (8 * size - 2):
            return (value | power << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


def long_head(kind: int, version: int, destination: bytes, source: bytes, low: int) -> bytes:
    """Write the beginning of a long header (RFC 9000 §17.2); *low* is the low half of its first byte."""
    kind = (kind + 1) % 4 if version == V2 else kind
    ids = bytes([len(destination)]) + destination + bytes([len(source)]) + source
    return pack("!BI", 0xC0 | kind << 4 | low, version) + ids


def initial(
    destination: bytes,
    source: bytes,
    number: int,
    frames: bytes,
    *,
    version: int = V1,
    key_id: bytes = b"",
    server: bool = False,
    token: bytes = b"",
    size: int = 0,
) -> bytes:
    """Write an Initial packet and protect it.

    Args:
        destination: Destination connection id.
        source: Source connection id.
        number: Packet number.
        frames: Its frames.
        version: QUIC version.
        key_id: Connection id that the keys derive from; *destination* when left out.
        server: Whether the server sends it.
        token: Token of an earlier Retry.
        size: Least bytes of the packet; PADDING fills it up.
    """
    gcm, encryptor, iv = ciphers(key_id or destination, version, server=server)
    head = long_head(INITIAL, version, destination, source, NUMBER - 1) + varint(len(token)) + token
    frames += bytes(max(4, size - len(head) - 2 - NUMBER - TAG - len(frames)) if size else max(0, 4 - len(frames)))
    head += varint(NUMBER + len(frames) + TAG, 2) + number.to_bytes(NUMBER, "big")
    sealed = gcm.encrypt(nonce(iv, number), frames, head)
    mask = encryptor.update(sealed[4 - NUMBER : 20 - NUMBER])
    covered = bytes(byte ^ cover for byte, cover in zip(head[-NUMBER:], mask[1:], strict=False))
    return bytes([head[0] ^ mask[0] & 0x0F]) + head[1:-NUMBER] + covered + bytes(sealed)


def long_packet(
    rng: np.random.Generator, kind: int, destination: bytes, source: bytes, size: int, version: int = V1
) -> bytes:
    """Write a Handshake or 0-RTT packet of *size* bytes; all behind its length is random."""
    head = long_head(kind, version, destination, source, int(rng.integers(16)))
    rest = size - len(head) - 2
    return head + varint(rest, 2) + rng.bytes(rest)


def short_packet(rng: np.random.Generator, destination: bytes, size: int) -> bytes:
    """Write a 1-RTT packet of *size* bytes (RFC 9000 §17.3.1): fixed bit, connection id, random rest."""
    return bytes([0x40 | int(rng.integers(64))]) + destination + rng.bytes(max(20, size - 1 - len(destination)))


def retry(
    rng: np.random.Generator, destination: bytes, source: bytes, original: bytes, token: bytes, version: int = V1
) -> bytes:
    """Write a Retry packet (RFC 9000 §17.2.5) with its integrity tag; *original* is the id the client had chosen."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    packet = long_head(RETRY, version, destination, source, int(rng.integers(16))) + token
    key, iv = (bytes.fromhex(part) for part in RETRY_KEYS[version])
    return packet + bytes(AESGCM(key).encrypt(iv, b"", bytes([len(original)]) + original + packet))


def version_negotiation(rng: np.random.Generator, destination: bytes, source: bytes, versions: Sequence[int]) -> bytes:
    """Write a Version Negotiation packet (RFC 9000 §17.2.1)."""
    head = bytes([0x80 | int(rng.integers(128)), 0, 0, 0, 0, len(destination)]) + destination
    return head + bytes([len(source)]) + source + pack(f"!{len(versions)}I", *versions)


# --- frames ---


def crypto_frames(
    message: bytes, rng: np.random.Generator, rooms: Sequence[int], *, shuffled: bool = False
) -> list[bytes]:
    """Cut a TLS message into CRYPTO frames (RFC 9000 §19.6) for one or more Initials.

    Args:
        message: The handshake message.
        rng: Source of chance.
        rooms: Bytes of the message that go into each Initial; the last takes the rest.
        shuffled: Cut it into further pieces, out of order and with PING and PADDING between them, as Chrome does.

    Returns:
        The frames of each Initial.
    """
    edges = [0, *np.minimum(np.cumsum(rooms[:-1]), len(message)).astype(int).tolist(), len(message)]
    made = []
    for low, high in pairwise(edges):
        inner = rng.integers(low + 1, high, int(rng.integers(2, 7))).tolist() if shuffled and high > low + 1 else []
        cuts = sorted({low, *inner, high})
        frames = [b"\x06" + varint(a) + varint(b - a, 2) + message[a:b] for a, b in pairwise(cuts)]
        if shuffled:
            frames += [b"\x01", bytes(int(rng.integers(1, 60)))]
            frames = [frames[place] for place in rng.permutation(len(frames))]
        made.append(b"".join(frames))
    return made


def ack_frame(largest: int, delay: int = 0) -> bytes:
    """Acknowledge packets 0 to *largest* (RFC 9000 §19.3)."""
    return b"\x02" + varint(largest) + varint(delay) + b"\x00" + varint(largest)


def close_frame(error: int) -> bytes:
    """Close the connection with a transport error (RFC 9000 §19.19); 0x100 and more are TLS alerts."""
    return b"\x1c" + varint(error) + b"\x00\x00"


def transport_parameters(rng: np.random.Generator, source: bytes) -> bytes:
    """Write transport parameters (RFC 9000 §18.2) as a browser offers them, in an order of their own."""
    values = [
        (0x01, varint(30_000)), (0x03, varint(1472)), (0x04, varint(15_728_640)), (0x05, varint(6_291_456)),
        (0x06, varint(6_291_456)), (0x07, varint(6_291_456)), (0x08, varint(100)), (0x09, varint(103)), (0x0F, source),
    ]  # fmt: skip
    return b"".join(
        varint(values[place][0]) + varint(len(values[place][1])) + values[place][1]
        for place in rng.permutation(len(values))
    )
