"""What lives beside an address that answers no SYN: other ports of it, its neighbours, itself earlier."""

import numpy as np

from netinterf.analyzers.contrast import Contrast, around
from netinterf.analyzers.signs import Sign, sign
from netinterf.analyzers.silence import rules
from netinterf.analyzers.silence.controls import Controls
from netinterf.analyzers.unanswered.silences import TCP, Kind, Silences
from netinterf.arrays import I64
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["unanswered_syn_signs"]


@frozen(eq=False, kw_only=True)
class SynControls:
    """One entry per silence; counts are of what the same client met."""

    other_ports_answered: I64  # connections to other ports of the same address that were answered within a minute
    neighbours_answered: I64  # other addresses of the same network that first answered within a minute
    opened_before: I64  # connections to the same port of the same address that were opened before
    last_opened: I64  # when the last of these began, ns since 1970, 0 for none
    opened_after: I64  # connections to the same port that were opened within a minute after


def find_syn_controls(trace: Trace, silences: Silences) -> SynControls:
    """Look beside each attempt to open a connection that nobody answered."""
    contacts, flow, time = trace.contacts, silences.flow, trace.flows.first
    begin, end = around(silences.since, silences.until)
    heard = np.flatnonzero((trace.flows.protocol == TCP) & (trace.sides.packets[1::2] > 0))
    opened = heard[trace.sides.syn[1::2][heard] >= 0]
    pair = contacts.of("client", "server")
    first_heard = heard[np.unique(pair[heard], return_index=True)[1]]
    answered, living, established = (Contrast(contacts, rows, time[rows]) for rows in (heard, first_heard, opened))
    three = "client", "server", "server_port"
    return SynControls(
        other_ports_answered=answered.others(flow, "client", "server", but="server_port", begin=begin, end=end),
        neighbours_answered=living.others(flow, "client", "network", but="server", begin=begin, end=end),
        opened_before=established.count(flow, *three, end=silences.since),
        last_opened=established.last(flow, *three, before=silences.since),
        opened_after=established.count(flow, *three, begin=silences.since, end=end),
    )


def unanswered_syn_signs(trace: Trace, silences: Silences, controls: Controls) -> list[Sign]:
    """Tell which SYNs nobody answered, and what lives beside their addresses."""
    no_synack = silences.is_kind(Kind.UNANSWERED_SYN)
    if not no_synack.any():
        return []
    beside = find_syn_controls(trace, silences)
    before = {"times": beside.opened_before, "seconds": (silences.since - beside.last_opened) / 1e9}
    alive = controls.packets_from_elsewhere + beside.neighbours_answered + beside.other_ports_answered
    tries = {"tries": silences.tries, "seconds": silences.seconds}
    return [
        sign(rules.SYN_UNANSWERED, no_synack, tries),
        sign(
            rules.SYN_OTHER_PORT,
            no_synack & (beside.other_ports_answered > 0),
            {"answered": beside.other_ports_answered},
        ),
        sign(rules.SYN_NEIGHBOURS, no_synack & (beside.neighbours_answered > 0), {"alive": beside.neighbours_answered}),
        sign(rules.SYN_BEFORE, no_synack & (beside.opened_before > 0), before),
        sign(rules.SYN_INTERMITTENT, no_synack & (beside.opened_after > 0), {"times": beside.opened_after}),
        sign(rules.SYN_LINE, no_synack & (alive == 0)),
    ]
