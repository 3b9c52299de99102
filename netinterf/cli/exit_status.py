"""How the command behaves: its exit statuses, and one line for every problem."""

import os
import sys
from contextlib import suppress

from netinterf.errors import ParameterError, UsageError
from netinterf.writing import readable

__all__ = [
    "EXIT_FOUND",
    "EXIT_NO_INPUT",
    "EXIT_NO_OUTPUT",
    "EXIT_OK",
    "EXIT_USAGE",
    "complain",
    "silence_output",
    "usage_problem",
]

EXIT_OK, EXIT_FOUND, EXIT_USAGE, EXIT_NO_INPUT = 0, 1, 2, 3
EXIT_NO_OUTPUT = 74  # EX_IOERR of sysexits.h: the answer could not be written


def complain(message: str) -> None:
    """Write one line to standard error."""
    with suppress(OSError, ValueError):  # nobody listens
        print(readable(f"netinterf: {message}"), file=sys.stderr, flush=True)


def silence_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush cannot fail again."""
    with suppress(OSError, ValueError):  # standard output is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def usage_problem(error: UsageError) -> str:
    """Put a wrong argument into the words of the command line."""
    if isinstance(error, ParameterError):
        return f"--{error.parameter} {error.value}: expected {error.allowed}"
    return str(error)
