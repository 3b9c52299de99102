"""Measurements as OONI documents them, of probes old and new, become attempts and what the test helper saw."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netinterf
from netinterf.context.networks import country_letters
from netinterf.errors import UnknownFormat, UnreadableSource
from netinterf.observations.attempts import TRANSPORTS, State
from netinterf.ooni import is_ooni, read_measurements, read_parts
from netinterf.ooni.attempts import attempts_in
from netinterf.ooni.reading import row_of, tables_of
from netinterf.ooni.tables import Measured, Tries
from netinterf.trace import host_text
from netinterf.verdict.model import default_model
from tests.unit.ooni.written import ISSUER, KEY, MODERN, START_NS, address, connected, measured


def rows(tries: Tries) -> list[tuple[Any, ...]]:
    """Write a table in words."""
    return [
        (TRANSPORTS[row.transport], row.name, host_text(row.high, row.low) if row.low or row.high else "", row.port,
         State(row.state).name, row.at_opening, row.status)
        for row in tries.rows()
    ]  # fmt: skip


def read(tmp_path: Path, *measurements: Any) -> Measured:
    """Write measurements, and read them."""
    path = tmp_path / "report.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in measurements), encoding="utf-8")
    return read_measurements(path)


def test_a_probe_of_today(tmp_path: Path) -> None:
    """Every operation is in one row, each connection with all that was done over it; secret lookups are left out."""
    found, name = read(tmp_path, MODERN), "www.example.com"
    assert rows(found.tries) == [
        ("dns", name, "", 0, "ANSWERED", False, -1),
        ("dns", name, "198.51.100.9", 53, "ANSWERED", False, -1),
        ("tcp/tls", name, "192.0.2.80", 443, "ANSWERED", False, 200),
        ("tcp/tls", name, "2001:db8::80", 443, "SILENT", True, -1),
        ("tcp/http", name, "192.0.2.80", 80, "HEARD", False, -1),
        ("tcp/http", name, "192.0.2.81", 80, "BROKEN", True, -1),
        ("tcp/tls", name, "192.0.2.82", 443, "BROKEN", False, -1),
        ("quic", name, "192.0.2.80", 443, "SILENT", True, -1),
    ]
    tries = found.tries
    given = zip(tries.answer_high[0].tolist(), tries.answer_low[0].tolist(), strict=True)
    assert [host_text(high, low) for high, low in given] == ["192.0.2.80", "2001:db8::80"]
    assert tries.answer_high.lengths.tolist()[1:] == [0] * 7
    assert (tries.failure[1], tries.resolver[1]) == ("dns_nxdomain_error", "198.51.100.9:53")
    assert (tries.time - START_NS).tolist() == [10**5, 10**5, *[25 * 10**7] * 5, 5 * 10**8]
    assert list(tries.issuer) == ["", "", ISSUER, *[""] * 5]
    assert list(tries.key) == ["", "", KEY, *[""] * 5]
    assert tries.abrupt.tolist() == [False] * 5 + [True, True, False]


def test_what_the_probe_concluded(tmp_path: Path) -> None:
    """Where, when and what was measured, and the verdict as the probe wrote it."""
    (row,) = read(tmp_path, MODERN).measurements.rows()
    assert (row.time, row.asn, country_letters(row.country), row.test) == (START_NS, 30722, "IT", "web_connectivity")
    assert (row.input, row.name, row.resolver) == ("https://www.example.com/", "www.example.com", "192.0.2.53")
    assert (row.resolver_asn, row.blocking, row.accessible) == (137, "tcp_ip", 0)
    free = read(
        tmp_path, measured({"blocking": False, "accessible": True}), measured({"blocking": None}, probe_cc="ZZ")
    )
    assert list(free.measurements.blocking) == ["false", ""]
    assert free.measurements.accessible.tolist() == [1, -1]
    assert free.measurements.country.tolist()[1] == 0


def test_names_are_those_that_were_asked_for(tmp_path: Path) -> None:
    """An input may spell a name as people write it; what is asked for is spelled in ASCII."""
    found = read(tmp_path, measured({}, input="https://Bücher.example:8443/x", report_id="r1"))
    assert (found.measurements.name[0], found.measurements.report[0]) == ("xn--bcher-kva.example", "r1")


def test_what_the_test_helper_saw(tmp_path: Path) -> None:
    """Its lookup, its connections and its page stand apart; what failed without a word is not known."""
    found, name = read(tmp_path, measured({}), MODERN), "www.example.com"
    assert rows(found.controls) == [
        ("dns", name, "", 0, "ANSWERED", False, -1),
        ("tcp", name, "192.0.2.80", 443, "ANSWERED", False, -1),
        ("tcp", name, "2001:db8::80", 443, "SILENT", True, -1),
        ("tcp", name, "192.0.2.81", 80, "UNKNOWN", False, -1),
        ("tcp/tls", name, "192.0.2.80", 443, "ANSWERED", False, -1),
        ("tcp/tls", name, "", 0, "ANSWERED", False, 200),
    ]
    assert set(found.controls.measurement.tolist()) == {1}
    assert found.controls.answer_high.lengths.tolist() == [3, 0, 0, 0, 0, 0]


def test_older_probes(tmp_path: Path) -> None:
    """Handshakes without an address, requests over connections of their own, lookups in two, words of Twisted."""
    keys = {
        "queries": [
            {"answers": [address("A", "192.0.2.80")], "engine": "system", "failure": None, "hostname": "example.com",
             "resolver_hostname": None, "resolver_address": "", "t": 0.02},
            {"answers": [], "failure": "dns_lookup_error", "hostname": "example.com", "resolver_hostname": "8.8.8.8",
             "resolver_port": 53},
        ],
        "tcp_connect": [
            {"ip": "2001:db8::80", "port": 443, "status": {"blocked": False, "success": False,
             "failure": "unknown_failure: dial tcp [scrubbed]: connect: no route to host"}, "t": 0.6},
            {"ip": "192.0.2.80", "port": 443, "status": {"failure": None, "success": True}, "t": 0.7},
            {"ip": "192.0.2.80", "port": 80, "status": {"failure": False, "success": True}},
        ],
        "tls_handshakes": [{"failure": "ssl_unknown_authority", "server_name": "example.com", "t": 1.0}],
        "requests": [
            {"failure": "response_never_received", "request": {"url": "https://www.example.com/b"}, "response": None},
            {"failure": None, "request": {"url": "http://example.com:80/"}, "response": {"code": 301}},
            {"failure": "dns_lookup_error", "request": {"url": "http://gone.example/"}},
        ],
        "control": {"http_request": {"failure": "dns_lookup_error", "status_code": -1, "body_length": -1},
                    "dns": {"failure": "dns_name_error", "addrs": []}, "tcp_connect": {}},
    }  # fmt: skip
    found, name = read(tmp_path, measured(keys, input="http://example.com", probe_asn=None)), "example.com"
    assert rows(found.tries) == [
        ("dns", name, "", 0, "ANSWERED", False, -1),
        ("dns", name, "", 0, "UNKNOWN", False, -1),
        ("tcp/tls", "", "2001:db8::80", 443, "UNKNOWN", True, -1),
        ("tcp/tls", name, "192.0.2.80", 443, "HEARD", False, -1),
        ("tcp", name, "192.0.2.80", 80, "ANSWERED", False, -1),
        ("tcp/http", name, "", 0, "ANSWERED", False, 301),
        ("tcp/tls", "www.example.com", "", 0, "HEARD", False, -1),
    ]
    assert rows(found.controls) == [
        ("dns", name, "", 0, "ANSWERED", False, -1),
        ("tcp/http", name, "", 0, "UNKNOWN", False, -1),
    ]
    assert found.measurements.asn.tolist() == [0]


def test_other_tests(tmp_path: Path) -> None:
    """Tests of apps and of QUIC have the same lists; what has none of them is a measurement without attempts."""
    telegram = measured(
        {"tcp_connect": [connected("192.0.2.50", 443, 0), connected("192.0.2.51", 5222, 0, "connection_reset")],
         "requests": [{"failure": "generic_timeout_error", "address": "192.0.2.50:443", "network": "tcp",
                       "request": {"url": "http://192.0.2.50:443/"}, "response": {}}],
         "telegram_tcp_blocking": True},
        test_name="telegram", input=None,
    )  # fmt: skip
    quic = measured(
        {"quic_handshakes": [{"address": "192.0.2.50:443", "failure": None, "server_name": "a.example", "t": 1}],
         "requests": [{"failure": None, "address": "192.0.2.50:443", "request": {"url": "https://a.example/",
                       "x_transport": "quic"}, "response": {"code": 204}}]},
        test_name="urlgetter", input="https://a.example",
    )  # fmt: skip
    found = read(tmp_path, telegram, quic, measured({"simple": {"upload": 7}}, test_name="ndt", input=""))
    assert rows(found.tries) == [
        ("tcp/http", "", "192.0.2.50", 443, "SILENT", False, -1),
        ("tcp", "", "192.0.2.51", 5222, "BROKEN", True, -1),
        ("quic", "a.example", "192.0.2.50", 443, "ANSWERED", False, 204),
    ]
    assert list(found.measurements.test) == ["telegram", "urlgetter", "ndt"]
    assert found.tries.measurement.tolist() == [0, 0, 1]
    assert not len(found.controls)


def test_files_in_every_form(tmp_path: Path) -> None:
    """Lines plain or compressed, a single measurement on many lines, and as collectors are sent them."""
    line = json.dumps(MODERN)
    forms = {
        "lines": f"{line}\n\n{line}".encode(),
        "packed": gzip.compress(f"{line}\n{line}\n".encode()),
        "wrapped": json.dumps({"format": "json", "content": MODERN}).encode() + b"\n" + line.encode(),
    }
    for name, content in {**forms, "spread": json.dumps(MODERN, indent=2).encode()}.items():
        (tmp_path / name).write_bytes(content)
        assert is_ooni(tmp_path / name)
        found = read_measurements(tmp_path / name)
        assert len(found.measurements) == (1 if name == "spread" else 2)
        assert len(found.tries) == 8 * len(found.measurements)
        assert not found.diagnostics
    both = read_measurements([tmp_path / "lines", str(tmp_path / "spread")])
    assert both.tries.measurement.tolist() == [0] * 8 + [1] * 8 + [2] * 8


def test_broken_lines_cost_themselves(tmp_path: Path) -> None:
    """What is no measurement is counted, with the first of them; a file that is cut keeps what came before."""
    broken = [
        "{",
        "null",
        "[]",
        '{"test_keys": []}',
        '{"test_keys": {}}',
        "\ufffe",
        '{"test_keys": {}, "x": ' + "[" * 10**5,
    ]
    path = tmp_path / "mixed"
    lines = [json.dumps(MODERN), *broken[1:], json.dumps(MODERN)]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = read_measurements(path)
    assert found.measurements.line.tolist() == [1, len(lines)]
    (note,) = found.diagnostics
    assert (note.code, note.count) == ("ooni.lines", 6)
    assert "line 2: it has no test_keys" in note.message
    packed = gzip.compress("\n".join(lines[:1] * 400).encode(), mtime=0)
    (tmp_path / "cut").write_bytes(packed[: len(packed) // 2])
    cut = read_measurements(tmp_path / "cut")
    assert 0 < len(cut.measurements) < 400
    assert [note.code for note in cut.diagnostics][-1] == "ooni.cut"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("count", [3, 300])
def test_a_file_that_is_cut_off_says_so_however_short(tmp_path: Path, packed: bool, count: int) -> None:
    """It is known for one of measurements, what came before is read, and the line is named in which it ends."""
    random = np.random.default_rng(1)
    line = json.dumps(measured({"x": random.bytes(4000).hex()}))  # (which hardly shrinks)
    lines = [line.replace("web_connectivity", random.bytes(2000).hex()) for _ in range(count)]
    content = "\n".join(lines).encode()
    content = gzip.compress(content) if packed else content
    path = tmp_path / "cut"
    path.write_bytes(content[:-1000])
    assert is_ooni(path)
    found = read_measurements(path)
    assert found.measurements.line.tolist() == list(range(1, count))
    (note,) = found.diagnostics
    assert (note.code, f"ends too early (line {count}: " in note.message) == ("ooni.cut", True)
    path.write_bytes(content[:5000])
    assert is_ooni(path)
    with pytest.raises(UnknownFormat, match=r"cut: it holds no OONI measurement \(it ends too early, line 1: "):
        read_measurements(path)


def test_a_last_line_of_something_else_is_not_cut_off(tmp_path: Path) -> None:
    """It is a line that is no measurement, as others are."""
    (tmp_path / "x").write_bytes(json.dumps(MODERN).encode() + b"\nthe end")
    assert [note.code for note in read_measurements(tmp_path / "x").diagnostics] == ["ooni.lines"]


def test_endless_lists_are_refused() -> None:
    """What no probe writes costs its line, not the time of whoever reads it."""
    assert outcome(json.dumps(measured({"tcp_connect": [{}] * 2000})).encode()) == "read"
    assert "more than 2,000 requests" in outcome(json.dumps(measured({"requests": [{}] * 2001})).encode())


def test_refuses_what_holds_no_measurement(tmp_path: Path) -> None:
    """Empty files, others and missing ones are errors that name the file."""
    for name, content in (("empty", b""), ("text", b"hello\n"), ("pcap", bytes.fromhex("d4c3b2a102000400") * 9)):
        (tmp_path / name).write_bytes(content)
        assert not is_ooni(tmp_path / name)
        with pytest.raises(UnknownFormat, match=f"{name}: it holds no OONI measurement"):
            read_measurements(tmp_path / name)
    (tmp_path / "damaged").write_bytes(b"\x1f\x8b" + b"\xff" * 30)
    for name in ("absent", "damaged"):
        assert not is_ooni(tmp_path / name)
        with pytest.raises(UnreadableSource, match=f"{name}: cannot be read"):
            read_measurements(tmp_path / name)


def test_many_measurements_come_in_parts(tmp_path: Path) -> None:
    """Some thousand at a time, and joined they are what was written, in its order."""
    path = tmp_path / "many"
    with path.open("w", encoding="utf-8") as file:
        for number in range(5000):
            keys = {"tcp_connect": [connected("192.0.2.80", number % 1000, 0)] * (number % 3)}
            file.write(json.dumps(measured(keys, input=f"http://n{number}.example/")) + "\n")
    parts = list(read_parts(path))
    assert [len(part.measurements) for part in parts] == [2048, 2048, 904]
    whole = Measured.joined(parts)
    assert list(whole.measurements.name) == [f"n{number}.example" for number in range(5000)]
    assert (whole.tries.port == whole.tries.measurement % 1000).all()
    assert len(whole.tries) == sum(number % 3 for number in range(5000))


def test_what_is_exported_is_read_back(tmp_path: Path) -> None:
    """The measurements that are written of a capture of resets hold attempts that were reset."""
    path = tmp_path / "reset.ooni.jsonl"
    result = netinterf.scan(str(Path(netinterf.__file__).parent / "data/examples/tcp.reset.pcap.gz"))
    netinterf.export.ooni(result, path, everything=True)
    tries = read_measurements(path).tries
    web = tries.transport == TRANSPORTS.index("tcp/http")
    assert (int((web & (tries.state == State.BROKEN)).sum()), int((web & (tries.state == State.ANSWERED)).sum())) == (
        6,
        4,
    )
    assert set(tries.name) <= {verdict.subject.name for verdict in result.verdicts}


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
        st.sampled_from(["192.0.2.1", "192.0.2.1:443", "[::1]:53", "eof_error", "\ud800", "https://[/", "AS1", "::"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_key_may_hold_anything(data: st.DataObject) -> None:
    """Whatever stands in place of some values, or is missing, the rest is read."""
    whole = json.loads(json.dumps(MODERN))
    for _ in range(data.draw(st.integers(1, 3))):
        holder: Any = whole if data.draw(st.booleans()) else whole["test_keys"]
        for _ in range(data.draw(st.integers(0, 4))):
            inner = list(holder.values() if isinstance(holder, dict) else holder)
            inner = [one for one in inner if isinstance(one, dict | list) and one]
            holder = data.draw(st.sampled_from(inner)) if inner else holder
        places = [
            place for place in (holder if isinstance(holder, dict) else range(len(holder))) if place != "test_keys"
        ]
        place = data.draw(st.sampled_from(places))
        if isinstance(holder, dict) and data.draw(st.booleans()):
            del holder[place]
        else:
            holder[place] = data.draw(JSON)
        if not isinstance(whole.get("test_keys"), dict):
            break
    assert outcome(json.dumps(whole).encode()) in {"read", "it has no test_keys", "it does not tell when it began"}


def outcome(line: bytes) -> str:
    """Read a line into tables, or say why it is no measurement."""
    try:
        row = row_of(line)
    except ValueError as cause:
        return str(cause)
    found = tables_of([row])
    assert (len(found.tries), len(found.controls)) == (len(row.tries), len(row.controls))
    for tries in (found.tries, found.controls):
        assert len(attempts_in(found.measurements, tries, np.full(1, -1), default_model())) <= len(tries)
    return "read"
