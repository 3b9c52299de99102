"""Bytes of a capture as they come: expanded if they are compressed, refused as soon as they show to be no capture."""

from collections.abc import Iterator

from netinterf.arrays import U8
from netinterf.capture.compression import Expander
from netinterf.capture.formats import compression_of, describe, format_of
from netinterf.errors import UnknownFormat, UnreadableSource
from netinterf.schema import Diagnostic

__all__ = ["HEAD", "Inlet", "known_format"]

HEAD = 64  # bytes that show format and compression


def known_format(head: bytes | U8, name: str, compression: str = "") -> str:
    """Tell the capture format from its first (expanded) bytes.

    Raises:
        UnreadableSource: There are none.
        UnknownFormat: It is no capture.
    """
    head = bytes(head[:HEAD])
    if not head:
        raise UnreadableSource(name, "the compressed data are empty" if compression else "there are no bytes", 0)
    capture_format = format_of(head)
    if not capture_format:
        inner = f" (inside {compression} data)" if compression else ""
        raise UnknownFormat(name, describe(head) + inner, 0)
    return capture_format


class Inlet:
    """Expand what is fed, cut anywhere, once its first bytes are those of a capture.

    Nothing comes out before :data:`HEAD` bytes are there, or the stream is closed.

    Args:
        name: What to call the stream in errors.

    Attributes:
        format: ``"pcap"`` or ``"pcapng"``; empty while it is not known.
        compression: How the stream is compressed; empty for not at all, or while it is not known.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.format = ""
        self.compression = ""
        self._expander: Expander | None = None
        self._raw: bytes | None = b""  # the first bytes as they came, None once their compression is known
        self._head = b""  # the first bytes expanded, until their format is known

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What went wrong while expanding."""
        return () if self._expander is None else tuple(self._expander.diagnostics)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what *data* expands to.

        Raises:
            UnknownFormat: The stream is no capture.
            MissingExtra: It is compressed with zstd and no module for that is installed.
        """
        if self._raw is not None:
            self._raw += data
            if len(self._raw) < HEAD:
                return
            data = self._unpack()
        yield from self._known(data if self._expander is None else self._expander.feed(data))

    def close(self) -> Iterator[bytes]:
        """Yield what was kept back.

        Raises:
            UnreadableSource: There was nothing, or nothing that could be expanded.
            UnknownFormat: The stream is no capture.
            MissingExtra: See `feed`.
        """
        data = b"" if self._raw is None else self._unpack()
        if self._expander is None:
            yield from self._known(data)
        else:
            yield from self._known(self._expander.feed(data))
            yield from self._known(self._expander.close())
        if not self.format:
            notes = self.diagnostics
            if notes and not format_of(self._head):
                raise UnreadableSource(self.name, notes[0].message, 0)
            self.format = known_format(self._head, self.name, self.compression)
            yield self._head
            self._head = b""

    def through(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what a whole stream expands to; see `feed` and `close` for the errors."""
        for piece in pieces:
            yield from self.feed(piece)
        yield from self.close()

    def _unpack(self) -> bytes:
        """Tell the compression; give the bytes that showed it."""
        raw, self._raw = self._raw or b"", None
        self.compression = compression_of(raw)
        self._expander = Expander(self.compression) if self.compression else None
        return raw

    def _known(self, pieces: Iterator[bytes] | bytes) -> Iterator[bytes]:
        """Hold expanded pieces back until the first of them show the format."""
        for piece in [pieces] if isinstance(pieces, bytes) else pieces:
            if self.format:
                yield piece
                continue
            self._head += piece
            if len(self._head) >= HEAD:
                self.format = known_format(self._head, self.name, self.compression)
                yield self._head
                self._head = b""
