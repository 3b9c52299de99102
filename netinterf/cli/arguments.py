"""What arguments of several verbs are: captures, how to judge them, what to take out, and where to an answer goes."""

import argparse
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, NoReturn

from netinterf.cli.exit_status import EXIT_USAGE, complain
from netinterf.cli.formats import FORMATS

__all__ = [
    "PLAIN",
    "VANTAGES",
    "Input",
    "Parser",
    "Target",
    "add_fail_on",
    "add_form",
    "add_join",
    "add_judging",
    "add_key",
    "add_out",
    "add_output",
    "add_paths",
    "add_redaction",
    "add_strict",
    "count",
    "settle_form",
]

VANTAGES = ("auto", "client", "server", "middle")
PLAIN = ("text", "jsonl")
"""Formats that are written line by line."""

SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?(?:([kKMGT])(i?)|)B?")

SUFFIXES = {".html": "html", ".htm": "html", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
"""What the name of a file says about its form."""


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


class Keep(argparse.Action):
    """Tells a size (``room``) from what a redaction keeps (``keep``)."""

    def __call__(self, _: argparse.ArgumentParser, space: argparse.Namespace, word: Any, __: object = None) -> None:
        """Read the word."""
        try:
            place, value = ("keep", word) if word == "names" else ("room", size(word))
        except ValueError:
            raise argparse.ArgumentError(self, f"{word!r} is neither names nor a size such as 10GB or 500MiB") from None
        setattr(space, place, value)


def size(word: str) -> int:
    """Read a number of bytes: in units of SI, ``500MB``, or of IEC 80000-13, ``10GiB``.

    Raises:
        ValueError: It is none, or less than one byte.
    """
    matched = SIZE.fullmatch(word)
    if matched is None:
        raise ValueError(word)
    number, unit, binary = matched.groups()
    result = int(float(number) * (1024 if binary else 1000) ** " KMGT".index((unit or " ").upper()))
    if result < 1:
        raise ValueError(word)
    return result


def count(word: str) -> int:
    """Read a number of things: 1 or more."""
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more are expected")
    return number


def add_output(verb: Parser) -> None:
    """Describe how and where to an answer is written."""
    add_form(verb, tuple(FORMATS), "text and html, a page, are for people, the others for programs")
    add_out(verb)


def add_form(verb: Parser, forms: Sequence[str], words: str) -> None:
    """Describe how an answer is written."""
    verb.add_argument("--format", choices=forms, help=f"{words}; by default what --out ends in says, else text")
    verb.set_defaults(forms=forms)


def settle_form(arguments: argparse.Namespace) -> None:
    """Let the name of the output say how it is written, where nothing else does."""
    if getattr(arguments, "format", "") is None:
        form = SUFFIXES.get(PurePath(getattr(arguments, "out", None) or "").suffix.lower(), "text")
        arguments.format = form if form in arguments.forms else "text"


def add_out(verb: Parser) -> None:
    """Describe where to an answer is written."""
    verb.add_argument("--out", type=Target, metavar="FILE", help="write there, not to standard output")


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


def add_paths(verb: Parser) -> None:
    """Describe which captures are read: named, listed, and perhaps only those that are new."""
    verb.add_argument(
        "paths", nargs="*", type=Input, metavar="PATH", help="a capture, a folder, a pattern, or - for standard input"
    )
    verb.add_argument(
        "--files-from", type=Input, metavar="FILE", help="a list of further ones, one a line; - for standard input"
    )
    verb.add_argument(
        "-0", "--null", action="store_true", help="in that list a null byte ends each, as of find -print0"
    )
    verb.add_argument(
        "--newer-than",
        metavar="WHEN",
        help="only captures that were written to since: a day, a time (ISO 8601), or a file that is as old",
    )


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


def add_redaction(verb: Parser, *, ring: bool = False) -> None:
    """Describe what is taken out of an answer; where packets are kept in a ring, what is kept may also be a size."""
    verb.add_argument("--redact", action="store_true", help="replace addresses, names and paths in what is written")
    if ring:
        words = "what --redact leaves as it is, names; or how much --ring keeps, such as 10GB or 500MiB"
        verb.add_argument("--keep", action=Keep, metavar="names|SIZE", help=words)
    else:
        verb.add_argument("--keep", choices=("names",), help="what --redact leaves as it is")
    add_key(verb)


def add_key(verb: Parser) -> None:
    """Describe the key of a redaction: a file, since other users of a machine can see arguments."""
    verb.add_argument(
        "--key", type=Input, metavar="FILE", help="a file of 16 random bytes or more: the same key replaces alike"
    )
