"""Packets in 802.11 frames, and frames behind the pseudo-headers of whoever recorded them."""

from struct import pack

from scapy.layers.dot11 import Dot11, Dot11QoS, PrismHeader, RadioTap
from scapy.layers.l2 import LLC, SNAP, Ether

ADDRESSES = {"addr1": "02:00:00:00:00:0a", "addr2": "02:00:00:00:00:0b", "addr3": "02:00:00:00:00:0c"}
CHECK_SEQUENCE = b"\xde\xad\xbe\xef"
SUBTYPE_QOS = 8
TO, FROM, FRAGMENTS, RETRY, PROTECTED, ORDER = 0x01, 0x02, 0x04, 0x08, 0x40, 0x80  # second byte of frame control


def in_the_air(packet, flags=FROM, qos=None, extra=b"", four=False):
    """Make a data frame, with QoS control (and what is to stand behind its header) or without."""
    more = {"addr4": "02:00:00:00:00:0d"} if four else {}
    head = Dot11(type=2, subtype=SUBTYPE_QOS if qos is not None else 0, FCfield=flags, **ADDRESSES, **more)
    octets = bytes(head if qos is None else head / Dot11QoS())
    if qos is not None:
        octets = octets[:-2] + pack("<H", qos)
    return octets + extra + in_llc(packet)


def in_llc(packet):
    """Put LLC and SNAP before a packet."""
    kind = 0x0800 if packet.version == 4 else 0x86DD
    return bytes(LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=kind)) + bytes(packet)


def aggregate(*packets):
    """Put packets into the subframes of an A-MSDU."""
    octets = b""
    for packet in packets:
        octets += bytes(-len(octets) % 4) + bytes(12) + pack(">H", len(in_llc(packet))) + in_llc(packet)
    return octets


def in_a_msdu(*packets):
    """Make a data frame of several packets."""
    head = in_the_air(packets[0], qos=0x80)[: -len(in_llc(packets[0]))]
    return head + aggregate(*packets)


def radiotap(flags=None, stamp=False, more=0):
    """Make a radiotap header, with flags, a time stamp, and more words that say which fields there are."""
    present = (0 if flags is None else 2) | (1 if stamp else 0) | 0x20
    words = b"".join(pack("<I", bits) for bits in [present | (1 << 31 if more else 0)])
    words += b"".join(pack("<I", 0x20 | (1 << 31 if place + 1 < more else 0)) for place in range(more))
    fields = b""
    if stamp:
        fields += bytes(-(4 + len(words)) % 8) + b"\x77" * 8
    fields += (b"" if flags is None else bytes([flags])) + b"\xc4" * (1 + more)
    return pack("<BBH", 0, 0, 4 + len(words) + len(fields)) + words + fields


def ppi(number, fields=(), aligned=False):
    """Make a PPI header: fields of (type, bytes)."""
    octets = b""
    for kind, data in fields:
        octets += pack("<HH", kind, len(data)) + data
        octets += bytes(-len(octets) % 4) if aligned else b""
    return pack("<BBHI", 0, aligned, 8 + len(octets), number) + octets


def common(flags):
    """Make PPI's field of what is common to all of 802.11."""
    return 2, pack("<QHHHHBBbb", 5, flags, 2, 2412, 0, 0, 0, -60, -90)


def nflog(packet, order="<", family=None):
    """Put a packet behind other attributes of NFLOG."""
    family = (2 if packet.version == 4 else 10) if family is None else family
    octets = pack(">BBH", family, 0, 5)
    for kind, data in ((1, b"\x08\0\1\0"), (10, b"DROP:\0"), (9, bytes(packet))):
        octets += pack(order + "HH", 4 + len(data), kind) + data
        octets += bytes(-len(octets) % 4) if kind != 9 else b""
    return octets


def pktap(number, following=1):
    """Make the header of a Mac's packet tap."""
    head = pack("<III24sIIIIi20s", 108, following, number, b"en0", 1, 2, 14, 0, 99, b"curl")
    return head.ljust(108, b"\0")


def recorded(packet):
    """Record a packet in every way: (name, link type, frame, tagged)."""
    air = in_the_air(packet)
    ether = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", type=0x0800) / packet)
    ether = ether[:12] + (b"\x08\0" if packet.version == 4 else b"\x86\xdd") + bytes(packet)
    frames = [
        ("802.11", 105, air),
        ("802.11 with quality", 105, in_the_air(packet, qos=5)),
        ("802.11 with control", 105, in_the_air(packet, TO | ORDER, qos=5, extra=b"\1\2\3\4")),
        ("802.11 between systems", 105, in_the_air(packet, TO | FROM, qos=0x100, four=True)),
        ("802.11 aggregated", 105, in_a_msdu(packet)),
        ("radiotap", 127, bytes(RadioTap()) + air),
        ("radiotap checked", 127, radiotap(0x10, stamp=True) + air + CHECK_SEQUENCE),
        ("radiotap padded", 127, radiotap(0x30, more=2) + in_the_air(packet, qos=5, extra=b"\0\0") + CHECK_SEQUENCE),
        ("prism", 119, bytes(PrismHeader()) + air),
        ("avs in prism", 119, pack(">II", 0x80211001, 64).ljust(64, b"\0") + air),
        ("avs", 163, pack(">II", 0x80211002, 80).ljust(80, b"\0") + air),
        ("prism in avs", 163, pack(">II", 0x44, 144).ljust(144, b"\0") + air),
        ("ppi", 192, ppi(105, [common(0)]) + air),
        ("ppi checked", 192, ppi(105, [(30000, b"12345678"), common(1)], aligned=True) + air + CHECK_SEQUENCE),
        ("ppi wired", 192, ppi(1, [(30000, b"12345")]) + ether),
        ("nflog", 239, nflog(packet)),
        ("nflog big", 239, nflog(packet, ">")),
        ("pktap", 258, pktap(1) + ether),
        ("pktap raw", 258, pktap(12) + bytes(packet)),
    ]
    for name, number, frame in frames:
        yield name, number, frame, False
