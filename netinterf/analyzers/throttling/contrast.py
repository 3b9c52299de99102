"""Is it this server or the whole link? Compare what the same client exchanged with others at the same time.

A plan's limit holds for all that a client receives: the flows with every server drain one bucket, so merging them
explains the losses at least as well as one alone (the idea of Zhang et al., IMC 2023: flows that lose together share
the limiter); or, one after the other, all meet the same rate. A limit on one server leaves others faster. Servers of
one domain are no contrast: they may all be the target.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.throttling.judge import LEAST_LLR, Judged
from netinterf.analyzers.throttling.series import COLUMNS, Series, data_rows
from netinterf.analyzers.throttling.units import Direction
from netinterf.stats.ratelimit import search_bucket
from netinterf.trace import Trace

__all__ = ["Contrast", "contrast"]

I64 = NDArray[np.int64]

TCP = 6

SPARED_RATIO = 2.0
"""Another server is spared when it was at least so many times as fast in some second ("clear" differences are 2× and
more in measurement practice; the loose bounds of 10 to 20 % of active tests need matched replays)."""

ALIKE = 0.2
"""Share of the losses that other servers must have in a common bucket, and how close equal limits are."""

AS_WELL = 0.9
"""A common bucket must explain at least this share of what the single one explains: two buckets taken for one explain
next to nothing, since neither's level is known."""

SHOWN = 50
"""Packets named as witnesses."""


@attrs.frozen(kw_only=True)
class Contrast:
    """How one limited direction compares with the client's other servers."""

    selective: float = np.nan  # 1 others are spared, 0 all are limited alike, NaN nothing to compare
    servers: int = 1
    rate: float = np.nan  # bytes a second of the common limit
    ratio: float = np.nan  # how much faster the fastest other server was
    rows: I64 = attrs.field(factory=lambda: np.empty(0, np.int64))  # packets that show it


def contrast(trace: Trace, judged: Judged, others: list[Judged]) -> Contrast:
    """Compare one direction with a token bucket with all others of its client in that direction.

    Args:
        trace: The capture.
        judged: The direction, whose `bucket` is not None.
        others: All directions that were judged, this one included.

    Returns:
        The contrast.
    """
    best, direction = judged.bucket, judged.direction
    if best is None:
        return Contrast()
    flow = np.flatnonzero((trace.flows.protocol == TCP) & (trace.flows.client == direction.client))
    flow = flow[trace.flows.server[flow] != direction.server]
    if len(flow) == 0:
        return Contrast()
    time = trace.packets.time
    begin, end = int(time[best.unit.row].min()), int(time[best.unit.row].max())
    peers = [one for one in others if same_client(one.direction, direction)]
    lossy = np.isin(trace.flows.server[flow], [one.direction.server for one in peers])
    spared = _spared(trace, judged, flow[~lossy], begin, end)
    if np.isnan(spared.selective) and peers:
        spared = _common_bucket(trace, judged, peers, begin, end)
    return _spared(trace, judged, flow[lossy], begin, end) if np.isnan(spared.selective) else spared


def _spared(trace: Trace, judged: Judged, flow: I64, begin: int, end: int) -> Contrast:
    """Look for another server that sent more in a second than this limit and one burst of its bucket allow."""
    best = judged.bucket
    rows = data_rows(trace, flow, judged.direction.outbound)
    rows = rows[(trace.packets.time[rows] >= begin) & (trace.packets.time[rows] <= end)]
    if best is None or len(rows) == 0:
        return Contrast()
    ratio = (_fastest(trace, rows, begin) - best.fit.depth) / best.fit.rate
    if ratio < SPARED_RATIO:
        return Contrast()
    return Contrast(selective=1.0, ratio=ratio, rate=best.fit.rate, rows=rows[:SHOWN])


def same_client(one: Direction, other: Direction) -> bool:
    """Say whether two directions belong to one client, the same way, but to different servers."""
    return (one.client, one.outbound) == (other.client, other.outbound) and one.server != other.server


def _common_bucket(trace: Trace, judged: Judged, peers: list[Judged], begin: int, end: int) -> Contrast:
    """Look for one bucket that all lossy servers of the client share, or for equal buckets of each."""
    best, server = judged.bucket, judged.direction.server
    if best is None:
        return Contrast()
    shared = _merged(trace, [judged, *peers], begin, end)
    foreign = trace.flows.server[shared.flow] != server
    losses = int(np.count_nonzero(shared.lost))
    if np.count_nonzero(shared.lost & foreign) >= ALIKE * losses:
        fit = search_bucket(shared.time, shared.size, shared.lost)
        if fit.llr > LEAST_LLR and fit.info >= AS_WELL * best.fit.info:
            servers = len(np.unique(trace.flows.server[shared.flow[shared.lost]]))
            rows = shared.row[shared.lost & foreign]
            return Contrast(selective=0.0, servers=servers, rate=fit.rate, rows=rows[:SHOWN])
    alike = [one for one in peers if one.bucket and abs(np.log(one.bucket.fit.rate / best.fit.rate)) <= ALIKE]
    if len(alike) == len(peers) and len(domains(trace, [judged, *peers])) != 1:
        rows = np.concatenate([one.series.row[one.series.lost] for one in alike])
        return Contrast(selective=0.0, servers=1 + len(alike), rate=best.fit.rate, rows=rows[:SHOWN])
    return Contrast()


def domains(trace: Trace, directions: list[Judged]) -> set[str]:
    """Name the domains of several directions, as far as requests told them: their last two labels."""
    flows = np.concatenate([one.direction.flows for one in directions])
    names = [trace.tls.name[int(row)] for row in np.flatnonzero(np.isin(trace.tls.flow, flows))]
    names += [trace.http.host[int(row)] for row in np.flatnonzero(np.isin(trace.http.flow, flows))]
    return {".".join(name.split(":")[0].split(".")[-2:]) for name in names if name}


def _fastest(trace: Trace, rows: I64, begin: int) -> float:
    """Give the most wire bytes a second that any other server reached in one second."""
    packets = trace.packets
    second = (packets.time[rows] - begin) // 1_000_000_000
    server = trace.flows.server[packets.flow[rows]].astype(np.int64)
    _, place = np.unique(server << 32 | second, return_inverse=True)
    return float(np.bincount(place, weights=packets.length[rows]).max())


def _merged(trace: Trace, directions: list[Judged], begin: int, end: int) -> Series:
    """Lay the series of several directions over each other, within a span of time."""
    parts = [one.series for one in directions]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    origins = [int(trace.packets.time[part.row[~part.lost]].min()) for part in parts]
    offset = np.concatenate([np.full(len(part), (o - begin) / 1e9) for part, o in zip(parts, origins, strict=True)])
    columns["time"] = columns["time"] + offset
    whole = parts[0].with_columns(columns)
    inside = np.flatnonzero((whole.time >= 0) & (whole.time <= (end - begin) / 1e9))
    return whole.take(inside[np.argsort(whole.time[inside], kind="stable")])
