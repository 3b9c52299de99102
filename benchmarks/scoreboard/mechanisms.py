"""The mechanisms of the verdict contract: which there are, which are built, and what answers which."""

from collections.abc import Iterable
from functools import cache

from netinterf.verdict.words import WHAT

__all__ = ["MECHANISMS", "SILENT", "answers", "applies", "built", "forges", "touches"]

GENERAL = ("tcp.connect",)
"""Words with a dot that the contract's table does not list: they only stand for several listed ones."""

MECHANISMS = tuple(word for word in WHAT if "." in word and word not in GENERAL)
"""Every mechanism of the contract (section 2), in its order."""

SILENT = ("tcp.drop", "tcp.connect.drop", "quic.drop", "dns.drop", "rate", "protocol.filter", "reach")
"""Mechanisms whose frames are the last before a silence: nothing is forged (contract, section 4, ``frames``)."""

SUBJECTS = {"tcp": "tcp", "http": "tcp", "tls": "tcp", "quic": "udp", "dns": "exchange"}
"""What the mechanisms of a family can happen to; those of other families happen to any flow."""


@cache
def built() -> frozenset[str]:
    """Name the mechanisms that some built-in analyzer has a rule for."""
    from netinterf.analyzers.registry import builtin

    return frozenset(rule.mechanism for analyzer in builtin() for rule in analyzer.rules) & frozenset(MECHANISMS)


def answers(said: Iterable[str], right: Iterable[str]) -> bool:
    """Say whether one of the words *said* is one of the *right* ones, or a prefix of one (contract, section 2)."""
    accepted = tuple(right)
    return any(one == word or one.startswith(word + ".") for word in said for one in accepted)


def forges(mechanism: str) -> bool:
    """Say whether the frames of an accusation are held to be forged, rather than the last before a silence."""
    return not any(mechanism == word or mechanism.startswith(word + ".") for word in SILENT)


def touches(said: Iterable[str], mechanism: str) -> bool:
    """Say whether an accusation bears on *mechanism*: the same word, a prefix of it, or a special form of it."""
    return answers(said, (mechanism,)) or any(word.startswith(mechanism + ".") for word in said)


def applies(mechanism: str, kind: str, protocol: str) -> bool:
    """Say whether *mechanism* could happen to a subject of this kind at all.

    Args:
        mechanism: A word of the contract.
        kind: ``flow``, ``exchange`` or ``capture``.
        protocol: ``tcp``, ``udp``, ``icmp`` or empty.
    """
    wanted = SUBJECTS.get(mechanism.split(".", maxsplit=1)[0])
    if wanted == "exchange":
        return kind == "exchange"
    return kind != "exchange" and wanted in {None, protocol}
