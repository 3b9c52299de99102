"""What other questions say about one that stayed unanswered: of the same name, and to the same resolver."""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.dns_silence.questions import Lookups
from netinterf.analyzers.sites import Moments
from netinterf.numbering import combined

__all__ = ["FEWEST", "LEAST_TRIES", "Company", "look_around"]

I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEWEST = 3
"""Answers about other names that show a resolver to be alive, and questions in a row that show it to be gone."""

LEAST_TRIES = 2
"""Questions about a name in vain from which it is looked at: one is lost now and then."""

UNSEEN = 0.5
"""Answers and silences that are added to those counted, so that few of either are no certainty (Jeffreys prior)."""


MILLISECOND = 1_000_000
"""As finely as `Moments` count, ns."""

NEAR_NS = 10_000_000_000
"""How near in time a question must lie to be compared: twice the stub resolver's timeout (resolv.conf(5)), so that an
outage of the resolver is none of the name."""


@attrs.frozen(eq=False, kw_only=True)
class Company:
    """One entry per silent exchange; counts are of exchanges unless said otherwise."""

    tries: I64  # questions about the name and type that this client put to this resolver in vain
    lookups: I64  # exchanges of these
    answered: I64  # of the same client, by the same resolver over UDP, within `NEAR_NS`, under other names
    silent: I64  # the same, unanswered, of names that this resolver answers at other times
    lit: I64  # the most that was answered near any of the lookups
    moods: I64  # at any time: what it left unanswered over UDP of other names that it answers at other times
    told: I64  # at any time: what it answered over UDP
    ever: I64  # the same question, answered by the same resolver over UDP at any time
    later: I64  # the same question, answered by the same resolver over UDP later
    named_later: I64  # the same name, any type, answered by the same resolver over UDP later
    lived_later: I64  # answers of the same resolver to this client over UDP that came later, also to earlier questions
    in_a_row: I64  # whatever the name, what it left unanswered over UDP since it last answered anything, to the end
    cut_short: I64  # replies near it by which the same resolver sent this client to TCP
    streamed: I64  # anything that it answered this client over TCP since then
    other_type: I64  # the same name, another type, answered by the same resolver over UDP
    over_tcp: I64  # the same name, answered by the same resolver over TCP
    elsewhere: I64  # the same name, answered to the same client by another resolver
    failed: I64  # the same name, answered by the same resolver with a failure
    resolvers: I64  # resolvers that were silent to the client about the name and answered others
    confirmed: I64  # answers of the same resolver that agree with what the user knows
    surprise: NDArray[np.float64]  # how unlikely so many silences are at the resolver's own rate near each, nats
    row_surprise: NDArray[np.float64]  # the same of those in a row, at its rate before them
    alike: I64  # registrable domains that it was silent about near it, each asked for again and never answered
    vain: I64  # questions about them
    domains: I64  # registrable domains that the client asked it for near it


class _Count:
    """Counts exchanges of groups, for each silent exchange."""

    def __init__(self, lookups: Lookups, silent: I64) -> None:
        self.lookups, self.silent, self.since = lookups, silent, lookups.since[silent]

    def total(self, group: I64, where: Mask) -> I64:
        """At any time."""
        counts: I64 = np.bincount(group[where], minlength=int(group.max(initial=-1)) + 1)[group[self.silent]]
        return counts

    def between(self, group: I64, where: Mask, begin: I64, end: I64, times: I64 | None = None) -> I64:
        """From *begin* to *end*, each *times* times."""
        rows = np.flatnonzero(where)
        rows = rows if times is None else np.repeat(rows, times[rows])
        return Moments(group[rows], self.lookups.since[rows]).count(group[self.silent], begin, end)

    def near(self, group: I64, where: Mask, times: I64 | None = None) -> I64:
        """Within `NEAR_NS`."""
        return self.between(group, where, np.maximum(self.since - NEAR_NS, 0), self.since + NEAR_NS, times)

    def distinct(self, group: I64, label: I64, where: Mask) -> I64:
        """How many labels there are among those near: all of these, but for each that came there before.

        A pair of neighbours of one label that is no wider than what is near lies in it unless its first is too early or
        its second too late, which are never both so.
        """
        rows = np.flatnonzero(where)
        rows = rows[np.lexsort((self.lookups.since[rows], label[rows]))]
        first, second = rows[:-1], rows[1:]
        time = self.lookups.since // MILLISECOND
        pair = (label[first] == label[second]) & (time[second] - time[first] <= 2 * NEAR_NS // MILLISECOND)
        first, second, begin = first[pair], second[pair], np.maximum(self.since - NEAR_NS, 0)
        mine, ever, zero = group[self.silent], np.full(len(self.silent), np.iinfo(np.int64).max), 0 * self.since
        early = Moments(group[first], self.lookups.since[first]).count(mine, zero, begin - MILLISECOND)
        late = Moments(group[second], self.lookups.since[second]).count(mine, self.since + NEAR_NS + MILLISECOND, ever)
        inside = Moments(group[first], self.lookups.since[first]).count(mine, zero, ever) - early - late
        return self.near(group, where) - inside

    def after(self, group: I64, where: Mask, begin: I64) -> I64:
        """From *begin* on."""
        return self.between(group, where, begin, np.full(len(self.silent), np.iinfo(np.int64).max))

    def later(self, group: I64, where: Mask) -> I64:
        """After the silent exchange began."""
        return self.after(group, where, self.since)

    def heard_later(self, group: I64, where: Mask) -> I64:
        """Whose last reply came after the silent exchange began."""
        rows, ever = np.flatnonzero(where), np.full(len(self.silent), np.iinfo(np.int64).max)
        return Moments(group[rows], self.lookups.heard[rows]).count(group[self.silent], self.since, ever)


def look_around(lookups: Lookups, silent: I64) -> Company:
    """Count what stands beside each silent exchange.

    Args:
        lookups: All exchanges.
        silent: Rows that stayed unanswered.
    """
    answered, udp, lost = lookups.answered, lookups.over_udp, lookups.silent
    server, name = lookups.of("client", "server"), lookups.of("client", "server", "name")
    question, asked = lookups.of("client", "server", "name", "kind"), lookups.of("client", "name")
    count, told = _Count(lookups, silent), answered & udp
    spoke = np.flatnonzero(told)
    last = Moments(server[spoke], lookups.since[spoke]).last(server[silent], lookups.since[silent])
    in_a_row = count.after(server, lost, last)
    lively, missing = count.total(server, told), count.total(server, lost) - in_a_row
    usual = (lively + UNSEEN) / (lively + missing + 2 * UNSEEN)
    here = beside(lookups, count, server, name, question)
    mute = np.flatnonzero(lost & holding(server, told))
    _, places = np.unique(name[mute], return_index=True)
    resolvers = np.bincount(asked[mute[places]], minlength=int(asked.max(initial=-1)) + 1)[asked[silent]]
    fickle = lost & holding(name, told)
    return Company(
        **here,
        moods=count.total(server, fickle) - count.total(name, fickle),
        told=count.total(server, told),
        ever=count.total(question, told),
        later=count.later(question, told),
        named_later=count.later(name, told),
        lived_later=count.heard_later(server, told),
        in_a_row=in_a_row,
        cut_short=count.near(server, lookups.truncated & udp),
        streamed=count.after(server, answered & ~udp, last),
        other_type=count.total(name, told) - count.total(question, told),
        over_tcp=count.total(name, answered & ~udp),
        elsewhere=count.total(asked, answered) - count.total(name, answered),
        failed=count.total(name, lookups.failed),
        resolvers=resolvers.astype(np.int64),
        confirmed=count.total(server, lookups.confirmed),
        row_surprise=(-in_a_row * np.log(1.0 - usual)).astype(np.float64),
        **pooled(lookups, count, server, name, question),
    )


def pooled(lookups: Lookups, count: _Count, server: I64, name: I64, question: I64) -> dict[str, Any]:
    """Count the domains that a resolver was silent about at the same time, and all that it was asked for.

    Names of one domain may have the same dead servers; names of several have them by chance, each for itself.
    """
    udp = lookups.over_udp
    tries = np.bincount(question, lookups.tries * lookups.silent)[question]
    dead = lookups.silent & (tries >= LEAST_TRIES)
    dead &= ~holding(name, (lookups.answered | lookups.failed) & udp)
    domain = combined(server, lookups.domain)
    return {
        "alike": count.distinct(server, domain, dead),
        "vain": count.near(server, dead, lookups.tries),
        "domains": count.distinct(server, domain, udp),
    }


def beside(lookups: Lookups, count: _Count, server: I64, name: I64, question: I64) -> dict[str, Any]:
    """Count what was answered near each silent exchange, and how unlikely all silences about its question are by that.

    Where little is answered nearby, the resolver's rate is not known; other lookups of the name speak for this one.
    """
    silent, told = count.silent, lookups.answered & lookups.over_udp
    lost = lookups.silent & holding(name, told)
    heard = count.near(server, told) - count.near(name, told)
    missed = count.near(server, lost) - count.near(name, lost)
    again = np.maximum(lookups.tries - told, 0)  # questions that drew nothing, also where one asked again was answered
    vain = count.near(server, told | lost, again) - count.near(name, told | lost, again)
    rate = (heard + UNSEEN) / (heard + vain + 2 * UNSEEN)
    odd = np.where(heard >= FEWEST, -lookups.tries[silent] * np.log(1.0 - rate), 0.0)
    mine, groups = question[silent], int(question.max(initial=-1)) + 1
    lit = np.zeros(groups, np.int64)
    np.maximum.at(lit, mine, heard)
    return {
        "tries": np.bincount(mine, lookups.tries[silent], groups)[mine].astype(np.int64),
        "lookups": np.bincount(mine, minlength=groups)[mine],
        "answered": heard,
        "silent": missed,
        "lit": lit[mine],
        "surprise": np.bincount(mine, odd, groups)[mine],
    }


def holding(group: I64, where: Mask) -> Mask:
    """Say which rows are of a group that holds a row where something is so."""
    found = np.zeros(int(group.max(initial=-1)) + 1, np.bool_)
    found[group[where]] = True
    return found[group]
