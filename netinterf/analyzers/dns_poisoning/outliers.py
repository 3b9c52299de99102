"""Single replies that somebody else than their server seems to have written, for names that it was asked about before.

A box in the path that answers in place of the resolver leaves no second reply. But it stands at another distance, which
shows in the hop limit, and it answers sooner or builds its replies otherwise. Forwarders that hand some names on to
another server look the same, and so this alone accuses nobody: it needs the hop limit and one of the other two, a
server with a profile learnt without the odd ones, names nearly all of whose replies are odd, and others meanwhile that
are not, since a captive portal or another site of an anycast address answers everything for a while.
"""

import numpy as np

from netinterf.analyzers.dns_poisoning.profile import BaselineWeights, compare_with_server, far_off
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.analyzers.dns_poisoning.selective import between_others, by_name, name_keys
from netinterf.arrays import F64, I64, Mask
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Outliers", "find_outliers"]

PROFILE = 20
"""Ordinary replies of a server that a contrast within it needs for a judgement of medium weight (the smallest sample
whose rarest feature has odds below one in twenty, Jeffreys)."""


@frozen(eq=False, kw_only=True)
class Outliers:
    """One row per odd reply."""

    rows: I64  # rows in Replies
    llr: F64  # hop limit, construction and time together
    ttl: I64
    usual_ttl: F64
    baseline: I64  # ordinary replies of its server
    of_name: I64  # replies about its name, all but a few as odd


def find_outliers(trace: Trace, replies: Replies, clean: Mask, sinkholed: Mask, least_rtt: F64) -> Outliers:
    """Find replies unlike their server's others, name by name.

    Args:
        trace: The capture.
        replies: All replies.
        clean: Which are under no suspicion for other reasons; aligned with *replies*.
        sinkholed: Which answer as a block list would; aligned likewise.
        least_rtt: Least TCP handshake per host in ns, NaN where unknown.
    """
    rows = with_profile(replies, clean, clean)
    rows = rows[far_off(trace, replies, rows, clean)]  # few; the rest of the comparison takes longer
    rows = rows[unlike_server(compare_with_server(trace, replies, rows, clean, sinkholed, least_rtt))]
    ordinary = clean.copy()
    ordinary[rows] = False
    rows = rows[np.isin(rows, with_profile(replies, clean, ordinary))]
    rows = rows[by_name(replies, clean, rows) & between_others(trace, replies, clean, rows)]
    compared = compare_with_server(trace, replies, rows, ordinary, sinkholed, least_rtt)
    keep = np.flatnonzero(unlike_server(compared))
    _, place, size = np.unique(name_keys(replies)[rows[keep]], return_inverse=True, return_counts=True)
    return Outliers(
        rows=rows[keep],
        llr=(compared.ttl_weight + compared.construction + np.maximum(compared.timing, compared.beats_path))[keep],
        ttl=replies.ttl[rows[keep]],
        usual_ttl=compared.usual_ttl[keep],
        baseline=compared.baseline[keep],
        of_name=size[place.reshape(-1)],
    )


def unlike_server(compared: BaselineWeights) -> Mask:
    """Say which replies came from another distance, and too soon or built otherwise as well."""
    apart: Mask = (compared.ttl_weight > 0) & (
        (compared.construction > 0) | (compared.timing > 0) | (compared.beats_path > 0)
    )
    return apart


def with_profile(replies: Replies, clean: Mask, base: Mask) -> I64:
    """List the clean replies whose server has enough replies among *base*."""
    count = np.bincount(replies.server[base], minlength=int(replies.server.max(initial=-1)) + 1)
    return np.flatnonzero(clean & (count[replies.server] >= PROFILE))
