"""How alike simulated and real benign connections are: how they look, and what the rules of the model see in them.

The simulator is fitted to nothing; the lab runs real Linux stacks (:mod:`benchmarks.lab`). Properties of the wire are
compared by their quantiles and the Kolmogorov-Smirnov distance over connections of Linux-like clients, every rule of
the model by how well its weight alone would tell a simulated flow from a lab one (area under the ROC curve: 0.5 not at
all, 1 always). A rule that tells them apart would be fitted to the simulator's habits, not to interference.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.machine import table, write_json
from netinterf.analyzers.registry import builtin
from netinterf.analyzers.run import analyze
from netinterf.arrays import F64, I64
from netinterf.schema import Mark, SubjectKind, TcpFlag
from netinterf.simulate import Conditions, run, scenarios
from netinterf.trace import Trace, read

__all__ = ["Looks", "distance", "roc_area", "run_likeness"]

MOST_AREA = 0.7  # what the project allows a rule to tell simulated from real connections
LINUX = "mss sack ts nop ws"
KINDS = {0: "eol", 1: "nop", 2: "mss", 3: "ws", 4: "sack", 5: "blocks", 8: "ts"}
QUANTILES = (0.1, 0.5, 0.9)


@attrs.define
class Looks:
    """What was seen in one corpus; one entry per flow, or per event where that is said."""

    values: dict[str, list[float]] = attrs.field(factory=dict)
    orders: Counter[str] = attrs.field(factory=Counter)  # of the options in SYNs
    weights: dict[str, list[float]] = attrs.field(factory=dict)  # by rule, the sum over each flow or exchange
    flows: int = 0

    def add(self, name: str, values: Iterable[float]) -> None:
        """Take further values of a property."""
        self.values.setdefault(name, []).extend(float(value) for value in values)


def look(looks: Looks, trace: Trace) -> None:
    """Take the connections of one capture in."""
    weigh(looks, trace)
    packets, sides = trace.packets, trace.sides
    for flow in np.flatnonzero(trace.flows.protocol == 6):
        syn, answer = int(sides.syn[2 * flow]), int(sides.syn[2 * flow + 1])
        if syn < 0 or answer < 0:
            continue
        order = option_order(trace, syn)
        looks.orders[order] += 1
        if order == LINUX:
            rows = np.flatnonzero(packets.flow == flow)
            connection(looks, trace, rows, syn, answer)


def connection(looks: Looks, trace: Trace, rows: I64, syn: int, answer: int) -> None:
    """Take the properties of one connection in."""
    packets = trace.packets
    rtt = float(packets.time[answer] - packets.time[syn]) / 1e6
    outbound, data = packets.outbound[rows], packets.payload_length[rows] > 0
    looks.add("handshake round trip, ms", [rtt])
    looks.add("SYN window", [packets.window[syn]])
    looks.add("SYN/ACK window", [packets.window[answer]])
    later = rows[outbound & (packets.tcp_flags[rows] & (TcpFlag.SYN | TcpFlag.RST) == 0)]
    if len(later):
        shift = int(packets.window_shift[syn]) % 255
        looks.add("client's first window, bytes", [int(packets.window[later[0]]) << shift])
        looks.add("client's last window, bytes", [int(packets.window[later[-1]]) << shift])
    for name, own in (("client", outbound), ("server", ~outbound)):
        mine = rows[own & (packets.tcp_flags[rows] & (TcpFlag.SYN | TcpFlag.RST) == 0)]
        if len(mine) > 2 and packets.version[mine[0]] == 4:
            steps = np.diff(packets.ip_id[mine].astype(np.int64)) % 65_536
            looks.add(f"{name}: share of IP ID steps of one", [float((steps == 1).mean())])
    bulk = rows[~outbound & data]
    if len(bulk) >= 20:
        acks = rows[outbound & ~data]
        looks.add("acknowledgements per data segment", [len(acks) / len(bulk)])
    repeats = rows[(packets.marks[rows] & (Mark.REPEAT | Mark.FILL) != 0) & data]
    for row in repeats[:50]:
        earlier = rows[(packets.outbound[rows] == packets.outbound[row]) & (rows < row) & data]
        same = earlier[packets.relative_seq[earlier] == packets.relative_seq[row]]
        if len(same) and rtt > 0.5:
            looks.add("retransmission gap, round trips (per event)",
                      [float(packets.time[row] - packets.time[same[-1]]) / 1e6 / rtt])  # fmt: skip


def option_order(trace: Trace, row: int) -> str:
    """Name the options of one TCP header in their order."""
    packets = trace.packets
    begin = int(packets.at[row]) + int(packets.transport_at[row])
    header = bytes(trace.buffer[begin : begin + 60])
    options, at, found = header[20 : 4 * (header[12] >> 4)], 0, []
    while at < len(options):
        kind = options[at]
        found.append(KINDS.get(kind, str(kind)))
        if kind == 0 or (kind > 1 and at + 1 >= len(options)):
            break
        at += 1 if kind == 1 else max(2, options[at + 1])
    return " ".join(found)


def weigh(looks: Looks, trace: Trace) -> None:
    """Take the weight of every rule in, for each flow and exchange; 0 where it did not speak."""
    evidence = analyze(trace)
    counts = {SubjectKind.FLOW: len(trace.flows), SubjectKind.EXCHANGE: len(trace.exchanges)}
    for rule in (rule for analyzer in builtin() for rule in analyzer.rules):
        for kind, count in counts.items():
            total = np.zeros(count)
            mine = [place for place, one in enumerate(evidence.rules) if one.id == rule.id]
            rows = np.flatnonzero((evidence.subject_kind == kind) & np.isin(evidence.rule, mine))
            np.add.at(total, evidence.subject[rows], evidence.llr[rows])
            looks.weights.setdefault(f"{rule.id} {kind.name.lower()}", []).extend(total.tolist())
    looks.flows += sum(counts.values())


def distance(first: F64, second: F64) -> float:
    """Give the greatest difference of two empirical distribution functions (Kolmogorov-Smirnov)."""
    every = np.concatenate([first, second])
    below = [np.searchsorted(np.sort(one), every, side="right") / len(one) for one in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def roc_area(first: F64, second: F64) -> float:
    """Give the chance that a value of the one is above one of the other, ties counted half, whichever way is larger."""
    ranks = np.sort(second)
    above = (np.searchsorted(ranks, first, "left") + np.searchsorted(ranks, first, "right")) / (2 * len(second))
    area = float(above.mean())
    return max(area, 1 - area)


def simulated(seeds: int) -> Iterator[Trace]:
    """Play all benign scenarios as the lab takes its captures: both directions, whole frames, a good clock."""
    whole: dict[str, Any] = {"direction": "both", "capture_loss": 0.0, "snaplen": 0, "offload": False,
                             "doubled": False, "swapped": False, "clock": "good"}  # fmt: skip
    for play in scenarios():
        if play.mechanism is None:
            for seed in range(seeds):
                for vantage in [one for one in play.vantages if one != "middle"]:
                    played = run(play.name, seed, Conditions(**whole, vantage=vantage))
                    yield read(times=played.times, frames=played.frames, link_type=played.link_type)


def from_lab(root: Path) -> Iterator[Trace]:
    """Read the lab's benign captures."""
    for labels in sorted(root.glob("*.labels.json")):
        told = json.loads(labels.read_text(encoding="utf-8"))
        if not any(truth["mechanism"] for truth in told["truths"]) and told["family"].startswith("benign"):
            yield read(labels.with_name(labels.name.removesuffix(".labels.json") + ".pcap"))


def run_likeness(lab: Path, *, seeds: int = 2, out: Path | None = None) -> dict[str, Any]:
    """Compare, print and write.

    Args:
        lab: Folder that ``python -m benchmarks lab`` filled.
        seeds: Simulated captures per scenario and vantage.
        out: Where to write JSON.

    Returns:
        Distances by property, areas by rule, orders of options.
    """
    ours, theirs = Looks(), Looks()
    for looks, traces in ((ours, simulated(seeds)), (theirs, from_lab(lab))):
        for trace in traces:
            look(looks, trace)
    rows, distances = [], {}
    for name in sorted(set(ours.values) | set(theirs.values)):
        first, second = (np.array(one.values.get(name, []), float) for one in (ours, theirs))
        if len(first) and len(second):
            distances[name] = distance(first, second)
            cells = [" / ".join(f"{value:.4g}" for value in np.quantile(one, QUANTILES)) for one in (first, second)]
            rows.append([name, len(first), cells[0], len(second), cells[1], distances[name]])
    print(table(["property", "simulated", "10/50/90 %", "lab", "10/50/90 %", "KS distance"], rows))
    print("\noptions of SYNs, simulated:", dict(ours.orders.most_common(6)))
    print("options of SYNs, lab:", dict(theirs.orders.most_common(6)))
    areas = {
        name: roc_area(np.array(ours.weights[name]), np.array(theirs.weights[name]))
        for name in ours.weights
        if any(ours.weights[name]) or any(theirs.weights.get(name, []))
    }
    ranked = sorted(areas.items(), key=lambda item: -item[1])
    spoke = [[name, area, share(ours, name), share(theirs, name)] for name, area in ranked[:15]]
    print(f"\n{ours.flows:,} simulated and {theirs.flows:,} lab flows and exchanges; rules that tell them apart best:")
    print(table(["rule", "area", "speaks, simulated", "speaks, lab"], spoke))
    above = [name for name, area in areas.items() if area > MOST_AREA]
    print(f"\nrules with an area above {MOST_AREA}: {', '.join(above) or 'none'}")
    orders = [dict(ours.orders), dict(theirs.orders)]
    results = {"distances": distances, "areas": areas, "above": above, "orders": orders,
               "flows": [ours.flows, theirs.flows]}  # fmt: skip
    if out is not None:
        write_json(out, {"benchmark": "likeness", **results})
    return results


def share(looks: Looks, name: str) -> float:
    """Give the share of flows of which a rule spoke."""
    values = np.array(looks.weights.get(name, [0.0]))
    return float((values != 0).mean()) if len(values) else 0.0
