"""Opening QUIC Initials: their keys derive from the connection id that they carry (RFC 9001 §5, RFC 9369).

An observer can therefore read the ClientHello inside, and so can a censor. AES comes from the package
cryptography, which is imported when the first Initial is met.
"""

import hashlib
import hmac
import re
from functools import cache, lru_cache
from struct import pack
from typing import Any

from netinterf.values import frozen

__all__ = [
    "SALTS",
    "V1",
    "V2",
    "Crypto",
    "Keys",
    "ciphers",
    "expand",
    "initial_keys",
    "nonce",
    "read_crypto",
    "read_initial",
    "read_varint",
]

V1, V2 = 1, 0x6B3343CF
SALTS = {
    V1: bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),  # RFC 9001 §5.2
    V2: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),  # RFC 9369 §3.3.1
}

Crypto = tuple[int, bytes]
"""Offset and bytes of one CRYPTO frame."""


SAMPLE = 16
"""Bytes of a packet that hide its header (RFC 9001 §5.4.3)."""

VARINT = rb"([\x00-\x3f]|[\x40-\x7f].|[\x80-\xbf].{3}|[\xc0-\xff].{7})"
"""A variable-length integer: the first two bits tell its size (RFC 9000 §16)."""

MASKS = {size: (1 << (8 * size - 2)) - 1 for size in (1, 2, 4, 8)}
"""Bits of an integer of so many bytes that are its value."""

CRYPTO_HEAD = re.compile(rb"[\x00\x01]*\x06" + VARINT + VARINT, re.DOTALL)
"""PADDING and PING, which are one byte; then type, offset and length of a CRYPTO frame (RFC 9000 §19)."""


@frozen
class Keys:
    """What protects the Initials of one direction (RFC 9001 §5.1)."""

    key: bytes
    iv: bytes
    header: bytes


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a variable-length integer; give it and the place behind it."""
    size = 1 << (data[at] >> 6)
    return int.from_bytes(data[at : at + size], "big") & MASKS[size], at + size


def expand(secret: bytes, label: str, size: int) -> bytes:
    """Derive up to 32 bytes from a secret: HKDF-Expand-Label (RFC 8446 §7.1) with SHA-256 and no context."""
    name = b"tls13 " + label.encode("ascii")
    info = pack("!HB", size, len(name)) + name + b"\x00"
    return hmac.digest(secret, info + b"\x01", hashlib.sha256)[:size]


def initial_keys(destination: bytes, version: int, *, server: bool) -> Keys:
    """Derive what protects Initials (RFC 9001 §5.2).

    Args:
        destination: Destination connection id of the client's first Initial, or of the one after a Retry.
        version: QUIC version.
        server: Keys of what the server sends.
    """
    secret = expand(
        hmac.digest(SALTS[version], destination, hashlib.sha256), "server in" if server else "client in", 32
    )
    word = "quicv2 " if version == V2 else "quic "
    return Keys(expand(secret, word + "key", 16), expand(secret, word + "iv", 12), expand(secret, word + "hp", 16))


@lru_cache(1024)
def ciphers(destination: bytes, version: int, *, server: bool) -> tuple[Any, Any, int]:
    """Prepare what opens and seals all Initials of one direction; see `initial_keys`.

    Returns:
        AES-GCM; what encrypts one block after the other with AES; and the IV as a number.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    keys = initial_keys(destination, version, server=server)
    encryptor = Cipher(algorithms.AES(keys.header), modes.ECB()).encryptor()
    return AESGCM(keys.key), encryptor, int.from_bytes(keys.iv, "big")


@cache
def invalid_tag() -> type[Exception]:
    """Import what AES-GCM raises when a packet was sealed with other keys."""
    from cryptography.exceptions import InvalidTag

    return InvalidTag


def nonce(iv: int, number: int) -> bytes:
    """Combine IV and packet number (RFC 9001 §5.3)."""
    return (iv ^ number).to_bytes(12, "big")


def read_initial(datagram: bytes) -> tuple[int, list[Crypto]]:
    """Decrypt the client Initial at the beginning of a datagram.

    Args:
        datagram: UDP payload.

    Returns:
        Its version (-1: no long header) and its CRYPTO frames; none when it is no first Initial of a known version,
        or was cut or damaged.
    """
    if len(datagram) < 7 or datagram[0] & 0xC0 != 0xC0:
        return -1, []
    version = int.from_bytes(datagram[1:5], "big")
    if version not in SALTS or (datagram[0] >> 4 & 3) != (1 if version == V2 else 0):
        return version, []
    try:
        return version, read_crypto(remove_protection(datagram, version))
    except (IndexError, ValueError, invalid_tag()):  # a length points behind the end, too short, other keys
        return version, []


def remove_protection(datagram: bytes, version: int) -> bytes:
    """Remove the protection of a client Initial (RFC 9001 §5.4); raises what the cipher raises when it does not fit."""
    destination = datagram[6 : 6 + datagram[5]]
    at = 6 + datagram[5]
    at += 1 + datagram[at]
    token, at = read_varint(datagram, at)
    size, at = read_varint(datagram, at + token)
    gcm, encryptor, iv = ciphers(destination, version, server=False)
    sample = datagram[at + 4 : at + 4 + SAMPLE]
    if len(sample) < SAMPLE:
        raise ValueError("cut")  # before it is mixed into the next sample
    mask = encryptor.update(sample)
    first = datagram[0] ^ mask[0] & 0x0F
    width = (first & 3) + 1
    number = int.from_bytes(datagram[at : at + width], "big") ^ int.from_bytes(mask[1 : 1 + width], "big")
    head = bytes([first]) + datagram[1:at] + number.to_bytes(width, "big")
    return bytes(gcm.decrypt(nonce(iv, number), datagram[at + width : at + size], head))


def read_crypto(frames: bytes) -> list[Crypto]:
    """Pick the CRYPTO frames out of a client's first Initial, which holds PADDING, PING and CRYPTO."""
    crypto, at = list[Crypto](), 0
    while found := CRYPTO_HEAD.match(frames, at):
        offset, size = found.groups()  # (read here, as there are a dozen in a hello)
        begin = found.end()
        at = begin + (int.from_bytes(size, "big") & MASKS[len(size)])
        crypto.append((int.from_bytes(offset, "big") & MASKS[len(offset)], frames[begin:at]))
    return crypto
