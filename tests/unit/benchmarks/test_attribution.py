"""The benchmark of attribution: findings with their systems, what is counted on them, and what counts as right."""

import attrs
import numpy as np
import pytest

from benchmarks.attribution.command import report
from benchmarks.attribution.findings import Known, collect, jobs
from benchmarks.attribution.fitting import answers, count, likelihood, tuned
from netinterf.attribute.catalogue import CLASSES, class_of, systems
from netinterf.attribute.trait import UNKNOWN, Trait

WANTED = ("tcp.reset.cn-rae", "tcp.reset.sandvine-2007", "tcp.reset.tr-resets", "http.blockpage.kr-warning")


@pytest.fixture(scope="module")
def known() -> Known:
    """Gather findings of four systems, one of them undocumented."""
    return collect([job for job in jobs(100, 3) if job.scenario in WANTED], 1 / 3, 1)


def test_findings_know_their_system(known: Known) -> None:
    """Rows are aligned, systems are those of the scenarios, and every system weighs the same."""
    sizes = {len(known.traits), len(known.mechanism), len(known.rules), len(known.system)}
    assert sizes == {len(known)}
    assert set(known.system) == {"cn.rae", "sandvine.2007", "tr.resets", "kr.warning"}
    for name in set(known.system):
        assert known.weight[np.array(known.system) == name].sum() == pytest.approx(1.0)


def test_the_right_answer_needs_system_and_mechanism(known: Known) -> None:
    """A system outside the catalogue is undocumented, and so is a mechanism that its entry does not have."""
    right, nobody = answers(known), len(systems())
    rae = [entry.id for entry in systems()].index("cn.rae")
    assert set(np.flatnonzero(right[np.array(known.system) == "tr.resets"].any(axis=0))) == {nobody}
    assert set(np.flatnonzero(right[np.array(known.system) == "cn.rae"].any(axis=0))) <= {rae, nobody}
    assert (right[:, :-1].any(axis=1) != right[:, -1]).all()
    other = attrs.evolve(known, mechanism=np.full(len(known), "http.blockpage"))
    assert not answers(other)[:, rae].any()


def test_shares_and_masses_are_those_of_a_slow_count(known: Known) -> None:
    """Each system counts as much in its class; a feature's mass leaves out the system that the entry covers."""
    common = count(known)
    system = np.array(known.system)
    kind = np.array([class_of(word) for word in known.mechanism])
    for name in CLASSES:
        mine = kind == name
        assert common.count[name] == len(np.unique(system[mine]))
        value = known.traits.value[:, Trait.BARE]
        parts = [
            np.mean(value[mine & (system == one) & (value != UNKNOWN)] == 1)
            for one in np.unique(system[mine & (value != UNKNOWN)])
        ]
        if parts:
            assert common.share[name][Trait.BARE].get(1, 0.0) == pytest.approx(np.mean(parts), abs=0.003)
    rae = next(entry for entry in systems() if entry.id == "cn.rae")
    flag = next(place for place, feature in enumerate(rae.features) if feature.trait is Trait.ODD_FLAGS)
    assert common.mass["cn.rae"]["reset"][flag] < 0.5  # nobody else sets it


def test_tuning_does_not_make_it_worse(known: Known) -> None:
    """The chosen parameters make the right answers at least as likely as where the search began."""
    common, right = count(known), answers(known)
    assert likelihood(known, right, tuned(known, common)) >= likelihood(known, right, common)


def test_the_report_counts_what_it_says(known: Known, capsys: pytest.CaptureFixture[str]) -> None:
    """Shares lie between never and always, and every system has its line."""
    found = report(known)
    printed = capsys.readouterr().out
    assert all(name in printed for name in set(known.system))
    assert found["findings"] == len(known)
    assert all(0 <= found[word] <= 1 for word in ("documented", "undocumented", "named_wrongly"))
