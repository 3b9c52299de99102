"""How the command behaves: its exit statuses, and one line for every problem."""

import sys
from contextlib import suppress

__all__ = ["EXIT_FOUND", "EXIT_NO_INPUT", "EXIT_OK", "EXIT_USAGE", "complain"]

EXIT_OK, EXIT_FOUND, EXIT_USAGE, EXIT_NO_INPUT = 0, 1, 2, 3


def complain(message: str) -> None:
    """Write one line to standard error."""
    line = "".join(sign if sign.isprintable() else " " for sign in f"netinterf: {message}")
    with suppress(OSError, ValueError):  # nobody listens
        print(line.encode("utf-8", "backslashreplace").decode("utf-8"), file=sys.stderr, flush=True)
