"""Names and servers as numbers under a key: equal in all captures of a store, and not to be guessed without the key.

A plain hash of a name is no secret: whoever has a list of names hashes the list. So the hash is keyed (BLAKE2b with a
key, RFC 7693 §2.9), and what is hashed says what it is, so that a name and an address never meet.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from netinterf.arrays import I64

__all__ = ["keyed"]


def keyed(secret: bytes, kind: str, values: Iterable[bytes]) -> I64:
    """Number values under a key.

    Args:
        secret: The key, up to 64 bytes.
        kind: What they are: the same bytes get other numbers as another kind; at most 16 letters.
        values: What to number; each once, since this takes a microsecond.

    Returns:
        One whole number of 64 bits each. Of a million different ones, two are equal with probability 3e-8.
    """
    person = kind.encode("ascii")
    digests = b"".join(blake2b(value, digest_size=8, key=secret, person=person).digest() for value in values)
    return np.frombuffer(digests, "<i8").astype(np.int64)
