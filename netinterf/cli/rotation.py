"""Whether captures that are judged one by one look like the files of one recording, which somebody may want to join.

tcpdump (``-G``, ``-C``) and dumpcap (``-b``) go on in a new file where the last one is full or its time is over: names
differ in their numbers, and the next packet follows as fast as any.
"""

import os
import re

from netinterf.engine.judged import Summary

__all__ = ["Rotation"]

FEWEST = 3
"""Files in a row that look rotated: two may be a before and an after."""

ADJOINING = 10
"""Times the mean pause between packets of a file within which the next one begins (judgement): a script that records
one thing after the other needs longer to start again, as public captures of experiments in a row show."""

LEAST = 100
"""Packets of a file that was rotated since it was full, or its time over."""


class Rotation:
    """Looks at captures in their order.

    Attributes:
        names: The files that look rotated first, once there are enough in a row; empty before.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._row: list[Summary] = []

    def see(self, summary: Summary) -> None:
        """Look at the next capture."""
        if self.names:
            return
        if self._row and not goes_on(self._row[-1], summary):
            self._row = []
        self._row.append(summary)
        if len(self._row) == FEWEST:
            self.names = [os.path.basename(one.capture) for one in self._row]


def goes_on(before: Summary, after: Summary) -> bool:
    """Say whether a capture looks like the continuation of another."""
    if before.packets < LEAST or before.first is None or before.last is None or after.first is None:
        return False
    alike = [(re.sub("[0-9]+", "#", one.capture), one.link_types) for one in (before, after)]
    mean = (before.last - before.first) / before.packets
    return alike[0] == alike[1] and abs(after.first - before.last) <= ADJOINING * mean
