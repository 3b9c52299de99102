"""Who speaks: clients at other addresses, behind a translator, and packets as a router passes them on."""

import numpy as np

from netinterf.arrays import I64, U8
from netinterf.context.special import Special, special_bits
from netinterf.errors import ParameterError
from netinterf.transform.frames import Frames
from netinterf.transform.headers import headers_of, outer, quoted, replace_word, word

__all__ = ["forward", "renumber", "translate"]

ETHERNET = 1
EPHEMERAL = 32_768
"""First port that a translator here maps: services have lower ones, and who is a server shows as before."""

PORTS = 65_536 - EPHEMERAL
SHIFT = 7_919  # a prime: ports come out in another order of magnitude, and none twice
SHARED = 0x6440  # 100.64.0.0/10: what stands between a carrier's translator and its customers (RFC 6598)
SUBNET = 6  # offset in an IPv6 address of the last word of its /64 (RFC 4291 §2.5.4)


def renumber(frames: Frames) -> Frames:
    """Give clients other addresses of the same kind: another /24 of their private network, or another /64.

    Clients are addresses that only ever open conversations; those of the global Internet keep theirs, since whose they
    are is known of them. ICMP errors quote the new addresses; checksums follow.

    Raises:
        ParameterError: No client has such an address.
    """
    copy = frames.own()
    known, clients = hosts(copy)
    for mask in range(1, 256):
        new = moved(clients, mask)
        fits = kind_of(new) == kind_of(clients)
        if not np.isin(as_keys(new[fits]), as_keys(known)).any():
            break
    else:
        raise ParameterError("frames", f"{len(known)} addresses", "addresses that leave another network free")
    clients = clients[fits]
    if not len(clients):
        raise ParameterError("frames", "no client of a private network", "clients whose addresses may be others")
    for headers in headers_of(copy):
        for side in (0, 1):
            part = headers.take(np.isin(as_keys(headers.addresses(copy.buffer, side)), as_keys(clients)))
            at = part.place(side) + np.where(part.version == 4, 2, SUBNET)
            replace_word(copy.buffer, at, word(copy.buffer, at) ^ mask << 8, part.end, part.over_addresses)
    return copy


def translate(frames: Frames) -> Frames:
    """Show private IPv4 clients as seen behind a translator: other addresses, other ports; errors and checksums follow.

    Each client keeps an address of its own, as with a carrier's translator (100.64.0.0/10, RFC 6598): several behind
    one would be one client to whoever looks. What a router does beside is `forward`.

    Raises:
        ParameterError: There is no such client, or two would get one address.
    """
    copy = frames.own()
    _, clients = hosts(copy)
    clients = clients[(kind_of(clients) & Special.PRIVATE != 0) & (clients[:, :12] == MAPPED).all(axis=1)]
    if not len(clients):
        raise ParameterError("frames", "no private IPv4 client", "clients that a translator would stand before")
    if len(np.unique(as_keys(clients[:, 14:]))) < len(clients):
        raise ParameterError("frames", f"{len(clients)} clients", "clients whose last two octets differ")
    for headers in headers_of(copy):
        for side in (0, 1):
            part = headers.take(np.isin(as_keys(headers.addresses(copy.buffer, side)), as_keys(clients)))
            replace_word(copy.buffer, part.place(side), np.full(len(part), SHARED), part.end, part.over_addresses)
            port = part.take((part.transport >= 0) & (part.transport + 2 * side + 2 <= part.end))
            at = port.transport + 2 * side
            old = word(copy.buffer, at)
            new = np.where(old >= EPHEMERAL, EPHEMERAL + (old - EPHEMERAL + SHIFT) % PORTS, old)
            replace_word(copy.buffer, at, new, port.end, port.over_ports)
    return copy


def forward(frames: Frames) -> Frames:
    """Show packets as the next link sees them behind a router: one hop less to live, and other link addresses.

    Packets that have one hop left stay as they are: a router would have dropped them.
    """
    copy = frames.own()
    headers = outer(copy)
    headers = headers.take(headers.end - headers.at >= np.where(headers.version == 4, 20, 40))
    four = headers.version == 4
    at, step = headers.at + np.where(four, 8, 6), np.where(four, 0x0100, 1)
    old = word(copy.buffer, at)
    step[np.where(four, old >> 8, old & 0xFF) < 2] = 0
    replace_word(copy.buffer, at, old - step, headers.end, headers.over_addresses[:1])
    ethernet = copy.packets.take((copy.link_types == ETHERNET) & (copy.captured >= 14))
    for place in (5, 11):  # the last octet of both addresses (IEEE 802.3 §3.2.3)
        copy.buffer[ethernet.at + place] ^= 0x55
    return copy


MAPPED = np.frombuffer(bytes(10) + b"\xff\xff", np.uint8)
"""What an IPv4-mapped address begins with (RFC 4291 §2.5.5.2)."""


def hosts(frames: Frames) -> tuple[U8, U8]:
    """List all addresses of a capture, then those that only ever open conversations; rows of 16 bytes."""
    packets, headers = frames.packets.take(frames.packets.version > 0), outer(frames)
    source, target = (headers.addresses(frames.buffer, side) for side in (0, 1))
    out, held = packets.outbound[:, None], packets.flow >= 0
    client, server = np.where(out, source, target)[held], np.where(out, target, source)[held]
    inner = quoted(frames)
    known = as_keys(np.concatenate([source, target, *(inner.addresses(frames.buffer, side) for side in (0, 1))]))
    only = np.setdiff1d(as_keys(client), as_keys(server))
    return as_octets(np.unique(known)), as_octets(only)


def as_keys(octets: U8) -> "np.ndarray[tuple[int], np.dtype[np.bytes_]]":
    """Make addresses comparable, rows of equally many bytes: zeros at the end, which are dropped, tell nothing."""
    width = octets.shape[1]
    return np.ascontiguousarray(octets).view(f"S{width}").reshape(-1)


def as_octets(keys: "np.ndarray[tuple[int], np.dtype[np.bytes_]]") -> U8:
    """Give addresses as rows of 16 bytes again."""
    return np.ascontiguousarray(keys.astype("S16")).view(np.uint8).reshape(-1, 16)


def kind_of(octets: U8) -> I64:
    """Tell what the registries say of addresses (`Special`)."""
    halves = np.ascontiguousarray(octets).view(">u8").reshape(-1, 2).astype(np.uint64)
    return special_bits(halves[:, 0], halves[:, 1]).astype(np.int64)


def moved(octets: U8, mask: int) -> U8:
    """Put addresses into another /24 or /64; those of the global Internet come out as ``::``, which none is."""
    new = octets.copy()
    four = (octets[:, :12] == MAPPED).all(axis=1)
    new[four, 14] ^= mask
    new[~four, SUBNET] ^= mask
    new[kind_of(octets) == 0] = 0
    return new
