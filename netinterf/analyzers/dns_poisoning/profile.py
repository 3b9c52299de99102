"""How unlike a server's other replies a suspect reply is: its headers, its construction, and its time.

Every contrast is drawn within one server, because resolvers differ in all of these. A feature that *n* unsuspicious
replies of the server showed *k* times has probability ``(k + ½) / (n + 1)`` if the server sent the suspect as well
(Jeffreys prior), and a fixed one if somebody else did; the log of the ratio is the weight. A server with two sites
keeps both its hop limits this way, and of a server seen once hardly anything is said. Agreement is no evidence either
way: network address translation makes all replies alike.
"""

import attrs
import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.baseline import Baseline, sample_of_servers
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.analyzers.signs import weight_of
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import among, distinct, numbered
from netinterf.schema import RttKind
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["HOP_TOLERANCE", "BaselineWeights", "compare_with_server", "far_off", "least_handshake_rtts"]

HOP_TOLERANCE = 3
"""Hops by which genuine replies of one server may differ (Hold-On's implementation; Duan et al., SATIN 2012)."""

COUNTER_STEP, COUNTER_SHARE, COUNTER_MIN = 4096, 0.75, 4
"""IP IDs are a counter when so many neighbours of at least so many replies lie so close; 4096 is 1/16 of the range."""

FORGED_TTL, FORGED_ID, FORGED_DF, FORGED_FLAGS, FORGED_STYLE, FORGED_OPT = 0.9, 0.87, 0.5, 0.5, 0.3, 0.9
"""How often a forged reply falls outside what the server does: hop limit (two of three injectors, and the third unless
its distance happens to fit: Triplet Censors, table of injectors), IP ID off a counter (1 - 2/16), DF (half of the
injectors), flags (AA or RA: one injector of three, more in laboratories), owner name copied (one of three), no EDNS
(all injectors described: RFC 6891 §6.1.1 demands it)."""

OPT_CAP, FLAGS_CAP, STYLE_CAP = 2.5, 1.5, 1.0
"""Largest weight of lost EDNS, of odd flags, and of another way to write the owner name."""

FLAG_BITS = 0x04C0
"""AA, RA and Z: what a server sets by its own nature (RFC 1035 §4.1.1)."""

AUTHORITATIVE, RECURSION_DESIRED = 0x0400, 0x0100

HALF, HALF_MIN, HALF_WEIGHT = 0.5, 3, 2.0
"""Hold-On rejects replies before half of the learnt round trip; three replies must have been learnt from."""

BOUND_SHARE, BOUND_SLACK_NS, CACHE_SHARE = 0.9, 2_000_000, 0.1
"""A reply is too fast for the path below 0.9 of the least handshake and 2 ms less than it; when a tenth of a server's
ordinary replies are, too, a cache on the path answers everything."""

COPIES_SHARE = 0.01
"""A server that copies the query's IP ID in more of its replies does so by nature."""


@frozen(eq=False, kw_only=True)
class BaselineWeights:
    """Weights of suspect replies, aligned with the rows asked for; 0 where there is nothing to compare with."""

    header: F64
    ttl_weight: F64  # the part of the header's weight that is the hop limit's
    construction: F64
    timing: F64
    beats_path: F64  # faster than the path allows
    baseline: I64  # unsuspicious replies compared with
    usual_ttl: F64  # NaN without a baseline
    fastest: F64  # ns, NaN without
    rtt: F64  # ns of the least handshake, NaN without
    copies_ip_id: Mask  # the server copies the query's IP ID in other replies as well


def compare_with_server(
    trace: Trace,
    replies: Replies,
    rows: I64,
    clean: Mask,
    sinkholed: Mask,
    least_rtt: F64,
) -> BaselineWeights:
    """Compare suspect replies with the unsuspicious ones of their servers.

    Args:
        trace: For its recording: what was rewritten on the way proves nothing.
        replies: All replies.
        rows: Suspect rows in *replies*.
        clean: Which replies are unsuspicious; aligned with *replies*.
        sinkholed: Which replies answer as a block list would, so that speed and authority are natural; likewise.
        least_rtt: Least TCP handshake per host in ns, NaN where unknown.
    """
    base = sample_of_servers(replies, rows, clean, len(trace.hosts))
    hops, ids = (
        informative[replies.flow[rows]]
        for informative in (trace.recording.ttl_informative, trace.recording.ip_id_informative)
    )
    ttl_weight = hop_weight(replies, rows, base) * hops
    header = ttl_weight + id_weight(replies, rows, base) * ids
    header += _share_weight(replies.df[rows], replies.df, base, FORGED_DF) * (hops | ids)
    construction = construction_weight(trace, replies, rows, base, sinkholed[rows])
    timed = base.only((replies.queries[base.rows] == 1) & (replies.delay[base.rows] >= 0))
    fastest, delay = timed.least(replies.delay[timed.rows]), replies.delay[rows]
    usable = (replies.queries[rows] == 1) & (delay >= 0)
    # What a server knows by itself comes at once; only a time below the path's own says something then.
    telling = usable & (~sinkholed[rows] | (delay < HALF * fastest))
    limit = np.minimum(BOUND_SHARE * least_rtt, least_rtt - BOUND_SLACK_NS)
    soon = timed.count(replies.delay[timed.rows] < limit[timed.server])
    cached = soon / np.maximum(timed.size, 1) >= CACHE_SHARE
    outran = usable & (delay < limit[base.asked]) & ~cached & (base.size > 0)
    return BaselineWeights(
        header=np.minimum(header, weight_of(rules.HOP_LIMIT)),
        ttl_weight=ttl_weight,
        construction=np.minimum(construction, weight_of(rules.CONSTRUCTION_OUTLIER)),
        timing=np.where(telling, early_weight(replies, rows, timed), 0.0),
        beats_path=np.where(outran, weight_of(rules.FASTER_THAN_PATH), 0.0),
        baseline=base.size,
        usual_ttl=base.most_common(replies.ttl[base.rows]),
        fastest=fastest,
        rtt=least_rtt[base.asked],
        copies_ip_id=base.count(replies.ip_id_copied[base.rows]) / np.maximum(base.size, 1) > COPIES_SHARE,
    )


def far_off(trace: Trace, replies: Replies, rows: I64, clean: Mask) -> Mask:
    """Say which replies came with another hop limit than their server's others (`BaselineWeights.ttl_weight`).

    Args:
        trace: For its recording.
        replies: All replies.
        rows: Rows in *replies* to compare.
        clean: Which replies are unsuspicious; aligned with *replies*.
    """
    off: Mask = hop_weight(replies, rows, sample_of_servers(replies, rows, clean, len(trace.hosts))) > 0
    return off & trace.recording.ttl_informative[replies.flow[rows]]


def hop_weight(replies: Replies, suspects: I64, base: Baseline) -> F64:
    """Weigh hop limits by how many of the server's lie within the tolerance."""
    ttl, size = replies.ttl[suspects], base.size
    near = base.count_between(replies.ttl[base.rows], ttl - HOP_TOLERANCE, ttl + HOP_TOLERANCE)
    weight = np.log(FORGED_TTL * (size + 1) / (near + 0.5))
    return np.where(2 * near < size, np.maximum(weight, 0.0), 0.0)


def _share_weight(suspect: Mask, shows: Mask, base: Baseline, forged: float) -> F64:
    """Weigh a yes-or-no feature by how often the server showed it.

    Args:
        suspect: Which suspects show it.
        shows: Which of all replies do; aligned with `Replies`.
        base: The unsuspicious replies.
        forged: How often a forged reply is unlike them.
    """
    size, showing = base.size, base.count(shows[base.rows])
    same = np.where(suspect, showing, size - showing)
    weight = np.log(forged * (size + 1) / (same + 0.5))
    return np.where(2 * same < size, np.maximum(weight, 0.0), 0.0)


def id_weight(replies: Replies, suspects: I64, base: Baseline) -> F64:
    """Weigh IP IDs: off the server's counter, or zero where it never is, or never zero where it always is.

    A constant that several suspects share and the server never uses is an injector's template.
    """
    base = base.only(replies.ip_id[base.rows] >= 0)
    size, suspect, known = base.size, replies.ip_id[suspects], replies.ip_id[base.rows]
    rare = FORGED_ID * (size + 1) / 0.5
    weight = np.zeros(len(suspects))
    off, jumps = _off_counter(replies, suspects, base)
    weight[off] = np.log(FORGED_ID * size[off] / (jumps[off] + 0.5))
    zeros = base.count(known == 0)
    odd_zero = np.where(suspect == 0, zeros == 0, zeros == size) & (suspect >= 0) & (size > 0)
    weight[odd_zero] = np.maximum(weight, np.log(0.3 * rare / FORGED_ID))[odd_zero]
    template = _template(replies, suspects, base) & (size > 0)
    weight[template] = np.maximum(weight, np.log(rare))[template]
    return np.maximum(weight, 0.0)


def _off_counter(replies: Replies, suspects: I64, base: Baseline) -> tuple[Mask, I64]:
    """Say which suspects' IP IDs are far from those before and after them of a server that counts; and its jumps."""
    size, suspect, known = base.size, replies.ip_id[suspects], replies.ip_id[base.rows]
    step = np.diff(known, prepend=-1) % 65536
    follows = np.append(False, base.server[1:] == base.server[:-1])[: len(known)]
    steps = base.count(follows & (step >= 1) & (step <= COUNTER_STEP))
    counter = np.flatnonzero((size >= COUNTER_MIN) & (steps >= COUNTER_SHARE * (size - 1)))
    counted = attrs.evolve(base, asked=base.asked[counter])
    earlier = counted.count_between(replies.packet[base.rows], 0, replies.packet[suspects[counter]] - 1)
    before, behind = np.maximum(earlier - 1, 0), np.minimum(earlier, counted.size - 1)
    since = (suspect[counter] - known[counted.first + before]) % 65536
    until = (known[counted.first + behind] - suspect[counter]) % 65536
    off = np.zeros(len(suspects), np.bool_)
    off[counter] = (np.minimum(since, until) > COUNTER_STEP) & (suspect[counter] >= 0)
    return off, size - 1 - steps


def _template(replies: Replies, suspects: I64, base: Baseline) -> Mask:
    """Say which suspects carry an IP ID that their server never uses, and most suspects in its name do."""
    value = np.where(replies.ip_id[suspects] > 0, base.asked << 16 | replies.ip_id[suspects], -1)
    # Copies of one packet share their ID by nature: count exchanges, not packets.
    _, once = numbered(replies.exchange[suspects] << 17 | replies.ip_id[suspects] + 1)
    number, first = numbered(value[once])
    values, counts = value[once][first], np.bincount(number)
    values, counts = values[values >= 0], counts[values >= 0]
    most, total = np.zeros(base.hosts, np.int64), np.bincount(values >> 16, counts, base.hosts)
    np.maximum.at(most, values >> 16, counts)
    shared = values[(counts >= 2) & (2 * most >= total)[values >> 16]]
    if not len(shared):
        return np.zeros(len(suspects), np.bool_)
    used = base.server << 16 | replies.ip_id[base.rows]
    own = among(shared, distinct(used[among(used, distinct(shared))]))
    return among(value, distinct(shared[~own]))


def construction_weight(trace: Trace, replies: Replies, suspects: I64, base: Baseline, sinkholed: Mask) -> F64:
    """Weigh header flags, lost EDNS, and the way the owner name is written; *sinkholed* is aligned with *suspects*."""
    size, keys = base.size, _flag_key(trace, replies, suspects)
    same = base.count_between(_flag_key(trace, replies, base.rows), keys, keys)
    flags_weight = np.clip(np.log(FORGED_FLAGS * (size + 1) / (same + 0.5)), 0.0, FLAGS_CAP)
    local = sinkholed & (keys & AUTHORITATIVE != 0)  # the server's own zone: block lists answer with authority
    weight = np.where((2 * same < size) & ~local, flags_weight, 0.0)
    lost, with_opt = _lost_opt(trace, replies, suspects)
    base_lost, base_with_opt = (base.count(which) for which in _lost_opt(trace, replies, base.rows))
    ratio = FORGED_OPT * (base_with_opt + 1) / (base_lost + 0.5)
    weight += np.where(lost & with_opt & (base_with_opt > 0), np.clip(np.log(ratio), 0.0, OPT_CAP), 0.0)
    styled = base.only(replies.answered[base.rows])
    style = _share_weight(replies.pointer[suspects], replies.pointer, styled, FORGED_STYLE)
    weight += np.where(replies.answered[suspects], np.minimum(style, STYLE_CAP), 0.0)
    return weight


def _flag_key(trace: Trace, replies: Replies, rows: I64) -> I64:
    """Bring the flags a server sets by nature, and whether it copied RD (RFC 1035 §4.1.1), into one number."""
    flags = replies.flags[rows].astype(np.int64)
    query = replies.query[rows]
    query_flags = trace.dns.flags[np.maximum(query, 0)].astype(np.int64)
    changed = (query >= 0) & ((flags ^ query_flags) & RECURSION_DESIRED != 0)
    key: I64 = flags & FLAG_BITS | changed
    return key


def _lost_opt(trace: Trace, replies: Replies, rows: I64) -> tuple[Mask, Mask]:
    """Say which replies lack the OPT record their query had, and which queries had one."""
    query = replies.query[rows]
    with_opt = (query >= 0) & trace.dns.opt[np.maximum(query, 0)]
    return with_opt & ~trace.dns.opt[replies.message[rows]], with_opt


def early_weight(replies: Replies, suspects: I64, timed: Baseline) -> F64:
    """Weigh how early replies came.

    The conformal p-value ``(1 + #{times <= delay}) / (n + 1)`` holds for any distribution; ``-ln p - 1`` is its weight
    (a calibrated bound: Sellke, Bayarri, Berger, American Statistician 2001), at least `HALF_WEIGHT` below half of the
    fastest.

    Args:
        replies: All replies.
        suspects: Rows in *replies*.
        timed: The unsuspicious replies whose delays are known.
    """
    delay, times, size = replies.delay[suspects], replies.delay[timed.rows], timed.size
    rank = timed.count_between(times, 0, np.maximum(delay, -1))
    weight = np.clip(-np.log((1 + rank) / (size + 1)) - 1.0, 0.0, weight_of(rules.TOO_FAST))
    early = (size >= HALF_MIN) & (delay < HALF * timed.least(times))
    nats: F64 = np.where(early, np.maximum(weight, HALF_WEIGHT), weight)
    return nats


def least_handshake_rtts(trace: Trace) -> F64:
    """Find the least TCP handshake round trip from the tap to each host, ns, NaN where none was measured."""
    least = np.full(len(trace.hosts), np.nan)
    rows = np.flatnonzero((trace.rtts.kind == RttKind.HANDSHAKE) & (trace.rtts.side % 2 == 1))
    rows = rows[trace.recording.timing_informative[trace.rtts.side[rows] >> 1]]
    host = trace.flows.server[trace.rtts.side[rows] >> 1]
    np.fmin.at(least, host, trace.rtts.value[rows].astype(np.float64))
    return least
