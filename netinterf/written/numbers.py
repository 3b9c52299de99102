"""Measured numbers in sentences: rounded as people read them, and the words behind them in the number that fits."""

import math
import re

__all__ = ["Number", "agreed", "prefix_of", "scaled"]

COUNTED = (
    "packets datagrams segments bytes resets acknowledgements losses frames records connections conversations flows "
    "transfers handshakes visits attempts times requests questions queries lookups exchanges answers replies pages "
    "names domains sites servers resolvers networks hosts addresses systems observations windows others"
)
"""Nouns that rules count."""

BEFORE = "QUIC TLS DNS TCP HTTP other more different unrelated independent autonomous healthy"
"""Words that stand between a count and its noun; others may begin another thought, as in ``1 ms between packets``."""

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))

SHARE, UNITS = "%", ("bit/s", "B")
"""What sentences may ask for besides the formats of Python."""

ONE = re.compile(
    rf"(?<![\w.,-])1 ((?:(?:{BEFORE.replace(' ', '|')}) )*)({COUNTED.replace(' ', '|')})\b(?: (were|are|have)\b)?"
)
SINGULAR = {"times": "time", "losses": "loss", "queries": "query", "replies": "reply", "addresses": "address"}
SINGULAR |= {"were": "was", "are": "is", "have": "has"}


class Number(float):
    """A measured number as sentences show it: three significant digits, or that it is unknown.

    Sentences may name a unit, ``{rate_bps:bit/s}``, which gets the prefix that suits it, or take it for a share,
    ``{info:%}``.
    """

    def __format__(self, spec: str) -> str:
        value = float(self)
        if math.isnan(value):
            return (
                "an unknown share" if spec == SHARE else f"an unknown number of {spec if spec in UNITS else ''}".strip()
            )
        if spec == SHARE:
            return f"{100 * value:.2g} %" if value < 0.995 else "all"
        if spec in UNITS:
            return scaled(value, spec)
        if spec:
            return value.__format__(spec)
        return f"{value:,.0f}" if abs(value) >= 1000 or value.is_integer() else f"{value:.3g}"


def scaled(value: float, unit: str) -> str:
    """Write a quantity with three digits and the prefix that suits it (SI), ``1.25 Mbit/s``."""
    size, prefix = prefix_of(value)
    return f"{float(f'{value / size:.3g}'):,.10g} {prefix}{unit}"


def prefix_of(value: float) -> tuple[float, str]:
    """Find the prefix of a quantity, and what it stands for."""
    return next((entry for entry in PREFIXES if abs(value) >= entry[0]), (1.0, ""))


def agreed(sentence: str) -> str:
    """Put what is counted once, and the verb right behind it, into the singular: ``1 packets were``, ``1 packet was``.

    Rules are written for many; what they count is one now and then.
    """
    return ONE.sub(_singular, sentence)


def _singular(match: re.Match[str]) -> str:
    noun, verb = match[2], match[3]
    return f"1 {match[1]}{SINGULAR.get(noun, noun.removesuffix('s'))}" + (f" {SINGULAR[verb]}" if verb else "")
