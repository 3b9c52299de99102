"""Read files of measurements: JSON lines as probes write them and as they are published, plain or compressed by gzip.

A line that is no measurement costs that line and is counted. A file is read line by line, and its rows become tables
some thousand at a time, so that bodies of pages are never held together.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import BufferedReader
from typing import Any, cast

import numpy as np

from netinterf.errors import UnknownFormat, UnreadableSource
from netinterf.observations.attempts import TRANSPORTS
from netinterf.ooni.measurement import Try, control_tries, probe_tries
from netinterf.ooni.tables import Measured, Measurements, Tries
from netinterf.ooni.values import asn_in, country_in, dict_in, host_of, text_in, time_of
from netinterf.schema import Diagnostic
from netinterf.table import Ragged
from netinterf.values import define, frozen

__all__ = ["is_ooni", "read_measurements", "read_parts"]

GZIP = b"\x1f\x8b"  # RFC 1952 §2.3.1
TOGETHER = 2048
"""Measurements that become tables at a time."""
LONGEST = 64 << 20
"""Bytes of a line: a hundred times what a measurement with a long chain of pages has."""
FIRST, HEAD = 64, 1 << 16
"""Bytes of a file that are looked at to recognise it: one that does not begin as an object is soon put aside, and the
keys of the base format stand before those of the test."""

Path = str | os.PathLike[str]


@define
class LeftOut:
    """What could not be read of a file."""

    lines: int = 0
    first: str = ""  # which the first line was, and why
    cut: str = ""  # in which line the file ended too early, and why

    def add(self, line: int, reason: str) -> None:
        """Count a line."""
        self.first = self.first or f"line {line:,}: {reason}"
        self.lines += 1

    def end(self, line: int, reason: str) -> None:
        """Say where the file is cut off."""
        self.cut = f"line {line:,}: {reason}"

    @property
    def why_nothing(self) -> str:
        """Say why nothing was read."""
        return self.first or (f"it ends too early, {self.cut}" if self.cut else "it is empty")

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """Say it."""
        says = f"lines that are no measurement were left out ({self.first})"
        lines = (Diagnostic("ooni.lines", says, count=self.lines),) if self.lines else ()
        cut = f"the file ends too early ({self.cut}); what came before was read"
        return (*lines, Diagnostic("ooni.cut", cut)) if self.cut else lines


@frozen(kw_only=True)
class Row:
    """One measurement, before it becomes a row of tables."""

    columns: Mapping[str, Any]  # of `Measurements`
    tries: tuple[Try, ...]
    controls: tuple[Try, ...]


def is_ooni(path: Path) -> bool:
    """Say whether a file looks like one of measurements, cut off or not; a file that cannot be read does not."""
    try:
        with open(path, "rb") as file:
            plain = expanded(file)
            head = beginning(plain, FIRST)
            if not head.lstrip().startswith(b"{"):  # as most files that are asked about
                return False
            head += beginning(plain, HEAD)
    except OSError:
        return False
    return any(key in head for key in (b'"probe_cc"', b'"test_keys"'))


def beginning(plain: BufferedReader, size: int) -> bytes:
    """Read some bytes, or as many as there are before a file is cut off or damaged."""
    head = b""
    with suppress(EOFError, zlib.error, gzip.BadGzipFile):
        while len(head) < size and (piece := plain.read1(size - len(head))):
            head += piece
    return head


def read_measurements(paths: Path | Sequence[Path]) -> Measured:
    """Read measurements of one or several files.

    Args:
        paths: The files; see `read_parts`.

    Returns:
        All that could be read; its diagnostics say how many lines could not.

    Raises:
        UnreadableSource: A file cannot be read.
        UnknownFormat: A file holds no measurement.
    """
    every = [paths] if isinstance(paths, str | os.PathLike) else paths
    return Measured.joined([part for path in every for part in read_parts(path)])


def read_parts(path: Path) -> Iterator[Measured]:
    """Read the measurements of a file, some thousand at a time.

    Args:
        path: JSON lines, a measurement each, or a single measurement on many lines; plain or compressed by gzip.

    Yields:
        What was read, at least once; the last one says what could not be.

    Raises:
        UnreadableSource: The file cannot be read.
        UnknownFormat: It holds no measurement.
    """
    name, rows, left_out, found = os.fspath(path), list[Row](), LeftOut(), False
    for number, line in lines_of(name, left_out):
        try:
            rows.append(row_of(line, number))
        except (ValueError, RecursionError) as cause:
            (left_out.end if is_cut_off(line, cause) else left_out.add)(number, str(cause))
        if len(rows) == TOGETHER:
            yield tables_of(rows)
            rows, found = [], True
    if not rows and not found:
        raise UnknownFormat(name, f"it holds no OONI measurement ({left_out.why_nothing})")
    yield tables_of(rows, left_out.notes)


def is_cut_off(line: bytes, cause: Exception) -> bool:
    """Say whether a line that cannot be read is one that ends too early."""
    begun = line.lstrip().startswith(b"{") and not line.endswith(b"\n")
    return begun and isinstance(cause, json.JSONDecodeError | UnicodeDecodeError)


def lines_of(name: str, left_out: LeftOut) -> Iterator[tuple[int, bytes]]:
    """Give the lines of a file that are not empty, numbered from 1; one that is a single brace begins a whole object.

    Raises:
        UnreadableSource: The file cannot be read.
    """
    number = 0
    try:
        with open(name, "rb") as file:
            plain = expanded(file)
            while line := plain.readline(LONGEST):
                number += 1
                if line.strip() == b"{":
                    line += plain.read(LONGEST)
                if len(line) >= LONGEST:
                    left_out.add(number, f"it is longer than {LONGEST:,} bytes")
                    while line and not line.endswith(b"\n"):
                        line = plain.readline(LONGEST)
                elif line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as cause:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        if not number and not isinstance(cause, EOFError):
            raise UnreadableSource(name, f"cannot be read: {reason}") from cause
        left_out.end(number + 1, reason)


def expanded(file: BufferedReader) -> BufferedReader:
    """Give what a file holds, expanded if it is compressed."""
    packed = file.peek(len(GZIP)).startswith(GZIP)
    return cast("BufferedReader", gzip.GzipFile(fileobj=file)) if packed else file  # (it reads like one)


def row_of(line: bytes, number: int = 1) -> Row:
    """Read one measurement.

    Args:
        line: What stands there.
        number: Which line it is.

    Raises:
        ValueError: It is none.
        RecursionError: It is none, and nested without end.
    """
    whole = json.loads(line)
    if isinstance(whole, dict):
        whole = dict_in(whole, "content") or whole  # as collectors are sent them
    if not isinstance(whole, Mapping) or not isinstance(whole.get("test_keys"), Mapping):
        raise ValueError("it has no test_keys")
    keys, time, url = dict_in(whole, "test_keys"), time_of(whole), text_in(whole, "input")
    scheme, name = host_of(url)
    blocking, accessible = keys.get("blocking"), keys.get("accessible")
    columns = {
        "line": number,
        "report": text_in(whole, "report_id"),
        "time": time,
        "asn": asn_in(whole, "probe_asn"),
        "country": country_in(whole, "probe_cc"),
        "test": text_in(whole, "test_name"),
        "input": url,
        "name": name,
        "resolver": text_in(whole, "resolver_ip") or text_in(keys, "client_resolver"),
        "resolver_asn": asn_in(whole, "resolver_asn"),
        "blocking": "false" if blocking is False else text_in(keys, "blocking"),
        "accessible": int(accessible) if isinstance(accessible, bool) else -1,
    }
    controls = control_tries(dict_in(keys, "control"), time, scheme, name)
    return Row(columns=columns, tries=tuple(probe_tries(keys, time, name)), controls=tuple(controls))


def tables_of(rows: Sequence[Row], notes: tuple[Diagnostic, ...] = ()) -> Measured:
    """Turn measurements into tables."""
    names = [column.name for column in Measurements.schema()]
    return Measured(
        measurements=Measurements.of(**{name: [row.columns[name] for row in rows] for name in names}),
        tries=table_of([row.tries for row in rows]),
        controls=table_of([row.controls for row in rows]),
        diagnostics=notes,
    )


def table_of(tries: Sequence[tuple[Try, ...]]) -> Tries:
    """Turn the attempts of each measurement into one table."""
    every = [one for some in tries for one in some]
    ends = np.array([one.server for one in every], np.uint64).reshape(-1, 3)
    answers = np.array([answer for one in every for answer in one.answers], np.uint64).reshape(-1, 2)
    counts = [len(one.answers) for one in every]
    plain = ("time", "name", "state", "abrupt", "at_opening", "failure", "resolver", "issuer", "key", "status")
    return Tries.of(
        measurement=np.repeat(np.arange(len(tries)), [len(some) for some in tries]),
        transport=[TRANSPORTS.index(one.transport) for one in every],
        high=ends[:, 0],
        low=ends[:, 1],
        port=ends[:, 2],
        answer_high=Ragged.from_lengths(counts, answers[:, 0].copy()),
        answer_low=Ragged.from_lengths(counts, answers[:, 1].copy()),
        **{name: [getattr(one, name) for one in every] for name in plain},
    )
