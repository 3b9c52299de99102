"""Conversations of a large capture that are counted, and not listed: single packets like many others.

A flood from ten million addresses is ten million conversations of which nothing can be said but that each is one
packet. Those beyond a crowd of them, at one server or of one client, are let go once their shard was judged, so that
memory does not grow with the flood. Nothing is let go of which anything that weighs was seen.
"""

from typing import TYPE_CHECKING

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.schema import SubjectKind

if TYPE_CHECKING:
    from netinterf.schema import Evidence
    from netinterf.trace import Trace
    from netinterf.verdict.subjects import Subjects

__all__ = ["CROWD", "beyond_a_crowd"]

CROWD = 256
"""Conversations of a single packet that are listed of a shard, at one service and of one client: shares among so many
are known to 3 % (the standard error of a half)."""


def beyond_a_crowd(trace: "Trace", evidence: "Evidence", subjects: "Subjects") -> Mask:
    """Say which flows are single packets like many others, of which nothing is known that weighs.

    Args:
        trace: A shard, or a window of one.
        evidence: What was observed in it.
        subjects: Who was judged.

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
    crowd = np.zeros(len(flows), np.bool_)
    crowd[rows] = beyond(service, CROWD) | beyond(client, CROWD)
    return crowd


def beyond(keys: I64, most: int) -> Mask:
    """Say of which keys so many came before."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    later = np.empty(len(keys), np.bool_)
    later[order] = np.arange(len(keys)) - np.searchsorted(ordered, ordered) >= most
    return later
