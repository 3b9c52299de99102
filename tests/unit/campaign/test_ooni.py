"""Measurements of OONI's probes are collected like captures, at the place of the probe and of its test helper."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from pyarrow import parquet
from scapy.layers import dns
from scapy.layers.inet import IP, UDP

import netinterf
from netinterf import Campaign
from netinterf.campaign.judged.report import Report
from netinterf.campaign.place import CONTROL
from netinterf.campaign.stored import parts, store
from netinterf.capture import write_pcap
from netinterf.engine.examples import FOLDER
from netinterf.observations.attempts import DNS, HTTP, TCP, TLS, TRANSPORTS, State
from netinterf.ooni import read_measurements
from netinterf.report.campaign import campaign_text
from netinterf.report.lines import laid_out
from netinterf.simulate import Conditions, run
from netinterf.verdict.keys import BIN_NS
from tests.unit.campaign.captures import entries, observations, write
from tests.unit.ooni.written import MODERN, measured, visit

STATES = [state.name.lower() for state in State]
HOUR_NS = 3600 * 10**9
NAMES = [f"n{number}.example" for number in range(12)]


def lines(path, *measurements):
    """Write measurements, one a line; what is no dictionary is written as it is."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        "".join((json.dumps(one) if isinstance(one, dict) else one) + "\n" for one in measurements), "utf-8"
    )
    return path


def rows(store, table="observations"):
    """List the rows of a table."""
    return [row for batch in getattr(Campaign(store), table)() for row in batch.to_pylist()]


def address(number):
    """Give the address of a page."""
    return f"198.51.{number}.10"


def visits(hours=3, **failing):
    """Visit pages hour by hour; some first ones do not come to a good end."""
    count = failing.pop("count", 1)
    return [
        visit(name, address(number), hour, **(failing if number < count else {}))
        for hour in range(hours)
        for number, name in enumerate(NAMES)
    ]


def judged(tmp_path, *measurements, **options):
    """Collect measurements, tell all names, and judge."""
    (tmp_path / "names.txt").write_text("*.example\n", encoding="utf-8")
    campaign = Campaign(tmp_path / "judged")
    campaign.collect(lines(tmp_path / "in" / "m.jsonl", *measurements), names=tmp_path / "names.txt", **options)
    return campaign.report()


def findings(report):
    """Say what is found of each cell that does not simply work."""
    quiet = {"clear", "not-shown"}
    return {(one.called, one.transport, one.network.place): (one.finding, one.mechanism) for one in report.of()
            if one.finding not in quiet}  # fmt: skip


def test_rows_add_tries_up(tmp_path):
    """By place, system, what was tried and five minutes, against one look at each try."""
    path = lines(tmp_path / "in" / "m.jsonl", MODERN, *visits(2, tls="connection_reset"),
                 visit(NAMES[0], address(0), 0.01, asn="AS7", probe_cc="DE", tcp="generic_timeout_error"))  # fmt: skip
    Campaign(tmp_path / "s").collect(path)
    found, expected = read_measurements(path), Counter()
    told = list(found.measurements.rows())
    for tries, control in ((found.tries, False), (found.controls, True)):
        for one in tries.rows():
            measurement, transport, name = told[one.measurement], one.transport, one.name
            if transport == TCP or (one.at_opening and transport in {HTTP, TLS}):
                transport, name = {80: HTTP, 443: TLS}[one.port], ""
            country = "".join(map(chr, divmod(measurement.country, 256)))
            where = (CONTROL, None, None) if control else (country, measurement.asn, country)
            server = one.low or (measurement.resolver_asn if transport == DNS and not control else 0)
            key = (*where, TRANSPORTS[transport], name, server, int(one.time) // BIN_NS, STATES[one.state])
            expected[key] += 1
    services = Counter()
    for row in rows(tmp_path / "s"):
        where = row["place"], row["asn"], row["country"], row["transport"], row["bin"].value // BIN_NS
        services.update({(*where, state): row[state] for state in STATES if row[state]})
        assert (row["clients"], row["vantage"], row["mechanism"]) == (1, "client", None)
        assert row["probability"] < 0.05
        assert len(row["frames"]) == len(row["states"])
        assert {told[line - 1].time // BIN_NS for line in row["frames"]} == {row["bin"].value // BIN_NS}
    assert services == sum((Counter({(*key[:4], *key[6:]): count}) for key, count in expected.items()), Counter())
    assert len(rows(tmp_path / "s")) == len({key[:-1] for key in expected} | {key[:7] for key in expected})
    (entry,) = rows(tmp_path / "s", "captures")
    assert (entry["kind"], entry["state"], entry["packets"], entry["place"]) == ("measurements", "judged", None, None)
    assert (entry["first"].value, entry["last"].value) == (min(one.time for one in told), max(one.time for one in told))


def test_marks_are_those_of_lookups_and_certificates(tmp_path):
    """What names resolved to here and at the control, or that one is no name, who signed, and of which key.

    The latter two are told by rule.
    """
    Campaign(tmp_path / "s").collect(lines(tmp_path / "in" / "m.jsonl", MODERN))
    marks = rows(tmp_path / "s", "marks")
    told = {(one["place"], one["kind"], one["value"], one["count"], one["frame"]) for one in marks}
    answers = {("answer", value) for value in ("192.0.2.80", "2001:db8::80", "NXDOMAIN")}
    probe = answers | {("issuer", None), ("key", None)}
    control = {("answer", f"192.0.2.{value}") for value in (80, 81, 82)}
    assert told == {("IT", *one, 1, 1) for one in probe} | {(CONTROL, *one, 1, 1) for one in control}
    units = {row["unit"] for row in rows(tmp_path / "s") if row["name_key"]}
    assert {one["unit"] for one in marks} <= units


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({}, {("IT", 30722, "IT"), ("here", None, None)}),
        ({"place": "home"}, {("home", 30722, "IT"), ("home", None, None)}),
        ({"manifest": "path,place,asn,country\nin,den,64500,DE\n"}, {("den", 64500, "DE")}),
        ({"manifest": "path,place\nin/*.jsonl,den\n"}, {("den", 30722, "IT"), ("den", None, None)}),
    ],
)
def test_a_probe_is_where_it_was_told_to_be(tmp_path, told, where):
    """By the call or the manifest, else in its country; system and country are its own where nobody tells them."""
    lines(tmp_path / "in" / "m.jsonl", MODERN, measured(MODERN["test_keys"], probe_asn="AS0", probe_cc="ZZ"))
    paths = tmp_path / "in"
    if "manifest" in told:
        (tmp_path / "m.csv").write_text(told["manifest"], encoding="utf-8")
        paths, told = (), {"manifest": tmp_path / "m.csv"}
    assert Campaign(tmp_path / "s").collect(paths, **told).judged == 1
    found = {(row["place"], row["asn"], row["country"]) for row in rows(tmp_path / "s")}
    assert found == where | {(CONTROL, None, None)}
    assert len(list((tmp_path / "s" / "observations").iterdir())) == len({place for place, *_ in found})


def test_files_are_found_and_entered_once(tmp_path):
    """In folders beside captures, of one content also compressed; other JSON is no capture, and damage is noted."""
    write(tmp_path / "in", 1)
    first = lines(tmp_path / "in" / "a.jsonl", MODERN, MODERN)
    (tmp_path / "in" / "b.jsonl.gz").write_bytes(gzip.compress(first.read_bytes()))
    (tmp_path / "in" / "c.json").write_text(json.dumps(MODERN, indent=1), encoding="utf-8")
    lines(tmp_path / "in" / "d.jsonl", MODERN, "{", '{"test_keys": 1}', MODERN)
    lines(tmp_path / "in" / "e.jsonl", '{"test_keys": {}}')
    packed = gzip.compress("\n".join(json.dumps(MODERN) for _ in range(300)).encode())
    (tmp_path / "in" / "f.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "in" / "other.json").write_text('{"a": 1}', encoding="utf-8")
    told = []
    counts = Campaign(tmp_path / "s").collect(tmp_path / "in", told=told.append)
    assert (counts.judged, counts.errors, counts.again, counts.skipped) == (5, 1, 1, 1)
    (bad,) = (one for one in told if one.state == "error")
    assert bad.path.endswith("e.jsonl")
    assert "it does not tell when it began" in bad.message
    notes = {row["path"][-7:]: row["notes"] for row in rows(tmp_path / "s", "captures") if row["notes"]}
    assert notes == {"d.jsonl": ["ooni.lines"], "in/f.gz": ["ooni.cut"]}
    assert Campaign(tmp_path / "s").collect(tmp_path / "in").known == 7
    assert Campaign(tmp_path / "s").collect(tmp_path / "in" / "other.json").errors == 1


@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_a_short_file_that_is_cut_off_is_no_broken_capture(tmp_path, kept):
    """Its entry notes it, or says in which line it ends where nothing could be read."""
    packed = gzip.compress("\n".join(json.dumps(visit(f"{n}.example", address(n))) for n in range(5)).encode())
    (tmp_path / "m.jsonl.gz").write_bytes(packed[: int(len(packed) * kept)])
    counts = Campaign(tmp_path / "s").collect(tmp_path)
    (entry,) = rows(tmp_path / "s", "captures")
    if kept > 0.5:
        assert (counts.judged, entry["kind"], entry["notes"]) == (1, "measurements", ["ooni.cut"])
        assert rows(tmp_path / "s")
    else:
        assert (counts.errors, entry["state"]) == (1, "error")
        assert "it ends too early, line 1: " in entry["message"]


class CrashError(BaseException):
    """The power fails."""


def test_a_crash_loses_nothing(tmp_path, monkeypatch):
    """Whenever it comes, the next call makes the store what it would be, parts of several places included."""
    two = (visit(NAMES[0], address(0), probe_cc=country) for country in ("IT", "DE"))
    paths = [lines(tmp_path / "in" / "m.jsonl", *two)]
    Campaign(tmp_path / "whole").collect(paths)
    expected, real, crashes = (observations(tmp_path / "whole"), entries(tmp_path / "whole")), store.synced, 0
    for crash in range(2, 26, 4):
        left = [crash]

        def failing(folder, left=left):
            real(folder)
            left[0] -= 1
            if left[0] < 0:
                raise CrashError

        place = tmp_path / f"{crash}"
        with monkeypatch.context() as patched:
            patched.setattr(store, "synced", failing)
            patched.setattr(parts, "synced", failing)
            try:
                Campaign(place).collect(paths)
            except CrashError:
                crashes += 1
        Campaign(place).collect(paths)
        assert (observations(place), entries(place)) == expected
    assert crashes >= 4


def test_no_address_of_a_probe_is_in_a_store(tmp_path):
    """Nor that of its resolver, which may be its own, nor an input, nor a server that was made up."""
    one = visit(
        "a.example", "192.0.2.1", probe_ip="203.0.113.77", resolver_ip="203.0.113.78", input="https://a.example/who"
    )
    one["test_keys"] |= {"client_resolver": "203.0.113.79"}
    one["test_keys"]["requests"].append({"failure": None, "request": {"url": "http://b.example/"}, "response": {}})
    Campaign(tmp_path / "s").collect(lines(tmp_path / "in" / "m.jsonl", one))
    texts = [str(parquet.read_table(file).to_pylist()) for file in (tmp_path / "s").rglob("*.parquet")]
    assert not [text for text in texts if "203.0.113.7" in text or "who" in text or "fd00:" in text]
    seen = [row for file in (tmp_path / "s").glob("private/seen/*") for row in parquet.read_table(file).to_pylist()]
    assert {row["text"] for row in seen if row["kind"] == "name"} == {"a.example", "b.example"}
    assert {row["place"] for row in seen} == {"IT"}


@pytest.mark.parametrize(
    ("networks", "listed", "told"),
    [
        ([("AS1", "IT")], False, False),
        ([("AS1", "IT")], True, True),
        ([(f"AS{number}", "IT") for number in range(1, 5)], False, False),
        ([(f"AS{number}", "IT") for number in range(1, 6)], False, True),
        ([("AS1", "IT"), ("AS1", "DE")], False, True),
    ],
)
def test_names_are_told_by_the_rule(tmp_path, networks, listed, told):
    """Two places or five systems met them, or they are listed; the test helper meets nobody's names."""
    path = lines(
        tmp_path / "in" / "m.jsonl", *(visit(NAMES[0], address(0), asn=asn, probe_cc=cc) for asn, cc in networks)
    )
    (tmp_path / "names.txt").write_text(NAMES[0], encoding="utf-8")
    Campaign(tmp_path / "s").collect(path, names=tmp_path / "names.txt" if listed else None)
    assert bool(rows(tmp_path / "s", "names")) is told


def test_what_the_control_reaches_and_the_probe_does_not(tmp_path):
    """Silence for one name of many, hour after hour, is a block; the cell says which lines tell of it."""
    report = judged(tmp_path, *visits(tls="generic_timeout_error"))
    assert findings(report) == {(NAMES[0], "tcp/tls", "IT"): ("blocked", "tcp.drop")}
    (cell,) = report.of("blocked")
    (shown,) = {one.lines for one in cell.shown if one.states == ("silent",) and one.lines == (1,)}
    assert shown == (1,)
    assert (cell.there.networks, cell.there.answered, cell.there.failed) == (1, 6, 0)
    text = "\n".join(laid_out(campaign_text(report)))
    assert "line 1 (silent) of" in text
    (line,) = (json.loads(one) for one in netinterf.export.campaign.campaign_lines(report) if '"type": "cell"' in one)
    assert {tuple(one["frames"]) for one in line["shown"]} == {()}
    assert [1] in [one["lines"] for one in line["shown"]]


def test_what_is_down_for_both_is_nobodys_fault(tmp_path):
    """Neither here nor at the control."""
    report = judged(tmp_path, *visits(tls="generic_timeout_error", control="generic_timeout_error"))
    assert findings(report) == {(NAMES[0], "tcp/tls", place): ("down", None) for place in ("IT", CONTROL)}


def test_the_control_is_never_accused_of_a_block(tmp_path):
    """A server that turns test helpers away is no finding: nobody interferes there."""
    report = judged(tmp_path, *visits(8, control="generic_timeout_error"))
    assert {finding for finding, _ in findings(report).values()} == {"fails"}
    assert {place for *_, place in findings(report)} == {CONTROL}


def test_forged_answers_contradict_the_control(tmp_path):
    """One address for names that the control finds at many is a forger's, of the network's own resolver."""
    forged = {"answer": "203.0.113.9", "tls": "ssl_invalid_hostname", "blocking": "dns"}
    report = judged(tmp_path, *visits(**forged, count=6))
    assert findings(report) == {(name, "dns", "IT"): ("blocked", "dns.forged") for name in NAMES[:6]}
    for cell in report.of("blocked"):
        assert cell.answers > 0
        assert "answered as hardly any" in cell.explanation
        assert "failed" not in cell.explanation
        assert cell.shown[0].states[0] in {"answered", "heard"}


@pytest.mark.parametrize("answer", ["0.0.0.0", "127.0.0.1", "203.0.113.9"])
def test_addresses_of_no_host_are_denials(tmp_path, answer):
    """All filters agree on them, so that they tell nothing of a list that several networks share."""
    forged = {"answer": answer, "tls": "ssl_invalid_hostname", "blocking": "dns"}
    report = judged(tmp_path, *visits(**forged, count=6))
    answers = report.loaded.answers
    assert answers.denied.any() == (answer != "203.0.113.9")
    assert np.count_nonzero(answers.denied) in {0, 18}
    assert findings(report) == {(name, "dns", "IT"): ("blocked", "dns.forged") for name in NAMES[:6]}


def test_a_silence_after_odd_answers_began_when_it_began(tmp_path):
    """What is told is that lookups fail; when answers were odd first is of no concern then."""
    forged = {"answer": "203.0.113.9", "tls": "ssl_invalid_hostname", "blocking": "dns"}
    odd_from, silent_from = 4 * len(NAMES), 6 * len(NAMES)
    tried = visits(4) + visits(20, **forged, count=6)[odd_from:]
    for number, one in enumerate(tried[silent_from:]):
        if number % len(NAMES) < 6:
            keys = one["test_keys"]
            keys |= {"tcp_connect": [], "tls_handshakes": [], "requests": []}
            keys["queries"][0] |= {"answers": None, "failure": "generic_timeout_error"}
    report = judged(tmp_path, *tried)
    assert findings(report) == {(name, "dns", "IT"): ("blocked", "dns.drop") for name in NAMES[:6]}
    for cell in report.of("blocked"):
        assert cell.answers > 0
        assert cell.began is not None
        assert round((cell.began.likely - report.summary.first) / HOUR_NS) == 6
        assert cell.shown[0].states[0] == "silent"


def denied(one, failure="dns_nxdomain_error", **how):
    """Have the name of a visit be none, as the probe says; its test helper may have given up as well."""
    keys = one["test_keys"]
    keys["queries"][0] |= {"answers": None, "failure": failure, **how}
    keys |= {"tcp_connect": [], "tls_handshakes": [], "requests": [], "blocking": "dns"}
    return one


def test_names_that_are_denied_contradict_the_control(tmp_path):
    """As forged addresses do; one that the test helper finds nowhere either is no name."""
    every = visits()
    for number in range(len(every)):
        if number % len(NAMES) < 6:
            denied(every[number])
        if number % len(NAMES) == 5:
            every[number]["test_keys"]["control"] = {"dns": {"failure": "dns_name_error", "addrs": []}}
    report = judged(tmp_path, *every)
    assert findings(report) == {(name, "dns", "IT"): ("blocked", "dns.forged") for name in NAMES[:5]}
    names = {row["unit"]: row["name_key"] for row in rows(tmp_path / "judged")}
    told = {
        (row["place"], names[row["unit"]]) for row in rows(tmp_path / "judged", "marks") if row["value"] == "NXDOMAIN"
    }
    assert Counter(place for place, _ in told) == {"IT": 6, CONTROL: 1}


@pytest.mark.parametrize(
    ("how", "control", "count"),
    [
        ({}, True, 1),  # whoever fetched the control was on the network
        ({}, False, 0),  # a system says so without a network, too
        ({"resolver_address": "198.51.100.9:53"}, False, 1),
        ({"failure": "dns_no_answer"}, True, 0),  # the name exists
        ({"failure": "dns_servfail_error"}, True, 0),
        ({"failure": "android_dns_cache_no_data"}, True, 0),  # whatever failed
    ],
)
def test_no_such_name_is_an_answer_of_whoever_gave_it(tmp_path, how, control, count):
    """Where somebody did: of the system's resolver that is not known by itself."""
    one = denied(visit(NAMES[0], address(0)), **how)
    if not control:
        del one["test_keys"]["control"]
    Campaign(tmp_path / "s").collect(lines(tmp_path / "in" / "m.jsonl", one))
    found = [row for row in rows(tmp_path / "s", "marks") if row["place"] == "IT"]
    assert [(row["kind"], row["value"], row["frame"]) for row in found] == [("answer", "NXDOMAIN", 1)] * count


def test_a_denial_is_stored_as_packets_show_it(tmp_path):
    """The same marks of a capture and of what a probe would have written beside it."""
    question = dns.DNS(id=7, rd=1, qd=dns.DNSQR(qname=NAMES[0]))
    ask = IP(src="10.0.0.1", dst="192.0.2.53") / UDP(sport=5353, dport=53) / question
    denial = dns.DNS(id=7, qr=1, rcode=3, qd=question.qd)
    reply = IP(src="192.0.2.53", dst="10.0.0.1") / UDP(sport=53, dport=5353) / denial
    path = tmp_path / "c.pcap"
    write_pcap(path, [10**18, 10**18 + 10**7], [bytes(ask), bytes(reply)], 101)
    netinterf.export.ooni(netinterf.scan(path), tmp_path / "m.jsonl", everything=True)
    marks, tried = [], []
    for number, source in enumerate((path, tmp_path / "m.jsonl")):
        Campaign(tmp_path / f"s{number}").collect(source, place="a")
        marks.append([(row["kind"], row["value"], row["bin"]) for row in rows(tmp_path / f"s{number}", "marks")])
        tried.append([(row["transport"], row["answered"]) for row in rows(tmp_path / f"s{number}")])
    assert marks[0] == marks[1] == [("answer", "NXDOMAIN", marks[0][0][2])]
    assert tried[0] == tried[1] == [("dns", 1)]


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """A capture in which a name meets silence that packets alone do not explain, and the name."""
    played = run("tcp.drop.ecofilter-name", 3, Conditions.clean())
    path = tmp_path_factory.mktemp("silent") / "silent.pcap"
    write_pcap(path, played.times, played.frames, played.link_type, lengths=played.lengths)
    result = netinterf.scan(path)
    down = {verdict.subject.name for verdict in result.verdicts if verdict.outcome == "down"}
    (name,) = down
    return path, name, result


@pytest.mark.parametrize("alive", [True, False])
def test_a_capture_is_judged_with_the_control(tmp_path, silent, alive):
    """Whether the page lives elsewhere decides what a silence means that the capture leaves open."""
    path, silenced, result = silent
    pages = {verdict.subject.name for verdict in result.verdicts if verdict.subject.kind == "flow"}
    began = datetime.fromtimestamp(result.captures[0].first // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    failure = {name: None if alive or name != silenced else "generic_timeout_error" for name in pages}
    control = [
        measured({"control": {"http_request": {"failure": failure[name], "status_code": 200}}},
                 input=f"http://{name}/", measurement_start_time=began)
        for name in sorted(pages)
    ]  # fmt: skip
    (tmp_path / "names.txt").write_text("\n".join(pages), encoding="utf-8")
    campaign, cells = Campaign(tmp_path / "s"), []
    for paths in (path, lines(tmp_path / "in" / "m.jsonl", *control)):
        campaign.collect(paths, place="home", names=tmp_path / "names.txt")
        cells.append({one.name: one for one in campaign.report().of() if one.network.place == "home"}[silenced])
    alone, together = cells
    assert alone.finding in {"fails", "suspected"}
    assert alone.there.networks == 0
    assert together.there.networks == 1
    assert (together.probability > max(alone.probability, 0.5)) if alive else together.finding == "down"


def test_what_packets_show_counts_once(tmp_path):
    """A probe's word for what a capture of its place shows is left out; that of another place is not."""
    capture = FOLDER / "tcp.reset.pcap.gz"
    netinterf.export.ooni(netinterf.scan(str(capture)), tmp_path / "m.jsonl", everything=True)
    counts = {}
    for name, places in {"capture": ["a"], "same": ["a", "a"], "apart": ["a", "b"]}.items():
        for path, place in zip((capture, tmp_path / "m.jsonl"), places, strict=False):
            Campaign(tmp_path / name).collect(path, place=place)
        counts[name] = tried(Campaign(tmp_path / name).report())
    assert counts["same"]["a"] == counts["capture"]["a"]
    assert counts["apart"]["a"] == counts["capture"]["a"]
    assert counts["apart"]["b"]["tcp/http"] == counts["capture"]["a"]["tcp/http"]
    assert len(observations(tmp_path / "same")) > len(observations(tmp_path / "capture"))


def tried(report: Report):
    """Count attempts by place and transport."""
    found: dict[str, Counter[str]] = {}
    for one in report.of():
        found.setdefault(one.network.place, Counter())[one.transport] += one.here.known + one.here.heard
    return found


def test_a_place_of_one_network_is_one(tmp_path):
    """A capture shows private addresses, and the probe beside it tells its system: they are of one network."""
    (path,) = write(tmp_path / "in", 1)
    Campaign(tmp_path / "s").collect([path, lines(tmp_path / "m" / "m.jsonl", MODERN)], place="home")
    assert {row["asn"] for row in rows(tmp_path / "s")} == {None, 30722}
    networks = Campaign(tmp_path / "s").report().summary.networks
    assert {(one.place, one.asn, one.country) for one in networks} == {("home", 30722, "IT"), (CONTROL, None, None)}


def test_a_store_of_before_is_read(tmp_path):
    """Parts without the column that came later: nothing is known of it there, and more can be added."""
    (path,) = write(tmp_path / "in", 1)
    Campaign(tmp_path / "s").collect(path)
    (part,) = (tmp_path / "s" / "captures").iterdir()
    parquet.write_table(parquet.read_table(part).drop_columns(["kind"]), part)
    before = np.sum([row["answered"] for row in rows(tmp_path / "s")])
    assert [row["kind"] for row in rows(tmp_path / "s", "captures")] == [None]
    assert Campaign(tmp_path / "s").report().summary.captures == 1
    Campaign(tmp_path / "s").collect(lines(tmp_path / "m" / "m.jsonl", MODERN))
    assert {row["kind"] for row in rows(tmp_path / "s", "captures")} == {None, "measurements"}
    assert np.sum([row["answered"] for row in rows(tmp_path / "s")]) > before
    assert len(Campaign(tmp_path / "s").report())
