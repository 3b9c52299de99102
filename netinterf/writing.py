"""How answers leave the library: whole or not at all, never onto what they were made from, and nothing live in them.

A file is written aside, in the folder where it will stand, and takes its place when it is whole: whatever stood there
before survives every failure. Text from the wire is written by whoever sent the packets, so `printable` and `dump` are
the two ways for it to come out: for people, what cannot be printed is shown as U+FFFD (and `readable` shortens what
would fill their screen); in JSON it is an escape, which is the same value again for whoever reads it.
"""

import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from types import TracebackType
from typing import Any, BinaryIO, Self, TextIO

from netinterf.errors import ParameterError

__all__ = [
    "ASIDE",
    "NewFile",
    "TextTarget",
    "count_of",
    "dump",
    "opened",
    "printable",
    "readable",
    "refuse_overwriting",
    "write_lines",
    "write_text",
]

ASIDE = ".netinterf-"
"""How files are called that are not whole yet. A process that is killed leaves its own: nobody takes it for a file."""

Path = str | os.PathLike[str]

TextTarget = Path | TextIO
"""A path, replaced when the file is whole, or a text file object."""


class NewFile:
    """A file that takes its place when it is whole; a pipe or device is written to at once.

    Permissions of a file that is replaced stay, and of a link, the file that it leads to is replaced.

    Args:
        path: Where it will stand.
        aside: What its name begins with until then.

    Attributes:
        stream: Takes its bytes.

    Raises:
        OSError: Nothing can be written there.
    """

    def __init__(self, path: Path, aside: str = ASIDE) -> None:
        self._place, self._aside = os.path.realpath(path), ""
        before = standing(path)
        if before is not None and (is_open(before) or not stat.S_ISREG(before.st_mode)):
            self.stream: BinaryIO = open(path, "wb")  # noqa: SIM115
            return
        if before is not None and not os.access(self._place, os.W_OK):
            raise PermissionError(13, os.strerror(13), os.fspath(path))
        import secrets  # (an answer that is printed needs no name)

        self._aside = os.path.join(os.path.dirname(self._place), aside + secrets.token_hex(8))
        self.stream = open(self._aside, "xb")  # noqa: SIM115
        if before is not None:
            with suppress(OSError):  # a file system without permissions
                os.chmod(self._aside, stat.S_IMODE(before.st_mode))

    def finish(self) -> None:
        """Put the file in its place.

        Raises:
            OSError: The last bytes could not be written, or the place cannot be taken; what stood there is untouched.
        """
        try:
            self.stream.close()
            if self._aside:
                os.replace(self._aside, self._place)
                self._aside = ""
        except OSError:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Leave what stood there as it was; after `finish` this does nothing."""
        with suppress(OSError):
            self.stream.close()
        if self._aside:
            with suppress(OSError):
                os.unlink(self._aside)
            self._aside = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()


@contextmanager
def opened(target: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open what bytes are written to: a new file, which is dropped when an error leaves the block, or one that is open.

    Raises:
        OSError: The target cannot be written.
    """
    if isinstance(target, str | os.PathLike):
        with NewFile(target) as file:
            yield file.stream
    else:
        yield target


def refuse_overwriting(target: object, inputs: Iterable[object]) -> None:
    """Refuse to write onto an input, whatever the names: links and other ways to one file are seen through.

    Args:
        target: A path, or ``"-"`` for standard output; other targets are left to whoever opened them.
        inputs: Paths, ``"-"`` for standard input, or open files; others are passed over.

    Raises:
        ParameterError: The target is one of the inputs.
    """
    if not isinstance(target, str | os.PathLike):
        return
    place = status(sys.stdout) if target == "-" else standing(target)
    if place is None or not stat.S_ISREG(place.st_mode):
        return
    for file in inputs:
        source = status(sys.stdin if file == "-" else file)
        if source is not None and os.path.samestat(place, source):
            name = "standard output" if target == "-" else str(target)
            raise ParameterError("out", name, "another file than what is read, which would be lost")


def standing(path: Path) -> os.stat_result | None:
    """Look up what stands where a file would be put; None where there is nothing.

    That is the *real* path, in which ``..`` takes back a folder that is not there, and of what has none (a pipe behind
    ``/dev/stdout``) the path itself.
    """
    return status(path) or status(os.path.realpath(path))


def status(file: object) -> os.stat_result | None:
    """Look up what a path leads to, or an open file is; None where there is nothing."""
    with suppress(OSError, ValueError, AttributeError):  # a file object without a number, or closed
        return os.stat(file) if isinstance(file, str | os.PathLike) else os.fstat(file.fileno())  # type: ignore[attr-defined]
    return None


def is_open(file: os.stat_result) -> bool:
    """Say whether a file is one of the streams of this process: nothing can be put in the place of an open file."""
    own = (status(stream) for stream in (sys.stdin, sys.stdout, sys.stderr))
    return any(entry is not None and os.path.samestat(file, entry) for entry in own)


def write_text(target: TextTarget, pieces: Iterable[str]) -> None:
    """Write pieces of text, one after the other as they come: UTF-8 with plain line ends on every system.

    Raises:
        OSError: The target cannot be written.
    """
    if isinstance(target, str | os.PathLike):
        with NewFile(target) as file, TextIOWrapper(file.stream, encoding="utf-8", newline="\n") as text:
            text.writelines(pieces)
        return
    target.writelines(pieces)


def write_lines(target: TextTarget, lines: Iterable[str]) -> None:
    """Write lines that come without their ends.

    Raises:
        OSError: The target cannot be written.
    """
    write_text(target, (line + "\n" for line in lines))


def printable(text: str) -> str:
    """Make text safe to show: what moves a cursor, turns the direction or breaks the line becomes U+FFFD.

    That is what Unicode puts into its categories "other" and "separator", but for the space: controls C0, C1 and DEL,
    controls of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), separators of lines, halves of
    surrogates, and what stands for nothing.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


LONGEST = 255
"""Signs of a word that are shown: no domain name has more octets (RFC 1035 §2.3.4), and no file's name on most systems
(POSIX, NAME_MAX). A server name in TLS or HTTP may be written with thousands."""


def readable(text: str) -> str:
    """Make text `printable`, and leave out the middle of words that are longer than names can be."""
    shown, half = printable(text), LONGEST // 2
    if len(shown) <= LONGEST:
        return shown
    words = (word if len(word) <= LONGEST else f"{word[:half]}…{word[-half:]}" for word in shown.split(" "))
    return " ".join(words)


def dump(document: dict[str, Any]) -> str:
    """Write an object as one line of JSON, without its end; what `printable` would replace is escaped (RFC 8259 §7)."""
    line = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return line if line.isprintable() else "".join(sign if sign.isprintable() else escaped(sign) for sign in line)


def escaped(sign: str) -> str:
    """Write one character as JSON's escapes of its UTF-16 halves; bytes that are no text (paths hold them) as well."""
    halves = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))


def count_of(number: int, noun: str) -> str:
    """Write a number of things, ``1 flow``, ``2,000 flows``; of nouns whose plural is regular."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
