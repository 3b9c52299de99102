"""From a capture and a verdict about a rate or a freeze to the numbers that figures draw."""

import numpy as np

from netinterf.analyzers.throttling.losses import direction_series
from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.unseen import count_numbers
from netinterf.analyzers.throttling.ways import Direction
from netinterf.analyzers.wire import wire_pieces
from netinterf.arrays import F64, I32, I64, Mask
from netinterf.mechanisms import Figure, covers, has_figure, is_rate
from netinterf.schema import Evidence, Mark, SubjectKind
from netinterf.trace import Trace
from netinterf.values import frozen
from netinterf.written.record import Observation, Verdict

__all__ = [
    "FittedLimit",
    "Positions",
    "Transfer",
    "find_limit",
    "flows_of",
    "measured",
    "positions",
    "rows_of",
    "transfer",
]

TCP = 6

SLACK = 1.1
"""How much more than the fitted rate may pass (judgement): rates are fitted within some per cent, and two connections
with a limit each get twice as much."""

UNITS = ("packets", "bytes")
"""What positions are counted in, as the measures are called; ``limit_`` before it names the common limit."""

AGAIN = Mark.REPEAT | Mark.PARTIAL_REPEAT | Mark.FILL


@frozen(eq=False, kw_only=True)
class FittedLimit:
    """What a verdict says of a limit, and where."""

    flow: int  # row in Flows: the connection that is looked at
    outbound: bool  # the way of the packets that were limited
    acks: bool  # acknowledgements were, not data
    rate: float  # bit/s, NaN when none was fitted
    depth: float  # bytes, NaN when unknown
    flows: I64  # rows in Flows of which the same limit is told


@frozen(eq=False, kw_only=True)
class Transfer:
    """What a limit held back, and what it did not; times are seconds since the first packet of the capture."""

    sent: Series  # data packets of the connection, lost ones included
    again: Mask  # which of these repeat what was sent before
    ack_time: F64  # times of acknowledgements
    acked: F64  # how far they go, bytes
    limited: Series  # all packets that share the limit
    flows: I64  # rows in Flows: who shares it
    others: Series  # what the same client exchanged with others meanwhile, the same way


@frozen(eq=False, kw_only=True)
class Positions:
    """How far connections came before they stopped, and how far others came."""

    stopped: F64
    survivors: F64
    unit: str
    limit: float | None


def flows_of(trace: Trace, verdict: Verdict) -> I64:
    """List the flows that a verdict is about, of a group the surest first."""
    if verdict.rows is None:
        kind = SubjectKind.EXCHANGE if verdict.subject.kind == "exchange" else SubjectKind.FLOW
        rows = np.array([[kind, verdict.row]], np.int64)
    else:
        rows = verdict.rows
    flow = rows[:, 1].copy()
    is_exchange = rows[:, 0] == SubjectKind.EXCHANGE
    flow[is_exchange] = trace.exchanges.flow[flow[is_exchange]]
    return flow


def rows_of(trace: Trace, frames: tuple[int, ...]) -> I64:
    """Find the packets with given frame numbers."""
    return np.flatnonzero(np.isin(trace.packets.frame, np.array(frames, np.int64)))


def measured(evidence: Evidence, name: str) -> F64:
    """Read one measure of all observations; NaN where a rule has none of that name."""
    values = np.full(len(evidence), np.nan)
    for code, rule in enumerate(evidence.rules):
        if name in rule.measures:
            rows = np.flatnonzero(evidence.rule == code)
            values[rows] = evidence.measured.values[evidence.measured.offsets[rows] + rule.measures.index(name)]
    return values


def find_limit(trace: Trace, verdict: Verdict, evidence: Evidence) -> FittedLimit:
    """Find what the strongest evidence of a verdict says of a rate, and which connections it says the same of.

    Without a rate in the evidence, it is the way of the connection that moved more.
    """
    about = (sign for sign in verdict.evidence if sign.llr > 0 and covers(sign.mechanism, verdict.mechanism or ""))
    strongest = next((sign for sign in about if "rate_bps" in sign.measured), None)  # strongest first
    flow, packets = int(flows_of(trace, verdict)[0]), trace.packets
    rows = rows_of(trace, strongest.frames) if strongest is not None else np.empty(0, np.int64)
    if verdict.group is not None and len(rows):
        flow = int(packets.flow[rows[0]])
    rows = rows[packets.flow[rows] == flow]
    sent = trace.sides.payload_bytes[2 * flow : 2 * flow + 2]
    outbound = bool(packets.outbound[rows[0]]) if len(rows) else bool(sent[0] > sent[1])
    rate, depth = (number(strongest, name) for name in ("rate_bps", "bucket_bytes"))
    same = (evidence.subject_kind == SubjectKind.FLOW) & (measured(evidence, "rate_bps") == rate) & (evidence.llr > 0)
    return FittedLimit(
        flow=flow,
        outbound=outbound,
        acks=bool(len(rows)) and not packets.payload_length[rows].any(),
        rate=rate,
        depth=depth,
        flows=np.union1d(evidence.subject[same], [flow]).astype(np.int64),
    )


def number(observation: Observation | None, name: str) -> float:
    """Read a measure of an observation, NaN where there is none."""
    value = observation.measured.get(name) if observation is not None else None
    return float("nan") if value is None else value


def transfer(trace: Trace, fitted: FittedLimit, evidence: Evidence) -> Transfer:
    """Lay out what was limited, the connection that is looked at, and what the client exchanged meanwhile."""
    known, own = trace.flows, np.array([fitted.flow])
    limits_rate = [is_rate(rule.mechanism) for rule in evidence.rules]
    accused = (
        (evidence.subject_kind == SubjectKind.FLOW)
        & (evidence.llr > 0)
        & np.array([*limits_rate, False])[evidence.rule]
    )
    neighbours = np.flatnonzero(
        (known.client == known.client[fitted.flow]) & (known.protocol == known.protocol[fitted.flow])
    )
    neighbours = neighbours[~np.isin(neighbours, np.append(evidence.subject[accused], fitted.flows))]
    flows = fitted.flows
    limited, others = (way(trace, some, fitted.outbound, acks=fitted.acks) for some in (flows, neighbours))
    if exceeds(limited, fitted):
        flows, limited = own, limited.take(limited.flow == fitted.flow)
    sent = way(trace, own, fitted.outbound != fitted.acks)
    rows = trace.by_flow[fitted.flow].astype(np.int64)
    rows = rows[trace.packets.outbound[rows] == (fitted.outbound == fitted.acks)]  # what answers the data
    rows = rows[trace.packets.relative_ack[rows] > 0]
    start, end = (limited.time[0], limited.time[-1]) if len(limited) else (0.0, 0.0)
    return Transfer(
        sent=sent,
        again=trace.packets.marks[sent.row] & AGAIN != 0,
        ack_time=(trace.packets.time[rows] - trace.packets.time[0]) / 1e9,
        acked=trace.packets.relative_ack[rows] - 1.0,
        limited=limited,
        flows=flows,
        others=others.take((others.time >= start) & (others.time <= end) & ~others.lost),
    )


def exceeds(limited: Series, fitted: FittedLimit) -> bool:
    """Say whether connections got more together than the limit that is told of them: then each has one of its own."""
    passed = limited.take(~limited.lost)
    if len(passed) == 0 or not np.isfinite(fitted.rate):
        return False
    granted = SLACK * fitted.rate / 8 * (passed.time[-1] - passed.time[0]) + np.nan_to_num(fitted.depth)
    return bool(passed.size.sum() > granted)


def way(trace: Trace, flows: I64, outbound: bool, *, acks: bool = False) -> Series:
    """Lay out one way of some flows of one protocol, with its losses; of datagrams none are known."""
    if len(flows) == 0 or trace.flows.protocol[flows[0]] == TCP:
        direction = Direction(flows=flows, outbound=outbound, acks=acks)
        return direction_series(trace, [direction], count_numbers(trace))[0]
    packets = trace.packets
    rows = np.sort(trace.by_flow.take(flows).values).astype(np.int64)
    rows = rows[(packets.outbound[rows] == outbound) & (packets.payload_length[rows] > 0)]
    payload = packets.payload_length[rows].astype(np.int64)
    return Series(
        time=(packets.time[rows] - packets.time[0]) / 1e9,
        size=packets.length[rows].astype(np.float64),
        lost=np.zeros(len(rows), np.bool_),
        row=rows,
        flow=packets.flow[rows].astype(np.int64),
        start=np.cumsum(payload) - payload + 1,
        payload=payload,
        delay=np.full(len(rows), np.nan),
        upstream=False,
    )


def positions(trace: Trace, verdict: Verdict, evidence: Evidence) -> Positions | None:
    """Gather where connections froze; None when the evidence measured no positions.

    Of a group, its members; else all connections of the capture that froze at the same limit. Counted are packets of
    both ways, or payload bytes from the server: whichever the limit is told in, or lies closer together.
    """
    about_positions = np.array([*(has_figure(rule.mechanism, Figure.POSITIONS) for rule in evidence.rules), False])
    relevant = about_positions[evidence.rule] & (evidence.llr > 0) & (evidence.subject_kind == SubjectKind.FLOW)
    flows = flows_of(trace, verdict)
    limits = {unit: measured(evidence, f"limit_{unit}") for unit in UNITS}
    mine = relevant & np.isin(evidence.subject, flows)
    if verdict.group is None:
        alike = [relevant & np.isin(limit, limit[mine & np.isfinite(limit)]) for limit in limits.values()]
        flows = np.append(evidence.subject[np.any(alike, axis=0)], flows)
    chosen = relevant & np.isin(evidence.subject, flows)
    by_unit = {unit: first_of(evidence.subject, measured(evidence, unit), chosen) for unit in UNITS}
    known = {unit: values for unit, (_, values) in by_unit.items() if len(values)}
    if not known:
        return None
    common = {unit: limit[mine & np.isfinite(limit)] for unit, limit in limits.items()}
    unit = min(known, key=lambda unit: (not len(common[unit]), spread(known[unit])))
    limit = common[unit]
    return Positions(
        stopped=known[unit],
        survivors=how_far(
            trace, np.setdiff1d(answered_connections(trace, by_unit[unit][0]), evidence.subject[relevant]), unit
        ),
        unit=unit,
        limit=float(np.median(limit)) if len(limit) else None,
    )


def first_of(subject: I32, values: F64, chosen: Mask) -> tuple[I64, F64]:
    """Take one value for each subject: the first that is known."""
    rows = np.flatnonzero(chosen & np.isfinite(values))
    flow, place = np.unique(subject[rows], return_index=True)
    return flow.astype(np.int64), values[rows[place]]


def spread(values: F64) -> float:
    """Measure how far values lie apart, as a share of their median."""
    middle = float(np.median(values))
    return float(np.median(np.abs(values - middle))) / max(middle, 1.0)


def answered_connections(trace: Trace, flows: I64) -> I64:
    """List the connections of the same clients that the server answered with data, these included."""
    mine = np.isin(trace.flows.client, trace.flows.client[flows]) & (trace.sides.payload_packets[1::2] > 0)
    return np.flatnonzero(mine & (trace.flows.protocol != 1) & (trace.flows.server_port != 53))


def how_far(trace: Trace, flows: I64, unit: str) -> F64:
    """Count packets of both ways, or payload bytes from the server."""
    if unit == "bytes":
        return trace.sides.payload_bytes[2 * flows + 1].astype(np.float64)
    part = trace.by_flow.take(flows)
    pieces, _ = wire_pieces(trace, part.values.astype(np.int64))
    return np.bincount(part.parents(), pieces, len(flows)).astype(np.float64)
