"""What a conversation over UDP opens with, by the first datagram of its client: which protocol boxes may take it for.

Only what stands in the clear is looked at. What has no signature is told apart by whether it looks encrypted from the
first byte on (Wu et al., USENIX Security 2023, algorithm 1).
"""

from enum import IntEnum

import numpy as np

from netinterf.arrays import I64, U8
from netinterf.protocols.opening import is_noise
from netinterf.table import Ragged

__all__ = ["Datagram", "datagrams"]


class Datagram(IntEnum):
    """What the first datagram of a client looks like."""

    NOTHING = 0  # no payload was captured
    UNKNOWN = 1
    NOISE = 2  # looks encrypted from the first byte
    STUN = 3  # RFC 8489 §5: the magic cookie
    DTLS = 4  # RFC 6347 §4.1, RFC 9147 §4: a handshake record
    WIREGUARD = 5  # Donenfeld, NDSS 2017, §5.4.2: an initiation of 148 bytes
    OPENVPN = 6  # P_CONTROL_HARD_RESET_CLIENT_V2 or V3 (OpenVPN protocol, opcodes 7 and 10)
    QUIC = 7  # RFC 9000 §17.2 and §17.3: the fixed bit, and a known version or port 443


HEAD = 12
COOKIE = (0x21, 0x12, 0xA4, 0x42)
INITIATION = 148
RESETS = (0x38, 0x50)
RESET_SIZES = (14, 86)
"""Bytes of an OpenVPN reset: without a signature, and with one of 64 bytes and a packet id of 8."""

HTTPS = 443


def datagrams(heads: Ragged, length: I64, port: I64) -> U8:
    """Class the first datagrams of clients.

    Args:
        heads: Their payloads (uint8), as far as captured, n rows.
        length: How long each is by its header.
        port: The server's port.

    Returns:
        Datagram codes, one per row.
    """
    kind = np.full(len(heads), Datagram.UNKNOWN, np.uint8)
    place = heads.offsets[:-1, None] + np.arange(HEAD)
    inside = np.arange(HEAD) < heads.lengths[:, None]
    data = np.append(heads.values, np.uint8(0))
    head = np.where(inside, data[np.where(inside, place, len(data) - 1)], 0)
    version = head[:, 1].astype(np.int64) << 24 | head[:, 2].astype(np.int64) << 16 | head[:, 3] << 8 | head[:, 4]
    long = (head[:, 0] & 0xC0 == 0xC0) & ((version == 1) | (version == 0x6B3343CF) | (version >> 8 == 0xFF0000))
    signatures = (
        (Datagram.QUIC, long | ((port == HTTPS) & (head[:, 0] & 0x40 != 0))),
        (
            Datagram.OPENVPN,
            np.isin(head[:, 0], RESETS) & (length >= RESET_SIZES[0]) & (length <= RESET_SIZES[1]) & (length % 2 == 0),
        ),
        (Datagram.WIREGUARD, (length == INITIATION) & (head[:, 0] == 1) & ~head[:, 1:4].any(axis=1)),
        (
            Datagram.DTLS,
            (head[:, 0] == 22) & (head[:, 1] == 0xFE) & np.isin(head[:, 2], (0xFF, 0xFD)) & ~head[:, 3:5].any(axis=1),
        ),
        (Datagram.STUN, (head[:, 0] < 2) & (head[:, 4:8] == np.array(COOKIE, np.uint8)).all(axis=1) & (length >= 20)),
    )
    for code, matches in signatures:  # the last that fits counts
        kind[matches] = code
    kind[heads.lengths == 0] = Datagram.NOTHING
    left = np.flatnonzero(kind == Datagram.UNKNOWN)
    kind[left[is_noise(heads.take(left))]] = Datagram.NOISE
    return kind
