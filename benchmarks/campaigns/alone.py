"""What scans say of the captures of a campaign one by one, nothing joined: the least that an inference has to beat."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from csv import DictReader
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import attrs

import netinterf
from benchmarks.campaigns.score import NamedCell
from netinterf.simulate.campaign.truth import BY_PORT

__all__ = ["named"]


def named(folder: Path, *, jobs: int) -> list[NamedCell]:
    """Name what single scans of a campaign find, each with the first run in which one did."""
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(DictReader(file))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        found = pool.map(partial(scanned, folder), rows, chunksize=4)
        return earliest([one for part in found for one in part])


def scanned(folder: Path, row: dict[str, str]) -> list[NamedCell]:
    """Scan one capture."""
    result = netinterf.scan(folder / row["path"], networks=folder / "networks.csv")
    return list(findings(result, row["place"], int(row["run"])))


def findings(result: netinterf.Result, place: str, run: int) -> Iterator[NamedCell]:
    """Name the conversations of one capture that somebody interfered with."""
    for verdict in result.verdicts:
        subject = verdict.subject
        if verdict.outcome is netinterf.Outcome.INTERFERED and subject.kind != "group" and verdict.mechanism:
            protocol = subject.protocol or ""
            over = BY_PORT.get((protocol, subject.server_port or 0), protocol)
            yield NamedCell(
                network=place, transport="dns" if subject.kind == "exchange" else over, name=subject.name or "",
                server="" if subject.name else subject.server or "", mechanism=verdict.mechanism, since=run,
            )  # fmt: skip


def earliest(found: Sequence[NamedCell]) -> list[NamedCell]:
    """Keep one of each, with its first run."""
    first: dict[NamedCell, int] = {}
    for one in found:
        key = attrs.evolve(one, since=None)
        first[key] = min(first.get(key, one.since or 0), one.since or 0)
    return [attrs.evolve(key, since=since) for key, since in first.items()]
