"""The verb that gives Wireshark a profile: colours and columns for packets with comments of this library."""

import argparse
import os
import sys
from importlib.resources import files
from pathlib import Path

from netinterf.cli.exit_status import EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.output import Output
from netinterf.writing import NewFile

__all__ = ["PROFILE", "run_wireshark"]

PROFILE = "netinterf"
"""What Wireshark calls it."""


def run_wireshark(arguments: argparse.Namespace) -> int:
    """Write the files of the profile; return the exit status."""
    folder = Path(arguments.folder or configuration()) / "profiles" / PROFILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in (files("netinterf") / "data" / "wireshark").iterdir():
            with NewFile(folder / entry.name) as file:
                file.stream.write(entry.read_bytes())
    except OSError as error:
        complain(f"{folder}: {error.strerror or error}")
        return EXIT_NO_OUTPUT
    output = Output()
    output.write([f"{folder}: written; wireshark -C {PROFILE} FILE shows a file with it"])
    return EXIT_NO_OUTPUT if output.failed else EXIT_OK


def configuration() -> str:
    """Find the folder of the user's own settings (Wireshark User's Guide, appendix B)."""
    if named := os.environ.get("WIRESHARK_CONFIG_DIR"):
        return named
    if sys.platform == "win32":
        return os.path.join(os.environ.get("APPDATA", os.path.expanduser("~")), "Wireshark")
    before = os.path.expanduser("~/.wireshark")  # used where it is there, and nothing newer
    newer = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "wireshark")
    return before if os.path.isdir(before) and not os.path.isdir(newer) else newer
