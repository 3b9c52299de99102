"""JA4 of TLS client hellos: which program greets, told by what it offers and not by whom it asks.

Written from FoxIO's description of JA4 (github.com/FoxIO-LLC/ja4, technical_details/JA4.md), which is under the BSD
3-Clause licence; the other methods of JA4+ have a licence of their own, and none of them is here. Programs that offer
the same in another order have one fingerprint, and no name goes in, only whether there is one.

Few programs say many hellos, so each different one is written once, however many there are.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from enum import IntEnum
from hashlib import sha256
from itertools import pairwise
from struct import pack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, Mask
from netinterf.numbering import numbered_text
from netinterf.table import Text

__all__ = ["Part", "fingerprints", "ja4"]

SERVER_NAME, ALPN = 0, 16  # RFC 6066 §3, RFC 7301 §3.1
MOST = 99  # what a count of two digits holds
NOTHING = "0" * 12
VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}
ALPHANUMERIC = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Part(IntEnum):
    """Where in a hello a number stands."""

    VERSIONS = 0
    """supported_versions."""
    CIPHERS = 1
    EXTENSIONS = 2
    SIGNATURES = 3
    """signature_algorithms, whose order matters."""
    VERSION = 4
    """The version of the hello itself, one number."""
    PROTOCOL = 5
    """First and last byte of the first protocol of ALPN, in one number; none where no protocol is named."""


def ja4(
    transport: str,
    version: int,
    versions: Sequence[int],
    ciphers: Sequence[int],
    extensions: Sequence[int],
    signatures: Sequence[int],
    protocol: bytes,
) -> str:
    """Write the fingerprint of one hello whose lists have no GREASE (RFC 8701) in them.

    Args:
        transport: ``"t"`` over TCP, ``"q"`` over QUIC.
        version: Version of the hello itself, which counts where the next list is empty.
        versions: What supported_versions lists.
        ciphers: Cipher suites, in any order.
        extensions: Extension types, in any order.
        signatures: What signature_algorithms lists, in its order.
        protocol: The first protocol of ALPN, of which only both ends matter; empty for none.
    """
    known = VERSIONS.get(max(versions, default=version), "00")
    named = "d" if SERVER_NAME in extensions else "i"
    counts = f"{min(len(ciphers), MOST):02}{min(len(extensions), MOST):02}"
    offered = hexadecimal([kind for kind in sorted(extensions) if kind not in {SERVER_NAME, ALPN}])
    signed = f"_{hexadecimal(signatures)}" if signatures else ""
    hashes = [shortened(hexadecimal(sorted(ciphers))), shortened(offered + signed if offered else "")]
    return "_".join([f"{transport}{known}{named}{counts}{ends(protocol)}", *hashes])


def hexadecimal(numbers: Sequence[int]) -> str:
    """List numbers by four digits each."""
    return pack(f"!{len(numbers)}H", *numbers).hex(",", 2)


def shortened(text: str) -> str:
    """Hash a list, zeros where nothing is in it."""
    return sha256(text.encode("ascii")).hexdigest()[: len(NOTHING)] if text else NOTHING


def ends(protocol: bytes) -> str:
    """Give first and last character of a protocol's name, or of its digits where one of these is no letter or digit."""
    if not protocol:
        return "00"
    plain = {protocol[0], protocol[-1]} <= ALPHANUMERIC
    text = protocol.decode("ascii", "replace") if plain else protocol.hex()
    return text[0] + text[-1]


def fingerprints(transport: str, whole: Mask, said: Mapping[Part, tuple[I64, NDArray[np.integer[Any]]]]) -> Text:
    """Write the fingerprints of hellos from all that they say, each different one once.

    Args:
        transport: As `ja4` takes it.
        whole: Which of n hellos are to have one, shape (n,); the others have an empty text.
        said: Of each part the numbers of 16 bits as on the wire, and the rows of the hellos that they stand in, rising.
    """
    row, value = (np.concatenate([said[part][column] for part in Part]).astype(np.int64) for column in (0, 1))
    sizes = [len(said[part][0]) for part in Part]
    part = np.repeat(np.arange(len(Part)), sizes)
    place = value.copy()
    signer = said[Part.SIGNATURES][0]
    begin = sum(sizes[: Part.SIGNATURES])
    place[begin : begin + len(signer)] = np.arange(len(signer)) - np.searchsorted(signer, signer)
    meant = (part >= Part.VERSION) | (value & 0x0F0F != 0x0A0A) | (value >> 8 != value & 0xFF)  # RFC 8701 §2: GREASE
    keys = np.sort((row << 36 | part << 32 | place << 16 | value)[meant & whole[row]], kind="stable")  # (runs)
    numbers = (keys & 0xFFFF | keys >> 16 & 0xF0000).astype(np.uint32)
    counts = np.bincount(keys >> 36, minlength=len(whole))
    number, different = numbered_text(Text.from_lengths(4 * counts, numbers.view(np.uint8)))
    return Text.of([written(transport, different.bytes(row)) for row in range(len(different))]).take(number)


def written(transport: str, numbers: bytes) -> str:
    """Write one fingerprint from a hello's numbers of 32 bits, above each its part, in order; nothing from none."""
    said = memoryview(numbers).cast("I").tolist()
    if not said:
        return ""
    bounds = [bisect_left(said, part << 16) for part in range(len(Part) + 1)]
    versions, ciphers, extensions, signatures, version, protocol = (
        [number & 0xFFFF for number in said[begin:end]] for begin, end in pairwise(bounds)
    )
    return ja4(transport, version[0], versions, ciphers, extensions, signatures, pack(f"!{len(protocol)}H", *protocol))
