"""Requests that die when too many with the same name went before: a rule that counts connections.

Seen in Siberia since November 2025: about the fifth TLS connection of a client with one name within a minute hangs, and
so do those that follow, for about a minute; other names at the same address are served meanwhile (net4people/bbs 546;
dpi-checkers). A server may count as well, but whoever knocks: where it is silent to other names, too, nothing is said.
"""

import numpy as np

from netinterf.analyzers.contrast import NEAR_NS, Contrast
from netinterf.analyzers.signs import Measured, Sign, sign
from netinterf.analyzers.silence import rules
from netinterf.analyzers.silence.probes import evidence_of_p, fisher
from netinterf.analyzers.unanswered.silences import Silences
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import ordered
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["RequestLimits", "find_request_limits", "request_limit_sign"]


FEWEST, MOST = 3, 1_024
"""Requests with one name that died, and that were served: at least so many; and in all at most so many."""


@frozen(eq=False, kw_only=True)
class RequestLimits:
    """One entry per silence."""

    same_name_before: I64  # requests with the same name to the same network within a minute before
    died_from: I64  # of them from which on requests died; 0 where no count explains it
    same_name_died: I64  # requests of the name that died
    others_served: I64  # requests with other names that the same server answered while these died
    llr: F64


def find_request_limits(trace: Trace, silences: Silences, flow_served_at: I64) -> RequestLimits:
    """Find requests that died because of how many went before.

    Args:
        trace: The capture.
        silences: What fell silent.
        flow_served_at: When the server of each flow first answered, -1 where it did not.
    """
    flows, zero = trace.flows, np.zeros(len(silences), np.int64)
    limits = RequestLimits(
        same_name_before=zero.copy(),
        died_from=zero.copy(),
        same_name_died=zero.copy(),
        others_served=zero.copy(),
        llr=zero.astype(float),
    )
    contacts = trace.contacts
    request = trace.sides.first_payload[0::2].astype(np.int64)
    dead = np.full(len(flows), -1)
    first = silences.is_first_request()
    dead[silences.flow[first]] = np.flatnonzero(first)
    decided = np.flatnonzero((request >= 0) & (contacts.name >= 0) & ((dead >= 0) | (flow_served_at >= 0)))
    if np.count_nonzero(dead[decided] >= 0) < FEWEST:
        return limits
    time = trace.packets.time[request[decided]]
    server = contacts.of("client", "server")[decided]
    group = contacts.of("client", "network", "name")[decided]
    same_name = Contrast(contacts, decided, time)
    recent = same_name.count(decided, "client", "network", "name", begin=time - NEAR_NS, end=time) - 1
    near = contacts.of("client", "network")[decided]
    order = ordered(near)  # whoever shares a server with a group shares its client and network
    near_rising = near[order]
    died = np.bincount(group, dead[decided] >= 0)
    size = np.bincount(group)
    a_row = np.zeros(len(size), np.int64)
    a_row[group] = np.arange(len(group))
    for number in np.flatnonzero((died >= FEWEST) & (size - died >= FEWEST) & (size <= MOST)).tolist():
        here = order[slice(*np.searchsorted(near_rising, near[a_row[number]] + np.arange(2)))]
        mine = here[group[here] == number]
        hit = dead[decided[mine]] >= 0
        least, weight = threshold(recent[mine], hit)
        begin, end = time[mine][hit].min(), time[mine][hit].max()
        beside = here[np.isin(server[here], server[mine]) & (group[here] != number)]
        beside = beside[(time[beside] >= begin) & (time[beside] <= end)]
        if weight <= 0 or not len(beside) or (dead[decided[beside]] >= 0).any():
            continue
        place = dead[decided[mine[hit & (recent[mine] >= least)]]]
        limits.same_name_before[place] = recent[mine[hit & (recent[mine] >= least)]]
        limits.died_from[place], limits.same_name_died[place] = least, int(hit.sum())
        limits.others_served[place], limits.llr[place] = len(beside), weight
    return limits


def threshold(recent: I64, hit: Mask) -> tuple[int, float]:
    """Find from which count on requests died, and what it weighs: an exact test, the search paid for."""
    tried = np.unique(recent)[1:]
    if not len(tried):
        return 0, 0.0
    above = recent[:, None] >= tried
    p = fisher(
        dead_above=np.sum(above & hit[:, None], axis=0),
        above=np.sum(above, axis=0),
        dead=int(np.sum(hit)),
        count=len(hit),
    )
    best = int(np.argmin(p))
    return int(tried[best]), evidence_of_p(float(p[best]), len(tried))


def request_limit_sign(limits: RequestLimits) -> Sign:
    """Tell which requests died because of how many went before."""
    measured: Measured = {
        "died": limits.same_name_died,
        "least": limits.died_from,
        "recent": limits.same_name_before,
        "others": limits.others_served,
        "llr": limits.llr,
        "selective": 1.0,
    }
    return sign(rules.COUNTED, limits.llr > 0, measured, llr=limits.llr)
