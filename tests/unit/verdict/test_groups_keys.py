"""Numbers for what subjects have in common: exact whatever the hash does, and written as people write them."""

import numpy as np
import pytest

from benchmarks.crowd import crowd
from netinterf.schema import GroupBy
from netinterf.verdict.clusters import gather_clusters, weigh_subjects
from netinterf.verdict.keys import common_keys
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_TCP
from netinterf.verdict.weigh import vocabulary
from tests.unit.verdict.tables import plain_model


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


def test_domains_are_those_that_somebody_registered() -> None:
    """A short second level is no suffix by itself, and what a company gives away belongs to different people."""
    table = crowd([1.0] * 4, name=["m.ok.ru", "ok.ru", "alice.github.io", "bob.github.io"])
    found = common_keys(table.subjects, table.hosts)
    (domain,) = (grouping for grouping in found.groupings if grouping.by is GroupBy.DOMAIN)
    said = [domain.write(int(key)) for key in domain.key]
    assert said == ["ok.ru", "ok.ru", "alice.github.io", "bob.github.io"]


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
