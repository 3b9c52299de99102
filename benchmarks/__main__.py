"""``python -m benchmarks``: measure quality and speed, and make the example captures."""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["main"]


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = top.add_subparsers(dest="verb", required=True)
    quality = add_quality(verbs)
    real = add_reality(verbs)
    odd = add_anomaly(verbs)
    other = add_metamorphic(verbs)
    fit = verbs.add_parser("fit", help="fit the model that ships with the library to simulated and lab captures")
    fit.add_argument("--seeds", type=int, default=20, help="captures per simulated scenario (default 20)")
    fit.add_argument("--lab-seeds", type=int, default=3, help="runs of each lab scenario (default 3, 0: no lab)")
    fit.add_argument("--version", default="1", help="what to call the numbers (default 1)")
    fit.add_argument("--cache", type=Path, metavar="FILE", help="keep the gathered evidence there, or read it")
    who = verbs.add_parser("attribution", help="whether the right system is named; or count what its catalogue needs")
    who.add_argument("--fit", action="store_true", help="count on the seeds of the fit, and write traits.json")
    who.add_argument("--seeds", type=int, default=8, help="captures per simulated scenario (default 8)")
    who.add_argument("--first-seed", type=int, help="where seeds begin (default 1,000; 10,000 with --fit)")
    trials = verbs.add_parser("statistics", help="shares, contrasts and false discoveries on evidence of known truth")
    trials.add_argument("--trials", type=int, default=1000, help="random tables of each kind (default 1000)")
    speed = add_speed(verbs)
    decode = verbs.add_parser("decode", help="decoded columns against tshark, frame by frame; or the time they take")
    decode.add_argument(
        "--captures", type=Path, help="labelled folder to compare; without it the first stages are timed"
    )
    decode.add_argument("--limit", type=int, help="compare only so many captures")
    decode.add_argument("--quick", action="store_true", help="time 50,000 packets instead of a million")
    names, ways = add_dns(verbs)
    greetings = verbs.add_parser("hellos", help="JA4 of client hellos against tshark, between each two ends")
    greetings.add_argument("captures", type=Path, metavar="DIR", help="folder with captures")
    rivals = verbs.add_parser("rivals", help="other people's detectors beside the library, each on its home task")
    rivals.add_argument("--captures", type=Path, action="append", default=[], metavar="DIR", help="labelled folder")
    rivals.add_argument("--seeds", type=int, default=10, help="simulated captures per scenario (default 10, 0: none)")
    rivals.add_argument("--only", default="*", metavar="GLOB", help="only captures and scenarios that match")
    rivals.add_argument("--details", action="store_true", help="list what a rival finds and the library does not")
    lab = verbs.add_parser("lab", help="labelled captures of real network stacks (needs root)")
    lab.add_argument("--seeds", type=int, default=3, help="runs of each scenario (default 3)")
    lab.add_argument("--out", type=Path, default=Path("lab"), metavar="DIR", help="folder to fill (default lab)")
    lab.add_argument("--scenarios", default="*", metavar="GLOB", help="only scenarios that match")
    lab.add_argument("--jobs", type=int, default=8, help="runs side by side (default 8)")
    lab.add_argument("--list", action="store_true", help="list the scenarios and stop")
    lab.add_argument("--check", type=Path, metavar="DIR", help="hold the labels of a folder against tshark and stop")
    simulator = verbs.add_parser("simulator", help="what the simulator covers, whether tshark agrees, and its speed")
    simulator.add_argument("--seed", type=int, default=1, help="seed of the scenarios (default 1)")
    simulator.add_argument("--packets", type=int, default=1_000_000, help="size of the speed run (default a million)")
    likeness = verbs.add_parser("likeness", help="simulated connections beside those of the lab")
    likeness.add_argument("lab", type=Path, metavar="DIR", help="folder that the lab filled")
    likeness.add_argument("--seeds", type=int, default=2, help="simulated captures per scenario and tap (default 2)")
    add_packaged(verbs)
    page = verbs.add_parser("page", help="the HTML page with thousands of findings: its size, and how long it opens")
    page.add_argument("--findings", type=int, default=10_000, help="on each page (default 10,000)")
    page.add_argument("--campaign", type=int, metavar="ROWS", help="the page of a campaign with so many rows instead")
    page.add_argument("--pictures", action="store_true", help="take the screenshots of the manual and stop")
    many, pieces, *told = add_campaigns(verbs)
    add_timings(verbs)
    rates = [*add_rates(verbs), add_compare(verbs), add_campaign(verbs), many, pieces, add_cut(verbs)]
    for verb in (quality, real, odd, other, fit, who, speed, names, greetings, ways, rivals, *rates):
        verb.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    for verb in (
        quality,
        real,
        odd,
        other,
        trials,
        speed,
        add_session(verbs),
        add_filters(verbs),
        names,
        greetings,
        ways,
        rivals,
        *rates,
        *told,
        simulator,
        likeness,
        page,
    ):
        verb.add_argument("--json", type=Path, metavar="OUT", help="write the results as JSON")
    return top


def add_campaigns(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> tuple[argparse.ArgumentParser, ...]:
    """Add many captures and one answer; the first two share their work among processes."""
    many = verbs.add_parser("collect", help="many small captures in a store: after three kills, and memory")
    many.add_argument("--captures", type=int, default=2000, metavar="N", help="how many (default 2000)")
    long = verbs.add_parser("report", help="the report of a campaign with millions of observations: time and memory")
    long.add_argument("--rows", type=int, default=10_000_000, metavar="N", help="observations (default 10,000,000)")
    pieces = verbs.add_parser("joined", help="real captures cut into 2, 10 and 100 files, joined again")
    pieces.add_argument("captures", type=Path, metavar="DIR", help="folder with captures")
    harmless = verbs.add_parser("harmless", help="made-up campaigns in which nobody blocks anything: cells accused")
    harmless.add_argument("--seeds", type=int, default=2, help="campaigns of each scene (default 2)")
    shown = verbs.add_parser("demonstration", help="two published collections as one campaign, against their labels")
    shown.add_argument("captures", type=Path, metavar="DIR", help="folder with CATALOG.csv and FLOWS.csv")
    return many, pieces, harmless, shown, long


def add_timings(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add captures at wrong times."""
    wrong = verbs.add_parser("timings", help="simulated captures whose times are wrong: warnings, analyzers that fail")
    wrong.add_argument("--seed", type=int, default=1, help="seed of the scenarios (default 1)")
    return wrong


def add_cut(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add captures that are cut by time."""
    cut = verbs.add_parser("cut", help="captures cut by time into 2, 4 and 10 pieces, judged as one")
    cut.add_argument("captures", type=Path, metavar="DIR", help="folder with captures")
    cut.add_argument("--packets", type=int, default=100_000, help="of each simulated capture (default 100,000; 0 none)")
    return cut


def add_speed(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about time and memory."""
    speed = verbs.add_parser("speed", help="packets per second of every stage, memory, other programs")
    speed.add_argument("--quick", action="store_true", help="on 50,000 packets instead of a million")
    speed.add_argument("--no-programs", action="store_true", help="leave other programs out")
    speed.add_argument("--mixes", nargs="?", const="*", metavar="GLOB", help="measure traffic of many kinds instead")
    speed.add_argument("--packets", type=int, default=500_000, help="size of a mix (default 500,000)")
    speed.add_argument("--pairs", type=int, default=1, help="runs of each mix, in turn; the median counts (default 1)")
    speed.add_argument("--large", action="store_true", help="measure captures that are looked at in shards instead")
    speed.add_argument("--docs", action="store_true", help="with --mixes or --large: write the table into the manual")
    speed.add_argument("--short", action="store_true", help="with --mixes: count calls and memory of small ones")
    speed.add_argument("--write", action="store_true", help="with --short: write what was counted as the budget")
    return speed


def add_quality(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about verdicts against labels."""
    quality = verbs.add_parser("quality", help="verdicts against labels, the library beside its rivals")
    folder = "folder with CATALOG.csv and FLOWS.csv, or with NAME.labels.json; may be repeated"
    quality.add_argument("--captures", type=Path, action="append", default=[], metavar="DIR", help=folder)
    quality.add_argument("--simulator", action="store_true", help="judge simulated captures")
    quality.add_argument("--lab", action="store_true", help="judge captures that the lab makes for it")
    quality.add_argument("--seeds", type=int, help="captures per simulated scenario (default 20, with --quick 2)")
    quality.add_argument("--lab-seeds", type=int, default=1, help="runs of each lab scenario (default 1)")
    quality.add_argument("--files", default="*", metavar="GLOB", help="only files, or scenarios, that match")
    quality.add_argument("--no-rivals", action="store_true", help="judge by the library alone")
    quality.add_argument("--quick", action="store_true", help="few seeds, no lab unless asked for, a short long run")
    quality.add_argument("--docs", action="store_true", help="write the tables and the figure into the manual")
    quality.add_argument("--details", action="store_true", help="list misses, wrong mechanisms and false alarms")
    quality.add_argument(
        "--hostile", action="store_true", help="check damaged files, or bombs, for tracebacks, hangs and memory"
    )
    return quality


def add_reality(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about real captures."""
    real = verbs.add_parser("reality", help="real captures, each repository judged by bounds that never saw it")
    real.add_argument(
        "--captures", type=Path, required=True, metavar="DIR", help="folder with CATALOG.csv and FLOWS.csv"
    )
    real.add_argument("--files", default="*", metavar="GLOB", help="only files that match")
    real.add_argument("--reserve", action="store_true", help="judge the reserve as well: once per closing note")
    real.add_argument("--write", action="store_true", help="bound the packaged weights by what is seen, and stop")
    real.add_argument("--docs", action="store_true", help="write the tables and the figure into the manual")
    real.add_argument("--dependence", type=float, metavar="SHARE", help="try another weight of further groups")
    real.add_argument("--cache", type=Path, metavar="DIR", help="keep what was seen there, or take it from there")
    return real


def add_metamorphic(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about captures that are changed."""
    other = verbs.add_parser("metamorphic", help="captures changed, or two in one file: the verdicts that move")
    other.add_argument("--captures", type=Path, metavar="DIR", help="labelled folder, whose open captures are changed")
    other.add_argument("--files", default="*", metavar="GLOB", help="only files of it that match")
    other.add_argument("--scenarios", default="*", metavar="GLOB", help="only scenarios that match")
    other.add_argument("--changes", default="*", metavar="GLOB", help="only changes that match")
    other.add_argument("--seeds", type=int, default=1, help="captures per simulated scenario (default 1, 0: none)")
    other.add_argument("--first-seed", type=int, default=1000, help="where seeds begin (default 1,000)")
    other.add_argument("--limit", type=int, metavar="N", help="only so many captures of each source, evenly taken")
    other.add_argument("--pairs", type=int, default=200, metavar="N", help="pairs in one file (default 200)")
    other.add_argument("--docs", action="store_true", help="write the tables into the manual")
    return other


def add_anomaly(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about standing out."""
    odd = verbs.add_parser("anomaly", help="who stands out from what is ordinary, counted on real benign captures")
    odd.add_argument(
        "--captures", type=Path, required=True, metavar="DIR", help="folder with CATALOG.csv and FLOWS.csv"
    )
    odd.add_argument("--lab", type=Path, metavar="DIR", help="folder that the lab filled, to score as well")
    odd.add_argument("--seeds", type=int, default=2, help="captures per simulated scenario (default 2)")
    odd.add_argument("--first-seed", type=int, default=1000, help="where seeds begin (default 1,000)")
    odd.add_argument("--reserve", action="store_true", help="score the reserve as well: once per closing note")
    odd.add_argument("--write", action="store_true", help="count what is ordinary, package it, and stop")
    odd.add_argument("--docs", action="store_true", help="write the tables into the manual")
    return odd


def add_filters(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about filters against injectors."""
    filters = verbs.add_parser("filters", help="what filters against injectors catch and cost; or the table they need")
    filters.add_argument("--captures", type=Path, required=True, metavar="DIR", help="labelled folder")
    filters.add_argument("--seeds", type=int, default=1, help="captures per simulated scenario (default 1)")
    filters.add_argument("--first-seed", type=int, default=1_000, help="where seeds begin (default 1,000)")
    filters.add_argument("--write", action="store_true", help="write the packaged table, and stop")
    return filters


def add_packaged(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add what makes files that ship with the library."""
    verbs.add_parser("examples", help="make the example captures that ship with the library")
    roots = verbs.add_parser("roots", help="make the list of roots that were public, from releases of certifi")
    roots.add_argument("folder", type=Path, metavar="DIR", help="folder with wheels and source archives")


def add_session(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about captures that come piece by piece."""
    session = verbs.add_parser(
        "session", help="sessions: speed, memory, the same verdicts as a scan, a watcher's delay"
    )
    session.add_argument("--captures", type=Path, metavar="DIR", help="judge all captures in a folder both ways")
    session.add_argument("--sizes", type=int, nargs="+", help="bytes fed at a time (default 1 to 1 MiB)")
    session.add_argument("--lab", action="store_true", help="watch runs of the lab (needs root)")
    session.add_argument("--seeds", type=int, default=3, help="runs of each lab scenario (default 3)")
    session.add_argument("--behind", action="store_true", help="watch for forged resets among other traffic")
    session.add_argument("--damaged", type=int, default=0, help="records to damage among that traffic (default 0)")
    session.add_argument("--no-stream", action="store_true", help="leave the half hour of traffic out")
    session.add_argument("--quick", action="store_true", help="three minutes of traffic, every 50th capture")
    return session


def add_compare(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about two places."""
    sides = verbs.add_parser("compare", help="two places: blocks named and false accusations, by kind of trouble")
    sides.add_argument("--captures", type=Path, metavar="DIR", help="labelled folder with pairs of places and servers")
    sides.add_argument("--seeds", type=int, default=20, help="simulated pairs of each kind (default 20, 0: none)")
    sides.add_argument("--first-seed", type=int, default=1000, help="where seeds begin (default 1,000)")
    return sides


def add_campaign(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    """Add what is about campaigns."""
    many = verbs.add_parser("campaign", help="simulated campaigns: blocked cells found, and others named, by mechanism")
    many.add_argument("--seed", type=int, default=1000, help="of the campaign (default 1,000)")
    many.add_argument("--networks", type=int, default=6, help="networks of clients (default 6)")
    many.add_argument("--names", type=int, default=40, help="names (default 40)")
    many.add_argument("--runs", type=int, default=5, help="runs in each network (default 5)")
    many.add_argument("--blocked", type=float, default=0.25, help="share of the names blocked (default 0.25)")
    many.add_argument("--mechanisms", metavar="A,B", help="those that censors use (default all)")
    return many


def add_dns(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Add what is about DNS alone; give those that run side by side and write results."""
    names = verbs.add_parser("dns", help="DNS messages against dnspython and tshark, message by message")
    names.add_argument("captures", type=Path, metavar="DIR", help="folder with captures")
    ways = verbs.add_parser("ways", help="DNS as captured, with headers evened out, and with known answers")
    ways.add_argument("--seeds", type=int, default=4, help="captures per simulated scenario (default 4)")
    add_fuzz(verbs)
    return names, ways


def add_fuzz(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the fuzzer."""
    fuzz = verbs.add_parser("fuzz", help="coverage-guided fuzzing of every parser and of the whole (needs atheris)")
    fuzz.add_argument(
        "--target", action="append", metavar="NAME", help="capture, decode, flows, …, whole; default: all of them"
    )
    fuzz.add_argument("--seconds", type=float, default=600, help="processor time in all (default 600)")
    fuzz.add_argument(
        "--captures", type=Path, metavar="DIR", help="begin with these captures as well as simulated ones"
    )
    fuzz.add_argument(
        "--corpus", type=Path, metavar="DIR", help="where inputs are kept (default benchmarks/.cache/fuzz)"
    )
    fuzz.add_argument("--seed", type=int, help="where chance begins (default: the time): a build must not fail by it")
    fuzz.add_argument("--again", type=Path, metavar="FILE", help="try an input that was found, and make it small")
    fuzz.add_argument("--json", type=Path, metavar="FILE", help="write results there")


def add_rates(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[argparse.ArgumentParser]:
    """Add what is about slowing down and cutting off; all run side by side and write results."""
    freezes = verbs.add_parser("freezes", help="freezes: groups found, limits placed, and what stops by itself")
    freezes.add_argument("--files", default="rate.freeze*,benign.*", metavar="GLOBS", help="scenarios that match")
    freezes.add_argument("--captures", type=Path, metavar="DIR", help="labelled folder to count stops in")
    shaping = verbs.add_parser("shaping", help="queued transfers with and without a contrast, beside Wehe's test")
    shaping.add_argument("--only", default="rate.shaping*,benign.*", metavar="GLOBS", help="only scenarios that match")
    shaping.add_argument("--details", action="store_true", help="list misses and false alarms")
    isolation = verbs.add_parser("isolation", help="borders and what looks alike: hours of attempts, and captures")
    isolation.add_argument("--trials", type=int, default=100, help="borders of each kind that close (default 100)")
    isolation.add_argument("--hours", type=float, default=3000.0, help="of harmless traffic (default 3000)")
    limits = verbs.add_parser("limits", help="recall of limits that drop, by what they dropped, and false alarms")
    limits.add_argument("--scenarios", default="*", metavar="GLOB", help="only scenarios that match")
    limits.add_argument("--details", action="store_true", help="list misses with what was seen")
    fits = verbs.add_parser("buckets", help="seconds for 10,000 fits of token buckets")
    fits.add_argument("--first-seed", type=int, default=410_000, help="where seeds begin (default 410,000)")
    fits.add_argument("--seeds", type=int, default=2, help="captures per simulated scenario (default 2)")
    fits.add_argument("--count", type=int, default=10_000, help="series of each kind (default 10,000)")
    fits.add_argument("--json", type=Path, metavar="OUT", help="write the results as JSON")
    hosts = verbs.add_parser("resemblance", help="how often forged and genuine resets are like their claimed sender")
    hosts.add_argument("--captures", type=Path, required=True, metavar="DIR", help="labelled folder")
    hops = verbs.add_parser("hops", help="by how many hops the ways to servers and back differ")
    hops.add_argument("--captures", type=Path, required=True, metavar="DIR", help="labelled folder")
    udp = verbs.add_parser(
        "udp", help="tunnels and calls that fall silent: found where they can be, and who is accused"
    )
    udp.add_argument("--captures", type=Path, metavar="DIR", help="judge public captures as well")
    strata = verbs.add_parser("strata", help="limits by senders and round trips that a fit never saw")
    strata.add_argument("--cache", type=Path, required=True, metavar="FILE", help="corpus that `fit --cache` kept")
    found = [limits, freezes, shaping, isolation, strata, udp]
    for verb in found:
        verb.add_argument("--seeds", type=int, default=8, help="captures per simulated scenario (default 8)")
        verb.add_argument("--first-seed", type=int, default=1000, help="where seeds begin (default 1,000)")
    return found


def main(words: list[str] | None = None) -> int:
    """Run one benchmark; give the exit status."""
    options = parser().parse_args(words)
    return RUNS[options.verb](options)


def run_examples(_: argparse.Namespace) -> int:
    """Make the example captures."""
    from benchmarks.examples import FOLDER, write_examples

    print(f"{write_examples():,} bytes in {FOLDER.name}")
    return 0


def run_roots(options: argparse.Namespace) -> int:
    """Make the packaged list of roots."""
    from benchmarks.roots import ROOTS, write_roots

    roots, releases = write_roots(options.folder)
    print(f"{roots} roots of {releases} releases, {ROOTS.stat().st_size:,} bytes in {ROOTS.name}")
    return 0


def run_page(options: argparse.Namespace) -> int:
    """Open large pages, or take screenshots."""
    from benchmarks import page
    from benchmarks.campaigns import page as campaigns

    if options.pictures:
        print(f"{', '.join([*page.write_pictures(), *campaigns.write_pictures()])} in {page.PICTURES.name}")
    elif options.campaign is not None:
        campaigns.run(options.campaign, options.json)
    else:
        page.run(options.findings, options.json)
    return 0


def run_reality(options: argparse.Namespace) -> int:
    """Judge real captures."""
    from benchmarks.reality.command import run

    run(options)
    return 0


def run_metamorphic(options: argparse.Namespace) -> int:
    """Change captures."""
    from benchmarks.metamorphic.command import run

    run(options)
    return 0


def run_filters(options: argparse.Namespace) -> int:
    """Make filters, or the table that they need."""
    from benchmarks import filters

    filters.run(options)
    return 0


def run_anomaly(options: argparse.Namespace) -> int:
    """Count what is ordinary, and who stands out."""
    from benchmarks.anomaly.command import run

    run(options)
    return 0


def run_compare(options: argparse.Namespace) -> int:
    """Compare two places."""
    from benchmarks.compare.command import run

    run(options)
    return 0


def run_campaign(options: argparse.Namespace) -> int:
    """Judge a campaign."""
    from benchmarks.campaigns.command import run

    run(options)
    return 0


def run_harmless(options: argparse.Namespace) -> int:
    """Judge campaigns in which nobody blocks anything."""
    from benchmarks.campaigns.harmless import run

    run(options.seeds, options.json)
    return 0


def run_collect(options: argparse.Namespace) -> int:
    """Collect many small captures."""
    from benchmarks import collect

    return 0 if collect.run(captures=options.captures, jobs=options.jobs, out=options.json)["same"] else 1


def run_report(options: argparse.Namespace) -> int:
    """Judge millions of observations."""
    from benchmarks.campaigns.long import run

    run(options.rows, options.json)
    return 0


def run_rivals(options: argparse.Namespace) -> int:
    """Put rivals beside the library."""
    from benchmarks.rivals import beside

    words_of = {"pattern": options.only, "out": options.json, "jobs": options.jobs, "details": options.details}
    return 1 if beside.run(options.captures, seeds=options.seeds, **words_of)["failed"] else 0


def run_shaping(options: argparse.Namespace) -> int:
    """Judge queued transfers."""
    from benchmarks import shaping

    shaping.run(options)
    return 0


def run_dns(options: argparse.Namespace) -> int:
    """Compare DNS messages with other readers."""
    from benchmarks import dns_check

    return 1 if dns_check.run(options.captures, jobs=options.jobs, out=options.json)["differing"] else 0


def run_hellos(options: argparse.Namespace) -> int:
    """Compare JA4 of hellos with tshark."""
    from benchmarks import hello_check

    return 1 if hello_check.run(options.captures, jobs=options.jobs, out=options.json)["differing"] else 0


def run_joined(options: argparse.Namespace) -> int:
    """Cut captures, join them, and compare."""
    from benchmarks import joined

    joined.run(options.captures, options.jobs, options.json)
    return 0


def run_timings(options: argparse.Namespace) -> int:
    """Judge captures at wrong times."""
    from benchmarks import timings

    return 1 if timings.run(options.seed) else 0


def run_demonstration(options: argparse.Namespace) -> int:
    """Judge two published collections as one campaign."""
    from benchmarks.campaigns import demonstration

    demonstration.run(options.captures, options.json)
    return 0


def run_cut(options: argparse.Namespace) -> int:
    """Cut captures by time, and compare."""
    from benchmarks import cut

    cut.run(options.captures, options.packets, options.jobs, options.json)
    return 0


def run_ways(options: argparse.Namespace) -> int:
    """Judge DNS seen in several ways."""
    from benchmarks import ways
    from benchmarks.machine import write_json

    results = ways.measure(seeds=options.seeds, first_seed=1000, processes=options.jobs)
    if options.json is not None:
        write_json(options.json, results)
    return 0


def run_freezes(options: argparse.Namespace) -> int:
    """Hold freezes against the limits that the simulator drew."""
    from benchmarks import freezes
    from benchmarks.machine import write_json

    words_of = {"seeds": options.seeds, "first_seed": options.first_seed, "files": options.files}
    results = freezes.measure(**words_of, processes=options.jobs, captures=options.captures)
    if options.json is not None:
        write_json(options.json, results)
    return 0


def run_isolation(options: argparse.Namespace) -> int:
    """Close borders, and let harmless things happen."""
    from benchmarks import isolation
    from benchmarks.machine import write_json

    words_of = {"trials": options.trials, "hours": options.hours, "seeds": options.seeds}
    results = isolation.measure(**words_of, first_seed=options.first_seed, processes=options.jobs)
    if options.json is not None:
        write_json(options.json, results)
    return 0


def run_fuzz(options: argparse.Namespace) -> int:
    """Fuzz, or try what was found again."""
    from benchmarks.fuzz import command
    from benchmarks.fuzz.targets import TARGETS

    names = options.target or list(TARGETS)
    unknown = [name for name in names if name not in TARGETS]
    if unknown or (options.again is not None and len(names) != 1):
        print(f"--target: {', '.join(TARGETS)}" + ("" if unknown else "; --again needs one"), file=sys.stderr)
        return 2
    if options.again is not None:
        print(command.again(names[0], options.again))
        return 0
    return command.run(
        names,
        seed=options.seed,
        seconds=options.seconds,
        captures=options.captures,
        corpus=options.corpus or command.CORPUS,
        out=options.json,
    )


def run_simulator(options: argparse.Namespace) -> int:
    """Hold the simulator to its promises."""
    from benchmarks import simulator

    results = simulator.run_simulator(seed=options.seed, packets=options.packets, out=options.json)
    return 1 if results["gaps"] or results["differing"] or results["wire"] else 0


def run_limits(options: argparse.Namespace) -> int:
    """Look for limits that drop."""
    from benchmarks import limits

    limits.run(
        first=options.first_seed, seeds=options.seeds, pattern=options.scenarios, jobs=options.jobs, out=options.json,
        details=options.details,
    )  # fmt: skip
    return 0


def run_strata(options: argparse.Namespace) -> int:
    """Fit without some senders and round trips, and judge them."""
    from benchmarks import strata

    strata.run(cache=options.cache, first=options.first_seed, seeds=options.seeds, jobs=options.jobs, out=options.json)
    return 0


def run_buckets(options: argparse.Namespace) -> int:
    """Time fits of token buckets."""
    from benchmarks import buckets

    buckets.run(first=options.first_seed, seeds=options.seeds, count=options.count, out=options.json)
    return 0


def run_resemblance(options: argparse.Namespace) -> int:
    """Count resets that look like their claimed sender in every field."""
    from benchmarks import resemblance

    for kind, counts in resemblance.measure(options.captures).items():
        like, of = (sum(column) for column in zip(*counts.values(), strict=True)) if counts else (0, 0)
        print(f"{kind}: {like} of {of}; {resemblance.share(counts):.2f} where every repository weighs the same")
        print(*(f"  {name}: {some} of {all_of_them}" for name, (some, all_of_them) in counts.items()), sep="\n")
    return 0


def run_hops(options: argparse.Namespace) -> int:
    """Count by how many hops ways there and back differ."""
    from benchmarks import hops

    found = hops.measure(options.captures)
    differ = [hop for counts in found.values() for hop in counts.elements()]
    for name, counts in found.items():
        print(name, *(f"{hop:+d}: {count}" for hop, count in sorted(counts.items())), sep="  ")
    spread = statistics.pstdev(differ) if differ else float("nan")
    print(f"{len(differ)} pairs of hosts, standard deviation {spread:.1f} hops")
    return 0


def run_udp(options: argparse.Namespace) -> int:
    """Count what is said of UDP that falls silent."""
    from benchmarks import udp

    udp.run_udp(options.captures, seeds=options.seeds, first_seed=options.first_seed, jobs=options.jobs)
    return 0


def run_likeness(options: argparse.Namespace) -> int:
    """Compare the simulator with the lab."""
    from benchmarks import likeness

    return 1 if likeness.run_likeness(options.lab, seeds=options.seeds, out=options.json)["above"] else 0


def run_speed(options: argparse.Namespace) -> int:
    """Measure speed."""
    from benchmarks import speed
    from benchmarks.mixes import large, measure, touched

    if options.large:
        large.run(out=options.json, docs=options.docs)
    elif options.mixes is None:
        speed.run(out=options.json, quick=options.quick, programs=not options.no_programs)
    elif options.short:
        return touched.run(jobs=options.jobs, write=options.write)
    else:
        measure.run(
            only=options.mixes, packets=options.packets, pairs=options.pairs, programs=not options.no_programs,
            out=options.json, docs=options.docs,
        )  # fmt: skip
    return 0


def run_attribution(options: argparse.Namespace) -> int:
    """Say who did it."""
    from benchmarks.attribution.command import FIRST_FIT_SEED, FIRST_SEED, run

    first = options.first_seed or (FIRST_FIT_SEED if options.fit else FIRST_SEED)
    run(fit=options.fit, seeds=options.seeds, first_seed=first, processes=options.jobs)
    return 0


def run_statistics(options: argparse.Namespace) -> int:
    """Try the statistics of groups on evidence of known truth."""
    from benchmarks import statistics

    statistics.run(options.trials, options.json)
    return 0


def run_quality(options: argparse.Namespace) -> int:
    """Measure quality, or look at damaged files; without a source named, on simulated captures and in the lab."""
    from benchmarks import hostile, quality

    if options.hostile:
        if len(options.captures) > 1:
            print("--hostile takes --captures once, or makes bombs without", file=sys.stderr)
            return 2
        folder = options.captures[0] if options.captures else None
        return 1 if hostile.run(folder, out=options.json, jobs=options.jobs)["misbehave"] else 0
    named = options.captures or options.simulator or options.lab
    plan = quality.Plan(
        captures=tuple(options.captures),
        simulator=options.simulator or not named,
        lab=options.lab or not (named or options.quick),
        pattern=options.files,
        seeds=options.seeds or (2 if options.quick else 20),
        lab_seeds=options.lab_seeds,
        rivals=not options.no_rivals,
        long_run=30_000 if options.quick else 300_000,
        jobs=options.jobs,
    )
    results = quality.run(plan, out=options.json, docs=options.docs, listing=options.details)
    return 1 if results["failed"] else 0


def run_fit(options: argparse.Namespace) -> int:
    """Fit the packaged model."""
    from benchmarks import fit

    fit.run(
        seeds=options.seeds,
        lab_seeds=options.lab_seeds,
        jobs=options.jobs,
        version=options.version,
        cache=options.cache,
    )
    return 0


def run_lab(options: argparse.Namespace) -> int:
    """Make lab captures, list the scenarios or check a folder."""
    from benchmarks.lab import command

    if options.list:
        print(command.listing())
        return 0
    if options.check is not None:
        return command.check_folder(options.check, options.jobs)
    return command.make_folder(options.out, options.seeds, options.scenarios, options.jobs)


def run_decode(options: argparse.Namespace) -> int:
    """Compare decoding with tshark, or time the first stages alone: capture index, headers, flow ids."""
    if options.captures is not None:
        from benchmarks import decode_check

        limit = [] if options.limit is None else ["--limit", str(options.limit)]
        return decode_check.main(["--captures", str(options.captures), *limit])
    from benchmarks.capture import SLOTS
    from benchmarks.speed import CONNECTIONS, FEW, captures
    from netinterf.capture import open_capture
    from netinterf.decode import decode
    from netinterf.flows.assign import assign_flows

    connections = FEW if options.quick else CONNECTIONS
    for name, path in captures(connections).items():
        fastest = float("inf")
        for _ in range(3):
            begin = time.perf_counter()
            capture = open_capture(path)
            decoded = decode(capture.buffer, capture.records, [one.link_type for one in capture.interfaces])
            assign_flows(decoded.packets, decoded.endpoints)
            fastest = min(fastest, time.perf_counter() - begin)
        print(f"{name}: {fastest:.3f} s, {connections * SLOTS / fastest:,.0f} packets/s")
    return 0


def run_session(options: argparse.Namespace) -> int:
    """Measure sessions."""
    from benchmarks import session

    return session.run(options)


RUNS: dict[str, Callable[[argparse.Namespace], int]] = {
    "quality": run_quality,
    "fit": run_fit,
    "attribution": run_attribution,
    "statistics": run_statistics,
    "speed": run_speed,
    "session": run_session,
    "decode": run_decode,
    "dns": run_dns,
    "hellos": run_hellos,
    "joined": run_joined,
    "timings": run_timings,
    "demonstration": run_demonstration,
    "cut": run_cut,
    "ways": run_ways,
    "freezes": run_freezes,
    "isolation": run_isolation,
    "fuzz": run_fuzz,
    "rivals": run_rivals,
    "collect": run_collect,
    "report": run_report,
    "compare": run_compare,
    "campaign": run_campaign,
    "harmless": run_harmless,
    "reality": run_reality,
    "metamorphic": run_metamorphic,
    "anomaly": run_anomaly,
    "filters": run_filters,
    "shaping": run_shaping,
    "lab": run_lab,
    "limits": run_limits,
    "strata": run_strata,
    "buckets": run_buckets,
    "resemblance": run_resemblance,
    "hops": run_hops,
    "udp": run_udp,
    "simulator": run_simulator,
    "likeness": run_likeness,
    "page": run_page,
    "examples": run_examples,
    "roots": run_roots,
}
"""What each verb does."""


if __name__ == "__main__":
    sys.exit(main())
