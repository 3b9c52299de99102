"""The verb that makes captures with known truth: one of a scenario, or those of a campaign."""

import argparse
import os
from collections.abc import Iterator

from netinterf.cli.exit_status import EXIT_NO_OUTPUT, EXIT_OK, EXIT_USAGE, complain
from netinterf.cli.output import Output
from netinterf.errors import ParameterError, UsageError
from netinterf.simulate import Conditions, run, scenarios, write
from netinterf.writing import count_of

__all__ = ["run_simulate"]

CAMPAIGN = ("networks", "names", "runs", "blocked", "every")
"""Options that are the measure of a campaign."""

ALONE = ("ip", "vantage", "direction", "snaplen", "clean")
"""Options that are about one scenario."""


def run_simulate(arguments: argparse.Namespace) -> int:
    """List scenarios or play one; return the exit status."""
    output = Output()
    if arguments.list:
        output.write(listed(arguments.scenario or ""))
        return EXIT_NO_OUTPUT if output.failed else EXIT_OK
    if arguments.scenario is None:
        complain("simulate: name a scenario (try: netinterf simulate --list)")
        return EXIT_USAGE
    of_campaign = arguments.scenario == "campaign"
    elsewhere = ALONE if of_campaign else (*CAMPAIGN, "jobs")
    if strange := [
        name for name in elsewhere if vars(arguments)[name] is not None and vars(arguments)[name] is not False
    ]:
        complain(f"simulate: --{strange[0]} is for {'a scenario' if of_campaign else 'campaign'}")
        return EXIT_USAGE
    if of_campaign:
        return run_campaign(arguments, output)
    fixed = {
        name: getattr(arguments, name)
        for name in ("ip", "vantage", "direction", "snaplen")
        if getattr(arguments, name) is not None
    }
    try:
        conditions = Conditions.clean(**fixed) if arguments.clean else Conditions(**fixed)
        simulated = run(arguments.scenario, arguments.seed, conditions)
    except UsageError as error:
        complain(f"simulate: {problem(error)}")
        return EXIT_USAGE
    place = arguments.out or f"{arguments.scenario}.{arguments.seed}.pcap"
    try:
        labels = write(simulated, place)
    except OSError as error:
        complain(f"{place}: {error.strerror or error}")
        return EXIT_NO_OUTPUT
    truths = simulated.labels.truths
    hit = simulated.labels.interfered()
    forged = sum(len(truth.forged) for truth in hit)
    counts = f"{count_of(len(simulated.frames), 'packet')}, {len(truths):,} flows and exchanges"
    outcome = f"{len(hit):,} interfered with, {forged:,} forged packets"
    output.write([f"{place}: {counts}, {outcome}; truth in {labels.name}"])
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK


def run_campaign(arguments: argparse.Namespace, output: Output) -> int:
    """Play a campaign; return the exit status."""
    from netinterf.simulate.campaign import Campaign, make

    measure = {name: getattr(arguments, name) for name in CAMPAIGN if getattr(arguments, name) is not None}
    place = arguments.out or f"campaign.{arguments.seed}"
    try:
        campaign = Campaign(seed=arguments.seed, **measure)
        truth = make(campaign, place, jobs=os.cpu_count() or 1 if arguments.jobs is None else arguments.jobs)
    except UsageError as error:
        complain(f"simulate: {problem(error)}")
        return EXIT_USAGE
    except OSError as error:
        complain(f"{error.filename or place}: {error.strerror or error}")
        return EXIT_NO_OUTPUT
    count, cells = campaign.networks * campaign.runs, truth["cells"]
    played = f"{count:,} captures of {campaign.networks:,} networks and {campaign.names:,} names"
    blocked = f"{len(cells):,} cells blocked by {len({cell['mechanism'] for cell in cells})} mechanisms"
    output.write([f"{place}: {played}; {blocked}, {len(truth['causes']):,} harmless causes; truth in truth.json"])
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK


def problem(error: UsageError) -> str:
    """Put a wrong argument, or a package that lacks, into the words of the command line."""
    if not isinstance(error, ParameterError):
        return str(error)
    if error.parameter != "scenario":
        return f"{error.parameter} {error.value}: expected {error.allowed}"
    like = [play.name for play in scenarios() if str(error.value) in play.name]
    hint = f"; names that hold it: {', '.join(like[:4])}" if like else ""
    return f"no scenario is named {error.value}{hint} (all: netinterf simulate --list)"


def listed(part: str) -> Iterator[str]:
    """Write one line for every scenario whose name holds *part*."""
    plays = [play for play in scenarios() if part in play.name]
    width = max((len(play.name) for play in plays), default=0)
    kinds = max((len(play.mechanism or "-") for play in plays), default=0)
    for play in plays:
        who = play.system or play.confounder
        yield f"{play.name:{width}}  {play.mechanism or '-':{kinds}}  {play.says}" + (f" [{who}]" if who else "")
    interfering = sum(play.mechanism is not None for play in plays)
    yield f"{len(plays)} scenarios: {interfering} with interference, {len(plays) - interfering} without"
