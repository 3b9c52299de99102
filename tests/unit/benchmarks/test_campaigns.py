"""Scores of campaigns: what is found, what is wrong, what is neither, and when a block is said to have begun."""

from typing import Any

import attrs
import pytest

from benchmarks.campaigns.alone import earliest
from benchmarks.campaigns.score import NamedCell, Score, report, score, until


def cell(name: str, mechanism: str = "tcp.drop", **fields: Any) -> dict[str, Any]:
    """Write a cell as it stands in a truth."""
    plain = {
        "name": name,
        "server": "",
        "names": [name],
        "servers": ["192.0.2.9"],
        "transport": "tcp/tls",
        "network": "a",
        "since": 1,
        "first": 1,
        "last": 9,
    }
    return {**plain, "mechanism": mechanism, **fields}


TRUTH: dict[str, Any] = {
    "networks": [{"name": "a", "forged": ["10.10.34.35"]}, {"name": "b", "forged": []}],
    "cells": [
        cell("early"), cell("late", since=4, first=6),
        cell("", "tcp.connect.drop", server="192.0.2.1", names=["one", "two"]),
        cell("lie", "dns.forged", transport="dns"),
    ],
    "collateral": [{"network": "a", "transport": "tcp/tls", "name": "beside", "mechanism": "tcp.drop", "runs": [5]}],
    "causes": [],
}  # fmt: skip


def named(name: str, mechanism: str = "tcp.drop", **fields: Any) -> NamedCell:
    """Name a cell."""
    return NamedCell(**{"network": "a", "transport": "tcp/tls", "name": name, "mechanism": mechanism, **fields})


def scored(*cells: NamedCell) -> dict[str, Score]:
    """Score what was named, by mechanism."""
    return {one.mechanism: one for one in score(cells, TRUTH)}


def test_nothing_named_is_nothing_found() -> None:
    """All cells are counted, and none is found."""
    assert sum(one.cells for one in scored().values()) == 4
    assert all(one.found == one.named == one.wrong == 0 for one in scored().values())


def test_cells_are_found_by_name_or_by_server() -> None:
    """A server counts once, however many of its names are named; a mechanism may be told in general."""
    for found in ([named("one", "tcp.connect.drop"), named("two", "tcp.connect.drop")],
                  [named("", "tcp.connect.drop", server="192.0.2.1")]):  # fmt: skip
        assert scored(*found)["tcp.connect.drop"].found == 1
    assert scored(named("early", "tcp"))["tcp.drop"].found == 1


def test_a_server_that_was_hit_is_no_mistake() -> None:
    """Where the name was not captured, a block of a name shows at its server: that finds no cell, and is not wrong."""
    made = scored(named("", server="192.0.2.9"))["tcp.drop"]
    assert (made.found, made.named, made.wrong) == (0, 1, 0)


def test_a_network_may_be_named_as_a_whole() -> None:
    """That finds all cells of the mechanism in it, and is wrong where nothing is blocked."""
    made = scored(NamedCell(network="a", mechanism="tcp.drop"), NamedCell(network="b", mechanism="tcp.drop"))
    assert (made["tcp.drop"].found, made["tcp.drop"].named, made["tcp.drop"].wrong) == (2, 2, 1)
    assert made["dns.forged"].otherwise == 0


def test_another_mechanism_is_told_apart() -> None:
    """A cell that is named for something else is not found, and who named it is not wrong to call it blocked."""
    made = scored(named("early", "tcp.reset"))
    assert (made["tcp.drop"].found, made["tcp.drop"].otherwise) == (0, 1)
    assert (made["tcp.reset"].named, made["tcp.reset"].wrong) == (1, 0)


def test_what_nobody_blocks_is_wrong() -> None:
    """A name, network or transport that is no cell counts against the mechanism that was named."""
    made = scored(named("early"), named("other"), named("early", network="b"), named("early", transport="quic"))
    assert (made["tcp.drop"].found, made["tcp.drop"].named, made["tcp.drop"].wrong) == (1, 4, 3)


def test_collateral_and_visits_after_a_lie_are_neither() -> None:
    """They are not counted at all."""
    made = scored(named("beside"), named("lie"), named("", "tcp.connect.drop", server="10.10.34.35"))
    assert sum(one.named for one in made.values()) == 0


@pytest.mark.parametrize(("since", "told"), [(2, False), (3, True), (7, True), (8, False), (None, False)])
def test_an_onset_is_told_within_a_run(since: int | None, told: bool) -> None:
    """From the run before the block began to the one after it was first met."""
    made = scored(named("late", since=since), named("early", since=1))["tcp.drop"]
    assert (made.late, made.onset) == (1, told)


def test_single_scans_are_joined_by_their_first_run() -> None:
    """One of each is kept."""
    runs = [named("x", since=run) for run in (5, 2, 9)]
    assert earliest([*runs, named("y", since=3)]) == [attrs.evolve(runs[0], since=2), named("y", since=3)]


def test_the_report_sums_up() -> None:
    """The last line is of all mechanisms."""
    last = report(score([named("early"), named("other")], TRUTH)).splitlines()[-1]
    assert last.split() == ["all", "4", "0", "1", "0", "0", "0", "2", "1"]


def test_a_truth_can_be_cut_to_its_first_runs() -> None:
    """What was first met later is not there."""
    made = until(TRUTH, 4)
    assert [one["name"] for one in made["cells"]] == ["early", "", "lie"]
    assert not made["collateral"]


def silent(**fields: Any) -> dict[str, Any]:
    """Write a cause that silences a server for everybody."""
    plain = {"form": "silence", "name": "", "servers": ["192.0.2.9"], "network": "", "country": "", "since": 1}
    return {**plain, "until": None, **fields}


@pytest.mark.parametrize(
    ("cause", "moot"),
    [
        (silent(), 2), (silent(until=9), 2), (silent(until=8), 0), (silent(since=2), 1), (silent(form="refused"), 0),
        (silent(network="a"), 0), (silent(servers=["192.0.2.8"]), 0), (silent(servers=[], name="early"), 0),
    ],
)  # fmt: skip
def test_who_swallows_what_nobody_would_have_answered_is_not_asked_for(cause: dict[str, Any], moot: int) -> None:
    """Two cells at the server, one of which was first met in the sixth run."""
    cells = [cell("early"), cell("late", since=4, first=6), cell("other", "tcp.reset")]
    made = {one.mechanism: one for one in score([named("early")], {**TRUTH, "cells": cells, "causes": [cause]})}
    assert (made["tcp.drop"].moot, made["tcp.drop"].cells, made["tcp.drop"].wrong) == (moot, 2 - moot, 0)
    assert (made["tcp.reset"].moot, made["tcp.reset"].cells) == (0, 1)


def test_questions_for_a_name_that_is_silent_everywhere_are_not_asked_for() -> None:
    """The resolver lives."""
    cells = [cell("gone", "dns.drop", transport="dns"), cell("there", "dns.drop", transport="dns")]
    made = score([], {**TRUTH, "cells": cells, "causes": [silent(servers=[], name="gone")]})
    assert (made[0].moot, made[0].cells) == (1, 1)
