"""Time as most recorders tell it, so that a capture says the same with and without finer digits.

Classic pcap files and nearly all captures tell whole microseconds (draft-ietf-opsawg-pcap). What a finer clock adds may
decide between waits that are as good as equal, and nothing should hang on that.
"""

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.flows.rtt import with_rtt
from netinterf.trace import Trace

__all__ = ["in_microseconds", "microseconds_between"]

MICROSECOND_NS = 1_000


def microseconds_between(earlier: I64, later: I64) -> I64:
    """Count the whole microseconds from one time, ns, to another, as a recorder of microseconds tells them apart."""
    return np.asarray(later // MICROSECOND_NS - earlier // MICROSECOND_NS, np.int64)


def in_microseconds(trace: Trace) -> Trace:
    """Give a trace with the times of packets, and round trips, as a recorder of whole microseconds tells them (ns)."""
    packets, rtts = trace.packets, trace.rtts
    whole = packets.time // MICROSECOND_NS * MICROSECOND_NS
    samples = attrs.evolve(rtts, value=whole[rtts.packet] - whole[rtts.asked])
    return attrs.evolve(
        trace,
        packets=attrs.evolve(packets, time=whole),
        rtts=samples,
        sides=with_rtt(trace.sides, samples),
        began=trace.began // MICROSECOND_NS * MICROSECOND_NS,
    )
