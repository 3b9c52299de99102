"""ClientHello and ServerHello bodies, all messages at once.

The walk is in lock-step: one round reads one extension of every hello that has one left, so the number of numpy calls
is the number of extensions of the longest hello, not the number of hellos. What a hello holds behind the place where it
cannot be read is unknown; everything before it is kept, because cut and malformed hellos are common at a censor.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, U8, U16, Mask
from netinterf.numbering import distinct
from netinterf.protocols.cursor import Cursor
from netinterf.protocols.ja4 import Part, fingerprints
from netinterf.protocols.streams import words
from netinterf.schema import ParseError
from netinterf.table import Ragged, Text, spans
from netinterf.values import frozen

__all__ = ["Hellos", "Walk", "read_hellos", "spread"]

SERVER_NAME, SIGNATURES, ALPN, SUPPORTED_VERSIONS = 0, 13, 16, 43  # RFC 6066 §3, 8446 §4.2.3, 7301 §3.1, 8446 §4.2.1
READ = (SERVER_NAME, SIGNATURES, ALPN, SUPPORTED_VERSIONS)
"""Extensions whose data are read."""

ENCRYPTED_NAME = (0xFE0D, 0xFFCE, 0xFF02, 0xFF03, 0xFF04)
"""Extensions that carry an encrypted name: encrypted_client_hello (draft-ietf-tls-esni-13 and later, RFC 9849), ESNI
(draft-ietf-tls-esni-01) and the ECHO numbers between the two (drafts 03 to 08)."""


Lists = tuple[I64, I64, I64]
"""Rows, where the list of each begins, and its bytes."""


class Walk:
    """A reading position in each of many messages, and the first error of each.

    The positions move forward only, and only over bytes that are there and inside the message.

    Args:
        data: Bytes that all positions point into.
        start: First byte of each message: errors are counted from here.
        at: Where reading begins.
        stop: Behind the last byte that is there.
        bound: Where the message ends by its own length; moves down to the end of an inner list.
    """

    def __init__(self, data: U8, start: I64, at: I64, stop: I64, bound: I64) -> None:
        self.data, self.start, self.stop = data, start, stop
        self.at, self.bound = at.copy(), bound.copy()
        self.error = np.zeros(len(start), np.uint8)
        self.error_at = np.full(len(start), -1, np.int32)

    def fail(self, rows: I64, error: ParseError, at: I64) -> None:
        """Note an error at position *at* for those rows that have none yet."""
        fresh = self.error[rows] == ParseError.NONE
        rows = rows[fresh]
        self.error[rows] = error
        self.error_at[rows] = (at[fresh] - self.start[rows]).astype(np.int32)

    def fits(self, rows: I64, size: I64 | int) -> Mask:
        """Say which rows have *size* bytes left; the others fail with BAD_LENGTH or CUT."""
        at = self.at[rows]
        end = at + size
        inside = end <= self.bound[rows]
        there = end <= self.stop[rows]
        fit: Mask = inside & there
        if not fit.all():
            self.fail(rows[~inside], ParseError.BAD_LENGTH, at[~inside])
            cut = rows[inside & ~there]
            self.fail(cut, ParseError.CUT, self.stop[cut])
        return fit

    def having(self, rows: I64, size: I64 | int) -> I64:
        """Keep the rows that have *size* bytes left; the others fail."""
        return rows[self.fits(rows, size)]

    def skip(self, rows: I64, size: int) -> I64:
        """Step over *size* bytes; return the rows that could."""
        rows = self.having(rows, size)
        self.at[rows] += size
        return rows

    def skip_vector(self, rows: I64, width: int) -> I64:
        """Step over a vector whose length stands before it in *width* bytes; return the rows that could."""
        rows = self.having(rows, width)
        size = width + words(self.data, self.at[rows], width)
        fit = self.fits(rows, size)
        rows = rows[fit]
        self.at[rows] += size[fit]
        return rows


@frozen(eq=False)
class Hellos:
    """Columns of hello messages, n rows each; they mean what the columns of `Tls` mean."""

    version: U16
    name: Text
    alpn: Text
    ech: Mask
    versions: Ragged
    cipher: U16
    extensions: Ragged
    ja4: Text
    error: U8
    error_at: I32


def read_hellos(data: U8, start: I64, stop: I64, length: I64, client: Mask, transport: str = "t") -> Hellos:
    """Read hellos (RFC 8446 §4.1.2 and §4.1.3; the layout is that of TLS 1.0 to 1.3).

    Args:
        data: Bytes of all messages.
        start: First byte of each message, its 4-byte header included, shape (n,).
        stop: Behind the last byte that is there, at least ``start + 4``, shape (n,).
        length: Length by the message's header, shape (n,).
        client: The message is a ClientHello, shape (n,).
        transport: What carries them, as JA4 writes it.

    Returns:
        n rows. Never raises on what the bytes hold.
    """
    walk = Walk(data, start, start + 4, stop, start + 4 + length)
    version = np.zeros(len(start), np.uint16)
    rows = walk.having(np.arange(len(start)), 2)
    version[rows] = words(data, walk.at[rows], 2)
    rows = walk.skip(rows, 34)  # version and random
    rows = walk.skip_vector(rows, 1)  # session id
    asking, answering = rows[client[rows]], rows[~client[rows]]
    asking, suites = _ciphers(walk, asking)
    asking = walk.skip_vector(asking, 1)  # compression methods
    answering = walk.having(answering, 3)  # the chosen ones
    cipher = np.zeros(len(start), np.uint16)
    cipher[answering] = words(data, walk.at[answering], 2)
    walk.at[answering] += 3
    rows = distinct(np.concatenate([asking, answering]))
    extensions, places = _walk_extensions(walk, _enter_extensions(walk, rows))
    versions, chosen = _versions(walk, client, *places[SUPPORTED_VERSIONS])
    version[chosen >= 0] = chosen[chosen >= 0]
    alpn, signed = _protocols(walk, *places[ALPN]), _signatures(walk, client, *places[SIGNATURES])
    name = _names(walk, client, *places[SERVER_NAME])  # (last, as a name that is none spoils nothing else)
    whole = client & ((walk.error == ParseError.NONE) | (walk.error == ParseError.BAD_VALUE))
    said = _said(data, versions, extensions, version, suites, signed, places[ALPN])
    return Hellos(
        version=version,
        name=name,
        alpn=alpn,
        ja4=fingerprints(transport, whole, said),
        ech=_holds(extensions, ENCRYPTED_NAME),
        versions=versions,
        cipher=cipher,
        extensions=extensions,
        error=walk.error,
        error_at=walk.error_at,
    )


def _said(
    data: U8, versions: Ragged, extensions: Ragged, version: U16, suites: Lists, signed: Lists, alpn: tuple[I64, I64]
) -> Iterator[tuple[Part, I64, NDArray[np.integer[Any]]]]:
    """List what JA4 is made of, each part when it is asked for."""
    yield Part.VERSIONS, versions.parents(), versions.values
    yield Part.CIPHERS, *_numbers(data, *suites)
    yield Part.EXTENSIONS, extensions.parents(), extensions.values
    yield Part.SIGNATURES, *_numbers(data, *signed)
    yield Part.VERSION, np.arange(len(version)), version
    yield Part.PROTOCOL, *_ends_of_first(data, *alpn)


def _enter_extensions(walk: Walk, rows: I64) -> I64:
    """Read the length of the extension list; a hello may end before it (RFC 5246 §7.4.1.2)."""
    rows = rows[walk.at[rows] < walk.bound[rows]]
    rows = walk.having(rows, 2)
    end = walk.at[rows] + 2 + words(walk.data, walk.at[rows], 2)
    beyond, before = end > walk.bound[rows], end < walk.bound[rows]
    walk.fail(rows[beyond], ParseError.BAD_LENGTH, walk.at[rows[beyond]])  # extensions are still read to the end
    walk.fail(rows[before], ParseError.TRAILING, end[before])
    walk.bound[rows] = np.minimum(end, walk.bound[rows])
    walk.at[rows] += 2
    return rows


def _walk_extensions(walk: Walk, rows: I64) -> tuple[Ragged, dict[int, tuple[I64, I64]]]:
    """List extension types in order, and find the first extension of each kind that is read further.

    Returns:
        The types, and by type: where its data begins in each message (-1: absent or cut) and how long it is.
    """
    count = len(walk.at)
    places = {kind: (np.full(count, -1), np.zeros(count, np.int64)) for kind in READ}
    seen = [(np.empty(0, np.int64),) * 4]  # row, type, where its data begins (-1 where that is cut), its length
    while len(rows := walk.having(rows[walk.at[rows] < walk.bound[rows]], 4)):
        kind, size = words(walk.data, walk.at[rows], 2), words(walk.data, walk.at[rows] + 2, 2)
        walk.at[rows] += 4
        fit = walk.fits(rows, size)
        seen.append((rows, kind, np.where(fit, walk.at[rows], -1), size))
        rows, size = rows[fit], size[fit]
        walk.at[rows] += size
    row, kind, begin, size = map(np.concatenate, zip(*seen, strict=True))
    for wanted, (at, length) in places.items():
        hit = np.flatnonzero((kind == wanted) & (begin >= 0))[::-1]  # the last write wins: the first of each message
        at[row[hit]], length[row[hit]] = begin[hit], size[hit]
    types = kind[np.argsort(row, kind="stable")].astype(np.uint16)
    return Ragged.from_lengths(np.bincount(row, minlength=count), types), places


def _names(walk: Walk, client: Mask, at: I64, size: I64) -> Text:
    """Read the host name of the server_name extension (RFC 6066 §3): lower case, without a final dot."""
    rows = np.flatnonzero(client & (at >= 0))
    small = size[rows] < 5
    walk.fail(rows[small], ParseError.BAD_LENGTH, at[rows[small]])
    rows = rows[~small]
    begin = at[rows]
    listed, kind, length = words(walk.data, begin, 2), walk.data[begin + 2], words(walk.data, begin + 3, 2)
    long = (listed + 2 > size[rows]) | (length + 3 > listed)
    odd = ~long & ((kind != 0) | (length == 0))
    walk.fail(rows[long], ParseError.BAD_LENGTH, begin[long])
    walk.fail(rows[odd], ParseError.BAD_VALUE, begin[odd] + 2)
    good = ~long & ~odd
    rows, begin, length = rows[good], begin[good] + 5, length[good]
    length -= walk.data[begin + length - 1] == ord(".")
    lengths = np.zeros(len(at), np.int64)
    lengths[rows] = length
    letters = walk.data[spans(begin, length)]
    letters[(letters >= ord("A")) & (letters <= ord("Z"))] |= 0x20
    return Text.from_lengths(lengths, letters)


def _protocols(walk: Walk, at: I64, size: I64) -> Text:
    """Join the protocol names of the ALPN extension (RFC 7301 §3.1) with commas; few distinct lists occur."""
    rows = np.flatnonzero(at >= 0)
    view = walk.data.data
    known: dict[bytes, Cursor] = {}
    texts: dict[bytes, bytes] = {}
    lists = []
    for row, begin, end in zip(rows.tolist(), at[rows].tolist(), (at + size)[rows].tolist(), strict=True):
        body = bytes(view[begin:end])
        if body not in known:
            known[body], texts[body] = _protocol_list(body)
        if known[body].error:
            walk.fail(np.array([row]), known[body].error, np.array([begin + known[body].error_at]))
        lists.append(texts[body])
    lengths = np.zeros(len(at), np.int64)
    lengths[rows] = [len(text) for text in lists]
    return Text.from_lengths(lengths, np.frombuffer(b"".join(lists), np.uint8))


def _ends_of_first(data: U8, at: I64, size: I64) -> tuple[I64, I64]:
    """Join the first and last byte of the first name of ALPN lists (a name may hold a comma): rows, and numbers.

    Of a list that is not sound the numbers mean nothing.
    """
    rows = np.flatnonzero((at >= 0) & (size > 2))
    first = at[rows] + 3
    length = data[first - 1].astype(np.int64)
    named = (length > 0) & (length <= size[rows] - 3)
    rows, first, last = rows[named], first[named], (first + length - 1)[named]
    return rows, data[first].astype(np.int64) << 8 | data[last]


def _protocol_list(body: bytes) -> tuple[Cursor, bytes]:
    """Read one ALPN list; return the cursor, which knows of errors, and the names that could be read."""
    outer = Cursor(body)
    inner = outer.part(2)
    names = []
    while inner.left:
        name = inner.part(1)
        names.append(name.data[name.at : name.end])
    if inner.error:
        outer.fail(inner.error, inner.error_at)
    return outer, b",".join(names)


def _versions(walk: Walk, client: Mask, at: I64, size: I64) -> tuple[Ragged, I64]:
    """Read supported_versions (RFC 8446 §4.2.1): a list in a ClientHello, one number in a ServerHello.

    Returns:
        The versions, and the chosen one of each ServerHello (-1: none).
    """
    rows = np.flatnonzero(at >= 0)
    asking = client[rows]
    sized = rows[size[rows] > 0]
    listed = np.full(len(at), 2)
    listed[sized] = np.where(client[sized], walk.data[at[sized]], 2)
    bad = (listed[rows] + asking != size[rows]) | (listed[rows] % 2 == 1)
    walk.fail(rows[bad], ParseError.BAD_LENGTH, at[rows[bad]])
    rows, asking = rows[~bad], asking[~bad]
    counts = np.zeros(len(at), np.int64)
    counts[rows] = listed[rows] // 2
    _, values = _numbers(walk.data, rows, at[rows] + asking, listed[rows])
    chosen = np.full(len(at), -1)
    answering = rows[~asking]
    chosen[answering] = words(walk.data, at[answering], 2)
    return Ragged.from_lengths(counts, values.astype(np.uint16)), chosen


def _ciphers(walk: Walk, rows: I64) -> tuple[I64, Lists]:
    """Step over the list of cipher suites (RFC 8446 §4.1.2); give the rows that could, and what `_numbers` takes."""
    first = walk.at + 2
    rows = walk.skip_vector(rows, 2)
    begin, size = first[rows], walk.at[rows] - first[rows]
    odd = size % 2 == 1
    walk.fail(rows[odd], ParseError.BAD_LENGTH, begin[odd] - 2)
    return rows, (rows, begin, size)


def _signatures(walk: Walk, client: Mask, at: I64, size: I64) -> Lists:
    """Find the list in signature_algorithms (RFC 8446 §4.2.3) of ClientHellos; give what `_numbers` takes."""
    rows = np.flatnonzero(client & (at >= 0))
    listed = np.full(len(rows), -1)
    sized = size[rows] >= 2
    listed[sized] = words(walk.data, at[rows[sized]], 2)
    good = (listed + 2 == size[rows]) & (listed % 2 == 0)
    walk.fail(rows[~good], ParseError.BAD_LENGTH, at[rows[~good]])
    return rows[good], at[rows[good]] + 2, listed[good]


def _numbers(data: U8, rows: I64, begin: I64, size: I64) -> tuple[I64, I64]:
    """Read lists of numbers of two bytes, *size* bytes from *begin* on; give the row of each number, and numbers."""
    counts = size // 2
    step = spans(np.zeros(len(rows), np.int64), counts)
    return np.repeat(rows, counts), words(data, np.repeat(begin, counts) + 2 * step, 2)


def _holds(extensions: Ragged, kinds: tuple[int, ...]) -> Mask:
    """Say which messages have an extension of one of *kinds*."""
    hits: NDArray[Any] = np.bincount(
        extensions.parents(), weights=np.isin(extensions.values, np.array(kinds, np.uint16)), minlength=len(extensions)
    )
    holds: Mask = hits > 0
    return holds


def spread(some: Text, rows: I64, count: int) -> Text:
    """Lay texts out among *count* rows, the others empty; *rows* ascends."""
    lengths = np.zeros(count, np.int64)
    lengths[rows] = some.lengths
    return Text.from_lengths(lengths, some.values)
