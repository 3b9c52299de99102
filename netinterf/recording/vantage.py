"""Where the tap sits: next to the client, next to the server, or between them."""

import numpy as np

from netinterf.arrays import I32, I64, Mask
from netinterf.numbering import numbered, one_of
from netinterf.schema import Flows, Packets, Sides, Vantage

__all__ = ["INITIAL_TTLS", "PLACES", "elect", "places", "votes"]

PLACES = tuple(Vantage)  # a place is told by its number in it
CLIENT, SERVER, MIDDLE, UNKNOWN = range(4)

INITIAL_TTLS = np.array([64, 128, 255], np.uint8)
"""Initial values of the hop limit in common stacks; a packet that still carries one was captured at its sender."""

NEAR_SHARE = 0.1
"""A side is next to the tap when its half of the round trip is below this share of the whole."""


def votes(packets: Packets, sides: Sides) -> I64:
    """Let each flow vote: by hop limits that no router lowered, else by the halves of the round trip.

    Hop limits go first: a slow program at the tap looks far away by time. Both ends next to the tap (a lab on one host)
    is a vote for none of the places.

    Returns:
        One row per flow: votes for client, server and middle, and how many votes were cast.
    """
    first = sides.first.reshape(-1, 2)
    two_way = np.flatnonzero((first[:, 0] >= 0) & (first[:, 1] >= 0))
    fresh = one_of(packets.ttl[first[two_way]], INITIAL_TTLS)
    client, server = sides.rtt[2 * two_way], sides.rtt[2 * two_way + 1]
    timed = (client >= 0) & (server >= 0)
    whole = np.maximum(client + server, 1)
    near = np.stack([client < NEAR_SHARE * whole, server < NEAR_SHARE * whole], axis=1)
    by_ttl = fresh[:, 0] != fresh[:, 1]
    place = np.where(by_ttl[:, None], fresh, near & timed[:, None])
    cast = by_ttl | timed
    columns = (place[:, 0] & ~place[:, 1], place[:, 1] & ~place[:, 0], cast & ~place.any(axis=1), cast)
    counted = np.zeros((len(first), len(columns)), np.int64)
    counted[two_way] = np.stack(columns, axis=1)
    return counted


def elect(counted: I64) -> I64:
    """Take the place with two thirds of the votes; `UNKNOWN` where none has them.

    Args:
        counted: One row per electorate, as `votes` gives them, summed.
    """
    best = counted[:, :3].argmax(axis=1)
    most = counted[np.arange(len(counted)), best]
    return np.where((most > 0) & (3 * most >= 2 * counted[:, 3]), best, UNKNOWN)


def places(flows: Flows, cast: I64) -> I64:
    """Say of each flow where it was recorded: by all flows of the end that its path goes by.

    Where those cast no vote at all, since nobody answered that end, the flows of the other end are asked.
    """
    voting = np.flatnonzero(cast[:, 3])
    (client, client_voted), (server, server_voted) = (
        of_end(end, voting, cast[voting]) for end in (flows.client, flows.server)
    )
    first_server = flows.path & 1 == 1
    return np.where(np.where(first_server, ~server_voted & client_voted, client_voted), client, server)


def of_end(end: I32, voting: I64, cast: I64) -> tuple[I64, Mask]:
    """Say of each flow which place the flows of its end elect, and whether any of these votes.

    Args:
        end: Row in Hosts of each flow's end.
        voting: The flows that vote.
        cast: Their votes.
    """
    number, first = numbered(end[voting].astype(np.int64))
    counted = np.stack([np.bincount(number, column, len(first)) for column in cast.T], axis=1).astype(np.int64)
    elected = np.full(int(end.max(initial=-1)) + 1, UNKNOWN)
    elected[end[voting[first]]] = elect(counted)
    voted = np.zeros(len(elected), np.bool_)
    voted[end[voting]] = True
    return elected[end], voted[end]
