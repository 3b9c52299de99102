"""Verdicts of several ledgers as one sequence."""

import numpy as np
import pytest

import netinterf
from netinterf.engine.judge import judge
from netinterf.written.ledger import Ledger
from netinterf.written.several import SeveralVerdicts


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[Ledger]:
    """Judge three captures."""
    folder = tmp_path_factory.mktemp("captures")
    written = []
    for name in ("tcp.reset", "dns.injection", "benign.tcp.traffic"):
        path = folder / f"{name}.pcap"
        netinterf.simulate.write(netinterf.simulate.run(name, 1), path)
        written.append(judge(path).ledger)
    return written


def test_it_is_a_sequence_of_what_is_meant(ledgers: list[Ledger]) -> None:
    """Like the list of these verdicts: in length, by place, by slice, compared, and added to lists."""
    rng = np.random.default_rng(2)
    parts = [(ledger, np.sort(rng.choice(len(ledger), len(ledger) // 2, replace=False))) for ledger in ledgers]
    some, slow = SeveralVerdicts(parts), [ledger[int(row)] for ledger, rows in parts for row in rows]
    assert len(some) == len(slow)
    assert list(some) == slow
    assert [some[place] for place in range(-len(slow), len(slow))] == slow + slow
    for part in (slice(1, -1, 3), slice(None, None, -1), slice(-3, None), slice(5, 2), slice(0, 10_000)):
        assert some[part] == tuple(slow[part])
    assert list(reversed(some)) == slow[::-1]
    assert some == slow
    assert slow == some
    assert some != slow[:-1]
    assert some != [*slow[:-1], slow[0]]
    assert some + slow == slow + some == slow + slow
    with pytest.raises(IndexError, match=str(len(slow))):
        some[len(slow)]


def test_ledgers_of_which_nothing_is_meant_are_let_go(ledgers: list[Ledger]) -> None:
    """What was judged and is not told takes no memory."""
    nothing = SeveralVerdicts([(ledgers[0], np.empty(0, np.int64))])
    assert nothing.parts == ()
    assert nothing == [] == SeveralVerdicts()
    assert nothing[:] == ()
    assert not nothing


def test_blocks_do_not_show(ledgers: list[Ledger], monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are written at a time, verdicts and groups come in the order that was asked for."""
    ledger = max(ledgers, key=len)
    rows = np.random.default_rng(3).permutation(len(ledger))
    slow = [ledger[int(row)] for row in rows]
    for block in (1, 7, len(rows)):
        monkeypatch.setattr("netinterf.written.ledger.BLOCK", block)
        assert list(ledger.written(rows)) == slow
