"""Whose recording a conversation belongs to: the end of it that met more others.

A capture may hold what several machines recorded, or what one router passed on for many. What holds for one of them
says nothing of the others, so it is found *path by path*: for all conversations that share the end at which the
recording was most likely made. A client's capture has one client and many servers, a server's capture one server and
many clients; the end that met more others in the capture is the one to go by, and the client where both met as many.
Unrelated traffic in the same file has other ends, and so changes no path.
"""

import numpy as np

from netinterf.arrays import I32

__all__ = ["paths"]


def paths(client: I32, server: I32) -> I32:
    """Find the path of each flow.

    Args:
        client: Row in Hosts of each flow's client.
        server: Row in Hosts of each flow's server.

    Returns:
        Twice the row in Hosts of the end that met more others, plus 1 where that is a server.
    """
    if not len(client):
        return np.empty(0, np.int32)
    pairs = np.unique(client.astype(np.int64) << 32 | server)
    hosts = int(max(client.max(), server.max())) + 1
    servers = np.bincount(pairs >> 32, minlength=hosts)[client]
    clients = np.bincount(pairs & 0xFFFFFFFF, minlength=hosts)[server]
    path: I32 = np.where(clients > servers, 2 * server + 1, 2 * client).astype(np.int32)
    return path
