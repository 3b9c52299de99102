"""What the user's table of known answers says of replies: that they agree with it, or that they cannot be reconciled.

Delivery networks answer by place, so that an answer nobody else got is ordinary, above all where no table of networks
tells whether the addresses are one operator's. What speaks louder is one address for many unrelated names, none of
which is known to have it (`netinterf.analyzers.dns_poisoning.shared_answers`).
"""

import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.answered import share_any
from netinterf.analyzers.dns_poisoning.content import LOCAL, Content, Feature
from netinterf.analyzers.dns_poisoning.race import Races
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.analyzers.dns_poisoning.selective import between_others, by_name
from netinterf.analyzers.signs import weight_of
from netinterf.arrays import F64, I64, U16, U64, Mask
from netinterf.context.networks import network_numbers
from netinterf.protocols.dns_messages import RecordType
from netinterf.protocols.dns_names import lowered
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Known", "compare_known"]

UNSURE = 0.5
"""Share of the weight without a table that names both networks, or for an answer that denies the name: many resolvers
filter so by their users' choice."""

NOERROR, NXDOMAIN = 0, 3


@frozen(eq=False, kw_only=True)
class Known:
    """Aligned with `Replies`; nothing where the table has nothing about the name and type."""

    agrees: Mask  # one of its addresses, or its network, is known
    unlike: F64  # weight of having none that is


def compare_known(trace: Trace, replies: Replies, content: Content, races: Races) -> Known:
    """Compare replies about known names with what these names are known to answer.

    Block lists and captive portals answer with addresses that are nobody's, and filters say so: such replies are left
    out, as are those of resolvers in the client's own network that deny a name. A reply that no other contradicts must
    single its name out: before its login page a captive portal leads everybody elsewhere, whatever the name.
    """
    known = trace.outside.answers
    agrees, unlike = np.zeros(len(replies), np.bool_), np.zeros(len(replies))
    if not len(known):
        return Known(agrees=agrees, unlike=unlike)
    row = known.find(lowered(trace.exchanges.name))[replies.exchange]
    blind = (
        content.has(Feature.SINKHOLE | Feature.UNREACHABLE | Feature.FAKE_IP | Feature.POLICY)
        | replies.truncated
        | replies.cut_off
    )
    rows = np.flatnonzero((row >= 0) & ~blind)
    row, kind = row[rows], trace.exchanges.kind[replies.exchange[rows]]
    given, expected = content.addresses.take(rows), known.addresses.take(row)
    networks = trace.outside.networks
    mine = network_numbers(networks, trace.answers.high[given.values], trace.answers.low[given.values])
    theirs = network_numbers(networks, known.high[expected.values], known.low[expected.values])
    shared = share_any(Ragged(given.offsets, mine), Ragged(expected.offsets, theirs))
    named = every(given.parents(), mine >= 0, len(rows)) & every(expected.parents(), theirs >= 0, len(rows))
    family_known = holds(known.high[expected.values], expected.parents(), kind, len(rows))
    answered = given.lengths > 0
    denied = ~answered & family_known & np.isin(replies.rcode[rows], (NOERROR, NXDOMAIN)) & ~replies.answered[rows]
    denied &= trace.hosts.special[replies.server[rows]] & LOCAL == 0
    full = weight_of(rules.UNLIKE_KNOWN)
    weight = np.where(named, full, UNSURE * full)
    agrees[rows] = shared
    unlike[rows] = np.where(answered & family_known & ~shared, weight, np.where(denied, UNSURE * full, 0.0))
    disputed = np.isin(replies.exchange, races.exchange[races.weight > 0])
    unlike_rows = np.flatnonzero((unlike > 0) & ~disputed)
    singled = by_name(replies, ~disputed, unlike_rows) & between_others(trace, replies, ~disputed, unlike_rows)
    unlike[unlike_rows[~singled]] = 0.0
    return Known(agrees=agrees, unlike=unlike)


def every(owner: I64, holds: Mask, count: int) -> Mask:
    """Say of which of *count* lists all members do."""
    all_hold = np.ones(count, np.bool_)
    all_hold[owner[~holds]] = False
    return all_hold


def holds(high: U64, owner: I64, kind: U16, count: int) -> Mask:
    """Say for which of *count* questions an address of the family asked for is known."""
    families = np.zeros((count, 2), np.bool_)
    families[owner, (high != 0).astype(np.int64)] = True  # mapped addresses have no upper half
    wanted: Mask = families[:, 0] & (kind == RecordType.A) | families[:, 1] & (kind == RecordType.AAAA)
    return wanted
