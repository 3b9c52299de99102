"""The arguments of the verb of many captures: to collect them, to report what they show, and to tidy up."""

import argparse

from netinterf.cli.arguments import Input, Parser, Target, add_fail_on, add_form, add_judging, add_out

__all__ = ["add_campaign"]


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
    add_form(
        report, ("text", "html", "jsonl", "parquet"), "text and html, a page, are for people, the others for programs"
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
