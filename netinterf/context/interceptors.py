"""Authorities outside the public list that are known by name.

Of states, of products and of users themselves, which sign for names that are not theirs; and of vendors of systems,
which sign for several names of their own.
"""

import csv
from functools import cache
from importlib.resources import files

__all__ = ["interceptor"]


@cache
def _known() -> tuple[tuple[str, str], ...]:
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
    return next((kind for pattern, kind in _known() if pattern in lowered), "")
