"""What is true about names, and how a server writes it down."""

import attrs

from netinterf.simulate.messages.dns import (
    AAAA,
    ANY,
    CNAME,
    HINFO,
    HTTPS,
    MX,
    NS,
    NXDOMAIN,
    RRSIG,
    SOA,
    TXT,
    A,
    Opt,
    Query,
    Record,
    address_bytes,
    answered,
    dns_message,
    dns_name,
)
from netinterf.simulate.network.packet import Address
from netinterf.values import frozen

__all__ = ["Answer", "Entry", "Zone", "negative", "positive", "signature", "start_of_authority", "suits"]


@frozen(kw_only=True)
class Entry:
    """What one name holds."""

    addresses: tuple[Address, ...] = ()  # IPv4 and IPv6 together
    lifetime: int = 300  # TTL in seconds
    aliases: tuple[str, ...] = ()  # CNAME chain before the addresses
    shown: int = 8  # most addresses per answer
    per_answer: bool = False  # its servers choose anew for every answer, as load balancers do
    https: bool = False  # has an HTTPS record (RFC 9460)
    signed: bool = False  # DNSSEC
    rcode: int = 0
    slow: float = 0.0  # ns that its name servers take beyond the ordinary
    lame: bool = False  # its name servers do not answer
    mute: float = 0.0  # share of questions about a lame name that draw nothing at all


@frozen(kw_only=True)
class Answer:
    """What a server answers, before it is written."""

    rcode: int = 0
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    options: bytes = b""  # EDNS options
    authoritative: bool = False
    authentic: bool = False  # AD
    truncated: bool = False

    def written(self, query: Query, flags: int, opt: Opt | None, style: str = "all", name: str = "") -> bytes:
        """Write the message.

        Args:
            query: The question.
            flags: Habit of the server: QR, RA; RD is copied, RCODE, AA, TC and AD added.
            opt: Its OPT record.
            style: What it compresses.
            name: The question's name as it repeats it; as asked when left out.
        """
        word = flags & 0xFE80 | query.flags & 0x0110 | self.rcode | self.authoritative << 10 | self.truncated << 9
        word |= self.authentic << 5
        opt = attrs.evolve(opt, options=opt.options + self.options) if opt else None
        return dns_message(
            query.identifier, word, name or query.name, query.kind, self.answers, self.authority, self.additional,
            opt=opt, style=style,
        )  # fmt: skip


Zone = dict[str, Entry]
"""Entries by name in lower case; ``*.name`` stands for all names below."""


def suits(kind: int, place: Address) -> bool:
    """Say whether an address answers a question of this type."""
    return kind == (A if len(address_bytes(*place)) == 4 else AAAA)


def apex(name: str) -> str:
    """Name the zone that a host name lies in: what is left without its first label."""
    labels = name.split(".")
    return ".".join(labels[1:]) if len(labels) > 2 else name


def start_of_authority(name: str, serial: int = 2025010101, lifetime: int = 900, kind: str = "") -> Record:
    """Build the SOA record that negative answers carry (RFC 2308 §3); *kind* overrides its owner."""
    owner = kind or apex(name)
    numbers = (serial, 7200, 1800, 1_209_600, lifetime)
    data = b"".join(number.to_bytes(4, "big") for number in numbers)
    return Record(owner, SOA, lifetime, (f"ns1.{owner}", f"hostmaster.{owner}", data))


def negative(name: str, rcode: int = NXDOMAIN, lifetime: int = 900) -> Answer:
    """Answer that a name (or with rcode 0 a type) does not exist."""
    return Answer(rcode=rcode, authority=(start_of_authority(name, lifetime=lifetime),))


def signature(owner: str, kind: int, lifetime: int, noise: bytes) -> Record:
    """Build an RRSIG record (RFC 4034 §3) of algorithm 13 whose 64 bytes of signature are *noise*."""
    signer = apex(owner)
    head = kind.to_bytes(2, "big") + bytes([13, owner.count(".") + 1]) + lifetime.to_bytes(4, "big")
    dates = (1_767_225_600).to_bytes(4, "big") + (1_735_689_600).to_bytes(4, "big") + noise[:2]
    return Record(owner, RRSIG, lifetime, (head + dates, dns_name(signer), noise[:64].ljust(64, b"\x5a")))


def others(owner: str, kind: int, lifetime: int) -> list[Record]:
    """Give the records of other types that names have: mail, text, servers; ANY draws the least (RFC 8482 §4.2)."""
    zone = apex(owner)
    contents: dict[int, tuple[bytes | str, ...]] = {
        MX: (b"\x00\x0a", f"mail.{zone}"),
        TXT: (b"\x0bv=spf1 -all",),
        NS: (f"ns1.{zone}",),
        ANY: (b"\x07RFC8482\x00",),
    }
    if kind == SOA:
        return [start_of_authority(owner, lifetime=lifetime, kind=owner)]
    return [Record(owner, HINFO if kind == ANY else kind, lifetime, contents[kind])] if kind in contents else []


def positive(query: Query, entry: Entry, picked: list[Address], lifetime: int, noise: bytes = b"") -> Answer:
    """Answer with the chain of names and addresses, with signatures when the question wants and the zone has them.

    Args:
        query: The question.
        entry: What the name holds.
        picked: Its addresses in the order of this answer.
        lifetime: What is left of the TTL.
        noise: Random bytes for signatures; none leaves them out.
    """
    records, owner = list[Record](), query.name
    for alias in entry.aliases:
        records.append(Record(owner, CNAME, lifetime, (alias,)))
        owner = alias
    matching = [answered(owner, lifetime, place) for place in picked if suits(query.kind, place)]
    if query.kind == HTTPS and entry.https:
        matching = [Record(owner, HTTPS, lifetime, (b"\x00\x01\x00", b"\x00\x01\x00\x06\x02h3\x02h2"))]
    elif not entry.aliases:
        matching += others(owner, query.kind, lifetime)
    if noise and matching:
        matching.append(signature(owner, query.kind, lifetime, noise))
    if not matching:
        return attrs.evolve(negative(owner, 0), answers=tuple(records))
    return Answer(answers=(*records, *matching))
