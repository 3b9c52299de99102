"""The ranges that part an injector's packets from those of hosts, and how far that can be trusted.

A filter asks each field for a range, the one that the forged packets lie in. Fields are added one by one, each time the
one that spares most of what hosts write, until none spares any more. Then it is tried: on the genuine packets of the
same capture, on those of harmless captures of other people, and on each conversation's forged packets with ranges of
the others alone, since an injector that draws its numbers anew is caught only by chance.
"""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.filters.collateral import Collateral
from netinterf.filters.fields import FIELDS, Kind, Seen
from netinterf.values import frozen

__all__ = ["LEAST_CONVERSATIONS", "MOST_COLLATERAL", "Filter", "Range", "Refused", "choose", "within"]

LEAST_CONVERSATIONS = 3
"""Conversations with forged packets below which nothing is chosen: what two packets share, a third need not. Of values
drawn at random the next one lies between the first three only half the time (of n, n - 1 of n + 1)."""

MOST_COLLATERAL = 0.01
"""Share of hosts' own packets of that kind that a filter may drop at most. A genuine reset that is dropped costs the
time until something else ends the connection, a genuine answer a resend; one in a hundred is what a poor line loses
anyway (1 % is the loss at which Flach et al., SIGCOMM 2016, call a path lossy)."""


@frozen(kw_only=True)
class Range:
    """What one field must be: from *low* to *high*, both included."""

    field: str
    low: int
    high: int


@frozen(kw_only=True)
class Filter:
    """What a filter asks, and what it catches.

    Attributes:
        kind: The packets that it is about.
        version: Of IP.
        ranges: What each field must be; all must hold.
        forged: Forged packets in the capture.
        conversations: Conversations that they were sent into.
        caught: Conversations of which a filter made of the others alone catches a packet.
        genuine: Packets of the kind in the capture that nobody holds to be forged.
        hit: How many of these it drops.
        harmless: Packets of the kind in captures without interference.
        harmless_hit: How many of these it drops.
    """

    kind: Kind
    version: int
    ranges: tuple[Range, ...]
    forged: int
    conversations: int
    caught: int
    genuine: int
    hit: int
    harmless: int
    harmless_hit: int


@frozen(kw_only=True)
class Refused:
    """Why there is no filter."""

    kind: Kind
    version: int
    because: str


def choose(kind: Kind, version: int, forged: Seen, genuine: Seen, collateral: Collateral) -> Filter | Refused:
    """Find a filter, or say why there is none.

    Args:
        kind: The packets that it is about.
        version: Of IP; packets of the other are left out.
        forged: What the injector wrote.
        genuine: Packets of the kind in the same capture that are not held to be forged.
        collateral: Packets of the kind in harmless captures.
    """
    forged, genuine = forged.take(forged.version == version), genuine.take(genuine.version == version)
    harmless = collateral.of(kind, version)
    flows, owner = np.unique(forged.flow, return_inverse=True)
    if len(flows) < LEAST_CONVERSATIONS:
        return Refused(
            kind=kind, version=version,
            because=f"forged packets of {len(flows)} conversations are too few to tell what they have in common: it "
            f"takes {LEAST_CONVERSATIONS}",
        )  # fmt: skip
    if not harmless.total:
        return Refused(kind=kind, version=version, because="no harmless captures hold such packets to try it on")
    ranges = fitted(forged.value, genuine.value, harmless)
    hit = int(within(ranges, genuine.value).sum())
    harmless_hit = int(harmless.count[within(ranges, harmless.value)].sum())
    found = Filter(
        kind=kind, version=version, ranges=ranges, forged=len(forged), conversations=len(flows),
        caught=left_out(forged, owner, genuine, harmless),
        genuine=len(genuine), hit=hit, harmless=harmless.total, harmless_hit=harmless_hit,
    )  # fmt: skip
    return refusal(found) or found


def refusal(found: Filter) -> Refused | None:
    """Say why a filter is not to be used, if it is not."""
    because = ""
    if found.hit:
        because = (
            f"what it has in common is shared by {found.hit} of {found.genuine} genuine packets in the same capture"
        )
    elif found.harmless_hit > MOST_COLLATERAL * found.harmless:
        because = (
            f"what it has in common is shared by {found.harmless_hit:,} of {found.harmless:,} packets of hosts in "
            "captures without interference"
        )
    elif 2 * found.caught < found.conversations:
        because = (
            f"its packets have too little in common: made from the others, a filter catches those of {found.caught} "
            f"of {found.conversations} conversations"
        )
    return Refused(kind=found.kind, version=found.version, because=because) if because else None


def fitted(forged: I64, genuine: I64, harmless: "Collateral") -> tuple[Range, ...]:
    """Add the range that spares most, until none spares any more: genuine packets of the capture first."""
    low, high = forged.min(axis=0), forged.max(axis=0)
    offered = [
        Range(field=name, low=int(low[at]), high=int(high[at])) for at, name in enumerate(FIELDS) if low[at] >= 0
    ]
    chosen: list[Range] = []

    def costs(ranges: list[Range]) -> tuple[int, int]:
        return int(within(ranges, genuine).sum()), int(harmless.count[within(ranges, harmless.value)].sum())

    cost = costs(chosen)
    while offered:
        best = min(offered, key=lambda one: costs([*chosen, one]))
        if costs([*chosen, best]) >= cost:
            break
        chosen.append(best)
        offered.remove(best)
        cost = costs(chosen)
    return tuple(chosen)


def within(ranges: "list[Range] | tuple[Range, ...]", value: I64) -> Mask:
    """Say of each packet whether all ranges hold."""
    holds = np.ones(len(value), np.bool_)
    for one in ranges:
        column = value[:, FIELDS.index(one.field)]
        holds &= (one.low <= column) & (column <= one.high)
    return holds


def left_out(forged: Seen, owner: I64, genuine: Seen, harmless: "Collateral") -> int:
    """Count the conversations of which a filter made of the others catches a packet."""
    caught = 0
    for one in range(int(owner.max()) + 1 if len(owner) else 0):
        ranges = fitted(forged.value[owner != one], genuine.value, harmless)
        caught += bool(within(ranges, forged.value[owner == one]).any())
    return caught
