"""What each reset shows, weighed: time, aftermath, numbers, stage, header, burst, and the templates that excuse it."""

import numpy as np

from netinterf.analyzers.forgery.aftermath import alive_after, alive_at_once
from netinterf.analyzers.forgery.header import compare_headers
from netinterf.analyzers.forgery.sequence import ack_unsent, behind_data, lossy, seq_change
from netinterf.analyzers.forgery.suspects import Suspects, aimed_at, left_over
from netinterf.analyzers.forgery.timing import Timing, measure_timing, trigger_died
from netinterf.analyzers.forgery.writer import ONE_SAMPLE, hops_off
from netinterf.analyzers.rst_injection import rules
from netinterf.analyzers.rst_injection.burst import answer_late_data, burst_signs
from netinterf.analyzers.rst_injection.endings import EndingSigns, ending_signs
from netinterf.analyzers.rst_injection.header import header_signs
from netinterf.analyzers.signs import Sign, Signs, by_rule, sign, weakened, weight_of
from netinterf.arrays import I64, Mask
from netinterf.trace import Trace

__all__ = ["EXCUSING_ENDINGS", "after_request", "answers_syn", "reset_signs"]


def reset_signs(trace: Trace, suspects: Suspects, forged_fins: I64, tolerance: int) -> Signs:
    """Weigh each sign on each reset that can show it.

    Args:
        trace: The capture.
        suspects: Its resets.
        forged_fins: Sides (rows in Sides) whose FIN is held to be forged: it excuses no reset.
        tolerance: Hops by which a reset may differ from its sender's other packets.
    """
    opening = answers_syn(trace, suspects)
    signs = all_signs(trace, suspects, forged_fins, tolerance)
    return by_rule(sign if rules.connects.of(sign.rule) else weakened(sign, ~opening) for sign in signs)


def answers_syn(trace: Trace, suspects: Suspects) -> Mask:
    """Say which resets answer a SYN: their claimed sender had said nothing before."""
    opening: Mask = (suspects.previous < 0) & (trace.sides.syn[suspects.other] >= 0)
    return opening


def all_signs(trace: Trace, suspects: Suspects, forged_fins: I64, tolerance: int) -> list[Sign]:
    """Weigh each sign on each reset, whatever it answers."""
    headers = compare_headers(trace, suspects)
    endings = ending_signs(trace, suspects, headers, forged_fins)
    timing = measure_timing(trace, suspects)
    foreign = ~np.isnan(hops_off(headers, tolerance)) | headers.no_timestamps | headers.fragment_flag
    gap, after = alive_after(trace, suspects, foreign)
    ignored = np.where(left_over(trace, suspects.base, suspects.row), aimed_at(trace, suspects.base, suspects.row), 0)
    beside = alive_at_once(trace, suspects, ~np.isnan(gap))
    report = trigger_died(trace, suspects)
    waiting, acknowledged = after_request(trace, suspects)
    burst = burst_signs(trace, suspects)
    forgot = forgot_at_once(trace, suspects, endings)
    since = np.where(forgot, suspects.gap / 1e6, np.nan)
    answers = np.isin(suspects.side, suspects.side[forgot])  # one for each packet that still comes, again and again
    alive = ~np.isnan(gap) | forgot
    late = answer_late_data(trace, suspects, endings.after_fin & ~alive)
    shaped = (((burst.size >= 2) & burst.mixed) | burst.excess) & ~answers & ~late
    lone = (burst.per_segment | (late & (burst.size >= 2))) & ~answers
    return [
        *timing_signs(timing, endings),
        sign(rules.ALIVE_AFTER, ~np.isnan(gap), {"gap_ms": gap}, witness=after),
        sign(rules.ALIVE_BESIDE, beside >= 0, witness=beside),
        sign(rules.IGNORED, ignored > 0, {"connections": ignored}),
        sign(rules.FORGOT, forgot, {"gap_ms": since}),
        sign(rules.SEQ_CHANGE, seq_change(trace, suspects)),
        sign(rules.BEHIND_DATA, behind_data(trace, suspects)),
        sign(rules.ACK_UNSENT, ack_unsent(trace, suspects)),
        sign(rules.TRIGGER_DIED, report >= 0, witness=report),
        sign(rules.AFTER_REQUEST, waiting & ~acknowledged),
        sign(rules.REQUEST_ACKED, waiting & acknowledged),
        *header_signs(trace, suspects, headers, tolerance, late),
        sign(rules.BURST, shaped, {"size": burst.size}),
        sign(rules.PER_SEGMENT, lone, {"size": burst.size}),
        sign(rules.CLONED_ID, burst.cloned),
        sign(rules.COUNTING, burst.counting),
        *harmless_signs(endings, alive),
    ]


def timing_signs(timing: Timing, endings: EndingSigns) -> list[Sign]:
    """Weigh how long the resets took; a gateway may rightly answer for a flow that it forgot."""
    measured = {"ratio": timing.ratio, "waited_ms": timing.ratio * timing.rtt / 1e6, "rtt_ms": timing.rtt / 1e6}
    share = np.where(timing.samples >= 2, 1.0, ONE_SAMPLE / weight_of(rules.PREMATURE))
    known = ~(endings.idle | endings.resumed | endings.after_close)
    return [
        sign(rules.PREMATURE, timing.premature & known, measured, strength=share, witness=timing.trigger),
        sign(rules.TOO_SOON, timing.too_soon & known, measured, strength=share, witness=timing.trigger),
        sign(rules.NEARER, timing.nearer & known, measured, witness=timing.trigger),
        sign(rules.ON_TIME, timing.on_time & known, measured, witness=timing.trigger),
    ]


def harmless_signs(endings: EndingSigns, alive: Mask) -> list[Sign]:
    """Weigh the harmless endings, the most special first.

    A side that goes on as if nothing had happened had not closed, aborted or forgotten the connection: where it does,
    none explains the reset.
    """
    special = endings.after_fin | endings.abort
    resumed = endings.resumed & ~special & ~endings.after_close & ~endings.idle
    rested = ~np.isnan(endings.rested) & ~special
    return [
        sign(rules.ABORT, endings.abort & ~alive),
        sign(rules.REFUSED, endings.refused & ~endings.abort & ~alive),
        sign(rules.AFTER_FIN, endings.after_fin & ~endings.abort & ~alive),
        sign(rules.REACTION, endings.answers_reset & ~special & ~alive),
        sign(rules.STRAY, endings.stray & ~endings.after_fin & ~endings.answers_reset & ~alive),
        sign(rules.AFTER_CLOSE, endings.after_close & ~special & ~alive),
        sign(rules.RESUMED, resumed & ~alive),
        sign(rules.IDLE, endings.idle & ~alive),
        sign(rules.CLOSED_BEFORE, endings.closed_before & ~alive),
        sign(rules.RESTED, rested & ~alive, {"seconds": endings.rested}),
    ]


def forgot_at_once(trace: Trace, suspects: Suspects, endings: EndingSigns) -> Mask:
    """Find clients that lost a connection in the middle of a request, without a word of their own.

    Their stack answers what still comes with bare resets, as it does for connections that it does not know. It had sent
    data less than two round trips before, and neither a FIN nor an earlier reset of either side was captured: a reset
    that was not captured took the connection from it. Blind where the capture has holes.
    """
    sides, row = trace.sides, suspects.row
    fin, rst, first = (column.astype(np.int64) for column in (sides.fin, sides.rst, sides.first_payload))
    none = np.iinfo(np.int64).max
    ended = np.minimum(*(np.where(fin[side] < 0, none, fin[side]) for side in (suspects.side, suspects.other)))
    other = np.where(rst[suspects.other] < 0, none, rst[suspects.other])
    requested = (first[suspects.side] >= 0) & (first[suspects.side] < row) & (trace.packets.relative_seq[row] > 1)
    known = (suspects.side % 2 == 0) & (rst[suspects.side] == row) & (ended > row) & (other > row)
    rtt = sides.rtt[suspects.side]
    fresh = (suspects.gap >= 0) & (rtt > 0) & (suspects.gap <= FRESH_TRIPS * rtt)
    forgot: Mask = endings.stray & known & requested & fresh & ~lossy(trace, suspects)
    return forgot


FRESH_TRIPS = 2
"""Round trips after its last packet within which a client has lost the connection while it was under way: one until
what the server says has drawn the answer, and one for the server to say it. Judgement, not fitted."""


def after_request(trace: Trace, suspects: Suspects) -> tuple[Mask, Mask]:
    """Say which resets in a server's name came when the client had sent data and the server none.

    Which data were the first, and which end is the client, is known only where a greeting was captured.

    Returns:
        Whether it came at that stage, and whether the server had acknowledged those data before.
    """
    first, syn = trace.sides.first_payload, trace.sides.syn
    opened = (syn[suspects.other] >= 0) | (syn[suspects.side] >= 0)
    request, answer = first[suspects.other], first[suspects.side]
    waiting = (request >= 0) & (request < suspects.row) & ((answer < 0) | (answer >= suspects.row))
    fin = trace.sides.fin[suspects.side]
    at_stage: Mask = opened & waiting & (suspects.side % 2 == 1) & ((fin < 0) | (fin >= suspects.row))
    return at_stage, suspects.base.at(suspects.base.acked, suspects.previous) > 1


EXCUSING_ENDINGS = frozenset(
    {
        *(rules.ABORT, rules.REFUSED, rules.AFTER_FIN, rules.REACTION),
        *(rules.AFTER_CLOSE, rules.IDLE, rules.CLOSED_BEFORE),
    }
)
"""Endings that leave nothing to suspect: such a reset has no company elsewhere and is none. The others (stray, resumed,
rested) only weigh against it, since a forger's reset may come just so."""
