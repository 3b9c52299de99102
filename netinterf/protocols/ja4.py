"""JA4 of TLS client hellos: which program greets, told by what it offers and not by whom it asks.

Written from FoxIO's description of JA4 (github.com/FoxIO-LLC/ja4, technical_details/JA4.md), which is under the BSD
3-Clause licence; the other methods of JA4+ have a licence of their own, and none of them is here. Programs that offer
the same in another order have one fingerprint, and no name goes in, only whether there is one.

Few programs say many hellos, so each different one is written once, however many there are.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
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


def fingerprints(transport: str, whole: Mask, said: Iterable[tuple[Part, I64, NDArray[np.integer[Any]]]]) -> Text:
    """Write the fingerprints of hellos from all that they say, each different one once.

    Args:
        transport: As `ja4` takes it.
        whole: Which of n hellos are to have one, shape (n,); the others have an empty text.
        said: Each part, the rows of the hellos that its numbers stand in, rising, and the numbers of 16 bits as on the
            wire; taken one after the other, as all of them together are several times as large as the hellos.
    """
    keys = np.concatenate([_keys(part, row[whole[row]], value[whole[row]]) for part, row, value in said])
    keys.sort(kind="stable")  # (faster where there are runs that rise)
    counts = np.bincount(keys >> 36, minlength=len(whole))
    numbers = (keys & 0xFFFF).astype(np.uint32)
    numbers |= (keys >> 16 & 0xF0000).astype(np.uint32)
    number, different = numbered_text(Text.from_lengths(4 * counts, numbers.view(np.uint8)))
    return Text.of([written(transport, different.bytes(row)) for row in range(len(different))]).take(number)


def _keys(part: Part, row: I64, value: NDArray[np.integer[Any]]) -> I64:
    """Put numbers of one part into one that sorts by row, part, and number, or place where that matters.

    What is there to be ignored (GREASE, 0x0A0A to 0xFAFA, RFC 8701 §2) is left out of lists.
    """
    place = np.arange(len(row)) - np.searchsorted(row, row) if part == Part.SIGNATURES else value.astype(np.int64)
    keys: I64 = (row << 4 | part) << 32 | place << 16 | value
    return keys if part >= Part.VERSION else keys[(value & 0x0F0F != 0x0A0A) | (value >> 8 != value & 0xFF)]


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
