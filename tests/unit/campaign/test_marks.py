"""Marks against what packets say, one exchange and one certificate at a time."""

from collections import defaultdict

import pytest

import netinterf
from netinterf.campaign import Place
from netinterf.campaign.collecting.facts import Facts, facts_of
from netinterf.campaign.collecting.marks import Seen
from netinterf.campaign.collecting.observed import observed
from netinterf.capture import write_pcap
from netinterf.context.networks import KnownNetworks
from netinterf.engine.examples import FOLDER
from netinterf.engine.judge import judge
from netinterf.protocols.certificates import read_certificate
from netinterf.schema import TlsKind
from netinterf.simulate import Conditions, run
from netinterf.verdict.model import default_model


def seen(path):
    """Judge a capture, and give its trace, what is kept, and marks by kind with their values."""
    facts = [Facts.empty()]
    judged = judge(path, look=lambda trace: facts.append(facts_of(trace)))
    captures = [Seen("c" * 32, judged, facts[-1])]
    found = observed(captures, Place(asn=64999), KnownNetworks(), b"k" * 32, default_model())
    hidden, kinds = dict(zip(found.values.key.tolist(), found.values.text, strict=True)), defaultdict(list)
    for row in found.marks.to_pylist():
        assert (row["value"] is None) == (row["key"] in hidden)
        kinds[row["kind"]].append(row | {"value": row["value"] or hidden[row["key"]]})
    return judged, found, kinds


def test_answers_are_counted_once_for_each_exchange():
    """By name, five minutes and address; addresses of public hosts are hidden."""
    path = FOLDER / "dns.injection.pcap.gz"
    judged, found, kinds = seen(path)
    trace, expected = netinterf.read(path), defaultdict(int)
    for exchange in range(len(trace.exchanges)):
        told = set()
        for message in trace.exchanges.replies[exchange]:
            for row in range(len(trace.answers)):
                kind = int(trace.answers.kind[row])
                if trace.answers.message[row] == message and trace.answers.section[row] == 1 and kind in {1, 28}:
                    told.add((int(trace.answers.high[row]), int(trace.answers.low[row])))
        for halves in told - {(0, 0)}:
            expected[trace.exchanges.name[exchange], halves] += 1
    counts = defaultdict(int)
    for row in kinds["answer"]:
        counts[row["value"]] += row["count"]
    assert sum(expected.values()) == sum(counts.values())
    assert sorted(expected.values()) == sorted(row["count"] for row in kinds["answer"])
    assert {row["unit"] for row in kinds["answer"]} <= set(found.rows["unit"].to_pylist())
    assert {row["asn"] for row in found.marks.to_pylist() if row["unit"]} == {64999}
    hands = [(row["value"], row["count"], row["unit"]) for row in kinds["injector"]]
    assert hands == [(str(hand), hand.questions, None) for hand in judged.ledger.injectors]


def test_rates_of_findings_are_told():
    """The mean of what was measured, in bit/s."""
    _, _, kinds = seen(FOLDER / "rate.policing.pcap.gz")
    verdicts = netinterf.scan(FOLDER / "rate.policing.pcap.gz").findings
    measured = [
        item.measured["rate_bps"] for verdict in verdicts for item in verdict.evidence if "rate_bps" in item.measured
    ]
    assert {row["value"] for row in kinds["rate"]} == {"rate.policing"}
    assert all(min(measured) <= row["number"] <= max(measured) for row in kinds["rate"])


@pytest.fixture(scope="module")
def intercepted(tmp_path_factory):
    """A capture with certificates of an interceptor."""
    played = run("tls.interception.kazakhstan", 1, Conditions.clean())
    path = tmp_path_factory.mktemp("tls") / "tls.pcap"
    write_pcap(path, played.times, played.frames, played.link_type, lengths=played.lengths)
    return path


def test_certificates_are_told_by_issuer_and_key(intercepted):
    """Each certificate of a server once; keys are hidden, and issuers of what signed itself."""
    _, _, kinds = seen(intercepted)
    tls = netinterf.read(intercepted).tls
    rows = [row for row in range(len(tls)) if tls.kind[row] == TlsKind.CERTIFICATE and not tls.outbound[row]]
    read = [one for row in rows if (one := read_certificate(tls.certificates.bytes(row))) is not None]
    assert read
    assert sum(row["count"] for row in kinds["issuer"]) == sum(row["count"] for row in kinds["key"]) == len(read)
    assert {row["value"] for row in kinds["issuer"]} == {one.issuer for one in read}
