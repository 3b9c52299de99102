"""What people are told of a recording: which kinds it shows, of what part of it, how sure that is, and the numbers."""

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["RecordingFact", "Scope", "describe"]


class Scope(StrEnum):
    """What part of a capture a fact is about."""

    CAPTURE = "capture"
    PATH = "path"  # all conversations of one end, see ``Flows.path``
    FLOW = "flow"  # single conversations


@attrs.frozen(kw_only=True)
class RecordingFact:
    """One thing that a capture shows of how it was recorded."""

    id: str


def describe(trace: "Trace") -> tuple[RecordingFact, ...]:
    """Say what kind of recording a capture is."""
    del trace
    return ()
