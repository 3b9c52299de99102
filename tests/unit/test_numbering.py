"""Numbers for what is equal: exact whatever the hash does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf import numbering as module
from netinterf.numbering import (
    among,
    combined,
    distinct,
    distinct_rows,
    hash_rows,
    joined,
    numbered,
    numbered_text,
    order_of_different,
    ordered,
    ordered_within,
    risen,
)
from netinterf.table import Text

pytestmark = pytest.mark.usefixtures("each_way")

NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 5), max_size=60)


@given(NUMBERS)
def test_equal_numbers_are_numbered_alike(values: list[int]) -> None:
    """Numbers run from 0 without gaps, equal for equal keys and only for them."""
    array = np.array(values, np.int64)
    number, first = numbered(array)
    assert sorted(set(number.tolist())) == list(range(len(set(values))))
    assert array[first][number].tolist() == values
    assert distinct(array).tolist() == sorted(set(values))


@given(st.lists(st.text("ab\x00é", max_size=30), max_size=40))
def test_equal_strings_are_numbered_alike(words: list[str]) -> None:
    """Strings of any length, with zero bytes and none at all, keep their identity."""
    number, different = numbered_text(Text.of(words))
    assert [different[int(n)] for n in number] == words
    assert len(different) == len(set(words))


def test_strings_with_one_hash_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the hash fails altogether, strings of one length are still told apart."""
    monkeypatch.setattr(module, "hash_rows", lambda column: column.lengths.astype(np.uint64))
    words = ["aa", "bb", "aa", "c", "dd", "bb", ""]
    number, different = numbered_text(Text.of(words))
    assert [different[int(n)] for n in number] == words


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(0, 3)), max_size=30))
def test_joined_columns_are_equal_only_where_all_are(rows: list[tuple[int, int, int]]) -> None:
    """Columns are joined without loss, also where their values could be more than a word holds."""
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    for width in (10, 2**40):
        key, size = joined(*((column, width) for column in columns))
        assert len(set(key.tolist())) == len(set(rows))
        assert key.max(initial=0) < size


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=30))
def test_hashes_agree_with_equality(rows):
    """Equal rows have equal hashes, and unequal ones of this size do not meet."""
    hashes = hash_rows(Text.of(rows))
    for left in range(len(rows)):
        assert [rows[left] == row for row in rows] == (hashes == hashes[left]).tolist()


def test_numbers_are_those_of_distinct_rows() -> None:
    """Equal rows share a number, others do not."""
    rng = np.random.default_rng(5)
    left, right = rng.integers(0, 4, 80), rng.integers(-3, 3, 80)
    number = combined(left, right)
    for one in range(80):
        for two in range(80):
            same = (left[one], right[one]) == (left[two], right[two])
            assert (number[one] == number[two]) == same


@given(st.lists(st.integers(0, 70_000) | st.integers(0, 2**40), max_size=60))
def test_order_is_that_of_a_stable_sort(values: list[int]) -> None:
    """Numbers of any size are ordered as they are by comparing them, equal ones as they stand."""
    array = np.array(values, np.int64)
    assert ordered(array).tolist() == sorted(range(len(values)), key=values.__getitem__)
    different = np.array(list(dict.fromkeys(values)), np.int64) % 70_001
    different = different[np.sort(np.unique(different, return_index=True)[1])]
    assert order_of_different(different).tolist() == np.argsort(different).tolist()


FLOATS = st.floats() | st.sampled_from([0.0, -0.0, float("nan"), -float("nan"), 1.0])


@given(st.lists(st.tuples(st.integers(0, 3), FLOATS, st.integers(-2, 2)), max_size=120))
def test_order_within_groups_is_that_of_a_stable_sort(rows: list[tuple[int, float, int]]) -> None:
    """Groups come in order, their rows by the first key and then the second, what is equal as it stands."""
    group, size, place = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0, int),) * 3
    assert ordered_within(group, size, place).tolist() == np.lexsort((place, size, group)).tolist()
    assert ordered_within(group, place).tolist() == sorted(range(len(rows)), key=lambda row: (group[row], place[row]))


@given(st.lists(st.lists(st.integers(-(2**40), 2**40), max_size=40).map(sorted), max_size=9))
def test_runs_are_merged_into_what_sorting_gives(runs: list[list[int]]) -> None:
    """Whether numbers rise, rise in runs or do not, they come out in order."""
    values = [value for run in runs for value in run]
    assert risen(np.array(values, np.int64)).tolist() == sorted(values)


@given(NUMBERS, NUMBERS)
def test_what_is_among_others_is_one_of_them(values: list[int], others: list[int]) -> None:
    """Each number is looked up, also where there are no others."""
    there = among(np.array(values, np.int64), distinct(np.array(others, np.int64)))
    assert there.tolist() == [value in others for value in values]


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 3)), max_size=30))
def test_different_rows_are_listed_in_order(rows: list[tuple[int, int]]) -> None:
    """Each row is found in the list at its place."""
    different, place = distinct_rows(np.array(rows, np.int64).reshape(-1, 2))
    assert list(map(tuple, different.tolist())) == sorted(set(rows))
    assert [tuple(different[at].tolist()) for at in place] == rows


def test_only_numbers_of_64_bits_are_numbered() -> None:
    """Shorter ones would be read two at a time."""
    with pytest.raises(TypeError, match="int32"):
        numbered(np.arange(4, dtype=np.int32))
