"""Certificate authorities: the roots that browsers trusted, with the time at which they did, and those known outside.

The roots are Mozilla's list since 2014, as certifi carried it. Today's list would call the web of 2015 forged: Equifax,
GeoTrust, VeriSign and others are gone from it. A certificate counts for a root when it was issued before the root was
taken off; captures older than the list count as well, since what was on its first issue had been on it for years.

Known outside the list are authorities of states, of products and of users themselves, which sign for names that are
not theirs; and of vendors of systems, which sign for several names of their own.
"""

import csv
import gzip
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

from netinterf.protocols.chains import Anchor

__all__ = ["interceptor", "public_roots"]

NO_END = 2**62  # on the newest list: there is no end in sight


def seconds(day: str) -> int:
    """Give the beginning of a day in seconds since 1970 UTC."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


@cache
def public_roots() -> Mapping[bytes, tuple[Anchor, ...]]:
    """Give the roots that were public, by subject (DER); several keys may have had one name."""
    packed = (files("netinterf.data") / "roots.csv.gz").read_bytes()
    roots: dict[bytes, tuple[Anchor, ...]] = {}
    for row in csv.DictReader(gzip.decompress(packed).decode("ascii").splitlines()):
        subject, gone = b64decode(row["subject"]), row["gone"]
        anchor = Anchor(
            subject=subject,
            key=b64decode(row["key"]),
            not_before=seconds(row["begins"]),
            not_after=seconds(gone) if gone else NO_END,
        )
        roots[subject] = (*roots.get(subject, ()), anchor)
    return roots


@cache
def _interceptors() -> tuple[tuple[str, str], ...]:
    text = (files("netinterf.data") / "interceptors.csv").read_text(encoding="utf-8")
    return tuple((row["pattern"].lower(), row["kind"]) for row in csv.DictReader(text.splitlines()))


def interceptor(issuer: str) -> str:
    """Class who signed a certificate.

    Args:
        issuer: Distinguished name, as RFC 4514 writes it.

    Returns:
        ``"state"``, ``"product"``, ``"local"`` (a program on the user's own machine), ``"vendor"`` (of an operating
        system, for its own services), or empty for all others.
    """
    lowered = issuer.lower()
    return next((kind for pattern, kind in _interceptors() if pattern in lowered), "")
