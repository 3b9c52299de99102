"""Who wrote an ordinary packet: what its time and its header say."""

import numpy as np

from netinterf.analyzers.forgery import rules
from netinterf.analyzers.forgery.ack_regression import ack_regressions
from netinterf.analyzers.forgery.header import HeaderSigns, compare_headers
from netinterf.analyzers.forgery.oddity import from_gateway, unlike_synack
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.analyzers.forgery.timing import measure_timing, trigger_died
from netinterf.analyzers.signs import Signs, by_rule, sign, weakened, weight_of
from netinterf.arrays import F64, I32, I64, Mask
from netinterf.schema import IpFlag, TcpOption, TlsKind
from netinterf.trace import Trace

__all__ = ["ONE_SAMPLE", "hops_off", "written_signs"]

ONE_SAMPLE = 3.0
"""Weight of a premature answer when the round trip is known from one handshake: radio wake-up, a full backlog and an
unseen first copy of the request inflate it (a single sample was three times too long in a public control capture)."""

ONE_WRITER = 6.0
"""What all header fields together may say: they stand for one thing, that somebody else wrote it."""

WRITER = (rules.TTL, rules.TTL_CLASS, rules.NO_TIMESTAMPS, rules.IP_ID, rules.DF, rules.ODD_WINDOW)

LONG, LARGE = 3, 16_384
"""Packets of a server in a TLS conversation, or bytes of it in any, that nobody on the path makes up: published block
pages have up to 3,000 bytes."""


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
    return of_one_writer(by_rule(signs), len(suspects))


def of_one_writer(signs: Signs, count: int) -> Signs:
    """Let header fields together say no more than `ONE_WRITER`."""
    every = sum((signs[rule].llr for rule in WRITER), np.zeros(count))
    share = np.minimum(1.0, ONE_WRITER / np.maximum(every, 1e-9))
    return signs | {rule: weakened(signs[rule], share) for rule in WRITER}


def hops_off(headers: HeaderSigns, tolerance: int) -> F64:
    """Hops by which each suspect is off its sender, NaN within the tolerance and where unknown."""
    return np.where(np.abs(headers.ttl_jump) > tolerance, headers.ttl_jump, np.nan)


def synack_by_another(trace: Trace, suspects: Suspects) -> Mask:
    """Say which suspects look like what ends long conversations with their server, and that unlike its greetings.

    A firewall that makes handshakes for a server (RFC 4987 §3.8) writes the SYN/ACK, and the server all that follows:
    its greetings say nothing of how its other packets look. A short answer has nothing but that SYN/ACK beside it.
    Long conversations with the same server show what its packets look like: nobody on the path writes those.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    none = np.zeros(len(suspects), np.bool_)
    if not len(suspects):
        return none
    wanted = np.zeros(len(trace.hosts), np.bool_)
    wanted[flows.server[suspects.flow]] = True
    hello = np.zeros(len(flows), np.bool_)
    hello[trace.tls.flow[(trace.tls.kind == TlsKind.SERVER_HELLO) & ~trace.tls.outbound]] = True
    long = wanted[flows.server] & (
        (hello & (sides.payload_packets[1::2] >= LONG)) | (sides.payload_bytes[1::2] > LARGE)
    )
    flow = np.flatnonzero(long & (sides.syn[1::2] >= 0))
    near = trace.by_flow.take(flow)
    data = ~packets.outbound[near.values] & (packets.payload_length[near.values] > 0)
    last = np.full(len(flow), -1)
    last[near.parents()[data]] = near.values[data]  # rows of a flow lie in order, and the last write wins
    flow, last = flow[last >= 0], last[last >= 0]
    unlike = unlike_synack(trace, last, 2 * flow + 1)
    usual = looks(trace, flows.server[flow[unlike]], last[unlike])
    alike: Mask = (suspects.side % 2 == 1) & np.isin(looks(trace, flows.server[suspects.flow], suspects.row), usual)
    return alike


def looks(trace: Trace, server: I32, row: I64) -> I64:
    """Number how packets of servers look: by server, hop limit, don't-fragment flag and timestamps."""
    packets = trace.packets
    stamped = (packets.tcp_options[row] & TcpOption.TIMESTAMPS) != 0
    df = (packets.ip_flags[row] & IpFlag.DONT_FRAGMENT) != 0
    number: I64 = server.astype(np.int64) << 10 | packets.ttl[row].astype(np.int64) << 2 | df << 1 | stamped
    return number
