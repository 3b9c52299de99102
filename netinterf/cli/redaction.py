"""The verb that makes captures that can be shared, and what verbs have in common that take something out."""

import argparse
from typing import BinaryIO

from netinterf.cli.manners import EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK, EXIT_USAGE, complain, usage_problem
from netinterf.cli.output import Output
from netinterf.errors import CaptureError, ParameterError, UsageError
from netinterf.privacy import Redaction, read_key
from netinterf.privacy.traces import redact

__all__ = ["key_of", "redaction_of", "run_redact"]


def run_redact(arguments: argparse.Namespace) -> int:
    """Write one capture anew; return the exit status."""
    output = Output()
    try:
        if arguments.out is None and output.terminal:
            raise ParameterError("out", "", "a file, or a pipe to write bytes to")
        key = key_of(arguments)

        def write(target: str | BinaryIO) -> str:
            shared = redact(arguments.path, target, key=key, strict=arguments.strict)
            return f"{arguments.out}: {shared.frames:,} frames, {shared.empty:,} of them empty (no IP packet)"

        if arguments.out is None:
            output.attempt(lambda _: write(output.binary))
        else:
            output.write(iter([write(arguments.out)]))
    except CaptureError as error:
        complain(str(error))
        return EXIT_NO_INPUT
    except UsageError as error:
        complain(usage_problem(error))
        return EXIT_USAGE
    except OSError as error:
        complain(f"{arguments.out}: {error.strerror or error}")
        return EXIT_NO_OUTPUT
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK


def redaction_of(arguments: argparse.Namespace) -> Redaction | None:
    """Turn arguments into what is to be taken out of results, None for nothing.

    Raises:
        UsageError: The key cannot be read or is too short, or there is nothing that it is for.
    """
    if arguments.redact:
        return Redaction.of(key_of(arguments), arguments.keep or ())
    for name in ("key", "keep"):
        if getattr(arguments, name) is not None:
            raise UsageError(f"--{name} goes with --redact")
    return None


def key_of(arguments: argparse.Namespace) -> bytes | None:
    """Read the key, None where it is left to chance; say that, since nothing else can be replaced alike then.

    Raises:
        ParameterError: It cannot be read, or is too short.
    """
    if arguments.key is not None:
        return read_key(arguments.key)
    complain("no --key: what is taken out is replaced under a key that is forgotten after this run")
    return None
