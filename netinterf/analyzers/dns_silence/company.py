"""What other questions say about one that stayed unanswered: of the same name, and to the same resolver."""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.dns_silence.questions import Lookups
from netinterf.analyzers.sites import Moments

__all__ = ["Company", "look_around"]

I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

UNSEEN = 0.5
"""Answers and silences that are added to those counted, so that few of either are no certainty (Jeffreys prior)."""


NEAR_NS = 10_000_000_000
"""How near in time a question must lie to be compared: twice the stub resolver's timeout (resolv.conf(5)), so that an
outage of the resolver is none of the name."""


@attrs.frozen(eq=False, kw_only=True)
class Company:
    """One entry per silent exchange; counts are of exchanges unless said otherwise."""

    tries: I64  # questions about the name and type that this client put to this resolver in vain
    answered: I64  # of the same client, by the same resolver over UDP, within `NEAR_NS`, under other names
    silent: I64  # the same, unanswered, of names that this resolver answers at other times
    moods: I64  # at any time: what it left unanswered over UDP of other names that it answers at other times
    told: I64  # at any time: what it answered over UDP
    ever: I64  # the same question, answered by the same resolver over UDP at any time
    later: I64  # the same question, answered by the same resolver over UDP later
    named_later: I64  # the same name, any type, answered by the same resolver over UDP later
    lived_later: I64  # anything that the same resolver answered this client over UDP later
    in_a_row: I64  # whatever the name, what it left unanswered over UDP since it last answered anything, to the end
    streamed: I64  # anything that it answered this client over TCP since then
    other_type: I64  # the same name, another type, answered by the same resolver over UDP
    over_tcp: I64  # the same name, answered by the same resolver over TCP
    elsewhere: I64  # the same name, answered to the same client by another resolver
    failed: I64  # the same name, answered by the same resolver with a failure
    resolvers: I64  # resolvers that were silent to the client about the name and answered others
    surprise: NDArray[np.float64]  # how unlikely so many silences are at the resolver's own rate, nats
    row_surprise: NDArray[np.float64]  # the same of those in a row, at its rate before them


def look_around(lookups: Lookups, silent: I64) -> Company:
    """Count what stands beside each silent exchange.

    Args:
        lookups: All exchanges.
        silent: Rows that stayed unanswered.
    """
    answered, udp = lookups.answered, lookups.over_udp
    server, name = lookups.of("client", "server"), lookups.of("client", "server", "name")
    question, asked = lookups.of("client", "server", "name", "kind"), lookups.of("client", "name")
    begin, end = np.maximum(lookups.since[silent] - NEAR_NS, 0), lookups.since[silent] + NEAR_NS

    def total(group: I64, where: Mask) -> I64:
        counts: I64 = np.bincount(group[where], minlength=int(group.max(initial=-1)) + 1)[group[silent]]
        return counts

    def near(group: I64, where: Mask) -> I64:
        rows = np.flatnonzero(where)
        return Moments(group[rows], lookups.since[rows]).count(group[silent], begin, end)

    ever = np.full(len(silent), np.iinfo(np.int64).max)

    def since(group: I64, where: Mask, begin: I64) -> I64:
        rows = np.flatnonzero(where)
        return Moments(group[rows], lookups.since[rows]).count(group[silent], begin, ever)

    def later(group: I64, where: Mask) -> I64:
        return since(group, where, lookups.since[silent])

    lost, told = lookups.silent, answered & udp
    spoke = np.flatnonzero(told)
    last = Moments(server[spoke], lookups.since[spoke]).last(server[silent], lookups.since[silent])
    in_a_row = since(server, lost, last)
    lively, missing = total(server, told), total(server, lost) - in_a_row
    usual = (lively + UNSEEN) / (lively + missing + 2 * UNSEEN)
    answers = np.zeros(int(name.max(initial=-1)) + 1, np.bool_)
    answers[name[told]] = True
    heard = near(server, told) - near(name, told)
    missed = near(server, lost & answers[name]) - near(name, lost & answers[name])
    tries = np.bincount(question[lost], lookups.tries[lost], int(question.max(initial=-1)) + 1)[question[silent]]
    rate = (heard + UNSEEN) / (heard + missed + 2 * UNSEEN)
    alive = np.zeros(int(server.max(initial=-1)) + 1, np.bool_)
    alive[server[told]] = True
    _, places = np.unique(name[lost & alive[server]], return_index=True)
    mute = np.flatnonzero(lost & alive[server])[places]
    resolvers = np.bincount(asked[mute], minlength=int(asked.max(initial=-1)) + 1)[asked[silent]]
    return Company(
        tries=tries.astype(np.int64),
        answered=heard,
        silent=missed,
        moods=total(server, lost & answers[name]) - total(name, lost & answers[name]),
        told=total(server, told),
        ever=total(question, told),
        later=later(question, told),
        named_later=later(name, told),
        lived_later=later(server, told),
        in_a_row=in_a_row,
        streamed=since(server, answered & ~udp, last),
        other_type=total(name, told) - total(question, told),
        over_tcp=total(name, answered & ~udp),
        elsewhere=total(asked, answered) - total(name, answered),
        failed=total(name, lookups.failed),
        resolvers=resolvers.astype(np.int64),
        surprise=(-tries * np.log(1.0 - rate)).astype(np.float64),
        row_surprise=(-in_a_row * np.log(1.0 - usual)).astype(np.float64),
    )
