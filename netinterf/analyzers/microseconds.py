"""Time as most recorders tell it, so that a capture says the same with and without finer digits.

Classic pcap files and nearly all captures tell whole microseconds (draft-ietf-opsawg-pcap). What a finer clock adds may
decide between waits that are as good as equal, and nothing should hang on that.
"""

import attrs

from netinterf.arrays import I64
from netinterf.flows.rtt import with_rtt
from netinterf.trace import Trace

__all__ = ["in_microseconds"]

MICROSECOND_NS = 1_000


def in_microseconds(trace: Trace) -> Trace:
    """Give a trace with all times, and round trips, as a recorder of whole microseconds tells them (ns)."""
    packets, flows, rtts = trace.packets, trace.flows, trace.rtts
    finer = packets.time % MICROSECOND_NS
    if not finer.any():
        return trace
    time = packets.time - finer
    samples = attrs.evolve(rtts, value=time[rtts.packet] - time[rtts.asked])
    return attrs.evolve(
        trace,
        packets=attrs.evolve(packets, time=time),
        flows=attrs.evolve(flows, first=whole(flows.first), last=whole(flows.last)),
        rtts=samples,
        sides=with_rtt(trace.sides, samples),
        began=trace.began // MICROSECOND_NS * MICROSECOND_NS,
        ended=trace.ended // MICROSECOND_NS * MICROSECOND_NS,
    )


def whole(times: I64) -> I64:
    """Leave out what is less than a microsecond."""
    return times - times % MICROSECOND_NS
