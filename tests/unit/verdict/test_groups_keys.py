"""Numbers for what subjects have in common: exact whatever the hash does, and written as people write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.crowd import crowd
from netinterf.schema import GroupBy
from netinterf.table import Text
from netinterf.verdict import keys as keys_module
from netinterf.verdict.clusters import gather_clusters, weigh_subjects
from netinterf.verdict.keys import common_keys, distinct, joined, numbered, numbered_text
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_TCP
from netinterf.verdict.weigh import vocabulary
from tests.unit.verdict.tables import plain_model

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
    monkeypatch.setattr(keys_module, "ODD", np.uint64(0))
    monkeypatch.setattr(keys_module, "numbered", by_sorting)
    words = ["aa", "bb", "aa", "c", "dd", "bb", ""]
    number, different = numbered_text(Text.of(words))
    assert [different[int(n)] for n in number] == words


def by_sorting(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number keys by sorting them."""
    _, first, inverse = np.unique(array, return_index=True, return_inverse=True)
    return inverse, first


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(0, 3)), max_size=30))
def test_joined_columns_are_equal_only_where_all_are(rows: list[tuple[int, int, int]]) -> None:
    """Columns are joined without loss, also where their values could be more than a word holds."""
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    for width in (10, 2**40):
        key, size = joined(*((column, width) for column in columns))
        assert len(set(key.tolist())) == len(set(rows))
        assert key.max(initial=0) < size


def test_keys_of_a_crowd() -> None:
    """Names, domains, addresses, prefixes and protocols as people write them; addresses are no names."""
    names = ["www.example.com:8080", "api.example.com", "", "192.0.2.1", "WWW".lower() + ".example.com."]
    table = crowd(
        [1.0] * 5, name=names, server=[0, 1, 256, 0, 0], kind=[KIND_TCP, KIND_EXCHANGE, 2, KIND_TCP, KIND_TCP]
    )
    found = common_keys(table.subjects, table.hosts)
    said = {
        grouping.by: [grouping.write(int(key)) if key >= 0 else None for key in grouping.key]
        for grouping in found.groupings
    }
    assert said[GroupBy.NAME] == ["www.example.com", "api.example.com", None, None, "www.example.com"]
    assert said[GroupBy.DOMAIN] == ["example.com", "example.com", None, None, "example.com"]
    assert said[GroupBy.SERVER] == ["64.0.0.0", "64.0.0.1", "64.0.1.0", "64.0.0.0", "64.0.0.0"]
    assert said[GroupBy.PREFIX] == ["64.0.0.0/24", "64.0.0.0/24", "64.0.1.0/24", "64.0.0.0/24", "64.0.0.0/24"]
    assert said[GroupBy.PROTOCOL] == ["tcp", "dns", None, "tcp", "tcp"]
    assert GroupBy.ASN not in said


def test_subjects_of_five_minutes_are_one_observation() -> None:
    """What one client does with one name at one server in five minutes is averaged; silence dilutes it."""
    model = plain_model(priors={("tcp", "tcp.reset"): -5.8}, group_cap=10.0)
    table = crowd([4.0, 0.0, 4.0, 4.0], name=["a.org"], minute=[0.0, 1.0, 6.0, 6.5])
    words = vocabulary(model, table.evidence.rules)
    weights = weigh_subjects(table.evidence, table.subjects, words, model)
    assert weights.llr == pytest.approx([4.0, 0.0, 4.0, 4.0])
    clusters = gather_clusters(weights, table.subjects, common_keys(table.subjects, table.hosts))
    assert clusters.of[0] == clusters.of[1]
    assert clusters.of[2] == clusters.of[3] != clusters.of[0]
    assert clusters.llr[clusters.of[[0, 2]]] == pytest.approx([np.log((np.exp(4.0) + 1) / 2), 4.0])
