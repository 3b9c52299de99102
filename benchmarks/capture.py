"""The capture that speed is measured on: 20,000 TLS connections of 50 packets each, interleaved in time.

Everything is computed on a (connection, slot) grid: what each of the 50 slots carries is a template, and sequence
numbers, acknowledgements and timestamps follow from running sums along the slots.
"""

from collections.abc import Callable
from itertools import count as count_on
from pathlib import Path

import attrs
import numpy as np

from netinterf.arrays import I64, U8, U16, U32, U64, Mask
from netinterf.simulate.encode import ETHERNET, Segments, encode
from netinterf.simulate.messages.tcp_options import syn_options, timestamp_option
from netinterf.simulate.messages.tls import client_hello, server_flight
from netinterf.table import Ragged, spans

__all__ = ["EPOCH", "SLOTS", "Change", "pcap_records", "write_capture"]

SLOTS = 50
MSS = 1448
VARIANTS = 8
FLIGHT = 1 << 16
NAMES = 5000
BLOCK = 25_000
EPOCH = 1_700_000_000_000_000_000
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@attrs.frozen(eq=False)
class Grid:
    """The connections slot by slot; every array is (connections, SLOTS)."""

    time: I64
    outbound: Mask
    flags: U16
    offset: I64
    length: I64
    acked: I64


Change = Callable[[np.random.Generator, Segments], Segments]
"""What is done to some packets, in time order, before they are written."""


def write_capture(
    path: Path, *, connections: int = 20_000, seed: int = 1, snaplen: int = 262_144, change: Change | None = None
) -> int:
    """Write the capture as pcap with nanosecond times.

    Args:
        path: Where to write it.
        connections: Number of TCP connections; packets are 50 times as many.
        seed: Seed of everything random.
        snaplen: Bytes kept of each packet.
        change: What is done to the packets before they are written.

    Returns:
        Number of packets written.
    """
    rng = np.random.default_rng(seed)
    grid = make_grid(rng, connections)
    pool, hello_at = payload_pool(rng, connections)
    traits = make_traits(rng, connections)
    order = np.argsort(grid.time, axis=None, kind="stable")
    count = 0
    with path.open("wb") as out:
        out.write(np.array([0xA1B23C4D, 2 | 4 << 16, 0, 0, snaplen, ETHERNET], "<u4").tobytes())
        for first in range(0, len(order), BLOCK):
            segments = block(grid, order[first : first + BLOCK], pool, hello_at, traits)
            changed = segments if change is None else change(rng, segments)
            out.write(pcap_records(encode(changed), changed.time, snaplen))
            count += len(changed)
    return count


def make_grid(rng: np.random.Generator, count: int) -> Grid:
    """Lay out what each connection sends when: one in five has a hello of two segments, some lose or reset."""
    split = (np.arange(count) % 5 == 0)[:, None]
    slot = np.arange(SLOTS)[None, :]
    shifted = np.where(split & (slot >= 4), slot - 1, slot)  # the second half of a long hello takes slot 4
    cycle = (shifted >= 12) & (slot < 47)
    acks_only = np.isin(shifted, (2, 4, 8, 11)) | (cycle & (shifted % 3 == 2))
    outbound = np.isin(shifted, (0, 2, 3, 8, 9, 10)) | (cycle & (shifted % 3 == 2)) | (slot == 47) | (slot == 49)
    outbound = outbound | (split & (slot == 4))
    length = np.where(cycle | np.isin(shifted, (5, 6, 7)), MSS, 0)
    length = np.where(acks_only | (slot >= 47), 0, length)
    length = np.where(shifted == 9, 80, np.where(shifted == 10, 200, length))
    length[:, 3] = np.where(split[:, 0], MSS, 600)
    length[split[:, 0], 4] = 1750 - MSS
    reset = rng.random(count) < 0.01
    length[:, 45] = np.where(outbound[:, 45], 0, rng.integers(200, MSS, count))
    flags = np.full((count, SLOTS), ACK)
    flags[length > 0] |= PSH * (rng.random(int((length > 0).sum())) < 0.3)
    flags[:, 0], flags[:, 1], flags[:, 47:49] = SYN, SYN | ACK, FIN | ACK
    flags[reset, 47], flags[reset, 49] = RST | ACK, RST
    repeats = (rng.random(count) < 0.03)[:, None] & (slot == 22) & ~outbound & (length > 0) & ~np.roll(outbound, 1, 1)
    taken = length + ((flags & (SYN | FIN)) != 0)
    offset = np.zeros((count, SLOTS), np.int64)
    acked = np.zeros((count, SLOTS), np.int64)
    for side in (True, False):
        mine = outbound == side
        total = np.cumsum(np.where(mine & ~repeats, taken, 0), axis=1)
        offset = np.where(
            mine, total - np.where(repeats, 0, taken) - np.where(repeats, np.roll(length, 1, 1), 0), offset
        )
        acked = np.where(mine, acked, total)
    length = np.where(repeats, np.roll(length, 1, 1), length)
    return Grid(make_times(rng, outbound, repeats), outbound, flags.astype(np.uint16), offset, length, acked)


def make_times(rng: np.random.Generator, outbound: Mask, repeats: Mask) -> I64:
    """Give every slot a time at a client-side tap: answers take a round trip, the rest follows closely."""
    count = len(outbound)
    rtt = rng.lognormal(np.log(40e6), 0.6, (count, 1))
    gap = rng.exponential(120e3, (count, SLOTS)) + 2e3
    slot = np.arange(SLOTS)
    turns = ~outbound & (np.roll(outbound, 1, 1)) & ((slot < 15) | (slot == 48) | (rng.random((count, SLOTS)) < 0.2))
    gap = gap + turns * rtt * rng.uniform(1, 1.1, (count, SLOTS)) + repeats * (200e6 + rtt)
    gap[:, 0] = rng.uniform(0, 20e9, count)
    gap[:, 47] += rng.exponential(0.5e9, count)
    return EPOCH + np.cumsum(gap, axis=1).astype(np.int64)


def payload_pool(rng: np.random.Generator, count: int) -> tuple[U8, I64]:
    """Lay all payload bytes into one array: server flights, filler, then each connection's hello and its offset."""
    flights = [np.frombuffer(server_flight(rng, FLIGHT)[:FLIGHT], np.uint8) for _ in range(VARIANTS)]
    filler = np.frombuffer(b"\x17\x03\x03\x01\x13" + rng.bytes(275), np.uint8)
    parts, offsets, at = [*flights, filler], np.zeros(count, np.int64), VARIANTS * FLIGHT + len(filler)
    for size, rows in ((600, np.flatnonzero(np.arange(count) % 5)), (1750, np.flatnonzero(np.arange(count) % 5 == 0))):
        drawn = (client_hello("host00000.example.com", rng, size=size)[:size] for _ in count_on())
        hello = next(one for one in drawn if b"host00000" in one)  # a large key may push the name beyond its end
        grid = np.tile(np.frombuffer(hello, np.uint8), (len(rows), 1))
        digits = hello.index(b"host00000") + 4
        grid[:, 11:43] = rng.integers(0, 256, (len(rows), 32))  # the random field
        for place in range(5):
            grid[:, digits + place] = 48 + (rows % NAMES) // 10 ** (4 - place) % 10
        parts.append(grid.ravel())
        offsets[rows] = at + np.arange(len(rows)) * size
        at += grid.size
    return np.concatenate(parts), offsets


@attrs.frozen(eq=False)
class Traits:
    """What stays the same within a connection; one entry per connection."""

    client: U64
    server: U64
    port: U16
    isn: U32
    ip_id: U16
    clock: U32
    ttl: U8


def make_traits(rng: np.random.Generator, count: int) -> Traits:
    """Draw addresses (RFC 5737 and RFC 2544 space), ports and counters."""
    return Traits(
        client=(0xFFFF << 32 | 0x0A000000) + rng.integers(2, 200, count).astype(np.uint64),
        server=(0xFFFF << 32 | 0xC6120000) + (np.arange(count) % NAMES).astype(np.uint64),
        port=(20_000 + np.arange(count) % 40_000).astype(np.uint16),
        isn=rng.integers(0, 2**32, (count, 2)).astype(np.uint32),
        ip_id=rng.integers(0, 2**16, (count, 2)).astype(np.uint16),
        clock=rng.integers(0, 2**31, (count, 2)).astype(np.uint32),
        ttl=rng.integers(40, 60, count).astype(np.uint8),
    )


def block(grid: Grid, cells: I64, pool: U8, hello_at: I64, traits: Traits) -> Segments:
    """Turn some cells of the grid, in time order, into packets."""
    row, slot = cells // SLOTS, cells % SLOTS
    outbound = grid.outbound[row, slot]
    side = (~outbound).astype(np.int64)
    offset, length, flags = grid.offset[row, slot], grid.length[row, slot], grid.flags[row, slot]
    stream = np.maximum(offset - 1, 0)
    hello = stream < np.where(row % 5 == 0, 1750, 600)
    filler = VARIANTS * FLIGHT
    at = np.where(outbound, np.where(hello, hello_at[row] + stream, filler), row % VARIANTS * FLIGHT + stream)
    client, server = traits.client[row], traits.server[row]
    port, https = traits.port[row], np.full(len(row), 443, np.uint16)
    syn = (flags & SYN) != 0
    acked = np.where((flags & ACK) == 0, 0, traits.isn[row, 1 - side] + grid.acked[row, slot].astype(np.uint32))
    return Segments(
        time=grid.time[row, slot],
        source_low=np.where(outbound, client, server),
        destination_low=np.where(outbound, server, client),
        sport=np.where(outbound, port, https),
        dport=np.where(outbound, https, port),
        ttl=np.where(outbound, 64, traits.ttl[row]).astype(np.uint8),
        ip_id=(traits.ip_id[row, side] + slot).astype(np.uint16),
        ip_flags=np.full(len(row), 2, np.uint8),
        seq=traits.isn[row, side] + offset.astype(np.uint32),
        ack=acked.astype(np.uint32),
        flags=flags,
        window=np.where(syn, 64240, 501).astype(np.uint16),
        padded=~outbound,
        options=block_options(grid, row, slot, side, traits),
        payload=Ragged.from_lengths(length, pool[spans(at, length)]),
    )


def block_options(grid: Grid, row: I64, slot: I64, side: I64, traits: Traits) -> Ragged:
    """Build the options: 20 bytes on SYNs, timestamps on all others, nothing on the bare RST."""
    heard = np.where(grid.outbound != grid.outbound[:, :1], np.arange(SLOTS), 0)
    other = np.maximum.accumulate(heard, axis=1)[row, slot]
    back = np.maximum.accumulate(np.where(grid.outbound, np.arange(SLOTS), 0), axis=1)[row, slot]
    other = np.where(side == 0, other, back)
    start = grid.time[row, 0]
    value = traits.clock[row, side] + ((grid.time[row, slot] - start) // 1_000_000).astype(np.uint32)
    echo = traits.clock[row, 1 - side] + ((grid.time[row, other] - start) // 1_000_000).astype(np.uint32)
    flags = grid.flags[row, slot]
    echo = np.where(flags == SYN, 0, echo).astype(np.uint32)
    syn, bare = (flags & SYN) != 0, flags == RST
    matrix = np.zeros((len(row), 20), np.uint8)
    matrix[:, :12] = np.frombuffer(timestamp_option(0, 0), np.uint8)
    matrix[syn] = np.frombuffer(syn_options(1460, 7, 0, 0), np.uint8)
    for column, numbers in ((0, value), (4, echo)):
        octets = numbers.astype(">u4").view(np.uint8).reshape(-1, 4)
        matrix[~syn, column + 4 : column + 8] = octets[~syn]
        matrix[syn, column + 8 : column + 12] = octets[syn]
    length = np.where(syn, 20, np.where(bare, 0, 12))
    return Ragged.from_lengths(length, matrix[np.arange(20) < length[:, None]])


def pcap_records(frames: Ragged, time: I64, snaplen: int) -> bytes:
    """Put a record header before every frame and cut it to *snaplen* bytes."""
    kept = np.minimum(frames.lengths, snaplen)
    start = np.cumsum(kept + 16) - (kept + 16)
    out = np.empty(int((kept + 16).sum()), np.uint8)
    header = np.stack([time // 10**9, time % 10**9, kept, frames.lengths], axis=1).astype("<u4")
    out[start[:, None] + np.arange(16)] = header.view(np.uint8).reshape(-1, 16)
    out[spans(start + 16, kept)] = frames.values[spans(frames.offsets[:-1], kept)]
    return out.tobytes()
