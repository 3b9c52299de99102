"""Counting who writes forged DNS replies: side by side they are several, in turn they may be one."""

import numpy as np
import pytest

import netinterf
from netinterf.attribute.injectors import Injector, injectors_of
from netinterf.report.lines import laid_out
from netinterf.report.text import injector_lines
from netinterf.simulate import Conditions, run


@pytest.mark.parametrize(
    ("scenario", "most"),
    [
        ("dns.injection.gfw-triplet", 3),
        ("dns.injection.gfw-1", 1),
        ("dns.injection.iran-2023", 1),
        ("dns.injection.adaptive", 1),
        ("benign.dns.forwarder-twice", 0),
    ],
)
def test_injectors_of_simulated_captures(scenario: str, most: int) -> None:
    """As many as the scenario has, at most; at least one run shows them all."""
    counts = []
    for seed in range(3):
        played = run(scenario, seed, Conditions.clean(vantage="client"))
        trace = netinterf.read(times=played.times, frames=played.frames, link_type=played.link_type)
        evidence = netinterf.analyze(trace)
        counts.append(len(netinterf.explain(netinterf.classify(evidence, trace), evidence, trace).injectors))
    assert max(counts) == most


AA, PLAIN = [0x0480, 1, 1, 0], [0x0080, 1, 1, 0]


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ([(1, AA), (1, PLAIN), (2, AA), (2, PLAIN)], [2, 2]),  # side by side, twice
        ([(1, AA), (1, PLAIN), (2, AA)], [2]),  # once may be a mistake
        ([(1, AA), (2, PLAIN), (3, AA), (4, PLAIN)], [2]),  # in turn: one that varies, for all we know
        ([(1, [0x0080, 1, -1, 0]), (1, PLAIN), (2, [0x0080, 1, -1, 0]), (2, PLAIN)], [2]),  # one was cut off
        ([(7, AA)], [1]),
    ],
)
def test_hands_stand_side_by_side(replies: list[tuple[int, list[int]]], expected: list[int]) -> None:
    """Two hands answered the same question, more than once."""
    found = injectors_of(np.array([hand for _, hand in replies], np.int64), np.array([number for number, _ in replies]))
    assert [one.questions for one in found] == expected


def test_they_are_told_in_words() -> None:
    """One line a hand; what is not known is left out, and one injector is no news."""
    first = Injector(authority=True, recursion=True, fragment=True, pointer=False, edns=None, questions=12)
    second = Injector(authority=False, recursion=True, fragment=None, pointer=True, edns=False, questions=1)
    assert list(injector_lines([first])) == []
    assert [line.strip() for line in laid_out(injector_lines([first, second]))] == [
        "forged DNS answers are by at least 2 injectors, told apart by what they write:",
        "- 12 questions: with authority, offers recursion, DF not set, copies the name",
        "- 1 question: without authority, offers recursion, points at the name, ignores EDNS",
    ]
