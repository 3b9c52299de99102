"""The arguments of the command, verb by verb.

Each verb says in ``run`` where the function is that runs it, so that only the modules of the verb that was asked for
are imported: help and complaints come at once.
"""

import argparse

from netinterf.cli.arguments import (
    PLAIN,
    VANTAGES,
    Input,
    Parser,
    Target,
    add_fail_on,
    add_form,
    add_join,
    add_judging,
    add_key,
    add_out,
    add_output,
    add_paths,
    add_redaction,
    add_strict,
    count,
)
from netinterf.cli.campaign_verbs import add_campaign
from netinterf.version import __version__

__all__ = ["COMPLETIONS", "build_parser"]

FOR_WHOM = "text is for people, jsonl for programs"

COMPLETIONS = {
    "bash": "share/bash-completion/completions/netinterf",
    "zsh": "share/zsh/site-functions/_netinterf",
    "fish": "share/fish/vendor_completions.d/netinterf.fish",
}
"""Shells, and where each looks for what completes a command, below the folder that is installed into."""


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
    add_paths(scan)
    add_join(scan)
    scan.add_argument(
        "--jobs",
        type=count,
        default=1,
        metavar="N",
        help="processes that judge (default 1); captures come as they are done",
    )
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
    add_extract(verbs)
    add_wireshark(verbs)
    add_filter(verbs)
    add_simulate(verbs)
    add_mcp(verbs)
    analyzers = verbs.add_parser(
        "analyzers",
        help="list what can be asked",
        description="List all analyzers, built-in and installed: what each looks for, and the rules it may state.",
        epilog="Exit status: 0 done, 2 wrong usage.",
        allow_abbrev=False,
    )
    analyzers.add_argument("--rules", action="store_true", help="list their rules, and what each weighs")
    analyzers.set_defaults(run="netinterf.cli.listing:run_analyzers")
    add_completion(verbs)
    return parser


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
    add_form(compare, PLAIN, FOR_WHOM)
    add_out(compare)
    compare.add_argument("--all", action="store_true", help="also what works, and all that cannot be compared")
    add_judging(compare)
    add_strict(compare)
    add_fail_on(compare, "something is blocked")
    compare.set_defaults(run="netinterf.cli.comparison:run_compare")


def add_watch(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that judges while packets come."""
    watch = verbs.add_parser(
        "watch",
        help="judge while packets come",
        description="Judge packets as they come from a pipe or interfaces; findings are told about every second.",
        epilog="tcpdump -U -w - | netinterf watch - loses fewer packets than an interface. Exit status: 0 it ended or "
        "was stopped, 1 something was found (with --fail-on), 2 wrong usage, 3 no input could be read, or any more.",
        allow_abbrev=False,
    )
    watch.add_argument(
        "sources",
        nargs="+",
        type=Input,
        metavar="SOURCE",
        help="- for a capture on standard input, or network interfaces, which are watched as one",
    )
    add_redaction(watch, ring=True)
    watch.add_argument(
        "--ring",
        metavar="DIR",
        help="keep the packets of findings in files there, of which the oldest leave; see --keep",
    )
    add_form(watch, PLAIN, FOR_WHOM)
    watch.add_argument("--all", action="store_true", help="one verdict for every flow and DNS exchange")
    watch.add_argument(
        "--on-finding", metavar="CMD", help="a command to run for each finding, its line as JSON on standard input"
    )
    watch.add_argument("--syslog", metavar="ADDRESS", help="also tell a log of the system: /dev/log, or HOST:PORT")
    add_judging(watch)
    add_fail_on(watch, "something was found")
    watch.set_defaults(room=None, run="netinterf.cli.watch:run_watch")


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
    add_conversation(explain)
    add_redaction(explain)
    add_form(explain, PLAIN, FOR_WHOM)
    add_out(explain)
    add_judging(explain)
    add_strict(explain)
    add_fail_on(explain, "it was interfered with")
    explain.set_defaults(run="netinterf.cli.explaining:run_explain")


def add_extract(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that writes the packets of one conversation."""
    extract = verbs.add_parser(
        "extract",
        help="write the packets of one conversation",
        description="Judge a capture and write the packets of one of its conversations: pcapng with what each frame "
        "shows as a comment beside it, which Wireshark tells, or pcap without.",
        epilog="Exit status: 0 done, 2 wrong usage or no such conversation, 3 the capture could not be read.",
        allow_abbrev=False,
    )
    add_conversation(extract)
    add_redaction(extract)
    extract.add_argument(
        "--out",
        type=Target,
        metavar="FILE",
        help="where they go, NAME.pcapng or NAME.pcap (default: standard output, a pipe, as pcapng)",
    )
    add_judging(extract)
    add_strict(extract)
    extract.set_defaults(run="netinterf.cli.extraction:run_extract")


def add_wireshark(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that gives Wireshark a profile."""
    wireshark = verbs.add_parser(
        "wireshark",
        help="give Wireshark a profile",
        description="Write a profile for Wireshark, netinterf, which colours the packets that extract wrote by what is "
        "said of them, and has columns for that and for what a packet's writer chose.",
        epilog="Exit status: 0 done, 2 wrong usage, 74 it could not be written.",
        allow_abbrev=False,
    )
    wireshark.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        help="Wireshark's folder of settings (default: where Wireshark looks; tshark -G folders tells)",
    )
    wireshark.set_defaults(run="netinterf.cli.wireshark:run_wireshark")


def add_filter(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that writes a filter against whoever forged packets."""
    filters = verbs.add_parser(
        "filter",
        help="write a filter against an injector",
        description="Judge a capture and write a filter that drops what was forged in it, by how an injector's packets "
        "look and no address or number of a connection, with what it would cost.",
        epilog="Where nothing parts forged packets from those of hosts, the reason is written and no filter. Exit "
        "status: 0 done, 2 wrong usage, 3 the capture could not be read.",
        allow_abbrev=False,
    )
    filters.add_argument(
        "paths", nargs="+", type=Input, metavar="PATH", help="a capture; with --join, the files of one"
    )
    add_join(filters)
    filters.add_argument(
        "--format", choices=("nft", "bpf"), default="nft", help="nftables (default), or an expression of pcap-filter"
    )
    add_out(filters)
    add_judging(filters)
    add_strict(filters)
    filters.set_defaults(run="netinterf.cli.filtering:run_filter")


def add_conversation(verb: Parser) -> None:
    """Describe which conversation of which capture is asked about."""
    verb.add_argument("paths", nargs="+", type=Input, metavar="PATH", help="a capture; with --join, the files of one")
    verb.add_argument(
        "flow",
        metavar="FLOW",
        help="the number of one of its frames, as in Wireshark (of joined files FILE:NUMBER), or "
        "ADDRESS:PORT-ADDRESS:PORT",
    )
    add_join(verb)


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


def add_completion(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that prints what completes the command in a shell."""
    completion = verbs.add_parser(
        "completion",
        help="print what completes this command in a shell",
        description="Print what completes verbs, options and names of files in a shell, where it does not find that by "
        "itself: as in Python environments of their own.",
        epilog="Exit status: 0 done, 2 wrong usage, or this copy was not installed.",
        allow_abbrev=False,
    )
    completion.add_argument("shell", choices=tuple(COMPLETIONS), help="which shell")
    completion.set_defaults(run="netinterf.cli.completion:run_completion")


def add_mcp(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the verb that serves captures to assistants."""
    mcp = verbs.add_parser(
        "mcp",
        help="serve captures to an assistant",
        description="Serve the captures of one folder to a language model, by the Model Context Protocol on standard "
        "input and output. Addresses and names are replaced unless it is said otherwise here.",
        epilog="Exit status: 0 standard input was closed, 2 wrong usage, or the optional dependency is missing.",
        allow_abbrev=False,
    )
    mcp.add_argument("--root", type=Input, required=True, metavar="FOLDER", help="nothing outside of it can be read")
    mcp.add_argument("--out", metavar="FOLDER", help="write extracted packets there (default: none are written)")
    told = mcp.add_mutually_exclusive_group()
    told.add_argument("--raw", action="store_true", help="tell addresses and names as they are")
    told.add_argument("--keep", choices=("names",), help="tell names as they are; addresses are replaced")
    add_key(mcp)
    mcp.add_argument(
        "--most-bytes", type=count, metavar="N", help="largest capture that is read, also expanded (default 1 GiB)"
    )
    mcp.add_argument("--most-seconds", type=count, metavar="N", help="time for one answer (default 120)")
    add_judging(mcp)
    add_strict(mcp)
    mcp.set_defaults(run="netinterf.cli.assistants:run_mcp")
