"""Tables of what was captured: frames, packets, conversations, and the messages in them."""

from functools import cached_property

import numpy as np

from netinterf.arrays import F64, I32, I64, U8, U16, U32, U64, Mask
from netinterf.schema.codes import Vantage
from netinterf.table import Ragged, Table, Text, column, ragged, text
from netinterf.values import frozen

__all__ = [
    "Answers",
    "Dns",
    "Endpoints",
    "Exchanges",
    "Flows",
    "HeadSegments",
    "Hosts",
    "Http",
    "IcmpQuotes",
    "Packets",
    "Quic",
    "Recording",
    "Records",
    "RttSamples",
    "Sides",
    "Tls",
]


# --- capture ---------------------------------------------------------------------------------------------------------


@frozen(eq=False, kw_only=True)
class Records(Table):
    """One row per captured frame: where its bytes lie."""

    frame: U32 = column("u4", "frame number as Wireshark counts, from 1")
    time: I64 = column("i8", "capture time", unit="ns since 1970 UTC")
    at: I64 = column("i8", "offset of the frame's first byte in the trace's buffer", unit="bytes")
    captured: U32 = column("u4", "bytes captured", unit="bytes")
    length: U32 = column("u4", "bytes on the wire", unit="bytes")
    interface: U16 = column("u2", "index into the capture's interfaces", fill=0)


# --- packets ---------------------------------------------------------------------------------------------------------


@frozen(eq=False, kw_only=True)
class Packets(Table):
    """One row per captured frame, in time order, described by its innermost IP packet."""

    frame: U32 = column("u4", "frame number as Wireshark counts, from 1")
    time: I64 = column("i8", "capture time", unit="ns since 1970 UTC")
    at: I64 = column("i8", "offset of the frame's first byte in the trace's buffer", unit="bytes")
    captured: U32 = column("u4", "bytes captured", unit="bytes")
    length: U32 = column("u4", "bytes on the wire", unit="bytes")
    interface: U16 = column("u2", "index into the capture's interfaces")
    status: U16 = column("u2", "Status bits")

    version: U8 = column("u1", "IP version, 0 when there is no IP packet")
    protocol: U8 = column("u1", "transport protocol number (6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6)")
    ip_at: U16 = column("u2", "offset of the innermost IP header in the frame", unit="bytes")
    transport_at: U16 = column("u2", "offset of the transport header in the frame", unit="bytes")
    payload_at: U16 = column("u2", "offset of the transport payload in the frame", unit="bytes")
    payload_length: U32 = column("u4", "transport payload by the IP length (padding excluded)", unit="bytes")
    ttl: U8 = column("u1", "IPv4 TTL or IPv6 hop limit")
    tos: U8 = column("u1", "IPv4 type of service or IPv6 traffic class")
    ip_id: U16 = column("u2", "IPv4 identification (0 for IPv6 without a fragment header)")
    ip_flags: U8 = column("u1", "IpFlag bits")
    fragment_offset: U16 = column("u2", "fragment offset", unit="8 bytes")

    tcp_flags: U16 = column("u2", "TcpFlag bits, 12 of them")
    seq: U32 = column("u4", "TCP sequence number")
    ack: U32 = column("u4", "TCP acknowledgement number, as on the wire even without the ACK flag")
    window: U16 = column("u2", "TCP window field, unscaled")
    tcp_options: U8 = column("u1", "TcpOption bits")
    mss: U16 = column("u2", "MSS option, 0 without", unit="bytes")
    window_shift: U8 = column("u1", "window scale option, 255 without")
    tsval: U32 = column("u4", "timestamp value, 0 without the option")
    tsecr: U32 = column("u4", "timestamp echo reply, 0 without the option")
    icmp: U16 = column("u2", "ICMP or ICMPv6 type << 8 | code")

    flow: I32 = column("i4", "row in Flows, -1 for none", fill=-1, refers="Flows")
    outbound: Mask = column("?", "sent by the flow's client", fill=0)
    relative_seq: I64 = column("i8", "sequence number counted from the sender's ISN and unwrapped (SYN is 0)", fill=0)
    relative_ack: I64 = column("i8", "ack number counted from the receiver's ISN and unwrapped, -1 without", fill=-1)
    marks: U16 = column("u2", "Mark bits", fill=0)

    @cached_property
    def payload_captured(self) -> U32:
        """Payload bytes that the capture really holds, per packet."""
        end = np.minimum(self.payload_at + self.payload_length, self.captured)
        captured: U32 = end - np.minimum(self.payload_at, end)
        captured.flags.writeable = False  # most analyzers ask for it
        return captured

    @property
    def payload_start(self) -> I64:
        """Offset of the transport payload in the trace's buffer, per packet."""
        return self.at + self.payload_at


@frozen(eq=False, kw_only=True)
class Endpoints(Table):
    """Who sent each packet to whom, aligned with `Packets` until flows are assigned.

    An IPv4 address is held as its IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2): ``low = 0xffff << 32 | address``.
    """

    source_high: U64 = column("u8", "upper half of the source address")
    source_low: U64 = column("u8", "lower half of the source address")
    target_high: U64 = column("u8", "upper half of the destination address")
    target_low: U64 = column("u8", "lower half of the destination address")
    source_port: U16 = column("u2", "source port; the identifier for ICMP echo; 0 without ports")
    target_port: U16 = column("u2", "destination port; the identifier for ICMP echo; 0 without ports")


@frozen(eq=False, kw_only=True)
class IcmpQuotes(Table):
    """One row per ICMP or ICMPv6 error: the packet that it quotes."""

    packet: I32 = column("i4", "row in Packets of the ICMP error", refers="Packets")
    version: U8 = column("u1", "IP version of the quoted packet")
    protocol: U8 = column("u1", "transport protocol of the quoted packet")
    ttl: U8 = column("u1", "TTL or hop limit in the quote")
    tos: U8 = column("u1", "type of service or traffic class in the quote")
    ip_id: U16 = column("u2", "IPv4 identification in the quote")
    source_high: U64 = column("u8", "upper half of the quoted source address")
    source_low: U64 = column("u8", "lower half of the quoted source address")
    target_high: U64 = column("u8", "upper half of the quoted destination address")
    target_low: U64 = column("u8", "lower half of the quoted destination address")
    source_port: U16 = column("u2", "quoted source port")
    target_port: U16 = column("u2", "quoted destination port")
    seq: U32 = column("u4", "quoted TCP sequence number, 0 when not quoted")
    flow: I32 = column("i4", "row in Flows that the quoted packet belongs to, -1 for none", fill=-1, refers="Flows")
    outbound: Mask = column("?", "the quoted packet was sent by that flow's client", fill=0)


# --- flows -----------------------------------------------------------------------------------------------------------


@frozen(eq=False, kw_only=True)
class Hosts(Table):
    """One row per address."""

    high: U64 = column("u8", "upper half of the address (IPv4 mapped into IPv6)")
    low: U64 = column("u8", "lower half of the address")
    special: U16 = column("u2", "Special bits: private, loopback, multicast, …", fill=0)


@frozen(eq=False, kw_only=True)
class Flows(Table):
    """One row per conversation, oriented from the side that opened it."""

    client: I32 = column("i4", "row in Hosts that opened the conversation", refers="Hosts")
    server: I32 = column("i4", "row in Hosts that was contacted", refers="Hosts")
    client_port: U16 = column("u2", "port of the client")
    server_port: U16 = column("u2", "port of the server")
    protocol: U8 = column("u1", "transport protocol number")
    oriented_by: U8 = column("u1", "OrientedBy code")
    first: I64 = column("i8", "time of the first packet", unit="ns since 1970 UTC")
    last: I64 = column("i8", "time of the last packet", unit="ns since 1970 UTC")
    first_packet: I32 = column("i4", "row in Packets of the first packet", refers="Packets")
    path: I32 = column("i4", "the end that met more others here: twice its row in Hosts, plus 1 for a server", fill=0)
    icmp: U16 = column("u2", "ICMP or ICMPv6 type << 8 | code of the first packet", fill=0)


@frozen(eq=False, kw_only=True)
class Recording(Table):
    """One row per flow: where it was recorded, and which signals its recording carries.

    What is told of a flow is found from the flows of its path (``Flows.path``) alone, so that other traffic in the same
    file changes nothing.
    """

    tap: U8 = column("u1", "Vantage: its place in the enumeration", fill=3)
    ttl_informative: Mask = column("?", "hop limits are the senders' own, less the routers between", fill=1)
    ip_id_informative: Mask = column("?", "IP identifications are the senders' own", fill=1)
    hops_apart: Mask = column("?", "copies were captured on both sides of a router: one hop tells nobody apart", fill=0)
    timing_informative: Mask = column("?", "times are the path's: nobody near the tap answers for others", fill=1)
    offloaded: Mask = column("?", "segments larger than the wire allows were captured", fill=0)
    one_way: Mask = column("?", "three conversations or more, and of none both directions", fill=0)
    filtered: Mask = column("?", "packets were left out on purpose: what is missing was not lost", fill=0)
    made: Mask = column("?", "packets that no host sends: written, replayed or rewritten by a program", fill=0)
    skewed: Mask = column("?", "the two directions were recorded by clocks that disagree", fill=0)
    duplicate_share: F64 = column("f8", "share of the path's packets that were captured twice", fill=0)
    loss_share: F64 = column("f8", "share of the path's packets that acknowledge what was never captured", fill=0)

    @property
    def at_client(self) -> Mask:
        """Recorded next to the client."""
        return self._is(Vantage.CLIENT)

    @property
    def at_server(self) -> Mask:
        """Recorded next to the server."""
        return self._is(Vantage.SERVER)

    @property
    def in_middle(self) -> Mask:
        """Recorded on the way, with routers on both sides."""
        return self._is(Vantage.MIDDLE)

    def _is(self, place: Vantage) -> Mask:
        at_place: Mask = self.tap == tuple(Vantage).index(place)
        return at_place


@frozen(eq=False, kw_only=True)
class Sides(Table):
    """Two rows per flow: row ``2 f`` is what the client of flow *f* sent, row ``2 f + 1`` what its server sent."""

    packets: U32 = column("u4", "packets sent")
    payload_packets: U32 = column("u4", "packets with payload sent")
    payload_bytes: I64 = column("i8", "payload bytes sent, repeats included", unit="bytes")
    first: I32 = column("i4", "row in Packets of the first packet, -1 for none", refers="Packets")
    last: I32 = column("i4", "row in Packets of the last packet, -1 for none", refers="Packets")
    syn: I32 = column("i4", "row of the first SYN or SYN/ACK, -1 for none", refers="Packets")
    fin: I32 = column("i4", "row of the first FIN, -1 for none", refers="Packets")
    rst: I32 = column("i4", "row of the first RST, -1 for none", refers="Packets")
    first_payload: I32 = column("i4", "row of the first packet with payload, -1 for none", refers="Packets")
    isn: U32 = column("u4", "initial sequence number; without a SYN the lowest plausible one")
    mss: U16 = column("u2", "MSS option of the SYN, 0 without", unit="bytes")
    window_shift: U8 = column("u1", "window scale of the SYN, 255 without")
    syn_options: U8 = column("u1", "TcpOption bits of the SYN")
    sent: I64 = column("i8", "highest relative sequence number sent (SYN counts 1), -1 when unknown", missing=True)
    acked: I64 = column("i8", "highest relative sequence number of this side that the other acknowledged, -1: none")
    repeats: U32 = column("u4", "packets marked REPEAT")
    fills: U32 = column("u4", "packets marked FILL")
    rtt: I64 = column("i8", "least time from the tap to this side and back, -1 when unknown", unit="ns", missing=True)
    rtt_samples: U32 = column("u4", "number of samples behind rtt")


@frozen(eq=False, kw_only=True)
class RttSamples(Table):
    """One row per round trip from the tap to one side and back."""

    packet: I32 = column("i4", "row in Packets of the answer", refers="Packets")
    asked: I32 = column("i4", "row in Packets that was answered", refers="Packets")
    side: I32 = column("i4", "row in Sides that answered", refers="Sides")
    value: I64 = column("i8", "time between the two", unit="ns")
    kind: U8 = column("u1", "RttKind code")


@frozen(eq=False, kw_only=True)
class HeadSegments(Table):
    """The first payload bytes of every TCP side, as pieces of captured packets; sorted by side, then offset."""

    side: I32 = column("i4", "row in Sides", refers="Sides")
    packet: I32 = column("i4", "row in Packets that holds the bytes", refers="Packets")
    offset: I32 = column("i4", "position of the piece in the side's byte stream, from 0", unit="bytes")
    length: U32 = column("u4", "captured bytes of the piece", unit="bytes")
    skip: U32 = column("u4", "payload bytes of the packet before the piece", unit="bytes")
    kind: U8 = column("u1", "SegmentKind code")


# --- messages --------------------------------------------------------------------------------------------------------


@frozen(eq=False, kw_only=True)
class Dns(Table):
    """One row per DNS message (RFC 1035 §4), over UDP or TCP."""

    packet: I32 = column("i4", "row in Packets that holds (the end of) the message", refers="Packets")
    flow: I32 = column("i4", "row in Flows", refers="Flows")
    outbound: Mask = column("?", "sent by the flow's client")
    exchange: I32 = column("i4", "row in Exchanges, -1 for none", fill=-1, refers="Exchanges")
    at: I64 = column("i8", "offset of the message in the trace's buffer, -1 when it spans packets", missing=True)
    length: U16 = column("u2", "length of the message", unit="bytes")
    id: U16 = column("u2", "message identifier")
    flags: U16 = column("u2", "the second header word: QR, opcode, AA, TC, RD, RA, Z, AD, CD, RCODE")
    questions: U16 = column("u2", "QDCOUNT")
    answers: U16 = column("u2", "ANCOUNT")
    authorities: U16 = column("u2", "NSCOUNT")
    additionals: U16 = column("u2", "ARCOUNT")
    name: Text = text("question name, lower case, without the final dot")
    raw_name: Text = text("question name as sent (letter case kept)")
    kind: U16 = column("u2", "QTYPE of the question, 0 without one")
    qclass: U16 = column("u2", "QCLASS of the question, 0 without one")
    opt: Mask = column("?", "an OPT record is present (RFC 6891)")
    dnssec_ok: Mask = column("?", "DO bit of the OPT record")
    extended_error: I32 = column("i4", "extended DNS error code (RFC 8914), -1 without", missing=True)
    trailing: I32 = column("i4", "bytes behind the last record", unit="bytes")
    error: U8 = column("u1", "ParseError code")
    error_at: I32 = column("i4", "offset in the message where reading stopped, -1 for none", unit="bytes", missing=True)


@frozen(eq=False, kw_only=True)
class Answers(Table):
    """One row per resource record in any section of a DNS message; sorted by message, then place."""

    message: I32 = column("i4", "row in Dns", refers="Dns")
    section: U8 = column("u1", "1 answer, 2 authority, 3 additional")
    kind: U16 = column("u2", "RR type")
    rclass: U16 = column("u2", "RR class")
    ttl: U32 = column("u4", "RR time to live", unit="s")
    high: U64 = column("u8", "upper half of an A or AAAA address, else 0")
    low: U64 = column("u8", "lower half of an A or AAAA address, else 0")
    length: U16 = column("u2", "RDLENGTH", unit="bytes")
    pointer: Mask = column("?", "the owner name is a compression pointer")
    http3: Mask = column("?", "an HTTPS or SVCB record that offers HTTP/3 (RFC 9460)")
    owner: Text = text("owner name, lower case")
    target: Text = text("name in CNAME, NS, PTR, MX, SOA (primary) and SRV data, lower case")


@frozen(eq=False, kw_only=True)
class Exchanges(Table):
    """One row per DNS question: all its queries and all replies to it."""

    flow: I32 = column("i4", "row in Flows", refers="Flows")
    id: U16 = column("u2", "message identifier")
    kind: U16 = column("u2", "QTYPE")
    qclass: U16 = column("u2", "QCLASS")
    name: Text = text("question name, lower case")
    queries: Ragged = ragged("i4", "rows in Dns of the queries, in time order", refers="Dns")
    replies: Ragged = ragged("i4", "rows in Dns of the replies, in time order", refers="Dns")


@frozen(eq=False, kw_only=True)
class Tls(Table):
    """One row per TLS handshake message or alert that could be read in the clear."""

    packet: I32 = column("i4", "row in Packets where the message begins", refers="Packets")
    last_packet: I32 = column(
        "i4", "row in Packets where the message ends (or where reading stopped)", refers="Packets"
    )
    flow: I32 = column("i4", "row in Flows", refers="Flows")
    outbound: Mask = column("?", "sent by the flow's client")
    kind: U8 = column("u1", "TlsKind code")
    record_version: U16 = column("u2", "version of the record header")
    version: U16 = column("u2", "legacy version of the hello; negotiated version of a ServerHello")
    length: U32 = column("u4", "length of the message", unit="bytes")
    name: Text = text("server name indication, lower case")
    alpn: Text = text("ALPN protocols, comma separated")
    ech: Mask = column("?", "an encrypted_client_hello extension is present (it may be GREASE)")
    versions: Ragged = ragged("u2", "supported_versions offered (hello) or selected")
    cipher: U16 = column("u2", "cipher suite that a ServerHello selected, 0 where none is known", fill=0)
    extensions: Ragged = ragged("u2", "extension types in order")
    ja4: Text = text("JA4 of a ClientHello, empty where it is not whole or its lengths contradict each other")
    alert: U16 = column("u2", "alert level << 8 | description")
    certificates: Text = text("leaf certificate, DER bytes (read it with .bytes(row))")
    chain: Text = text("what a Certificate holds behind the leaf: each DER behind its length in 3 bytes")
    stapled: Text = text("OCSP response of a CertificateStatus, DER bytes")
    followed: Mask = column("?", "a handshake message: another one of its side was seen behind it")
    error: U8 = column("u1", "ParseError code")
    error_at: I32 = column("i4", "offset in the message where reading stopped, -1 for none", unit="bytes", missing=True)


@frozen(eq=False, kw_only=True)
class Quic(Table):
    """One row per flow whose client sent a QUIC Initial of version 1 or 2 (RFC 9000, RFC 9369); sorted by flow."""

    packet: I32 = column("i4", "row in Packets of the first Initial", refers="Packets")
    flow: I32 = column("i4", "row in Flows", refers="Flows")
    version: U32 = column("u4", "version that the client asked for")
    initials: U32 = column("u4", "Initials of the client")
    name: Text = text("server name indication, lower case")
    alpn: Text = text("ALPN protocols, comma separated")
    ech: Mask = column("?", "an encrypted_client_hello extension is present (it may be GREASE)")
    ja4: Text = text("JA4 of the hello, empty where it is not whole or its lengths contradict each other")
    error: U8 = column("u1", "ParseError code; CUT where no hello could be put together")


@frozen(eq=False, kw_only=True)
class Http(Table):
    """One row per HTTP/1 head at the start of a side's stream, and per later head that begins a packet."""

    packet: I32 = column("i4", "row in Packets where the head begins", refers="Packets")
    flow: I32 = column("i4", "row in Flows", refers="Flows")
    outbound: Mask = column("?", "sent by the flow's client")
    status: U16 = column("u2", "status code, 0 for a request")
    method: Text = text("request method, empty for a response")
    target: Text = text("request target as sent")
    host: Text = text("Host header, lower case")
    location: Text = text("Location header")
    server: Text = text("Server header")
    content_length: I64 = column("i8", "Content-Length header, -1 without", missing=True)
    head_length: I32 = column(
        "i4", "bytes up to and including the empty line, -1 when it was not seen", unit="bytes", missing=True
    )
    error: U8 = column("u1", "ParseError code")
    error_at: I32 = column("i4", "offset in the head where reading stopped, -1 for none", unit="bytes", missing=True)
