"""Findings that are alike are told once: the fold against a slow twin over written verdicts."""

from collections import Counter

import attrs
import numpy as np
import pytest

from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.report.digest import MOST_EXAMPLES, ordered_evidence, place_of
from netinterf.report.folding import MOST_EVIDENCE, folded, numbered_places, places_of
from netinterf.report.lines import laid_out
from netinterf.report.text import capture_text
from netinterf.simulate import Conditions
from netinterf.table import Text
from netinterf.written.record import Verdict

SCENARIOS = ("dns.injection", "tcp.reset", "tcp.drop.ecofilter-name", "http.blockpage.generic", "quic.drop.tspu-sni")


@pytest.fixture(scope="module", params=SCENARIOS)
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """A simulated capture with findings and suspicions."""
    path = tmp_path_factory.mktemp("fold") / "some.pcap"
    played = simulate.run(request.param, 3, conditions=Conditions(vantage="client", direction="both", luck=0.0))
    write_pcap(path, played.times, played.frames, played.link_type)
    return judge(path)


def kind_of(verdict: Verdict) -> tuple[object, ...]:
    """What findings that are alike have in common, read off a written verdict."""
    signs = tuple(sign.rule for sign in ordered_evidence(verdict)[:MOST_EVIDENCE])
    trigger = verdict.trigger.kind if verdict.trigger else None
    return verdict.mechanism, verdict.grade, trigger, verdict.selective, signs


def test_the_surest_of_each_kind_is_shown_and_the_others_are_counted(judged: Judged) -> None:
    """Every finding is shown or counted, once."""
    ledger = judged.ledger
    rows = np.flatnonzero([verdict.found for verdict in ledger if verdict.group is None])
    assert len(rows)
    kinds: dict[tuple[object, ...], list[Verdict]] = {}
    for row in rows.tolist():
        kinds.setdefault(kind_of(ledger[row]), []).append(ledger[row])
    told = folded(ledger, rows)
    assert len(told) == len(kinds)
    for one in told:
        alike = kinds[kind_of(one.verdict)]
        assert one.alike == len(alike) - 1
        assert one.verdict == max(alike, key=lambda verdict: verdict.probability)  # the first of equals
        others = Counter(place_of(verdict) for verdict in alike if verdict != one.verdict)
        assert dict(one.places.listed).items() <= others.items()
        assert sorted(dict(one.places.listed).values()) == sorted(dict(others.most_common(MOST_EXAMPLES)).values())
        assert len(one.places.listed) + one.places.more == len(others)


def test_places_are_names_else_ends(judged: Judged) -> None:
    """The same as counting written verdicts one by one."""
    every = np.arange(len(judged.ledger.verdicts))
    places = places_of(judged.ledger, every, numbered_places(judged.ledger, every))
    slow = Counter(place_of(judged.ledger[row]) for row in every.tolist())
    assert [count for _, count in places.listed] == [count for _, count in slow.most_common(MOST_EXAMPLES)]
    assert all(slow[name] == count for name, count in places.listed)
    assert len(places.listed) + places.more == len(slow)


def test_everything_unfolds(judged: Judged) -> None:
    """With everything, each finding has a block of its own; without, as many as there are kinds."""
    ledger = judged.ledger
    shown = [verdict for verdict in ledger if verdict.group is None and verdict.outcome.value == "interfered"]
    blocks = [
        sum(line.startswith("INTERFERED: ") for line in laid_out(capture_text(judged, everything=e)))
        for e in (True, False)
    ]
    assert blocks == [len(shown), len({kind_of(verdict) for verdict in shown})]


def test_nothing_folds_to_nothing(judged: Judged) -> None:
    """No findings, no blocks."""
    assert not folded(judged.ledger, np.empty(0, np.int64))


def test_pings_to_one_host_are_about_one_place(judged: Judged) -> None:
    """What has no ports is told apart by none."""
    ledger = judged.ledger
    flows = attrs.evolve(ledger.flows, protocol=np.ones(len(ledger.flows), np.uint8))
    nameless = attrs.evolve(ledger.verdicts, name=Text.of([""] * len(ledger.verdicts)))
    pings = attrs.evolve(ledger, flows=flows, verdicts=nameless)
    every = np.arange(len(nameless))
    places = places_of(pings, every, numbered_places(pings, every))
    slow = Counter(place_of(pings[row]) for row in every.tolist())
    assert all(slow[name] == count for name, count in places.listed)
    assert len(places.listed) + places.more == len(slow)
