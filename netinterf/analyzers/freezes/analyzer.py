"""From where connections stopped to evidence about flows."""

import math
from typing import ClassVar

import attrs
import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.freezes import rules
from netinterf.analyzers.freezes.breaks import LATE_NS
from netinterf.analyzers.freezes.courses import Courses, Stops, find_stops, follow_courses
from netinterf.analyzers.signs import Cases, Signs, by_rule, record, record_each, sign
from netinterf.arrays import I64, Mask
from netinterf.numbering import combined
from netinterf.schema import Evidence, Rule
from netinterf.stats.concentration import BAD_SERVER, LEAK, PLACES, CommonLimit, Lives, find_common_limits
from netinterf.stats.robust import group_median
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Freezes"]


FEWEST, FEWEST_HERE = 2, 3
"""Stopped connections of one client that are compared; and where all lead to one network, since what fails there stops
several alike (two downloads from one content network stopped at a count in a public capture)."""

AT_ONCE_NS = 500_000_000
"""Transfers of one network whose last packets passed so close together were stopped at one moment: packets of a
transfer that is going on follow each other within a round trip."""

PUSHED = 0.18
"""Share of full segments (1,200 to 1,460 bytes) that carry PSH in transfers of public captures without interference:
the mean of eleven repositories (``python -m benchmarks freezes --captures``)."""

BEYOND = 1.5
"""How much farther than the limit a connection must have got to be spared: four standard deviations of the widest limit
that is tried."""


@frozen(kw_only=True)
class Freezes:
    """Find connections that somebody let begin and then stopped.

    What it looks for: connections that stop for good in the middle, all of one client at about the same count of
    packets or bytes, while the client is heard elsewhere.

    Why: a box that counts stops each connection at its limit, however large the answer is and however often the client
    tries again; what fails by itself fails anywhere.

    Also looks like this: servers that die (their connections stop at different counts), servers that hang (they still
    acknowledge), lines that are down (nothing is heard elsewhere), translators that forget (after a pause), narrow
    paths (large packets never pass), clients that went away or do not read (their window is closed), recorders that
    keep only the beginnings of connections (nobody tries in vain, and none goes on).

    References: net4people/bbs 490; dpi-checkers (ru/dpi-ch, ru/tcp-16-20_dwc); Cloudflare, 2025-06-26.
    """

    name: ClassVar[str] = "freezes"
    scope: ClassVar[Scope] = Scope.CAPTURE  # where others stop shows whether a stop is a limit
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down which connections were stopped, and whether a common count explains it."""
        stops = find_stops(trace)
        if not stops.client_alive.any():
            return Evidence.empty(rules=self.rules)
        courses = follow_courses(trace, stops)
        stops = attrs.evolve(stops, client_alive=stops.client_alive & ~only_beginnings(trace, stops, courses))
        clients, times = np.unique(trace.flows.client[stops.flow[stops.client_alive]], return_counts=True)
        courses = apart(trace, stops, courses.of_clients(trace, clients[times >= FEWEST].astype(np.int64)))
        several = [own for own in courses.by_client(trace) if enough(trace, stops, own)]
        limits = find_common_limits([lives_of(trace, stops, own) for own in several])
        site, told = combined(trace.flows.server, trace.contacts.name), []
        for own, limit in zip(several, limits, strict=True):
            told += compared(trace, site, stops, own, limit)
        return join([*self.stopped(stops.take(stops.client_alive)), record_each(self, told)])

    def stopped(self, stops: Stops) -> list[Evidence]:
        """Write down the first stop of every connection."""
        stops = stops.take(np.unique(stops.flow, return_index=True)[1])
        seconds = (stops.until - stops.since) / 1e9
        packets, size = (np.median(column, axis=1) for column in (stops.packets, stops.bytes))
        measured = {"packets": packets, "bytes": size, "seconds": seconds}
        return record(self, cases_of(stops, stops.last), by_rule([sign(rules.STOPPED, True, measured)]))


def enough(trace: Trace, stops: Stops, courses: Courses) -> bool:
    """Say whether connections of one client are compared: some stopped, and more where all led to one network."""
    place = courses.stop[courses.stop >= 0]
    places = np.unique(trace.contacts.network[stops.flow[place]])
    return len(place) >= (FEWEST if len(places) > 1 else FEWEST_HERE)


def compared(
    trace: Trace, site: I64, stops: Stops, courses: Courses, explained: CommonLimit
) -> list[tuple[Cases, Signs]]:
    """Tell what the courses of one client's connections have in common.

    Args:
        trace: The capture.
        site: The site of each flow: a server under one name.
        stops: All stops.
        courses: Of the client's connections.
        explained: The limit that explains best where they stopped.
    """
    place, limit = courses.stop[courses.stop >= 0], unless_hung(explained, stops, courses)
    if limit.llr <= 0:
        counts = {"stopped": len(place), "llr": limit.llr}
        scattered = stops.take(place)
        scattered = scattered.take(np.unique(scattered.flow, return_index=True)[1])
        apart = sign(rules.SCATTERED, True, counts, llr=limit.llr)
        return [(cases_of(scattered, scattered.last), by_rule([apart]))]
    hit = courses.take((courses.stop >= 0) & (limit.log_odds > 0))
    limited = stops.take(hit.stop)
    limited = limited.take(np.unique(limited.flow, return_index=True)[1])
    measured = {
        "stopped": len(limited),
        "servers": len(np.unique(trace.flows.server[hit.flow])),
        "limit_packets": limit.packets,
        "limit_bytes": limit.bytes,
        "llr": limit.llr,
        "in_packets": limit.in_packets,
    }
    alive = limited.take(limited.heard >= 0)
    later = (trace.packets.time[alive.heard] - alive.since) / 1e9
    spared = went_beyond(site, courses, hit, limit)
    signs = [sign(rules.LIMIT, True, measured, llr=limit.llr)]
    signs += [sign(rules.SPARED, True, {"spared": spared, "selective": 1.0})] if spared else []
    one_way = sign(rules.ONE_WAY, True, {"seconds": later})
    return [
        (cases_of(limited, limited.last), by_rule(signs)),
        (cases_of(alive, alive.heard), by_rule([one_way])),
    ]


def cases_of(stops: Stops, other: I64) -> Cases:
    """Ask about stops, each shown beside another packet."""
    pair = np.stack([stops.row, np.maximum(other, stops.row)], axis=1)
    shown = np.stack([np.ones(len(pair), np.bool_), pair[:, 1] > pair[:, 0]], axis=1)
    witness = Ragged.from_lengths(shown.sum(axis=1), pair[shown])
    return Cases(subject=stops.flow, time=stops.since, witness=witness, forged=stops.row)


def only_beginnings(trace: Trace, stops: Stops, courses: Courses) -> Mask:
    """Say for which stops the capture may hold no more than the beginning of each connection, as some recorders keep.

    Then none of the client's goes on beyond where others of it stop, and it is not seen to have tried in vain. What
    other clients did says nothing: captures are merged.
    """
    hosts, places = len(trace.hosts), stops.packets.shape[1]
    client, course_client = (trace.flows.client[rows].astype(np.int64) for rows in (stops.flow, courses.flow))
    tried = trace.packets.time[stops.last] - stops.since >= LATE_NS
    limit = group_median(stops.packets.reshape(-1), np.repeat(client, places), hosts)
    beyond = (courses.stop < 0) & (courses.packets > BEYOND * limit[course_client])
    more = np.zeros(hosts, np.bool_)
    more[client[tried]] = more[course_client[beyond]] = True
    return ~more[client]


def apart(trace: Trace, stops: Stops, courses: Courses) -> Courses:
    """Leave out stops that follow another of a client and network by less than `AT_ONCE_NS`: what fails stops both.

    Others were heard after either stop, so that it was not the client's line.
    """
    stopped = np.flatnonzero(courses.stop >= 0)
    since, flow = stops.since[courses.stop[stopped]], courses.flow[stopped]
    client, place = trace.flows.client[flow], trace.contacts.network[flow]
    order = np.lexsort((since, place, client))
    late = (np.diff(since[order]) < AT_ONCE_NS) & (np.diff(place[order]) == 0) & (np.diff(client[order]) == 0)
    keep = np.ones(len(courses), np.bool_)
    keep[stopped[order[1:][late]]] = False
    return courses.take(keep)


def lives_of(trace: Trace, stops: Stops, courses: Courses) -> Lives:
    """Lay the courses of one client out for the comparison: a site is a server under one name."""
    server = trace.flows.server[courses.flow].astype(np.int64)
    stopped, counts = courses.stop >= 0, {}
    for name in ("packets", "bytes"):
        whole = np.repeat(getattr(courses, name)[:, None], len(PLACES), axis=1)
        for suffix in ("", "_most"):
            counts[name + suffix] = whole.copy()
            counts[name + suffix][stopped] = getattr(stops, name + suffix)[courses.stop[stopped]]
    return Lives(
        stopped=stopped,
        site=combined(server, trace.contacts.name[courses.flow]),
        server=server,
        client_left=np.append(stops.client_left, False)[courses.stop],
        **counts,
    )


def unless_hung(limit: CommonLimit, stops: Stops, courses: Courses) -> CommonLimit:
    """Weigh a limit against programs that hang after a buffer's length, which stop at one count as well.

    They are as rare as bad servers and end behind PSH, a stop that does not being a failure of its own; a counter stops
    behind PSH as often as full segments carry it.
    """
    limited = stops.pushed[courses.stop[(courses.stop >= 0) & (limit.log_odds > 0)]]
    each = np.where(limited, math.log(PUSHED / (1 - LEAK)), math.log((1 - PUSHED) / LEAK))
    hung = max(float(each.sum()) - math.log(BAD_SERVER), 0.0)
    return limit._replace(llr=min(limit.llr, hung))


def went_beyond(site: I64, courses: Courses, hit: Courses, common: CommonLimit) -> int:
    """Count connections of other sites that went well beyond a limit."""
    reached, limit = (courses.packets, common.packets) if common.in_packets > 0 else (courses.bytes, common.bytes)
    others = ~np.isin(site[courses.flow], site[hit.flow])
    return int(np.count_nonzero(others & (reached > BEYOND * limit)))
