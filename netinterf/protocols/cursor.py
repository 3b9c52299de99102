"""A bounded reader for one message at a time that remembers where reading failed instead of raising.

Whole-array parsers cover what all messages share; a cursor reads the rest of the few that need it. After the first
failure every further read returns zeros or no bytes, so a parser is written as if the message were whole and looks at
`Cursor.error` once, at the end.
"""

from typing import Self

from netinterf.schema import ParseError

__all__ = ["Cursor"]


class Cursor:
    """Read big-endian numbers and byte strings from a part of a message.

    Args:
        data: The message.
        at: Where to begin.
        end: Where to stop; the end of the message when left out, and never behind it.
    """

    __slots__ = ("at", "data", "end", "error", "error_at")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.end = len(data) if end is None else min(max(end, 0), len(data))
        self.at = min(max(at, 0), self.end)
        self.error = ParseError.NONE
        self.error_at = -1

    @property
    def left(self) -> int:
        """Bytes not read yet; 0 after a failure."""
        return self.end - self.at

    def fail(self, error: ParseError, at: int | None = None) -> None:
        """Remember the first failure, at the current position unless *at* is given, and stop reading."""
        if self.error is ParseError.NONE:
            self.error = error
            self.error_at = self.at if at is None else at
        self.end = self.at

    def take(self, count: int) -> bytes:
        """Read *count* bytes; fewer left is a BAD_LENGTH and gives none."""
        if count > self.left:
            self.fail(ParseError.BAD_LENGTH)
            return b""
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        """Read an unsigned number of *size* bytes; fewer left is a BAD_LENGTH and gives 0."""
        return int.from_bytes(self.take(size), "big")

    def part(self, size: int) -> Self:
        """Read a length of *size* bytes and return a cursor over so many bytes, which are skipped here.

        A length that runs past the end is a BAD_LENGTH, and the part then holds what is there.
        """
        length = self.number(size)
        inner = type(self)(self.data, self.at, min(self.at + length, self.end))
        if length > self.left:
            self.fail(ParseError.BAD_LENGTH)
        else:
            self.at += length
        return inner
