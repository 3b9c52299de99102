"""Conversations of a large capture that are counted, and not listed: single packets like many others.

A flood from ten million addresses is ten million conversations of which nothing can be said but that each is one
packet. Those beyond a crowd of them, at one service or of one client, are let go once their shard was judged, so that
memory does not grow with the flood. Nobody of whom anything that weighs was seen is let go. Those who are kept weigh in
groups and contrasts as silent ones do, so they are kept by the thousand, beside which nobody else is many.
"""

from typing import TYPE_CHECKING

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.schema import SubjectKind

if TYPE_CHECKING:
    from netinterf.schema import Evidence
    from netinterf.trace import Trace
    from netinterf.verdict.subjects import Subjects

__all__ = ["LISTED", "UNLISTED", "beyond_a_crowd", "crowd_of"]

LISTED, LEAST_LISTED = 1 << 17, 1 << 10
"""Conversations of a single packet that are listed at one service, and of one client: of all shards together, which
takes about as much memory as the shard that is looked at, and of each shard at least."""

UNLISTED = "scan.unlisted"
"""Code of the diagnostic that counts conversations that are not listed."""


def crowd_of(shards: int) -> int:
    """Say how many of them are listed of each of so many shards."""
    return max(LISTED // max(shards, 1), LEAST_LISTED)


def beyond_a_crowd(trace: "Trace", evidence: "Evidence", subjects: "Subjects", crowd: int) -> Mask:
    """Say which flows are single packets like many others, of which nothing is known that weighs.

    Args:
        trace: A shard, or a window of one.
        evidence: What was observed in it.
        subjects: Who was judged.
        crowd: How many of them are listed.

    Returns:
        One entry per flow; only flows that were judged, and carried no DNS exchange.
    """
    flows = trace.flows
    single = (subjects.by_flow >= 0) & (trace.by_flow.lengths == 1)
    single[trace.exchanges.flow] = False
    single[evidence.subject[(evidence.subject_kind == SubjectKind.FLOW) & (evidence.llr != 0)]] = False
    rows, protocol = np.flatnonzero(single), flows.protocol.astype(np.int64)
    service = (flows.server.astype(np.int64) << 24 | flows.server_port.astype(np.int64) << 8 | protocol)[rows]
    client = (flows.client.astype(np.int64) << 8 | protocol)[rows]
    alone = np.zeros(len(flows), np.bool_)
    alone[rows] = beyond(service, crowd) | beyond(client, crowd)
    return alone


def beyond(keys: I64, most: int) -> Mask:
    """Say of which keys so many came before."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    later = np.empty(len(keys), np.bool_)
    later[order] = np.arange(len(keys)) - np.searchsorted(ordered, ordered) >= most
    return later
