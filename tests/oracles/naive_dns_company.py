"""Slow twins of what is counted about the company of suspect replies: reply by reply, with sets of names."""

import numpy as np

from netinterf.analyzers.dns_poisoning import content as contents
from netinterf.analyzers.dns_poisoning import repeats, rules, shared_answers
from netinterf.analyzers.dns_poisoning.content import Feature
from netinterf.analyzers.signs import weight_of
from netinterf.context.domains import operator_domains
from netinterf.table import Text


def answers(trace, replies, row):
    """List the addresses of one reply."""
    held = trace.answers
    here = np.flatnonzero((held.message == replies.message[row]) & (held.section == 1) & np.isin(held.kind, (1, 28)))
    return {(int(held.high[one]), int(held.low[one])) for one in here}


def agreeing(trace, replies, content, suspects, barred, most):
    """Find suspects whose addresses another public server gave as well, and the first witness of each."""
    found = []
    local = trace.hosts.special[replies.server] & contents.LOCAL != 0
    for row in suspects.tolist():
        mine = answers(trace, replies, row)
        if not mine or content.bogus[row] or content.listed[row]:
            continue
        others = np.flatnonzero((replies.question == replies.question[row]) & ~barred & ~local
                                & (replies.server != replies.server[row]))  # fmt: skip
        witnesses = [one for one in others[:most].tolist() if mine & answers(trace, replies, one)]
        if witnesses:
            found.append((row, int(replies.packet[witnesses[0]])))
    return found


def domains_of_addresses(trace, replies, rows, listed):
    """Count for each listed suspect the domains that its most common address was given for."""
    domains = {}
    for row in rows[listed].tolist():
        domain = operator_domains(Text.of([trace.exchanges.name[int(replies.exchange[row])]]))[0]
        for address in answers(trace, replies, row):
            domains.setdefault(address, set()).add(domain)
    return [
        max((len(domains.get(address, ())) for address in answers(trace, replies, row) if address[1]), default=0)
        * bool(flag)
        for row, flag in zip(rows.tolist(), listed, strict=True)
    ]


def silent_names(trace, replies, rows, barred):
    """Count for each suspect the other names that its server left unanswered, 0 where it answers any."""
    exchanges, counts = trace.exchanges, []
    for row in rows.tolist():
        server = replies.server[row]
        listed = {exchanges.name[int(replies.exchange[one])] for one in rows if replies.server[one] == server}
        asked = [one for one in range(len(exchanges)) if trace.flows.server[exchanges.flow[one]] == server]
        silent = {
            exchanges.name[one] for one in asked if len(exchanges.queries[one]) > len(exchanges.replies[one]) == 0
        }
        answered = np.any(~barred & (replies.server == server))
        count = 0 if answered else len(silent - listed)
        counts.append(count if count >= shared_answers.SILENT_NAMES else 0)
    return counts


def policy(trace, replies, content, contradicted):
    """Say which replies are of servers that answer many names with bogus addresses."""
    bogus, own = content.has(Feature.UNREACHABLE | Feature.SINKHOLE | Feature.FAKE_IP) & ~contradicted, []
    for server in replies.server.tolist():
        here = (replies.server == server) & content.has(Feature.ADDRESS) & ~contradicted
        every, odd = (
            {trace.exchanges.name[int(one)] for one in replies.exchange[which]} for which in (here, here & bogus)
        )
        own.append(len(odd) >= contents.LOCAL_ZONE_NAMES and len(odd) >= contents.LOCAL_ZONE_SHARE * len(every))
    return own


def weigh_repeats(trace, replies, races):
    """Weigh the other lookups at the server of each race: llr, struck, weight and number of lookups of other names."""
    exchanges, spilled = sorted(set(replies.exchange.tolist())), repeats.several(trace, replies)
    queries = replies.queries[races.first]
    disputed = {one: bool(more) for one, more in zip(races.exchange[races.weight > 0].tolist(), (
        (queries > 0) & (races.different > queries))[races.weight > 0], strict=True)}  # fmt: skip
    lookups = {}
    for exchange in exchanges:
        server = int(replies.server[replies.exchange == exchange][0])
        if disputed.get(exchange, True):
            lookups.setdefault((server, trace.exchanges.name[exchange]), []).append(exchange)
    result = np.zeros((len(races.exchange), 4))
    if not any(disputed.values()):
        return result
    for place, exchange in enumerate(races.exchange.tolist()):
        mine = next((key for key, held in lookups.items() if exchange in held and exchange in disputed), None)
        if mine is None:
            continue
        others = [held for key, held in lookups.items() if key[0] == mine[0] and key != mine
                  and sum(one in disputed for one in held) <= 0.5 * len(held)]  # fmt: skip
        many = sum(map(len, others))
        more = sum(bool(spilled[one]) or one in disputed for held in others for one in held)
        rate = min(repeats.STRUCK, (more + 0.5) / (many + 1.0))
        hits = sum(one in disputed for one in lookups[mine])
        value = (hits - 1) * np.log(repeats.STRUCK / rate)
        value += (len(lookups[mine]) - hits) * np.log((1 - repeats.STRUCK) / (1 - rate))
        norm = 0.0 if more else -np.log(repeats.ACCIDENT + (1 - repeats.ACCIDENT) / (many + 1))
        result[place] = np.clip(value, 0.0, weight_of(rules.REPEATED)), hits, norm, many
    return result
