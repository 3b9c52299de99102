"""Two places compared from packets on: what is found, what is not, and where it is shown."""

import json
from importlib.resources import files

import attrs
import jsonschema
import numpy as np
import pytest

import netinterf
from benchmarks.compare import shared
from benchmarks.compare.places import KINDS, play_pair
from netinterf import export
from netinterf.capture import write_pcap
from netinterf.comparison.units import Side
from netinterf.errors import ParameterError
from netinterf.export.comparison import comparison_lines
from netinterf.observations.attempts import State, without_traces
from netinterf.report.comparison import comparison_text
from netinterf.report.lines import laid_out
from netinterf.schema import Outcome
from netinterf.transform import load, save, snaplen
from tests.unit.observations.attempts import attempts, several

NAMED = {"blocked", "both"}
KIND = {kind.name: kind for kind in KINDS}
SEED = 103  # two names in trouble, both places at the same time


def played(folder, name, seed=SEED):
    """Play a pair of places, and write both captures."""
    pair, *both = play_pair(KIND[name], seed)
    paths = []
    for side, simulated in zip(("here", "there"), both, strict=True):
        paths.append(folder / f"{side}.pcap")
        write_pcap(paths[-1], simulated.times, simulated.frames, simulated.link_type, lengths=simulated.lengths)
    return pair, *paths


@pytest.fixture(scope="module")
def swallowed(tmp_path_factory):
    """A pair of places, one of which swallows hellos with two names."""
    pair, here, there = played(tmp_path_factory.mktemp("pair"), "hello swallowed")
    return pair, netinterf.compare(here, there)


def test_swallowed_names_are_blocked_and_no_others(swallowed):
    """What a box swallows here is named; everything else works."""
    pair, comparison = swallowed
    assert {unit.name for unit in comparison.blocked} == pair.troubled
    assert {unit.finding.value for unit in comparison.units if unit.name not in pair.troubled} == {"clear"}
    assert {unit.mechanism for unit in comparison.blocked} == {"tcp.drop"}


def test_what_is_shown_can_be_looked_up(swallowed):
    """Frames belong to attempts at the name, on the side and in the capture that is told."""
    _, comparison = swallowed
    for unit in comparison.blocked:
        for one in unit.shown:
            result = comparison.here if one.side == "here" else comparison.there
            (verdict,) = [v for v in result.verdicts if v.subject.first_frame == one.first_frame and v.group is None]
            assert (verdict.subject.name, verdict.capture) == (unit.name, one.capture)
            assert set(verdict.frames) == set(one.frames)
        assert "is blocked here" in unit.explanation


def test_results_compare_as_their_captures_do(swallowed):
    """Scanning first and comparing then gives the same, and turning the sides round clears the names."""
    pair, comparison = swallowed
    again = netinterf.compare(comparison.here, comparison.there)
    assert again.contrasts.equals(comparison.contrasts)
    turned = netinterf.compare(comparison.there, comparison.here)
    assert turned.blocked == ()
    assert {unit.finding.value for unit in turned.units if unit.name in pair.troubled} == {"clear"}


@pytest.mark.parametrize(
    "name", ["down on both sides", "refused by page", "refused by alert", "refused by reset", "line out at times",
             "lossy line, DNS", "resolver out", "nothing, QUIC"]
)  # fmt: skip
def test_harmless_troubles_accuse_nobody(name, tmp_path):
    """Outages, refusals and bad lines of one place are no blocks."""
    _, here, there = played(tmp_path, name)
    assert netinterf.compare(here, there).interfered == ()


def test_lines_fit_the_schema(swallowed):
    """All kinds of lines of a comparison fit the JSON Schema, with no key that is not described."""
    _, comparison = swallowed
    schema = export.json_schema()
    described = {one["properties"]["type"]["const"]: one["properties"] for one in schema["oneOf"]}
    lines = [json.loads(line) for line in comparison_lines(comparison, everything=True)]
    assert {line["type"] for line in lines} >= {"compared", "comparison"}
    assert len(lines) == 2 + len(comparison.units) + len(comparison.changes)
    assert lines[-1]["type"] == "end"
    for line in lines:
        jsonschema.Draft202012Validator(schema).validate(line)
        assert set(line) == set(described[line["type"]])


def test_text_tells_what_lines_tell(swallowed):
    """Every name that fails stands in the table, and no line is wider than the page."""
    pair, comparison = swallowed
    text = list(laid_out(comparison_text(comparison)))
    table = text[text.index("By name: attempts that failed") :]
    assert all(any(line.split()[:1] == [name] for line in table) for name in pair.troubled)
    assert all(sum(f"BLOCKED: {name}" in line for line in text) == 1 for name in pair.troubled)
    assert max(map(len, text)) <= 96


def test_answers_that_were_cut_out_compare_to_nothing(tmp_path):
    """What fails is found, cut or not; of what was answered nobody knows by whom, and that is said."""
    pair, *paths = played(tmp_path, "hello swallowed")
    cut = [tmp_path / f"cut-{path.name}" for path in paths]
    for path, short in zip(paths, cut, strict=True):
        save(snaplen(load(path), 96), short)
    comparison = netinterf.compare(*cut)
    blind = [unit for unit in comparison.units if unit.here.blind and not unit.here.failed]
    assert blind
    assert {(unit.finding.value, unit.outcome) for unit in blind} == {("not-compared", Outcome.INSUFFICIENT)}
    assert {why.code for unit in blind for why in unit.reasons} == {"capture.snaplen"}
    assert not any(unit.here.unread or unit.there.unread for unit in netinterf.compare(*paths).units)
    assert not pair.troubled & {unit.name for unit in blind}


def test_contrasts_are_a_frame(swallowed):
    """The numbers of all units are columns for data frames."""
    _, comparison = swallowed
    frame = comparison.contrasts.to_pandas()
    assert len(frame) == len(comparison.units)
    assert frame["probability"].tolist() == [unit.probability for unit in comparison.units]


def test_private_servers_are_other_servers_elsewhere():
    """An address of RFC 1918 means another host in another capture; a public one the same."""
    example = str(files("netinterf") / "data" / "examples" / "dns.injection.pcap.gz")
    comparison = netinterf.compare(example, example)
    tried, local = comparison.judgement.attempts, []
    for attempt in range(len(tried)):
        ours = tried.place[attempt] == Side.HERE
        same = (tried.service == tried.service[attempt]) & (tried.place != tried.place[attempt])
        address = netinterf.trace.host_text(int(tried.high[attempt]), int(tried.low[attempt]))
        local.append(address.startswith(("10.", "192.168.", "172.")))
        assert same.any() != local[-1], (address, ours)
    assert not np.array(local).all()


def test_probes_of_a_route_trace_are_no_failures():
    """Where routers say that probes ran out of hops, silence of the others is not known to be one."""
    example = netinterf.simulate.run("benign.tcp.request-sweep", 3, netinterf.simulate.Conditions.clean())
    trace = netinterf.read(times=example.times, frames=example.frames, link_type=example.link_type)
    ledger = netinterf.explain(netinterf.classify(netinterf.analyze(trace), trace), netinterf.analyze(trace), trace)
    tried = netinterf.observations.attempts.attempts_of([ledger], [0], netinterf.verdict.model.default_model())
    assert tried.traced.any()
    assert not np.any(tried.state[np.isin(tried.unit, tried.unit[tried.traced])] == State.SILENT)


def test_probes_of_a_route_trace_are_no_failures_under_another_name():
    """A trace goes to a server: silence of another name there, of which no router said anything, is not known either.

    Another capture's silence is one, and so is that of another server.
    """
    rows = several("there", "a", 1, ["unknown"]) + several("there", "b", 1, ["silent", "silent"])
    rows += several("there", "c", 2, ["silent"]) + several("here", "b", 1, ["silent"])
    traced = np.arange(len(rows)) == 0
    tried = without_traces(attrs.evolve(attempts(*rows), traced=traced))
    assert [State(state).name for state in tried.state] == ["UNKNOWN", "UNKNOWN", "UNKNOWN", "SILENT", "SILENT"]


def test_a_side_without_captures_is_an_error(tmp_path):
    """The message names the side, the file and the reason."""
    example = str(files("netinterf") / "data" / "examples" / "benign.pcap.gz")
    with pytest.raises(ParameterError, match=r"against.*at least one capture.*missing\.pcap"):
        netinterf.compare(example, tmp_path / "missing.pcap")


@pytest.mark.captures
def test_documented_blocks_of_shared_captures_are_named(captures_dir):
    """Every documented block of four countries and of servers with a control is named or suspected, and nothing else.

    The residual block of one QUIC server, of which no capture shows a control, is given as a change in time only. Of
    one name a route trace shows a single answer, a page of the device before the server: no attempt that failed.
    """
    rows = shared.measure(captures_dir)
    named = {
        kind: {row["name"] for row in rows if row["documented"] == kind and row["finding"] in NAMED}
        for kind in ("block", "none")
    }
    told = {row["name"] for row in rows if row["finding"] in NAMED or row["finding"] == "suspected"}
    missed = {row["name"] for row in rows if row["documented"] == "block"} - told
    assert named["none"] == set()
    assert len(named["block"]) >= 12
    assert missed == {
        "10.0.0.1 (no name)",
        "mozilla.cloudflare-dns.com",
        "firefox.dns.nextdns.io",
        "www.bitcomet.com",
    }


def test_a_recorder_that_misses_packets_blocks_nobody(tmp_path):
    """Lookups of which a capture lost question or answer are no block: answers without a question tell."""
    _, here, there = play_pair(KIND["nothing, DNS"], 2001)
    kept = np.flatnonzero(np.random.default_rng(2001).random(len(here.frames)) > 0.1)
    lossy = [here.frames[row] for row in kept]
    write_pcap(tmp_path / "here.pcap", np.asarray(here.times)[kept], lossy, here.link_type)
    write_pcap(tmp_path / "there.pcap", there.times, there.frames, there.link_type)
    units = netinterf.compare(tmp_path / "here.pcap", against=tmp_path / "there.pcap").units
    found = {str(unit.finding) for unit in units}
    assert "clear" in found
    assert not found & NAMED
