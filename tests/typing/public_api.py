"""What type checkers see of the public names: checked by mypy, never run."""

from collections.abc import Iterator
from typing import assert_type

import netinterf
from netinterf import report, transform


def scanned() -> None:
    """A scan gives a result, and that verdicts."""
    result = netinterf.scan("visit.pcap", analyzers=["builtin", netinterf.Freezes()])
    assert_type(result, netinterf.Result)
    for verdict in result.verdicts:
        assert_type(verdict, netinterf.Verdict)
        assert_type(verdict.mechanism, str | None)
        assert_type(verdict.probability, float)
    assert_type(report.text(result), str)


def in_steps() -> None:
    """The steps hand tables on."""
    trace = netinterf.read("visit.pcap")
    assert_type(trace, netinterf.Trace)
    evidence = netinterf.analyze(trace, [netinterf.RstInjection()])
    assert_type(evidence, netinterf.Evidence)
    verdicts = netinterf.classify(evidence, trace, netinterf.Model.load())
    written = iter(netinterf.explain(verdicts, evidence, trace))
    assert_type(written, Iterator[netinterf.Verdict])


def of_an_analyzer(analyzer: netinterf.Analyzer, trace: netinterf.Trace) -> None:
    """Any value with the constants and the call is one."""
    assert_type(analyzer(trace), netinterf.Evidence)
    assert_type(analyzer.rules, tuple[netinterf.Rule, ...])
    rule = analyzer.rules[0]
    assert_type(rule.weight, float | None)
    assert_type(netinterf.observe(analyzer, rule, subject=[], time=0, witness=[]), netinterf.Evidence)


def of_changed_captures() -> None:
    """Changes take frames and give frames."""
    frames = transform.load("visit.pcap")
    assert_type(transform.snaplen(frames, 96), transform.Frames)
    assert_type(transform.CHANGES[0].apply(frames), transform.Frames)
    assert_type(transform.to_bytes(frames, file_format="pcapng"), bytes)
