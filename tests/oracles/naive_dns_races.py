"""A slow twin of the comparison of replies to one question: exchange by exchange, pair by pair, with sets."""

from dataclasses import dataclass

import numpy as np

from netinterf.analyzers.dns_poisoning import contradictions, race, suspects
from netinterf.analyzers.dns_poisoning.content import Feature
from netinterf.context.networks import network_numbers

ADDRESSES, CNAME = (1, 28), 5
NXDOMAIN = 3


@dataclass
class Race:
    """One exchange with several replies."""

    exchange: int
    members: list[int]
    weight: float
    pairs: set[tuple[int, int]]


def compare_races(trace, replies, content):
    """Compare all replies of each exchange that drew more than one."""
    found = []
    for exchange in np.unique(replies.exchange).tolist():
        rows = np.flatnonzero(replies.exchange == exchange).tolist()
        if len(rows) > 1:
            first = {}
            for row in rows:
                first.setdefault(int(replies.digest[row]), row)
            members = sorted(first.values())
            weight, pairs = contradiction(trace, replies, content, members)
            if weight < 6.0 and pairs and rotates(trace, replies, content, pairs):
                weight *= race.ROTATING
            found.append(Race(exchange, members, weight, pairs))
    return found


def alone(replies, server):
    """List the replies of a server that came alone."""
    counts = np.bincount(replies.exchange)
    return np.flatnonzero((counts[replies.exchange] == 1) & (replies.server == server)).tolist()


def rotates(trace, replies, content, pairs):
    """Say whether the server gave the answers of every contradicting reply alone at another time."""
    row = min(pairs)[0]
    single = [one for one in alone(replies, replies.server[row]) if replies.question[one] == replies.question[row]]
    known = set().union(*(addresses(trace, content, one) for one in single))
    return all(known & addresses(trace, content, member) for pair in pairs for member in pair)


def contradiction(trace, replies, content, members):
    """Weigh the strongest contradiction between different replies of one exchange."""
    best, pairs, few = 0.0, set(), members[:16]
    for place, left in enumerate(few):
        for right in few[place + 1 :]:
            weight = against(trace, replies, content, left, right)
            if weight > 0:
                pairs.add((left, right))
                best = max(best, weight)
    times = sorted(trace.packets.time[replies.packet[row]] for row in members)
    gap = min(np.diff(times), default=race.BURST_NS + 1)
    if best >= 5.0 and len(members) >= race.BURST_SIZE and gap <= race.BURST_NS:
        best = max(best, 6.0)
    queries = replies.queries[members[0]]
    if queries == 0:
        best = max(best - race.NO_QUERY, 0.0)
    elif len(members) <= queries:
        best *= race.RETRANSMITTED_IMPOSSIBLE if best >= 6.0 else race.RETRANSMITTED
    return best, pairs


def addresses(trace, content, row):
    """Collect the addresses of one reply."""
    return {(int(trace.answers.high[one]), int(trace.answers.low[one])) for one in content.addresses[row]}


def records(trace, replies, row):
    """List the records in the answer section of one reply."""
    answers = trace.answers
    return np.flatnonzero((answers.message == replies.message[row]) & (answers.section == 1)).tolist()


def against(trace, replies, content, left, right):
    """Weigh how much two answers contradict each other."""
    answers, sides, codes = trace.answers, (left, right), {int(replies.rcode[row]) for row in (left, right)}
    if any(replies.truncated[row] for row in sides):
        return 0.0
    if any(replies.cut_off[row] for row in sides):
        hops = [int(replies.ttl[row]) * int(trace.recording.ttl_informative[replies.flow[row]]) for row in sides]
        usual = [replies.ttl[one] for one in alone(replies, replies.server[left])]
        apart = abs(hops[0] - hops[1]) > 3 and not all(any(abs(replies.ttl[row] - one) <= 3 for one in usual)
                                                       for row in sides)  # fmt: skip
        flags = {int(replies.flags[row]) & contradictions.SERVER_FLAGS for row in sides}
        return 2.0 if apart or len(flags) > 1 or (NXDOMAIN in codes and len(codes) > 1) else 0.0
    given = [addresses(trace, content, row) for row in sides]
    shapes = [sorted((int(answers.kind[one]), int(answers.length[one])) for one in records(trace, replies, row)
                     if answers.kind[one] not in (*ADDRESSES, CNAME)) for row in sides]  # fmt: skip
    if all(given):
        return disjoint(trace, replies, content, sides, given)
    if any(given):
        empty = 1 if given[0] else 0
        return 5.0 if shapes[empty] or replies.rcode[sides[empty]] in (0, NXDOMAIN) else 2.0
    if len(codes) > 1:
        return 2.0 if NXDOMAIN in codes else 0.0
    return 1.0 if shapes[0] != shapes[1] else 0.0


def disjoint(trace, replies, content, sides, given):
    """Weigh two answers that both hold addresses."""
    answers, features = trace.answers, [Feature(int(content.features[row])) for row in sides]
    reachable = [Feature.GLOBAL in one for one in features]
    unreachable = [Feature.GLOBAL not in one and Feature.SINKHOLE not in one for one in features]
    networks = [set(network_numbers(trace.outside.networks, *np.array(sorted(one), np.uint64).T).tolist())
                for one in given]  # fmt: skip
    chains = [{answers.target[one] for one in records(trace, replies, row) if answers.kind[one] == CNAME}
              for row in sides]  # fmt: skip
    if given[0] & given[1]:
        return 0.0
    if (unreachable[0] and reachable[1]) or (reachable[0] and unreachable[1]):
        return 6.0
    if networks[0] & networks[1]:
        return 1.0
    return 0.5 if chains[0] & chains[1] else 5.0


def forged(members, pairs, score, against):
    """Say which members of one contradiction are forged; *score* and *against* by member."""
    best = min(reversed(members), key=lambda row: round(score[row], 3))
    false = {row for row in members if (row, best) in pairs or (best, row) in pairs}
    false = {row for row in false if score[row] >= score[best] + suspects.MARGIN} or false
    false |= {row for row in members if against[row] >= 4.0 or (row == best and score[row] >= 4.0)}
    return sorted(false or {row for pair in pairs for row in pair})
