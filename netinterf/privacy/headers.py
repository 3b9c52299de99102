"""Packets without whom they are of: each is written anew, and only what is listed here is copied.

What is copied of a packet are the fixed fields of its innermost IP header, of TCP, UDP or ICMP behind it, those TCP
options that say how the connection works, and the same of a packet that an ICMP error quotes. Addresses are mapped.
Everything else that a header holds (IP options, the contents of extension headers, other TCP options, which carry
cookies, keys and addresses) stands as zeros, so that lengths remain true; link layers and tunnels are dropped; what
follows the headers is cut off, as a snapshot length does.

**Checksums** cover the payload, and a checksum over a byte or two gives them away. They are therefore computed anew,
over a payload of zeros: right where the packet's own was right or could not be judged, wrong where it was wrong, since
a wrong one may show that somebody else wrote the packet. What is wrong is always wrong by one, which tells nothing
either.
"""

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.decode.checksum import ip_ok, transport_ok
from netinterf.decode.gather import as_bytes, gather_bytes
from netinterf.privacy.options import redact_options
from netinterf.privacy.redaction import Redaction
from netinterf.schema import Status
from netinterf.table import spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Rewritten", "rewrite"]


ICMP, TCP, UDP, AUTHENTICATION, ICMPV6 = 1, 6, 17, 51, 58
FRAGMENT = 44  # extension header (RFC 8200 §4.5)

FIXED = {TCP: 60, UDP: 8, ICMP: 8, ICMPV6: 8}
"""Bytes of a transport header at most."""

CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}
"""Where in the header the checksum stands (RFC 9293 §3.1, RFC 768, RFC 792, RFC 4443 §2.1)."""

BLOCK = 65_536
"""Packets rewritten at a time: their headers, 100 bytes each, take some megabytes."""

REDIRECT = 5
"""ICMP type whose second word is an address (RFC 792)."""

SECOND_WORD = {
    ICMP: np.isin(np.arange(256), (0, 3, 4, 8, 11, 12)),  # RFC 792, RFC 1191, RFC 4884
    ICMPV6: np.isin(np.arange(256), (1, 2, 3, 4, 128, 129)),  # RFC 4443
}
"""Types of ICMP whose second word holds identifiers, a length, an MTU or a pointer, and is copied."""


@frozen(eq=False, kw_only=True)
class Rewritten:
    """Packets in their new form, aligned with those of the trace; each begins with its IP header."""

    buffer: U8
    at: I64
    captured: I64  # 0 for what is no whole IP header
    network: I64  # bytes before the transport header
    head: I64  # bytes of the transport header
    quote: I64  # bytes of a quoted packet


def rewrite(trace: Trace, redaction: Redaction) -> Rewritten:
    """Write all packets of a trace anew.

    Args:
        trace: The capture.
        redaction: How addresses are mapped.
    """
    layout = measure(trace)
    for begin in range(0, len(trace.packets), BLOCK):
        rows = np.arange(begin, min(begin + BLOCK, len(trace.packets)))
        rewrite_block(trace, layout, rows[layout.captured[rows] > 0], redaction)
    return layout


def measure(trace: Trace) -> Rewritten:
    """Measure what is kept of each packet, and make room for it."""
    packets, protocol = trace.packets, trace.packets.protocol
    room = readable(trace)
    least = np.where(packets.version == 4, 20, 40)
    whole = (packets.version != 0) & (room >= least)
    network = np.maximum(packets.transport_at.astype(np.int64) - packets.ip_at, least)
    most = np.array([FIXED.get(number, 0) for number in range(256)])[protocol]
    most[(protocol == TCP) & (packets.status & np.uint16(Status.BAD_TRANSPORT) != 0)] = 20
    most[packets.status & np.uint16(Status.FRAGMENT_LATER | Status.BAD_IP_HEADER) != 0] = 0
    head = np.minimum(packets.payload_at.astype(np.int64) - packets.transport_at, most)
    network = np.where(whole, np.minimum(network, room), 0)
    head = np.where(whole, np.clip(head, 0, room - network), 0)
    quote = np.zeros(len(packets), np.int64)
    quoting = trace.quotes.packet.astype(np.int64)
    sizes = np.where(trace.quotes.version == 4, 20, 40)
    left = np.minimum(room[quoting] - network[quoting] - 8, packets.payload_length[quoting])
    quote[quoting] = np.where((head[quoting] == 8) & (left >= sizes), np.minimum(left, sizes + 8), 0)
    captured = network + head + quote
    buffer = np.zeros(int(captured.sum()), np.uint8)
    at = np.cumsum(captured) - captured
    return Rewritten(buffer=buffer, at=at, captured=captured, network=network, head=head, quote=quote)


def readable(trace: Trace) -> I64:
    """Count the bytes of each packet that were captured, from its IP header on."""
    packets = trace.packets
    captured = np.minimum(packets.captured, np.maximum(len(trace.buffer) - packets.at, 0))
    return np.asarray(captured - packets.ip_at, np.int64)


def rewrite_block(trace: Trace, layout: Rewritten, rows: I64, redaction: Redaction) -> None:
    """Write some packets: their IP headers, what stands between these and the transport, the transport and quotes."""
    packets, data = trace.packets, as_bytes(trace.buffer)
    start, target = packets.at[rows] + packets.ip_at[rows], layout.at[rows]
    network, head, quote = layout.network[rows], layout.head[rows], layout.quote[rows]
    right = ip_ok(trace.buffer, packets, rows)
    for version, size in ((4, 20), (6, 40)):
        of = packets.version[rows] == version
        fixed = gather_bytes(data, start[of], network[of], size)
        put(layout.buffer, target[of], ip_header(fixed, version, right[of], redaction))
    copy_chain(data, start, layout, rows)
    quoting = quote > 0
    inner = gather_bytes(data, (start + network)[quoting] + 8, quote[quoting], 48)
    put(layout.buffer, (target + network)[quoting] + 8, quoted(inner, redaction), quote[quoting])
    heads = transport(gather_bytes(data, start + network, head, 60), packets.protocol[rows], head, redaction)
    set_checksums(trace, layout, rows, heads)
    put(layout.buffer, target + network, heads, head)


def ip_header(fixed: U8, version: int, right: Mask, redaction: Redaction) -> U8:
    """Map the addresses of fixed IP headers of one version, and set the checksums of IPv4 right or wrong."""
    result = fixed.copy()
    if version == 6:
        for place in (8, 24):
            result[:, place : place + 16] = mapped(fixed[:, place : place + 16], redaction)
        return result
    for place in (12, 16):
        result[:, place : place + 4] = mapped(fixed[:, place : place + 4], redaction)
    result[:, 10:12] = 0
    result[:, 10:12] = as_octets(checksum(total(result), right))
    return result


def mapped(octets: U8, redaction: Redaction) -> U8:
    """Map addresses as they stand in packets, n rows of 4 or 16 bytes."""
    width = octets.shape[1]
    wide = np.zeros((len(octets), 16), np.uint8)
    wide[:, 10:12] = 0xFF if width == 4 else 0
    wide[:, 16 - width :] = octets
    different, place = np.unique(wide.view("S16").reshape(-1), return_inverse=True)
    halves = different.view(">u8").reshape(-1, 2).astype(np.uint64)
    high, low = redaction.addresses(halves[:, 0], halves[:, 1])
    new = np.stack([high, low], axis=1).astype(">u8").view(np.uint8).reshape(-1, 16)
    result: U8 = new[place.reshape(-1), 16 - width :]
    return result


def copy_chain(data: U8, start: I64, layout: Rewritten, rows: I64) -> None:
    """Copy kinds and lengths of what stands between the IP header and the transport: extension headers.

    Of fragment headers all is copied (offset and identification, RFC 8200 §4.5).
    """
    four = data[start] >> 4 == 4
    place = np.where(four, (data[start] & 15).astype(np.int64) * 4, 40)
    alive = np.flatnonzero(layout.network[rows] - place >= 8)
    kind, place = data[start[alive] + np.where(four[alive], 9, 6)], place[alive]
    while len(alive):
        octets = gather_bytes(data, start[alive] + place, layout.network[rows[alive]] - place, 8)
        count = np.where(kind == FRAGMENT, 8, 2)
        put(layout.buffer, layout.at[rows[alive]] + place, octets, count)
        unit = np.where(kind == AUTHENTICATION, 4, 8)
        size = np.where(kind == FRAGMENT, 8, (octets[:, 1].astype(np.int64) + 1) * unit)
        size = np.where(kind == AUTHENTICATION, size + 4, size)  # RFC 4302 §2.2 counts from another place
        kind, place = octets[:, 0], place + size
        going = layout.network[rows[alive]] - place >= 8
        alive, kind, place = alive[going], kind[going], place[going]


def transport(heads: U8, protocol: U8, size: I64, redaction: Redaction) -> U8:
    """Blank what is not kept of transport headers, n rows of 60 bytes."""
    result = heads.copy()
    tcp = protocol == TCP
    result[tcp, 20:] = redact_options(heads[tcp, 20:], size[tcp] - 20)
    for number, copied in SECOND_WORD.items():
        rows = np.flatnonzero(protocol == number)
        words = np.where(copied[heads[rows, 0]][:, None], heads[rows, 4:8], np.uint8(0))
        gateway = (heads[rows, 0] == REDIRECT) & (number == ICMP)
        words[gateway] = mapped(heads[rows[gateway], 4:8], redaction)
        result[rows, 4:8] = words
    return result


def quoted(octets: U8, redaction: Redaction) -> U8:
    """Keep of quoted packets, n rows of 48 bytes, the fixed IP header and what identifies their conversation."""
    result = np.zeros_like(octets)
    for version, size, field in ((4, 20, 9), (6, 40, 6)):
        rows = np.flatnonzero(octets[:, 0] >> 4 == version)
        right = np.ones(len(rows), np.bool_)
        result[rows, :size] = ip_header(octets[rows, :size], version, right, redaction)
        direct = octets[rows, 0] & 15 == 5 if version == 4 else np.ones(len(rows), np.bool_)
        if version == 4:
            direct &= ((octets[rows, 6] & 0x1F) | octets[rows, 7]) == 0  # no later fragment
        kind = octets[rows, field]
        for protocol, length in ((TCP, 8), (UDP, 6)):  # ports and sequence number; ports and length
            these = rows[direct & (kind == protocol)]
            result[these, size : size + length] = octets[these, size : size + length]
        echo = direct & np.isin(kind, (ICMP, ICMPV6))
        echo &= np.isin(octets[rows, size], (8, 128))
        result[rows[echo], size : size + 2] = octets[rows[echo], size : size + 2]
        result[rows[echo], size + 4 : size + 8] = octets[rows[echo], size + 4 : size + 8]
    return result


def set_checksums(trace: Trace, layout: Rewritten, rows: I64, heads: U8) -> None:
    """Set the checksums of transport headers, n rows of 60 bytes, as if the payload were zeros.

    UDP over IPv4 without a checksum stays without (RFC 768).
    """
    packets, network = trace.packets, layout.network[rows]
    protocol = packets.protocol[rows]
    words = gather_bytes(layout.buffer, layout.at[rows], network, 40).view(">u2").astype(np.int64)
    four = packets.version[rows] == 4
    addresses = np.where(four, words[:, 6:10].sum(axis=1), words[:, 4:20].sum(axis=1))
    length = packets.payload_at[rows].astype(np.int64) + packets.payload_length[rows] - packets.transport_at[rows]
    pseudo = np.where(protocol == ICMP, 0, addresses + protocol + length)
    inner = gather_bytes(layout.buffer, layout.at[rows] + network + 8, layout.quote[rows], 48)
    without = (protocol == UDP) & (total(heads[:, 6:8]) == 0)
    for number, place in CHECKSUM_AT.items():
        heads[protocol == number, place : place + 2] = 0
    values = checksum(total(heads) + total(inner) + pseudo, transport_ok(trace.buffer, packets, rows))
    values = np.where((protocol == UDP) & (values == 0), 0xFFFF, values)  # RFC 768
    for number, place in CHECKSUM_AT.items():
        these = (protocol == number) & ~without
        heads[these, place : place + 2] = as_octets(values[these])


def total(octets: U8) -> I64:
    """Add up the 16-bit words of each row."""
    result: I64 = np.ascontiguousarray(octets).view(">u2").sum(axis=1, dtype=np.int64)
    return result


def checksum(sums: I64, right: Mask) -> I64:
    """Give the Internet checksum of sums of words (RFC 1071), or where it is to be wrong the next number, never 0."""
    for _ in range(4):
        sums = (sums & 0xFFFF) + (sums >> 16)
    value = 0xFFFF - sums
    return np.where(right, value, value % 0xFFFF + 1)


def as_octets(values: I64) -> U8:
    """Write 16-bit numbers as bytes, n rows of 2."""
    return values.astype(">u2").view(np.uint8).reshape(-1, 2)


def put(buffer: U8, at: I64, octets: U8, sizes: I64 | None = None) -> None:
    """Write the first bytes of each row to its place: all of them, or as many as *sizes* says."""
    width = octets.shape[1]
    counts = np.full(len(at), width) if sizes is None else np.minimum(sizes, width)
    buffer[spans(at, counts)] = octets.reshape(-1)[spans(np.arange(len(at)) * width, counts)]
