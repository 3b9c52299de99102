"""What other questions say about one that stayed unanswered: of the same name, and to the same resolver."""

from typing import Any

import numpy as np

from netinterf.analyzers.contrast import Contrast
from netinterf.analyzers.dns_silence.questions import Lookups
from netinterf.arrays import F64, I64, Mask
from netinterf.values import frozen

__all__ = ["FEWEST", "LEAST_TRIES", "Controls", "find_controls", "worth_a_look"]

FEWEST = 3
"""Answers about other names that show a resolver to be alive, and questions in a row that show it to be gone."""

LEAST_TRIES = 2
"""Questions about a name in vain from which it is looked at: one is lost now and then."""

UNSEEN = 0.5
"""Answers and silences that are added to those counted, so that few of either are no certainty (Jeffreys prior)."""

MILLISECOND = 1_000_000
"""As finely as a `Contrast` counts, ns."""

SERVER, NAME, QUESTION = ("client", "server"), ("client", "server", "name"), ("client", "server", "name", "kind")
ASKED, DOMAIN = ("client", "name"), ("client", "server", "domain")
"""What exchanges have in common: the resolver, the name asked of it, the very question; the name, whoever was asked."""

NEAR_NS = 10_000_000_000
"""How near in time a question must lie to be compared: twice the stub resolver's timeout (resolv.conf(5)), so that an
outage of the resolver is none of the name."""


@frozen(eq=False, kw_only=True)
class Controls:
    """One entry per silent exchange; counts are of exchanges unless said otherwise."""

    tries: I64  # questions about the name and type that this client put to this resolver in vain
    lookups: I64  # exchanges of these
    answered: I64  # of the same client, by the same resolver over UDP, within `NEAR_NS`, under other names
    silent: I64  # the same, unanswered, of names that this resolver answers at other times
    answered_most: I64  # the most that was answered near any of the lookups
    intermittent: I64  # at any time: what it left unanswered over UDP of other names that it answers at other times
    answered_total: I64  # at any time: what it answered over UDP
    ever: I64  # the same question, answered by the same resolver over UDP at any time
    later: I64  # the same question, answered by the same resolver over UDP later
    named_later: I64  # the same name, any type, answered by the same resolver over UDP later
    alive_later: I64  # answers of the same resolver to this client over UDP that came later, also to earlier questions
    in_a_row: I64  # whatever the name, what it left unanswered over UDP since it last answered anything, to the end
    cut_short: I64  # replies near it by which the same resolver sent this client to TCP
    streamed: I64  # anything that it answered this client over TCP since then
    other_type: I64  # the same name, another type, answered by the same resolver over UDP
    over_tcp: I64  # the same name, answered by the same resolver over TCP
    elsewhere: I64  # the same name, answered to the same client by another resolver
    failed: I64  # the same name, answered by the same resolver with a failure
    resolvers: I64  # resolvers that were silent to the client about the name and answered others
    confirmed: I64  # answers of the same resolver that agree with what the user knows
    surprise: F64  # how unlikely so many silences are at the resolver's own rate near each, nats
    row_surprise: F64  # the same of those in a row, at its rate before them
    alike: I64  # registrable domains that it was silent about near it, each asked for again and never answered
    vain: I64  # questions about them
    domains: I64  # registrable domains that the client asked it for near it


def contrast_of(lookups: Lookups, where: Mask, times: I64 | None = None) -> Contrast:
    """Count exchanges of which something is so, by when they were first asked, each *times* times."""
    rows = np.flatnonzero(where)
    rows = rows if times is None else np.repeat(rows, times[rows])
    return Contrast(lookups, rows, lookups.since[rows])


def count_near(what: Contrast, lookups: Lookups, silent: I64, *shared: str) -> I64:
    """Count what happened within `NEAR_NS` of each silent exchange."""
    since = lookups.since[silent]
    return what.count(silent, *shared, begin=np.maximum(since - NEAR_NS, 0), end=since + NEAR_NS)


def domains_near(lookups: Lookups, silent: I64, where: Mask) -> I64:
    """How many domains there are among exchanges near each silent one: all of these, but for each that came before.

    A pair of neighbours of one domain that is no wider than what is near lies in it unless its first is too early or
    its second too late, which are never both so.
    """
    domain, rows = lookups.of(*DOMAIN), np.flatnonzero(where)
    rows = rows[np.lexsort((lookups.since[rows], domain[rows]))]
    first, second = rows[:-1], rows[1:]
    time, since = lookups.since // MILLISECOND, lookups.since[silent]
    pair = (domain[first] == domain[second]) & (time[second] - time[first] <= 2 * NEAR_NS // MILLISECOND)
    begins, ends = (Contrast(lookups, part[pair], lookups.since[part[pair]]) for part in (first, second))
    early = begins.count(silent, *SERVER, end=np.maximum(since - NEAR_NS, 0) - MILLISECOND)
    late = ends.count(silent, *SERVER, begin=since + NEAR_NS + MILLISECOND)
    inside = begins.count(silent, *SERVER) - early - late
    return count_near(contrast_of(lookups, where), lookups, silent, *SERVER) - inside


def worth_a_look(lookups: Lookups, silent: I64) -> I64:
    """Keep the silent exchanges of which something may be said, question by question: few of many.

    A resolver that was never heard may be dead. Of a question that was asked less than `LEAST_TRIES` times nothing is
    said, but that its resolver answers over TCP alone.
    """
    question = lookups.of(*QUESTION)
    tries = np.bincount(question[silent], lookups.tries[silent], int(question.max(initial=-1)) + 1)[question[silent]]
    resolver = lookups.of(*SERVER)
    heard = holding(resolver, lookups.answered | lookups.failed)[silent]
    over_tcp = holding(resolver, lookups.answered & ~lookups.over_udp)[silent]
    return silent[heard & ((tries >= LEAST_TRIES) | over_tcp)]


def find_controls(lookups: Lookups, silent: I64) -> Controls:
    """Count what stands beside each silent exchange.

    Args:
        lookups: All exchanges.
        silent: Rows that stayed unanswered.
    """
    answered, udp, since = lookups.answered, lookups.over_udp, lookups.since[silent]
    udp_answers, tcp_answers, silences = (
        contrast_of(lookups, where) for where in (answered & udp, answered & ~udp, lookups.silent)
    )
    answers, failed = contrast_of(lookups, answered), contrast_of(lookups, lookups.failed)
    spoke = np.flatnonzero(answered & udp)
    last = udp_answers.last(silent, *SERVER, before=since)
    in_a_row = silences.count(silent, *SERVER, begin=last)
    answered_total, missing = udp_answers.count(silent, *SERVER), silences.count(silent, *SERVER) - in_a_row
    usual = (answered_total + UNSEEN) / (answered_total + missing + 2 * UNSEEN)
    asked_name, name = lookups.of(*ASKED), lookups.of(*NAME)
    mute = np.flatnonzero(lookups.silent & holding(lookups.of(*SERVER), answered & udp))
    _, places = np.unique(name[mute], return_index=True)
    resolvers = np.bincount(asked_name[mute[places]], minlength=int(asked_name.max(initial=-1)) + 1)[asked_name[silent]]
    return Controls(
        **beside(lookups, silent),
        intermittent=contrast_of(lookups, lookups.silent & holding(name, answered & udp)).others(
            silent, *SERVER, but="name"
        ),
        answered_total=answered_total,
        ever=udp_answers.count(silent, *QUESTION),
        later=udp_answers.count(silent, *QUESTION, begin=since),
        named_later=udp_answers.count(silent, *NAME, begin=since),
        alive_later=Contrast(lookups, spoke, lookups.heard[spoke]).count(silent, *SERVER, begin=since),
        in_a_row=in_a_row,
        cut_short=count_near(contrast_of(lookups, lookups.truncated & udp), lookups, silent, *SERVER),
        streamed=tcp_answers.count(silent, *SERVER, begin=last),
        other_type=udp_answers.others(silent, *NAME, but="kind"),
        over_tcp=tcp_answers.count(silent, *NAME),
        elsewhere=answers.count(silent, *ASKED) - answers.count(silent, *NAME),
        failed=failed.count(silent, *NAME),
        resolvers=resolvers.astype(np.int64),
        confirmed=contrast_of(lookups, lookups.confirmed).count(silent, *SERVER),
        row_surprise=(-in_a_row * np.log(1.0 - usual)).astype(np.float64),
        **pooled(lookups, silent),
    )


def pooled(lookups: Lookups, silent: I64) -> dict[str, Any]:
    """Count the domains that a resolver was silent about at the same time, and all that it was asked for.

    Names of one domain may have the same dead servers; names of several have them by chance, each for itself.
    """
    udp, question = lookups.over_udp, lookups.of(*QUESTION)
    tries = np.bincount(question, lookups.tries * lookups.silent)[question]
    dead = lookups.silent & (tries >= LEAST_TRIES)
    dead &= ~holding(lookups.of(*NAME), (lookups.answered | lookups.failed) & udp)
    return {
        "alike": domains_near(lookups, silent, dead),
        "vain": count_near(contrast_of(lookups, dead, lookups.tries), lookups, silent, *SERVER),
        "domains": domains_near(lookups, silent, udp),
    }


def beside(lookups: Lookups, silent: I64) -> dict[str, Any]:
    """Count what was answered near each silent exchange, and how unlikely all silences about its question are by that.

    Where little is answered nearby, the resolver's rate is not known; other lookups of the name speak for this one.
    """
    answered = lookups.answered & lookups.over_udp
    lost = lookups.silent & holding(lookups.of(*NAME), answered)
    # questions that drew nothing, also where one asked again was answered
    again = np.maximum(lookups.tries - answered, 0)
    heard, missed, vain = (
        count_near(what, lookups, silent, *SERVER) - count_near(what, lookups, silent, *NAME)
        for what in (
            contrast_of(lookups, answered),
            contrast_of(lookups, lost),
            contrast_of(lookups, answered | lost, again),
        )
    )
    rate = (heard + UNSEEN) / (heard + vain + 2 * UNSEEN)
    surprise = np.where(heard >= FEWEST, -lookups.tries[silent] * np.log(1.0 - rate), 0.0)
    mine = lookups.of(*QUESTION)[silent]
    groups = int(mine.max(initial=-1)) + 1
    answered_most = np.zeros(groups, np.int64)
    np.maximum.at(answered_most, mine, heard)
    return {
        "tries": np.bincount(mine, lookups.tries[silent], groups)[mine].astype(np.int64),
        "lookups": np.bincount(mine, minlength=groups)[mine],
        "answered": heard,
        "silent": missed,
        "answered_most": answered_most[mine],
        "surprise": np.bincount(mine, surprise, groups)[mine],
    }


def holding(group: I64, where: Mask) -> Mask:
    """Say which rows are of a group that holds a row where something is so."""
    holds = np.zeros(int(group.max(initial=-1)) + 1, np.bool_)
    holds[group[where]] = True
    return holds[group]
