"""From arguments to what the library takes: which captures, how to judge them, and what to take out of the answer."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from netinterf.capture import find_captures
from netinterf.capture.finding import CaptureSearch
from netinterf.cli.exit_status import complain
from netinterf.context.outside import Outside
from netinterf.engine.control import known_answers
from netinterf.engine.options import Options
from netinterf.errors import AnalyzerError, UsageError
from netinterf.verdict.model import Model

if TYPE_CHECKING:
    from netinterf.privacy import Redaction

__all__ = ["find_or_complain", "read_analyzers", "read_key_file", "read_options", "read_redaction"]


def find_or_complain(paths: Sequence[str]) -> CaptureSearch:
    """Find captures; what cannot be read and how many files are none is told on standard error."""
    files = find_captures(paths)
    for problem in files.errors:
        complain(str(problem))
    if files.skipped:
        complain(f"{files.skipped:,} file{'s are' if files.skipped > 1 else ' is'} no capture{called(files.misnamed)}")
    return files


def called(misnamed: Sequence[str]) -> str:
    """Name the files that are called captures and are none."""
    return f", among them {', '.join(misnamed)}" if misnamed else ""


def read_options(arguments: argparse.Namespace) -> Options:
    """Turn arguments into options.

    Raises:
        UsageError: An analyzer is unknown or cannot be loaded, or a table of networks, answers or priors is malformed.
    """
    names = read_analyzers(arguments)
    outside = Outside.of(arguments.networks, known_answers(arguments.answers))
    model = None if arguments.priors is None else Model.load(priors=arguments.priors)
    try:
        return Options(
            analyzers=names, vantage=arguments.vantage, outside=outside, model=model, strict=arguments.strict
        )
    except AnalyzerError as cause:  # a plugin: to name it was the user's choice
        raise UsageError(str(cause)) from cause


def read_analyzers(arguments: argparse.Namespace) -> list[str] | None:
    """List the names of the analyzers asked for, None for all."""
    if arguments.analyzers is None:
        return None
    return [name.strip() for name in arguments.analyzers.split(",") if name.strip()]


def read_redaction(arguments: argparse.Namespace) -> "Redaction | None":
    """Turn arguments into what is to be taken out of results, None for nothing.

    Raises:
        UsageError: The key cannot be read or is too short, or there is nothing that it is for.
    """
    if arguments.redact:
        from netinterf.privacy import Redaction  # (asked for by few)

        return Redaction.of(read_key_file(arguments), arguments.keep or ())
    for name in ("key", "keep"):
        if getattr(arguments, name) is not None:
            raise UsageError(f"--{name} goes with --redact")
    return None


def read_key_file(arguments: argparse.Namespace) -> bytes | None:
    """Read the key, None where it is left to chance; say that, since nothing else can be replaced alike then.

    Raises:
        ParameterError: It cannot be read, or is too short.
    """
    if arguments.key is not None:
        from netinterf.privacy import read_key  # (asked for by few)

        return read_key(arguments.key)
    complain("no --key: what is taken out is replaced under a key that is forgotten after this run")
    return None
