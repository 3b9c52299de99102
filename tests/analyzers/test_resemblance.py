"""Resets that are as their claimed sender writes everything else, and those that are not or cannot be compared."""

from typing import Any

import pytest

from benchmarks.resemblance import alike, share
from netinterf.analyzers.rst_injection import RstInjection
from netinterf.trace import Trace
from tests.analyzers.talk import Talk

RULE = "rst.as_the_host"


def found(trace: Trace) -> dict[str, float]:
    """Name the rules that fired on any flow, with their weights."""
    evidence = RstInjection()(trace)
    return {evidence.rules[code].id: float(llr) for code, llr in zip(evidence.rule, evidence.llr, strict=True)}


def closed(*, stamps: bool = False, flags: str = "RA", waited: float = 101, host_id: int = 0, **fields: Any) -> Trace:
    """Play a request, its answer, and a reset instead of the next answer; the host writes one identification."""
    talk = Talk(stamps=stamps)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=100, id=0)
    talk.send("C", "A", 101, 901, at=100.1)
    sent, end = talk.request(100.1)
    talk.send("S", "A", 901, end, at=sent + 100, id=host_id)
    talk.send("S", "PA", 901, end, at=sent + 100.2, data=b"y" * 200, id=host_id)
    talk.send("C", "PA", end, 1101, at=sent + 101, data=b"more")
    talk.send("S", flags, 1101, end + 4 if "A" in flags else 0, at=sent + 101 + waited, **{"id": host_id, **fields})
    return talk.trace()


def test_a_stack_closes_as_it_writes_everything_else() -> None:
    """Hop limit, don't-fragment flag, type of service, identification and window are the host's own."""
    assert found(closed())[RULE] < 0


@pytest.mark.parametrize(
    "fields", [{"ttl": 49}, {"ttl": 242}, {"df": False}, {"tos": 40}, {"id": 27_204}, {"window": 2_977}], ids=str
)
def test_one_foreign_field_is_enough(fields: dict[str, Any]) -> None:
    """What a host would not write there is not the host's, however like it the rest is."""
    assert RULE not in found(closed(**fields))


def test_a_bare_reset_has_no_window_to_compare() -> None:
    """It carries 0 by rule, so that four fields are left."""
    assert found(closed(flags="R", window=0))[RULE] < 0


@pytest.mark.parametrize("place", range(3))
def test_resets_of_the_textbook_are_not_the_hosts(place: int) -> None:
    """Three RST/ACKs at once with a hop limit, window and identification of their own."""
    trace = closed(waited=20, ttl=209 + place, id=27_204, window=2_977 + 46 * place)
    assert RULE not in found(trace)


@pytest.mark.parametrize("ids", [[7_000, 7_001, 7_002], [7_000, 41_000, 23_000]])
def test_two_fields_are_too_few(ids: list[int]) -> None:
    """A side whose don't-fragment flag and type of service vary shows a hop limit, and perhaps a window."""
    talk = Talk(stamps=False)
    sent, end = talk.request(talk.open())
    for place, number in enumerate(ids):
        answer = {"data": b"y" * 100, "df": place != 1, "tos": 8 * place, "id": number}
        talk.send("S", "PA", 901 + 100 * place, end, at=sent + 100 + place, **answer)
    talk.send("S", "RA", 1201, end, at=sent + 200, id=60_000)
    assert RULE not in found(talk.trace())


def test_nothing_is_said_of_a_host_that_was_not_heard() -> None:
    """A refusal is the first that comes of its sender."""
    talk = Talk(stamps=False)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "RA", 0, 101, at=100)
    assert not any(name.endswith("as_the_host") for name in found(talk.trace()))


def test_a_clock_that_goes_on_speaks_for_itself() -> None:
    """It weighs more than all these fields, and is not counted twice."""
    rules = found(closed(stamps=True, waited=99))
    assert "rst.abort" in rules
    assert RULE not in rules


def test_the_benchmark_counts_connections_that_can_be_compared() -> None:
    """Each connection once, and only resets of the frames that are asked for; repositories weigh the same."""
    assert alike(closed()) == [1, 1]
    assert alike(closed(ttl=49)) == [0, 1]
    assert alike(closed(), frozenset({1})) == [0, 0]
    assert alike(closed(), frozenset({8})) == [1, 1]
    assert share({"a": [1, 2], "b": [0, 9]}) == 0.25
