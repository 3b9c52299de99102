"""The verb that serves captures to assistants."""

import argparse
import os

from netinterf.assistants.server import serve
from netinterf.assistants.setting import MOST_BYTES, MOST_SECONDS, Setting
from netinterf.assistants.standins import StandIns
from netinterf.cli.exit_status import EXIT_OK
from netinterf.cli.options import read_options
from netinterf.errors import ParameterError
from netinterf.privacy import read_key

__all__ = ["run_mcp"]


def run_mcp(arguments: argparse.Namespace) -> int:
    """Serve until standard input is closed; return the exit status."""
    if arguments.out is not None and not os.path.isdir(arguments.out):
        raise ParameterError("out", arguments.out, "a folder that is there")
    told = {"names_told": arguments.keep == "names", "raw": arguments.raw}
    standins = StandIns(**told) if arguments.key is None else StandIns(key=read_key(arguments.key), **told)
    serve(
        Setting(
            root=arguments.root,
            out=arguments.out,
            options=read_options(arguments),
            standins=standins,
            most_bytes=arguments.most_bytes or MOST_BYTES,
            most_seconds=arguments.most_seconds or MOST_SECONDS,
        )
    )
    return EXIT_OK
