"""Count what is ordinary: chances of facts, the tree that joins them, and how far ordinary conversations stand out."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.anomaly.gathering import BENIGN, Gathered
from netinterf.anomaly.kinds import Kind
from netinterf.anomaly.ordinary import DIGITS, Ordinary
from netinterf.anomaly.peers import IMAGINED, Peers
from netinterf.anomaly.score import FACTS_COUNTED, Members, top
from netinterf.arrays import F64, I64, Mask

__all__ = ["Pool", "across", "counted", "fit", "nats_of", "pooled", "shared", "weights"]

MOST = 1000
"""A repository counts as at most so many conversations of a kind, so that no single network is what is ordinary."""

STRENGTH = 20.0
"""So many conversations outweigh what is ordinary without knowing the parent's value (of 5, 20, 80 and 320 the one
under which repositories that were left out are likeliest: `python -m benchmarks anomaly`)."""

FEW = 5.0
"""So many conversations, spread over all values, are imagined beside the seen ones, since no value is impossible
(judgement)."""

PARTS = 5
"""Parts into which repositories are dealt, each scored by what is ordinary in the others."""

POINTS = 400
"""Steps of the curve that says how many ordinary conversations stand out so far."""


class Pool(NamedTuple):
    """The conversations of one kind of many captures."""

    members: Members
    shared: Mask  # by most peers, one column per fact
    label: NDArray[np.str_]
    home: NDArray[np.str_]
    source: NDArray[np.str_]


def pooled(found: Sequence[Gathered], kind: Kind) -> Pool | None:
    """Put conversations of one kind together; numbers of peers stay apart by capture."""
    parts = [
        (one, members, label)
        for one in found
        for members, label in zip(one.members, one.labels, strict=True)
        if members.kind.id == kind.id
    ]
    if not parts:
        return None
    sizes = [len(members.row) for _, members, _ in parts]
    columns = {
        name: _apart([getattr(members.others, name)[members.pattern] for _, members, _ in parts])
        for name in ("port", "server", "port_unit", "server_unit")
    }
    values = np.concatenate([members.values[members.pattern] for _, members, _ in parts])
    each = np.arange(len(values))
    together = Members(kind, each, each, values, Peers(**columns, size=np.ones(len(values), np.int64)))
    return Pool(
        members=together,
        shared=shared(together),
        label=np.concatenate([label for _, _, label in parts]),
        home=np.repeat([one.home for one, _, _ in parts], sizes),
        source=np.repeat([one.source for one, _, _ in parts], sizes),
    )


def _apart(columns: Sequence[I64]) -> I64:
    """Number the groups of captures one after the other."""
    base = np.cumsum([0, *(int(column.max(initial=-1)) + 1 for column in columns)])
    return np.concatenate([column + start for column, start in zip(columns, base, strict=False)])


def weights(pool: Pool, chosen: Mask) -> F64:
    """Weigh the benign conversations among the chosen, so that no repository counts for more than `MOST`."""
    told = chosen & (pool.label == BENIGN)
    _, number = np.unique(pool.home, return_inverse=True)
    many = np.bincount(number[told], minlength=int(number.max(initial=-1)) + 1)
    return np.where(told, (np.minimum(many, MOST) / np.maximum(many, 1))[number], 0.0)


def fit(pool: Pool, chosen: Mask) -> Ordinary:
    """Count what is ordinary among the benign conversations that are chosen, and how far others stand out from it.

    How far is counted on repositories that the chances were not counted on, part by part: on those that they were, all
    would seem more ordinary than an unseen repository is.
    """
    nats = across(pool, chosen)
    told: dict[str, Any] = {**curve(nats, np.where(np.isnan(nats), 0.0, weights(pool, chosen)))}
    return attrs.evolve(counted(pool, chosen), **told)


def across(pool: Pool, chosen: Mask, told: int = FACTS_COUNTED) -> F64:
    """Say how far each of the chosen stands out by what is ordinary in other parts."""
    nats = np.full(len(pool.label), np.nan)
    part = part_of(pool.home)
    for number in range(PARTS):
        own = chosen & (part == number)
        nats[own] = nats_of(pool, counted(pool, chosen & ~own), told)[own]
    return nats


def part_of(home: NDArray[np.str_]) -> I64:
    """Deal repositories into parts, by a hash of their names."""
    names, number = np.unique(home, return_inverse=True)
    digests = (hashlib.sha256(str(name).encode()).digest()[0] for name in names)
    return np.array([digest % PARTS for digest in digests], np.int64)[number]


def counted(pool: Pool, chosen: Mask, strength: float = STRENGTH) -> Ordinary:
    """Count the facts of the benign conversations that are chosen.

    Args:
        pool: Conversations of one kind.
        chosen: Which of them may be looked at.
        strength: See `STRENGTH`.
    """
    facts, values, weight = pool.members.kind.facts, pool.members.values.astype(np.int64), weights(pool, chosen)
    widths = [len(fact.says) for fact in facts]
    parent = tree(values, weight, widths)
    chance = tuple(
        chances(values[:, column], None if above < 0 else values[:, above], weight, width, widths[above], strength)
        for column, (above, width) in enumerate(zip(parent, widths, strict=True))
    )
    return Ordinary(parent=tuple(parent), chance=chance, nats=np.empty(0), beyond=np.empty(0))


def shared(members: Members, imagined: int = IMAGINED) -> Mask:
    """Say which facts most peers of each conversation share."""
    return np.stack([members.others.shared(column, imagined)[0] for column in members.values.T], axis=1)


def nats_of(pool: Pool, usual: Ordinary, told: int = FACTS_COUNTED) -> F64:
    """Say how far each conversation stands out; NaN without peers."""
    own = np.where(pool.shared, np.float32(0), usual.rarity(pool.members.values))
    return np.where(pool.members.alone, np.nan, top(own, told)).astype(np.float64)


def tree(values: I64, weight: F64, widths: Sequence[int]) -> list[int]:
    """Join facts into the tree that tells most (Chow and Liu 1968): maximum mutual information, from the best root."""
    count = len(widths)
    told = np.zeros((count, count))
    for one in range(count):
        for other in range(one):
            joint = np.zeros((widths[one] + 1, widths[other] + 1))
            np.add.at(joint, (values[:, one] + 1, values[:, other] + 1), weight)
            joint /= max(joint.sum(), 1e-300)
            apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
            seen = joint > 0
            told[one, other] = told[other, one] = float((joint[seen] * np.log(joint[seen] / apart[seen])).sum())
    parent = [-1] * count
    joined = [int(told.sum(axis=1).argmax())]
    while len(joined) < count:
        _, above, below = max((told[a, b], a, b) for a in joined for b in range(count) if b not in joined)
        parent[below] = above
        joined.append(below)
    return parent


def chances(own: I64, above: I64 | None, weight: F64, width: int, given: int, strength: float) -> F64:
    """Count the values of a fact for each value of its parent; the first row is for an unknown one, or for none."""
    known = own >= 0
    base = np.bincount(own[known], weights=weight[known], minlength=width).astype(np.float64) + FEW / width
    base /= base.sum()
    if above is None:
        return base[None, :]
    counts = np.zeros((given + 1, width))
    np.add.at(counts, (above[known] + 1, own[known]), weight[known])
    table: F64 = (counts + strength * base) / (counts.sum(axis=1, keepdims=True) + strength)
    return table


def curve(nats: F64, weight: F64) -> dict[str, F64]:
    """Count which share of weighted conversations stands out so far or farther; one more is imagined that does."""
    told = weight > 0
    order = np.argsort(nats[told])
    rising, each = np.round(nats[told][order], DIGITS), weight[told][order]
    share = (np.cumsum(each[::-1])[::-1] + 1.0) / (each.sum() + 1.0)
    first = np.flatnonzero(np.diff(rising, prepend=-1.0) > 0)
    if len(first) > POINTS:  # evenly in the logarithm of the share
        depth = -np.log(share[first])
        first = first[np.unique(np.searchsorted(depth, np.linspace(depth[0], depth[-1], POINTS)))]
    return {"nats": rising[first], "beyond": share[first]}
