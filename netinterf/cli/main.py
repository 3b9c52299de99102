"""The command line: arguments in, verdicts on standard output, problems on standard error, and the exit status.

Exit status: 0 the command ran, whatever it found; 1 with ``--fail-on interfered`` if something was found; 2 wrong
usage; 3 no input could be read.
"""

import argparse
import signal
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

from netinterf.cli.arguments import Input, settle_form
from netinterf.cli.exit_status import EXIT_NO_INPUT, EXIT_OK, EXIT_USAGE, complain, silence_output, usage_problem
from netinterf.cli.verbs import build_parser
from netinterf.errors import CaptureError, UsageError
from netinterf.writing import refuse_overwriting

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
    settle_form(arguments)
    home, name = arguments.run.split(":")
    try:
        spare_inputs(arguments)
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


def spare_inputs(arguments: argparse.Namespace) -> None:
    """Refuse to write onto anything that is read, before a verb opens it; what folders hold is for verbs to see.

    Raises:
        ParameterError: The output, or standard output, is one of the inputs.
    """
    inputs = list(inputs_of(arguments))
    for target in (getattr(arguments, "out", None), "-"):
        refuse_overwriting(target, inputs)


def inputs_of(arguments: argparse.Namespace) -> Iterator[Input]:
    """List all that is named as something to read."""
    for value in vars(arguments).values():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Input))
