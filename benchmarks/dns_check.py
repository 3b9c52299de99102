"""Compare DNS messages with dnspython and tshark: ``python -m benchmarks dns DIR``.

Whole queries and replies (opcode 0) are compared, over UDP and over TCP. What a reader refuses is left out, and so is
what it cannot tell: dnspython takes lives of more than 2^31 s for none (RFC 2181 §8), tshark shows names as text.
"""

import csv
import ipaddress
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from shutil import which
from typing import Any

import attrs
import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import numpy as np

from benchmarks.machine import write_json
from netinterf.capture import find_captures
from netinterf.errors import NetinterfError
from netinterf.schema import ParseError
from netinterf.trace import Trace, read

__all__ = ["Agreement", "compare", "run"]

FIELDS = (
    "frame.number",
    "dns.id",
    "dns.flags",
    "dns.qry.name",
    "dns.qry.type",
    "dns.count.answers",
    "dns.a",
    "dns.aaaa",
)
UDP, TCP = 17, 6
READ = (ParseError.NONE, ParseError.TRAILING)
TARGETS = ("target", "exchange", "mname")
"""Where dnspython keeps the name in the data of CNAME, NS, PTR and SRV, of MX, and of SOA."""


@attrs.define
class Agreement:
    """How many messages were compared with each reader, and where the two differ."""

    compared: Counter[str] = attrs.field(factory=Counter)
    refused: Counter[str] = attrs.field(factory=Counter)  # by the reader, or by the library where the reader accepts
    differing: list[str] = attrs.field(factory=list)

    def add(self, other: "Agreement") -> None:
        """Count more."""
        self.compared.update(other.compared)
        self.refused.update(other.refused)
        self.differing += other.differing


def compare(path: Path) -> Agreement:
    """Compare all whole DNS messages of one capture."""
    found = Agreement()
    try:
        trace = read(path)
    except NetinterfError:
        return found
    wires = {row: wire for row, wire in messages(trace).items() if trace.dns.flags[row] >> 11 & 15 == 0}
    place = f"{path.parent.name}/{path.name}"
    for row, wire in wires.items():
        with_dnspython(trace, row, wire, place, found)
    if wires and which("tshark"):
        with_tshark(trace, list(wires), path, place, found)
    return found


def messages(trace: Trace) -> dict[int, bytes]:
    """Give the bytes of each whole message by its row in Dns; over TCP two bytes before each tell its length."""
    packets, table = trace.packets, trace.dns
    whole = (table.at >= 0) & (trace.flows.protocol[table.flow] == UDP)
    whole &= packets.payload_captured[table.packet] >= table.length
    found = {
        row: trace.buffer[table.at[row] : table.at[row] + table.length[row]].tobytes()
        for row in np.flatnonzero(whole).tolist()
    }
    streams: dict[tuple[int, bool], bytes] = {}
    for row in np.flatnonzero(trace.flows.protocol[table.flow] == TCP).tolist():
        side = int(table.flow[row]), bool(table.outbound[row])
        rest = streams.setdefault(side, trace.stream(side[0], outbound=side[1]))
        size = int.from_bytes(rest[:2], "big")
        if size != table.length[row] or len(rest) < 2 + size:
            continue
        found[row], streams[side] = rest[2 : 2 + size], rest[2 + size :]
    return dict(sorted(found.items()))


def with_dnspython(trace: Trace, row: int, wire: bytes, place: str, found: Agreement) -> None:
    """Compare one message with dnspython."""
    table = trace.dns
    try:
        theirs = dns.message.from_wire(wire, ignore_trailing=True, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError):
        found.refused["dnspython"] += 1
        return
    if table.error[row] not in READ:
        found.refused["library"] += 1
        found.differing.append(f"{place} frame {trace.packets.frame[table.packet[row]]}: dnspython reads it")
        return
    found.compared["dnspython"] += 1
    question = theirs.question[0] if theirs.question else None
    wanted: list[Any] = [theirs.id, joined(question.name) if question is not None else b""]
    wanted += [int(question.rdtype), int(question.rdclass)] if question is not None else [0, 0]
    mine: list[Any] = [
        int(table.id[row]),
        table.raw_name.bytes(row).lower(),
        int(table.kind[row]),
        int(table.qclass[row]),
    ]
    wanted += sorted(records_of(theirs))
    mine += sorted(records(trace, row))
    if mine != wanted:
        found.differing.append(f"{place} frame {trace.packets.frame[table.packet[row]]}: {mine} != {wanted}")


def joined(name: dns.name.Name) -> bytes:
    """Write a name as the library does: labels with dots between them, lower case."""
    return b".".join(label for label in name.labels if label).lower()


def records_of(message: dns.message.Message) -> Iterator[tuple[Any, ...]]:
    """List section, owner, type, TTL, address and target of each record; OPT and TSIG are apart in dnspython."""
    for section, sets in ((1, message.answer), (2, message.authority), (3, message.additional)):
        for one in sets:
            for data in one:
                name = next((getattr(data, word) for word in TARGETS if hasattr(data, word)), None)
                address = ipaddress.ip_address(data.address) if one.rdtype in (1, 28) and one.rdclass == 1 else None
                target = joined(name) if one.rdtype in (2, 5, 6, 12, 15, 33) and name is not None else b""
                yield section, joined(one.name), int(one.rdtype), one.ttl, str(address or ""), target


def records(trace: Trace, row: int) -> Iterator[tuple[Any, ...]]:
    """List the same of the library's records."""
    answers = trace.answers
    for place in np.flatnonzero(answers.message == row).tolist():
        kind = int(answers.kind[place])
        if kind in (41, 250):
            continue
        number = int(answers.high[place]) << 64 | int(answers.low[place])
        shown = ""
        if kind in (1, 28) and answers.rclass[place] == 1:
            shown = str(ipaddress.IPv4Address(number & 0xFFFFFFFF) if kind == 1 else ipaddress.IPv6Address(number))
        owner, target = answers.owner.bytes(place), answers.target.bytes(place)
        ttl = int(answers.ttl[place])
        yield int(answers.section[place]), owner, kind, ttl if ttl < 1 << 31 else 0, shown, target


def with_tshark(trace: Trace, rows: list[int], path: Path, place: str, found: Agreement) -> None:
    """Compare identifier, flags, question, number of answers and addresses with tshark, frame by frame."""
    words = ["tshark", "-r", str(path), "-Y", "dns && !icmp && !icmpv6 && !_ws.malformed", "-T", "fields", "-E",
             "separator=|"]  # fmt: skip
    words += [word for field in FIELDS for word in ("-e", field)]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    lines = {int(line[0]): line for line in csv.reader(told.splitlines(), delimiter="|") if len(line) == len(FIELDS)}
    held: dict[int, set[str]] = defaultdict(set)
    for one in rows:
        held[one] |= {shown for *_, shown, _ in records(trace, one) if shown}
    table = trace.dns
    for row in rows:
        frame = int(trace.packets.frame[table.packet[row]])
        line = lines.get(frame)
        if line is None or "," in line[1] or table.error[row] not in READ:
            found.refused["tshark"] += line is None
            continue
        found.compared["tshark"] += 1
        name = table.raw_name.bytes(row).decode("latin-1").lower()
        mine = [
            int(table.id[row]),
            int(table.flags[row]),
            name or "<root>",
            str(table.kind[row]),
            int(table.answers[row]),
        ]
        wanted = [int(line[1], 16), int(line[2], 16), line[3].lower(), line[4], int(line[5] or 0)]
        plain = name.isprintable() and name.isascii() and table.questions[row] == 1
        addresses = {str(ipaddress.ip_address(one)) for one in (*line[6].split(","), *line[7].split(",")) if one}
        if (
            (mine[:2] + mine[4:] != wanted[:2] + wanted[4:])
            or (plain and mine[2:4] != wanted[2:4])
            or held[row] != addresses
        ):
            found.differing.append(f"{place} frame {frame}: {mine} {sorted(held[row])} != {wanted} {sorted(addresses)}")


def run(folder: Path, *, jobs: int, out: Path | None = None) -> dict[str, Any]:
    """Compare the messages of all captures in a folder; print and return what differs."""
    paths = [Path(one) for one in find_captures(str(folder)).captures]
    total = Agreement()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for found in pool.map(compare, paths, chunksize=4):
            total.add(found)
    print(f"{len(paths):,} captures; compared {dict(total.compared)}, not accepted {dict(total.refused)}")
    print(f"{len(total.differing)} differ")
    for line in total.differing[:50]:
        print(f"  {line}")
    results = {"benchmark": "dns", "captures": len(paths), **attrs.asdict(total)}
    if out is not None:
        write_json(out, results)
    return results
