"""Public resolvers: who runs them, whether they are asked in the clear or over TLS, HTTPS and QUIC.

Who blocks encrypted questions makes programs ask in the clear. Such a block is no DNS of its own on the wire: it shows
as a reset or a silence of TLS or QUIC. The list is data (``encrypted-resolvers.csv``, each row with its source).
"""

import csv
from functools import cache
from importlib.resources import files

__all__ = ["DOT_PORT", "encrypted_resolver", "public_resolver"]

DOT_PORT = 853
"""Port of DNS over TLS (RFC 7858 §3.1) and over QUIC (RFC 9250 §4.1.1)."""

WEB_PORT = 443
"""Port of DNS over HTTPS (RFC 8484 §4.1)."""


def encrypted_resolver(name: str | None, server: str | None, port: int | None) -> str | None:
    """Name the operator of the resolver that a connection leads to; None where it leads to none.

    Args:
        name: Name that was asked for (SNI), if one was shown. Hosts below a listed name belong to it.
        server: Address of the server.
        port: Port of the server.

    Returns:
        The operator, empty for an unknown one on the port of DNS over TLS.
    """
    if port not in {DOT_PORT, WEB_PORT}:
        return None
    known = resolvers()
    labels = (name or "").lower().rstrip(".").split(".")
    for place in range(len(labels)):
        if (operator := known.get(".".join(labels[place:]))) is not None:
            return operator
    unnamed = not name or port == DOT_PORT
    operator = known.get(server or "") if unnamed else None
    return "" if operator is None and port == DOT_PORT else operator


def public_resolver(server: str) -> str | None:
    """Name the operator of a public resolver by its address; None for any other."""
    return resolvers().get(server)


@cache
def resolvers() -> dict[str, str]:
    """Load the operators by name and address, once."""
    text = files("netinterf").joinpath("data", "encrypted-resolvers.csv").read_text("utf-8")
    return {row["value"]: row["operator"] for row in csv.DictReader(text.splitlines())}
