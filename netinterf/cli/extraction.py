"""The verb that writes the packets of one conversation, with what they show."""

import argparse
from typing import BinaryIO

import numpy as np

from netinterf.cli.exit_status import EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.explaining import conversation, one_capture
from netinterf.cli.options import read_options
from netinterf.cli.output import Output
from netinterf.engine.extract import COMMENTED, packets_of, write_packets
from netinterf.errors import ParameterError
from netinterf.writing import count_of, refuse_overwriting
from netinterf.written.comments import frame_comments

__all__ = ["run_extract"]


def run_extract(arguments: argparse.Namespace) -> int:
    """Judge one capture and write the packets of one of its conversations; return the exit status."""
    found = one_capture(arguments)
    if found is None:
        return EXIT_NO_INPUT
    output = Output()
    if arguments.out is None and output.terminal:
        raise ParameterError("out", "", "a file, or a pipe to write bytes to")
    refuse_overwriting(arguments.out or "-", found.files)
    judged, trace, rows = conversation(arguments, found, read_options(arguments))
    verdicts = [judged.ledger[int(row)] for row in rows]
    packets = np.unique(np.concatenate([packets_of(trace, verdict) for verdict in verdicts]))
    commented = arguments.out is None or arguments.out.endswith(COMMENTED)
    said = frame_comments(verdicts) if commented else None

    def write(target: str | BinaryIO) -> None:
        write_packets(target, trace, packets, said)

    if arguments.out is None:
        output.attempt(lambda _: write(output.binary))
    else:
        try:
            write(arguments.out)
        except OSError as error:
            complain(f"{arguments.out}: {error.strerror or error}")
            return EXIT_NO_OUTPUT
        noted = f", {count_of(len(said), 'comment')}" if said is not None else ""
        output.write([f"{arguments.out}: {count_of(len(packets), 'packet')}{noted}"])
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK
