"""What was asked, and what the answer is in a few sentences."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from netinterf.arrays import I64
from netinterf.campaign.judged.loading import EVERYTHING, NONE
from netinterf.observations.attempts import ALL
from netinterf.pooling.grades import Finding
from netinterf.report.campaign_page.view import View
from netinterf.report.digest import span_of
from netinterf.report.headline import joined, many_hit
from netinterf.report.page.markup import Markup, counted, definitions, join, moment, name, raw, tag
from netinterf.writing import count_of
from netinterf.written.words import percent

__all__ = ["asked", "headline", "sentences"]

MOST_MESSAGES = 5
"""Messages about captures that could not be read."""

COUNTED = (
    (Finding.BLOCKED, "interfered", "blocked, or interfered with otherwise"),
    (Finding.SUSPECTED, "suspected", "suspected, not shown"),
    (Finding.FAILS, "down", "fail, which is no proof of a block"),
    (Finding.DOWN, "down", "down, elsewhere as well"),
    (Finding.CLEAR, "ok", "work"),
    (Finding.NOT_SHOWN, "insufficient", "not shown by the captures"),
)
"""Findings in the order in which they are counted, how they are painted, and what they are called there."""


def headline(view: View) -> str:
    """Put the campaign into one sentence."""
    networks = count_of(len(view.labels), "network")
    blocked = view.blocked
    if len(blocked):
        hit = len(np.unique(view.report.cells.tallies.place[blocked]))
        where = f"in {hit:,} of {networks} (cells: {view.grades(blocked)})"
        return f"Somebody interferes with {things(view, blocked)} {where}."
    if suspected := int(view.found(Finding.SUSPECTED).sum()):
        return f"Nothing is shown in {networks}, but there are hints: {count_of(suspected, 'suspected cell')}."
    return f"Nothing suggests interference in {networks}."


def things(view: View, rows: I64) -> str:
    """Count the names, the servers without one, and the whole networks that some cells are about."""
    units = view.report.cells.tallies.unit[rows]
    names, servers = names_and_servers(view, np.unique(units))
    networks = int((view.report.loaded.unit_name[units] == EVERYTHING).sum())
    nouns = ((names, "name"), (servers, "server"), (networks, "whole network"))
    return " and ".join(count_of(count, noun) for count, noun in nouns if count)


def names_and_servers(view: View, units: I64) -> tuple[int, int]:
    """Count the names of units, and the units without one."""
    keys = view.report.loaded.unit_name[units]
    return len(np.unique(keys[keys > EVERYTHING])), int((keys == NONE).sum())


def asked(view: View) -> Markup:
    """Say what there was to judge: captures, networks, names, attempts and when."""
    loaded, tallies = view.report.loaded, view.report.cells.tallies
    names, servers = names_and_servers(view, np.arange(len(view.called)))
    countries = len(np.unique(loaded.countries[loaded.countries >= 0]))
    within = f", in {countries:,} countr{'y' if countries == 1 else 'ies'}" if countries else ""
    part = tallies.transport != ALL
    answered, failed, unknown = (int(one[part].sum()) for one in (tallies.answered, tallies.failed, tallies.unknown))
    time = loaded.observations.time
    begin, end = (int(time.min()), int(time.max())) if len(time) else (0, 0)
    when = join(["from ", moment(begin, brief=True), " UTC, for ", span_of(end - begin)]) if len(time) else raw("")
    named = int((loaded.unit_name > EVERYTHING).sum())
    told = [f"{count_of(names, 'name')} ({named:,} with their transports)"] if names else []
    told += [f"{count_of(servers, 'server')} without a name"] if servers else []
    return definitions(
        [
            ("Captures", captures(view)),
            ("Networks", f"{len(view.labels):,}{within}"),
            ("Asked for", joined(told, "thing")),
            ("Attempts", f"{answered:,} answered, {failed:,} failed, of {unknown:,} the captures do not show it"),
            ("When", when),
        ]
    )


def captures(view: View) -> Markup:
    """Count the captures of the store by what became of them, and say why some could not be read."""
    states, why = Counter[str](), list[Markup]()
    for batch in view.report.campaign.captures(("state", "path", "message")):
        became = batch.column("state").to_pylist()
        states.update(became)
        unread = [at for at, state in enumerate(became) if state == "error"][: MOST_MESSAGES - len(why)]
        why += [
            tag("li", name(row["path"]), f": {row['message']}")
            for row in batch.take(np.array(unread, np.int64)).to_pylist()
        ]
    kinds = (("judged", "judged"), ("again", "of a content that was there already"), ("error", "could not be read"))
    counted = ", ".join(f"{states[state]:,} {says}" for state, says in kinds if states[state])
    return join([counted, tag("ul", *why) if why else ""])


def sentences(view: View) -> Markup:
    """Count the cells by what is found, and those of each mechanism by network and grade."""
    counts = view.report.counts()
    cells = count_of(len(view.report), "cell")
    return join(
        [
            tag("p", f"{cells}, each a name or server over one transport in one network, or all that leaves one:"),
            counted((paint, counts[finding.value], says) for finding, paint, says in COUNTED),
            tag("ul", *ways(view)),
            tag("p", wrong_in_words(view), class_="note") if len(view.blocked) else "",
        ]
    )


def ways(view: View) -> Iterator[Markup]:
    """Write one line for each mechanism, the most frequent first."""
    place = view.report.cells.tallies.place
    for at, mechanism in enumerate(view.mechanisms):
        rows = view.by_mechanism(at)
        if len(rows):
            hits = np.bincount(place[rows], minlength=len(view.labels))
            order = np.argsort(-hits, kind="stable")[: np.count_nonzero(hits)]
            networks = joined([view.labels[network] for network in order.tolist()], "network")
            says = many_hit(count_of(len(rows), "cell"), len(rows), mechanism)
            yield tag("li", f"{says} (", tag("code", mechanism), "), in ", name(networks), f": {view.grades(rows)}")


def wrong_in_words(view: View) -> str:
    """Say how many of the findings are expected to be wrong."""
    graded, rows = view.report.graded, view.blocked
    wrong = float((1 - graded.probability[rows]).sum())
    number = "fewer than one" if wrong < 1 else f"about {wrong:,.0f}"
    return (
        f"If the probabilities are right, {number} of these {count_of(len(rows), 'cell')} "
        f"{'is' if wrong < 1 else 'are'} expected to be named wrongly "
        f"({percent(wrong / len(rows))}). Packets show what was done and not by whom."
    )
