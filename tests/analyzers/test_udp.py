"""UDP that falls silent: what is found of blocks, who is not accused, and a slow reading of the same packets."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

import netinterf
from netinterf.analyzers.silence.udp import find_udp, udp_signs
from netinterf.analyzers.silence.udp.signs import EARLY
from netinterf.analyzers.silence.udp.talks import SIGNED, TRY_NS
from netinterf.schema import Outcome
from netinterf.simulate import Conditions, Simulated, run, scenarios
from netinterf.trace import Trace, read

HARMLESS = [play.name for play in scenarios() if play.name.startswith("benign.udp.")]
BLOCKS = [play.name for play in scenarios() if play.name.startswith("udp.drop.")]
WAIT_NS = 3_000_000_000


def trace_of(played: Simulated) -> Trace:
    """Read a simulated capture."""
    return read(times=played.times, frames=played.frames, link_type=played.link_type)


def verdicts_of(played: Simulated) -> list[Any]:
    """Judge it."""
    return list(netinterf.scan(times=played.times, frames=played.frames, link_type=played.link_type).verdicts)


@pytest.mark.parametrize("name", HARMLESS)
def test_nobody_is_accused(name: str) -> None:
    """Peers leave, translators forget, programs end."""
    for seed in (1, 2):
        assert all(verdict.outcome is not Outcome.INTERFERED for verdict in verdicts_of(run(name, seed)))


@pytest.mark.parametrize(
    ("name", "seed", "rule"),
    [
        ("udp.drop.calls", 5, "udp.kinds"),
        ("udp.drop.wireguard", 1, "udp.strangers"),
        ("udp.drop.tunnel", 4, "udp.place"),
        ("udp.drop.tunnel", 5, "udp.one_place"),
        ("udp.drop.by-size", 15, "udp.size"),
        ("udp.drop.endpoint", 1, "udp.alive"),
    ],
)
def test_patterns_are_named(name: str, seed: int, rule: str) -> None:
    """A block shows what it cannot hide, and is suspected at least."""
    played = run(name, seed, Conditions.clean(vantage="client"))
    hit = {truth.first_frame for truth in played.labels.truths if truth.mechanism == "udp.drop"}
    told = [one for one in verdicts_of(played) if one.subject.kind == "flow" and one.subject.first_frame in hit]
    shown = [one for one in told if rule in {item.rule for item in one.evidence}]
    assert shown
    assert all(one.probability >= 0.5 and one.mechanism == "udp.drop" for one in shown)


@pytest.mark.parametrize("name", [*BLOCKS, *HARMLESS])
def test_silences_are_those_of_a_slow_reading(name: str) -> None:
    """Packet by packet: who repeated an opening in vain, and whose answers stayed out for longer than ever before."""
    trace = trace_of(run(name, 3, Conditions.clean(vantage="client")))
    silences, talks = find_udp(trace)
    found = dict(zip(silences.flow.tolist(), silences.tries.tolist(), strict=True))
    assert found == ({} if talks is None else slow_silences(trace, talks.judged, talks.kind))


def slow_silences(trace: Trace, judged: Any, kinds: Any) -> dict[int, int]:
    """Find the silent conversations, each with its tries."""
    silent = {}
    quoted = set(trace.quotes.flow.tolist())
    for flow in np.flatnonzero(judged).tolist():
        rows = trace.by_flow[flow].tolist()
        time, out = [int(trace.packets.time[row]) for row in rows], [bool(trace.packets.outbound[row]) for row in rows]
        size = [int(trace.packets.payload_length[row]) for row in rows]
        heard = [place for place in range(len(rows)) if not out[place]]
        after = [place for place in range(heard[-1] + 1 if heard else 0, len(rows)) if out[place] and size[place]]
        if not after or flow in quoted:
            continue
        begin, waited = time[after[0]], time[after[-1]] - time[after[0]]
        meant = after if heard else [place for place in after if size[place] == size[after[-1]]]
        tries = len({(time[place] - begin) // TRY_NS for place in meant})
        gaps = np.diff([time[0], *(time[place] for place in heard)]).tolist()
        due = bool(heard) and waited >= max(WAIT_NS, 3 * max(gaps, default=0))
        long_enough = len(after) >= 3 and waited >= 900_000_000
        once = not heard and trace.ended - time[after[-1]] >= WAIT_NS
        if tries >= 3 and (long_enough or once) and (due or (not heard and kinds[flow] in SIGNED)):
            silent[flow] = tries
    return silent


def cases(signs: dict[str, Any], count: int, *rules: str) -> list[tuple[str, int]]:
    """List who shows some rules."""
    return [(rule, place) for rule in rules for place in signs[rule].cases(count).tolist()]


@pytest.mark.parametrize("name", BLOCKS)
def test_patterns_are_those_of_a_slow_count(name: str) -> None:
    """Networks that leave a protocol without an answer, and how many conversations died at the same place."""
    trace = trace_of(run(name, 4, Conditions.clean(vantage="client")))
    silences, talks = find_udp(trace)
    if talks is None:
        return
    signs = {sign.rule.id: sign for sign in udp_signs(trace, silences, talks)}
    heard = trace.sides.packets[1::2].tolist()
    flows, kinds = silences.flow.tolist(), talks.kind.tolist()
    by_kind = defaultdict(list)
    for flow in flows:
        by_kind[kinds[flow], int(trace.flows.client[flow])].append(flow)
    for rule, place in cases(signs, len(silences), "udp.place", "udp.one_place"):
        alike = by_kind[kinds[flows[place]], int(trace.flows.client[flows[place]])]
        died = [heard[flow] for flow in alike]
        assert all(0 < count <= EARLY for count in died)
        assert signs[rule].measured["died"][place] == len(died) >= 3
        assert max(died) - min(died) <= 3
        assert (len({int(trace.contacts.network[flow]) for flow in alike}) > 1) == (rule == "udp.place")
    for rule, place in cases(signs, len(silences), "udp.kinds", "udp.strangers"):
        client = int(trace.flows.client[flows[place]])
        alike = [
            flow
            for flow in range(len(kinds))
            if (kinds[flow], trace.flows.client[flow]) == (kinds[flows[place]], client)
        ]
        assert not any(heard[flow] for flow in alike)
        networks = {int(trace.contacts.network[flow]) for flow in alike if talks.judged[flow]}
        assert signs[rule].measured["networks"][place] == len(networks) >= 2
