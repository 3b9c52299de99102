"""The verb that prints what completes the command in a shell; the build made it from the parser and installed it."""

import argparse
from importlib.metadata import PackageNotFoundError, distribution

from netinterf.cli.exit_status import EXIT_NO_OUTPUT, EXIT_OK
from netinterf.cli.output import Output
from netinterf.cli.verbs import COMPLETIONS
from netinterf.errors import UsageError
from netinterf.report.lines import Line

__all__ = ["run_completion"]


def run_completion(arguments: argparse.Namespace) -> int:
    """Print the completion of one shell; return the exit status.

    Raises:
        UsageError: This copy was not installed from a wheel, which holds it.
    """
    output = Output()
    output.write(Line(line, whole=True) for line in installed(COMPLETIONS[arguments.shell]).splitlines())
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK


def installed(path: str) -> str:
    """Read a file that was installed outside of the package.

    Args:
        path: Where it lies below the folder that was installed into.

    Raises:
        UsageError: It is not there.
    """
    try:
        held = distribution("netinterf").files or []
        return next(entry for entry in held if entry.as_posix().endswith(f"/{path}")).read_text(encoding="utf-8")
    except (PackageNotFoundError, StopIteration, OSError):
        raise UsageError(f"{path} is not installed: it comes with pip install netinterf") from None
