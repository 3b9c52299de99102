"""A filter written down: for nftables (Linux), and as BPF (pcap-filter) for whatever else takes that.

BPF reads TCP by itself of IPv4 only, so that offsets of IPv6 are counted from its header, without extensions.
"""

from collections.abc import Iterator

from netinterf.filters.choose import Filter, Range
from netinterf.filters.fields import Kind
from netinterf.schema import TcpFlag

__all__ = ["FORMS", "bpf", "nft"]

FLAG = {Kind.RESET: TcpFlag.RST, Kind.FIN: TcpFlag.FIN}
ENDS = int(TcpFlag.RST | TcpFlag.FIN | TcpFlag.SYN)


def bpf(found: Filter) -> str:
    """Write an expression of pcap-filter(7) that matches the forged packets."""
    four = found.version == 4
    ip, transport = ("ip", "{name}[{at}{size}]") if four else ("ip6", "ip6[{at}{size}]")

    def header(at: int, size: int = 1) -> str:
        """Name bytes of the transport header."""
        width = f":{size}" if size > 1 else ""
        name = "udp" if found.kind is Kind.ANSWER else "tcp"
        return transport.format(name=name, at=at if four else 40 + at, size=width)

    places = {
        "ttl": "ip[8]" if four else "ip6[7]",
        "tos": "ip[1]" if four else "(ip6[0:2] & 0x0ff0) >> 4",
        "fragment": "1 - ((ip[6] & 0x40) >> 6)",
        "flags": header(13),
        "window": header(14, 2),
        "dns_flags": header(10, 2),
        "authority": header(16, 2),
        "additional": header(18, 2),
    }
    words = [ip, "udp" if found.kind is Kind.ANSWER else "tcp"] if four else [ip]
    if found.kind is Kind.ANSWER:
        words += ["src port 53"] if four else ["ip6[6] = 17", "ip6[40:2] = 53"]
    else:
        words += [] if four else ["ip6[6] = 6"]
        words += [f"{header(13)} & {ENDS} = {int(FLAG[found.kind])}"]
    for one in found.ranges:
        if one.field == "zero_id":
            words.append("ip[4:2] = 0" if one.low else "ip[4:2] != 0") if one.low == one.high else None
        elif one.field == "bare":
            words += [f"{header(12)} & 0xf0 {'=' if one.low else '!='} 0x50"] if one.low == one.high else []
        elif one.field == "fragment":
            words += [f"ip[6] & 0x40 {'=' if one.low else '!='} 0"] if one.low == one.high else []
        else:
            words += compared(places[one.field], one)
    return " and ".join(words)


def compared(place: str, one: Range) -> list[str]:
    """Compare a place with a range."""
    if one.low == one.high:
        return [f"{place} = {one.low}"]
    return [f"{place} >= {one.low}", f"{place} <= {one.high}"]


def nft(found: Filter) -> str:
    """Write a table of nftables that drops the forged packets and counts them."""
    four = found.version == 4
    words = ["meta nfproto ipv4" if four else "meta nfproto ipv6"]
    words += ["udp sport 53"] if found.kind is Kind.ANSWER else [f"tcp flags & (fin|syn|rst) == {name_of(found.kind)}"]
    for one in found.ranges:
        words += list(matched(one, four))
    rule = " ".join(words)
    return "\n".join([
        "table inet netinterf {", "  chain input {", "    type filter hook input priority raw; policy accept;",
        f"    {rule} counter drop", "  }", "}",
    ])  # fmt: skip


def name_of(kind: Kind) -> str:
    """Name the flag that a kind of packet has."""
    return "rst" if kind is Kind.RESET else "fin"


def matched(one: Range, four: bool) -> Iterator[str]:
    """Write one range for nftables."""
    span = str(one.low) if one.low == one.high else f"{one.low}-{one.high}"
    places = {
        "ttl": "ip ttl" if four else "ip6 hoplimit",
        "tos": "@nh,8,8" if four else "@nh,4,8",
        "flags": "@th,104,8",
        "window": "tcp window",
        "dns_flags": "@th,80,16",
        "authority": "@th,128,16",
        "additional": "@th,144,16",
    }
    if one.field in places:
        yield f"{places[one.field]} {span}"
    elif one.low == one.high:
        yield {
            ("fragment", 1): "ip frag-off & 0x4000 == 0",
            ("fragment", 0): "ip frag-off & 0x4000 != 0",
            ("zero_id", 1): "ip id 0",
            ("zero_id", 0): "ip id != 0",
            ("bare", 1): "tcp doff 5",
            ("bare", 0): "tcp doff != 5",
        }[one.field, one.low]


FORMS = {"nft": nft, "bpf": bpf}
"""What writes a filter, by the name of the form."""
