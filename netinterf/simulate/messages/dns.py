"""DNS messages (RFC 1035), written as stubs, resolvers and forgers write them."""

from collections.abc import Sequence
from struct import pack, unpack

import attrs

from netinterf.values import define, frozen

__all__ = [
    "AAAA",
    "ANY",
    "CNAME",
    "HINFO",
    "HTTPS",
    "MX",
    "NS",
    "NXDOMAIN",
    "REFUSED",
    "RRSIG",
    "SERVFAIL",
    "SOA",
    "TXT",
    "TYPES",
    "A",
    "Opt",
    "Query",
    "Record",
    "address_bytes",
    "answered",
    "dns_message",
    "dns_name",
    "extended_error",
    "framed",
    "mixed_case",
    "option",
    "read_query", "restated",
    "type_name",
]  # fmt: skip

A, NS, CNAME, SOA, HINFO, MX, TXT, AAAA, RRSIG, HTTPS, ANY = 1, 2, 5, 6, 13, 15, 16, 28, 46, 65, 255
"""Types of records and questions (RFC 1035 §3.2, RFC 3596, RFC 4034, RFC 9460)."""

TYPES = {
    A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", HINFO: "HINFO", MX: "MX", TXT: "TXT", AAAA: "AAAA", RRSIG: "RRSIG",
    HTTPS: "HTTPS", ANY: "ANY",
}  # fmt: skip
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
COMPRESSED = frozenset({NS, CNAME, SOA, MX})
"""Types whose data may hold pointers: those of RFC 1035 itself (RFC 3597 §4)."""


@frozen
class Record:
    """A resource record; names within its data are kept apart so that the writer can compress them."""

    owner: str
    kind: int
    lifetime: int  # TTL in seconds
    data: tuple[bytes | str, ...]  # raw bytes, and domain names as text


@frozen
class Opt:
    """The OPT pseudo-record of EDNS (RFC 6891 §6.1)."""

    size: int = 1232  # bytes of UDP payload the sender takes
    do: bool = False  # DNSSEC records wanted (RFC 3225)
    options: bytes = b""


@frozen
class Query:
    """What a server reads in a query."""

    identifier: int
    flags: int
    name: str  # letter case kept
    kind: int
    end: int  # offset behind the question
    opt: Opt | None


def dns_name(name: str) -> bytes:
    """Encode a domain name without compression (RFC 1035 §3.1)."""
    labels = [label.encode("ascii") for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\x00"


@define
class Writer:
    """Writes names and remembers where they are."""

    style: str  # all, owners or none: what is compressed
    out: bytearray = attrs.field(factory=bytearray)
    places: dict[str, int] = attrs.field(factory=dict)

    def name(self, name: str, compress: bool) -> None:
        """Write a domain name, as a pointer from the first label on that was written before (RFC 1035 §4.1.4)."""
        labels = [label for label in name.split(".") if label]
        for place in range(len(labels)):
            rest = ".".join(labels[place:]).lower()
            if compress and rest in self.places:
                self.out += pack("!H", 0xC000 | self.places[rest])
                return
            if len(self.out) < 0x4000:
                self.places.setdefault(rest, len(self.out))
            self.out += bytes([len(labels[place])]) + labels[place].encode("ascii")
        self.out += b"\x00"

    def record(self, record: Record) -> None:
        """Write a resource record of class IN."""
        self.name(record.owner, self.style != "none")
        self.out += pack("!HHIH", record.kind, 1, record.lifetime, 0)
        begin = len(self.out)
        for part in record.data:
            if isinstance(part, str):
                self.name(part, self.style == "all" and record.kind in COMPRESSED)
            else:
                self.out += part
        self.out[begin - 2 : begin] = pack("!H", len(self.out) - begin)


def dns_message(
    identifier: int,
    flags: int,
    name: str,
    kind: int,
    answers: Sequence[Record] = (),
    authority: Sequence[Record] = (),
    additional: Sequence[Record] = (),
    *,
    opt: Opt | None = None,
    style: str = "all",
    tail: bytes = b"",
    uncounted: int = 0,
) -> bytes:
    """Build a DNS message with one question (RFC 1035 §4.1).

    Args:
        identifier: Message identifier.
        flags: Second header word: QR, opcode, AA, TC, RD, RA, RCODE.
        name: Question name.
        kind: QTYPE.
        answers: Records of the answer section.
        authority: Records of the authority section.
        additional: Records of the additional section.
        opt: OPT record to add (RFC 6891 §6.1.2).
        style: What is compressed: ``all`` names that may be, ``owners`` only, or ``none``.
        tail: Bytes behind the last record.
        uncounted: Added to the count of additional records, though none follow.
    """
    counts = (len(answers), len(authority), len(additional) + (opt is not None) + uncounted)
    writer = Writer(style, bytearray(pack("!6H", identifier, flags, 1, *counts)))
    writer.name(name, False)
    writer.out += pack("!HH", kind, 1)
    for record in (*answers, *authority, *additional):
        writer.record(record)
    if opt is not None:
        writer.out += pack("!BHHIH", 0, 41, opt.size, opt.do << 15, len(opt.options)) + opt.options
    return bytes(writer.out) + tail


def option(code: int, data: bytes) -> bytes:
    """Wrap *data* into one EDNS option (RFC 6891 §6.1.2)."""
    return pack("!HH", code, len(data)) + data


def extended_error(code: int, text: str = "") -> bytes:
    """Build an Extended DNS Error option (RFC 8914 §2)."""
    return option(15, pack("!H", code) + text.encode("utf-8"))


def address_bytes(high: int, low: int) -> bytes:
    """Give the 4 or 16 bytes of an address held as two halves (IPv4-mapped for IPv4)."""
    if high == 0 and low >> 32 == 0xFFFF:
        return (low & 0xFFFFFFFF).to_bytes(4, "big")
    return (high << 64 | low).to_bytes(16, "big")


def answered(owner: str, lifetime: int, place: tuple[int, int]) -> Record:
    """Build the A or AAAA record of an address held as two halves."""
    data = address_bytes(*place)
    return Record(owner, A if len(data) == 4 else AAAA, lifetime, (data,))


def framed(message: bytes) -> bytes:
    """Put the length before a message, as over TCP (RFC 1035 §4.2.2)."""
    return pack("!H", len(message)) + message


def mixed_case(name: str, bits: int) -> str:
    """Give letters of *name* the case that *bits* say (draft-vixie-dnsext-dns0x20)."""
    return "".join(letter.upper() if bits >> place & 1 else letter for place, letter in enumerate(name))


def read_query(message: bytes) -> Query | None:
    """Read a query with one question; None when it is none."""
    if len(message) < 17 or message[2] & 0x80:
        return None
    labels, at = list[str](), 12
    while at < len(message) and message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    end = at + 5
    opt, tail = None, message[end:]
    if tail[:3] == b"\x00\x00\x29" and len(tail) >= 11:
        opt = Opt(int.from_bytes(tail[3:5], "big"), bool(tail[7] & 0x80), tail[11:])
    return Query(
        identifier=int.from_bytes(message[:2], "big"),
        flags=int.from_bytes(message[2:4], "big"),
        name=".".join(labels),
        kind=int.from_bytes(message[at + 1 : at + 3], "big"),
        end=end,
        opt=opt,
    )


def restated(reply: bytes, query: Query, message: bytes, places: Sequence[tuple[int, int]], lifetime: int) -> bytes:
    """Turn a reply into one to a later query for the same name and type, with other addresses.

    Args:
        reply: The earlier reply.
        query: The later question.
        message: Its bytes.
        places: Addresses to put in, in turn, where they are of the same length.
        lifetime: TTL of the answers in seconds.
    """
    out = bytearray(message[:2] + reply[2:12] + message[12 : query.end] + reply[query.end :])
    at, turn = query.end, 0
    for _ in range(sum(unpack("!3H", reply[6:12]))):
        while 0 < out[at] < 0xC0:
            at += 1 + out[at]
        at += 2 if out[at] else 1
        kind, size = unpack("!H6xH", out[at : at + 10])
        fitting = [raw for place in places if len(raw := address_bytes(*place)) == size]
        if kind in (A, AAAA, CNAME):
            out[at + 4 : at + 8] = pack("!I", lifetime)
        if kind in (A, AAAA) and fitting:
            out[at + 10 : at + 10 + size] = fitting[turn % len(fitting)]
            turn += 1
        at += 10 + size
    return bytes(out)


def type_name(kind: int) -> str:
    """Name a QTYPE as the labels do; unknown ones as in RFC 3597 §5."""
    return TYPES.get(kind, f"TYPE{kind}")
