"""Compare JA4 of client hellos with tshark: ``python -m benchmarks hellos DIR``.

What is compared are the different fingerprints of each pair of ends, since tshark tells of a hello where it ends, and
of one over QUIC each time that it is sent again. Captures in which the library reads no hello are not shown to tshark.
"""

import ipaddress
import lzma
import subprocess
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.machine import write_json
from netinterf.capture import find_captures
from netinterf.errors import NetinterfError
from netinterf.schema import ParseError, Quic, Tls, TlsKind
from netinterf.trace import Trace, read

__all__ = ["Agreement", "compare", "run"]

FIELDS = (
    "tls.handshake.ja4",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "udp.srcport",
    "ip.dst",
    "ipv6.dst",
    "tcp.dstport",
    "udp.dstport",
)
PREFERENCES = ("tcp.reassemble_out_of_order:TRUE", "tcp.desegment_tcp_streams:TRUE")
SHOWN = 100

Ends = tuple[str, int, str, int]
"""Address and port of the sender, then of the receiver."""


@attrs.define
class Agreement:
    """How many fingerprints are equal, and which are not; a capture is *bare* where the library reads no hello."""

    captures: Counter[str] = attrs.field(factory=Counter)
    equal: Counter[str] = attrs.field(factory=Counter)  # by what carries the hello
    differing: Counter[str] = attrs.field(factory=Counter)  # by what they differ in
    unseen: Counter[str] = attrs.field(factory=Counter)  # by one side, with what the library says of that hello
    listed: list[str] = attrs.field(factory=list)

    def add(self, other: "Agreement") -> None:
        """Count more."""
        for one in ("captures", "equal", "differing", "unseen"):
            getattr(self, one).update(getattr(other, one))
        self.listed += other.listed


def compare(path: Path) -> Agreement:
    """Compare the hellos of one capture."""
    found = Agreement()
    try:
        trace = read(path)
    except NetinterfError:
        found.captures["refused"] += 1
        return found
    ours = hellos(trace)
    if not ours:
        found.captures["bare"] += 1
        return found
    found.captures["compared"] += 1
    theirs = told_by_tshark(path)
    for ends in sorted(ours.keys() | theirs.keys()):
        with_tshark(ours.get(ends, set()), theirs.get(ends, set()), f"{path.parent.name}/{path.name} {ends}", found)
    return found


def with_tshark(ours: set[tuple[str, str]], theirs: set[str], place: str, found: Agreement) -> None:
    """Compare the hellos between two ends; *ours* are fingerprints, or none and what is wrong with the hello."""
    written = {one for one, _ in ours if one}
    troubles = ", ".join(sorted(trouble for one, trouble in ours if not one))
    found.equal.update(one[0] for one in written & theirs)
    for mine, wanted in zip_longest(sorted(written - theirs), sorted(theirs - written)):
        if mine and wanted:
            found.differing[parts_apart(mine, wanted)] += 1
        elif mine:
            found.unseen["by tshark"] += 1
        else:
            found.unseen[f"by the library: {troubles or ('another one read' if written else 'no hello there')}"] += 1
        found.listed.append(f"{place}: {mine} != {wanted} {troubles}".rstrip())


def parts_apart(mine: str, wanted: str) -> str:
    """Name the parts in which two fingerprints differ."""
    heads = zip(
        ("transport", "version", "name", "ciphers", "extensions", "protocol"), cut(mine), cut(wanted), strict=True
    )
    apart = [name for name, one, other in heads if one != other]
    for name, one, other in zip(("suites", "rest"), mine.split("_")[1:], wanted.split("_")[1:], strict=True):
        apart += [name] if one != other else []
    return ", ".join(apart)


def cut(fingerprint: str) -> tuple[str, ...]:
    """Cut the first part of a fingerprint into its fields."""
    return tuple(fingerprint[begin:end] for begin, end in ((0, 1), (1, 3), (3, 4), (4, 6), (6, 8), (8, 10)))


def hellos(trace: Trace) -> dict[Ends, set[tuple[str, str]]]:
    """List the client hellos between each two ends: fingerprint, empty for none, and what was wrong with the hello."""
    found: dict[Ends, set[tuple[str, str]]] = defaultdict(set)
    tls, quic = trace.tls, trace.quic
    rows: list[tuple[Tls | Quic, int, bool]]
    rows = [(tls, row, bool(tls.outbound[row])) for row in np.flatnonzero(tls.kind == TlsKind.CLIENT_HELLO).tolist()]
    rows += [(quic, row, True) for row in range(len(quic))]
    for table, row, outbound in rows:
        flow = int(table.flow[row])
        trouble = ParseError(int(table.error[row])).name
        client = trace.address(int(trace.flows.client[flow])), int(trace.flows.client_port[flow])
        server = trace.address(int(trace.flows.server[flow])), int(trace.flows.server_port[flow])
        ends = (*client, *server) if outbound else (*server, *client)
        found[ends].add((table.ja4[row], trouble))
    return found


def told_by_tshark(path: Path) -> dict[Ends, set[str]]:
    """List what tshark writes of the hellos between each two ends; of tunnels, the innermost ends count."""
    packed = path.suffix == ".xz"  # tshark unpacks the other formats itself
    words = ["tshark", "-n", "-r", "-" if packed else str(path), "-Y", "tls.handshake.ja4 && !icmp && !icmpv6"]
    words += [word for preference in PREFERENCES for word in ("-o", preference)]
    words += ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,"]
    words += [word for field in FIELDS for word in ("-e", field)]
    piped = lzma.decompress(path.read_bytes()) if packed else None
    told = subprocess.run(words, input=piped, capture_output=True, check=False, timeout=600).stdout
    found: dict[Ends, set[str]] = defaultdict(set)
    for line in told.decode("utf-8", "replace").splitlines():
        fields = [field.split(",") for field in line.split("\t")]
        if len(fields) != len(FIELDS):
            continue
        source, port, target, other = (
            next((values[-1] for values in pair if values[-1]), "0")
            for pair in (fields[1:3][::-1], fields[3:5], fields[5:7][::-1], fields[7:9])
        )
        ends = str(ipaddress.ip_address(source)), int(port), str(ipaddress.ip_address(target)), int(other)
        found[ends] |= set(fields[0])
    return found


def run(folder: Path, *, jobs: int, out: Path | None = None) -> dict[str, Any]:
    """Compare the hellos of all captures in a folder; print and return what differs."""
    paths = [Path(one) for one in find_captures(str(folder)).captures]
    total = Agreement()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for found in pool.map(compare, paths, chunksize=4):
            total.add(found)
    print(f"{len(paths):,} captures: {dict(total.captures)}; equal {dict(total.equal)}")
    for name, counts in (("differing", total.differing), ("unseen", total.unseen)):
        print(f"{name}: {counts.total():,}")
        for what, count in counts.most_common():
            print(f"{count:8,}  {what}")
    for line in total.listed[:SHOWN]:
        print(f"  {line}")
    results = {"benchmark": "hellos", **attrs.asdict(total)}
    if out is not None:
        write_json(out, results)
    return results
