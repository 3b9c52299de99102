"""From a capture to the attempts of its clients to reach something, class by class."""

import numpy as np
from numpy.typing import NDArray

from netinterf.context.networks import find_networks
from netinterf.report.figures.gather import flows_of
from netinterf.report.figures.reach import Attempts
from netinterf.trace import Trace
from netinterf.verdict.record import Verdict

__all__ = ["attempts"]

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

TCP, UDP = 6, 17

MOST_ROWS = 8
"""Classes that are drawn apart, those with the most attempts; the rest is one class."""

SERVICES = {(TCP, 443): "HTTPS", (TCP, 80): "HTTP", (UDP, 443): "QUIC", (UDP, 53): "DNS", (TCP, 53): "DNS over TCP",
            (TCP, 853): "DNS over TLS", (TCP, 22): "SSH", (UDP, 123): "NTP"}  # fmt: skip
"""What services are called (IANA registry of service names and port numbers)."""


def attempts(trace: Trace, verdict: Verdict) -> list[Attempts]:
    """List what the clients of a verdict tried to reach: by country where networks are known, and by service.

    An attempt was answered when the server said something after all that the client had said first: data where the
    client had sent data, any packet else.
    """
    flows = trace.flows
    clients = flows.client[flows_of(trace, verdict)]
    chosen = np.flatnonzero(np.isin(flows.client, clients) & np.isin(flows.protocol, (TCP, UDP)))
    names = [f"{place}{service}" for place, service in zip(places(trace, chosen), services(trace, chosen), strict=True)]
    classes = sorted(set(names), key=lambda name: (-names.count(name), name))
    time, answered = flows.first[chosen], was_answered(trace)[chosen]
    of = np.array([classes.index(name) for name in names], np.int64)
    if len(classes) > MOST_ROWS:
        classes = [*classes[: MOST_ROWS - 1], f"{len(classes) - MOST_ROWS + 1} further classes"]
        of = np.minimum(of, MOST_ROWS - 1)
    return [Attempts(name, time[of == place], answered[of == place]) for place, name in enumerate(classes)]


def was_answered(trace: Trace) -> Bool:
    """Say of each flow whether the server answered."""
    sides = trace.sides
    asked, said, heard = sides.payload_packets[0::2] > 0, sides.payload_packets[1::2] > 0, sides.packets[1::2] > 0
    result: Bool = np.where(asked, said, heard)
    return result


def places(trace: Trace, flows: I64) -> list[str]:
    """Write the countries of servers, as far as they are known."""
    networks, server = trace.outside.networks, trace.flows.server[flows]
    found = find_networks(networks, trace.hosts.high[server], trace.hosts.low[server])
    return [f"{networks[row].country or 'unknown country'}, " if row >= 0 else "" for row in found.tolist()]


def services(trace: Trace, flows: I64) -> list[str]:
    """Name services by protocol and port."""
    pairs = zip(trace.flows.protocol[flows].tolist(), trace.flows.server_port[flows].tolist(), strict=True)
    return [SERVICES.get(pair, f"{'TCP' if pair[0] == TCP else 'UDP'} port {pair[1]}") for pair in pairs]
