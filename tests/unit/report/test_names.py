"""What was hit by name: each name once, and of how many conversations, in which captures."""

from collections import Counter

import attrs
import numpy as np
import pytest

from netinterf.report.page.names import MOST_NAMES, Hit, names_table
from tests.unit.report.pages import Page

BEGIN = 1_700_000_000_000_000_000
END = BEGIN + 60_000_000_000


def hit(name: str, count: int = 2, seen: int = 5) -> Hit:
    """Make a name of which two of five conversations were interfered with."""
    times = BEGIN + np.arange(count, dtype=np.int64) * 1_000_000_000
    return Hit(name=name, seen=seen, mechanisms=Counter({"tcp.reset": count}), times=times)


def test_one_name_of_two_captures_is_one_row() -> None:
    """Conversations and captures add up."""
    page = Page(names_table([hit("blocked.example"), hit("blocked.example", 1, 4)], BEGIN, END, alone=False))
    assert page.count("tr") == 2  # with the heads
    assert "blocked.example3 of 9" in page.text
    assert "Captures" in page.text


@pytest.mark.parametrize("alone", [True, False])
def test_the_caption_says_of_what_is_counted(alone: bool) -> None:
    """Of captures in which a name was left alone its conversations are not counted, and the caption says so."""
    page = Page(names_table([hit("blocked.example")], BEGIN, END, alone=alone))
    assert ("in the captures in which it was" in page.text) is not alone


def test_what_is_not_shown_is_counted() -> None:
    """The most frequent stay; the caption counts the others."""
    hits = [hit(f"name-{number}.example") for number in range(MOST_NAMES + 1)]
    hits[-1] = attrs.evolve(hits[-1], times=np.repeat(hits[-1].times, 2))
    page = Page(names_table(hits, BEGIN, END, alone=True))
    assert page.count("tr") == MOST_NAMES + 1
    assert f"name-{MOST_NAMES}.example" in page.text
    assert "; 1 more name not shown" in page.text
