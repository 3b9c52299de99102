"""Small captures by the dozen, and what a store holds, in an order of its own."""

import gzip
import struct
from functools import cache
from pathlib import Path

import pyarrow as pa

from netinterf import Campaign
from netinterf.engine.examples import FOLDER

HEADER, RECORD = 24, 16


@cache
def capture(example: str = "benign", packets: int = 30) -> bytes:
    """Take the first packets of an example."""
    data = gzip.decompress((FOLDER / f"{example}.pcap.gz").read_bytes())
    at = HEADER
    for _ in range(packets):
        at += RECORD + struct.unpack_from("<I", data, at + 8)[0]
    return data[:at]


def variant(number: int, data: bytes | None = None) -> bytes:
    """Make another content of the same packets: the accuracy of times, which nobody reads, is another."""
    data = capture() if data is None else data
    return data[:12] + struct.pack("<I", number) + data[16:]


def write(folder: Path, count: int, first: int = 0) -> list[Path]:
    """Write some captures that differ in content."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number:04}.pcap" for number in range(first, first + count)]
    for number, path in enumerate(paths, first):
        path.write_bytes(variant(number))
    return paths


def observations(store: Path) -> list[str]:
    """List the rows of observations that count, without what a key decides."""
    return listed(Campaign(store).observations(), {"unit", "name_key", "service", "site"})


def entries(store: Path) -> list[str]:
    """List the entries of files, without when these were written."""
    return listed(Campaign(store).captures(), {"mtime_ns"})


def listed(batches, without=frozenset()) -> list[str]:
    """List rows in an order of their own."""
    rows = pa.Table.from_batches(list(batches)).to_pylist() if (batches := list(batches)) else []
    return sorted(str({name: value for name, value in row.items() if name not in without}) for row in rows)
