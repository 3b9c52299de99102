"""JA4 of TLS client hellos: which program greets, told by what it offers and not by whom it asks.

Written from FoxIO's description of JA4 (github.com/FoxIO-LLC/ja4, technical_details/JA4.md), which is under the BSD
3-Clause licence; the other methods of JA4+ have a licence of their own, and none of them is here. Programs that offer
the same in another order have one fingerprint, and no name goes in, only whether there is one.

Few programs say many hellos, so each different one is written once, however many there are.
"""

from collections.abc import Sequence
from hashlib import sha256
from struct import pack

import numpy as np

from netinterf.arrays import U16
from netinterf.numbering import combined, numbered, numbered_text
from netinterf.table import Ragged, Text

__all__ = ["fingerprints", "ja4"]

SERVER_NAME, ALPN = 0, 16  # RFC 6066 §3, RFC 7301 §3.1
MOST = 99  # what a count of two digits holds
NOTHING = "0" * 12
VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}
ALPHANUMERIC = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


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
        protocol: The first protocol of ALPN; empty for none.
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


def fingerprints(
    transport: str,
    version: U16,
    versions: Ragged,
    ciphers: Ragged,
    extensions: Ragged,
    signatures: Ragged,
    protocol: Text,
) -> Text:
    """Write the fingerprints of hellos, n rows each; the columns are those of `ja4`, as they came on the wire."""
    if not len(version):
        return Text.empty(0, np.uint8)
    lists = (without_grease(versions), without_grease(ciphers), ordered(extensions), without_grease(signatures))
    same = [numbered_text(Text(2 * one.offsets, one.values.view(np.uint8)))[0] for one in lists]
    number, first = numbered(combined(version, *same, numbered_text(protocol)[0]))
    written = []
    for row in first.tolist():
        offered, suites, kinds, signed = (one[row].tolist() for one in lists)
        written.append(ja4(transport, int(version[row]), offered, suites, kinds, signed, protocol.bytes(row)))
    return Text.of(written).take(number)


def without_grease(lists: Ragged) -> Ragged:
    """Leave out the values that are there to be ignored, 0x0A0A to 0xFAFA (RFC 8701 §2)."""
    values = lists.values
    kept = (values & 0x0F0F != 0x0A0A) | (values >> 8 != values & 0xFF)
    before = np.append(0, np.cumsum(kept))
    return Ragged(before[lists.offsets], values[kept])


def ordered(lists: Ragged) -> Ragged:
    """Sort each list, without what is there to be ignored: Chrome and others shuffle their extensions each time."""
    plain = without_grease(lists)
    values = np.sort(plain.parents() << 16 | plain.values, kind="stable") & 0xFFFF  # (faster where rows are in order)
    return Ragged(plain.offsets, values.astype(np.uint16))
