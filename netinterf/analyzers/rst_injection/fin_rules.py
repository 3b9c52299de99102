"""The vocabulary for FINs: like that for resets, but the header of a FIN weighs more.

A reset may come from another device or from another part of the stack than data; a FIN is written by the stack that
wrote the data. In public control captures 399 of 399 genuine FINs carried the hop limit of their connection, and 105 of
151 genuine resets; timestamps are mandatory on a FIN where they were agreed on, and recommended on a reset (RFC 7323
§3.2). Weights are natural-log likelihood ratios, where the fit begins.
"""

import attrs

from netinterf.analyzers.rst_injection.rules import RULES
from netinterf.schema import Rule

__all__ = ["FIN_RULES", "FIN_WEIGHTS", "ONE_WRITER"]

ONE_WRITER = 6.0
"""What all header fields of a FIN may say together: they stand for one thing, that somebody else wrote it."""

TABLE: tuple[tuple[float, str, str | None], ...] = (
    (5.0, "premature", None),
    (3.0, "nearer", None),
    (
        5.0,
        "alive_after",
        "the side that seems to have ended its stream sent new bytes behind that end {gap_ms} ms later",
    ),
    (4.0, "ack_unsent", None),
    (3.0, "behind_data", None),
    (2.0, "after_request", None),
    (3.0, "ttl", None),
    (3.0, "ttl_class", None),
    (5.0, "no_timestamps", None),
    (2.0, "ip_id", None),
    (3.0, "copied_id", None),
    (1.5, "df", None),
    (1.0, "odd_window", None),
    (2.0, "copied_window", None),
    (-4.0, "abort", "the FIN continues its sender's timestamps: the application closed the connection itself"),
    (-3.0, "in_counter", None),
    (-0.4, "on_time", None),
)
"""Weight, the name of the rule for resets that says the same of a reset, and what it says where that is another."""

_OF_RESETS = {known.id: known for known in RULES}


def fin_rule(name: str, says: str | None) -> Rule:
    """Say of a FIN what a rule says of a reset."""
    known = _OF_RESETS[f"rst.{name}"]
    words = says or known.says.replace("the reset", "the FIN").replace("a reset", "a FIN")
    return attrs.evolve(known, id=f"fin.{name}", mechanism="tcp.fin", group=f"fin.{known.group[4:]}", says=words)


FIN_RULES: tuple[Rule, ...] = tuple(fin_rule(name, says) for _, name, says in TABLE)
FIN_WEIGHTS: dict[str, float] = {f"fin.{name}": weight for weight, name, _ in TABLE}
