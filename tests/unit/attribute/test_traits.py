"""Traits against a slow obvious twin that walks the packets of one finding after the other."""

import itertools

import attrs
import numpy as np
import pytest

from netinterf.analyzers.run import analyze
from netinterf.attribute.trait import UNKNOWN, Findings, Trait
from netinterf.attribute.traits import read_traits
from netinterf.schema import IpFlag, TcpFlag
from netinterf.simulate import run
from netinterf.table import Ragged
from netinterf.trace import Trace, read
from netinterf.verdict.attribution import appearance_of
from netinterf.verdict.combine import classify

BURST_NS = 50_000_000

SCENARIOS = (
    "tcp.reset.cn-2017-type-2", "tcp.reset.cn-rae", "tcp.reset.ir-sni", "tcp.reset.tj-as51346", "tcp.fin.uz-middlebox",
    "tcp.reset.sandvine-2007", "http.blockpage.kr-warning", "tcp.reset.cn-gfw-i-2025", "tcp.reset.in-airtel",
)  # fmt: skip


def played(name: str, seed: int) -> Trace:
    """Read a simulated capture."""
    found = run(name, seed)
    return read(times=found.times, frames=found.frames, link_type=found.link_type)


def obvious(trace: Trace, flow: int, forged: list[int], cause: int) -> dict[Trait, int]:
    """Read the traits of one finding, packet by packet."""
    p = trace.packets
    rows = sorted(row for row in forged if p.protocol[row] == 6)
    inbound = [row for row in rows if not p.outbound[row]]
    rows = inbound or rows
    if not rows:
        return {}
    rows = [
        row for row in rows if not p.tcp_flags[row] & TcpFlag.RST or int(p.time[row]) - int(p.time[rows[0]]) <= BURST_NS
    ]
    resets = [row for row in rows if p.tcp_flags[row] & TcpFlag.RST]
    acking = [row for row in resets if p.tcp_flags[row] & TcpFlag.ACK]
    others = [row for row in rows if row not in resets]
    found = {
        Trait.BARE: min(5, len(resets) - len(acking)),
        Trait.ACKING: min(5, len(acking)),
        Trait.FINS: min(5, sum(bool(p.tcp_flags[row] & TcpFlag.FIN) for row in others)),
        Trait.DATA: min(5, sum(bool(p.payload_length[row]) for row in others)),
    }
    if acking:
        rows = sorted(others + acking)
    first = rows[0]
    if p.tcp_flags[first] & TcpFlag.RST:
        found[Trait.RESET_BYTES] = int(p.payload_length[first])
    found[Trait.TTL] = int(p.ttl[first])
    found[Trait.WINDOW] = int(p.window[first])
    found[Trait.OPTIONS] = int(p.tcp_options[first] != 0)
    if p.version[first] == 4:
        found[Trait.IP_ID] = int(p.ip_id[first])
        found[Trait.DF] = int(bool(p.ip_flags[first] & IpFlag.DONT_FRAGMENT))
    if cause >= 0 and p.outbound[cause] != p.outbound[first]:
        found[Trait.WINDOW_COPIED] = int(p.window[first] == p.window[cause])
    if len(rows) > 1:
        steps = [int(p.ttl[b]) - int(p.ttl[a]) for a, b in itertools.pairwise(rows)]
        found[Trait.TTL_COURSE] = 0 if not any(steps) else 1 if all(step == 1 for step in steps) else 2
        found[Trait.SECOND_TTL] = abs(steps[0])
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_traits_are_those_of_a_slow_reading(name: str) -> None:
    """Every finding of six captures, all traits that the twin knows; unknown in both or in none."""
    seen = 0
    for seed in range(6):
        trace = played(name, seed)
        evidence = analyze(trace)
        verdicts = classify(evidence, trace)
        look = appearance_of(verdicts, evidence, trace)
        for place, row in enumerate(look.row.tolist()):
            forged, cause = verdicts.forged[row].tolist(), int(verdicts.trigger_packet[row])
            twin = obvious(trace, int(look.flow[place]), forged, cause)
            ours = {trait: int(look.traits.value[place, trait]) for trait in Trait}
            for trait in (
                Trait.BARE, Trait.ACKING, Trait.FINS, Trait.DATA, Trait.RESET_BYTES, Trait.TTL, Trait.WINDOW,
                Trait.OPTIONS, Trait.IP_ID, Trait.DF, Trait.WINDOW_COPIED, Trait.TTL_COURSE, Trait.SECOND_TTL,
            ):  # fmt: skip
                assert ours[trait] == twin.get(trait, UNKNOWN), (seed, row, trait)
            seen += 1
    assert seen


def test_what_is_not_there_is_unknown() -> None:
    """Findings without TCP packets, and no findings at all."""
    trace = played("tcp.reset.cn-rae", 1)
    for count in (0, 2):
        nothing = Findings(
            flow=np.zeros(count, np.int64),
            forged=Ragged.empty(count, np.int32),
            trigger=np.zeros(count, np.uint8),
            trigger_packet=np.full(count, -1),
        )
        traits = read_traits(trace, nothing)
        assert len(traits) == count == len(traits.text)
        assert np.all(traits.value == UNKNOWN)


def test_one_counter_behind_hop_limits_and_windows() -> None:
    """Four bursts on one path whose window less hop limit keeps its residue; a box with one hop limit shows nothing."""
    trace = played("tcp.reset.cn-2017-type-2", 2)
    resets = np.flatnonzero((trace.packets.tcp_flags & (TcpFlag.RST | TcpFlag.ACK)) == (TcpFlag.RST | TcpFlag.ACK))
    resets = resets[~trace.packets.outbound[resets]][:3]
    for levelled in (False, True):
        packets = trace.packets
        ttl, window = packets.ttl.copy(), packets.window.copy()
        ttl[resets] = [60, 60, 60] if levelled else [60, 95, 171]
        window[resets] = 1000 + ttl[resets].astype(np.uint16)
        changed = attrs.evolve(trace, packets=attrs.evolve(packets, ttl=ttl, window=window))
        found = Findings(
            flow=np.full(3, packets.flow[resets[0]], np.int64),
            forged=Ragged.of([[row] for row in resets.tolist()], np.int32),
            trigger=np.zeros(3, np.uint8),
            trigger_packet=np.full(3, -1),
        )
        value = read_traits(changed, found).value[:, Trait.COUNTER]
        assert value.tolist() == ([UNKNOWN] * 3 if levelled else [1, 1, 1])
