"""The vocabulary of numbers that were sprayed over a stream; the weight begins where a fit would."""

import attrs

from netinterf.schema import Rule

__all__ = ["SPRAYED_DATA", "SPRAYED_RESETS", "SPRAYED_WEIGHT"]

SPRAYED_DATA = Rule(
    id="data.sprayed",
    mechanism="tcp.data",
    group="data.sequence",
    says="bytes in one side's name were sprayed over {places} places outside the stream, as if somebody guessed",
    measures=("places",),
    references=("Watson, Slipping in the Window, CanSecWest 2004", "RFC 5961 §1"),
)
SPRAYED_RESETS = attrs.evolve(
    SPRAYED_DATA,
    id="rst.sprayed",
    mechanism="tcp.reset",
    group="rst.sequence",
    says="resets in one side's name were sprayed over {places} places outside the stream, as if somebody guessed",
)
SPRAYED_WEIGHT = 3.0
"""As much as any single number that no host would write."""
