"""Who wrote an ordinary packet: what its time and its header say."""

import numpy as np

from netinterf.analyzers.forgery import rules
from netinterf.analyzers.forgery.ack_regression import ack_regressions
from netinterf.analyzers.forgery.header import HeaderSigns, compare_headers
from netinterf.analyzers.forgery.oddity import from_gateway
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.analyzers.forgery.synacks import synack_by_another
from netinterf.analyzers.forgery.timing import measure_timing, trigger_died
from netinterf.analyzers.signs import Signs, gathered, sign, weakened, weight_of
from netinterf.arrays import F64
from netinterf.trace import Trace

__all__ = ["ONE_SAMPLE", "hops_off", "written_signs"]

ONE_SAMPLE = 3.0
"""Weight of a premature answer when the round trip is known from one handshake: radio wake-up, a full backlog and an
unseen first copy of the request inflate it (a single sample was three times too long in a public control capture)."""

ONE_WRITER = 6.0
"""What all header fields together may say: they stand for one thing, that somebody else wrote it."""

WRITER = (rules.TTL, rules.TTL_CLASS, rules.NO_TIMESTAMPS, rules.IP_ID, rules.DF, rules.ODD_WINDOW)


def written_signs(trace: Trace, suspects: Suspects, tolerance: int = 0) -> Signs:
    """Weigh time and header of each suspect; *tolerance* hops of difference are allowed.

    Where a proxy near the tap speaks for all servers, as the network program of a virtual private network does, its own
    stack decides which number its next packet carries: nothing that it takes back was said by somebody else.
    """
    headers, timing = compare_headers(trace, suspects), measure_timing(trace, suspects)
    jump = hops_off(headers, tolerance)
    own = ~synack_by_another(trace, suspects)
    telling = ~np.isnan(jump) & trace.recording.ttl_informative[suspects.flow] & own
    times = {"ratio": timing.ratio, "waited_ms": timing.ratio * timing.rtt / 1e6, "rtt_ms": timing.rtt / 1e6}
    jumps = ~np.isnan(headers.ip_id_jump) & trace.recording.ip_id_informative[suspects.flow]
    regressions, report = ack_regressions(trace, suspects.row), trigger_died(trace, suspects)
    late, soon = (
        (trace.packets.time[np.maximum(row, 0)] - trace.packets.time[suspects.row]) / 1e6
        for row in (regressions.late, regressions.soon)
    )
    informative = trace.recording.timing_informative[suspects.flow]
    opened = trace.sides.syn[suspects.side] >= 0  # else nobody knows who asked whom, nor what came first
    # what its sender takes back it did not write, whoever's counts it goes on with
    known = ~informative | (regressions.late < 0)
    share = np.where(timing.samples >= 2, 1.0, ONE_SAMPLE / weight_of(rules.PREMATURE))
    signs = (
        sign(rules.PREMATURE, timing.premature & opened, times, strength=share, witness=timing.trigger),
        sign(rules.NEARER, timing.nearer & opened, times, witness=timing.trigger),
        sign(rules.TRIGGER_DIED, report >= 0, witness=report),
        sign(rules.ON_TIME, timing.on_time & known & opened, times, witness=timing.trigger),
        sign(rules.ACK_REGRESSION, (regressions.late >= 0) & informative, {"gap_ms": late}, witness=regressions.late),
        sign(rules.ACK_REORDERED, (regressions.soon >= 0) & informative, {"gap_ms": soon}, witness=regressions.soon),
        sign(rules.TTL, telling & ~headers.ttl_class, {"jump": jump}),
        sign(rules.TTL_CLASS, telling & headers.ttl_class, {"jump": jump}),
        sign(rules.NO_TIMESTAMPS, headers.no_timestamps & own),
        sign(rules.IP_ID, jumps & ~headers.copied_id, {"distance": headers.ip_id_jump}),
        sign(rules.COPIED_ID, headers.copied_id),
        sign(rules.DF, headers.fragment_flag & own),
        sign(rules.ODD_WINDOW, headers.odd_window & own),
        sign(rules.COPIED_WINDOW, headers.copied_window),
        sign(rules.OWN_TIMESTAMPS, headers.own_timestamps & known),
        sign(rules.IN_COUNTER, headers.in_counter & known),
        sign(rules.GATEWAY, from_gateway(trace, suspects.row, suspects.side)),
    )
    return of_one_writer(gathered(signs), len(suspects))


def of_one_writer(signs: Signs, count: int) -> Signs:
    """Let header fields together say no more than `ONE_WRITER`."""
    every = sum((signs[rule].llr for rule in WRITER), np.zeros(count))
    share = np.minimum(1.0, ONE_WRITER / np.maximum(every, 1e-9))
    return signs | {rule: weakened(signs[rule], share) for rule in WRITER}


def hops_off(headers: HeaderSigns, tolerance: int) -> F64:
    """Hops by which each suspect is off its sender, NaN within the tolerance and where unknown."""
    return np.where(np.abs(headers.ttl_jump) > tolerance, headers.ttl_jump, np.nan)
