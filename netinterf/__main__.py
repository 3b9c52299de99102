"""``python -m netinterf`` is the command ``netinterf``, in a process of its own."""

import gc
import sys

from netinterf.cli.main import main

__all__ = ["run"]


def run() -> None:
    """Run the command and end the process; what is left goes with it, and is not looked through for garbage before."""
    status = main()
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    run()
