"""The frames of a large capture, sorted by client: whoever is looked at is looked at with all that it did.

One pass over the capture says of every frame whose conversation it belongs to. Where the frames lie is written to a
temporary file, client by client, so that memory holds one shard at a time, and their bytes stay where they are. What
two addresses say to each other stays together in any case, fragments included (`netinterf.engine.homes`). An ICMP error
belongs to a conversation of its own; where that is in another shard than what it quotes, a copy goes there as company,
as do some of the lookups that others made at the same name servers (`netinterf.engine.company`).
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Self

import numpy as np

from netinterf.arrays import I64, U16, Mask
from netinterf.capture import Capture
from netinterf.decode import COUNTED, LINK_TYPE, decode
from netinterf.engine.company import Lookups, find_lookups
from netinterf.engine.homes import BUCKETS, Homes
from netinterf.engine.tally import joined
from netinterf.engine.window import MOST_FRAMES
from netinterf.errors import CaptureError, UnreadableSource
from netinterf.schema import Diagnostic, Packets, Records
from netinterf.values import frozen

__all__ = ["SHARD", "Shard", "Shards"]

SHARD = 1 << 18
"""Packets that a shard should hold: on four million of web traffic, half as many take as long and 60 MB less, twice as
many 40 MB more; where clients meet the same servers, larger shards compare more of them."""

CONVERSATION = 2
"""Packets whose room a pair of addresses takes beside its own: a million packets take 400 MB where a hundred are each,
and 1.2 GB where each is one (`netinterf.engine.options.WHOLE`)."""

COLUMNS = tuple(column.name for column in Records.schema())
ROW = np.dtype([*((column.name, column.dtype) for column in Records.schema()), ("copied", "?"), ("asked", "<u2")])
"""How a frame is written to the temporary file."""


@frozen(eq=False)
class Shard:
    """Frames of some clients, in file order."""

    records: Records
    copied: Mask  # company only, which is judged elsewhere: errors about its conversations, lookups of others


class Shards:
    """Frames of a capture by client, in a temporary file that goes when this is left.

    Args:
        name: What the capture is called in errors.
        strict: Refuse a capture of which even one frame cannot be decoded.

    Attributes:
        packets: How many frames there are.
        bytes: Of all of them, on the wire.
        span: Times of the first and last, ns; None without any.
        diagnostics: What decoding had to say.

    Raises:
        UnreadableSource: There is no room for a temporary file; so do its methods.
    """

    def __init__(self, name: str, *, strict: bool = False) -> None:
        self._name, self._strict = name, strict
        with self._writing():
            self._file = tempfile.TemporaryFile(prefix="netinterf-")  # noqa: SIM115  (closed on leaving)
        self._starts: list[I64] = []  # of each part: row of the file where each bucket begins, and where the last ends
        self._rows = 0
        self._homes, self._lookups = Homes(), Lookups.empty()
        self.packets = self.bytes = 0
        self.span: tuple[int, int] | None = None
        self.diagnostics: tuple[Diagnostic, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # of what could not be written, which was said before
            self._file.close()

    @property
    def decodable(self) -> bool:
        """Whether any frame could be decoded."""
        return sum(note.count for note in self.diagnostics if note.code == LINK_TYPE) < self.packets

    def add(self, capture: Capture) -> None:
        """Sort some frames of the capture to their clients, and keep where they lie.

        Raises:
            UnsupportedLinkType: With *strict*, a frame cannot be decoded.
            CaptureError: There are more frames than can be numbered.
        """
        links = [interface.link_type for interface in capture.interfaces]
        for start in range(0, len(capture.records), SHARD):
            records = capture.records.take(slice(start, start + SHARD))
            if int(records.frame[-1]) > MOST_FRAMES:
                raise CaptureError(self._name, f"more than {MOST_FRAMES:,} frames")
            decoded = decode(capture.buffer, records, links, source=self._name, strict=self._strict, partial=True)
            bucket = self._homes.of_packets(decoded.packets, decoded.endpoints)
            quoting, quoted = decoded.quotes.packet.astype(np.int64), self._homes.of_quotes(decoded.quotes)
            elsewhere = quoted != bucket[quoting]
            lookups, asking = find_lookups(capture.buffer, decoded.packets, decoded.endpoints, bucket)
            self._lookups = self._lookups.sampled_with(lookups)
            asked = np.zeros(len(records), np.uint16)
            asked[asking] = lookups.mark
            self._write(decoded.packets, bucket, asked, quoting[elsewhere], quoted[elsewhere])
            self.packets += len(records)
            self.bytes += int(records.length.sum(dtype=np.int64))
            began, ended = int(records.time.min()), int(records.time.max())
            self.span = (began, ended) if self.span is None else (min(began, self.span[0]), max(ended, self.span[1]))
            self.diagnostics = joined(self.diagnostics, decoded.diagnostics, COUNTED)

    def each(self, room: int) -> Iterator[Shard]:
        """Give one shard after the other: whole buckets, as many as there is room for, or one that has more."""
        for first, behind in self._parts(room):
            yield self._read(first, behind)

    def count(self, room: int) -> int:
        """Say how many shards there are."""
        return len(self._parts(room))

    def _parts(self, room: int) -> list[tuple[int, int]]:
        """Say where each shard begins among the buckets, and where it ends."""
        counts = sum((np.diff(starts) for starts in self._starts), np.zeros(BUCKETS, np.int64))
        places = pairwise(cuts(counts + CONVERSATION * self._homes.pairs, room))
        return [(first, behind) for first, behind in places if counts[first:behind].any()]

    def _write(self, packets: Packets, bucket: U16, asked: U16, quoting: I64, quoted: U16) -> None:
        """Write down where packets lie, bucket by bucket, those that quote something in another one twice."""
        place = np.append(np.arange(len(packets)), quoting)
        owner = np.append(bucket, quoted)
        told = packets.version[place] != 0  # what has no addresses belongs to nobody, and is counted
        told[:1] = True  # so that there is a frame where there is none else
        order = np.argsort(owner, kind="stable")
        order = order[told[order]]
        rows = np.empty(len(order), ROW)
        for column in COLUMNS:
            rows[column] = getattr(packets, column)[place[order]]
        rows["copied"] = order >= len(packets)
        rows["asked"] = asked[place[order]]
        with self._writing():
            self._file.write(rows.data)
            self._file.flush()
        self._starts.append(self._rows + np.append(0, np.cumsum(np.bincount(owner[order], minlength=BUCKETS))))
        self._rows += len(rows)

    def _read(self, first: int, behind: int) -> Shard:
        """Read the frames of some buckets, and add company."""
        parts = []
        for starts in self._starts:
            begin, end = int(starts[first]), int(starts[behind])
            with self._writing():
                self._file.seek(begin * ROW.itemsize, os.SEEK_SET)
                parts.append(self._file.read((end - begin) * ROW.itemsize))
        rows = np.frombuffer(b"".join(parts), ROW)
        own = Records(**{name: np.ascontiguousarray(rows[name]) for name in COLUMNS})
        company = self._lookups.of_others(np.unique(rows["asked"]), first, behind)
        records, copied = Records.concat([own, company]), np.append(rows["copied"], np.ones(len(company), np.bool_))
        order = np.lexsort((copied, records.frame))
        once = np.append(True, np.diff(records.frame[order]) != 0)[: len(order)]
        order = order[once]  # a copy beside its own frame says nothing
        return Shard(records.take(order), copied[order])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say of which capture a temporary file cannot be written."""
        try:
            yield
        except OSError as cause:
            reason = f"a temporary file cannot be written or read: {cause.strerror or cause}"
            raise UnreadableSource(self._name, reason) from cause


def cuts(counts: I64, room: int) -> list[int]:
    """Say where shards begin among buckets, and where the last ends: as full as they may be, or one bucket each."""
    places, held = [0], 0
    for bucket, count in enumerate(counts.tolist()):
        if held and held + count > room:
            places.append(bucket)
            held = 0
        held += count
    return [*places, len(counts)]
