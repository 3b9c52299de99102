"""``netinterf explain`` tells everything about the conversation that was named, and nothing about others."""

import gzip
import json
import shutil

import numpy as np
import pytest

import netinterf
from netinterf.capture import write_pcap
from netinterf.cli.main import main
from netinterf.report.explained import MOST_PACKETS
from netinterf.report.lines import WIDTH
from netinterf.schema import Outcome, SubjectKind
from netinterf.simulate import Conditions, run, write
from netinterf.written.format import verdict_line
from netinterf.written.remedies import CAVEAT

EXAMPLES = str(netinterf.__path__[0]) + "/data/examples"


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    """Unpack the examples, and play a capture with ICMP errors."""
    folder = tmp_path_factory.mktemp("captures")
    for name in ("tcp.reset", "dns.injection", "rate.policing"):
        with gzip.open(f"{EXAMPLES}/{name}.pcap.gz") as packed, open(folder / f"{name}.pcap", "wb") as file:
            shutil.copyfileobj(packed, file)
    write(run("benign.quic.quic-port-closed", 1, Conditions.clean(vantage="client")), folder / "icmp.pcap")
    return folder


def told(capsys, *arguments):
    """Run the verb as programs do; return the objects."""
    assert main(["explain", "--format", "jsonl", *map(str, arguments)]) == 0
    *objects, end = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert end == {"type": "end", "schema": 1, "captures": 1, "verdicts": len(objects), "errors": 0}
    return objects


def test_every_frame_leads_to_its_conversation(captures, capsys):
    """Each packet of a flow names that flow: with the verdict of a scan, all its packets, and its evidence in order."""
    path = captures / "tcp.reset.pcap"
    verdicts = [one for one in netinterf.scan(str(path)).verdicts if one.group is None]
    trace = netinterf.read(path)
    for verdict in (verdicts[0], verdicts[-1]):
        rows = trace.by_flow[verdict.row]
        for row in (rows[0], rows[len(rows) // 2], rows[-1]):
            (one,) = told(capsys, path, int(trace.packets.frame[row]))
            assert one["verdict"] == json.loads(json.dumps(verdict_line(verdict)))
            assert one["packets"] == len(rows)
            shown = trace.packets.frame[rows[: len(one["ladder"])]].tolist()
            assert len(rows) > MOST_PACKETS or [step["frame"] for step in one["ladder"]] == shown
            assert {step["frame"] for step in one["ladder"] if step["forged"]} <= set(verdict.frames)


def test_two_ends_name_a_conversation_in_either_order(captures, capsys):
    """Addresses and ports lead to what a frame leads to."""
    path = captures / "tcp.reset.pcap"
    by_frame = told(capsys, path, 5)
    subject = by_frame[0]["verdict"]["subject"]
    client = f"{subject['client']}:{subject['client_port']}"
    server = f"{subject['server']}:{subject['server_port']}"
    assert told(capsys, path, f"{client}-{server}") == by_frame == told(capsys, path, f"{server}-{client}")


def test_a_frame_of_a_question_leads_to_the_exchange(captures, capsys):
    """A DNS message names its exchange; the forged answers are marked, the genuine one is not."""
    (one,) = told(capsys, captures / "dns.injection.pcap", 1)
    assert one["verdict"]["subject"]["kind"] == "exchange"
    assert [step["frame"] for step in one["ladder"] if step["forged"]] == one["verdict"]["frames"]
    assert any(not step["forged"] and not step["outbound"] for step in one["ladder"])


def test_groups_tell_of_their_members(captures, capsys):
    """Whoever is a member of a group that was found hears of it, and of no other."""
    path = captures / "tcp.reset.pcap"
    verdicts = netinterf.scan(str(path)).verdicts
    groups = [one for one in verdicts if one.group is not None]
    assert groups
    flows = [one for one in verdicts if one.group is None]
    for verdict in (flows[0], flows[-1]):
        (one,) = told(capsys, path, verdict.subject.first_frame)
        mine = [group for group in groups if [SubjectKind.FLOW, verdict.row] in group.rows.tolist()]
        assert one["groups"] == json.loads(json.dumps([verdict_line(group) for group in mine]))


def test_an_icmp_error_leads_to_what_it_quotes(captures, capsys):
    """The conversation that could not be delivered is explained, not the report about it."""
    trace = netinterf.read(captures / "icmp.pcap")
    quote = int(np.flatnonzero(trace.quotes.flow >= 0)[0])
    frame = int(trace.packets.frame[trace.quotes.packet[quote]])
    told_of = told(capsys, captures / "icmp.pcap", frame)[0]["verdict"]["subject"]
    flow = int(trace.quotes.flow[quote])
    assert told_of["client_port"] == trace.flows.client_port[flow]
    assert told_of["protocol"] == "udp"


def test_people_read_all_of_it(captures, capsys):
    """Sentences, weights, sources, look-alikes, packets and filter stand there, in lines of one width."""
    path = captures / "tcp.reset.pcap"
    assert main(["explain", str(path), "5"]) == 0
    text = capsys.readouterr().out
    verdict = next(one for one in netinterf.scan(str(path)).findings if 5 in one.frames)
    flat = " ".join(text.split())
    assert verdict.explanation in flat
    for seen in verdict.evidence:
        assert seen.says in flat
        assert f"[{seen.rule}:" in flat
    assert "NDSS 2009" in flat
    assert "Harmless causes that were weighed:" in text
    assert f"Wireshark: {verdict.wireshark}" in text
    assert [line.split()[1] for line in text.splitlines() if line.startswith("!")] == ["5"]
    assert all(len(line) <= WIDTH for line in text.splitlines() if not line.startswith("Wireshark"))
    weights = [line.split()[0] for line in text.splitlines() if line[:8].strip().startswith(("+", "-")) and "." in line]
    numbers = [float(weight) for weight in weights if weight not in {"-", "+"}]
    assert numbers == sorted(numbers, key=lambda number: -abs(number))


def test_what_was_missing_is_told_with_what_would_settle_it(captures, capsys):
    """A conversation that was not judged comes with its reasons, word for word."""
    path = captures / "icmp.pcap"
    verdict = next(one for one in netinterf.scan(str(path)).verdicts if one.reasons and one.group is None)
    assert main(["explain", str(path), str(verdict.subject.first_frame)]) == 0
    flat = " ".join(capsys.readouterr().out.split())
    assert all(f"{reason.says} [{reason.code}]" in flat for reason in verdict.reasons)


def test_what_helps_is_told_of_findings_alone(captures, capsys):
    """With sources and caveat, in text and to programs; of a question with a forged answer, not of others."""
    path = captures / "dns.injection.pcap"
    verdicts = [one for one in netinterf.scan(str(path)).verdicts if one.subject.kind == "exchange"]
    for outcome in (Outcome.INTERFERED, Outcome.OK):
        verdict = next(one for one in verdicts if one.outcome is outcome)
        (one,) = told(capsys, path, verdict.subject.first_frame)
        assert main(["explain", str(path), str(verdict.subject.first_frame)]) == 0
        flat = " ".join(capsys.readouterr().out.split())
        assert (one["block"] is None) == (CAVEAT not in flat) == (outcome is Outcome.OK)
        if one["block"]:
            assert one["block"]["kind"] == "dns"
            assert one["block"]["caveat"] == CAVEAT
            for remedy in one["block"]["remedies"]:
                assert f"- {remedy['says']} [{'; '.join(remedy['sources'])}]" in flat


def test_long_conversations_are_shown_in_part(captures, capsys):
    """The ladder has no more lines than it may, tells what was left out, and holds the first marked packet."""
    path = captures / "rate.policing.pcap"
    trace = netinterf.read(path)
    flow = int(np.argmax(trace.by_flow.lengths))
    frame = int(trace.packets.frame[trace.flows.first_packet[flow]])
    (one,) = told(capsys, path, frame)
    assert len(one["ladder"]) == MOST_PACKETS < one["packets"] == trace.by_flow.lengths[flow]
    assert main(["explain", str(path), str(frame)]) == 0
    text = capsys.readouterr().out
    left = sum(int(line.split()[1].replace(",", "")) for line in text.splitlines() if line.strip().startswith("… "))
    assert left == one["packets"] - MOST_PACKETS


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("99999", "tcp.reset.pcap has no frame 99999 (frames: 1 to "),
        ("0", "has no frame 0"),
        ("first", "first: expected a frame number, or two ends"),
        ("-1", "-1"),
        ("10.0.0.1:1-10.0.0.2:2", "nobody talks between 10.0.0.1:1 and 10.0.0.2:2"),
        ("10.0.0.999:1-10.0.0.2:2", "10.0.0.999 is no address"),
    ],
)
def test_a_wrong_name_is_one_line(captures, capsys, named, says):
    """What names no conversation is said in one line on standard error, with status 2."""
    assert main(["explain", str(captures / "tcp.reset.pcap"), named]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert says in printed.err
    assert len(printed.err.splitlines()) == 1


def test_several_conversations_of_the_same_ends_are_listed(captures, tmp_path, capsys):
    """Two conversations between the same ports are not guessed at: their first frames are named."""
    trace = netinterf.read(captures / "tcp.reset.pcap")
    rows = trace.by_flow[0]
    frames = [
        trace.buffer[at : at + size].tobytes()
        for at, size in zip(trace.packets.at, trace.packets.captured, strict=True)
    ]
    once = [frames[row] for row in rows]
    times = trace.packets.time[rows].tolist()
    later = [time + 600_000_000_000 for time in times]
    path = tmp_path / "twice.pcap"
    second = [frame[:38] + bytes([frame[38] ^ 0x40]) + frame[39:] for frame in once]  # other sequence numbers
    write_pcap(path, times + later, once + second, trace.interfaces[0].link_type)
    again = netinterf.read(path)
    assert len(again.flows) == 2
    ends = [
        f"{again.address(int(host[0]))}:{port[0]}"
        for host, port in ((again.flows.client, again.flows.client_port), (again.flows.server, again.flows.server_port))
    ]
    assert main(["explain", str(path), "-".join(ends)]) == 2
    assert "2 conversations; name one by a frame (they begin with 1, " in capsys.readouterr().err


def test_the_manners_are_those_of_a_scan(captures, tmp_path, capsys):
    """Missing files, pipes, an output file and the status of a finding are handled alike."""
    path = str(captures / "tcp.reset.pcap")
    assert main(["explain", str(tmp_path / "none.pcap"), "1"]) == 3
    assert "none.pcap" in capsys.readouterr().err
    assert main(["explain", "--fail-on", "interfered", "--out", str(tmp_path / "told.txt"), path, "5"]) == 1
    assert "forged reset" in (tmp_path / "told.txt").read_text("utf-8")
    assert main(["explain", "--analyzers", "nonsense", path, "5"]) == 2
    assert "--analyzers nonsense" in capsys.readouterr().err
