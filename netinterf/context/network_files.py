"""Files of networks in the forms that people have: recognised by what they hold, whatever they are called.

A file is known by its content. Where captures are judged side by side, it travels as its path and a digest, and every
process reads it once: a million networks need not be sent along with each capture.
"""

import gzip
import hashlib
import os
import zlib
from functools import lru_cache
from io import BufferedReader
from typing import cast

from netinterf.arrays import I32, U64
from netinterf.context.databases import Database
from netinterf.context.network_lines import read_table
from netinterf.context.networks import NetworkSource, NetworkTable
from netinterf.errors import ParameterError
from netinterf.values import frozen

__all__ = ["NetworkFile", "network_file"]

GZIP = b"\x1f\x8b"  # RFC 1952 §2.3.1

KEPT = 8
"""Files that a process keeps: more than are given at once, and not all of a day's work in a notebook."""


@frozen
class NetworkFile:
    """A regular file, known by its content."""

    path: str
    digest: bytes

    def __bool__(self) -> bool:
        return bool(content(self))

    def find(self, high: U64, low: U64) -> tuple[NetworkTable, I32]:
        """Look addresses up; see `NetworkSource.find`.

        Raises:
            ParameterError: In another process the file is not there, or is another.
        """
        return content(self).find(high, low)


def network_file(path: str | os.PathLike[str]) -> NetworkSource:
    """Read a file of networks: a table or a database, plain or compressed by gzip.

    Raises:
        ParameterError: It cannot be read, is of no known form, or a line is malformed (its number is given).
        MissingExtra: It is a database, and the package that reads databases is not installed.
    """
    name = os.fspath(path)
    if not os.path.isfile(name):  # a pipe, which can be read once, or nothing
        return read_file(name)
    file = NetworkFile(name, digest_of(name))
    content(file)
    return file


@lru_cache(maxsize=KEPT)
def content(file: NetworkFile) -> NetworkSource:
    """Read a file, once in every process."""
    if digest_of(file.path) != file.digest:
        raise ParameterError("networks", file.path, "a file that stays as it is, and is the same in all processes")
    return read_file(file.path)


def digest_of(path: str) -> bytes:
    """Tell files of different content apart."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError as cause:
        raise unreadable(path, cause) from cause


def read_file(path: str) -> NetworkSource:
    """Read a file by what it holds: a zero byte, which no text has, begins the tree of every database."""
    try:
        with open(path, "rb") as file:
            packed = file.peek(len(GZIP)).startswith(GZIP)
            plain = cast("BufferedReader", gzip.GzipFile(fileobj=file)) if packed else file  # (it reads like one)
            if b"\0" not in plain.peek(1):
                return read_table(plain, path)
            return Database.of(plain.read() if packed or not os.path.isfile(path) else None, path)
    except (OSError, EOFError, zlib.error) as cause:
        raise unreadable(path, cause) from cause


def unreadable(path: str, cause: Exception) -> ParameterError:
    """Say why a file cannot be read."""
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return ParameterError("networks", path, f"a readable file ({reason})")
