"""How many blocked cells of a campaign were named, how many names were wrong, and how well onsets were told.

The truth of a campaign counts what happened on the wire (`netinterf.simulate.campaign`). Beside cells it knows what is
no cell and no mistake either: what a residual block hit that nobody listed, and visits that followed a forged answer to
where nobody is. An inference that names those is neither right nor wrong, and is counted apart. So are cells that were
blocked while they were silent for everybody: who swallows what nobody would have answered changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from benchmarks.machine import table
from netinterf.mechanisms import related

__all__ = ["NamedCell", "Score", "report", "score", "until"]

FORGED = frozenset({"dns.forged", "dns.injection"})
"""Mechanisms that lead visits elsewhere."""

NEAR = 1
"""Runs by which an onset may be off."""

Where = tuple[str, str, str]
"""Network, transport, and a name or an address."""


@attrs.frozen(kw_only=True)
class NamedCell:
    """What an inference calls blocked: a name or a server over one transport in one network, or all that it reaches."""

    network: str
    transport: str = (
        ""  # dns, tcp/http, tcp/tls or quic; none with neither name nor server: whatever leaves the network
    )
    name: str = ""
    server: str = ""  # an address, where no name is known
    mechanism: str
    since: int | None = None  # run of the onset, where it is told


@attrs.frozen(kw_only=True)
class Score:
    """What came of the cells of one mechanism."""

    mechanism: str
    cells: int  # without those that were silent for everybody as long as they were blocked
    moot: int  # how many these are
    found: int  # named, by this mechanism
    otherwise: int  # named, by another mechanism alone
    late: int  # found ones that began after the first run
    onset: int  # of the late ones, those whose onset was told within a run
    named: int  # what the inference calls so, without what is neither right nor wrong
    wrong: int  # of those, where nobody blocked anything


def score(named: Sequence[NamedCell], truth: Mapping[str, Any]) -> list[Score]:
    """Hold what was named against the truth.

    Args:
        named: What an inference calls blocked.
        truth: As it stands in ``truth.json``.

    Returns:
        One score for each mechanism that was played or named, in order of their names.
    """
    by_place: dict[Where, list[NamedCell]] = {}
    for one in named:
        by_place.setdefault((one.network, one.transport, one.name or one.server), []).append(one)
    counts: dict[str, Counter[str]] = {}
    for cell in truth["cells"]:
        mine = counts.setdefault(cell["mechanism"], Counter())
        if is_moot(cell, truth["causes"]):
            mine.update(moot=1)
            continue
        whole = [one for one in by_place.get(everything(cell), []) if related(one.mechanism, cell["mechanism"])]
        here = whole + [one for place in places_of(cell) for one in by_place.get(place, [])]
        right = [one for one in here if related(one.mechanism, cell["mechanism"])]
        late = bool(right) and cell["since"] > 1
        told = [one.since for one in right if one.since is not None]
        mine.update(
            cells=1, found=bool(right), otherwise=bool(here) and not right, late=late,
            onset=late and any(cell["since"] - NEAR <= since <= cell["first"] + NEAR for since in told),
        )  # fmt: skip
    cells = truth["cells"]
    known = {place for cell in cells for place in (*places_of(cell), *servers_of(cell), everything(cell))}
    beside = besides(truth)
    for one in named:
        place = (one.network, one.transport, one.name or one.server)
        if place in known or not beside & {place, (one.network, "", one.name), (one.network, "", one.server)}:
            counts.setdefault(one.mechanism, Counter()).update(named=1, wrong=place not in known)
    words = ("cells", "moot", "found", "otherwise", "late", "onset", "named", "wrong")
    return [Score(mechanism=path, **{word: counts[path][word] for word in words}) for path in sorted(counts)]


def until(truth: Mapping[str, Any], run: int) -> dict[str, Any]:
    """Give the truth as far as the runs up to *run* show it."""
    cells = [cell for cell in truth["cells"] if cell["first"] <= run]
    return {**truth, "cells": cells, "collateral": [one for one in truth["collateral"] if min(one["runs"]) <= run]}


def is_moot(cell: Mapping[str, Any], causes: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether silence met a cell that was silent for everybody, in all runs in which it was struck."""
    if not cell["mechanism"].endswith(".drop"):
        return False
    silent = [
        cause for cause in causes
        if cause["form"] == "silence" and not cause["network"] and not cause["country"]
        and cause["since"] <= cell["first"] and (cause["until"] is None or cell["last"] <= cause["until"])
    ]  # fmt: skip
    if cell["transport"] == "dns":
        return any(cause["name"] == cell["name"] for cause in silent)
    return set(cell["servers"]) <= {server for cause in silent for server in cause["servers"]}


def places_of(cell: Mapping[str, Any]) -> list[Where]:
    """Say by what a cell may be named: its server, or the names that were tried there."""
    return [(cell["network"], cell["transport"], what) for what in {cell["server"], *cell["names"]} - {""}]


def everything(cell: Mapping[str, Any]) -> Where:
    """Say how all that leaves a cell's network is named."""
    return cell["network"], "", ""


def servers_of(cell: Mapping[str, Any]) -> list[Where]:
    """Say where a cell was hit: whoever missed the name tells the server, which finds no cell and is no mistake."""
    return [(cell["network"], cell["transport"], server) for server in cell["servers"]]


def besides(truth: Mapping[str, Any]) -> set[Where]:
    """List what is no cell and no mistake: residual blocks, and what follows a forged answer over any transport."""
    hit = {(one["network"], one["transport"], one["name"]) for one in truth["collateral"]}
    led = {(network["name"], "", place) for network in truth["networks"] for place in network["forged"]}
    lied = {(cell["network"], "", cell["name"]) for cell in truth["cells"] if cell["mechanism"] in FORGED}
    return hit | led | lied


def report(scores: Iterable[Score]) -> str:
    """Lay scores out, a row for each mechanism and one for all."""
    rows = [attrs.asdict(one) for one in scores]
    words = ("cells", "moot", "found", "otherwise", "late", "onset", "named", "wrong")
    rows.append({"mechanism": "all", **{word: sum(row[word] for row in rows) for word in words}})
    head = ["mechanism", "cells", "moot", "found", "by another mechanism", "late ones", "onset told", "named", "wrong"]
    return table(head, [[row["mechanism"], *(row[word] for word in words)] for row in rows])
