"""The FINs worth a question, and what is odd about them.

Nearly every connection ends with FINs, so only odd ones are looked at: those that look unlike their sender's greeting,
came before their sender can have read what they acknowledge, or whose sender went on behind them. Unlike a reset, a
FIN is an ordinary packet of an open connection: it carries timestamps when they were agreed on (RFC 7323 §3.2, MUST),
and in public control captures the hop limit of its connection (399 of 399).
"""

import numpy as np

from netinterf.analyzers.forgery import rules as writing
from netinterf.analyzers.forgery.ack_regression import ack_regressions
from netinterf.analyzers.forgery.followers import with_same_writer
from netinterf.analyzers.forgery.oddity import begins_page, too_early, unlike_synack
from netinterf.analyzers.forgery.sequence import ack_unsent, goes_on, lossy, reorder_margin
from netinterf.analyzers.forgery.suspects import TCP, Suspects, arrived, beside
from netinterf.analyzers.forgery.writer import written_signs
from netinterf.analyzers.rst_injection import rules
from netinterf.analyzers.rst_injection.endings import rested
from netinterf.analyzers.rst_injection.signs import after_request
from netinterf.analyzers.sides import segment_end, side_packets
from netinterf.analyzers.signs import Signs, by_rule, sign, weakened
from netinterf.arrays import Mask
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["fin_signs", "find_fins"]


def find_fins(trace: Trace) -> Suspects:
    """Select the FINs that somebody on the path could have forged and that are odd in some way.

    One that begins the first answer to an HTTP request is asked about as a page, not as an end. The packets beside
    them are those that end nothing, since an injector may have written several.
    """
    packets, sides = trace.packets, trace.sides
    ends = packets.tcp_flags & (TcpFlag.FIN | TcpFlag.RST | TcpFlag.SYN) == TcpFlag.FIN
    row = arrived(trace, np.flatnonzero((packets.protocol == TCP) & ends & (packets.flow >= 0)))
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    web = np.zeros(len(trace.flows), np.bool_)
    web[trace.http.flow[trace.http.outbound]] = True
    pages = (side % 2 == 1) & web[side // 2] & (sides.first_payload[side] == row)
    pages[pages] = begins_page(trace, row[pages])
    row, side = row[~pages], side[~pages]
    if not len(row):
        return Suspects.none()
    more = sides.sent[side] > segment_end(packets, row)
    suspicious = unlike_synack(trace, row, side) | more | too_early(trace, row, side) | ack_regressions(trace, row).any
    row = row[suspicious]
    row = row[trace.checksum_ok(row)]
    if not len(row):
        return Suspects.none()
    flow, first = np.unique(packets.flow[row], return_index=True)
    own = with_same_writer(trace, row[first]).values
    return beside(trace, row, side_packets(trace, flow.astype(np.int64), without=TcpFlag.RST | TcpFlag.FIN, but=own))


def behind_fin(trace: Trace, fins: Suspects) -> Mask:
    """Find FINs that end the stream before bytes that their side had already sent. Blind where the capture has holes.

    A FIN that is sent again together with bytes before it still ends at the same place.
    """
    packets, base = trace.packets, fins.base
    end = packets.relative_seq[fins.row] + packets.payload_length[fins.row]
    late = fins.gap > reorder_margin(trace, fins.side)
    behind: Mask = late & (end < base.at(base.top, fins.previous)) & ~lossy(trace, fins)
    return behind


def acknowledged_before(trace: Trace, fins: Suspects) -> Mask:
    """Find FINs of clients that acknowledge no more than their side had acknowledged before.

    A client that somebody lied to acknowledges the lie and closes; how early that was tells of the lie, not of the end.
    """
    no_news = fins.base.at(fins.base.acked, fins.previous) >= trace.packets.relative_ack[fins.row]
    old: Mask = no_news & (fins.side % 2 == 0) & fins.acks
    return old


def answers_end(trace: Trace, fins: Suspects) -> Mask:
    """Find FINs that acknowledge the other side's FIN: who had ended its own stream was not cut off by the answer."""
    packets, fin = trace.packets, trace.sides.fin[fins.other]
    ended = (fin >= 0) & (fin < fins.row) & fins.acks
    answers: Mask = ended & (packets.relative_ack[fins.row] == segment_end(packets, np.maximum(fin, 0)))
    return answers


HOW_FAR = frozenset({writing.PREMATURE, writing.NEARER, writing.ON_TIME, rules.FIN_ACK_UNSENT})
"""Signs of what a FIN acknowledges."""

EXCUSES = frozenset({writing.OWN_TIMESTAMPS, writing.IN_COUNTER, writing.ON_TIME})
"""Signs that its claimed sender wrote it: nobody ends a stream and goes on with it, so there they show an imitation."""


def fin_signs(trace: Trace, fins: Suspects, tolerance: int) -> Signs:
    """Weigh each sign on each FIN, *tolerance* hops of difference allowed."""
    signs = all_signs(trace, fins, tolerance)
    old, alive = acknowledged_before(trace, fins), signs[rules.FIN_ALIVE_AFTER].llr > 0
    signs |= {rule: weakened(signs[rule], ~old) for rule in signs if rule in HOW_FAR}
    return signs | {rule: weakened(signs[rule], ~alive) for rule in signs if rule in EXCUSES}


def all_signs(trace: Trace, fins: Suspects, tolerance: int) -> Signs:
    """Weigh each sign on each FIN, whatever its side said before."""
    gap, after = goes_on(trace, fins)
    waiting, acknowledged = after_request(trace, fins)
    idle = rested(trace, fins)
    syn_seen = trace.sides.syn[fins.other] >= 0  # else what was captured first need not be the first
    written = written_signs(trace, fins, tolerance)
    disowned = ~np.isnan(gap) | (written[writing.ACK_REGRESSION].llr > 0)
    no_payload = (trace.packets.payload_length[fins.row] == 0) | disowned  # else it is an answer itself
    return written | by_rule(
        [
            sign(rules.FIN_ALIVE_AFTER, ~np.isnan(gap), {"gap_ms": gap}, witness=after),
            sign(rules.FIN_ACK_UNSENT, ack_unsent(trace, fins)),
            sign(rules.FIN_BEHIND_DATA, behind_fin(trace, fins)),
            sign(rules.FIN_AFTER_REQUEST, waiting & ~acknowledged & syn_seen & no_payload & ~answers_end(trace, fins)),
            sign(rules.FIN_RESTED, ~np.isnan(idle) & ~disowned, {"seconds": idle}),
        ]
    )
