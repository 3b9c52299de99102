"""The command line: arguments in, verdicts on standard output, problems on standard error, and the exit status.

Exit status: 0 the command ran, whatever it found; 1 with ``--fail-on interfered`` if something was found; 2 wrong
usage; 3 no input could be read.
"""

import signal
from collections.abc import Callable, Sequence
from importlib import import_module

from netinterf.cli.exit_status import EXIT_NO_INPUT, EXIT_OK, EXIT_USAGE, complain, silence_output, usage_problem
from netinterf.cli.verbs import build_parser
from netinterf.errors import CaptureError, UsageError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments without the program's name; None takes the process's own.

    Returns:
        The exit status.
    """
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit as end:  # argparse leaves this way after --help, --version and wrong usage
        return end.code if isinstance(end.code, int) else EXIT_USAGE
    home, name = arguments.run.split(":")
    try:
        run: Callable[..., int] = getattr(import_module(home), name)
        return run(arguments)
    except CaptureError as error:
        complain(str(error))
        return EXIT_NO_INPUT
    except UsageError as error:
        complain(usage_problem(error))
        return EXIT_USAGE
    except BrokenPipeError:  # the reader has seen enough, as with "| head"
        silence_output()
        return EXIT_OK
    except KeyboardInterrupt:
        silence_output()
        return 128 + signal.SIGINT
