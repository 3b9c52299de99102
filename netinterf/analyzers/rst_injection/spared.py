"""Whom resets spare: other names at the same server, or the same name at other times.

A box that rewrites a server's packet into a reset leaves no foreign header and no wrong time. What it cannot hide is
that it goes by the name (Xue et al., TSPU, IMC 2022). A server may reset names that it does not serve as well, so this
is no proof, and one that resets a name now and then does so for reasons of its own.
"""

import numpy as np

from netinterf.analyzers.contrast import Contrast, around
from netinterf.analyzers.forgery.suspects import TCP
from netinterf.analyzers.rst_injection import rules
from netinterf.analyzers.signs import Cases, Signs, by_rule, sign
from netinterf.arrays import I64, Mask
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["spared_signs"]


def spared_signs(trace: Trace, cases: Cases) -> Signs:
    """Say whom resets of first requests spare.

    Args:
        trace: The capture.
        cases: Flows whose first request was reset, each once.
    """
    hit = np.zeros(len(trace.flows), np.bool_)
    hit[cases.subject] = True
    spared = find_spared(trace, cases.subject.astype(np.int64), np.asarray(cases.time, np.int64), hit)
    return by_rule(
        [
            sign(rules.SPARED, spared.served > 0, {"served": spared.served}),
            sign(rules.AGAIN, (spared.again > 0) & (spared.went_well == 0), {"times": spared.again}),
            sign(rules.INTERMITTENT, spared.went_well > 0, {"served": spared.went_well}),
        ]
    )


@frozen(eq=False, kw_only=True)
class Spared:
    """One entry per flow that was asked about."""

    served: I64  # connections to the same server under other names that were answered within a minute
    went_well: I64  # the same under the same name
    again: I64  # other connections of the client under the same name that were reset at the same stage


def find_spared(trace: Trace, flow: I64, time: I64, hit: Mask) -> Spared:
    """Look beside resets that answered a first request.

    Args:
        trace: The capture.
        flow: Flows that were reset.
        time: When, ns.
        hit: For every flow of the capture, whether it was reset at that stage.
    """
    contacts, flows = trace.contacts, trace.flows
    first = trace.sides.first_payload[1::2].astype(np.int64)
    well = np.flatnonzero((flows.protocol == TCP) & (first >= 0) & ~hit)
    served = Contrast(contacts, well, trace.packets.time[first[well]])
    reset = np.flatnonzero(hit)
    begin, end = around(time, time)
    again = Contrast(contacts, reset, flows.first[reset]).count(flow, "client", "name") - 1
    return Spared(
        served=served.others(flow, "client", "server", but="name", begin=begin, end=end),
        went_well=served.count(flow, "client", "server", "name", begin=begin, end=end),
        again=np.where(contacts.name[flow] >= 0, again, 0),
    )
