"""The kinds of headers that are decoded, and the numbers that announce them: link types, EtherTypes, IP protocols.

Numbers and names of link types are those of the tcpdump group's registry (https://www.tcpdump.org/linktypes.html),
without the ``LINKTYPE_`` in front.
"""

from enum import IntEnum

import numpy as np

from netinterf.arrays import U8

__all__ = [
    "ETHERTYPES",
    "FAMILIES",
    "IPV4_NEXT",
    "IPV6_NEXT",
    "IP_VERSIONS",
    "LINK_KINDS",
    "LINK_TYPES",
    "PPP_PROTOCOLS",
    "Kind",
    "link_type_name",
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


def _lookup(size: int, kinds: dict[int, Kind]) -> U8:
    table = np.zeros(size, np.uint8)
    for number, kind in kinds.items():
        table[number] = kind
    return table


ETHERTYPES = _lookup(
    65536,
    {
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
    },
)
"""`Kind` behind each EtherType."""

PPP_PROTOCOLS = _lookup(
    65536,
    {
        0x0021: Kind.IPV4,  # RFC 1332
        0x0057: Kind.IPV6,  # RFC 5072
        0x0281: Kind.MPLS,  # RFC 3032 §4.3
        0x0283: Kind.MPLS,
    },
)
"""`Kind` behind each PPP protocol number."""

IP_VERSIONS = _lookup(16, {4: Kind.IPV4, 6: Kind.IPV6})
"""`Kind` of an IP packet by its first four bits."""

# AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 23 on Windows, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on
# Darwin.
FAMILIES = _lookup(256, {2: Kind.IPV4, **dict.fromkeys((10, 23, 24, 28, 30), Kind.IPV6)})
"""`Kind` behind each address family of a loopback header."""

_CARRIED = {
    1: Kind.ICMP,
    4: Kind.IPV4,  # RFC 2003
    6: Kind.TCP,
    17: Kind.UDP,
    41: Kind.IPV6,  # RFC 4213
    47: Kind.GRE,
    51: Kind.AUTHENTICATION,
    58: Kind.ICMPV6,
    97: Kind.SHORT_SHIM,  # EtherIP, RFC 3378
    137: Kind.MPLS,  # RFC 4023
    143: Kind.ETHERNET,  # RFC 8986 §10.1
}

IPV4_NEXT = _lookup(256, _CARRIED)
"""`Kind` behind each protocol number of IPv4."""

# Extension headers of RFC 8200 §4; mobility, HIP and shim6 end a packet and stay undecoded.
IPV6_NEXT = _lookup(256, {**_CARRIED, 0: Kind.EXTENSION, 43: Kind.EXTENSION, 60: Kind.EXTENSION, 44: Kind.FRAGMENT})
"""`Kind` behind each next-header number of IPv6."""

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
    108: Kind.LOOPBACK,
    113: Kind.LINUX_SLL,
    228: Kind.IPV4,
    229: Kind.IPV6,
    276: Kind.LINUX_SLL2,
}
"""First header of a frame, by link type."""

_NAMES: dict[int, str] = {
    0: "NULL",
    1: "ETHERNET",
    3: "AX25",
    6: "IEEE802_5",
    7: "ARCNET_BSD",
    8: "SLIP",
    9: "PPP",
    10: "FDDI",
    12: "RAW",
    14: "RAW",
    50: "PPP_HDLC",
    51: "PPP_ETHER",
    100: "ATM_RFC1483",
    101: "RAW",
    104: "C_HDLC",
    105: "IEEE802_11",
    107: "FRELAY",
    108: "LOOP",
    113: "LINUX_SLL",
    114: "LTALK",
    117: "PFLOG",
    119: "IEEE802_11_PRISM",
    122: "IP_OVER_FC",
    123: "SUNATM",
    127: "IEEE802_11_RADIOTAP",
    129: "ARCNET_LINUX",
    138: "APPLE_IP_OVER_IEEE1394",
    139: "MTP2_WITH_PHDR",
    140: "MTP2",
    141: "MTP3",
    142: "SCCP",
    143: "DOCSIS",
    144: "LINUX_IRDA",
    163: "IEEE802_11_AVS",
    165: "BACNET_MS_TP",
    166: "PPP_PPPD",
    169: "GPRS_LLC",
    177: "LINUX_LAPD",
    182: "MFR",
    187: "BLUETOOTH_HCI_H4",
    189: "USB_LINUX",
    192: "PPI",
    195: "IEEE802_15_4_WITHFCS",
    197: "ERF",
    201: "BLUETOOTH_HCI_H4_WITH_PHDR",
    202: "AX25_KISS",
    203: "LAPD",
    204: "PPP_WITH_DIR",
    205: "C_HDLC_WITH_DIR",
    206: "FRELAY_WITH_DIR",
    209: "IPMB_LINUX",
    215: "IEEE802_15_4_NONASK_PHY",
    220: "USB_LINUX_MMAPPED",
    224: "FC_2",
    225: "FC_2_WITH_FRAME_DELIMS",
    226: "IPNET",
    227: "CAN_SOCKETCAN",
    228: "IPV4",
    229: "IPV6",
    230: "IEEE802_15_4_NOFCS",
    231: "DBUS",
    235: "DVB_CI",
    236: "MUX27010",
    237: "STANAG_5066_D_PDU",
    239: "NFLOG",
    240: "NETANALYZER",
    241: "NETANALYZER_TRANSPARENT",
    242: "IPOIB",
    243: "MPEG_2_TS",
    244: "NG40",
    245: "NFC_LLCP",
    247: "INFINIBAND",
    248: "SCTP",
    249: "USBPCAP",
    250: "RTAC_SERIAL",
    251: "BLUETOOTH_LE_LL",
    253: "NETLINK",
    254: "BLUETOOTH_LINUX_MONITOR",
    255: "BLUETOOTH_BREDR_BB",
    256: "BLUETOOTH_LE_LL_WITH_PHDR",
    257: "PROFIBUS_DL",
    258: "PKTAP",
    259: "EPON",
    260: "IPMI_HPM_2",
    261: "ZWAVE_R1_R2",
    262: "ZWAVE_R3",
    263: "WATTSTOPPER_DLM",
    264: "ISO_14443",
    265: "RDS",
    266: "USB_DARWIN",
    268: "SDLC",
    270: "LORATAP",
    271: "VSOCK",
    272: "NORDIC_BLE",
    273: "DOCSIS31_XRA31",
    274: "ETHERNET_MPACKET",
    275: "DISPLAYPORT_AUX",
    276: "LINUX_SLL2",
    277: "SERCOS_MONITOR",
    278: "OPENVIZSLA",
    279: "EBHSCR",
    280: "VPP_DISPATCH",
    281: "DSA_TAG_BRCM",
    282: "DSA_TAG_BRCM_PREPEND",
    283: "IEEE802_15_4_TAP",
    284: "DSA_TAG_DSA",
    285: "DSA_TAG_EDSA",
    286: "ELEE",
    287: "Z_WAVE_SERIAL",
    288: "USB_2_0",
    289: "ATSC_ALP",
    290: "ETW",
    **{147 + number: f"USER{number}" for number in range(16)},
}

LINK_TYPES: dict[int, str] = {number: _NAMES[number] for number in sorted(LINK_KINDS)}
"""The link types that are decoded: number to name."""


def link_type_name(number: int) -> str:
    """Name a link type: ``"ETHERNET"``, or ``"unassigned"`` when the number stands for nothing known."""
    return _NAMES.get(number, "unassigned")
