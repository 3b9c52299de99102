"""The traits that findings are described by, and what is described.

A trait is something that the maker of a box chose: how many resets, which hop limit, which identification, what they
copy from the client's own packets. What the capture cannot show, or what does not apply, is unknown and says nothing.
"""

from enum import IntEnum

import numpy as np

from netinterf.arrays import I64, U8
from netinterf.table import Ragged
from netinterf.values import frozen

__all__ = ["MOST", "UNKNOWN", "Findings", "Trait", "Traits"]

UNKNOWN = -1

MOST = 5
"""Packets of a kind are counted up to here: no published burst has more parts."""


class Trait(IntEnum):
    """What is looked at; the names are those of ``systems.json``."""

    BARE = 0  # resets without ACK
    ACKING = 1  # resets with ACK
    FINS = 2  # FINs without RST
    DATA = 3  # packets with payload, resets apart
    RESET_BYTES = 4  # payload of the first reset
    ODD_FLAGS = 5  # flags of the first reset besides RST and ACK, as TcpFlag bits
    TTL = 6  # hop limit of the first packet as it arrived
    TTL_DISTANCE = 7  # 0: that of the greeting (±2), 1: another
    TTL_COURSE = 8  # over the packets: 0 equal, 1 up by one each, 2 otherwise
    IP_ID = 9
    IP_ID_COURSE = 10  # over the packets: 0 equal, 1 up by one each, 2 otherwise
    IP_ID_COPIED = 11  # 0 no, 1 that of the packet that set it off, 2 one more
    DF = 12
    WINDOW = 13
    WINDOW_COPIED = 14  # 0 no, 1 that of the packet that set it off
    OPTIONS = 15  # 0 a bare TCP header, 1 options
    SEQ_COURSE = 16  # first step: 0 none, 1 of SEGMENT bytes, 2 another
    SEQ_STEP = 17  # first step, bytes
    STAGE = 18  # set off by 0 the opening, 1 the first data, 2 later data
    TRIGGER = 19  # TriggerKind
    COUNTER = 20  # 1: hop limits and windows of this path come from one counter of period 200
    SECOND_TTL = 21  # distance of the last packet's hop limit from the first one's, 0 to 255
    SECOND_IP_ID = 22  # step of the identification from the first packet to the second, modulo 2^16
    TTLS = 23  # over all findings of the client with as many resets: 0 one value, 1 several
    IP_IDS = 24
    WINDOWS = 25
    DNS_REPLIES = 26  # forged replies to one question
    DNS_FLAGS = 27  # AA, RA, Z, AD, CD and RCODE of the first one
    DNS_LIFETIME = 28  # TTL of its first record, s
    DNS_POINTER = 29  # its owner name: 0 written out, 1 a pointer
    DNS_EDNS = 30  # 0 without the OPT record that the question had, 1 with it
    DNS_CLASS = 31  # 1: its question has no class
    DNS_LIFETIMES = 32  # over all findings of the client: 0 one value, 1 several


@frozen(eq=False, kw_only=True)
class Findings:
    """What is asked about: one entry per finding that names forged packets."""

    flow: I64  # rows in Flows
    forged: Ragged  # rows in Packets
    trigger: U8  # TriggerKind codes
    trigger_packet: I64  # rows in Packets, -1 for none


@frozen(eq=False, kw_only=True)
class Traits:
    """Traits by finding, shape (findings, traits), `UNKNOWN` where unknown; and the text that the packets carried."""

    value: I64
    text: Ragged  # payload bytes of the forged packets, uint8

    def __len__(self) -> int:
        return len(self.value)

    @classmethod
    def none(cls) -> "Traits":
        """Describe no finding."""
        return cls(value=np.empty((0, len(Trait)), np.int64), text=Ragged.empty(0, np.uint8))
