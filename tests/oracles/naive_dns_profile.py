"""A slow twin of the comparison of replies with their servers' others: server by server, each reply's share counted."""

import numpy as np

from netinterf.analyzers.dns_poisoning import profile, rules
from netinterf.analyzers.signs import weight_of

SAMPLE = 1000


def compare(trace, replies, rows, clean, sinkholed, least_rtt):
    """Compare suspects with the unsuspicious replies of their servers; names and columns as in `BaselineWeights`."""
    columns = {
        name: np.zeros(len(rows))
        for name in ("header", "ttl_weight", "construction", "timing", "beats_path", "baseline")
    }
    columns |= {name: np.full(len(rows), np.nan) for name in ("usual_ttl", "fastest")}
    columns |= {"copies_ip_id": np.zeros(len(rows), np.bool_), "rtt": least_rtt[replies.server[rows]]}
    for server in set(replies.server[rows].tolist()):
        here = np.flatnonzero(replies.server[rows] == server)
        base = np.flatnonzero(clean & (replies.server == server))
        if len(base) > SAMPLE:
            base = base[np.linspace(0, len(base) - 1, SAMPLE).astype(np.int64)]
        if len(base):
            base = base[np.argsort(replies.packet[base], kind="stable")]
            for name, column in of_server(trace, replies, rows[here], base, sinkholed[rows[here]], least_rtt).items():
                columns[name][here] = column
    return columns


def of_server(trace, replies, suspects, base, sinkholed, least_rtt):
    """Compare the suspects of one server with its others."""
    hops, ids = (informative[replies.flow[suspects]]
                 for informative in (trace.recording.ttl_informative, trace.recording.ip_id_informative))  # fmt: skip
    distance = np.abs(replies.ttl[suspects][:, None] - replies.ttl[base])
    ttl_weight = rarity((distance <= profile.HOP_TOLERANCE).sum(axis=1), len(base), profile.FORGED_TTL) * hops
    header = ttl_weight + ip_ids(replies, suspects, base) * ids
    header += alike(replies.df[suspects], replies.df[base], profile.FORGED_DF) * (hops | ids)
    timed = base[(replies.queries[base] == 1) & (replies.delay[base] >= 0)]
    times, delay = np.sort(replies.delay[timed]), replies.delay[suspects]
    usable = (replies.queries[suspects] == 1) & (delay >= 0)
    telling = usable & (~sinkholed | (delay < 0.5 * times[0])) if len(times) else usable
    rtt = least_rtt[replies.server[base[0]]]
    limit = np.minimum(0.9 * rtt, rtt - 2_000_000)
    cached = len(timed) > 0 and np.mean(times < limit) >= profile.CACHE_SHARE
    return {
        "ttl_weight": ttl_weight,
        "header": np.minimum(header, weight_of(rules.HOP_LIMIT)),
        "construction": np.minimum(construction(trace, replies, suspects, base, sinkholed), 4.0),
        "timing": np.where(telling, early(delay, times), 0.0) if len(times) else np.zeros(len(suspects)),
        "beats_path": np.where(usable & (delay < limit) & (not cached), weight_of(rules.FASTER_THAN_PATH), 0.0),
        "baseline": np.full(len(suspects), len(base)),
        "usual_ttl": np.full(len(suspects), np.bincount(replies.ttl[base]).argmax()),
        "fastest": np.full(len(suspects), times[0] if len(times) else np.nan),
        "copies_ip_id": np.full(len(suspects), replies.ip_id_copied[base].mean() > 0.01),
    }


def rarity(same, count, forged):
    """Weigh what fewer than half of *count* do."""
    weight = np.log(forged * (count + 1) / (same + 0.5))
    return np.where(2 * same < count, np.maximum(weight, 0.0), 0.0)


def alike(suspect, base, forged):
    """Weigh a yes-or-no feature."""
    return rarity(np.array([(base == one).sum() for one in suspect]), len(base), forged)


def ip_ids(replies, suspects, base):
    """Weigh IP IDs."""
    base = base[replies.ip_id[base] >= 0]
    weights, suspect, known = np.zeros(len(suspects)), replies.ip_id[suspects], replies.ip_id[base]
    if not len(base):
        return weights
    counting = (np.diff(known) % 65536 >= 1) & (np.diff(known) % 65536 <= 4096)
    counter = len(base) >= 4 and counting.mean() >= 0.75
    shared = {}
    for exchange, one in {*zip(replies.exchange[suspects].tolist(), suspect.tolist(), strict=True)}:
        if one > 0:
            shared[one] = [*shared.get(one, []), exchange]
    main = max(map(len, shared.values()), default=0) * 2 >= sum(map(len, shared.values()))
    rare = profile.FORGED_ID * (len(base) + 1) / 0.5
    for place, one in enumerate(suspect):
        after = np.count_nonzero(replies.packet[base] < replies.packet[suspects[place]])
        since, until = one - known[max(after - 1, 0)], known[min(after, len(known) - 1)] - one
        if one >= 0 and counter and min(since % 65536, until % 65536) > 4096:
            weights[place] = np.log(profile.FORGED_ID * len(base) / ((~counting).sum() + 0.5))
        if one >= 0 and (0 not in known if one == 0 else not known.any()):
            weights[place] = max(weights[place], np.log(0.3 * rare / profile.FORGED_ID))
        if len(shared.get(one, [])) >= 2 and one not in known and main:
            weights[place] = max(weights[place], np.log(rare))
    return np.maximum(weights, 0.0)


def construction(trace, replies, suspects, base, sinkholed):
    """Weigh flags, lost EDNS, and the way the owner name is written."""
    keys, known = profile._flag_key(trace, replies, suspects), profile._flag_key(trace, replies, base)
    same = (keys[:, None] == known).sum(axis=1)
    odd = (2 * same < len(base)) & ~(sinkholed & (keys & 0x400 != 0))
    weight = np.where(odd, np.clip(np.log(0.5 * (len(base) + 1) / (same + 0.5)), 0.0, profile.FLAGS_CAP), 0.0)
    (lost, asked), (base_lost, base_asked) = (profile._lost_opt(trace, replies, which) for which in (suspects, base))
    if base_asked.any():
        ratio = profile.FORGED_OPT * (base_asked.sum() + 1) / (base_lost.sum() + 0.5)
        weight[lost & asked] += np.clip(np.log(ratio), 0.0, profile.OPT_CAP)
    styled = base[replies.answered[base]]
    if len(styled):
        style = alike(replies.pointer[suspects], replies.pointer[styled], profile.FORGED_STYLE)
        weight += np.where(replies.answered[suspects], np.minimum(style, profile.STYLE_CAP), 0.0)
    return weight


def early(delay, times):
    """Weigh how early replies came; *times* in ns, ascending."""
    rank = np.array([np.count_nonzero(times <= one) for one in delay])
    weight = np.clip(-np.log((1 + rank) / (len(times) + 1)) - 1.0, 0.0, weight_of(rules.TOO_FAST))
    at_once = (len(times) >= 3) & (delay < 0.5 * times[0])
    return np.where(at_once, np.maximum(weight, 2.0), weight)
