"""``python -m netinterf`` is the command ``netinterf``, in a process of its own."""

import enum
import gc
import signal
import sys
from _thread import interrupt_main
from threading import Timer, main_thread
from types import FrameType

from netinterf.cli.main import main

__all__ = ["run"]

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that ask a process to end (POSIX, signal.h); the last is Unix's alone."""

UNTOUCHED = (signal.SIG_DFL, signal.default_int_handler)
"""What handles them where nobody has decided otherwise: nohup has the last ignored."""

AGAIN = 0.01  # s: a thousand times as long as it takes to ask for an attribute


def run() -> None:
    """Run the command and end the process; what is left goes with it, and is not looked through for garbage before."""
    for name in ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in UNTOUCHED:
            signal.signal(number, end)
    status = main()
    gc.freeze()
    sys.exit(status)


def end(number: int, frame: FrameType | None) -> None:
    """End as an error would, so that files that are not whole go; with the status that shells give such an end.

    Until Python 3.12 numpy asks flags for attributes by a method of theirs, and takes whatever that raises for "none".
    So a signal that comes while one is asked comes again behind it.
    """
    if frame is not None and frame.f_code.co_filename == enum.__file__:
        Timer(AGAIN, again, (number,)).start()
    elif number == signal.SIGINT:
        raise KeyboardInterrupt
    else:
        raise SystemExit(128 + number)


def again(number: int) -> None:
    """Send a signal to the main thread once more, so that it wakes where it waits for a pipe or a clock."""
    if sys.platform == "win32":
        interrupt_main(signal.Signals(number))
    else:
        signal.pthread_kill(main_thread().ident or 0, number)


if __name__ == "__main__":
    run()
