"""Which networks block alike: how much of what two of them block, of what both tried, they block in the same way.

That is the Jaccard index of two sets (Jaccard 1912). What only one of them tried says nothing, and is left out.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.report.campaign_page.view import View
from netinterf.report.page.markup import Markup, name, raw, table, tag
from netinterf.values import frozen

__all__ = ["Alike", "alike_of", "alike_section"]

MOST_NETWORKS = 24
"""Networks of the small matrix, and how many pairs the list has: as many as can be read."""

LOOKED_AT = 400
"""Networks that are held against each other, those with most blocked cells."""

FEW = 5
"""Blocked names and servers below which a share says little; such pairs come last (judgement)."""

CAVEAT = (
    "Networks that block alike may follow the same law, buy the same list or the same box, or share a path: lists in "
    "common are no proof of one box, and say nothing of who runs it."
)

COLUMNS = (
    "Of the names and servers that both networks tried: how many either of them blocks, both block, and both block in "
    "the same way; the share is of those that either blocks."
)


@frozen(eq=False, kw_only=True)
class Alike:
    """Networks held against each other; matrices of shape (networks, networks)."""

    networks: I64  # those that block anything, those with most first
    either: I64  # units tried in both that one of them blocks at least
    both: I64  # those that both block
    same: I64  # those that both block by the same mechanism

    @property
    def share(self) -> F64:
        """What is blocked in both in the same way, of what either blocks; 0 where that is nothing."""
        return self.same / np.maximum(self.either, 1)


def alike_of(view: View) -> Alike:
    """Hold networks against each other."""
    from scipy.sparse import csr_array

    tallies, units, kinds = view.report.cells.tallies, len(view.called), max(len(view.mechanisms), 1)
    hits = np.bincount(tallies.place[view.blocked], minlength=len(view.networks))
    networks = view.networks[hits[view.networks] > 0][:LOOKED_AT]
    number = np.full(len(view.networks), -1, np.int64)
    number[networks] = np.arange(len(networks))

    def laid_out(rows: I64, column: I64, width: int) -> Any:
        kept = number[tallies.place[rows]] >= 0
        places = (number[tallies.place[rows[kept]]], column[kept])
        return csr_array((np.ones(int(kept.sum()), np.int64), places), shape=(len(networks), width))

    unit = tallies.unit[view.blocked]
    tried = laid_out(np.flatnonzero(tallies.known > 0), tallies.unit[tallies.known > 0], units)
    blocked = laid_out(view.blocked, unit, units)
    ways = laid_out(view.blocked, unit * kinds + view.mechanism[view.blocked], units * kinds)
    one = (blocked @ tried.T).toarray()
    both = (blocked @ blocked.T).toarray()
    return Alike(networks=networks, either=one + one.T - both, both=both, same=(ways @ ways.T).toarray())


def alike_section(view: View) -> Markup:
    """Write which networks block alike: the most similar pairs, and of few networks all."""
    alike = alike_of(view)
    if len(alike.networks) < 2:
        return raw("")
    heads = ("Networks", "Share", "Alike", "Both", "Either")
    listed = list(pairs(view, alike))
    return tag(
        "section",
        tag("h2", "Which networks block alike"),
        tag("p", CAVEAT, class_="note"),
        tag("p", COLUMNS, class_="soft"),
        table("The most similar pairs of networks", heads, listed) if listed else tag("p", "No two block the same."),
        small_matrix(view, alike) if 2 < len(alike.networks) <= MOST_NETWORKS else "",
        id="alike",
    )


def pairs(view: View, alike: Alike) -> Iterator[tuple[str, ...]]:
    """List the most similar pairs that have anything in common."""
    one, other = np.triu_indices(len(alike.networks), 1)
    order = np.lexsort((-alike.same[one, other], -alike.share[one, other], alike.either[one, other] < FEW))
    for at in order[:MOST_NETWORKS].tolist():
        here = one[at], other[at]
        if not alike.same[here]:
            continue
        first, second = (view.labels[alike.networks[place]] for place in here)
        counts = (f"{matrix[here]:,}" for matrix in (alike.same, alike.both, alike.either))
        yield (tag("span", name(first), " and ", name(second)), f"{100 * alike.share[here]:.0f} %", *counts)


def small_matrix(view: View, alike: Alike) -> Markup:
    """Write the shares of all pairs, in percent."""
    labels = [view.labels[network] for network in alike.networks.tolist()]
    rows = []
    for at, label in enumerate(labels):
        shares = [
            tag("span", f"{100 * share:.0f}", class_="share", style=f"--share:{share:.2f}") if place != at else raw("")
            for place, share in enumerate(alike.share[at].tolist())
        ]
        rows.append([name(label), *shares])
    heads = ["", *(tag("span", name(label), class_="upright") for label in labels)]
    return table("What two networks block in the same way, in % of what either blocks of what both tried", heads, rows)
