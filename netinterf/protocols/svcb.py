"""Service bindings: what a name's own HTTPS or SVCB record says about how it can be reached (RFC 9460)."""

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.protocols.dns_names import skip_names
from netinterf.protocols.streams import words

__all__ = ["offers_http3"]

ALPN = 1
"""Key of the list of application protocols, RFC 9460 §14.3.2."""

MOST_PARAMETERS, MOST_PROTOCOLS = 32, 32
"""Parameters of one record, and protocols of one list, that are read: 12 keys and 60 protocols are assigned, real
records hold few (IANA)."""

H3 = int.from_bytes(b"h3", "big")


def offers_http3(data: U8, at: I64, stop: I64) -> Mask:
    """Say which records list HTTP/3 (``h3``, RFC 9114 §3.1) among their protocols (RFC 9460 §7.1).

    Args:
        data: Bytes that hold all records.
        at: Where the data of each HTTPS or SVCB record begin, n of them.
        stop: Where they end.

    Returns:
        One flag per record; False also for what cannot be read.
    """
    http3 = np.zeros(len(at), np.bool_)
    row = np.flatnonzero(at + 2 < stop)
    place, error = skip_names(data, at[row] + 2, stop[row])  # the target's name is not compressed (RFC 9460 §2.2)
    row, place = row[error == 0], place[error == 0]
    for _ in range(MOST_PARAMETERS):
        fits = place + 4 <= stop[row]
        row, place = row[fits], place[fits]
        if not len(row):
            break
        key, size = words(data, place, 2), words(data, place + 2, 2)
        place = place + 4 + size
        listed = (key == ALPN) & (place <= stop[row])
        http3[row[listed]] = lists_http3(data, place[listed] - size[listed], place[listed])
    return http3


def lists_http3(data: U8, at: I64, stop: I64) -> Mask:
    """Say which lists of protocol names, each behind its length (RFC 9460 §7.1.1), hold ``h3``."""
    http3 = np.zeros(len(at), np.bool_)
    row, place = np.arange(len(at)), at
    for _ in range(MOST_PROTOCOLS):
        inside = place < stop[row]
        row, place = row[inside], place[inside]
        if not len(row):
            break
        size = data[place].astype(np.int64)
        two = np.flatnonzero((size == 2) & (place + 3 <= stop[row]))
        http3[row[two[words(data, place[two] + 1, 2) == H3]]] = True
        place = place + 1 + size
    return http3
