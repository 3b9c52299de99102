"""TLS framing: take the record headers out of many streams and find the handshake messages and alerts in the clear.

All streams advance in lock-step: one round reads one record header of every stream that has one left. Handshake
messages ignore record boundaries (RFC 8446 §5.1): one may span many records, which evasion tools use on purpose, and
one record may hold many. So the fragments of each stream are first joined, then messages are cut by their own lengths.

Where the clear part ends: at application data; after ChangeCipherSpec, unless what follows looks like another hello
(the second flight after a HelloRetryRequest, RFC 8446 §D.4); at anything that is no TLS record. An alert is in the
clear when its fragment has two bytes: encrypted ones are longer.
"""

from typing import Any

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.pieces import gather
from netinterf.protocols.streams import Streams, words
from netinterf.values import frozen

__all__ = ["Fragments", "Messages", "find_messages", "read_records", "unfinished"]

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22  # RFC 8446 §5.1
LONGEST_RECORD = 2**14 + 2048  # RFC 5246 §6.2.3; TLS 1.3 allows less
LAST_HANDSHAKE_TYPE = 25  # RFC 8446 §B.3 and RFC 8879 §7.3; a higher first byte is no handshake in the clear
RECORD_HEADER, MESSAGE_HEADER = 5, 4


@frozen(eq=False)
class Fragments:
    """Records in the clear, by stream, then place.

    Args:
        stream: Row in Streams.
        kind: Content type: ALERT or HANDSHAKE.
        version: Version in the record header.
        at: Position of the fragment's first byte in the flat array of the streams.
        length: Bytes of the fragment that are there.
        unfinished: Per stream: its bytes ended while records were still in the clear.
    """

    stream: I64
    kind: I64
    version: I64
    at: I64
    length: I64
    unfinished: Mask

    def take(self, rows: Any) -> "Fragments":
        """Select fragments by number or mask."""
        return Fragments(
            self.stream[rows], self.kind[rows], self.version[rows], self.at[rows], self.length[rows], self.unfinished
        )


@frozen(eq=False)
class Messages:
    """Handshake messages, by stream, then place; header included.

    Args:
        data: Joined fragments of all streams; positions below point into it unless they say otherwise.
        stream: Row in Streams.
        kind: Handshake type.
        version: Version of the record where the message begins.
        start: First byte of the message.
        stop: Behind the last byte that is there.
        length: Length by the message header, without the header; -1 when the header is cut.
        first: Position in the stream's bytes of the message's first byte.
        last: Position in the stream's bytes of the last byte that is there.
    """

    data: U8
    stream: I64
    kind: I64
    version: I64
    start: I64
    stop: I64
    length: I64
    first: I64
    last: I64


def read_records(streams: Streams) -> Fragments:
    """Walk the records of every stream as far as they are in the clear."""
    data, ends = streams.data.values, streams.data.offsets[1:]
    place = streams.data.offsets[:-1].copy()
    unfinished = np.zeros(len(streams), np.bool_)
    sealed = np.zeros(len(streams), np.bool_)  # a ChangeCipherSpec was the last record
    rounds: list[tuple[I64, ...]] = []
    row = np.arange(len(streams))
    while len(row):
        whole = ends[row] - place[row] >= RECORD_HEADER
        unfinished[row[~whole]] = True
        row = row[whole]
        at = place[row]
        kind, version, length = data[at].astype(np.int64), words(data, at + 1, 2), words(data, at + 3, 2)
        at += RECORD_HEADER
        have = np.minimum(length, ends[row] - at)
        clear = (kind >= CHANGE_CIPHER_SPEC) & (kind <= HANDSHAKE) & (version >= 0x0300) & (version <= 0x0304)
        clear &= (length <= LONGEST_RECORD) & ((kind != ALERT) | (length == 2))
        if not rounds:
            clear &= kind != CHANGE_CIPHER_SPEC  # no stream begins with it
        guarded = np.flatnonzero(clear & sealed[row] & (kind == HANDSHAKE))
        clear[guarded] = _looks_like_hello(data, at[guarded], have[guarded])
        row, kind, version, at, length, have = (part[clear] for part in (row, kind, version, at, length, have))
        sealed[row] = kind == CHANGE_CIPHER_SPEC
        rounds.append((row, kind, version, at, have))
        unfinished[row[have < length]] = True
        place[row] = at + length
        row = row[have == length]
    stream, kind, version, at, length = (
        np.concatenate([part[column] for part in rounds] or [row]) for column in range(5)
    )
    fragments = Fragments(stream, kind, version, at, length, unfinished & streams.more)
    return fragments.take(np.argsort(stream, kind="stable"))


def _looks_like_hello(data: U8, at: I64, have: I64) -> Mask:
    """Say where a fragment begins as a ClientHello or ServerHello does: type, length below 2^16, version 3.x."""
    looks = have >= 6
    at = at[looks]
    looks[looks] = ((data[at] == 1) | (data[at] == 2)) & (data[at + 1] == 0) & (data[at + 4] == 3)
    return looks


def unfinished(streams: Streams) -> Mask:
    """Say which streams were cut by the gathering limit before the clear part of their handshake ended.

    Args:
        streams: Sides that begin as TLS.

    Returns:
        One flag per stream; a flagged stream is worth gathering again with more bytes.
    """
    return read_records(streams).unfinished


def find_messages(streams: Streams, fragments: Fragments) -> Messages:
    """Join the handshake fragments of each stream and cut them into messages.

    Args:
        streams: The streams.
        fragments: Their records, as `read_records` returns them.
    """
    parts = fragments.take((fragments.kind == HANDSHAKE) & (fragments.length > 0))
    data = gather(streams.data.values, parts.at, parts.length)
    joined_at = np.cumsum(parts.length) - parts.length
    sizes = np.bincount(parts.stream, weights=parts.length, minlength=len(streams)).astype(np.int64)
    ends = np.cumsum(sizes)
    place = ends - sizes
    rounds: list[tuple[I64, ...]] = []
    row = np.flatnonzero(sizes)
    while len(row):
        start = place[row]
        room = ends[row] - start
        kind, length = data[start].astype(np.int64), np.full(len(row), -1)
        whole = room >= MESSAGE_HEADER
        length[whole] = words(data, start[whole] + 1, 3)
        size = MESSAGE_HEADER + np.maximum(length, 0)
        known = kind <= LAST_HANDSHAKE_TYPE
        rounds.append((row[known], kind[known], start[known], (start + np.minimum(size, room))[known], length[known]))
        place[row] += size
        row = row[known & (size < room)]
    stream, kind, start, stop, length = (
        np.concatenate([part[column] for part in rounds] or [row]) for column in range(5)
    )
    order = np.argsort(start, kind="stable")
    stream, kind, start, stop, length = (part[order] for part in (stream, kind, start, stop, length))
    begins = np.searchsorted(joined_at, start, side="right") - 1
    finishes = np.searchsorted(joined_at, stop - 1, side="right") - 1
    base = streams.data.offsets[stream]
    return Messages(
        data=data,
        stream=stream,
        kind=kind,
        version=parts.version[begins],
        start=start,
        stop=stop,
        length=length,
        first=parts.at[begins] + start - joined_at[begins] - base,
        last=parts.at[finishes] + stop - 1 - joined_at[finishes] - base,
    )
