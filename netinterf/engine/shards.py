"""The frames of a large capture, sorted by client: whoever is looked at is looked at with all that it did.

One pass over the capture says of every frame whose conversation it belongs to. Where the frames lie is written to a
temporary file, client by client, so that memory holds one shard at a time, and their bytes stay where they are. What
two addresses say to each other stays together in any case, fragments and ICMP errors included; which of the two is
the client is told by the first frames of them: by SYN and SYN/ACK, else the end with the higher port.
"""

import os
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U16, U64, Mask
from netinterf.capture import Capture
from netinterf.decode import Decoded, decode
from netinterf.engine.tally import joined
from netinterf.errors import UnreadableSource
from netinterf.flows.assign import endpoint_hash
from netinterf.flows.grouping import mix
from netinterf.schema import Diagnostic, Endpoints, IcmpQuotes, Packets, Records, Status, TcpFlag

__all__ = ["BUCKETS", "SHARD", "Homes", "Shards"]

BUCKETS = 1024
"""Among so many buckets clients are dealt by their addresses, and shards are made of whole buckets."""

SHARD = 1 << 18
"""Packets that a shard should hold: on four million of web traffic, half as many take as long and 60 MB less, twice as many
40 MB more; where clients meet the same servers, larger shards compare more of them."""

ROW = np.dtype([(column.name, column.dtype) for column in Records.schema()])
"""How a frame is written to the temporary file."""

SYN_WEIGHT = 1 << 32
"""A handshake says who the client is, whatever any number of ports say."""


@attrs.frozen(eq=False)
class Homes:
    """Which bucket the frames between two addresses belong to; pairs of addresses by a hash, rising."""

    pairs: U64 = attrs.field(factory=lambda: np.empty(0, np.uint64))
    buckets: U16 = attrs.field(factory=lambda: np.empty(0, np.uint16))

    def of(self, pair: U64) -> NDArray[np.integer[Any]]:
        """Look up the bucket of pairs; -1 for those that are not known."""
        if not len(self.pairs):
            return np.full(len(pair), -1)
        place = np.minimum(np.searchsorted(self.pairs, pair), len(self.pairs) - 1)
        return np.where(self.pairs[place] == pair, self.buckets[place].astype(np.int64), -1)

    def with_pairs(self, pair: U64, bucket: U16) -> Self:
        """Add pairs that are not known yet, rising."""
        place = np.searchsorted(self.pairs, pair)
        return attrs.evolve(
            self, pairs=np.insert(self.pairs, place, pair), buckets=np.insert(self.buckets, place, bucket)
        )


class Shards:
    """Frames of a capture by client, in a temporary file that goes when this is left.

    Args:
        strict: Refuse a capture of which even one frame cannot be decoded.

    Attributes:
        span: Times of the first and last frame, ns; None without any.
        bytes: Of all frames, on the wire.
        diagnostics: What decoding had to say.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._file = tempfile.TemporaryFile(prefix="netinterf-")  # noqa: SIM115  (closed on leaving)
        self._starts: list[I64] = []  # of each part: row of the file where each bucket begins, and where the last ends
        self._homes = Homes()
        self._rows = 0
        self.span: tuple[int, int] | None = None
        self.bytes = 0
        self.diagnostics: tuple[Diagnostic, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, capture: Capture) -> None:
        """Sort some frames of the capture to their clients, and keep where they lie.

        Raises:
            UnsupportedLinkType: With *strict*, a frame cannot be decoded.
            UnreadableSource: The temporary file cannot be written.
        """
        links = [interface.link_type for interface in capture.interfaces]
        for start in range(0, len(capture.records), SHARD):
            records = capture.records.take(slice(start, start + SHARD))
            decoded = decode(capture.buffer, records, links, source=capture.source, strict=self._strict, partial=True)
            try:
                self._write(decoded.packets, self._sorted(decoded))
            except OSError as cause:
                reason = f"no room for a temporary file: {cause.strerror or cause}"
                raise UnreadableSource(capture.source, reason) from cause
            self.bytes += int(records.length.sum(dtype=np.int64))
            self.diagnostics = joined(self.diagnostics, decoded.diagnostics)

    def _write(self, packets: Packets, bucket: U16) -> None:
        """Write down where packets lie, bucket by bucket."""
        order = np.argsort(bucket, kind="stable")
        rows = np.empty(len(packets), ROW)
        for column in ROW.names or ():
            rows[column] = getattr(packets, column)[order]
        self._file.write(rows.data)
        self._starts.append(self._rows + np.append(0, np.cumsum(np.bincount(bucket, minlength=BUCKETS))))
        self._rows += len(rows)
        began, ended = int(packets.time[0]), int(packets.time[-1])
        self.span = (began, ended) if self.span is None else (min(began, self.span[0]), max(ended, self.span[1]))

    def __len__(self) -> int:
        """Count the frames."""
        return self._rows

    def each(self, room: int) -> Iterator[Records]:
        """Give the frames of one shard after the other, in file order; a client with more than *room* has its own."""
        counts = sum((np.diff(starts) for starts in self._starts), np.zeros(BUCKETS, np.int64))
        for first, behind in pairwise(cuts(counts, room)):
            if counts[first:behind].any():
                yield self._read(first, behind)

    def _read(self, first: int, behind: int) -> Records:
        """Read the frames of some buckets."""
        self._file.flush()
        parts = []
        for starts in self._starts:
            begin, end = int(starts[first]), int(starts[behind])
            self._file.seek(begin * ROW.itemsize, os.SEEK_SET)
            parts.append(self._file.read((end - begin) * ROW.itemsize))
        rows = np.frombuffer(b"".join(parts), ROW)
        rows = rows[np.argsort(rows["frame"], kind="stable")]
        return Records(**{name: np.ascontiguousarray(rows[name]) for name in ROW.names or ()})

    def _sorted(self, decoded: Decoded) -> U16:
        """Say of each packet which bucket it belongs to; what has no addresses is in the first."""
        packets, ends = decoded.packets, quoted(decoded.endpoints, decoded.quotes)
        nothing = np.zeros(len(packets), np.uint16)
        source = endpoint_hash(ends.source_high, ends.source_low, nothing)
        target = endpoint_hash(ends.target_high, ends.target_low, nothing)
        pair, first, place = np.unique(source + target, return_index=True, return_inverse=True)
        bucket = self._homes.of(pair)
        fresh = bucket < 0
        if fresh.any():
            client = clients(packets, ends, source, target, first, place.reshape(-1))
            bucket[fresh] = (mix(client[fresh]) % np.uint64(BUCKETS)).astype(np.int64)
            self._homes = self._homes.with_pairs(pair[fresh], bucket[fresh].astype(np.uint16))
        by_packet: U16 = bucket.astype(np.uint16)[place.reshape(-1)]
        by_packet[packets.version == 0] = 0
        return by_packet


def cuts(counts: I64, room: int) -> list[int]:
    """Say where shards begin among buckets, and where the last ends: as full as they may be, or one bucket each."""
    places, held = [0], 0
    for bucket, count in enumerate(counts.tolist()):
        if held and held + count > room:
            places.append(bucket)
            held = 0
        held += count
    return [*places, len(counts)]


def quoted(endpoints: Endpoints, quotes: IcmpQuotes) -> Endpoints:
    """Put what ICMP errors quote in the place of their own ends: they belong to what they are about."""
    if not len(quotes):
        return endpoints
    changes = {}
    for column in Endpoints.schema():
        changes[column.name] = getattr(endpoints, column.name).copy()
        changes[column.name][quotes.packet] = getattr(quotes, column.name)
    return Endpoints(**changes)


def clients(packets: Packets, ends: Endpoints, source: U64, target: U64, first: I64, place: I64) -> U64:
    """Say which end of each pair of addresses is the client, by its hash.

    Args:
        packets: The packets.
        ends: Their ends.
        source: Hash of the address that each is from.
        target: Hash of the address that each goes to.
        first: The first packet of each pair.
        place: The pair of each packet.
    """
    headed = packets.status & (Status.FRAGMENT_LATER | Status.HEADER_CUT) == 0
    flags = packets.tcp_flags & (TcpFlag.SYN | TcpFlag.ACK | TcpFlag.RST)
    tcp = headed & (packets.protocol == 6)
    weight = np.where(headed, np.sign(ends.source_port.astype(np.int64) - ends.target_port.astype(np.int64)), 0)
    weight[tcp & (flags == TcpFlag.SYN)] = SYN_WEIGHT
    weight[tcp & (flags == TcpFlag.SYN | TcpFlag.ACK)] = -SYN_WEIGHT
    lower: Mask = source < target
    votes = np.bincount(place, np.where(lower, weight, -weight), len(first))
    by_first = lower[first]
    least, most = np.minimum(source, target)[first], np.maximum(source, target)[first]
    return np.where(np.where(votes == 0, by_first, votes > 0), least, most)
