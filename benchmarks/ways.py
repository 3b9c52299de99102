"""DNS captures seen in several ways: ``python -m benchmarks ways``.

Simulated captures at the client are judged as they are; as they look when the last router before the tap gives all
packets from outside one hop limit, no don't-fragment flag and identifications of one counter, as carrier translators do
(what headers say is gone then; verdicts must be right by race, time and content); with a table of known answers, as a
control elsewhere would measure them; and with one of networks besides.
"""

import fnmatch
import ipaddress
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from ipaddress import ip_network
from multiprocessing import get_context
from typing import Any

import attrs
import numpy as np

from benchmarks.machine import table
from benchmarks.scoreboard.judging import LIBRARY, Job, held_against, library
from benchmarks.scoreboard.labels import of_labels
from netinterf.context.answers import KnownAnswers
from netinterf.context.networks import Network
from netinterf.context.outside import Outside
from netinterf.simulate import Labels, Simulated, run, scenarios
from netinterf.trace import Trace, host_text, read

__all__ = ["WAYS", "Counts", "even", "judged", "measure"]

HOP_LIMIT = 57
HEADER = 14
"""Bytes of an Ethernet header, which simulated frames begin with."""

ANYBODY = 4_200_900_000
"""First AS number, for private use (RFC 6996), of addresses that no name of a capture has."""

MECHANISMS = ("dns.injection", "dns.forged", "dns.drop")


@attrs.define
class Counts:
    """What came of one way to look at the captures."""

    units: Counter[str] = attrs.field(factory=Counter)
    found: Counter[str] = attrs.field(factory=Counter)
    untouched: int = 0
    accused: int = 0
    headers: int = 0  # findings that a header's sign speaks for

    def add(self, other: "Counts") -> None:
        """Add the counts of another capture."""
        self.units += other.units
        self.found += other.found
        self.untouched += other.untouched
        self.accused += other.accused
        self.headers += other.headers


def even(played: Simulated) -> Simulated:
    """Let a translator write hop limit, don't-fragment flag and identification of all packets from outside."""
    inside = {ipaddress.ip_address(truth.client).packed for truth in played.labels.truths}
    counter, frames = 1000, []
    for frame in played.frames:
        head = bytearray(frame)
        if head[12:14] == b"\x08\x00" and bytes(head[26:30]) not in inside:
            counter = (counter + 1) % 65_536
            head[18:20], head[20], head[22] = struct.pack(">H", counter), head[20] & 0x3F, HOP_LIMIT
            head[24:26] = bytes(2)
            head[24:26] = struct.pack(">H", checksum(bytes(head[HEADER : HEADER + 20])))
        elif head[12:14] == b"\x86\xdd" and bytes(head[22:38]) not in inside:
            head[21] = HOP_LIMIT
        frames.append(bytes(head))
    return attrs.evolve(played, frames=frames)


def checksum(header: bytes) -> int:
    """Sum a header of 20 bytes (RFC 1071)."""
    total = sum(struct.unpack(">10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return int(~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)


def known(trace: Trace, labels: Labels, networks: bool) -> Outside:
    """Give what a control elsewhere would know: answers, and perhaps whose the addresses in all answers are.

    What no name of the capture has belongs to somebody else, each /24 and /48 to another.
    """
    table = {ip_network(prefix): asn for prefix, asn, _ in labels.networks if networks}
    for high, low in (
        np.unique(np.stack([trace.answers.high, trace.answers.low]), axis=1).T.tolist() if networks else ()
    ):
        address = ipaddress.ip_address(host_text(high, low))
        prefix = ip_network((address, 24 if address.version == 4 else 48), strict=False)
        table.setdefault(prefix, ANYBODY + len(table))
    return Outside.of([Network(one, asn, "") for one, asn in table.items()], KnownAnswers.of(labels.answers))


def judged(job: Job, played: Simulated, *, answers: bool = False, networks: bool = False) -> Counts:
    """Judge one capture and count."""
    labels = of_labels(played.labels)
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    outside = known(trace, played.labels, networks) if answers else Outside()
    _, said = library(attrs.evolve(trace, outside=outside))
    counts = Counts()
    for unit in held_against(trace, labels, labels.rows, job, {LIBRARY: said})[0]:
        answer = unit.answers[LIBRARY]
        if not unit.mechanisms:
            counts.untouched += 1
            counts.accused += bool(answer.said)
        for word, hit in zip(unit.mechanisms, answer.hits, strict=False):
            counts.units[word] += 1
            counts.found[word] += hit
            counts.headers += hit and bool({"dns.hop_limit", "dns.ip_id", "dns.copied_id"} & set(answer.rules))
    return counts


WAYS: dict[str, Callable[[Job, Simulated], Counts]] = {
    "as captured": judged,
    "headers evened out": lambda job, played: judged(job, even(played)),
    "known answers": lambda job, played: judged(job, played, answers=True),
    "known answers, networks": lambda job, played: judged(job, played, answers=True, networks=True),
}


def each_way(job: Job) -> list[Counts] | None:
    """Judge one capture in every way; None where it was not taken at the client, or cut."""
    played = run(job.scenario, job.seed)
    if played.labels.vantage != "client" or played.labels.conditions.get("snaplen"):
        return None
    return [way(job, played) for way in WAYS.values()]


def jobs(seeds: range) -> Iterator[Job]:
    """List the captures."""
    for play in scenarios():
        if fnmatch.fnmatch(play.name, "*dns.*") and play.family.endswith("dns"):
            for seed in seeds:
                yield Job(source="simulator", name=f"{play.name}-{seed}", scenario=play.name, seed=seed, rivals=False)


def measure(*, seeds: int, first_seed: int, processes: int) -> dict[str, Any]:
    """Judge simulated captures in every way, and print what came of it."""
    wanted = list(jobs(range(first_seed, first_seed + seeds)))
    totals = [Counts() for _ in WAYS]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for found in pool.map(each_way, wanted, chunksize=8):
            for total, counts in zip(totals, found or (), strict=False):
                total.add(counts)
    print(report(totals))
    return {name: attrs.asdict(total) for name, total in zip(WAYS, totals, strict=True)}


def report(totals: Sequence[Counts]) -> str:
    """Lay all ways out side by side."""
    rows: list[Sequence[str]] = [
        (word, *(f"{way.found[word]}/{way.units[word]} ({share(way.found[word], way.units[word])})" for way in totals))
        for word in MECHANISMS
    ]
    rows.append(("untouched, accused", *(f"{way.accused}/{way.untouched}" for way in totals)))
    rows.append(("found, a header speaks for it", *(str(way.headers) for way in totals)))
    return table(["", *WAYS], [list(row) for row in rows])


def share(part: int, whole: int) -> str:
    """Write a share."""
    return f"{part / whole:.3f}" if whole else "–"
