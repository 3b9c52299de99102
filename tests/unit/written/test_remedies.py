"""What kind of block a finding is: told by what set it off, of findings alone, each remedy with its source."""

from collections import Counter
from pathlib import Path

import attrs
import pytest

import netinterf
from netinterf import simulate
from netinterf.mechanisms import MECHANISMS
from netinterf.report.page.remedies import blocks_of, remedies
from netinterf.schema import Outcome, TriggerKind
from netinterf.written.ledger import Ledger
from netinterf.written.record import Trigger
from netinterf.written.remedies import BLOCKS, CAVEAT, NO_REMEDY, block_against, block_of

MANUAL = Path(__file__).parents[3] / "docs" / "guide" / "what-helps.md"


def judged(scenario: str, seed: int = 1) -> Ledger:
    """Play a scenario and judge it."""
    played = simulate.run(scenario, seed)
    trace = netinterf.read(times=played.times, frames=played.frames, link_type=played.link_type)
    evidence = netinterf.analyze(trace)
    return netinterf.explain(netinterf.classify(evidence, trace), evidence, trace)


@pytest.mark.parametrize(
    ("mechanism", "trigger", "kind"),
    [
        ("tcp.reset", "tls.sni", "name"),
        ("tcp.drop", "tls.ech", "bytes"),
        ("rate.policing", "tls.sni", "name"),
        ("http.blockpage", "http.host", "plain"),
        ("tcp.reset", "http.url", "plain"),
        ("tcp.reset", "bytes.class", "bytes"),
        ("tcp.reset", None, None),
        ("rate.policing", None, None),
        ("rate.freeze", "address", "address"),
        ("tcp.connect.drop", None, "address"),
        ("tcp.connect.reset", "port", "address"),
        ("dns.injection", "dns.qname", "dns"),
        ("dns.drop", None, "dns"),
        ("quic.drop", "quic.sni", "udp"),
        ("quic.drop", None, "udp"),
        ("tls.interception", "tls.sni", "interception"),
        ("protocol.filter", None, "bytes"),
        ("reach.isolation.allowlist", None, "reach"),
        ("own.word", "tls.sni", None),
    ],
)
def test_what_set_it_off_tells_the_kind(mechanism: str, trigger: str | None, kind: str | None) -> None:
    """What a mechanism is about comes first; where nothing was seen, and it may be about anything, nothing is said."""
    block = block_of(mechanism, trigger)
    assert (block and block.kind) == kind


def test_every_trigger_of_every_mechanism_has_a_kind() -> None:
    """Whatever the verdict format knows of what sets interference off."""
    for mechanism in MECHANISMS:
        for kind in TriggerKind:
            assert kind is TriggerKind.NONE or block_of(mechanism, kind.word) is not None


def test_nothing_is_said_of_what_is_no_finding() -> None:
    """What is only possible, went well or went down is against no block."""
    found = next(judged("tcp.reset").findings())
    known = attrs.evolve(found, trigger=Trigger(kind="tls.sni", value="blocked.example", frame=1))
    assert block_against(known) is BLOCKS["name"]
    for outcome in set(Outcome) - {Outcome.INTERFERED}:
        assert block_against(attrs.evolve(known, outcome=outcome)) is None


@pytest.mark.parametrize("scenario", ["tcp.reset", "dns.injection", "reach.isolation", "browsing"])
def test_the_page_counts_what_the_verdicts_say(scenario: str) -> None:
    """Each conversation with a finding under its kind; a kind that only a group has counts none, and is told."""
    ledger = judged(scenario)
    groups = list(ledger.group_verdicts())
    alone = Counter(block.kind for one in ledger if one.group is None and (block := block_against(one)))
    together = {block.kind for one in groups if (block := block_against(one))}
    counted = blocks_of(ledger, groups)
    assert counted == alone
    assert set(counted) == set(alone) | together
    markup = remedies(counted)
    assert bool(markup) is bool(counted)
    for kind, block in BLOCKS.items():
        assert (block.says.removesuffix(".") in markup) is (kind in counted)


def test_every_remedy_has_a_source_that_the_manual_names() -> None:
    """No advice without where it was measured or specified; the manual has every word of it."""
    manual = " ".join(MANUAL.read_text(encoding="utf-8").split())
    for block in BLOCKS.values():
        assert block.says in manual
        assert block.remedies or NO_REMEDY in manual
        for remedy in block.remedies:
            assert remedy.says in manual
            assert remedy.sources
            assert all(source in manual for source in remedy.sources)
    assert CAVEAT in manual
