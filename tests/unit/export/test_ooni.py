"""Measurement files in the manner of OONI hold what the packets show, in the format's own words, and no more."""

import base64
import io
import json
from collections import Counter
from datetime import UTC, datetime

import attrs
import jsonschema
import numpy as np
import pytest

import netinterf
from netinterf import export
from netinterf.capture import write_pcap
from netinterf.cli.main import main
from netinterf.engine.extract import read_all_again
from netinterf.errors import UsageError
from netinterf.export.archival.events import MOST_EVENTS
from netinterf.export.archival.measurement import view_capture
from netinterf.export.archival.visits import QUIET_NS, find_visits
from netinterf.schema import SubjectKind, TcpFlag, TlsKind
from netinterf.simulate import Conditions, run, write
from netinterf.verdict.model import default_model
from tests.contract.ooni_format import FAILED, MEASUREMENT

VALIDATOR = jsonschema.Draft202012Validator(MEASUREMENT)
EXAMPLES = str(netinterf.__path__[0]) + "/data/examples"
PARTS = ("queries", "tcp_connect", "tls_handshakes", "requests", "network_events", "x_dns_late_replies")
PLAYS = (
    *("tcp.reset", "tcp.fin.generic", "tcp.drop.generic", "tcp.connect.drop.generic", "tcp.connect.reset.generic"),
    *("dns.injection", "dns.drop", "quic.drop.generic", "tls.interception.generic", "http.blockpage.generic"),
)


def measured(result, *, everything=True):
    """Write a result and read the lines."""
    target = io.StringIO()
    export.ooni(result, target, everything=everything)
    return [json.loads(line) for line in target.getvalue().splitlines()]


def failures(line, part):
    """List the failures of one kind of operation."""
    return [(one["status"] if part == "tcp_connect" else one)["failure"] for one in line["test_keys"][part]]


def by_mechanism(lines, part):
    """Count the failures of one kind of operation by what the verdict about the same subject says."""
    found = Counter()
    for line in lines:
        verdicts = {one["transaction_id"]: one["mechanism"] for one in line["test_keys"]["x_netinterf"]["verdicts"]}
        for one, failure in zip(line["test_keys"][part], failures(line, part), strict=True):
            found[verdicts[one["transaction_id"]], failure] += 1
    return found


TRUSTING = attrs.evolve(default_model(), bounds={}, other_bound=10.0, dependence=0.0)
"""Findings of every mechanism are wanted, also of those that public captures have hardly shown: how measurements are
written is tried here, not the judgement."""


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """Give a function that plays a scenario under clean conditions and scans it; each is played once."""
    folder, known = tmp_path_factory.mktemp("plays"), {}

    def played(name, **conditions):
        key = (name, *sorted(conditions.items()))
        if key not in known:
            path = folder / f"{len(known)}.pcap"
            write(run(name, 1, Conditions.clean(**{"vantage": "client", **conditions})), path)
            known[key] = netinterf.scan(str(path), vantage=conditions.get("vantage", "client"), model=TRUSTING)
        return known[key]

    return played


@pytest.fixture(scope="module")
def examples():
    """Scan the captures that ship with the library."""
    return netinterf.scan(EXAMPLES)


def every_result(examples, play):
    """List all results that are looked at."""
    return [examples, *(play(name) for name in PLAYS)]


def test_every_line_is_of_the_format(examples, play):
    """Keys, types and words are those that OONI describes, for all examples and plays; numbers are finite."""
    jsonschema.Draft202012Validator.check_schema(MEASUREMENT)
    for result in every_result(examples, play):
        for line in measured(result):
            VALIDATOR.validate(line)
            assert json.dumps(line, allow_nan=False)


def test_everybody_is_in_exactly_one_measurement(examples, play):
    """Each TCP and UDP conversation and each DNS exchange that has a verdict, and every operation belongs to one."""
    for result in every_result(examples, play):
        wanted = Counter(
            (v.capture, v.subject.kind, v.subject.first_frame, v.subject.query_id)
            for v in result.verdicts
            if v.group is None and v.subject.protocol in {"tcp", "udp"}
        )
        found = Counter()
        for line in measured(result):
            verdicts = line["test_keys"]["x_netinterf"]["verdicts"]
            subjects = [(one["capture"], one["subject"]) for one in verdicts]
            found.update((file, one["kind"], one["first_frame"], one["query_id"]) for file, one in subjects)
            assert [one["transaction_id"] for one in verdicts] == list(range(1, len(verdicts) + 1))
            assert len({one["client"] for _, one in subjects}) == 1
            used = {one["transaction_id"] for part in PARTS for one in line["test_keys"][part]}
            assert used <= {one["transaction_id"] for one in verdicts}
        assert found == wanted


def test_findings_come_with_all_of_their_visit(examples):
    """Without everything, exactly the measurements that hold a finding or an affected member of a group are left."""
    everything, some = measured(examples), measured(examples, everything=False)
    assert 0 < len(some) < len(everything)
    assert all(line in everything for line in some)
    for line in everything:
        grades = {one["grade"] for one in line["test_keys"]["x_netinterf"]["verdicts"]}
        if grades & {"confirmed", "likely", "possible"}:
            assert line in some


def test_times_are_those_of_packets(examples):
    """Every event lies on the time of a captured packet, to the nanosecond, counted from the second it began in."""
    for one in examples.judged:
        trace = read_all_again(one)
        known = set(trace.packets.time.tolist())
        for line in measured([one]):
            start = datetime.strptime(line["measurement_start_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            begin = int(start.timestamp()) * 10**9
            for part in PARTS:
                for done in line["test_keys"][part]:
                    assert begin + round(done["t"] * 10**9) in known
                    assert done["t0"] is None or begin + round(done["t0"] * 10**9) in known
                    assert done["t0"] is None or 0 <= done["t0"] <= done["t"]


@pytest.mark.parametrize(
    ("name", "part", "mechanism", "failure"),
    [
        ("tcp.reset", "tls_handshakes", "tcp.reset", "connection_reset"),
        ("tcp.fin.generic", "tls_handshakes", "tcp.fin", "eof_error"),
        ("tcp.drop.generic", "requests", "tcp.drop", "generic_timeout_error"),
        ("tcp.connect.reset.generic", "tcp_connect", "tcp.connect.reset", "connection_refused"),
        ("dns.drop", "queries", "dns.drop", "generic_timeout_error"),
        ("dns.injection", "queries", "dns.injection", None),
        ("quic.drop.generic", "tls_handshakes", "quic.drop", "generic_timeout_error"),
        ("http.blockpage.generic", "requests", "http.blockpage", None),
    ],
)
def test_mechanisms_fail_as_a_probe_would_see_them(play, name, part, mechanism, failure):
    """Whoever was interfered with failed in the manner of the mechanism, and nobody else did."""
    found = by_mechanism(measured(play(name)), part)
    assert found[mechanism, failure] > 0
    assert {told for of, told in found if of == mechanism} == {failure}
    if failure not in {None, "generic_timeout_error"}:
        assert {of for of, told in found if told == failure} == {mechanism}


def test_swallowed_openings_time_out(play):
    """Who never heard an answer to a SYN timed out, whatever the verdict; who was answered connected."""
    result = play("tcp.connect.drop.generic")
    trace = read_all_again(result.judged[0])
    answered = Counter((trace.sides.syn[1::2] >= 0).tolist())
    told = Counter(failure for line in measured(result) for failure in failures(line, "tcp_connect"))
    assert told == {None: answered[True], "generic_timeout_error": answered[False]}


def test_the_first_answer_counts_and_later_ones_are_kept(play):
    """Of a raced question, the answer that came first is the lookup's, all others are late replies, byte by byte."""
    result = play("dns.injection")
    trace = read_all_again(result.judged[0])
    first, late = Counter(), Counter()
    for replies in trace.exchanges.replies:
        raw = [trace.buffer[trace.dns.at[row] :][: trace.dns.length[row]].tobytes() for row in replies]
        first.update(raw[:1])
        late.update(raw[1:])
    lines = measured(result)
    for part, expected in (("queries", first), ("x_dns_late_replies", late)):
        told = [one["raw_response"] for line in lines for one in line["test_keys"][part]]
        assert Counter(base64.b64decode(one) for one in told if one) == expected
    assert sum(late.values()) > 0


def test_handshakes_show_what_is_in_the_clear(play):
    """Name, version, suite and leaf certificate are those of the messages."""
    result = play("tls.interception.generic")
    trace = read_all_again(result.judged[0])
    tls = trace.tls
    names = Counter(tls.name[row] for row in np.flatnonzero(tls.kind == TlsKind.CLIENT_HELLO))
    leaves = Counter(tls.certificates.bytes(row) for row in np.flatnonzero(tls.certificates.lengths > 0))
    told = [one for line in measured(result) for one in line["test_keys"]["tls_handshakes"]]
    assert Counter(one["server_name"] for one in told) == names
    assert Counter(base64.b64decode(leaf["data"]) for one in told for leaf in one["peer_certificates"]) == leaves
    assert {one["tls_version"] for one in told} <= {"TLSv1.2", "TLSv1.3"}
    assert all(one["cipher_suite"].startswith("TLS_") for one in told)


def test_events_of_a_handshake_stand_together(play):
    """As OONI's pipeline reads them: from a connect on, up to the end of a handshake at the very time it tells."""
    for line in measured(play("tcp.reset")):
        keys = line["test_keys"]
        events = keys["network_events"]
        for handshake in keys["tls_handshakes"]:
            own = [one for one in events if one["transaction_id"] == handshake["transaction_id"]]
            assert own == sorted(own, key=lambda one: one["t"])
            assert own[0]["operation"] == "connect"
            (done,) = [one for one in own if one["operation"] == "tls_handshake_done"]
            assert (done["t"], done["failure"]) == (handshake["t"], handshake["failure"])
            assert sum(one.get("num_bytes", 0) for one in own if one["operation"] == "write") > 0
        order = [one["transaction_id"] for one in events]
        assert order == sorted(order)


def test_long_transfers_are_cut_and_counted(examples):
    """Of a connection, so many packets with data are written; all others are counted."""
    lines = measured(examples)
    left = sum(line["test_keys"]["x_netinterf"]["events_left_out"] for line in lines)
    told = Counter()
    for place, line in enumerate(lines):
        told.update((place, one["transaction_id"]) for one in line["test_keys"]["network_events"] if "num_bytes" in one)
    assert max(told.values()) == MOST_EVENTS
    assert left > 0


@pytest.mark.parametrize("direction", ["outbound", "inbound"])
def test_half_a_capture_shows_no_success_that_it_does_not_hold(play, direction):
    """Where one way was captured, no handshake is told, no answered request, and no lookup that was asked in vain."""
    for name in ("tcp.drop.generic", "dns.drop", "tcp.reset", "browsing"):
        lines = measured(play(name, direction=direction))
        assert lines
        for line in lines:
            VALIDATOR.validate(line)
            assert not line["test_keys"]["tls_handshakes"]
            told = [one for part in PARTS[:4] for one in failures(line, part)]
            assert "generic_timeout_error" not in failures(line, "queries")
            if direction == "outbound":
                assert not line["test_keys"]["queries"]
                assert not any(one["response"] for one in line["test_keys"]["requests"])
            assert told or "failure" not in line["test_keys"]


def naive_visits(trace, subjects):
    """Group subjects one after the other."""
    about, answers = {}, []
    for row in range(len(trace.answers)):
        message = int(trace.answers.message[row])
        if trace.answers.section[row] == 1 and trace.answers.kind[row] in {1, 28} and trace.dns.exchange[message] >= 0:
            place = (int(trace.answers.high[row]), int(trace.answers.low[row]))
            asking = int(trace.flows.client[trace.dns.flow[message]])
            name = trace.exchanges.name[int(trace.dns.exchange[message])]
            answers.append((int(trace.packets.time[trace.dns.packet[message]]), row, asking, place, name))
    for row in range(len(subjects)):
        if subjects.protocol[row] not in {6, 17}:
            continue
        name, client, server = subjects.name[row], int(subjects.client[row]), int(subjects.server[row])
        key = (client, name)
        if not name and subjects.kind[row] == SubjectKind.FLOW:
            place = (int(trace.hosts.high[server]), int(trace.hosts.low[server]))
            told = [one for one in answers if one[2:4] == (client, place) and one[0] <= subjects.start[row]]
            key = (client, max(told)[4]) if told else (client, server, subjects.port[row], subjects.protocol[row])
        about.setdefault(key, []).append((int(subjects.start[row]), row))
    visits = []
    for listed in about.values():
        listed.sort()
        for place, (start, row) in enumerate(listed):
            if place == 0 or start - listed[place - 1][0] > QUIET_NS:
                visits.append([])
            visits[-1].append(row)
    return sorted(visits, key=lambda rows: (int(subjects.start[rows[0]]), rows[0]))


@pytest.mark.parametrize("name", ["quic.drop.generic", "dns.injection.aftermath", "reach.isolation", "tcp.reset"])
def test_visits_are_what_one_client_did_about_one_name(play, name):
    """The same groups as one gets subject by subject."""
    judged = play(name).judged[0]
    trace = read_all_again(judged)
    visits = find_visits(trace, judged.ledger.subjects)
    assert [rows.tolist() for rows in visits.subjects] == naive_visits(trace, judged.ledger.subjects)


def test_a_connection_without_a_name_follows_the_answer_that_led_there(play, tmp_path):
    """Where nothing but SYNs is left of connections, they are about the names whose answers told their addresses."""
    trace = read_all_again(play("dns.injection.aftermath").judged[0])
    packets = trace.packets
    kept = np.flatnonzero((packets.protocol == 17) | (packets.tcp_flags == TcpFlag.SYN))
    frames = [trace.buffer[at : at + size].tobytes() for at, size in zip(packets.at, packets.captured, strict=True)]
    path = tmp_path / "openings.pcap"
    write_pcap(path, packets.time[kept].tolist(), [frames[row] for row in kept], trace.interfaces[0].link_type)
    result = netinterf.scan(str(path))
    judged = result.judged[0]
    trace = read_all_again(judged)
    visits = find_visits(trace, judged.ledger.subjects)
    assert np.any(visits.naming_exchange >= 0)
    assert [rows.tolist() for rows in visits.subjects] == naive_visits(trace, judged.ledger.subjects)
    joined = [line for line in measured(result) if line["test_keys"]["x_netinterf"]["named_by_answer"]]
    for line in joined:
        keys = line["test_keys"]
        addresses = {answer.get("ipv4") for one in keys["queries"] for answer in one["answers"] or ()}
        late = {answer.get("ipv4") for one in keys["x_dns_late_replies"] for answer in one["answers"] or ()}
        named = set(keys["x_netinterf"]["named_by_answer"])
        for one in keys["tcp_connect"]:
            assert one["transaction_id"] not in named or one["ip"] in addresses | late
    assert any(line["test_keys"]["queries"] and line["test_keys"]["tcp_connect"] for line in joined)


def test_resets_end_reading(play):
    """What comes behind a reset that the client obeyed is no event, and the reset is the last one."""
    judged = play("tcp.reset").judged[0]
    trace = read_all_again(judged)
    seen = view_capture(judged, trace)
    assert np.any(trace.packets.tcp_flags & TcpFlag.RST)
    for line in measured([judged]):
        last = {one["transaction_id"]: one for one in line["test_keys"]["network_events"]}
        reset = [one for one in line["test_keys"]["network_events"] if one["failure"] == "connection_reset"]
        assert all(last[one["transaction_id"]]["failure"] == "connection_reset" for one in reset)
    assert len(seen.visits.subjects) == len(measured([judged]))


LEAVING = ("client-abort-at-hello", "client-gives-up", "client-abort", "silent-service")


@pytest.mark.parametrize("name", [*(f"benign.tcp.{kind}" for kind in LEAVING), "tcp.reset", "tcp.drop.iran-sni"])
def test_nobody_fails_who_left_first(play, name):
    """A client that closed or aborted by itself was not cut off by what came later, nor did it time out within 3 s."""
    judged = play(name).judged[0]
    trace = read_all_again(judged)
    packets, outcomes = trace.packets, view_capture(judged, trace).outcomes
    leaving = packets.outbound & (packets.tcp_flags & (TcpFlag.FIN | TcpFlag.RST) != 0)
    told = 0
    for flow, rows in enumerate(trace.by_flow):
        left = [int(packets.time[row]) for row in rows if leaving[row]]
        asked = [int(packets.time[row]) for row in rows if packets.outbound[row] and packets.payload_length[row]]
        for steps in (outcomes.handshake, outcomes.ending):
            if not steps.known[flow] or steps.failed(flow) is None or not asked:
                continue
            told += 1
            if steps.failed(flow) in {"connection_reset", "eof_error"}:
                assert not left or steps.end[flow] <= left[0]
            else:
                assert not left or left[0] - asked[0] >= 3_000_000_000
    assert told or "abort" in name


def test_the_command_writes_the_same(examples, tmp_path, capsys):
    """``scan --format ooni`` prints what the function writes, capture by capture."""
    assert main(["scan", "--format", "ooni", "--all", EXAMPLES]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == measured(examples)
    path = tmp_path / "found.jsonl"
    export.ooni(examples, path)
    assert main(["scan", "--format", "ooni", "--out", str(tmp_path / "same.jsonl"), EXAMPLES]) == 0
    assert (tmp_path / "same.jsonl").read_text("utf-8") == path.read_text("utf-8")


def test_what_cannot_be_read_again_is_said(play, tmp_path):
    """A session's capture is gone, and a file may have changed: one sentence names it."""
    (source,) = play("tcp.reset").judged[0].source
    with open(source, "rb") as file, netinterf.Session(name="tap") as session:
        session.feed(file.read())
        session.close()
        with pytest.raises(UsageError, match=r"^tap: a pipe cannot be read twice"):
            export.ooni([session.judged], io.StringIO())
    path = tmp_path / "visit.pcap"
    write(run("tcp.reset", 1, Conditions.clean()), path)
    result = netinterf.scan(str(path))
    write(run("dns.drop", 1, Conditions.clean()), path)
    with pytest.raises(UsageError, match=r"visit\.pcap: it is no longer"):
        export.ooni(result, io.StringIO())


def test_a_capture_without_packets_gives_no_line(tmp_path):
    """Nothing happened, so nothing is written."""
    path = tmp_path / "empty.pcap"
    path.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    assert measured(netinterf.scan(str(path))) == []


def test_what_could_not_be_read_is_a_measurement_that_failed(tmp_path):
    """Of the format like all others: it failed, nothing was tried, and the reason stands in it."""
    (tmp_path / "text.pcap").write_text("no capture")
    (line,) = measured(netinterf.scan(str(tmp_path / "text.pcap")))
    jsonschema.Draft202012Validator(FAILED).validate(line)
    assert line["test_keys"]["x_netinterf"]["capture"] == str(tmp_path / "text.pcap")


def test_oonidata_reads_every_line(examples, play):
    """OONI's own models take the lines, and see as many operations as were written."""
    models = pytest.importorskip("oonidata.dataclient", reason="oonidata is not installed")
    for result in every_result(examples, play):
        for line in measured(result):
            keys = models.load_measurement(line).test_keys
            assert type(keys).__name__ == "UrlGetterTestKeys"
            for part in PARTS[:5]:
                assert len(getattr(keys, part)) == len(line["test_keys"][part])
            told = [one.status.failure for one in keys.tcp_connect]
            assert told == failures(line, "tcp_connect")


@pytest.mark.captures
def test_real_captures_are_of_the_format(captures_dir):
    """Lines about captures of others, damaged ones included."""
    paths = sorted(captures_dir.rglob("*.pcap*"))
    some = [str(path) for path in paths[::75] if path.stat().st_size < 30_000]
    lines = measured(netinterf.scan(some))
    assert len(lines) > 20
    failing = jsonschema.Draft202012Validator(FAILED)
    for line in lines:
        (VALIDATOR if line["input"] else failing).validate(line)
