"""From a capture to the attempts of its clients to reach something, class by class."""

import numpy as np

from netinterf.arrays import I32, I64, Mask
from netinterf.context.networks import country_letters
from netinterf.mechanisms import Figure, has_figure
from netinterf.report.figures.gather import flows_of
from netinterf.report.figures.reach import Attempts
from netinterf.schema import Evidence, SubjectKind
from netinterf.trace import Trace
from netinterf.written.record import Verdict

__all__ = ["attempts"]


TCP, UDP = 6, 17

ELSEWHERE = "other countries"

MOST_ROWS = 10
"""Classes that are drawn apart, those with the most attempts; the rest is one class."""

SERVICES = {(TCP, 443): "web", (TCP, 80): "web", (UDP, 443): "QUIC", (UDP, 53): "DNS"}
"""What borders are known to tell apart, by protocol and port; web is HTTP and HTTPS over TCP."""


def attempts(trace: Trace, verdict: Verdict, evidence: Evidence) -> list[Attempts]:
    """List what the clients of a verdict tried to reach: by country where networks are known, and by service.

    Classes with attempts that the evidence calls cut off are marked for the time that it names.
    """
    flows = trace.flows
    clients = flows.client[flows_of(trace, verdict)]
    chosen = np.flatnonzero(np.isin(flows.client, clients) & np.isin(flows.protocol, (TCP, UDP)))
    time, answered, struck = flows.first[chosen], was_answered(trace)[chosen], struck_flows(trace, evidence)[chosen]
    pairs = zip(flows.protocol[chosen].tolist(), flows.server_port[chosen].tolist(), strict=True)
    services = [SERVICES.get(pair, "other TCP" if pair[0] == TCP else "other UDP") for pair in pairs]
    where = places(trace, chosen, answered, struck)
    names = [", ".join(filter(None, pair)) for pair in zip(where, services, strict=True)]
    classes = sorted(set(names), key=lambda name: (-names.count(name), name))
    of = np.array([classes.index(name) for name in names], np.int64)
    if len(classes) > MOST_ROWS:
        classes = [*classes[: MOST_ROWS - 1], f"{len(classes) - MOST_ROWS + 1} further classes"]
        of = np.minimum(of, MOST_ROWS - 1)
    order = sorted(range(len(classes)), key=lambda place: (classes[place].startswith(ELSEWHERE), place))
    spans = windows(trace, verdict)
    return [
        Attempts(classes[place], time[mine], answered[mine], spans if struck[mine].any() else ())
        for place, mine in ((place, of == place) for place in order)
    ]


def windows(trace: Trace, verdict: Verdict) -> tuple[tuple[int, int], ...]:
    """Read from the evidence when something was cut off, in ns since 1970; there it is seconds of the capture."""
    began = int(trace.packets.time[0])
    edges = [(sign.measured.get("since"), sign.measured.get("until")) for sign in verdict.evidence if sign.llr > 0]
    spans = {(since, until) for since, until in edges if since is not None and until is not None}
    return tuple((began + round(1e9 * since), began + round(1e9 * until)) for since, until in sorted(spans))


def struck_flows(trace: Trace, evidence: Evidence) -> Mask:
    """Say of each flow whether evidence calls it, or a question in it, cut off."""
    about_reach = np.array([*(has_figure(rule.mechanism, Figure.REACH) for rule in evidence.rules), False])
    cut_off = about_reach[evidence.rule] & (evidence.llr > 0)
    is_exchange = evidence.subject_kind == SubjectKind.EXCHANGE
    struck = np.zeros(len(trace.flows), np.bool_)
    struck[evidence.subject[cut_off & (evidence.subject_kind == SubjectKind.FLOW)]] = True
    struck[trace.exchanges.flow[evidence.subject[cut_off & is_exchange]]] = True
    return struck


def was_answered(trace: Trace) -> Mask:
    """Say of each flow whether the server answered: with data where the client had sent data, with any packet else."""
    sides = trace.sides
    client_data, server_data = sides.payload_packets[0::2] > 0, sides.payload_packets[1::2] > 0
    result: Mask = np.where(client_data, server_data, sides.packets[1::2] > 0)
    return result


def places(trace: Trace, flows: I64, answered: Mask, struck: Mask) -> list[str]:
    """Say where servers are: in one country, in others, or in networks that are not listed; empty without a table.

    The one country is the clients' own where it is listed, else that which answered most of those where nothing was cut
    off. It is called by its code.
    """
    client, server = countries(trace, trace.flows.client[flows]), countries(trace, trace.flows.server[flows])
    if not any(server):
        return server
    cut = {country for country, hit in zip(server, struck.tolist(), strict=True) if hit}
    good = [country for country, well in zip(server, answered.tolist(), strict=True) if country and well]
    candidates = [country for country in client if country] or [country for country in good if country not in cut]
    home = max(sorted(set(candidates)), key=candidates.count) if candidates else ""
    return [country if country == home else ELSEWHERE if country else "unlisted" for country in server]


def countries(trace: Trace, hosts: I32) -> list[str]:
    """Look up the countries of hosts; empty where nobody tells."""
    owners = trace.outside.networks.whose(trace.hosts.high[hosts], trace.hosts.low[hosts])
    return [country_letters(code) for code in owners.country.tolist()]
