"""Header stacks built with scapy: every link layer and tunnel that is decoded, around the same inner packets."""

from struct import pack

from scapy.contrib.erspan import ERSPAN_II
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import GRE, LLC, SNAP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.l2tp import L2TP
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from tests.oracles.recorded_stacks import recorded

MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
V4 = {"src": "192.0.2.1", "dst": "198.51.100.2", "ttl": 57, "id": 4660, "tos": 0x28, "flags": "DF"}
V6 = {"src": "2001:db8::1", "dst": "2001:db8:ffff::2", "hlim": 49, "tc": 0x2C}
TEREDO = {"src": "2001:0:cb00:7101::3fff:fdfe", "dst": "2001:db8::2", "hlim": 21}
LINK = {"src": "fe80::8000:f227:62e5:6d6e", "dst": "ff02::2"}
OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (7_000_001, 0)), ("NOP", None), ("WScale", 9)]


def segment(options=()):
    """Make a TCP segment."""
    return TCP(sport=40001, dport=443, seq=0xFFFFFFF0, ack=77, flags="PA", window=501, options=list(options))


def inner_packets():
    """Give the packets that every stack is put around: (name, packet)."""
    payload = Raw(b"0123456789abcdef")
    return {
        "tcp4": IP(**V4) / segment([("NOP", None), ("NOP", None), ("Timestamp", (1234, 5678))]) / payload,
        "syn4": IP(**V4) / segment(OPTIONS),
        "udp4": IP(**V4) / UDP(sport=5353, dport=53) / payload,
        "ping4": IP(**V4) / ICMP(id=99, seq=3) / payload,
        "options4": IP(**V4, options=[IPOption(b"\x94\x04\x00\x00")]) / segment() / payload,
        "tcp6": IPv6(**V6) / segment() / payload,
        "udp6": IPv6(**V6) / UDP(sport=5353, dport=53) / payload,
        "ping6": IPv6(**V6) / ICMPv6EchoRequest(id=98, seq=4, data=b"ping"),
        "headers6": IPv6(**V6) / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting() / IPv6ExtHdrDestOpt() / segment() / payload,
        "atomic6": IPv6(**V6) / IPv6ExtHdrFragment(id=0x12345678) / UDP(sport=1, dport=2) / payload,
        "ah4": IP(**V4) / AH(nh=6, payloadlen=4, spi=1, seq=1, icv=b"x" * 12) / segment() / payload,
        "ipip": IP(src="10.0.0.1", dst="10.0.0.2") / IP(**V4) / segment() / payload,
        "6in4": IP(src="10.0.0.1", dst="10.0.0.2") / IPv6(**V6) / segment() / payload,
        "4in6": IPv6(src="2001:db8::a", dst="2001:db8::b") / IP(**V4) / UDP(sport=9, dport=10) / payload,
        "gre": IP(src="10.0.0.1", dst="10.0.0.2", proto=47) / GRE() / IP(**V4) / segment() / payload,
        "gre_fields": IP(src="10.0.0.1", dst="10.0.0.2", proto=47)
        / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=5, sequence_number=6)
        / IPv6(**V6)
        / segment()
        / payload,
        "gre_ethernet": IP(src="10.0.0.1", dst="10.0.0.2", proto=47)
        / GRE(proto=0x6558)
        / Ether(**MACS)
        / Dot1Q(vlan=7)
        / IP(**V4)
        / segment()
        / payload,
        "etherip": IP(src="10.0.0.1", dst="10.0.0.2", proto=97) / Raw(b"\x30\0") / Ether(**MACS) / IP(**V4) / segment(),
        "erspan": IP(src="10.0.0.1", dst="10.0.0.2", proto=47)
        / GRE(proto=0x88BE, seqnum_present=1, sequence_number=1)
        / ERSPAN_II()
        / Ether(**MACS)
        / IP(**V4)
        / segment()
        / payload,
        **datagram_tunnels(payload),
    }


def datagram_tunnels(payload):
    """Give packets in tunnels over UDP."""
    outer = IP(src="10.0.0.1", dst="10.0.0.2")
    return {
        "vxlan": outer
        / UDP(sport=49999, dport=4789)
        / VXLAN(flags=8, vni=7)
        / Ether(**MACS)
        / IP(**V4)
        / segment()
        / payload,
        "vxlan_policy": IPv6(src="2001:db8::a", dst="2001:db8::b")
        / UDP(sport=49999, dport=8472)
        / VXLAN(flags=0x88, gpid=9, vni=7)
        / Ether(**MACS)
        / IPv6(**V6)
        / UDP(sport=1, dport=2)
        / payload,
        "vxlan_vendor": outer
        / UDP(sport=49999, dport=4789)
        / Raw(bytes.fromhex("c8800001 00000701"))
        / Ether(**MACS)
        / IP(**V4)
        / segment()
        / payload,
        "geneve": outer / UDP(sport=49999, dport=6081) / GENEVE(vni=7, proto=0x0800) / IP(**V4) / segment() / payload,
        "geneve_options": outer
        / UDP(sport=49999, dport=6081)
        / GENEVE(vni=7, proto=0x6558, critical=1, options=[GeneveOptions(classid=0x108, type=1, data=b"12345678")])
        / Ether(**MACS)
        / IPv6(**V6)
        / ICMPv6EchoRequest(id=98, seq=4, data=b"ping"),
        "gtp": outer / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=5) / IP(**V4) / segment() / payload,
        "gtp_numbered": outer
        / UDP(sport=2152, dport=2152)
        / GTP_U_Header(teid=5, S=1, seq=9)
        / IPv6(**V6)
        / segment()
        / payload,
        "gtp_session": outer
        / UDP(sport=2152, dport=2152)
        / GTP_U_Header(teid=5, E=1)
        / GTPPDUSessionContainer(type=0, QFI=3)
        / IP(**V4)
        / ICMP(id=99, seq=3)
        / payload,
        "l2tp": outer
        / UDP(sport=1701, dport=1701)
        / L2TP(hdr=["length"], tunnel_id=1, session_id=2)
        / PPP(proto=0x21)
        / IP(**V4)
        / segment()
        / payload,
        "l2tp_numbered": outer
        / UDP(sport=50000, dport=1701)
        / L2TP(hdr=["sequence"], tunnel_id=1, session_id=2, ns=1, nr=2)
        / PPP(proto=0x57)
        / IPv6(**V6)
        / segment()
        / payload,
        "teredo": outer / UDP(sport=50001, dport=3544) / IPv6(**TEREDO) / segment() / payload,
        "teredo_origin": outer
        / UDP(sport=3544, dport=50001)
        / Raw(b"\0\0\x12\x34\x3f\xff\xfd\xfe")
        / IPv6(**LINK)
        / ICMPv6EchoRequest(id=98, seq=4, data=b"ping"),
        "teredo_proven": outer
        / UDP(sport=3544, dport=50001)
        / Raw(b"\0\1\2\3" + b"cl" + b"val" + b"noncenon" + b"\0" + b"\0\0\x12\x34\x3f\xff\xfd\xfe")
        / IPv6(**TEREDO)
        / UDP(sport=1, dport=2)
        / payload,
    }


def _ethertype(packet):
    return 0x0800 if packet.version == 4 else 0x86DD


def link_layers(packet):
    """Put every link layer around a packet: (name, link type, frame, tagged)."""
    data, kind = bytes(packet), _ethertype(packet)
    ppp = 0x21 if kind == 0x0800 else 0x57
    families = (2,) if kind == 0x0800 else (10, 24, 28, 30)
    ether = Ether(**MACS)
    yield "ethernet", 1, bytes(ether / packet), False
    yield "vlan", 1, bytes(ether / Dot1Q(vlan=5) / packet), True
    yield "qinq", 1, bytes(ether / Dot1AD(vlan=5) / Dot1Q(vlan=6) / packet), True
    yield "snap", 1, bytes(Dot3(**MACS) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0, code=kind) / data), False
    yield "mac in mac", 1, bytes(ether)[:12] + b"\x88\xe7\0\0\0\5" + bytes(ether / packet), True
    yield "fabric path", 1, bytes(ether)[:12] + b"\x89\x03\0\x40" + bytes(ether / packet), True
    yield "mpls", 1, bytes(ether / MPLS(label=16, s=0) / MPLS(label=17, s=1) / packet), True
    yield "pppoe", 1, bytes(ether / PPPoE(sessionid=1) / PPP(proto=ppp) / packet), True
    yield "pppoe bare", 51, bytes(PPPoE(sessionid=1) / PPP(proto=ppp) / packet), True
    for number in (9, 50):
        yield f"ppp {number}", number, b"\xff\x03" + pack(">H", ppp) + data, False
        yield f"ppp short {number}", number, pack(">H", ppp) + data, False
        yield f"ppp compressed {number}", number, bytes([ppp]) + data, False
        yield f"cisco in ppp {number}", number, pack(">BBH", 0x0F, 0, kind) + data, False
    yield "cisco", 104, pack(">BBH", 0x8F, 0, kind) + data, False
    yield "sll", 113, pack(">HHH8sH", 4, 1, 6, b"\x02\0\0\0\0\x01", kind) + data, False
    yield "sll2", 276, pack(">HHIHBB8s", kind, 0, 3, 1, 4, 6, b"\x02\0\0\0\0\x01") + data, False
    for number in (12, 14, 101, 228 if kind == 0x0800 else 229):
        yield f"raw {number}", number, data, False
    for family in families:
        yield f"null little {family}", 0, pack("<I", family) + data, False
        yield f"null big {family}", 0, pack(">I", family) + data, False
        yield f"loop {family}", 108, pack(">I", family) + data, False
    yield from recorded(packet)


def every_stack():
    """List every link layer around every inner packet: (name, link type, frame, tagged, packet)."""
    return [
        (f"{name} in {link}", number, frame, tagged, packet)
        for name, packet in inner_packets().items()
        for link, number, frame, tagged in link_layers(packet)
    ]
