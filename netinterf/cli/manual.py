"""The manual page, netinterf(1), written from the parser in the macros of man(7)."""

import argparse
import re
from collections.abc import Iterator
from textwrap import wrap

from netinterf.version import __version__

__all__ = ["MANUAL", "manual"]

MANUAL = "share/man/man1/netinterf.1"

HEAD = """.TH NETINTERF 1 "" "netinterf {version}" "User Commands"
.SH NAME
{name}
.SH SYNOPSIS"""

ABOUT = """{program} \\fB\\-\\-version\\fR
.SH DESCRIPTION
{says}
Each command lists its options with \\fB\\-\\-help\\fR as well.
.SH COMMANDS"""

TAIL = """.SH SEE ALSO
.BR pcap\\-savefile (5),
.BR tcpdump (1),
.BR tshark (1),
.BR wireshark (1)"""

REPEATED = {"*": "[{} ...]", "+": "{} ...", "?": "[{}]", None: "{}"}
"""How often an argument may be given, by what argparse calls it."""


def manual(parser: argparse.ArgumentParser) -> str:
    """Write the page.

    Args:
        parser: Of the command, with its verbs.
    """
    what = (parser.description or "").rstrip(".")
    name = prose(f"{parser.prog} - {what[:1].lower()}{what[1:]}")
    lines = [HEAD.format(version=roff(__version__), name=name)]
    for verb in verbs_of(parser):
        lines += [synopsis(verb), ".br"]
    lines += [ABOUT.format(program=bold(parser.prog), says=prose(parser.description))]
    for verb in verbs_of(parser):
        lines += section(verb)
    return "\n".join([*lines, TAIL, ""])


def verbs_of(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """List the parsers of all that does something: of a parser with verbs those, else itself."""
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield parser
    for action in nested:
        for verb in action.choices.values():
            yield from verbs_of(verb)


def synopsis(verb: argparse.ArgumentParser) -> str:
    """Write in one line how a verb is called."""
    given = [action for action in verb._get_optional_actions() if action.dest != "help"]
    words = [bold(verb.prog), *([f"[{italic('OPTION')}] ..."] if given else [])]
    words += [argument(action) for action in verb._get_positional_actions()]
    return " ".join(words + [option(action) for action in given if action.required])


def section(verb: argparse.ArgumentParser) -> Iterator[str]:
    """Write what a verb does, its arguments and options, and what its exit status says."""
    yield f".SS {roff(verb.prog)}"
    yield synopsis(verb)
    yield from (".PP", prose(verb.description))
    for group in verb._action_groups:
        if group.description:
            yield from (".PP", prose(group.description))
        for action in group._group_actions:
            if action.dest != "help":
                yield from (".TP", option(action), prose((action.help or "") % vars(action)))
    if verb.epilog:
        yield from (".PP", prose(verb.epilog))


def option(action: argparse.Action) -> str:
    """Write the names of an option and what follows it, or of an argument what stands for it."""
    if not action.option_strings:
        return italic(named(action))
    names = ", ".join(map(bold, action.option_strings))
    return names if action.nargs == 0 else f"{names} {argument(action)}"


def argument(action: argparse.Action) -> str:
    """Write what stands for the values of an option or argument, and how many there may be."""
    return REPEATED[action.nargs if isinstance(action.nargs, str) else None].format(italic(named(action)))


def named(action: argparse.Action) -> str:
    """Give what stands for one value: a word, or all that it may be."""
    if isinstance(action.metavar, str):
        return action.metavar
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def bold(text: str) -> str:
    """Write what is typed as it stands."""
    return f"\\fB{roff(text)}\\fR"


def italic(text: str) -> str:
    """Write what something else stands for."""
    return f"\\fI{roff(text)}\\fR"


def roff(text: str | None) -> str:
    """Write text so that nothing in it is a command, and what is typed can be copied: a minus is none of a compound."""
    escaped = re.sub(r"(?<!\w)-|-(?!\w)", r"\\-", (text or "").replace("\\", "\\e"))
    return re.sub(r"^(?=[.'])", r"\\&", escaped)


def prose(text: str | None) -> str:
    """Write sentences, in lines that are as short as pages have them."""
    return "\n".join(map(roff, wrap(text or "", 72, break_on_hyphens=False, break_long_words=False)))
