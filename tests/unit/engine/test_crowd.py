"""Of a flood a crowd is listed and all is counted; whoever showed something is listed in any case."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Raw

from benchmarks.mixes.catalogue import made
from netinterf.capture import Listing, write_pcap
from netinterf.engine.crowd import UNLISTED, beyond
from netinterf.engine.extract import read_all_again
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.engine.large import judge_large
from netinterf.engine.options import Options
from netinterf.engine.scan import scan
from netinterf.export.jsonl import lines
from netinterf.export.ooni import measurements
from netinterf.trace import read

RAW = 101
FEW = 256
"""Listed of each kind in these tests."""


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """List few."""
    monkeypatch.setattr("netinterf.engine.large.crowd_of", lambda _: FEW)


def flood(path: Path, packets: list[Any], among: Path | None = None) -> bytes:
    """Write packets a millisecond apart, after those of another capture."""
    frames, times, link = [bytes(packet) for packet in packets], np.arange(len(packets)) * 10**6, RAW
    if among is not None:
        trace = read(among)
        link = trace.interfaces[0].link_type
        whole = trace.buffer.tobytes()
        rows = zip(trace.packets.at.tolist(), trace.packets.captured.tolist(), strict=True)
        others = [whole[at : at + size] for at, size in rows]
        head = others[0][: len(others[0]) - len(others[0][int(trace.packets.ip_at[0]) :])]
        frames = others + [head + frame for frame in frames]
        times = np.append(trace.packets.time, trace.packets.time.max() + times)
    write_pcap(path, times, frames, link)
    return path.read_bytes()


def parts(data: bytes, room: int) -> Judged:
    """Judge a capture in shards of so many packets."""
    listing = Listing(io.BytesIO(data))
    return judge_large(listing, list(listing.parts()), Options(), "x", room=room)


def counts(judged: Judged) -> tuple[Any, ...]:
    """Give what the summary counts."""
    return judged.summary.packets, judged.summary.flows, judged.summary.exchanges, judged.summary.outcomes


def unlisted(judged: Judged) -> int:
    """Give how many conversations are not listed."""
    return sum(note.count for note in judged.summary.diagnostics if note.code == UNLISTED)


def accused(judged: Judged) -> Counter[str]:
    """Give who was accused of what, in how many conversations."""
    told = (json.loads(line) for line in lines(judged, everything=True))
    return Counter(str((line["subject"], line["grade"])) for line in told if line.get("outcome") == "interfered")


def test_a_flood_is_counted_and_hides_nobody(tmp_path: Path) -> None:
    """Whom somebody interfered with is found among thousands of other sources, and the sums are those of the whole."""
    syns = [
        IP(src=f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}", dst="192.0.2.80")
        / TCP(sport=1024 + number, dport=443, flags="S", seq=number)
        for number in range(4_000)
    ]
    data = flood(tmp_path / "flood.pcap", syns, made("forged resets", 3_000, folder=tmp_path))
    whole, shards = judge(io.BytesIO(data), name="x"), parts(data, 4_000)
    assert counts(shards) == counts(whole)
    assert 0 < unlisted(shards) == len(whole.ledger.flows) - len(shards.ledger.flows)
    assert accused(shards) == accused(whole) != Counter()
    at_server = Counter(shards.ledger.flows.server_port.tolist())
    assert at_server[443] >= FEW


def test_rows_are_those_of_what_is_listed(tmp_path: Path) -> None:
    """Packets of findings and groups are found again beside a flood, and so is all that is exported."""
    syns = [
        IP(src=f"198.18.{number // 256}.{number % 256}", dst="192.0.2.80")
        / TCP(sport=1024 + number, dport=443, flags="S", seq=number)
        for number in range(2_000)
    ]
    path = tmp_path / "flood.pcap"
    data = flood(path, syns, made("forged resets", 3_000, folder=tmp_path))
    whole = scan(path)
    judged = attrs.evolve(parts(data, 4_000), source=str(path))
    result = attrs.evolve(whole, judged=(judged,))
    assert unlisted(judged)
    assert len(read_all_again(judged).flows) == len(judged.ledger.flows)
    expected = {str(verdict.subject): verdict for verdict in whole.findings}
    compared = 0
    for verdict in result.findings:
        if str(verdict.subject) not in expected:
            continue
        mine, theirs = io.BytesIO(), io.BytesIO()
        result.extract(verdict, mine)
        whole.extract(expected[str(verdict.subject)], theirs)
        assert mine.getvalue() == theirs.getvalue()
        compared += 1
    assert compared > 10
    assert sum(1 for _ in measurements(judged)) == sum(1 for _ in measurements(whole.judged[0]))


def test_a_sweep_of_one_client_is_counted_as_well(tmp_path: Path) -> None:
    """One packet each to thousands of servers: no more of them is listed than of a flood."""
    sweep = [
        IP(src="10.0.0.1", dst=f"203.0.{number // 250}.{number % 250}") / UDP(sport=5000, dport=161) / Raw(b"x" * 30)
        for number in range(2_000)
    ]
    data = flood(tmp_path / "sweep.pcap", sweep)
    whole, shards = judge(io.BytesIO(data), name="x"), parts(data, 10_000)
    assert counts(shards) == counts(whole)
    assert unlisted(shards) == 2_000 - FEW


def test_where_a_client_is_looked_at_in_windows_all_are_listed(tmp_path: Path) -> None:
    """A single packet of a window may be a piece of a conversation that goes on."""
    sweep = [
        IP(src="10.0.0.1", dst=f"203.0.{number // 250}.{number % 250}") / UDP(sport=5000, dport=161) / Raw(b"x" * 30)
        for number in range(2_000)
    ]
    listing = Listing(io.BytesIO(flood(tmp_path / "sweep.pcap", sweep)))
    shards = judge_large(listing, list(listing.parts()), Options(), "x", room=900, most=900)
    assert len(shards.ledger.flows) == shards.summary.flows == 2_000
    assert not unlisted(shards)


def test_conversations_of_more_than_one_packet_are_listed(tmp_path: Path) -> None:
    """A second packet may be what matters."""
    twice = [
        IP(src=f"10.1.{number // 250}.{number % 250}", dst="192.0.2.80") / UDP(sport=5000, dport=161) / Raw(b"x" * 30)
        for number in range(400)
        for _ in range(2)
    ]
    data = flood(tmp_path / "twice.pcap", twice)
    shards = parts(data, 100_000)
    assert len(shards.ledger.flows) == 400
    assert not unlisted(shards)


@given(st.lists(st.integers(0, 4), max_size=40), st.integers(1, 5))
def test_the_first_of_a_kind_come_before(keys: list[int], most: int) -> None:
    """A slow twin counts one by one."""
    seen = Counter[int]()
    expected = []
    for key in keys:
        expected.append(seen[key] >= most)
        seen[key] += 1
    assert beyond(np.array(keys, np.int64), most).tolist() == expected
