"""Differentiation found by comparing throughputs with a control, as Wehe does.

Source: Kakhki et al., "Identifying Traffic Differentiation in Mobile Networks", IMC 2015, and the server's program
NEU-SNS/wehe-py3 (defaults that the client shows). Wehe plays a recorded transfer twice, once with its bits inverted;
the second is the control. A capture holds no such pair, so the control is another transfer of the same client.
"""

import numpy as np

from benchmarks.rivals.base import Call, Rival
from netinterf.arrays import F64
from netinterf.schema import TlsKind
from netinterf.trace import Trace

__all__ = ["WEHE", "area", "ks_probability", "samples", "wehe"]

BUCKETS = 100  # throughput samples of a transfer
AREA, PROBABILITY = 0.5, 0.01  # least difference of the means, as a share of the greater; greatest KS probability
SECOND = 1e9  # ns
TERMS = 100  # of the series for the KS probability, which converges after a few


def samples(trace: Trace, flow: int) -> F64:
    """Sample the throughput of a flow's heavier direction in equal buckets of its duration, empty ones left out.

    Returns:
        Bytes a second; nothing when the direction has fewer packets with payload than there are buckets.
    """
    packets = trace.packets
    rows = trace.by_flow[flow]
    load = packets.payload_length[rows].astype(np.int64)
    outbound = packets.outbound[rows]
    heavy = outbound if load[outbound].sum() > load[~outbound].sum() else ~outbound
    carries = heavy & (load > 0)
    time = packets.time[rows][carries]
    if len(time) < BUCKETS or time[-1] <= time[0]:
        return np.empty(0)
    bucket = np.minimum((time - time[0]) * BUCKETS // (time[-1] - time[0]), BUCKETS - 1)
    moved = np.bincount(bucket, weights=load[carries], minlength=BUCKETS)
    rates: F64 = moved[moved > 0] * BUCKETS * SECOND / (time[-1] - time[0])
    return rates


def area(tested: F64, control: F64) -> float:
    """Measure by how much the control was faster on the mean, as a share of the greater mean ("area test")."""
    return float((control.mean() - tested.mean()) / max(control.mean(), tested.mean()))


def ks_probability(left: F64, right: F64) -> float:
    """Give the probability of so great a distance of two samples' distributions by chance (Kolmogorov, Smirnov).

    The asymptotic series of Kolmogorov's distribution with Stephens' correction for small samples; the source calls a
    library for the same test.
    """
    both = np.sort(np.concatenate([left, right]))
    parts = [np.searchsorted(np.sort(one), both, side="right") / len(one) for one in (left, right)]
    distance = float(np.abs(parts[0] - parts[1]).max())
    root = np.sqrt(len(left) * len(right) / (len(left) + len(right)))
    scaled = (root + 0.12 + 0.11 / root) * distance
    term = np.arange(1, TERMS + 1)
    total = 2 * float(np.sum((-1.0) ** (term - 1) * np.exp(-2 * (term * scaled) ** 2)))
    return min(max(total, 0.0), 1.0) if scaled > 0 else 1.0


def wehe(trace: Trace) -> list[Call]:
    """Call every transfer that was slower than its control by half or more, with distributions that differ.

    The control of a transfer is the one of the same client to another name or address that moved the most like number
    of bytes. Where a client made one transfer only, there is no control and nothing is judged. Which kind of limit it
    is, the test does not say: the call is `rate`.
    """
    rates = {flow: sampled for flow in range(len(trace.flows)) if len(sampled := samples(trace, flow))}
    moved = trace.sides.payload_bytes.reshape(-1, 2).max(axis=1)
    target = targets(trace)
    calls = []
    for flow, tested in rates.items():
        others = [one for one in rates if trace.flows.client[one] == trace.flows.client[flow]]
        others = [one for one in others if target[one] != target[flow]]
        if not others:
            continue
        control = rates[min(others, key=lambda one: abs(np.log(moved[one] / moved[flow])))]
        difference, probability = area(tested, control), ks_probability(tested, control)
        if difference > AREA and probability < PROBABILITY:
            says = f"slower than the control by {100 * difference:.0f} %, KS p = {probability:.2g}"
            calls.append(Call(kind="flow", row=flow, mechanism="rate", says=says))
    return calls


def targets(trace: Trace) -> list[str]:
    """Name what each flow talks to: its server name, else its server's address."""
    names = [trace.address(int(server)) for server in trace.flows.server]
    for row in np.flatnonzero((trace.tls.kind == TlsKind.CLIENT_HELLO) & (trace.tls.name.lengths > 0)).tolist():
        names[trace.tls.flow[row]] = trace.tls.name[row]
    return names


WEHE = Rival(
    name="KS with control (Wehe)",
    source="Kakhki et al., IMC 2015; constants of NEU-SNS/wehe-py3",
    home=("rate.policing", "rate.shaping"),
    judge=wehe,
)
