"""QUIC version 1 datagrams (RFC 9000, RFC 9001) that a lab client and server exchange: Initials that decrypt.

Only what a passive observer can read is real: the client's Initial holds a TLS ClientHello in CRYPTO frames under
Initial keys; what follows is opaque to everybody and random here.
"""

import contextlib
import random
import ssl

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

__all__ = ["answers", "client_hello", "initial"]

SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001 section 5.2
SIZE = 1200  # bytes, the least a client's Initial may fill (RFC 9000 section 14.1)


def expand(secret: bytes, label: str, size: int) -> bytes:
    """Derive a key (HKDF-Expand-Label, RFC 8446 section 7.1)."""
    full = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0"
    return HKDFExpand(SHA256(), size, info).derive(secret)


def client_hello(name: str) -> bytes:
    """Let the TLS library write a ClientHello for *name*; the handshake message without its record."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h3"])
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = context.wrap_bio(coming, going, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        talk.do_handshake()
    return going.read()[5:]


def number(value: int) -> bytes:
    """Write a variable-length integer in two bytes (RFC 9000 section 16)."""
    return (0x4000 | value).to_bytes(2, "big")


def initial(name: str, rng: random.Random) -> list[str]:
    """Write the Initial datagrams of a client that wants *name*, as hexadecimal."""
    connection, source = rng.randbytes(8), rng.randbytes(8)
    mac = HMAC(SALT, SHA256())
    mac.update(connection)
    secret = expand(mac.finalize(), "client in", 32)
    key, vector, header_key = (
        expand(secret, "quic key", 16),
        expand(secret, "quic iv", 12),
        expand(secret, "quic hp", 16),
    )
    hello = client_hello(name)
    head = b"\0\0\0\1" + bytes([8]) + connection + bytes([8]) + source + b"\0"
    room = SIZE - len(head) - 1 - 2 - 4 - 16 - 6  # flags, length, packet number, tag, frame head
    made = []
    for place, start in enumerate(range(0, len(hello), room)):
        piece = hello[start : start + room]
        frames = (b"\6" + number(start) + number(len(piece)) + piece).ljust(room + 5, b"\0")
        packet_number = place.to_bytes(4, "big")
        header = bytes([0xC3]) + head + number(4 + len(frames) + 16) + packet_number
        nonce = bytes(a ^ b for a, b in zip(vector, packet_number.rjust(12, b"\0"), strict=True))
        sealed = AESGCM(key).encrypt(nonce, frames, header)
        mask = Cipher(algorithms.AES(header_key), modes.ECB()).encryptor().update(sealed[:16])
        first = bytes([header[0] ^ (mask[0] & 0x0F)])
        hidden = bytes(a ^ b for a, b in zip(packet_number, mask[1:5], strict=True))
        made.append((first + header[1:-4] + hidden + sealed).hex())
    return made


def answers(rng: random.Random) -> list[str]:
    """Write what a server could send back: Initial with Handshake, more Handshake; opaque bytes."""
    head = b"\0\0\0\1" + bytes([8]) + rng.randbytes(8) + bytes([8]) + rng.randbytes(8)
    first = bytes([0xC0 | rng.randrange(16)]) + head + b"\0" + number(1150)
    second = bytes([0xE0 | rng.randrange(16)]) + head + number(900)
    return [(first + rng.randbytes(1150)).hex(), (second + rng.randbytes(900)).hex()]
