"""Captures changed: as other taps would have recorded the same traffic, or as other files hold it.

`load` gives the frames of a capture, each function takes frames and gives frames, `save` writes them. `CHANGES` lists
the changes by which the library's own verdicts are held, and says of each whether it is neutral or lossy.
"""

from netinterf.transform.addresses import forward, renumber, translate
from netinterf.transform.changes import CHANGES, Change, Kind
from netinterf.transform.frames import Frames, load, of_capture, save, to_bytes
from netinterf.transform.order import by_conversation, merge, round_times, shift, shuffle_ties
from netinterf.transform.segments import coalesce
from netinterf.transform.taps import begin_late, double, end_early, lose, one_way, route_twice, skew, snaplen
from netinterf.transform.wrapping import link_type, trail, tunnel

__all__ = [
    "CHANGES",
    "Change",
    "Frames",
    "Kind",
    "begin_late",
    "by_conversation",
    "coalesce",
    "double",
    "end_early",
    "forward",
    "link_type",
    "load",
    "lose",
    "merge",
    "of_capture",
    "one_way",
    "renumber",
    "round_times",
    "route_twice",
    "save",
    "shift",
    "shuffle_ties",
    "skew",
    "snaplen",
    "to_bytes",
    "trail",
    "translate",
    "tunnel",
]
