"""Shards are given a sample of what others asked the same name servers: they compare replies as the whole does."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import Raw

from netinterf.capture import Listing, write_pcap
from netinterf.decode import decode
from netinterf.engine import company
from netinterf.engine.company import Lookups, find_lookups
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.engine.large import judge_large
from netinterf.engine.options import Options
from netinterf.export.jsonl import lines

RAW = 101
SECOND = 1_000_000_000
RESOLVER = "9.9.9.9"


def written(path: Path, packets: list[Any]) -> str:
    """Write packets a tenth of a second apart."""
    write_pcap(path, np.arange(len(packets)) * SECOND // 10 + SECOND, [bytes(packet) for packet in packets], RAW)
    return str(path)


def in_shards(source: str, room: int) -> Judged:
    """Judge a capture in shards of so many packets."""
    listing = Listing(source)
    return judge_large(listing, list(listing.parts()), Options(), source, room=room)


def said(judged: Judged) -> list[tuple[Any, ...]]:
    """Tell who was judged how, and by which rules with which weights."""
    told = [json.loads(line) for line in lines(judged, everything=True)]
    return [
        (
            str(line["subject"]),
            line["outcome"],
            line["grade"],
            str(line["reasons"]),
            sorted((entry["rule"], round(entry["llr"], 6)) for entry in line["evidence"]),
        )
        for line in told
        if line["type"] == "verdict"
    ]


def asked(client: str, port: int, name: str) -> Any:
    """Make a query."""
    question = DNS(id=port % 60_000, rd=1, qd=DNSQR(qname=name))
    return IP(src=client, dst=RESOLVER, id=port) / UDP(sport=port, dport=53) / question


def answered(client: str, port: int, name: str, address: str, ttl: int) -> Any:
    """Make a reply."""
    question = DNSQR(qname=name)
    reply = DNS(id=port % 60_000, qr=1, rd=1, ra=1, qd=question, an=DNSRR(rrname=name, rdata=address, ttl=60))
    return IP(src=RESOLVER, dst=client, ttl=ttl, id=0) / UDP(sport=53, dport=port) / reply


def test_a_resolver_with_two_sites_is_known_in_every_shard(tmp_path: Path) -> None:
    """One of two answers came over another number of hops: odd beside the client's own, not beside those of others."""
    packets = []
    for client in range(40):
        address, ttl = f"10.0.{client}.9", 50 if client % 3 else 60
        for lookup in range(2):
            name, port = f"www{client}-{lookup}.example.com", 2000 + 50 * client + lookup
            packets += [asked(address, port, name), answered(address, port, name, "93.184.216.34", ttl)]
    packets += [asked("10.0.0.9", 9000, "www.example.org")]
    packets += [answered("10.0.0.9", 9000, "www.example.org", "198.41.0.4", 50)]
    packets += [answered("10.0.0.9", 9000, "www.example.org", "192.33.4.12", 60)]
    source = written(tmp_path / "sites.pcap", packets)
    whole = said(judge(source))
    assert any("dns.two_answers" in str(line) for line in whole)
    for room in (len(packets) // 2, len(packets) // 8, 20):
        assert said(in_shards(source, room)) == whole


def test_company_gets_no_verdict_and_is_not_counted(tmp_path: Path) -> None:
    """Lookups that are shown to several shards are judged once, and counted once."""
    packets = []
    for client in range(60):
        for lookup in range(3):
            name, port = f"n{lookup}.example.net", 3000 + 10 * client + lookup
            packets += [asked(f"10.1.{client}.9", port, name)]
            packets += [answered(f"10.1.{client}.9", port, name, "93.184.216.34", 57)]
    source = written(tmp_path / "once.pcap", packets)
    whole, shards = judge(source), in_shards(source, 12)
    assert said(shards) == said(whole)
    counts = [(one.summary.packets, one.summary.flows, one.summary.exchanges) for one in (shards, whole)]
    assert counts == [(360, 180, 180)] * 2


def test_silences_of_a_one_way_recording_are_known_when_all_are_together(tmp_path: Path) -> None:
    """One datagram each of many clients to one server, and nothing back: nobody can tell who did not answer."""
    packets: list[Any] = []
    for client in range(30):
        packets += [IP(src=f"10.2.{client}.9", dst="192.0.2.7") / UDP(sport=4000 + client, dport=4433) / Raw(b"hello")]
        packets += [asked(f"10.2.{client}.9", 5000 + client, "www.example.com")]
    source = written(tmp_path / "one-way.pcap", packets + [IP(src="10.3.0.1", dst="10.3.0.2") / Raw(b"x")] * 100)
    whole = said(judge(source))
    assert sum("capture.one_direction" in line[3] for line in whole) == 60
    assert said(in_shards(source, 4)) == whole
    packets += [answered("10.2.3.9", 5003, "www.example.com", "93.184.216.34", 57)]
    source = written(tmp_path / "both.pcap", packets + [IP(src="10.3.0.1", dst="10.3.0.2") / Raw(b"x")] * 100)
    whole = said(judge(source))
    assert sum("capture.one_direction" in line[3] for line in whole) == 30
    assert said(in_shards(source, 4)) == whole


def lookups(server: list[int], lookup: list[int], reply: list[bool], bucket: list[int] | None = None) -> Lookups:
    """Make frames of lookups."""
    count = len(server)
    zeros = np.zeros(count, np.int64)
    return Lookups.of(
        frame=zeros, time=zeros, at=zeros, captured=zeros, length=zeros, server=server, lookup=lookup,
        bucket=zeros if bucket is None else bucket, reply=reply,
    )  # fmt: skip


def test_the_sample_is_that_of_a_slow_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least hashes of each server, of lookups with several replies, with one and with none, whatever the parts."""
    monkeypatch.setattr(company, "SAMPLE", 5)
    rng = np.random.default_rng(3)
    sample, drawn = Lookups.empty(), defaultdict[tuple[int, int], int](int)
    seen: set[tuple[int, int]] = set()
    for _ in range(12):
        server, lookup = rng.integers(0, 6, 40), rng.integers(0, 1 << 60, 40)
        replies = rng.integers(0, 4, 40)
        rows = [
            (place, number, reply)
            for place, number, count in zip(server.tolist(), lookup.tolist(), replies.tolist(), strict=True)
            for reply in [False] + [True] * count
        ]
        rng.shuffle(rows)
        for place, number, reply in rows:
            seen.add((int(place), int(number)))
            drawn[int(place), int(number)] += bool(reply)
        part = lookups([int(r[0]) for r in rows], [int(r[1]) for r in rows], [bool(r[2]) for r in rows])
        sample = sample.sampled_with(part)
    expected = set()
    for place in range(6):
        for replies in (0, 1, 2):
            mine = sorted(number for at, number in seen if at == place and min(drawn[at, number], 2) == replies)
            expected |= {(place, number) for number in mine[:5]}
    kept = list(zip(sample.server.tolist(), sample.lookup.tolist(), strict=True))
    assert set(kept) == expected
    assert len(kept) == sum(1 + drawn[one] for one in expected)  # with all their packets


def test_where_there_is_no_room_servers_that_most_ask_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan of resolvers, each asked once, does not drive out the one that everybody asks."""
    monkeypatch.setattr(company, "MOST", 50)
    scanned = list(range(1, 200))
    everybody = lookups([0] * 20, list(range(20)), [False] * 20, list(range(20)))
    sample = Lookups.empty()
    for part in (everybody, lookups(scanned, scanned, [False] * 199)):
        sample = sample.sampled_with(part)
    assert len(sample) == 50
    assert np.count_nonzero(sample.server == 0) == 20


def test_a_lookup_without_an_end_takes_no_room() -> None:
    """A client that asks with one number from one port for days leaves its first packets."""
    sample = Lookups.empty()
    for _ in range(5):
        sample = sample.sampled_with(lookups([0] * 20_000, [7] * 20_000, [False, True] * 10_000))
    assert len(sample) == company.PACKETS
    assert len(sample.of_others(sample.mark, 1, 9)) == company.PACKETS


def test_silence_in_a_sample_is_no_silence(tmp_path: Path) -> None:
    """A server that leaves most names unanswered, and answers some, is a resolver: its odd answer accuses nobody."""
    packets = [asked("10.9.0.1", 4000, "foo.example.com")]
    packets += [answered("10.9.0.1", 4000, "foo.example.com", "10.1.2.3", 60)]
    packets += [asked(f"10.{k // 250}.{k % 250}.9", 5000 + k, f"s{k}.example.net") for k in range(300)]
    for k in range(5):
        packets += [asked(f"10.8.{k}.9", 6000 + k, f"www{k}.example.org")]
        packets += [answered(f"10.8.{k}.9", 6000 + k, f"www{k}.example.org", "93.184.216.34", 60)]
    source = written(tmp_path / "silent.pcap", packets)
    whole = said(judge(source))
    assert not any(line[1] == "interfered" for line in whole)
    for room in (400, 100):
        assert not any(line[1] == "interfered" for line in said(in_shards(source, room)))


def test_both_ways_of_a_lookup_are_one(tmp_path: Path) -> None:
    """A query and its reply agree in server and lookup, by whatever port; cut messages and other traffic are left."""
    packets = [
        asked("10.0.0.1", 4000, "a.example"),
        answered("10.0.0.1", 4000, "a.example", "1.2.3.4", 60),
        asked("10.0.0.1", 53, "b.example"),
        answered("10.0.0.1", 53, "b.example", "1.2.3.4", 60),
        IP(src="10.0.0.1", dst=RESOLVER) / UDP(sport=4000, dport=53) / Raw(b"xy"),
        IP(src="10.0.0.1", dst=RESOLVER) / TCP(sport=4000, dport=53) / Raw(b"xyz"),
        IP(src="10.0.0.1", dst=RESOLVER) / UDP(sport=4000, dport=54) / Raw(b"xyz"),
    ]
    listing = Listing(written(tmp_path / "both.pcap", packets))
    capture = listing.capture(list(listing.parts()))
    decoded = decode(capture.buffer, capture.records, [RAW], source="x")
    found, rows = find_lookups(capture.buffer, decoded.packets, decoded.endpoints, np.zeros(7, np.uint16))
    assert rows.tolist() == [0, 1, 2, 3]
    assert len(set(found.server.tolist())) == 1
    assert found.lookup[0] == found.lookup[1] != found.lookup[2] == found.lookup[3]
    assert found.reply.tolist() == [False, True, False, True]
    assert found.mark.all()
    assert found.of_others(found.mark, 1, 9).frame.tolist() == [1, 2, 3, 4]
    assert not len(found.of_others(found.mark, 0, 1))
    assert not len(found.of_others(found.mark ^ np.uint16(2), 1, 9))
