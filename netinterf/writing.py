"""How text leaves the library: UTF-8 with plain line ends on every system, to a path or to a file that is open."""

import json
import os
from collections.abc import Iterable
from typing import Any, TextIO

__all__ = ["TextTarget", "dump", "write_lines", "write_text"]

TextTarget = str | os.PathLike[str] | TextIO
"""A path, replaced when it exists, or a text file object."""


def write_text(target: TextTarget, pieces: Iterable[str]) -> None:
    """Write pieces of text, one after the other as they come.

    Raises:
        OSError: The target cannot be written.
    """
    if isinstance(target, str | os.PathLike):
        with open(target, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        return
    target.writelines(pieces)


def write_lines(target: TextTarget, lines: Iterable[str]) -> None:
    """Write lines that come without their ends.

    Raises:
        OSError: The target cannot be written.
    """
    write_text(target, (line + "\n" for line in lines))


def dump(document: dict[str, Any]) -> str:
    """Write an object as one line of JSON, without its end; bytes that are no text (paths hold them) as escapes."""
    line = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return line.encode("utf-8", "backslashreplace").decode("utf-8")
