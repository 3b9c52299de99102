"""Tries of probes become attempts that a capture would show, one by one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netinterf.context.networks import KnownNetworks
from netinterf.observations.attempts import TRANSPORTS, Attempts, State
from netinterf.ooni import Measured, read_measurements
from netinterf.ooni.attempts import attempts_in, is_stand_in, resolvers_of
from netinterf.trace import host_text
from netinterf.verdict.model import default_model
from tests.unit.ooni.written import MODERN, address, connected, measured, visit


def read(tmp_path: Path, *measurements: Any) -> Measured:
    """Write measurements, and read them."""
    path = tmp_path / "report.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in measurements), encoding="utf-8")
    return read_measurements(path)


def probes(found: Measured) -> Attempts:
    """Give what probes tried, each of its own system."""
    asn = np.where(found.measurements.asn > 0, found.measurements.asn.astype(np.int64), -1)
    return attempts_in(found.measurements, found.tries, asn, default_model())


def shown(attempts: Attempts) -> list[tuple[Any, ...]]:
    """Write attempts in words, without servers that were made up."""
    made_up = is_stand_in(attempts)
    return [
        (TRANSPORTS[row.transport], row.name, "" if made_up[place] else host_text(row.high, row.low), row.port,
         State(row.state).name, row.at_opening)
        for place, row in enumerate(attempts.rows())
    ]  # fmt: skip


def test_things_are_called_as_a_capture_shows_them(tmp_path: Path) -> None:
    """What was never opened, or not used, is an attempt at a server over what its port is for, and has no name."""
    name, found = "www.example.com", read(tmp_path, MODERN)
    assert shown(probes(found)) == [
        ("dns", name, "", 53, "ANSWERED", False),
        ("dns", name, "198.51.100.9", 53, "ANSWERED", False),
        ("tcp/tls", name, "192.0.2.80", 443, "ANSWERED", False),
        ("tcp/tls", "", "2001:db8::80", 443, "SILENT", True),
        ("tcp/http", name, "192.0.2.80", 80, "HEARD", False),
        ("tcp/http", "", "192.0.2.81", 80, "BROKEN", True),
        ("tcp/tls", name, "192.0.2.82", 443, "BROKEN", False),
        ("quic", name, "192.0.2.80", 443, "SILENT", True),
    ]
    control = attempts_in(found.measurements, found.controls, np.full(1, -1), default_model())
    assert shown(control) == [
        ("dns", name, "", 53, "ANSWERED", False),
        ("tcp/tls", "", "192.0.2.80", 443, "ANSWERED", False),
        ("tcp/tls", "", "2001:db8::80", 443, "SILENT", True),
        ("tcp/http", "", "192.0.2.81", 80, "UNKNOWN", False),
        ("tcp/tls", name, "192.0.2.80", 443, "ANSWERED", False),
        ("tcp/tls", name, "", 443, "ANSWERED", False),
    ]
    assert (control.asn == -1).all()


def test_nobody_lives_at_some_addresses(tmp_path: Path) -> None:
    """What a name was falsely answered is no server, nor is one of which neither name nor address is known."""
    keys = {
        "tcp_connect": [connected(ip, 443, 0, "connection_refused") for ip in ("127.0.0.1", "0.0.0.0", "192.0.2.1")],
        "queries": [{"answers": None, "engine": "udp", "failure": None, "hostname": "a.example",
                     "resolver_address": "127.0.0.1:53"}],
        "requests": [{"failure": "eof_error", "request": {"url": "http://192.0.2.1/"}}],
    }  # fmt: skip
    assert [row[:3] for row in shown(probes(read(tmp_path, measured(keys))))] == [
        ("dns", "a.example", "127.0.0.1"),
        ("tcp/tls", "", "192.0.2.1"),
    ]


@pytest.mark.parametrize(
    ("blocking", "lookup", "page", "signed"),
    [
        (False, "ANSWERED", "ANSWERED", "ANSWERED"),
        ("http-diff", "ANSWERED", "HEARD", "ANSWERED"),
        ("dns", "HEARD", "HEARD", "ANSWERED"),
    ],
)
def test_what_the_probe_holds_false_is_no_answer(
    tmp_path: Path, blocking: Any, lookup: str, page: str, signed: str
) -> None:
    """Somebody spoke, but did not give what was asked for; who shows the certificate is believed."""
    one = visit("a.example", "192.0.2.1", blocking=blocking)
    plain = {
        "failure": None,
        "address": "192.0.2.1:80",
        "request": {"url": "http://a.example/"},
        "response": {"code": 200},
    }
    one["test_keys"]["requests"].append(plain)
    states = {row[0]: row[4] for row in shown(probes(read(tmp_path, one)))}
    assert states == {"dns": lookup, "tcp/http": page, "tcp/tls": signed}


def test_servers_that_are_not_told_are_of_one_network(tmp_path: Path) -> None:
    """Equal in each measurement of a network, and others for other names, networks and resolvers."""
    request = {"failure": None, "request": {"url": "http://a.example/"}, "response": {"code": 200}}
    lookup = {"answers": [address("A", "192.0.2.1")], "failure": None, "hostname": "a.example", "resolver_address": ""}
    keys = {"requests": [request], "queries": [lookup]}
    other = {"requests": [request | {"request": {"url": "http://b.example/"}}], "queries": []}
    found = read(
        tmp_path, measured(keys), measured(keys, report_id="again"), measured(other), measured(keys, probe_asn="AS1"),
        measured(keys, resolver_asn="AS15169"),
    )  # fmt: skip
    attempts = probes(found)
    assert is_stand_in(attempts).all()
    where = list(zip(attempts.high.tolist(), attempts.low.tolist(), strict=True))
    lookups, pages = where[0::2][:2] + where[5::2], where[1:4:2] + where[4:7:2] + where[8:]
    assert lookups[0] == lookups[1]
    assert len(set(lookups)) == 3
    assert pages[0] == pages[1] == pages[4]
    assert len(set(pages)) == 3
    assert attempts.capture.tolist()[:4] == [attempts.capture[0]] * 2 + [attempts.capture[2]] * 2
    assert attempts.capture[0] != attempts.capture[2]
    owners = KnownNetworks((resolvers_of(found.measurements, found.tries, attempts),))
    told = owners.whose(attempts.high, attempts.low).asn[attempts.transport == TRANSPORTS.index("dns")]
    assert told.tolist() == [137, 137, 137, 15169]
