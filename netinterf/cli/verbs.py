"""The arguments of the command, verb by verb.

Each verb says in ``run`` where the function is that runs it, so that only the modules of the verb that was asked for
are imported: help and complaints come at once.
"""

import argparse
from typing import NoReturn

from netinterf.cli.exit_status import EXIT_USAGE, complain
from netinterf.cli.formats import FORMATS
from netinterf.version import __version__

__all__ = ["Input", "Target", "build_parser"]

VANTAGES = ("auto", "client", "server", "middle")
PLAIN = ("text", "jsonl")
"""Formats that are written line by line."""


class Input(str):
    """An argument that names what is read: nothing may be written there, which is checked for every verb alike."""

    __slots__ = ()


class Target(str):
    """An argument that names what is written."""

    __slots__ = ()


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and leave."""
        complain(f"{message} (try: {self.prog} --help)")
        self.exit(EXIT_USAGE)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command and its verbs."""
    parser = Parser(
        prog="netinterf",
        description="Say from packet captures whether somebody on the path interfered with the traffic.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"netinterf {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    scan = verbs.add_parser(
        "scan",
        help="judge captures",
        description="Judge captures: each file is one capture, unless --join makes one recording of all.",
        epilog="Exit status: 0 the scan ran, 1 something was found (with --fail-on), 2 wrong usage, "
        "3 no input could be read.",
        allow_abbrev=False,
    )
    scan.add_argument(
        "paths", nargs="+", type=Input, metavar="PATH", help="a capture, a folder, a pattern, or - for standard input"
    )
    add_join(scan)
    add_redaction(scan)
    add_output(scan)
    scan.add_argument("--all", action="store_true", help="one verdict for every flow and DNS exchange")
    add_judging(scan)
    add_strict(scan)
    add_fail_on(scan, "something was found")
    scan.set_defaults(run="netinterf.cli.scanning:run_scan")
    add_watch(verbs)
    add_compare(verbs)
    add_campaign(verbs)
    add_redact(verbs)
    add_explain(verbs)
    add_simulate(verbs)
    analyzers = verbs.add_parser(
        "analyzers",
        help="list what can be asked",
        description="List all analyzers, built-in and installed: what each looks for, and the rules it may state.",
        epilog="Exit status: 0 done, 2 wrong usage.",
        allow_abbrev=False,
    )
    analyzers.add_argument("--rules", action="store_true", help="list their rules, and what each weighs")
    analyzers.set_defaults(run="netinterf.cli.listing:run_analyzers")
    return parser


def add_output(verb: Parser) -> None:
    """Describe how and where to an answer is written."""
    verb.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="text",
        help="text (default) and html, a page, are for people, the others for programs",
    )
    add_out(verb)


def add_compare(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that holds captures against others."""
    compare = verbs.add_parser(
        "compare",
        help="hold captures against those of another place or time",
        description="Compare two places or two times, name by name: what fails here and works there, and why.",
        epilog="Exit status: 0 done, 1 something is blocked (with --fail-on), 2 wrong usage, "
        "3 a side has no input that can be read.",
        allow_abbrev=False,
    )
    compare.add_argument(
        "paths", nargs="+", type=Input, metavar="PATH", help="captures, folders or patterns of the place in question"
    )
    compare.add_argument(
        "--against",
        nargs="+",
        type=Input,
        required=True,
        metavar="PATH",
        help="those of a place, or time, without interference",
    )
    add_redaction(compare)
    add_lines(compare)
    add_out(compare)
    compare.add_argument("--all", action="store_true", help="also what works, and all that cannot be compared")
    add_judging(compare)
    add_strict(compare)
    add_fail_on(compare, "something is blocked")
    compare.set_defaults(run="netinterf.cli.comparison:run_compare")


def add_campaign(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb of many captures, which has verbs of its own."""
    campaign = verbs.add_parser(
        "campaign",
        help="collect many captures in a store",
        description="Keep what many captures show in a store that grows: what was tried where, and what came of it.",
        allow_abbrev=False,
    )
    steps = campaign.add_subparsers(dest="step", metavar="STEP", required=True, parser_class=Parser)
    add_collect(steps)
    add_report(steps)
    add_compact(steps)


def add_collect(steps: "argparse._SubParsersAction[Parser]") -> None:
    """Describe how captures are added to a store."""
    collect = steps.add_parser(
        "collect",
        help="add captures to a store",
        description="Judge captures, and measurements of OONI's probes, that are not in a store yet, and add what they "
        "show. It can be stopped at any moment: the next call does the rest.",
        epilog="Exit status: 0 done, 2 wrong usage, 3 nothing could be read, 74 the store could not be written.",
        allow_abbrev=False,
    )
    collect.add_argument(
        "paths",
        nargs="*",
        type=Input,
        metavar="PATH",
        help="a capture, a file of OONI measurements, a folder or a pattern",
    )
    collect.add_argument(
        "--into", type=Target, required=True, metavar="STORE", help="the folder of the store; made if needed"
    )
    collect.add_argument(
        "--place", metavar="NAME", help="where these clients are (default here; of measurements their country)"
    )
    collect.add_argument(
        "--manifest",
        type=Input,
        metavar="FILE",
        help="instead of PATH and --place: a CSV file path,place and perhaps asn,country",
    )
    collect.add_argument(
        "--names", type=Input, metavar="FILE", help="names that the store may tell, one a line; *.example.com"
    )
    collect.add_argument("--jobs", type=int, metavar="N", help="processes (default: the cores of this machine)")
    collect.add_argument("--scheduler", metavar="ADDRESS", help="judge on a cluster of Dask instead")
    collect.add_argument(
        "--cut",
        type=int,
        metavar="BYTES",
        help="cut larger captures by time, so that several look at one (default 1 GiB)",
    )
    add_judging(collect)
    collect.set_defaults(run="netinterf.cli.campaign:run_collect", strict=False)


def add_report(steps: "argparse._SubParsersAction[Parser]") -> None:
    """Describe how what a store shows is written."""
    report = steps.add_parser(
        "report",
        help="say what a store shows",
        description="Judge all captures of a store together: which names and servers are blocked in which networks, "
        "how, since when, and how sure that is.",
        epilog="Exit status: 0 done, 1 something is blocked (with --fail-on), 2 wrong usage.",
        allow_abbrev=False,
    )
    report.add_argument("store", type=Input, metavar="STORE", help="the folder of a store")
    report.add_argument(
        "--format",
        choices=("text", "html", "jsonl", "parquet"),
        default="text",
        help="text (default) and html, a page, are for people, the others for programs",
    )
    report.add_argument(
        "--by", default="name,network", metavar="A,B", help="name,network (default) or name,network,day: one cell a day"
    )
    report.add_argument(
        "--settled",
        action="store_true",
        help="instead of cells, the verdicts of single captures that all of them together settle",
    )
    report.add_argument("--all", action="store_true", help="also what works, and all that stays open")
    add_out(report)
    add_fail_on(report, "something is blocked")
    report.set_defaults(run="netinterf.cli.campaign:run_report")


def add_compact(steps: "argparse._SubParsersAction[Parser]") -> None:
    """Describe how small parts of a store are merged."""
    compact = steps.add_parser(
        "compact",
        help="merge the small parts of a store",
        description="Merge small parts of a store, as many small collects leave them: it holds the same rows in fewer "
        "files. It can be stopped at any moment, and whoever reads the store meanwhile reads the same.",
        epilog="Exit status: 0 done, 2 wrong usage, 74 the store could not be written.",
        allow_abbrev=False,
    )
    compact.add_argument("store", type=Target, metavar="STORE", help="the folder of a store")
    compact.set_defaults(run="netinterf.cli.campaign:run_compact")


def add_judging(verb: Parser) -> None:
    """Describe how captures are judged."""
    verb.add_argument("--analyzers", metavar="A,B", help="which questions to ask, by name: see netinterf analyzers")
    verb.add_argument("--vantage", choices=VANTAGES, default="auto", help="where the capture was taken")
    verb.add_argument(
        "--networks",
        type=Input,
        metavar="FILE",
        action="append",
        help="whose addresses are: CSV prefix,asn,country, iptoasn, pfx2as, IPinfo or .mmdb; more than once, the first "
        "that knows counts",
    )
    verb.add_argument(
        "--answers",
        type=Input,
        metavar="FILE",
        help="what names are known to answer: a CSV file name,address, or a capture",
    )
    verb.add_argument("--priors", type=Input, metavar="FILE", help="a CSV file: subject,mechanism,probability,source")


def add_join(verb: Parser) -> None:
    """Describe how files become one capture."""
    verb.add_argument(
        "--join", action="store_true", help="all files are one recording: rotated, cut, or of several taps"
    )


def add_strict(verb: Parser) -> None:
    """Describe what damage is."""
    verb.add_argument("--strict", action="store_true", help="treat damage as an error of that capture")


def add_fail_on(verb: Parser, when: str) -> None:
    """Describe when the exit status tells."""
    verb.add_argument("--fail-on", choices=("interfered",), metavar="interfered", help=f"exit with 1 when {when}")


def add_out(verb: Parser) -> None:
    """Describe where to an answer is written."""
    verb.add_argument("--out", type=Target, metavar="FILE", help="write there, not to standard output")


def add_lines(verb: Parser) -> None:
    """Describe how an answer is written that comes line by line."""
    verb.add_argument("--format", choices=PLAIN, default="text", help="text for people (default) or jsonl for programs")


def add_watch(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that judges while packets come."""
    watch = verbs.add_parser(
        "watch",
        help="judge while packets come",
        description="Judge packets as they come from a pipe or an interface; findings are told about every second.",
        epilog="tcpdump -U -w - | netinterf watch - loses fewer packets than an interface. Exit status: 0 it ended or "
        "was stopped, 1 something was found (with --fail-on), 2 wrong usage, 3 no input could be read.",
        allow_abbrev=False,
    )
    watch.add_argument(
        "source", type=Input, metavar="SOURCE", help="- for a capture on standard input, or a network interface"
    )
    add_redaction(watch)
    add_lines(watch)
    watch.add_argument("--all", action="store_true", help="one verdict for every flow and DNS exchange")
    add_judging(watch)
    add_fail_on(watch, "something was found")
    watch.set_defaults(run="netinterf.cli.watch:run_watch")


def add_redaction(verb: Parser) -> None:
    """Describe what is taken out of an answer."""
    verb.add_argument("--redact", action="store_true", help="replace addresses, names and paths in what is written")
    verb.add_argument("--keep", choices=("names",), help="what --redact leaves as it is")
    add_key(verb)


def add_key(verb: Parser) -> None:
    """Describe the key of a redaction: a file, since other users of a machine can see arguments."""
    verb.add_argument(
        "--key", type=Input, metavar="FILE", help="a file of 16 random bytes or more: the same key replaces alike"
    )


def add_redact(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that makes captures that can be shared."""
    redact = verbs.add_parser(
        "redact",
        help="write a capture that can be shared",
        description="Write a capture that can be shared: headers alone, addresses replaced, no payload.",
        epilog="Exit status: 0 done, 2 wrong usage, 3 the capture could not be read.",
        allow_abbrev=False,
    )
    redact.add_argument("path", type=Input, metavar="PATH", help="a capture, or - for standard input")
    add_out(redact)
    add_key(redact)
    add_strict(redact)
    redact.set_defaults(run="netinterf.cli.redaction:run_redact")


def add_explain(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that tells everything about one conversation."""
    explain = verbs.add_parser(
        "explain",
        help="tell everything about one conversation",
        description="Judge a capture and tell all that is known about one of its conversations: what speaks for the "
        "verdict and against it, what was missing, and the packets.",
        epilog="Exit status: 0 done, 1 it was interfered with (with --fail-on), 2 wrong usage or no such conversation, "
        "3 the capture could not be read.",
        allow_abbrev=False,
    )
    explain.add_argument(
        "paths", nargs="+", type=Input, metavar="PATH", help="a capture; with --join, the files of one"
    )
    explain.add_argument(
        "flow",
        metavar="FLOW",
        help="the number of one of its frames, as in Wireshark (of joined files FILE:NUMBER), or "
        "ADDRESS:PORT-ADDRESS:PORT",
    )
    add_join(explain)
    add_redaction(explain)
    add_lines(explain)
    add_out(explain)
    add_judging(explain)
    add_strict(explain)
    add_fail_on(explain, "it was interfered with")
    explain.set_defaults(run="netinterf.cli.explaining:run_explain")


def add_simulate(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that makes captures."""
    simulate = verbs.add_parser(
        "simulate",
        help="make a capture with known truth",
        description="Play a scenario: write the capture, and what really happened beside it (NAME.labels.json).",
        epilog="What is not fixed is drawn by seed. Exit status: 0 done, 2 wrong usage.",
        allow_abbrev=False,
    )
    simulate.add_argument("scenario", nargs="?", metavar="SCENARIO", help="which one, see --list; or campaign")
    simulate.add_argument(
        "--out", type=Target, metavar="PATH", help="where it goes (default SCENARIO.SEED.pcap, or campaign.SEED)"
    )
    simulate.add_argument("--list", action="store_true", help="list all scenarios, or those whose name holds SCENARIO")
    simulate.add_argument("--seed", type=int, default=0, help="a whole number from 0 on (default 0)")
    simulate.add_argument("--ip", type=int, choices=(4, 6), help="address family")
    simulate.add_argument("--vantage", choices=VANTAGES[1:], help="where the tap is")
    simulate.add_argument("--direction", choices=("both", "outbound", "inbound"), help="what the tap sees")
    simulate.add_argument("--snaplen", type=int, metavar="BYTES", help="bytes kept of a frame; 0 keeps all")
    simulate.add_argument("--clean", action="store_true", help="a faithful recorder on a clean IPv4 path otherwise")
    campaign = simulate.add_argument_group("campaign", "SCENARIO may be the word campaign: a folder of many captures")
    campaign.add_argument("--networks", type=int, metavar="N", help="networks of clients (default 4)")
    campaign.add_argument("--names", type=int, metavar="N", help="names that each of them visits (default 20)")
    campaign.add_argument("--runs", type=int, metavar="N", help="times that it does (default 3)")
    campaign.add_argument("--blocked", type=float, metavar="SHARE", help="share of the names blocked (default 0.25)")
    campaign.add_argument("--every", choices=("hour", "day"), help="time between two runs (default day)")
    campaign.add_argument("--jobs", type=int, metavar="N", help="processes (default: the cores)")
    simulate.set_defaults(run="netinterf.cli.simulation:run_simulate")
