"""Runs of frames that hold none of their packet's bytes: after some, they are counted and not listed.

A few kilobytes of compressed data hold millions of such frames, each of which would take a row.
"""

import numpy as np

from netinterf.arrays import I64, U32, Mask
from netinterf.schema import Diagnostic
from netinterf.values import define

__all__ = ["RUN", "Empties"]

RUN = 1024
"""Empty frames in a row that are listed. Captures without what is no IP have some (`netinterf.privacy.traces`)."""


@define
class Empties:
    """Counts empty frames of one capture, wherever its bytes are cut.

    Attributes:
        left_out: How many were not listed.
    """

    left_out: int = 0
    _run: int = 0  # empty frames since the last that held something

    def listed(self, captured: U32 | I64) -> Mask:
        """Say which of the next frames, of so many bytes each, are listed; the others are counted."""
        empty: Mask = captured == 0
        place = np.arange(len(captured))
        if not empty.any():
            self._run = 0 if len(place) else self._run
            return ~empty
        before = np.maximum.accumulate(np.where(empty, -1 - self._run, place))  # the last that held something
        keep: Mask = place - before <= RUN
        self._run = int(place[-1] - before[-1])
        self.left_out += len(keep) - int(np.count_nonzero(keep))
        return keep

    @property
    def notes(self) -> list[Diagnostic]:
        """Say how many were left out."""
        if not self.left_out:
            return []
        message = f"{self.left_out:,} frames are empty, in runs of more than {RUN:,}; they were counted and left out"
        return [Diagnostic("capture.empty_run", message, count=self.left_out)]
