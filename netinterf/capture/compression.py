"""Expand gzip, bzip2, xz and zstd data piece by piece, within bounds.

Compressed data can be cut off, damaged or hostile. What was expanded before the damage is kept; the amount is bounded,
because a few kilobytes can expand to terabytes.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Protocol

from netinterf.errors import MissingExtra
from netinterf.schema import Diagnostic

__all__ = ["EXPANSION_FLOOR", "EXPANSION_RATIO", "Expander"]

OUTPUT_CHUNK = 1 << 20  # bytes of output asked for at a time
INPUT_CHUNK = 1024  # bytes of input given at a time: what a decoder expanded in the call that meets damage is lost
EXPANSION_FLOOR = 256 << 20
"""Bytes that any compressed capture may expand to, however small it is."""
EXPANSION_RATIO = 250
"""Times its own size that a compressed capture may expand to. Real traffic shrinks two- to twenty-fold, a constant
payload a hundredfold; deflate cannot exceed 1032:1, the other formats reach far more on zeros."""
XZ_MEMORY = 256 << 20  # bytes the xz decoder may use; `xz -9` needs 65 MiB


class Decoder(Protocol):
    """What the incremental decoders of the standard library have in common (zlib's is adapted to it)."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Expand *data*, returning at most *max_length* bytes; call again with nothing while no input is needed."""
        ...


class Gzip:
    """Give zlib's decoder the interface of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Say whether the end of the stream was reached."""
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """Return what follows the end of the stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Expand *data* and what was left over from the last call."""
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(out) < max_length
        return out


def _zstd() -> Any:
    """Find a zstd module: the standard library has one from Python 3.14 on."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    raise MissingExtra("reading zstd-compressed captures", "zstd")


def _decoder(kind: str) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
    """Choose how to make decoders of a kind, and what they raise on damage."""
    if kind == "gzip":
        return Gzip, (zlib.error,)
    if kind == "bzip2":
        return bz2.BZ2Decompressor, (OSError, ValueError)
    if kind == "xz":
        return (lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY)), (lzma.LZMAError,)
    module = _zstd()
    return module.ZstdDecompressor, (module.ZstdError,)


class Expander:
    """Expand a stream of compressed bytes; afterwards ``diagnostics`` says whether all went well.

    Args:
        kind: ``"gzip"``, ``"bzip2"``, ``"xz"`` or ``"zstd"``.

    Raises:
        MissingExtra: zstd is asked for and no module for it is installed.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.input_bytes = 0
        self.output_bytes = 0
        self.diagnostics: list[Diagnostic] = []
        self._new, self._errors = _decoder(kind)
        self._decoder: Decoder | None = None
        self._rest = b""  # less than a chunk: chunks begin at the same places however the stream is cut
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what *data*, cut anywhere, expand to, in pieces of at most 1 MiB; less than 1 KiB may be kept back.

        Several members in a row count as one stream (RFC 1952 §2.2).
        """
        data = self._rest + data if self._rest else data
        whole = len(data) // INPUT_CHUNK * INPUT_CHUNK
        self._rest = data[whole:]
        for at in range(0, whole, INPUT_CHUNK):
            yield from self._expand(data[at : at + INPUT_CHUNK])

    def close(self) -> Iterator[bytes]:
        """Yield what was kept back, and say whether the stream ended too early."""
        if self._rest:
            yield from self._expand(self._rest)
        if self._decoder is not None and not self._ended:
            self._note("capture.compressed_cut", f"the {self.kind} data end too early; what came before was read")
        self._rest, self._ended = b"", True

    def _expand(self, data: bytes) -> Iterator[bytes]:
        """Expand some bytes, unless the stream was given up before."""
        self.input_bytes += len(data)
        while not self._ended:
            if self._decoder is None:
                data = data.lstrip(b"\0") if self.output_bytes else data  # padding between or behind members
                if not data:
                    break
                self._decoder = self._new()
            try:
                out = self._decoder.decompress(data, OUTPUT_CHUNK)
            except self._errors as cause:
                reason = f"the {self.kind} data are damaged ({cause}); what came before was read"
                self._note("capture.compressed_damaged", reason)
                self._ended = True
                break
            if out:
                yield out
            self.output_bytes += len(out)
            if self.output_bytes > max(EXPANSION_FLOOR, EXPANSION_RATIO * self.input_bytes):
                message = f"{self.kind} data expand more than {EXPANSION_RATIO}-fold; the rest was left out"
                self.diagnostics.append(Diagnostic("capture.expansion_limit", message, self.output_bytes))
                self._ended = True
                break
            data = b""
            if self._decoder.eof:
                data, self._decoder = self._decoder.unused_data, None
            elif self._decoder.needs_input:
                break

    def _note(self, code: str, message: str) -> None:
        self.diagnostics.append(Diagnostic(code, message, self.output_bytes))
