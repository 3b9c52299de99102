"""The verb that makes captures that can be shared."""

import argparse
from typing import BinaryIO

from netinterf.cli.exit_status import EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.options import read_key_file
from netinterf.cli.output import Output
from netinterf.cli.progress import Progress
from netinterf.errors import ParameterError
from netinterf.privacy.traces import redact

__all__ = ["run_redact"]


def run_redact(arguments: argparse.Namespace) -> int:
    """Write one capture anew; return the exit status."""
    output = Output()
    try:
        if arguments.out is None and output.terminal:
            raise ParameterError("out", "", "a file, or a pipe to write bytes to")
        key = read_key_file(arguments)

        def write(target: str | BinaryIO) -> str:
            with Progress([arguments.path]).alone(arguments.path) as advance:
                shared = redact(arguments.path, target, key=key, strict=arguments.strict, progress=advance)
            return f"{arguments.out}: {shared.frames:,} frames, {shared.empty:,} of them empty (no IP packet)"

        if arguments.out is None:
            output.attempt(lambda _: write(output.binary))
        else:
            output.write([write(arguments.out)])
    except OSError as error:
        complain(f"{arguments.out}: {error.strerror or error}")
        return EXIT_NO_OUTPUT
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK
