"""Whom a page was shown to: some names and not others, or everybody alike.

A box that blocks chooses. A portal before login, a cache and a filter on the client's own machine answer whatever is
asked, so that every name gets the same page: nobody is accused of that.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.block_pages.answers import Answers
from netinterf.analyzers.block_pages.content import Content
from netinterf.arrays import I64, Mask
from netinterf.numbering import combined, distinct, numbered
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Audience", "find_audience", "numbered_alike"]

LEAST_NAMES = 3
"""Names that must all have got one page before it counts as everybody's. Lists hold few of all names (122,000 of 15.5
million in Turkmenistan; Nourin et al., WWW 2023); even of names of which one in ten is listed, three picked blindly all
are once in a thousand times."""

LEAST_NUMBERED = 3
"""Answers with one identification before it counts as somebody's: two agree by chance once in 65,536 times."""

CHANCE = 0.001
"""How often chance may bring so many together in a capture, the search over all identifications paid for."""


@frozen(eq=False, kw_only=True)
class Audience:
    """One entry per answer."""

    pages: I64  # pages of its make that the client got
    names: I64  # names under which
    others: I64  # names that got other answers over HTTP
    selective: Mask
    all_alike: Mask
    made_alike: NDArray[
        np.bool_
    ]  # a marked page of a make that came from unrelated servers, some of it certainly forged


def find_audience(trace: Trace, answers: Answers, content: Content, suspect: Mask, foreign: Mask) -> Audience:
    """Count pages of one make, by client and name.

    Args:
        trace: The capture.
        answers: First answers of HTTP conversations.
        content: What they say; it tells makes apart.
        suspect: Answers that something speaks against; only these make a page suspicious.
        foreign: Answers that by time and header were plainly written by somebody else.
    """
    http = trace.http
    name, client = trace.contacts.name, trace.flows.client.astype(np.int64)
    flow = answers.suspects.flow
    answered, hit = distinct(http.flow[~http.outbound & (http.status > 0)]), flow[suspect]
    answered_of, hit_of = (names_by_client(client[flows], name[flows], len(trace.hosts)) for flows in (answered, hit))
    kinds = int(content.likeness.max(initial=0)) + 1
    own = client[flow] * kinds + content.likeness
    makes = own[suspect]
    names_of = count_of(makes[numbered(combined(makes, name[hit]))[1]], own)
    pages_of = count_of(makes, own)
    others = answered_of[client[flow]] - hit_of[client[flow]]
    marked = content.marked
    certain = count_of(own[foreign & marked], own) - (foreign & marked)
    return Audience(
        pages=pages_of,
        names=names_of,
        others=others,
        selective=(others > 0) & (names_of > 0),
        all_alike=(others == 0) & (names_of >= LEAST_NAMES),
        made_alike=marked & (certain > 0),
    )


def names_by_client(client: I64, name: I64, count: int) -> I64:
    """Count the different names beside each of *count* clients."""
    return np.bincount(client[numbered(combined(client, name))[1]], minlength=count)


def numbered_alike(trace: Trace, answers: Answers) -> I64:
    """Count, for each answer, those to the same client with the same identification; 0 where that is nothing odd.

    Hosts number the packets of a connection from anywhere, or all of them zero (RFC 6864 §4.1); some injectors write
    one number into all that they forge. It must be further from that of the server's own greeting than a counter can
    have come meanwhile: some hosts begin each connection's count anew.
    """
    packets, row = trace.packets, answers.suspects.row
    rows = trace.by_flow.take(answers.suspects.flow)
    passed = np.bincount(rows.parents(), rows.values < row[rows.parents()], len(row))
    synack = trace.sides.syn[answers.suspects.side].astype(np.int64)
    number = packets.ip_id[row].astype(np.int64)
    foreign = (
        (packets.version[row] == 4)
        & (number > 0)
        & (synack >= 0)
        & trace.recording.ip_id_informative[answers.suspects.flow]
    )
    foreign &= (number - packets.ip_id[np.maximum(synack, 0)].astype(np.int64)) % 65536 > passed
    client = trace.flows.client[answers.suspects.flow].astype(np.int64)
    alike = count_of((client << 16 | number)[foreign], client << 16 | number)
    several = foreign & (alike >= LEAST_NUMBERED)
    if not several.any():
        return np.zeros(len(row), np.int64)
    from scipy.special import pdtrc  # a tenth of a second, for captures that need it

    usual = count_of(client[foreign], client) / 65536.0
    by_chance = 65536.0 * pdtrc(np.maximum(alike - 1, 0), usual)
    return np.where(several & (by_chance < CHANCE), alike, 0)


def count_of(keys: I64, wanted: I64) -> I64:
    """Count how often each wanted number is among *keys*."""
    rising = np.sort(keys)
    counted: I64 = np.searchsorted(rising, wanted, side="right") - np.searchsorted(rising, wanted)
    return counted
