"""Who contacted whom, and counting what else went on, against loops."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.analyzers.contrast import NEAR_NS, Contrast, Grouping, around
from netinterf.flows.contacts import Contacts
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read

BEGIN = 1_700_000_000_000_000_000
COLUMNS = ("client", "server", "name")
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(-1, 1)), min_size=1, max_size=12)

NEVER = np.iinfo(np.int64).max


def contacts(rows: list[tuple[int, int, int]]) -> Contacts:
    """Say who contacted whom for what."""
    client, server, name = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    nothing = np.zeros(len(rows), np.int64)
    flow = np.arange(len(rows))
    return Contacts(flow=flow, client=client, server=server, server_port=nothing, network=nothing, name=name)


def alike(table: Contacts, one: int, other: int, shared: tuple[str, ...]) -> bool:
    """Say whether two flows have some things in common."""
    return all(getattr(table, column)[one] == getattr(table, column)[other] for column in shared)


@given(ROWS, st.data())
def test_counts_are_those_of_a_loop(rows: list[tuple[int, int, int]], data: st.DataObject) -> None:
    """Whatever is shared, whatever the span, to the millisecond; what differs in one more column is told apart."""
    table, moments = contacts(rows), st.integers(0, 50)
    hit = data.draw(st.lists(st.tuples(st.integers(0, len(rows) - 1), moments), max_size=15))
    row, time = (np.array(column, np.int64) for column in (zip(*hit, strict=True) if hit else ((), ())))
    begin, end = (np.array(data.draw(st.lists(moments, min_size=len(rows), max_size=len(rows)))) for _ in range(2))
    shared = tuple(data.draw(st.sets(st.sampled_from(COLUMNS[:2]), min_size=1)))
    happened, asked = Contrast(table, row, BEGIN + time * 1_000_000), np.arange(len(rows))
    span = {"begin": BEGIN + begin * 1_000_000, "end": BEGIN + end * 1_000_000}

    def near(one: int) -> Iterator[int]:
        return (other for other, at in hit if begin[one] <= at <= end[one])

    slow = [sum(alike(table, one, other, shared) for other in near(one)) for one in asked]
    assert happened.count(asked, *shared, **span).tolist() == slow
    ever = [sum(alike(table, one, other, shared) for other, _ in hit) for one in asked]
    assert happened.count(asked, *shared).tolist() == ever
    apart = [
        sum(alike(table, one, other, shared) and rows[one][2] != rows[other][2] for other in near(one)) for one in asked
    ]
    assert happened.others(asked, *shared, but="name", **span).tolist() == apart
    before = [max((at for other, at in hit if alike(table, one, other, shared) and at < begin[one]), default=-1)
              for one in asked]  # fmt: skip
    last = happened.last(asked, *shared, before=span["begin"])
    assert last.tolist() == [0 if at < 0 else BEGIN + at * 1_000_000 for at in before]
    since = [min((at for other, at in hit if alike(table, one, other, shared) and at >= begin[one]), default=-1)
             for one in asked]  # fmt: skip
    first = happened.first(asked, *shared, since=span["begin"])
    assert first.tolist() == [NEVER if at < 0 else BEGIN + at * 1_000_000 for at in since]


def test_nothing_happened_to_nobody() -> None:
    """No rows, no counts."""
    none, table = np.empty(0, np.int64), Grouping(number=np.array([1, 1]))
    happened, asked = Contrast(table, none, none), np.array([0, 1])
    assert happened.count(asked, "number").tolist() == [0, 0]
    assert happened.last(asked, "number", before=np.array([BEGIN, BEGIN])).tolist() == [0, 0]
    assert happened.first(asked, "number", since=np.array([BEGIN, BEGIN])).tolist() == [NEVER, NEVER]


def test_clocks_beyond_reason_stand_at_the_edge() -> None:
    """Times at the end of what 64 bits hold neither overflow nor raise."""
    last = np.iinfo(np.int64).max
    low, high = around(np.array([0, last]), np.array([0, last]))
    assert low.tolist() == [-NEAR_NS, last - NEAR_NS]
    assert high.tolist() == [NEAR_NS, last]
    happened = Contrast(Grouping(number=np.array([1])), np.array([0]), np.array([last]))
    assert happened.count(np.array([0]), "number", begin=low[1:], end=high[1:]).tolist() == [1]
    assert happened.count(np.array([0]), "number").tolist() == [1]


def visits() -> Trace:
    """Read a capture of visits to several sites."""
    played = run("benign.tcp.traffic", 3, Conditions.clean(vantage="client"))
    return read(times=played.times, frames=played.frames, link_type=played.link_type)


def test_contacts_are_found_once_and_grouped_as_pairs_are() -> None:
    """The same object again; flows of one group are those that agree in every column."""
    trace = visits()
    table = trace.contacts
    assert trace.contacts is table
    assert len(table) == len(trace.flows)
    assert table.of("client", "server") is table.of("client", "server")
    pairs = list(zip(trace.flows.client.tolist(), trace.flows.server.tolist(), strict=True))
    group = table.of("client", "server").tolist()
    assert len(set(group)) == len(set(pairs)) == len(set(zip(group, pairs, strict=True)))


def test_a_selection_has_contacts_of_its_own() -> None:
    """Rows are those of the flows that were kept."""
    trace = visits()
    kept = trace.select(np.arange(0, len(trace.flows), 2))
    assert len(kept.contacts) == len(kept.flows)
    assert kept.contacts.name.tolist() == trace.contacts.name[::2].tolist()


def test_names_are_numbers_and_where_there_is_none_the_network_stands_for_it() -> None:
    """Two flows of one name agree wherever they lead; without a name, those into one network do."""
    trace = visits()
    named = {trace.tls.name[row].lower(): int(trace.contacts.name[trace.tls.flow[row]])
             for row in np.flatnonzero(trace.tls.name.lengths > 0).tolist()}  # fmt: skip
    assert len(set(named.values())) == len(named)
    bare = trace.contacts.name < 0
    assert (trace.contacts.name[bare] == -1 - trace.contacts.network[bare]).all()
    with pytest.raises(AttributeError):
        trace.contacts.of("colour")
