"""How unlike a server's other replies a suspect reply is: its headers, its construction, and its time.

Every contrast is drawn within one server, because resolvers differ in all of these. A feature that *n* unsuspicious
replies of the server showed *k* times has probability ``(k + ½) / (n + 1)`` if the server sent the suspect as well
(Jeffreys prior), and a fixed one if somebody else did; the log of the ratio is the weight. A server with two sites
keeps both its hop limits this way, and of a server seen once hardly anything is said. Agreement is no evidence either
way: network address translation makes all replies alike.
"""

from collections.abc import Iterator

import attrs
import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.analyzers.signs import weight_of
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import RttKind
from netinterf.trace import Trace

__all__ = ["HOP_TOLERANCE", "BaselineWeights", "compare_with_server", "far_off", "least_handshake_rtts"]

HOP_TOLERANCE = 3
"""Hops by which genuine replies of one server may differ (Hold-On's implementation; Duan et al., SATIN 2012)."""

SAMPLE = 1000
"""Unsuspicious replies compared with, per server; the likelihood ratios saturate far below."""

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

TCP = 6


@attrs.frozen(eq=False, kw_only=True)
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
    count = len(rows)
    compared = BaselineWeights(
        header=np.zeros(count),
        ttl_weight=np.zeros(count),
        construction=np.zeros(count),
        timing=np.zeros(count),
        beats_path=np.zeros(count),
        baseline=np.zeros(count, np.int64),
        usual_ttl=np.full(count, np.nan),
        fastest=np.full(count, np.nan),
        rtt=least_rtt[replies.server[rows]] if count else np.empty(0),
        copies_ip_id=np.zeros(count, np.bool_),
    )
    for here, base in _by_server(replies, rows, clean):
        _compare(trace, replies, rows[here], base, here, sinkholed[rows[here]], compared)
    return compared


def far_off(trace: Trace, replies: Replies, rows: I64, clean: Mask) -> Mask:
    """Say which replies came with another hop limit than their server's others (`BaselineWeights.ttl_weight`).

    Args:
        trace: For its recording.
        replies: All replies.
        rows: Rows in *replies* to compare.
        clean: Which replies are unsuspicious; aligned with *replies*.
    """
    off = np.zeros(len(rows), np.bool_)
    for here, base in _by_server(replies, rows, clean):
        off[here] = hop_weight(replies.ttl[rows[here]], replies.ttl[base]) > 0
    return off & trace.recording.ttl_informative[replies.flow[rows]]


def _by_server(replies: Replies, rows: I64, clean: Mask) -> Iterator[tuple[I64, I64]]:
    """Yield, server by server, places in *rows*, and a sample of the unsuspicious replies to compare them with."""
    clean_rows = np.flatnonzero(clean)
    by_server = clean_rows[np.argsort(replies.server[clean_rows], kind="stable")]
    order = np.argsort(replies.server[rows], kind="stable")
    servers, starts = np.unique(replies.server[rows[order]], return_index=True)
    edges = np.append(starts, len(order))
    for server, first, last in zip(servers, edges[:-1], edges[1:], strict=True):
        low, high = np.searchsorted(replies.server[by_server], [server, server + 1])
        base = by_server[low:high]
        if len(base) > SAMPLE:
            base = base[np.linspace(0, len(base) - 1, SAMPLE).astype(np.int64)]
        if len(base):
            yield order[first:last], base


def _compare(
    trace: Trace,
    replies: Replies,
    suspects: I64,
    base: I64,
    here: I64,
    sinkholed: Mask,
    compared: BaselineWeights,
) -> None:
    """Fill in the contrasts of one server's suspects."""
    base = base[np.argsort(replies.packet[base], kind="stable")]
    ttl_informative, ip_id_informative = (
        informative[replies.flow[suspects]]
        for informative in (trace.recording.ttl_informative, trace.recording.ip_id_informative)
    )
    compared.ttl_weight[here] = hop_weight(replies.ttl[suspects], replies.ttl[base]) * ttl_informative
    header = compared.ttl_weight[here] + id_weight(replies, suspects, base) * ip_id_informative
    header += _share_weight(replies.df[suspects], replies.df[base], FORGED_DF) * (ttl_informative | ip_id_informative)
    compared.header[here] = np.minimum(header, weight_of(rules.HOP_LIMIT))
    compared.construction[here] = np.minimum(
        construction_weight(trace, replies, suspects, base, sinkholed), weight_of(rules.CONSTRUCTION_OUTLIER)
    )
    compared.baseline[here] = len(base)
    compared.usual_ttl[here] = np.bincount(replies.ttl[base]).argmax()
    compared.copies_ip_id[here] = replies.ip_id_copied[base].mean() > 0.01
    timed = base[(replies.queries[base] == 1) & (replies.delay[base] >= 0)]
    delay = replies.delay[suspects]
    usable = (replies.queries[suspects] == 1) & (delay >= 0)
    if len(timed):
        times = np.sort(replies.delay[timed])
        compared.fastest[here] = times[0]
        # What a server knows by itself comes at once; only a time below the path's own says something then.
        telling = usable & (~sinkholed | (delay < HALF * times[0]))
        compared.timing[here] = np.where(telling, early_weight(delay, times), 0.0)
    rtt = compared.rtt[here]
    limit = np.minimum(BOUND_SHARE * rtt, rtt - BOUND_SLACK_NS)
    cached = len(timed) > 0 and float(np.mean(replies.delay[timed] < limit[0])) >= CACHE_SHARE
    compared.beats_path[here] = np.where(
        usable & (delay < limit) & (not cached), weight_of(rules.FASTER_THAN_PATH), 0.0
    )


def hop_weight(suspect: I64, base: I64) -> F64:
    """Weigh hop limits by how many of the server's lie within the tolerance."""
    counts = np.append(0, np.cumsum(np.bincount(base, minlength=256)))
    near = counts[np.minimum(suspect + HOP_TOLERANCE + 1, 256)] - counts[np.maximum(suspect - HOP_TOLERANCE, 0)]
    weight = np.log(FORGED_TTL * (len(base) + 1) / (near + 0.5))
    return np.where(2 * near < len(base), np.maximum(weight, 0.0), 0.0)


def _share_weight(suspect: Mask, base: Mask, forged: float) -> F64:
    """Weigh a yes-or-no feature by how often the server showed it."""
    same = np.where(suspect, base.sum(), len(base) - base.sum())
    weight = np.log(forged * (len(base) + 1) / (same + 0.5))
    return np.where(2 * same < len(base), np.maximum(weight, 0.0), 0.0)


def id_weight(replies: Replies, suspects: I64, base: I64) -> F64:
    """Weigh IP IDs: off the server's counter, or zero where it never is, or never zero where it always is.

    A constant that several suspects share and the server never uses is an injector's template.
    """
    base = base[replies.ip_id[base] >= 0]
    suspect = replies.ip_id[suspects]
    weight = np.zeros(len(suspects))
    if not len(base):
        return weight
    known = replies.ip_id[base]
    rare = FORGED_ID * (len(base) + 1) / 0.5
    step = np.diff(known) % 65536
    counting = (step >= 1) & (step <= COUNTER_STEP)
    if len(base) >= COUNTER_MIN and counting.mean() >= COUNTER_SHARE:
        after = np.searchsorted(replies.packet[base], replies.packet[suspects])
        before = (suspect - known[np.maximum(after - 1, 0)]) % 65536
        ahead = (known[np.minimum(after, len(known) - 1)] - suspect) % 65536
        off = (np.minimum(before, ahead) > COUNTER_STEP) & (suspect >= 0)
        weight[off] = np.log(FORGED_ID * len(base) / ((~counting).sum() + 0.5))
    zero = known == 0
    odd_zero = np.where(suspect == 0, not zero.any(), bool(zero.all())) & (suspect >= 0)
    weight[odd_zero] = np.maximum(weight[odd_zero], np.log(0.3 * rare / FORGED_ID))
    # Copies of one packet share their ID by nature: count exchanges, not packets.
    once = np.unique(np.stack([replies.exchange[suspects], suspect])[:, suspect > 0], axis=1)[1]
    values, counts = np.unique(once, return_counts=True)
    template = np.isin(suspect, np.setdiff1d(values[counts >= 2], known))
    if len(values):
        template &= counts.max() * 2 >= counts.sum()
    weight[template] = np.maximum(weight[template], np.log(rare))
    return np.maximum(weight, 0.0)


def construction_weight(trace: Trace, replies: Replies, suspects: I64, base: I64, sinkholed: Mask) -> F64:
    """Weigh header flags, lost EDNS, and the way the owner name is written; *sinkholed* as in `compare_with_server`."""
    weight = np.zeros(len(suspects))
    keys, known = _flag_key(trace, replies, suspects), _flag_key(trace, replies, base)
    same = np.searchsorted(np.sort(known), keys, side="right") - np.searchsorted(np.sort(known), keys)
    flags_weight = np.clip(np.log(FORGED_FLAGS * (len(base) + 1) / (same + 0.5)), 0.0, FLAGS_CAP)
    local = sinkholed & (keys & AUTHORITATIVE != 0)  # the server's own zone: block lists answer with authority
    weight += np.where((2 * same < len(base)) & ~local, flags_weight, 0.0)
    lost, with_opt = _lost_opt(trace, replies, suspects)
    base_lost, base_with_opt = _lost_opt(trace, replies, base)
    if base_with_opt.any():
        ratio = FORGED_OPT * (base_with_opt.sum() + 1) / (base_lost.sum() + 0.5)
        weight[lost & with_opt] += np.clip(np.log(ratio), 0.0, OPT_CAP)
    styled = base[replies.answered[base]]
    if len(styled):
        style = _share_weight(replies.pointer[suspects], replies.pointer[styled], FORGED_STYLE)
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


def early_weight(delay: I64, times: I64) -> F64:
    """Weigh how early replies came.

    The conformal p-value ``(1 + #{times <= delay}) / (n + 1)`` holds for any distribution; ``-ln p - 1`` is its weight
    (a calibrated bound: Sellke, Bayarri, Berger, American Statistician 2001), at least `HALF_WEIGHT` below half of the
    fastest.

    Args:
        delay: Of the suspects, ns.
        times: Of the baseline, ascending, at least one.
    """
    rank = np.searchsorted(times, delay, side="right")
    weight = np.clip(-np.log((1 + rank) / (len(times) + 1)) - 1.0, 0.0, weight_of(rules.TOO_FAST))
    early = (len(times) >= HALF_MIN) & (delay < HALF * times[0])
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
