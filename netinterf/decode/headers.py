"""The kinds of headers, and the numbers that announce them: link types, EtherTypes, IP protocols, UDP ports.

Kinds that are only named have numbers as well: whatever announces one says what was not read (`decode.unread`).
"""

from enum import IntEnum

import numpy as np

from netinterf.arrays import U8

__all__ = [
    "ETHERTYPES",
    "FAMILIES",
    "FRAMES",
    "IPV4_NEXT",
    "IPV6_NEXT",
    "IP_VERSIONS",
    "LINK_KINDS",
    "PPP_PROTOCOLS",
    "UDP_TUNNELS",
    "Kind",
]


class Kind(IntEnum):
    """What kind of header comes next."""

    NONE = 0  # nothing that is decoded
    ETHERNET = 1
    LLC = 2
    VLAN = 3
    MPLS = 4
    PPPOE = 5
    PPP = 6
    PPP_HDLC = 7
    CISCO_HDLC = 8
    LINUX_SLL = 9
    LINUX_SLL2 = 10
    LOOPBACK = 11
    RAW = 12  # IPv4 or IPv6, by the version in the first nibble
    IPV4 = 13
    IPV6 = 14
    EXTENSION = 15  # IPv6 hop-by-hop, routing, destination options
    FRAGMENT = 16  # IPv6 fragment header
    AUTHENTICATION = 17
    GRE = 18
    TCP = 19
    UDP = 20
    ICMP = 21
    ICMPV6 = 22
    VN_TAG = 23
    LONG_TAG = 24  # 802.1BR E-tag, Cisco metadata
    ERSPAN_2 = 25
    ERSPAN_3 = 26
    WCCP = 27
    METADATA = 28  # Cisco metadata in GRE: type first
    SHORT_SHIM = 29  # 2 bytes before an Ethernet frame: FabricPath, EtherIP
    LONG_SHIM = 30  # 4 bytes before an Ethernet frame: 802.1ah
    VXLAN = 31
    GENEVE = 32
    GTP = 33
    GTP_EXTENSION = 34
    L2TP = 35
    TEREDO = 36
    IEEE802_11 = 37
    IEEE802_11_PADDED = 38  # with bytes behind its header, so that what it carries begins at a multiple of four
    A_MSDU = 39
    RADIOTAP = 40
    PPI = 41
    PRISM = 42  # or AVS, under the same link types
    NFLOG = 43
    PKTAP = 44

    # What is named and not read.
    NO_IP = 64  # of the link itself: ARP, spanning tree, LLDP, control protocols of PPP
    MACSEC = 65
    SERVICE_CHAIN = 66
    SQUEEZED = 67  # compressed, encrypted or split by PPP
    UNKNOWN = 68  # a number that stands for nothing known here
    ODD_VERSION = 69  # IP of another version than 4 and 6, or than what was announced
    ESP = 70
    CLOSED = 71  # a tunnel that holds something else than an IP packet that is read
    PROTECTED = 72  # encrypted by 802.11
    ODD_WIRELESS = 73  # 802.11 of a mesh, in fragments, or of another version
    DAMAGED = 74  # on its way through the air

    # Why nothing, or not all, could be read.
    EMPTY = 80
    CUT = 81
    NO_PORTS = 82
    OVERSTATED = 83
    AGGREGATED = 84


def _lookup(size: int, kinds: dict[int, Kind], others: Kind = Kind.NONE) -> U8:
    table = np.full(size, others, np.uint8)
    for number, kind in kinds.items():
        table[number] = kind
    return table


_OF_THE_LINK = (
    *range(0x0600),  # no EtherTypes: lengths (IEEE 802.3 §3.2.6), and frames that Linux does not take for Ethernet
    *(0x0806, 0x8035, 0x80F3),  # ARP (RFC 826), RARP and Cisco's SLARP, AppleTalk ARP
    *(0x8137, 0x809B, 0x6003, 0x6002, 0x6004),  # networks of their own: IPX, AppleTalk, DECnet and its maintenance
    *(0x8863, 0x888E, 0x88C7),  # discovery stage of PPPoE (RFC 2516 §4), 802.1X and its preauthentication
    *(0x88CC, 0x2000, 0x8809, 0x8902, 0x88F7, 0x88F5, 0x88F6, 0x22EA, 0x8808, 0x893A),  # LLDP, CDP, LACP, 802.1ag, …
    *(0x0842, 0x9000, 0x88E1, 0x88E3, 0x8892, 0x88A4, 0x88B8, 0x88B9, 0x88BA, 0x22F0),  # wake on LAN, field buses, …
    *(0x8906, 0x8914, 0x88A2),  # storage: FCoE, FIP, ATA over Ethernet
)
"""EtherTypes of what has no conversation of the Internet inside (IEEE's and IANA's registries)."""

ETHERTYPES = _lookup(
    65536,
    {
        **dict.fromkeys(_OF_THE_LINK, Kind.NO_IP),
        0x0800: Kind.IPV4,
        0x86DD: Kind.IPV6,
        0x8100: Kind.VLAN,  # IEEE 802.1Q
        0x88A8: Kind.VLAN,  # IEEE 802.1ad
        0x9100: Kind.VLAN,  # tag types in use before 802.1ad
        0x9200: Kind.VLAN,
        0x9300: Kind.VLAN,
        0x8926: Kind.VN_TAG,  # Cisco VN-tag
        0x893F: Kind.LONG_TAG,  # IEEE 802.1BR
        0x8909: Kind.LONG_TAG,  # Cisco metadata (security group tag)
        0x8903: Kind.SHORT_SHIM,  # Cisco FabricPath
        0x88E7: Kind.LONG_SHIM,  # IEEE 802.1ah service instance tag
        0x8847: Kind.MPLS,  # RFC 5332
        0x8848: Kind.MPLS,
        0x8864: Kind.PPPOE,  # RFC 2516 §4, session stage
        0x880B: Kind.PPP,  # in GRE, RFC 2637 §4.1
        0x6558: Kind.ETHERNET,  # in GRE, RFC 1701
        0x88E5: Kind.MACSEC,  # IEEE 802.1AE
        0x894F: Kind.SERVICE_CHAIN,  # network service header, RFC 8300
    },
    Kind.UNKNOWN,
)
"""`Kind` behind each EtherType."""

PPP_PROTOCOLS = _lookup(
    65536,
    {
        **dict.fromkeys(range(0x4000, 0x10000), Kind.NO_IP),  # control protocols (RFC 1661 §2)
        **dict.fromkeys((0x0029, 0x002B), Kind.NO_IP),  # AppleTalk, IPX
        # Van Jacobson's headers (RFC 1332 §4), multilink (RFC 1990), encryption (RFC 1968), compression (RFC 1962)
        **dict.fromkeys((0x002D, 0x002F, 0x003D, 0x0053, 0x0055, 0x00FB, 0x00FD), Kind.SQUEEZED),
        0x0021: Kind.IPV4,  # RFC 1332
        0x0057: Kind.IPV6,  # RFC 5072
        0x0281: Kind.MPLS,  # RFC 3032 §4.3
        0x0283: Kind.MPLS,
    },
    Kind.UNKNOWN,
)
"""`Kind` behind each PPP protocol number."""

IP_VERSIONS = _lookup(16, {4: Kind.IPV4, 6: Kind.IPV6}, Kind.ODD_VERSION)
"""`Kind` of an IP packet by its first four bits."""

# AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 23 on Windows, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on
# Darwin.
FAMILIES = _lookup(256, {2: Kind.IPV4, **dict.fromkeys((10, 23, 24, 28, 30), Kind.IPV6)}, Kind.UNKNOWN)
"""`Kind` behind each address family of a loopback header."""

_CARRIED = {
    1: Kind.ICMP,
    4: Kind.IPV4,  # RFC 2003
    6: Kind.TCP,
    17: Kind.UDP,
    41: Kind.IPV6,  # RFC 4213
    47: Kind.GRE,
    50: Kind.ESP,  # RFC 4303
    51: Kind.AUTHENTICATION,
    55: Kind.CLOSED,  # minimal encapsulation, RFC 2004
    58: Kind.ICMPV6,
    97: Kind.SHORT_SHIM,  # EtherIP, RFC 3378
    108: Kind.CLOSED,  # compressed, RFC 3173
    115: Kind.CLOSED,  # L2TP version 3, RFC 3931
    137: Kind.MPLS,  # RFC 4023
    143: Kind.ETHERNET,  # RFC 8986 §10.1
}

IPV4_NEXT = _lookup(256, _CARRIED)
"""`Kind` behind each protocol number of IPv4."""

# Extension headers of RFC 8200 §4; mobility, HIP and shim6 end a packet and stay undecoded.
IPV6_NEXT = _lookup(256, {**_CARRIED, 0: Kind.EXTENSION, 43: Kind.EXTENSION, 60: Kind.EXTENSION, 44: Kind.FRAGMENT})
"""`Kind` behind each next-header number of IPv6."""

UDP_TUNNELS = _lookup(
    65536,
    {
        1701: Kind.L2TP,  # RFC 2661 §8.1
        2152: Kind.GTP,  # user plane, 3GPP TS 29.281 §4.4.2
        3544: Kind.TEREDO,  # RFC 4380 §2.7
        4789: Kind.VXLAN,  # RFC 7348 §8
        6081: Kind.GENEVE,  # RFC 8926 §3.3
        8472: Kind.VXLAN,  # what Linux took before, and still does where nothing else is said
    },
)
"""`Kind` that may be in a datagram from or to each UDP port: what its header says decides."""

LINK_KINDS: dict[int, Kind] = {
    0: Kind.LOOPBACK,
    1: Kind.ETHERNET,
    9: Kind.PPP_HDLC,
    12: Kind.RAW,  # DLT_RAW on most systems
    14: Kind.RAW,  # DLT_RAW on OpenBSD
    50: Kind.PPP_HDLC,
    51: Kind.PPPOE,
    101: Kind.RAW,
    104: Kind.CISCO_HDLC,
    105: Kind.IEEE802_11,
    108: Kind.LOOPBACK,
    113: Kind.LINUX_SLL,
    119: Kind.PRISM,
    127: Kind.RADIOTAP,
    163: Kind.PRISM,
    192: Kind.PPI,
    228: Kind.IPV4,
    229: Kind.IPV6,
    239: Kind.NFLOG,
    258: Kind.PKTAP,
    276: Kind.LINUX_SLL2,
}
"""First header of a frame, by link type."""

FRAMES = _lookup(512, LINK_KINDS, Kind.UNKNOWN)
"""`Kind` behind a link type that stands in a header; the last stands for all from there on."""
