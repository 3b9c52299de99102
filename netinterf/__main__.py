"""``python -m netinterf`` is the command ``netinterf``, in a process of its own."""

import gc
import signal
import sys
from types import FrameType

from netinterf.cli.main import main

__all__ = ["run"]

ENDING = ("SIGTERM", "SIGHUP")
"""Signals that ask a process to end (POSIX, signal.h); the second is Unix's alone."""


def run() -> None:
    """Run the command and end the process; what is left goes with it, and is not looked through for garbage before."""
    for name in ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, end)
    status = main()
    gc.freeze()
    sys.exit(status)


def end(number: int, _: FrameType | None) -> None:
    """End as an error would, so that files that are not whole go; with the status that shells give such an end."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    run()
