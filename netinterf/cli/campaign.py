"""The verb of many captures: collect them into a store, and report what they show together."""

import argparse
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from netinterf.campaign.campaign import Campaign
from netinterf.campaign.collecting.batch import Entry
from netinterf.campaign.collecting.collect import CUT, Collected, collect
from netinterf.campaign.collecting.executors import dask_executor
from netinterf.campaign.collecting.manifest import found_by_manifest, found_by_path
from netinterf.campaign.judged.report import Report
from netinterf.campaign.place import HERE, Place
from netinterf.campaign.stored.store import Store
from netinterf.cli.exit_status import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.options import read_options
from netinterf.cli.output import Output
from netinterf.cli.progress import Progress
from netinterf.engine.processes import Processes
from netinterf.errors import ParameterError, UsageError
from netinterf.export.campaign import campaign_lines, campaign_parquet, settled_lines, settled_parquet
from netinterf.pooling.grades import Finding
from netinterf.report.campaign import campaign_text, settled_text
from netinterf.report.lines import Lines
from netinterf.writing import count_of

__all__ = ["run_collect", "run_compact", "run_report"]

AHEAD = 2
"""Batches that are handed out for each that can be worked at: nobody waits for the next."""


def run_collect(arguments: argparse.Namespace) -> int:
    """Add captures to a store; return the exit status."""
    options = read_options(arguments)
    if bool(arguments.paths) == (arguments.manifest is not None):
        raise UsageError("name captures, or a table of them by --manifest")
    if arguments.manifest is None:
        found = partial(found_by_path, arguments.paths, Place(name=arguments.place or HERE))
    elif arguments.place is None:
        found = partial(found_by_manifest, arguments.manifest)
    else:
        raise UsageError("--place goes with captures: a manifest says the place of each")
    try:
        with workers(arguments) as (executor, in_flight), Told() as told:
            counts = collect(
                Store(Path(arguments.into)),
                found,
                options,
                executor=executor,
                in_flight=in_flight,
                told=told.entry,
                cut=CUT if arguments.cut is None else arguments.cut,
                names=arguments.names,
            )
    except OSError as error:
        complain(f"{error}; what was collected before is in the store")
        return EXIT_NO_OUTPUT
    output = Output()
    output.write([f"{arguments.into}: {summary(counts)}"])
    if output.failed:
        return EXIT_NO_OUTPUT
    return EXIT_OK if counts.judged + counts.errors + counts.again + counts.known else EXIT_NO_INPUT


def run_compact(arguments: argparse.Namespace) -> int:
    """Merge the small parts of a store; return the exit status."""
    try:
        parts = Campaign(arguments.store).compact()
    except OSError as error:
        complain(f"{error}; the store holds what it held")
        return EXIT_NO_OUTPUT
    output = Output()
    output.write([f"{arguments.store}: {parts.before:,} parts, now {parts.after:,}"])
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK


def run_report(arguments: argparse.Namespace) -> int:
    """Write what a store shows; return the exit status."""
    daily = asked_daily(arguments)
    with Output(arguments.out, Store(Path(arguments.store)).own()) as output:
        report = Campaign(arguments.store).report()
        if arguments.format == "parquet":
            write_parquet(report, output, arguments, daily)
        elif arguments.format == "html":
            from netinterf.report.campaign_page import campaign_page  # (asked for by few)

            output.attempt(lambda stream: stream.writelines(campaign_page(report)))  # its lines end where they end
        else:
            output.write(written(report, arguments, daily))
        output.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    return EXIT_FOUND if arguments.fail_on and report.counts()[Finding.BLOCKED] else EXIT_OK


def asked_daily(arguments: argparse.Namespace) -> bool:
    """Say whether each day is asked about by itself.

    Raises:
        UsageError: It is not known by what, or not in this form.
    """
    asked = {word.strip() for word in arguments.by.split(",")}
    if not {"name", "network"} <= asked <= {"name", "network", "day"}:
        raise UsageError(f"--by takes name,network or name,network,day, not {arguments.by}")
    if "day" in asked and arguments.format not in {"jsonl", "parquet"}:
        raise UsageError("days are told to programs: --by name,network,day goes with --format jsonl or parquet")
    if arguments.settled and ("day" in asked or arguments.format == "html"):
        raise UsageError(
            "--settled lists verdicts of single captures: it goes with text, jsonl or parquet, and no days"
        )
    return "day" in asked


def written(report: Report, arguments: argparse.Namespace, daily: bool) -> Lines:
    """Write a report line by line."""
    if arguments.settled:
        as_lines = arguments.format == "jsonl"
        return settled_lines(report) if as_lines else settled_text(report, everything=arguments.all)
    if arguments.format == "jsonl":
        return campaign_lines(report, everything=arguments.all, daily=daily)
    return campaign_text(report, everything=arguments.all)


def write_parquet(report: Report, output: Output, arguments: argparse.Namespace, daily: bool) -> None:
    """Write the cells of a campaign, or what they settle, for programs that read tables.

    Raises:
        UsageError: It would go to a terminal.
    """
    if output.terminal:
        raise UsageError("a Parquet file is for programs: name one by --out")
    if arguments.settled:
        output.attempt(lambda _: settled_parquet(report, output.binary))
    else:
        everything = arguments.all
        output.attempt(lambda _: campaign_parquet(report, output.binary, everything=everything, daily=daily))


@contextmanager
def workers(arguments: argparse.Namespace) -> Iterator[tuple[Executor, int]]:
    """Give who judges, and how many batches are handed out at a time.

    Raises:
        UsageError: The arguments contradict each other, or nobody answers.
    """
    if arguments.scheduler is not None:
        if arguments.jobs is not None:
            raise UsageError("--jobs are processes of this machine: they do not go with --scheduler")
        with dask_executor(arguments.scheduler) as (executor, count):
            yield executor, AHEAD * count
        return
    if arguments.jobs is not None and arguments.jobs < 1:
        raise ParameterError("jobs", arguments.jobs, "1 or more")
    processes = Processes(arguments.jobs)
    try:
        yield processes, AHEAD * processes.jobs
    finally:
        processes.shutdown(wait=False, cancel_futures=True)


def summary(counts: Collected) -> str:
    """Say in a line what was collected."""
    told = [f"{count_of(counts.judged, 'capture')} added"]
    others = (
        (counts.errors, "with errors"),
        (counts.again, "with a content that was there"),
        (counts.known, "there before"),
        (counts.unread, "that cannot be read"),
        (counts.skipped, "that are no captures"),
    )
    return ", ".join(told + [f"{count:,} {what}" for count, what in others if count])


class Told:
    """What became of each file: problems as lines, and on a terminal how many there were, and the last of them."""

    def __init__(self) -> None:
        self._count = 0
        self._progress = Progress()

    def __enter__(self) -> "Told":
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.close()

    def entry(self, entry: Entry) -> None:
        """Tell of a file."""
        if entry.message:
            with self._progress.aside():
                complain(f"{entry.path}: {entry.message}")
        self._count += 1
        self._progress.over(entry.path, f"{count_of(self._count, 'file')}, {entry.path}")
