"""The small labelled captures that ship with the library."""

from importlib.resources import files
from typing import BinaryIO, cast

from netinterf.errors import ParameterError
from netinterf.trace import Trace, read

__all__ = ["example", "example_names"]

FOLDER = files("netinterf") / "data" / "examples"


def example_names() -> tuple[str, ...]:
    """Name every capture that ships with the library: one per mechanism, and one where nothing happened."""
    return tuple(sorted(entry.name.split(".pcap")[0] for entry in FOLDER.iterdir() if ".pcap" in entry.name))


def example(name: str = "tcp.reset") -> Trace:
    """Read one of the captures that ship with the library.

    Args:
        name: A mechanism, or ``"benign"``; see `example_names`.

    Raises:
        ParameterError: There is no such capture.
    """
    for entry in FOLDER.iterdir():
        if entry.name.split(".pcap")[0] == name and ".pcap" in entry.name:
            with entry.open("rb") as file:  # (as a path, a copy out of an archive would have to go while it is mapped)
                return read(cast("BinaryIO", file))
    raise ParameterError("name", name, "one of " + ", ".join(example_names()))
