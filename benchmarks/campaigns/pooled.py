"""What a campaign shows together after some of its runs: its captures collected in a store, and judged as one."""

from collections.abc import Mapping, Sequence
from csv import DictReader
from pathlib import Path
from typing import Any

import numpy as np

import netinterf
from benchmarks.campaigns.score import NamedCell
from netinterf.arrays import I64
from netinterf.campaign.judged.loading import Loaded, load
from netinterf.campaign.judged.record import Cell
from netinterf.campaign.judged.report import Report
from netinterf.campaign.judged.whole import with_networks
from netinterf.campaign.stored.reader import Snapshot
from netinterf.engine.processes import Processes
from netinterf.pooling.grades import Finding
from netinterf.verdict.model import default_model

__all__ = ["named"]


def named(folder: Path, counts: Sequence[int], *, jobs: int) -> dict[int, list[NamedCell]]:
    """Name what the captures of a campaign show together, after each of some numbers of runs."""
    store = folder.with_name(f"{folder.name}.store")
    campaign = netinterf.Campaign(store)
    with Processes(jobs) as executor:
        made = campaign.collect(manifest=folder / "manifest.csv", networks=folder / "networks.csv", executor=executor)
    if made.errors:
        raise RuntimeError(f"{made.errors:,} captures could not be collected; the store names them: {store}")
    snapshot = Snapshot(store)
    loaded = load(snapshot)
    run = runs_of(snapshot, folder, loaded)
    return {count: named_of(snapshot, loaded.take(np.flatnonzero(run <= count)), run) for count in counts}


def runs_of(campaign: Snapshot, folder: Path, loaded: Loaded) -> I64:
    """Give the run of each observation."""
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        runs = {str(folder / row["path"]): int(row["run"]) for row in DictReader(file)}
    by_content = {
        row["capture"]: runs[row["path"]]
        for batch in campaign.captures(("capture", "path"))
        for row in batch.to_pylist()
        if row["path"] in runs
    }
    of_capture = np.array([by_content[capture] for capture in loaded.captures])
    return np.asarray(of_capture[loaded.observations.capture])


def named_of(campaign: Snapshot, loaded: Loaded, run: I64) -> list[NamedCell]:
    """Name the cells that are blocked, each with the run of its onset."""
    model = default_model()
    report = Report.judged(campaign, *with_networks(loaded, model), model)
    times = {int(time): int(run[row]) for time, row in zip(loaded.observations.time, loaded.row, strict=True)}
    return [named_cell(cell, times) for cell in report.of(Finding.BLOCKED)]


def named_cell(cell: Cell, times: Mapping[int, Any]) -> NamedCell:
    """Say of a cell what the truth is asked for."""
    server = "" if cell.name else (cell.server or "").rpartition(":")[0].strip("[]")
    since = times[cell.began.likely if cell.began else cell.start]
    return NamedCell(
        network=cell.network.place, transport=cell.transport, name=cell.name or "", server=server,
        mechanism=cell.mechanism or "", since=since,
    )  # fmt: skip
