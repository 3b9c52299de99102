"""The data dictionary: every table, every column, every code.

A star schema. Packets, messages, evidence and verdicts point at dimensions (hosts, flows) by row number; nothing is
stored twice. A reference of -1 means "none". Times are signed 64-bit nanoseconds since 1970 UTC; sequence numbers are
as on the wire (32 bits, use serial arithmetic).
"""

from enum import IntEnum, IntFlag, StrEnum

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.table import Ragged, Table, Text, column, ragged, text

__all__ = [
    "Answers",
    "Diagnostic",
    "Dns",
    "Endpoints",
    "Evidence",
    "Exchanges",
    "Flows",
    "Grade",
    "GroupBy",
    "Groups",
    "HeadSegments",
    "Hosts",
    "Http",
    "IcmpQuotes",
    "IpFlag",
    "Mark",
    "OrientedBy",
    "Outcome",
    "Packets",
    "ParseError",
    "Records",
    "RttKind",
    "RttSamples",
    "Rule",
    "SegmentKind",
    "Sides",
    "Status",
    "SubjectKind",
    "TcpFlag",
    "TcpOption",
    "Tls",
    "TlsKind",
    "TriggerKind",
    "Verdicts",
]

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


# --- codes -----------------------------------------------------------------------------------------------------------


class Status(IntFlag):
    """What the decoder noticed about a packet (``Packets.status``)."""

    NOT_IP = 1 << 0  # no IP packet inside: nothing below the link layer was decoded
    HEADER_CUT = 1 << 1  # the capture ends inside a header: fields behind the cut are zero
    PAYLOAD_CUT = 1 << 2  # the snapshot length removed payload bytes
    PADDED = 1 << 3  # the frame is longer than its IP packet (Ethernet padding, trailers)
    OFFLOADED = 1 << 4  # IP length 0, or larger than the wire allows: segmentation or receive offload
    FRAGMENT_FIRST = 1 << 5  # first of several IP fragments: transport decoded, payload incomplete
    FRAGMENT_LATER = 1 << 6  # later fragment: tied to the first one's flow, no transport header
    TUNNELLED = 1 << 7  # innermost packet of IP-in-IP, 6in4, GRE, …
    TAGGED = 1 << 8  # VLAN, MPLS or PPPoE below the IP packet
    IP_OPTIONS = 1 << 9  # IPv4 options or IPv6 extension headers present
    BAD_IP_HEADER = 1 << 10  # IP header contradicts itself (header length, total length)
    BAD_TRANSPORT = 1 << 11  # transport header contradicts itself (data offset, UDP length)
    BAD_TCP_OPTIONS = 1 << 12  # option lengths run past the TCP header
    MORE_OPTIONS = 1 << 13  # a TCP option beyond those that have columns


class IpFlag(IntFlag):
    """IPv4 fragmentation flags (RFC 791 §3.1), as they stand in the top bits of the fragment word."""

    MORE_FRAGMENTS = 1
    DONT_FRAGMENT = 2
    RESERVED = 4


class TcpFlag(IntFlag):
    """TCP flags (RFC 9293 §3.1); the NS bit and the reserved bits follow above."""

    FIN = 0x001
    SYN = 0x002
    RST = 0x004
    PSH = 0x008
    ACK = 0x010
    URG = 0x020
    ECE = 0x040
    CWR = 0x080
    NS = 0x100
    RESERVED = 0xE00


class TcpOption(IntFlag):
    """TCP options seen in a segment (``Packets.tcp_options``)."""

    MSS = 1  # RFC 9293 §3.7.1
    WINDOW_SCALE = 2  # RFC 7323 §2
    SACK_PERMITTED = 4  # RFC 2018 §2
    SACK = 8  # RFC 2018 §3
    TIMESTAMPS = 16  # RFC 7323 §3
    MD5 = 32  # RFC 2385
    FAST_OPEN = 64  # RFC 7413
    OTHER = 128


class Mark(IntFlag):
    """Place of a TCP segment in its stream (``Packets.marks``), seen from the capture point."""

    REPEAT = 1 << 0  # carries bytes (or SYN, FIN) of which all were captured before: lost after this point, or needless
    PARTIAL_REPEAT = 1 << 1  # some of its bytes were captured before
    FILL = 1 << 2  # below the highest byte seen, yet not captured before: lost or reordered before this point
    REORDERED = 1 << 3  # a FILL that was overtaken rather than sent again
    GAP_BEFORE = 1 << 4  # starts above the highest byte seen: bytes are missing here
    KEEP_ALIVE = 1 << 5  # 0 or 1 byte just below the next expected one (RFC 9293 §3.8.4)
    SPURIOUS = 1 << 6  # a REPEAT of bytes whose acknowledgement had been captured already
    DUPLICATE_FRAME = 1 << 7  # the same packet captured twice (mirror port, "any" device)
    DUP_ACK = 1 << 8  # pure ACK that repeats the last ack and window while data is outstanding
    ACKED_UNSEEN = 1 << 9  # acknowledges bytes that were never captured: the capture lost packets
    ZERO_WINDOW = 1 << 10  # advertises a receive window of 0


class OrientedBy(IntEnum):
    """How client and server of a flow were told apart."""

    SYN = 1  # the client sent a SYN
    SYN_ACK = 2  # the server sent a SYN/ACK
    PORTS = 3  # only one port is a service port
    FIRST_TALKER = 4  # whoever was captured first


class RttKind(IntEnum):
    """What a round-trip sample was taken from."""

    HANDSHAKE = 1
    DATA = 2
    TIMESTAMP = 3


class SegmentKind(IntEnum):
    """Relation of a piece of payload to the bytes already known at its place."""

    FRESH = 1
    REPEAT = 2  # the same bytes again
    CONFLICT = 3  # other bytes at the same place


class TlsKind(IntEnum):
    """Which TLS message a row of `Tls` describes."""

    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    CERTIFICATE = 3
    ALERT = 4


class ParseError(IntEnum):
    """Why a message could not be read to its end (``error`` columns); 0 means it could."""

    NONE = 0
    CUT = 1  # the captured bytes end before the message does
    BAD_LENGTH = 2  # a length field runs past its container
    BAD_VALUE = 3  # a field holds a value the format forbids
    BAD_POINTER = 4  # a DNS compression pointer leads forward, nowhere or in circles
    TOO_LONG = 5  # longer than the parser's bound
    TRAILING = 6  # bytes are left over behind the message
    MISSING = 7  # the counts promise more records than there are bytes


class SubjectKind(IntEnum):
    """What a piece of evidence or a verdict is about."""

    FLOW = 0
    EXCHANGE = 1
    GROUP = 2


class TriggerKind(IntEnum):
    """What set the interference off; the words of the verdict contract have a dot for the first underscore."""

    NONE = 0
    TLS_SNI = 1
    TLS_ECH = 2
    HTTP_HOST = 3
    HTTP_URL = 4
    DNS_QNAME = 5
    QUIC_SNI = 6
    BYTES_CLASS = 7
    ADDRESS = 8
    PORT = 9

    @property
    def word(self) -> str:
        """The contract's word for this kind."""
        return self.name.lower().replace("_", ".", 1)


class Outcome(StrEnum):
    """The four outcomes of the verdict contract."""

    OK = "ok"
    DOWN = "down"
    INTERFERED = "interfered"
    INSUFFICIENT = "insufficient"


class Grade(StrEnum):
    """The grades of the verdict contract."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"
    NONE = "none"
    INSUFFICIENT = "insufficient"


class GroupBy(StrEnum):
    """What the members of a group have in common, the most special first, in the words of the verdict contract."""

    NAME = "name"
    DOMAIN = "domain"  # registrable domain of the name
    SERVER = "server"
    PREFIX = "prefix"  # of the server: /24 or /48
    ASN = "asn"  # of the server, by the user's table of networks, like country
    COUNTRY = "country"
    CLIENT = "client"
    PROTOCOL = "protocol"  # tcp, udp, or dns for exchanges
    TIME = "time"
    CAPTURE = "capture"


@attrs.frozen
class Diagnostic:
    """Something about the input that a reader of the results must know: what was damaged, skipped or left out."""

    code: str  # stable, e.g. "capture.cut"
    message: str  # one sentence
    offset: int | None = None  # byte offset in the (decompressed) input, where there is one
    count: int = 1  # how often it happened; offset is then the first one


# --- capture ---------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False, kw_only=True)
class Records(Table):
    """One row per captured frame: where its bytes lie."""

    frame: U32 = column("u4", "frame number as Wireshark counts, from 1")
    time: I64 = column("i8", "capture time", unit="ns since 1970 UTC")
    at: I64 = column("i8", "offset of the frame's first byte in the trace's buffer", unit="bytes")
    captured: U32 = column("u4", "bytes captured", unit="bytes")
    length: U32 = column("u4", "bytes on the wire", unit="bytes")
    interface: U16 = column("u2", "index into the capture's interfaces", fill=0)


# --- packets ---------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False, kw_only=True)
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
    outbound: Bool = column("?", "sent by the flow's client", fill=0)
    relative_seq: I64 = column("i8", "sequence number counted from the sender's ISN and unwrapped (SYN is 0)", fill=0)
    relative_ack: I64 = column("i8", "ack number counted from the receiver's ISN and unwrapped, -1 without", fill=-1)
    marks: U16 = column("u2", "Mark bits", fill=0)

    @property
    def payload_captured(self) -> U32:
        """Payload bytes that the capture really holds, per packet."""
        end = np.minimum(self.payload_at + self.payload_length, self.captured)
        captured: U32 = end - np.minimum(self.payload_at, end)
        return captured

    @property
    def payload_start(self) -> I64:
        """Offset of the transport payload in the trace's buffer, per packet."""
        return self.at + self.payload_at


@attrs.frozen(eq=False, kw_only=True)
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


@attrs.frozen(eq=False, kw_only=True)
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
    outbound: Bool = column("?", "the quoted packet was sent by that flow's client", fill=0)


# --- flows -----------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False, kw_only=True)
class Hosts(Table):
    """One row per address."""

    high: U64 = column("u8", "upper half of the address (IPv4 mapped into IPv6)")
    low: U64 = column("u8", "lower half of the address")
    special: U16 = column("u2", "Special bits: private, loopback, multicast, …", fill=0)


@attrs.frozen(eq=False, kw_only=True)
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


@attrs.frozen(eq=False, kw_only=True)
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
    sent: I64 = column("i8", "highest relative sequence number sent (SYN counts 1), -1 when unknown")
    acked: I64 = column("i8", "highest relative sequence number of this side that the other acknowledged, -1: none")
    repeats: U32 = column("u4", "packets marked REPEAT")
    fills: U32 = column("u4", "packets marked FILL")
    rtt: I64 = column("i8", "least time from the tap to this side and back, -1 when unknown", unit="ns")
    rtt_samples: U32 = column("u4", "number of samples behind rtt")


@attrs.frozen(eq=False, kw_only=True)
class RttSamples(Table):
    """One row per round trip from the tap to one side and back."""

    packet: I32 = column("i4", "row in Packets of the answer", refers="Packets")
    asked: I32 = column("i4", "row in Packets that was answered", refers="Packets")
    side: I32 = column("i4", "row in Sides that answered", refers="Sides")
    value: I64 = column("i8", "time between the two", unit="ns")
    kind: U8 = column("u1", "RttKind code")


@attrs.frozen(eq=False, kw_only=True)
class HeadSegments(Table):
    """The first payload bytes of every TCP side, as pieces of captured packets; sorted by side, then offset."""

    side: I32 = column("i4", "row in Sides", refers="Sides")
    packet: I32 = column("i4", "row in Packets that holds the bytes", refers="Packets")
    offset: I32 = column("i4", "position of the piece in the side's byte stream, from 0", unit="bytes")
    length: U32 = column("u4", "captured bytes of the piece", unit="bytes")
    skip: U32 = column("u4", "payload bytes of the packet before the piece", unit="bytes")
    kind: U8 = column("u1", "SegmentKind code")


# --- messages --------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False, kw_only=True)
class Dns(Table):
    """One row per DNS message (RFC 1035 §4), over UDP or TCP."""

    packet: I32 = column("i4", "row in Packets that holds (the end of) the message", refers="Packets")
    flow: I32 = column("i4", "row in Flows", refers="Flows")
    outbound: Bool = column("?", "sent by the flow's client")
    exchange: I32 = column("i4", "row in Exchanges, -1 for none", fill=-1, refers="Exchanges")
    at: I64 = column("i8", "offset of the message in the trace's buffer, -1 when it spans packets")
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
    opt: Bool = column("?", "an OPT record is present (RFC 6891)")
    dnssec_ok: Bool = column("?", "DO bit of the OPT record")
    extended_error: I32 = column("i4", "extended DNS error code (RFC 8914), -1 without")
    trailing: I32 = column("i4", "bytes behind the last record", unit="bytes")
    error: U8 = column("u1", "ParseError code")
    error_at: I32 = column("i4", "offset in the message where reading stopped, -1 for none", unit="bytes")


@attrs.frozen(eq=False, kw_only=True)
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
    pointer: Bool = column("?", "the owner name is a compression pointer")
    owner: Text = text("owner name, lower case")
    target: Text = text("name in CNAME, NS, PTR, MX, SOA (primary) and SRV data, lower case")


@attrs.frozen(eq=False, kw_only=True)
class Exchanges(Table):
    """One row per DNS question: all its queries and all replies to it."""

    flow: I32 = column("i4", "row in Flows", refers="Flows")
    id: U16 = column("u2", "message identifier")
    kind: U16 = column("u2", "QTYPE")
    qclass: U16 = column("u2", "QCLASS")
    name: Text = text("question name, lower case")
    queries: Ragged = ragged("i4", "rows in Dns of the queries, in time order", refers="Dns")
    replies: Ragged = ragged("i4", "rows in Dns of the replies, in time order", refers="Dns")


@attrs.frozen(eq=False, kw_only=True)
class Tls(Table):
    """One row per TLS handshake message or alert that could be read in the clear."""

    packet: I32 = column("i4", "row in Packets where the message begins", refers="Packets")
    last_packet: I32 = column(
        "i4", "row in Packets where the message ends (or where reading stopped)", refers="Packets"
    )
    flow: I32 = column("i4", "row in Flows", refers="Flows")
    outbound: Bool = column("?", "sent by the flow's client")
    kind: U8 = column("u1", "TlsKind code")
    record_version: U16 = column("u2", "version of the record header")
    version: U16 = column("u2", "legacy version of the hello; negotiated version of a ServerHello")
    length: U32 = column("u4", "length of the message", unit="bytes")
    name: Text = text("server name indication, lower case")
    alpn: Text = text("ALPN protocols, comma separated")
    ech: Bool = column("?", "an encrypted_client_hello extension is present (it may be GREASE)")
    versions: Ragged = ragged("u2", "supported_versions offered (hello) or selected")
    extensions: Ragged = ragged("u2", "extension types in order")
    alert: U16 = column("u2", "alert level << 8 | description")
    certificates: Text = text("leaf certificate, DER bytes (read it with .bytes(row))")
    error: U8 = column("u1", "ParseError code")
    error_at: I32 = column("i4", "offset in the message where reading stopped, -1 for none", unit="bytes")


@attrs.frozen(eq=False, kw_only=True)
class Http(Table):
    """One row per HTTP/1 head at the start of a side's stream, and per later head that begins a packet."""

    packet: I32 = column("i4", "row in Packets where the head begins", refers="Packets")
    flow: I32 = column("i4", "row in Flows", refers="Flows")
    outbound: Bool = column("?", "sent by the flow's client")
    status: U16 = column("u2", "status code, 0 for a request")
    method: Text = text("request method, empty for a response")
    target: Text = text("request target as sent")
    host: Text = text("Host header, lower case")
    location: Text = text("Location header")
    server: Text = text("Server header")
    content_length: I64 = column("i8", "Content-Length header, -1 without")
    head_length: I32 = column("i4", "bytes up to and including the empty line, -1 when it was not seen", unit="bytes")
    error: U8 = column("u1", "ParseError code")
    error_at: I32 = column("i4", "offset in the head where reading stopped, -1 for none", unit="bytes")


# --- judgement -------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Rule:
    """One kind of observation: the vocabulary of explanations. Ids are public and never change their meaning."""

    id: str  # "rst.premature": family.observation
    mechanism: str  # what it speaks for or against, in the words of the verdict contract
    group: str  # evidence of one group counts once: its strongest item (by |llr|)
    says: str  # one sentence for people, may use {measure} fields
    measures: tuple[str, ...] = ()  # names of the numbers in Evidence.measured, in order
    decisive: bool = False  # an impossibility that may confirm on its own
    references: tuple[str, ...] = ()  # RFC sections, papers
    # drawn from other subjects of the capture: not counted again where subjects are judged as a group
    shared: bool = False


@attrs.frozen(eq=False, kw_only=True)
class Evidence(Table):
    """One row per observation: what an analyzer saw, how much it weighs, and which packets show it."""

    subject: I32 = column("i4", "row in Flows or Exchanges, by subject_kind")
    subject_kind: U8 = column("u1", "SubjectKind code")
    rule: U16 = column("u2", "index into the table's rules")
    time: I64 = column("i8", "when it was seen", unit="ns since 1970 UTC")
    llr: F64 = column("f8", "natural-log likelihood ratio, positive for interference, 0 when not informative")
    forged: Ragged = ragged("i4", "rows in Packets held to be forged (or the last before silence)")
    witness: Ragged = ragged("i4", "rows in Packets that show it, the forged ones included")
    measured: Ragged = ragged("f8", "numbers named by the rule's measures, NaN when unknown")
    rules: tuple[Rule, ...] = attrs.field(default=())


@attrs.frozen(eq=False, kw_only=True)
class Verdicts(Table):
    """One row per flow and DNS exchange that was judged: what the evidence about it adds up to."""

    subject: I32 = column("i4", "row in Flows or Exchanges, by subject_kind")
    subject_kind: U8 = column("u1", "SubjectKind code")
    flow: I32 = column("i4", "row in Flows: the subject itself, or the flow that carried the exchange")
    first_packet: I32 = column("i4", "row in Packets of the subject's first packet, -1 for none")
    start: I64 = column("i8", "time of the subject's first packet", unit="ns since 1970 UTC")
    end: I64 = column("i8", "time of the subject's last packet", unit="ns since 1970 UTC")
    outcome: U8 = column("u1", "place in the enumeration Outcome")
    grade: U8 = column("u1", "place in the enumeration Grade")
    grade_if_rarer: U8 = column("u1", "the grade if interference were ten times rarer than the prior says")
    mechanism: I32 = column("i4", "index into the table's mechanisms, -1 for none", fill=-1)
    probability: F64 = column("f8", "probability that the subject was interfered with")
    q_value: F64 = column("f8", "expected share of false alarms among all verdicts of the capture at least as probable")
    also: Ragged = ragged("i4", "further mechanisms at work, by index into the table's mechanisms")
    also_probability: Ragged = ragged("f8", "probability of each mechanism in also")
    evidence: Ragged = ragged("i4", "rows in Evidence about the subject, strongest first")
    weight: Ragged = ragged("f8", "what each of these observations weighs under the model", unit="nats")
    forged: Ragged = ragged("i4", "rows in Packets held to be forged by the mechanism (or the last before silence)")
    reasons: U32 = column("u4", "Reason bits: why the subject is down or could not be judged", fill=0)
    selective: NDArray[np.int8] = column("i1", "1 others are spared, 0 all are limited alike, -1 unknown", fill=-1)
    name: Text = text("server name, host or question name of the subject")
    trigger: U8 = column("u1", "TriggerKind code", fill=0)
    trigger_packet: I32 = column("i4", "row in Packets that carries the trigger, -1 for none", fill=-1)
    mechanisms: tuple[str, ...] = attrs.field(default=())
    model: str = attrs.field(default="")


@attrs.frozen(eq=False, kw_only=True)
class Groups(Table):
    """One row per group of subjects that was found to be interfered with, the surest first."""

    by: U8 = column("u1", "place in the enumeration GroupBy")
    value: Text = text("what its members have in common, as people write it; empty for time and capture")
    members: U32 = column("u4", "flows and exchanges in it, those that an earlier group explains left out")
    affected: U32 = column("u4", "how many of them are expected to be affected")
    share: F64 = column("f8", "share of members that is affected, posterior mean")
    share_low: F64 = column("f8", "lower end of the 95 % interval of the share")
    share_high: F64 = column("f8", "upper end")
    llr: F64 = column("f8", "log-likelihood ratio: some share is affected against none is", unit="nats")
    contrast: F64 = column("f8", "log Bayes factor: affected more than its controls; 0 without any", unit="nats")
    clusters: U32 = column("u4", "independent observations that say something")
    controls: U32 = column("u4", "the same among what it was compared with")
    control_share: F64 = column("f8", "share of controls that is affected, posterior mean, NaN without any")
    probability: F64 = column("f8", "probability that the group is interfered with, its search paid for")
    q_value: F64 = column("f8", "expected share of false alarms among the groups of its kind ranked no lower")
    outcome: U8 = column("u1", "place in the enumeration Outcome")
    grade: U8 = column("u1", "place in the enumeration Grade")
    grade_if_rarer: U8 = column("u1", "the grade if interference were ten times rarer than the prior says")
    mechanism: I32 = column("i4", "index into the table's mechanisms")
    selective: NDArray[np.int8] = column("i1", "1 controls are spared, 0 they are hit alike, -1 unknown", fill=-1)
    start: I64 = column("i8", "when the first affected member began", unit="ns since 1970 UTC")
    end: I64 = column("i8", "when the last affected member ended", unit="ns since 1970 UTC")
    subjects: Ragged = ragged("i4", "its members, the surest to be affected first", refers="Verdicts")
    mechanisms: tuple[str, ...] = attrs.field(default=())
    model: str = attrs.field(default="")
