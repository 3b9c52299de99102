"""Filters against injectors: they match what was forged and nothing that a host wrote, or are refused."""

import os
import shutil
import subprocess
from pathlib import Path

import attrs
import numpy as np
import pytest

from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.engine.judged import judge_trace
from netinterf.filters.choose import MOST_COLLATERAL, Filter, Range, Refused, choose, within
from netinterf.filters.collateral import Collateral, shipped
from netinterf.filters.fields import FIELDS, Kind, Seen, forged_packets, genuine_packets, of_kind, read_fields
from netinterf.filters.forms import bpf, nft
from netinterf.trace import Trace, read
from tests.cli.here import run_here

HERE = [
    ("tcp.reset.cn-gfw-ii", Kind.RESET, 4),
    ("tcp.reset.bn-as10094", Kind.RESET, 6),
    ("tcp.fin.generic", Kind.FIN, 4),
    ("dns.injection.gfw-1", Kind.ANSWER, 4),
    ("dns.injection.gfw-1", Kind.ANSWER, 6),
]


def played(scenario: str, version: int, path: Path, seed: int = 7100) -> Trace:
    """Play a scenario to a file, and read it."""
    made = simulate.run(scenario, seed, simulate.Conditions.clean(vantage="client", ip=version))
    write_pcap(path, made.times, made.frames, made.link_type)
    return read(path)


def offered(trace: Trace, kind: Kind, version: int) -> tuple[Filter | Refused, Seen]:
    """Judge a capture and ask for a filter; give what is of the kind, too."""
    forged = forged_packets(trace, judge_trace(trace, "-").ledger.verdicts, kind)
    genuine = read_fields(trace, genuine_packets(trace, kind, forged), kind)
    return choose(kind, version, read_fields(trace, forged, kind), genuine, shipped()), read_fields(trace, forged, kind)


def seen(values: list[dict[str, int]], version: int = 4) -> Seen:
    """Make packets, one conversation each."""
    table = np.array([[one.get(name, 0) for name in FIELDS] for one in values], np.int64).reshape(-1, len(FIELDS))
    return Seen(version=np.full(len(values), version), value=table, flow=np.arange(len(values)))


def harmless(values: list[dict[str, int]], count: int = 1) -> Collateral:
    """Make resets of hosts."""
    looks = seen(values)
    nothing = np.zeros(len(looks), np.int64)
    return Collateral(kind=nothing, version=looks.version, value=looks.value, count=nothing + count)


@pytest.mark.parametrize(("scenario", "kind", "version"), HERE)
def test_a_filter_matches_what_was_forged_and_nothing_else(
    scenario: str, kind: Kind, version: int, tmp_path: Path
) -> None:
    """tcpdump, reading the written expression, picks just the packets that the ranges hold for."""
    trace = played(scenario, version, tmp_path / "a.pcap")
    found, forged = offered(trace, kind, version)
    assert isinstance(found, Filter), found
    assert within(found.ranges, forged.value[forged.version == version]).all()
    assert found.hit == 0
    rows = of_kind(trace, kind)
    looks = read_fields(trace, rows, kind)
    meant = set(trace.packets.frame[rows[within(found.ranges, looks.value) & (looks.version == version)]].tolist())
    if shutil.which("tcpdump") is None:
        pytest.skip("tcpdump is not installed")
    picked = tmp_path / "picked.pcap"
    subprocess.run(
        ["tcpdump", "-r", tmp_path / "a.pcap", "-w", picked, bpf(found)], check=True, capture_output=True
    )  # fmt: skip
    if meant:
        times, mine = set(read(picked).packets.time.tolist()), trace.packets.time // 1000 * 1000  # as tcpdump writes
        assert set(mine[np.isin(trace.packets.frame, list(meant))].tolist()) <= times
        towards_servers = trace.packets.outbound & np.isin(mine, list(times))
        assert len(times) == len(meant) + np.count_nonzero(towards_servers)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("version", [4, 6])
def test_every_field_can_be_written(kind: Kind, version: int, tmp_path: Path) -> None:
    """Both forms know each field, alone and as a range; the programs that they are for take them."""
    dns = {"dns_flags", "authority", "additional"}
    tcp = {"flags", "window", "bare"}
    fields = [
        name for name in FIELDS
        if name not in (tcp if kind is Kind.ANSWER else dns) and (version == 4 or name not in {"fragment", "zero_id"})
    ]  # fmt: skip
    for high in (0, 1):
        ranges = tuple(Range(field=name, low=0, high=high) for name in fields)
        found = Filter(
            kind=kind, version=version, ranges=ranges, forged=3, conversations=3, caught=3, genuine=0, hit=0,
            harmless=1, harmless_hit=0,
        )  # fmt: skip
        assert all(word in nft(found) for word in ("table inet netinterf", "counter drop"))
        if shutil.which("tcpdump"):
            subprocess.run(["tcpdump", "-d", "-y", "EN10MB", bpf(found)], check=True, capture_output=True)
        if shutil.which("nft") and os.geteuid() == 0:
            (tmp_path / "rules").write_text(nft(found) + "\n", encoding="utf-8")
            words = ["nft", "-c", "-f", tmp_path / "rules"]
            ran = subprocess.run(words, capture_output=True, text=True, check=False)
            assert ran.returncode == 0 or "Operation not" in ran.stderr, ran.stderr


def test_no_filter_names_a_connection() -> None:
    """What holds for one victim or one packet is no trait: no address, port, number or single identification."""
    assert not {"address", "port", "seq", "ack", "ip_id", "id"} & set(FIELDS)


def test_it_is_refused_with_the_reason() -> None:
    """Too few, too much in common with genuine ones here or elsewhere, or nothing in common."""
    odd, plain = {"ttl": 99, "window": 7}, {"ttl": 50, "window": 0}
    three = seen([odd] * 3)
    none, hosts = seen([]), harmless([plain], 100)
    assert isinstance(choose(Kind.RESET, 4, three, none, hosts), Filter)
    for forged, genuine, table, because in (
        (seen([odd] * 2), none, hosts, "too few"),
        (three, seen([odd]), hosts, "1 of 1 genuine"),
        (three, none, harmless([odd], 100), "100 of 100 packets of hosts"),
        (three, none, harmless([], 0), "no harmless captures"),
        (seen([{"ttl": at} for at in (10, 90, 200)]), seen([{"ttl": 5}]), harmless([{"ttl": 250}], 9), "too little"),
    ):
        told = choose(Kind.RESET, 4, forged, genuine, table)
        assert isinstance(told, Refused), because
        assert because in told.because


def test_what_it_costs_is_counted_and_bounded() -> None:
    """One in a hundred of hosts' packets is the most."""
    odd, plain = {"window": 7}, {"window": 0}
    for hit, allowed in ((1, True), (2, False)):
        table = harmless([odd, plain])
        table = attrs.evolve(table, count=np.array([hit, 100 - hit]))
        told = choose(Kind.RESET, 4, seen([odd] * 3), seen([]), table)
        assert isinstance(told, Filter) == allowed
        assert not isinstance(told, Filter) or (told.harmless_hit, told.harmless) == (1, 100)
    assert MOST_COLLATERAL == 0.01


def test_a_conversation_is_caught_by_what_the_others_show() -> None:
    """Numbers that are drawn anew are caught by chance only, and that is told."""
    hosts = harmless([{"ttl": value} for value in (1, 255)], 100)
    told = choose(Kind.RESET, 4, seen([{"ttl": value} for value in (60, 70, 80, 90)]), seen([]), hosts)
    assert isinstance(told, Filter)
    assert (told.conversations, told.caught) == (4, 2)


def test_the_table_that_ships_holds_every_kind() -> None:
    """Of each kind over IPv4 there are hundreds, of many looks."""
    for kind in Kind:
        assert shipped().of(kind, 4).total > 500


def test_the_command_says_what_it_catches_and_costs(tmp_path: Path) -> None:
    """A filter comes with both, and with what it cannot change; where there is none, the reason."""
    played("tcp.reset.cn-gfw-ii", 4, tmp_path / "a.pcap")
    ran = run_here("filter", tmp_path / "a.pcap")
    assert (ran.returncode, ran.stderr) == (0, "")
    comments = " ".join(line[2:] for line in ran.stdout.splitlines() if line.startswith("# "))
    for words in ("made from the others", "in captures without interference", "only where the server drops"):
        assert words in comments
    assert ran.stdout.count("table inet netinterf {") == 1
    played("benign.tcp.traffic", 4, tmp_path / "b.pcap")
    ran = run_here("filter", tmp_path / "b.pcap")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("# Nothing that a filter could drop was forged")
    assert "table" not in ran.stdout
