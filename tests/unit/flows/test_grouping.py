"""Grouping by hash stays exact when hashes collide."""

import numpy as np
import pytest

from netinterf.flows.grouping import first_index, group_rows


def partition(groups):
    """List the groups as sorted lists of rows."""
    return sorted(part.tolist() for part in np.split(groups.rows, groups.starts[1:]))


@pytest.mark.parametrize("hashes", ["good", "few", "constant"])
@pytest.mark.parametrize("count", [1, 2, 17, 3000])
def test_groups_are_exact_whatever_the_hash(hashes, count):
    """Rows with equal columns form one group, in row order, even when all hashes are the same."""
    rng = np.random.default_rng(count)
    left, right = rng.integers(0, 9, count), rng.integers(0, 5, count)
    key = left * 10 + right
    mixed = {"good": key, "few": key % 7, "constant": key * 0}[hashes].astype(np.uint64) << np.uint64(40)
    groups = group_rows(mixed, lambda rows: [left[rows], right[rows]])
    expected = sorted(np.flatnonzero(key == value).tolist() for value in np.unique(key))
    assert expected == partition(groups)
    assert count == groups.lengths.sum()


def test_no_rows_make_no_groups():
    """Nothing in, nothing out."""
    groups = group_rows(np.empty(0, np.uint64), lambda rows: [rows])
    assert (len(groups.rows), len(groups.starts)) == (0, 0)


def test_first_index_reports_the_first_of_repeated_keys():
    """The first entry of a key wins, and absent keys give -1."""
    keys, places = np.array([2, 0, 2, 0]), np.array([5, 6, 7, 8])
    assert first_index(keys, places, 4).tolist() == [6, -1, 5, -1]
