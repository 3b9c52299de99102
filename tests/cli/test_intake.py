"""What a thread reads ahead: nothing is lost, reordered or given twice, however it is asked for."""

import errno
import threading

import pytest

from netinterf.cli.intake import ReadAhead


@pytest.mark.parametrize("most", [1, 3, 100])
@pytest.mark.parametrize("fails", [False, True])
def test_pieces_come_in_order_and_an_error_behind_them(most: int, fails: bool) -> None:
    """As many together as were asked for; then the end, or what went wrong, once all before it was given."""
    left = list(range(20))

    def read() -> int | None:
        if fails and not left:
            raise OSError(errno.EIO, "gone")
        return left.pop(0) if left else None

    ahead, given = ReadAhead(read), list[int]()
    try:
        while not ahead.ended:
            pieces = ahead.wait(5.0, most)
            assert len(pieces) <= most
            given += pieces
        assert not fails
    except OSError:
        assert fails
    assert ahead.ended
    assert given == list(range(20))


def test_who_waits_for_nothing_gets_nothing() -> None:
    """A piece that does not come in time ends nothing."""
    comes = threading.Event()
    ahead = ReadAhead(lambda: 1 if comes.wait(5.0) else None)
    assert ahead.wait(0.0, 4) == []
    assert not ahead.ended
    comes.set()
    assert ahead.wait(5.0) == [1]
