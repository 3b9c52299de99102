"""Side by side: the number of workers never shows in an answer."""

import threading

import pytest

from netinterf import workers


@pytest.mark.parametrize("count", [1, 2, 4])
def test_answers_come_in_the_order_of_the_items(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Whatever finishes first, answers stand where their items stood."""
    monkeypatch.setattr(workers, "WORKERS", count)
    assert workers.each(lambda number: number * number, range(50)) == [number * number for number in range(50)]
    assert workers.each(len, []) == []
    for rows in (1, 10_000):
        assert workers.concurrently(lambda: "left", lambda: "right", rows=rows) == ("left", "right")


@pytest.mark.parametrize("count", [1, 2])
def test_errors_reach_the_caller(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """An error in a piece is raised where the work was asked for."""
    monkeypatch.setattr(workers, "WORKERS", count)
    with pytest.raises(ZeroDivisionError):
        workers.each(lambda number: 1 // number, [1, 0, 2])
    with pytest.raises(ZeroDivisionError):
        workers.concurrently(lambda: 1, lambda: 1 // 0, rows=10_000)


def test_nothing_is_left_running() -> None:
    """All threads are gone when the call returns."""
    before = threading.active_count()
    workers.each(lambda number: number, range(8))
    assert threading.active_count() == before
