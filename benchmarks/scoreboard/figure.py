"""The reliability diagram as SVG, drawn by hand: small, and readable as text."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["draw"]

SIZE, EDGE = 420, 46
SPAN = math.log(1e5)
"""The axes are log-odds, from 1 in 100,000 to its complement, since probabilities crowd at both ends."""

TICKS = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad")


def place(probability: float) -> float:
    """Place a probability on an axis, 0 to 1."""
    clipped = min(max(probability, 1e-9), 1 - 1e-9)
    return min(max((math.log(clipped / (1 - clipped)) + SPAN) / (2 * SPAN), 0.0), 1.0)


def draw(series: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Draw reliability diagrams over each other.

    Args:
        series: By name the bins of a calibration report.
    """
    inner = SIZE - 2 * EDGE

    def x(probability: float) -> float:
        return round(EDGE + inner * place(probability), 1)

    def y(probability: float) -> float:
        return round(SIZE - EDGE - inner * place(probability), 1)

    low, high = EDGE, SIZE - EDGE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif" font-size="10">',
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>',
        f'<path d="M{low} {high}L{high} {low}" stroke="#999" stroke-dasharray="4 3"/>',
        f'<path d="M{low} {low}V{high}H{high}" stroke="#333" fill="none"/>',
    ]
    for tick in TICKS:
        lines.append(f'<path d="M{x(tick)} {high}v4M{low} {y(tick)}h-4" stroke="#333"/>')
        lines.append(f'<text x="{x(tick)}" y="{high + 15}" text-anchor="middle">{tick:g}</text>')
        lines.append(f'<text x="{low - 6}" y="{y(tick) + 3}" text-anchor="end">{tick:g}</text>')
    lines.append(f'<text x="{SIZE / 2}" y="{SIZE - 12}" text-anchor="middle">probability said</text>')
    lines.append(
        f'<text transform="translate(10 {SIZE / 2})rotate(-90)" text-anchor="middle">share interfered with</text>'
    )
    for number, (name, bins) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        lines.append(f'<text x="{low + 8}" y="{low + 12 * (number + 1)}" fill="{colour}">{name}</text>')
        for one in bins:
            at = x(one["probability"])
            lines.append(f'<path d="M{at} {y(one["low"])}V{y(one["high"])}" stroke="{colour}" opacity=".5"/>')
            lines.append(f'<circle cx="{at}" cy="{y(one["share"])}" r="3" fill="{colour}"/>')
    return "\n".join([*lines, "</svg>"]) + "\n"
