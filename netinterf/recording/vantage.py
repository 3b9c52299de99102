"""Where the tap sits: next to the client, next to the server, or between them."""

import numpy as np

from netinterf.arrays import I64
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
    two_way = (first >= 0).all(axis=1)
    ttl = packets.ttl[np.maximum(first, 0)] if len(packets) else np.zeros(first.shape, np.uint8)
    fresh = np.isin(ttl, INITIAL_TTLS)
    client, server = sides.rtt[0::2], sides.rtt[1::2]
    timed = (client >= 0) & (server >= 0) & two_way
    whole = np.maximum(client + server, 1)
    near = np.stack([client < NEAR_SHARE * whole, server < NEAR_SHARE * whole], axis=1)
    by_ttl = two_way & (fresh[:, 0] != fresh[:, 1])
    place = np.where(by_ttl[:, None], fresh, near & timed[:, None])
    cast = by_ttl | timed
    columns = (place[:, 0] & ~place[:, 1], place[:, 1] & ~place[:, 0], cast & ~place.any(axis=1), cast)
    return np.stack(columns, axis=1).astype(np.int64)


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
    hosts = int(max(flows.client.max(initial=-1), flows.server.max(initial=-1))) + 1
    by_client, by_server = (
        np.stack([np.bincount(end, weights=column, minlength=hosts) for column in cast.T], axis=1).astype(np.int64)
        for end in (flows.client, flows.server)
    )
    client, server = elect(by_client)[flows.client], elect(by_server)[flows.server]
    silent_client, silent_server = by_client[flows.client, 3] == 0, by_server[flows.server, 3] == 0
    first_server = flows.path & 1 == 1
    return np.where(np.where(first_server, silent_server & ~silent_client, ~silent_client), client, server)
