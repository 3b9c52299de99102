"""The mechanisms of the verdict format: which there are, which are built, and what answers which."""

from collections.abc import Iterable
from functools import cache

from netinterf.mechanisms import MECHANISMS as RECORDS
from netinterf.mechanisms import covers, known_as

__all__ = ["MECHANISMS", "answers", "applies", "built", "forges", "touches"]

MECHANISMS = tuple(one.path for one in RECORDS.values() if not one.general)
"""Every mechanism of the verdict format, in its order."""


@cache
def built() -> frozenset[str]:
    """Name the mechanisms that some built-in analyzer has a rule for."""
    from netinterf.analyzers.registry import builtin

    return frozenset(rule.mechanism for analyzer in builtin() for rule in analyzer.rules) & frozenset(MECHANISMS)


def answers(said: Iterable[str], right: Iterable[str]) -> bool:
    """Say whether one of the words *said* is one of the *right* ones, or a prefix of one."""
    accepted = tuple(right)
    return any(covers(word, one) for word in said if word for one in accepted)


def forges(mechanism: str) -> bool:
    """Say whether the frames of an accusation are held to be forged, rather than the last before a silence."""
    record = known_as(mechanism)
    return record is None or not record.silent


def touches(said: Iterable[str], mechanism: str) -> bool:
    """Say whether an accusation bears on *mechanism*: the same word, a prefix of it, or a special form of it."""
    return answers(said, (mechanism,)) or any(covers(mechanism, word) for word in said)


def applies(mechanism: str, kind: str, protocol: str) -> bool:
    """Say whether *mechanism* could happen to a subject of this kind at all.

    Args:
        mechanism: A word of the verdict format.
        kind: ``flow``, ``exchange`` or ``capture``.
        protocol: ``tcp``, ``udp``, ``icmp`` or empty.
    """
    record = known_as(mechanism)
    wanted = record.subject if record else ""
    if wanted == "exchange":
        return kind == "exchange"
    return kind != "exchange" and wanted in {"", protocol}
