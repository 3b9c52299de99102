"""What a connection opens with: the classes of first bytes that filters go by.

Filters that let only known protocols pass look at the first data of the client (Bock et al., FOCI 2020: DNS, HTTP and
TLS on three ports), and the GFW took first packets that look like noise for proxies (Wu et al., USENIX Security 2023,
algorithm 1).
"""

from enum import IntEnum

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.protocols.http import METHODS
from netinterf.table import Ragged

__all__ = ["Opening", "is_noise", "openings"]


class Opening(IntEnum):
    """What the first data of a client looks like."""

    NOTHING = 0  # no payload was captured
    TLS = 1  # RFC 8446 §5.1
    HTTP = 2  # RFC 9110 §9.3
    SSH = 3  # RFC 4253 §4.2
    DNS = 4  # over TCP: RFC 1035 §4.2.2
    OPENVPN = 5  # P_CONTROL_HARD_RESET_CLIENT_V2 or V3 behind a length (OpenVPN protocol, opcodes 7 and 10)
    TORRENT = 6  # BEP 3
    TEXT = 7  # printable: mail, file transfer, chat
    NOISE = 8  # looks encrypted from the first byte
    UNKNOWN = 9


LOW_BITS, HIGH_BITS = 3.4, 4.6
"""Set bits per byte between which data looks like noise (Wu et al., USENIX Security 2023, Ex1)."""

TEXT_START, TEXT_RUN, TEXT_SHARE = 6, 20, 0.5
"""Printable bytes at the start, in a row, and in all, with which it does not (the same, Ex2 to Ex4)."""

HEAD = 20


def openings(heads: Ragged) -> U8:
    """Class first payloads.

    Args:
        heads: The first payload packet of each client (uint8), as far as captured.

    Returns:
        Opening codes, one per row.
    """
    count, lengths = len(heads), heads.lengths
    kind = np.full(count, Opening.UNKNOWN, np.uint8)
    kind[lengths == 0] = Opening.NOTHING
    place = heads.offsets[:-1, None] + np.arange(HEAD)
    inside = np.arange(HEAD) < lengths[:, None]
    data = np.append(heads.values, np.uint8(0))
    head = np.where(inside, data[np.where(inside, place, len(data) - 1)], 0)
    printable = (head >= 0x20) & (head <= 0x7E) & inside
    whole = lengths >= 3
    size = head[:, 0].astype(np.int64) << 8 | head[:, 1]
    signatures = (
        (Opening.TEXT, printable[:, :TEXT_START].all(axis=1)),
        (Opening.DNS, (size == lengths - 2) & (lengths >= 14) & (head[:, 4] & 0x78 == 0)),
        (Opening.OPENVPN, (size >= 14) & (size <= lengths - 2) & np.isin(head[:, 2], (0x38, 0x50)) & whole),
        (Opening.TORRENT, starts(head, b"\x13BitTorrent protocol"[:HEAD])),
        (Opening.SSH, starts(head, b"SSH-")),
        (Opening.HTTP, np.any([starts(head, method + b" ") for method in METHODS], axis=0)),
        (Opening.TLS, np.isin(head[:, 0], (0x16, 0x17)) & (head[:, 1] == 3) & (head[:, 2] <= 9) & whole),
    )
    for code, matches in signatures:  # the last that fits counts
        kind[matches] = code
    left = np.flatnonzero(kind == Opening.UNKNOWN)
    kind[left[is_noise(heads.take(left))]] = Opening.NOISE
    return kind


def starts(head: U8, word: bytes) -> Mask:
    """Say which heads begin with a word."""
    same: Mask = (head[:, : len(word)] == np.frombuffer(word, np.uint8)).all(axis=1)
    return same


def is_noise(payloads: Ragged) -> Mask:
    """Say which payloads no exemption of the published rules fits (TLS and HTTP are told before).

    About 0.6 % of ordinary first packets look so (the same paper, section 5).
    """
    if not len(payloads):
        return np.zeros(0, np.bool_)
    lengths, values = np.maximum(payloads.lengths, 1), payloads.values
    bits = np.bitwise_count(values).astype(np.int64)
    shown = (values >= 0x20) & (values <= 0x7E)
    share = totals(bits, payloads) / lengths
    text = totals(shown.astype(np.int64), payloads) / lengths
    noise = (share > LOW_BITS) & (share < HIGH_BITS) & (text <= TEXT_SHARE) & (payloads.lengths > 0)
    return noise & (longest_run(shown, payloads) <= TEXT_RUN)


def totals(values: I64, rows: Ragged) -> I64:
    """Add up values by row."""
    summed = np.append(0, np.cumsum(values))
    total: I64 = summed[rows.offsets[1:]] - summed[rows.offsets[:-1]]
    return total


def longest_run(shown: Mask, rows: Ragged) -> I64:
    """Length of the longest run of true values inside each row."""
    place = np.arange(len(shown))
    begins = np.zeros(len(shown) + 1, np.bool_)
    begins[rows.offsets] = True
    stop = np.where(~shown, place, -1)
    border = np.where(begins[:-1], place - 1, -1)
    since = np.maximum.accumulate(np.maximum(stop, border)) if len(shown) else place
    run = np.where(shown, place - since, 0)
    longest = np.zeros(len(rows), np.int64)
    np.maximum.at(longest, rows.parents(), run)
    return longest
