"""Captures changed in ways that must not move a verdict, or only towards *insufficient*.

Frames are rows here: bytes, lengths and times, as one capture holds them. Each change gives other rows. Neutral ones
say the same of the same traffic; the others take something away, or record it worse, as taps do.
"""

import io
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.capture import write_pcap
from netinterf.context.special import Special
from netinterf.simulate import run
from netinterf.trace import Trace, read

__all__ = ["NEUTRAL", "WORSE", "Frames", "as_pcap", "as_pcapng", "frames_of"]


ETHERNET, RAW = 1, 101
ICMP, TCP, UDP = 1, 6, 17
ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})  # they quote the packet that they are about (RFC 792)
DNS = 53
SECOND = 1_000_000_000
YEAR = 365 * 86_400 * SECOND
SNAPLEN = 96
SKEW = 2_000_000  # ns: clocks of two ports of one tap that are not synchronised
ROUTED = 20_000  # ns between both copies of a frame that a router passes on
SEED = 1

IP_TYPES = (b"\x08\x00", b"\x86\xdd")
"""EtherTypes of IPv4 and IPv6."""

COLUMNS = ("length", "time", "outbound", "inbound", "flow", "ip_at")


@attrs.frozen(eq=False, kw_only=True)
class Frames:
    """The frames of one capture, and what each is to its conversation."""

    data: tuple[bytes, ...]
    length: I64  # on the wire
    time: I64  # ns
    link_type: int
    outbound: Mask  # sent by a flow's client
    inbound: Mask  # sent by a flow's server
    flow: I64  # -1 for none
    ip_at: I64  # offset of the innermost IP header, 0 without
    clients: frozenset[bytes]  # IPv4 addresses that only ever open conversations, private ones

    def __len__(self) -> int:
        return len(self.data)

    def take(self, rows: I64) -> "Frames":
        """Keep some frames, in the order given."""
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        return attrs.evolve(self, data=tuple(self.data[row] for row in rows.tolist()), **columns)


def frames_of(trace: Trace) -> Frames | None:
    """List the frames of a trace; None where they are of several link types, or not of a kind that can be changed."""
    kinds = {interface.link_type for interface in trace.interfaces}
    packets = trace.packets
    if len(kinds) != 1 or not kinds <= {ETHERNET, RAW} or not len(packets):
        return None
    buffer = trace.buffer
    held = packets.flow >= 0
    only = np.setdiff1d(trace.flows.client, trace.flows.server)
    private = only[(trace.hosts.special[only] & Special.PRIVATE) != 0]
    low = trace.hosts.low[private]
    places = zip(packets.at.tolist(), packets.captured.tolist(), strict=True)
    return Frames(
        data=tuple(bytes(buffer[at : at + size]) for at, size in places),
        length=packets.length.astype(np.int64),
        time=packets.time.copy(),
        link_type=kinds.pop(),
        outbound=held & packets.outbound,
        inbound=held & ~packets.outbound,
        flow=packets.flow.astype(np.int64),
        ip_at=np.where(packets.version > 0, packets.ip_at, 0).astype(np.int64),
        clients=frozenset(int(value & 0xFFFFFFFF).to_bytes(4, "big") for value in low.tolist()),
    )  # fmt: skip


def as_pcap(frames: Frames) -> bytes:
    """Write frames as a pcap file."""
    held = io.BytesIO()
    write_pcap(held, frames.time, frames.data, frames.link_type, lengths=frames.length)
    return held.getvalue()


def as_pcapng(frames: Frames) -> bytes:
    """Write frames as a pcapng file with nanoseconds: one section, one interface (draft-ietf-opsawg-pcapng)."""
    resolution = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
    parts = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    parts.append(block(1, struct.pack("<HHI", frames.link_type, 0, 0) + resolution))
    for data, length, time in zip(frames.data, frames.length.tolist(), frames.time.tolist(), strict=True):
        head = struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(data), length)
        parts.append(block(6, head + data + b"\0" * (-len(data) % 4)))
    return b"".join(parts)


def block(kind: int, body: bytes) -> bytes:
    """Frame one pcapng block."""
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def ordered(frames: Frames) -> Frames:
    """Put frames into the order of their times."""
    return frames.take(np.argsort(frames.time, kind="stable"))


def without_link_layer(frames: Frames) -> Frames:
    """Leave the Ethernet headers away, and frames without IP; where tags tell packets apart, nothing is left."""
    if frames.link_type != ETHERNET:
        return frames
    plain = np.array([one[12:14] in IP_TYPES for one in frames.data], np.bool_)
    if np.any(~plain & (frames.ip_at > 0)):
        return frames.take(np.empty(0, np.int64))
    bare = frames.take(np.flatnonzero(plain & (frames.ip_at > 0)))
    data = tuple(one[14:] for one in bare.data)
    return attrs.evolve(bare, data=data, length=bare.length - 14, ip_at=bare.ip_at - 14, link_type=RAW)


def elsewhere(frames: Frames) -> Frames:
    """Give private clients other private addresses; checksums follow (RFC 1624), right or wrong as they were."""
    data = [readdressed(one, at, frames.clients) for one, at in zip(frames.data, frames.ip_at.tolist(), strict=True)]
    return attrs.evolve(frames, data=tuple(data))


def readdressed(frame: bytes, at: int, clients: frozenset[bytes]) -> bytes:
    """Change the client's address of one IPv4 packet, and of the one that an ICMP error quotes.

    In a quote the header's checksum takes up what the address changes, so that the sum over the whole error stays.
    """
    if len(frame) < at + 20 or frame[at] >> 4 != 4:
        return frame
    changed, header, protocol = bytearray(frame), (frame[at] & 15) * 4, frame[at + 9]
    first = not struct.unpack_from(">H", frame, at + 6)[0] & 0x1FFF
    sums = [at + 10, *([at + header + {TCP: 16, UDP: 6}[protocol]] if first and protocol in {TCP, UDP} else [])]
    rewrite(changed, at, clients, sums, optional=protocol == UDP)
    quote = at + header + 8
    if protocol == ICMP and first and len(frame) >= quote + 20 and frame[quote - 8] in ICMP_ERRORS:
        rewrite(changed, quote, clients, [quote + 10], optional=False)
    return bytes(changed)


def rewrite(packet: bytearray, at: int, clients: frozenset[bytes], sums: list[int], *, optional: bool) -> None:
    """Change the low bit of the third octet of clients' addresses in one IPv4 header, and the checksums over it.

    Args:
        packet: What is changed.
        at: Where the header begins.
        clients: Addresses that are changed.
        sums: Where checksums stand, the header's first; those that were cut off stay away.
        optional: Whether zeros behind the first one mean that there is no checksum (RFC 768).
    """
    for place in (at + 12, at + 16):
        if bytes(packet[place : place + 4]) not in clients:
            continue
        before = packet[place + 2] << 8 | packet[place + 3]
        packet[place + 2] ^= 1
        for where in (spot for spot in sums if spot + 2 <= len(packet)):
            old = packet[where] << 8 | packet[where + 1]
            if old == 0 and optional and where != sums[0]:
                continue
            total = (~old & 0xFFFF) + (~before & 0xFFFF) + (before ^ 0x0100)
            total = (total & 0xFFFF) + (total >> 16)
            packet[where : where + 2] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")


def years_later(frames: Frames) -> Frames:
    """Shift all times by three years."""
    return attrs.evolve(frames, time=frames.time + 3 * YEAR)


def permuted(frames: Frames) -> Frames:
    """Shuffle the conversations among frames of equal time; each keeps its own order, which says who came first."""
    luck = np.random.default_rng(SEED).permutation(int(frames.flow.max()) + 2)
    return frames.take(np.lexsort((np.arange(len(frames)), luck[frames.flow], frames.time)))


def in_company(frames: Frames) -> Frames:
    """Merge the capture with unrelated traffic of another client, over the same time: a longer one would be another."""
    other = unrelated()
    if frames.link_type != other.link_type:
        return frames
    span = max(int(np.ptp(frames.time)) - int(np.ptp(other.time)), 0)
    start = int(frames.time.min()) + int(np.random.default_rng(SEED).integers(span + 1))
    columns: dict[str, Any] = {name: np.concatenate([getattr(frames, name), getattr(other, name)]) for name in COLUMNS}
    columns["time"] = np.concatenate([frames.time, other.time - other.time.min() + start])
    merged = attrs.evolve(frames, data=frames.data + other.data, **columns)
    return ordered(merged.take(np.flatnonzero(merged.time <= frames.time.max())))


@cache
def unrelated() -> Frames:
    """Simulate ordinary connections; lookups go, since everybody asks the same few resolvers."""
    made = run("benign.tcp.traffic", SEED)
    trace = read(times=made.times, frames=made.frames, link_type=made.link_type)
    found = frames_of(trace)
    if found is None:
        raise ValueError("simulated frames are of one link type that can be changed")
    asked = np.append(trace.flows.server_port == DNS, True)[trace.packets.flow]
    return found.take(np.flatnonzero(~asked))


def one_way(name: str) -> Callable[[Frames], Frames]:
    """Make a change that keeps one direction."""
    return lambda frames: frames.take(np.flatnonzero(~getattr(frames, name)))


def cut(frames: Frames) -> Frames:
    """Keep the first bytes of each frame."""
    return attrs.evolve(frames, data=tuple(one[:SNAPLEN] for one in frames.data))


def losing(share: float) -> Callable[[Frames], Frames]:
    """Make a change that loses a share of the frames at random."""

    def lose(frames: Frames) -> Frames:
        kept = np.random.default_rng(SEED).random(len(frames)) >= share
        return frames.take(np.flatnonzero(kept))

    return lose


def doubled(frames: Frames) -> Frames:
    """Record every frame twice at once, as a mirror port does."""
    return frames.take(np.repeat(np.arange(len(frames)), 2))


def routed_twice(frames: Frames) -> Frames:
    """Record every IPv4 packet on both sides of a router: the second copy has one hop less."""
    rows = np.arange(len(frames))
    again = attrs.evolve(
        frames,
        data=tuple(one_hop_less(one, at) for one, at in zip(frames.data, frames.ip_at.tolist(), strict=True)),
        time=frames.time + ROUTED,
    )
    columns: dict[str, Any] = {name: np.concatenate([getattr(frames, name)] * 2) for name in COLUMNS}
    columns["time"] = np.concatenate([frames.time, again.time])
    both = attrs.evolve(frames, data=frames.data + again.data, **columns)
    return both.take(np.lexsort((np.concatenate([rows * 2, rows * 2 + 1]), both.time)))


def one_hop_less(frame: bytes, at: int) -> bytes:
    """Count one hop, with the header's checksum and other link addresses."""
    if len(frame) < at + 20 or frame[at] >> 4 != 4 or frame[at + 8] < 2:
        return frame
    changed = bytearray(frame)
    changed[at + 8] -= 1
    total = (changed[at + 10] << 8 | changed[at + 11]) + 0x0100  # one less there is one more here
    changed[at + 10 : at + 12] = ((total & 0xFFFF) + (total >> 16)).to_bytes(2, "big")
    if at >= 14:
        changed[:12] = changed[6:12] + changed[:6]
    return bytes(changed)


def late(frames: Frames) -> Frames:
    """Begin after a third of the frames."""
    return frames.take(np.arange(len(frames) // 3, len(frames)))


def early(frames: Frames) -> Frames:
    """End before the last third of the frames."""
    return frames.take(np.arange(2 * len(frames) // 3))


def skewed(frames: Frames) -> Frames:
    """Let the clock of one direction be ahead."""
    return ordered(attrs.evolve(frames, time=frames.time + SKEW * frames.inbound))


NEUTRAL: dict[str, Callable[[Frames], Frames]] = {
    "as pcap": lambda frames: frames,
    "as pcapng": lambda frames: frames,
    "without link layer": without_link_layer,
    "clients readdressed": elsewhere,
    "three years later": years_later,
    "equal times permuted": permuted,
    "merged with others": in_company,
}
"""Changes that must not move any verdict."""

WORSE: dict[str, Callable[[Frames], Frames]] = {
    "to the server only": one_way("inbound"),
    "to the client only": one_way("outbound"),
    "cut to 96 bytes": cut,
    "1 % lost": losing(0.01),
    "5 % lost": losing(0.05),
    "frames doubled": doubled,
    "routed twice": routed_twice,
    "begun late": late,
    "ended early": early,
    "directions skewed by 2 ms": skewed,
}
"""Changes that may only take something away from a verdict."""
