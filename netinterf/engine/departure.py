"""What leaves a session, and which packets of it prove what was found: enough of them to be judged again by themselves.

A conversation alone is not enough for that. Forged answers are told from true ones by what else a resolver said, a
silence by who was answered beside it, a limit by who had none: of the findings of simulated captures, half were found
again in their own packets, and all among those of their clients. So what is taken out is a finding's conversation,
those that its evidence points at, and beside them what the same client did at that time, up to a bound.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.engine.extract import write_packets
from netinterf.schema import Grade
from netinterf.trace import Trace
from netinterf.values import frozen
from netinterf.written.comments import frame_comments
from netinterf.written.ledger import Ledger
from netinterf.written.record import Verdict

__all__ = ["COMPANY", "MOST_CLIENTS", "Departure", "Exhibit", "exhibits"]

COMPANY = 2_000
"""Packets of other conversations of a client that are taken along, those nearest in time."""

MOST_CLIENTS = 64
"""Exhibits of one mechanism that leave together, at most: of a flood, the last holds all other clients."""

MOST_SAID = 64
"""Findings that comments of one exhibit tell of."""

POSSIBLE = tuple(Grade).index(Grade.POSSIBLE)


@frozen(eq=False)
class Departure:
    """What leaves the window of a session.

    Args:
        trace: The window, with what stays in it. Whoever holds on to it costs the session a copy of the window.
        ledger: How it was judged.
        rows: Which verdicts became final and are told, groups behind them, by their rows in the ledger.
    """

    trace: Trace
    ledger: Ledger
    rows: I64


@frozen(eq=False)
class Exhibit:
    """Packets that prove findings of one mechanism.

    Args:
        mechanism: What was found.
        trace: Where the packets are.
        packets: Their rows, in order of time.
        verdicts: What was found, or some of it.
    """

    mechanism: str
    trace: Trace
    packets: I64
    verdicts: tuple[Verdict, ...]

    @property
    def began(self) -> int:
        """When the first finding began, ns since 1970 UTC."""
        return min(verdict.start for verdict in self.verdicts)

    def write(self, target: BinaryIO) -> None:
        """Write the packets as pcapng, with what the verdicts say of frames beside them.

        Raises:
            OSError: The target cannot be written.
        """
        write_packets(target, self.trace, self.packets, frame_comments(self.verdicts))


def exhibits(departure: Departure) -> Iterator[Exhibit]:
    """Take out what proves the findings that became final: for each mechanism, a client's together.

    Findings of groups are proved by those of their members; where none of them is a finding by itself, all members are
    an exhibit together, unless some of them were one of a surer group.
    """
    trace, ledger, verdicts = departure.trace, departure.ledger, departure.ledger.verdicts
    is_finding = (verdicts.grade <= POSSIBLE) & (verdicts.mechanism >= 0)
    rows = departure.rows[departure.rows < len(verdicts)]
    rows = rows[is_finding[rows]]
    for code in np.unique(verdicts.mechanism[rows]).tolist():
        alike = rows[verdicts.mechanism[rows] == code]
        _, client = np.unique(trace.flows.client[verdicts.flow[alike]], return_inverse=True)
        client = np.minimum(client, MOST_CLIENTS - 1)
        for place in range(int(client.max()) + 1):
            shown = alike[client == place]
            yield exhibit(trace, ledger, verdicts.mechanisms[code], shown, verdicts.flow[shown].astype(np.int64))
    groups, shown_too = ledger.groups, is_finding.copy()
    for row in (departure.rows[departure.rows >= len(verdicts)] - len(verdicts)).tolist():
        members = groups.subjects[row]
        if not shown_too[members].any():
            shown_too[members] = True
            mechanism, told = groups.mechanisms[int(groups.mechanism[row])], np.array([len(verdicts) + row])
            yield exhibit(trace, ledger, mechanism, told, verdicts.flow[members].astype(np.int64))


def exhibit(trace: Trace, ledger: Ledger, mechanism: str, rows: I64, flows: I64) -> Exhibit:
    """Take out the packets of some conversations, with their company."""
    verdicts = tuple(ledger.written(rows[:MOST_SAID]))
    frames = {frame for verdict in verdicts for frame in verdict.frames}
    frames |= {frame for verdict in verdicts for said in verdict.evidence for frame in said.frames}
    pointed_at = np.flatnonzero(np.isin(trace.packets.frame, np.fromiter(frames, np.int64, len(frames))))
    chosen = np.zeros(len(trace.flows) + 1, np.bool_)  # the last place answers for "no flow"
    chosen[flows] = True
    company = beside(trace, chosen[:-1])
    chosen[trace.packets.flow[pointed_at]] = True
    chosen[company] = True
    chosen[-1] = False
    quoting = trace.quotes.packet[chosen[trace.quotes.flow]]
    packets = np.concatenate([trace.by_flow.take(np.flatnonzero(chosen)).values, pointed_at, quoting])
    return Exhibit(mechanism, trace, np.unique(packets.astype(np.int64)), verdicts)


def beside(trace: Trace, chosen: Mask) -> I64:
    """List other flows of the clients of some, the nearest in time first, as far as there is room for them."""
    flows, start = trace.flows, trace.packets.time[trace.flows.first_packet]
    clients = np.unique(flows.client[chosen])
    lengths = trace.by_flow.lengths
    others = np.flatnonzero(np.isin(flows.client, clients) & ~chosen & (lengths <= COMPANY // 2))
    times = np.sort(start[chosen])
    behind = np.minimum(np.searchsorted(times, start[others]), len(times) - 1)
    away = np.minimum(np.abs(times[behind] - start[others]), np.abs(times[np.maximum(behind - 1, 0)] - start[others]))
    nearest = others[np.argsort(away, kind="stable")]
    result: I64 = nearest[np.cumsum(lengths[nearest]) <= COMPANY]
    return result
