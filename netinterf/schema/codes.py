"""What small numbers and words in columns stand for, and the types of columns."""

from enum import IntEnum, IntFlag, StrEnum

from netinterf.values import frozen

__all__ = [
    "Diagnostic",
    "Grade",
    "GroupBy",
    "IpFlag",
    "Mark",
    "OrientedBy",
    "Outcome",
    "ParseError",
    "RttKind",
    "SegmentKind",
    "Status",
    "SubjectKind",
    "TcpFlag",
    "TcpOption",
    "TlsKind",
    "TriggerKind",
    "Vantage",
]


class Status(IntFlag):
    """What the decoder noticed about a packet (``Packets.status``)."""

    NOT_IP = 1 << 0  # no IP packet inside: nothing below the link layer was decoded
    HEADER_CUT = 1 << 1  # the capture ends inside a header: fields behind the cut are zero
    PAYLOAD_CUT = 1 << 2  # the snapshot length removed payload bytes
    PADDED = 1 << 3  # the frame is longer than its IP packet (Ethernet padding, trailers)
    OFFLOADED = 1 << 4  # IP length 0, or larger than the wire allows: segmentation or receive offload
    FRAGMENT_FIRST = 1 << 5  # first of several IP fragments: transport decoded, payload incomplete
    FRAGMENT_LATER = 1 << 6  # later fragment: tied to the first one's flow, no transport header
    TUNNELLED = 1 << 7  # innermost packet of IP-in-IP, 6in4, GRE, VXLAN, …
    TAGGED = 1 << 8  # VLAN, MPLS or PPPoE below the IP packet
    IP_OPTIONS = 1 << 9  # IPv4 options or IPv6 extension headers present
    BAD_IP_HEADER = 1 << 10  # IP header contradicts itself (header length, total length)
    BAD_TRANSPORT = 1 << 11  # transport header contradicts itself (data offset, UDP length)
    BAD_TCP_OPTIONS = 1 << 12  # option lengths run past the TCP header
    MORE_OPTIONS = 1 << 13  # a TCP option beyond those that have columns
    OVERSTATED = 1 << 14  # the IP length reaches past the frame on the wire: the packet ends with its frame here


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
    """Place of a TCP segment in its stream (``Packets.marks``), seen from the tap."""

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
    CERTIFICATE_STATUS = 5


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
    """What set the interference off; the words of the verdict format have a dot for the first underscore."""

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
        """The verdict format's word for this kind."""
        return self.name.lower().replace("_", ".", 1)


class Outcome(StrEnum):
    """The four outcomes of the verdict format."""

    OK = "ok"
    DOWN = "down"
    INTERFERED = "interfered"
    INSUFFICIENT = "insufficient"


class Grade(StrEnum):
    """The grades of the verdict format."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"
    NONE = "none"
    INSUFFICIENT = "insufficient"


class GroupBy(StrEnum):
    """What the members of a group have in common, the most special first, in the words of the verdict format."""

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


class Vantage(StrEnum):
    """Where packets were captured, in the words of the verdict format."""

    CLIENT = "client"
    SERVER = "server"
    MIDDLE = "middle"
    UNKNOWN = "unknown"


@frozen
class Diagnostic:
    """Something about the input that a reader of the results must know: what was damaged, skipped or left out."""

    code: str  # stable, e.g. "capture.cut"
    message: str  # one sentence
    offset: int | None = None  # byte offset in the (decompressed) input, where there is one
    count: int = 1  # how often it happened; offset is then the first one
